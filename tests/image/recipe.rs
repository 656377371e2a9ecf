//! The recipe: the pinned octets, what a changed plan changes, what `image verify` refuses, and the
//! seed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{GISHIKI, copy, renewing, root, run, succeed, text};
use crate::{drill_iso, refreshed, repository};

/// Every image whose octets are pinned.
const PINNED: [&str; 3] = ["iso", DRILL, "ceremonies.mdoc-root.2026-04-genesis"];
/// The drill that the tests hold.
pub(crate) const DRILL: &str = "drills.mdoc-root.2026-04-genesis";

pub(crate) fn pin_file(attribute: &str) -> PathBuf {
    root().join(format!("golden/image/{attribute}.toml"))
}

/// The derivation of an attribute, in a repository.
fn derivation(repository: &Path, attribute: &str) -> PathBuf {
    let mut instantiate = Command::new("nix-instantiate");
    instantiate.arg(repository).args(["-A", attribute]);
    PathBuf::from(succeed(&mut instantiate).trim())
}

fn pin(attribute: &str) -> String {
    let iso = crate::built(attribute).join("gishiki.iso");
    let mut pin = Command::new(GISHIKI);
    pin.args(["image", "pin"])
        .arg(&iso)
        .arg("--derivation")
        .arg(derivation(&repository(), attribute));
    succeed(&mut pin)
}

#[test]
fn every_pinned_image_has_its_pinned_octets() {
    for attribute in PINNED {
        let found = pin(attribute);
        let octets = fs::metadata(crate::built(attribute).join("gishiki.iso")).unwrap().len();
        assert!(octets <= 35_000_000, "{attribute}: {octets} octets");
        if renewing() && !refreshed() {
            fs::create_dir_all(pin_file(attribute).parent().unwrap()).unwrap();
            fs::write(pin_file(attribute), &found).unwrap();
        }
        if refreshed() {
            println!("!! {attribute}: the committed lock is STALE; its pin was not compared");
            continue;
        }
        let asked = fs::read_to_string(pin_file(attribute)).unwrap_or_default();
        assert_eq!(found, asked, "{attribute}: GISHIKI_RENEW=1 renews golden/image");
    }
}

/// The recipe of every image, built or not: a change of a plan is a change of a line in review.
#[test]
fn every_image_has_its_pinned_recipe() {
    let mut found = String::new();
    for kind in ["ceremonies", "drills"] {
        for ceremony in ceremonies() {
            let attribute = format!("{kind}.mdoc-root.{ceremony}");
            let drv = derivation(&repository(), &attribute);
            let name = drv.file_name().unwrap().display();
            found.push_str(&format!("\"{attribute}\" = \"{name}\"\n"));
        }
    }
    let path = root().join("golden/image/recipes.toml");
    if renewing() && !refreshed() {
        fs::write(&path, &found).unwrap();
    }
    if refreshed() {
        println!("!! the committed lock is STALE; pinned recipes were not compared");
        return;
    }
    let asked = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, asked, "GISHIKI_RENEW=1 renews golden/image");
}

