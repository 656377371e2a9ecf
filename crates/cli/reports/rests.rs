//! What was judged and against what; what is proved, and what is stated.

use ceremony::document::{Block, Column, Text};
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::publish::Label;
use ceremony::record::{End, Mode};
use ceremony::says;
use ceremony::verify::kept::Basis;

use super::{Told, paragraph, table, titled};
use crate::lang::{Lang, pick};
use crate::verdicts::account::{aborted, held, postscript};
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
        let [proved, signed, people, papers, token] =
            rules::BASES.map(|basis| rules::kept(&self.facts, basis).count());
        blocks.push(paragraph(self.said(&says!(
            "満たした規則: 証明されたもの(オクテットから計算){proved}、参加者がカードで署名したもの {signed}、申告されたものは参加者 {people}・書類 {papers}・トークン {token}(付録 3)。",
            "Rules kept: {proved} are proved, computed from octets; {signed} are signed by people's cards; stated are {people} by people, {papers} by the papers and {token} by the token (annex 3)."
        ))));
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
            "封印された入力からのコンパイル、記録の再現、署名 {count} 件の検証、全ファイルの照合を行った。",
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
                self.pick("計画の実施時間帯", "planned").to_string(),
                Text::plain(format!("{from} – {until}")),
            ),
        ];
        let held = held(&self.facts, self.lang).into_iter();
        rows.extend(held.map(|(name, value)| (name.to_string(), Text::plain(value))));
        rows.push((
            self.pick("封印後の記録", "postscript").to_string(),
            Text::plain(postscript(self.facts.postscript, self.lang)),
        ));
        let head =
            [Column::little(self.pick("項目", "what")), Column::rest(self.pick("値", "value"))];
        let mut pairs = Vec::new();
        // Two facts stand beside each other.
        for two in rows.chunks(2) {
            let mut row: Vec<Text> = Vec::new();
            for (name, value) in two {
                row.extend([Text::plain(name), value.clone()]);
            }
            row.resize(4, Text::plain(""));
            pairs.push(row);
        }
        let caption = self.pick("セレモニー", "the ceremony");
        let mut blocks = vec![
            Block::Part(self.pick("日時・場所・機器", "When, where and with what").into()),
            table(caption, &[head, head].concat(), pairs, false),
        ];
        if let Some((begun, _)) = account.history.sessions.first() {
            let (day, offset) = (begun.day(), begun.to_string());
            let offset = offset.get(19..).unwrap_or("").to_string();
            blocks.push(paragraph(self.said(&says!(
                "以下で日付のない時刻は {day}({offset})のもの。",
                "Below, times without a date are those of {day} ({offset})."
            ))));
        }
        blocks.push(self.tokens());
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
            "記録の最新値は、記録のすべての行を順に連ねた値で、控えとアンカーにあるものと比べる。グラフとバインディングは計画の値で、構築手順書の表紙と比べる。監査用の鍵は、記録を封印した鍵である。",
            "A head covers every line of a record in its order; compare it with the paper slip and the anchor. Graph and bindings are the ids of the plan; compare them with the cover of the script. The audit key sealed the record.",
        );
        [
            Block::Part(self.pick("付録 2: 照合に用いる値", "Annex 2: values to compare").into()),
            paragraph(explained),
        ]
        .into_iter()
        .chain(values)
        .collect()
    }

    /// The rules that rest on a statement, by its kind, and whose it is.
    pub(super) fn stated(&self) -> Vec<Block> {
        let account = &self.facts.account;
        let mut blocks = vec![Block::Part(
            self.pick("付録 3: 申告に基づくこと", "Annex 3: what rests on statements").into(),
        )];
        let head = [
            Column::little(self.pick("規則", "rule")),
            Column::rest(self.pick("条項", "clause")),
            Column::rest(self.pick("内容", "what holds")),
            Column::rest(self.pick("述べた者", "stated by")),
        ];
        for basis in rules::BASES.into_iter().filter(|basis| *basis != Basis::Proved) {
            let rows: Vec<Vec<Text>> = rules::kept(&self.facts, basis)
                .map(|judged| {
                    vec![
                        Text::plain(judged.id),
                        Text::plain(clause(judged.id, &account.clauses)),
                        Text::plain(self.pick(judged.so.ja, judged.so.en)),
                        Text::plain(Self::ids(&judged.by)),
                    ]
                })
                .collect();
            if !rows.is_empty() {
                let title = rules::heading(basis, self.lang);
                blocks.extend([titled(title), table(title, &head, rows, false)]);
            }
        }
        if blocks.len() == 1 {
            blocks.push(paragraph(self.pick("なし", "nothing")));
        }
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
