//! What a token is asked before the day, and what its answers mean for the ceremony.
//!
//! A [`Probe`] is a ceremony that nobody holds: it has begun, in a run that is never written, and
//! its answers are judged by the very code that judges the ceremony's. Its keys are session objects
//! under CKA_IDs of its own, so nothing of the CA is used, and nothing stays.
//!
//! **Invariants.** A signature is asked of a key of the probe only, on a sentence that says so. The
//! objects of the probe are destroyed, and the inventory compared, whatever has failed before.
//! **Deliberately absent:** words for people, and what to do about a finding; they are the edge's.

mod asked;
mod judge;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

pub use asked::{ProbeAnswer, ProbeRequest, ProbeStep, TokenCondition, TokenFlag};
pub use judge::unfit;
use judge::{judge_condition, judge_data, judge_signatures, no_pair, refused, unchanged};

use super::judge::gave_out;
use super::{Run, Step};
use crate::compile::Compiled;
use crate::fault::Fault;
use crate::graph::{Act, Origin, PlannedKey, TokenAct};
use crate::hex::{Digest, Octets};
use crate::key::PublicKey;
use crate::language::Bilingual;
use crate::name::Name;
use crate::policy::HeadOn;
use crate::record::{Mode, Place};
use crate::rule::RuleId;
use crate::says;
use crate::token::{
    Attribute, Holder, KeyFacts, KeyTemplate, TokenAnswer, TokenError, TokenObject, TokenRequest,
    keeps_key, keeps_value,
};

/// The message that the probe's keys sign.
const MESSAGE: &[u8] = b"gishiki probe: this signs nothing";
/// CKA_LABEL and CKA_APPLICATION of the probe's data object.
const LABEL: &str = "gishiki probe";

/// What an answer means for the ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is what the ceremony asks for.
    Holds,
    /// It could not be tried.
    Untried,
    /// The ceremony would stop here.
    Stops,
}

/// How long the keys of a probe live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// As long as the session.
    Session,
    /// Until they are destroyed. For modules without session keys, on a drill's token only.
    Lasting,
}

/// A step and its result.
#[derive(Debug)]
pub struct Finding {
    /// The step.
    pub step: ProbeStep,
    /// What it means.
    pub outcome: Outcome,
    /// What the token answered, if it was asked.
    pub answer: Option<Result<ProbeAnswer, TokenError>>,
    /// What was asked and what was found, unless it holds.
    pub fault: Option<Fault>,
}

/// A ceremony that is never held, tried on one token.
#[derive(Debug)]
pub struct Probe {
    /// The ceremony; `None` without a plan, when only what needs no login is asked.
    run: Option<Run>,
    holder: Holder,
    life: Life,
    serial: String,
    keys: Vec<Trial>,
    /// Whether the token's flags permit a login. A probe never uses the last try of a PIN.
    ready: bool,
    logged_in: bool,
    before: Option<Vec<TokenObject>>,
}

/// A planned key that is tried as a session object.
#[derive(Debug)]
struct Trial {
    planned: PlannedKey,
    template: KeyTemplate,
    made: Option<PublicKey>,
    refused: bool,
}

impl Run {
    /// Makes the ceremony of this plan, begun as early as possible, for a [`Probe`] only: it is
    /// never written.
    pub fn imagined(compiled: Compiled, place: Place) -> Result<Self, Fault> {
        let (from, _) = compiled.graph.window();
        let opened = compiled.opened(place);
        Self::open(compiled, opened, from).map(|Step { run, .. }| run)
    }
}

impl Probe {
    /// Makes a probe without a plan, which asks only what needs no login.
    #[must_use]
    pub fn without_plan(serial: String) -> Self {
        let (holder, keys, life) = (Holder::Root, Vec::new(), Life::Session);
        Self { run: None, holder, life, serial, keys, ready: false, logged_in: false, before: None }
    }

