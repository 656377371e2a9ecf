//! Attestations of an image by those who built it (docs/decisions/0114).
//!
//! A pin says which octets an image has. That they came from its recipe nobody can see in them;
//! whoever builds it again sees it, and says so with their card: this person built this derivation,
//! and got this ISO. This file says what is signed, which attestations count, and how many must
//! agree.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::json;
use toml::Spanned;

use crate::dsse::pre_authentication;
use crate::fault::Fault;
use crate::hex::{Digest, Octets, encode};
use crate::language::Bilingual;
use crate::name::Name;
use crate::policy::{Policy, rdns};
use crate::record::canonical_json;
use crate::register::everyones;
use crate::roster::{Register, Roster};
use crate::rule::RuleId;
use crate::run::ToSign;
use crate::says;
use crate::text;
use crate::time::{Instant, Offset};
use crate::violation::{Input, Violation};
use crate::x509::DirectoryName;

const PAYLOAD: &str = "application/vnd.gishiki.attestation.v1+json";

/// What a builder attests: which recipe gave which octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The store name of the derivation.
    pub derivation: String,
    /// SHA-256 of the ISO that it gave.
    pub iso: Digest,
}

/// An attestation as it is kept, one file for each person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The store name of the derivation that was built.
    pub derivation: Spanned<String>,
    /// SHA-256 of the ISO that it gave.
    pub iso_sha256: Spanned<Digest>,
    /// When it was attested, by the clock of whoever attested.
    pub at: Spanned<Instant>,
    /// The raw signature (r ‖ s) by the person's card.
    pub signed: Spanned<Octets>,
}

impl Written {
    /// Reads an attestation.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Attestation, octets, |written: &Self| &written.format)
    }

    /// Writes an attestation.
    #[must_use]
    pub fn text(built: &Built, at: Instant, signed: &Octets) -> String {
        let (Built { derivation, iso }, signed) = (built, encode(&signed.0));
        format!(
            "format     = 1\nderivation = \"{derivation}\"\niso-sha256 = \"{iso}\"\nat         = {at}\nsigned     = \"{signed}\"\n"
        )
    }
}

/// What an attestation is worth that is not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weighed {
    /// It counts: this person built the recipe to the same octets.
    Agrees,
    /// It is by the same card as that of this person, which counts already.
    SameCard(Name),
    /// It is of another recipe, and not judged any further.
    OtherRecipe,
    /// It is by somebody who is not in the roster, so that no key verifies it.
    Stranger,
}

/// The people of a CA who may attest an image, and how many of them must agree.
#[derive(Debug, Clone)]
pub struct Builders {
    ca: Name,
    /// The CA's Name in DER.
    der: Vec<u8>,
    offset: Offset,
    register: Register,
    needed: Option<u32>,
}

impl Builders {
    /// Takes them from a CA's policy and roster.
    ///
    /// # Errors
    ///
    /// P-NAME-STRING, if the policy's RDNs form no Name.
    pub fn of(policy: &Policy, roster: &Roster) -> Result<Self, Fault> {
        let name = DirectoryName::new(&rdns(&policy.ca.name)).map_err(|error| {
            let asked = says!("名称にできる RDN の列", "RDNs that can be a Name");
            Fault::new(RuleId::P_NAME_STRING, asked, error.said())
        })?;
        Ok(Self {
            ca: policy.ca.id.get_ref().clone(),
            der: name.der().to_vec(),
            offset: *policy.ca.offset.get_ref(),
            register: roster.register(),
            needed: policy.image.as_ref().map(|image| *image.builders.get_ref()),
        })
    }

    /// The CA's id.
    #[must_use]
    pub const fn ca(&self) -> &Name {
        &self.ca
    }

