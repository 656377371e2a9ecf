//! Shows, for every end of a command that holds a ceremony, how far the ceremony had come and which
//! command continues it, whether or not the cause can be remedied.
//!
//! **Invariant:** a printed command can be pasted into a shell as it is. `docs/ends.md` and
//! `docs/ends.ja.md` are the table of all ends, and a test compares them; other tests follow the
//! printed commands until a ceremony is sealed or abandoned.

mod menu;

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::args::{self, Args, Command, Given};
use crate::choices::Choice;
use crate::halt::{Halt, Reached};
use crate::journal::Journal;
use crate::lang::{Lang, pick};
use crate::rows;
use crate::sources::shown;

/// The commands that can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The command that was given: it has begun nothing.
    Again,
    Resume,
    Abandon,
}

/// A sentence that says what people can do, and the command for it.
type Exit = (&'static str, Way);

impl Reached {
    /// Determines from the media how far the ceremony had come.
    ///
    /// It cannot tell `Stopped` from `Begun`, because only the run knows that.
    pub(crate) fn of(journals: &[PathBuf]) -> Self {
        match (Journal::is_sealed(journals), Journal::is_begun(journals)) {
            (true, _) => Self::Sealed,
            (false, true) => Self::Begun,
            (false, false) => Self::Nothing,
        }
    }

    fn meaning(&self, lang: Lang) -> &'static str {
        match self {
            Self::Nothing => pick(lang, "何も始まっていません。", "Nothing was begun."),
            Self::Taken(_) => pick(
                lang,
                "何も始まっていません。指定されたフォルダーには別のものがあり、変わっていません。",
                "Nothing was begun. What is in the folder already was not changed.",
            ),
            Self::Begun => pick(lang, "記録は保たれています。", "The journal is kept."),
            Self::Paused => {
                pick(lang, "休憩のため、この回を終えました。", "The session is over, for a break.")
            }
            Self::Stopped => pick(
                lang,
                "セレモニーは中止となり、記録は保たれています。",
                "The ceremony has stopped, and its journal is kept.",
            ),
            Self::Unsealable => pick(
                lang,
                "セレモニーは中止となり、封印できる監査用の鍵がありません。記録は保たれています。",
                "The ceremony has stopped, and there is no audit key to seal it. Its journal is kept.",
            ),
            Self::Sealed => pick(
                lang,
                "セレモニーは封印され、記録は保たれています。",
                "The ceremony is sealed, and its journal is kept.",
            ),
            Self::GivenUp => {
                pick(lang, "記録は変わっていません。", "Nothing of the journal was changed.")
            }
            Self::Unlike(_) => pick(
                lang,
                "2 つの記録が互いに異なるか、一方が成り立ちません。どちらも変わっていません。",
                "The two journals differ, or one of them does not replay. Neither was changed.",
            ),
        }
    }

    /// Returns the exit for when the cause is remedied.
    fn mended(&self, lang: Lang) -> Exit {
        match self {
            Self::Nothing => (
                pick(
                    lang,
                    "原因を除き、同じコマンドをもう一度実行してください。",
                    "Mend the cause and give the same command again:",
                ),
                Way::Again,
            ),
            Self::Taken(_) => (
                pick(
                    lang,
                    "別のフォルダーを指定してください。例:",
                    "Give it other folders, such as:",
                ),
                Way::Again,
            ),
            Self::Begun => (
                pick(
                    lang,
                    "原因を除き、次のコマンドで再開してください。",
                    "Mend the cause and go on with:",
                ),
                Way::Resume,
            ),
            Self::Paused => (
                pick(
                    lang,
                    "全員が戻ったら、次のコマンドで再開してください。",
                    "When everybody is back, go on with:",
                ),
                Way::Resume,
            ),
            Self::Stopped => (
                pick(
                    lang,
                    "次のコマンドで、中止として封印してください。",
                    "Close it as aborted, and seal it, with:",
                ),
                Way::Resume,
            ),
            Self::Unsealable => (
                pick(
                    lang,
                    "次のコマンドで値を表示し、紙に写して全員が署名してください。",
                    "Show the digest of the journal, which everyone signs on paper, with:",
                ),
                Way::Abandon,
            ),
            Self::Sealed => (
                pick(
                    lang,
                    "原因を除くか別の --out を選び、次のコマンドで書き出してください。",
                    "Mend the cause or choose another --out, and write the folder with:",
                ),
                Way::Resume,
            ),
            Self::GivenUp => (
                pick(
                    lang,
                    "原因を除くか別の --out を選び、もう一度実行してください。",
                    "Mend the cause or choose another --out, and give it once more:",
                ),
                Way::Abandon,
            ),
            Self::Unlike(_) => (
                pick(
                    lang,
                    "どちらが信用できないかを監査員と確かめてください。役割の異なる 2 名が同意すれば、その記録を除いて再開できます。除いた記録は別の名で残ります。",
                    "Find out with the auditor which one is not to be believed. With the consent of two people of two roles it goes on without that one, which stays there under another name:",
                ),
                Way::Resume,
            ),
        }
    }

    /// Returns the journals of which one is to be left out; the exit shows one command for each.
    fn left_out(&self) -> &[PathBuf] {
        match self {
            Self::Unlike(folders) => folders,
            Self::Nothing
            | Self::Taken(_)
            | Self::Begun
            | Self::Paused
            | Self::Stopped
            | Self::Unsealable
            | Self::Sealed
            | Self::GivenUp => &[],
        }
    }

    /// Returns the folders that are in use; the printed command names new ones instead.
    fn taken(&self) -> &[PathBuf] {
        match self {
            Self::Taken(folders) => folders,
            Self::Nothing
            | Self::Begun
            | Self::Paused
            | Self::Stopped
            | Self::Unsealable
            | Self::Sealed
            | Self::GivenUp
            | Self::Unlike(_) => &[],
        }
    }

    /// Returns the exit for when the cause cannot be remedied.
    ///
    /// A ceremony that cannot be sealed any more is abandoned. A sealed one needs no such exit,
    /// because it needs no token any more.
    fn unmended(&self, lang: Lang) -> Option<Exit> {
        match self {
            Self::Begun | Self::Paused => Some((
                pick(
                    lang,
                    "中止するには、再開して、いずれかの質問に「いいえ」と答えてください。トークンにログインできないなど、原因を除けないときは、次のコマンドで断念の手続をしてください。",
                    "To stop it, go on and answer a question with no. If the cause cannot be mended, or nobody can log in any more, give it up with:",
                ),
                Way::Abandon,
            )),
            Self::Stopped => Some((
                pick(
                    lang,
                    "監査用の鍵が使えないとき、又は同じ検査で再び止まるときは、次のコマンドで断念の手続をしてください。",
                    "If the audit key cannot be used any more, or the same check stops it again, give it up with:",
                ),
                Way::Abandon,
            )),
            Self::Unlike(_) => Some((
                pick(
                    lang,
                    "再開できないときは、信用できない記録を除き、残る記録を次のコマンドで断念の手続をしてください。",
                    "If it cannot go on, give up the other one, without the one that is not to be believed:",
                ),
                Way::Abandon,
            )),
            Self::Nothing | Self::Taken(_) | Self::Unsealable | Self::Sealed | Self::GivenUp => {
                None
            }
        }
    }
}

