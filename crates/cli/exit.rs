//! How gishiki ends: exit codes, and the one place where errors become words.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::ends::{self, Ways};
use crate::halt::{Halt, Reached};
use crate::lang::Lang;
use crate::{commands, lang, memory, report, secrets, signals};

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
    let lang = args.lang.unwrap_or_else(lang::of_environment);
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
