//! What a CA has to do besides its ceremonies: the calendar as people and programs read it, and
//! records that something was done, signed with cards on SoftHSM tokens.

mod records;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ceremony::cps::Cps;
use ceremony::name::Name;
use ceremony::policy::Policy;
use ceremony::roster::Roster;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier as _;
use serde_json::{Value, json};

use crate::cards::make_card;
use crate::people::{card, with_cards};
use crate::support::{Drill, PIN, SOFTHSM, at_time, copy, gishiki, gishiki_at, root, run, text};

/// The duties of this CA, in the place of those of the sample.
pub(crate) const DUTIES: &str = r#"
[calendar]
section = "ours"
within  = "1 month"

[duty.accepted]
section = "6.2.1"
name    = { ja = "HSM の受入れ", en = "accept the HSM" }
within  = "1 month"
by      = ["operations-manager"]

[duty.log-inspection]
section = "5.4.2"
name    = { ja = "監査ログの検査; 不正操作等の確認, 照合, 異常な事象の有無の確認", en = "inspect the log; compare it, look for what is irregular" }
every   = "1 month"
within  = "7 days"
by      = ["auditor"]

[duty.review]
section = "6.1.5"
name    = { ja = "鍵サイズの確認", en = "review the key size" }
every   = "12 months"
within  = "1 month"
by      = ["ca-manager"]
of      = "digital-agency"
"#;

/// The policy of the sample with these duties.
pub(crate) fn policy() -> String {
    let policy = fs::read_to_string(root().join("ceremony-plans/mdoc-root/policy.toml")).unwrap();
    let sample = policy.split("\n[calendar]").next().unwrap();
    format!("{sample}\n{DUTIES}")
}

pub(crate) fn roster() -> Vec<u8> {
    fs::read(root().join("ceremony-plans/mdoc-root/roster.toml")).unwrap()
}

/// A CA with its first ceremony in the ledger, cards of two people, and no record yet.
struct Office {
    drill: Drill,
}

/// A time on a day, in UTC; the CA's day is the same.
fn noon(day: &str) -> String {
    format!("{day} 03:00:00")
}

impl Office {
    fn new() -> Self {
        let drill = Drill::new();
        let office = Self { drill };
        let ledger = office.path("golden/mdoc-root/2026-04-genesis");
        copy(&root().join("golden/mdoc-root/2026-04-genesis"), &ledger);
        let roster = roster();
        let keys = |id: &Name| match id.as_str() {
            "p03" | "p13" => make_card(&office.drill, id.as_str()),
            "p12" => {
                let known = Roster::parse(&roster).unwrap();
                known.person[id].credential.public_key.get_ref().clone()
            }
            _ => card(id),
        };
        office.write("ceremony-plans/mdoc-root/roster.toml", &with_cards(&roster, keys));
        office.write("ceremony-plans/mdoc-root/policy.toml", &policy());
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.drill.path(name)
    }

