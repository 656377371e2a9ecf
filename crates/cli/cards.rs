//! The cards of people: finds each by its key, asks for its PIN, and has it sign.
//!
//! A person whose key everyone can compute has no card: in a rehearsal, and in a drill with such a
//! roster, this program signs in their place, and the signature proves nothing.

use std::path::Path;

use ceremony::fault::Fault;
use ceremony::hex::Octets;
use ceremony::key::Proof;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::rule::RuleId;
use ceremony::run::{Run, ToSign};
use ceremony::says;
use ceremony::token::TokenError;
use token::{Card, Module, Tries};

use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::people::{AtCard, People, at_card};
use crate::proofs::prove;
use crate::report;
use crate::secrets::PinSource;
use crate::tokens::{failed, module, said_of_pin};

/// The PKCS #11 modules behind which people's cards are.
#[derive(Debug, Default)]
pub(crate) struct Cards {
    pub(crate) modules: Vec<Module>,
}

/// The outcome of asking one person for a signature.
pub(crate) enum Signed {
    /// A signature that was verified.
    Yes(Octets, Proof),
    /// The people in the room say that the card does not sign, and why.
    Failed(String),
    /// Somebody would not sign, and says so instead.
    Objects,
}

/// Who is asked for PINs and for cards, and in which language.
pub(crate) struct Asking<'a> {
    pub(crate) people: &'a mut People,
    pub(crate) pin: Option<&'a mut PinSource>,
    pub(crate) lang: Lang,
}

impl Cards {
    /// Has a person sign. People at a terminal are asked before each attempt, and nothing is
    /// repeated unless they say so.
    pub(crate) fn sign(
        &self,
        run: &Run,
        asked: &ToSign,
        asking: &mut Asking<'_>,
    ) -> Result<Signed, Halt> {
        #[cfg(test)]
        if crate::simulator::is_on() {
            use crate::simulator::OfCard;
            match crate::simulator::sign(run, &asked.person) {
                OfCard::Signs => {}
                OfCard::Fails => return Ok(Signed::Failed("simulated".into())),
                OfCard::Objects => return Ok(Signed::Objects),
            }
        }
        if run.is_derived(&asked.person) {
            let ca = run.compiled().graph.ca_name().der();
            let raw = token::sign_as(ca, &asked.person, &asked.message);
            let raw = raw.ok_or_else(|| Halt::Bug(unsigned(asked, Bilingual::none())))?;
            return verified(asked, raw).map_err(Halt::Bug);
        }
        let who = named(run, &asked.person, asking.lang);
        let unasked = pick(asking.lang, "カードに署名を求める前の申し出", "the card was not asked");
        let mut reason = unasked.to_string();
        loop {
            match asking.whether(&who)? {
                AtCard::GoesOn => {}
                AtCard::Objects => return Ok(Signed::Objects),
                AtCard::Failed => return Ok(Signed::Failed(reason)),
            }
            let given = match self.find(asked) {
                Err(fault) => Err(fault),
                Ok(card) => match asking.card(&card, &who, asked)? {
                    Given::Said(AtCard::GoesOn) => continue,
                    Given::Said(AtCard::Objects) => return Ok(Signed::Objects),
                    Given::Said(AtCard::Failed) => return Ok(Signed::Failed(reason)),
                    Given::Answer(Ok(raw)) => verified(asked, raw),
                    Given::Answer(Err(error)) => Err(unsigned(asked, failed(&error))),
                },
            };
            match given {
                Ok(signed) => return Ok(signed),
                Err(fault) if asking.people.can_answer_again() => {
                    asking.tell(&who, &fault);
                    reason = ceremony::run::as_words(&fault.found.en);
                }
                Err(fault) => return Err(Halt::Interrupted(fault)),
            }
        }
    }

