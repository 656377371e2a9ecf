//! How gishiki ends: exit codes, and the one place where errors become words.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use ceremony::fault::Fault;
use ceremony::rule::RuleId;
use ceremony::seal::{JOURNAL_FILE, TRANSCRIPT_FILE};
use ceremony::verify::Refusal;
use ceremony::violation::Violation;
use clap::Parser as _;

use crate::args::{Args, Lang};
pub(crate) use crate::ends::Reached;
use crate::ends::{self, Ways};
use crate::files::{Folder, shown};
use crate::{commands, memory, report, secrets, signals};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Halt {
    /// People refused; the ceremony was closed as aborted, or is to be abandoned.
    People(String),
    /// The plan, the policy or the roster breaks rules.
    Violations(Box<Folder>, Vec<Violation>),
    /// The token failed, or is not as it must be.
    Token(Fault),
    /// A sealed folder is refused.
    Verification(Refusal),
    /// A file, a folder or a medium is not as it must be.
    Media(Fault),
    /// The ceremony is interrupted and can be resumed.
    Interrupted(Fault),
    /// Everything fits together, but nothing says that it is the CA's.
    NotAnchored(String),
    /// These ceremonies follow on what the anchor pins, and are not pinned themselves.
    NotPinned(String),
    /// Two plans do not mean the same; what differs was printed.
    Differs,
    /// Something is overdue; what is, was printed.
    Overdue,
    /// Our bug: what our own code should have made impossible.
    Bug(Fault),
    /// Our bug: a panic, which has said where.
    Panicked,
    /// One of the others, while a ceremony was held: how far it had come says what can be done.
    Held(Reached, Box<Self>),
    /// People were told already; the code is left to give.
    Told(Box<Self>),
}

impl Halt {
    pub(crate) fn code(&self) -> u8 {
        match self {
            // What was not begun cannot be resumed.
            Self::Held(Reached::Nothing | Reached::Taken(_), halt)
                if matches!(**halt, Self::Interrupted(_)) =>
            {
                5
            }
            Self::Held(_, halt) => halt.code(),
            Self::People(_) => 1,
            Self::Violations(..) => 2,
            Self::Token(_) => 3,
            Self::Verification(_) => 4,
            Self::Media(_) => 5,
            Self::Interrupted(_) => 6,
            Self::NotAnchored(_) | Self::NotPinned(_) => 7,
            Self::Differs => 8,
            Self::Overdue => 9,
            Self::Bug(_) | Self::Panicked => 70,
            Self::Told(halt) => halt.code(),
        }
    }

    /// Says in which folder of a ledger a sealed file is refused.
    pub(crate) fn in_folder(self, folder: &Path) -> Self {
        let Self::Verification(refusal) = self else { return self };
        let place = format!("{}/{}", shown(folder), refusal.place);
        Self::Verification(Refusal { place, ..refusal })
    }

    /// Says in which journal a record is refused, by the name that its file has there.
    pub(crate) fn in_journal(self, folder: &Path) -> Self {
        let Self::Verification(Refusal { place, fault }) = self else { return self };
        let place = match place.strip_prefix(TRANSCRIPT_FILE) {
            Some(line) => format!("{JOURNAL_FILE}{line}"),
            None => place,
        };
        Self::Verification(Refusal { place, fault }).in_folder(folder)
    }

    /// Says how far the ceremony had come.
    pub(crate) fn held(self, reached: Reached) -> Self {
        if matches!(self, Self::Held(..)) {
            return self;
        }
        Self::Held(reached, Box::new(self))
    }

    /// A file or medium is not as it must be.
    pub(crate) fn media(rule: RuleId, asked: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Media(Fault { rule, asked: asked.into(), found: found.into() })
    }
}

/// Usage errors; clap's own code, 2, is ours for a violated plan.
const USAGE: u8 = 64;

/// Runs the command line and gives its exit code.
pub(crate) fn run() -> ExitCode {
    secrets::keep_out_of_dumps();
    memory::heed();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let shown = error.print();
            let code = if error.use_stderr() || shown.is_err() { USAGE } else { 0 };
            return ExitCode::from(code);
        }
    };
    let lang = args.lang.unwrap_or_else(lang_of_environment);
    let ways = Ways::after(&args);
    match performed(args, ways.as_ref(), lang) {
        Ok(()) => ExitCode::SUCCESS,
        Err(halt) => {
            report::show(&halt, lang);
            if let Some(ways) = ways {
                ends::show(&halt, &ways, lang);
            }
            ExitCode::from(halt.code())
        }
    }
}

/// Performs the command. What panics is our bug; it has said where.
fn performed(args: Args, ways: Option<&Ways>, lang: Lang) -> Result<(), Halt> {
    let journals = args.command.given().map_or(&[][..], |given| given.journal).to_vec();
    catch_unwind(AssertUnwindSafe(|| begin(args, ways, lang))).unwrap_or_else(|_| {
        let halt = Halt::Panicked;
        Err(if journals.is_empty() { halt } else { halt.held(Reached::of(&journals)) })
    })
}

/// The descriptor of a PIN is looked at before anything is opened that might take its number.
fn begin(args: Args, ways: Option<&Ways>, lang: Lang) -> Result<(), Halt> {
    let held = args.command.given().and_then(|given| given.held);
    let reached = held.map(|held| Reached::of(&held.journal));
    secrets::judge_descriptor(args.command.pin_fd()).map_err(|halt| match reached {
        Some(reached) => halt.held(reached),
        None => halt,
    })?;
    if let (Some(held), Some(ways)) = (held, ways) {
        signals::watch(held.journal.clone(), ways.resume(lang), lang);
    }
    commands::perform(args.command, args.lang, lang)
}

fn lang_of_environment() -> Lang {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let value = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
    if value.is_some_and(|value| value.starts_with("ja")) { Lang::Ja } else { Lang::En }
}
