//! A PIN that nobody knows: dealt at a terminal, tried, used in a ceremony, and dealt again.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::bad_input::refused;
use crate::life::history::{CEREMONIES, History, plan};
use crate::support::terminal::{SO_PIN, Terminal};
use crate::support::{
    Drill, IN_WINDOW, PIN, SOFTHSM, faulty_module, files, genesis, gishiki, gishiki_at, sample_ca,
    text,
};

/// What clears the screen and what has scrolled away.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// `gishiki activation …` on a drill's token.
fn activation(drill: &Drill, options: &[&str]) -> Command {
    activation_of(drill, &drill.serial, options)
}

/// The same on another token of the drill.
fn activation_of(drill: &Drill, serial: &str, options: &[&str]) -> Command {
    let mut command = gishiki();
    drill.env(&mut command).args(["--lang", "en", "activation"]).args(options);
    command.args(["--module", SOFTHSM, "--serial", serial]);
    command
}

/// Gives a command these lines on a pipe: no file ever holds a share.
pub(crate) fn given(mut command: Command, lines: &[&str]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that is refused before it reads closes its end.
    let _ = child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes());
    child.wait_with_output().unwrap()
}

/// `gishiki activation try`, which reads shares from its standard input.
pub(crate) fn attempt(drill: &Drill) -> Command {
    activation(drill, &["try", "--pin-fd", "0"])
}

fn tried(drill: &Drill, shares: &[&str]) -> Output {
    given(attempt(drill), shares)
}

/// The lines of words on a sheet, from the last screen that was cleared.
fn words(said: &str) -> Vec<String> {
    let sheet = said.rsplit(CLEAR).next().unwrap();
    let line = |line: &str| {
        let (number, words) = line.trim().split_once(".  ")?;
        number.parse::<u8>().ok()?;
        Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    sheet.lines().filter_map(line).collect()
}

/// Copies the sheet that comes next; returns its lines.
fn copied(terminal: &mut Terminal) -> Vec<String> {
    assert!(terminal.prompt().unwrap().ends_with("Enter shows it: "), "{}", terminal.said);
    let sheet = terminal.types("");
    assert!(sheet.ends_with("the screen is then cleared: "), "{sheet}");
    let lines = words(&sheet);
    assert_eq!(lines.len(), 6, "{sheet}");
    let below = terminal.types("");
    assert!(below.trim_start().starts_with(CLEAR) && below.ends_with(", line 1: "), "{below}");
    lines
}

/// Types a sheet from paper; nothing of it is on the screen.
fn types(terminal: &mut Terminal, lines: &[String]) -> String {
    let before = terminal.said.len();
    for line in lines {
        terminal.prompt().unwrap();
        terminal.answer(line);
    }
    let after = terminal.prompt();
    assert!(words(&terminal.said[before..]).is_empty(), "{}", terminal.said);
    lines.iter().for_each(|line| assert!(!terminal.said[before..].contains(line.as_str())));
    after.unwrap_or_default()
}

/// Lets every custodian copy their sheet and type it back; returns each share on one line.
fn handed_out(terminal: &mut Terminal, of: usize) -> Vec<String> {
    let shares = (0..of).map(|_| {
        let lines = copied(terminal);
        types(terminal, &lines);
        lines.join(" ")
    });
    shares.collect()
}

/// Deals the user's PIN, which people know; returns the shares.
pub(crate) fn dealt(drill: &Drill, need: usize, of: usize) -> Vec<String> {
    let (need, all) = (need.to_string(), of.to_string());
    dealt_with(drill, &["--need", &need, "--of", &all], &[PIN], of)
}

/// The same with these options, and these answers to what the present PIN is.
fn dealt_with(drill: &Drill, options: &[&str], present: &[&str], of: usize) -> Vec<String> {
    dealt_by(&activation(drill, &[&["deal"], options].concat()), present, of)
}

/// What this command deals.
fn dealt_by(deal: &Command, present: &[&str], of: usize) -> Vec<String> {
    let mut terminal = Terminal::open(deal);
    for answer in present {
        assert!(terminal.prompt().unwrap().contains("> present "), "{}", terminal.said);
        terminal.answer(answer);
    }
    let shares = handed_out(&mut terminal, of);
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.said);
    assert!(terminal.said.contains("is set, and one login with it has worked"));
    shares
}

