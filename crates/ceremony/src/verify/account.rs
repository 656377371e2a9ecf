//! What a verdict reports beside the result: what happened in the ceremony, and by which rules it
//! was judged.
//!
//! A rule counts as judged only if something in the ceremony is within its scope.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::{Deed, History, What};
use crate::compile::Compiled;
use crate::graph::{Act, Graph, Item, Op, PeopleAct, Phase, TokenAct};
use crate::language::{Bilingual, Language, Sentence};
use crate::name::Name;
use crate::plan::ProfileName;
use crate::rule::RuleId;
use crate::rules;
use crate::run::{Book, Next, Run};
use crate::script;
use crate::verify::kept::{self, Basis, By, Form, When};
use crate::violation::Violation;

/// What a verdict reports beside the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The CA's name in the file system.
    pub ca: Name,
    /// The number of the ceremony in its ledger.
    pub sequence: u32,
    /// The events that the result does not show.
    pub history: History,
    /// The clauses that the CP/CPS gives its rules.
    pub clauses: BTreeMap<RuleId, String>,
    /// The exceptions that the plan lists.
    pub exceptions: Vec<Bilingual>,
    /// Every rule that the ceremony was judged by.
    pub judged: Vec<Judged>,
    /// Rules that need all of their operations, of which only some were answered.
    pub begun: Vec<Begun>,
    /// The names of the participants.
    pub people: BTreeMap<Name, Bilingual>,
    /// What the script calls each operation.
    pub titles: BTreeMap<String, Bilingual>,
    /// People on whom the plan counted, and who did not come.
    pub absent: BTreeSet<Name>,
    /// Reserves who came.
    pub reserves: BTreeSet<Name>,
    /// The people on record who sign with a key that nobody else has.
    pub own_keys: BTreeSet<Name>,
}

/// On what a person's part in a record rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// This person's card signs the record itself.
    Signed,
    /// A later signature of this person's card covers it.
    Covered,
    /// It is stated only.
    Stated,
}

/// A rule that was not judged, because only some of its operations were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The rule's id.
    pub id: RuleId,
    /// The number of its operations that were answered.
    pub answered: usize,
    /// The number of its operations in the graph.
    pub planned: usize,
}

/// How far the postscript of a ceremony goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postscript {
    /// Every operation that the graph has after the seal was done.
    Complete,
    /// It is finished, but an operation in it was refused and remains undone.
    Refused,
    /// It has begun and is not finished.
    Incomplete,
    /// It has not begun.
    Absent,
}

/// A rule that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The rule's id.
    pub id: RuleId,
    /// The sentence that holds where the rule is kept.
    pub so: Sentence,
    /// The kind of evidence for that sentence.
    pub basis: Basis,
    /// The people who stated it, where the evidence is a statement of people.
    pub by: BTreeSet<Name>,
    /// The outcome of the rule.
    pub standing: Standing,
}

/// The outcome of a rule in a consistent ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was kept.
    Kept,
    /// It was broken, and an exception in the plan permits the findings.
    Excepted(Vec<Finding>),
    /// It was broken; the findings are reported as warnings, not refused.
    Reported(Vec<Finding>),
    /// It refused something, for this reason.
    Refused(String),
}

/// What a rule asked, and what was found instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was asked, and of whom or of what.
    pub asked: Bilingual,
    /// What was found.
    pub found: Bilingual,
}

impl Postscript {
    pub(super) fn of(run: &Run, history: &History) -> Self {
        let of_postscript =
            |op: &String| run.graph().op(op).is_some_and(|op| op.act.phase() == Phase::Postscript);
        let is_refused = history.happened.iter().any(|one| match &one.what {
            What::Refused { op, .. } => of_postscript(op),
            What::Deviation { .. }
            | What::Interrupted { .. }
            | What::Paused { .. }
            | What::WrongPin { .. }
            | What::Mistaken { .. }
            | What::Lost { .. }
            | What::Adopted { .. }
            | What::CardFailed { .. }
            | What::Removed { .. } => false,
        });
        match (run.book(), run.next(), is_refused) {
            (Book::Transcript, _, _) => Self::Absent,
            (Book::Postscript, Next::Nothing, false) => Self::Complete,
            (Book::Postscript, Next::Nothing, true) => Self::Refused,
            (Book::Postscript, _, _) => Self::Incomplete,
        }
    }