    /// Finds the card with the person's key in one of the readers.
    fn find(&self, asked: &ToSign) -> Result<Card, Fault> {
        for module in &self.modules {
            match module.card(&asked.key) {
                Ok(Some(card)) => return Ok(card),
                Ok(None) => {}
                Err(error) => return Err(unsigned(asked, error.said())),
            }
        }
        let found = match self.modules.is_empty() {
            true => says!(
                "カードのモジュールのない実施場所(room.toml の [[cards]])",
                "a room without a module for cards ([[cards]] in room.toml)"
            ),
            false => {
                says!("リーダーにないカード", "no reader that has this card")
            }
        };
        Err(unsigned(asked, found))
    }
}

fn unsigned(asked: &ToSign, found: Bilingual) -> Fault {
    let (who, key) = (&asked.person, asked.key.spki_digest().to_string());
    let key = key.get(..16).unwrap_or(&key).to_string();
    let asked =
        says!("{who} のカード(鍵 {key}…)の署名", "a signature by the card of {who}, key {key}…");
    Fault::new(RuleId::S_SIGNED, asked, found)
}

/// The halt for a signature outside a ceremony that a person's card does not give.
pub(crate) fn unsigned_by(who: &Name, found: Bilingual) -> Halt {
    let asked = says!("{who} のカードの署名", "a signature by the card of {who}");
    Halt::Token(Fault::new(RuleId::S_SIGNED, asked, found))
}

/// Outside a ceremony: finds the person's card behind this module, asks for its PIN, and has it
/// sign. The signature is still to be verified.
pub(crate) fn by_card(
    asked: &ToSign,
    behind: &Path,
    pin_fd: Option<u32>,
    lang: Lang,
) -> Result<Octets, Halt> {
    let person = &asked.person;
    let unsigned = |found: Bilingual| unsigned_by(person, found);
    let card = module(behind, None)?.card(&asked.key).map_err(|error| unsigned(error.said()))?;
    let none = || {
        unsigned(says!(
            "リーダーにないカード。{person} のカードを入れるか、--module でカードのモジュールを指定する。`gishiki roster cards` があるカードを示す",
            "no reader that has this card: insert the card of {person}, or name its module with --module; `gishiki roster cards` shows the cards that are there"
        ))
    };
    let card = card.ok_or_else(none)?;
    let mut pin = PinSource::of(pin_fd);
    let raw = ask_card(&card, person.as_str(), &asked.message, &mut pin, lang)?;
    raw.map_err(|error| unsigned(failed(&error)))
}

fn verified(asked: &ToSign, raw: Octets) -> Result<Signed, Fault> {
    let check = asked.check(&raw)?;
    match prove(std::slice::from_ref(&check)) {
        Ok(proofs) => match proofs.into_iter().next() {
            Some(proof) => Ok(Signed::Yes(raw, proof)),
            None => Err(unsigned(asked, Bilingual::none())),
        },
        Err((_, error)) => Err(unsigned(asked, error.said())),
    }
}

