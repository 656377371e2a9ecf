//! What a token says of itself and its objects, and whether it is as it was asked.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::Run;
use super::judge::Weighed;
use crate::fault::Fault;
use crate::graph::{Act, PeopleAct, PlannedKey, TokenAct};
use crate::hex::Octets;
use crate::key::PublicKey;
use crate::name::Name;
use crate::record::Mode;
use crate::rule::RuleId;
use crate::token::{
    Attribute, CopyFacts, Holder, KeyFacts, KeyTemplate, TokenIdentity, TokenObject, is_stray,
};
use crate::x509;

impl Run {
    /// The serial number of a token that takes part.
    pub(super) fn serial_of(&self, token: &Holder) -> Result<String, Fault> {
        let serial = match token {
            Holder::Root => Some(&self.place().token),
            Holder::Spare(name) => self.place().spares.get(name),
        };
        serial
            .cloned()
            .ok_or_else(|| Fault::new(RuleId::S_TOKEN_SERIAL, "a token of the room", "none"))
    }

    pub(super) fn weigh_identity(
        &self,
        token: &Holder,
        identity: &TokenIdentity,
    ) -> Result<Weighed, Fault> {
        let graph = self.graph();
        let serial = self.serial_of(token)?;
        if identity.serial != serial {
            return Err(Fault::new(RuleId::S_TOKEN_SERIAL, serial, identity.serial.clone()));
        }
        let drill = identity.label.starts_with("DRILL");
        if drill != (self.opened().mode == Mode::Drill) && self.opened().mode != Mode::Rehearsal {
            return Err(Fault::new(
                RuleId::S_DRILL,
                "a token labelled DRILL in a drill, and only there",
                format!("label `{}` in a {:?}", identity.label, self.opened().mode),
            ));
        }
        for (field, text) in [
            ("label", &identity.label),
            ("manufacturer", &identity.manufacturer),
            ("model", &identity.model),
            ("hardware", &identity.hardware),
            ("firmware", &identity.firmware),
        ] {
            // 32 octets, each of which may be written as \xNN.
            let plain = text.is_empty() || super::words(text).is_ok();
            if text.len() > 128 || !plain {
                let asked = format!("the token's {field} in plain text");
                return Err(Fault::new(RuleId::S_ANSWER, asked, "other characters"));
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
                absent.join(", "),
                identity.mechanisms.join(", "),
            ));
        }
        Ok(Weighed::default())
    }

    /// R-HSM-DEDICATED: what is on the root token is what the records say, and what is in doubt;
    /// nothing else.
    pub(super) fn weigh_inventory(&self, objects: &[TokenObject]) -> Result<Weighed, Fault> {
        let graph = self.graph();
        let mut expected = BTreeMap::new();
        for key in graph.keys.iter().filter(|key| self.keys().contains_key(&key.name)) {
            expected.insert(self.id_of(&key.name)?, key.name.clone());
        }
        let mut doubtful = self.vanishing_on(&Holder::Root)?;
        if let Some(op) = self.doubt.or(self.pending).and_then(|i| self.op_at(i))
            && let Act::Token(TokenAct::Generate { key }) = &op.act
        {
            doubtful.insert(self.planned(key)?.id(graph, self.attempt(op)));
        }
        let heads = self.session() > 0 || self.compiled().state.token_head.is_some();
        let head = (heads || self.has_asked_heads()).then(|| graph.head_label());
        let known = Known { expected, doubtful, head, begun: self.begun_on(&Holder::Root) };
        self.compare(objects, &known)
    }

    /// Whether a ledger head was asked to be written, here or by a ceremony before, of which nobody
    /// knows whether it was.
    fn has_asked_heads(&self) -> bool {
        !self.asked_heads.is_empty() || !self.compiled().state.asked_heads.is_empty()
    }

    /// The labels of keys whose making on this token was begun and not seen to its end: what bears
    /// no CKA_ID may be of them.
    fn begun_on(&self, holder: &Holder) -> Vec<String> {
        let mut labels = Vec::new();
        for op in &self.graph().ops {
            // An earlier ceremony did not see the end of it; it is cleared here.
            if let Act::Token(TokenAct::Clear { key, token, .. }) = &op.act
                && token == holder
            {
                labels.push(self.graph().key_label(key));
            }
            // No other act makes a key on a token.
            let here = if let Act::Token(TokenAct::Generate { key }) = &op.act {
                (*holder == Holder::Root).then_some(key)
            } else if let Act::Token(TokenAct::Copy { key, to }) = &op.act {
                (*holder == Holder::Spare(to.clone())).then_some(key)
            } else {
                None
            };
            let open = self.was_asked(op) || self.doubt == Some(op.id.index());
            if let Some(planned) = here.filter(|_| open).and_then(|key| self.graph().key(key)) {
                labels.push(planned.label(self.graph()));
            }
        }
        labels
    }

    /// Compares everything on a token with what the records say of it, after something that was to
    /// be made there failed.
    pub fn compare_with_inventory(
        &self,
        holder: &Holder,
        objects: &[TokenObject],
    ) -> Result<(), Fault> {
        match holder {
            Holder::Root => self.weigh_inventory(objects),
            Holder::Spare(spare) => self.weigh_spare(spare, objects),
        }
        .map(drop)
    }

    /// The same of a token that holds copies: those of the records, those made here, and what is in
    /// doubt.
    pub(super) fn weigh_spare(
        &self,
        spare: &Name,
        objects: &[TokenObject],
    ) -> Result<Weighed, Fault> {
        let mut copies = self.graph().spares.get(spare).cloned().unwrap_or_default();
        let mut doubtful = BTreeSet::new();
        for (op, state) in self.graph().ops.iter().zip(&self.ops) {
            let copied = if let Act::Token(TokenAct::Copy { key, to }) = &op.act
                && to == spare
            {
                Some((key, state.done))
            } else if let Act::People(PeopleAct::Clone { key, to }) = &op.act
                && to == spare
            {
                // What people cloned is there once they began; it is known once it was read back.
                Some((key, false))
            } else if let Act::Token(TokenAct::Inspect { key, token: Holder::Spare(name) }) =
                &op.act
                && name == spare
            {
                Some((key, state.done))
            } else {
                None
            };
            match copied {
                Some((key, true)) => {
                    copies.insert(key.clone());
                }
                Some((key, false)) if state.done || self.was_asked(op) => {
                    doubtful.insert(self.id_of(key)?);
                }
                Some(_) | None => {}
            }
        }
        copies.retain(|key| !self.is_destroyed_on(&Holder::Spare(spare.clone()), key));
        let mut expected = BTreeMap::new();
        for key in copies {
            let id = self.id_of(&key)?;
            doubtful.remove(&id);
            expected.insert(id, key);
        }
        doubtful.extend(self.vanishing_on(&Holder::Spare(spare.clone()))?);
        let begun = self.begun_on(&Holder::Spare(spare.clone()));
        self.compare(objects, &Known { expected, doubtful, head: None, begun })
    }

    /// CKA_ID of every key whose destruction on this token was begun and is not done, and of
    /// everything that is still to be cleared: it may be there or not. What is done is gone.
    fn vanishing_on(&self, holder: &Holder) -> Result<BTreeSet<Octets>, Fault> {
        let mut ids = BTreeSet::new();
        for (op, state) in self.graph().ops.iter().zip(&self.ops) {
            if let Act::Token(TokenAct::Destroy { key, token }) = &op.act
                && token == holder
                && self.was_asked(op)
            {
                ids.insert(self.id_of(key)?);
            } else if let Act::Token(TokenAct::Clear { id, token, .. }) = &op.act
                && token == holder
                && !state.done
            {
                ids.insert(id.clone());
            }
        }
        Ok(ids)
    }

    fn is_destroyed_on(&self, holder: &Holder, key: &Name) -> bool {
        let mut ops = self.graph().ops.iter().zip(&self.ops);
        ops.any(|(op, state)| {
            let Act::Token(TokenAct::Destroy { key: destroyed, token }) = &op.act else {
                return false;
            };
            state.done && destroyed == key && token == holder
        })
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
        let public = self.judge_facts(planned, &template, facts)?;
        if self.keys().values().any(|other| *other == public) {
            return Err(Fault::new(
                RuleId::S_PUBLIC_KEY,
                "a key that is not there already",
                key.to_string(),
            ));
        }
        if self.opened().mode == Mode::Rehearsal
            && template.rehearsal.public().as_ref() != Some(&public)
        {
            let asked = format!("the rehearsal's derived key for {key}");
            return Err(Fault::new(RuleId::S_REHEARSAL_KEY, asked, "another key"));
        }
        Ok(public)
    }

    /// Exactly one pair, on the curve, with every attribute as the template has it.
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
                format!("one private and one public object of {key}"),
                format!("{} private, {} public", facts.privates, facts.publics),
            ));
        }
        if facts.strays != 0 {
            let asked = format!("a token with nothing of {key} but the pair");
            let found = format!("{} objects without a CKA_ID as well", facts.strays);
            return Err(Fault::new(RuleId::R_KEY_IN_HSM, asked, found));
        }
        let parameters = x509::curve_parameters(planned.curve);
        if facts.parameters.0 != parameters {
            return Err(Fault::new(
                RuleId::R_ALG,
                format!("the named curve {}", planned.curve.name()),
                crate::hex::encode(&facts.parameters.0),
            ));
        }
        let asked_labels = vec![template.label.clone(), template.label.clone()];
        if facts.labels != asked_labels {
            return Err(Fault::new(
                RuleId::R_KEY_IN_HSM,
                asked_labels.join(", "),
                facts.labels.join(", "),
            ));
        }
        for (side, asked, found) in [
            ("private", &template.expected_private, &facts.private),
            ("public", &template.expected_public, &facts.public),
        ] {
            for (attribute, value) in asked {
                let found = found.get(attribute).copied().or(absent(*attribute));
                // That the module cannot tell it was reviewed, and stands in the record.
                let not_told = found.is_none() && template.not_told.contains(attribute);
                // A public key that only its user sees is no less safe (CloudHSM has no other).
                let either = side == "public" && *attribute == Attribute::Private;
                if found != Some(*value) && !not_told && !either {
                    return Err(Fault::new(
                        RuleId::R_KEY_IN_HSM,
                        format!("{side} {key} with {} = {value}", attribute.name()),
                        found.map_or("no such attribute".to_string(), |found| found.to_string()),
                    ));
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
            let more = found
                .iter()
                .find(|(name, value)| **value && power(name) && !asked.contains_key(name));
            if let Some((attribute, _)) = more {
                let asked = format!("{side} {key} without {}", attribute.name());
                return Err(Fault::new(RuleId::R_KEY_IN_HSM, asked, "true"));
            }
        }
        let public = PublicKey::from_point(planned.curve, &facts.point.0).map_err(|error| {
            Fault::new(RuleId::S_PUBLIC_KEY, format!("a public key for {key}"), error.to_string())
        })?;
        Ok(public)
    }

    /// R-BACKUP: what people cloned is the key, as secret as it was made.
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
            let asked = format!("a copy with the public key of {key}");
            return Err(Fault::new(RuleId::R_BACKUP, asked, "another public key"));
        }
        Ok(Weighed::default())
    }

    /// R-BACKUP: the copy is the key, with every attribute as it was asked; it travelled under a
    /// key that wraps and nothing else, and nothing of the agreement is left.
    pub(super) fn weigh_copy(&self, key: &Name, facts: &CopyFacts) -> Result<Weighed, Fault> {
        let planned = self.planned(key)?;
        let template = planned.template(self.graph(), 0).copied();
        let found = self.judge_facts(planned, &template, &facts.key)?;
        if found != *self.public(key)? {
            let asked = format!("a copy with the public key of {key}");
            return Err(Fault::new(RuleId::R_BACKUP, asked, "another public key"));
        }
        let mechanisms = facts.mechanisms.join(", ");
        if mechanisms != COPY_MECHANISMS {
            return Err(Fault::new(RuleId::R_BACKUP, COPY_MECHANISMS, mechanisms));
        }
        let left = (facts.source_left, facts.target_left);
        if left != (0, 0) {
            let found = format!("{} on the source, {} on the target", left.0, left.1);
            return Err(Fault::new(RuleId::R_BACKUP, "nothing left of the agreement", found));
        }
        for (side, attributes, power) in [
            ("source", &facts.wrapping, Attribute::Wrap),
            ("target", &facts.unwrapping, Attribute::Unwrap),
        ] {
            for (attribute, asked) in
                [(Attribute::Trusted, true), (Attribute::Extractable, false), (power, true)]
            {
                if attributes.get(&attribute) != Some(&asked) {
                    let asked =
                        format!("an agreed key on the {side} with {} = {asked}", attribute.name());
                    return Err(Fault::new(RuleId::R_BACKUP, asked, "another"));
                }
            }
        }
        Ok(Weighed::default())
    }
}