    fn ca(&self) -> PathBuf {
        self.path("ceremony-plans/mdoc-root")
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn record(name: &str) -> String {
        format!("duties/mdoc-root/{name}.toml")
    }

    /// `duties` on the day of this clock.
    fn duties(&self, day: &str, more: &[&str]) -> (Option<i32>, String) {
        let mut command = gishiki_at(&noon(day));
        command.args(["duties", "--ca"]).arg(self.ca()).args(more);
        let output = run(&mut command);
        (output.status.code(), text(&output))
    }

    fn done(&self, day: &str, what: &[&str]) -> (Option<i32>, String) {
        let mut command: Command = gishiki_at(&noon(day));
        self.drill.env(&mut command).args(["duties", "done"]).args(what);
        command.arg("--ca").arg(self.ca()).args(["--module", SOFTHSM, "--pin-fd", "0"]);
        command.stdin(fs::File::open(self.path("pin")).unwrap());
        let output = run(&mut command);
        (output.status.code(), text(&output))
    }

    fn is_done(&self, day: &str, duty: &str, person: &str) {
        let (code, said) = self.done(day, &[duty, person]);
        assert_eq!(code, Some(0), "{said}");
    }

    /// How each item stands on a day, as JSON has it, and the exit code.
    fn stand(&self, day: &str) -> (Option<i32>, Vec<(String, String, String)>) {
        let (code, said) = self.duties(day, &["--json"]);
        let items: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        let one = |item: &Value| {
            let field = |name: &str| item[name].as_str().unwrap_or("-").to_string();
            (field("id"), field("on"), field("standing"))
        };
        (code, items["items"].as_array().unwrap().iter().map(one).collect())
    }

    fn stands(&self, day: &str, id: &str) -> (Option<i32>, String, String) {
        let (code, items) = self.stand(day);
        let (_, on, standing) = items.into_iter().find(|(found, ..)| found == id).unwrap();
        (code, on, standing)
    }
}

/// A quarter of a CA: what is done in time, late, and not at all.
#[test]
fn a_quarter_is_done_and_overdue() {
    let office = Office::new();
    let log = |day: &str| {
        let (code, on, standing) = office.stands(day, "duty.log-inspection");
        (code.unwrap(), format!("{on} {standing}"))
    };
    // The HSM was not accepted before the first ceremony.
    assert_eq!(
        office.stands("2026-04-02", "duty.accepted"),
        (Some(9), "2026-04-01".into(), "overdue".into())
    );
    let (code, said) = office.done("2026-04-02", &["accepted", "p03", "--on", "2026-03-20"]);
    assert!(code == Some(0) && !said.contains("due again"), "{said}");
    assert_eq!(office.stands("2026-04-02", "duty.accepted"), (Some(0), "-".into(), "done".into()));
    for (day, expected) in [
        ("2026-04-23", (0, "2026-05-01 later")),
        ("2026-04-24", (0, "2026-05-01 coming")),
        ("2026-05-01", (0, "2026-05-01 due")),
        ("2026-05-02", (9, "2026-05-01 overdue")),
    ] {
        assert_eq!(log(day), (expected.0, expected.1.to_string()), "{day}");
    }
    let (code, said) = office.done("2026-05-03", &["log-inspection", "p13", "--on", "2026-05-01"]);
    assert!(code == Some(0) && said.contains("due again: 2026-06-01\n"), "{said}");
    assert_eq!(log("2026-05-03"), (0, "2026-06-01 later".into()));
    office.is_done("2026-05-29", "log-inspection", "p13");
    assert_eq!(log("2026-06-28"), (0, "2026-06-29 coming".into()));
    // In June nobody inspected it.
    assert_eq!(log("2026-06-30"), (9, "2026-06-29 overdue".into()));
    // A day before is judged by what was recorded until then.
    let (code, said) = office.duties("2026-06-30", &["--at", "2026-05-02"]);
    assert!(code == Some(9) && said.contains("# overdue\n  2026-05-01  log-inspection"), "{said}");
    // The CRLs of the ledger fall due in the same list.
    assert_eq!(office.stands("2026-06-30", "state.crls").2, "due");
    assert_eq!(office.stands("2026-06-30", "training.p13").1, "2027-02-10");
    assert_eq!(fs::read_dir(office.path("duties/mdoc-root")).unwrap().count(), 3);
    // People read the same, in both languages.
    let (_, said) = office.duties("2026-06-30", &["--lang", "en"]);
    assert!(said.contains("\n# overdue\n  2026-06-29  log-inspection"), "{said}");
    assert!(said.contains("5.4.2") && said.contains("last 2026-05-29 p13\n"), "{said}");
    assert!(
        said.contains("counts, but by a card that no ceremony has taken into the register yet")
    );
    let (_, said) = office.duties("2026-06-30", &["--lang", "ja"]);
    assert!(said.contains("\n# 期日を過ぎたもの\n  2026-06-29  log-inspection"), "{said}");
    assert!(said.contains("監査員") && said.contains("前回 2026-05-29 p13\n"), "{said}");
}

/// The signature is what docs/duties.md says, put together here from the file's text alone.
#[test]
fn a_record_is_signed_as_documented() {
    let office = Office::new();
    office.write("report.txt", "nothing irregular\n");
    let report = office.path("report.txt");
    let (evidence, note) = (report.to_str().unwrap(), "第 1 回 \"ours\"");
    let more = ["log-inspection", "p13", "--evidence", evidence, "--note", note];
    let (code, said) = office.done("2026-05-01", &more);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(PIN), "{said}");
    assert!(said.contains("p13 FAKE Kansa Akira (j-lis) signs for the CA mdoc-root:\n"), "{said}");
    let sha256 = ceremony::hex::Digest::of(b"nothing irregular\n");
    assert!(said.contains(&format!("report.txt {sha256}")), "{said}");
    let path = office.path(&Office::record("2026-05-01.log-inspection.p13"));
    let file: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let entry = |name: &str| file[name].as_str().unwrap().to_string();
    let time = |name: &str| file[name].as_datetime().unwrap().to_string();
    let payload = json!({
        "at": time("at"), "ca": "mdoc-root", "duty": entry("duty"),
        "evidence": [{ "file": "report.txt", "sha256": sha256.to_string() }],
        "note": note, "on": time("on"), "person": "p13",
    });
    let (payload, kind) = (payload.to_string(), "application/vnd.gishiki.duty-done.v1+json");
    let message = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let roster = Roster::parse(&fs::read(office.ca().join("roster.toml")).unwrap()).unwrap();
    let known = &roster.person[&"p13".parse::<Name>().unwrap()].credential;
    let key = VerifyingKey::from_sec1_bytes(known.public_key.get_ref().point()).unwrap();
    let raw: Vec<u8> = ceremony::hex::decode(&entry("signed")).unwrap();
    key.verify(message.as_bytes(), &p256::ecdsa::Signature::from_slice(&raw).unwrap()).unwrap();
}

