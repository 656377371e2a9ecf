//! Follows what the program says, and nothing else.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use super::point::{Fault, Point};
use super::scene::Scene;
use crate::life::history::History;
use crate::support::{GISHIKI, faulty_module, run, text};

/// How a ceremony ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// Sealed, and everything was done.
    Completed,
    /// Sealed as aborted.
    Aborted,
    /// Its journal was written out for people to sign its digest.
    Abandoned,
    /// The cause cannot be mended, and nothing was begun.
    NotBegun,
}

/// What was seen on the way.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) end: End,
    pub(crate) sessions: usize,
    /// Sessions in which a fault was seen to happen: they did not end as they should.
    pub(crate) fired: usize,
}

/// When the first session begins, in seconds of the window; and how much later the next.
pub(crate) const BEGINS: i64 = 30 * 60;
const LATER: i64 = 10 * 60;
/// More sessions than this lead nowhere.
const MOST: usize = 14;
/// So often people try to mend what cannot be mended.
const TRIES: usize = 3;

/// Holds the ceremony, and follows the words to its end.
pub(crate) fn follow(scene: &Scene, history: &History, point: &Point) -> Result<Walk, String> {
    let module = faulty_module();
    let first = history.command("run", &scene.plan, &module, BEGINS);
    let mut given: Vec<String> =
        first.get_args().map(|argument| argument.to_str().unwrap().to_string()).collect();
    let (mut fired, mut log) = (0, String::new());
    for session in 0..MOST {
        let seconds = BEGINS + LATER * session as i64;
        let fault = match point.for_good {
            true => point.faults.first(),
            false => point.faults.get(session),
        };
        let base = history.command("resume", &scene.plan, &module, seconds);
        let output = hold(history, &base, &given, fault);
        let said = text(&output);
        log.push_str(&format!("\n    $ gishiki {}\n{said}    {}", given.join(" "), output.status));
        let out = history.out(scene.ceremony);
        let whole = out.exists();
        refuse_nonsense(&output, &said).map_err(|what| format!("{what}{log}"))?;
        let offered = offered(&said);
        fired += usize::from(fault.is_some() && !output.status.success());
        let code = output.status.code();
        let end = match (code, given[0].as_str(), offered.is_empty()) {
            (Some(0), "abandon", _) => Some(End::Abandoned),
            (Some(0), _, _) => Some(End::Completed),
            (Some(1), "run" | "resume", true) if whole => Some(End::Aborted),
            _ => None,
        };
        if let Some(end) = end {
            return Ok(Walk { end, sessions: session + 1, fired });
        }
        // A power cut says nothing: the same is tried again.
        if code.is_none() {
            continue;
        }
        // What trying again does not mend is not mended.
        let tries =
            session + 1 - if point.for_good { 0 } else { point.faults.len().min(session + 1) };
        let hopeless = tries > TRIES;
        if hopeless && point.for_good && said.contains("Nothing was begun.") {
            return Ok(Walk { end: End::NotBegun, sessions: session + 1, fired });
        }
        let next = if hopeless { offered.last() } else { offered.first() };
        let next = next.ok_or_else(|| format!("dead end: no words{log}"))?;
        given = arguments(next).map_err(|what| format!("{what}{log}"))?;
    }
    Err(format!("dead end: {MOST} sessions{log}"))
}

/// What no end may be: a panic, a code that is not in the table, a bug that is none.
fn refuse_nonsense(output: &Output, said: &str) -> Result<(), String> {
    match output.status.code() {
        _ if said.contains("panicked") => Err("a panic".into()),
        Some(0..=8) | None => Ok(()),
        Some(code) => Err(format!("exit code {code}")),
    }
}

/// The commands that were printed, each on a line of its own.
pub(crate) fn offered(said: &str) -> Vec<String> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("  gishiki "));
    lines.map(String::from).collect()
}

/// The arguments of a printed command, as a shell reads them.
pub(crate) fn arguments(line: &str) -> Result<Vec<String>, String> {
    let script = format!("printf '%s\\0' {line}");
    let output = run(Command::new("sh").arg("-c").arg(&script));
    let read = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
    let mut arguments: Vec<String> = read.split_terminator('\0').map(String::from).collect();
    // Whoever gives it from a file says so again: no line names a descriptor.
    assert!(!line.contains("--pin-fd"), "{line}");
    if arguments.iter().any(|argument| argument == "--room") {
        arguments.extend(["--pin-fd", "0"].map(String::from));
    }
    match output.status.success() && arguments.first().is_some_and(|verb| !verb.is_empty()) {
        true => Ok(arguments),
        false => Err(format!("no command for a shell: {line}")),
    }
}

/// The program with these arguments, on this base's clock and token, with a fault or without.
fn hold(history: &History, base: &Command, given: &[String], fault: Option<&Fault>) -> Output {
    let (mut command, module) = match fault {
        Some(Fault::System { call, number, how }) => {
            let how = match how.as_str() {
                "KILL" => "signal=SIGKILL".to_string(),
                error => format!("error={error}"),
            };
            let mut strace = Command::new("strace");
            strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}")]);
            strace.arg("-e").arg(format!("inject={call}:{how}:when={number}"));
            (in_strace(strace, base), "0:none")
        }
        Some(Fault::Module(at)) => (plain(base), at.as_str()),
        None => (plain(base), "0:none"),
    };
    command.args(given);
    command.env("FAULTY_MODULE", crate::support::SOFTHSM).env("FAULTY_AT", module);
    run(command.stdin(File::open(history.folder().join("pin")).unwrap()))
}

/// A whole run with every system call in a log.
pub(crate) fn counted(history: &History, base: &Command, log: &Path) -> Output {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-o"]).arg(log);
    let mut command = in_strace(strace, base);
    command.args(base.get_args());
    command.env("FAULTY_MODULE", crate::support::SOFTHSM).env("FAULTY_AT", "0:none");
    run(command.stdin(File::open(history.folder().join("pin")).unwrap()))
}

fn plain(base: &Command) -> Command {
    let mut command = Command::new(GISHIKI);
    for (name, value) in base.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The clock is bent for the program alone.
fn in_strace(mut strace: Command, base: &Command) -> Command {
    for (name, value) in base.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|value| value.to_str())) {
            strace.arg("-E").arg(format!("{name}={value}"));
        }
    }
    strace.arg(GISHIKI);
    strace
}
