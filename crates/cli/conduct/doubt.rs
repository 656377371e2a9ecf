//! What only people can settle: remains of a key pair that nobody saw the end of, and a new medium
//! in the place of a lost one. Two people of two roles consent before anything is done.

use std::path::Path;

use ceremony::fault::Fault;
use ceremony::graph::Op;
use ceremony::name::Name;
use ceremony::record::{Aside, Event, LoneRefusal, Refuser};
use ceremony::rule::RuleId;
use ceremony::run::{ATTEMPTS, Next, Run, as_words};
use ceremony::token::{Holder, TokenAnswer, TokenRequest};

use super::{Conduct, interrupted};
use crate::halt::Halt;
use crate::lang::Lang;
use crate::people::{People, Reply};
use crate::report;
use crate::sources::shown;

/// Two people of two roles consent to go on with one journal, and a new medium in the place of the
/// other, which is lost or put aside.
pub(crate) fn consent_to_medium(
    people: &mut People,
    run: &Run,
    folder: &Path,
    aside: Option<&Aside>,
    lang: Lang,
) -> Result<Vec<Name>, Halt> {
    let Some(op) = run.graph().ops().first() else { return Ok(Vec::new()) };
    let folder = shown(folder);
    let what = match (lang, aside) {
        (Lang::Ja, None) => format!("{folder} は、失われた記録媒体に代わる新しい媒体である。"),
        (Lang::En, None) => {
            format!("{folder} is a new journal medium in the place of a lost one.")
        }
        (Lang::Ja, Some(aside)) => format!(
            "{folder} の記録 {} 件(SHA-256 {})を脇に置き、もう一方の記録だけで続ける。",
            aside.records, aside.sha256
        ),
        (Lang::En, Some(aside)) => format!(
            "The journal in {folder}, {} records with SHA-256 {}, is put aside; the other one alone goes on.",
            aside.records, aside.sha256
        ),
    };
    match consent(people, run, op, &what)? {
        Reply::Said(said) => Ok(said.by),
        Reply::Mistaken { .. } => Ok(Vec::new()),
        Reply::Refused { reason, .. } | Reply::Deviation { reason, .. } => Err(Halt::media(
            RuleId::S_JOURNAL,
            "two people of two roles who consent to go on with one journal",
            reason,
        )),
    }
}

/// Who says that a refusal that stands on one medium only does not hold; nobody, if it holds.
pub(crate) fn lifted(
    people: &mut People,
    run: &Run,
    refusal: &LoneRefusal,
    lang: Lang,
) -> Result<Vec<Name>, Halt> {
    let by: Vec<&str> = refusal.by.iter().map(Name::as_str).collect();
    let (by, reason) = (by.join(" "), report::plain(&refusal.reason));
    let rule = &refusal.rule;
    let what = match (lang, by.is_empty()) {
        (Lang::Ja, true) => format!("片方の媒体にだけ、規則 {rule} による中止がある: {reason}"),
        (Lang::En, true) => format!("On one medium only, {rule} stopped the ceremony: {reason}"),
        (Lang::Ja, false) => format!("片方の媒体にだけ、{by} の中止の申し出がある: {reason}"),
        (Lang::En, false) => format!("On one medium only, {by} stopped the ceremony: {reason}"),
    };
    loop {
        let lifted = people.lifted(run.graph(), &refusal.by, &what)?;
        match run.may_lift(refusal, &lifted) {
            Ok(()) => return Ok(lifted),
            Err(fault) => super::tell(&fault),
        }
    }
}

/// Asks until two people of two roles consent, or somebody does not. Nothing is done before.
fn consent(people: &mut People, run: &Run, op: &Op, what: &str) -> Result<Reply, Halt> {
    loop {
        let reply = people.consent(run.graph(), op, what)?;
        let Reply::Said(said) = &reply else { return Ok(reply) };
        match run.two_roles(&said.by) {
            Ok(()) => return Ok(reply),
            Err(fault) if people.can_answer_again() => super::tell(&fault),
            Err(fault) => return Err(interrupted(fault.rule, &fault.asked, &fault.found)),
        }
    }
}

impl Conduct {
    /// A key generation failed, and what it did is settled: people decide whether it is asked once
    /// more, or the ceremony stops. Where nobody can be asked, it is interrupted.
    pub(super) fn once_more(&mut self, run: Run, op: &Op, fault: Fault) -> Result<Run, Halt> {
        let Next::Ask(next, attempt) = run.next() else { return Ok(run) };
        if next.name != op.name {
            return Ok(run);
        }
        if !self.people.can_answer_again() {
            return Err(Halt::Token(fault));
        }
        let found = report::plain(&fault.found);
        let number = attempt + 1;
        let what = match self.lang {
            Lang::Ja => format!(
                "{}: HSM が失敗を返した({found})。記録した。もう一度行う({number} 回目、{ATTEMPTS} 回まで)。同意しなければ、セレモニーを中止する。",
                op.name
            ),
            Lang::En => format!(
                "{}: the token failed ({found}), and this is recorded. It will be asked once more (attempt {number} of {ATTEMPTS}). Without consent the ceremony stops.",
                op.name
            ),
        };
        let name = op.name.clone();
        match consent(&mut self.people, &run, op, &what)? {
            Reply::Mistaken { question, .. } => {
                let event = Event::Mistaken { op: name, attempt, question: question.into() };
                self.take(run, event)
            }
            Reply::Said(said) => {
                let reason = as_words(&format!("asked once more after {}", fault.found));
                self.take(run, Event::Deviation { op: name, reason, by: said.by })
            }
            Reply::Refused { by, reason } | Reply::Deviation { by, reason } => {
                let rule = Refuser::People;
                self.stop(run, Event::Refused { op: name, attempt, rule, reason, by })
            }
        }
    }

