//! The recipe of an image, judged without Nix: every derivation read as text, every store path
//! computed again, every input found in a lock or in the repository.
//!
//! What this proves: the pinned derivation is one that the repository at hand names for its images,
//! and names itself, through hashes alone, exactly these inputs and these sources. That the octets
//! came from it is what two builders who agree show.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ceremony::hex::Digest;
use ceremony::rule::RuleId;
use nix_derivation::{
    CAHash, Derivation, InputDerivationHash, NixHash, Output, StoreDir, StorePath,
};

use crate::{Fault, Fixed, Locks, Pin, unusable};

/// The derivation of every image but the tool's, by the image's name.
const RECIPES: &str = "golden/image/recipes.toml";
/// The tool's image, whose derivation is in its pin.
const TOOL: &str = "iso";

/// What was proved of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The image that the repository has under this derivation, such as `drills.CA.CEREMONY`.
    pub image: String,
    /// Whether the repository has a pin of the octets too, and it is this one.
    pub pinned: bool,
    /// Locked inputs that this image has not, by name.
    pub unused: Vec<String>,
    /// Derivations whose paths were computed again.
    pub derivations: usize,
    /// Inputs from outside, each in a lock.
    pub inputs: usize,
    /// Sources, each as the repository has it.
    pub sources: usize,
}

/// Judges an ISO by its pin, and its recipe by the locks and sources of a repository. `recipe` is
/// a folder with the derivations, such as the store.
///
/// # Errors
/// `S-BUILT`: other octets than the pin's, or another pin than the repository's; `S-RECIPE`: a
/// derivation that the repository does not name, that is missing, or not what its name says;
/// `S-SOURCES`: an input or source that no lock or repository has; `S-LOCK`: a locked crate that
/// the recipe does not have.
pub fn verify(pin: &Pin, iso: &Path, recipe: &Path, repository: &Path) -> Result<Proved, Fault> {
    let octets = fs::read(iso).map_err(|error| unusable(iso, &error))?;
    let found = Pin::of(&octets, pin.derivation.clone())
        .unwrap_or_else(|_| Pin { iso_sha256: Digest::of(&octets), ..pin.clone() });
    if found != *pin {
        let difference = pin.text().lines().zip(found.text().lines()).find_map(|(asked, found)| {
            (asked != found).then(|| (asked.to_string(), found.to_string()))
        });
        let (asked, found) = difference.unwrap_or_default();
        return Err(Fault::new(RuleId::S_BUILT, format!("{} with {asked}", iso.display()), found));
    }
    let name = pin.derivation.as_deref();
    let name = name
        .ok_or_else(|| Fault::new(RuleId::S_RECIPE, "a pin that names its derivation", "none"))?;
    let image = named(repository, name)?;
    let pinned = pinned(repository, &image, pin)?;
    let mut judged = Judged {
        recipe,
        hashes: BTreeMap::new(),
        inputs: BTreeSet::new(),
        sources: BTreeSet::new(),
    };
    judged.derivation(name)?;

    let locks = Locks::read(repository)?;
    let known = locks.inputs();
    if let Some(input) = judged.inputs.difference(&known).next() {
        let locked = known.iter().find(|locked| locked.name == input.name);
        let found = locked.map_or("no such name".to_string(), |locked| locked.sha256.to_string());
        let asked = format!("a lock that has {} with SHA-256 {}", input.name, input.sha256);
        return Err(Fault::new(RuleId::S_SOURCES, asked, found));
    }
    let crates: BTreeSet<Fixed> = locks.crate_inputs().collect();
    if let Some(missing) = crates.difference(&judged.inputs).next() {
        let asked =
            format!("a recipe with the locked {} of SHA-256 {}", missing.name, missing.sha256);
        return Err(Fault::new(RuleId::S_LOCK, asked, "one without it"));
    }
    let sources = sources(repository)?;
    if let Some(source) = judged.sources.difference(&sources).next() {
        return Err(Fault::new(
            RuleId::S_SOURCES,
            "sources as this repository has them",
            source.clone(),
        ));
    }
    let unused = known.difference(&judged.inputs).map(|input| input.name.clone()).collect();
    Ok(Proved {
        image,
        pinned,
        unused,
        derivations: judged.hashes.len(),
        inputs: judged.inputs.len(),
        sources: judged.sources.len(),
    })
}