    /// The offset in which the CA writes its times.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        self.offset
    }

    /// A person with name and organisation, as far as the roster has them.
    #[must_use]
    pub fn named(&self, person: &Name) -> Bilingual {
        let Some(known) = self.register.get(person) else { return Bilingual::plain(person) };
        let (en, of) = (&known.name, &known.organization);
        let ja = known.name_ja.as_ref().unwrap_or(en);
        says!("{person} {ja}({of})", "{person} {en} ({of})")
    }

    /// How many must agree; `None` if the policy does not say.
    #[must_use]
    pub const fn needed(&self) -> Option<u32> {
        self.needed
    }

    /// Returns what this person signs to attest an image at this time.
    ///
    /// # Errors
    ///
    /// S-ATTESTED for somebody who is not in the roster; S-REHEARSAL-KEY for a key that everyone
    /// can compute.
    pub fn to_sign(&self, person: &Name, built: &Built, at: Instant) -> Result<ToSign, Fault> {
        let known = self
            .register
            .get(person)
            .filter(|known| known.ended.is_none_or(|ended| at.day() <= ended));
        let known = known.ok_or_else(|| {
            let asked = says!("{} の任命簿にある者", "somebody in the roster of {}", self.ca);
            let found = says!(
                "任命簿にない、又は任命の終わった {person}。ID と --ca を確かめる",
                "{person}, who is not, or serves no longer: check the id, and --ca"
            );
            Fault::new(RuleId::S_ATTESTED, asked, found)
        })?;
        if everyones(&self.der, &self.register).contains(person) {
            let asked = says!(
                "{person} だけが持つカードの署名",
                "an attestation by a card that {person} alone holds"
            );
            let found = says!(
                "リハーサルの鍵(誰でも計算できる)",
                "a rehearsal key, which everyone can compute"
            );
            return Err(Fault::new(RuleId::S_REHEARSAL_KEY, asked, found));
        }
        let payload = canonical_json(&json!({
            "at": at.to_string(),
            "ca": self.ca.as_str(),
            "derivation": built.derivation.as_str(),
            "iso-sha256": built.iso.to_string(),
            "person": person.as_str(),
        }));
        let message = pre_authentication(PAYLOAD, payload.as_bytes());
        Ok(ToSign { person: person.clone(), key: known.key.clone(), message })
    }

    /// Judges an attestation, of this image and at this time, with its signature. `earlier` are
    /// those that count already.
    ///
    /// # Errors
    ///
    /// S-SIGNED, if the person's card did not sign it as it stands; S-ATTESTED, if it was made
    /// later than now, or the same recipe gave this person other octets; S-REHEARSAL-KEY.
    pub fn weigh(
        &self,
        image: &Built,
        (person, written): (&Name, &Written),
        earlier: &BTreeMap<Name, Instant>,
        now: Instant,
    ) -> Result<Weighed, Fault> {
        let (derivation, iso) =
            (written.derivation.get_ref().clone(), written.iso_sha256.get_ref());
        if derivation != image.derivation {
            return Ok(Weighed::OtherRecipe);
        }
        let Some(known) = self.register.get(person) else { return Ok(Weighed::Stranger) };
        let (claimed, at) = (Built { derivation, iso: *iso }, *written.at.get_ref());
        let asked = self.to_sign(person, &claimed, at)?;
        asked.check(written.signed.get_ref())?.prove().map(drop).map_err(|error| {
            let asked = says!(
                "任命簿にある {person} の鍵の、このビルド結果への署名",
                "a signature of this attestation by the key of {person} in the roster"
            );
            Fault::new(RuleId::S_SIGNED, asked, error.said())
        })?;
        if at > now {
            let asked =
                says!("{now} までの {person} の署名", "an attestation by {person} by {now}");
            let found = says!("{at}。時計を確かめる", "{at}: check the clocks");
            return Err(Fault::new(RuleId::S_ATTESTED, asked, found));
        }
        if claimed.iso != image.iso {
            let (derivation, iso, other) = (&image.derivation, image.iso, claimed.iso);
            let asked = says!("{derivation} から ISO {iso}", "the ISO {iso} from {derivation}");
            let found = says!(
                "同じレシピから {person} がビルドした ISO {other}。ビルドが再現していない。原因が分かるまで、どちらのイメージも使わない",
                "the ISO {other}, which {person} built from the same recipe: the build is not reproducible; use neither image before you know why"
            );
            return Err(Fault::new(RuleId::S_ATTESTED, asked, found));
        }
        let same =
            |other: &&Name| self.register.get(*other).is_some_and(|one| one.key == known.key);
        Ok(earlier.keys().find(same).cloned().map_or(Weighed::Agrees, Weighed::SameCard))
    }

    /// Refuses an image that fewer attest than the policy asks.
    ///
    /// # Errors
    ///
    /// S-ATTESTED.
    pub fn refuse_fewer(&self, agree: &BTreeMap<Name, Instant>) -> Result<(), Fault> {
        let (needed, count) = (self.needed.unwrap_or(0), agree.len());
        if u32::try_from(count).is_ok_and(|count| count < needed) {
            let asked = says!(
                "ビルド結果にカードで署名した {needed} 名({} の policy.toml の image.builders)",
                "{needed} builders who attest it by card (image.builders in the policy.toml of {})",
                self.ca
            );
            let found = says!(
                "{count} 名。ほかの者が自分のマシンでビルドし、`gishiki image attest` を行う",
                "{count}: others build it on machines of their own, and run `gishiki image attest`"
            );
            return Err(Fault::new(RuleId::S_ATTESTED, asked, found));
        }
        Ok(())
    }
}
