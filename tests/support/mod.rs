//! What tests share: the program, folders, a SoftHSM token, the sample CA.

pub(crate) mod browser;
pub(crate) mod points;
pub(crate) mod signed;
pub(crate) mod terminal;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use ceremony::hex::Digest;
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::verify::Sealed;
use serde_json::Value;

/// The program under test.
pub(crate) const GISHIKI: &str = env!("CARGO_BIN_EXE_gishiki");
/// SoftHSM's module.
pub(crate) const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sample CA's first ceremony.
pub(crate) fn genesis() -> PathBuf {
    root().join("ceremony-plans/mdoc-root/2026-04-genesis")
}

/// Its golden.
pub(crate) fn genesis_golden() -> PathBuf {
    root().join("golden/mdoc-root/2026-04-genesis")
}

/// The module that dies and returns errors or false answers, built once.
pub(crate) fn faulty_module() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT.get_or_init(|| built("faulty-module", "libfaulty_module.so")).clone()
}

/// The program that copies keys between two tokens, built once.
pub(crate) fn copyist() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT.get_or_init(|| built("copyist", "copyist")).clone()
}

/// A program of the workspace's tests. `./test` has built it with everything else; alone it would
/// be built with fewer features, and the core with it: that is done only where a source is newer.
fn built(package: &str, file: &str) -> PathBuf {
    let made = PathBuf::from(GISHIKI).parent().unwrap().join(file);
    if !is_fresh(&made) {
        let mut cargo = Command::new(env!("CARGO"));
        succeed(cargo.current_dir(root()).args(["build", "--quiet", "-p", package]));
    }
    made
}

/// Whether a built file is newer than the sources that cargo lists beside it.
fn is_fresh(made: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let Ok(listed) = fs::read_to_string(made.with_extension("d")) else { return false };
    let (Some((_, sources)), Some(at)) = (listed.split_once(": "), changed(made)) else {
        return false;
    };
    sources.split_whitespace().all(|source| changed(Path::new(source)).is_some_and(|of| of <= at))
}

/// The program, with a plain environment: UTC, English.
pub(crate) fn gishiki() -> Command {
    plain(Command::new(GISHIKI))
}

/// The program at a planned time, in UTC.
pub(crate) fn gishiki_at(time: &str) -> Command {
    plain(at_time(GISHIKI, time))
}

/// A program whose clock begins at this time in UTC. The library is preloaded, because the command
/// `faketime` refuses a process number whose last owner was killed.
pub(crate) fn at_time(program: &str, time: &str) -> Command {
    let mut command = Command::new(program);
    command.env("LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1");
    command.env("FAKETIME", format!("@{time}")).env("TZ", "UTC");
    command
}

/// Inside the window of the sample plan.
pub(crate) const IN_WINDOW: &str = "2026-04-01 01:30:00";
/// Later, and still inside it.
pub(crate) const LATER: &str = "2026-04-01 03:00:00";

fn plain(mut command: Command) -> Command {
    command.env("TZ", "UTC").env("LC_ALL", "C.UTF-8").env_remove("LANG");
    command
}

/// Runs a command; a failure shows what it printed.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command that must succeed; returns its standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Everything that a command printed.
pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Whether tests that sample take every point: `GISHIKI_ALL=1`.
pub(crate) fn complete() -> bool {
    std::env::var("GISHIKI_ALL").as_deref() == Ok("1")
}

/// Whether files that follow from the code are rewritten, not compared: `GISHIKI_RENEW=1`.
pub(crate) fn renewing() -> bool {
    std::env::var("GISHIKI_RENEW").as_deref() == Ok("1")
}

/// Compares a file of the repository that follows from the code, or rewrites it.
pub(crate) fn document(name: &str, text: &str) {
    let path = root().join(name);
    if renewing() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == text {
        return;
    }
    // Equal lines, then one that differs, or the end of one of the two.
    let same = kept.lines().zip(text.lines()).take_while(|(kept, found)| kept == found).count();
    panic!(
        "{name}:{}: not what the code says; GISHIKI_RENEW=1 writes it anew\n  kept:  {:?}\n  found: {:?}",
        same + 1,
        kept.lines().nth(same),
        text.lines().nth(same)
    );
}

