//! What people of the sample CA sign. In rehearsals, and in drills with the sample's roster, their
//! keys are derived, so tests sign in their place; the octets are put together here once more, from
//! the records' text alone.

use std::collections::{BTreeMap, BTreeSet};

use ceremony::compile::Compiled;
use ceremony::fault::Fault;
use ceremony::hex::Octets;
use ceremony::key::PublicKey;
use ceremony::name::Name;
use ceremony::record::{Approved, Event, Mode, Record, Signatures};
use ceremony::roster::Roster;
use ceremony::run::{Run, Step, ToSign};
use ceremony::time::Instant;
use serde_json::{Value, json};

/// The Name of the sample CA in DER.
pub(crate) fn ca_name() -> Vec<u8> {
    crate::walk::compiled().graph.ca_name().der().to_vec()
}

/// In the place of a CA's Name: keys that are derived from it are no rehearsal keys of any CA.
const CARDS: &[u8] = b"cards of the tests";

/// The public key of a card that only the tests have.
pub(crate) fn card(person: &Name) -> PublicKey {
    ceremony::rehearsal::key_of(CARDS, person)
}

/// The release of a program that names itself `0.1.0`.
pub(crate) const RELEASE: &str = "format = 1
tool   = \"0.1.0\"
image  = \"abababababababababababababababababababababababababababababababab\"
tests  = \"abababababababababababababababababababababababababababababababab\"
";

/// A roster with the keys of such cards in the place of the sample's.
pub(crate) fn with_cards(roster: &[u8], keys: impl Fn(&Name) -> PublicKey) -> String {
    let text = String::from_utf8(roster.to_vec()).unwrap();
    let mut out = text.clone();
    for (id, person) in &Roster::parse(roster).unwrap().person {
        let before = person.credential.public_key.get_ref().to_string();
        out = out.replace(&before, &keys(id).to_string());
    }
    assert_ne!(out, text);
    out
}

/// The signatures that this run asks for before it takes this event.
pub(crate) fn signed(run: &Run, event: &Event) -> Signatures {
    let sign = |one: ceremony::run::ToSign| {
        let by = if one.key == card(&one.person) { CARDS } else { run.graph().ca_name().der() };
        let raw = token::sign_as(by, &one.person, &one.message).unwrap();
        (one.person, raw)
    };
    run.to_sign(event).into_iter().map(sign).collect()
}

/// What a person signs of an event behind these lines of a record, by docs/transcript-format.md.
pub(crate) fn message(lines: &[String], event: &Event, person: &Name) -> Vec<u8> {
    let opened = Record::read(&lines[0]).unwrap();
    let Event::Opened(opened) = opened.event else { panic!("the first record opens it") };
    let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    let payload = json!({
        "bindings": opened.bindings, "ca": "mdoc-root", "ceremony": opened.ceremony.as_str(),
        "event": event, "graph": opened.graph, "head": last["chain"], "person": person.as_str(),
    });
    let payload = payload.to_string();
    let kind = "application/vnd.gishiki.act.v1+json";
    format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len()).into_bytes()
}

/// The signatures of everybody whom an event names, behind these lines.
pub(crate) fn signed_after(lines: &[String], event: &Event) -> Signatures {
    let (ca, is_noted) = (ca_name(), matches!(event, Event::Noted { .. }));
    let sign = |person: &Name| -> (Name, Octets) {
        let raw = token::sign_as(&ca, person, &message(lines, event, person)).unwrap();
        (person.clone(), raw)
    };
    let people = event.people().iter().filter(|_| !is_noted);
    people.map(sign).collect()
}

/// Applies an event that everybody signs who must.
pub(crate) fn apply(run: Run, at: Instant, event: Event) -> Result<Step, Fault> {
    let signed = signed(&run, &event);
    run.apply(at, event, signed)
}

/// The approvals that a real ceremony of this plan needs, by the cards of the tests; else none.
pub(crate) fn approvals(compiled: &Compiled, at: Instant) -> BTreeMap<Name, Approved> {
    if compiled.graph.mode() != Mode::Real {
        return BTreeMap::new();
    }
    let by: BTreeSet<&Name> =
        compiled.approvals.needed.iter().filter_map(|one| one.by.first()).collect();
    by.into_iter().map(|person| (person.clone(), approval(compiled, person, at))).collect()
}

/// The approval of a plan by a card of the tests.
pub(crate) fn approval(compiled: &Compiled, person: &Name, at: Instant) -> Approved {
    let asked = ToSign::approval(compiled, person, at).unwrap();
    Approved { at, signed: token::sign_as(CARDS, person, &asked.message).unwrap() }
}