    /// Makes a probe of the token that the ceremony has under this name.
    pub fn of(run: Run, holder: Holder, life: Life) -> Result<Self, Fault> {
        if life == Life::Lasting && run.opened().mode != Mode::Drill {
            let asked = says!(
                "残る鍵で調べるための訓練用のトークン",
                "lasting keys of a probe on a drill's token"
            );
            let found = says!("セレモニーのトークン", "the token of a ceremony");
            return Err(Fault::new(RuleId::S_DRILL, asked, found));
        }
        let serial = run.serial_of(&holder)?;
        let keys = match holder {
            Holder::Root => trials(&run, life),
            Holder::Spare(_) => Vec::new(),
        };
        Ok(Self {
            run: Some(run),
            holder,
            life,
            serial,
            keys,
            ready: false,
            logged_in: false,
            before: None,
        })
    }

    /// The steps that need no login. A ceremony performs them before the first person enters.
    #[must_use]
    pub fn first_steps(&self) -> Vec<ProbeStep> {
        let mut steps = vec![ProbeStep::Identify, ProbeStep::Condition];
        let copies = |run: &Run| {
            let mut acts = run.graph().ops().iter().map(|op| &op.act);
            acts.any(|act| match (act, &self.holder) {
                (Act::Token(TokenAct::Copy { .. }), Holder::Root) => true,
                (Act::Token(TokenAct::Copy { to, .. }), Holder::Spare(spare)) => to == spare,
                _ => false,
            })
        };
        if self.run.as_ref().is_some_and(copies) {
            steps.push(ProbeStep::Copy);
        }
        steps
    }

    /// All other steps, in order. The last three are performed whatever has failed.
    #[must_use]
    pub fn steps(&self) -> Vec<ProbeStep> {
        let Some(run) = &self.run else { return Vec::new() };
        let mut steps = vec![ProbeStep::Login, ProbeStep::Inventory];
        if self.holder == Holder::Root
            && run.graph().ops().iter().any(|op| op.act == Act::Token(TokenAct::ReadHead))
        {
            steps.push(ProbeStep::Head);
        }
        for Trial { planned, .. } in &self.keys {
            let name = || planned.name.clone();
            steps.extend([
                ProbeStep::Make(name()),
                ProbeStep::Refused(name()),
                ProbeStep::Sign(name()),
                ProbeStep::ReadValue(name()),
                ProbeStep::Wrap(name()),
            ]);
        }
        if self.holder == Holder::Root && run.graph().demands.head_on == HeadOn::Token {
            steps.push(ProbeStep::Data);
        }
        steps.extend([ProbeStep::Forget, ProbeStep::Unchanged, ProbeStep::Logout]);
        steps
    }

    /// Returns the request of a step; `None` if earlier steps have left nothing to ask.
    #[must_use]
    pub fn request(&self, step: &ProbeStep) -> Option<ProbeRequest> {
        let serial = || self.serial.clone();
        let in_session = |request| self.logged_in.then_some(request);
        let of_key = |name, request: fn(&Trial) -> TokenRequest| {
            let trial = self.trial(name).filter(|trial| trial.made.is_some())?;
            Some(ProbeRequest::Token(request(trial)))
        };
        match step {
            ProbeStep::Identify => {
                Some(ProbeRequest::Token(TokenRequest::Identify { serial: serial() }))
            }
            ProbeStep::Condition => Some(ProbeRequest::Condition { serial: serial() }),
            ProbeStep::Copy => Some(ProbeRequest::Copy {}),
            ProbeStep::Login => self.ready.then_some(ProbeRequest::Token(TokenRequest::Login {})),
            ProbeStep::Inventory => in_session(ProbeRequest::Token(TokenRequest::List {})),
            ProbeStep::Head => {
                let label = self.run.as_ref()?.graph().head_label();
                in_session(ProbeRequest::Token(TokenRequest::ReadHead { label }))
            }
            ProbeStep::Make(name) => in_session(ProbeRequest::Make { key: self.template(name)? }),
            ProbeStep::Refused(name) => self
                .trial(name)
                .filter(|trial| trial.refused)
                .map(|trial| ProbeRequest::Refused { key: trial.template.clone() }),
            ProbeStep::Sign(name) => of_key(name, |trial| TokenRequest::Sign {
                id: trial.template.id.clone(),
                curve: trial.template.curve,
                digests: vec![trial.template.curve.digest(MESSAGE)],
            }),
            ProbeStep::ReadValue(name) => {
                of_key(name, |trial| TokenRequest::ReadValue { id: trial.template.id.clone() })
            }
            ProbeStep::Wrap(name) => {
                of_key(name, |trial| TokenRequest::Wrap { id: trial.template.id.clone() })
            }
            ProbeStep::Data => in_session(ProbeRequest::Data {
                label: LABEL.to_string(),
                value: Octets([&[0; 4], Digest::of(MESSAGE).0.as_slice()].concat()),
            }),
            ProbeStep::Forget => in_session(ProbeRequest::Forget {
                ids: self.keys.iter().map(|trial| trial.template.id.clone()).collect(),
                label: LABEL.to_string(),
            }),
            ProbeStep::Unchanged => {
                self.before.as_ref().map(|_| ProbeRequest::Token(TokenRequest::List {}))
            }
            ProbeStep::Logout => in_session(ProbeRequest::Token(TokenRequest::Logout {})),
        }
    }

