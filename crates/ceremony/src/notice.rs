//! The public notice of a compromise, in the CA's languages.
//!
//! It contains what a CA publishes: which keys are compromised, which certificates are affected,
//! and where the CRL is. **Deliberately absent:** names of people, how it happened, and anything
//! that the archive keeps.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::compile::Compiled;
use crate::graph::PlannedRevocation;
use crate::hex::encode;
use crate::language::Language;
use crate::ledger::{Certificate, State};
use crate::plan::{Ground, ProfileName};

/// The notice, if this ceremony revokes because of a compromise.
#[must_use]
pub fn render(compiled: &Compiled, language: Language) -> Option<String> {
    let graph = &compiled.graph;
    let of_compromise = |revocation: &&PlannedRevocation| match revocation.revoked.ground {
        None | Some(Ground::KeyCompromise) => true,
        Some(
            Ground::UseStopped
            | Ground::DataChanged
            | Ground::ContentWrong
            | Ground::Breach
            | Ground::Termination
            | Ground::Inaccurate
            | Ground::Necessary
            | Ground::Renewal,
        ) => false,
    };
    let affected: Vec<&PlannedRevocation> =
        graph.revocations.iter().filter(of_compromise).collect();
    if affected.is_empty() {
        return None;
    }
    let (title, root, rows, advice) = words(language, !graph.compromised.is_empty());
    let mut out = format!("# {title}\n\n{}\n\n", graph.ca_name);
    for key in graph.compromised.keys() {
        if let Some(certificate) = compiled.state.root_of(key.as_str()) {
            let _ = writeln!(out, "- {root}: SHA-256 `{}`", certificate.digest);
        }
    }
    if !graph.compromised.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{rows}");
    for revocation in affected {
        let _ = writeln!(out, "{}", row(&compiled.state, revocation));
    }
    let _ = writeln!(out, "\n{advice}");
    Some(out)
}

fn row(state: &State, revocation: &PlannedRevocation) -> String {
    let certificate: Option<&Certificate> = state.certificates.get(&revocation.certificate);
    let serial = certificate.map(|certificate| encode(&certificate.serial)).unwrap_or_default();
    let kind = certificate.map_or("", |certificate| match certificate.profile {
        ProfileName::Ds => "DS",
        ProfileName::Root | ProfileName::OldWithNew | ProfileName::NewWithOld => {
            certificate.profile.name()
        }
    });
    format!("| {kind} | `{serial}` | {} |", revocation.revoked.date)
}

/// The title, the label of a root certificate, the heading of the table, and the instruction for
/// verifiers.
const fn words(
    language: Language,
    root: bool,
) -> (&'static str, &'static str, &'static str, &'static str) {
    match (language, root) {
        (Language::Ja, true) => (
            "ルート認証局の秘密鍵の危殆化について",
            "危殆化したルート電子証明書",
            "失効させた電子証明書:\n\n| 種別 | シリアル番号 | 失効日時 |\n|---|---|---|",
            "このルート電子証明書を信頼の起点から外してください。フィンガープリントの公表は取り下げます。新しいルート電子証明書とそのフィンガープリントは、発行の後に公表します。",
        ),
        (Language::Ja, false) => (
            "DS 電子証明書の秘密鍵の危殆化について",
            "",
            "失効させた電子証明書:\n\n| 種別 | シリアル番号 | 失効日時 |\n|---|---|---|",
            "最新の CRL を取得して検証してください。この DS 電子証明書で署名された記録は受け入れないでください。",
        ),
        (Language::En, true) => (
            "Compromise of the root CA's private key",
            "The compromised root certificate",
            "Revoked certificates:\n\n| kind | serial number | revoked at |\n|---|---|---|",
            "Remove this root certificate from your trust anchors. The publication of its fingerprint is withdrawn. A new root certificate and its fingerprint are published after its issue.",
        ),
        (Language::En, false) => (
            "Compromise of a Document Signer's private key",
            "",
            "Revoked certificates:\n\n| kind | serial number | revoked at |\n|---|---|---|",
            "Fetch the latest CRL and verify with it. Do not accept records signed under this DS certificate.",
        ),
    }
}
