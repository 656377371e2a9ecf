//! Who was present when and did what; who approved and decided it; by which clock and token.

use std::collections::BTreeMap;

use ceremony::document::{Block, Column, Text};
use ceremony::graph::{Act, Op, PeopleAct, Person, Phase};
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::plan::{Application, Decision, Plan};
use ceremony::run::ABSENT;
use ceremony::says;
use ceremony::script;
use ceremony::time::Instant;
use ceremony::verify::{Mark, What};

use super::{Told, facts, paragraph, table, titled};
use crate::lang::language;
use crate::report::plain;
use crate::verdicts::named::people;

/// The name of the question how far the clocks differ, and of the one against which clock.
const OFFSET: &str = "offset-seconds";
const REFERENCE: &str = "reference";
/// The name of the question whether a person came.
const ATTENDANCE: &str = "attendance";

/// When each person came, and when each left.
#[derive(Default)]
struct Times<'a> {
    came: BTreeMap<&'a Name, Instant>,
    left: BTreeMap<&'a Name, Instant>,
}

impl Told {
    /// The tokens, by what they say of themselves.
    pub(super) fn tokens(&self) -> Block {
        let place = &self.facts.opened.room;
        let root = self.pick("ルート", "root token").to_string();
        let spares = place.spares.iter().map(|(name, serial)| (name.to_string(), serial));
        let rows = std::iter::once((root, &place.token)).chain(spares).map(|(name, serial)| {
            let identity = self.facts.account.history.tokens.get(serial);
            let told = |of: fn(&ceremony::token::TokenIdentity) -> &String| match identity {
                Some(identity) => Text::plain(plain(of(identity).trim())),
                None => Text::plain(self.pick("回答なし", "not asked")),
            };
            vec![
                Text::plain(name),
                Text::code(plain(serial)),
                told(|one| &one.label),
                told(|one| &one.manufacturer),
                told(|one| &one.model),
                told(|one| &one.firmware),
            ]
        });
        let head = [
            Column::little(self.pick("トークン", "token")),
            Column::little(self.pick("製造番号", "serial number")),
            Column::rest(self.pick("ラベル", "label")),
            Column::rest(self.pick("製造者", "maker")),
            Column::rest(self.pick("型式", "model")),
            Column::little(self.pick("ファームウェア", "firmware")),
        ];
        table(self.pick("トークン(HSM)", "tokens (HSM)"), &head, rows.collect(), false)
    }

    /// How far the machine's clock was from the one that was carried in, and which way.
    pub(super) fn clocks(&self) -> Vec<Block> {
        let is_clock = |op: &str| {
            let op = self.compiled.graph.op(op);
            op.is_some_and(|op| op.act == Act::People(PeopleAct::Clock))
        };
        let rows: Vec<(String, Text)> = self
            .answers()
            .filter(|(_, op, _)| is_clock(op))
            .map(|(at, _, said)| {
                let fact = |name: &str| said.facts.get(name).map(String::as_str);
                let way = difference(fact(OFFSET), fact(REFERENCE));
                let by = Self::ids(&said.by);
                (self.when(at), Text::plain(format!("{} [{by}]", self.said(&way))))
            })
            .collect();
        if rows.is_empty() {
            return vec![paragraph(
                self.pick("装置の時計は確認していない。", "The machine's clock was not compared."),
            )];
        }
        let most = self.compiled.graph.demands().max_clock_offset;
        let caption = says!(
            "装置の時計(許される差は {most} 秒以内)",
            "the machine's clock (at most {most} s may it differ)"
        );
        let head = [
            Column::little(self.pick("確認した時刻", "compared at")),
            Column::rest(self.pick("結果", "what was found")),
        ];
        vec![titled(self.lang.said(&caption)), facts(self.lang.said(&caption), head, rows)]
    }

    /// Who was present when, and on what their part in the record rests.
    pub(super) fn attendance(&self) -> Vec<Block> {
        let times = self.times();
        let rows = self.compiled.graph.people().iter();
        let rows = rows.map(|(id, person)| self.person(id, person, &times)).collect();
        let head = [
            Column::rest(self.pick("参加者", "person")),
            Column::little(self.pick("組織", "organisation")),
            Column::rest(self.pick("役割", "roles")),
            Column::little(self.pick("入室", "came")),
            Column::little(self.pick("退室", "left")),
            Column::rest(self.pick("本人確認", "shown by")),
            Column::little(self.pick("署名 / 包含 / 申告", "signed / covered / stated")),
        ];
        let organizations = self.compiled.graph.organizations().iter();
        let organizations: Vec<String> =
            organizations.map(|(id, name)| format!("{id}: {}", self.lang.said(name))).collect();
        vec![
            Block::Part(self.pick("参加者", "Who was present").into()),
            table(self.pick("参加者と時刻", "people and times"), &head, rows, false),
            paragraph(organizations.join(self.pick("、", "; "))),
            paragraph(self.pick(
                "数は、その者が名を連ねる記録の件数。署名: 本人のカードがその記録に署名した。包含: 本人の後の署名がその記録にも及ぶ。申告: 本人の署名は及ばない。",
                "The numbers count the records that name the person: signed by the person's own card, covered by a later signature of it, stated only.",
            )),
        ]
    }

