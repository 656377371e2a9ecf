//! Compiles ceremony plans and judges what happened in ceremonies.
//!
//! A plan is read, compiled to a graph of operations, walked by a run, recorded as a transcript,
//! and judged by walking the transcript again. In short: **the graph asks, the room answers, the
//! transcript remembers, and replay is the judge.**
//!
//! Read the modules in this order: `plan`, `cps`, `policy`, `roster` (what is wanted); `ledger`
//! (what earlier ceremonies left); `compile`, `rules`, `graph`, `bindings` (what the plan means);
//! `token`, `run`, `record` (what happened); `seal`, `verify`, `artefact` (whether the records
//! hold); `path` (whether an issued certificate may be relied on).
//!
//! **Invariant:** this crate has no effects. It is `no_std`: it cannot touch a file, a clock, the
//! environment, a source of randomness, a terminal or a token.
#![no_std]

extern crate alloc;

pub mod bounds;
mod certain;
pub mod fault;
pub mod hex;
pub mod language;
pub mod name;
pub mod rule;
pub mod text;
pub mod time;
pub mod words;

pub mod document;

pub mod violation;

pub mod anchor;
pub mod canonical;
pub mod cps;
pub mod inputs;
pub mod plan;
pub mod policy;
pub mod room;
pub mod roster;
pub mod tool_release;

pub mod key;
pub mod rehearsal;
pub mod serial;
pub mod x509;

pub mod approval;
pub mod ledger;
pub mod register;
pub mod released;

pub mod bindings;
pub mod compile;
pub mod diff;
pub mod draft;
pub mod drawing;
pub mod graph;
pub mod notice;
pub mod pace;
pub mod rules;
pub mod script;
pub mod walk;

mod dsse;
pub mod record;
pub mod run;
pub mod token;

mod fold;
mod releases;

pub mod attestation;
pub mod calendar;

pub mod artefact;
pub mod seal;
pub mod verify;

pub mod path;

pub mod publish;
