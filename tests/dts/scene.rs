//! A place of its own for each test: releases of the golden ledger, a web folder, a log, servers.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The program under test.
pub(crate) const DTS: &str = env!("CARGO_BIN_EXE_gishiki-dts");

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// `gishiki`, which lies beside it: `cargo build --workspace` makes both, as `./test` does first.
fn gishiki() -> PathBuf {
    let path = Path::new(DTS).with_file_name("gishiki");
    assert!(path.exists(), "no {}: cargo build --workspace", path.display());
    path
}

/// Runs a command that must succeed; returns its standard output.
pub(crate) fn succeed(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    output.stdout
}

/// Everything that a command printed.
pub(crate) fn text(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

/// A new folder, which is removed by whoever removes the system's temporary files.
pub(crate) fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("dts-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The releases of the golden ledger, made once by `gishiki release`.
pub(crate) fn all_releases() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let out = folder().join("releases");
        let said = succeed(
            Command::new(gishiki())
                .args(["release", "golden/mdoc-root", "--rehearsal"])
                .args(["--cps", "ceremony-plans/mdoc-root/cps.ja.txt", "--out"])
                .arg(&out)
                .current_dir(root()),
        );
        println!("{}", String::from_utf8_lossy(&said));
        out
    })
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

/// A place for one test.
pub(crate) struct Scene {
    pub(crate) folder: PathBuf,
    pub(crate) ldap: Vec<String>,
    pub(crate) http: Option<String>,
}

impl Scene {
    /// With the releases of these ceremonies; of all, if none is named.
    pub(crate) fn with(ceremonies: &[&str]) -> Self {
        let folder = folder();
        let scene = Self { folder, ldap: Vec::new(), http: None };
        fs::create_dir_all(scene.releases()).unwrap();
        fs::create_dir_all(scene.web()).unwrap();
        for entry in fs::read_dir(all_releases()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if ceremonies.is_empty() || ceremonies.contains(&name.as_str()) {
                scene.add(&name);
            }
        }
        scene
    }

    /// Adds the release of a ceremony.
    pub(crate) fn add(&self, ceremony: &str) {
        copy(&all_releases().join(ceremony), &self.releases().join(ceremony));
    }

    pub(crate) fn releases(&self) -> PathBuf {
        self.folder.join("releases")
    }

    pub(crate) fn web(&self) -> PathBuf {
        self.folder.join("web")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log.jsonl")
    }

    /// The lines of the log.
    pub(crate) fn lines(&self) -> Vec<String> {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().map(String::from).collect()
    }

    /// The CRL of this key that is out.
    pub(crate) fn crl(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.web().join(format!("dts/mdoc/{key}.crl"))).ok()
    }

    /// `sync` at this time, not yet started.
    pub(crate) fn sync(&self, at: &str) -> Command {
        let mut command = Command::new(DTS);
        command.env("LC_ALL", "C.UTF-8").args(["sync", "--at", at, "--rehearsal", "--releases"]);
        command.arg(self.releases()).arg("--web").arg(self.web()).arg("--log").arg(self.log());
        for uri in &self.ldap {
            command.args(["--ldap", uri]);
        }
        if let Some(url) = &self.http {
            command.args(["--http", url]);
        }
        command
    }

    /// Runs `sync`; it must end with this code. Returns what it said.
    pub(crate) fn synced(&self, at: &str, code: i32) -> String {
        let output = self.sync(at).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{at}: {}", text(&output));
        text(&output)
    }

    /// Runs `probe`; returns its code and what it said.
    pub(crate) fn probed(&self, at: &str, ldap: &[&str]) -> (i32, String) {
        let mut command = Command::new(DTS);
        command.env("LC_ALL", "C.UTF-8").args(["probe", "--at", at, "--rehearsal", "--releases"]);
        command.arg(self.releases()).args(["--http", self.http.as_deref().unwrap()]);
        command.arg("--metrics").arg(self.folder.join("metrics.prom"));
        for uri in ldap {
            command.args(["--ldap", uri]);
        }
        let output = command.output().unwrap();
        (output.status.code().unwrap(), text(&output))
    }
}

