//! Which records count, by register and policy of their time. Cards are keys that only these tests
//! derive.

use std::sync::Arc;

use ceremony::calendar::{Doers, Done, Weighed, Written};
use ceremony::hex::{Digest, Octets};
use ceremony::ledger::{Last, State};
use ceremony::name::Name;
use ceremony::policy::Policy;
use ceremony::record::Predecessor;
use ceremony::roster::{PersonEntry, Register, Registered, Roster};
use ceremony::time::Instant;

use super::{policy, roster};
use crate::people::with_cards;

/// In the place of a CA's Name: the cards that people have first, and those that come later.
const FIRST: &[u8] = b"first cards of the tests";
const SECOND: &[u8] = b"second cards of the tests";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn noon(day: &str) -> Instant {
    at(&format!("{day}T12:00:00+09:00"))
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn read(cards: &[u8], policy: &str, change: impl Fn(String) -> String) -> (Policy, Roster) {
    let roster = with_cards(&roster(), |id| ceremony::rehearsal::key_of(cards, id));
    let roster = Roster::parse(change(roster).as_bytes()).unwrap();
    (Policy::parse(policy.as_bytes()).unwrap(), roster)
}

/// The people of the roster at hand, without a ledger.
fn doers() -> Doers {
    let (policy, roster) = read(FIRST, &policy(), |text| text);
    Doers::of(&policy, &roster, &[]).unwrap()
}

fn done(person: &str, day: &str) -> Done {
    let evidence = vec![("report \"1\".txt".to_string(), Digest::of(b"report"))];
    let note = Some("第 1 回: \\ nothing irregular".to_string());
    let (on, at) = (day.parse().unwrap(), noon(day));
    Done { duty: name("log-inspection"), on, person: name(person), at, note, evidence }
}

/// The octets that are signed, put together from docs/duties.md.
fn message(ca: &str, done: &Done) -> Vec<u8> {
    let evidence = done.evidence.iter();
    let evidence: Vec<serde_json::Value> = evidence
        .map(|(file, sha256)| serde_json::json!({ "file": file, "sha256": sha256.to_string() }))
        .collect();
    let mut payload = serde_json::json!({
        "at": done.at.to_string(), "ca": ca, "duty": done.duty.as_str(), "evidence": evidence,
        "on": done.on.to_string(), "person": done.person.as_str(),
    });
    if let Some(note) = &done.note {
        payload["note"] = note.as_str().into();
    }
    let (payload, kind) = (payload.to_string(), "application/vnd.gishiki.duty-done.v1+json");
    format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len()).into_bytes()
}

/// The text of a record that this person signed with one of these cards.
fn signed(cards: &[u8], done: &Done) -> String {
    let raw = token::sign_as(cards, &done.person, &message("mdoc-root", done)).unwrap();
    done.text(&name("mdoc-root"), &raw)
}

/// What the record is worth, or the rule that refuses it and what was found.
fn weigh(doers: &Doers, file: &str, text: &str, now: Instant) -> Result<Weighed, (String, String)> {
    let written = Written::parse(text.as_bytes()).unwrap();
    doers.weigh(file, &written, now).map_err(|fault| {
        for said in [&fault.asked, &fault.found] {
            assert!(!said.ja.is_empty() && said.ja != said.en, "{fault}");
        }
        (fault.rule.to_string(), fault.found.en.clone())
    })
}

#[test]
fn a_record_comes_back_as_it_was_written() {
    let now = noon("2026-06-01");
    for (note, evidence) in [(true, true), (false, true), (true, false), (false, false)] {
        let mut one = done("p13", "2026-05-01");
        one.note = one.note.filter(|_| note);
        one.evidence.retain(|_| evidence);
        assert_eq!(one.file(), "2026-05-01.log-inspection.p13.toml");
        let text = signed(FIRST, &one);
        assert_eq!(Written::parse(text.as_bytes()).unwrap().done(), one);
        assert_eq!(weigh(&doers(), &one.file(), &text, now), Ok(Weighed::InRoster));
        // What a card is given to sign is what is documented.
        let asked = doers().to_sign(&one).unwrap();
        assert_eq!(asked.message, message("mdoc-root", &one));
        assert_eq!(asked.key, ceremony::rehearsal::key_of(FIRST, &name("p13")));
    }
}

