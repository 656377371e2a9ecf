//! Judges the ledger head on a token against the one that the previous ceremony wrote and those
//! that this ceremony asked for.

use super::judge::Weighed;
use super::{Run, joined};
use crate::fault::{Fault, Why};
use crate::hex::Octets;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;

impl Run {
    /// Checks that the token has the head that it was asked to write, and no other.
    pub(super) fn weigh_head(&self, values: &[Octets]) -> Result<Weighed, Fault> {
        let asked = self.head_value();
        if values != core::slice::from_ref(&asked) {
            let wanted = shown(&asked);
            let wanted = says!(
                wanted;
                "トークン上の台帳の最新値(ひとつ): {wanted}",
                "one head on the token, {wanted}"
            );
            return Err(Fault::new(RuleId::S_LEDGER_HEAD, wanted, all(values)));
        }
        Ok(Weighed { head: Some(asked), ..Weighed::default() })
    }

    /// Checks that the token has the head of the previous ceremony, or one that this ceremony asked
    /// for before an interruption. A token with another head belongs to another history.
    pub(super) fn weigh_known_head(&self, values: &[Octets]) -> Result<Weighed, Fault> {
        let before = self.compiled().state.token_head.as_ref();
        let asked = &self.compiled().state.asked_heads;
        let known = |value| {
            before == Some(value) || self.asked_heads.contains(value) || asked.contains(value)
        };
        if !values.is_empty() && values.iter().all(known) {
            return Ok(Weighed::default());
        }
        let ends = before.map(shown).map_or_else(
            || {
                says!(
                    "最新値なし(手元の台帳に最新値はない)",
                    "no head, with which the ledger at hand ends"
                )
            },
            |value| {
                says!(
                    value;
                    "手元の台帳の最新値: {value}",
                    "the head with which the ledger at hand ends, {value}"
                )
            },
        );
        let latest = values.iter().filter_map(sequence).max();
        let heads = all(values);
        let (found, why) = match (before.and_then(sequence), latest) {
            (Some(ledger), Some(token)) if token > ledger => {
                let found = says!(
                    heads;
                    "トークンの最新値は後のセレモニーのもの: {heads}",
                    "the token's head is of a later ceremony, {heads}"
                );
                (found, Why::LaterHead)
            }
            (_, Some(_)) => {
                let found = says!(
                    heads;
                    "トークンの最新値は別のもの: {heads}",
                    "the token's head is another, {heads}"
                );
                (found, Why::Ruled)
            }
            (_, None) => (heads, Why::Ruled),
        };
        Err(Fault::new(RuleId::S_LEDGER_HEAD, ends, found).because(why))
    }
}

/// The sequence of a head that `head_value` made: sequence ‖ chain value.
fn sequence(value: &Octets) -> Option<u32> {
    match value.0.split_first_chunk() {
        Some((sequence, rest)) if rest.len() == 32 => Some(u32::from_be_bytes(*sequence)),
        Some(_) | None => None,
    }
}

/// The sequence and the first octets of a head, as people compare them.
fn shown(value: &Octets) -> Bilingual {
    let digits = crate::hex::encode(&value.0);
    match (sequence(value), digits.get(8..24)) {
        (Some(sequence), Some(first)) => {
            Bilingual::plain(format_args!("sequence {sequence} ({first}…)"))
        }
        (_, _) => says!("最新値でない {} オクテット", "{} octets that are no head", value.0.len()),
    }
}

fn all(values: &[Octets]) -> Bilingual {
    if values.is_empty() {
        return Bilingual::none();
    }
    joined(values.iter().map(shown), "、", ", ")
}