/// The place where people read the message and act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// A shell.
    Shell,
    /// The menu of the live image, which has no shell.
    Menu,
}

impl At {
    /// Returns the menu if the live image started this command, or the shell otherwise.
    pub(crate) const fn of(held: &args::Held) -> Self {
        if held.led { Self::Menu } else { Self::Shell }
    }
}

/// The commands that can follow the given one, with the same options, ready for a shell.
#[derive(Debug)]
pub(crate) enum Ways {
    /// Commands for a shell.
    Commands { again: String, resume: String, abandon: String },
    /// Choices of the menu of the live image, which has no shell.
    Menu,
}

impl Ways {
    /// Returns what can follow this command, or `None` if the command does not hold a ceremony.
    pub(crate) fn after(args: &Args) -> Option<Self> {
        let given = args.command.given()?;
        if given.led {
            return Some(Self::Menu);
        }
        let lang = args.lang;
        let mut resume = Line::of("resume", lang);
        if let (Command::Resume(_), Some(plan)) = (&args.command, given.plan) {
            resume.option("--plan", plan);
        }
        let mut abandon = Line::of("abandon", lang);
        given.room_of(&mut resume);
        given.media_of(&mut abandon);
        given.ledger_of(&mut abandon);
        let again = match (&args.command, given.plan) {
            (Command::Run(_), Some(plan)) => {
                let mut run = Line::of("run", lang);
                run.path(plan);
                given.room_of(&mut run);
                run.0
            }
            (Command::Resume(_), _) => resume.0.clone(),
            _ => abandon.0.clone(),
        };
        Some(Self::Commands { again, resume: resume.0, abandon: abandon.0 })
    }

