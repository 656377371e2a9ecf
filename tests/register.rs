//! The register: whoever comes after the first ceremony is enrolled by the cards of those who were
//! in it before.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use ceremony::compile::compile;
use ceremony::inputs::{Documents, Inputs};
use ceremony::key::{Curve, Signature};
use ceremony::ledger::State;
use ceremony::name::Name;
use ceremony::record::Mode;
use ceremony::register::enrolling;
use ceremony::rule::RuleId;
use ceremony::violation::Violation;

use crate::bad_input::refused;
use crate::cards::{Held, make_card};
use crate::second::second;
use crate::support::{
    PIN, SOFTHSM, copy, gishiki, gishiki_at, root, run, state_after, succeed, text,
};

/// A first ceremony that ten people with cards held, and the plan of the next one.
struct Ca {
    held: Held,
}

impl Ca {
    fn new() -> Self {
        let held = Held::new();
        succeed(&mut held.drill.run_command(&held.plan()));
        fs::create_dir(held.drill.path("ledger")).unwrap();
        fs::rename(held.drill.path("out"), held.drill.path("ledger/2026-04-genesis")).unwrap();
        Self { held }
    }

    fn roster(&self) -> PathBuf {
        self.held.drill.path("mdoc-root/roster.toml")
    }

    /// Adds a person with a card of their own: these organisation, roles and appointment.
    fn add(&self, person: &str, organization: &str, role: &str, by: &str) {
        let key = make_card(&self.held.drill, person);
        let text = fs::read_to_string(self.roster()).unwrap();
        let entry = format!(
            "\n[person.{person}]\nname = \"FAKE New {person}\"\nname-ja = \"架空 新\"\n\
             organization = \"{organization}\"\nroles = [\"{role}\"]\n\
             appointed = {{ on = 2026-05-11, by = [{by}] }}\ntrained = [2026-05-12]\n\
             eligible = 2026-05-08\nentry-right = {{ granted = 2026-05-13, by = \"p01\" }}\n\
             credential = {{ kind = \"ic-card\", public-key = \"{key}\", enrolled = 2026-05-13, by = \"p03\" }}\n"
        );
        fs::write(self.roster(), text + &entry).unwrap();
    }

    fn next(&self, command: &mut Command, what: &[&str]) -> (Option<i32>, String) {
        self.held.drill.env(command).args(["--lang", "en"]).args(what);
        command.arg(self.held.drill.path("mdoc-root/2026-06-ds"));
        command.arg("--ledger").arg(self.held.drill.path("ledger"));
        if what == ["check"] {
            command.arg("--drill");
        } else {
            let pins = self.held.drill.path("pin");
            command.args(["--module", SOFTHSM, "--pin-fd", "0"]);
            command.stdin(fs::File::open(pins).unwrap());
        }
        let output = run(command);
        (output.status.code(), text(&output))
    }

    /// Holds the next ceremony, as a drill; returns the ledger before it.
    fn hold_next(&self) -> PathBuf {
        let drill = &self.held.drill;
        for journal in ["A", "B"] {
            fs::rename(drill.path(journal), drill.path(&format!("{journal}-1"))).unwrap();
        }
        let ledger = drill.path("ledger");
        let mut command = gishiki_at("2026-06-30 01:30:00");
        command.arg("run").arg(drill.path("mdoc-root/2026-06-ds"));
        drill.held(&mut command);
        succeed(command.arg("--ledger").arg(&ledger));
        ledger
    }

    fn check(&self) -> (Option<i32>, String) {
        self.next(&mut gishiki(), &["check"])
    }

    fn enrol(&self, person: &str) -> (Option<i32>, String) {
        self.next(&mut gishiki(), &["roster", "enrol", person])
    }

    fn replace(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.roster()).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(self.roster(), text.replacen(from, to, 1)).unwrap();
    }
}