    fn times(&self) -> Times<'_> {
        let mut times = Times::default();
        for (at, op, said) in self.answers() {
            let Some(op) = self.compiled.graph.op(op) else { continue };
            let came = said.facts.get(ATTENDANCE).is_none_or(|told| told != ABSENT);
            match &op.act {
                Act::People(PeopleAct::Entry { person }) if came => {
                    times.came.entry(person).or_insert(at);
                }
                Act::People(PeopleAct::FirstIn) => {
                    for person in &said.by {
                        times.came.entry(person).or_insert(at);
                    }
                }
                Act::People(PeopleAct::Exit { person }) => {
                    times.left.insert(person, at);
                }
                Act::People(PeopleAct::LastOut) => {
                    times.left.extend(said.by.iter().map(|person| (person, at)));
                }
                Act::People(_) | Act::Token(_) | Act::Seal => {}
            }
        }
        times
    }

    fn person(&self, id: &Name, person: &Person, times: &Times<'_>) -> Vec<Text> {
        let graph = &self.compiled.graph;
        let account = &self.facts.account;
        let roles = person.roles.iter().map(|role| script::role(graph, role, language(self.lang)));
        let reserve = person.reserve.then(|| self.pick("予備の参加者", "in reserve").to_string());
        let roles: Vec<String> = roles.chain(reserve).collect();
        let is_absent =
            account.absent.contains(id) || (person.reserve && !account.reserves.contains(id));
        let came = match times.came.get(id) {
            Some(at) => self.when(*at),
            None if is_absent => self.pick("欠席", "absent").to_string(),
            None => self.pick("記録なし", "not recorded").to_string(),
        };
        let left = match times.left.get(id) {
            Some(at) => self.when(*at),
            None if is_absent => "–".to_string(),
            None => self.pick("記録なし", "not recorded").to_string(),
        };
        let mut marks = [0_usize; 3];
        let acts = 0..account.history.acts.len();
        for mark in acts.filter_map(|act| account.mark(act, id)) {
            let [signed, covered, stated] = &mut marks;
            let count = match mark {
                Mark::Signed => signed,
                Mark::Covered => covered,
                Mark::Stated => stated,
            };
            *count += 1;
        }
        let [signed, covered, stated] = marks;
        vec![
            Text::plain(people(account, [id], self.lang)),
            Text::plain(&person.organization),
            Text::plain(roles.join(self.pick("、", ", "))),
            Text::plain(came),
            Text::plain(left),
            Text::plain(self.proved_by(id, marks)),
            Text::plain(format!("{signed} / {covered} / {stated}")),
        ]
    }

    /// By what it is proved that a person was there.
    fn proved_by(&self, id: &Name, [signed, covered, stated]: [usize; 3]) -> String {
        let failed = self.facts.account.history.happened.iter().find(|one| match &one.what {
            What::CardFailed { person, .. } => person == id,
            What::Deviation { .. }
            | What::Refused { .. }
            | What::Interrupted { .. }
            | What::Paused { .. }
            | What::WrongPin { .. }
            | What::Mistaken { .. }
            | What::Lost { .. }
            | What::Adopted { .. }
            | What::Removed { .. } => false,
        });
        match (failed, signed + covered, stated) {
            (Some(one), ..) => {
                let at = self.when(one.at);
                self.said(&says!(
                    "{at} からカードが署名せず、以後は申告",
                    "the card failed at {at}; stated from then on"
                ))
            }
            (None, 0, 0) => "–".to_string(),
            (None, 0, _) => self.pick("申告のみ", "stated only").to_string(),
            (None, ..) => self.pick("本人のカード", "own card").to_string(),
        }
    }

    /// Who approved the plan before the day.
    pub(super) fn approvals(&self) -> Vec<Block> {
        let approvals = &self.facts.opened.approvals;
        let mut blocks =
            vec![Block::Part(self.pick("承認と決定", "Approvals and decisions").into())];
        if approvals.is_empty() {
            blocks.push(paragraph(self.pick(
                "当日より前のカードによる承認: なし。",
                "Approvals by card before the day: none.",
            )));
            return blocks;
        }
        let rows = approvals.iter().map(|(id, approved)| {
            let under: Vec<String> =
                self.compiled.approvals.under(id).map(|of| self.said(of)).collect();
            vec![
                Text::plain(people(&self.facts.account, [id], self.lang)),
                Text::plain(approved.at),
                Text::plain(under.join("; ")),
            ]
        });
        let head = [
            Column::rest(self.pick("承認した者", "who")),
            Column::little(self.pick("承認した時刻", "when")),
            Column::rest(self.pick("承認したもの", "what")),
        ];
        let caption = self.pick("カードによる計画の承認", "approvals of the plan by card");
        blocks.extend([titled(caption), table(caption, &head, rows.collect(), false)]);
        blocks
    }

    /// What was decided before the ceremony, and what was decided and confirmed in it.
    pub(super) fn decisions(&self) -> Vec<Block> {
        let decided = self.compiled.graph.decisions();
        let mut blocks = Vec::new();
        if decided.is_empty() {
            blocks.push(paragraph(self.pick(
                "当日より前の申請と決定: なし。",
                "Applications and decisions before the day: none.",
            )));
        } else {
            let caption = self.pick("当日より前の決定:", "Decided before the day:");
            blocks.push(paragraph(caption));
            let rows = decided.iter().map(|line| Text::plain(self.lang.said(line).trim_start()));
            blocks.push(Block::List(rows.collect()));
        }
        blocks.extend(self.applications().into_iter().flatten());
        let confirmed = |op: &&Op| match &op.act {
            Act::People(PeopleAct::Exit { .. } | PeopleAct::LastOut) => false,
            Act::People(_) => matches!(op.act.phase(), Phase::Work | Phase::Postscript),
            Act::Token(_) | Act::Seal => false,
        };
        let rows: Vec<Vec<Text>> = self
            .answers()
            .filter_map(|(at, op, said)| {
                let op = self.compiled.graph.op(op).filter(confirmed)?;
                Some(vec![
                    Text::plain(self.when(at)),
                    Text::plain(crate::events::step(&self.compiled.graph, &op.name, self.lang)),
                    Text::plain(Self::ids(&said.by)),
                ])
            })
            .collect();
        if rows.is_empty() {
            blocks.push(paragraph(self.pick(
                "室内での決定と確認: なし。",
                "Decided and confirmed in the room: nothing.",
            )));
            return blocks;
        }
        let head = [
            Column::little(self.pick("時刻", "when")),
            Column::rest(self.pick("手順", "step")),
            Column::little(self.pick("誰が", "who")),
        ];
        let caption = self.pick("室内での決定と確認", "decided and confirmed in the room");
        blocks.extend([titled(caption), table(caption, &head, rows, false)]);
        blocks
    }

    /// The dates of the applications, which the plan has.
    fn applications(&self) -> Option<[Block; 2]> {
        let plan = self.compiled.inputs.get("plan.toml")?;
        let plan = Plan::parse(plan.as_bytes()).ok()?;
        let decided =
            |decision: &Decision| format!("{} [{}]", decision.at.get_ref(), decision.by.get_ref());
        let row = |(name, one): (&toml::Spanned<Name>, &Application)| {
            let by: Vec<&Name> = one.by.iter().map(toml::Spanned::get_ref).collect();
            let agreed = one.agreed.as_ref().map_or_else(|| "–".to_string(), decided);
            vec![
                Text::plain(name.get_ref()),
                Text::plain(Self::ids(by)),
                Text::plain(one.received.get_ref()),
                Text::plain(decided(&one.examined)),
                Text::plain(agreed),
                Text::plain(decided(&one.approved)),
            ]
        };
        let rows: Vec<Vec<Text>> = plan.application.iter().map(row).collect();
        let head = [
            Column::little(self.pick("申請", "application")),
            Column::little(self.pick("申請者", "by")),
            Column::rest(self.pick("受付", "received")),
            Column::rest(self.pick("審査", "examined")),
            Column::rest(self.pick("同意", "agreed")),
            Column::rest(self.pick("承認", "approved")),
        ];
        let caption = self.pick("申請の日付", "the dates of the applications");
        (!rows.is_empty()).then(|| [titled(caption), table(caption, &head, rows, false)])
    }
}

/// Says how far the machine's clock was from another, and which way.
fn difference(offset: Option<&str>, reference: Option<&str>) -> Bilingual {
    let reference = reference.map_or_else(String::new, plain);
    let seconds = offset.and_then(|offset| offset.parse::<i64>().ok());
    match seconds {
        Some(0) => says!(
            "装置の時計は「{reference}」と同じ(差 0 秒)",
            "the machine's clock was the same as “{reference}” (0 s)"
        ),
        Some(ahead) if ahead > 0 => says!(
            "装置の時計は「{reference}」より {ahead} 秒進んでいた",
            "the machine's clock was {ahead} s ahead of “{reference}”"
        ),
        Some(behind) => {
            let behind = behind.unsigned_abs();
            says!(
                "装置の時計は「{reference}」より {behind} 秒遅れていた",
                "the machine's clock was {behind} s behind “{reference}”"
            )
        }
        None => says!("差の記録なし(「{reference}」)", "no difference is recorded (“{reference}”)"),
    }
}
