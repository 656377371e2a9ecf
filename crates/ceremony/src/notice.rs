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
use crate::time::Instant;

/// The fixed words of a notice.
type Words = (&'static str, &'static str, &'static str, &'static str);

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

/// Recognises the notice of a compromise by its every line, and returns its language.
///
/// A text with a line that [`render`] does not write, such as a name or a reason, is none.
pub(crate) fn recognise(text: &str) -> Option<Language> {
    [Language::Ja, Language::En].into_iter().find(|language| {
        [true, false].into_iter().any(|root| is_notice(text, words(*language, root), root))
    })
}

fn is_notice(text: &str, (title, label, rows, advice): Words, root: bool) -> bool {
    let Some(rest) = text.strip_prefix(&format!("# {title}\n\n")) else { return false };
    let Some((name, rest)) = rest.split_once("\n\n") else { return false };
    let Some(rest) = rest.strip_suffix(&format!("\n\n{advice}\n")) else { return false };
    let Some((keys, table)) = rest.split_once(rows) else { return false };
    let hexadecimal = |text: &str| crate::hex::decode(text).is_some();
    let is_key = |line: &str| {
        let digest = line.strip_prefix(&format!("- {label}: SHA-256 `"));
        digest.and_then(|digest| digest.strip_suffix('`')).is_some_and(hexadecimal)
    };
    let is_row = |line: &str| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [kind, serial, date] = cells.as_slice() else { return false };
        let known = ["DS", "root", "old-with-new", "new-with-old"];
        let serial = serial.strip_prefix('`').and_then(|serial| serial.strip_suffix('`'));
        kind.strip_prefix("| ").is_some_and(|kind| known.contains(&kind))
            && serial.is_some_and(hexadecimal)
            && date.strip_suffix(" |").is_some_and(|date| date.parse::<Instant>().is_ok())
    };
    let table = table.strip_prefix('\n').unwrap_or_default();
    name.lines().count() == 1
        && keys.lines().filter(|line| !line.is_empty()).all(|line| root && is_key(line))
        && !table.is_empty()
        && table.lines().all(is_row)
}

/// The title, the label of a root certificate, the heading of the table, and the instruction for
/// verifiers.
const fn words(language: Language, root: bool) -> Words {
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
