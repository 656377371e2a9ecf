//! People with cards: SoftHSM tokens with a key pair that `pkcs11-tool` made, one for each person.

use std::fs;
use std::path::Path;
use std::process::Command;

use ceremony::key::PublicKey;
use ceremony::name::Name;
use ceremony::roster::Roster;
use serde_json::Value;

use crate::people::with_cards;
use crate::support::terminal::{AT_CARD, Terminal};
use crate::support::{
    Drill, IN_WINDOW, LATER, PIN, SOFTHSM, copy, gishiki, gishiki_at, root, run, succeed, text,
};

/// Makes a card for a person; returns the public key on it.
pub(crate) fn make_card(drill: &Drill, person: &str) -> PublicKey {
    make_card_on(drill, person, "EC:prime256v1")
}

/// The same with a key of this type.
pub(crate) fn make_card_on(drill: &Drill, person: &str, key_type: &str) -> PublicKey {
    drill.new_token(person);
    let tool = |arguments: &[&str]| {
        let mut tool = Command::new("pkcs11-tool");
        tool.args(["--module", SOFTHSM, "--token-label", person, "--id", "01"]).args(arguments);
        succeed(drill.env(&mut tool))
    };
    tool(&["--login", "--pin", PIN, "--keypairgen", "--key-type", key_type]);
    if key_type != "EC:prime256v1" {
        // `pkcs11-tool` reads no public key on another curve; `roster cards` does.
        let mut cards = gishiki();
        let said = succeed(drill.env(cards.args(["roster", "cards", "--module", SOFTHSM])));
        let own = said.split(&format!("{person} (")).nth(1).unwrap();
        return own.split('"').nth(1).unwrap().parse().unwrap();
    }
    let file = drill.path("card.der");
    let file = file.to_str().unwrap();
    tool(&["--read-object", "--type", "pubkey", "--output-file", file]);
    let mut base64 = Command::new("base64");
    succeed(base64.args(["-w", "0", file])).parse().unwrap()
}

/// Gives everybody of a CA's roster a card, and names the cards' module in the room.
pub(crate) fn give_cards(drill: &Drill, ca: &Path) {
    let path = ca.join("roster.toml");
    let roster = fs::read(&path).unwrap();
    let keys = |person: &Name| make_card(drill, person.as_str());
    fs::write(path, with_cards(&roster, keys)).unwrap();
}

/// Has everybody approve a plan whom it needs, each with their card.
pub(crate) fn approve(drill: &Drill, plan: &Path, ledger: &Path, time: &str) {
    let mut check = gishiki_at(time);
    check.arg("check").arg("--approved").arg(plan).arg("--ledger").arg(ledger);
    let said = text(&run(check.args(["--lang", "en"])));
    if !said.contains("approvals by card: ") {
        return;
    }
    // The refusal names them: "approvals by card: p01 (as …); p02 or p07 (…)".
    let asked = said.split("approvals by card: ").nth(1).unwrap_or_default();
    let ids = asked.split(|c: char| !c.is_ascii_alphanumeric());
    let people: std::collections::BTreeSet<&str> = ids
        .filter(|id| id.len() == 3 && id.starts_with('p') && id[1..].parse::<u8>().is_ok())
        .collect();
    for person in people {
        let mut command = gishiki_at(time);
        drill.env(&mut command).args(["--lang", "en", "approve", person]).arg(plan);
        command.arg("--ledger").arg(ledger).args(["--module", SOFTHSM, "--pin-fd", "0"]);
        command.stdin(fs::File::open(drill.path("pin")).unwrap());
        let said = succeed(&mut command);
        assert!(said.contains(&format!("approved: {person}")), "{said}");
    }
}

/// The lines of a room that name the module of the cards.
pub(crate) fn readers() -> String {
    readers_of(Path::new(SOFTHSM))
}

/// The same of this module.
pub(crate) fn readers_of(module: &Path) -> String {
    let digest = ceremony::hex::Digest::of(&fs::read(module).unwrap());
    format!("\n[[cards]]\nmodule = \"{}\"\nsha256 = \"{digest}\"\n", module.display())
}

/// A drill of the sample's first ceremony, whose people have cards.
pub(crate) struct Held {
    pub(crate) drill: Drill,
}