    /// Whether there is one.
    #[must_use]
    pub const fn is_begun(self) -> bool {
        match self {
            Self::Complete | Self::Refused | Self::Incomplete => true,
            Self::Absent => false,
        }
    }

    /// Whether the postscript is finished.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Complete | Self::Refused => true,
            Self::Incomplete | Self::Absent => false,
        }
    }
}

impl Account {
    pub(super) fn of(run: &Run, history: &History, postscript: Postscript) -> Self {
        let graph = run.graph();
        let named =
            |(id, person): (&Name, &crate::graph::Person)| (id.clone(), person.name.clone());
        Self {
            ca: graph.ca().clone(),
            sequence: graph.sequence(),
            history: history.clone(),
            clauses: graph.clauses.clone(),
            exceptions: graph.exceptions().to_vec(),
            judged: judged(run, history, postscript),
            begun: begun(run, history, postscript),
            people: graph.people().iter().map(named).collect(),
            titles: graph.ops().iter().map(|op| (op.name.clone(), titled(graph, op))).collect(),
            absent: run.absent().filter(|id| !graph.is_reserve(id)).cloned().collect(),
            reserves: reserves_who_came(run, history),
            own_keys: {
                let people = history.acts.iter().flat_map(|deed| &deed.by);
                people.filter(|person| run.has_own_key(person)).cloned().collect()
            },
        }
    }

    /// On what a person's part in one of [`History::acts`] rests; `None` if there is none.
    #[must_use]
    pub fn mark(&self, act: usize, person: &Name) -> Option<Mark> {
        let deed = self.history.acts.get(act).filter(|deed| deed.by.contains(person))?;
        let later = self.history.acts.iter().skip(act.saturating_add(1));
        let is_covered = |deed: &Deed| deed.signed.contains(person);
        Some(match self.own_keys.contains(person) {
            true if deed.signed.contains(person) => Mark::Signed,
            true if later.into_iter().any(is_covered) => Mark::Covered,
            true | false => Mark::Stated,
        })
    }

    /// The judged rules whose outcome is not [`Standing::Kept`].
    pub fn unkept(&self) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(|judged| judged.standing != Standing::Kept)
    }
}

/// The title that the script gives an operation, in both languages.
fn titled(graph: &Graph, op: &Op) -> Bilingual {
    let [ja, en] = [Language::Ja, Language::En].map(|of| script::step(graph, op, of).title);
    Bilingual { ja, en }
}

/// The reserves of whom those who stand by said that they came, or who were first in themselves.
fn reserves_who_came(run: &Run, history: &History) -> BTreeSet<Name> {
    let answered = run.graph().ops().iter().filter(|op| history.answered.contains_key(&op.name));
    let entered: BTreeSet<&Name> = answered.flat_map(Op::says_who_came).collect();
    let came = run.present().filter(|(id, person)| person.reserve && entered.contains(id));
    came.map(|(id, _)| id.clone()).collect()
}