#[test]
fn a_new_person_is_enrolled_by_those_who_were_there_before() {
    let ca = Ca::new();
    assert_eq!(ca.check().0, Some(0), "{}", ca.check().1);
    ca.add("p14", "j-lis", "pki-engineer", "\"p01\", \"p07\"");
    let (code, said) = ca.check();
    assert!(code == Some(2) && said.contains("S-REGISTER"), "{code:?} {said}");
    assert!(said.contains("without the signature of p14, p03, p01, p07"), "{said}");
    // One of the cards is somewhere else: the others sign, and what is missing is said.
    let tokens = ca.held.drill.path("tokens");
    let mut slots = Command::new("softhsm2-util");
    let slots = succeed(ca.held.drill.env(&mut slots).arg("--show-slots"));
    let of = slots.split("Slot ").find(|slot| slot.contains("p07")).unwrap();
    let serial = of.lines().find_map(|line| line.trim().strip_prefix("Serial number:")).unwrap();
    let folder = fs::read_dir(&tokens).unwrap().map(|entry| entry.unwrap().path());
    let end = serial.trim().to_string();
    let folder =
        folder.into_iter().find(|path| path.to_str().unwrap().replace('-', "").ends_with(&end));
    let (folder, away) = (folder.unwrap(), ca.held.drill.path("away"));
    fs::rename(&folder, &away).unwrap();
    let (code, said) = ca.enrol("p14");
    assert!(code == Some(64) && said.contains("missing: p07"), "{code:?} {said}");
    assert!(said.contains("enrolment of p14") && said.contains("✓ p14"), "{said}");
    assert!(!said.contains(PIN), "{said}");
    fs::rename(&away, &folder).unwrap();
    let (code, said) = ca.enrol("p14");
    assert!(code == Some(0) && said.contains("enrolled: p14"), "{code:?} {said}");
    assert!(!said.contains("✓ p14"), "who has signed is not asked again: {said}");
    assert_eq!(ca.check().0, Some(0), "{}", ca.check().1);
    // Held with it, the ledger is good by both verifiers.
    let ledger = ca.hold_next();
    let both = ca.held.drill.path("both");
    copy(&ledger, &both);
    copy(&ca.held.drill.path("out"), &both.join("2026-06-ds"));
    succeed(gishiki().arg("verify").arg(&both).arg("--drill"));
    assert_eq!(second(&both, &["--drill"]).0, Some(0), "{}", second(&both, &["--drill"]).1);
    // Nothing of it can be changed afterwards, and it is nobody else's.
    let good = fs::read_to_string(ca.roster()).unwrap();
    let another = make_card(&ca.held.drill, "another").to_string();
    let own = good.lines().rfind(|line| line.starts_with("credential")).unwrap();
    let own = own.split('"').nth(3).unwrap().to_string();
    for (from, to) in [
        (
            "name = \"FAKE New p14\"\nname-ja = \"架空 新\"\norganization = \"j-lis\"",
            "name = \"FAKE New p14\"\nname-ja = \"架空 新\"\norganization = \"digital-agency\"",
        ),
        ("\"FAKE New p14\"", "\"FAKE Other p14\""),
        ("\"架空 新\"", "\"架空 別\""),
        (&own, &another),
        ("[enrolment.p14", "[enrolment.p10"),
    ] {
        fs::write(ca.roster(), good.replace(from, to)).unwrap();
        let (code, said) = ca.check();
        assert!(code == Some(2) && said.contains("S-REGISTER"), "{from}: {code:?} {said}");
    }
    // Made after another ceremony.
    fs::write(ca.roster(), &good).unwrap();
    let after = good.split("after = \"").nth(1).unwrap().split('"').next().unwrap().to_string();
    ca.replace(&after, &"0".repeat(64));
    let (code, said) = ca.check();
    assert!(code == Some(2) && said.contains("an enrolment after 000"), "{said}");
    // A person who leaves the roster plays nobody, and needs no signature.
    fs::write(ca.roster(), good.replace("[person.p10]", "[person.p15]")).unwrap();
    let (code, said) = ca.check();
    assert!(code == Some(2) && said.contains("p15"), "{said}");
}