impl Held {
    pub(crate) fn new() -> Self {
        let drill = Drill::new();
        let ca = drill.path("mdoc-root");
        copy(&root().join("ceremony-plans/mdoc-root"), &ca);
        give_cards(&drill, &ca);
        let held = Self { drill };
        held.with_readers(true);
        held
    }

    fn with_readers(&self, readers_there: bool) {
        self.drill.write_room(Path::new(SOFTHSM));
        let room = self.drill.path("room.toml");
        let text = fs::read_to_string(&room).unwrap();
        let cards = if readers_there { readers() } else { String::new() };
        fs::write(room, text + &cards).unwrap();
        // One line for each PIN that is asked for.
        fs::write(self.drill.path("pin"), format!("{PIN}\n").repeat(99)).unwrap();
    }

    pub(crate) fn plan(&self) -> std::path::PathBuf {
        self.drill.path("mdoc-root/2026-04-genesis")
    }

    /// At a terminal, without a file of answers.
    pub(crate) fn at_a_terminal(&self, what: &str, time: &str) -> Terminal {
        let mut command = gishiki_at(time);
        self.drill.env(&mut command).args(["--lang", "en", what]);
        if what == "run" {
            command.arg(self.plan());
        }
        command.arg("--room").arg(self.drill.path("room.toml"));
        command.arg("--journal").arg(self.drill.path("A"));
        command.arg("--journal").arg(self.drill.path("B"));
        command.arg("--out").arg(self.drill.path("out"));
        let mut check = gishiki();
        Terminal::open(&command).with_papers(check.arg("check").arg(self.plan()).arg("--drill"))
    }

    /// Everything that was written: both journals, and the sealed folder.
    fn written(&self) -> String {
        let folders = ["A", "B", "out"].map(|name| self.drill.path(name));
        let there = folders.iter().filter(|folder| folder.exists());
        let files = there.flat_map(|folder| fs::read_dir(folder).unwrap());
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        files.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect()
    }

    /// The events in the journal, or in the sealed transcript.
    fn events(&self, kind: &str) -> Vec<Value> {
        let sealed = self.drill.path("out/transcript.jsonl");
        let path =
            if sealed.exists() { sealed } else { self.drill.path("A").join("journal.jsonl") };
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["event"]["kind"] == kind).collect()
    }
}

/// Ten tokens of ten people: whatever people said is proved by their cards. The number of
/// signatures is that of the roll call, the papers, the activation, the fingerprint, two
/// completions, the close, and the exits.
#[test]
fn ten_people_with_ten_cards_prove_what_they_say() {
    let held = Held::new();
    succeed(&mut held.drill.run_command(&held.plan()));
    let out = held.drill.path("out");
    let said = succeed(gishiki().arg("verify").arg(&out).args(["--drill", "--rules"]));
    assert!(said.contains("signed by people's cards 15, stated by people 0,"), "{said}");
    let signed = |file: &str| -> usize {
        let text = fs::read_to_string(out.join(file)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| line["signed"].as_object().map_or(0, serde_json::Map::len)).sum()
    };
    assert_eq!((signed("transcript.jsonl"), signed("after.jsonl")), (28, 10));
    // OpenSSL has the same opinion of one of them, from the sealed folder's text alone.
    let text = fs::read_to_string(out.join("transcript.jsonl")).unwrap();
    let lines: Vec<String> = text.lines().map(String::from).collect();
    let closed = lines.len() - 1;
    let record = ceremony::record::Record::read(&lines[closed]).unwrap();
    let person: Name = "p13".parse().unwrap();
    let message = crate::people::message(&lines[..closed], &record.event, &person);
    let raw = &record.signed[&person].0;
    let signature = p256::ecdsa::Signature::from_slice(raw).unwrap().to_der();
    let file = |name: &str, octets: &[u8]| {
        let path = held.drill.path(name);
        fs::write(&path, octets).unwrap();
        path
    };
    let roster = Roster::parse(&fs::read(out.join("inputs/roster.toml")).unwrap()).unwrap();
    let key = roster.person[&person].credential.public_key.get_ref().to_string();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n");
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-verify"]).arg(file("p13.pem", pem.as_bytes()));
    openssl.arg("-signature").arg(file("p13.sig", signature.as_bytes()));
    assert!(succeed(openssl.arg(file("p13.pae", &message))).contains("Verified OK"));
}

