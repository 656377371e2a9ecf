//! Has people sign what they do before it is recorded, each with their own card.

use ceremony::fault::Fault;
use ceremony::graph::{Act, Op};
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::record::{End, Event, Signatures};
use ceremony::rule::RuleId;
use ceremony::run::{Next, Run, Step, ToSign};
use ceremony::says;

use super::{Conduct, interrupted, stopped, tell};
use crate::cards::{Asking, Signed, named};
use crate::events;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::people::{People, Reply};

/// An event that was taken, or one that somebody would not sign, so that nothing is recorded.
pub(super) enum Applied {
    Taken(Box<Step>),
    Unsigned(Box<Run>),
}

impl Conduct {
    /// Has everybody sign an event who must, and applies it. Each signature is verified before the
    /// event is recorded.
    pub(super) fn applied(&mut self, mut run: Run, event: Event) -> Result<Applied, Halt> {
        'anew: loop {
            let asked = run.to_sign(&event);
            let (mut signed, mut proofs) = (Signatures::new(), Vec::new());
            for one in &asked {
                self.show_signing(&run, &event, one)?;
                let pin = self.pin.as_mut();
                let mut asking = Asking { people: &mut self.people, pin, lang: self.lang };
                match self.cards.sign(&run, one, &mut asking)? {
                    Signed::Yes(raw, proof) => {
                        signed.insert(one.person.clone(), raw);
                        proofs.push(proof);
                    }
                    Signed::Objects => {
                        self.say_unsigned(&signed);
                        return Ok(Applied::Unsigned(Box::new(run)));
                    }
                    Signed::Failed(reason) => {
                        // Its record comes before the event, so everybody signs another head.
                        run = self.card_failed(run, &one.person, &reason)?;
                        continue 'anew;
                    }
                }
            }
            let mut step = run.apply(self.clock.now()?, event, signed).map_err(stopped)?;
            step.run.settle(&proofs);
            self.proofs.extend(proofs);
            return Ok(Applied::Taken(Box::new(step)));
        }
    }

    /// Says what becomes of an event that somebody will not sign, and of the signatures that others
    /// gave it.
    fn say_unsigned(&self, signed: &Signatures) {
        self.say(pick(
            self.lang,
            "   署名しないとの申し出です。まだ何も記録していません。",
            "   It is not signed, so nothing is recorded yet.",
        ));
        if !signed.is_empty() {
            let by: Vec<&str> = signed.keys().map(Name::as_str).collect();
            let by = by.join(" ");
            self.say(&match self.lang {
                Lang::Ja => format!("   {by} の署名も使われず、後でもう一度求めます。"),
                Lang::En => {
                    format!("   The signatures of {by} are not used either, and are asked again.")
                }
            });
        }
    }

    /// Shows what a person is about to sign; at the close, everything that is under their name.
    fn show_signing(&mut self, run: &Run, event: &Event, asked: &ToSign) -> Result<(), Halt> {
        if run.is_derived(&asked.person) {
            return Ok(());
        }
        let who = named(run, &asked.person, self.lang);
        let what = self.said(run, event);
        self.say(&format!("✍  {who}: {what}"));
        if matches!(event, Event::Closed { .. }) {
            let line = |(at, event): &(_, Event)| {
                let by: Vec<&str> = event.people().iter().map(Name::as_str).collect();
                format!("     {at}  {} [{}]", self.said(run, event), by.join(" "))
            };
            let mut told: Vec<String> = run.told_by(&asked.person).map(line).collect();
            if told.is_empty() {
                let none = pick(self.lang, "     (記録なし)", "     (nothing is on record)");
                told.push(none.to_string());
            }
            let head = pick(
                self.lang,
                "   この者の名で記録されたこと([ ] は答えた者)。誤りがあれば no(いいえ)と答え、続けて何が誤りかを述べます。",
                "   on record under this name ([ ]: who answered). If something is wrong, answer no, and then say what.",
            );
            self.say(head);
            if let People::Terminal(terminal) = &mut self.people {
                terminal.read(&told)?;
            } else {
                self.say(&told.join("\n"));
            }
        }
        Ok(())
    }

    /// Says what an event of people is.
    fn said(&self, run: &Run, event: &Event) -> String {
        events::said(event, &|op| events::step(run.graph(), op, self.lang), self.lang)
    }

    /// Closes the ceremony: everybody who came signs. Who finds something wrong says so in a
    /// deviation, and then everybody signs.
    ///
    /// In the script this is the first part of the seal.
    pub(super) fn close(&mut self, run: Run, end: End) -> Result<Run, Halt> {
        if let (Some(op), People::Terminal(terminal)) = (at_hand(&run), &mut self.people) {
            terminal.show_script(&run, &op)?;
        }
        match self.applied(run, Event::Closed { end })? {
            Applied::Taken(step) => self.keep(*step),
            Applied::Unsigned(run) => {
                let op = at_hand(&run).ok_or_else(no_operation)?;
                match self.people.object(&run)? {
                    Some(Reply::Deviation { by, reason }) => self.deviation(*run, &op, by, reason),
                    Some(
                        Reply::Said(_)
                        | Reply::Refused { .. }
                        | Reply::Paused { .. }
                        | Reply::Mistaken { .. },
                    )
                    | None => {
                        self.say(pick(
                            self.lang,
                            "   申し出は取り消されました。全員にもう一度署名を求めます。",
                            "   It is taken back. Everybody is asked to sign once more.",
                        ));
                        Ok(*run)
                    }
                }
            }
        }
    }

    /// Records what differed from the script, unless those who say so take it back when they are to
    /// sign it.
    pub(super) fn deviation(
        &mut self,
        run: Run,
        op: &Op,
        by: Vec<Name>,
        reason: String,
    ) -> Result<Run, Halt> {
        match self.applied(run, Event::Deviation { op: op.name.clone(), reason, by })? {
            Applied::Taken(step) => {
                let run = self.keep(*step)?;
                self.say(pick(self.lang, "✓ 相違を記録しました", "✓ recorded"));
                Ok(run)
            }
            Applied::Unsigned(run) => Ok(*run),
        }
    }

    /// Records a break, which those who stay sign. After it the head is noted, and then the session
    /// ends.
    pub(super) fn pause(
        &mut self,
        run: Run,
        op: &Op,
        attempt: u32,
        by: Vec<Name>,
        reason: String,
    ) -> Result<Run, Halt> {
        match self.applied(run, Event::Paused { op: op.name.clone(), attempt, reason, by })? {
            Applied::Taken(step) => self.keep(*step),
            Applied::Unsigned(run) => Ok(*run),
        }
    }

    /// Records that a card does not sign, when two others of two roles say so and sign it. If they
    /// do not, or too many cards would fail, the card is asked again.
    fn card_failed(&mut self, run: Run, person: &Name, reason: &str) -> Result<Run, Halt> {
        match run.may_be_without_card() {
            Ok(()) => {}
            Err(fault) if self.people.can_answer_again() => {
                tell(&fault, self.lang);
                return Ok(run);
            }
            Err(fault) => return Err(Halt::Interrupted(fault)),
        }
        let op = at_hand(&run).ok_or_else(no_operation)?;
        let who = named(&run, person, self.lang);
        let what = match self.lang {
            Lang::Ja => format!(
                "{who} のカードが使えないことを記録し、以後この者の行為は署名なしの申告になります。この者以外の、役割の異なる 2 名が自分のカードで署名します。"
            ),
            Lang::En => format!(
                "It will be recorded that the card of {who} does not work: what this person does from now on is stated without a signature. Two others of two roles sign this with their own cards."
            ),
        };
        loop {
            match self.people.vouch(&run, &op, person, &what)? {
                Reply::Said(said) => match run.may_state_failed(person, &said.by) {
                    Ok(()) => {
                        let (person, reason) = (person.clone(), reason.to_string());
                        return self.take(run, Event::CardFailed { person, reason, by: said.by });
                    }
                    Err(fault) if self.people.can_answer_again() => tell(&fault, self.lang),
                    Err(fault) => return Err(Halt::Interrupted(fault)),
                },
                Reply::Mistaken { .. } | Reply::Paused { .. } => {}
                Reply::Refused { .. } | Reply::Deviation { .. } => return Ok(run),
            }
        }
    }
}

/// The operation that something is said about now: at the close, the seal.
pub(super) fn at_hand(run: &Run) -> Option<Op> {
    let op = match run.next() {
        Next::Ask(op, _)
        | Next::Answer(op, _)
        | Next::Burn(op, _)
        | Next::Settle(op, _)
        | Next::Note(op, _) => Some(op),
        Next::Pause | Next::Close(_) | Next::Seal | Next::Nothing | Next::Abandon => {
            run.graph().ops().iter().find(|op| op.act == Act::Seal)
        }
    };
    op.cloned()
}

fn no_operation() -> Halt {
    let asked = says!("手順", "an operation");
    Halt::Bug(Fault::new(RuleId::S_ORDER, asked, Bilingual::none()))
}

/// The halt of a command whose event somebody would not sign.
pub(super) fn not_signed() -> Halt {
    let asked = says!("署名", "a signature");
    let found = says!("署名しないとの申し出。何も記録していない", "a no; nothing was recorded");
    interrupted(RuleId::S_SIGNED, asked, found)
}
