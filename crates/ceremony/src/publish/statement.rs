//! The sealed statement of a ceremony, read without its transcript.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::anchor::{Anchor, Pin};
use crate::dsse::IN_TOTO_STATEMENT;
use crate::fault::Fault;
use crate::hex::Digest;
use crate::key::{Check, KeyError, Signature};
use crate::language::Bilingual;
use crate::name::Name;
use crate::path::public_key;
use crate::record::{End, Mode};
use crate::rule::RuleId;
use crate::says;
use crate::seal::{self, PREDICATE};

/// What a ceremony made, as its audit key signed it: names and digests, no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The CA's name in the file system.
    pub ca: Name,
    /// The ceremony.
    pub ceremony: Name,
    /// Its place in the ledger.
    pub sequence: u32,
    /// Rehearsal, drill or real.
    pub mode: Mode,
    /// How it ended.
    pub end: End,
    bindings: Digest,
    head: Digest,
    audit_key: Digest,
    files: BTreeMap<Digest, String>,
}

/// Why the audit key of a statement is believed to be the CA's.
#[derive(Debug, Clone, Copy)]
pub enum Trust<'a> {
    /// The CA's anchor pins the ceremony and its audit key.
    Anchor(&'a Anchor),
    /// It is a rehearsal, and the caller accepts a rehearsal.
    Rehearsal,
    /// It is a drill, and the caller accepts a drill.
    Drill,
}

#[derive(Deserialize)]
struct InToto {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: Digests,
}

#[derive(Deserialize)]
struct Digests {
    sha256: Digest,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Predicate {
    audit_key: Digest,
    bindings: Digest,
    ca: Name,
    ceremony: Name,
    end: End,
    head: Digest,
    mode: Mode,
    sequence: u32,
}

impl Statement {
    /// Reads the bundle of a ceremony, verifies its signature under this audit key (a
    /// SubjectPublicKeyInfo in DER), and asks whether that key is the CA's.
    ///
    /// # Errors
    /// S-SEAL, S-SIGNATURE, S-MODE, S-ANCHOR.
    pub fn read(bundle: &[u8], audit: &[u8], trust: Trust<'_>) -> Result<Self, Fault> {
        let (text, signature) = seal::opened(bundle)?;
        let key = public_key(audit).ok_or_else(|| {
            let asked = says!("監査用の鍵の SubjectPublicKeyInfo", "the audit key as SPKI in DER");
            Fault::new(RuleId::S_SEAL, asked, says!("別のもの", "something else"))
        })?;
        let unproved = |error: KeyError| {
            let asked =
                says!("statement に対する監査用の鍵の署名", "the audit key's signature on it");
            Fault::new(RuleId::S_SIGNATURE, asked, error.said())
        };
        let raw = Signature::raw_from_der(key.curve(), &signature).map_err(unproved)?;
        let signature = Signature::from_raw(key.curve(), &raw).map_err(unproved)?;
        let message = seal::statement_message(&text);
        let check = Check::new("the seal", &key, message.into(), signature);
        let _proof = check.prove().map_err(unproved)?;
        let statement = Self::parse(&text)?;
        if statement.audit_key != key.spki_digest() {
            let asked = says!("statement の挙げる監査用の鍵", "the audit key that it names");
            return Err(Fault::new(RuleId::S_SEAL, asked, Bilingual::plain(key.spki_digest())));
        }
        statement.judge(trust)?;
        Ok(statement)
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = |found: Bilingual| {
            let asked = says!("セレモニーの封印の statement", "the statement of a ceremony's seal");
            Fault::new(RuleId::S_SEAL, asked, found)
        };
        let found: InToto =
            serde_json::from_str(text).map_err(|error| wrong(Bilingual::plain(error)))?;
        if found.kind != IN_TOTO_STATEMENT || found.predicate_type != PREDICATE {
            return Err(wrong(Bilingual::plain(found.predicate_type)));
        }
        let files = found.subject.into_iter().map(|of| (of.digest.sha256, of.name)).collect();
        let Predicate { audit_key, bindings, ca, ceremony, end, head, mode, sequence } =
            found.predicate;
        Ok(Self { ca, ceremony, sequence, mode, end, bindings, head, audit_key, files })
    }

    fn judge(&self, trust: Trust<'_>) -> Result<(), Fault> {
        match trust {
            Trust::Rehearsal => self.is_of(Mode::Rehearsal),
            Trust::Drill => self.is_of(Mode::Drill),
            Trust::Anchor(anchor) => {
                self.is_of(*anchor.mode.get_ref())?;
                self.is_pinned(anchor)
            }
        }
    }

    fn is_of(&self, mode: Mode) -> Result<(), Fault> {
        if self.mode == mode {
            return Ok(());
        }
        let asked = Bilingual::plain(format_args!("{mode:?}"));
        Err(Fault::new(RuleId::S_MODE, asked, Bilingual::plain(format_args!("{:?}", self.mode))))
    }

    /// Judges that the anchor pins this ceremony, and the key that sealed it.
    fn is_pinned(&self, anchor: &Anchor) -> Result<(), Fault> {
        let differs =
            |asked: Bilingual, found: Bilingual| Err(Fault::new(RuleId::S_ANCHOR, asked, found));
        if anchor.ca != self.ca {
            return differs(Bilingual::plain(&anchor.ca), Bilingual::plain(&self.ca));
        }
        let Some(place) = anchor.ceremony.iter().position(|pin| pin.name == self.ceremony) else {
            let asked = says!("アンカーが固定するセレモニー", "a ceremony that the anchor pins");
            return differs(asked, Bilingual::plain(&self.ceremony));
        };
        let until = anchor.ceremony.get(..=place).unwrap_or(&[]);
        let key = until.iter().rev().find_map(|pin: &Pin| pin.audit_key);
        let Some(pin) = until.last() else { return Ok(()) };
        for (asked, found) in [
            (Some(pin.head), self.head),
            (Some(pin.bindings), self.bindings),
            (key, self.audit_key),
        ] {
            if asked != Some(found) {
                let asked = asked.map_or_else(Bilingual::none, Bilingual::plain);
                return differs(asked, Bilingual::plain(found));
            }
        }
        if pin.sequence == self.sequence {
            return Ok(());
        }
        differs(Bilingual::plain(pin.sequence), Bilingual::plain(self.sequence))
    }

    /// The name under which the ceremony made the file with this digest, if it made one.
    #[must_use]
    pub fn name_of(&self, digest: &Digest) -> Option<&str> {
        self.files.get(digest).map(String::as_str)
    }
}
