//! Real ceremonies with people at a terminal: the first ceremony and its anchor, a backup, and the
//! loss of the root token, after which the anchor names a second audit key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ceremony::hex::Digest;

use crate::cards::{approve, give_cards, readers};
use crate::second::second;
use crate::support::terminal::{SO_PIN, Terminal};
use crate::support::{
    Drill, GISHIKI, PIN, SOFTHSM, copy, files, gishiki, gishiki_at, root, run, succeed, text,
};

/// Writes the release of this program for a CA's ceremonies.
pub(crate) fn release(ca: &Path) {
    let version = succeed(gishiki().arg("--version"));
    let tool = version.trim().strip_prefix("gishiki ").unwrap();
    let (image, tests) = (Digest::of(b"an image"), Digest::of(b"a report"));
    let text = format!("format = 1\ntool = \"{tool}\"\nimage = \"{image}\"\ntests = \"{tests}\"\n");
    fs::write(ca.join("release.toml"), text).unwrap();
}

/// A CA whose production tokens are two of SoftHSM's, and its ledger.
struct Ca {
    drill: Drill,
    /// The second medium: another device than the first.
    other: tempfile::TempDir,
    tokens: [String; 2],
}

impl Ca {
    fn new() -> Self {
        let drill = Drill::new();
        let tokens = ["mdoc-root", "mdoc-vault"].map(|label| drill.new_token(label));
        let other = tempfile::tempdir_in("/dev/shm").unwrap();
        let ca = Self { drill, other, tokens };
        let plans = ca.path("ceremony-plans/mdoc-root");
        copy(&root().join("ceremony-plans/mdoc-root"), &plans);
        let policy = fs::read_to_string(plans.join("policy.toml")).unwrap();
        let policy = policy.replace("FAKE-HSM-0001", &ca.tokens[0]);
        fs::write(plans.join("policy.toml"), policy.replace("FAKE-HSM-0002", &ca.tokens[1]))
            .unwrap();
        give_cards(&ca.drill, &plans);
        release(&plans);
        fs::create_dir(ca.path("ledger")).unwrap();
        ca
    }

    fn path(&self, name: &str) -> PathBuf {
        self.drill.path(name)
    }

    fn plan(&self, ceremony: &str) -> PathBuf {
        self.path("ceremony-plans/mdoc-root").join(ceremony)
    }

    /// A plan of the sample, at another place in a history.
    fn replan(&self, ceremony: &str, after: &str, sequence: u32, replaced: &[(&str, &str)]) {
        let path = self.plan(ceremony).join("plan.toml");
        let mut lines: Vec<String> =
            fs::read_to_string(&path).unwrap().lines().map(String::from).collect();
        for line in &mut lines {
            if line.starts_with("after ") {
                *line = format!("after = \"{after}\"");
            } else if line.starts_with("sequence ") {
                *line = format!("sequence = {sequence}");
            }
        }
        let text = lines.join("\n") + "\n";
        fs::write(path, replaced.iter().fold(text, |text, (a, b)| text.replace(a, b))).unwrap();
    }

    /// The room with this token as the root token, and perhaps another.
    fn room(&self, token: &str, vault: Option<&str>) {
        let digest = ceremony::hex::Digest::of(&fs::read(SOFTHSM).unwrap());
        let table = |name: &str, serial: &str| {
            format!(
                "[{name}]\nmodule = \"{SOFTHSM}\"\nsha256 = \"{digest}\"\nserial = \"{serial}\"\n"
            )
        };
        let vault = vault.map_or(String::new(), |serial| table("spare.vault", serial));
        let (token, cards) = (table("token", token), readers());
        let room = format!("format = 1\nterminal = \"room-1\"\n{token}{vault}{cards}");
        fs::write(self.path("room.toml"), room).unwrap();
    }

    fn command(&self, ceremony: &str, time: &str) -> Command {
        let mut command = gishiki_at(time);
        self.drill.env(&mut command);
        command.args(["--lang", "en", "run"]).arg(self.plan(ceremony));
        command.arg("--room").arg(self.path("room.toml"));
        command.arg("--journal").arg(self.path(&format!("A-{ceremony}")));
        command.arg("--journal").arg(self.other.path().join(ceremony));
        command.arg("--out").arg(self.path("ledger").join(ceremony));
        if self.path("anchor.toml").exists() {
            command.arg("--ledger").arg(self.path("ledger"));
            command.arg("--anchor").arg(self.path("anchor.toml"));
        }
        command
    }