fn lines(shares: &[String]) -> Vec<&str> {
    shares.iter().map(String::as_str).collect()
}

/// No share, and no line of one, stands in any file below a folder.
fn nowhere(folder: &Path, shares: &[String]) {
    let kept = files(folder);
    assert!(kept.len() > 10);
    for (name, octets) in kept {
        let octets = String::from_utf8_lossy(&octets).to_lowercase();
        for share in shares {
            let words: Vec<&str> = share.split(' ').collect();
            for part in words.windows(2) {
                assert!(!octets.contains(&part.join(" ")), "{name}");
            }
        }
    }
}

#[test]
fn it_is_dealt_tried_used_in_a_ceremony_and_dealt_again() {
    let drill = Drill::new();
    let shares = dealt(&drill, 2, 3);
    // What people knew opens nothing any more.
    let known = activation(&drill, &["deal", "--need", "2", "--of", "3", "--pin-fd", "0"]);
    let output = given(known, &[PIN]);
    refused(&output, 3, "S-TOKEN");
    assert!(
        text(&output).contains("a wrong PIN (C_Login: CKR_PIN_INCORRECT)"),
        "{}",
        text(&output)
    );
    for pair in [[0, 1], [1, 2], [2, 0]] {
        let output = tried(&drill, &pair.map(|at| shares[at].as_str()));
        assert!(output.status.success(), "{}", text(&output));
        assert!(text(&output).contains("one login has worked. Nothing was changed."));
    }
    // A ceremony in whose room two shares are asked for.
    let room = drill.path("room.toml");
    let written = fs::read_to_string(&room).unwrap();
    fs::write(&room, written + "shares = 2\n").unwrap();
    let given_twice: Vec<&str> = lines(&shares)[..2].repeat(9);
    let output = given(drill.run_command(&genesis()), &given_twice);
    assert!(output.status.success(), "{}", text(&output));
    drill.verify();
    fs::remove_file(drill.path("pin")).unwrap();
    nowhere(drill.folder.path(), &shares);
    // Custodians change: the PIN before is given by its shares.
    let options = ["deal", "--need", "2", "--of", "2", "--shares", "2"];
    let mut terminal = Terminal::open(&activation(&drill, &options));
    for (number, share) in [(1, &shares[2]), (2, &shares[0])] {
        let asked = terminal.prompt().unwrap();
        let prompt = format!("> present PIN, share {number} of 2, line 1: ");
        assert!(asked.ends_with(&prompt), "{asked}");
        terminal.answer(share);
    }
    let again = handed_out(&mut terminal, 2);
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.said);
    let output = tried(&drill, &lines(&shares)[..2]);
    refused(&output, 3, "S-TOKEN");
    assert!(text(&output).contains("Take the sheets of the last dealing"), "{}", text(&output));
    assert!(tried(&drill, &lines(&again)).status.success());
    nowhere(drill.folder.path(), &again);
}