/// Every ceremony of the sample CA.
fn ceremonies() -> BTreeSet<String> {
    let listed = fs::read_dir(root().join("ceremony-plans/mdoc-root")).unwrap();
    let folders = listed.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Every derivation that these need, each once.
fn closure(derivations: &[PathBuf]) -> String {
    succeed(Command::new("nix-store").arg("-qR").args(derivations))
}

/// Builds every stage once more, from the first shell to the ISO; Nix compares the octets.
#[test]
fn a_second_build_gives_the_same_octets() {
    let _ = (drill_iso(), crate::built("iso"));
    let closure = closure(&[derivation(&repository(), DRILL), derivation(&repository(), "iso")]);
    // What comes from outside is named by its own digest, and has no stage.
    let outside = |drv: &&str| [".deb.drv", ".crate.drv"].iter().any(|end| drv.ends_with(end));
    let stages = closure.lines().filter(|path| path.ends_with(".drv") && !outside(path));
    let stages: Vec<&str> = stages.collect();
    println!("{} stages are built once more", stages.len());
    assert!(stages.len() > 15, "{stages:?}");
    succeed(Command::new("nix-store").args(["--realise", "--check"]).args(stages));
}

#[test]
fn another_folder_and_the_flake_give_the_same_derivations() {
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("elsewhere");
    copy_tracked(&copied);
    for (attribute, output) in
        PINNED.into_iter().zip(["packages.x86_64-linux.iso", DRILL, PINNED[2]])
    {
        let asked = derivation(&repository(), attribute);
        assert_eq!(derivation(&copied, attribute), asked);
        let mut flake = Command::new("nix");
        flake.args(["--extra-experimental-features", "nix-command flakes", "eval", "--raw"]);
        flake.arg(format!("path:{}#{output}.drvPath", copied.display()));
        assert_eq!(PathBuf::from(succeed(&mut flake)), asked);
    }
}

#[test]
fn an_octet_of_a_plan_changes_its_images_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("elsewhere");
    copy_tracked(&copied);
    let plan = copied.join("ceremony-plans/mdoc-root/2026-06-ds/plan.toml");
    let mut octets = fs::read(&plan).unwrap();
    octets[2] ^= 1;
    fs::write(&plan, octets).unwrap();
    let ceremonies = ceremonies();
    assert!(ceremonies.contains("2026-06-ds") && ceremonies.len() > 1, "{ceremonies:?}");
    for kind in ["ceremonies", "drills"] {
        for ceremony in &ceremonies {
            let attribute = format!("{kind}.mdoc-root.{ceremony}");
            let same = derivation(&repository(), &attribute) == derivation(&copied, &attribute);
            assert_eq!(same, ceremony != "2026-06-ds", "{attribute}");
        }
    }
    for attribute in ["iso", "uki", "gishiki"] {
        assert_eq!(
            derivation(&repository(), attribute),
            derivation(&copied, attribute),
            "{attribute}"
        );
    }
}

#[test]
fn a_plan_of_any_length_and_an_anchor_are_inputs_of_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("elsewhere");
    copy_tracked(&copied);
    let ca = copied.join("ceremony-plans/mdoc-root");
    let plan = ca.join("2026-06-ds/plan.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text + &"# One more line.\n".repeat(200_000)).unwrap();
    fs::write(ca.join("anchor.toml"), "format = 1\n").unwrap();
    let closure = closure(&[derivation(&copied, "ceremonies.mdoc-root.2026-06-ds")]);
    for input in ["-anchor.toml", "-2026-06-ds", "-2026-04-genesis", "-policy.toml"] {
        assert!(closure.lines().any(|path| path.ends_with(input)), "{input}: {closure}");
    }
}

#[test]
fn the_base_of_every_image_has_no_token_and_no_network() {
    let layer = crate::built("layers.base");
    let names: Vec<String> = crate::support::files(&layer).into_keys().collect();
    let modules = names.iter().filter(|name| name.contains(".ko")).count();
    assert!(
        modules > 15 && names.iter().any(|name| name.ends_with("/usb-storage.ko")),
        "{names:?}"
    );
    let refused =
        ["softhsm", "pkcs11", "/net/", "wireless", "bluetooth", "firewire", "thunderbolt"];
    for name in &names {
        assert!(!refused.iter().any(|part| name.to_lowercase().contains(part)), "{name}");
    }
}

