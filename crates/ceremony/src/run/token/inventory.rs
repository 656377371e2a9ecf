//! Everything that is on a token, and whether the records know of it.

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
    /// R-HSM-DEDICATED: what is on the root token is what the records say, and what is in doubt;
    /// nothing else.
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

    /// Every key that is expected is there, whole; whatever else is there is in doubt, what the
    /// token's model brings with it, or a ledger head where there may be one.
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

    /// Every object that does not belong there. Those that bear labels of this CA come first: they
    /// may be its keys, under a plan or a ledger that does not know of them.
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
