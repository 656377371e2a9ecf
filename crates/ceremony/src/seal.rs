//! The seal: the audit key's signature on a statement that names every file a ceremony made.
//!
//! The format is an in-toto Statement v1 in a DSSE envelope (protocol v1.0.2), carried as a
//! Sigstore bundle v0.3 with a public-key hint. All JSON here is canonical, so a verifier can
//! compute the statement again and compare it octet by octet.
//!
//! **Deliberately absent:** transparency log entry and time stamp. An air-gapped ceremony has
//! neither.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::artefact;
use crate::dsse::{IN_TOTO_PAYLOAD, IN_TOTO_STATEMENT, pre_authentication};
use crate::fault::Fault;
use crate::hex::Digest;
use crate::key::{Check, Curve, PublicKey, Signature};
use crate::language::Bilingual;
use crate::record::{End, canonical_json};
use crate::rule::RuleId;
use crate::run::Run;
use crate::says;
use crate::token::{TokenAnswer, TokenRequest};

pub(crate) const PREDICATE: &str = "https://gishiki.example/ceremony/v1";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The name of the sealed transcript's bundle in an output folder.
pub const BUNDLE_FILE: &str = "transcript.sigstore.json";
/// The name of the transcript in an output folder.
pub const TRANSCRIPT_FILE: &str = "transcript.jsonl";

/// The name of the record of a ceremony that could not be sealed.
pub const JOURNAL_FILE: &str = "journal.jsonl";

/// The files that a closed ceremony made, and the statement that the audit key signs.
///
/// The in-toto Statement names each file with its SHA-256.
#[derive(Debug)]
pub struct Made {
    artefacts: BTreeMap<String, Vec<u8>>,
    listed: BTreeMap<String, (usize, Digest)>,
    statement: String,
}

fn statement(run: &Run, listed: &BTreeMap<String, (usize, Digest)>) -> String {
    let named = |(name, (_, digest)): (&String, &(usize, Digest))| (name.clone(), *digest);
    let mut subjects: Vec<(String, Digest)> = listed.iter().map(named).collect();
    subjects.push((TRANSCRIPT_FILE.to_string(), run.transcript_digest()));
    subjects.sort();
    let subjects: Vec<serde_json::Value> = subjects
        .into_iter()
        .map(|(name, digest)| json!({ "name": name, "digest": { "sha256": digest.to_string() } }))
        .collect();
    let opened = run.opened();
    canonical_json(&json!({
        "_type": IN_TOTO_STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "audit-key": run.audit_public().map(PublicKey::spki_digest),
            "bindings": opened.bindings,
            "ca": run.graph().ca(),
            "ceremony": opened.ceremony,
            "end": run.closed().unwrap_or(End::Aborted),
            "format": opened.format,
            "graph": opened.graph,
            "head": run.transcript_head(),
            "mode": opened.mode,
            "sequence": run.graph().sequence(),
            "sessions": run.session() + 1,
        }
    }))
}

/// What the audit key signs to seal.
pub(crate) fn statement_message(statement: &str) -> Vec<u8> {
    pre_authentication(IN_TOTO_PAYLOAD, statement.as_bytes())
}

/// A Sigstore bundle v0.3, reduced to the fields that are used here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bundle {
    dsse_envelope: Envelope,
    media_type: String,
    verification_material: Material,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    sig: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    public_key: Hint,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    hint: String,
}

/// The seal of a run: the bundle, and the check of its one signature, which is still to be proved.
#[derive(Debug)]
#[must_use]
pub struct Seal {
    /// The bundle: canonical JSON and a line feed.
    pub bundle: String,
    /// The check of the signature. The seal is good only if it is proved.
    pub check: Check,
}