#[test]
fn nothing_is_recorded_by_the_wrong_or_of_nothing() {
    let office = Office::new();
    let log = "log-inspection";
    let refused = |what: &[&str], code: i32, rule: &str, words: &str| {
        let (found, said) = office.done("2026-05-01", what);
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(rule) && said.contains(words), "{what:?} {said}");
    };
    let nothing = || assert!(!office.path("duties").exists());
    refused(
        &["nothing", "p13"],
        5,
        "S-DONE",
        "nothing: there are accepted, log-inspection, review",
    );
    refused(
        &[log, "p03"],
        5,
        "record of a duty: S-DONE",
        "let somebody whose duty it is record it",
    );
    // A CA manager, but not of the organisation whose duty it is.
    refused(&["review", "p01"], 5, "S-DONE", "the role ca-manager of j-lis");
    refused(&[log, "p99"], 5, "S-DONE", "p99, who is not in the roster, or serves no longer");
    refused(&[log, "p13", "--on", "2026-05-02"], 5, "S-DONE", "done on 2026-05-02");
    refused(&[log, "p13", "--note", "a\nb"], 5, "S-WORDS", "a control character");
    refused(&[log, "p13", "--evidence", "/nothing"], 5, "S-FILE", "/nothing");
    refused(&[log, "p13", "--on", "yesterday"], 64, "yesterday", "--on");
    // No card in a reader; a wrong PIN; a key that everyone can compute.
    refused(&["review", "p02"], 3, "S-SIGNED", "no reader that has this card");
    office.write("pin", "wrong-pin");
    refused(&[log, "p13"], 3, "S-SIGNED", "a wrong PIN");
    office.write("pin", PIN);
    let path = "ceremony-plans/mdoc-root/policy.toml";
    office.write(path, &policy().replace("[\"auditor\"]", "[\"auditor\", \"facility-staff\"]"));
    refused(&[log, "p12"], 5, "S-REHEARSAL-KEY", "a card that p12 alone holds");
    // A policy whose duty is nobody's.
    office.write(path, &policy().replace("[\"auditor\"]", "[\"wizard\"]"));
    refused(&[log, "p13"], 5, "S-DUTY", "a role of the policy");
    office.write(path, &policy());
    nothing();
    // What is recorded is recorded once.
    office.is_done("2026-05-01", log, "p13");
    let path = office.path(&Office::record("2026-05-01.log-inspection.p13"));
    let before = fs::read(&path).unwrap();
    refused(&[log, "p13"], 5, "S-OUT", "which is there already");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// One record that is wrong stops the whole calendar, and says where and what to do.
