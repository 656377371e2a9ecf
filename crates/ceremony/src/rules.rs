//! Every rule that gishiki holds, by its id: the same in code, messages, documents and refused test
//! cases.
//!
//! `R-…` are the CP/CPS's, `I-…` are of ISO/IEC 18013-5 Annex B, `P-…` of RFC 5280, `S-…` are
//! gishiki's own safety. A rule of a plan is a function here; a rule of the run or of a file is
//! judged where it is met, and listed here.
//!
//! **Invariant:** no rule can be switched off. An exception is a line of the plan, and never
//! possible for a `must`.

mod acts;
mod certificates;
mod crls;
mod decisions;
mod ds;
mod keys;
mod orders;
mod people;
mod plan;
mod policy;
mod recovery;
mod structures;
mod table;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

pub(crate) use structures::structures;

use crate::inputs::Inputs;
use crate::ledger::State;
use crate::path;
use crate::plan::Plan;
use crate::rule::RuleId;
use crate::time::Instant;
use crate::violation::{Input, Violation};
use crate::x509::judge;

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// The section or clause behind it.
    pub clause: &'static str,
    /// When it is judged.
    pub stage: Stage,
    /// Whether an exception is impossible.
    pub must: bool,
    /// What it refuses; of a structure, what it asks.
    pub sentence: &'static str,
}

impl Stage {
    /// The stage's name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Plan(_) => "plan",
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
    /// When a plan is compiled: reported, not refused.
    Warn(fn(&mut Report<'_>)),
    /// On every structure that is to be signed, built with stand-ins.
    Structure,
    /// When something happens, live and in replay.
    Run,
    /// When a sealed folder is judged.
    Verify,
    /// When somebody asks whether a certificate may be relied on.
    Path,
    /// At the edge: files, media, tokens, terminals.
    Edge,
    /// On the live image, before anything is asked of the token.
    Live,
    /// When an image is built, judged or written.
    Image,
}

/// What a plan's rules write their violations into.
#[derive(Debug)]
pub struct Report<'a> {
    inputs: &'a Inputs,
    /// What the plan is compiled on.
    state: &'a State,
    /// The same before a recovery of this plan.
    before: &'a State,
    rule: RuleId,
    violations: Vec<Violation>,
}

impl Report<'_> {
    /// The date at which rules are judged: the beginning of the plan's window.
    fn at(&self) -> Instant {
        *self.inputs.plan.window.get_ref().from.get_ref()
    }

    fn refuse(
        &mut self,
        input: Input,
        span: Range<usize>,
        asked: impl Into<String>,
        found: impl Into<String>,
        advice: &str,
    ) {
        let violation = Violation::at(input, span, self.rule, &asked.into(), &found.into(), advice);
        self.violations.push(violation);
    }
}

/// The rule with this id.
#[must_use]
pub fn find(id: RuleId) -> Option<Rule> {
    all().find(|rule| rule.id == id)
}

/// Every rule: those of plan, run, files, those that structures are judged by, and those of whoever
/// relies on a certificate.
pub fn all() -> impl Iterator<Item = Rule> {
    type Row = (RuleId, &'static str, &'static str);
    let at = |stage: Stage| {
        move |&(id, clause, sentence): &Row| Rule { id, clause, stage, must: true, sentence }
    };
    let structures = judge::RULES.iter().map(at(Stage::Structure));
    table::all().copied().chain(structures).chain(path::RULES.iter().map(at(Stage::Path)))
}

/// What the rules of a plan say.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// What exceptions cover.
    pub(crate) excepted: Vec<Violation>,
    /// What is reported and not refused.
    pub(crate) warnings: Vec<Violation>,
    /// What is refused.
    pub(crate) violations: Vec<Violation>,
}

/// Judges every rule of the plan.
pub(crate) fn before_graph(inputs: &Inputs, before: &State, state: &State) -> Said {
    let mut said = Said::default();
    for rule in table::all() {
        let (judge, to) = match rule.stage {
            Stage::Plan(judge) if is_excepted(&inputs.plan, rule) => (judge, &mut said.excepted),
            Stage::Plan(judge) => (judge, &mut said.violations),
            Stage::Warn(judge) => (judge, &mut said.warnings),
            Stage::Form
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

/// What a plan is compiled on, where it takes a token with copies as the root token.
pub(crate) fn recovered(plan: &Plan, before: &State) -> Option<State> {
    let token = plan.recovery.as_ref()?.token.get_ref();
    before.recovered(token, *plan.window.get_ref().from.get_ref())
}

/// Which rows of the table a plan breaks, by their place in [`all`]: so a corpus can show that each
/// function of a rule refuses something.
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

/// Of two functions of one rule, one may allow an exception where the other does not: the policy's
/// own number is never excepted.
fn is_excepted(plan: &Plan, rule: &Rule) -> bool {
    !rule.must
        && plan
            .exception
            .iter()
            .any(|exception| RuleId::of(exception.rule.get_ref()) == Some(rule.id))
}

/// The exceptions of a plan, as graph and script show them.
pub(crate) fn exceptions(plan: &Plan) -> Vec<String> {
    let line = |exception: &crate::plan::Exception| {
        let by: Vec<&str> = exception.approved_by.iter().map(|p| p.get_ref().as_str()).collect();
        format!(
            "{} until {}, approved by {}: {}",
            exception.rule.get_ref(),
            exception.until.get_ref(),
            by.join(" "),
            exception.reason.get_ref()
        )
    };
    plan.exception.iter().map(line).collect()
}
