//! One keyless bundle, verified offline by `sigstore-verify`.

use std::path::{Path, PathBuf};

use ceremony::approval::Keyless;
use ceremony::compile::Compiled;
use ceremony::fault::Fault;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::policy::Signer;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::{Day, Instant};
use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, Sha256Hash, SignatureContent, TimeRange};
use sigstore_verify::{CertificateError, Error, VerificationPolicy, VerificationResult, Verifier};

use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::ext::pkix::SubjectAltName;

use super::curves;
use crate::clock::Clock;
use crate::files;
use crate::halt::Halt;
use crate::lang::Lang;
use crate::report::plain;
use crate::sources::shown;

/// The trusted root beside the policy.
const ROOT_FILE: &str = "trusted_root.json";

/// Judges the bundle of a person, and tells it in a line; nothing of one that is left alone.
pub(super) fn told(
    plan: &Path,
    compiled: &Compiled,
    (person, path): (&Name, &PathBuf),
    lang: Lang,
) -> Result<String, Halt> {
    let octets = files::read_document(path)?;
    let path = shown(path);
    let Some(one) = signed(compiled, person, &octets, &path).map_err(|f| advised(f, person))?
    else {
        return Ok(String::new());
    };
    let root = root(plan, one.pinned.trusted_root)?;
    let now = Clock::System(compiled.graph.offset()).now()?;
    let age = age(one.pinned.obtained, now)?;
    let result = one.result(&root, compiled.graph.id(), &path).map_err(|f| advised(f, person))?;
    let logged = logged(compiled, person, &result, now).map_err(|f| advised(f, person))?;
    let (signer, obtained) = (one.signer, one.pinned.obtained);
    let until = ends(&root, logged).map(|end| instant(end, now)).transpose();
    let until = until.map_err(Halt::Media)?;
    Ok(line(&Told { person, signer, logged, obtained, age, until }, &result, lang))
}

/// Adds what to do about a bundle that does not hold: nothing rests on it.
fn advised(fault: Fault, person: &Name) -> Halt {
    let found = *fault.found;
    let found = says!(
        found;
        "{found}。{person} の bundle を削除するか、`gishiki approve {person} --statement` の出力に {person} がもう一度署名する",
        "{found}; delete the bundle of {person}, or let {person} sign again what `gishiki approve {person} --statement` prints"
    );
    Halt::Media(Fault { found: Box::new(found), ..fault })
}

/// A bundle of this plan and of a person whom the policy knows. Its signature, certificate and log
/// entry are still to be verified.
struct Claimed<'a> {
    bundle: Bundle,
    pinned: &'a Keyless,
    signer: &'a Signer,
}

/// Reads the bundle of a person; nothing of one that is left alone.
fn signed<'a>(
    compiled: &'a Compiled,
    person: &Name,
    octets: &[u8],
    path: &str,
) -> Result<Option<Claimed<'a>>, Fault> {
    let refused = |asked: Bilingual, found: Bilingual| Fault::new(RuleId::S_APPROVED, asked, found);
    let bundle = std::str::from_utf8(octets).map_err(|error| error.to_string());
    let bundle = bundle.and_then(|text| Bundle::from_json(text).map_err(|e| e.to_string()));
    let bundle = bundle.map_err(|error| {
        let asked = says!("Sigstore bundle である {path}", "{path}, a Sigstore bundle");
        refused(asked, Bilingual::plain(error))
    })?;
    let payload = match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => envelope.payload.as_bytes(),
        SignatureContent::MessageSignature(_) | _ => {
            let asked =
                says!("in-toto の statement を持つ {path}", "{path} with an in-toto statement");
            let found = says!("statement のない署名", "a signature without one");
            return Err(refused(asked, found));
        }
    };
    if compiled.leaves_alone(payload) {
        return Ok(None);
    }
    let (pinned, signer) = compiled.keyless(person, payload)?;
    let names = bundle.signing_certificate().map_or(0, |one| names(one.as_bytes()));
    if names > 1 {
        let asked = says!(
            "{path}: identity が 1 つだけの証明書",
            "{path}: a certificate with one identity, and no other name"
        );
        return Err(refused(asked, says!("名が {names} つ", "{names} names")));
    }
    Ok(Some(Claimed { bundle, pinned, signer }))
}

/// How many names a certificate's subjectAltName has; none of one that cannot be read, which does
/// not verify either. Sigstore's verifier looks at the first.
fn names(certificate: &[u8]) -> usize {
    let Ok(certificate) = Certificate::from_der(certificate) else { return 0 };
    let extensions = certificate.tbs_certificate().extensions().into_iter().flatten();
    let named = extensions.filter(|one| one.extn_id == SubjectAltName::OID);
    let read = named.filter_map(|one| SubjectAltName::from_der(one.extn_value.as_bytes()).ok());
    read.map(|names| names.0.len()).sum()
}

