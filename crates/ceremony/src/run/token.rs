//! Judges what a token says of itself and of its keys.

mod inventory;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::Run;
use super::judge::{Weighed, held};
use crate::fault::{Fault, Why};
use crate::graph::PlannedKey;
use crate::key::PublicKey;
use crate::language::{Bilingual, Sentence, both};
use crate::name::Name;
use crate::record::Mode;
use crate::rule::RuleId;
use crate::says;
use crate::token::{Attribute, CopyFacts, Holder, KeyFacts, KeyTemplate, TokenIdentity};
use crate::x509;

impl Run {
    /// The serial number of a token that takes part.
    pub(super) fn serial_of(&self, token: &Holder) -> Result<String, Fault> {
        let serial = match token {
            Holder::Root => Some(&self.place().token),
            Holder::Spare(name) => self.place().spares.get(name),
        };
        serial.cloned().ok_or_else(|| {
            let asked = says!("この部屋のトークン", "a token of the room");
            Fault::new(RuleId::S_TOKEN_SERIAL, asked, Bilingual::none())
        })
    }

    pub(super) fn weigh_identity(
        &self,
        token: &Holder,
        identity: &TokenIdentity,
    ) -> Result<Weighed, Fault> {
        let graph = self.graph();
        let serial = self.serial_of(token)?;
        if identity.serial != serial {
            let (asked, found) = (Bilingual::plain(serial), Bilingual::plain(&identity.serial));
            return Err(Fault::new(RuleId::S_TOKEN_SERIAL, asked, found));
        }
        let drill = identity.label.starts_with("DRILL");
        if drill != (self.opened().mode == Mode::Drill) && self.opened().mode != Mode::Rehearsal {
            let asked = says!(
                "訓練ではラベルが DRILL で始まるトークン、ほかではそうでないトークン",
                "a token labelled DRILL in a drill, and only there"
            );
            let (held, label) = (held(self.opened().mode), &identity.label);
            let found = says!(
                held;
                "{held}でのラベル `{label}`",
                "label `{label}` in a {held}"
            );
            return Err(Fault::new(RuleId::S_DRILL, asked, found));
        }
        for (field, text) in [
            (both("ラベル", "label"), &identity.label),
            (both("製造者", "manufacturer"), &identity.manufacturer),
            (both("型番", "model"), &identity.model),
            (both("ハードウェアの版", "hardware"), &identity.hardware),
            (both("ファームウェアの版", "firmware"), &identity.firmware),
        ] {
            // 32 octets, each of which may be written as \xNN.
            let plain = text.is_empty() || super::words(text).is_ok();
            if text.len() > 128 || !plain {
                let Sentence { ja, en } = field;
                let asked =
                    says!("見えない文字を含まないトークンの{ja}", "the token's {en} in plain text");
                let found = says!("見えない文字など", "other characters");
                return Err(Fault::new(RuleId::S_ANSWER, asked, found));
            }
        }
        let absent: Vec<&str> = graph
            .demands
            .mechanisms
            .iter()
            .filter(|m| !identity.mechanisms.contains(m))
            .map(String::as_str)
            .collect();
        if !absent.is_empty() {
            return Err(Fault::new(
                RuleId::S_TOKEN_MECHANISM,
                Bilingual::plain(absent.join(", ")),
                Bilingual::plain(identity.mechanisms.join(", ")),
            ));
        }
        Ok(Weighed::default())
    }

    /// R-KEY-IN-HSM: there is exactly one pair, on the planned curve, with every attribute as
    /// requested.
    pub(super) fn judge_key(
        &self,
        key: &Name,
        attempt: u32,
        facts: &KeyFacts,
    ) -> Result<PublicKey, Fault> {
        let planned = self.planned(key)?;
        let template = planned.template(self.graph(), attempt);
        let public = self.judge_facts(planned, &template, facts)?;
        if self.keys().values().any(|other| *other == public) {
            return Err(Fault::new(
                RuleId::S_PUBLIC_KEY,
                says!("既にあるものと異なる鍵", "a key that is not there already"),
                Bilingual::plain(key),
            ));
        }
        if self.opened().mode == Mode::Rehearsal
            && template.rehearsal.public().as_ref() != Some(&public)
        {
            let asked =
                says!("リハーサルで導出される {key}", "the rehearsal's derived key for {key}");
            let found = says!("別の鍵", "another key");
            return Err(Fault::new(RuleId::S_REHEARSAL_KEY, asked, found));
        }
        Ok(public)
    }

