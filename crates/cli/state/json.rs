//! The state of a CA as JSON.

use std::collections::BTreeMap;

use ceremony::hex::{Octets, encode};
use ceremony::ledger::{Batch, Certificate, Crls, Key, Spare, Standing, State};
use ceremony::name::Name;
use ceremony::plan::{Ground, Order};
use ceremony::token::Holder;
use ceremony::x509::Reason;
use serde_json::{Value, json};

use super::{Now, Shown, describe};
use crate::lang::Lang;
use crate::output;

pub(super) fn state(shown: &Shown<'_>) -> Value {
    let (state, policy, at) = (shown.state, shown.policy, shown.at);
    let due = state.due(policy, at).into_iter();
    let due = due.map(|due| {
        json!({
            "by": due.by.to_string(),
            "what": describe(&due.kind, Lang::En),
            "overdue": due.is_overdue_at(at),
        })
    });
    let burned = state.burned.iter();
    let burned = burned.map(|(serial, burned)| {
        json!({ "serial": encode(serial), "certificate": burned.certificate.as_str() })
    });
    json!({
        "at": at.to_string(),
        "judged": shown.rests.name(),
        "ca": state.genesis.as_ref().map(|genesis| genesis.ca.as_str()),
        "mode": state.genesis.as_ref().map(|genesis| output::mode(genesis.mode)),
        "last": state.last.as_ref().map(|last| last.ceremony.as_str()),
        "abandoned": state.last.as_ref().and_then(|last| Some(last.abandoned?.to_string())),
        "head": state.last.as_ref().map(|last| last.predecessor.head.to_string()),
        "keys": keys(shown),
        "spares": spares(shown),
        "remains": remains(state),
        "certificates": certificates(state, at),
        "crl-batches": batches(state),
        "burned": burned.collect::<Vec<_>>(),
        "stopped": state.stopped.keys().map(|order| Order::name(*order)).collect::<Vec<_>>(),
        "due": due.collect::<Vec<_>>(),
    })
}

fn keys(shown: &Shown<'_>) -> Vec<Value> {
    let (state, policy, at) = (shown.state, shown.policy, shown.at);
    let key = |(name, key): (&Name, &Key)| {
        json!({
            "name": name.as_str(),
            "curve": key.curve.name(),
            "generation": key.generation,
            "made": key.made_at.to_string(),
            "age-days": key.serves_at(at).then(|| at.day().days_since(key.made_at.day())),
            "serves": key.serves_at(at),
            "spki-sha256": key.public.spki_digest().to_string(),
            "use-ends": key.use_ends(policy).ok().map(|end| end.to_string()),
            "compromised": key.compromised.map(|at| at.to_string()),
            "destroyed": key.destroyed.map(|at| at.to_string()),
            "lost": key.lost.map(|at| at.to_string()),
            "last-crl": last_crl(state, name, at),
        })
    };
    state.keys.iter().map(key).collect()
}

fn last_crl(state: &State, key: &Name, at: ceremony::time::Instant) -> Option<Value> {
    let batch = state.last_batch(key, at)?;
    let (crls, (_, until)) = (batch.crls.get(key)?, batch.covers(key)?);
    Some(json!({
        "this-update": crls.last.min(until).to_string(),
        "next-update": until.to_string(),
        "ceremony": batch.ceremony.as_str(),
    }))
}

fn spares(shown: &Shown<'_>) -> Vec<Value> {
    let spare = |(name, spare): (&Name, &Spare)| {
        let copies: Vec<&str> = spare.copies.iter().map(Name::as_str).collect();
        let kept = spare.copies.iter().map(|key| {
            json!({ "key": key.as_str(), "kept": shown.custody.get(&(name.clone(), key.clone())) })
        });
        let kept: Vec<Value> = kept.collect();
        json!({ "name": name.as_str(), "serial": spare.serial, "copies": copies, "custody": kept })
    };
    shown.state.spares.iter().map(spare).collect()
}

fn remains(state: &State) -> Vec<Value> {
    let of = |(token, left): (&Holder, &BTreeMap<Octets, Name>)| {
        let token = match token {
            Holder::Root => None,
            Holder::Spare(name) => Some(name.to_string()),
        };
        let each = left
            .iter()
            .map(|(id, key)| json!({ "token": token, "id": encode(&id.0), "key": key.as_str() }));
        each.collect::<Vec<_>>()
    };
    state.remains.iter().flat_map(of).collect()
}

fn certificates(state: &State, at: ceremony::time::Instant) -> Vec<Value> {
    let certificate = |(name, certificate): (&Name, &Certificate)| {
        let revoked = certificate.revoked().map(|revoked| {
            json!({
                "date": revoked.date.to_string(),
                "ground": revoked.ground.map(Ground::name),
                "reason": revoked.reason.map(Reason::name),
            })
        });
        json!({
            "name": name.as_str(),
            "profile": certificate.profile.name(),
            "ceremony": certificate.ceremony.as_str(),
            "serial": encode(&certificate.serial),
            "issuer": certificate.issuer.as_str(),
            "not-before": certificate.not_before.to_string(),
            "not-after": certificate.not_after.to_string(),
            "sha256": certificate.digest.to_string(),
            "standing": Now::of(state, certificate, at).name(),
            "withheld": certificate.standing == Standing::Withheld,
            "revoked": revoked,
        })
    };
    state.certificates.iter().map(certificate).collect()
}

fn batches(state: &State) -> Vec<Value> {
    let of_key = |(key, crls): (&Name, &Crls)| {
        json!({
            "key": key.as_str(),
            "first": crls.first.to_string(),
            "last": crls.last.to_string(),
            "next-update": crls.next_update.to_string(),
            "superseded-by": crls.superseded_by.as_ref().map(Name::as_str),
            "withdrawn": crls.withdrawn.map(|at| at.to_string()),
        })
    };
    let batch = |batch: &Batch| {
        json!({
            "ceremony": batch.ceremony.as_str(),
            "ended-at": batch.ended_at.to_string(),
            "crls": batch.crls.iter().map(of_key).collect::<Vec<_>>(),
            "numbers": [batch.numbers.0, batch.numbers.1],
            "entries": [batch.entries.0, batch.entries.1],
            "issued": batch.issued,
        })
    };
    state.batches.iter().map(batch).collect()
}
