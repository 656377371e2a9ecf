//! Reads the releases: proves each, and judges every file in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ceremony::anchor::Anchor;
use ceremony::bounds::{CERTIFICATE, DOCUMENT};
use ceremony::cps::Cps;
use ceremony::fault::Fault;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::path::RehearsalKeys;
use ceremony::publish::{self, Body, Crl, Judge, Release, Statement, Value, manifest, pair};
use ceremony::rule::RuleId;
use ceremony::says;

use crate::args::{Common, Trust};
use crate::files::{self, read_within, shown};
use crate::stop::{REFUSED, Stop};

/// Releases that were proved, and where their files are.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) releases: Vec<Release>,
    pub(crate) judge: Judge,
    /// The last ceremony that the anchor pins, if there is no release of it.
    pub(crate) missed: Option<String>,
    paths: BTreeMap<Digest, PathBuf>,
}

/// One release's folder, before its files are judged.
struct Folder {
    path: PathBuf,
    statement: Statement,
    cps: Option<Cps>,
    public: Vec<PathBuf>,
}

impl Shelf {
    /// Reads every release in the folder.
    pub(crate) fn read(common: &Common) -> Result<Self, Stop> {
        let anchor = match &common.trust {
            Trust::Anchor(path) => Some(anchor(path)?),
            Trust::Rehearsal | Trust::Drill => None,
        };
        let (trust, keys) = match (&common.trust, &anchor) {
            (Trust::Rehearsal, _) => (publish::Trust::Rehearsal, RehearsalKeys::Accepted),
            (_, Some(anchor)) => (publish::Trust::Anchor(anchor), RehearsalKeys::Refused),
            (Trust::Drill | Trust::Anchor(_), None) => {
                (publish::Trust::Drill, RehearsalKeys::Refused)
            }
        };
        let found = files::list(&common.releases)?;
        let folders = found.iter().map(|path| Folder::read(path, trust));
        let mut folders = folders.collect::<Result<Vec<_>, Stop>>()?;
        folders.sort_by_key(|folder| folder.statement.sequence);
        if folders.is_empty() {
            let asked = says!("公開用の一式", "releases, as `gishiki release` writes them");
            let fault = Fault::new(RuleId::S_PUBLISH, asked, Bilingual::none());
            return Err(Stop::refused(&shown(&common.releases), &fault));
        }
        one_history(&folders)?;
        let mut judge = Judge::new(keys);
        for folder in &folders {
            folder.learn(&mut judge)?;
        }
        let mut shelf = Self { releases: Vec::new(), judge, missed: None, paths: BTreeMap::new() };
        for folder in folders {
            shelf.take(folder)?;
        }
        let last = anchor.as_ref().and_then(|anchor| anchor.ceremony.last());
        let is_there =
            |name: &Name| shelf.releases.iter().any(|one| one.statement.ceremony == *name);
        shelf.missed = last.filter(|pin| !is_there(&pin.name)).map(|pin| pin.name.to_string());
        Ok(shelf)
    }

    /// Judges every file of a release, one at a time, and keeps what it is and where it lies.
    fn take(&mut self, folder: Folder) -> Result<(), Stop> {
        let document = folder.cps.as_ref().map(|cps| &cps.document);
        let mut items = Vec::new();
        for path in &folder.public {
            let octets = of_release(path)?;
            let item = self.judge.item(&folder.statement, document, &octets);
            let item = item.map_err(|fault| Stop::refused(&shown(path), &fault))?;
            self.paths.insert(item.digest, path.clone());
            items.push(item);
        }
        let mut proof = Vec::from(["statement.sigstore.json", "audit-key.der"]);
        proof.extend(document.map(|_| "cps.toml"));
        let release = Release { statement: folder.statement, items };
        let path = folder.path.join("manifest.json");
        if manifest(&release, &proof).as_bytes() != files::read(&path)? {
            let asked = says!("ファイルの内容から得られる目録", "the manifest that the files give");
            let found = says!("別の目録", "another one");
            let fault = Fault::new(RuleId::S_ARTEFACT, asked, found);
            return Err(Stop::refused(&shown(&path), &fault));
        }
        self.releases.push(release);
        Ok(())
    }

    /// The CRL with this digest, if a release has it.
    pub(crate) fn crl(&self, digest: &Digest) -> Option<&Crl> {
        let all = self.releases.iter().flat_map(Release::crls);
        all.filter(|(item, _)| item.digest == *digest).map(|(_, crl)| crl).next()
    }

    /// The octets of a file of the web.
    pub(crate) fn octets(&self, body: &Body<'_>) -> Result<Vec<u8>, Stop> {
        match body {
            Body::Text(text) => Ok(text.clone().into_bytes()),
            Body::Item(item) => self.of(&item.digest),
        }
    }

