//! The tests of the whole product, by what they show. Each drives the program as its users do, or
//! the public API.
//!
//! They need softhsm2, openssl, gnutls-bin, libnss3, strace, faketime and nodejs from Debian,
//! pkilint, jsonschema and icalendar in `.venv`, Sigstore's client in `.npm`; `./test` installs
//! them. A missing tool is a failure: nothing is skipped.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::as_conversions,
    reason = "a test stops where it fails, and says what it counted"
)]

mod abandoned;
mod activation;
mod another_shape;
mod approvals;
mod attacks;
mod attested;
mod bad_input;
mod bounds;
mod cards;
mod characters;
mod copies;
mod curves;
mod diff;
mod documents;
mod drill;
mod duties;
mod ends;
mod folders;
mod foreign;
mod forms;
mod golden;
mod hsm;
mod issuing;
mod keyless;
mod kill;
mod laws;
mod life;
mod log;
mod lost_key;
mod memory;
mod modules;
mod new;
mod nss;
mod other_validators;
mod pace;
mod papers;
mod people;
mod postscript;
mod probe;
mod real;
mod refusals;
mod register;
mod reports;
mod reserves;
mod revisions;
mod rules;
mod running;
mod said;
mod schemas;
mod second;
mod shadow_chain;
mod sigstore;
mod softhsm;
mod steps;
mod support;
mod surroundings;
mod sweep;
mod tamper;
mod terminal;
mod usage;
mod utopia;
mod validate;
mod vendor;
mod verdict;
mod verifiers;
mod walk;
