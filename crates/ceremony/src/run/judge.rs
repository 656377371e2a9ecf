//! What an operation asks of the room, and whether an answer is as it was asked.
//!
//! Answers are claims. A public key must lie on its curve, attributes must be as asked, a signature
//! must verify over our own octets; a person must hold the role; a number must be the planned one.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::ask::words;
use super::{Fault, Run};
use crate::graph::{Act, Duty, Graph, Op, PlannedKey, Sheet};
use crate::hex::Octets;
use crate::key::{Check, PublicKey, Signature};
use crate::name::Name;
use crate::record::{Answer, Mode, Place, Said};
use crate::token::{Attribute, KeyFacts, TokenAnswer, TokenIdentity, TokenObject};
use crate::x509;

/// What an accepted answer changes.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    pub(super) key: Option<(Name, PublicKey)>,
    pub(super) signed: Vec<(String, Vec<u8>)>,
    pub(super) nonces: Vec<Vec<u8>>,
    pub(super) head: Option<Octets>,
    pub(super) checks: Vec<Check>,
}

/// What one signature of an operation must be on.
#[derive(Debug)]
pub struct Expected {
    subject: String,
    key: PublicKey,
    digest: Vec<u8>,
    /// The structure, where there is one to assemble.
    tbs: Option<Vec<u8>>,
}

impl Expected {
    /// The check that this raw signature is on what was asked.
    pub fn check(&self, raw: &Octets) -> Result<Check, Fault> {
        let signature = self.signature(raw)?;
        Ok(Check::new(&self.subject, &self.key, self.digest.clone(), signature))
    }

    fn signature(&self, raw: &Octets) -> Result<Signature, Fault> {
        Signature::from_raw(self.key.curve(), &raw.0).map_err(|error| {
            Fault::new("S-SIGNATURE", format!("a signature on {}", self.subject), error.to_string())
        })
    }

    fn into_check(self, signature: Signature) -> Check {
        Check::new(&self.subject, &self.key, self.digest, signature)
    }
}

/// Whether this place is one in which a ceremony of this mode may be held.
pub(super) fn place(graph: &Graph, mode: Mode, place: &Place) -> Result<(), Fault> {
    for text in [&place.room, &place.terminal, &place.tool, &place.image, &place.token] {
        words(text)?;
    }
    let rehearsal = *place == Place::rehearsal();
    if rehearsal != (mode == Mode::Rehearsal) {
        return Err(Fault::new("S-MODE", format!("a place of a {mode:?}"), format!("{place:?}")));
    }
    let in_production = graph.demands.production_serials.contains(&place.token);
    let asked = match mode {
        Mode::Drill if in_production => "a token that is not in production",
        Mode::Real if !in_production => "a token that the policy names as in production",
        Mode::Rehearsal | Mode::Drill | Mode::Real => return Ok(()),
    };
    Err(Fault::new("S-DRILL", asked, place.token.clone()))
}

impl Run {
    pub(super) fn weigh(&self, op: &Op, attempt: u32, answer: &Answer) -> Result<Weighed, Fault> {
        match (op.act.is_of_people(), answer) {
            (true, Answer::People(said)) => self.weigh_said(op, said).map(|()| Weighed::default()),
            (false, Answer::Token(answer)) => self.weigh_token(op, attempt, answer),
            (true, Answer::Token(_)) => {
                Err(Fault::new("S-ANSWER", "people's answer", "the token's"))
            }
            (false, Answer::People(_)) => {
                Err(Fault::new("S-ANSWER", "the token's answer", "people's"))
            }
        }
    }