/// The image that the repository has under this derivation. Build scripts are in derivations, so
/// one that was changed in one place only is not among them.
fn named(repository: &Path, derivation: &str) -> Result<String, Fault> {
    let path = repository.join(RECIPES);
    let text = fs::read_to_string(&path).map_err(|error| unusable(&path, &error))?;
    let mut recipes: BTreeMap<String, String> = toml::from_str(&text)
        .map_err(|error| Fault::new(RuleId::S_RECIPE, RECIPES, error.to_string()))?;
    if let Some(tool) = pin_of(repository, TOOL)?.and_then(|pin| pin.derivation) {
        recipes.entry(TOOL.to_string()).or_insert(tool);
    }
    let found = recipes.into_iter().find_map(|(image, name)| (name == derivation).then_some(image));
    found.ok_or_else(|| {
        let asked = format!("a derivation that {RECIPES} or the pin of the tool names here");
        Fault::new(RuleId::S_RECIPE, asked, format!("{derivation}, which is another recipe"))
    })
}

/// Whether the repository pins the octets of this image; if it does, it must be this pin.
fn pinned(repository: &Path, image: &str, pin: &Pin) -> Result<bool, Fault> {
    match pin_of(repository, image)? {
        None => Ok(false),
        Some(own) if own == *pin => Ok(true),
        Some(own) => {
            let asked = format!("the pin golden/image/{image}.toml, ISO {}", own.iso_sha256);
            Err(Fault::new(RuleId::S_BUILT, asked, format!("a pin of ISO {}", pin.iso_sha256)))
        }
    }
}

fn pin_of(repository: &Path, image: &str) -> Result<Option<Pin>, Fault> {
    let path = repository.join(format!("golden/image/{image}.toml"));
    if path.exists() { Pin::read(&path).map(Some) } else { Ok(None) }
}

/// SHA-256 of the archive of an output that holds nothing but this ISO.
pub(crate) fn archive_of_output(iso: &[u8]) -> Result<Digest, Fault> {
    let folder = tempfile::tempdir().map_err(|error| unusable(Path::new("/tmp"), &error))?;
    let path = folder.path().join("gishiki.iso");
    fs::write(&path, iso).map_err(|error| unusable(&path, &error))?;
    archive(folder.path())
}

/// SHA-256 of the Nix archive of a file or folder.
fn archive(path: &Path) -> Result<Digest, Fault> {
    let failed = |error: String| Fault::new(RuleId::S_FILE, path.display().to_string(), error);
    let mut encoder = nix_nar::Encoder::new(path).map_err(|error| failed(error.to_string()))?;
    let mut octets = Vec::new();
    encoder.read_to_end(&mut octets).map_err(|error| failed(error.to_string()))?;
    Ok(Digest::of(&octets))
}

/// What was judged on the way down from the pinned derivation.
struct Judged<'r> {
    recipe: &'r Path,
    /// Each derivation by its name, as it counts in those that need it.
    hashes: BTreeMap<String, InputDerivationHash>,
    inputs: BTreeSet<Fixed>,
    sources: BTreeSet<String>,
}

impl Judged<'_> {
    fn derivation(&mut self, name: &str) -> Result<(), Fault> {
        if self.hashes.contains_key(name) {
            return Ok(());
        }
        let wrong =
            |found: String| Fault::new(RuleId::S_RECIPE, format!("the derivation {name}"), found);
        let octets = fs::read(self.recipe.join(name)).map_err(|error| wrong(error.to_string()))?;
        let (_, plain) = name.split_once('-').unwrap_or_default();
        let plain = plain.strip_suffix(".drv").unwrap_or_default();
        let derivation = Derivation::from_aterm_bytes(&octets, plain)
            .map_err(|error| wrong(error.to_string()))?;
        let path = derivation.drv_path().map_err(|error| wrong(error.to_string()))?;
        if path.to_basename() != name || derivation.to_aterm_bytes() != octets {
            return Err(wrong(format!("octets that are named {}", path.to_basename())));
        }
        for input in derivation.input_derivations().keys() {
            self.derivation(&input.to_basename())?;
        }
        let hashes = &self.hashes;
        // Every input was judged above, so each has its hash.
        let known = |path: &StorePath| {
            hashes.get(&path.to_basename()).copied().unwrap_or(InputDerivationHash::Deferred)
        };
        derivation.validate_with_input_hashes(known).map_err(|error| wrong(error.to_string()))?;
        let hash = derivation
            .hash_input_derivation_modulo(known)
            .map_err(|error| wrong(error.to_string()))?;
        for output in derivation.outputs().values() {
            match output {
                Output::InputAddressed { .. } => {}
                Output::Fixed { ca: CAHash::Flat(NixHash::Sha256(sha256)) } => {
                    self.inputs.insert(Fixed { name: plain.to_string(), sha256: Digest(*sha256) });
                }
                Output::Fixed { .. }
                | Output::Floating { .. }
                | Output::Deferred
                | Output::Impure { .. } => {
                    return Err(wrong("an output that neither lock nor recipe fixes".to_string()));
                }
            }
        }
        self.sources.extend(derivation.input_sources().iter().map(StorePath::to_basename));
        self.hashes.insert(name.to_string(), hash);
        Ok(())
    }
}