/// A copy asks for the SO PIN of the token that it goes to: in shares, where the room says so.
#[test]
fn a_copy_is_made_with_an_so_pin_that_nobody_knows() {
    let (history, ceremony) = (History::new(), "2026-12-backup-drill");
    let (drill, vault) = history.tokens();
    let module = Path::new(SOFTHSM);
    for before in CEREMONIES.iter().take_while(|name| **name != ceremony) {
        let output = history.run(before, module, None);
        assert!(output.status.success(), "{before}: {}", text(&output));
    }
    let options = ["deal", "--so", "--need", "2", "--of", "3"];
    let shares = dealt_by(&activation_of(drill, vault, &options), &[SO_PIN], 3);
    let command = || {
        let command = history.command("run", &plan(ceremony), module, 30 * 60);
        let room = drill.path("room.toml");
        let written = fs::read_to_string(&room).unwrap();
        assert!(written.rfind("[spare.vault]") > written.rfind("[token]"), "{written}");
        fs::write(&room, written + "so-shares = 2\n").unwrap();
        command
    };
    // The two logins; then SO PIN and PIN of each token, the vault's SO PIN from two sheets.
    let answers = |first, second| [PIN, PIN, SO_PIN, PIN, first, second, PIN];
    let output = given(command(), &answers(&shares[2], &shares[2]));
    assert!(text(&output).contains("share 3 was given already"), "{}", text(&output));
    assert_eq!(history.keys_on("DRILL vault"), (0, 0));
    history.journals(ceremony).iter().for_each(|medium| fs::remove_dir_all(medium).unwrap());
    let output = given(command(), &answers(&shares[2], &shares[0]));
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(history.keys_on("DRILL vault"), (1, 1));
    history.verify();
    nowhere(history.folder(), &shares);
}

/// Everything that is no share of this dealing is named, and the token is not asked for a login.
#[test]
fn a_wrong_share_is_named_and_no_login_is_tried() {
    let drill = Drill::new();
    let shares = dealt(&drill, 2, 3);
    let options = ["--so", "--need", "2", "--of", "2"];
    let officers = dealt_with(&drill, &options, &[SO_PIN], 2);
    let so = activation(&drill, &["try", "--so", "--pin-fd", "0"]);
    assert!(given(so, &lines(&officers)).status.success());
    // The same PIN once more, by its shares: another dealing. And another token.
    let old = shares;
    let options = ["--need", "2", "--of", "3", "--shares", "2"];
    let shares = dealt_with(&drill, &options, &lines(&old)[..2], 3);
    let other = Drill::new();
    let of_other = dealt(&other, 2, 2);
    let wrong = shares[1].replacen(' ', " zoo ", 1);
    let last = shares[1].rsplit_once(' ').unwrap().0;
    let another = format!("{last} {}", if shares[1].ends_with(" zoo") { "abandon" } else { "zoo" });
    for (given_lines, said) in [
        (vec![shares[0].as_str(), &old[1]], "take sheets of one dealing"),
        (vec![&shares[0], &shares[0]], "share 1 was given already"),
        (vec![&shares[0]], "no line left in the descriptor"),
        (vec![&shares[0], &wrong], "is of another sheet"),
        (vec![&shares[0], &another], "line 6 has a wrong word"),
        (vec![&shares[0], last], "line 6 has 3 words"),
        (vec![&of_other[0]], "a share of another token: take the sheet with serial number"),
        (vec![&officers[0]], "a share of the SO PIN"),
        (vec![&shares[0], "no"], "line 1 has 1 words"),
    ] {
        let log = drill.path("calls");
        let _ = fs::remove_file(&log);
        let mut command = gishiki();
        drill.env(&mut command).env("FAULTY_MODULE", SOFTHSM).env("FAULTY_LOG", &log);
        command.args(["--lang", "en", "activation", "try", "--serial", &drill.serial]);
        command.arg("--module").arg(faulty_module()).args(["--pin-fd", "0"]);
        let output = given(command, &given_lines);
        refused(&output, 6, "S-TERMINAL");
        assert!(text(&output).contains(said), "{said}: {}", text(&output));
        let calls = fs::read_to_string(&log).unwrap();
        assert!(calls.contains("C_GetTokenInfo") && !calls.contains("C_Login"), "{said}");
        // No word of a share is in what is said of it.
        let shown = text(&output);
        assert!(!shown.contains(&shares[0][..20]), "{shown}");
    }
    assert!(tried(&drill, &lines(&shares)[1..]).status.success());
}

