//! gishiki runs the key ceremonies of an offline root CA from version-controlled plans.
//!
//! This package brings plan, token, people, clock and media together, and writes files. It never
//! signs, encodes or decides: that is in `ceremony` and `token`. Read in this order: `args`,
//! `commands`, `conduct`, `journal`, `people`.

mod abandon;
mod args;
mod commands;
mod conduct;
mod diff;
mod ends;
mod exit;
mod files;
#[cfg(feature = "image")]
mod image;
mod journal;
mod ledgers;
mod live;
mod memory;
mod output;
mod partial;
mod people;
mod places;
mod probe;
mod proofs;
mod rehearsals;
mod report;
mod resume;
mod room;
mod secrets;
mod signals;
#[cfg(test)]
mod simulator;
mod state;
mod tokens;
mod validate;
mod verdicts;

fn main() -> std::process::ExitCode {
    exit::run()
}
