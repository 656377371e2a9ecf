//! Every rule that gishiki judges, by its id, which is the same in code, messages, documents and
//! refused test cases.
//!
//! `R-…` are rules of the CP/CPS, `I-…` of ISO/IEC 18013-5 Annex B, `P-…` of RFC 5280, and `S-…` of
//! gishiki's own safety. The rules on a plan are functions here. The rules on a run or a file are
//! only listed here; they are judged where the run or the file is handled.
//!
//! **Invariant:** no rule can be switched off. A rule of the CP/CPS on plans (`R-…`) is in force if
//! the CA's `cps.toml` has it, and must be named there if not. An exception is a line of the plan,
//! and is impossible for a `must`.

mod acts;
mod ahead;
mod approval;
mod certificates;
mod crls;
mod decisions;
mod demands;
mod ds;
mod keys;
mod orders;
mod pace;
mod people;
mod plan;
mod policy;
mod recovery;
mod register;
mod structures;
mod table;
mod training;
mod weaker;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::Range;

pub(crate) use pace::time_for;
pub(crate) use structures::structures;

use crate::inputs::Inputs;
use crate::language::{Bilingual, Sentence};
use crate::ledger::State;
use crate::path;
use crate::plan::Plan;
use crate::rule::RuleId;
use crate::says;
use crate::time::{Instant, Offset};
use crate::violation::{Input, Violation};
use crate::x509::judge;

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// The section or clause that it comes from.
    pub clause: &'static str,
    /// When it is judged.
    pub stage: Stage,
    /// Whether an exception is impossible.
    pub must: bool,
    /// What it refuses; for a rule on structures, what it asks.
    pub sentence: Sentence,
}

impl Stage {
    /// Returns the stage's name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Plan(_) => "plan",
            Self::Demand => "demand",
            Self::Warn(_) => "report",
            Self::Structure => "structure",
            Self::Run => "run",
            Self::Verify => "verify",
            Self::Path => "path",
            Self::Edge => "edge",
            Self::Live => "live",
            Self::Image => "image",
        }
    }
}