    /// Judges the answer to a step.
    pub fn take(&mut self, step: ProbeStep, answer: Result<ProbeAnswer, TokenError>) -> Finding {
        match answer {
            Ok(answer) => {
                let weighed = self.weigh(&step, &answer);
                let outcome = match (&weighed, &answer) {
                    (Ok(()), _) => Outcome::Holds,
                    (Err(_), ProbeAnswer::Refused { bare: Some(_), .. })
                        if self.life == Life::Session =>
                    {
                        Outcome::Untried
                    }
                    (Err(_), _) => Outcome::Stops,
                };
                Finding { step, outcome, answer: Some(Ok(answer)), fault: weighed.err() }
            }
            Err(error) => {
                let asked = says!("これを実行できるトークン", "a token that does it");
                let fault = Fault::new(RuleId::S_TOKEN, asked, error.said());
                let mut outcome = Outcome::Stops;
                if let ProbeStep::Make(name) = &step
                    && let Some(trial) = self.trial_mut(name)
                {
                    // Why is asked next.
                    trial.refused = true;
                    outcome = Outcome::Untried;
                }
                Finding { step, outcome, answer: Some(Err(error)), fault: Some(fault) }
            }
        }
    }

    fn trial(&self, name: &Name) -> Option<&Trial> {
        self.keys.iter().find(|trial| trial.planned.name == *name)
    }

    fn trial_mut(&mut self, name: &Name) -> Option<&mut Trial> {
        self.keys.iter_mut().find(|trial| trial.planned.name == *name)
    }

    fn template(&self, name: &Name) -> Option<KeyTemplate> {
        self.trial(name).map(|trial| trial.template.clone())
    }

