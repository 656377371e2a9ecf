//! A model of the room: what every step needs there, and what it changes.
//!
//! A compiled graph is walked through step by step, before anybody enters: who is inside, which
//! media and cards are there, what is known of each token, who is logged in, what is signed. A step
//! that lacks what it needs, and whatever is left behind at the end, is refused (S-STEP). So a
//! stick that nobody put in, a person who acts after leaving, a card that stays in the room, or a
//! token whose plate nobody compared cannot stand in a script.
//!
//! **Invariant:** this module shares nothing with the code that orders the operations
//! (`compile/operations`): it knows only what an act is.

mod facts;
mod words;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use toml::Spanned;

use crate::graph::{Act, Graph, Item, Op, Origin, PeopleAct, Phase, TokenAct};
use crate::inputs::Inputs;
use crate::ledger::State;
use crate::name::Name;
use crate::plan::{Plan, ProfileName};
use crate::policy::HeadOn;
use crate::rehearsal::RehearsalUse;
use crate::rule::RuleId;
use crate::says;
use crate::token::Holder;
use crate::violation::{Input, Violation};

pub use facts::Fact;
use facts::{gives, takes};

/// What a step needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// This must be so.
    Is(Fact),
    /// This must not be so.
    Not(Fact),
    /// So many of these people must be inside.
    People(usize, Vec<Name>),
}

/// A step that lacks what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The step's name; `None` for the end of the ceremony.
    pub step: Option<String>,
    /// What it needs.
    pub need: Need,
}

/// What the plan and the CA's state ask of a ceremony, besides its graph.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The organisations that decide together.
    pub deciding: Vec<&'a Name>,
    /// Whether the root token has the head of an earlier ceremony.
    pub has_head: bool,
    /// The keys that end here.
    pub destroyed: Vec<&'a Name>,
    /// The keys that are copied here, each with the token that receives the copy.
    pub copied: Vec<(&'a Name, &'a Name)>,
}

impl<'a> Asked<'a> {
    /// What a plan asks on this state.
    #[must_use]
    pub fn of(inputs: &'a Inputs, state: &State) -> Self {
        let Plan { copy, destruction, .. } = &inputs.plan;
        let copied = copy.values().map(|copy| (copy.key.get_ref(), copy.token.get_ref()));
        Self {
            deciding: inputs.cps.deciding().collect(),
            has_head: state.token_head.is_some(),
            destroyed: destruction.keys().map(Spanned::get_ref).collect(),
            copied: copied.collect(),
        }
    }
}

/// S-STEP: the operations of this graph can be done one after the other, and leave nothing behind.
pub(crate) fn judge(inputs: &Inputs, state: &State, graph: &Graph) -> Option<Violation> {
    let lacking = walk(graph, graph.ops(), &Asked::of(inputs, state)).err()?;
    Some(Violation::at(
        Input::Plan,
        inputs.plan.window.span(),
        RuleId::S_STEP,
        lacking.asked(graph),
        says!("そうならない手順の並び", "steps after which it is not so"),
        says!(
            "ポリシーの [act] が挙げる者を確かめる。正しければ、このプログラムの誤りである",
            "see whom [act] of the policy names; if they are right, this program is wrong"
        ),
    ))
}

/// The state of the room, with what does not change in it.
#[derive(Clone)]
struct Room<'a> {
    graph: &'a Graph,
    asked: &'a Asked<'a>,
    facts: BTreeSet<Fact>,
}

/// Walks through these operations of a graph.
///
/// # Errors
///
/// The first step that lacks what it needs, or what is missing or left behind at the end.
pub fn walk(graph: &Graph, ops: &[Op], asked: &Asked<'_>) -> Result<(), Lacking> {
    let mut room = Room::before(graph, asked);
    let mut reopened = false;
    for op in ops {
        // After an interruption the opening is done again, and must be possible then.
        if op.act.phase() == Phase::Work && !reopened {
            let mut interrupted = room.clone();
            interrupted.facts.retain(|fact| !fact.is_of_a_session());
            interrupted.steps(ops.iter().filter(|op| op.act.phase() == Phase::Opening))?;
            reopened = true;
        }
        room.steps([op])?;
    }
    room.satisfies(room.end()).map_err(|need| Lacking { step: None, need })
}

