//! Approvals of a plan before the day (docs/decisions/0111).
//!
//! Whoever stands in plan and policy as applying, examining, judging or approving signs the two ids
//! of the plan, which cover all that stands under their name. This file says who that is.

mod keyless;

pub use keyless::Keyless;
pub(crate) use keyless::{Statement, ToApprove};

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::{Digest, Octets, encode};
use crate::inputs::Inputs;
use crate::language::Bilingual;
use crate::ledger::State;
use crate::name::Name;
use crate::plan::{Application, Plan};
use crate::policy::Policy;
use crate::record::Approved;
use crate::register::each_once;
use crate::says;
use crate::text;
use crate::time::{CalendarSpan, Instant};
use crate::violation::{Input, Violation};

/// An approval that a plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The people of whom one gives it; nobody, if the roster has no such person.
    pub by: BTreeSet<Name>,
    /// What stands under their name.
    pub of: Bilingual,
}

/// Of whom approvals are missing, and what stands under their name.
pub(crate) type Open<'a> = (&'a BTreeSet<Name>, Vec<&'a Bilingual>);

/// The approvals that a plan needs, and when they may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// The approvals; one person's covers everything under their name.
    pub needed: Vec<Approval>,
    /// The last decision in the plan that has a time: no approval comes before it.
    pub since: Option<Instant>,
    /// How long before the ceremony's window an approval may be made.
    pub within: CalendarSpan,
    /// Who may sign keylessly as well; `None` where the policy knows nobody.
    pub keyless: Option<Keyless>,
}

impl Approvals {
    /// The approvals that a plan needs on this state.
    pub(crate) fn of(inputs: &Inputs, state: &State) -> Self {
        let Inputs { plan, policy, .. } = inputs;
        let deciding: Vec<Name> = inputs.cps.deciding().cloned().collect();
        let mut needed = by_policy(inputs, policy, &deciding);
        // What policy and CP/CPS asked until now, no policy and no CP/CPS takes away.
        if let Some(before) = state.last_policy() {
            needed.extend(by_policy(inputs, &before, &state.deciding));
        }
        needed.extend(by_organizations(inputs));
        needed.extend(by_name(plan));
        let within = policy.decision.approval.within.get_ref().clone();
        let keyless = policy.decision.approval.keyless.as_ref().map(Keyless::of);
        Self { needed: each_once(needed), since: decided(plan), within, keyless }
    }

    /// What stands under this person's name.
    pub fn under<'a>(&'a self, person: &'a Name) -> impl Iterator<Item = &'a Bilingual> {
        self.needed.iter().filter(|one| one.by.contains(person)).map(|one| &one.of)
    }

    /// Of whom approvals are missing when these people have approved, each set of people once, with
    /// all that stands under their name. Where somebody approves in any case, whoever could do so
    /// in their place is not asked besides.
    pub(crate) fn open<'a>(&'a self, by: &'a BTreeSet<Name>) -> Vec<Open<'a>> {
        let mut missing: Vec<&Approval> = self.missing(by).collect();
        let asked = each_once(missing.iter().map(|one| &one.by).collect());
        let covered =
            |set: &BTreeSet<Name>| asked.iter().any(|other| *other != set && other.is_subset(set));
        let mut open = Vec::new();
        for people in asked.iter().copied().filter(|set| !covered(set)) {
            let (theirs, others): (Vec<_>, Vec<_>) =
                missing.into_iter().partition(|one| people.is_subset(&one.by));
            open.push((people, theirs.into_iter().map(|one| &one.of).collect()));
            missing = others;
        }
        open
    }

    /// Those that are missing when these people have approved.
    pub fn missing<'a>(&'a self, by: &'a BTreeSet<Name>) -> impl Iterator<Item = &'a Approval> {
        self.needed.iter().filter(|one| one.by.is_disjoint(by))
    }
}

/// The people of the roster who hold a role, or any, and are of an organisation, or of any.
pub(crate) fn holders(
    inputs: &Inputs,
    role: Option<&Name>,
    organization: Option<&Name>,
) -> BTreeSet<Name> {
    let people = inputs.roster.person.iter().filter(|(_, person)| {
        person.serves()
            && role.is_none_or(|role| person.holds(role))
            && organization.is_none_or(|of| person.organization.get_ref() == of)
    });
    people.map(|(id, _)| id.clone()).collect()
}

/// What the roles of a policy approve: the plan, and the program's release, if there is one.
fn by_policy(inputs: &Inputs, policy: &Policy, deciding: &[Name]) -> Vec<Approval> {
    let documents = says!("計画、ポリシー、任命簿、CP/CPS", "plan, policy, roster and CP/CPS");
    let mut needed = by_roles(inputs, policy, deciding, &policy.decision.approval.by, &documents);
    if let (Some(release), Some(releasing)) = (&inputs.release, &policy.decision.release) {
        let tool = release.tool.get_ref();
        let of = says!("プログラムのリリース {tool}", "the release of the program, {tool}");
        needed.extend(by_roles(inputs, policy, deciding, &releasing.by, &of));
    }
    needed
}

