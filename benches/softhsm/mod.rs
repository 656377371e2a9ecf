//! Drills on SoftHSM2, and the work of the bare module that nobody can avoid.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
use p384::ecdsa::{Signature, VerifyingKey};

pub(crate) const GISHIKI: &str = env!("CARGO_BIN_EXE_gishiki");
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// Preloaded: its command would add a process.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const PIN: &str = "bench-pin";

/// What every test run takes, so that no bench rots: each part once, on little. Its figures say
/// nothing.
const SMALL: &str = "--small";

/// This many, or so few where the small form is asked for.
pub(crate) fn sized<T>(whole: T, small: T) -> T {
    if std::env::args().any(|argument| argument == SMALL) { small } else { whole }
}

/// The parts that are asked for by name; none: all.
pub(crate) fn parts() -> Vec<String> {
    let arguments = std::env::args().skip(1);
    arguments.filter(|argument| argument != "--bench" && argument != SMALL).collect()
}

/// A folder with a fresh token, a room, and what a drill needs besides.
pub(crate) struct Place {
    folder: PathBuf,
    conf: PathBuf,
}

impl Place {
    /// In this folder, which is made.
    pub(crate) fn new(folder: &Path) -> Self {
        let place = Self { folder: folder.to_path_buf(), conf: folder.join("softhsm2.conf") };
        fs::create_dir_all(place.path("tokens")).unwrap();
        let tokens = place.path("tokens");
        let conf = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        fs::write(&place.conf, conf).unwrap();
        place.util(&[
            "--init-token",
            "--free",
            "--label",
            "DRILL bench",
            "--so-pin",
            "so-pin",
            "--pin",
            PIN,
        ]);
        let slots = place.util(&["--show-slots"]);
        let serial = slots.lines().find_map(|line| line.trim().strip_prefix("Serial number:"));
        let digest = ceremony::hex::Digest::of(&fs::read(MODULE).unwrap());
        let room = format!(
            "format = 1\ndrill = true\nterminal = \"bench\"\n[token]\nmodule = \"{MODULE}\"\nsha256 = \"{digest}\"\n\
             serial = \"{}\"\n",
            serial.unwrap().trim()
        );
        fs::write(place.path("room.toml"), room).unwrap();
        fs::write(place.path("answers.toml"), "default = \"as-planned\"\n").unwrap();
        fs::write(place.path("pin"), PIN).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn util(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("softhsm2-util");
        let output = command.env("SOFTHSM2_CONF", &self.conf).args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Holds a ceremony as a drill at this time in UTC, on the ledger of those before; its sealed
    /// folder joins them. How long the whole process took.
    pub(crate) fn drill(&self, plan: &Path, time: &str) -> Duration {
        let name = plan.file_name().unwrap().to_str().unwrap();
        let ledger = self.path("ledger");
        let mut command = Command::new(GISHIKI);
        command.env("LD_PRELOAD", FAKETIME).env("FAKETIME", format!("@{time}"));
        command.env("TZ", "UTC").env("SOFTHSM2_CONF", &self.conf).current_dir(&self.folder);
        command.arg("run").arg(plan).args(["--room", "room.toml", "--out"]).arg(ledger.join(name));
        for medium in ["A", "B"] {
            command.arg("--journal").arg(format!("{medium}-{name}"));
        }
        if ledger.exists() {
            command.arg("--ledger").arg(&ledger);
        }
        command.args(["--answers", "answers.toml", "--pin-fd", "0"]);
        command.stdin(fs::File::open(self.path("pin")).unwrap());
        timed(&mut command)
    }
}

/// How long a command takes, which must succeed.
pub(crate) fn timed(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    let taken = begin.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    taken
}

/// What the bare module needs for the same work.
pub(crate) struct Bare {
    /// As many digests signed.
    pub(crate) signing: Duration,
    /// Each signature verified once.
    pub(crate) verifying: Duration,
    /// One synced intent and result a sheet, on two files.
    pub(crate) syncing: Duration,
    /// Loading the module, logging in, and making two key pairs.
    pub(crate) fixed: Duration,
}

impl Bare {
    /// What is asked to be compared with: signing, verifying once, syncing.
    pub(crate) fn least(&self) -> Duration {
        self.signing + self.verifying + self.syncing
    }
}

/// So many digests signed raw, verified once each, and one synced intent and result on two files a
/// sheet.
pub(crate) fn unavoidable(place: &Place, count: usize, sheets: usize) -> Bare {
    let begin = Instant::now();
    let module = Pkcs11::new(MODULE).unwrap();
    // SoftHSM reads SOFTHSM2_CONF when it is initialised; every round finalises it again.
    with_environment("SOFTHSM2_CONF", &place.conf, || {
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    });
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
    let make = || {
        let parameters = vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
        session
            .generate_key_pair(
                &Mechanism::EccKeyPairGen,
                &[Attribute::EcParams(parameters), Attribute::Token(true)],
                &[Attribute::Token(true), Attribute::Sign(true)],
            )
            .unwrap()
    };
    make();
    let (public, private) = make();
    let fixed = begin.elapsed();
    let point = session.get_attributes(public, &[AttributeType::EcPoint]).unwrap();
    let Some(Attribute::EcPoint(point)) = point.into_iter().next() else { panic!("no point") };
    let key = VerifyingKey::from_sec1_bytes(&point[2..]).unwrap();
    let digest = |i: usize| ceremony::key::Curve::P384.digest(&i.to_be_bytes());
    let digests: Vec<Vec<u8>> = (0..count).map(digest).collect();
    let begin = Instant::now();
    let signatures: Vec<Vec<u8>> = digests
        .iter()
        .map(|digest| session.sign(&Mechanism::Ecdsa, private, digest).unwrap())
        .collect();
    let signing = begin.elapsed();
    let begin = Instant::now();
    for (digest, signature) in digests.iter().zip(&signatures) {
        key.verify_prehash(digest, &Signature::from_slice(signature).unwrap()).unwrap();
    }
    let verifying = begin.elapsed();
    let line = vec![b'x'; 200 * count / sheets];
    let begin = Instant::now();
    for _ in 0..2 * sheets {
        for medium in ["one", "other"] {
            let mut file =
                OpenOptions::new().append(true).create(true).open(place.path(medium)).unwrap();
            file.write_all(&line).unwrap();
            file.sync_data().unwrap();
        }
    }
    let syncing = begin.elapsed();
    drop(session);
    module.finalize().unwrap();
    Bare { signing, verifying, syncing, fixed }
}

#[expect(unsafe_code, reason = "SoftHSM takes its configuration from the environment only")]
fn with_environment(name: &str, value: &Path, then: impl FnOnce()) {
    // SAFETY: this program has one thread.
    unsafe { std::env::set_var(name, value) };
    then();
}
