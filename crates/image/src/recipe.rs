//! Checks the recipe of an image without Nix: a derivation and everything that it depends on.
//!
//! Every derivation is read as text, every store path is computed again, and every input is looked
//! up in a lock or in the repository.
//!
//! This proves that the repository names the pinned derivation for one of its images, and that the
//! derivation, through hashes alone, determines exactly these inputs and sources. It does not prove
//! that the ISO was built from it; for that, two independent builds are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use nix_derivation::{
    CAHash, Derivation, InputDerivationHash, NixHash, Output, StoreDir, StorePath,
};

use crate::{Fault, Fixed, Locks, Pin, said, unusable};

/// The file with the derivation of every image except the tool's, by image name.
const RECIPES: &str = "golden/image/recipes.toml";
/// The name of the tool's image, whose derivation is in its pin.
const TOOL: &str = "iso";

/// What was proved about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The name of the image for which the repository lists this derivation, such as
    /// `drills.CA.CEREMONY`.
    pub image: String,
    /// The store name of that derivation.
    pub derivation: String,
    /// Whether the repository also pins the octets of this image. Such a pin was compared.
    pub pinned: bool,
    /// The names of locked inputs that this image does not use.
    pub unused: Vec<String>,
    /// The number of derivations whose paths were computed again.
    pub derivations: usize,
    /// The number of inputs from outside the repository; each is in a lock.
    pub inputs: usize,
    /// The number of sources; each is the same in the repository.
    pub sources: usize,
}

/// Checks an ISO against its pin, and its recipe against the locks and sources of a repository.
///
/// `recipe` is a folder that contains the derivations, such as `/nix/store`.
///
/// # Errors
/// `S-BUILT`: the ISO differs from the pin, or the pin from the repository's. `S-RECIPE`: a
/// derivation is not listed in the repository, is missing, or does not match its name. `S-SOURCES`:
/// an input is in no lock, or a source is not in the repository. `S-LOCK`: the recipe does not use
/// a locked crate.
pub fn verify(pin: &Pin, iso: &Path, recipe: &Path, repository: &Path) -> Result<Proved, Fault> {
    let octets = fs::read(iso).map_err(|error| unusable(iso, &error))?;
    let found = Pin::of(&octets, pin.derivation.clone())
        .unwrap_or_else(|_| Pin { iso_sha256: Digest::of(&octets), ..pin.clone() });
    if found != *pin {
        let difference = pin.text().lines().zip(found.text().lines()).find_map(|(asked, found)| {
            (asked != found).then(|| (asked.to_string(), found.to_string()))
        });
        let (asked, found) = difference.unwrap_or_default();
        let asked = says!("{asked} の {}", "{} with {asked}", iso.display());
        let found = says!(
            "{found}。この ISO は使わない。ビルドし直すか、固定値の ISO を入手する",
            "{found}: do not use this ISO; build it again, or get the one of the pin"
        );
        return Err(Fault::new(RuleId::S_BUILT, asked, found));
    }
    let name = pin.derivation.as_deref();
    let name = name.ok_or_else(|| {
        let asked = says!("導出を示す固定値", "a pin that names its derivation");
        Fault::new(RuleId::S_RECIPE, asked, Bilingual::none())
    })?;
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
        let found = locked.map_or_else(
            || says!("その名なし", "no such name"),
            |locked| Bilingual::plain(locked.sha256),
        );
        let Fixed { name, sha256 } = input;
        let asked = says!(
            "{name}(SHA-256 {sha256})を固定していること",
            "a lock that has {name} with SHA-256 {sha256}"
        );
        return Err(Fault::new(RuleId::S_SOURCES, asked, found));
    }
    let crates: BTreeSet<Fixed> = locks.crate_inputs().collect();
    if let Some(missing) = crates.difference(&judged.inputs).next() {
        let Fixed { name, sha256 } = missing;
        let asked = says!(
            "固定した {name}(SHA-256 {sha256})のあるレシピ",
            "a recipe with the locked {name} of SHA-256 {sha256}"
        );
        let found = says!("それのないレシピ", "one without it");
        return Err(Fault::new(RuleId::S_LOCK, asked, found));
    }
    let sources = sources(repository)?;
    if let Some(source) = judged.sources.difference(&sources).next() {
        return Err(Fault::new(
            RuleId::S_SOURCES,
            says!("このリポジトリのとおりのソース", "sources as this repository has them"),
            Bilingual::plain(source),
        ));
    }
    let unused = known.difference(&judged.inputs).map(|input| input.name.clone()).collect();
    Ok(Proved {
        image,
        derivation: name.to_string(),
        pinned,
        unused,
        derivations: judged.hashes.len(),
        inputs: judged.inputs.len(),
        sources: judged.sources.len(),
    })
}

/// The name of the image for which the repository lists this derivation.
///
/// Build scripts are part of derivations. So a derivation with a changed script is not listed,
/// unless the repository was changed too.
fn named(repository: &Path, derivation: &str) -> Result<String, Fault> {
    let path = repository.join(RECIPES);
    let text = fs::read_to_string(&path).map_err(|error| unusable(&path, &error))?;
    let mut recipes: BTreeMap<String, String> = toml::from_str(&text).map_err(|error| {
        Fault::new(RuleId::S_RECIPE, Bilingual::plain(RECIPES), Bilingual::plain(error))
    })?;
    if let Some(tool) = pin_of(repository, TOOL)?.and_then(|pin| pin.derivation) {
        recipes.entry(TOOL.to_string()).or_insert(tool);
    }
    let found = recipes.into_iter().find_map(|(image, name)| (name == derivation).then_some(image));
    found.ok_or_else(|| {
        let asked = says!(
            "{RECIPES} 又はツールの固定値がここで示す導出",
            "a derivation that {RECIPES} or the pin of the tool names here"
        );
        let found =
            says!("ほかのレシピである {derivation}", "{derivation}, which is another recipe");
        Fault::new(RuleId::S_RECIPE, asked, found)
    })
}

