//! Publication on real servers: nginx and slapd serve what `gishiki-dts sync` writes; curl,
//! ldapsearch and OpenSSL judge.
//!
//! It is a test of the package `dts`, so that it is compiled without the core. `./test` installs
//! slapd, ldap-utils, nginx-light and curl; a missing tool is a failure.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says what it counted"
)]

mod attacked;
mod browsed;
#[path = "../support/browser.rs"]
mod browser;
mod forbidden;
mod healed;
mod scene;
mod served;