/// Writes what a module looks for in memory: the token's serial number, which is there, and the
/// beginning and end of each share, as it is typed, drawn and shown.
fn look_for(drill: &Drill, shares: &[String]) {
    let mut texts = vec![drill.serial.clone()];
    for share in shares {
        for text in [share.clone(), share.to_uppercase()] {
            texts.push(text[..20].to_string());
            texts.push(text[text.len() - 20..].to_string());
        }
        let words: Vec<&str> = share.split(' ').collect();
        texts.push(format!("{:<9}{:<9}{:<9}{}", words[4], words[5], words[6], words[7]));
    }
    let inverted = |text: &String| text.bytes().map(|octet| format!("{:02x}", !octet)).collect();
    let inverted: Vec<String> = texts.iter().map(inverted).collect();
    fs::write(drill.path("secrets"), inverted.join("\n")).unwrap();
}

/// When the PIN is set, no share is in memory as words, though each was shown and typed.
#[test]
fn no_words_of_a_share_stay_in_memory() {
    let drill = Drill::new();
    let mut command = gishiki();
    drill.env(&mut command).env("FAULTY_MODULE", SOFTHSM);
    command.env("FAULTY_SECRETS", drill.path("secrets"));
    command.env("FAULTY_FOUND", drill.path("found"));
    command.args(["--lang", "en", "activation", "deal", "--need", "2", "--of", "2"]);
    command.arg("--module").arg(faulty_module());
    let mut terminal = Terminal::open(&command);
    terminal.prompt().unwrap();
    let size = rustix::termios::Winsize { ws_row: 50, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(terminal.pty(), size).unwrap();
    terminal.answer(PIN);
    let first = copied(&mut terminal);
    types(&mut terminal, &first);
    let second = copied(&mut terminal);
    look_for(&drill, &[first.join(" "), second.join(" ")]);
    types(&mut terminal, &second);
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.said);
    let found = fs::read_to_string(drill.path("found")).unwrap();
    // Of what was looked for, the serial number; and the PIN of the login, which sets the new one.
    assert_eq!(found, "0\nPIN\n");
}

/// After the login neither the PIN nor a share is in the memory of the process, whatever libraries
/// made of them; what must be there is found.
#[test]
fn nothing_of_a_share_stays_in_memory() {
    let drill = Drill::new();
    let shares = dealt(&drill, 2, 2);
    drill.write_room(&faulty_module());
    let room = drill.path("room.toml");
    let written = fs::read_to_string(&room).unwrap();
    fs::write(&room, written + "shares = 2\n").unwrap();
    look_for(&drill, &shares);
    let mut command = drill.run_command(&genesis());
    command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_SECRETS", drill.path("secrets"));
    command.env("FAULTY_FOUND", drill.path("found"));
    let output = given(command, &lines(&shares).repeat(9));
    assert!(output.status.success(), "{}", text(&output));
    // The token's serial number, and nothing else.
    assert_eq!(fs::read_to_string(drill.path("found")).unwrap(), "0\n");
}

/// A custodian who makes mistakes at the terminal is told of each, and sees the sheet again.
#[test]
fn a_sheet_is_typed_back_until_it_is_right() {
    let drill = Drill::new();
    let options = ["deal", "--need", "2", "--of", "2"];
    let mut terminal = Terminal::open(&activation(&drill, &options));
    assert!(terminal.types("").contains("that is no PIN; the token was not asked"));
    terminal.answer(PIN);
    let first = copied(&mut terminal);
    // Enter alone shows it again.
    assert!(terminal.types("").ends_with("Enter shows it: "));
    assert_eq!(copied(&mut terminal), first);
    assert!(terminal.types("no").contains("line 1 has 1 words, and four are asked for"));
    let swapped: Vec<&str> = first[0].split(' ').collect();
    let swapped = [swapped[1], swapped[0], swapped[2], swapped[3]].join(" ");
    if swapped != first[0] {
        assert!(terminal.types(&swapped).contains("line 1 has a wrong word"));
    }
    let unknown = terminal.types("abandon ability qwerty about");
    assert!(unknown.contains("word 3 of line 1 is none of the list"), "{unknown}");
    assert!(unknown.ends_with("> PIN, sheet 1 of 2, line 1: "), "{unknown}");
    // In capitals, the first four letters only, and all at once.
    let short = |word: &str| word.get(..4).unwrap_or(word).to_uppercase();
    let all: Vec<String> = first.join(" ").split(' ').map(short).collect();
    assert!(terminal.types(&all.join(", ")).contains("✓ sheet 1 of 2 is right"));
    let second = copied(&mut terminal);
    let other = terminal.types(&first.join(" "));
    assert!(other.contains("✗ that is another sheet"), "{other}");
    assert!(!terminal.said.contains("is set now"));
    types(&mut terminal, &second);
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.said);
    assert!(tried(&drill, &[&second.join(" "), &first.join(" ")]).status.success());
}

