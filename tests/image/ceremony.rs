//! A whole ceremony on the image, by people who type on its serial line.

use std::path::Path;

use ceremony::hex::Digest;

use crate::drill_iso;
use crate::machine::{MENU, Machine, Plugged};
use crate::medium::{self, Sticks};
use crate::support::terminal::shown_head;
use crate::support::{
    PIN, assert_same_to_be_signed, genesis, genesis_golden, gishiki, records, succeed,
};

/// Every prompt that people are asked with.
const PROMPTS: [&str; 14] = [
    "who confirms (ids, by spaces): ",
    "16 digits, from the papers): ",
    "(the first 8 words, as read aloud): ",
    "PIN: ",
    "offset-seconds (-30…30): ",
    "reference: ",
    "second-factor: ",
    "plate: ",
    "no returns: ",
    "noted and confirmed; none if there is none): ",
    "noted in the script; confirmed on the screen by (ids, by spaces): ",
    "set in the menu; Enter looks again: ",
    "who consent; otherwise no: ",
    MENU,
];

/// More than a ceremony and its continuation ask.
const QUESTIONS: usize = 200;

/// What people hold while they answer: the papers' digests, and the last head that the script has a
/// line for.
struct Papers {
    graph: String,
    bindings: String,
    head: Option<String>,
    /// The serial number on the token's plate.
    plate: String,
    /// Who may confirm what is asked.
    duties: Vec<String>,
}

impl Papers {
    fn new(sticks: &Sticks) -> Self {
        let room =
            std::fs::read_to_string(sticks.folder.path().join("operators/room.toml")).unwrap();
        let plate =
            room.split("serial = \"").nth(1).unwrap().split('"').next().unwrap().to_string();
        let opened = &records(&genesis_golden())[0]["event"];
        let graph = opened["graph"].as_str().unwrap().to_string();
        // A drill has bindings of its own.
        let bindings = succeed(gishiki().arg("bind").arg(genesis()).arg("--drill"));
        let bindings = Digest::of_parts("gishiki bindings v1", &[bindings.as_bytes()]).to_string();
        Self { graph, bindings, head: None, plate, duties: Vec::new() }
    }

    /// Answers questions until the menu comes, or `until` says that it is enough.
    fn perform(&mut self, machine: &mut Machine, until: impl Fn(&str) -> bool) -> bool {
        for _ in 0..QUESTIONS {
            let (which, said) = machine.expect_any(&PROMPTS);
            for line in said.lines() {
                if line.starts_with("── ") {
                    self.duties.clear();
                }
                self.duties.extend(duty(line));
            }
            if until(&said) {
                return false;
            }
            let answer = match which {
                0 => self.duties.join(" "),
                1 if said.contains("graph (") => self.graph.clone(),
                1 => self.bindings.clone(),
                2 => words(&said),
                3 => PIN.to_string(),
                4 => "0".to_string(),
                5 => "radio clock 7".to_string(),
                6 => "shared with p02".to_string(),
                7 => self.plate.clone(),
                8 => String::new(),
                9 => self.head.clone().unwrap_or_else(|| "none".to_string()),
                10 => {
                    self.head = Some(shown_head(&said));
                    "p13".to_string()
                }
                // The clock is set in the menu: back to it.
                11 => "no".to_string(),
                12 => "p01 p03".to_string(),
                _ => return true,
            };
            machine.send(&answer);
        }
        panic!("more than {QUESTIONS} questions:\n{}", machine.log);
    }
}

/// As many people as a duty asks for, out of `role 2 of name (p01), name (p02)`.
fn duty(line: &str) -> Vec<String> {
    let Some((before, persons)) = line.split_once(" of ") else { return Vec::new() };
    let Some(count) = before.rsplit(' ').next().and_then(|count| count.parse::<usize>().ok())
    else {
        return Vec::new();
    };
    let ids = persons.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    ids.take(count).map(str::to_string).collect()
}

/// The first line of words, below the digest that is shown.
fn words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let is_digest = |line: &&str| line.len() == 64 && line.chars().all(|c| c.is_ascii_hexdigit());
    let at = lines.iter().rposition(is_digest).unwrap();
    lines[at + 1].to_string()
}

fn plugged<'p>(iso: &'p Path, sticks: &'p Sticks) -> Plugged<'p> {
    Plugged { media: vec![&sticks.a, &sticks.b, &sticks.token], ..Plugged::of(iso) }
}

