//! Makes the web tree equal to what is due, and reads it back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ceremony::bounds::SEALED_FILE;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::publish::{Published, Told, Tree};
use ceremony::says;
use ceremony::time::Instant;

use crate::beneath::{Beneath, partial};
use crate::http;
use crate::releases::Shelf;
use crate::stop::Stop;

/// The folder of CRLs that were out, in which nothing is removed or changed.
const KEPT: &str = "dts/kept/";

/// What went wrong at which place.
pub(crate) type Failed = BTreeMap<String, Bilingual>;

/// How the log names a place of the web.
pub(crate) fn place(path: &str) -> String {
    format!("web:{path}")
}

/// Writes what differs, and removes what an earlier publication put out and is not due any more.
/// What cannot be written is added to `failed`, and keeps nothing else from being written. Returns
/// what else lies there.
pub(crate) fn write(
    web: &Beneath,
    tree: &Tree<'_>,
    shelf: &Shelf,
    (told, at): (&Told, Instant),
    failed: &mut Failed,
) -> Result<Vec<PathBuf>, Stop> {
    for (path, body) in tree {
        let octets = shelf.octets(body)?;
        if web.read(path).ok().flatten().as_deref() != Some(octets.as_slice())
            && let Err(stop) = web.put(path, &octets)
        {
            failed.insert(place(path), stop.said);
        }
    }
    let mut surplus = Vec::new();
    let mut there = web.list("www")?;
    there.extend(web.list("dts")?);
    for name in there {
        if tree.contains_key(&name) {
            continue;
        }
        let found = digest(web, &name).ok().flatten();
        let ours = found.is_some() && told.published.get(&place(&name)).copied() == found;
        // A CRL that was out is kept, also where the publication that put it out was not recorded.
        let was_out = |digest| shelf.crl(&digest).is_some_and(|crl| crl.this_update <= at);
        match name.starts_with(KEPT) {
            true if ours || found.is_some_and(was_out) => {}
            false if ours => web.remove(&name)?,
            _ if left_over(&name, tree) => web.remove(&name)?,
            true | false => surplus.push(web.path(&name)),
        }
    }
    Ok(surplus)
}

/// Whether a file is what a writer that was killed left beside one that is due.
fn left_over(name: &str, tree: &Tree<'_>) -> bool {
    let beside = |path: &String| {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        name == format!("{folder}/{}", partial(file))
    };
    tree.keys().any(beside)
}

fn digest(web: &Beneath, path: &str) -> Result<Option<Digest>, Stop> {
    Ok(web.read(path)?.map(|octets| Digest::of(&octets)))
}

/// Reads every place back: of `dts` over HTTP if a URL is given, otherwise the files. Adds what was
/// found to `seen`, and what differs to `failed`.
pub(crate) fn read_back(
    (web, http): (&Beneath, Option<&str>),
    tree: &Tree<'_>,
    shelf: &Shelf,
    seen: &mut Published,
    failed: &mut Failed,
) -> Result<(), Stop> {
    for (path, body) in tree {
        let asked = Digest::of(&shelf.octets(body)?);
        let found = match (path.strip_prefix("dts/"), http) {
            (Some(below), Some(url)) => {
                let got = http::get(&format!("{url}/{below}"), SEALED_FILE);
                got.map(|answer| Some(Digest::of(&answer.body)))
            }
            (Some(_), None) | (None, _) => digest(web, path).map_err(|stop| stop.said),
        };
        match found {
            Ok(Some(found)) if found == asked => drop(seen.insert(place(path), found)),
            Ok(Some(_)) => {
                let said =
                    says!("{path}: 別の内容を読み戻した", "{path}: something else was read back");
                failed.insert(place(path), said);
            }
            Ok(None) => {
                failed.entry(place(path)).or_insert_with(|| says!("{path}: なし", "{path}: none"));
            }
            Err(said) => drop(failed.entry(place(path)).or_insert(said)),
        }
    }
    Ok(())
}