    fn weigh(&mut self, step: &ProbeStep, answer: &ProbeAnswer) -> Result<(), Fault> {
        match (step, answer) {
            (ProbeStep::Identify, ProbeAnswer::Token(TokenAnswer::Identity(identity))) => {
                match &self.run {
                    Some(run) => run.weigh_identity(&self.holder, identity).map(drop),
                    None => Ok(()),
                }
            }
            (ProbeStep::Condition, ProbeAnswer::Condition(flags)) => {
                let judged = judge_condition(flags);
                self.ready = judged.is_ok();
                judged
            }
            (ProbeStep::Copy, ProbeAnswer::CanCopy) => Ok(()),
            (ProbeStep::Login, ProbeAnswer::Token(TokenAnswer::Done {})) => {
                self.logged_in = true;
                Ok(())
            }
            (ProbeStep::Logout, ProbeAnswer::Token(TokenAnswer::Done {})) => Ok(()),
            (ProbeStep::Inventory, ProbeAnswer::Token(TokenAnswer::Objects { objects })) => {
                self.before = Some(objects.clone());
                match (&self.run, &self.holder) {
                    (Some(run), Holder::Root) => run.weigh_inventory(objects).map(drop),
                    (Some(run), Holder::Spare(name)) => run.weigh_spare(name, objects).map(drop),
                    (None, _) => Ok(()),
                }
            }
            (ProbeStep::Head, ProbeAnswer::Token(TokenAnswer::Heads { values })) => {
                self.run.as_ref().map_or(Ok(()), |run| run.weigh_known_head(values).map(drop))
            }
            (ProbeStep::Make(name), ProbeAnswer::Token(TokenAnswer::Key(facts))) => {
                self.weigh_pair(name, facts)
            }
            (ProbeStep::Refused(name), ProbeAnswer::Refused { bare, private, public }) => {
                Err(refused(name, bare.as_ref(), private, public))
            }
            (ProbeStep::Sign(name), ProbeAnswer::Token(TokenAnswer::Signatures { signatures })) => {
                let made = self.trial(name).and_then(|trial| trial.made.as_ref());
                judge_signatures(made.ok_or_else(no_pair)?, signatures)
            }
            (
                ProbeStep::ReadValue(name) | ProbeStep::Wrap(name),
                ProbeAnswer::Token(TokenAnswer::Yielded { octets }),
            ) => {
                let asked = says!(
                    "{name} を取り出せないトークン",
                    "a token from which {name} cannot be taken"
                );
                Err(Fault::new(RuleId::R_NO_TRANSFER, asked, gave_out(*octets)))
            }
            (ProbeStep::ReadValue(_), ProbeAnswer::Token(TokenAnswer::Denied { code }))
                if keeps_value(code) =>
            {
                Ok(())
            }
            (ProbeStep::Wrap(_), ProbeAnswer::Token(TokenAnswer::Denied { code }))
                if keeps_key(code) =>
            {
                Ok(())
            }
            (ProbeStep::Data, ProbeAnswer::Token(TokenAnswer::Heads { values })) => {
                judge_data(values)
            }
            (ProbeStep::Forget, ProbeAnswer::Token(TokenAnswer::Left { objects: 0 })) => Ok(()),
            (ProbeStep::Unchanged, ProbeAnswer::Token(TokenAnswer::Objects { objects })) => {
                unchanged(self.before.as_deref().unwrap_or_default(), objects)
            }
            (_, answer) => {
                let asked = says!("この問いへの回答", "an answer to this step");
                let found = Bilingual::plain(format_args!("{answer:?}"));
                Err(Fault::new(RuleId::S_ANSWER, asked, found))
            }
        }
    }

    /// R-KEY-IN-HSM, as the ceremony judges it.
    fn weigh_pair(&mut self, name: &Name, facts: &KeyFacts) -> Result<(), Fault> {
        let Some(run) = &self.run else { return Ok(()) };
        let trial = self.keys.iter_mut().find(|trial| trial.planned.name == *name);
        let trial = trial.ok_or_else(|| {
            let asked = says!("計画の鍵", "a key of the plan");
            Fault::new(RuleId::S_ORDER, asked, Bilingual::plain(name))
        })?;
        // What it can do is tried even where an attribute is not as it was asked.
        trial.made = PublicKey::from_point(trial.planned.curve, &facts.point.0).ok();
        let mut template = trial.template.clone();
        // A card may make a lasting key whatever is asked; it is destroyed, and is no fault here.
        for (expected, found) in [
            (&mut template.expected_private, &facts.private),
            (&mut template.expected_public, &facts.public),
        ] {
            if found.get(&Attribute::Token) == Some(&true) {
                expected.insert(Attribute::Token, true);
            }
        }
        run.judge_facts(&trial.planned, &template, facts).map(drop)
    }
}

/// The keys that the ceremony generates; if there are none, the existing keys, so that one
/// signature is tried.
fn trials(run: &Run, life: Life) -> Vec<Trial> {
    let graph = run.graph();
    let made = graph.keys.iter().any(|key| key.origin == Origin::Here);
    let asked = graph.keys.iter().filter(|key| !made || key.origin == Origin::Here);
    let trial = |planned: &PlannedKey| {
        let mut template = planned.template(graph, 0);
        let id = Digest::of_parts("gishiki probe v1", &[&template.id.0]);
        template.id = Octets(id.0.into_iter().take(20).collect());
        template.label = format!("{LABEL} {}", planned.name);
        for side in [
            &mut template.private,
            &mut template.public,
            &mut template.expected_private,
            &mut template.expected_public,
        ] {
            side.insert(Attribute::Token, life == Life::Lasting);
        }
        Trial { planned: planned.clone(), template, made: None, refused: false }
    };
    asked.map(trial).collect()
}