/// Those whom a letter appoints are enrolled by their card, who enrols, and everybody who appoints.
#[test]
fn a_new_ca_manager_comes_by_letter_that_all_have_seen() {
    let ca = Ca::new();
    let own = fs::read_to_string(ca.roster()).unwrap();
    ca.add("p14", "j-lis", "ca-manager", "\"letter\"");
    let (code, said) = ca.check();
    let missing = "without the signature of p14, p03, p01, p02, p07";
    assert!(code == Some(2) && said.contains(missing), "{code:?} {said}");
    let (code, said) = ca.enrol("p14");
    assert!(code == Some(0) && said.contains("✓ p01") && said.contains("✓ p02"), "{said}");
    assert_eq!(ca.check().0, Some(0), "{}", ca.check().1);
    // A new card of somebody who is there already is enrolled alike.
    let key = make_card(&ca.held.drill, "p01-new").to_string();
    fs::write(ca.roster(), own).unwrap();
    let text = fs::read_to_string(ca.roster()).unwrap();
    let own = text.lines().find(|line| line.starts_with("credential")).unwrap();
    ca.replace(own.split('"').nth(3).unwrap(), &key);
    let (code, said) = ca.check();
    let missing = "without the signature of p01, p03, p02, p07";
    assert!(code == Some(2) && said.contains(missing), "{said}");
    let by_all_who_stay = fs::read_to_string(ca.roster()).unwrap();
    assert_eq!(ca.enrol("p01").0, Some(0), "{said}");
    let (code, said) = ca.check();
    assert!(code == Some(0) && said.contains("register p01: another card ("), "{code:?} {said}");
    // A card of the other manager too: no two people put their own in the place of both, whether
    // they change or remove them. Everybody else is asked.
    let (before, own) = by_all_who_stay.split_once("[person.p02]").unwrap();
    let (own, after) = own.split_once("[person.p03]").unwrap();
    let card = own.lines().find(|line| line.starts_with("credential")).unwrap();
    let card = card.split('"').nth(3).unwrap();
    let key = make_card(&ca.held.drill, "p02-new").to_string();
    let own = own.replace(card, &key);
    fs::write(ca.roster(), format!("{before}[person.p02]{own}[person.p03]{after}")).unwrap();
    let (code, said) = ca.check();
    let others = "p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13";
    let missing = format!("without the signature of p01, {others}");
    assert!(code == Some(2) && said.contains(&missing), "{missing}: {said}");
    assert!(said.contains(&missing.replace("of p01", "of p02")), "{said}");
}

/// Whoever leaves stays in the roster with the day: whom they appointed and let in until then stays
/// so. They do nothing any more, and come back by an enrolment only.
#[test]
fn an_appointment_that_ended_leaves_what_was_done_before() {
    let ca = Ca::new();
    // The only manager of j-lis leaves, and another comes by letter, which all others have seen.
    ca.add("p14", "j-lis", "ca-manager", "\"letter\"");
    let plan = ca.held.drill.path("mdoc-root/2026-06-ds/plan.toml");
    let participants = |from: &str, to: &str| {
        let text = fs::read_to_string(&plan).unwrap();
        fs::write(&plan, text.replace(from, to)).unwrap();
    };
    let ended = |line: &str| {
        let text = fs::read_to_string(ca.roster()).unwrap();
        let text = text.replace("\nended = 2026-05-31", "").replace("\nended = 2027-01-01", "");
        let with = text.replacen(
            "\nroles        = [\"ca-manager\"]",
            &format!("\nroles        = [\"ca-manager\"]{line}"),
            1,
        );
        fs::write(ca.roster(), with).unwrap();
    };
    ended("\nended = 2026-05-31");
    let (code, said) = ca.check();
    assert!(code == Some(2) && said.contains("p01, who served until 2026-05-31"), "{said}");
    participants("\"p01\"", "\"p14\"");
    let (code, said) = ca.check();
    let others = "p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13";
    let missing = format!("without the signature of p14, p03, {}", others.replace("p03, ", ""));
    assert!(code == Some(2) && said.contains(&missing), "{missing}: {said}");
    assert!(said.contains("1 violation\n"), "what p01 did until then is good: {said}");
    assert_eq!(ca.enrol("p14").0, Some(0));
    let (code, said) = ca.check();
    assert!(code == Some(0) && said.contains("register p01: served until 2026-05-31 ("), "{said}");
    // What p01 would have done afterwards is not.
    let good = fs::read_to_string(ca.roster()).unwrap();
    ca.replace("granted = 2026-05-13", "granted = 2026-06-01");
    let (code, said) = ca.check();
    assert!(code == Some(2) && said.contains("R-ENTRY-RIGHT"), "{said}");
    fs::write(ca.roster(), &good).unwrap();
    ended("\nended = 2027-01-01");
    let (code, said) = ca.check();
    assert!(code == Some(2) && said.contains("S-ROSTER"), "{said}");
    // Nobody is entered who has served already and appointed others.
    let stranger = good.replace("[person.p01]", "[person.p15]");
    fs::write(ca.roster(), stranger).unwrap();
    let (code, said) = ca.check();
    assert!(code == Some(2) && said.contains("without the signature of p15, p03"), "{said}");
    fs::write(ca.roster(), &good).unwrap();
    // Held with it, the ledger is good by both verifiers.
    let ledger = ca.hold_next();
    fs::rename(ca.held.drill.path("out"), ledger.join("2026-06-ds")).unwrap();
    succeed(gishiki().arg("verify").arg(&ledger).arg("--drill"));
    assert_eq!(second(&ledger, &["--drill"]).0, Some(0), "{}", second(&ledger, &["--drill"]).1);
    // The register keeps the end: without it, or with another day, p01 is enrolled anew.
    let next = ca.held.drill.path("mdoc-root/2026-09-renewal/plan.toml");
    let text = fs::read_to_string(&next).unwrap();
    fs::write(&next, text.replace("\"p01\"", "\"p14\"")).unwrap();
    let check = || {
        let mut check = gishiki();
        check.args(["--lang", "en", "check", "--drill"]).arg(next.parent().unwrap());
        let output = run(check.arg("--ledger").arg(&ledger));
        (output.status.code(), crate::support::text(&output))
    };
    assert_eq!(check().0, Some(0), "{}", check().1);
    for other in ["", "\nended = 2026-06-01"] {
        fs::write(ca.roster(), good.replace("\nended = 2026-05-31", other)).unwrap();
        let (code, said) = check();
        let missing = "without the signature of p01, p03, p02, p07, p14";
        assert!(code == Some(2) && said.contains(missing), "{other}: {said}");
    }
}