/// The store names of everything that a recipe takes from the repository.
fn sources(repository: &Path) -> Result<BTreeSet<String>, Fault> {
    let mut names = BTreeSet::new();
    let seed = repository.join("nix/seed.uu");
    let seed = fs::read(&seed).map_err(|error| unusable(&seed, &error))?;
    let text = StoreDir::default()
        .build_text_path("seed.uu", &seed, [])
        .map_err(|error| Fault::new(RuleId::S_SOURCES, "nix/seed.uu", error.to_string()))?;
    names.insert(text.to_basename());
    for live in entries(&repository.join("nix/live"))? {
        names.insert(source(&live, &name_of(&live))?);
    }
    let program = tempfile::tempdir().map_err(|error| unusable(repository, &error))?;
    for part in ["Cargo.toml", "Cargo.lock", "crates", "tests/copyist", "tests/faulty-module"] {
        copy(&repository.join(part), &program.path().join(part))?;
    }
    names.insert(source(program.path(), "gishiki-src")?);
    for kind in ["ceremony-plans", "golden", "ledger"] {
        let Ok(cas) = entries(&repository.join(kind)) else { continue };
        for ca in cas.into_iter().filter(|ca| ca.is_dir()) {
            for part in entries(&ca)? {
                names.insert(source(&part, &name_of(&part))?);
            }
            names.insert(source(&ca, &name_of(&ca))?);
        }
    }
    Ok(names)
}

fn source(path: &Path, name: &str) -> Result<String, Fault> {
    let archive = CAHash::Nar(NixHash::Sha256(archive(path)?.0));
    StoreDir::default()
        .build_ca_path(name, &archive, [], false)
        .map(|path| path.to_basename())
        .map_err(|error| {
            Fault::new(RuleId::S_SOURCES, path.display().to_string(), error.to_string())
        })
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let read = fs::read_dir(folder).map_err(|error| unusable(folder, &error))?;
    Ok(read.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    let failed = |error: std::io::Error| unusable(from, &error);
    if from.is_dir() {
        fs::create_dir_all(to).map_err(failed)?;
        for entry in entries(from)? {
            copy(&entry, &to.join(name_of(&entry)))?;
        }
        return Ok(());
    }
    fs::copy(from, to).map(|_| ()).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_recipe_is_known_by_what_the_repository_names() {
        let repository = tempfile::tempdir().unwrap();
        let at = |name: &str| repository.path().join("golden/image").join(name);
        fs::create_dir_all(at("")).unwrap();
        assert_eq!(named(repository.path(), "a.drv").unwrap_err().rule, RuleId::S_FILE);
        fs::write(at("recipes.toml"), "\"drills.ca.x\" = \"a.drv\"\n").unwrap();
        assert_eq!(named(repository.path(), "a.drv").unwrap(), "drills.ca.x");
        let other = named(repository.path(), "b.drv").unwrap_err();
        assert_eq!(other.rule, RuleId::S_RECIPE);
        assert!(other.found.contains("b.drv"), "{other:?}");

        let zero = Digest([0; 32]);
        let pin = Pin {
            format: 1,
            derivation: Some("b.drv".to_string()),
            iso_octets: 1,
            iso_sha256: zero,
            nar_sha256: zero,
            uki_sha256: zero,
            pcr_4: zero,
            pcr_11: zero,
        };
        assert!(!pinned(repository.path(), TOOL, &pin).unwrap());
        fs::write(at("iso.toml"), pin.text()).unwrap();
        assert_eq!(named(repository.path(), "b.drv").unwrap(), TOOL);
        assert!(pinned(repository.path(), TOOL, &pin).unwrap());
        let longer = Pin { iso_octets: 2, ..pin };
        assert_eq!(pinned(repository.path(), TOOL, &longer).unwrap_err().rule, RuleId::S_BUILT);
    }
}