    /// Checks that there is exactly one pair, on the planned curve, with every attribute of the
    /// template.
    pub(super) fn judge_facts(
        &self,
        planned: &PlannedKey,
        template: &KeyTemplate,
        facts: &KeyFacts,
    ) -> Result<PublicKey, Fault> {
        let key = &planned.name;
        if (facts.privates, facts.publics) != (1, 1) {
            return Err(Fault::new(
                RuleId::R_KEY_IN_HSM,
                says!(
                    "{key} の秘密鍵と公開鍵のオブジェクト各 1 個",
                    "one private and one public object of {key}"
                ),
                says!(
                    "秘密鍵 {} 個、公開鍵 {} 個",
                    "{} private, {} public",
                    facts.privates,
                    facts.publics
                ),
            ));
        }
        if facts.strays != 0 {
            let asked = says!(
                "鍵ペアのほかに {key} のものがないトークン",
                "a token with nothing of {key} but the pair"
            );
            let found = says!(
                "ほかに CKA_ID のないオブジェクト {} 個",
                "{} objects without a CKA_ID as well",
                facts.strays
            );
            return Err(Fault::new(RuleId::R_KEY_IN_HSM, asked, found));
        }
        let parameters = x509::curve_parameters(planned.curve);
        if facts.parameters.0 != parameters {
            return Err(Fault::new(
                RuleId::R_ALG,
                says!("名前付き曲線 {}", "the named curve {}", planned.curve.name()),
                Bilingual::plain(crate::hex::encode(&facts.parameters.0)),
            ));
        }
        let asked_labels = vec![template.label.clone(), template.label.clone()];
        if facts.labels != asked_labels {
            return Err(Fault::new(
                RuleId::R_KEY_IN_HSM,
                Bilingual::plain(asked_labels.join(", ")),
                Bilingual::plain(facts.labels.join(", ")),
            ));
        }
        judge_attributes(key, template, facts)?;
        PublicKey::from_point(planned.curve, &facts.point.0).map_err(|error| {
            let asked = says!("{key} の公開鍵", "a public key for {key}");
            Fault::new(RuleId::S_PUBLIC_KEY, asked, error.said())
        })
    }

    /// R-BACKUP: the clone that people made is the same key, as well protected as the original.
    pub(super) fn weigh_clone(&self, key: &Name, facts: &KeyFacts) -> Result<Weighed, Fault> {
        let planned = self.planned(key)?;
        let mut template = planned.template(self.graph(), 0);
        // Where a clone says that it was made is the module's own affair.
        for attribute in [Attribute::Local, Attribute::AlwaysSensitive, Attribute::NeverExtractable]
        {
            template.expected_private.remove(&attribute);
        }
        let found = self.judge_facts(planned, &template, facts)?;
        if found != *self.public(key)? {
            return Err(another_key(key));
        }
        Ok(Weighed::default())
    }

    /// R-BACKUP: the copy is the same key with every attribute as requested; it was wrapped under a
    /// key that can do nothing else; and nothing of the key agreement is left.
    pub(super) fn weigh_copy(&self, key: &Name, facts: &CopyFacts) -> Result<Weighed, Fault> {
        let planned = self.planned(key)?;
        let template = planned.template(self.graph(), 0).copied();
        let found = self.judge_facts(planned, &template, &facts.key)?;
        if found != *self.public(key)? {
            return Err(another_key(key));
        }
        let mechanisms = facts.mechanisms.join(", ");
        if mechanisms != COPY_MECHANISMS {
            let (asked, found) = (Bilingual::plain(COPY_MECHANISMS), Bilingual::plain(mechanisms));
            return Err(Fault::new(RuleId::R_BACKUP, asked, found));
        }
        let left = (facts.source_left, facts.target_left);
        if left != (0, 0) {
            let asked =
                says!("鍵合意のものが残っていない両トークン", "nothing left of the agreement");
            let found = says!(
                "複製元に {} 個、複製先に {} 個",
                "{} on the source, {} on the target",
                left.0,
                left.1
            );
            return Err(Fault::new(RuleId::R_BACKUP, asked, found));
        }
        for (side, attributes, power) in [
            (both("複製元", "source"), &facts.wrapping, Attribute::Wrap),
            (both("複製先", "target"), &facts.unwrapping, Attribute::Unwrap),
        ] {
            let Sentence { ja, en } = side;
            for (attribute, asked) in
                [(Attribute::Trusted, true), (Attribute::Extractable, false), (power, true)]
            {
                if attributes.get(&attribute) != Some(&asked) {
                    let asked = says!(
                        "{ja}で {} = {asked} の合意した鍵",
                        "an agreed key on the {en} with {} = {asked}",
                        attribute.name()
                    );
                    return Err(Fault::new(RuleId::R_BACKUP, asked, says!("別の鍵", "another")));
                }
            }
        }
        Ok(Weighed::default())
    }
}