#[test]
fn a_forged_record_is_refused_on_every_read() {
    let office = Office::new();
    office.is_done("2026-05-01", "log-inspection", "p13");
    let name = Office::record("2026-05-01.log-inspection.p13");
    let own = fs::read_to_string(office.path(&name)).unwrap();
    let later = own.replace("on     = 2026-05-01", "on     = 2026-04-30");
    let moved = Office::record("2026-04-30.log-inspection.p13");
    office.write(&moved, &later);
    for more in [&[][..], &["--json"], &["--at", "2026-04-02"]] {
        let (code, said) = office.duties("2026-05-02", more);
        assert!(code == Some(5) && said.contains("S-SIGNED"), "{code:?} {said}");
        assert!(said.contains("2026-04-30.log-inspection.p13.toml: a signature of this record"));
        assert!(said.contains("take the record back from the history of the repository"), "{said}");
    }
    let (_, said) = office.duties("2026-05-02", &["--lang", "ja"]);
    assert!(said.contains("任命簿にあった p13 の鍵の、この記録への署名"), "{said}");
    assert!(said.contains("もう一度記録する"), "{said}");
    fs::remove_file(office.path(&moved)).unwrap();
    // A copy under another name; something else; a file that was cut off.
    let notes = Office::record("notes").replace(".toml", ".txt");
    for (name, text, rule, words) in [
        (
            moved.as_str(),
            own.as_str(),
            "S-DONE",
            "delete a copy, give a renamed file its name back",
        ),
        (notes.as_str(), "", "S-FILE", "DATE.DUTY.PERSON.toml and nothing else"),
        (moved.as_str(), &own[..own.len() - 30], "S-FORM", "2026-04-30.log-inspection.p13.toml"),
    ] {
        office.write(name, text);
        let (code, said) = office.duties("2026-05-02", &[]);
        assert!(code == Some(5) && said.contains(rule) && said.contains(words), "{code:?} {said}");
        fs::remove_file(office.path(name)).unwrap();
    }
    // Before the clock reaches it, a record is of a time yet to come.
    let (code, said) = office.duties("2026-04-30", &[]);
    assert!(code == Some(5) && said.contains("what was done and recorded by 2026-04-30"), "{said}");
    // A duty that the policy gave up, and that no ceremony knew, is named and counts for nothing.
    let path = "ceremony-plans/mdoc-root/policy.toml";
    office.write(path, &policy().replace("[duty.log-inspection]", "[duty.tidying]"));
    fs::remove_file(office.path(&name)).unwrap();
    office.is_done("2026-05-01", "tidying", "p13");
    office.write(path, &policy());
    let (_, said) = office.duties("2026-05-02", &[]);
    let words = "not counted: of tidying, which the policy of its time does not have";
    assert!(said.contains(&format!("2026-05-01.tidying.p13.toml: {words}")), "{said}");
}