impl Asking<'_> {
    /// Asks people at a terminal whether a card is to sign now. What they type is not shown: it may
    /// be a PIN, typed too early. Nobody else is asked.
    fn whether(&self, who: &str) -> Result<AtCard, Halt> {
        if !self.people.can_answer_again() {
            return Ok(AtCard::GoesOn);
        }
        let mut keys = PinSource::Terminal;
        keys.tell(pick(
            self.lang,
            "   カードを入れて Enter(次に PIN を尋ねます)。署名しないなら no(いいえ)、カードが使えないなら failed(不調)。\n   ここで入力するものは画面に出ません。(中断するには Ctrl-D)\n",
            "   Insert the card and press Enter; its PIN is asked for next. no: this is not to be signed. failed: the card does not work.\n   What is typed here is not shown. (to leave: Ctrl-D)\n",
        ))?;
        let prompt = match self.lang {
            Lang::Ja => format!("{who} のカード。Enter、no(いいえ)、failed(不調)のどれか: "),
            Lang::En => format!("card of {who}; Enter, no or failed: "),
        };
        loop {
            if let Some(said) = at_card(keys.line(&prompt)?.octets()) {
                return Ok(said);
            }
            keys.tell(pick(
                self.lang,
                "   ✗ Enter だけ、no(いいえ)、failed(不調)のどれかで答えてください。PIN は Enter の後に尋ねます。入力したものは表示も記録もせず、カードにも渡していません\n",
                "   ✗ press Enter alone, or type no or failed; the PIN is asked for after Enter. What was typed is neither shown nor recorded, and the card did not get it\n",
            ))?;
        }
    }

    fn card(&mut self, card: &Card, who: &str, asked: &ToSign) -> Result<Given, Halt> {
        let sign = |pin| Given::Answer(card.sign(&asked.message, pin).map(Octets));
        let Some(source) = self.pin.as_deref_mut() else { return Ok(sign(None)) };
        let prompt = match pin_prompt(card, who, self.lang) {
            Err(error) => return Ok(Given::Answer(Err(error))),
            Ok(None) => return Ok(sign(None)),
            Ok(Some(prompt)) => prompt,
        };
        if !(self.people.can_answer_again() && source.is_terminal()) {
            return Ok(sign(Some(&source.take(&prompt, self.lang)?)));
        }
        let typed = source.line(&prompt)?;
        Ok(at_card(typed.octets()).map_or_else(|| sign(Some(&typed)), Given::Said))
    }

    /// Tells people at a terminal why there is no signature.
    fn tell(&self, who: &str, fault: &Fault) {
        let found = report::plain(self.lang.said(&fault.found));
        report::tell(&match self.lang {
            Lang::Ja => format!("\n!! {who} のカードの署名がありません: {found}"),
            Lang::En => format!("\n!! There is no signature by the card of {who}: {found}"),
        });
    }
}

/// What the prompt for a card's PIN brought.
enum Given {
    /// What the card answered.
    Answer(Result<Octets, TokenError>),
    /// What people said instead of a PIN; the card was not asked.
    Said(AtCard),
}

/// Asks for the card's PIN, as the card takes it, and has it sign once.
pub(crate) fn ask_card(
    card: &Card,
    who: &str,
    message: &[u8],
    source: &mut PinSource,
    lang: Lang,
) -> Result<Result<Octets, TokenError>, Halt> {
    let pin = match pin_prompt(card, who, lang) {
        Err(error) => return Ok(Err(error)),
        Ok(None) => None,
        Ok(Some(prompt)) => Some(source.take(&prompt, lang)?),
    };
    Ok(card.sign(message, pin.as_ref()).map(Octets))
}

/// The prompt for a card's PIN, after what the card says of it; `None` if the PIN is entered at the
/// card's own device.
fn pin_prompt(card: &Card, who: &str, lang: Lang) -> Result<Option<String>, TokenError> {
    let entry = card.entry()?;
    let (label, serial) = (report::plain(&card.name.0), report::plain(&card.name.1));
    let prompt = match lang {
        Lang::Ja => format!("{who} のカード(ラベル {label}、製造番号 {serial})の PIN"),
        Lang::En => format!("PIN of the card of {who}, label {label}, serial {serial}"),
    };
    for line in said_of_pin(entry, lang) {
        report::tell(&format!("☞ {prompt}: {line}"));
    }
    if entry.tries == Tries::Locked {
        let locked = Bilingual::plain("CKF_USER_PIN_LOCKED");
        return Err(TokenError::new("C_GetTokenInfo", locked));
    }
    Ok((!entry.at_the_device).then(|| format!("{prompt}: ")))
}

/// The name of a person, and their id.
pub(crate) fn named(run: &Run, person: &Name, lang: Lang) -> String {
    let name = run.graph().people().get(person).map(|known| lang.said(&known.name).to_string());
    name.map_or_else(|| person.to_string(), |name| format!("{name} ({person})"))
}
