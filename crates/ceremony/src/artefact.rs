//! The files that a ceremony hands out, computed from its run.
//!
//! **Invariant:** every file here follows from the run alone, so a verifier computes the same
//! files.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::graph::Item;
use crate::name::Name;
use crate::notice;
use crate::record::End;
use crate::run::Run;
use crate::script;
use crate::time::Offset;
use crate::x509::readable;

/// Returns every file by its name in the output folder.
///
/// The papers are always present; certificates, CRLs and notices only if the ceremony was
/// completed.
#[must_use]
pub fn all(run: &Run) -> BTreeMap<String, Vec<u8>> {
    let mut files = papers(run);
    if run.closed() == Some(End::Completed) {
        structures(run, &mut files);
        for name in &run.graph().released {
            let withheld = run.compiled().state.certificates.get(name);
            if let Some(der) = withheld.and_then(|certificate| certificate.der.as_ref()) {
                put_certificate(&mut files, name, der, run.graph().offset());
            }
        }
        for language in run.graph().languages.iter().copied() {
            let notice = notice::render(run.compiled(), language).map(String::into_bytes);
            files.extend(notice.map(|text| (format!("notice.{}.md", language.code()), text)));
        }
    }
    files
}

/// Returns the inputs, the graph, the bindings and the script: all that is known before the first
/// operation.
fn papers(run: &Run) -> BTreeMap<String, Vec<u8>> {
    let compiled = run.compiled();
    let mut files: BTreeMap<String, Vec<u8>> = compiled
        .inputs
        .iter()
        .map(|(name, text)| (format!("inputs/{name}"), text.clone().into_bytes()))
        .collect();
    files.insert("graph.txt".into(), compiled.graph.text().as_bytes().to_vec());
    files.insert("bindings.txt".into(), compiled.bindings.text().as_bytes().to_vec());
    for language in compiled.graph.languages.iter().copied() {
        let code = language.code();
        files.insert(format!("script.{code}.md"), script::render(compiled, language).into_bytes());
        files.insert(format!("script.{code}.html"), script::page(compiled, language).into_bytes());
    }
    files
}

fn structures(run: &Run, files: &mut BTreeMap<String, Vec<u8>>) {
    let graph = run.graph();
    for index in 0..graph.certificates.len() {
        let Some(name) = graph.item_name(Item::Certificate(index)) else { continue };
        let Some(signed) = run.signed().get(name.as_str()) else { continue };
        put_certificate(files, name, &signed.der, graph.offset());
    }
    let mut rows = Vec::new();
    for planned in &graph.crls {
        let name = planned.crl.name.to_string();
        let Some(signed) = run.signed().get(&name) else { continue };
        rows.push(readable::BatchRow {
            number: graph.crl_number(planned.slot, signed.attempt),
            this_update: planned.crl.this_update,
            next_update: planned.crl.next_update,
            next_release: planned.next_release,
            signed_at: signed.at,
            entries: planned.crl.revoked.len(),
            name: name.clone(),
            der: &signed.der,
        });
        files.insert(crl_file(&name), signed.der.clone());
    }
    if !rows.is_empty() {
        files.insert("crls.txt".into(), readable::batch(&rows).into_bytes());
    }
}

fn put_certificate(files: &mut BTreeMap<String, Vec<u8>>, name: &Name, der: &[u8], offset: Offset) {
    files.insert(format!("{name}.der"), der.to_vec());
    files.insert(format!("{name}.txt"), readable::certificate(der, offset).into_bytes());
}

fn crl_file(name: &str) -> String {
    format!("{name}.crl")
}