    /// Holds a ceremony at a terminal; what stood on the screen.
    fn hold(&self, ceremony: &str, time: &str) -> String {
        approve(&self.drill, &self.plan(ceremony), &self.path("ledger"), &before(time));
        let mut check = gishiki();
        check.arg("check").arg(self.plan(ceremony)).arg("--ledger").arg(self.path("ledger"));
        let mut terminal = Terminal::open(&self.command(ceremony, time)).with_papers(&mut check);
        let code = terminal.finish();
        let screen = terminal.said.clone();
        assert_eq!(code, Some(0), "{ceremony}: {screen}");
        assert!(!screen.contains(PIN) && !screen.contains(SO_PIN), "a PIN is on the screen");
        screen
    }

    fn slip(&self, screen: &str, sequence: u32, name: &str, new_key: bool) -> String {
        let bindings = self.path("ledger").join(name).join("bindings.txt");
        let text = fs::read_to_string(bindings).unwrap();
        let id = Digest::of_parts("gishiki bindings v1", &[text.as_bytes()]).to_string();
        pin(screen, sequence, name, new_key).replace("BINDINGS", &id)
    }

    fn verify(&self, what: &Path, anchored: bool) -> (Option<i32>, String) {
        let mut verify = gishiki();
        verify.arg("verify").arg(what);
        if anchored {
            verify.arg("--anchor").arg(self.path("anchor.toml"));
        }
        let output = run(&mut verify);
        (output.status.code(), text(&output))
    }
}

/// The slip of a ceremony, as it stands on the screen and in its script, copied into the anchor.
fn pin(screen: &str, sequence: u32, name: &str, new_key: bool) -> String {
    let words = screen.rsplit("Anchor [").next().unwrap();
    let digest = |before: &str| {
        let at = words.split(before).nth(1).unwrap_or_else(|| panic!("{before:?}: {screen}"));
        at.split_whitespace().next().unwrap().to_string()
    };
    let (audit, head) = (digest("audit-key\r\n   "), digest("   head\r\n   "));
    let key = if new_key { format!("audit-key = \"{audit}\"\n") } else { String::new() };
    format!(
        "[[ceremony]]\nsequence = {sequence}\nname = \"{name}\"\nbindings = \"BINDINGS\"\n\
         head = \"{head}\"\npostscript = \"{}\"\n{key}signed-on = 2026-04-01\n",
        digest("\n  postscript ")
    )
}

/// Some minutes before a time at half past: each command begins at the time that it is given, and
/// on a busy machine takes seconds.
fn before(time: &str) -> String {
    assert!(time.contains(":30:00"), "{time}");
    time.replace(":30:00", ":20:00")
}

/// The report of the last ceremony, under the anchor.
fn reported(ca: &Ca) -> (Option<i32>, String) {
    let mut report = gishiki();
    report.arg("report").arg(ca.path("ledger")).arg("--anchor").arg(ca.path("anchor.toml"));
    let output = run(report.args(["--form", "markdown"]));
    (output.status.code(), text(&output))
}

/// What goes out of a real ceremony is taken by the host whose anchor pins it, and by no other.
fn is_published_under_its_anchor_alone(ca: &Ca, anchor: &str) {
    let releases = ca.path("releases");
    let mut release = gishiki();
    release.arg("release").arg(ca.path("ledger")).arg("--anchor").arg(ca.path("anchor.toml"));
    assert!(succeed(release.arg("--out").arg(&releases)).contains("root 1"));
    let sync = |name: &str, anchor: &str| {
        let pins = ca.path(name);
        fs::write(&pins, anchor).unwrap();
        // It lies beside `gishiki`: `cargo build --workspace` makes both.
        let mut sync = Command::new(Path::new(GISHIKI).with_file_name("gishiki-dts"));
        sync.args(["sync", "--lang", "en", "--at", "2026-04-01T12:00:00+09:00", "--releases"]);
        sync.arg(&releases).arg("--anchor").arg(pins).arg("--web").arg(ca.path("web"));
        let output = run(sync.arg("--log").arg(ca.path("publications.jsonl")));
        (output.status.code(), text(&output))
    };
    for name in ["head", "bindings", "audit-key"] {
        let line = anchor.lines().find(|line| line.starts_with(name)).unwrap();
        let digit = if line.contains(" = \"0") { "1" } else { "0" };
        let (before, after) = line.split_once(" = \"").unwrap();
        let other = format!("{before} = \"{digit}{}", &after[1..]);
        let (code, said) = sync("other-anchor.toml", &anchor.replace(line, &other));
        assert!(code == Some(4) && said.contains("S-ANCHOR"), "{name}: {code:?}: {said}");
        assert!(!ca.path("web").exists(), "{name}");
    }
    let (code, said) = sync("same-anchor.toml", anchor);
    assert!(code == Some(0) && said.contains("crl-g1-2026-04-01.crl"), "{code:?}: {said}");
    let sealed = ca.path("ledger/2026-04-genesis");
    for (served, made) in
        [("mdoc/g1.crl", "crl-g1-2026-04-01.crl"), ("roots/root-g1.cer", "root-g1.der")]
    {
        let [served, made] = [ca.path("web/dts").join(served), sealed.join(made)];
        assert_eq!(fs::read(&served).unwrap(), fs::read(made).unwrap(), "{}", served.display());
    }
}