#[test]
fn whatever_is_wrong_with_a_record_is_refused() {
    let (doers, now) = (doers(), noon("2026-06-01"));
    let one = done("p13", "2026-05-01");
    let (file, own) = (one.file(), signed(FIRST, &one));
    let refused = |file: &str, text: &str, rule: &str, words: &str| {
        let (found, said) = weigh(&doers, file, text, now).unwrap_err();
        assert!(found == rule && said.contains(words), "{found} {said}\n{text}");
    };
    let sha256 = Digest::of(b"report").to_string();
    // Each entry is signed.
    for (from, to, name) in [
        ("on     = 2026-05-01", "on     = 2026-04-30", "2026-04-30.log-inspection.p13.toml"),
        ("T12:00:00", "T12:00:01", &file),
        ("nothing irregular", "nothing  irregular", &file),
        ("report \\\"1\\\"", "report \\\"2\\\"", &file),
        (sha256.as_str(), &Digest::of(b"another").to_string(), &file),
    ] {
        let text = own.replace(from, to);
        assert_ne!(text, own);
        refused(name, &text, "S-SIGNED", "");
    }
    let evidence = own.find("\n[[evidence]]").unwrap();
    refused(&file, &own[..evidence], "S-SIGNED", "");
    // Another's card, no signature of the curve, and another CA's record.
    let other = done("p03", "2026-05-01");
    let raw = token::sign_as(FIRST, &name("p03"), &message("mdoc-root", &one)).unwrap();
    refused(&file, &one.text(&name("mdoc-root"), &raw), "S-SIGNED", "");
    refused(&file, &one.text(&name("mdoc-root"), &Octets(vec![1; 63])), "S-SIGNED", "63");
    let raw = token::sign_as(FIRST, &name("p13"), &message("other", &one)).unwrap();
    refused(&file, &one.text(&name("mdoc-root"), &raw), "S-SIGNED", "");
    refused(&file, &one.text(&name("other"), &raw), "S-DONE", "move it to the folder of other");
    // The wrong role, nobody, another name, a copy, a time yet to come, a day yet to come.
    let words = "p03, who has the role operations-manager of digital-agency";
    refused(&other.file(), &signed(FIRST, &other), "S-DONE", words);
    let nobody = done("p99", "2026-05-01");
    refused(&nobody.file(), &signed(FIRST, &nobody), "S-DONE", "not in the roster");
    refused("2026-05-01.log-inspection.p13 2.toml", &own, "S-DONE", "delete a copy");
    let later = done("p13", "2026-06-02");
    refused(&later.file(), &signed(FIRST, &later), "S-DONE", "check the day, and the clocks");
    let mut ahead = done("p13", "2026-05-01");
    ahead.on = "2026-05-02".parse().unwrap();
    refused(&ahead.file(), &signed(FIRST, &ahead), "S-DONE", "done on 2026-05-02");
    // A key that everyone can compute.
    let public = crate::people::ca_name();
    let (policy, sample) = (Policy::parse(policy().as_bytes()), Roster::parse(&roster()));
    let known = Doers::of(&policy.unwrap(), &sample.unwrap(), &[]).unwrap();
    let found = weigh(&known, &file, &signed(&public, &one), now).unwrap_err();
    assert_eq!(found.0, "S-REHEARSAL-KEY");
    // An organisation that is not the one whose duty it is, and the one that is.
    for (person, good) in [("p01", false), ("p02", true)] {
        let mut review = done(person, "2026-05-01");
        review.duty = name("review");
        let found = weigh(&doers, &review.file(), &signed(FIRST, &review), now);
        assert_eq!(found.is_ok(), good, "{found:?}");
    }
}