/// Every rule that this ceremony was judged by.
///
/// A rule that refused something was always judged. Other rules are not judged on operations that
/// were planned but not reached, nor on those of a postscript that is not finished.
fn judged(run: &Run, history: &History, after: Postscript) -> Vec<Judged> {
    let compiled = run.compiled();
    let seen = Seen { run, history, after };
    let refusals = refusals(run, history);
    let found = kept::all().filter_map(|kept| {
        // The CP/CPS of this CA does not have the rule: nothing was judged by it.
        if !compiled.graph.clauses.contains_key(&kept.id) && rules::is_of_cps(kept.id) {
            return None;
        }
        if let Some(reason) = refusals.get(&kept.id) {
            let standing = Standing::Refused((*reason).into());
            let (by, so, basis) = (BTreeSet::new(), kept.so, kept.basis);
            return Some(Judged { id: kept.id, so, basis, by, standing });
        }
        let ops = seen.reason(kept.when)?;
        let by = match kept.basis {
            Basis::Stated(By::People) if matches!(kept.when, When::Noted) => history.noted.clone(),
            Basis::Stated(By::People) => seen.people(&ops),
            Basis::Stated(By::Papers) if run.is_approved() => {
                run.opened().approvals.keys().cloned().collect()
            }
            Basis::Proved
            | Basis::Signed
            | Basis::Stated(By::Papers | By::Token)
            | Basis::Elsewhere(_) => BTreeSet::new(),
        };
        let standing = standing(compiled, kept.id);
        let is_signed = match kept.basis {
            Basis::Stated(By::People) => seen.is_signed_by(&by),
            // Whoever approves the plan signs what the papers say.
            Basis::Stated(By::Papers) => run.is_approved(),
            Basis::Stated(By::Token) | Basis::Proved | Basis::Signed | Basis::Elsewhere(_) => false,
        };
        let basis = if is_signed { Basis::Signed } else { kept.basis };
        Some(Judged { id: kept.id, so: kept.so, basis, by, standing })
    });
    found.collect()
}

/// Every rule that needs all of its operations, of which only some were answered.
///
/// The operations of an unfinished postscript are counted here, although they were not judged.
fn begun(run: &Run, history: &History, after: Postscript) -> Vec<Begun> {
    let seen = Seen { run, history, after };
    let refusals = refusals(run, history);
    let found = kept::all().filter_map(|kept| {
        let When::DidAll(is) = kept.when else { return None };
        let of_rule = || seen.planned(is);
        let answered = of_rule().filter(|op| history.answered.contains_key(&op.name)).count();
        let is_judged = refusals.contains_key(&kept.id) || seen.reason(kept.when).is_some();
        let begun = Begun { id: kept.id, answered, planned: of_rule().count() };
        (answered > 0 && !is_judged).then_some(begun)
    });
    found.collect()
}

/// The reasons of refusals, by rule: those in the records, and the one that stopped the run.
fn refusals<'a>(run: &'a Run, history: &'a History) -> BTreeMap<RuleId, &'a str> {
    let recorded = history.happened.iter().filter_map(|one| match &one.what {
        What::Refused { rule, reason, .. } => Some((rule.rule()?, reason.as_str())),
        What::Interrupted { resumed, .. } => {
            let refusal = resumed.refusal.as_ref().filter(|refusal| refusal.holds())?;
            Some((refusal.rule.rule()?, refusal.reason.as_str()))
        }
        What::Deviation { .. }
        | What::Paused { .. }
        | What::WrongPin { .. }
        | What::Mistaken { .. }
        | What::Lost { .. }
        | What::Adopted { .. }
        | What::CardFailed { .. }
        | What::Removed { .. } => None,
    });
    let stopped = run.stopped().and_then(|stop| Some((stop.rule.rule()?, stop.reason.as_str())));
    recorded.chain(stopped).collect()
}

fn standing(compiled: &Compiled, id: RuleId) -> Standing {
    let of = |list: &[Violation]| -> Vec<Finding> {
        let found = list.iter().filter(|violation| violation.rule == id);
        let said =
            |one: &Violation| Finding { asked: (*one.asked).clone(), found: (*one.found).clone() };
        found.map(said).collect()
    };
    let (excepted, reported) = (of(&compiled.excepted), of(&compiled.warnings));
    if !excepted.is_empty() {
        return Standing::Excepted(excepted);
    }
    if reported.is_empty() { Standing::Kept } else { Standing::Reported(reported) }
}

/// The parts of a sealed folder that decide whether a rule was judged.
struct Seen<'a> {
    run: &'a Run,
    history: &'a History,
    after: Postscript,
}