/// Who writes the roster gives no role to anybody by it: roles are those of the register before.
#[test]
fn nobody_enrols_by_a_role_that_they_give_themselves() {
    let ca = Ca::new();
    // p10, a PKI engineer, would enrol and appoint as whatever the new roster makes of them.
    ca.add("p14", "j-lis", "pki-engineer", "\"p10\"");
    ca.replace("enrolled = 2026-05-13, by = \"p03\"", "enrolled = 2026-05-13, by = \"p10\"");
    let text = fs::read_to_string(ca.roster()).unwrap();
    let (before, own) = text.split_once("[person.p10]").unwrap();
    let roles = "\"operations-manager\", \"ca-manager\", \"issuing-officer\"";
    let own = own.replacen("roles        = [\"pki-engineer\"]", &format!("roles = [{roles}]"), 1);
    fs::write(ca.roster(), format!("{before}[person.p10]{own}")).unwrap();
    let (code, said) = ca.check();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("without the signature of p10, p03, p01, p02, p07"), "{said}");
    assert!(said.contains("without the signature of p14, p03, p01 or p02, p07"), "{said}");
    assert!(said.contains("roles = [\"operations-manager\""), "at the changed roles: {said}");
    // A letter is for those whom the policy appoints so, and lowers no number for others.
    ca.replace("by = [\"p10\"]", "by = [\"letter\", \"p10\"]");
    let (_, said) = ca.check();
    assert!(said.contains("without the signature of p14, p03, p01 or p02, p07"), "{said}");
}

/// A rehearsal's next ceremony with a new person p14, whose enrolment has every signature that is
/// needed and these lines more; the signatures come too.
fn with_p14(more: &str) -> (Inputs, State, Vec<Signature>) {
    let plans = root().join("ceremony-plans/mdoc-root");
    let read = |name: &str| fs::read(plans.join(name)).unwrap();
    let requests = ["ds-0001.csr", "ds-0002.csr"];
    let requests = requests.map(|name| (name.to_string(), read(&format!("2026-06-ds/{name}"))));
    let [plan, cps, policy] = ["2026-06-ds/plan.toml", "cps.toml", "policy.toml"].map(read);
    let ca = crate::people::ca_name();
    let roster = String::from_utf8(read("roster.toml")).unwrap();
    let entry = roster.split("[person.p10]").nth(1).unwrap().split("\n[").next().unwrap();
    let before = entry.split("public-key = \"").nth(1).unwrap().split('"').next().unwrap();
    let new: Name = "p14".parse().unwrap();
    let key = ceremony::rehearsal::key_of(&ca, &new).to_string();
    let mut roster = format!("{roster}\n[person.p14]{}\n", entry.replace(before, &key));
    let requests: std::collections::BTreeMap<_, _> = requests.into();
    let inputs = |roster: &str| {
        let (plan, cps, policy) = (&plan, &cps, &policy);
        let documents = Documents { plan, cps, policy, roster: roster.as_bytes(), release: None };
        Inputs::read(documents, &requests).unwrap()
    };
    let unsigned = inputs(&roster);
    let state = (*state_after(unsigned.plan.after.get_ref())).clone();
    let (after, message) = {
        let [one] = enrolling(&unsigned, &state).try_into().unwrap();
        (one.after, one.message())
    };
    roster += &format!("\n[enrolment.p14]\nafter = \"{after}\"\n\n[enrolment.p14.signed]\n");
    let mut signatures = Vec::new();
    for person in ["p14", "p03", "p01", "p07"] {
        let raw = token::sign_as(&ca, &person.parse().unwrap(), &message).unwrap().0;
        roster += &format!("{person} = \"{}\"\n", ceremony::hex::encode(&raw));
        signatures.push(Signature::from_raw(Curve::P256, &raw).unwrap());
    }
    (inputs(&(roster + more)), state, signatures)
}

