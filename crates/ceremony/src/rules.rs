//! Every rule that gishiki holds, by its id: the same in code, messages, documents and refused test
//! cases.
//!
//! `R-…` are the CP/CPS's, `I-…` are of ISO/IEC 18013-5 Annex B, `P-…` of RFC 5280, `S-…` are
//! gishiki's own safety. A rule of a plan is a function here; a rule of the run or of a file is
//! judged where it is met, and listed here.
//!
//! **Invariant:** no rule can be switched off. An exception is a line of the plan, and never
//! possible for a `must`.

mod certificates;
mod crls;
mod decisions;
mod ds;
mod keys;
mod people;
mod plan;
mod policy;
mod table;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use crate::compile::Inputs;
use crate::graph::{Graph, Item};
use crate::key::PublicKey;
use crate::ledger::State;
use crate::name::Name;
use crate::path;
use crate::plan::{Plan, ProfileName};
use crate::policy::ReasonCodes;
use crate::time::Instant;
use crate::violation::{Input, Violation};
use crate::x509::{ToBeSignedCertificate, judge, subject_public_key_info};

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id.
    pub id: &'static str,
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
}

/// What a plan's rules write their violations into.
#[derive(Debug)]
pub struct Report<'a> {
    inputs: &'a Inputs,
    state: &'a State,
    rule: &'static str,
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

/// Whether there is a rule with this id.
#[must_use]
pub fn is_known(id: &str) -> bool {
    find(id).is_some()
}

/// The rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<Rule> {
    all().find(|rule| rule.id == id)
}

/// Every rule: those of plan, run, files, those that structures are judged by, and those of whoever
/// relies on a certificate.
pub fn all() -> impl Iterator<Item = Rule> {
    type Row = (&'static str, &'static str, &'static str);
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
pub(crate) fn before_graph(inputs: &Inputs, state: &State) -> Said {
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
            | Stage::Edge => continue,
        };
        let mut report = Report { inputs, state, rule: rule.id, violations: Vec::new() };
        judge(&mut report);
        to.append(&mut report.violations);
    }
    said
}

/// Which rows of the table a plan breaks, by their place in [`all`]: so a corpus can show that each
/// function of a rule refuses something.
#[must_use]
pub fn broken(inputs: &Inputs, state: &State) -> BTreeSet<usize> {
    let judged = |(place, rule): (usize, &Rule)| {
        let (Stage::Plan(judge) | Stage::Warn(judge)) = rule.stage else { return None };
        let mut report = Report { inputs, state, rule: rule.id, violations: Vec::new() };
        judge(&mut report);
        (!report.violations.is_empty()).then_some(place)
    };
    table::all().enumerate().filter_map(judged).collect()
}

