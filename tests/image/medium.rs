//! USB sticks as files: made, filled and read without being root.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Drill, GISHIKI, succeed};

/// An ext4 stick of 64 MB with this label and these files.
pub(crate) fn ext4(path: &Path, label: &str, files: &Path) {
    File::create(path).unwrap().set_len(64 << 20).unwrap();
    let mut make = Command::new("mkfs.ext4");
    // Whoever made it, and as whom, is all the same to the image.
    make.args(["-q", "-F", "-E", "root_owner=1000:1000"]);
    succeed(make.args(["-L", label, "-d"]).arg(files).arg(path));
}

/// A FAT stick of 64 MB with this label.
pub(crate) fn vfat(path: &Path, label: &str) {
    File::create(path).unwrap().set_len(64 << 20).unwrap();
    succeed(Command::new("mkfs.vfat").args(["-n", label]).arg(path));
}

/// Takes a folder, or everything, out of an ext4 stick.
pub(crate) fn take(stick: &Path, folder: &str, to: &Path) -> PathBuf {
    std::fs::create_dir_all(to).unwrap();
    let dump = format!("rdump {folder} {}", to.display());
    succeed(Command::new("debugfs").args(["-R", &dump]).arg(stick));
    Path::new(folder).file_name().map_or_else(|| to.to_path_buf(), |name| to.join(name))
}

/// The sticks of a drill.
pub(crate) struct Sticks {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) a: PathBuf,
    pub(crate) b: PathBuf,
    pub(crate) token: PathBuf,
}

impl Sticks {
    /// A fresh token, the room that names the image's SoftHSM, and the identity of this image.
    pub(crate) fn new(iso: &Path) -> Self {
        let module = crate::built("layers.drill").join(MODULE.trim_start_matches('/'));
        Self::with(iso, MODULE, &module, None)
    }

    /// The same with another module, by its place in the image and by its file; and, if it is
    /// given, with another token than the drill's.
    pub(crate) fn with(iso: &Path, at: &str, module: &Path, serial: Option<&str>) -> Self {
        let drill = Drill::new();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let room = format!(
            "format = 1\ndrill = true\nterminal = \"drill-1\"\n\n[token]\nmodule = \"{at}\"\n\
             sha256 = \"{}\"\nserial = \"{}\"\n",
            ceremony::hex::Digest::of(&std::fs::read(module).unwrap()),
            serial.unwrap_or(&drill.serial)
        );
        let operators = path("operators");
        std::fs::create_dir(&operators).unwrap();
        std::fs::write(operators.join("room.toml"), room).unwrap();
        let pin = succeed(Command::new(GISHIKI).args(["image", "pin"]).arg(iso));
        std::fs::write(operators.join("image.toml"), pin).unwrap();
        std::fs::create_dir(path("empty")).unwrap();
        let holder = path("holder");
        std::fs::create_dir(&holder).unwrap();
        succeed(Command::new("cp").arg("-r").arg(drill.path("tokens")).arg(&holder));
        let sticks = Self { a: path("a.img"), b: path("b.img"), token: path("token.img"), folder };
        ext4(&sticks.a, "GISHIKI-A", &operators);
        ext4(&sticks.b, "GISHIKI-B", &sticks.folder.path().join("empty"));
        ext4(&sticks.token, "GISHIKI-TOK", &holder);
        sticks
    }
}

impl Sticks {
    /// A second journal's medium on which this name is a link, as QEMU's arguments name it.
    pub(crate) fn linked(&self, name: &str, to: &str) -> String {
        let files = self.folder.path().join("links");
        std::fs::create_dir(&files).unwrap();
        std::os::unix::fs::symlink(to, files.join(name)).unwrap();
        let stick = self.folder.path().join("linked.img");
        ext4(&stick, "GISHIKI-B", &files);
        stick.display().to_string()
    }

    /// What the token's stick holds now, taken into a folder of this name.
    pub(crate) fn token_files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let taken = take(&self.token, "/tokens", &self.folder.path().join(name));
        crate::support::files(&taken).into_iter().collect()
    }
}

/// SoftHSM's module in the drill image.
const MODULE: &str = "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so";