/// The state that a ceremony left at a time: with everybody's cards of these, and this policy.
fn state(ended: &str, cards: &[u8], policy: &str, change: impl Fn(&mut Register)) -> Arc<State> {
    let (_, roster) = read(cards, policy, |text| text);
    let known = |one: &PersonEntry| Registered {
        name: one.name.get_ref().clone(),
        name_ja: one.name_ja.as_ref().map(|name| name.get_ref().clone()),
        key: one.credential.public_key.get_ref().clone(),
        organization: one.organization.get_ref().clone(),
        roles: one.roles.iter().map(|role| role.get_ref().clone()).collect(),
        ended: None,
    };
    let mut register: Register =
        roster.person.iter().map(|(id, one)| (id.clone(), known(one))).collect();
    change(&mut register);
    let zero = Digest::of(b"");
    let last = Last {
        ceremony: name("some"),
        sequence: 1,
        predecessor: Predecessor { head: zero, postscript: zero },
        ended_at: noon(ended),
        abandoned: None,
    };
    let mut state = State::default();
    state.register = Arc::new(register);
    state.last = Some(last);
    state.policy = Some(policy.into());
    Arc::new(state)
}

/// A card that was withdrawn, a role that was given up, an appointment that ended and a duty that
/// was another's count for their time, and for no other.
#[test]
fn what_was_valid_then_stays_valid() {
    let now = noon("2026-12-31");
    let before = policy();
    // Two ceremonies with the first cards; then all have new ones, and p13 has left.
    let history = [
        state("2026-04-01", FIRST, &before, |_| {}),
        state("2026-07-01", FIRST, &before, |_| {}),
        state("2026-10-01", SECOND, &before, |register| {
            register.get_mut(&name("p13")).unwrap().ended = Some("2026-09-15".parse().unwrap());
        }),
    ];
    let later = before.replace("by      = [\"auditor\"]", "by      = [\"systems-engineer\"]");
    let (policy, roster) = read(SECOND, &later, |text| {
        let (head, p13) = text.split_once("[person.p13]").unwrap();
        format!("{head}[person.p13]\nended = 2026-09-15{p13}")
    });
    let doers = Doers::of(&policy, &roster, &history).unwrap();
    let weighed = |cards: &[u8], person: &str, day: &str| {
        let one = done(person, day);
        weigh(&doers, &one.file(), &signed(cards, &one), now).map_err(|(rule, _)| rule)
    };
    let refused = |rule: &str| Err(rule.to_string());
    for (cards, person, day, expected) in [
        // The auditor's first card, before the first ceremony and after the second.
        (FIRST, "p13", "2026-03-20", Ok(Weighed::Registered)),
        (FIRST, "p13", "2026-05-01", Ok(Weighed::Registered)),
        (FIRST, "p13", "2026-08-01", Ok(Weighed::Registered)),
        // The next ceremony's register has the new card, which came between.
        (SECOND, "p13", "2026-08-01", Ok(Weighed::Registered)),
        (SECOND, "p13", "2026-06-30", refused("S-SIGNED")),
        // After the third the old card signs nothing, and who left nothing at all.
        (FIRST, "p13", "2026-10-02", refused("S-DONE")),
        (SECOND, "p13", "2026-10-02", refused("S-DONE")),
        // Whose duty it is now, it was not then.
        (SECOND, "p08", "2026-10-02", Ok(Weighed::Registered)),
        (FIRST, "p08", "2026-05-01", refused("S-DONE")),
        (FIRST, "p08", "2026-10-02", refused("S-SIGNED")),
    ] {
        assert_eq!(weighed(cards, person, day), expected, "{person} {day}");
    }
    // A card that only the roster at hand has counts, and is named.
    let (policy, roster) = read(b"third cards", &later, |text| text);
    let doers = Doers::of(&policy, &roster, &history).unwrap();
    let one = done("p08", "2026-10-02");
    let found = weigh(&doers, &one.file(), &signed(b"third cards", &one), now);
    assert_eq!(found, Ok(Weighed::InRoster));
    // A duty that no policy of that time had is none.
    let mut other = done("p08", "2026-10-02");
    other.duty = name("nothing");
    let found = weigh(&doers, &other.file(), &signed(SECOND, &other), now);
    assert_eq!(found, Ok(Weighed::NoDuty));
}
