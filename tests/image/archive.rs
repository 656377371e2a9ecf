//! In five years: every input in one folder, and the pinned image built from it where no registry
//! is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::recipe::{DRILL, copy_tracked, pin_file};
use crate::support::{GISHIKI, run, succeed, text};
use crate::{drill_iso, refreshed};

/// Everything that a machine without registries finds on its PATH.
const NIX: [&str; 3] = ["nix-build", "nix-instantiate", "nix-store"];

/// A repository whose lock is as every lock will be: a version has left the mirror. A vendor's file
/// is locked as well. A recipe has an input's octets only, so all pins stay.
struct Later {
    folder: tempfile::TempDir,
}

impl Later {
    fn new() -> Self {
        let later = Self { folder: tempfile::tempdir().unwrap() };
        copy_tracked(&later.path("repository"));
        let lock = later.path("repository/nix/debian.lock.json");
        let mut value: Value = serde_json::from_slice(&fs::read(&lock).unwrap()).unwrap();
        value["packages"]["zlib1g"]["version"] = "1:0-gone".into();
        fs::write(&lock, value.to_string()).unwrap();
        fs::create_dir_all(later.path("vendor")).unwrap();
        fs::write(later.path("vendor/libvendor.so"), b"\x7fELF").unwrap();
        let digest = ::ceremony::hex::Digest::of(b"\x7fELF");
        let file = format!("{{ \"name\": \"libvendor.so\", \"sha256\": \"{digest}\" }}");
        let lock = format!("{{ \"usr/lib/vendor/libvendor.so\": {file} }}\n");
        fs::write(later.path("repository/nix/vendor.lock.json"), lock).unwrap();
        let nix = later.path("nix");
        fs::create_dir(&nix).unwrap();
        for program in NIX {
            symlink("/usr/bin/nix", nix.join(program)).unwrap();
        }
        later
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn image(&self, arguments: &[&str]) -> Output {
        let mut image = Command::new(GISHIKI);
        image.current_dir(self.path("repository")).args(["--lang", "en", "image"]);
        run(image.args(arguments))
    }

    /// A program that has no network, no settings and no client of a registry; its store is empty.
    fn alone(&self, program: impl AsRef<Path>) -> Command {
        let mut alone = Command::new("/usr/bin/unshare");
        alone.arg("--net").arg(program.as_ref()).current_dir(self.path("repository"));
        alone.env_clear().env("PATH", self.path("nix")).env("HOME", self.path("home"));
        alone.env("NIX_REMOTE", format!("local?root={}", self.path("store").display()));
        alone
    }

    /// What `seed` says of this archive, which it refuses.
    fn refused(&self, archive: &Path) -> String {
        let mut seed = self.alone(GISHIKI);
        let output = run(seed.args(["image", "seed", "--from"]).arg(archive));
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
        assert!(text(&output).contains("S-LOCK"), "{}", text(&output));
        text(&output)
    }
}

/// A name in an archive that begins and ends so.
fn lying(folder: &Path, begin: &str, end: &str) -> PathBuf {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(begin) && name.ends_with(end)
    };
    names.filter(of).min().unwrap()
}

#[test]
fn the_pinned_image_is_built_from_an_archive_where_no_registry_is() {
    let later = Later::new();
    let archive = later.path("archive");
    let folder = archive.to_str().unwrap();
    let said = text(&later.image(&["seed"]));
    assert!(said.contains("S-STALE") && said.contains("1:0-gone"), "{said}");

    // Interrupted at its last input: no archive, and what was collected is used again.
    let said = text(&later.image(&["archive", folder]));
    assert!(said.contains("--vendor, the folder with libvendor.so"), "{said}");
    assert!(!archive.exists());
    let partial = later.path(".archive.partial");
    let half = lying(&partial.join("debian"), "gcc-", ".deb");
    fs::remove_file(&half).unwrap();
    fs::write(&half, b"half").unwrap();
    let (vendor, strange) = (later.path("vendor"), partial.join("notes"));
    let collect = ["archive", folder, "--vendor", vendor.to_str().unwrap()];
    fs::write(&strange, "mine").unwrap();
    let said = text(&later.image(&collect));
    assert!(said.contains("S-LOCK") && said.contains("notes"), "{said}");
    fs::remove_file(&strange).unwrap();
    let output = later.image(&collect);
    println!("{}", text(&output));
    assert!(output.status.success() && !partial.exists());
    let said = text(&later.image(&collect));
    assert!(said.contains("whole already"), "{said}");
    succeed(
        Command::new("sha256sum")
            .args(["--check", "--quiet", "--strict", "SHA256SUMS"])
            .current_dir(&archive),
    );

    // What is missing, changed or added has its name, and nothing comes into the store.
    let copied = later.path("copied");
    succeed(Command::new("cp").args(["--archive", "--link"]).arg(&archive).arg(&copied));
    let missing = lying(&copied.join("debian"), "zlib1g_", ".deb");
    fs::remove_file(&missing).unwrap();
    let changed = lying(&copied.join("crates"), "toml-", ".crate");
    fs::remove_file(&changed).unwrap();
    fs::write(&changed, b"changed").unwrap();
    let linked = lying(&copied.join("host"), "nix-bin_", ".deb");
    fs::remove_file(&linked).unwrap();
    symlink(lying(&archive.join("host"), "nix-bin_", ".deb"), &linked).unwrap();
    fs::write(copied.join("debian/added.deb"), b"added").unwrap();
    let said = later.refused(&copied);
    for (what, path) in [("missing", &missing), ("changed", &changed), ("changed", &linked)] {
        let name = path.strip_prefix(&copied).unwrap().display();
        assert!(said.contains(&format!("{what}: {name}")), "{said}");
    }
    assert!(said.contains("added: debian/added.deb"), "{said}");
    assert!(text(&later.image(&["archive", copied.to_str().unwrap()])).contains("S-LOCK"));
    assert!(!later.path("store").exists());

    let links = succeed(later.alone("/usr/bin/cat").arg("/proc/net/dev"));
    assert_eq!(links.lines().filter(|line| line.contains(':')).count(), 1, "{links}");
    let count = succeed(later.alone(GISHIKI).args(["image", "seed", "--from", folder]));
    println!("{count}");
    let nix = |program: &str| later.alone(later.path("nix").join(program));
    let drv = succeed(nix("nix-instantiate").args([".", "-A", DRILL]));
    let mut build = nix("nix-build");
    let built = succeed(build.args([".", "--no-out-link", "--no-build-output", "-A", DRILL]));
    let iso = later.path("store").join(built.trim().trim_start_matches('/')).join("gishiki.iso");
    assert!(fs::read(&iso).unwrap() == fs::read(drill_iso()).unwrap());
    let mut pin = Command::new(GISHIKI);
    let pin = succeed(pin.args(["image", "pin"]).arg(&iso).args(["--derivation", drv.trim()]));
    if !refreshed() {
        assert_eq!(pin, fs::read_to_string(pin_file(DRILL)).unwrap());
    }
}