/// A server, which ends with the test.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// A port that nobody listens on.
pub(crate) fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until this holds; half a minute at most.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// nginx with the sample's configuration, on loopback: the server of CRLs on the first port, the
/// CA's site on the second.
pub(crate) fn nginx(scene: &Scene) -> (Server, u16, u16) {
    let (dts, www) = (port(), port());
    let sample = fs::read_to_string(root().join("crates/dts/sample/nginx.conf")).unwrap();
    let own = scene.folder.display().to_string();
    // Its own folders for them are root's.
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = kinds.map(|kind| format!("{kind}_temp_path {own}/{kind};\n")).concat();
    let config = sample
        .replace("/run/gishiki-dts/", &format!("{own}/"))
        .replace("/var/log/gishiki-dts/", &format!("{own}/"))
        .replace("/srv/gishiki-dts/", &format!("{own}/web/"))
        .replace("http {", &format!("http {{\n{temporary}"))
        .replacen("listen 80;", &format!("listen 127.0.0.1:{dts};"), 1)
        .replacen("listen 80;", &format!("listen 127.0.0.1:{www};"), 1);
    assert!(!config.contains("/srv/") && !config.contains("listen 80"), "{config}");
    let file = scene.folder.join("nginx.conf");
    // It drops root otherwise, and the test's folder is its user's.
    fs::write(&file, format!("user root;\ndaemon off;\nmaster_process off;\n{config}")).unwrap();
    let mut command = Command::new("/usr/sbin/nginx");
    command.env("TZ", "UTC").arg("-p").arg(&scene.folder).arg("-c").arg(&file);
    let server = Server(quiet(&mut command).spawn().expect("nginx"));
    let is_up = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    until("nginx", || is_up(dts) && is_up(www));
    (server, dts, www)
}

/// slapd with a sample's configuration; returns the URIs of its socket and of its port.
pub(crate) fn slapd(scene: &Scene, sample: &str, provider: &str) -> (Server, String, String) {
    let folder = scene.folder.join(sample);
    fs::create_dir_all(folder.join("db")).unwrap();
    let own = folder.display().to_string();
    let text = fs::read_to_string(root().join(format!("crates/dts/sample/{sample}.conf"))).unwrap();
    let user = succeed(Command::new("id").arg("-u"));
    let group = succeed(Command::new("id").arg("-g"));
    let [user, group] = [user, group].map(|id| String::from_utf8(id).unwrap().trim().to_string());
    let mut config = String::new();
    for line in text.lines() {
        let line = match line.split_whitespace().next() {
            Some("pidfile") => format!("pidfile {own}/pid"),
            Some("directory") => format!("directory {own}/db"),
            Some("maxsize") => "maxsize 33554432".to_string(),
            _ => line
                .replace("ldap://provider.example", provider)
                .replace("gidNumber=0+uidNumber=0", &format!("gidNumber={group}+uidNumber={user}")),
        };
        config.push_str(&line);
        config.push('\n');
    }
    fs::write(folder.join("slapd.conf"), config).unwrap();
    let port = port();
    let socket = format!("ldapi://{}", format!("{own}/s").replace('/', "%2F"));
    let tcp = format!("ldap://127.0.0.1:{port}");
    let mut command = Command::new("/usr/sbin/slapd");
    command.arg("-f").arg(folder.join("slapd.conf")).args(["-d", "0", "-h"]);
    command.arg(format!("{socket} {tcp}"));
    let server = Server(quiet(&mut command).spawn().expect("slapd"));
    until("slapd", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    (server, socket, tcp)
}

/// The URI at which a consumer finds the provider.
pub(crate) fn provider(scene: &Scene) -> (Server, String, String) {
    slapd(scene, "slapd-provider", "")
}