impl<'a> Seen<'a> {
    /// The operations that make a rule judged, or `None` if it was not judged.
    ///
    /// The list is empty where something other than operations makes it judged.
    fn reason(&self, when: When) -> Option<Vec<&'a Op>> {
        let is_judged = match when {
            When::Always => true,
            When::Planned(has) => has(self.run.compiled()),
            When::Happened(has) => has(self.history),
            When::Noted => !self.history.noted.is_empty(),
            When::Signed(is) => self.forms().iter().any(|form| is(*form)),
            When::Never => false,
            When::Did(is) => {
                let ops = self.reached(is);
                return (!ops.is_empty()).then_some(ops);
            }
            When::DidAll(is) => {
                let planned = self.planned(is).count();
                let ops = self.reached(is);
                return (planned > 0 && ops.len() == planned).then_some(ops);
            }
        };
        is_judged.then(Vec::new)
    }

    /// The operations of this kind, but those about people who did not come.
    fn planned(&self, is: fn(&Act, &Graph) -> bool) -> impl Iterator<Item = &'a Op> {
        let (run, graph) = (self.run, self.run.graph());
        graph.ops().iter().filter(move |op| is(&op.act, graph) && !run.is_of_absent(op))
    }

    fn reached(&self, is: fn(&Act, &Graph) -> bool) -> Vec<&'a Op> {
        let graph = self.run.graph();
        self.answered().filter(|op| is(&op.act, graph)).collect()
    }

    /// The operations that were answered. Those of a postscript count only if it is finished.
    fn answered(&self) -> impl Iterator<Item = &'a Op> {
        let (history, ended) = (self.history, self.after.is_ended());
        self.run.graph().ops().iter().filter(move |op| {
            let counts = ended || op.act.phase() != Phase::Postscript;
            counts && history.answered.contains_key(&op.name)
        })
    }

    /// The forms of the structures that were signed.
    fn forms(&self) -> Vec<Form> {
        let graph = self.run.graph();
        let sheets = self.answered().filter_map(|op| {
            let Act::Token(TokenAct::Sign(sheet)) = &op.act else { return None };
            Some(&sheet.items)
        });
        let form = |item: &Item| match item {
            Item::Crl(_) => Form::Crl,
            Item::Certificate(_) => {
                let profile = graph.item_name(*item).map(|name| graph.profile_of(name));
                match profile {
                    Some(ProfileName::Ds) => Form::Ds,
                    Some(ProfileName::OldWithNew | ProfileName::NewWithOld) => Form::Link,
                    Some(ProfileName::Root) | None => Form::Root,
                }
            }
        };
        sheets.flatten().map(form).collect()
    }

    /// Whether the cards of all these people, which nobody else has, sign whatever is on record as
    /// theirs.
    fn is_signed_by(&self, people: &BTreeSet<Name>) -> bool {
        let proves =
            |person: &Name| !self.history.unsigned.contains(person) && self.run.has_own_key(person);
        !people.is_empty() && people.iter().all(proves)
    }

    /// The people on record for these operations: those who answered them. If only the token
    /// answered, those who had activated it in the session in which it was asked.
    fn people(&self, ops: &[&Op]) -> BTreeSet<Name> {
        let sessions = |op: &&Op| self.history.answered.get(&op.name);
        let of = |sessions: &BTreeMap<usize, BTreeSet<Name>>| -> BTreeSet<Name> {
            sessions.values().flatten().cloned().collect()
        };
        let spoke: BTreeSet<Name> = ops.iter().filter_map(sessions).flat_map(of).collect();
        if !spoke.is_empty() {
            return spoke;
        }
        let Some(activated) = self.answered().find(|op| op.act == Act::People(PeopleAct::Activate))
        else {
            return spoke;
        };
        let Some(activated) = sessions(&activated) else { return spoke };
        let asked = ops.iter().filter_map(sessions).flat_map(BTreeMap::keys);
        let by = asked.filter_map(|session| activated.range(..=session).next_back());
        by.flat_map(|(_, by)| by).cloned().collect()
    }
}