/// What both media hold is the same, verifies on the host, and was signed over the golden's octets.
fn assert_sealed(sticks: &Sticks) {
    let at = |name: &str| sticks.folder.path().join(name);
    let a = medium::take(&sticks.a, "/2026-04-genesis/sealed", &at("from-a"));
    let b = medium::take(&sticks.b, "/2026-04-genesis/sealed", &at("from-b"));
    assert!(crate::support::files(&a) == crate::support::files(&b));
    succeed(gishiki().arg("verify").arg(&a).arg("--drill"));
    assert_same_to_be_signed(&a, &genesis_golden());
}

/// A ceremony up to the root's fingerprint, which is read aloud when its certificate and all CRLs
/// are signed.
fn interrupted(iso: &Path, sticks: &Sticks) -> (Machine, Papers) {
    let mut machine = Machine::boot(&plugged(iso, sticks));
    machine.reach_menu();
    machine.send("1");
    let mut papers = Papers::new(sticks);
    let aloud = |said: &str| said.contains("(the first 8 words, as read aloud)");
    assert!(!papers.perform(&mut machine, aloud));
    (machine, papers)
}

/// From the question of the clock to its end: times that the kernel, or the machine's own clock,
/// does not take, and one outside the window.
fn assert_what_is_not_set_is_told(machine: &mut Machine) {
    let said = machine.expect("10:30:00: ");
    let window = "the plan's window: 2026-04-01 10:00:00+09:00 to 2026-04-01 17:00:00+09:00";
    assert!(said.contains(window) && !said.contains('✗'), "{said}");
    for (typed, told) in [
        ("1970-01-01 09:00:00", "the clock was not set"),
        ("2026-04-01", "a time at +09:00 as"),
        ("2231-04-01 10:30:00", "the machine's own clock did not take it"),
        ("1970-02-01 09:00:00", "outside the plan's window"),
    ] {
        machine.send(typed);
        let said = machine.expect("10:30:00: ");
        assert!(said.contains(told) && said.contains(window), "{typed}: {said}");
    }
    machine.send("2026-04-01 10:30:00");
    let said = machine.expect("10:30:00: ");
    assert!(said.contains("✓ the clock was set: 2026-04-01 10:30:00+09:00"), "{said}");
    assert!(!said.contains('✗'), "{said}");
    machine.send("yes");
}

#[test]
fn the_ceremony_is_held_on_the_image() {
    let iso = drill_iso();
    let sticks = Sticks::new(&iso);
    let out = sticks.folder.path().join("out.img");
    medium::vfat(&out, "GISHIKI-OUT");
    let mut plugged = plugged(&iso, &sticks);
    plugged.media.push(&out);
    let mut machine = Machine::boot(&plugged);
    machine.expect("English ? ");
    println!("first question after {:.1?}", machine.begun.elapsed());
    machine.send("2");
    assert_what_is_not_set_is_told(&mut machine);
    machine.expect(MENU);
    // Ctrl-C, Ctrl-\ and Ctrl-Z end nothing and stop nothing.
    machine.press("\u{3}\u{1c}\u{1a}");
    machine.send("1");
    let mut papers = Papers::new(&sticks);
    // Ctrl-D at a question interrupts the ceremony, and it goes on.
    assert!(!papers.perform(&mut machine, |said| said.contains("graph (8 words or more")));
    machine.press("\u{4}");
    let said = machine.expect("no returns: ");
    assert!(said.contains("S-TERMINAL") && said.contains("The journal is kept"), "{said}");
    machine.send("");
    assert!(papers.perform(&mut machine, |_| false));
    println!("the ceremony is over after {:.1?}", machine.begun.elapsed());
    // Once more: it has ended, so nothing is asked, and what was copied is compared.
    machine.send("1");
    let (_, said) = machine.expect_any(&PROMPTS);
    assert!(said.ends_with(MENU) && said.matches("read back").count() == 3, "{said}");
    let log = machine.switch_off();
    assert!(log.contains("copied to /media/out and read back"), "{log}");
    assert_sealed(&sticks);
    let taken = medium::take(&sticks.a, "/2026-04-genesis/sealed", &sticks.folder.path().join("x"));
    let records = records(&taken);
    let image = records[0]["event"]["room"]["image"].as_str().unwrap().to_string();
    let octets = std::fs::read(&iso).unwrap();
    assert_eq!(image, ::ceremony::hex::Digest::of(&octets).to_string());
    // What came before the first record stands in it, and each event in one record.
    let begun = since_boot(&records[0]);
    println!("before the ceremony: {begun:?}");
    assert!(begun[0].starts_with("started done 0.1.0 (source "), "{begun:?}");
    assert!(begun[1].starts_with("checked done drill image: no network, modules fixed"));
    let at = |what: &str| {
        let found = begun.iter().position(|event| event.starts_with(what));
        found.unwrap_or_else(|| panic!("{what}: {begun:?}"))
    };
    let set = at("clock done confirmed 2026-04-01T1");
    assert!(
        at("clock refused ") < set && set < at("rehearsed done as ") && set < at("media done ")
    );
    assert!(begun.last().unwrap().starts_with("checked done the image is that of image.toml"));
    assert!(!begun.iter().any(|event| event.starts_with("session")), "{begun:?}");
    let resumed = records.iter().find(|record| record["event"]["kind"] == "resumed").unwrap();
    let after = since_boot(resumed);
    assert!(after[0].starts_with("session refused run: exit status: 6"), "{after:?}");
    assert!(after[1].starts_with("media done GISHIKI-A (/dev/"), "{after:?}");
    assert_eq!(after.len(), 3, "{after:?}");
}