/// The QR code is shown where the screen has room for it.
#[test]
fn a_large_screen_shows_a_code_as_well() {
    let drill = Drill::new();
    let mut terminal = Terminal::open(&activation(&drill, &["deal", "--need", "2", "--of", "2"]));
    terminal.prompt().unwrap();
    let size = rustix::termios::Winsize { ws_row: 50, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(terminal.pty(), size).unwrap();
    terminal.answer(PIN);
    terminal.prompt().unwrap();
    let sheet = terminal.types("");
    assert!(sheet.contains('▀') && sheet.contains("\x1b[30;107m"), "{sheet}");
    assert_eq!(words(&sheet).len(), 6);
}

/// Whatever ends it before the PIN is set, the token has the PIN before, and no sheet stays.
#[test]
fn what_is_interrupted_leaves_neither_a_change_nor_a_sheet() {
    let drill = Drill::new();
    let options = ["deal", "--need", "2", "--of", "2"];
    for keys in [&b"\x03"[..], b"\x04"] {
        let mut terminal = Terminal::open(&activation(&drill, &options));
        terminal.prompt().unwrap();
        terminal.answer(PIN);
        terminal.prompt().unwrap();
        assert!(terminal.types("").contains("dealing "));
        terminal.presses(keys);
        assert!(terminal.ends().is_some_and(|code| code == 130 || code == 6));
        let (_, after) = terminal.said.rsplit_once("is then cleared: ").unwrap();
        assert!(after.contains(CLEAR) && words(&terminal.said).is_empty(), "{after:?}");
    }
    // The PIN before is still good.
    assert_eq!(dealt(&drill, 2, 2).len(), 2);
}

/// C_SetPIN that refuses, and C_SetPIN of which nobody knows what it did.
#[test]
fn a_token_that_fails_is_told_of_with_what_to_try() {
    for (fault, said, is_changed) in [
        ("C_SetPIN#1:error=a2", "it has the PIN before. Destroy the sheets", false),
        ("C_SetPIN#1:error-after=30", "nobody knows which PIN it has", true),
        ("C_SetPIN#1:error=30", "nobody knows which PIN it has", false),
        ("C_Login#3:error=30", "nobody knows which PIN it has", true),
    ] {
        let drill = Drill::new();
        let mut command = gishiki();
        drill.env(&mut command).env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", fault);
        command.args(["--lang", "en", "activation", "deal", "--need", "2", "--of", "2"]);
        command.arg("--module").arg(faulty_module());
        let mut terminal = Terminal::open(&command);
        terminal.prompt().unwrap();
        terminal.answer(PIN);
        let shares = handed_out(&mut terminal, 2);
        assert_eq!(terminal.ends(), Some(3), "{fault}: {}", terminal.said);
        assert!(terminal.said.contains(said), "{fault}: {}", terminal.said);
        assert_eq!(tried(&drill, &lines(&shares)).status.success(), is_changed, "{fault}");
        if !is_changed {
            dealt(&drill, 2, 2);
        }
    }
}

#[test]
fn what_cannot_be_dealt_is_refused_at_once() {
    let drill = Drill::new();
    let deal = ["deal", "--pin-fd", "0"];
    let mut more = activation(&drill, &deal);
    more.args(["--need", "3", "--of", "2"]);
    refused(&given(more, &[]), 64, "S-COMMAND-LINE");
    let one = activation(&drill, &["deal", "--need", "1", "--of", "2"]);
    assert_eq!(given(one, &[]).status.code(), Some(64));
    // A token whose PINs are too short for one that nobody guesses.
    for (lie, code, said) in [
        ("longest-pin=c", 3, "PINs of 4 to 12 octets"),
        ("flags=100", 3, "one whose PIN is entered at the HSM itself"),
        ("flags=40000", 3, "one that is locked"),
    ] {
        let mut command = gishiki();
        drill.env(&mut command).env("FAULTY_MODULE", SOFTHSM);
        command.env("FAULTY_AT", format!("C_GetTokenInfo#*:{lie}"));
        command.args(["--lang", "en", "activation", "deal", "--need", "2", "--of", "2"]);
        command.arg("--module").arg(faulty_module()).args(["--pin-fd", "0"]);
        let output = given(command, &[]);
        refused(&output, code, "S-TOKEN");
        assert!(text(&output).contains(said), "{lie}: {}", text(&output));
    }
    // Which token is meant is said by its serial number.
    let mut nobody = gishiki();
    drill.env(&mut nobody).args(["--lang", "en", "activation", "try", "--module", SOFTHSM]);
    nobody.args(["--serial", "none"]);
    refused(&given(nobody, &[]), 64, "S-TOKEN-SERIAL");
    drill.new_token("DRILL spare");
    let mut which = gishiki();
    drill.env(&mut which).args(["--lang", "en", "activation", "try", "--module", SOFTHSM]);
    let output = given(which, &[]);
    refused(&output, 64, "S-TOKEN-SERIAL");
    assert!(text(&output).contains("name one by --serial"));
}

/// At the terminal of a ceremony: one custodian after the other, in the middle of everything else.
#[test]
fn the_room_asks_for_shares_in_place_of_the_pin() {
    let drill = Drill::new();
    let shares = dealt(&drill, 3, 3);
    let room = drill.path("room.toml");
    let written = fs::read_to_string(&room).unwrap();
    let ca = drill.path("mdoc-root");
    let plan = sample_ca(&ca);
    for (entry, status) in [("shares = 1\n", 5), ("shares = 16\n", 5), ("so-shares = 0\n", 5)] {
        fs::write(&room, format!("{written}{entry}")).unwrap();
        refused(&given(drill.run_command(&plan), &[]), status, "S-ROOM");
    }
    // A room that says another number than the sheets.
    fs::write(&room, format!("{written}shares = 2\n")).unwrap();
    let output = given(drill.copy().run_command(&plan), &lines(&shares));
    assert!(text(&output).contains("say 3 in room.toml"), "{}", text(&output));
    fs::write(&room, format!("{written}shares = 3\n")).unwrap();
    let mut begun = gishiki_at(IN_WINDOW);
    drill.env(&mut begun).args(["--lang", "en", "run"]).arg(&plan).arg("--room").arg(&room);
    begun.arg("--journal").arg(drill.path("A")).arg("--journal").arg(drill.path("B"));
    begun.arg("--out").arg(drill.path("out"));
    let mut check = gishiki();
    let papers = check.arg("check").arg(&plan).arg("--drill");
    let mut terminal = Terminal::open(&begun).with_papers(papers);
    for (number, share) in (1..).zip(&shares) {
        terminal.values.insert(format!("PIN, share {number} of 3, line 1: "), share.clone());
    }
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    assert!(terminal.said.contains("✓ share 3 of dealing "), "{}", terminal.said);
    drill.verify();
    drop(fs::remove_file(drill.path("pin")));
    nowhere(drill.folder.path(), &shares);
    // What `probe` asks for is the same; the ledger of this token is another ceremony's.
    let mut probe = gishiki();
    drill.env(&mut probe).args(["--lang", "en", "probe"]).arg(&plan).arg("--lasting");
    probe.arg("--room").arg(&room).args(["--pin-fd", "0"]);
    let output = given(probe, &lines(&shares).repeat(3));
    assert!(text(&output).contains("✓ login"), "{}", text(&output));
}