    /// Returns the commands for `way`: one, or one for each journal that may be left out.
    fn lines(&self, way: Way, left_out: &[PathBuf], lang: Lang) -> Vec<String> {
        let line = self.line(way, lang);
        let without = |folder: &PathBuf| match (self, way) {
            (Self::Commands { .. }, _) => {
                let mut line = Line(line.clone());
                line.option("--put-aside", folder);
                line.0
            }
            (Self::Menu, Way::Again | Way::Resume) => {
                format!("{} ({})", Choice::Aside.named(lang), shown(folder))
            }
            // In the menu a journal is left out by removing its medium, which the auditor keeps.
            (Self::Menu, Way::Abandon) => match lang {
                Lang::Ja => format!(
                    "{} の媒体を抜いて監査員に渡し、空の媒体を挿してから、{line}",
                    shown(folder)
                ),
                Lang::En => format!(
                    "take out the medium at {}, give it to the auditor, put in an empty one; then {line}",
                    shown(folder)
                ),
            },
        };
        match left_out {
            [] => vec![line],
            folders => folders.iter().map(without).collect(),
        }
    }

    /// Returns the command or choice that goes on with the ceremony.
    pub(crate) fn resume(&self, lang: Lang) -> String {
        self.line(Way::Resume, lang)
    }

    fn line(&self, way: Way, lang: Lang) -> String {
        match (self, way) {
            (Self::Commands { again, .. }, Way::Again) => again.clone(),
            (Self::Commands { resume, .. }, Way::Resume) => resume.clone(),
            (Self::Commands { abandon, .. }, Way::Abandon) => abandon.clone(),
            (Self::Menu, Way::Again | Way::Resume) => Choice::Hold.named(lang),
            (Self::Menu, Way::Abandon) => Choice::Abandon.named(lang),
        }
    }
}

/// Writes the options that the next command has in common with the given one.
impl Given<'_> {
    fn media_of(&self, line: &mut Line) {
        for journal in self.journal {
            line.option("--journal", journal);
        }
        line.option("--out", self.out);
    }

    /// Adds the ledger and anchor, which are needed to replay an interrupted or abandoned ceremony.
    fn ledger_of(&self, line: &mut Line) {
        for (name, path) in ["--ledger", "--anchor"].into_iter().zip([self.ledger, self.anchor]) {
            if let Some(path) = path {
                line.option(name, path);
            }
        }
    }

    fn room_of(&self, line: &mut Line) {
        let room = self.held.map_or(Path::new("ROOM"), |held| &held.room);
        line.option("--room", room);
        self.media_of(line);
        self.ledger_of(line);
        // `--pin-fd` is left out: the descriptor is not open for a command that is pasted later.
        if let Some(answers) = self.held.and_then(|held| held.answers.as_ref()) {
            line.option("--answers", answers);
        }
    }
}