/// Compares a text that people read with its insta snapshot in this folder, or rewrites it.
///
/// insta is told to write by a variable of its own, which a process cannot safely set for itself:
/// the test runs once more in a process that has it.
pub(crate) fn snapshot(folder: &str, name: &str, text: &str) {
    const INSTA: &str = "INSTA_UPDATE";
    static RENEWED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if renewing() && std::env::var_os(INSTA).is_none() {
        let test = std::thread::current().name().unwrap().to_string();
        if RENEWED.lock().unwrap().insert(test.clone()) {
            let mut again = Command::new(std::env::current_exe().unwrap());
            succeed(again.args(["--exact", &test]).env(INSTA, "always"));
        }
        return;
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Every file below a folder, by its name in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(place) = open.pop() {
        for entry in
            std::fs::read_dir(&place).unwrap_or_else(|e| panic!("{}: {e}", place.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Gives a sealed folder this postscript, and the manifest that follows: no key is needed for it.
pub(crate) fn with_postscript(folder: &Path, after: &str) {
    fs::write(folder.join("after.jsonl"), after).unwrap();
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array_mut().unwrap();
    let listed = files.iter_mut().find(|file| file["name"] == "after.jsonl").unwrap();
    listed["octets"] = after.len().into();
    listed["sha256"] = Digest::of(after.as_bytes()).to_string().into();
    let last: Value = serde_json::from_str(after.lines().last().unwrap()).unwrap();
    manifest["postscript"] = last["chain"].clone();
    let manifest = serde_json::to_string_pretty(&manifest).unwrap() + "\n";
    fs::write(folder.join("manifest.json"), manifest).unwrap();
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    for (name, octets) in files(from) {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, octets).unwrap();
    }
}

/// The sample CA in a folder of its own; gives the first ceremony's folder there.
pub(crate) fn sample_ca(to: &Path) -> PathBuf {
    copy(&root().join("ceremony-plans/mdoc-root"), to);
    to.join("2026-04-genesis")
}

/// A room with a fresh SoftHSM token, and everything a drill on it needs, in a folder of its own.
pub(crate) struct Drill {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) serial: String,
}

/// The user PIN of drill tokens.
pub(crate) const PIN: &str = "drill-pin";

impl Drill {
    /// A fresh token, a room, answers that go as planned.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir(path.join("tokens")).unwrap();
        let conf = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            path.join("tokens").display()
        );
        std::fs::write(path.join("softhsm2.conf"), conf).unwrap();
        std::fs::write(path.join("answers.toml"), "default = \"as-planned\"\n").unwrap();
        std::fs::write(path.join("pin"), PIN).unwrap();
        let mut drill = Self { folder, serial: String::new() };
        drill.serial = drill.new_token("DRILL mdoc-root");
        drill.write_room(Path::new(SOFTHSM));
        drill
    }

    /// Makes a token with this label; returns its serial number.
    pub(crate) fn new_token(&self, label: &str) -> String {
        let serials = || -> Vec<String> {
            let slots = succeed(self.env(&mut Command::new("softhsm2-util")).arg("--show-slots"));
            let serials =
                slots.lines().filter_map(|line| line.trim().strip_prefix("Serial number:"));
            serials.map(|serial| serial.trim().to_string()).filter(|s| !s.is_empty()).collect()
        };
        let before = serials();
        let mut init = Command::new("softhsm2-util");
        init.args(["--init-token", "--free", "--label", label]);
        succeed(self.env(init.args(["--so-pin", terminal::SO_PIN, "--pin", PIN])));
        serials().into_iter().find(|serial| !before.contains(serial)).unwrap()
    }

    /// Another drill on a copy of this token, with the same room.
    pub(crate) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.path("tokens"), &folder.path().join("tokens"));
        for name in ["answers.toml", "pin", "room.toml"] {
            std::fs::copy(self.path(name), folder.path().join(name)).unwrap();
        }
        let conf = std::fs::read_to_string(self.path("softhsm2.conf")).unwrap();
        let (old, new) = (self.folder.path().display(), folder.path().display());
        let conf = conf.replace(&old.to_string(), &new.to_string());
        std::fs::write(folder.path().join("softhsm2.conf"), conf).unwrap();
        Self { folder, serial: self.serial.clone() }
    }

    /// A file or folder of this drill.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Names a module in the room.
    pub(crate) fn write_room(&self, module: &Path) {
        let digest = ceremony::hex::Digest::of(&std::fs::read(module).unwrap());
        let room = format!(
            "format = 1\ndrill = true\nterminal = \"drill-1\"\n\n[token]\nmodule = \"{}\"\nsha256 = \"{digest}\"\nserial = \"{}\"\n",
            module.display(),
            self.serial
        );
        std::fs::write(self.path("room.toml"), room).unwrap();
    }

    /// The drill's SoftHSM configuration in a command's environment.
    pub(crate) fn env<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
    }

    /// `gishiki run PLAN …` on this drill's token, inside the sample plan's window.
    pub(crate) fn run_command(&self, plan: &Path) -> Command {
        let mut command = gishiki_at(IN_WINDOW);
        command.arg("run").arg(plan);
        self.held(&mut command);
        command
    }

    /// `gishiki resume …` at this time
    pub(crate) fn resume_command(&self, time: &str) -> Command {
        let mut command = gishiki_at(time);
        command.arg("resume");
        self.held(&mut command);
        command
    }

    /// Resumes the ceremony from its journals, or begins it if nothing was begun.
    pub(crate) fn go_on_command(&self, plan: &Path, time: &str) -> Command {
        match self.path("A").exists() {
            true => self.resume_command(time),
            false => self.run_command(plan),
        }
    }

    /// The room, journals, answers and PINs of this drill.
    pub(crate) fn held(&self, command: &mut Command) {
        self.env(command).env("FAULTY_SIGNED", self.path("signed"));
        command.arg("--room").arg(self.path("room.toml"));
        command.arg("--journal").arg(self.path("A")).arg("--journal").arg(self.path("B"));
        command.arg("--out").arg(self.path("out")).arg("--answers").arg(self.path("answers.toml"));
        // The PIN comes on standard input's descriptor, from a file of this drill.
        command.args(["--pin-fd", "0"]);
        command.stdin(std::fs::File::open(self.path("pin")).unwrap());
    }

    /// Judges the output as a drill.
    pub(crate) fn verify(&self) -> String {
        succeed(gishiki().arg("verify").arg(self.path("out")).arg("--drill"))
    }
}

