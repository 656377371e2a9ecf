//! `gishiki-dts probe`: what a verifier sees from outside, and what will be missing soon.

use std::collections::BTreeMap;

use ceremony::bounds::SEALED_FILE;
use ceremony::hex::{Digest, encode};
use ceremony::language::{Bilingual, Language};
use ceremony::publish::{Crl, Due, Entry, crl_places, directory, due};
use ceremony::says;

use crate::args::Probe;
use crate::beneath::put;
use crate::http::{self, Answer};
use crate::ldap::Directory;
use crate::releases::Shelf;
use crate::stop::{Stop, heard};
use crate::{print, tell};

const HOUR: i64 = 3_600;
/// A CRL is out within a quarter of an hour of its time.
const LATE: i64 = 24 * HOUR + HOUR / 4;
/// A day before it ends.
const TOO_LATE: i64 = 48 * HOUR;
/// How long before its CRLs run out a key is told of.
const AHEAD: i64 = 16 * 24 * HOUR;
/// The exit codes.
const WARNED: u8 = 1;
const WRONG: u8 = 2;

/// What was found, in its order.
#[derive(Debug, Default)]
struct Findings {
    code: u8,
    said: Vec<Bilingual>,
    /// Lines of OpenMetrics by the name of their metric.
    metrics: BTreeMap<&'static str, Vec<String>>,
}

impl Findings {
    fn add(&mut self, code: u8, said: Bilingual) {
        self.code = self.code.max(code);
        self.said.push(said);
    }

    fn measure(&mut self, name: &'static str, labels: &str, value: impl ToString) {
        self.metrics.entry(name).or_default().push(format!("{labels} {}", value.to_string()));
    }
}

/// Probes; returns the exit code.
pub(crate) fn probe(asked: &Probe, language: Language) -> Result<u8, Stop> {
    let common = &asked.common;
    let shelf = Shelf::read(common)?;
    let due = due(&shelf.releases, common.at);
    let refused = |fault| Stop::refused(&says!("公開するもの", "what is due"), &fault);
    let mut found = Findings::default();
    for hole in &due.holes {
        let key = encode(&hole.key.0);
        let left = hole.from.unix() - due.at.unix();
        let labels = format!("{{key=\"{key}\"}}");
        found.measure("gishiki_dts_crls_end_seconds", &labels, hole.from.unix());
        if left <= AHEAD {
            let from = hole.from.at(due.at.offset());
            let code = if left <= 0 { WRONG } else { WARNED };
            found.add(
                code,
                says!(
                    "鍵 {key}: {from} から有効な CRL がない。次のセレモニーが要る",
                    "key {key}: no current CRL from {from} on; the next ceremony is needed"
                ),
            );
        }
    }
    if let Some(name) = &shelf.missed {
        found.add(
            WARNED,
            says!(
                "アンカーが最後に固定する {name} の公開用の一式がない",
                "no release of {name}, the last ceremony that the anchor pins"
            ),
        );
    }
    if due.roots.is_empty() {
        found.add(WRONG, says!("公開するルート証明書がない", "no root certificate is due"));
    }
    for (_, root, withdrawn) in &due.roots {
        if *withdrawn || root.validity.1 < due.at {
            continue;
        }
        for place in crl_places(root).map_err(refused)? {
            let url = common.http.as_deref().unwrap_or_default();
            let url = format!("{url}/{}", place.trim_start_matches("dts/"));
            match http::get(&url, SEALED_FILE) {
                Err(said) => found.add(WRONG, said),
                Ok(answer) => {
                    cached(&mut found, &url, &answer, &due);
                    judge(&mut found, &shelf, &due, &url, &answer.body);
                }
            }
        }
    }
    let entry = directory(&due).map_err(refused)?;
    for (uri, entry) in common.ldap.iter().zip(std::iter::repeat(entry.as_ref())) {
        if let Some(entry) = entry
            && let Err(said) = in_directory(&mut found, &shelf, &due, uri, entry)
        {
            found.add(WRONG, said);
        }
    }
    found.measure("gishiki_dts_state", "", found.code);
    found.measure("gishiki_dts_probed_seconds", "", due.at.unix());
    if let Some(path) = &asked.metrics {
        put(path, metrics(&found).as_bytes())?;
    }
    for said in &found.said {
        tell(language.pick(said));
    }
    if found.code == 0 {
        print(language.pick(&says!("正常\n", "well\n")))?;
    }
    Ok(found.code)
}