/// Without a release, or with that of another program, nothing begins, whoever approved.
fn another_program_holds_nothing(ca: &Ca) {
    let path = ca.path("ceremony-plans/mdoc-root/release.toml");
    let own = fs::read_to_string(&path).unwrap();
    let (ceremony, time) = ("2026-04-genesis", "2026-04-01 01:30:00");
    let others = [None, Some(own.replace("tool = \"", "tool = \"9."))];
    for (other, asked) in others.iter().zip(["in release.toml", "the released program, 9."]) {
        fs::remove_file(&path).unwrap();
        if let Some(other) = other {
            fs::write(&path, other).unwrap();
        }
        approve(&ca.drill, &ca.plan(ceremony), &ca.path("ledger"), &before(time));
        let output = run(&mut ca.command(ceremony, time));
        let said = text(&output);
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains("S-TOOL") && said.contains(asked), "{said}");
        assert!(!ca.path(&format!("A-{ceremony}")).join("journal.jsonl").exists());
        fs::write(&path, &own).unwrap();
        fs::remove_dir_all(ca.plan(ceremony).join("approvals")).unwrap();
    }
}

#[test]
fn the_real_thing_is_held_at_a_terminal_and_anchored() {
    let ca = Ca::new();
    let ledger = ca.path("ledger");
    ca.room(&ca.tokens[0], None);
    another_program_holds_nothing(&ca);
    let screen = ca.hold("2026-04-genesis", "2026-04-01 01:30:00");
    let genesis = ledger.join("2026-04-genesis");
    assert_eq!(ca.verify(&genesis, false).0, Some(7));
    let first = ca.slip(&screen, 1, "2026-04-genesis", true);
    let mut anchor = format!("format = 1\nca = \"mdoc-root\"\nmode = \"real\"\n{first}");
    fs::write(ca.path("anchor.toml"), &anchor).unwrap();
    let (code, said) = ca.verify(&genesis, true);
    assert!(code == Some(0) && said.contains("\nverified: mdoc-root"), "{code:?}: {said}");
    assert!(
        said.contains("signed by people's cards 24, stated by people 0, by papers 0,"),
        "{said}"
    );
    let mut rules = gishiki();
    rules.arg("verify").arg(&genesis).arg("--anchor").arg(ca.path("anchor.toml")).arg("--rules");
    assert!(succeed(&mut rules).contains("S-TOOL"), "{said}");
    assert_eq!(second(&ledger, &["--anchor", ca.path("anchor.toml").to_str().unwrap()]).0, Some(0));
    is_published_under_its_anchor_alone(&ca, &anchor);
    let (code, said) = reported(&ca);
    assert!(code == Some(0) && said.contains("**Verified.** "), "{code:?}: {said}");
    assert!(said.contains("| own card | ") && said.contains(" reports a **real** cer"), "{said}");
    let mut state = gishiki();
    state.arg("state").arg(&ledger).arg("--anchor").arg(ca.path("anchor.toml"));
    let said = succeed(&mut state);
    assert!(said.starts_with("mdoc-root (real)\n  judged under the anchor\n"), "{said}");

    // The backup. Its bindings were reviewed; others beside the plan stop it.
    ca.replan("2026-12-backup-drill", "2026-04-genesis", 2, &[]);
    ca.room(&ca.tokens[0], Some(&ca.tokens[1]));
    let bindings = ca.plan("2026-12-backup-drill").join("bindings.txt");
    fs::write(&bindings, "gishiki bindings v1\n").unwrap();
    let refused = run(&mut ca.command("2026-12-backup-drill", "2026-12-25 01:30:00"));
    assert_eq!(refused.status.code(), Some(5), "{}", text(&refused));
    assert!(text(&refused).contains("S-PAPERS"), "{}", text(&refused));
    let mut bind = gishiki();
    bind.arg("bind").arg(ca.plan("2026-12-backup-drill")).arg("--ledger").arg(&ledger);
    fs::write(&bindings, succeed(&mut bind)).unwrap();
    let screen = ca.hold("2026-12-backup-drill", "2026-12-25 01:30:00");

    // It is not pinned yet: nothing is held on it, and it is no more than consistent.
    let (code, said) = ca.verify(&ledger, true);
    assert!(code == Some(7) && said.contains("not pinned: 2026-12-backup-drill"), "{said}");
    let (code, said) = reported(&ca);
    assert!(code == Some(7) && said.contains("**Consistent, not pinned.** "), "{code:?}: {said}");
    let moved = [("2032-03-05", "2027-01-05"), ("2032-05-18", "2027-03-24")];
    ca.replan("2032-03-token-lost", "2026-12-backup-drill", 3, &moved);
    ca.room(&ca.tokens[1], None);
    let refused = run(&mut ca.command("2032-03-token-lost", "2027-01-05 01:30:00"));
    assert_eq!(refused.status.code(), Some(7), "{}", text(&refused));
    anchor += &ca.slip(&screen, 2, "2026-12-backup-drill", false);
    fs::write(ca.path("anchor.toml"), &anchor).unwrap();
    assert_eq!(ca.verify(&ledger, true).0, Some(0));

    approve(&ca.drill, &ca.plan("2032-03-token-lost"), &ledger, "2027-01-04 01:30:00");
    // The root token is lost. The ledger does not know the one in its place as the root token, and
    // the anchor does not know the audit key that is made on it.
    ca.room(&ca.tokens[0], None);
    let refused = run(&mut ca.command("2032-03-token-lost", "2027-01-05 01:30:00"));
    assert!(text(&refused).contains("S-TOKEN-SERIAL"), "{}", text(&refused));
    ca.room(&ca.tokens[1], None);
    let screen = ca.hold("2032-03-token-lost", "2027-01-05 01:30:00");
    assert_eq!(ca.verify(&ledger, true).0, Some(7));
    anchor += &ca.slip(&screen, 3, "2032-03-token-lost", true);
    fs::write(ca.path("anchor.toml"), &anchor).unwrap();
    let (code, said) = ca.verify(&ledger, true);
    assert!(code == Some(0) && said.contains("verified: "), "{code:?}: {said}");

    // A ledger that ends before the last ceremony that is pinned was cut.
    fs::rename(ledger.join("2032-03-token-lost"), ca.path("put-away")).unwrap();
    let (code, said) = ca.verify(&ledger, true);
    let lacks = said.contains("S-ANCHOR") && said.contains("2032-03-token-lost");
    assert!(code == Some(4) && lacks, "{code:?}: {said}");
}

