//! Compiles a plan to its graph and bindings, or reports every reason why it cannot.
//!
//! All checks that need no token come before the first effect: each structure is built with
//! stand-in keys, and every rule is judged on it, before a token is touched.
//!
//! **Invariant:** only [`compile`] makes a [`Graph`]. What the policy requires of every ceremony is
//! added here; a plan cannot leave it out.

mod operations;
mod policy;
mod structures;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::approval::Approvals;
use crate::bindings::Bindings;
use crate::graph::{Demands, Graph, Origin, Person, PlannedKey, PlannedRecovery, SHEET};
use crate::hex::Digest;
use crate::inputs::{Inputs, input_digest};
use crate::key::{Check, Nonce, PublicKey};
use crate::language::Bilingual;
use crate::ledger::{Addresses, State};
use crate::name::Name;
use crate::pace::Pace;
use crate::plan::After;
use crate::policy::{Brought, PacePolicy};
use crate::record::{Mode, Opened, Place};
use crate::register::{Enrolling, enrolling};
use crate::rehearsal::GENERATIONS;
use crate::released::Released;
use crate::roster::Register;
use crate::rule::RuleId;
use crate::rules;
use crate::says;
use crate::token::{Attribute, Holder, KeyTemplate};
use crate::violation::{Input, Violation};
use crate::walk;
use crate::x509::DirectoryName;

/// The format of plan, graph, bindings and transcript.
pub const FORMAT: u32 = 1;

/// A plan that keeps every rule, compiled, with the inputs it came from.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The operations.
    pub graph: Graph,
    /// The values that are known at review.
    pub bindings: Bindings,
    /// The canonical texts of the inputs, by file name.
    pub inputs: BTreeMap<String, String>,
    /// The ledger's state before this ceremony.
    pub before: Arc<State>,
    /// The state that the ceremony starts from: the same, or, if the plan has a recovery, the state
    /// after it.
    pub state: Arc<State>,
    /// The proofs of possession of the keys that requests bring. Nothing is issued before they are
    /// verified.
    pub checks: Vec<Check>,
    /// Violations that an exception of the plan covers.
    pub excepted: Vec<Violation>,
    /// Findings that the rules report without refusing the plan.
    pub warnings: Vec<Violation>,
    /// The people of the roster, whom the next ceremony finds in the register.
    pub register: Arc<Register>,
    /// The r of each signature by which its roster enrols people.
    pub enrolled: BTreeSet<Nonce>,
    /// The approvals that it needs before the day.
    pub approvals: Approvals,
    /// The organisations that decide.
    pub deciding: Vec<Name>,
    /// What the program that holds it must be.
    pub released: Released,
    /// How long the policy reckons that its acts take.
    pub pace: PacePolicy,
}

/// Returns every input's digest, by file name.
fn input_digests(texts: &BTreeMap<String, String>) -> BTreeMap<String, Digest> {
    texts.iter().map(|(name, text)| (name.clone(), input_digest(text))).collect()
}

/// Compiles a plan against the state that the earlier ceremonies left, for a ceremony of this mode.
///
/// # Errors
///
/// Every violation of a rule that no exception covers.
pub fn compile(
    inputs: &Inputs,
    before: &Arc<State>,
    mode: Mode,
) -> Result<Compiled, Vec<Violation>> {
    let recovered = rules::recovered(&inputs.plan, before).map(Arc::new);
    let state = recovered.as_ref().unwrap_or(before);
    let builder = Builder { inputs, state, mode };
    let said = rules::before_graph(inputs, before, state);
    let rules::Said { excepted, warnings, mut violations } = said;
    if !violations.is_empty() {
        violations.extend(builder.beside(&violations));
        return Err(violations);
    }
    let graph = builder.graph()?;
    let stand_ins = stand_ins(&graph);
    let mut violations: Vec<Violation> = rules::time_for(inputs, &graph).into_iter().collect();
    violations.extend(rules::structures(inputs, state, &graph, &stand_ins));
    violations.extend(walk::judge(inputs, state, &graph));
    if !violations.is_empty() {
        return Err(violations);
    }
    let predecessor = state.last.as_ref().map(|last| &last.predecessor);
    let known = graph.known_keys();
    let digests = input_digests(inputs.texts());
    let bound = Bindings::of(&graph, &digests, predecessor, &known, &stand_ins);
    let bindings = bound.map_err(|error| {
        vec![Violation::whole(
            Input::Plan,
            RuleId::S_STRUCTURE,
            says!("符号化できる署名の対象", "structures that can be encoded"),
            error.said(),
            Bilingual::default(),
        )]
    })?;
    Ok(Compiled {
        graph,
        bindings,
        inputs: inputs.texts().clone(),
        before: Arc::clone(before),
        state: Arc::clone(state),
        excepted,
        warnings,
        register: Arc::new(inputs.roster.register()),
        enrolled: enrolling(inputs, before).iter().flat_map(Enrolling::nonces).collect(),
        approvals: Approvals::of(inputs, before),
        deciding: inputs.cps.deciding().cloned().collect(),
        released: Released::of(inputs, before),
        pace: inputs.policy.pace.clone(),
        checks: inputs.requests.values().flatten().map(|r| r.possession.clone()).collect(),
    })
}