    fn weigh_token(&self, op: &Op, attempt: u32, answer: &TokenAnswer) -> Result<Weighed, Fault> {
        match (&op.act, answer) {
            (Act::Identify, TokenAnswer::Identity(identity)) => self.weigh_identity(identity),
            (Act::Login | Act::Logout, TokenAnswer::Done {}) => Ok(Weighed::default()),
            (Act::Inventory, TokenAnswer::Objects { objects }) => self.weigh_inventory(objects),
            (Act::Generate { key }, TokenAnswer::Key(facts)) => {
                let public = self.judge_key(key, attempt, facts)?;
                Ok(Weighed { key: Some((key.clone(), public)), ..Weighed::default() })
            }
            (Act::ReadValue { .. } | Act::Wrap { .. }, TokenAnswer::Denied { code }) => {
                words(code)?;
                Ok(Weighed::default())
            }
            (Act::ReadValue { key } | Act::Wrap { key }, TokenAnswer::Yielded { octets }) => {
                Err(Fault::new(
                    "R-NO-TRANSFER",
                    format!(
                        "a token from which {key} cannot be taken ({} must fail)",
                        op.act.kind()
                    ),
                    format!("the token gave out {octets} octets; this token must not be used"),
                ))
            }
            (Act::SignHead | Act::Sign(_), TokenAnswer::Signatures { signatures }) => {
                self.weigh_signatures(op, attempt, signatures)
            }
            (Act::WriteHead, TokenAnswer::Heads { values }) => self.weigh_head(values),
            (Act::ReadHead, TokenAnswer::Heads { values }) => self.weigh_known_head(values),
            (Act::Destroy { .. }, TokenAnswer::Left { objects: 0 }) => Ok(Weighed::default()),
            (Act::Destroy { key }, TokenAnswer::Left { objects }) => Err(Fault::new(
                "R-DESTROY",
                format!("a token on which nothing of {key} is left"),
                format!("{objects} objects"),
            )),
            (act, _) => Err(Fault::new(
                "S-ANSWER",
                format!("an answer to {}", act.kind()),
                "an answer to something else",
            )),
        }
    }

