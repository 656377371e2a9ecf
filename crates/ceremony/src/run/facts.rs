//! What a run knows so far. Nothing here changes it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use sha2::Digest as _;

use super::{ATTEMPTS, Book, Run, Signed, Stop};
use crate::compile::Compiled;
use crate::graph::{Act, Graph, Op, PeopleAct, Phase, TokenAct};
use crate::hex::{Digest, Octets};
use crate::key::{Nonce, PublicKey};
use crate::name::Name;
use crate::record::{Attempt, End, GENESIS, Opened, Place};
use crate::time::Instant;

impl Run {
    /// The graph of the ceremony.
    #[must_use]
    pub const fn graph(&self) -> &Graph {
        &self.compiled.graph
    }

    /// The graph, the bindings and the inputs.
    #[must_use]
    pub const fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// The first record.
    #[must_use]
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Where this session is held.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The chain value of the last record.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// The last head that people confirmed to be noted on paper; 32 zero octets before the first.
    #[must_use]
    pub fn noted_head(&self) -> Digest {
        self.noted.map_or(GENESIS, |noted| noted.head)
    }

    /// The operation after which the last head was noted; `None` before the first.
    #[must_use]
    pub fn noted_after(&self) -> Option<&Op> {
        self.noted.and_then(|noted| self.op_at(noted.after?))
    }

    /// The operation whose head is to be noted next, or was being noted when the session ended.
    #[must_use]
    pub fn due(&self) -> Option<&Op> {
        self.due.and_then(|due| self.op_at(due))
    }

    /// The time of the first record.
    #[must_use]
    pub const fn begun_at(&self) -> Instant {
        self.begun_at
    }

    /// The time of the last record.
    #[must_use]
    pub const fn last_at(&self) -> Instant {
        self.last_at
    }