/// Returns a valid public key for every key, so that structures can be built before the keys exist.
fn stand_ins(graph: &Graph) -> BTreeMap<Name, PublicKey> {
    let key = |k: &PlannedKey| Some((k.name.clone(), k.rehearsal(graph, 0).public()?));
    let mut keys: BTreeMap<Name, PublicKey> = graph.keys.iter().filter_map(key).collect();
    keys.extend(graph.known_keys());
    keys
}

impl Compiled {
    /// How long its operations take, as the policy reckons.
    #[must_use]
    pub const fn pace(&self) -> Pace<'_> {
        Pace::new(&self.pace, &self.graph)
    }

    /// Returns the keys that a token holds before this ceremony, with the attributes they were
    /// generated or copied with.
    #[must_use]
    pub fn held(&self, holder: &Holder) -> Vec<KeyTemplate> {
        let graph = &self.graph;
        let before = graph.keys.iter().filter(|key| key.origin == Origin::Before);
        match holder {
            Holder::Root => before.map(|key| key.template(graph, 0)).collect(),
            Holder::Spare(name) => {
                let copies = graph.spares.get(name);
                let here = |key: &&PlannedKey| copies.is_some_and(|c| c.contains(&key.name));
                before.filter(here).map(|key| key.template(graph, 0).copied()).collect()
            }
        }
    }

    /// Makes the first record of a ceremony on this plan.
    #[must_use]
    pub fn opened(&self, room: Place) -> Opened {
        Opened {
            format: FORMAT,
            mode: self.graph.mode,
            ceremony: self.graph.ceremony.clone(),
            graph: self.graph.id(),
            bindings: self.bindings.id(),
            inputs: input_digests(&self.inputs),
            predecessor: self.state.last.as_ref().map(|last| last.predecessor.clone()),
            approvals: BTreeMap::new(),
            room,
        }
    }
}

/// Builds a graph from inputs that keep every rule.
struct Builder<'a> {
    inputs: &'a Inputs,
    state: &'a State,
    mode: Mode,
}

