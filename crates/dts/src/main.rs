//! gishiki-dts publishes what ceremonies let out: on the web, in LDAP, each at its time; and probes
//! what a verifier sees of it.
//!
//! What is out, and whether it is the CA's, is said by `ceremony::publish`; this package makes the
//! world equal to it, reads it back, and records it. It holds no key and writes nothing but what
//! is public, the log and the metrics. It is the only package that opens sockets. Read in this
//! order: `args`, `releases`, `sync` with `web`, `ldap` and `log`, `probe` with `http`.

mod args;
mod beneath;
mod files;
mod http;
mod ldap;
mod log;
mod patient;
mod probe;
mod releases;
mod stop;
mod sync;
mod web;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use ceremony::language::Language;

use args::Command;
use stop::{Stop, USAGE};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (asked, language) = args::read(&words);
    let done = match asked {
        Ok(Command::Help) => print(&args::help(language)).map(|()| 0),
        Ok(Command::Sync(asked)) => sync::sync(&asked, language),
        Ok(Command::Probe(asked)) => probe::probe(&asked, language),
        Err(said) => Err(Stop { code: USAGE, said }),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(stop) => {
            tell(language.pick(&stop.said));
            ExitCode::from(stop.code)
        }
    }
}

/// Prints to standard output.
fn print(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Stop::io(ceremony::says!("標準出力", "standard output"), &error))
}

/// Says something on standard error, in a line.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "gishiki-dts: {text}");
}

/// Returns the language that the environment asks for.
fn of_environment() -> Language {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let value = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
    if value.is_some_and(|value| value.starts_with("ja")) { Language::Ja } else { Language::En }
}