/// Writes the calendar on a day and reads it with Python's `icalendar`.
fn by_icalendar(office: &Office, day: &str, lang: &str) -> (String, Vec<Value>) {
    let path = office.path(&format!("{lang}.ics"));
    let (code, said) =
        office.duties(day, &["--lang", lang, "--at", day, "--ics", path.to_str().unwrap()]);
    assert!(matches!(code, Some(0 | 9)), "{said}");
    let mut python = Command::new(root().join(".venv/bin/python"));
    let output = run(python.arg(root().join("tests/duties/events.py")).arg(&path));
    assert!(output.status.success(), "{}", text(&output));
    let events: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    (fs::read_to_string(path).unwrap(), events)
}

#[test]
fn another_program_reads_the_calendar() {
    let office = Office::new();
    let (_, said) = office.duties("2026-05-02", &["--at", "2026-05-02", "--json"]);
    let known: Value = serde_json::from_str(&said).unwrap();
    let known = known["items"].as_array().unwrap();
    assert!(known.len() > 15, "{}", known.len());
    for lang in ["ja", "en"] {
        let (octets, events) = by_icalendar(&office, "2026-05-02", lang);
        let lines: Vec<&str> = octets.split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= 75 && !line.contains('\n')), "{octets}");
        assert!(lines.iter().any(|line| line.starts_with(' ')), "no line is folded: {octets}");
        assert_eq!(events.len(), known.len());
        for (event, item) in events.iter().zip(known) {
            let id = item["id"].as_str().unwrap();
            assert_eq!(event["uid"], format!("{id}@mdoc-root"));
            assert_eq!(event["day"], item["on"], "{id}");
            assert_eq!(event["alarm"], item["coming-from"], "{id}");
            assert_eq!(event["stamp"], "2026-05-01T15:00:00+00:00");
            let name = item["name"][lang].as_str().unwrap();
            assert_eq!(event["summary"], format!("mdoc-root: {name}"));
            let section = item["section"].as_str().unwrap();
            assert!(event["description"].as_str().unwrap().contains(section), "{event}");
        }
        // The octets follow from what is shown: another clock gives the same.
        let again = office.path("again.ics");
        let more = ["--lang", lang, "--at", "2026-05-02", "--ics", again.to_str().unwrap()];
        office.duties("2027-01-01", &more);
        assert_eq!(fs::read_to_string(again).unwrap(), octets);
    }
    // What is done moves, under the same UID, with a higher number.
    let at = |day: &str| {
        let (_, events) = by_icalendar(&office, day, "en");
        let uid = "duty.log-inspection@mdoc-root";
        events.into_iter().find(|event| event["uid"] == uid).unwrap()
    };
    let before = at("2026-05-01");
    office.is_done("2026-05-02", "log-inspection", "p13");
    let after = at("2026-05-02");
    assert_eq!((&before["day"], &after["day"]), (&json!("2026-05-01"), &json!("2026-06-02")));
    assert_eq!(before["sequence"].as_i64().unwrap() + 1, after["sequence"].as_i64().unwrap());
    // A place that cannot be written.
    let (code, said) = office.duties("2026-05-02", &["--ics", "/nothing/at/all.ics"]);
    assert!(code == Some(5) && said.contains("S-FILE"), "{said}");
}

