//! Settles what only people can decide: objects that an interrupted key generation left on the
//! token, and a new medium in the place of a lost one. Two people of two roles consent before
//! anything is done.

use std::path::Path;

use ceremony::fault::Fault;
use ceremony::graph::Op;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::record::{Aside, Event, LoneRefusal, Signatures, WHO};
use ceremony::rule::RuleId;
use ceremony::run::{ATTEMPTS, Next, Run, as_words};
use ceremony::says;
use ceremony::token::{Holder, TokenAnswer, TokenRequest};

use super::{Conduct, interrupted, tell};
use crate::clock::not_before;
use crate::halt::Halt;
use crate::lang::Lang;
use crate::people::{People, Reply};
use crate::report;
use crate::sources::shown;

/// Asks two people of two roles to consent to going on with one journal.
///
/// `folder` gets a new journal in the place of the other one, which is lost or put aside.
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
        (Lang::Ja, None) => format!(
            "{folder} に記録がありません。失われた媒体に代わる新しい媒体として、もう一方の記録だけで続けますか。指定の誤りなら no。"
        ),
        (Lang::En, None) => {
            format!(
                "{folder} holds no journal. Is it a new journal medium in the place of a lost one, and does the other one alone go on? If the wrong folder was named, no."
            )
        }
        (Lang::Ja, Some(aside)) => format!(
            "{folder} の記録 {} 件(SHA-256 {})を脇に置き、もう一方の記録だけで続けます。",
            aside.records, aside.sha256
        ),
        (Lang::En, Some(aside)) => format!(
            "The journal in {folder}, {} records with SHA-256 {}, is put aside; the other one alone goes on.",
            aside.records, aside.sha256
        ),
    };
    loop {
        match consent(people, run, op, &what, lang)? {
            Reply::Said(said) => return Ok(said.by),
            // No journal is open yet that could take the record of it.
            Reply::Mistaken { .. } | Reply::Paused { .. } => (),
            Reply::Refused { reason, .. } | Reply::Deviation { reason, .. } => {
                let asked = says!(
                    "一方の記録だけで続けることへの、役割の異なる 2 名の同意",
                    "two people of two roles who consent to go on with one journal"
                );
                let found = match aside {
                    None => says!(
                        "{reason}。--journal の指定を確かめる",
                        "{reason}; see that --journal names the right folders"
                    ),
                    Some(_) => Bilingual::plain(reason),
                };
                return Err(Halt::media(RuleId::S_JOURNAL, asked, found));
            }
        }
    }
}

/// Returns who lifts a refusal that is on one medium only; nobody, if the refusal holds.
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
        (Lang::Ja, true) => format!("片方の媒体にだけ、規則 {rule} による中止があります: {reason}"),
        (Lang::En, true) => format!("On one medium only, {rule} stopped the ceremony: {reason}"),
        (Lang::Ja, false) => format!("片方の媒体にだけ、{by} の中止の申し出があります: {reason}"),
        (Lang::En, false) => format!("On one medium only, {by} stopped the ceremony: {reason}"),
    };
    loop {
        let lifted = people.lifted(run, &refusal.by, &what)?;
        match run.may_lift(refusal, &lifted) {
            Ok(()) => return Ok(lifted),
            Err(fault) => tell(&fault, lang),
        }
    }
}

/// Asks two people of two roles to consent; anything but their two names or a no is a mistaken
/// answer.
fn consent(people: &mut People, run: &Run, op: &Op, what: &str, lang: Lang) -> Result<Reply, Halt> {
    let reply = people.consent(run, op, what)?;
    let Reply::Said(said) = &reply else { return Ok(reply) };
    match run.two_roles(&said.by) {
        Ok(()) => Ok(reply),
        Err(fault) if people.can_answer_again() => {
            tell(&fault, lang);
            Ok(Reply::Mistaken { question: WHO, said: Vec::new() })
        }
        Err(fault) => Err(Halt::Interrupted(fault)),
    }
}

impl Conduct {
    /// Lets people decide whether a failed key generation is attempted again, or the ceremony
    /// stops.
    ///
    /// What the failed attempt left on the token is settled before this. If nobody can be asked,
    /// the command halts with the token's fault.
    pub(super) fn once_more(&mut self, run: Run, op: &Op, fault: Fault) -> Result<Run, Halt> {
        let Next::Ask(next, attempt) = run.next() else { return Ok(run) };
        if next.name != op.name {
            return Ok(run);
        }
        if !self.people.can_answer_again() {
            return Err(Halt::Token(fault));
        }
        let found = report::plain(self.lang.said(&fault.found));
        let number = attempt + 1;
        let what = match self.lang {
            Lang::Ja => format!(
                "{}: HSM が失敗を返し({found})、それを記録しました。もう一度行います({number} 回目、{ATTEMPTS} 回まで)。同意しなければ、セレモニーは中止になります。",
                op.name
            ),
            Lang::En => format!(
                "{}: the token failed ({found}), and this is recorded. It will be asked once more (attempt {number} of {ATTEMPTS}). Without consent the ceremony stops.",
                op.name
            ),
        };
        let (run, consented) = self.consent_to(run, op, attempt, &what)?;
        let Some(by) = consented else { return Ok(run) };
        let reason = as_words(&format!("asked once more after {}", fault.found.en));
        self.take(run, Event::Deviation { op: op.name.clone(), reason, by })
    }

