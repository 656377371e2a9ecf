//! `roster`: shows the cards in the readers, and signs what is new in a roster.
//!
//! Who is enrolled and who must sign is said by the core ([`ceremony::register`]). This file finds
//! cards, asks for PINs and writes signatures into the roster, behind everything else in it.

use std::collections::BTreeSet;
use std::path::Path;

use ceremony::fault::Fault;
use ceremony::hex::{Octets, encode};
use ceremony::name::Name;
use ceremony::register::{Enrolling, enrolling, listed};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::verify::Trust;
use ceremony::words;
use token::Shown;

use crate::args::{CardsThere, Enrol, RosterCommand};
use crate::cards::{ask_card, unsigned_by as unsigned};
use crate::halt::Halt;
use crate::lang::{Lang, language, pick};
use crate::report::{plain, print, tell};
use crate::secrets::PinSource;
use crate::sources::{Sources, shown};
use crate::tokens::{failed, module};
use crate::{files, ledgers, partial};

/// Performs a subcommand of `roster`.
pub(crate) fn perform(command: &RosterCommand, lang: Lang) -> Result<(), Halt> {
    match command {
        RosterCommand::Cards(asked) => cards(asked, lang),
        RosterCommand::Enrol(asked) => enrol(asked, lang),
    }
}

fn cards(asked: &CardsThere, lang: Lang) -> Result<(), Halt> {
    let found = module(&asked.module, None)?.cards().map_err(|error| {
        let asked = says!("リーダーの一覧", "a list of the readers");
        Halt::Token(Fault::new(RuleId::S_TOKEN, asked, error.said()))
    })?;
    let mut text = String::new();
    for Shown { label, serial, keys } in found {
        text.push_str(&format!("{} ({})\n", plain(&label), plain(&serial)));
        if keys.is_empty() {
            let none = pick(lang, "P-256 か P-384 の公開鍵なし", "no public key on P-256 or P-384");
            text.push_str(&format!("  {none}\n"));
        }
        for key in keys {
            text.push_str(&format!("  public-key = \"{key}\"\n"));
        }
    }
    if text.is_empty() {
        text.push_str(pick(
            lang,
            "カードなし。カードをリーダーに入れてもう一度行う。入れてもないなら、--module がそのカードのモジュールかを確かめる\n",
            "no card: insert one and run it again; if it is in a reader, check that --module is the module of such cards\n",
        ));
    }
    print(&text)
}

fn enrol(asked: &Enrol, lang: Lang) -> Result<(), Halt> {
    let sources = Sources::read(&asked.plan)?;
    let (path, text) = sources.roster.clone();
    let inputs = sources.inputs()?;
    let (after, ledger) = (inputs.plan.after.get_ref(), asked.ledger.as_deref());
    let state = ledgers::state_before(&asked.plan, after, ledger, &Trust::None)?;
    let open = enrolling(&inputs, &state);
    let one = open.iter().find(|one| *one.person == asked.person);
    let one = one.ok_or_else(|| nothing_to_enrol(asked, state.last.is_none()))?;
    tell(&described(one, lang));
    let module = module(&asked.module, None)?;
    let mut pin = PinSource::of(asked.pin_fd);
    let mut signed = kept(one, &inputs.roster);
    let mut tried = BTreeSet::new();
    while let Some(signer) = next_signer(one, &signed, &tried) {
        tried.insert(signer.clone());
        let Some(key) = one.key_of(&signer) else { continue };
        let card = module.card(key).map_err(|error| unsigned(&signer, error.said()))?;
        let Some(card) = card else { continue };
        let raw = ask_card(&card, signer.as_str(), &one.message(), &mut pin, lang)?;
        let Octets(raw) = raw.map_err(|error| unsigned(&signer, failed(&error)))?;
        if !one.holds(&signer, &raw) {
            let found =
                says!("この鍵で正しくない署名", "a signature that this key does not verify");
            return Err(unsigned(&signer, found));
        }
        tell(&format!("✓ {signer}"));
        signed.push((signer, raw));
    }
    let written = with_enrolment(&String::from_utf8_lossy(&text), one, &signed);
    if written.as_bytes() != text {
        partial::put(&path, written.as_bytes()).map_err(|error| {
            let asked = says!("書き込める {}", "{}, to be written", shown(&path));
            Halt::media(RuleId::S_FILE, asked, files::said(&error))
        })?;
    }
    report(asked, &path, lang)
}