/// A device is lost as a whole: what is held on one would be on no second medium. Neither a run nor
/// its resumption is, and nothing is written for it.
#[test]
fn two_journals_on_one_device_are_refused() {
    let ca = Ca::new();
    ca.room(&ca.tokens[0], None);
    let ceremony = "2026-04-genesis";
    let [first, second] = [ca.path(&format!("A-{ceremony}")), ca.other.path().join(ceremony)];
    let on = |what: &str, a: &Path, b: &Path, time: &str| {
        let mut command = gishiki_at(time);
        ca.drill.env(&mut command).args(["--lang", "en", what]);
        if what == "run" {
            command.arg(ca.plan(ceremony));
        }
        command.arg("--room").arg(ca.path("room.toml"));
        command.arg("--journal").arg(a).arg("--journal").arg(b);
        command.arg("--out").arg(ca.path("ledger").join(ceremony));
        let mut check = gishiki();
        Terminal::open(&command).with_papers(check.arg("check").arg(ca.plan(ceremony)))
    };
    let refused = |what: &str, a: &Path, b: &Path| {
        let mut terminal = on(what, a, b, "2026-04-01 03:00:00");
        let code = terminal.ends();
        let said = terminal.said.clone();
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains("S-JOURNAL") && said.contains("two journal folders, on two media"));
        let found = format!("found: {} and {} on one device", a.display(), b.display());
        assert!(said.contains(&found), "{said}");
        assert!(!ca.path("ledger").join(ceremony).exists(), "{said}");
        said
    };
    approve(&ca.drill, &ca.plan(ceremony), &ca.path("ledger"), &before("2026-04-01 01:30:00"));
    // Beside each other, and where a folder on the way is not there yet.
    for beside in [ca.path("B"), ca.path("B/in/it")] {
        let said = refused("run", &first, &beside);
        assert!(said.contains("Nothing was begun."), "{said}");
        assert!(!first.exists() && !ca.path("B").exists(), "{said}");
    }
    let mut terminal = on("run", &first, &second, "2026-04-01 01:30:00");
    terminal.until_login();
    terminal.presses(b"\x03");
    assert_eq!(terminal.ends(), Some(130), "{}", terminal.said);
    // The second journal, copied to where the first one is.
    copy(&second, &ca.path("B"));
    let held = || [&first, &ca.path("B")].map(|folder| files(folder));
    let before = held();
    let said = refused("resume", &first, &ca.path("B"));
    assert!(said.contains("The journal is kept."), "{said}");
    assert!(held() == before, "{said}");
}