/// A command line for a shell.
struct Line(String);

impl Line {
    fn of(verb: &str, lang: Option<Lang>) -> Self {
        let lang = match lang {
            Some(Lang::Ja) => " --lang ja",
            Some(Lang::En) => " --lang en",
            None => "",
        };
        Self(format!("gishiki{lang} {verb}"))
    }

    fn path(&mut self, path: &Path) {
        self.0.push(' ');
        self.0.push_str(&quoted(path.as_os_str()));
    }

    fn option(&mut self, name: &str, path: &Path) {
        self.0.push(' ');
        self.0.push_str(name);
        self.path(path);
    }
}

/// Quotes an argument for a POSIX shell, without control characters that would affect a terminal.
pub(crate) fn quoted(argument: &OsStr) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    let seen = |c: char| !c.is_control() && !ceremony::text::is_refused(c);
    match argument.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_string(),
        Some(text) if text.chars().all(seen) => format!("'{}'", text.replace('\'', r"'\''")),
        Some(_) | None => {
            let octal = |octet: &u8| format!("\\{octet:03o}");
            let octets: String = argument.as_bytes().iter().map(octal).collect();
            format!("\"$(printf '{octets}')\"")
        }
    }
}

/// Replaces a folder in a command by the first free name with a number.
fn elsewhere(line: String, taken: &Path) -> String {
    let name = taken.file_name().unwrap_or_default();
    let free = (2_u32..).find_map(|number| {
        let mut name = name.to_os_string();
        name.push(format!("-{number}"));
        let path = taken.with_file_name(name);
        path.symlink_metadata().is_err().then_some(path)
    });
    let Some(free) = free else { return line };
    let word = |path: &Path| format!(" {} ", quoted(path.as_os_str()));
    format!("{line} ").replace(&word(taken), &word(&free)).trim_end().to_string()
}

/// Prints what people can do now, at the end of a command that holds a ceremony.
pub(crate) fn show(halt: &Halt, ways: &Ways, lang: Lang) {
    let reached = match halt {
        Halt::Held(reached, _) => reached,
        // The ceremony has ended, and its folder is written.
        Halt::People(_) => return,
        Halt::Paused(_) => &Reached::Paused,
        Halt::Violations(..)
        | Halt::Token(_)
        | Halt::Verification(_)
        | Halt::Asked(..)
        | Halt::Media(_)
        | Halt::Unread(..)
        | Halt::Interrupted(_)
        | Halt::NotAnchored(_)
        | Halt::NotPinned(_)
        | Halt::Differs
        | Halt::Overdue
        | Halt::Bug(_)
        | Halt::Panicked
        | Halt::Told(_) => &Reached::GivenUp,
    };
    let words = words(reached, ways, lang);
    // What is to be copied stands in one line, however long it is.
    let shown = words.split_inclusive('\n').map(|line| match line.starts_with("  ") {
        true => line.to_string(),
        false => rows::fit(std::io::stderr(), line),
    });
    let _ = std::io::stderr().write_all(shown.collect::<String>().as_bytes());
}

fn words(reached: &Reached, ways: &Ways, lang: Lang) -> String {
    let exit = |(said, way): Exit| {
        let lines = ways.lines(way, reached.left_out(), lang);
        let free = |line: &String| {
            reached.taken().iter().fold(line.clone(), |line, taken| elsewhere(line, taken))
        };
        let lines: String = lines.iter().map(|line| format!("  {}\n", free(line))).collect();
        format!("{said}\n{lines}")
    };
    let (mended, unmended) = match ways {
        Ways::Commands { .. } => (reached.mended(lang), reached.unmended(lang)),
        Ways::Menu => (menu::mended(reached, lang), menu::unmended(reached, lang)),
    };
    let mut text = format!("{}\n{}", reached.meaning(lang), exit(mended));
    text.extend(unmended.map(exit));
    text
}

#[cfg(test)]
mod tests;
