//! `gishiki-dts sync`: makes web and LDAP equal to what is due, reads them back, and records it.
//!
//! Every run begins with nothing known but the releases, the log and what is out; so a run that was
//! killed is completed by the next one, whatever it had done.

use std::collections::BTreeMap;

use ceremony::fault::Fault;
use ceremony::hex::{Digest, encode};
use ceremony::language::{Bilingual, Language};
use ceremony::publish::{Due, Entry, Publication, Published, crl_places, directory, due, tree};
use ceremony::rule::RuleId;
use ceremony::says;

use crate::args::Sync;
use crate::beneath::Beneath;
use crate::files::shown;
use crate::ldap::{Directory, Values};
use crate::log::Log;
use crate::releases::Shelf;
use crate::stop::{DIFFERS, Stop};
use crate::web::Failed;
use crate::{print, tell, web};

/// Publishes; returns the exit code.
pub(crate) fn sync(asked: &Sync, language: Language) -> Result<u8, Stop> {
    let common = &asked.common;
    let mut log = Log::open(&asked.log)?;
    log.judge(common.at)?;
    let shelf = Shelf::read(common)?;
    let due = due(&shelf.releases, common.at);
    let web = Beneath::open(&asked.web)?;
    never_back(&due, &log, &web, &shelf)?;
    let refused = |fault| Stop::refused(&says!("公開するもの", "what is due"), &fault);
    let tree = tree(&due).map_err(refused)?;
    let entry = directory(&due).map_err(refused)?;
    let (mut seen, mut failed) = (Published::new(), Failed::new());
    let surplus = web::write(&web, &tree, &shelf, (&log.told, due.at), &mut failed)?;
    let from = (&web, common.http.as_deref());
    web::read_back(from, &tree, &shelf, &mut seen, &mut failed)?;
    if let Some(entry) = &entry {
        let values = values(entry, &shelf)?;
        for uri in &common.ldap {
            match written(uri, entry, &values) {
                Ok(found) => drop(seen.insert(uri.clone(), found)),
                Err(said) => drop(failed.insert(uri.clone(), said)),
            }
        }
    }
    record(&mut log, &due, seen, &failed)?;
    said(&due, &failed, language)?;
    for path in &surplus {
        let path = shown(path);
        tell(language.pick(&says!(
            path;
            "{path}: 公開するものにない。どこから来たかを調べて取り除く",
            "{path}: not among what is due; find out how it came there, and remove it"
        )));
    }
    if let Some(name) = &shelf.missed {
        tell(language.pick(&says!(
            "アンカーが最後に固定する {name} の公開用の一式がない。gishiki release で作って置く",
            "no release of {name}, the last that the anchor pins; make it with gishiki release"
        )));
    }
    let whole = failed.is_empty() && surplus.is_empty() && shelf.missed.is_none();
    Ok(if whole { 0 } else { DIFFERS })
}

/// Refuses releases in which a key that was published has no CRL any more, or one with a lower
/// number: as the log says, or as lies on the web.
fn never_back(due: &Due<'_>, log: &Log, web: &Beneath, shelf: &Shelf) -> Result<(), Stop> {
    let mut out = log.told.crls.clone();
    for (_, root, _) in &due.roots {
        for place in crl_places(root).unwrap_or_default() {
            let Ok(Some(octets)) = web.read(&place) else { continue };
            let Some(crl) = shelf.crl(&Digest::of(&octets)) else { continue };
            let highest = out.entry(encode(&crl.key.0)).or_default();
            *highest = crl.number.max(*highest);
        }
    }
    for (key, highest) in out {
        let mut numbers = due.crls.iter().filter(|(of, _)| encode(&of.0) == key);
        let number = numbers.next().map(|(_, (_, crl))| crl.number);
        if number.is_none_or(|number| number < highest) {
            let asked = says!(
                "公開済みの番号 {highest} 以上の CRL",
                "a CRL with at least the number that was out, {highest}"
            );
            let found = number.map_or_else(Bilingual::none, Bilingual::plain);
            let fault = Fault::new(RuleId::S_SERVED, asked, found);
            return Err(Stop::refused(&Bilingual::plain(key), &fault));
        }
    }
    Ok(())
}

fn values(entry: &Entry<'_>, shelf: &Shelf) -> Result<Values, Stop> {
    let mut all = Values::new();
    for (attribute, values) in &entry.values {
        let values = values.iter().map(|value| shelf.value(value));
        all.insert(attribute.name().to_string(), values.collect::<Result<_, Stop>>()?);
    }
    Ok(all)
}

/// Makes a directory's entry equal to what is due, and reads it back by another connection; returns
/// the digest of what was found.
fn written(uri: &str, entry: &Entry<'_>, values: &Values) -> Result<Digest, Bilingual> {
    let (name, _) = entry.names.last().ok_or_else(Bilingual::none)?;
    let names: Vec<&str> = entry.values.keys().map(|attribute| attribute.name()).collect();
    let asked = entry_digest(values);
    let mut directory = Directory::connect(uri)?;
    let before = directory.read(name, &names)?;
    if before.as_ref().map(entry_digest) != Some(asked) {
        directory.write(entry, values)?;
    }
    let found = Directory::connect(uri)?.read(name, &names)?.ok_or_else(|| {
        says!("{uri}: 書いたエントリーがない", "{uri}: the entry that was written is not there")
    })?;
    match entry_digest(&found) == asked {
        true => Ok(asked),
        false => Err(says!("{uri}: 別の内容を読み戻した", "{uri}: something else was read back")),
    }
}

/// The digest of an entry's values, in whichever order the server returns them.
pub(crate) fn entry_digest(values: &Values) -> Digest {
    let mut parts = Vec::new();
    for (name, values) in values.iter().filter(|(_, values)| !values.is_empty()) {
        let mut values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        values.sort_unstable();
        parts.push(name.as_bytes());
        parts.extend(values);
    }
    Digest::of_parts("gishiki directory v1", &parts)
}

/// Records what was seen, if anything is not as the log has it.
fn record(log: &mut Log, due: &Due<'_>, seen: Published, failed: &Failed) -> Result<(), Stop> {
    let told = &log.told;
    let changed = |(place, digest): &(String, Digest)| told.published.get(place) != Some(digest);
    let published: Published = seen.into_iter().filter(changed).collect();
    let failed: BTreeMap<String, String> =
        failed.iter().map(|(place, said)| (place.clone(), said.en.clone())).collect();
    if published.is_empty() && failed == told.failed {
        return Ok(());
    }
    let crls = due.crls.iter().map(|(key, (_, crl))| (encode(&key.0), crl.number)).collect();
    let publication = Publication { at: due.at, crls, failed, number: told.count, published };
    log.append(&publication)
}

/// Says what is out, what failed, and when the CRLs of a key run out.
fn said(due: &Due<'_>, failed: &Failed, language: Language) -> Result<(), Stop> {
    for (item, crl) in due.crls.values() {
        let (name, number, until) = (&item.name, crl.number, crl.next_update.at(due.at.offset()));
        let past = match (crl.next_update <= due.at, language) {
            (false, _) => "",
            (true, Language::Ja) => "(経過)",
            (true, Language::En) => " (past)",
        };
        let said =
            says!("{name}、番号 {number}、期限 {until}", "{name}, number {number}, until {until}");
        print(&format!("{}{past}\n", language.pick(&said)))?;
    }
    for said in failed.values() {
        tell(language.pick(said));
    }
    Ok(())
}
