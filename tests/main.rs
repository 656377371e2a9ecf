//! Tests of the whole from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it could not ask"
)]

mod issuing;
mod other_validators;
mod shadow_chain;