    /// The number of records in this file.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.number
    }

    /// Which file the next record goes to.
    #[must_use]
    pub const fn book(&self) -> Book {
        self.book
    }

    /// The number of sessions before this one.
    #[must_use]
    pub const fn session(&self) -> u32 {
        self.session
    }

    /// Why the run was stopped; `None` if it was not.
    #[must_use]
    pub const fn stopped(&self) -> Option<&Stop> {
        self.stopped.as_ref()
    }

    /// Whether there is an audit key that can seal what has happened.
    #[must_use]
    pub const fn is_sealable(&self) -> bool {
        self.audit_ready
    }

    /// How the ceremony was closed; `None` if it was not.
    #[must_use]
    pub const fn closed(&self) -> Option<End> {
        self.closed
    }

    /// SHA-256 of the bundle that sealed it, once the postscript has begun.
    #[must_use]
    pub const fn sealed(&self) -> Option<Digest> {
        self.sealed
    }

    /// The public keys that exist at this point.
    #[must_use]
    pub const fn keys(&self) -> &BTreeMap<Name, PublicKey> {
        &self.keys
    }

    /// CKA_ID of a key that exists at this point.
    #[must_use]
    pub fn key_id(&self, key: &Name) -> Option<&Octets> {
        self.key_ids.get(key)
    }

    /// When a key was generated in this ceremony.
    #[must_use]
    pub fn made_at(&self, key: &Name) -> Option<Instant> {
        let made = |op: &Op| {
            let Act::Token(TokenAct::Generate { key: made }) = &op.act else { return false };
            made == key
        };
        self.done_ops().find(|(op, _)| made(op)).map(|(_, at)| at)
    }

    /// Every operation that was answered, with the time of its last answer.
    pub fn done_ops(&self) -> impl Iterator<Item = (&Op, Instant)> {
        let ops = self.graph().ops.iter().zip(&self.ops);
        ops.filter_map(|(op, state)| Some((op, state.at?)))
    }

    /// Whether this attempt is one too many, because no number is left for it.
    #[must_use]
    pub fn is_exhausted(&self, asked: &Attempt) -> bool {
        let op = self.graph().op(&asked.op);
        asked.attempt >= ATTEMPTS && op.is_some_and(|op| op.act.is_numbered())
    }

    /// The operations after the seal that people refused, so that they stay undone.
    pub fn undone_after_the_seal(&self) -> impl Iterator<Item = &Op> {
        let ops = self.graph().ops.iter().zip(&self.ops);
        let refused = ops.filter(|(op, state)| {
            op.act.phase() == Phase::Postscript && state.done && state.at.is_none()
        });
        refused.map(|(op, _)| op)
    }

    /// Every operation with the number of its attempts that were lost or never answered.
    pub fn attempts(&self) -> impl Iterator<Item = (&Op, u32)> {
        let ops = self.graph().ops.iter().zip(&self.ops);
        ops.map(|(op, state)| {
            let index = Some(op.id.index());
            let open = self.pending == index || self.burn == index;
            (op, state.attempt + u32::from(open))
        })
    }

    /// Every operation, with its last attempt, that may have left something on a token: a key
    /// generation if its result is unknown, any other operation once it was asked.
    pub(crate) fn begun(&self) -> impl Iterator<Item = (&Op, u32)> {
        let ops = self.graph().ops.iter().zip(&self.ops);
        ops.filter_map(|(op, state)| {
            let index = Some(op.id.index());
            let open = self.pending == index || self.burn == index || self.doubt == index;
            let settles = matches!(op.act, Act::Token(TokenAct::Generate { .. }));
            let copies = matches!(
                op.act,
                Act::Token(TokenAct::Copy { .. }) | Act::People(PeopleAct::Clone { .. })
            );
            let left = open || (copies && state.done) || (!settles && self.was_asked(op));
            left.then_some((op, state.attempt))
        })
    }

    /// Whether an operation was asked and is not done, so that it is unknown what it left.
    pub(super) fn was_asked(&self, op: &Op) -> bool {
        let index = Some(op.id.index());
        let state = self.ops.get(op.id.index()).copied().unwrap_or_default();
        let open = self.pending == index || self.burn == index || state.attempt > 0;
        open && !state.done
    }

    /// The ledger head on the token, if this ceremony wrote it.
    #[must_use]
    pub const fn written_head(&self) -> Option<&Octets> {
        self.written_head.as_ref()
    }

    /// Every ledger head that this ceremony asked the token to write; any of them may be on it.
    pub(crate) const fn asked_heads(&self) -> &BTreeSet<Octets> {
        &self.asked_heads
    }

    /// Every structure that is signed at this point, by name.
    #[must_use]
    pub const fn signed(&self) -> &BTreeMap<String, Signed> {
        &self.signed
    }

    /// The signatures that were accepted but are not verified yet, by the name of what they sign.
    pub fn owed(&self) -> impl Iterator<Item = &str> {
        self.owed.values().map(String::as_str)
    }

    /// The audit key's public key.
    #[must_use]
    pub fn audit_public(&self) -> Option<&PublicKey> {
        self.keys.get(&self.graph().audit_key()?.name)
    }

    /// The chain value of the transcript's last record, also when the postscript has begun.
    #[must_use]
    pub const fn transcript_head(&self) -> Digest {
        match self.book {
            Book::Transcript => self.head,
            Book::Postscript => self.transcript_head,
        }
    }

    /// SHA-256 of the transcript's octets so far.
    #[must_use]
    pub fn transcript_digest(&self) -> Digest {
        Digest(self.transcript_hash.clone().finalize().into())
    }

    /// The r value of every signature of this ceremony except the seal's.
    pub(crate) fn nonces(&self) -> impl Iterator<Item = &Nonce> {
        self.nonces.iter()
    }

    /// The chain value of the postscript's last record; 32 zero octets before it has one.
    #[must_use]
    pub const fn postscript_head(&self) -> Digest {
        match self.book {
            Book::Transcript => GENESIS,
            Book::Postscript => self.head,
        }
    }

    /// The time of the transcript's last record, which is the closing record if there is one.
    #[must_use]
    pub const fn ended_at(&self) -> Instant {
        match self.closed {
            Some(_) => self.ended_at,
            None => self.last_at(),
        }
    }
}
