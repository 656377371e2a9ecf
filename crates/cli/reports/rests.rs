//! What was judged and against what; what is proved, and what is stated.

use std::collections::BTreeSet;

use ceremony::document::{Block, Text};
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::publish::Label;
use ceremony::record::{End, Mode};
use ceremony::says;
use ceremony::verify::kept::{Basis, By};
use ceremony::verify::{Judged, Standing};

use super::{Told, facts, paragraph, table};
use crate::lang::{Lang, pick};
use crate::verdicts::account::{aborted, held, postscript};
use crate::verdicts::named::people;
use crate::verdicts::rules::{self, clause};

/// On what a verdict rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rests {
    Anchor,
    AnchorInPart,
    Rehearsal,
    Drill,
    Nothing,
}

/// What stands behind the name of a ceremony that was not real.
pub(super) const fn kind_word(mode: Mode, lang: Lang) -> &'static str {
    match mode {
        Mode::Real => "",
        Mode::Drill => pick(lang, "(訓練)", " (a drill)"),
        Mode::Rehearsal => pick(lang, "(リハーサル)", " (a rehearsal)"),
    }
}

impl Told {
    pub(super) fn verdict(&self) -> Vec<Block> {
        let label = Label::Confidential.said();
        let label = says!(
            label;
            "**取扱い: {label}**(CP/CPS 9.3)",
            "**Label: {label}** (CP/CPS 9.3)"
        );
        let mut blocks = vec![
            Block::Paragraph(Text::of(self.lang.said(&label))),
            Block::Paragraph(Text::of(self.lang.said(&kind(self.facts.mode)))),
            Block::Part(self.pick("判定", "Verdict").into()),
            Block::Paragraph(Text::of(self.lang.said(&self.result()))),
        ];
        if self.facts.end == End::Aborted {
            blocks.push(paragraph(aborted(&self.facts, self.lang).trim_end()));
        }
        let rows = rules::BASES.map(|basis| {
            let name = rules::heading(basis, self.lang).to_string();
            (name, Text::plain(rules::kept(&self.facts, basis).count()))
        });
        let head = [self.pick("根拠", "on what it rests"), self.pick("満たした規則", "rules kept")];
        let caption =
            self.pick("証明されたことと申告されたこと", "what is proved and what is stated");
        blocks.push(facts(caption, head, rows.into()));
        let refused: Vec<Text> = rules::refused(&self.facts)
            .map(|(judged, reason)| Text::plain(format!("{}: {reason}", judged.id)))
            .collect();
        if !refused.is_empty() {
            blocks.push(paragraph(self.pick("拒否した規則:", "Rules that refused:")));
            blocks.push(Block::List(refused));
        }
        blocks.push(paragraph(self.pick(
            "ここで判定しないもの: ファイル・媒体・端末、専用イメージ、電子証明書の有効性確認。",
            "Not judged here: files, media and terminal, the live image, whether to rely on a certificate.",
        )));
        blocks
    }

    /// What was judged, and against what.
    fn result(&self) -> Bilingual {
        let count = self.facts.signatures;
        let judged = says!(
            "封印された入力からのコンパイル、記録の再演、署名 {count} 件の検証、全ファイルの照合を行った。",
            "The sealed inputs were compiled again, the record was replayed, {count} signatures were verified, and every file was compared."
        );
        match self.rests {
            Rests::Anchor => says!(
                judged;
                "**検証済み。** {judged}認証局のアンカーがこのセレモニーを固定している。",
                "**Verified.** {judged} The CA's anchor pins this ceremony."
            ),
            Rests::AnchorInPart => says!(
                judged;
                "**整合するが、アンカーに固定なし。** {judged}アンカーが固定するセレモニーに続くものだが、これはまだ固定されていない。",
                "**Consistent, not pinned.** {judged} It follows a ceremony that the CA's anchor pins; the anchor does not pin this one yet."
            ),
            Rests::Rehearsal => says!(
                judged;
                "**リハーサルとして整合。** {judged}",
                "**Consistent as a rehearsal.** {judged}"
            ),
            Rests::Drill => says!(
                judged;
                "**訓練として整合。** {judged}",
                "**Consistent as a drill.** {judged}"
            ),
            Rests::Nothing => says!(
                judged;
                "**整合するが、アンカーなし。** {judged}認証局のものであることを示すものは与えられていない。",
                "**Consistent, not anchored.** {judged} Nothing that was given shows that the ceremony is the CA's."
            ),
        }
    }

    /// When, where and with what it was held.
    pub(super) fn circumstances(&self) -> Vec<Block> {
        let account = &self.facts.account;
        let graph = &self.compiled.graph;
        let (from, until) = graph.window();
        let mut rows = vec![
            (
                self.pick("認証局", "CA").to_string(),
                Text::plain(format!("{} ({})", account.ca, graph.ca_name())),
            ),
            (
                self.pick("セレモニー", "ceremony").to_string(),
                Text::plain(format!("{} (#{})", self.facts.opened.ceremony, account.sequence)),
            ),
            (
                self.pick("計画の時間帯", "planned").to_string(),
                Text::plain(format!("{from} – {until}")),
            ),
        ];
        let held = held(&self.facts, self.lang).into_iter();
        rows.extend(held.map(|(name, value)| (name.to_string(), Text::plain(value))));
        rows.push((
            self.pick("封印後の記録", "postscript").to_string(),
            Text::plain(postscript(self.facts.postscript, self.lang)),
        ));
        let head = [self.pick("項目", "what"), self.pick("値", "value")];
        let mut blocks = vec![
            Block::Part(self.pick("日時・場所・機器", "When, where and with what").into()),
            facts(self.pick("セレモニー", "the ceremony"), head, rows),
            self.tokens(),
        ];
        blocks.extend(self.clocks());
        blocks
    }

