//! `gishiki release`: writes what the ceremonies of a ledger let out, and what proves it.
//!
//! The whole ledger is judged as `verify` judges it. Which files may go out is said by
//! `ceremony::publish`, by their content; here they are put into folders.
//! **Deliberately absent:** a choice of files by name.

use std::collections::BTreeMap;
use std::path::Path;

use ceremony::cps::Cps;
use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::path::RehearsalKeys;
use ceremony::publish::{self, Content, Judge, Statement, manifest};
use ceremony::record::End;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::verify::{Refusal, Trust, Verdict, Verified};
use ceremony::x509::subject_public_key_info;

use crate::args;
use crate::files::read_sealed;
use crate::halt::Halt;
use crate::judged::{read_anchor, refuse_unpinned, trust};
use crate::lang::{Lang, pick};
use crate::ledgers::{self, Judged};
use crate::output::{self, MANIFEST_FILE};
use crate::report::print;
use crate::sources::shown;

/// Beside a bundle: the audit key that signed it.
const PROOF: [&str; 2] = ["statement.sigstore.json", "audit-key.der"];
/// What names the CP/CPS by its digest.
const CPS: &str = "cps.toml";

/// One release: its files by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Writes the releases.
pub(crate) fn write(asked: &args::Release, lang: Lang) -> Result<(), Halt> {
    let anchor = read_anchor(asked.anchor.as_deref())?;
    let trust = trust(anchor.as_ref(), asked.rehearsal, asked.drill);
    let chain = ledgers::whole(ledgers::list(&asked.ledger)?, &asked.ledger)?;
    if let Some(name) = &asked.ceremony
        && !chain.iter().any(|entry| entry.name == *name)
    {
        let asked = says!("台帳にあるセレモニー", "a ceremony of the ledger");
        return Err(Halt::media(RuleId::S_LEDGER, asked, Bilingual::plain(name)));
    }
    let document = asked.cps.as_deref().map(read_sealed).transpose()?;
    let keys = if asked.rehearsal { RehearsalKeys::Accepted } else { RehearsalKeys::Refused };
    let mut judge = Judge::new(keys);
    let mut made: Vec<(String, Files, String)> = Vec::new();
    let mut named = document.is_none();
    let state = ledgers::judge_each(&chain, &trust, |entry, judged| {
        let Judged::Sealed(Verdict::Verified(verified)) = judged else { return Ok(()) };
        let (files, row) = release(&verified, &mut judge, document.as_deref(), &trust)
            .map_err(|fault| Halt::Verification(Refusal::of(&entry.name, fault)))?;
        if asked.ceremony.as_ref().is_none_or(|name| *name == entry.name) {
            named |= files.contains_key(&format!("proof/{CPS}"));
            made.push((entry.name.to_string(), files, row));
        }
        Ok(())
    })?;
    refuse_unpinned(&state, &trust)?;
    if !named {
        let asked = says!(
            "書き出すセレモニーの cps.toml が SHA-256 で挙げる運用規程",
            "a CP/CPS whose SHA-256 stands in the cps.toml of a ceremony that is released"
        );
        return Err(Halt::media(RuleId::S_DOCUMENT, asked, says!("別の文書", "another document")));
    }
    for (name, files, row) in made {
        let there = put(&asked.out.join(&name), &files)?;
        let there = if there { pick(lang, "(既にある)", " (already there)") } else { "" };
        print(&format!("{name:<26} {row}{there}\n"))?;
    }
    Ok(())
}

/// Returns the files of a release, and what they are in a line.
fn release(
    verified: &Verified,
    judge: &mut Judge,
    document: Option<&[u8]>,
    trust: &Trust<'_>,
) -> Result<(Files, String), Fault> {
    let trust = match trust {
        Trust::Anchor(anchor) => publish::Trust::Anchor(anchor),
        Trust::Rehearsal => publish::Trust::Rehearsal,
        Trust::Drill | Trust::Room(_) | Trust::None => publish::Trust::Drill,
    };
    let audit = verified.run().audit_public().map(subject_public_key_info).unwrap_or_default();
    let statement = Statement::read(verified.bundle(), &audit, trust)?;
    let artefacts = verified.artefacts();
    artefacts.values().for_each(|octets| judge.learn(&statement, octets));
    let sealed = artefacts.get(&format!("inputs/{CPS}"));
    let cps = sealed.and_then(|octets| Cps::parse(octets).ok());
    let cps = cps.as_ref().map(|cps| &cps.document);
    let mut files = Files::new();
    let mut items = Vec::new();
    let completed = verified.end() == End::Completed;
    for octets in artefacts.values().map(Vec::as_slice).chain(document).filter(|_| completed) {
        match judge.item(&statement, cps, octets) {
            Ok(item) => {
                files.insert(format!("public/{}", item.name), octets.to_vec());
                items.push(item);
            }
            // Papers, inputs and certificates of Document Signers stay in the sealed folder.
            Err(fault) if fault.rule == RuleId::S_PUBLISH => {}
            Err(fault) => return Err(fault),
        }
    }
    let mut proof = Vec::from(PROOF);
    for (name, octets) in PROOF.into_iter().zip([verified.bundle().to_vec(), audit]) {
        files.insert(format!("proof/{name}"), octets);
    }
    if let Some(octets) = sealed.filter(|_| items.iter().any(|one| is_cps(&one.content))) {
        files.insert(format!("proof/{CPS}"), octets.clone());
        proof.push(CPS);
    }
    let row = row(&items);
    let release = publish::Release { statement, items };
    files.insert(MANIFEST_FILE.into(), manifest(&release, &proof).into_bytes());
    Ok((files, row))
}

const fn is_cps(content: &Content) -> bool {
    matches!(content, Content::Cps(_))
}

fn row(items: &[publish::Item]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        let kind = match item.content {
            Content::Root(_) => "root",
            Content::Link(_) => "link",
            Content::Crl(_) => "CRL",
            Content::Notice(_) => "notice",
            Content::Cps(_) => "CP/CPS",
        };
        *counts.entry(kind).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    if counts.is_empty() { "–".to_string() } else { counts.join(", ") }
}

/// Writes a release; returns whether it was there already. One with other content is never
/// overwritten.
fn put(folder: &Path, files: &Files) -> Result<bool, Halt> {
    if folder.symlink_metadata().is_err() {
        output::write(folder, files)?;
        return Ok(false);
    }
    for (name, octets) in files {
        let found = read_sealed(&folder.join(name)).ok();
        if found.as_ref() != Some(octets) {
            let place = shown(&folder.join(name));
            let asked =
                says!("{place} にこのセレモニーの同じもの", "the same of this ceremony at {place}");
            let found = says!("別のもの", "something else");
            return Err(Halt::media(RuleId::S_OUT, asked, found));
        }
    }
    Ok(true)
}