/// One process holds a ceremony for ten people who are not there: it stops at the first roll call,
/// before any token is logged in to, and goes on when their cards are there.
#[test]
fn without_cards_nothing_passes_the_first_roll_call() {
    let held = Held::new();
    held.with_readers(false);
    let output = run(&mut held.drill.run_command(&held.plan()));
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    assert!(text(&output).contains("S-SIGNED"), "{}", text(&output));
    let answered = held.events("answered");
    assert!(answered.iter().all(|line| !line["event"]["op"].as_str().unwrap().contains("roll")));
    let asked = held.events("asked");
    assert_eq!(asked.last().unwrap()["event"]["op"], "roll-call-auditor");
    held.with_readers(true);
    succeed(&mut held.drill.resume_command(LATER));
    held.drill.verify();
}

/// At a terminal: a wrong PIN is asked again, a card that fails is stated by two others, and what
/// its owner says afterwards is stated, not signed.
#[test]
fn a_wrong_pin_and_a_card_that_fails_are_met_at_the_terminal() {
    let held = Held::new();
    let mut terminal = held.at_a_terminal("run", IN_WINDOW);
    let asked = until_card(&mut terminal, "p13");
    assert!(asked.contains("✍") && asked.contains("Roll call: auditor"), "{asked}");
    let pin = terminal.types("");
    assert!(pin.contains("PIN of the card of FAKE Kansa Akira (p13), label p13, serial "), "{pin}");
    let again = terminal.types("wrong-pin");
    assert!(again.contains("CKR_PIN_INCORRECT") && again.ends_with(AT_CARD), "{again}");
    // The custodian p05 drops the card.
    until_card(&mut terminal, "p05");
    terminal.types("");
    assert!(terminal.types("wrong-pin").ends_with(AT_CARD), "{}", terminal.said);
    let consent = terminal.types("failed");
    assert!(consent.contains("FAKE Kagi Jiro (p05) does not work"), "{consent}");
    // Its owner cannot say so, nor two of one role.
    assert!(terminal.types("p05 p13").contains("S-SIGNED"), "{}", terminal.said);
    assert!(terminal.types("p01 p02").contains("R-MULTI"), "{}", terminal.said);
    terminal.answer("p04 p13");
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    let failed = held.events("card-failed");
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["signed"].as_object().unwrap().len(), 2);
    let [closed] = held.events("closed").try_into().unwrap();
    assert_eq!(closed["signed"].as_object().unwrap().len(), 9);
    let verdict = held.drill.verify();
    assert!(verdict.contains("no signature by the card of: FAKE Kagi Jiro (p05)"), "{verdict}");
    assert!(!verdict.contains("stated by people 0,"), "{verdict}");
}

/// The end of the question before the PIN of this person's card.
fn at_card(person: &str) -> String {
    format!("({person}){AT_CARD}")
}

/// Answers as planned until this person's card is asked for; returns what was shown.
fn until_card(terminal: &mut Terminal, person: &str) -> String {
    loop {
        let open = terminal.prompt().unwrap_or_else(|| panic!("no {person}: {}", terminal.said));
        if open.ends_with(&at_card(person)) {
            return open;
        }
        terminal.goes_on(&open);
    }
}

/// A PIN that is typed before it is asked for is neither shown nor written anywhere, nor given to
/// the card, and only Enter alone goes on.
#[test]
fn a_pin_typed_too_early_is_shown_and_written_nowhere() {
    let held = Held::new();
    let mut terminal = held.at_a_terminal("run", IN_WINDOW);
    until_card(&mut terminal, "p13");
    for typed in ["typed-too-early", " ", "yes", "Enter"] {
        let again = terminal.types(typed);
        assert!(again.contains("press Enter alone, or type no or failed"), "{again}");
        assert!(again.ends_with(&at_card("p13")), "{again}");
    }
    // At the PIN's own prompt an empty line leads back, and what is said is heard.
    assert!(terminal.types("").contains("PIN of the card of "), "{}", terminal.said);
    assert!(terminal.types("").ends_with(&at_card("p13")), "{}", terminal.said);
    assert!(terminal.types("").contains("PIN of the card of "), "{}", terminal.said);
    assert!(terminal.types("不調").contains("(p13) does not work"), "{}", terminal.said);
    terminal.answer("p01 p04");
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    let [failed] = held.events("card-failed").try_into().unwrap();
    assert_eq!(failed["event"]["reason"], "the card was not asked");
    for what in [&terminal.said, &held.written()] {
        assert!(!what.contains("typed-too-early") && !what.contains(PIN), "{what}");
    }
    assert!(held.written().contains("the card was not asked"));
    held.drill.verify();
}