impl Made {
    /// Collects the files that this closed run made.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let artefacts = artefact::all(run);
        let entry = |(name, octets): (&String, &Vec<u8>)| {
            (name.clone(), (octets.len(), Digest::of(octets)))
        };
        let listed = artefacts.iter().map(entry).collect();
        Self { statement: statement(run, &listed), listed, artefacts }
    }

    /// The length and the SHA-256 of every file, by name.
    pub(crate) fn listed(&self) -> BTreeMap<String, (usize, Digest)> {
        self.listed.clone()
    }

    /// The in-toto Statement.
    #[must_use]
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// The files that a verifier may release, by name.
    pub(crate) fn into_artefacts(self) -> BTreeMap<String, Vec<u8>> {
        self.artefacts
    }

    /// Builds the request to the audit key to sign the statement.
    ///
    /// # Errors
    /// The run has no audit key.
    pub fn request(&self, run: &Run) -> Result<TokenRequest, Fault> {
        run.audit_request(&statement_message(&self.statement))
    }

    /// Makes the bundle from the token's answer. The run must be closed.
    ///
    /// # Errors
    /// `S-SEAL` if the answer is not one valid signature value of the audit key's curve, or the
    /// fault of a signature that was seen before.
    pub fn seal(&self, run: &Run, answer: &TokenAnswer) -> Result<Seal, Fault> {
        let wrong = |found: Bilingual| {
            let asked = says!(
                "statement に対する監査用の鍵の署名 1 件",
                "one signature of the audit key on the statement"
            );
            Fault::new(RuleId::S_SEAL, asked, found)
        };
        let TokenAnswer::Signatures { signatures } = answer else {
            return Err(wrong(says!("別の応答", "another answer")));
        };
        let [raw] = signatures.as_slice() else {
            return Err(wrong(says!("署名 {} 件", "{} signatures", signatures.len())));
        };
        let public =
            run.audit_public().ok_or_else(|| wrong(says!("監査用の鍵なし", "no audit key")))?;
        let signature =
            Signature::from_raw(public.curve(), &raw.0).map_err(|error| wrong(error.said()))?;
        run.refuse_seen(&signature, "the seal", &[])?;
        let bundle = Bundle {
            dsse_envelope: Envelope {
                payload: Base64::encode_string(self.statement.as_bytes()),
                payload_type: IN_TOTO_PAYLOAD.to_string(),
                signatures: [EnvelopeSignature { sig: Base64::encode_string(&signature.to_der()) }]
                    .into(),
            },
            media_type: BUNDLE.to_string(),
            verification_material: Material {
                public_key: Hint { hint: public.spki_digest().to_string() },
            },
        };
        let check =
            Check::new("the seal", public, statement_message(&self.statement).into(), signature)
                .called(says!("封印の署名", "the seal"))
                .placed(Bilingual::plain(BUNDLE_FILE));
        Ok(Seal { bundle: canonical_json(&bundle) + "\n", check })
    }

    /// Reads a bundle and compares it with the one that this closed run gives.
    ///
    /// All octets must be the same except the signature, whose check is returned.
    ///
    /// # Errors
    /// `S-SEAL` if it is another bundle, or its signature value is malformed.
    pub fn read(&self, run: &Run, octets: &[u8]) -> Result<Check, Fault> {
        Ok(self.read_signed(run, octets)?.0)
    }

    /// The same, with the signature itself, whose r a ledger remembers.
    pub(crate) fn read_signed(
        &self,
        run: &Run,
        octets: &[u8],
    ) -> Result<(Check, Signature), Fault> {
        let wrong = |found: Bilingual| {
            let asked = says!(
                "この記録から定まる Sigstore bundle v0.3",
                "the Sigstore bundle v0.3 that this transcript determines"
            );
            Fault::new(RuleId::S_SEAL, asked, found)
        };
        let bundle: Bundle =
            serde_json::from_slice(octets).map_err(|error| wrong(Bilingual::plain(error)))?;
        let [signature] = bundle.dsse_envelope.signatures.as_slice() else {
            let count = bundle.dsse_envelope.signatures.len();
            return Err(wrong(says!("署名 {count} 件", "{count} signatures")));
        };
        let der = Base64::decode_vec(&signature.sig)
            .map_err(|_| wrong(says!("base64 でない署名", "a signature that is not base64")))?;
        let curve = run.audit_public().map_or(Curve::P256, PublicKey::curve);
        let raw = Signature::raw_from_der(curve, &der).map_err(|error| wrong(error.said()))?;
        let signature = Signature::from_raw(curve, &raw).map_err(|error| wrong(error.said()))?;
        let again = self
            .seal(run, &TokenAnswer::Signatures { signatures: [crate::hex::Octets(raw)].into() })?;
        if again.bundle.as_bytes() != octets {
            return Err(wrong(first_difference(&bundle, &self.statement, octets)));
        }
        Ok((again.check, signature))
    }
}

/// Takes the statement and its signature in DER out of a bundle, without a transcript to compute
/// them again from.
///
/// # Errors
/// `S-SEAL` if it is not a bundle as a ceremony writes it.
pub(crate) fn opened(octets: &[u8]) -> Result<(String, Vec<u8>), Fault> {
    let wrong = |found: Bilingual| {
        let asked = says!("セレモニーの Sigstore bundle v0.3", "a ceremony's Sigstore bundle v0.3");
        Fault::new(RuleId::S_SEAL, asked, found)
    };
    let bundle: Bundle =
        serde_json::from_slice(octets).map_err(|error| wrong(Bilingual::plain(error)))?;
    let other = || wrong(says!("別の形の bundle", "a bundle in another form"));
    if (canonical_json(&bundle) + "\n").as_bytes() != octets || bundle.media_type != BUNDLE {
        return Err(other());
    }
    let envelope = bundle.dsse_envelope;
    let [signature] = envelope.signatures.as_slice() else { return Err(other()) };
    let decoded = |text: &str| Base64::decode_vec(text).map_err(|_| other());
    let statement = String::from_utf8(decoded(&envelope.payload)?).map_err(|_| other())?;
    if envelope.payload_type != IN_TOTO_PAYLOAD {
        return Err(other());
    }
    Ok((statement, decoded(&signature.sig)?))
}

/// Describes the difference between a bundle and the expected statement: the first subject that
/// differs, or else the predicate or the encoding.
fn first_difference(bundle: &Bundle, expected: &str, octets: &[u8]) -> Bilingual {
    let payload = Base64::decode_vec(&bundle.dsse_envelope.payload).unwrap_or_default();
    if payload == expected.as_bytes() {
        return says!(
            "同じ statement の別の形({} オクテット)",
            "the same statement in another form ({} octets)",
            octets.len()
        );
    }
    let found: Option<serde_json::Value> = serde_json::from_slice(&payload).ok();
    let asked: Option<serde_json::Value> = serde_json::from_str(expected).ok();
    let differing = found.zip(asked).and_then(|(found, asked)| {
        let (found, asked) = (found.get("subject")?.as_array()?, asked.get("subject")?.as_array()?);
        let subject = asked.iter().find(|subject| !found.contains(subject))?;
        Some(subject.get("name")?.as_str()?.to_string())
    });
    differing.map_or_else(
        || says!("predicate の異なる statement", "a statement with another predicate"),
        |name| {
            says!(
                "{name} のダイジェストが異なる statement",
                "a statement with another digest for {name}"
            )
        },
    )
}