impl Builder<'_> {
    fn graph(&self) -> Result<Graph, Vec<Violation>> {
        let mut graph = self.heading()?;
        self.certificates(&mut graph)?;
        self.crls(&mut graph).map_err(|violation| vec![violation])?;
        self.operations(&mut graph);
        Ok(graph.close())
    }

    /// Finds violations in names and certificates in addition to those that `refused` the plan, so
    /// that the author sees them in one run.
    ///
    /// It repeats no rule that was already refused. CRLs are left out, because their days depend on
    /// the plan's own entries. So are plans with more keys or certificates than people write by
    /// hand.
    fn beside(&self, refused: &[Violation]) -> Vec<Violation> {
        let plan = &self.inputs.plan;
        let by_hand = plan.key.len() <= usize::from(GENERATIONS) && plan.certificate.len() <= SHEET;
        let mut found = match self.heading() {
            Err(faults) => faults,
            Ok(_) if !by_hand => Vec::new(),
            Ok(mut graph) => match self.certificates(&mut graph) {
                Err(faults) => faults,
                Ok(()) => rules::structures(self.inputs, self.state, &graph, &stand_ins(&graph)),
            },
        };
        let said =
            |rule: RuleId| rule == RuleId::S_STRUCTURE || refused.iter().any(|v| v.rule == rule);
        found.retain(|violation| !said(violation.rule));
        found
    }

    /// Makes the graph without its structures and operations.
    fn heading(&self) -> Result<Graph, Vec<Violation>> {
        let Inputs { plan, policy, .. } = self.inputs;
        let window = plan.window.get_ref();
        let offset = *policy.ca.offset.get_ref();
        Ok(Graph {
            ca: policy.ca.id.get_ref().clone(),
            ca_name: self.names()?,
            addresses: Addresses {
                issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
                crl_urls: {
                    let urls = policy.root.crl_urls.get_ref().iter();
                    urls.map(|url| url.get_ref().clone()).collect()
                },
            },
            ceremony: plan.ceremony.get_ref().clone(),
            after: match plan.after.get_ref() {
                After::Nothing => None,
                After::Ceremony(name) => Some(name.clone()),
            },
            sequence: *plan.sequence.get_ref(),
            window: (window.from.get_ref().at(offset), window.until.get_ref().at(offset)),
            seed: plan.serials.get_ref().0,
            mode: self.mode,
            languages: policy.ca.languages.iter().map(|l| *l.get_ref()).collect(),
            exceptions: rules::exceptions(plan),
            clauses: self.inputs.cps.clauses(),
            demands: self.demands(),
            people: self.people(),
            roles: self.roles(),
            organizations: self.organizations(),
            keys: self.keys(),
            known: self.known(),
            certificates: Vec::new(),
            profiles: BTreeMap::new(),
            crls: Vec::new(),
            next_ceremony: plan.crls.as_ref().map(|crls| *crls.get_ref().next_ceremony.get_ref()),
            applications: self.applications(),
            revocations: self.revocations(),
            compromised: self.compromised(),
            reasons: self.reasons(),
            orders: plan.orders.iter().map(|order| *order.get_ref()).collect(),
            spares: self.spares(),
            recovery: plan.recovery.as_ref().map(|recovery| PlannedRecovery {
                token: recovery.token.get_ref().clone(),
                lost: recovery.lost.get_ref().clone(),
            }),
            lost: plan
                .lost
                .iter()
                .map(|(key, loss)| (key.get_ref().clone(), loss.reason.get_ref().clone()))
                .collect(),
            renewals: self.renewals(),
            abandoned: plan.abandoned.as_ref().map(|digest| *digest.get_ref()),
            released: plan.release.iter().map(|name| name.get_ref().clone()).collect(),
            certified: BTreeSet::new(),
            ops: Vec::new(),
            whole: None,
        })
    }

    /// The CA's Name, if that and what the policy says of Document Signers can be carried out.
    fn names(&self) -> Result<DirectoryName, Vec<Violation>> {
        let policy = &self.inputs.policy;
        let ca = policy::ca_name(policy);
        let of_ds = policy::document_signers(policy, ca.as_ref().ok());
        match ca {
            Ok(ca) if of_ds.is_empty() => Ok(ca),
            Ok(_) => Err(of_ds),
            Err(mut faults) => {
                faults.extend(of_ds);
                Err(faults)
            }
        }
    }

    fn demands(&self) -> Demands {
        let policy = &self.inputs.policy;
        let token = &policy.token;
        let named = |list: &[toml::Spanned<Attribute>]| list.iter().map(|a| *a.get_ref()).collect();
        let brought = |b: &Brought| (b.class.get_ref().clone(), b.label.get_ref().clone());
        Demands {
            max_clock_offset: *policy.clock.max_offset_seconds.get_ref(),
            mechanisms: policy.token.mechanisms.iter().map(|m| m.get_ref().clone()).collect(),
            production_serials: policy
                .token
                .production_serials
                .iter()
                .map(|s| s.get_ref().clone())
                .collect(),
            head_on: *policy.ledger_head.on.get_ref(),
            sheets_per_head: *policy.journal.sheets_per_head.get_ref(),
            leave_out: named(&token.leave_out),
            not_told: named(&token.not_told),
            may_hold: token.may_hold.iter().map(brought).collect(),
        }
    }

    fn people(&self) -> BTreeMap<Name, Person> {
        let Inputs { plan, roster, .. } = self.inputs;
        let ids = plan.may_come().map(toml::Spanned::get_ref);
        let known = ids.filter_map(|id| Some((id, roster.person.get(id.as_str())?)));
        known
            .map(|(id, person)| {
                let reserve = plan.reserves.iter().any(|reserve| reserve.get_ref() == id);
                let roles = person.roles.iter().map(|r| r.get_ref().clone()).collect();
                let name = person.said();
                let organization = person.organization.get_ref().clone();
                let key = person.credential.public_key.get_ref().clone();
                (id.clone(), Person { name, organization, roles, key, reserve })
            })
            .collect()
    }

    fn roles(&self) -> BTreeMap<Name, Bilingual> {
        let role = |(id, role): (&Name, &crate::policy::Role)| (id.clone(), role.name.said());
        self.inputs.policy.role.iter().map(role).collect()
    }

    fn organizations(&self) -> BTreeMap<Name, Bilingual> {
        let organization =
            |(id, o): (&Name, &crate::policy::Organization)| (id.clone(), o.name.said());
        self.inputs.policy.organization.iter().map(organization).collect()
    }
}
