//! The exit codes, and the one place where errors become words.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::args::{Args, Command};
use crate::ends::{self, Ways};
use crate::halt::{Halt, Reached, USAGE};
use crate::lang::Lang;
use crate::{commands, help, lang, memory, report, secrets, signals, usage};

/// Runs the command line and gives its exit code.
pub(crate) fn run() -> ExitCode {
    secrets::keep_out_of_dumps();
    memory::heed();
    let words: Vec<OsString> = std::env::args_os().collect();
    let args = match read(&words) {
        Ok(args) => args,
        Err(error) => {
            let shown = usage::show(&error, help::asked(&words));
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

/// Parses the command line, with its help in this language.
fn read(words: &[OsString]) -> Result<Args, clap::Error> {
    let mut command = help::command(Args::command(), help::asked(words));
    let mut given = command.try_get_matches_from_mut(words)?;
    Args::from_arg_matches_mut(&mut given).map_err(|error| error.format(&mut command))
}

/// Performs the command. A panic is a bug of gishiki; its hook has printed the place.
fn performed(args: Args, ways: Option<&Ways>, lang: Lang) -> Result<(), Halt> {
    let journals = args.command.given().map_or(&[][..], |given| given.journal).to_vec();
    catch_unwind(AssertUnwindSafe(|| begin(args, ways, lang))).unwrap_or_else(|_| {
        let halt = Halt::Panicked;
        Err(if journals.is_empty() { halt } else { halt.held(Reached::of(&journals)) })
    })
}

/// Checks the descriptor of a PIN before anything is opened that might take its number.
fn begin(args: Args, ways: Option<&Ways>, lang: Lang) -> Result<(), Halt> {
    let held = args.command.given().and_then(|given| given.held);
    let reached = held.map(|held| Reached::of(&held.journal));
    secrets::judge_descriptor(args.command.pin_fd()).map_err(|halt| match reached {
        Some(reached) => halt.held(reached),
        None => halt,
    })?;
    if let (Some(held), Some(ways)) = (held, ways) {
        let (journals, resume) = (held.journal.clone(), ways.resume(lang));
        signals::watch(move || signals::words(&journals, &resume, lang));
    }
    if matches!(args.command, Command::Activation(_)) {
        let said = lang::pick(lang, "\n中断しました。\n", "\ninterrupted.\n");
        signals::watch(|| said.to_string());
    }
    commands::perform(args.command, args.lang, lang)
}