    /// Asks until two people of two roles consent to `what`, which is not in the script, or
    /// somebody refuses, which stops the ceremony. A mistaken answer is recorded, and is neither.
    fn consent_to(
        &mut self,
        mut run: Run,
        op: &Op,
        attempt: u32,
        what: &str,
    ) -> Result<(Run, Option<Vec<Name>>), Halt> {
        loop {
            match consent(&mut self.people, &run, op, what, self.lang)? {
                Reply::Said(said) => return Ok((run, Some(said.by))),
                Reply::Mistaken { question, .. } => {
                    run = self.mistaken(run, op, attempt, question)?;
                }
                Reply::Paused { .. } => {}
                Reply::Refused { by, reason } | Reply::Deviation { by, reason } => {
                    run = self.people_refuse(run, op, attempt, by, reason)?;
                    // A refusal that was not signed is none, and there is no consent either.
                    if run.stopped().is_some() {
                        return Ok((run, None));
                    }
                }
            }
        }
    }

    /// Asks the token for a read that shows what an attempt left there.
    fn look(&mut self, request: TokenRequest) -> Result<TokenAnswer, Halt> {
        self.tokens.ask_root(request).map_err(|error| {
            let asked =
                says!("トークンに残ったものの読み戻し", "to read back what is on the token");
            Halt::Token(Fault::new(RuleId::S_TOKEN, asked, error.said()))
        })
    }

    /// Settles a key generation whose result is unknown, by what it left on the token.
    ///
    /// A complete key pair is adopted; other objects are removed with consent; if there are none,
    /// the attempt is recorded as lost. All objects on the token are compared with the inventory,
    /// so that objects without a CKA_ID are found too. `cause` is the token's error, if it returned
    /// one.
    pub(super) fn settle(
        &mut self,
        run: Run,
        op: &Op,
        attempt: u32,
        cause: Option<&str>,
    ) -> Result<Run, Halt> {
        let other = || {
            let asked = says!("トークンにあるもの", "what is on the token");
            Fault::new(RuleId::S_ANSWER, asked, says!("別の答え", "another answer"))
        };
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
            let (nothing, is_interrupted) = ("nothing is on the token", cause.is_none());
            let cause = cause.map_or(nothing.into(), |said| format!("{said}; {nothing}"));
            let lost = Event::Lost { op: name, attempt, cause: as_words(&cause) };
            let run = self.take(run, lost)?;
            if is_interrupted {
                self.say_lost(&run, op, attempt);
            }
            return Ok(run);
        }
        let adopted = Event::Adopted { op: name.clone(), attempt, key: facts.clone() };
        // The record that adopts the key must not have a time that the clock does not show.
        let at = self.clock.now()?;
        if at < run.last_at() {
            let asked = not_before(run.last_at());
            return Err(interrupted(RuleId::S_TIME_BACK, asked, Bilingual::plain(at)));
        }
        if let Ok(step) = run.clone().apply(at, adopted, Signatures::new()) {
            return self.keep(step);
        }
        let (privates, publics, strays) = (facts.privates, facts.publics, facts.strays);
        let what = match self.lang {
            Lang::Ja => format!(
                "{name}: この CKA_ID の秘密鍵 {privates} 個と公開鍵 {publics} 個、CKA_ID のない残り {strays} 個は、計画どおりの鍵ペアではありません。削除します。"
            ),
            Lang::En => format!(
                "{name}: {privates} private and {publics} public objects with this CKA_ID, and {strays} objects left without one, are not the planned key pair. They will be removed."
            ),
        };
        let (run, consented) = self.consent_to(run, op, attempt, &what)?;
        let Some(by) = consented else { return Ok(run) };
        // The removal is recorded before it begins.
        let reason = format!(
            "removal of {privates} private and {publics} public objects and {strays} without a CKA_ID begins"
        );
        let event = Event::Deviation { op: name.clone(), reason, by: by.clone() };
        let run = self.take(run, event)?;
        let request = run.destroy_request(op, attempt).map_err(Halt::Bug)?;
        match self.tokens.ask_root(request) {
            Ok(TokenAnswer::Left { objects: 0 }) => {
                let removed = Event::OrphanRemoved { op: name, attempt, found: facts, by };
                let run = self.take(run, removed)?;
                if cause.is_none() {
                    self.say_lost(&run, op, attempt);
                }
                Ok(run)
            }
            Ok(answer) => Err(Halt::Token(Fault::new(
                RuleId::S_TOKEN,
                says!("この CKA_ID のものが残らないこと", "nothing left with this CKA_ID"),
                Bilingual::plain(format!("{answer:?}")),
            ))),
            Err(error) => Err(Halt::Token(Fault::new(
                RuleId::S_TOKEN,
                says!("残ったものの破棄", "to destroy what is left"),
                error.said(),
            ))),
        }
    }
}