/// What refuses such a ceremony.
fn refusals(inputs: &Inputs, state: State) -> Vec<Violation> {
    compile(inputs, &Arc::new(state), Mode::Rehearsal).map(drop).unwrap_err()
}

/// An r that stands in an earlier signature gives the card's key away.
#[test]
fn no_r_of_an_enrolment_was_ever_seen() {
    let (inputs, mut state, signatures) = with_p14("");
    let compiled = compile(&inputs, &Arc::new(state.clone()), Mode::Rehearsal).unwrap();
    assert_eq!(compiled.enrolled.len(), 4);
    state.nonces.insert_mut(signatures[1].nonce());
    let refused = refusals(&inputs, state);
    let rules: Vec<RuleId> = refused.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [RuleId::S_REGISTER]);
    assert_eq!(refused[0].found.en, "a repeated r");
}

/// A signature that nobody asks for, or that does not verify, is none that nobody looks at.
#[test]
fn no_enrolment_has_a_signature_that_nobody_judges() {
    let junk = "5".repeat(128);
    for signer in ["p02", "p13", "zz-nobody"] {
        let (inputs, state, _) = with_p14(&format!("{signer} = \"{junk}\"\n"));
        let refused = refusals(&inputs, state);
        let rules: Vec<RuleId> = refused.iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, [RuleId::S_REGISTER], "{signer}");
        assert_eq!(refused[0].found.en, format!("a signature of {signer}"));
        assert_eq!(refused[0].advice.en, "delete that line");
    }
}

/// An enrolment of somebody who needs none, or who is in no roster, is none to leave unread.
#[test]
fn no_enrolment_stands_there_that_nobody_needs() {
    let (inputs, state, _) = with_p14("");
    let after = state.last.as_ref().unwrap().predecessor.head;
    drop(inputs);
    for person in ["p05", "zz-nobody"] {
        let more = format!(
            "\n[enrolment.{person}]\nafter = \"{after}\"\n\n[enrolment.{person}.signed]\np01 = \"{}\"\n",
            "5".repeat(128)
        );
        let (inputs, state, _) = with_p14(&more);
        let refused = refusals(&inputs, state);
        let rules: Vec<RuleId> = refused.iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, [RuleId::S_REGISTER], "{person}");
        assert_eq!(refused[0].advice.en, "delete it");
    }
}

/// Nobody else had the role: one of those who appoint stands in.
#[test]
fn the_only_operations_manager_has_a_new_card() {
    let ca = Ca::new();
    let text = fs::read_to_string(ca.roster()).unwrap();
    let entry = text.split("[person.p03]").nth(1).unwrap();
    let own = entry.split("public-key = \"").nth(1).unwrap().split('"').next().unwrap();
    ca.replace(own, &make_card(&ca.held.drill, "p03-new").to_string());
    let (code, said) = ca.check();
    let missing = "without the signature of p03, p01 or p02 or p07, p01, p07";
    assert!(code == Some(2) && said.contains(missing), "{code:?} {said}");
    let (code, said) = ca.enrol("p03");
    assert!(code == Some(0) && !said.contains("✓ p02"), "{code:?} {said}");
    assert_eq!(ca.check().0, Some(0), "{}", ca.check().1);
}

#[test]
fn what_needs_no_enrolment_is_said() {
    let ca = Ca::new();
    let (code, said) = ca.enrol("p01");
    assert!(code == Some(64) && said.contains("as they are, or not in the roster"), "{said}");
    let mut first = gishiki();
    first.args(["--lang", "en", "roster", "enrol", "p01"]).arg(ca.held.plan());
    let output = run(ca.held.drill.env(first.args(["--module", SOFTHSM])));
    refused(&output, 64, "S-REGISTER");
    assert!(text(&output).contains("the plan of a first ceremony"));
    let mut cards = gishiki();
    cards.args(["--lang", "en", "roster", "cards", "--module", SOFTHSM]);
    let said = succeed(ca.held.drill.env(&mut cards));
    let roster = fs::read_to_string(ca.roster()).unwrap();
    let keys = said.lines().filter_map(|line| line.trim().strip_prefix("public-key = "));
    let known = keys.filter(|key| roster.contains(*key)).count();
    assert_eq!(known, 13, "{said}");
}