#[test]
fn before_the_first_ceremony_nothing_is_overdue() {
    let office = Office::new();
    fs::remove_dir_all(office.path("golden")).unwrap();
    let (code, said) = office.duties("2026-03-01", &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ledger: none (--ledger names one)"), "{said}");
    assert!(said.contains("# dated by the first ceremony\n  -           accepted"), "{said}");
    let (code, said) = office.duties("2026-03-01", &["--rehearsal"]);
    assert!(code == Some(5) && said.contains("S-LEDGER"), "{code:?} {said}");
    // The records lie beside the ledger, or where they are said to be.
    office.is_done("2026-03-01", "accepted", "p03");
    let (_, items) = office.stand("2026-03-01");
    assert!(items.contains(&("duty.accepted".into(), "-".into(), "done".into())), "{items:?}");
    let elsewhere = office.path("elsewhere");
    let (_, said) = office.duties("2026-03-01", &["--records", elsewhere.to_str().unwrap()]);
    assert!(said.contains("elsewhere: 0\n"), "{said}");
}

/// The folder of a CA is the current one, if none is named.
#[test]
fn the_ca_is_that_of_the_current_folder() {
    let office = Office::new();
    let mut command = at_time(crate::support::GISHIKI, &noon("2026-04-01"));
    let said = text(&run(command.current_dir(office.ca()).args(["--lang", "en", "duties"])));
    assert!(said.contains("T12:00:0") && said.contains(", mdoc-root\n"), "{said}");
    let mut command = gishiki();
    let said = text(&run(command.args(["duties", "--ca", "/nothing"])));
    assert!(said.contains("/nothing/policy.toml"), "{said}");
}

fn read_policy(ca: &Path) -> Policy {
    Policy::parse(&fs::read(ca.join("policy.toml")).unwrap()).unwrap()
}

/// R-CALENDAR: each of its clauses is that of a duty, or of a table that the calendar reads; and
/// every clause that a duty names is a heading of the CP/CPS.
#[test]
fn every_clause_of_the_calendar_has_its_date() {
    let ca = root().join("ceremony-plans/mdoc-root");
    let policy = read_policy(&ca);
    let duties = policy.duty.values().map(|duty| duty.section.as_str());
    let dated = [&policy.crl.section, &policy.root.section, &policy.training.section];
    let sections: Vec<&str> = duties.clone().chain(dated.map(String::as_str)).collect();
    let has = |clause: &str| {
        let within = |part: &str| part == clause || part.starts_with(&format!("{clause}."));
        sections.iter().any(|section| section.split([',', ';']).any(|part| within(part.trim())))
    };
    let cps = Cps::parse(&fs::read(ca.join("cps.toml")).unwrap()).unwrap();
    let rule = cps.rule.iter().find(|(id, _)| id.get_ref().to_string() == "R-CALENDAR").unwrap().1;
    let clauses: Vec<&str> = rule.clause.split(", ").collect();
    assert_eq!(clauses.len(), 15);
    let missing: Vec<&&str> = clauses.iter().filter(|clause| !has(clause)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let text = fs::read_to_string(ca.join("cps.ja.txt")).unwrap();
    let headings: Vec<&str> =
        text.lines().filter_map(|line| line.split([' ', '\t']).next()).collect();
    let mut named = 0;
    for section in duties {
        for clause in section.split([',', ';']).map(str::trim) {
            let ours = clause == "ours" || clause.starts_with('D');
            assert!(ours || headings.contains(&clause), "{section}");
            named += usize::from(!ours);
        }
    }
    assert!(named > 20, "{named}");
}

/// The calendars of both CAs are shown, the other one without a word of Japanese.
#[test]
fn both_samples_have_a_calendar() {
    for (ca, duties) in [("mdoc-root", 20), ("utopia-mdl", 3)] {
        let folder = root().join("ceremony-plans").join(ca);
        assert_eq!(read_policy(&folder).duty.len(), duties);
        let mut command = gishiki();
        command
            .args(["--lang", "en", "duties", "--at", "2027-02-01", "--json", "--ca"])
            .arg(&folder);
        command
            .arg("--records")
            .arg("/nothing")
            .arg("--ledger")
            .arg(root().join("golden").join(ca));
        let output = run(&mut command);
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        let items = shown["items"].as_array().unwrap();
        let of = |kind: &str| {
            items.iter().filter(|item| item["id"].as_str().unwrap().starts_with(kind)).count()
        };
        assert_eq!(of("duty."), duties, "{ca}");
        assert!(of("state.") > 1 && of("training.") > 5, "{ca}: {shown}");
    }
}