    fn weigh_identity(&self, identity: &TokenIdentity) -> Result<Weighed, Fault> {
        let graph = self.graph();
        if identity.serial != self.place().token {
            return Err(Fault::new(
                "S-TOKEN-SERIAL",
                self.place().token.clone(),
                identity.serial.clone(),
            ));
        }
        let drill = identity.label.starts_with("DRILL");
        if drill != (self.opened().mode == Mode::Drill) && self.opened().mode != Mode::Rehearsal {
            return Err(Fault::new(
                "S-DRILL",
                "a token labelled DRILL in a drill, and only there",
                format!("label `{}` in a {:?}", identity.label, self.opened().mode),
            ));
        }
        let texts = [
            &identity.label,
            &identity.manufacturer,
            &identity.model,
            &identity.hardware,
            &identity.firmware,
        ];
        if texts.iter().any(|t| t.len() > 64 || t.chars().any(char::is_control)) {
            return Err(Fault::new(
                "S-ANSWER",
                "a token's description in plain text",
                "other characters",
            ));
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
                "S-TOKEN-MECHANISM",
                absent.join(", "),
                identity.mechanisms.join(", "),
            ));
        }
        Ok(Weighed::default())
    }

    /// R-HSM-DEDICATED: what is on the token is what the records say, nothing else.
    fn weigh_inventory(&self, objects: &[TokenObject]) -> Result<Weighed, Fault> {
        let graph = self.graph();
        let mut expected: BTreeMap<Octets, &PlannedKey> = BTreeMap::new();
        for key in graph.keys.iter().filter(|key| self.keys().contains_key(&key.name)) {
            expected.insert(self.id_of(&key.name)?, key);
        }
        let doubt = self.doubt.and_then(|i| self.op_at(i)).and_then(|op| {
            let Act::Generate { key } = &op.act else { return None };
            Some(graph.key(key)?.id(graph, self.attempt(op)))
        });
        let head = graph.head_label();
        for object in objects {
            let key = object.class == "private-key" || object.class == "public-key";
            let known =
                key && (expected.contains_key(&object.id) || doubt.as_ref() == Some(&object.id));
            let heads = self.session() > 0 || self.compiled().state.token_head.is_some();
            let ours = object.class == "data" && object.label == head && heads;
            if !known && !ours {
                return Err(Fault::new(
                    "R-HSM-DEDICATED",
                    format!("a token that holds only {} keys of this CA", expected.len()),
                    format!(
                        "an object {} `{}` {}",
                        object.class,
                        object.label,
                        crate::hex::encode(&object.id.0)
                    ),
                ));
            }
        }
        for (id, key) in expected {
            for class in ["private-key", "public-key"] {
                let found = objects.iter().filter(|o| o.class == class && o.id == id).count();
                if found != 1 {
                    return Err(Fault::new(
                        "S-KEY-ABSENT",
                        format!("one {class} of {}", key.name),
                        format!("{found}"),
                    ));
                }
            }
        }
        Ok(Weighed::default())
    }

    /// R-KEY-IN-HSM: exactly one pair, on the curve, with every attribute as it was asked.
    pub(super) fn judge_key(
        &self,
        key: &Name,
        attempt: u32,
        facts: &KeyFacts,
    ) -> Result<PublicKey, Fault> {
        let planned = self.planned(key)?;
        let template = planned.template(self.graph(), attempt);
        if (facts.privates, facts.publics) != (1, 1) {
            return Err(Fault::new(
                "R-KEY-IN-HSM",
                format!("one private and one public object of {key}"),
                format!("{} private, {} public", facts.privates, facts.publics),
            ));
        }
        let parameters = x509::curve_parameters(planned.curve);
        if facts.parameters.0 != parameters {
            return Err(Fault::new(
                "R-ALG",
                format!("the named curve {}", planned.curve.name()),
                crate::hex::encode(&facts.parameters.0),
            ));
        }
        let asked_labels = vec![template.label.clone(), template.label.clone()];
        if facts.labels != asked_labels {
            return Err(Fault::new(
                "R-KEY-IN-HSM",
                asked_labels.join(", "),
                facts.labels.join(", "),
            ));
        }
        for (side, asked, found) in [
            ("private", &template.expected_private, &facts.private),
            ("public", &template.public, &facts.public),
        ] {
            for (attribute, value) in asked {
                let found = found.get(attribute).copied().or(absent(*attribute));
                if found != Some(*value) {
                    return Err(Fault::new(
                        "R-KEY-IN-HSM",
                        format!("{side} {key} with {} = {value}", attribute.name()),
                        found.map_or("no such attribute".to_string(), |found| found.to_string()),
                    ));
                }
            }
            // LOCAL says where a public key comes from; every other attribute is a power.
            let power = |attribute: &Attribute| *attribute != Attribute::Local;
            let more = found
                .iter()
                .find(|(name, value)| **value && power(name) && !asked.contains_key(name));
            if let Some((attribute, _)) = more {
                let asked = format!("{side} {key} without {}", attribute.name());
                return Err(Fault::new("R-KEY-IN-HSM", asked, "true"));
            }
        }
        let public = PublicKey::from_point(planned.curve, &facts.point.0).map_err(|error| {
            Fault::new("S-PUBLIC-KEY", format!("a public key for {key}"), error.to_string())
        })?;
        if self.keys().values().any(|other| *other == public) {
            return Err(Fault::new(
                "S-PUBLIC-KEY",
                "a key that is not there already",
                key.to_string(),
            ));
        }
        if self.opened().mode == Mode::Rehearsal
            && template.rehearsal.public().as_ref() != Some(&public)
        {
            let asked = format!("the rehearsal's derived key for {key}");
            return Err(Fault::new("S-REHEARSAL-KEY", asked, "another key"));
        }
        Ok(public)
    }

    /// What the pending operation's signatures must be on, one after another.
    pub(super) fn expected(&self, op: &Op, attempt: u32) -> Result<Vec<Expected>, Fault> {
        match &op.act {
            Act::SignHead => {
                let (key, digest) = self.head_to_sign()?;
                let key = self.public(&key.name)?.clone();
                Ok(vec![Expected { subject: op.name.clone(), key, digest, tbs: None }])
            }
            Act::Sign(sheet) => {
                let key = self.public(&sheet.key)?;
                let expect = |(name, tbs): (&Name, Vec<u8>)| Expected {
                    subject: name.to_string(),
                    key: key.clone(),
                    digest: key.curve().digest(&tbs),
                    tbs: Some(tbs),
                };
                Ok(self.sheet(sheet, attempt)?.into_iter().map(expect).collect())
            }
            Act::Entry { .. }
            | Act::RollCall { .. }
            | Act::Papers
            | Act::Clock
            | Act::Identify
            | Act::Activate
            | Act::Login
            | Act::Inventory
            | Act::ReadHead
            | Act::Application { .. }
            | Act::Compromise { .. }
            | Act::Order { .. }
            | Act::Supersede { .. }
            | Act::ApproveDestruction { .. }
            | Act::Destroy { .. }
            | Act::HandOver { .. }
            | Act::Generate { .. }
            | Act::ReadValue { .. }
            | Act::Wrap { .. }
            | Act::Fingerprint { .. }
            | Act::Complete { .. }
            | Act::WriteHead
            | Act::Seal
            | Act::Logout
            | Act::Deactivate
            | Act::AnchorWords
            | Act::Exit { .. } => Ok(Vec::new()),
        }
    }

    fn weigh_signatures(&self, op: &Op, attempt: u32, raws: &[Octets]) -> Result<Weighed, Fault> {
        let expected = self.expected(op, attempt)?;
        if expected.len() != raws.len() {
            return Err(Fault::new(
                "S-SIGNATURE",
                format!("{} signatures", expected.len()),
                raws.len().to_string(),
            ));
        }
        let mut weighed = Weighed::default();
        for (expected, raw) in expected.into_iter().zip(raws) {
            let signature = expected.signature(raw)?;
            let r = signature.r().to_vec();
            if self.nonces.contains(&r) || weighed.nonces.contains(&r) {
                let found = format!("a repeated r, on {}", expected.subject);
                return Err(Fault::new("S-NONCE", "an r that was never seen", found));
            }
            weighed.nonces.push(r);
            if let Some(tbs) = &expected.tbs {
                let der = x509::assemble(tbs, expected.key.curve(), &signature);
                weighed.signed.push((expected.subject.clone(), der));
            }
            weighed.checks.push(expected.into_check(signature));
        }
        Ok(weighed)
    }

    fn weigh_head(&self, values: &[Octets]) -> Result<Weighed, Fault> {
        let asked = self.head_value();
        if values != core::slice::from_ref(&asked) {
            let found: Vec<String> = values.iter().map(|v| crate::hex::encode(&v.0)).collect();
            return Err(Fault::new(
                "S-LEDGER-HEAD",
                crate::hex::encode(&asked.0),
                found.join(", "),
            ));
        }
        Ok(Weighed { head: Some(asked), ..Weighed::default() })
    }

    /// The head that the ceremony before wrote, or this one before an interruption: a token that
    /// shows another has seen another history.
    fn weigh_known_head(&self, values: &[Octets]) -> Result<Weighed, Fault> {
        let before = self.compiled().state.token_head.as_ref();
        let highest = values.iter().max();
        let known = [before, self.written_head()];
        if highest.is_some() && known.contains(&highest) {
            return Ok(Weighed::default());
        }
        let show = |value: &Octets| crate::hex::encode(&value.0);
        let found: Vec<String> = values.iter().map(show).collect();
        Err(Fault::new(
            "S-LEDGER-HEAD",
            before.map_or_else(|| "none".to_string(), show),
            if found.is_empty() { "none".to_string() } else { found.join(", ") },
        ))
    }

    fn weigh_said(&self, op: &Op, said: &Said) -> Result<(), Fault> {
        if !said.by.is_sorted_by(|a, b| a < b) {
            return Err(Fault::new(
                "R-AUTHN",
                "people, each once, in order",
                format!("{:?}", said.by),
            ));
        }
        let on_duty = |person: &Name| op.by.iter().any(|duty| duty.persons.contains(person));
        if let Some(person) = said.by.iter().find(|person| !on_duty(person)) {
            return Err(Fault::new("R-WHO-OPERATES", duties(&op.by), person.to_string()));
        }
        for duty in &op.by {
            let met = said.by.iter().filter(|person| duty.persons.contains(person)).count();
            if met < duty.at_least {
                return Err(Fault::new(
                    "R-MULTI",
                    format!("{} of {}", duty.at_least, duty.role),
                    format!("{met}"),
                ));
            }
        }
        let facts = self.facts(op)?;
        if facts.len() != said.facts.len() {
            return Err(Fault::new(
                "S-ANSWER",
                format!("{} facts", facts.len()),
                format!("{}", said.facts.len()),
            ));
        }
        for fact in facts {
            let found = said.facts.get(fact.name).map_or("", String::as_str);
            fact.judge(found).map_err(|asked| {
                Fault::new(fact.rule, format!("{}: {asked}", fact.name), found.to_string())
            })?;
        }
        Ok(())
    }

    /// Every structure of a sheet with its octets to be signed.
    pub(super) fn sheet(
        &self,
        sheet: &Sheet,
        attempt: u32,
    ) -> Result<Vec<(&Name, Vec<u8>)>, Fault> {
        let graph = self.graph();
        let absent = |what: &str| {
            Fault::new("S-ORDER", "structures whose holes are filled", what.to_string())
        };
        let fill = |item: &crate::graph::Item| {
            let name = graph.item_name(*item).ok_or_else(|| absent("none"))?;
            let tbs = graph
                .to_be_signed(*item, attempt, self.keys())
                .map_err(|e| absent(&e.to_string()))?;
            Ok((name, tbs))
        };
        sheet.items.iter().map(fill).collect()
    }

    pub(super) fn planned(&self, key: &Name) -> Result<&PlannedKey, Fault> {
        self.graph()
            .key(key)
            .ok_or_else(|| Fault::new("S-ORDER", "a key of the graph", key.to_string()))
    }

    pub(super) fn audit(&self) -> Result<&PlannedKey, Fault> {
        self.graph().audit_key().ok_or_else(|| Fault::new("S-ORDER", "an audit key", "none"))
    }

    pub(super) fn public(&self, key: &Name) -> Result<&PublicKey, Fault> {
        self.keys()
            .get(key)
            .ok_or_else(|| Fault::new("S-ORDER", "a key that exists", key.to_string()))
    }

    pub(super) fn id_of(&self, key: &Name) -> Result<Octets, Fault> {
        let id = self.key_ids.get(key).cloned();
        id.ok_or_else(|| Fault::new("S-ORDER", "a key that exists", key.to_string()))
    }
}

/// PKCS #11: an absent ALWAYS_SENSITIVE, NEVER_EXTRACTABLE or WRAP_WITH_TRUSTED counts as false;
/// any other attribute that was set must be answered.
const fn absent(attribute: Attribute) -> Option<bool> {
    match attribute {
        Attribute::AlwaysSensitive | Attribute::NeverExtractable | Attribute::WrapWithTrusted => {
            Some(false)
        }
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

fn duties(by: &[Duty]) -> String {
    let duty = |d: &Duty| {
        let persons: Vec<&str> = d.persons.iter().map(Name::as_str).collect();
        format!("{} of {} ({})", d.at_least, d.role, persons.join(" "))
    };
    by.iter().map(duty).collect::<Vec<_>>().join(", ")
}
