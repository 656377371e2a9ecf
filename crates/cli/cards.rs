//! The cards of people: finds each by its key, asks for its PIN, and has it sign.
//!
//! A person whose key everyone can compute has no card: in a rehearsal, and in a drill with such a
//! roster, this program signs in their place, and the signature proves nothing.

use std::io::Write as _;
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
use crate::people::{People, is_no};
use crate::pins::{Form, obtain};
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
    /// Has a person sign. Nothing is repeated unless people say so.
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
        loop {
            let fault = match self.find(asked) {
                Err(fault) => fault,
                Ok(card) => match asking.card(&card, asked)? {
                    Ok(raw) => match verified(asked, raw) {
                        Ok(signed) => return Ok(signed),
                        Err(fault) => fault,
                    },
                    Err(error) => unsigned(asked, failed(&error)),
                },
            };
            let Some(answer) = once_more(run, asked, &fault, asking)? else {
                return Err(Halt::Interrupted(fault));
            };
            match answer.trim() {
                "failed" | "不調" => {
                    return Ok(Signed::Failed(ceremony::run::as_words(&fault.found.en)));
                }
                text if is_no(text) => return Ok(Signed::Objects),
                _ => {}
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
    let raw = ask_card(&card, person, &asked.message, Some(&mut pin), lang)?;
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
    fn card(&mut self, card: &Card, asked: &ToSign) -> Result<Result<Octets, TokenError>, Halt> {
        ask_card(card, &asked.person, &asked.message, self.pin.as_deref_mut(), self.lang)
    }
}

/// Asks for the card's PIN, as the card takes it, and has it sign once.
pub(crate) fn ask_card(
    card: &Card,
    who: &Name,
    message: &[u8],
    pin: Option<&mut PinSource>,
    lang: Lang,
) -> Result<Result<Octets, TokenError>, Halt> {
    let entry = match card.entry() {
        Ok(entry) => entry,
        Err(error) => return Ok(Err(error)),
    };
    let prompt = match lang {
        Lang::Ja => format!("{who} のカード「{}」の PIN", card.name.0),
        Lang::En => format!("PIN of {who}'s card `{}`", card.name.0),
    };
    for line in said_of_pin(entry, lang) {
        let _ = writeln!(std::io::stderr(), "☞ {prompt}: {line}");
    }
    if entry.tries == Tries::Locked {
        return Ok(Err(TokenError::new("C_GetTokenInfo", Bilingual::plain("CKF_USER_PIN_LOCKED"))));
    }
    let pin = match (entry.at_the_device, pin) {
        (false, Some(source)) => Some(obtain(source, &Form::Typed, &prompt, lang)?),
        (true, _) | (false, None) => None,
    };
    Ok(card.sign(message, pin.as_ref()).map(Octets))
}

/// Tells what went wrong, and lets people choose; `None` if nobody can be asked.
fn once_more(
    run: &Run,
    asked: &ToSign,
    fault: &Fault,
    asking: &mut Asking<'_>,
) -> Result<Option<String>, Halt> {
    let (lang, who) = (asking.lang, named(run, &asked.person, asking.lang));
    let found = report::plain(lang.said(&fault.found));
    let shown = match lang {
        Lang::Ja => format!(
            "\n!! {who} のカードの署名がありません: {found}\n   カードを入れ直して Enter でもう一度。署名しないなら no。カードが使えないなら「不調」。\n"
        ),
        Lang::En => format!(
            "\n!! There is no signature by the card of {who}: {found}\n   Insert it and press Enter to ask again; no, if it is not to be signed; failed, if the card does not work.\n"
        ),
    };
    let prompt = pick(lang, "Enter/no/不調: ", "Enter/no/failed: ");
    asking.people.choose(&shown, prompt)
}

/// The name of a person, and their id.
pub(crate) fn named(run: &Run, person: &Name, lang: Lang) -> String {
    let name = run.graph().people().get(person).map(|known| lang.said(&known.name).to_string());
    name.map_or_else(|| person.to_string(), |name| format!("{name} ({person})"))
}