    /// Asks the token for a read that settles a doubt.
    fn look(&mut self, request: TokenRequest) -> Result<TokenAnswer, Halt> {
        self.tokens.ask_root(request).map_err(|error| {
            let found = error.to_string();
            Halt::Token(Fault::new(RuleId::S_TOKEN, "to read back what is on the token", found))
        })
    }

    /// Looks what a key generation in doubt has left on the token: adopt, remove with consent, or
    /// go on. Everything there is compared with the inventory, so that what bears no CKA_ID is
    /// found. `cause` is what the token said, where it said that it failed.
    pub(super) fn settle(
        &mut self,
        run: Run,
        op: &Op,
        attempt: u32,
        cause: Option<&str>,
    ) -> Result<Run, Halt> {
        let other = || Fault::new(RuleId::S_ANSWER, "what is on the token", "another answer");
        let TokenAnswer::Objects { objects } = self.look(Run::list_request())? else {
            return Err(Halt::Token(other()));
        };
        if let Err(fault) = run.compare_with_inventory(&Holder::Root, &objects) {
            return self.refuse(run, op, attempt, &fault);
        }
        let request = run.inspect_request(op, attempt).map_err(Halt::Bug)?;
        let TokenAnswer::Key(facts) = self.look(request)? else {
            return Err(Halt::Token(other()));
        };
        let name = op.name.clone();
        if (facts.privates, facts.publics, facts.strays) == (0, 0, 0) {
            let nothing = "nothing is on the token";
            let cause = cause.map_or(nothing.into(), |said| format!("{said}; {nothing}"));
            return self.take(run, Event::Lost { op: name, attempt, cause: as_words(&cause) });
        }
        let adopted = Event::Adopted { op: name.clone(), attempt, key: facts.clone() };
        // What the token holds is no reason to give a record a time that the clock does not show.
        let at = self.clock.now()?;
        if at < run.last_at() {
            let asked = format!("a time not before the last record, {}", run.last_at());
            return Err(interrupted(RuleId::S_TIME_BACK, &asked, &at.to_string()));
        }
        if let Ok(step) = run.clone().apply(at, adopted) {
            return self.keep(step);
        }
        let (privates, publics, strays) = (facts.privates, facts.publics, facts.strays);
        let what = match self.lang {
            Lang::Ja => format!(
                "{name}: この CKA_ID の秘密鍵 {privates} 個と公開鍵 {publics} 個、CKA_ID のない残り {strays} 個は、計画どおりの鍵ペアではない。削除する。"
            ),
            Lang::En => format!(
                "{name}: {privates} private and {publics} public objects with this CKA_ID, and {strays} remains without one, are no key pair as planned. They will be removed."
            ),
        };
        let by = match consent(&mut self.people, &run, op, &what)? {
            Reply::Said(said) => said.by,
            Reply::Mistaken { question, .. } => {
                let event = Event::Mistaken { op: name, attempt, question: question.into() };
                return self.take(run, event);
            }
            Reply::Refused { by, reason } | Reply::Deviation { by, reason } => {
                let rule = Refuser::People;
                return self.stop(run, Event::Refused { op: name, attempt, rule, reason, by });
            }
        };
        // What is about to be done is on record before it is done.
        let reason = format!(
            "removal of {privates} private and {publics} public objects and {strays} without a CKA_ID begins"
        );
        let event = Event::Deviation { op: name.clone(), reason, by: by.clone() };
        let run = self.take(run, event)?;
        let request = run.destroy_request(op, attempt).map_err(Halt::Bug)?;
        match self.tokens.ask_root(request) {
            Ok(TokenAnswer::Left { objects: 0 }) => {
                self.take(run, Event::OrphanRemoved { op: name, attempt, found: facts, by })
            }
            Ok(answer) => Err(Halt::Token(Fault::new(
                RuleId::S_TOKEN,
                "nothing left with this CKA_ID",
                format!("{answer:?}"),
            ))),
            Err(error) => Err(Halt::Token(Fault::new(
                RuleId::S_TOKEN,
                "to destroy what is left",
                error.to_string(),
            ))),
        }
    }
}