/// ECDH (SP 800-56A), then RFC 5649, by PKCS #11's names.
const COPY_MECHANISMS: &str = "CKM_ECDH1_DERIVE, CKM_AES_KEY_WRAP_PAD";

/// What the records say of a token.
struct Known {
    /// The keys that are there, by CKA_ID.
    expected: BTreeMap<Octets, Name>,
    /// CKA_ID of what may be there or not.
    doubtful: BTreeSet<Octets>,
    /// The label of the ledger head, where there may be one.
    head: Option<String>,
    /// The labels of keys whose making was begun.
    begun: Vec<String>,
}

impl Run {
    /// Every key that is expected is there, whole; whatever else is there is in doubt, what the
    /// token's model brings with it, or a ledger head where there may be one.
    fn compare(&self, objects: &[TokenObject], known: &Known) -> Result<Weighed, Fault> {
        let Known { expected, doubtful, head, begun } = known;
        let brought = &self.graph().demands.may_hold;
        let mut strange = Vec::new();
        for object in objects {
            if !object.label.is_empty() && super::words(&object.label).is_err() {
                let asked = "objects whose labels are plain text";
                return Err(Fault::new(RuleId::S_ANSWER, asked, described(object)));
            }
            let key = object.class == "private-key" || object.class == "public-key";
            let known = expected.contains_key(&object.id) || doubtful.contains(&object.id);
            // A head whose writing was interrupted may have no label yet.
            let cut = object.label.is_empty() && self.has_asked_heads();
            let is_head = head.as_ref().is_some_and(|label| *label == object.label || cut);
            let in_order = (object.class == "data" && is_head)
                || (key && known)
                || begun.iter().any(|label| is_stray(object, label))
                || brought.contains(&(object.class.clone(), object.label.clone()));
            if !in_order {
                strange.push(object);
            }
        }
        if !strange.is_empty() {
            return Err(self.not_dedicated(expected.len(), &strange));
        }
        for (id, key) in expected.iter().filter(|(id, _)| !doubtful.contains(*id)) {
            for class in ["private-key", "public-key"] {
                let found = objects.iter().filter(|o| o.class == class && o.id == *id).count();
                if found != 1 {
                    let asked = format!("one {class} of {key}");
                    return Err(Fault::new(RuleId::S_KEY_ABSENT, asked, format!("{found}")));
                }
            }
        }
        Ok(Weighed::default())
    }