/// Checks that every attribute is that of the template, and that the key can do nothing else.
fn judge_attributes(key: &Name, template: &KeyTemplate, facts: &KeyFacts) -> Result<(), Fault> {
    for (is_public, asked, found) in [
        (false, &template.expected_private, &facts.private),
        (true, &template.expected_public, &facts.public),
    ] {
        let Sentence { ja, en } =
            if is_public { both("公開鍵", "public") } else { both("秘密鍵", "private") };
        for (attribute, value) in asked {
            let found = found.get(attribute).copied().or(absent(*attribute));
            // That the module cannot tell it was reviewed, and stands in the record.
            let not_told = found.is_none() && template.not_told.contains(attribute);
            // A public key that only its user sees is no less safe (CloudHSM has no other).
            let either = is_public && *attribute == Attribute::Private;
            if found != Some(*value) && !not_told && !either {
                let name = attribute.name();
                let asked =
                    says!("{key} の{ja}の {name} = {value}", "{en} {key} with {name} = {value}");
                let (found, why) = match found {
                    None => (says!("その属性なし", "no such attribute"), Why::NotTold),
                    Some(found) => (Bilingual::plain(found), Why::Ruled),
                };
                return Err(Fault::new(RuleId::R_KEY_IN_HSM, asked, found).because(why));
            }
        }
        // Three attributes say where a key has been; a public key may be copied, and be seen by
        // its user only. Every other is a power.
        let power = |attribute: &Attribute| {
            ![
                Attribute::Local,
                Attribute::AlwaysSensitive,
                Attribute::NeverExtractable,
                Attribute::Copyable,
                Attribute::Private,
            ]
            .contains(attribute)
        };
        let more =
            found.iter().find(|(name, value)| **value && power(name) && !asked.contains_key(name));
        if let Some((attribute, _)) = more {
            let name = attribute.name();
            let asked = says!("{name} が true でない {key} の{ja}", "{en} {key} without {name}");
            return Err(Fault::new(RuleId::R_KEY_IN_HSM, asked, Bilingual::plain("true")));
        }
    }
    Ok(())
}

fn another_key(key: &Name) -> Fault {
    let asked = says!("{key} と公開鍵の同じ複製", "a copy with the public key of {key}");
    Fault::new(RuleId::R_BACKUP, asked, says!("別の公開鍵", "another public key"))
}

/// The mechanisms of a copy by their PKCS #11 names: ECDH (SP 800-56A), then RFC 5649.
const COPY_MECHANISMS: &str = "CKM_ECDH1_DERIVE, CKM_AES_KEY_WRAP_PAD";

/// Whether an absent attribute counts as false. PKCS #11 says so of ALWAYS_SENSITIVE,
/// NEVER_EXTRACTABLE and WRAP_WITH_TRUSTED. COPYABLE exists since 2.40, and a module that does not
/// know it cannot copy by it. Any other attribute must be answered.
const fn absent(attribute: Attribute) -> Option<bool> {
    match attribute {
        Attribute::AlwaysSensitive
        | Attribute::NeverExtractable
        | Attribute::WrapWithTrusted
        | Attribute::Copyable => Some(false),
        Attribute::Token
        | Attribute::Private
        | Attribute::Modifiable
        | Attribute::Sensitive
        | Attribute::Extractable
        | Attribute::Local
        | Attribute::Sign
        | Attribute::SignRecover
        | Attribute::Decrypt
        | Attribute::Unwrap
        | Attribute::Derive
        | Attribute::Verify
        | Attribute::VerifyRecover
        | Attribute::Encrypt
        | Attribute::Wrap
        | Attribute::Trusted => None,
    }
}