/// Judges a CRL that a server gave: of the CA, of its key, current, and the one that is due.
fn judge(found: &mut Findings, shelf: &Shelf, due: &Due<'_>, place: &str, octets: &[u8]) {
    let digest = Digest::of(octets);
    let Some(crl) = shelf.crl(&digest) else {
        found.add(
            WRONG,
            says!(
                "{place}: この認証局が公開する CRL でない(SHA-256 {digest})",
                "{place}: not a CRL that this CA publishes, SHA-256 {digest}"
            ),
        );
        return;
    };
    measured(found, place, crl);
    let age = due.at.unix() - crl.this_update.unix();
    let (this, at) = (crl.this_update.at(due.at.offset()), due.at);
    if age < 0 {
        found.add(
            WRONG,
            says!(
                "{place}: {at} に、まだ {this} にならない CRL がある",
                "{place}: at {at} there is a CRL of {this}, which is still to come"
            ),
        );
    } else if age > LATE {
        let code = if age >= TOO_LATE { WRONG } else { WARNED };
        found.add(
            code,
            says!(
                "{place}: {this} の CRL のまま更新されていない",
                "{place}: still the CRL of {this}"
            ),
        );
    }
    let asked = due.crls.get(&crl.key).map(|(_, crl)| crl.number);
    if asked.is_some_and(|asked| asked > crl.number) && age <= LATE {
        let (asked, number) = (asked.unwrap_or_default(), crl.number);
        found.add(
            WARNED,
            says!(
                "{place}: 公開すべき CRL は番号 {asked}、あるのは {number}",
                "{place}: the CRL that is due has the number {asked}, this one {number}"
            ),
        );
    }
}

fn measured(found: &mut Findings, place: &str, crl: &Crl) {
    let key = encode(&crl.key.0);
    let labels = format!("{{key=\"{key}\",place=\"{}\"}}", place.escape_default());
    found.measure("gishiki_dts_crl_number", &labels, crl.number);
    found.measure("gishiki_dts_crl_this_update_seconds", &labels, crl.this_update.unix());
    found.measure("gishiki_dts_crl_next_update_seconds", &labels, crl.next_update.unix());
}

/// Judges that caches ask again when the next CRL is out.
fn cached(found: &mut Findings, url: &str, answer: &Answer, due: &Due<'_>) {
    let control: Vec<&str> = answer.headers("cache-control").collect();
    let control = heard(&control.join(", "));
    let seconds = |one: &str, name: &str| Some(one.trim().strip_prefix(name)?.parse::<i64>());
    let ages = |names: &[&str]| -> Vec<i64> {
        let ages =
            names.iter().flat_map(|name| control.split(',').filter_map(|one| seconds(one, name)));
        // What is no number is no bound.
        ages.map(|age| age.ok().filter(|age| *age >= 0).unwrap_or(i64::MAX)).collect()
    };
    let (fresh, stale) =
        (ages(&["max-age=", "s-maxage="]), ages(&["stale-while-revalidate=", "stale-if-error="]));
    let spent = answer.headers("age").filter_map(|age| age.parse::<i64>().ok()).max();
    // A server's clock and ours may differ by a minute.
    let left = due.next.map_or(24 * HOUR, |next| next.unix() - due.at.unix()) + 60;
    let most = fresh.iter().chain(&stale).copied().chain(spent).max();
    if fresh.is_empty() || most.is_none_or(|age| age > left) {
        found.add(WARNED, says!(
            "{url}: Cache-Control は次の CRL までの max-age(最大 {left})であるべきところ、`{control}`",
            "{url}: Cache-Control is `{control}`; asked is a max-age until the next CRL, at most {left}"
        ));
    }
}

/// Judges that a directory has what is due.
fn in_directory(
    found: &mut Findings,
    shelf: &Shelf,
    due: &Due<'_>,
    uri: &str,
    entry: &Entry<'_>,
) -> Result<(), Bilingual> {
    let (name, _) = entry.names.last().ok_or_else(Bilingual::none)?;
    for (attribute, asked) in &entry.values {
        let attribute = attribute.name();
        let read = Directory::connect(uri)?.read(name, &[attribute])?;
        let mut there: Vec<Digest> = { read }
            .and_then(|mut values| values.remove(attribute))
            .unwrap_or_default()
            .iter()
            .map(|octets| {
                if attribute.starts_with("certificateRevocationList") {
                    judge_alive(found, shelf, due, uri, octets);
                }
                Digest::of(octets)
            })
            .collect();
        let digest = |value| shelf.value(value).map(|octets| Digest::of(&octets));
        let asked: Result<Vec<Digest>, Stop> = asked.iter().map(digest).collect();
        let mut asked = asked.map_err(|stop| stop.said)?;
        asked.sort();
        there.sort();
        if asked != there {
            found.add(
                WARNED,
                says!(
                    "{uri}: {attribute} が公開すべきものと異なる",
                    "{uri}: {attribute} differs from what is due"
                ),
            );
        }
    }
    Ok(())
}

/// Judges a CRL of the directory, if its key must have one.
fn judge_alive(found: &mut Findings, shelf: &Shelf, due: &Due<'_>, uri: &str, octets: &[u8]) {
    let digest = Digest::of(octets);
    let must = |key| due.holes.iter().any(|hole| hole.key == key);
    let out = due.crls.iter().find(|(_, (item, _))| item.digest == digest);
    // One that is due, of a key that needs no CRL any more, stays as it is.
    if out.is_none_or(|(key, _)| must(*key)) {
        judge(found, shelf, due, uri, octets);
    }
}

/// Writes the metrics as OpenMetrics text.
fn metrics(found: &Findings) -> String {
    let mut out = String::new();
    for (name, rows) in &found.metrics {
        out.push_str(&format!("# TYPE {name} gauge\n"));
        for row in rows {
            out.push_str(&format!("{name}{row}\n"));
        }
    }
    out + "# EOF\n"
}