/// At the close, whoever finds something wrong says so, and then everybody signs. Somebody who
/// would not sign an answer is asked again.
#[test]
fn a_no_at_a_signature_records_nothing_and_can_be_explained_at_the_close() {
    let held = Held::new();
    let mut terminal = held.at_a_terminal("run", IN_WINDOW);
    until_card(&mut terminal, "p01");
    let again = terminal.types("no");
    assert!(again.contains(". Roll call") && again.contains("who confirms"), "{again}");
    // Who sees it only when the PIN is asked for says so there.
    until_card(&mut terminal, "p01");
    assert!(terminal.types("").contains("PIN of the card of "), "{}", terminal.said);
    let again = terminal.types("いいえ");
    assert!(again.contains(". Roll call") && again.contains("who confirms"), "{again}");
    loop {
        let open = terminal.prompt().unwrap();
        if open.contains("on record under this name") && open.ends_with(&at_card("p01")) {
            assert!(open.contains(". Completion: FAKE") && open.contains("[p01]"), "{open}");
            break;
        }
        // Everybody sees whose entries they stood by, and which values they entered.
        if open.contains("on record under this name") && open.ends_with(&at_card("p12")) {
            assert!(open.contains(". Entry: FAKE Kansa Akira (p13) [p12]"), "{open}");
        }
        if open.contains("on record under this name") && open.ends_with(&at_card("p13")) {
            let papers = open.lines().find(|line| line.contains(". Papers, ")).unwrap();
            assert!(papers.ends_with("…) [p07 p13]") && papers.contains("bindings "), "{open}");
        }
        terminal.goes_on(&open);
    }
    assert!(terminal.types("no").ends_with("who says so (ids): "), "{}", terminal.said);
    terminal.answer("p01");
    assert!(terminal.prompt().unwrap().ends_with("reason: "));
    terminal.answer("the seal of bag 3 was already broken");
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    let [deviation] = held.events("deviation").try_into().unwrap();
    assert_eq!(deviation["event"]["op"], "seal");
    assert_eq!(deviation["signed"].as_object().unwrap().len(), 1);
    held.drill.verify();
}

/// Killed while a card is asked for: at the roll call, the activation, the close and an exit. What
/// was signed and recorded stays, and the rest is signed in the next session.
#[test]
fn killed_while_a_card_is_asked_for_the_ceremony_goes_on() {
    let held = Held::new();
    let mut head = "none".to_string();
    let kills = [
        ("run", IN_WINDOW, "Roll call: auditor", "p13"),
        ("resume", "2026-04-01 02:00:00", "Activation", "p05"),
        ("resume", "2026-04-01 02:30:00", "on record under this name", "p04"),
        ("resume", "2026-04-01 03:00:00", "Exit", "p03"),
    ];
    for (what, time, step, person) in kills {
        let mut terminal = held.at_a_terminal(what, time);
        terminal.values.insert("head".into(), head.clone());
        loop {
            let open = terminal.prompt().unwrap_or_else(|| panic!("{step}: {}", terminal.said));
            let asks = open.ends_with(&at_card(person));
            if asks && open.contains(step) {
                break;
            }
            terminal.goes_on(&open);
        }
        head.clone_from(&terminal.values["head"]);
        // The terminal is dropped, and its process killed.
    }
    let mut terminal = held.at_a_terminal("resume", "2026-04-01 03:30:00");
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    let [closed] = held.events("closed").try_into().unwrap();
    assert_eq!(closed["signed"].as_object().unwrap().len(), 10);
    let verdict = held.drill.verify();
    assert!(verdict.contains("stated by people 0,"), "{verdict}");
}
