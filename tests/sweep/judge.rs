//! What must hold at an end, whatever came before it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ceremony::ledger::State;
use ceremony::run::Run;
use ceremony::token::Holder;
use serde_json::Value;

use super::scene::{Scene, left};
use super::words::{End, Walk};
use crate::life::history::History;
use crate::support::{PIN, files, gishiki, run, signed, text};

/// The ceremony's records as they were written out.
fn records(out: &Path) -> (String, Vec<Value>) {
    let names = ["transcript.jsonl", "journal.jsonl"].map(|name| out.join(name));
    let name = names.iter().find(|name| name.exists()).expect("no records were written out");
    let text = fs::read_to_string(name).unwrap();
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (text, records)
}

pub(crate) fn judge(scene: &Scene, history: &History, walk: &Walk) {
    let out = history.out(scene.ceremony);
    if walk.end == End::NotBegun {
        let media = history.journals(scene.ceremony);
        assert!(!out.exists() && !media.iter().any(|medium| medium.join("journal.jsonl").exists()));
        return;
    }
    let (journal, records) = records(&out);
    judge_attempts(&records);
    let noted = history.folder().join(format!("signed-{}", scene.ceremony));
    match walk.end {
        End::NotBegun => {}
        End::Completed | End::Aborted => {
            signed::judge(&noted, &out, "sealed");
            let verify = run(gishiki().arg("verify").arg(history.ledger()).arg("--drill"));
            assert!(verify.status.success(), "{}", text(&verify));
            judge_tokens(history, &left(&out, &scene.state), walk.end, &journal);
        }
        End::Abandoned => {
            judge_once(&noted);
            judge_abandoned(scene, history, &journal, &records);
        }
    }
    for medium in history.journals(scene.ceremony) {
        let own = fs::read_to_string(medium.join("journal.jsonl")).unwrap_or_default();
        let whole = own.rfind('\n').map_or("", |end| &own[..=end]);
        // What stands on one medium only is taken or not; what stands on both always is.
        let alone = journal.starts_with(whole) || whole.starts_with(journal.as_str());
        let kept = whole == journal || (walk.end == End::Abandoned && alone);
        assert!(kept, "{}: another journal than what was written out", medium.display());
    }
    for (name, octets) in files(history.folder()) {
        let secret = octets.windows(PIN.len()).any(|window| window == PIN.as_bytes());
        assert!(name == "pin" || !secret, "the PIN is in {name}");
    }
}

/// What was burned is never used, and nothing with a number is answered twice.
fn judge_attempts(records: &[Value]) {
    let (mut answered, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        let event = &record["event"];
        let attempt = (event["op"].to_string(), event["attempt"].to_string());
        let once = ["\"sign-", "\"generate-", "\"destroy-", "\"copy-"];
        let once = once.iter().any(|kind| attempt.0.starts_with(kind));
        match event["kind"].as_str() {
            Some("answered" | "adopted") if once => {
                assert!(answered.insert(attempt.clone()), "{attempt:?}: answered twice");
            }
            Some("lost" | "orphan-removed") => {
                assert!(lost.insert(attempt.clone()), "{attempt:?}: lost twice");
            }
            _ => {}
        }
    }
    let both: Vec<_> = answered.intersection(&lost).collect();
    assert!(both.is_empty(), "burned, and answered: {both:?}");
}

/// No digest was signed twice under one key: no number stands under two signatures.
fn judge_once(noted: &Path) {
    let mut seen = BTreeSet::new();
    for line in fs::read_to_string(noted).unwrap_or_default().lines() {
        let (signed, _) = line.rsplit_once(' ').unwrap();
        assert!(seen.insert(signed.to_string()), "signed twice: {signed}");
    }
}

/// The objects of a token: the class of each, and its CKA_ID where it has one.
fn objects(history: &History, label: &str) -> Vec<(String, Option<String>)> {
    let listed = history.listed_on(label);
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for line in listed.lines() {
        if let Some((class, _)) = line.split_once(" Object").filter(|_| !line.starts_with(' ')) {
            found.push((class.to_string(), None));
        } else if line.starts_with("Data object") {
            found.push(("Data".to_string(), None));
        } else if let (Some(id), Some(last)) = (line.trim().strip_prefix("ID:"), found.last_mut()) {
            last.1 = Some(id.trim().to_string());
        }
    }
    found
}

/// Whether a token came to its end, so that nothing is to be looked for on it. It is said.
fn is_gone(history: &History, label: &str) -> bool {
    let gone = history.is_emptied(label);
    if gone {
        println!("{label}: SoftHSM was killed while it wrote the token, and left nothing of it");
    }
    gone
}

