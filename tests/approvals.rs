//! Approvals before the day: whom a plan needs, which are refused, and what a verdict makes of
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use ceremony::compile::{Compiled, compile};
use ceremony::hex::Octets;
use ceremony::inputs::{Documents, Inputs};
use ceremony::name::Name;
use ceremony::record::{Approved, Mode};
use ceremony::rule::RuleId;
use ceremony::time::Instant;

use crate::cards::{Held, approve, make_card_on};
use crate::people::{approval, approvals};
use crate::real::release;
use crate::second::second;
use crate::support::{
    IN_WINDOW, LATER, PIN, SOFTHSM, copy, gishiki, gishiki_at, root, run, state_after, succeed,
    text,
};
use crate::walk::compiled_on;

fn name(id: &str) -> Name {
    id.parse().unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// The rule by which approvals are refused; `None` if they are good, with every signature verified.
fn judged(compiled: &Compiled, given: &BTreeMap<Name, Approved>) -> Option<RuleId> {
    let (from, _) = compiled.graph.window();
    let checks = match compiled.weigh_approvals(given, from) {
        Ok(checks) => checks,
        Err(fault) => return Some(fault.rule),
    };
    let verified = checks.iter().all(|check| check.prove().is_ok());
    (!verified).then_some(RuleId::S_SIGNATURE)
}

#[test]
fn each_approval_is_needed_and_fits_one_plan_one_person_and_one_time() {
    let compiled = compiled_on("", Mode::Real);
    let (from, _) = compiled.graph.window();
    let day_before = from.plus_seconds(-86_400);
    let good = approvals(&compiled, day_before);
    let by: Vec<&str> = good.keys().map(Name::as_str).collect();
    // The CA managers of both organisations, the issuing officer, and for the program's release the
    // operations manager.
    assert_eq!(by, ["p01", "p02", "p03", "p07"]);
    let manager = name("p03");
    let under: Vec<&str> = compiled.approvals.under(&manager).map(|of| of.en.as_str()).collect();
    assert_eq!(under, ["as operations manager: the release of the program, 0.1.0"]);
    assert_eq!(judged(&compiled, &good), None);
    let with = |person: &str, approved: Approved| {
        let mut changed = good.clone();
        changed.insert(name(person), approved);
        judged(&compiled, &changed)
    };
    for person in ["p01", "p02", "p03", "p07"] {
        let mut fewer = good.clone();
        fewer.remove(&name(person));
        let fault = compiled.weigh_approvals(&fewer, from).unwrap_err();
        assert!(fault.rule == RuleId::S_APPROVED && fault.asked.en.contains(person), "{fault}");
        let of_another = if person == "p01" { "p02" } else { "p01" };
        let own = good[&name(person)].clone();
        assert_eq!(with(of_another, own.clone()), Some(RuleId::S_SIGNATURE));
        // One that was made at another time than it says.
        let later = Approved { at: own.at.plus_seconds(1), ..own.clone() };
        assert_eq!(with(person, later), Some(RuleId::S_SIGNATURE));
        let mut octets = own.signed.0.clone();
        octets[40] ^= 1;
        assert_eq!(
            with(person, Approved { signed: Octets(octets), ..own }),
            Some(RuleId::S_SIGNATURE)
        );
        for made in [from.plus_seconds(1), from.plus_seconds(-61 * 86_400)] {
            let approved = approval(&compiled, &name(person), made);
            assert_eq!(with(person, approved), Some(RuleId::S_APPROVED), "{made}");
        }
    }
    let abroad = approval(&compiled, &name("p01"), day_before.at("+00:00".parse().unwrap()));
    assert_eq!(with("p01", abroad), Some(RuleId::S_APPROVED));
    // At the first and at the last moment, and by somebody who is not asked.
    for made in [from, from.plus_seconds(-60 * 86_400)] {
        assert_eq!(with("p01", approval(&compiled, &name("p01"), made)), None, "{made}");
    }
    let unasked = approval(&compiled, &name("p13"), day_before);
    assert_eq!(with("p13", unasked), Some(RuleId::S_APPROVED));
    // Of the same plan with another policy.
    let other = compiled_on("not-told = [\"modifiable\"]\n", Mode::Real);
    assert_ne!(other.bindings.id(), compiled.bindings.id());
    assert_eq!(judged(&other, &good), Some(RuleId::S_SIGNATURE));
    // A drill needs none and takes its own; a rehearsal has none.
    let drill = compiled_on("", Mode::Drill);
    assert_eq!(judged(&drill, &BTreeMap::new()), None);
    let rehearsal = compiled_on("", Mode::Rehearsal);
    assert_eq!(judged(&rehearsal, &BTreeMap::new()), None);
    assert_eq!(judged(&rehearsal, &good), Some(RuleId::S_APPROVED));
}

/// The people of the second ceremony's application approve it too.
#[test]
fn whoever_applied_examined_and_approved_is_asked() {
    let plans = root().join("ceremony-plans/mdoc-root");
    let read = |name: &str| fs::read(plans.join(name)).unwrap();
    let requests = ["ds-0001.csr", "ds-0002.csr"];
    let requests = requests.map(|name| (name.to_string(), read(&format!("2026-06-ds/{name}"))));
    let [plan, cps, policy, roster] =
        ["2026-06-ds/plan.toml", "cps.toml", "policy.toml", "roster.toml"].map(read);
    let documents =
        Documents { plan: &plan, cps: &cps, policy: &policy, roster: &roster, release: None };
    let inputs = Inputs::read(documents, &requests.into()).unwrap();
    let state = state_after(inputs.plan.after.get_ref());
    let compiled = compile(&inputs, &state, Mode::Rehearsal).unwrap();
    let nobody = BTreeSet::new();
    let asked: BTreeSet<&Name> =
        compiled.approvals.missing(&nobody).flat_map(|one| &one.by).collect();
    let asked: Vec<&str> = asked.into_iter().map(Name::as_str).collect();
    assert_eq!(asked, ["p01", "p02", "p03", "p04", "p05", "p07"]);
    let officer = name("p07");
    let under: Vec<&str> = compiled.approvals.under(&officer).map(|of| of.en.as_str()).collect();
    assert_eq!(under.len(), 3, "{under:?}");
    assert!(under[1].contains("a-2026-06: examined"), "{under:?}");
    // Nothing is approved before it was decided.
    assert_eq!(compiled.approvals.since, Some(at("2026-06-22T10:00:00+09:00")));
}

/// Everybody is asked once, with all that stands under their name.
#[test]
fn whoever_is_missing_is_named_once() {
    let compiled = compiled_on("", Mode::Real);
    let fault = compiled.refuse_unapproved(&BTreeSet::new()).unwrap_err();
    let asked = fault.asked.en.clone();
    for person in ["p01", "p02", "p03", "p07"] {
        assert_eq!(asked.matches(&format!("{person} (")).count(), 1, "{asked}");
    }
    let of = "p01 (as CA manager: plan, policy, roster and CP/CPS, for j-lis; \
              as CA manager: the release of the program, 0.1.0, for j-lis); p02 (";
    assert!(asked.contains(of), "{asked}");
    let some = [name("p01"), name("p02"), name("p03")].into();
    let fault = compiled.refuse_unapproved(&some).unwrap_err();
    assert!(fault.asked.en.starts_with("approvals by card: p07 ("), "{fault}");
}

/// An organisation that decides approves that it does so no longer.
#[test]
fn no_cps_dismisses_an_organization_that_decides() {
    let plans = root().join("ceremony-plans/mdoc-root");
    let read = |name: &str| fs::read(plans.join(name)).unwrap();
    let [plan, cps, policy, roster] =
        ["2026-12-backup-drill/plan.toml", "cps.toml", "policy.toml", "roster.toml"].map(read);
    let cps = String::from_utf8(cps).unwrap();
    let both = "approved-by = [\"j-lis\", \"digital-agency\"]";
    assert!(cps.contains(both));
    let cps = cps.replacen(both, "approved-by = [\"j-lis\"]", 1);
    let (cps, release) = (cps.as_bytes(), None);
    let documents = Documents { plan: &plan, cps, policy: &policy, roster: &roster, release };
    let inputs = Inputs::read(documents, &[].into()).unwrap();
    let state = state_after(inputs.plan.after.get_ref());
    let compiled = compile(&inputs, &state, Mode::Rehearsal).unwrap();
    let nobody = BTreeSet::new();
    let asked: BTreeSet<&str> =
        compiled.approvals.missing(&nobody).flat_map(|one| &one.by).map(Name::as_str).collect();
    assert!(asked.contains("p02"), "the manager of digital-agency: {asked:?}");
}

/// A CA whose people have cards, and a real ceremony on a token of production.
struct Ca {
    held: Held,
}

impl Ca {
    /// The program is released, and p07 has a card on P-384.
    fn new() -> Self {
        let held = Held::new();
        let ca = held.drill.path("mdoc-root");
        release(&ca);
        let text = fs::read_to_string(ca.join("roster.toml")).unwrap();
        let own = text.split("[person.p07]").nth(1).unwrap();
        let own = own.split("public-key = \"").nth(1).unwrap().split('"').next().unwrap();
        let key = make_card_on(&held.drill, "p07-new", "EC:secp384r1").to_string();
        fs::write(ca.join("roster.toml"), text.replace(own, &key)).unwrap();
        Self { held }
    }

    fn folder(&self) -> PathBuf {
        self.held.plan().join("approvals")
    }

    fn command(&self, what: &[&str], time: &str) -> (Option<i32>, String) {
        let mut command = gishiki_at(time);
        self.held.drill.env(&mut command).args(["--lang", "en"]).args(what).arg(self.held.plan());
        if what[0] == "approve" {
            command.args(["--module", SOFTHSM, "--pin-fd", "0"]);
            command.stdin(fs::File::open(self.held.drill.path("pin")).unwrap());
        }
        let output = run(&mut command);
        (output.status.code(), text(&output))
    }
}

#[test]
fn people_approve_with_their_cards_and_whatever_changes_is_approved_again() {
    let ca = Ca::new();
    let check = || ca.command(&["check", "--approved"], IN_WINDOW);
    let (code, said) = check();
    assert!(code == Some(5) && said.contains("S-APPROVED"), "{code:?} {said}");
    assert!(
        said.contains("p01 (as CA manager: plan, policy, roster and CP/CPS, for j-lis; as CA"),
        "{said}"
    );
    let (code, said) = ca.command(&["approve", "p01"], IN_WINDOW);
    assert!(code == Some(0) && said.contains("under the name of p01:"), "{code:?} {said}");
    assert!(said.contains("bindings  ") && said.contains("still needed: "), "{said}");
    // What is released is shown as a whole.
    let text = fs::read_to_string(ca.held.drill.path("mdoc-root/release.toml")).unwrap();
    for line in ["tool", "image", "tests"] {
        let value = text.lines().find_map(|l| l.strip_prefix(&format!("{line} = "))).unwrap();
        assert!(said.contains(value.trim_matches('"')), "{line}: {said}");
    }
    assert!(!said.contains(PIN), "{said}");
    let (code, said) = ca.command(&["approve", "p13"], IN_WINDOW);
    assert!(code == Some(64) && said.contains("S-APPROVED"), "{code:?} {said}");
    approve(&ca.held.drill, &ca.held.plan(), &ca.held.drill.path("ledger"), IN_WINDOW);
    let (code, said) = check();
    assert!(code == Some(0) && said.contains("approved by p01 p02 p03 p07"), "{code:?} {said}");
    let files: BTreeSet<String> = fs::read_dir(ca.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, ["p01.toml", "p02.toml", "p03.toml", "p07.toml"].map(String::from).into());
    // Too early for the day; too late for the clock; under another name; not of this form.
    let (code, said) = ca.command(&["check", "--approved"], "2026-03-01 00:00:00");
    assert!(
        code == Some(5) && said.contains("an approval by p01 by 2026-03-01"),
        "{code:?} {said}"
    );
    let own = fs::read_to_string(ca.folder().join("p01.toml")).unwrap();
    let other = fs::read_to_string(ca.folder().join("p02.toml")).unwrap();
    for (text, rule) in [
        (other.as_str(), "S-APPROVED"),
        ("format = 1\n", "S-FORM"),
        (&own.replace("graph    = \"", "graph    = \"0"), "S-FORM"),
    ] {
        fs::write(ca.folder().join("p01.toml"), text).unwrap();
        let (code, said) = check();
        assert!(code == Some(5) && said.contains(rule), "{rule} {code:?} {said}");
    }
    fs::write(ca.folder().join("p01.toml"), &own).unwrap();
    fs::write(ca.folder().join("notes.txt"), "").unwrap();
    let (code, said) = check();
    assert!(code == Some(5) && said.contains("PERSON.toml"), "{code:?} {said}");
    fs::remove_file(ca.folder().join("notes.txt")).unwrap();
    // The plan changes: every approval names the file, and what it was of.
    let plan = ca.held.plan().join("plan.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("T17:00:00+09:00 }", "T17:30:00+09:00 }")).unwrap();
    let (code, said) = check();
    assert!(
        code == Some(5) && said.contains("p01.toml") && said.contains("changed afterwards"),
        "{said}"
    );
    let (code, said) = ca.command(&["approve", "p01"], IN_WINDOW);
    assert!(code == Some(0) && said.contains("p02.toml: of another plan"), "{code:?} {said}");
}