impl Claimed<'_> {
    /// Verifies it with the trusted root.
    fn result(
        &self,
        root: &TrustedRoot,
        graph: Digest,
        path: &str,
    ) -> Result<VerificationResult, Fault> {
        verified(root, &self.bundle, self.signer, graph).map_err(|found| {
            let Signer { identity, issuer } = self.signer;
            let asked = says!(
                "{path}: {identity}(issuer {issuer})の、{ROOT_FILE} で検証できる署名",
                "{path}: a signature by {identity} of {issuer} that {ROOT_FILE} verifies"
            );
            Fault::new(RuleId::S_APPROVED, asked, found)
        })
    }
}

/// The first of the times of a bundle, all of which are those of an approval.
fn logged(
    compiled: &Compiled,
    person: &Name,
    result: &VerificationResult,
    now: Instant,
) -> Result<Instant, Fault> {
    let mut first = None;
    for time in result.verified_timestamps() {
        let time = instant(time.as_second(), now)?;
        compiled.weigh_keyless(person, time, now)?;
        first = Some(first.map_or(time, |earlier: Instant| earlier.min(time)));
    }
    Ok(first.unwrap_or(now))
}

/// What a line tells of a bundle.
struct Told<'a> {
    person: &'a Name,
    signer: &'a Signer,
    logged: Instant,
    obtained: Day,
    age: i64,
    until: Option<Instant>,
}

fn line(told: &Told<'_>, result: &VerificationResult, lang: Lang) -> String {
    let Told { person, signer: Signer { identity, issuer }, logged, obtained, age, until } = told;
    let (identity, issuer) = (plain(identity), plain(issuer));
    let until = until.map_or_else(Bilingual::none, |end| Bilingual::plain(end.day()));
    let until = lang.said(&until);
    let without = match (result.sct_verified(), lang) {
        (true, _) => "",
        (false, Lang::Ja) => "SCT なし、",
        (false, Lang::En) => "without SCT, ",
    };
    match lang {
        Lang::Ja => format!(
            "  keyless {person}: {identity}(issuer {issuer})、{without}ログの時刻 {logged}、trusted root は {obtained} のもの({age} 日前)、その鍵の期限 {until}\n"
        ),
        Lang::En => format!(
            "  keyless {person}: {identity} by {issuer}, {without}logged at {logged}, trusted root of {obtained}, {age} days old, its keys until {until}\n"
        ),
    }
}

/// Reads the trusted root beside the policy, which has the digest that the policy pins.
fn root(plan: &Path, pinned: Digest) -> Result<TrustedRoot, Halt> {
    let folder = std::path::absolute(plan).unwrap_or_else(|_| plan.to_path_buf());
    let octets = files::read_document(&folder.parent().unwrap_or(&folder).join(ROOT_FILE))?;
    let path = shown(&plan.join("..").join(ROOT_FILE));
    let found = Digest::of(&octets);
    if found != pinned {
        let asked = says!(
            "ポリシーが定める SHA-256 {pinned} の {path}",
            "{path} with the SHA-256 of the policy, {pinned}"
        );
        let found = says!(
            "{found}。ポリシーを承認したときのファイルを置くか、ポリシーの trusted-root と obtained を改める",
            "{found}: put the file there with which the policy was approved, or change trusted-root and obtained in the policy"
        );
        return Err(Halt::media(RuleId::S_APPROVED, asked, found));
    }
    let text = String::from_utf8_lossy(&octets);
    TrustedRoot::from_json(&text).map_err(|error| {
        let asked =
            says!("Sigstore の trusted root である {path}", "{path}, a trusted root of Sigstore");
        let found = says!(
            "{error}。trusted_root.json を取得し直し、ポリシーの trusted-root と obtained を改める",
            "{error}: obtain trusted_root.json again, and change trusted-root and obtained in the policy"
        );
        Halt::media(RuleId::S_APPROVED, asked, found)
    })
}

/// How many days ago the trusted root was obtained.
fn age(obtained: Day, now: Instant) -> Result<i64, Halt> {
    let age = now.day().days_since(obtained);
    if age < 0 {
        let today = now.day();
        let asked =
            says!("{today} までに取得した trusted root", "a trusted root obtained by {today}");
        let found = says!(
            "{obtained}。ポリシーの obtained か、この計算機の時計を正す",
            "{obtained}: correct obtained in the policy, or this computer's clock"
        );
        return Err(Halt::media(RuleId::S_APPROVED, asked, found));
    }
    Ok(age)
}