/// Reads the roster again, and says whose signatures are still missing.
fn report(asked: &Enrol, path: &Path, lang: Lang) -> Result<(), Halt> {
    let inputs = Sources::read(&asked.plan)?.inputs()?;
    let (after, ledger) = (inputs.plan.after.get_ref(), asked.ledger.as_deref());
    let state = ledgers::state_before(&asked.plan, after, ledger, &Trust::None)?;
    let open = enrolling(&inputs, &state);
    let one = open.iter().find(|one| *one.person == asked.person);
    let person = &asked.person;
    match one.and_then(Enrolling::missing) {
        None => print(&match lang {
            Lang::Ja => format!("登録が揃った: {person}({})\n", shown(path)),
            Lang::En => format!("enrolled: {person}, in {}\n", shown(path)),
        }),
        Some(missing) => {
            let asked = says!("{person} の登録の署名", "the signatures of {person}'s enrolment");
            let found = says!(missing; "不足: {missing}", "missing: {missing}");
            let advice = says!(
                "そのカードを入れて、もう一度行う。ここまでの署名は任命簿に書いてある",
                "insert those cards and run it again; the signatures so far are in the roster"
            );
            Err(Halt::asked(RuleId::S_REGISTER, asked, found, advice))
        }
    }
}

fn nothing_to_enrol(asked: &Enrol, is_first: bool) -> Halt {
    let person = &asked.person;
    let wanted = says!("登録すべき {person}", "{person}, to be enrolled");
    let (found, advice) = match is_first {
        true => (
            says!("最初のセレモニーの計画", "the plan of a first ceremony"),
            says!(
                "最初の任命簿は、紙に署名する bindings とアンカーが固定する",
                "the first roster is pinned by the bindings, which are signed on paper, and the anchor"
            ),
        ),
        false => (
            says!(
                "台帳の任命簿と同じか、任命簿にない者",
                "somebody who is in the ledger's register as they are, or not in the roster"
            ),
            says!("先に任命簿を書き改める", "change the entry in the roster first"),
        ),
    };
    Halt::asked(RuleId::S_REGISTER, wanted, found, advice)
}

/// What is signed, for people who are about to sign it.
fn described(one: &Enrolling<'_>, lang: Lang) -> String {
    let entry = one.entry;
    let roles: Vec<&str> = entry.roles.iter().map(|role| role.get_ref().as_str()).collect();
    let name = entry.said();
    let (organization, key) = (entry.organization.get_ref(), entry.credential.public_key.get_ref());
    let (after, id, roles) = (one.after, one.person, roles.join(", "));
    let words = words::own(&after.0, language(lang)).join("\n    ");
    let signers = listed(&one.needed());
    let (name, signers) = (lang.said(&name).to_string(), lang.said(&signers));
    match lang {
        Lang::Ja => format!(
            "登録: {id} {name}\n  組織 {organization}、役割 {roles}\n  公開鍵 {key}\n  台帳の最新値 {after} の後\n    {words}\n  署名する者: {signers}"
        ),
        Lang::En => format!(
            "enrolment of {id} {name}\n  organisation {organization}, roles {roles}\n  public key {key}\n  after the ledger's head {after}\n    {words}\n  signed by {signers}"
        ),
    }
}

/// Who is asked next: somebody of whom a signature is missing, who was not asked yet.
fn next_signer(
    one: &Enrolling<'_>,
    signed: &[(Name, Vec<u8>)],
    tried: &BTreeSet<Name>,
) -> Option<Name> {
    let signed: BTreeSet<Name> = signed.iter().map(|(id, _)| id.clone()).collect();
    let mut open = one.open(&signed).into_iter().flatten();
    open.find(|id| !tried.contains(id) && !signed.contains(id))
}

/// The signatures that the roster has already and that hold.
fn kept(one: &Enrolling<'_>, roster: &ceremony::roster::Roster) -> Vec<(Name, Vec<u8>)> {
    let made = roster.enrolment.get(one.person);
    let signed = made.into_iter().flat_map(|made| &made.signed);
    let held = one.signed();
    let held = signed.filter(|(id, _)| held.contains(*id));
    held.map(|(id, raw)| (id.clone(), raw.get_ref().0.clone())).collect()
}

/// Returns a roster's text with this enrolment behind everything else, in the place of an earlier
/// one of the same person.
fn with_enrolment(text: &str, one: &Enrolling<'_>, signed: &[(Name, Vec<u8>)]) -> String {
    if signed.is_empty() {
        return text.to_string();
    }
    let own = format!("[enrolment.{}", one.person);
    let is_own = |line: &str| {
        line.strip_prefix(&own).is_some_and(|rest| rest.starts_with(']') || rest.starts_with('.'))
    };
    let mut out = String::new();
    let mut skips = false;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            skips = is_own(line);
        }
        if !skips {
            out.push_str(line);
        }
    }
    let (id, after) = (one.person, one.after);
    let body = out.trim_end();
    let mut out =
        format!("{body}\n\n[enrolment.{id}]\nafter = \"{after}\"\n\n[enrolment.{id}.signed]\n");
    for (signer, raw) in signed {
        out.push_str(&format!("{signer} = \"{}\"\n", encode(raw)));
    }
    out
}