/// A drill takes its own approvals, and then its papers are signed too.
#[test]
fn an_approved_drill_has_its_papers_signed() {
    let ca = Ca::new();
    let drill = &ca.held.drill;
    for person in ["p01", "p02", "p03", "p07"] {
        let (code, said) = ca.command(&["approve", person, "--drill"], IN_WINDOW);
        assert!(code == Some(0) && said.contains("  as a drill\n"), "{code:?} {said}");
        // Whoever approves sees what the rules report.
        assert!(said.contains("reported S-COPY"), "{said}");
        // One of the real ceremony would have stayed as it was.
        let file = ca.folder().join(format!("{person}.drill.toml"));
        assert!(file.exists() && !ca.folder().join(format!("{person}.toml")).exists());
    }
    let (code, said) = ca.command(&["approve", "p01", "--drill"], "2026-04-01 23:00:00");
    assert!(code == Some(64) && said.contains("when the window of the plan ends"), "{said}");
    succeed(&mut drill.run_command(&ca.held.plan()));
    let said = drill.verify();
    assert!(
        said.contains("by papers 0,") && said.contains("approved by p01 p02 p03 p07"),
        "{said}"
    );
    let out = drill.path("out");
    let rules = succeed(gishiki().arg("verify").arg(&out).args(["--drill", "--rules"]));
    assert!(rules.contains("S-APPROVED"), "{rules}");
    // The second verifier takes it, and not with another time of an approval.
    assert_eq!(second(&out, &["--drill"]).0, Some(0), "{}", second(&out, &["--drill"]).1);
    let other = drill.path("other");
    copy(&out, &other);
    let transcript = fs::read_to_string(other.join("transcript.jsonl")).unwrap();
    let (at, shifted) =
        ("{\"p01\":{\"at\":\"2026-04-01T10:3", "{\"p01\":{\"at\":\"2026-04-01T10:2");
    assert!(transcript.contains(at), "{transcript}");
    fs::write(other.join("transcript.jsonl"), transcript.replacen(at, shifted, 1)).unwrap();
    assert_eq!(second(&other, &["--drill"]).0, Some(4));
    // People × time: an approval and an exit are signed, an entry is covered; nothing is stated.
    let mut table = gishiki();
    table.args(["--lang", "en", "verify"]).arg(&out).args(["--drill", "--people"]);
    let table = succeed(&mut table);
    let row = |what: &str| {
        let row = table.lines().find(|line| line.ends_with(&format!("  {what}")));
        row.unwrap_or_else(|| panic!("{what}: {table}")).split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(row("approved")[1..], ["S", "approved"], "{table}");
    assert_eq!(row("closed")[1..], [&["S"; 10][..], &["closed"]].concat(), "{table}");
    let (entry, exit) = (row("Entry `entry-p04`"), row("Exit `exit-p04`"));
    assert!(entry.contains(&"s") && exit.contains(&"S"), "{table}");
    assert!(!table.lines().any(|line| line.contains("  -  ")), "{table}");
    assert_eq!(table.lines().filter(|line| line.ends_with("  approved")).count(), 4, "{table}");
}

/// Before the day it is said what a real ceremony would refuse: no release, or that of a program
/// that can be none.
#[test]
fn a_missing_or_misnamed_release_is_said_before_the_day() {
    let ca = Ca::new();
    let path = ca.held.drill.path("mdoc-root/release.toml");
    let own = fs::read_to_string(&path).unwrap();
    let check = |what: &[&str]| ca.command(what, IN_WINDOW);
    let tool = own.lines().find_map(|line| line.strip_prefix("tool = ")).unwrap();
    for (text, words) in [
        (None, "a release of the program, in release.toml"),
        (Some(own.replace(tool, "\"gishiki 0.1.0\"")), "as `gishiki --version` says it"),
    ] {
        fs::remove_file(&path).unwrap();
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        // Both at once: with another release everybody approves again.
        let (code, said) = check(&["check", "--approved"]);
        assert!(code == Some(5) && said.contains("approvals by card: p01 ("), "{code:?} {said}");
        assert!(said.contains("S-TOOL") && said.contains(words), "{words}: {said}");
        approve(&ca.held.drill, &ca.held.plan(), &ca.held.drill.path("ledger"), IN_WINDOW);
        let (code, said) = ca.command(&["check", "--approved"], LATER);
        assert!(code == Some(5) && said.contains("S-TOOL"), "{code:?} {said}");
        assert!(said.contains(words) && !said.contains("S-APPROVED"), "{words}: {said}");
        // A drill is how a program is tried.
        let (code, said) = check(&["check", "--drill"]);
        assert_eq!(code, Some(0), "{said}");
        fs::write(&path, &own).unwrap();
        fs::remove_dir_all(ca.folder()).unwrap();
    }
}
