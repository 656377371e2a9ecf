//! The ledger head on a token: the one that the ceremony before wrote, and the one that this
//! ceremony has asked for.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Run;
use super::judge::Weighed;
use crate::fault::Fault;
use crate::hex::Octets;
use crate::rule::RuleId;

impl Run {
    /// The token shows the head that it was asked to keep, and no other.
    pub(super) fn weigh_head(&self, values: &[Octets]) -> Result<Weighed, Fault> {
        let asked = self.head_value();
        if values != core::slice::from_ref(&asked) {
            let wanted = format!("one head on the token, {}", shown(&asked));
            return Err(Fault::new(RuleId::S_LEDGER_HEAD, wanted, all(values)));
        }
        Ok(Weighed { head: Some(asked), ..Weighed::default() })
    }

    /// The head that the ceremony before wrote, or those that this one asked to be written before
    /// an interruption: a token that shows another has seen another history.
    pub(super) fn weigh_known_head(&self, values: &[Octets]) -> Result<Weighed, Fault> {
        let before = self.compiled().state.token_head.as_ref();
        let asked = &self.compiled().state.asked_heads;
        let known = |value| {
            before == Some(value) || self.asked_heads.contains(value) || asked.contains(value)
        };
        if !values.is_empty() && values.iter().all(known) {
            return Ok(Weighed::default());
        }
        let ends = before.map_or_else(
            || "no head, with which the ledger at hand ends".to_string(),
            |value| format!("the head with which the ledger at hand ends, {}", shown(value)),
        );
        let latest = values.iter().filter_map(sequence).max();
        let found = match (before.and_then(sequence), latest) {
            (Some(ledger), Some(token)) if token > ledger => {
                format!("the token's head is of a later ceremony, {}", all(values))
            }
            (_, Some(_)) => format!("the token's head is another, {}", all(values)),
            (_, None) => all(values),
        };
        Err(Fault::new(RuleId::S_LEDGER_HEAD, ends, found))
    }
}

/// sequence ‖ chain value, as `head_value` makes it.
fn sequence(value: &Octets) -> Option<u32> {
    match value.0.split_first_chunk() {
        Some((sequence, rest)) if rest.len() == 32 => Some(u32::from_be_bytes(*sequence)),
        Some(_) | None => None,
    }
}

/// The sequence and the first octets: as much as a person compares.
fn shown(value: &Octets) -> String {
    let digits = crate::hex::encode(&value.0);
    match (sequence(value), digits.get(8..24)) {
        (Some(sequence), Some(first)) => format!("sequence {sequence} ({first}…)"),
        (_, _) => format!("{} octets that are no head", value.0.len()),
    }
}

fn all(values: &[Octets]) -> String {
    if values.is_empty() {
        return "none".to_string();
    }
    values.iter().map(shown).collect::<Vec<_>>().join(", ")
}
