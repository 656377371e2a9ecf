//! Real modules, and the same octets on each: SoftHSM alone, behind a spy, behind a socket; and
//! Kryoptic, which shares no code with it. `docs/hsm-tried.md` says what other modules cannot do.

mod tpm;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::terminal::SO_PIN;
use crate::support::{
    Drill, PIN, SOFTHSM, files, gishiki, gishiki_at, replaced, root, root_point, run, serials,
    succeed, text, to_be_signed, with_serials,
};

const MODULES: &str = "/usr/lib/x86_64-linux-gnu/pkcs11";
const GENESIS: &str = "2026-04-genesis";
const ISSUING: &str = "2026-06-ds";

/// A module, a token behind it, and what the module wants to be told.
pub(crate) struct Place {
    pub(crate) drill: Drill,
    pub(crate) env: Vec<(&'static str, String)>,
    /// What must run beside the module, while it is used.
    server: Option<Child>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Place {
    /// The drill's SoftHSM token, behind this module.
    fn before_softhsm(module: &Path, env: Vec<(&'static str, String)>) -> Self {
        let drill = Drill::new();
        drill.write_room(module);
        Self { drill, env, server: None }
    }

    pub(crate) fn with_env<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        self.drill.env(command).envs(self.env.clone())
    }

    /// Holds a ceremony of the sample CA as a drill.
    fn hold(&self, ceremony: &str, time: &str) -> String {
        let path = |name: &str| self.drill.path(name);
        let mut command = gishiki_at(time);
        command.arg("run").arg(root().join("ceremony-plans/mdoc-root").join(ceremony));
        command.arg("--room").arg(path("room.toml"));
        for medium in ["A", "B"] {
            command.arg("--journal").arg(path(&format!("{medium}-{ceremony}")));
        }
        command.arg("--out").arg(path("ledger").join(ceremony)).arg("--ledger").arg(path("ledger"));
        command.arg("--answers").arg(path("answers.toml")).args(["--pin-fd", "0"]);
        command.stdin(fs::File::open(path("pin")).unwrap());
        let output = run(self.with_env(&mut command));
        assert!(output.status.success(), "{ceremony}: {}", text(&output));
        text(&output)
    }

    /// Before each ceremony the probe finds nothing that stops it.
    fn finds_nothing(&self, ceremony: &str) {
        let plan = root().join("ceremony-plans/mdoc-root").join(ceremony);
        let mut command = self.drill.probe_command(Some(&plan));
        self.with_env(command.arg("--ledger").arg(self.drill.path("ledger")));
        let (said, code) = crate::probe::probed(command);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("Nothing was found that stops the ceremony. "), "{said}");
    }

    pub(crate) fn probe(&self) -> (String, Option<i32>) {
        let mut command = self.drill.probe_command(Some(&crate::support::genesis()));
        self.with_env(&mut command);
        crate::probe::probed(command)
    }

    /// The probe holds, the first ceremony and an issuing one are held, and what was signed are the
    /// rehearsal's octets with this token's root key in them.
    fn holds(&self) {
        let ledger = self.drill.path("ledger");
        fs::create_dir(&ledger).unwrap();
        self.finds_nothing(GENESIS);
        self.hold(GENESIS, crate::support::IN_WINDOW);
        self.finds_nothing(ISSUING);
        self.hold(ISSUING, "2026-06-30 01:30:00");
        let said = succeed(gishiki().arg("verify").arg(&ledger).arg("--drill"));
        assert!(said.contains("drill, consistent"), "{said}");
        let golden = root().join("golden/mdoc-root");
        let (real, rehearsed) =
            (root_point(&ledger.join(GENESIS)), root_point(&golden.join(GENESIS)));
        let curve = ceremony::key::Curve::P384;
        let identifier = |point: &[u8]| {
            ceremony::key::PublicKey::from_point(curve, point).unwrap().key_identifier()
        };
        let serials = |ceremony| serials(&ledger.join(ceremony), &golden.join(ceremony));
        let serials: Vec<_> = [GENESIS, ISSUING].into_iter().flat_map(serials).collect();
        let mut structures = 0;
        for ceremony in [GENESIS, ISSUING] {
            let signed = files(&ledger.join(ceremony));
            for (name, octets) in files(&golden.join(ceremony)) {
                if !name.ends_with(".crl") && !name.ends_with(".der") {
                    continue;
                }
                let filled = replaced(to_be_signed(&octets), &rehearsed, &real);
                let filled = replaced(&filled, &identifier(&rehearsed), &identifier(&real));
                let filled = with_serials(&filled, &serials);
                assert!(to_be_signed(&signed[&name]) == filled, "{ceremony}/{name}");
                structures += 1;
            }
        }
        println!("{structures} structures signed alike");
        assert!(structures > 105, "{structures}");
    }
}

#[test]
fn softhsm_holds_a_genesis_and_an_issuing_ceremony() {
    Place::before_softhsm(Path::new(SOFTHSM), Vec::new()).holds();
}

/// OpenSC's spy stands between and logs every call: here to nowhere, for it logs the PIN too.
#[test]
fn a_spy_between_changes_nothing() {
    let env =
        vec![("PKCS11SPY", SOFTHSM.to_string()), ("PKCS11SPY_OUTPUT", "/dev/null".to_string())];
    Place::before_softhsm(&Path::new(MODULES).join("pkcs11-spy.so"), env).holds();
}

/// The token is in another process: p11-kit's client gives a function list of its own at each call.
#[test]
fn a_token_behind_a_socket_holds_them() {
    let mut place =
        Place::before_softhsm(&Path::new(MODULES).join("p11-kit-client.so"), Vec::new());
    let socket = place.drill.path("p11-kit");
    let mut server = Command::new("p11-kit");
    server.args(["server", "--foreground", "--provider", SOFTHSM, "--name"]).arg(&socket);
    place.drill.env(&mut server).arg("pkcs11:").stdout(Stdio::null()).stderr(Stdio::null());
    place.server = Some(server.spawn().unwrap());
    wait_for(&socket);
    place.env.push(("P11_KIT_SERVER_ADDRESS", format!("unix:path={}", socket.display())));
    place.holds();
}

/// Waits until a server has its socket.
pub(crate) fn wait_for(socket: &Path) {
    for _ in 0..600 {
        if std::os::unix::net::UnixStream::connect(socket).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no server at {}", socket.display());
}

/// Kryoptic, which `./test` has built.
fn kryoptic() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    let module = target.join("tools/release/libkryoptic.so");
    assert!(module.exists(), "{}: `./test` builds it", module.display());
    module
}

/// A token of a module that `pkcs11-tool` initialises; gives its serial number.
fn initialise(module: &Path, slot: &str, env: &[(&'static str, String)]) -> String {
    let tool = |arguments: &[&str]| {
        let mut tool = Command::new("pkcs11-tool");
        tool.arg("--module").arg(module).args(arguments).envs(env.to_vec());
        succeed(&mut tool)
    };
    let slot = ["--slot", slot];
    let so = ["--so-pin", SO_PIN];
    tool(&[&["--init-token", "--label", "DRILL mdoc-root"], &slot[..], &so[..]].concat());
    let login = ["--init-pin", "--login", "--login-type", "so", "--new-pin", PIN];
    tool(&[&login[..], &slot[..], &so[..]].concat());
    let slots = tool(&["--list-token-slots"]);
    let serial = slots.lines().find_map(|line| line.trim().strip_prefix("serial num"));
    serial.unwrap().trim().trim_start_matches(':').trim().to_string()
}

#[test]
fn kryoptic_holds_them() {
    let mut drill = Drill::new();
    let (conf, data) = (drill.path("kryoptic.conf"), drill.path("kryoptic.sql"));
    let slot =
        format!("[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", data.display());
    fs::write(&conf, slot).unwrap();
    let env = vec![("KRYOPTIC_CONF", conf.display().to_string())];
    drill.serial = initialise(&kryoptic(), "1", &env);
    drill.write_room(&kryoptic());
    Place { drill, env, server: None }.holds();
}
