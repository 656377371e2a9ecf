//! Compares the objects on a token with the records.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::super::judge::Weighed;
use super::super::{Run, joined};
use crate::fault::{Fault, Why};
use crate::graph::{Act, PeopleAct, TokenAct};
use crate::hex::Octets;
use crate::language::Bilingual;
use crate::name::Name;
use crate::rule::RuleId;
use crate::says;
use crate::token::{Holder, TokenObject, is_stray};

/// What must and may be on a token according to the records.
struct Known {
    /// The CKA_IDs of the keys that must be there.
    expected: BTreeMap<Octets, Name>,
    /// The CKA_IDs of objects that may be there.
    doubtful: BTreeSet<Octets>,
    /// The label of the ledger head, if there may be one.
    head: Option<String>,
    /// The labels of keys whose generation or copying was begun.
    begun: Vec<String>,
}

impl Run {
    /// R-HSM-DEDICATED: the root token has exactly what the records say, and perhaps objects whose
    /// existence is unknown.
    pub(in crate::run) fn weigh_inventory(
        &self,
        objects: &[TokenObject],
    ) -> Result<Weighed, Fault> {
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

    /// Whether this ceremony or an earlier one asked for a ledger head to be written and its
    /// outcome is unknown.
    fn has_asked_heads(&self) -> bool {
        !self.asked_heads.is_empty() || !self.compiled().state.asked_heads.is_empty()
    }

    /// The labels of keys whose generation or copying on this token was begun and has no known end.
    /// Objects without a CKA_ID may belong to them.
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

    /// Compares the objects on a token with the records after it failed to make something.
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

    /// The same for a token that holds copies: those of the records, those made in this ceremony,
    /// and perhaps objects whose existence is unknown.
    pub(in crate::run) fn weigh_spare(
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

    /// The CKA_IDs of objects that may be there: of keys whose destruction on this token was begun
    /// and is not done, and of remains that are still to be cleared. What is done is gone.
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

    /// Checks that every expected key is there and complete, and that every other object may be
    /// there: it is of unknown existence, of the token's model, or a permitted ledger head.
    fn compare(&self, objects: &[TokenObject], known: &Known) -> Result<Weighed, Fault> {
        let Known { expected, doubtful, head, begun } = known;
        let brought = &self.graph().demands.may_hold;
        let mut strange = Vec::new();
        for object in objects {
            if !object.label.is_empty() && super::super::words(&object.label).is_err() {
                let asked = says!(
                    "CKA_LABEL に見えない文字を含まないオブジェクト",
                    "objects whose labels are plain text"
                );
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
                    let asked = says!("{key} の {class} 1 個", "one {class} of {key}");
                    return Err(Fault::new(RuleId::S_KEY_ABSENT, asked, Bilingual::plain(found)));
                }
            }
        }
        Ok(Weighed::default())
    }

    /// Returns the objects that do not belong there. Those with labels of this CA come first,
    /// because they may be its keys, under a plan or ledger that does not know them.
    fn not_dedicated(&self, keys: usize, strange: &[&TokenObject]) -> Fault {
        let ours = self.graph().label_of("");
        let why = match strange.iter().any(|object| object.label.starts_with(&ours)) {
            true => Why::OwnLabels,
            false => Why::Ruled,
        };
        let (ours, others): (Vec<&TokenObject>, Vec<&TokenObject>) =
            strange.iter().partition(|object| object.label.starts_with(&ours));
        let listed = |objects: Vec<&TokenObject>, of: Bilingual| {
            let any = !objects.is_empty();
            let names = joined(objects.into_iter().map(described), "、", ", ");
            any.then(|| says!(of, names; "{of}: {names}", "{of}: {names}"))
        };
        let found = [
            listed(ours, says!("この認証局のラベルの付いたもの", "with labels of this CA")),
            listed(others, says!("ほかのもの", "of others")),
        ];
        let found = joined(found.into_iter().flatten(), "; ", "; ");
        let asked = says!(
            "この認証局の鍵 {keys} 個だけを持つトークン",
            "a token that holds only {keys} keys of this CA"
        );
        Fault::new(RuleId::R_HSM_DEDICATED, asked, found).because(why)
    }
}

fn described(object: &TokenObject) -> Bilingual {
    let id = match object.id.0.as_slice() {
        [] => says!("(CKA_ID なし)", "without CKA_ID"),
        id => Bilingual::plain(crate::hex::encode(id)),
    };
    says!(id; "{} `{}` {id}", "{} `{}` {id}", object.class, object.label)
}
