//! A planned key, as the token is asked to make it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::{Graph, PlannedKey};
use crate::hex::Octets;
use crate::policy::Backup;
use crate::rehearsal::RehearsalKey;
use crate::serial;
use crate::token::{Attribute, KeyTemplate};

impl PlannedKey {
    /// CKA_ID: of a key that exists, the ledger's; otherwise of this attempt (see
    /// [`serial::key_id`]).
    #[must_use]
    pub fn id(&self, graph: &Graph, attempt: u32) -> Octets {
        let derived = || Octets(serial::key_id(&graph.seed, &self.name, attempt).to_vec());
        graph.known.get(&self.name).map_or_else(derived, |known| known.id.clone())
    }

    /// The key pair as the token is asked to make it: every attribute is said (CP/CPS 6.2.1.1,
    /// 6.2.6).
    #[must_use]
    pub fn template(&self, graph: &Graph, attempt: u32) -> KeyTemplate {
        let private = private_attributes(self.backup);
        let mut expected_private = private.clone();
        let extractable = self.backup == Backup::WrapTrusted;
        expected_private.extend([
            (Attribute::AlwaysSensitive, true),
            (Attribute::NeverExtractable, !extractable),
            (Attribute::Local, true),
        ]);
        KeyTemplate {
            id: self.id(graph, attempt),
            label: self.label(graph),
            curve: self.curve,
            private,
            public: public_attributes(),
            expected_private,
            rehearsal: self.rehearsal(graph, attempt),
        }
    }

    /// CKA_LABEL of both objects.
    #[must_use]
    pub fn label(&self, graph: &Graph) -> String {
        format!("{} {}", graph.ca, self.name)
    }

    /// The derived key that stands in for this one in a rehearsal.
    #[must_use]
    pub fn rehearsal(&self, graph: &Graph, attempt: u32) -> RehearsalKey {
        RehearsalKey {
            ca: graph.ca_name.der().to_vec(),
            usage: self.usage,
            generation: self.generation,
            attempt: u8::try_from(attempt).unwrap_or(u8::MAX),
            curve: self.curve,
        }
    }
}

fn private_attributes(backup: Backup) -> BTreeMap<Attribute, bool> {
    let extractable = backup == Backup::WrapTrusted;
    BTreeMap::from([
        (Attribute::Token, true),
        (Attribute::Private, true),
        (Attribute::Modifiable, false),
        (Attribute::Sensitive, true),
        (Attribute::Extractable, extractable),
        (Attribute::WrapWithTrusted, extractable),
        (Attribute::Sign, true),
        (Attribute::SignRecover, false),
        (Attribute::Decrypt, false),
        (Attribute::Unwrap, false),
        (Attribute::Derive, false),
    ])
}

fn public_attributes() -> BTreeMap<Attribute, bool> {
    BTreeMap::from([
        (Attribute::Token, true),
        (Attribute::Private, false),
        (Attribute::Modifiable, false),
        (Attribute::Verify, true),
        (Attribute::VerifyRecover, false),
        (Attribute::Encrypt, false),
        (Attribute::Wrap, false),
        (Attribute::Derive, false),
    ])
}