/// The objects of the token with this serial number, as `pkcs11-tool` lists them.
pub(crate) fn listed_on(drill: &Drill, serial: &str) -> String {
    let mut slots = Command::new("pkcs11-tool");
    let slots = succeed(drill.env(slots.args(["--module", SOFTHSM, "--list-slots"])));
    let of = slots.split("Slot ").find(|slot| slot.contains(serial)).unwrap();
    let index = of.split(' ').next().unwrap();
    let mut list = Command::new("pkcs11-tool");
    list.args(["--module", SOFTHSM, "--slot-index", index, "--login", "--pin", PIN]);
    succeed(drill.env(list.arg("--list-objects")))
}

/// The state before a CA's first ceremony.
pub(crate) fn nothing() -> Arc<State> {
    Arc::default()
}

/// The state of the sample CA after a ceremony of the golden ledger; each is folded once.
pub(crate) fn state_after(after: &After) -> Arc<State> {
    static KNOWN: Mutex<BTreeMap<String, Arc<State>>> = Mutex::new(BTreeMap::new());
    let After::Ceremony(name) = after else { return nothing() };
    if let Some(known) = KNOWN.lock().unwrap().get(name.as_str()) {
        return Arc::clone(known);
    }
    let sealed = sealed(&root().join("golden/mdoc-root").join(name.as_str()));
    let plan = Plan::parse(&sealed.inputs["plan.toml"]).unwrap();
    let before = state_after(plan.after.get_ref());
    let trial = ceremony::verify::replay(&sealed, &before).unwrap();
    let state = Arc::clone(trial.state());
    KNOWN.lock().unwrap().insert(name.to_string(), Arc::clone(&state));
    state
}