/// Of two functions of one rule, one may allow an exception where the other does not: the policy's
/// own number is never excepted.
fn is_excepted(plan: &Plan, rule: &Rule) -> bool {
    !rule.must && plan.exception.iter().any(|exception| exception.rule.get_ref() == rule.id)
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

/// Judges every structure of the graph, built with stand-ins, decoded again.
pub(crate) fn structures(
    inputs: &Inputs,
    state: &State,
    graph: &Graph,
    stand_ins: &BTreeMap<Name, PublicKey>,
) -> Vec<Violation> {
    let items = (0..graph.certificates.len())
        .map(Item::Certificate)
        .chain((0..graph.crls.len()).map(Item::Crl));
    let mut violations = Vec::new();
    for item in items {
        let name = graph.item_name(item).map(ToString::to_string).unwrap_or_default();
        let place = place_of(inputs, &name);
        let faults = match graph.to_be_signed(item, 0, stand_ins) {
            Ok(tbs) => faults(inputs, state, graph, item, &tbs, stand_ins),
            Err(error) => {
                let asked = "a structure that can be encoded".to_string();
                [judge::Fault { rule: "S-STRUCTURE", asked, found: error.to_string() }].into()
            }
        };
        for fault in faults {
            violations.push(Violation::at(
                Input::Plan,
                place.clone(),
                fault.rule,
                &format!("{name}: {}", fault.asked),
                &fault.found,
                "this comes from the policy or the plan's dates",
            ));
        }
    }
    violations
}

fn faults(
    inputs: &Inputs,
    state: &State,
    graph: &Graph,
    item: Item,
    tbs: &[u8],
    keys: &BTreeMap<Name, PublicKey>,
) -> Vec<judge::Fault> {
    let policy = &inputs.policy;
    match item {
        Item::Certificate(index) => {
            let Some(certificate) = graph.certificates.get(index) else { return Vec::new() };
            match graph.profile_of(&certificate.name) {
                ProfileName::Root => {}
                ProfileName::OldWithNew | ProfileName::NewWithOld => {
                    return link_faults(inputs, state, graph, certificate, tbs, keys);
                }
                ProfileName::Ds => return ds_faults(inputs, state, graph, certificate, tbs, keys),
            }
            let key = certificate.subject_key.as_str();
            let expected = judge::ExpectedRoot {
                ca: graph.ca_name.to_der(),
                country: policy.ca.country.get_ref().clone(),
                curve: *policy.root.curve.get_ref(),
                not_before: graph.window.0.day().start(),
                months: ROOT_MONTHS,
                issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
                crl_url: policy.root.crl_url.get_ref().replace("{key}", key),
            };
            judge::root(tbs, &expected)
        }
        Item::Crl(index) => {
            let Some(planned) = graph.crls.get(index) else { return Vec::new() };
            let key = keys.get(&planned.crl.issuer_key);
            let reasons = match policy.crl.reason_codes.get_ref() {
                ReasonCodes::Include => judge::EntryReasons::Include,
                ReasonCodes::Omit => judge::EntryReasons::Omit,
            };
            let expected = judge::ExpectedCrl {
                ca: graph.ca_name.to_der(),
                curve: *policy.root.curve.get_ref(),
                key_identifier: key.map(PublicKey::key_identifier).unwrap_or_default(),
                this_update: planned.crl.this_update,
                validity_days: *policy.crl.validity_days.get_ref(),
                number: graph.crl_number(planned.slot, 0),
                reasons,
                revoked: planned.crl.revoked.iter().map(|entry| entry.serial).collect(),
            };
            judge::crl(tbs, &expected)
        }
    }
}

/// The root of a key: of the ledger, or of this plan.
fn root_dates(state: &State, graph: &Graph, key: &Name) -> Option<(Instant, Instant)> {
    let here = graph.certificates.iter().find(|certificate| {
        certificate.subject_key == *key && graph.profile_of(&certificate.name) == ProfileName::Root
    });
    let known = state.root_of(key.as_str()).map(|root| (root.not_before, root.not_after));
    known.or_else(|| here.map(|root| (root.not_before, root.not_after)))
}

/// R-LINK: from the certified key's day to the old root's end; the old one is the lower generation.
fn link_faults(
    inputs: &Inputs,
    state: &State,
    graph: &Graph,
    certificate: &ToBeSignedCertificate,
    tbs: &[u8],
    keys: &BTreeMap<Name, PublicKey>,
) -> Vec<judge::Fault> {
    let policy = &inputs.policy;
    let (key, issuer) = (&certificate.subject_key, &certificate.issuer_key);
    let generation = |name: &Name| graph.key(name).map(|key| key.generation);
    let old = if generation(key) < generation(issuer) { key } else { issuer };
    let dates = root_dates(state, graph, key).zip(root_dates(state, graph, old));
    let Some(((not_before, _), (_, not_after))) = dates else { return Vec::new() };
    let identifier =
        |name: &Name| keys.get(name).map(PublicKey::key_identifier).unwrap_or_default();
    let expected = judge::ExpectedLink {
        ca: graph.ca_name.to_der(),
        country: policy.ca.country.get_ref().clone(),
        curve: *policy.root.curve.get_ref(),
        subject_key: identifier(key),
        issuer_key: identifier(issuer),
        not_before,
        not_after,
        issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
        crl_url: policy.root.crl_url.get_ref().replace("{key}", issuer.as_str()),
    };
    judge::link(tbs, &expected)
}

/// R-DS: what plan and policy say, the key of the request, never beyond the root.
fn ds_faults(
    inputs: &Inputs,
    state: &State,
    graph: &Graph,
    certificate: &ToBeSignedCertificate,
    tbs: &[u8],
    keys: &BTreeMap<Name, PublicKey>,
) -> Vec<judge::Fault> {
    let policy = &inputs.policy;
    let (name, issuer) = (&certificate.name, &certificate.issuer_key);
    let planned = inputs.plan.certificate.iter().find(|(found, _)| found.get_ref() == name);
    let not_before = planned.and_then(|(_, planned)| planned.not_before.as_ref());
    let request = inputs.requests.get(name).and_then(|request| request.as_ref().ok());
    let (Some(not_before), Some(request), Some((_, root_ends))) =
        (not_before, request, root_dates(state, graph, issuer))
    else {
        return Vec::new();
    };
    let expected = judge::ExpectedDs {
        ca: graph.ca_name.to_der(),
        country: policy.ca.country.get_ref().clone(),
        subject: certificate.subject.to_der(),
        public_key: subject_public_key_info(&request.public),
        issuer_curve: *policy.root.curve.get_ref(),
        issuer_key: keys.get(issuer).map(PublicKey::key_identifier).unwrap_or_default(),
        not_before: *not_before.get_ref(),
        max_days: *policy.ds.max_days.get_ref(),
        root_ends,
        purpose: policy.ds.extended_key_usage.get_ref().clone(),
        issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
        crl_url: policy.root.crl_url.get_ref().replace("{key}", issuer.as_str()),
    };
    judge::ds(tbs, &expected)
}

/// 5 years and 4 months (6.3.2, 7.1.2.1), said again so that the structure is not judged by the
/// policy's own word.
const ROOT_MONTHS: u16 = 64;

/// Where in the plan a structure comes from.
fn place_of(inputs: &Inputs, name: &str) -> Range<usize> {
    let certificate = inputs.plan.certificate.iter().find(|(n, _)| n.get_ref().as_str() == name);
    certificate.map_or_else(
        || inputs.plan.crls.as_ref().map(toml::Spanned::span).unwrap_or_default(),
        |(_, certificate)| certificate.profile.span(),
    )
}