/// Whether the repository pins the octets of this image. If it does, its pin must equal `pin`.
fn pinned(repository: &Path, image: &str, pin: &Pin) -> Result<bool, Fault> {
    match pin_of(repository, image)? {
        None => Ok(false),
        Some(own) if own == *pin => Ok(true),
        Some(own) => {
            let asked = says!(
                "固定値 golden/image/{image}.toml(ISO {})",
                "the pin golden/image/{image}.toml, ISO {}",
                own.iso_sha256
            );
            let found = says!(
                "ISO {} の固定値。リポジトリにある固定値を渡すか、この固定値のあるコミットを取り出す",
                "a pin of ISO {}: give the pin that is in the repository, or check out the commit that has this one",
                pin.iso_sha256
            );
            Err(Fault::new(RuleId::S_BUILT, asked, found))
        }
    }
}

fn pin_of(repository: &Path, image: &str) -> Result<Option<Pin>, Fault> {
    let path = repository.join(format!("golden/image/{image}.toml"));
    if path.exists() { Pin::read(&path).map(Some) } else { Ok(None) }
}

/// SHA-256 of the Nix archive (NAR) of a build output that contains only this ISO.
pub(crate) fn archive_of_output(iso: &[u8]) -> Result<Digest, Fault> {
    let folder = tempfile::tempdir().map_err(|error| unusable(Path::new("/tmp"), &error))?;
    let path = folder.path().join("gishiki.iso");
    fs::write(&path, iso).map_err(|error| unusable(&path, &error))?;
    archive(folder.path())
}

/// SHA-256 of the Nix archive (NAR) of a file or folder.
fn archive(path: &Path) -> Result<Digest, Fault> {
    let failed =
        |error: Bilingual| Fault::new(RuleId::S_FILE, Bilingual::plain(path.display()), error);
    let mut encoder =
        nix_nar::Encoder::new(path).map_err(|error| failed(Bilingual::plain(error)))?;
    let mut octets = Vec::new();
    encoder.read_to_end(&mut octets).map_err(|error| failed(said(&error)))?;
    Ok(Digest::of(&octets))
}

/// The derivations that were checked so far, from the pinned one on, and what they use.
struct Judged<'r> {
    recipe: &'r Path,
    /// The hash of each derivation, as it enters the hashes of derivations that depend on it.
    hashes: BTreeMap<String, InputDerivationHash>,
    inputs: BTreeSet<Fixed>,
    sources: BTreeSet<String>,
}

impl Judged<'_> {
    fn derivation(&mut self, name: &str) -> Result<(), Fault> {
        if self.hashes.contains_key(name) {
            return Ok(());
        }
        let wrong = |found: Bilingual| {
            let asked = says!("導出 {name}", "the derivation {name}");
            Fault::new(RuleId::S_RECIPE, asked, found)
        };
        let octets = fs::read(self.recipe.join(name)).map_err(|error| wrong(said(&error)))?;
        let (_, plain) = name.split_once('-').unwrap_or_default();
        let plain = plain.strip_suffix(".drv").unwrap_or_default();
        let derivation = Derivation::from_aterm_bytes(&octets, plain)
            .map_err(|error| wrong(Bilingual::plain(error)))?;
        let path = derivation.drv_path().map_err(|error| wrong(Bilingual::plain(error)))?;
        if path.to_basename() != name || derivation.to_aterm_bytes() != octets {
            return Err(wrong(says!(
                "{} という名になる内容",
                "content whose name is {}",
                path.to_basename()
            )));
        }
        for input in derivation.input_derivations().keys() {
            self.derivation(&input.to_basename())?;
        }
        let hashes = &self.hashes;
        // Every input derivation was checked above, so each has its hash.
        let known = |path: &StorePath| {
            hashes.get(&path.to_basename()).copied().unwrap_or(InputDerivationHash::Deferred)
        };
        derivation
            .validate_with_input_hashes(known)
            .map_err(|error| wrong(Bilingual::plain(error)))?;
        let hash = derivation
            .hash_input_derivation_modulo(known)
            .map_err(|error| wrong(Bilingual::plain(error)))?;
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
                    return Err(wrong(says!(
                        "固定値もレシピも定めない出力",
                        "an output that neither lock nor recipe fixes"
                    )));
                }
            }
        }
        self.sources.extend(derivation.input_sources().iter().map(StorePath::to_basename));
        self.hashes.insert(name.to_string(), hash);
        Ok(())
    }
}

/// The store names of all sources that a recipe may take from the repository.
fn sources(repository: &Path) -> Result<BTreeSet<String>, Fault> {
    let mut names = BTreeSet::new();
    let seed = repository.join("nix/seed.uu");
    let seed = fs::read(&seed).map_err(|error| unusable(&seed, &error))?;
    let text = StoreDir::default().build_text_path("seed.uu", &seed, []).map_err(|error| {
        let asked = Bilingual::plain("nix/seed.uu");
        Fault::new(RuleId::S_SOURCES, asked, Bilingual::plain(error))
    })?;
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
            let (path, error) = (Bilingual::plain(path.display()), Bilingual::plain(error));
            Fault::new(RuleId::S_SOURCES, path, error)
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
        assert!(other.found.en.contains("b.drv"), "{other:?}");

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