/// What the image recorded before a session: kind, result and details of each event.
fn since_boot(record: &serde_json::Value) -> Vec<String> {
    let events = record["event"]["room"]["since-boot"].as_array().unwrap();
    let text = |event: &serde_json::Value| {
        let part = |name: &str| event[name].as_str().unwrap().to_string();
        format!("{} {} {}", part("kind"), part("result"), part("what"))
    };
    events.iter().map(text).collect()
}

#[test]
fn after_a_power_cut_it_goes_on() {
    let iso = drill_iso();
    let sticks = Sticks::new(&iso);
    let (machine, mut papers) = interrupted(&iso, &sticks);
    machine.cut_power();

    // People see what the clock must agree with, set it wrong all the same, and are led back to it.
    let mut machine = Machine::boot(&plugged(&iso, &sticks));
    machine.expect("English ? ");
    machine.send("2");
    let said = machine.expect("10:30:00: ");
    assert!(said.contains("last record of the begun ceremony: 2026-04-01 1"), "{said}");
    machine.send("2026-04-01 10:00:30");
    let said = machine.expect("10:30:00: ");
    assert!(said.contains("✗ the clock stands before the last record"), "{said}");
    machine.send("yes");
    machine.expect(MENU);
    machine.send("1");
    let said = machine.expect("Enter looks again: ");
    assert!(said.contains("S-TIME-BACK") || said.contains("does not agree"), "{said}");
    machine.send("no");
    let said = machine.expect("no returns: ");
    assert!(said.contains("1: hold the ceremony"), "{said}");
    machine.send("no");
    machine.expect(MENU);
    machine.send("4");
    machine.expect("10:30:00: ");
    machine.send("2026-04-01 12:00:00");
    let said = machine.expect("10:30:00: ");
    let set = said.contains("✓ the clock was set: 2026-04-01 12:00:00+09:00");
    assert!(set && said.matches('✗').count() == 0, "{said}");
    machine.send("yes");
    machine.expect(MENU);
    machine.send("1");
    assert!(papers.perform(&mut machine, |_| false));
    machine.switch_off();
    assert_sealed(&sticks);
}

/// A medium of this number is pulled while people read aloud, and put back when the ceremony has
/// stopped.
fn pulled(number: usize) {
    let iso = drill_iso();
    let sticks = Sticks::new(&iso);
    let (mut machine, mut papers) = interrupted(&iso, &sticks);
    machine.monitor(&format!("device_del u{number}"));
    std::thread::sleep(std::time::Duration::from_secs(5));
    machine.send("no such words");
    assert!(!papers.perform(&mut machine, |said| said.contains("no returns: ")));
    let said = machine.monitor(&format!("device_add usb-storage,drive=m{number},id=u9"));
    assert!(!said.contains("Error"), "{said}");
    std::thread::sleep(std::time::Duration::from_secs(5));
    match number {
        // People may go on without one journal too: from the menu, with two people's word.
        2 => {
            machine.send("no");
            machine.expect(MENU);
            machine.send("3");
            machine.expect("(anything else returns): ");
            machine.send("b");
            assert!(!papers.perform(&mut machine, |said| said.contains("who consent; otherwise")));
            machine.send("p01 p03");
        }
        _ => machine.send(""),
    }
    assert!(papers.perform(&mut machine, |_| false));
    machine.switch_off();
    assert_sealed(&sticks);
}

/// With the operators' files on it.
#[test]
fn medium_a_is_pulled_and_put_back() {
    pulled(0);
}

#[test]
fn medium_b_is_pulled_and_put_back() {
    pulled(1);
}

#[test]
fn the_token_is_pulled_and_put_back() {
    pulled(2);
}