/// The repository's tracked files, elsewhere.
pub(crate) fn copy_tracked(to: &Path) {
    let listed = succeed(Command::new("git").current_dir(root()).args(["ls-files"]));
    for name in listed.lines() {
        let (from, to) = (repository().join(name), to.join(name));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
}

/// The recipe of the drill image, its pin, and a repository, to be changed.
struct Evidence {
    folder: tempfile::TempDir,
}

impl Evidence {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let attribute = DRILL;
        let drv = derivation(&repository(), attribute);
        let closure = closure(std::slice::from_ref(&drv));
        let recipe = folder.path().join("recipe");
        fs::create_dir(&recipe).unwrap();
        for path in closure.lines().filter(|path| path.ends_with(".drv")) {
            fs::copy(path, recipe.join(Path::new(path).file_name().unwrap())).unwrap();
        }
        let evidence = Self { folder };
        let iso = drill_iso();
        fs::copy(&iso, evidence.path("gishiki.iso")).unwrap();
        let mut pin = Command::new(GISHIKI);
        pin.args(["image", "pin"]).arg(&iso).arg("--derivation").arg(&drv);
        fs::write(evidence.path("pin.toml"), succeed(&mut pin)).unwrap();
        copy_tracked(&evidence.path("repository"));
        let own = evidence.path("repository/golden/image").join(format!("{DRILL}.toml"));
        fs::copy(evidence.path("pin.toml"), own).unwrap();
        evidence.name(DRILL, &drv);
        evidence
    }

    /// The repository has this derivation for an image, and no other.
    fn name(&self, image: &str, drv: &Path) {
        let name = drv.file_name().unwrap().to_str().unwrap();
        let recipes = self.path("repository/golden/image/recipes.toml");
        fs::write(recipes, format!("\"{image}\" = \"{name}\"\n")).unwrap();
    }

    /// Verifies this image under a pin that names another derivation, which is in the store.
    fn verify_as(&self, drv: &Path) -> Output {
        let name = drv.file_name().unwrap().to_str().unwrap();
        let pin = fs::read_to_string(self.path("pin.toml")).unwrap();
        let line = pin.lines().find(|line| line.starts_with("derivation")).unwrap();
        let other = pin.replace(line, &format!("derivation = \"{name}\""));
        fs::write(self.path("other.toml"), other).unwrap();
        let mut verify = Command::new(GISHIKI);
        verify.current_dir(self.path("repository")).args(["image", "verify"]);
        run(verify.arg(self.path("other.toml")).arg(self.path("gishiki.iso")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn verify(&self) -> Output {
        let mut verify = Command::new(GISHIKI);
        verify.current_dir(self.path("repository")).args(["image", "verify"]);
        verify.arg(self.path("pin.toml")).arg(self.path("gishiki.iso"));
        run(verify.arg("--recipe").arg(self.path("recipe")).env("PATH", ""))
    }

    /// Changes a file, has it refused by this rule, and puts it back.
    fn refused(&self, name: &str, rule: &str, change: impl Fn(&mut Vec<u8>)) {
        let path = self.path(name);
        let before = fs::read(&path).unwrap();
        let mut octets = before.clone();
        change(&mut octets);
        assert!(octets != before, "{name}: nothing was changed");
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
        fs::set_permissions(&path, permissions).unwrap();
        fs::write(&path, octets).unwrap();
        let output = self.verify();
        assert!(
            !output.status.success() && text(&output).contains(rule),
            "{rule}: {}",
            text(&output)
        );
        fs::write(&path, before).unwrap();
    }
}

fn replace(octets: &mut Vec<u8>, from: &str, to: &str) {
    *octets = String::from_utf8(octets.clone()).unwrap().replacen(from, to, 1).into_bytes();
}

#[test]
fn verify_accepts_the_image_and_names_every_fault() {
    let evidence = Evidence::new();
    let output = evidence.verify();
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", text(&output));

    // A changed octet in the ISO, wherever it lies.
    for at in [0, 600, 40_000, 9_000_000] {
        evidence.refused("gishiki.iso", "S-BUILT", |octets| octets[at] ^= 1);
    }
    // A changed input, an extra one: the derivation is no longer what its name says.
    let recipe = |part: &str| {
        let listed = fs::read_dir(evidence.path("recipe")).unwrap();
        let found = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let name = found.filter(|name| name.contains(part)).min().unwrap();
        format!("recipe/{name}")
    };
    evidence.refused(&recipe("-zlib1g.deb.drv"), "S-RECIPE", |octets| {
        let at = octets.iter().rposition(|octet| octet.is_ascii_digit()).unwrap();
        octets[at] = if octets[at] == b'0' { b'1' } else { b'0' };
    });
    evidence.refused(&recipe("-uki.drv"), "S-RECIPE", |octets| {
        replace(octets, "lockdown=", "lockdowm=")
    });
    // Changed locks: a Debian package's digest, one that is gone, a crate's digest, an added crate.
    let debian = "repository/nix/debian.lock.json";
    let lock: serde_json::Value =
        serde_json::from_slice(&fs::read(evidence.path(debian)).unwrap()).unwrap();
    let digest = lock["packages"]["zlib1g"]["sha256"].as_str().unwrap().to_string();
    evidence.refused(debian, "zlib1g.deb", |octets| {
        replace(
            octets,
            &digest,
            &format!("{}{}", if digest.starts_with('0') { "1" } else { "0" }, &digest[1..]),
        );
    });
    evidence
        .refused(debian, "S-SOURCES", |octets| replace(octets, "\"zlib1g\": {", "\"zlib2g\": {"));
    let added = "\n[[package]]\nname = \"added\"\nversion = \"1.0.0\"\nsource = \"registry\"\nchecksum = \
                 \"0000000000000000000000000000000000000000000000000000000000000000\"\n";
    evidence.refused("repository/Cargo.lock", "added-1.0.0.crate", |octets| {
        octets.extend(added.as_bytes())
    });
    // A source, a plan, the init program that the repository does not have so.
    for name in [
        "repository/crates/token/src/lib.rs",
        "repository/ceremony-plans/mdoc-root/2026-04-genesis/plan.toml",
        "repository/nix/live/init",
        "repository/nix/seed.uu",
    ] {
        evidence.refused(name, "S-SOURCES", |octets| octets.push(b'\n'));
    }
    // An input that no lock has: a recipe of its own, whose names are all right.
    let other = evidence.path("other");
    copy(&evidence.path("repository"), &other);
    let vendor = "{ \"usr/lib/vendor.so\": { \"name\": \"vendor.so\", \"sha256\": \
                  \"0000000000000000000000000000000000000000000000000000000000000000\" } }\n";
    fs::write(other.join("nix/vendor.lock.json"), vendor).unwrap();
    let drv = derivation(&other, "iso");
    evidence.name("ceremonies.other", &drv);
    let output = evidence.verify_as(&drv);
    assert!(
        text(&output).contains("S-SOURCES") && text(&output).contains("vendor.so"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_recipe_with_a_back_door_is_refused() {
    let evidence = Evidence::new();
    let said = text(&evidence.verify());
    for line in ["compared, and the same: drills.mdoc-root.2026-04-genesis", "not compared:"] {
        assert!(said.contains(line) && !said.contains("verified"), "{said}");
    }
    // Other build scripts, with inputs and sources as the repository has them.
    let other = evidence.path("other");
    copy(&evidence.path("repository"), &other);
    let layers = other.join("nix/layers.nix");
    let mut octets = fs::read(&layers).unwrap();
    replace(&mut octets, "chmod 755 $out/init", "chmod 755 $out/init; echo 'sh &' >> $out/init");
    fs::write(&layers, octets).unwrap();
    let drv = derivation(&other, DRILL);
    let output = evidence.verify_as(&drv);
    let said = text(&output);
    assert!(!output.status.success() && said.contains("S-RECIPE"), "{said}");
    assert!(said.contains("another recipe") && said.contains("golden/image"), "{said}");
    // A repository that has it is one that people reviewed; then its pin is another one.
    evidence.name(DRILL, &drv);
    let said = text(&evidence.verify_as(&drv));
    assert!(said.contains("S-BUILT") && said.contains(DRILL), "{said}");
    // What a lock has and the image has not is named.
    let lock = "{ \"usr/lib/added.so\": { \"name\": \"added.so\", \"sha256\": \"SHA\" } }\n";
    let lock = lock.replace("SHA", &"0".repeat(64));
    fs::write(evidence.path("repository/nix/vendor.lock.json"), lock).unwrap();
    evidence.name(DRILL, &derivation(&repository(), DRILL));
    let said = text(&evidence.verify());
    assert!(said.contains("locked, and not in this image: added.so"), "{said}");
}

#[test]
fn the_seed_is_its_source_assembled() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    succeed(Command::new("as").arg(root().join("nix/seed.S")).arg("-o").arg(path("seed.o")));
    let mut link = Command::new("ld");
    link.args(["--oformat", "binary", "-Ttext=0x400000"]).arg(path("seed.o")).arg("-o");
    succeed(link.arg(path("seed")));
    succeed(
        Command::new("uudecode").arg("-o").arg(path("seed.tar")).arg(root().join("nix/seed.uu")),
    );
    succeed(Command::new("tar").arg("xf").arg(path("seed.tar")).arg("-C").arg(folder.path()));
    let committed = fs::read(path("unar")).unwrap();
    assert_eq!(committed.len(), 307);
    assert!(committed == fs::read(path("seed")).unwrap());
}

#[test]
fn a_vendors_module_is_an_input_named_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("elsewhere");
    copy_tracked(&copied);
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("libvendor.so"), b"\x7fELF of a vendor").unwrap();
    let digest = ::ceremony::hex::Digest::of(b"\x7fELF of a vendor");
    let lock = |digest: &str| {
        let file = format!("{{ \"name\": \"libvendor.so\", \"sha256\": \"{digest}\" }}");
        let lock = format!("{{ \"usr/lib/vendor/libvendor.so\": {file} }}\n");
        fs::write(copied.join("nix/vendor.lock.json"), lock).unwrap();
    };
    // Where a locked version has left the mirror, the other inputs are in the archive.
    let archive = std::env::var_os("GISHIKI_ARCHIVE").filter(|archive| !archive.is_empty());
    let seed = |with: &[&str]| {
        let mut seed = Command::new(GISHIKI);
        seed.current_dir(&copied).args(["image", "seed"]).args(with);
        run(seed.args(archive.iter().flat_map(|archive| [OsStr::new("--from"), archive])))
    };
    let vendor = ["--vendor", files.to_str().unwrap()];
    lock(&"0".repeat(64));
    for output in [seed(&[]), seed(&vendor)] {
        assert!(!output.status.success() && text(&output).contains("S-LOCK"), "{}", text(&output));
    }
    lock(&digest.to_string());
    let output = seed(&vendor);
    assert!(output.status.success(), "{}", text(&output));
    let layer = crate::built_of(&copied, "vendor");
    let module = fs::read(layer.join("usr/lib/vendor/libvendor.so")).unwrap();
    assert_eq!(::ceremony::hex::Digest::of(&module), digest);
    assert!(derivation(&copied, "iso") != derivation(&repository(), "iso"));
    assert_eq!(derivation(&copied, DRILL), derivation(&repository(), DRILL), "a drill has none");
    // However the file came here: its mode, owner and time are nowhere in the image.
    let file = files.join("libvendor.so");
    for mode in [0o600, 0o4711] {
        let octets = format!("\x7fELF of mode {mode:o}");
        fs::write(&file, &octets).unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        std::os::unix::fs::chown(&file, Some(1000), Some(1000)).unwrap();
        lock(&::ceremony::hex::Digest::of(octets.as_bytes()).to_string());
        succeed(Command::new("nix-store").args(["--add-fixed", "sha256"]).arg(&file));
        let layer = crate::built_of(&copied, "vendor");
        let told = fs::metadata(layer.join("usr/lib/vendor/libvendor.so")).unwrap();
        assert_eq!(told.permissions().mode() & 0o7777, 0o555, "seeded with {mode:o}");
        fs::remove_file(&file).unwrap();
    }
}