/// A sealed folder.
pub(crate) fn sealed(folder: &Path) -> Sealed {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let inputs = fs::read_dir(folder.join("inputs")).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    });
    Sealed {
        inputs: inputs.collect(),
        transcript: read("transcript.jsonl"),
        bundle: read("transcript.sigstore.json"),
        after: Some(read("after.jsonl")),
    }
}

/// The records of a sealed folder's transcript.
pub(crate) fn records(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("transcript.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the public point of the root key from a transcript.
pub(crate) fn root_point(folder: &Path) -> Vec<u8> {
    let records = records(folder);
    let event = records
        .iter()
        .map(|record| &record["event"])
        .find(|event| event["kind"] == "answered" && event["op"] == "generate-g1");
    ceremony::hex::decode(event.unwrap()["answer"]["point"].as_str().unwrap()).unwrap()
}

/// Returns the first element of a certificate's or CRL's SEQUENCE, which is what was signed.
pub(crate) fn to_be_signed(der: &[u8]) -> &[u8] {
    let head = |octets: &[u8]| match octets[1] {
        0x81 => (3, usize::from(octets[2])),
        0x82 => (4, usize::from(octets[2]) * 256 + usize::from(octets[3])),
        short => (2, usize::from(short)),
    };
    let (start, _) = head(der);
    let (inner, length) = head(&der[start..]);
    &der[start..start + inner + length]
}

pub(crate) fn replaced(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = octets.to_vec();
    let mut at = 0;
    while at + from.len() <= out.len() {
        if out[at..at + from.len()] == *from {
            out[at..at + from.len()].copy_from_slice(to);
            at += from.len();
        } else {
            at += 1;
        }
    }
    out
}

/// The serial number of a certificate, by which its issuer knows it.
pub(crate) fn serial_of(der: &[u8]) -> Vec<u8> {
    x509_parser::parse_x509_certificate(der).unwrap().1.raw_serial().to_vec()
}

/// The serial numbers of a ceremony's certificates in its rehearsal, each with the one that it has
/// here: in another mode each is another.
pub(crate) fn serials(out: &Path, golden: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let golden = files(golden);
    let certificates = golden.iter().filter(|(name, _)| name.ends_with(".der"));
    let serials: Vec<(Vec<u8>, Vec<u8>)> = certificates
        .map(|(name, der)| (serial_of(der), serial_of(&fs::read(out.join(name)).unwrap())))
        .collect();
    assert!(serials.iter().all(|(rehearsed, real)| rehearsed != real), "{serials:02x?}");
    serials
}

/// Octets of a rehearsal with the serial numbers that stand here.
pub(crate) fn with_serials(octets: &[u8], serials: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let filled = octets.to_vec();
    serials.iter().fold(filled, |filled, (rehearsed, here)| replaced(&filled, rehearsed, here))
}

/// Asserts that every structure of the first ceremony was signed over the golden's octets, after
/// this ceremony's root key and serial numbers replace the rehearsal's.
pub(crate) fn assert_same_to_be_signed(out: &Path, golden: &Path) {
    let (real, rehearsed) = (root_point(out), root_point(golden));
    let curve = match rehearsed.len() {
        65 => ceremony::key::Curve::P256,
        _ => ceremony::key::Curve::P384,
    };
    let identifier =
        |point: &[u8]| ceremony::key::PublicKey::from_point(curve, point).unwrap().key_identifier();
    let mut structures = 0;
    let serials = serials(out, golden);
    for (name, octets) in files(golden) {
        if name.ends_with(".crl") || name.ends_with(".der") {
            let filled = replaced(to_be_signed(&octets), &rehearsed, &real);
            let filled = replaced(&filled, &identifier(&rehearsed), &identifier(&real));
            let filled = with_serials(&filled, &serials);
            let signed = std::fs::read(out.join(&name)).unwrap();
            assert!(to_be_signed(&signed) == filled, "{name}: other octets were signed");
            structures += 1;
        }
    }
    assert!(structures >= 8, "{structures}");
}

/// A generator whose draws follow from its seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below this one.
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below).unwrap()).unwrap()
    }
}