/// Everything on the tokens is known to the record: keys that exist, and remains that the next
/// ceremony clears. After a completed ceremony there are no remains.
fn judge_tokens(history: &History, state: &State, end: End, journal: &str) {
    assert!(end != End::Completed || state.remains.is_empty(), "remains: {:?}", state.remains);
    let shown = |id: &ceremony::hex::Octets| ceremony::hex::encode(&id.0);
    for (holder, label) in [
        (Holder::Root, "DRILL mdoc-root"),
        (Holder::Spare("vault".parse().unwrap()), "DRILL vault"),
    ] {
        if end == End::Abandoned && is_gone(history, label) {
            continue;
        }
        let mut whole = BTreeSet::new();
        for (name, key) in state.keys.iter().filter(|(_, key)| key.exists()) {
            let here = match &holder {
                Holder::Root => true,
                Holder::Spare(spare) => {
                    state.spares.get(spare).is_some_and(|spare| spare.copies.contains(name))
                }
            };
            whole.extend(here.then(|| shown(&key.id)));
        }
        let remains = state.remains.get(&holder);
        let remains: BTreeSet<String> =
            remains.into_iter().flat_map(BTreeMap::keys).map(shown).collect();
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (class, id) in objects(history, label) {
            if class == "Data" {
                continue;
            }
            let Some(id) = id else {
                // It was seen, or is of a key pair in doubt: the next ceremony clears both.
                let told = is_told(journal, &class) || !remains.is_empty();
                let seen = end != End::Completed && told;
                assert!(seen, "{label}: {class} without CKA_ID is in no record, {end:?}");
                continue;
            };
            let known = whole.contains(&id) || remains.contains(&id);
            assert!(known, "{label}: {class} {id} is in no record");
            let count = counts.entry(id).or_default();
            count.0 += usize::from(class == "Private Key");
            count.1 += usize::from(class == "Public Key");
        }
        for id in whole.difference(&remains) {
            let listed = objects(history, label);
            assert_eq!(counts.get(id), Some(&(1, 1)), "{label}: {id}, no key pair: {listed:?}");
        }
    }
}

/// What an abandoned record says is what the next ceremony finds.
fn judge_abandoned(scene: &Scene, history: &History, journal: &str, records: &[Value]) {
    let out = history.out(scene.ceremony);
    let inputs = fs::read_dir(out.join("inputs")).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    });
    let inputs = inputs.collect();
    if scene.state.genesis.is_some() {
        let replayed =
            ceremony::verify::replay_abandoned(&inputs, journal.as_bytes(), &scene.state);
        let (_, state, _) = replayed.unwrap();
        return judge_tokens(history, &state, End::Abandoned, journal);
    }
    // After a first ceremony there is no CA: its token is initialised. Yet nothing is unknown.
    if is_gone(history, "DRILL mdoc-root") {
        return;
    }
    let state = Arc::clone(&scene.state);
    let run = ceremony::verify::replay_unsealed(&inputs, journal.as_bytes(), b"", &state).unwrap();
    let known = asked_ids(&run, records);
    for (class, id) in objects(history, "DRILL mdoc-root") {
        let known = match &id {
            Some(id) => known.contains(id),
            // Of a key pair in doubt a part may have no CKA_ID yet.
            None => class == "Data" || is_told(journal, &class) || !known.is_empty(),
        };
        assert!(known, "{class} {id:?} is in no record");
    }
}

/// The CKA_IDs of key pairs that were asked for, and neither lost nor removed.
fn asked_ids(run: &Run, records: &[Value]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for record in records {
        let event = &record["event"];
        let key = event["op"].as_str().and_then(|op| op.strip_prefix("generate-"));
        let Some(key) = key.and_then(|key| run.graph().key(&key.parse().unwrap())) else {
            continue;
        };
        let attempt = u32::try_from(event["attempt"].as_u64().unwrap_or_default()).unwrap();
        let id = ceremony::hex::encode(&key.id(run.graph(), attempt).0);
        match event["kind"].as_str() {
            Some("asked") => drop(ids.insert(id)),
            Some("lost" | "orphan-removed") => drop(ids.remove(&id)),
            _ => {}
        }
    }
    ids
}

/// Whether a record tells of an object of this class without a name.
fn is_told(journal: &str, class: &str) -> bool {
    let class = class.to_lowercase().replace(' ', "-");
    ["with labels of this CA: ", "of others: ", ", "]
        .iter()
        .any(|before| journal.contains(&format!("{before}{class} `")))
}
