//! Derives from a planned key what the token is asked to generate.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::{Graph, PlannedKey};
use crate::hex::Octets;
use crate::policy::Backup;
use crate::rehearsal::RehearsalKey;
use crate::serial;
use crate::token::{Attribute, KeyTemplate};

impl PlannedKey {
    /// Returns CKA_ID: the ledger's for an existing key, otherwise derived for this attempt (see
    /// [`serial::key_id`]).
    #[must_use]
    pub fn id(&self, graph: &Graph, attempt: u32) -> Octets {
        let derived = || Octets(serial::key_id(&graph.seed, &self.name, attempt).to_vec());
        graph.known.get(&self.name).map_or_else(derived, |known| known.id.clone())
    }

    /// Returns the attributes with which the key pair is requested and with which it must be read
    /// back (CP/CPS 6.2.1.1, 6.2.6).
    #[must_use]
    pub fn template(&self, graph: &Graph, attempt: u32) -> KeyTemplate {
        let (of_private, of_public) = (private_attributes(self.backup), public_attributes());
        let mut expected_private = of_private.clone();
        let extractable = self.backup == Backup::WrapTrusted;
        expected_private.extend([
            (Attribute::AlwaysSensitive, true),
            (Attribute::NeverExtractable, !extractable),
            (Attribute::Local, true),
        ]);
        let said = |(attribute, value): &(Attribute, bool)| {
            (*value || true_by_itself(*attribute)) && !graph.demands.leave_out.contains(attribute)
        };
        KeyTemplate {
            id: self.id(graph, attempt),
            label: self.label(graph),
            curve: self.curve,
            private: of_private.into_iter().filter(said).collect(),
            public: of_public.clone().into_iter().filter(said).collect(),
            expected_private,
            expected_public: of_public,
            not_told: graph.demands.not_told.clone(),
            rehearsal: self.rehearsal(graph, attempt),
        }
    }

    /// Returns CKA_LABEL of both objects.
    #[must_use]
    pub fn label(&self, graph: &Graph) -> String {
        graph.key_label(&self.name)
    }

    /// Returns the derived key that replaces this one in a rehearsal.
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

/// Whether a token may set this attribute to true if a template does not mention it.
///
/// PKCS #11 defaults MODIFIABLE and COPYABLE to true and leaves EXTRACTABLE and the usages to the
/// token (SoftHSM sets all of these for an EC key). The other attributes that must be false, DERIVE
/// and WRAP_WITH_TRUSTED, default to false.
const fn true_by_itself(attribute: Attribute) -> bool {
    match attribute {
        Attribute::Modifiable
        | Attribute::Copyable
        | Attribute::Extractable
        | Attribute::SignRecover
        | Attribute::Decrypt
        | Attribute::Unwrap
        | Attribute::VerifyRecover
        | Attribute::Encrypt
        | Attribute::Wrap => true,
        Attribute::Token
        | Attribute::Private
        | Attribute::Sensitive
        | Attribute::WrapWithTrusted
        | Attribute::AlwaysSensitive
        | Attribute::NeverExtractable
        | Attribute::Local
        | Attribute::Sign
        | Attribute::Derive
        | Attribute::Verify
        | Attribute::Trusted => false,
    }
}

fn private_attributes(backup: Backup) -> BTreeMap<Attribute, bool> {
    let extractable = backup == Backup::WrapTrusted;
    BTreeMap::from([
        (Attribute::Token, true),
        (Attribute::Private, true),
        (Attribute::Modifiable, false),
        (Attribute::Copyable, false),
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

/// Leaves CKA_PRIVATE out: whether a public key is visible before login is up to the token.
fn public_attributes() -> BTreeMap<Attribute, bool> {
    BTreeMap::from([
        (Attribute::Token, true),
        (Attribute::Modifiable, false),
        (Attribute::Verify, true),
        (Attribute::VerifyRecover, false),
        (Attribute::Encrypt, false),
        (Attribute::Wrap, false),
        (Attribute::Derive, false),
    ])
}