/// When a rule is judged.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// When a file is read.
    Form,
    /// When a plan is compiled.
    Plan(fn(&mut Report<'_>)),
    /// When a plan is compiled, as a demand of the CP/CPS on the policy.
    Demand,
    /// When a plan is compiled; a violation is reported, but does not refuse the plan.
    Warn(fn(&mut Report<'_>)),
    /// On every structure to be signed, encoded with stand-in keys.
    Structure,
    /// When something happens, live and in replay.
    Run,
    /// When a sealed folder is judged.
    Verify,
    /// When somebody asks whether a certificate may be relied on (path validation).
    Path,
    /// At the interfaces: files, media, tokens, terminals.
    Edge,
    /// On the live image, before anything is asked of the token.
    Live,
    /// When an image is built, judged or written.
    Image,
}

/// The inputs of a rule on the plan, and the violations that it finds.
#[derive(Debug)]
pub struct Report<'a> {
    inputs: &'a Inputs,
    /// The state on which the plan is compiled.
    state: &'a State,
    /// The state before a recovery of this plan.
    before: &'a State,
    rule: RuleId,
    violations: Vec<Violation>,
}

impl Report<'_> {
    /// Returns the time for which rules are judged: the beginning of the plan's window.
    fn at(&self) -> Instant {
        self.inputs.plan.window.get_ref().from.get_ref().at(self.offset())
    }

    /// Returns the offset of the CA's days.
    fn offset(&self) -> Offset {
        *self.inputs.policy.ca.offset.get_ref()
    }

    fn refuse(
        &mut self,
        input: Input,
        span: Range<usize>,
        asked: impl Into<Bilingual>,
        found: impl Into<Bilingual>,
        advice: impl Into<Bilingual>,
    ) {
        let violation = Violation::at(input, span, self.rule, asked, found, advice);
        let requirement = self.inputs.cps.requirement(self.rule);
        self.violations.push(match requirement {
            Some(requirement) => violation.under(&requirement.clause),
            None => violation,
        });
    }
}

/// Finds the rule with this id.
#[must_use]
pub fn find(id: RuleId) -> Option<Rule> {
    all().find(|rule| rule.id == id)
}

/// Returns every rule: on plan, run and files, on structures, and on relying on a certificate.
pub fn all() -> impl Iterator<Item = Rule> {
    type Row = (RuleId, &'static str, Sentence);
    let at = |stage: Stage| {
        move |&(id, clause, sentence): &Row| Rule { id, clause, stage, must: true, sentence }
    };
    let structures = judge::RULES.iter().map(at(Stage::Structure));
    table::all().copied().chain(structures).chain(path::RULES.iter().map(at(Stage::Path)))
}

/// Returns the rules of behaviour that a CP/CPS may do without: those on plans that are neither of
/// a standard nor of gishiki's own safety.
pub(crate) fn behaviour() -> impl Iterator<Item = RuleId> {
    let judged = |rule: &&Rule| matches!(rule.stage, Stage::Plan(_) | Stage::Warn(_));
    let of_cps = |rule: &&Rule| rule.id.as_str().starts_with("R-");
    let ids: BTreeSet<RuleId> = table::all().filter(judged).filter(of_cps).map(|r| r.id).collect();
    ids.into_iter()
}

/// Whether a rule is judged only if a CP/CPS has it: it is one of behaviour or a demand, and judged
/// nowhere else.
pub(crate) fn is_of_cps(id: RuleId) -> bool {
    let mut stages = all().filter(|rule| rule.id == id).map(|rule| rule.stage);
    id.as_str().starts_with("R-")
        && stages.all(|stage| matches!(stage, Stage::Plan(_) | Stage::Warn(_) | Stage::Demand))
}

/// The findings of the rules on a plan.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Violations that an exception covers.
    pub(crate) excepted: Vec<Violation>,
    /// Violations that are only reported.
    pub(crate) warnings: Vec<Violation>,
    /// Violations that refuse the plan.
    pub(crate) violations: Vec<Violation>,
}

/// Judges every rule on the plan, before the graph is made.
pub(crate) fn before_graph(inputs: &Inputs, before: &State, state: &State) -> Said {
    let mut said = Said { violations: demands::judge(inputs), ..Said::default() };
    for rule in table::all().filter(|rule| is_in_force(inputs, rule)) {
        let (judge, to) = match rule.stage {
            Stage::Plan(judge) if is_excepted(&inputs.plan, rule) => (judge, &mut said.excepted),
            Stage::Plan(judge) => (judge, &mut said.violations),
            Stage::Warn(judge) => (judge, &mut said.warnings),
            Stage::Form
            | Stage::Demand
            | Stage::Structure
            | Stage::Run
            | Stage::Verify
            | Stage::Path
            | Stage::Edge
            | Stage::Live
            | Stage::Image => continue,
        };
        let mut report = Report { inputs, state, before, rule: rule.id, violations: Vec::new() };
        judge(&mut report);
        to.append(&mut report.violations);
    }
    said
}

/// Returns the state after the loss that the plan declares: a token with copies is the root token,
/// or there is none yet; `None` if the plan declares no loss.
pub(crate) fn recovered(plan: &Plan, before: &State) -> Option<State> {
    let at = *plan.window.get_ref().from.get_ref();
    match &plan.recovery {
        Some(recovery) => before.recovered(recovery.token.get_ref(), at),
        None => (!plan.lost.is_empty()).then(|| before.without_token(at)),
    }
}

/// Returns which rows of the table a plan breaks, by their index in [`all`].
///
/// A corpus of tests shows with this that each function of a rule refuses something.
#[must_use]
pub fn broken(inputs: &Inputs, before: &State) -> BTreeSet<usize> {
    let recovered = recovered(&inputs.plan, before);
    let state = recovered.as_ref().unwrap_or(before);
    let judged = |(place, rule): (usize, &Rule)| {
        let (Stage::Plan(judge) | Stage::Warn(judge)) = rule.stage else { return None };
        let mut report = Report { inputs, state, before, rule: rule.id, violations: Vec::new() };
        judge(&mut report);
        (!report.violations.is_empty()).then_some(place)
    };
    table::all().enumerate().filter_map(judged).collect()
}

/// Whether a rule is judged: always, if it is of a standard or of gishiki's own safety; a rule of
/// the CP/CPS, if this one has it.
fn is_in_force(inputs: &Inputs, rule: &Rule) -> bool {
    !rule.id.as_str().starts_with("R-") || inputs.cps.requirement(rule.id).is_some()
}

/// Whether an exception of the plan covers a violation of this rule.
///
/// Of two functions of one rule, one may allow an exception and the other not: an exception never
/// covers the policy's own number.
fn is_excepted(plan: &Plan, rule: &Rule) -> bool {
    !rule.must
        && plan
            .exception
            .iter()
            .any(|exception| RuleId::of(exception.rule.get_ref()) == Some(rule.id))
}

/// Returns the exceptions of a plan, as graph and script show them.
pub(crate) fn exceptions(plan: &Plan) -> Vec<Bilingual> {
    let line = |exception: &crate::plan::Exception| {
        let by: Vec<&str> = exception.approved_by.iter().map(|p| p.get_ref().as_str()).collect();
        let (rule, until) = (exception.rule.get_ref(), exception.until.get_ref());
        let (by, reason) = (by.join(" "), exception.reason.get_ref());
        says!(
            "{rule} {until} まで、承認者 {by}: {reason}",
            "{rule} until {until}, approved by {by}: {reason}"
        )
    };
    plan.exception.iter().map(line).collect()
}