    /// The octets of a value of the directory.
    pub(crate) fn value(&self, value: &Value<'_>) -> Result<Vec<u8>, Stop> {
        match value {
            Value::Item(item) => self.of(&item.digest),
            Value::Pair(to, by) => {
                let half = |item: &Option<&publish::Item>| {
                    item.map(|item| self.of(&item.digest)).transpose()
                };
                let (to, by) = (half(to)?, half(by)?);
                let place = says!("リンク証明書の組", "a pair of links");
                pair(to.as_deref(), by.as_deref()).map_err(|fault| Stop::refused(&place, &fault))
            }
        }
    }

    /// Reads a file again; it must still be the one that was judged.
    fn of(&self, digest: &Digest) -> Result<Vec<u8>, Stop> {
        let lost = || {
            let said = says!("{digest} のファイルがなくなった", "the file {digest} is gone");
            Stop { code: REFUSED, said }
        };
        let path = self.paths.get(digest).ok_or_else(lost)?;
        let octets = of_release(path)?;
        if Digest::of(&octets) == *digest { Ok(octets) } else { Err(lost()) }
    }
}

/// Reads a file of a release: the one place through which a CRL's octets come.
fn of_release(path: &Path) -> Result<Vec<u8>, Stop> {
    files::read(path)
}

fn anchor(path: &Path) -> Result<Anchor, Stop> {
    let octets = read_within(path, DOCUMENT)?;
    Anchor::parse(&octets).map_err(|found| unread(path, found.first()))
}

fn unread(path: &Path, violation: Option<&ceremony::violation::Violation>) -> Stop {
    let (asked, found) = violation.map_or_else(
        || (Bilingual::none(), Bilingual::none()),
        |one| ((*one.asked).clone(), (*one.found).clone()),
    );
    Stop::refused(&shown(path), &Fault::new(RuleId::S_FORM, asked, found))
}

/// The releases are of one CA and one mode, each of another ceremony.
fn one_history(folders: &[Folder]) -> Result<(), Stop> {
    for (one, other) in folders.iter().zip(folders.iter().skip(1)) {
        let (a, b) = (&one.statement, &other.statement);
        if a.ca != b.ca || a.mode != b.mode || a.sequence >= b.sequence {
            let asked = says!(
                "1 つの認証局の、互いに別のセレモニーの公開用の一式",
                "releases of one CA, each of another ceremony"
            );
            let found = says!("{} と {}", "{} and {}", a.ceremony, b.ceremony);
            let fault = Fault::new(RuleId::S_LEDGER, asked, found);
            return Err(Stop::refused(&shown(&other.path), &fault));
        }
    }
    Ok(())
}

impl Folder {
    /// Reads what proves a release; nothing else may be in its folder.
    fn read(path: &Path, trust: publish::Trust<'_>) -> Result<Self, Stop> {
        let proof = path.join("proof");
        let bundle = files::read(&proof.join("statement.sigstore.json"))?;
        let audit = read_within(&proof.join("audit-key.der"), CERTIFICATE)?;
        let statement = Statement::read(&bundle, &audit, trust)
            .map_err(|fault| Stop::refused(&shown(&proof), &fault))?;
        let place = proof.join("cps.toml");
        let cps = match files::read_if_there(&place)? {
            None => None,
            Some(octets) if statement.name_of(&Digest::of(&octets)) == Some("inputs/cps.toml") => {
                Some(Cps::parse(&octets).map_err(|found| unread(&place, found.first()))?)
            }
            Some(_) => return Err(surplus(&place)),
        };
        let known = ["statement.sigstore.json", "audit-key.der", "cps.toml"];
        only(&proof, &known)?;
        only(path, &["proof", "public", "manifest.json"])?;
        let public = path.join("public");
        let public = if public.exists() { files::list(&public)? } else { Vec::new() };
        Ok(Self { path: path.to_path_buf(), statement, cps, public })
    }

    fn learn(&self, judge: &mut Judge) -> Result<(), Stop> {
        for path in &self.public {
            if path.symlink_metadata().is_ok_and(|file| file.len() <= CERTIFICATE.most) {
                judge.learn(&self.statement, &of_release(path)?);
            }
        }
        Ok(())
    }
}

/// Refuses what has no place in this folder.
fn only(folder: &Path, known: &[&str]) -> Result<(), Stop> {
    let other = files::list(folder)?.into_iter().find(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        !name.is_some_and(|name| known.contains(&name))
    });
    other.map_or(Ok(()), |path| Err(surplus(&path)))
}

fn surplus(path: &Path) -> Stop {
    let asked = says!("公開用の一式にあるべきものだけ", "only what belongs to a release");
    let found = says!("ほかのもの", "something else");
    Stop::refused(&shown(path), &Fault::new(RuleId::S_PUBLISH, asked, found))
}