    /// Every object that does not belong there. Those that bear labels of this CA come first: they
    /// may be its keys, under a plan or a ledger that does not know of them.
    fn not_dedicated(&self, keys: usize, strange: &[&TokenObject]) -> Fault {
        let ours = self.graph().label_of("");
        let (ours, others): (Vec<&TokenObject>, Vec<&TokenObject>) =
            strange.iter().partition(|object| object.label.starts_with(&ours));
        let listed = |objects: Vec<&TokenObject>, of: &str| {
            let names: Vec<String> = objects.into_iter().map(described).collect();
            (!names.is_empty()).then(|| format!("{of}: {}", names.join(", ")))
        };
        let found = [listed(ours, "with labels of this CA"), listed(others, "of others")];
        let found: Vec<String> = found.into_iter().flatten().collect();
        let asked = format!("a token that holds only {keys} keys of this CA");
        Fault::new(RuleId::R_HSM_DEDICATED, asked, found.join("; "))
    }
}

fn described(object: &TokenObject) -> String {
    let id = match object.id.0.as_slice() {
        [] => "without CKA_ID".to_string(),
        id => crate::hex::encode(id),
    };
    format!("{} `{}` {id}", object.class, object.label)
}

/// PKCS #11: an absent ALWAYS_SENSITIVE, NEVER_EXTRACTABLE or WRAP_WITH_TRUSTED counts as false;
/// COPYABLE is of 2.40 and later, and a module that does not know it copies nothing by it. Any
/// other attribute must be answered.
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