impl<'a> Room<'a> {
    /// Before anybody enters: the keys of earlier ceremonies are on their tokens.
    fn before(graph: &'a Graph, asked: &'a Asked<'a>) -> Self {
        let mut facts = BTreeSet::new();
        for key in graph.keys.iter().filter(|key| key.origin == Origin::Before) {
            facts.insert(Fact::Key(key.name.clone(), Holder::Root));
        }
        for (token, keys) in &graph.spares {
            let on = |key: &Name| Fact::Key(key.clone(), Holder::Spare(token.clone()));
            facts.extend(keys.iter().map(on));
        }
        Self { graph, asked, facts }
    }

    fn steps<'o>(&mut self, ops: impl IntoIterator<Item = &'o Op>) -> Result<(), Lacking> {
        for op in ops {
            let step = Some(op.name.clone());
            self.satisfies(self.needs(op)).map_err(|need| Lacking { step, need })?;
            for fact in takes(op) {
                self.facts.remove(&fact);
            }
            self.facts.extend(gives(op));
        }
        Ok(())
    }

    fn satisfies(&self, needs: Vec<Need>) -> Result<(), Need> {
        let is = |fact: &Fact| self.facts.contains(fact);
        let inside = |persons: &[Name]| {
            persons.iter().filter(|person| is(&Fact::Inside((*person).clone()))).count()
        };
        let lacking = |need: &Need| match need {
            Need::Is(fact) => !is(fact),
            Need::Not(fact) => is(fact),
            Need::People(least, persons) => inside(persons) < *least,
        };
        needs.into_iter().find(lacking).map_or(Ok(()), Err)
    }

    fn holders(&self) -> impl Iterator<Item = Holder> {
        let spares = self.graph.spares.keys().map(|name| Holder::Spare(name.clone()));
        core::iter::once(Holder::Root).chain(spares)
    }

    /// What a step needs: the people who do it, their cards, and what is true of its act.
    fn needs(&self, op: &Op) -> Vec<Need> {
        let is_first = op.act == Act::People(PeopleAct::FirstIn);
        let mut needs = Vec::new();
        for duty in op.by.iter().filter(|_| !is_first) {
            needs.push(Need::People(duty.at_least, duty.persons.clone()));
        }
        needs.extend(match &op.act {
            Act::People(act) => self.needs_of_people(op, act),
            Act::Token(act) => self.needs_of_token(act),
            Act::Seal => {
                let head = self.writes_head().then_some(Need::Is(Fact::HeadWritten));
                let everybody = self.graph.people.iter().filter(|(_, person)| !person.reserve);
                let cards = everybody.map(|(id, _)| Need::Is(Fact::Card(id.clone())));
                self.completed().chain(head).chain(cards).collect()
            }
        });
        needs
    }

    fn needs_of_people(&self, op: &Op, act: &PeopleAct) -> Vec<Need> {
        let inside = |person: &Name| Fact::Inside(person.clone());
        let on_duty = || op.by.iter().flat_map(|duty| &duty.persons);
        match act {
            PeopleAct::FirstIn => {
                self.graph.people.keys().map(|id| Need::Not(inside(id))).collect()
            }
            PeopleAct::Entry { person } => Vec::from([Need::Not(inside(person))]),
            PeopleAct::RollCall { .. } => on_duty().map(|id| Need::Is(inside(id))).collect(),
            PeopleAct::Papers => {
                let roles = self.graph.people.values().flat_map(|person| &person.roles);
                roles.map(|role| Need::Is(Fact::Called(role.clone()))).collect()
            }
            PeopleAct::Clock | PeopleAct::Media => Vec::from([Need::Is(Fact::Papers)]),
            PeopleAct::Plate { token } => Vec::from([Need::Is(Fact::Identified(token.clone()))]),
            PeopleAct::Activate => self.holders().map(|t| Need::Is(Fact::Plate(t))).collect(),
            PeopleAct::Application { .. }
            | PeopleAct::Compromise { .. }
            | PeopleAct::Order { .. }
            | PeopleAct::Supersede { .. }
            | PeopleAct::ApproveDestruction { .. }
            | PeopleAct::ApproveLoss { .. }
            | PeopleAct::ApproveRecovery { .. } => self.opened(&Holder::Root),
            PeopleAct::Clone { key, to } => {
                let to = Holder::Spare(to.clone());
                let on = Need::Is(Fact::Key(key.clone(), Holder::Root));
                self.decided(&to).into_iter().chain([on]).collect()
            }
            PeopleAct::Fingerprint { certificate } => {
                let at = self.graph.certificates.iter().position(|one| one.name == *certificate);
                at.map(|at| Need::Is(Fact::Signed(Item::Certificate(at)))).into_iter().collect()
            }
            PeopleAct::Complete { .. } => self.worked(),
            PeopleAct::HandOver { .. } | PeopleAct::AnchorWords => {
                Vec::from([Need::Is(Fact::Sealed)])
            }
            PeopleAct::Deactivate => {
                let out = self.holders().map(|t| Need::Not(Fact::LoggedIn(t)));
                out.chain([Need::Is(Fact::Sealed)]).collect()
            }
            PeopleAct::Exit { person } => Vec::from([
                Need::Is(inside(person)),
                Need::Is(Fact::Card(person.clone())),
                Need::Is(Fact::Off),
                Need::Is(Fact::Slip),
            ]),
            PeopleAct::LastOut => {
                let last: BTreeSet<&Name> = on_duty().collect();
                let others = self.graph.people.keys().filter(|id| !last.contains(id));
                let off = [Need::Is(Fact::Off), Need::Is(Fact::Slip), Need::Is(Fact::Media)];
                others.map(|id| Need::Not(inside(id))).chain(off).collect()
            }
        }
    }

    fn needs_of_token(&self, act: &TokenAct) -> Vec<Need> {
        let on = |key: &Name, token: &Holder| Need::Is(Fact::Key(key.clone(), token.clone()));
        match act {
            TokenAct::Identify { .. } => Vec::from([Need::Is(Fact::Clock), Need::Is(Fact::Media)]),
            TokenAct::Login { token } => {
                Vec::from([Need::Is(Fact::Activation), Need::Is(Fact::Plate(token.clone()))])
            }
            TokenAct::Inventory { token } => Vec::from([Need::Is(Fact::LoggedIn(token.clone()))]),
            TokenAct::ReadHead => Vec::from([Need::Is(Fact::Listed(Holder::Root))]),
            TokenAct::Generate { key } => {
                let new = Need::Not(Fact::Key(key.clone(), Holder::Root));
                self.decided(&Holder::Root).into_iter().chain([new]).collect()
            }
            TokenAct::SignHead => self.with_audit_key(),
            TokenAct::ReadValue { key } | TokenAct::Wrap { key } => {
                self.opened(&Holder::Root).into_iter().chain([on(key, &Holder::Root)]).collect()
            }
            TokenAct::Sign(sheet) => {
                let guarded = [
                    on(&sheet.key, &sheet.token),
                    Need::Is(Fact::Unread(sheet.key.clone())),
                    Need::Is(Fact::Unwrapped(sheet.key.clone())),
                ];
                let new = sheet.items.iter().map(|item| Need::Not(Fact::Signed(*item)));
                self.decided(&sheet.token).into_iter().chain(guarded).chain(new).collect()
            }
            TokenAct::Copy { key, to } => {
                let to = Holder::Spare(to.clone());
                let new = Need::Not(Fact::Key(key.clone(), to.clone()));
                self.decided(&to).into_iter().chain([on(key, &Holder::Root), new]).collect()
            }
            TokenAct::Inspect { key, token } => match token {
                Holder::Root => Vec::from([on(key, token)]),
                Holder::Spare(to) => {
                    let made = Need::Is(Fact::Cloned(key.clone(), to.clone()));
                    self.opened(token).into_iter().chain([made]).collect()
                }
            },
            TokenAct::Destroy { key, token } => {
                let approved = self.approved(key);
                self.opened(token).into_iter().chain(approved).chain([on(key, token)]).collect()
            }
            TokenAct::Clear { token, .. } => self.opened(token),
            TokenAct::WriteHead => self.completed().collect(),
            TokenAct::Logout { token } => {
                Vec::from([Need::Is(Fact::Sealed), Need::Is(Fact::LoggedIn(token.clone()))])
            }
        }
    }

    fn writes_head(&self) -> bool {
        self.graph.demands.head_on == HeadOn::Token
    }

    /// What work with a token needs: that people are logged in, and have seen what is on it.
    fn opened(&self, token: &Holder) -> Vec<Need> {
        let facts = [Fact::LoggedIn(token.clone()), Fact::Listed(token.clone())];
        let reads = self.asked.has_head && self.writes_head();
        facts.into_iter().chain(reads.then_some(Fact::HeadRead)).map(Need::Is).collect()
    }

    /// The same, and that everything is decided which the plan says was decided before the day.
    fn decided(&self, token: &Holder) -> Vec<Need> {
        let Graph { applications, compromised, lost, recovery, orders, .. } = self.graph;
        let stops = orders.iter().filter(|order| !order.resumes());
        let facts = applications.keys().cloned().map(Fact::Confirmed);
        let facts = facts.chain(compromised.keys().cloned().map(Fact::Judged));
        let facts = facts.chain(stops.copied().map(Fact::Ordered)).map(Need::Is);
        let lost = lost.keys().flat_map(|key| self.approved(key));
        let recovery = recovery.iter().flat_map(|one| self.approved(&one.token));
        self.opened(token).into_iter().chain(facts).chain(lost).chain(recovery).collect()
    }

    /// That every organisation approved it.
    fn approved(&self, what: &Name) -> Vec<Need> {
        let by = self.asked.deciding.iter();
        by.map(|by| Need::Is(Fact::Approved(what.clone(), (*by).clone()))).collect()
    }

    fn with_audit_key(&self) -> Vec<Need> {
        let audit = self.graph.keys.iter().filter(|key| key.usage == RehearsalUse::Audit);
        audit.map(|key| Need::Is(Fact::Key(key.name.clone(), Holder::Root))).collect()
    }

    /// That all work is done: everything signed, copied and destroyed, every key tested, every
    /// order given, every fingerprint read.
    fn worked(&self) -> Vec<Need> {
        let Graph { certificates, crls, keys, orders, .. } = self.graph;
        let signed = (0..certificates.len()).map(Item::Certificate);
        let signed = signed.chain((0..crls.len()).map(Item::Crl)).map(Fact::Signed);
        let tested = keys
            .iter()
            .flat_map(|key| [Fact::Unread(key.name.clone()), Fact::Unwrapped(key.name.clone())]);
        let new = keys.iter().filter(|key| key.origin == Origin::Here);
        let audit = new.filter(|key| key.usage == RehearsalUse::Audit).map(|_| Fact::AuditSigned);
        let ordered = orders.iter().copied().map(Fact::Ordered);
        let roots = certificates.iter().map(|certificate| &certificate.name);
        let roots = roots.filter(|name| self.graph.profile_of(name) == ProfileName::Root);
        let read = roots.cloned().map(Fact::Read);
        let copies = self.asked.copied.iter();
        let copied =
            copies.map(|(key, to)| Fact::Key((*key).clone(), Holder::Spare((*to).clone())));
        let gone = self.asked.destroyed.iter().flat_map(|key| {
            self.holders().map(|token| Need::Not(Fact::Key((*key).clone(), token)))
        });
        let done = signed.chain(tested).chain(audit).chain(ordered).chain(read).chain(copied);
        done.map(Need::Is).chain(gone).collect()
    }

    fn completed(&self) -> impl Iterator<Item = Need> {
        let by = self.asked.deciding.iter().map(|by| Need::Is(Fact::Complete((*by).clone())));
        by.collect::<Vec<_>>().into_iter()
    }

    /// How the room is left.
    fn end(&self) -> Vec<Need> {
        let people = self.graph.people.keys();
        let out = people.flat_map(|id| [Fact::Inside(id.clone()), Fact::Card(id.clone())]);
        let logged_out = self.holders().map(Fact::LoggedIn);
        let left = out.chain(logged_out).chain([Fact::Activation, Fact::Media]).map(Need::Not);
        let issued = self.graph.applications.values().flat_map(|one| one.requests.keys());
        let handed = issued.cloned().map(Fact::Handed);
        let kept = [Fact::Sealed, Fact::Off, Fact::Slip].into_iter().chain(handed);
        left.chain(kept.map(Need::Is)).collect()
    }
}