/// One holder of each of these roles.
fn by_roles(
    inputs: &Inputs,
    policy: &Policy,
    deciding: &[Name],
    roles: &[Spanned<Name>],
    of: &Bilingual,
) -> Vec<Approval> {
    let mut needed = Vec::new();
    for role in roles.iter().map(Spanned::get_ref) {
        let known = policy.role.get(role);
        let title = known.map_or_else(|| Bilingual::plain(role), |role| role.name.said());
        let of = says!(title, of; "{title}として: {of}", "as {title}: {of}");
        match known.is_some_and(|role| role.each_organization) {
            false => needed.push(Approval { by: holders(inputs, Some(role), None), of }),
            true => needed.extend(deciding.iter().map(|organization| {
                let by = holders(inputs, Some(role), Some(organization));
                let of = says!(of; "{of}({organization})", "{of}, for {organization}");
                Approval { by, of }
            })),
        }
    }
    needed
}

/// One of each organisation that approved something in the plan.
fn by_organizations(inputs: &Inputs) -> Vec<Approval> {
    let plan = &inputs.plan;
    let roles = || inputs.policy.decision.approval.by.iter().map(Spanned::get_ref);
    let recovery = plan.recovery.as_ref();
    let keys = plan.key.iter().map(|(key, one)| (key.get_ref(), &one.approved_by));
    let keys = keys.map(|(key, by)| (says!("{key} の早期の更新", "the early renewal {key}"), by));
    let destroyed = plan.destruction.iter().map(|(key, one)| {
        let key = key.get_ref();
        (says!("{key} の破棄", "the destruction of {key}"), &one.approved_by)
    });
    let lost = plan.lost.iter().map(|(key, one)| {
        let key = key.get_ref();
        (says!("{key} の喪失", "the loss of {key}"), &one.approved_by)
    });
    let recovered = recovery.map(|one| {
        let token = one.token.get_ref();
        (says!("{token} による復旧", "the recovery on {token}"), &one.approved_by)
    });
    let all = keys.chain(destroyed).chain(lost).chain(recovered);
    let one = |of: &Bilingual, organization: &Name| {
        let by = roles().flat_map(|role| holders(inputs, Some(role), Some(organization))).collect();
        Approval { by, of: says!(of; "{of}({organization})", "{of}, for {organization}") }
    };
    all.flat_map(|(of, by)| {
        by.iter().map(|organization| one(&of, organization.get_ref())).collect::<Vec<_>>()
    })
    .collect()
}

/// Everybody whom the plan names.
fn by_name(plan: &Plan) -> Vec<Approval> {
    let mut needed = Vec::new();
    let mut name = |person: &Name, of: Bilingual| {
        needed.push(Approval { by: BTreeSet::from([person.clone()]), of });
    };
    for (id, application) in &plan.application {
        let id = id.get_ref();
        let Application { by, examined, agreed, approved, .. } = application;
        for person in by {
            name(person.get_ref(), says!("申請 {id}: 申請", "application {id}: applies"));
        }
        name(examined.by.get_ref(), says!("申請 {id}: 審査", "application {id}: examined"));
        if let Some(agreed) = agreed {
            name(agreed.by.get_ref(), says!("申請 {id}: 同意", "application {id}: agreed"));
        }
        name(approved.by.get_ref(), says!("申請 {id}: 承認", "application {id}: approved"));
    }
    for (key, compromise) in &plan.compromise {
        let key = key.get_ref();
        for person in &compromise.judged_by {
            let of = says!("{key} の危殆化の判断", "judged that {key} is compromised");
            name(person.get_ref(), of);
        }
    }
    for exception in &plan.exception {
        let rule = exception.rule.get_ref();
        for person in &exception.approved_by {
            name(person.get_ref(), says!("{rule} の例外", "the exception from {rule}"));
        }
    }
    needed
}

/// The last decision in the plan that has a time.
fn decided(plan: &Plan) -> Option<Instant> {
    let of_application = |one: &Application| {
        let agreed = one.agreed.as_ref().map(|agreed| *agreed.at.get_ref());
        let others = [&one.received, &one.examined.at, &one.approved.at];
        others.into_iter().map(|at| *at.get_ref()).chain(agreed).max()
    };
    let judged = plan.compromise.values().map(|one| *one.judged_at.get_ref());
    plan.application.values().filter_map(of_application).chain(judged).max()
}

/// An approval as it is kept beside the plan, in `approvals/PERSON.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The graph that was approved.
    pub graph: Spanned<Digest>,
    /// The bindings that were approved.
    pub bindings: Spanned<Digest>,
    /// When it was approved, by the clock of whoever approved.
    pub at: Spanned<Instant>,
    /// The raw signature (r ‖ s) by the person's card.
    pub signed: Spanned<Octets>,
}

impl Written {
    /// Reads an approval.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Approval, octets, |written: &Self| &written.format)
    }

    /// Writes an approval of this graph and these bindings.
    #[must_use]
    pub fn text(graph: Digest, bindings: Digest, approved: &Approved) -> String {
        let (at, signed) = (approved.at, encode(&approved.signed.0));
        format!(
            "format   = 1\ngraph    = \"{graph}\"\nbindings = \"{bindings}\"\nat       = {at}\nsigned   = \"{signed}\"\n"
        )
    }
}
