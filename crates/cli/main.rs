//! gishiki runs the key ceremonies of an offline root CA from version-controlled plans.
//!
//! This package brings plan, token, people, clock and media together, and writes files. It never
//! signs, encodes or decides: that is in `ceremony` and `token`. Read in this order: `args`,
//! `commands` (which file performs which command), `run`, `held`, `conduct`, `journal`, `people`.

mod abandon;
mod activation;
mod approvals;
mod args;
#[cfg(feature = "image")]
mod attestations;
mod cards;
mod check;
mod choices;
mod clock;
mod commands;
mod completions;
mod conduct;
mod diff;
mod drill;
mod duties;
mod ends;
mod events;
mod exit;
mod files;
mod halt;
mod held;
mod help;
#[cfg(feature = "image")]
mod image;
mod journal;
mod judged;
mod keyless;
mod lang;
mod ledgers;
mod live;
mod log;
mod memory;
mod new;
mod output;
mod partial;
mod people;
mod pins;
mod places;
mod probe;
mod proofs;
mod rehearsals;
mod release;
mod report;
mod reports;
mod resume;
mod review;
mod revisions;
mod room;
mod roster;
mod rows;
mod run;
mod schema;
mod secrets;
mod shares;
mod signals;
#[cfg(test)]
mod simulator;
mod sources;
mod state;
mod tokens;
mod usage;
mod validate;
mod verdicts;
mod wiped;

fn main() -> std::process::ExitCode {
    exit::run()
}