/// Verifies signature, certificate, SCT, log entry and time, all with the trusted root.
fn verified(
    root: &TrustedRoot,
    bundle: &Bundle,
    signer: &Signer,
    graph: Digest,
) -> Result<VerificationResult, Bilingual> {
    curves::install();
    let verifier = Verifier::new(root).map_err(|error| said(&error))?;
    let policy = VerificationPolicy::new(signer.identity.as_str(), signer.issuer.as_str());
    // An instance of Sigstore without a CT log has certificates without SCT.
    let policy = if root.ctlogs.is_empty() { policy.skip_sct() } else { policy };
    let graph = Sha256Hash::from_hex(&graph.to_string()).map_err(Bilingual::plain)?;
    let result = verifier.verify(graph, bundle, &policy).map_err(|error| said(&error))?;
    let whole = result.certificate_verified()
        && result.tlog_verified()
        && result.identity_policy_checked()
        && !bundle.verification_material.tlog_entries.is_empty()
        && !result.verified_timestamps().is_empty();
    match whole {
        true => Ok(result),
        false => Err(says!("ログの記録のない bundle", "a bundle without a log entry")),
    }
}

/// Why a bundle does not hold: what of it, and the detail as the verifier words it.
fn said(error: &Error) -> Bilingual {
    let none = |found: Option<String>| found.map_or_else(Bilingual::none, Bilingual::plain);
    match error {
        Error::IdentityMismatch { actual, .. } => {
            let found = none(actual.as_ref().map(ToString::to_string));
            says!(found; "identity {found}", "the identity {found}")
        }
        Error::IssuerMismatch { actual, .. } => {
            let found = none(actual.clone());
            says!(found; "issuer {found}", "the issuer {found}")
        }
        Error::Certificate(CertificateError::Sct(why)) => {
            says!("証明書の SCT が検証できない({why})", "an SCT that does not verify: {why}")
        }
        Error::Certificate(why) => {
            says!("証明書が検証できない({why})", "a certificate that does not verify: {why}")
        }
        Error::TransparencyLog(why) => {
            says!("ログの記録が検証できない({why})", "a log entry that does not verify: {why}")
        }
        Error::Timestamp(why) => {
            says!("時刻が検証できない({why})", "a time that does not verify: {why}")
        }
        Error::SignatureInvalid(why) => {
            says!("署名が検証できない({why})", "a signature that does not verify: {why}")
        }
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
            says!("使えない trusted root({error})", "a trusted root that cannot be used: {error}")
        }
        Error::ArtifactMismatch(_)
        | Error::UnsupportedArtifact(_)
        | Error::InvalidBundle(_)
        | Error::UnsupportedBundle(_)
        | Error::Types(_)
        | Error::Crypto(_)
        | Error::Bundle(_)
        | Error::ArtifactRead(_)
        | _ => says!("検証できない bundle({error})", "a bundle that does not verify: {error}"),
    }
}

/// When the first of the keys ends that were in use at this time, in seconds.
fn ends(root: &TrustedRoot, at: Instant) -> Option<i64> {
    let in_use = |range: &TimeRange| {
        let (start, end) = (range.start.as_second(), range.end.map(|end| end.as_second()));
        start <= at.unix() && end.is_none_or(|end| at.unix() <= end)
    };
    let mut ends = Vec::new();
    let logs = root.tlogs.iter().map(|log| &log.public_key);
    let logs = logs.chain(root.ctlogs.iter().map(|log| &log.public_key));
    for window in logs.filter_map(|key| key.valid_for).filter(in_use) {
        ends.extend(window.end.map(|end| end.as_second()));
    }
    for authority in &root.certificate_authorities {
        if authority.valid_for.as_ref().is_none_or(in_use) {
            ends.extend(authority.valid_for.and_then(|window| window.end).map(|e| e.as_second()));
            let chain = authority.cert_chain.certificates.iter();
            let chain = chain.filter_map(|one| parse_certificate_info(&one.raw_bytes).ok());
            ends.extend(chain.map(|certificate| certificate.not_after.as_second()));
        }
    }
    ends.into_iter().min()
}

/// A time in seconds, in the offset of another.
fn instant(seconds: i64, like: Instant) -> Result<Instant, Fault> {
    Instant::from_unix(seconds, like.offset()).map_err(|error| {
        let asked = says!("この時代の時刻", "a time of the present era");
        Fault::new(RuleId::S_APPROVED, asked, error.said())
    })
}
