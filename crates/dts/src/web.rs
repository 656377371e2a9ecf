//! Makes the web tree equal to what is due, and reads it back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ceremony::bounds::SEALED_FILE;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::publish::{Published, Told, Tree};
use ceremony::says;

use crate::files::{list, put, read_if_there, shown};
use crate::http;
use crate::releases::Shelf;
use crate::stop::Stop;

/// The folder of CRLs that were out, in which nothing is removed or changed.
const KEPT: &str = "dts/kept/";

/// How the log names a place of the web.
pub(crate) fn place(path: &str) -> String {
    format!("web:{path}")
}

/// Writes what differs, and removes what an earlier publication put out and is not due any more.
/// Returns what else lies there.
pub(crate) fn write(
    web: &Path,
    tree: &Tree<'_>,
    shelf: &Shelf,
    told: &Told,
) -> Result<Vec<PathBuf>, Stop> {
    for (path, body) in tree {
        let (octets, path) = (shelf.octets(body)?, web.join(path));
        if read_if_there(&path).ok().flatten().as_deref() != Some(octets.as_slice()) {
            put(&path, &octets)?;
        }
    }
    let mut surplus = Vec::new();
    for (name, path) in there(web)? {
        let ours = told.published.get(&place(&name));
        let same = ours.is_some() && digest(&path).ok().flatten() == ours.copied();
        match (tree.contains_key(&name), same, name.starts_with(KEPT)) {
            (true, _, _) | (false, true, true) => {}
            (false, true, false) => {
                fs::remove_file(&path).map_err(|error| Stop::io(shown(&path), &error))?;
            }
            (false, false, _) => surplus.push(path),
        }
    }
    Ok(surplus)
}

/// Every file below `www` and `dts`, by its path in the tree.
fn there(web: &Path) -> Result<BTreeMap<String, PathBuf>, Stop> {
    let mut open: Vec<PathBuf> = ["www", "dts"].map(|name| web.join(name)).into();
    open.retain(|folder| folder.exists());
    let mut found = BTreeMap::new();
    while let Some(folder) = open.pop() {
        for path in list(&folder)? {
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => open.push(path),
                Ok(_) | Err(_) => {
                    let name = path.strip_prefix(web).unwrap_or(&path);
                    found.insert(name.to_string_lossy().into_owned(), path);
                }
            }
        }
    }
    Ok(found)
}

fn digest(path: &Path) -> Result<Option<Digest>, Stop> {
    Ok(read_if_there(path)?.map(|octets| Digest::of(&octets)))
}

/// Reads every place back: of `dts` over HTTP if a URL is given, otherwise the files. Adds what was
/// found to `seen`, and what differs to `failed`.
pub(crate) fn read_back(
    (web, http): (&Path, Option<&str>),
    tree: &Tree<'_>,
    shelf: &Shelf,
    seen: &mut Published,
    failed: &mut BTreeMap<String, Bilingual>,
) -> Result<(), Stop> {
    for (path, body) in tree {
        let asked = Digest::of(&shelf.octets(body)?);
        let found = match (path.strip_prefix("dts/"), http) {
            (Some(below), Some(url)) => {
                let got = http::get(&format!("{url}/{below}"), SEALED_FILE);
                got.map(|answer| Some(Digest::of(&answer.body)))
            }
            (Some(_), None) | (None, _) => digest(&web.join(path)).map_err(|stop| stop.said),
        };
        match found {
            Ok(Some(found)) if found == asked => drop(seen.insert(place(path), found)),
            Ok(Some(_)) => {
                let said = says!("別の内容を読み戻した", "something else was read back");
                failed.insert(place(path), said);
            }
            Ok(None) => drop(failed.insert(place(path), Bilingual::none())),
            Err(said) => drop(failed.insert(place(path), said)),
        }
    }
    Ok(())
}