    /// What anybody compares who has the papers, with the words by which it is read aloud.
    pub(super) fn values(&self) -> Vec<Block> {
        let held = self.facts.state.held.last();
        let postscript =
            held.map(|held| held.postscript).filter(|_| self.facts.postscript.is_begun());
        let rows: [(&str, Option<Digest>); 5] = [
            (self.pick("記録の最新値(head)", "head of the transcript"), Some(self.facts.head)),
            (self.pick("封印後の記録の最新値(postscript)", "head of the postscript"), postscript),
            (self.pick("グラフ(graph)", "graph"), Some(self.facts.opened.graph)),
            (self.pick("バインディング(bindings)", "bindings"), Some(self.facts.opened.bindings)),
            (self.pick("監査用の鍵(audit-key)", "audit key"), Some(self.facts.audit_key)),
        ];
        let values =
            rows.into_iter().filter_map(|(name, digest)| Some(Block::Value(name.into(), digest?)));
        let explained = self.pick(
            "記録の最新値は、記録のすべての行を順に連ねた値で、控えとアンカーにあるものと比べる。グラフとバインディングは、承認された計画の値で、構築手順書の表紙と比べる。監査用の鍵は、記録を封印した鍵である。",
            "A head covers every line of a record in its order; compare it with the paper slip and the anchor. Graph and bindings are the ids of the plan that was approved; compare them with the cover of the script. The audit key sealed the record.",
        );
        [Block::Part(self.pick("照合に用いる値", "Values to compare").into()), paragraph(explained)]
            .into_iter()
            .chain(values)
            .collect()
    }

    /// The rules that rest on a statement, and whose.
    pub(super) fn stated(&self) -> Vec<Block> {
        let account = &self.facts.account;
        let whose = |judged: &Judged| match (judged.basis, judged.by.is_empty()) {
            (Basis::Stated(By::Token), _) => self.pick("トークン", "the token").to_string(),
            (_, false) => {
                let ids: BTreeSet<&Name> = judged.by.iter().collect();
                ids.into_iter().map(Name::as_str).collect::<Vec<_>>().join(" ")
            }
            (Basis::Stated(By::Papers), true) => {
                self.pick("計画・ポリシー・任命簿", "plan, policy, roster").to_string()
            }
            (
                Basis::Stated(By::People) | Basis::Signed | Basis::Proved | Basis::Elsewhere(_),
                true,
            ) => self.pick("参加者", "people in the room").to_string(),
        };
        let is_stated = |judged: &&Judged| {
            matches!(judged.basis, Basis::Stated(_) | Basis::Signed)
                && judged.standing == Standing::Kept
        };
        let rows: Vec<Vec<Text>> = account
            .judged
            .iter()
            .filter(is_stated)
            .map(|judged| {
                let basis = match judged.basis {
                    Basis::Signed => self.pick("署名", "signed"),
                    Basis::Stated(_) | Basis::Proved | Basis::Elsewhere(_) => {
                        self.pick("申告", "stated")
                    }
                };
                vec![
                    Text::code(judged.id),
                    Text::plain(clause(judged.id, &account.clauses)),
                    Text::plain(self.pick(judged.so.ja, judged.so.en)),
                    Text::plain(basis),
                    Text::plain(whose(judged)),
                ]
            })
            .collect();
        let head = [
            self.pick("規則", "rule"),
            self.pick("条項", "clause"),
            self.pick("内容", "what holds"),
            self.pick("根拠", "rests on"),
            self.pick("誰の言葉か", "whose word it is"),
        ];
        let who: BTreeSet<&Name> =
            account.judged.iter().filter(is_stated).flat_map(|judged| &judged.by).collect();
        let mut blocks = vec![Block::Part(
            self.pick("付録: 申告に基づくこと", "Annex: what rests on statements").into(),
        )];
        if rows.is_empty() {
            blocks.push(paragraph(self.pick("なし", "nothing")));
            return blocks;
        }
        if !who.is_empty() {
            blocks.push(paragraph(people(account, who, self.lang)));
        }
        blocks.push(table(
            self.pick("規則とその根拠", "rules and their evidence"),
            &head,
            rows,
            false,
        ));
        blocks
    }
}

/// What kind of a ceremony it was.
fn kind(mode: Mode) -> Bilingual {
    match mode {
        Mode::Real => says!(
            "認証局の機器を用いた**本番**のセレモニーの報告である。",
            "This reports a **real** ceremony, held with the CA's own token."
        ),
        Mode::Drill => says!(
            "**本番ではない。** 訓練用のトークンによる**訓練**の報告であり、ここで作られた鍵、電子証明書、CRL は認証局のものではない。",
            "**Not a real ceremony.** This reports a **drill** on a token for drills; no key, certificate or CRL in it is the CA's."
        ),
        Mode::Rehearsal => says!(
            "**本番ではない。** 公知の鍵と代役による**リハーサル**の報告であり、ここで作られた鍵、電子証明書、CRL は認証局のものではない。",
            "**Not a real ceremony.** This reports a **rehearsal** with keys that everyone can compute and stand-ins for people; no key, certificate or CRL in it is the CA's."
        ),
    }
}
