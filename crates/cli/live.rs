//! The program of the live image that leads the operators: checks the system, asks for media, runs
//! the ceremony in a separate process, and copies the results out.
//!
//! **Invariant:** the token is not used before the system, the image's identity and the rehearsal
//! of the plan have been checked.

mod boot_log;
mod clock;
mod hardware;
mod identity;
mod keyboard;
mod line;
mod media;
mod plans;
pub(crate) mod screen;
mod shown;
mod system;

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

pub(crate) use boot_log::BootLog;
use ceremony::language::Bilingual;
use ceremony::plan::After;
use ceremony::policy::Policy;
use ceremony::record::{BootKind, Outcome};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::Offset;
pub(crate) use identity::measured;

use self::media::Media;
use self::plans::{History, beside, cleared, history, name_of, none, planned, plans};
use self::system::System;
use crate::args::Line;
use crate::choices::{self, Choice};
use crate::clock::Bounds;
use crate::halt::Halt;
use crate::journal::Journal;
use crate::lang::{Lang, pick};
use crate::people::is_no;
use crate::report::print;
use crate::{files, output, report};

/// The folder of the ceremony in an image. A medium of plans has the same layout.
const CEREMONY: &str = "/ceremony";
/// The folder, in RAM, where a sealed folder is written before it is copied to the media.
const OUTPUTS: &str = "/run/gishiki/outputs";

/// Leads the operators from the first question until the machine is switched off.
pub(crate) fn lead(lang: Option<Lang>, line: Line) -> Result<(), Halt> {
    let Some(lang) = line::begin(lang, line)? else { return Ok(()) };
    let led = system::judge(Path::new("/"), lang).and_then(|system| {
        identity::keep(&system.medium)?;
        let log = BootLog::here();
        log.note(BootKind::Started, Outcome::Done, crate::args::VERSION)?;
        system
            .noted()
            .iter()
            .try_for_each(|what| log.note(BootKind::Checked, Outcome::Done, what))?;
        Live { lang, line, system, log }.serve()
    });
    if let Err(halt) = led {
        report::show(&halt, lang);
        say("")?;
        // If the terminal is gone, `ask` fails at once and the machine is not kept waiting.
        let _ = ask(pick(lang, "Enter で電源を切ります: ", "Enter switches the machine off: "));
        return Err(Halt::Told(Box::new(halt)));
    }
    Ok(())
}

/// The checked system, the language of its operators, and the line that they use.
struct Live {
    lang: Lang,
    line: Line,
    system: System,
    log: BootLog,
}

impl Live {
    fn serve(&self) -> Result<(), Halt> {
        if self.line != Line::Serial {
            keyboard::choose(self.lang)?;
        }
        say(&self.system.shown(self.lang))?;
        let ceremony = self.ceremony()?;
        let path = ceremony.with_file_name("policy.toml");
        let policy = crate::files::read_document(&path)?;
        let policy = Policy::parse(&policy).map_err(Halt::unread(path, &policy))?;
        self.system.hardware.permitted(&policy)?;
        let offset = *policy.ca.offset.get_ref();
        self.confirm_clock(&ceremony, offset)?;
        self.rehearse(&ceremony)?;
        loop {
            say(&choices::lines(self.line, self.lang))?;
            let done = match Choice::of(&ask("? ")?, self.line) {
                Some(Choice::Hold) => self.hold(&ceremony, None),
                Some(Choice::Abandon) => self.abandon(&ceremony),
                Some(Choice::Aside) => self.put_aside(&ceremony),
                Some(Choice::Clock) => self.confirm_clock(&ceremony, offset),
                Some(Choice::Keyboard) => keyboard::choose(self.lang),
                Some(Choice::Off) => return Ok(()),
                None => continue,
            };
            if let Err(halt) = done {
                report::show(&halt, self.lang);
            }
        }
    }

    /// Lets people set the clock, before anything uses it, because the machine has no network.
    fn confirm_clock(&self, plan: &Path, offset: Offset) -> Result<(), Halt> {
        let window = planned(plan)?.window.into_inner();
        let window = Some((window.from.into_inner(), window.until.into_inner()));
        let bounds = Bounds { window, last: Media::last_record(name_of(plan)) };
        clock::confirm(&bounds, offset, &self.log, self.lang)
    }

    /// Returns the folder of the ceremony: in the image if it holds one, or else on the medium of
    /// plans.
    fn ceremony(&self) -> Result<PathBuf, Halt> {
        let root = if Path::new(CEREMONY).exists() {
            PathBuf::from(CEREMONY)
        } else {
            self.until(media::mount_plans, |at| at.display().to_string())?
        };
        let all = plans(&root)?;
        if let [only] = all.as_slice() {
            return Ok(only.clone());
        }
        loop {
            say("")?;
            for (number, plan) in all.iter().enumerate() {
                say(&format!("{}: {}", number + 1, name_of(plan)))?;
            }
            let number =
                ask(self.pick("どのセレモニーですか: ", "which ceremony: "))?.parse::<usize>();
            let chosen = number.ok().and_then(|number| all.get(number.checked_sub(1)?));
            if let Some(plan) = chosen {
                return Ok(plan.clone());
            }
        }
    }

    /// Rehearses the plan with the rehearsal token, and compares the result with the image's
    /// golden.
    fn rehearse(&self, plan: &Path) -> Result<(), Halt> {
        say(&self.pick(
            format!("\n{} のリハーサルを行い、基準と比べます…", name_of(plan)),
            format!("\nrehearsing {} and comparing with its golden…", name_of(plan)),
        ))?;
        let goldens = beside(plan, "golden");
        let golden = goldens.join(name_of(plan));
        let mut command = self.gishiki();
        command.arg("rehearse").arg(plan).arg("--compare").arg(&golden);
        command.arg("--ledger").arg(goldens).stdout(std::process::Stdio::null());
        let status = self.perform(&mut command)?;
        let golden = golden.display();
        let judged = match status.success() {
            true => Ok(()),
            false => Err(Halt::media(
                RuleId::S_SELF_TEST,
                says!(
                    "基準 {golden} のとおりになるリハーサル",
                    "a rehearsal that gives the golden {golden}"
                ),
                says!("別の結果({status})", "a different result ({status})"),
            )),
        };
        self.log.keep(BootKind::Rehearsed, judged, |()| format!("as {golden}"))?;
        say(self.pick("✓ 基準と一致しました", "✓ as the golden has it"))
    }

    /// Runs or resumes the ceremony until it has ended, and copies the results out.
    ///
    /// If a medium or token was removed, people are asked to plug it in, and the ceremony is
    /// resumed.
    fn hold(&self, plan: &Path, mut put_aside: Option<usize>) -> Result<(), Halt> {
        loop {
            let media = self.media(plan)?;
            self.system.hardware.renew()?;
            let papers = media.operators().join("image.toml");
            let same = identity::compare(&papers, &self.system);
            self.log
                .keep(BootKind::Checked, same, |()| "the image is that of image.toml".into())?;
            let out = cleared(plan)?;
            let status =
                self.session(&mut self.command(plan, &media, &out, put_aside.take())?)?;
            self.copy_all(&out, media, &Path::new(name_of(plan)).join("sealed"))?;
            // The ceremony can be resumed after exit codes 3 (token), 5 (medium) and 6
            // (interrupted), and if the program was killed.
            if !matches!(status.code(), Some(3 | 5 | 6) | None) {
                return Ok(());
            }
            say(self.pick(
                "\n媒体とトークンの装着を確かめてください。続きから再開します。",
                "\nSee that media and token are plugged in. The ceremony goes on where it stopped.",
            ))?;
            let typed =
                ask(self.pick("Enter で続行、no(いいえ)で戻る: ", "Enter goes on, no returns: "))?;
            if is_no(&typed) {
                return Ok(());
            }
        }
    }

    /// Goes on with the journal of one medium only, and puts the other journal aside.
    fn put_aside(&self, plan: &Path) -> Result<(), Halt> {
        let typed = ask(self.pick(
            "除くのはどちらの記録ですか。a: GISHIKI-A、b: GISHIKI-B(そのほかは戻る): ",
            "whose journal is put aside?  a: GISHIKI-A  b: GISHIKI-B (anything else returns): ",
        ))?;
        match typed.as_str() {
            "a" => self.hold(plan, Some(0)),
            "b" => self.hold(plan, Some(1)),
            _ => Ok(()),
        }
    }

    /// Returns the command: `run` if no medium has a record of the ceremony, or else `resume`.
    ///
    /// `put_aside` is the index of the journal to be put aside.
    fn command(
        &self,
        plan: &Path,
        media: &Media,
        out: &Path,
        put_aside: Option<usize>,
    ) -> Result<Command, Halt> {
        let journals = media.journals(name_of(plan));
        let mut command = self.gishiki();
        if Journal::is_begun(&journals) {
            command.arg("resume").arg("--plan").arg(plan);
            if let Some(aside) = put_aside.and_then(|number| journals.get(number)) {
                command.arg("--put-aside").arg(aside);
            }
        } else {
            command.arg("run").arg(plan);
        }
        command.arg("--led");
        let operators = media.operators();
        command.arg("--room").arg(operators.join("room.toml")).arg("--out").arg(out);
        media.make(name_of(plan))?;
        for journal in journals {
            command.arg("--journal").arg(&journal);
        }
        let (ledger, anchor) = self.history(plan, operators)?;
        for (option, path) in [("--ledger", ledger), ("--anchor", anchor)] {
            if let Some(path) = path {
                command.arg(option).arg(path);
            }
        }
        Ok(command)
    }

    /// Returns the ledger and anchor, which every ceremony except the CA's first needs.
    fn history(&self, plan: &Path, operators: &Path) -> Result<History, Halt> {
        let drill = self.system.drill();
        let (ledger, anchor) = history(plan, operators, drill);
        let After::Ceremony(before) = planned(plan)?.after.into_inner() else {
            return Ok((ledger, anchor));
        };
        let place = match drill {
            true => says!("GISHIKI-A の `ledger`", "as `ledger` on GISHIKI-A"),
            false => says!("イメージの中", "in the image"),
        };
        if ledger.is_none() {
            let asked = says!(
                place;
                "{before} のある台帳({place})",
                "the ledger that holds {before}, {place}"
            );
            return Err(Halt::media(RuleId::S_LEDGER, asked, none()));
        }
        if anchor.is_none() && !drill {
            let asked = says!(
                "この CA のアンカー anchor.toml(イメージの中、又は GISHIKI-A)",
                "anchor.toml, the CA's anchor, in the image or on GISHIKI-A"
            );
            return Err(Halt::media(RuleId::S_ANCHOR, asked, none()));
        }
        Ok((ledger, anchor))
    }

    fn abandon(&self, plan: &Path) -> Result<(), Halt> {
        let media = self.media(plan)?;
        let out = cleared(plan)?;
        let mut command = self.gishiki();
        command.arg("abandon").arg("--led").arg("--out").arg(&out);
        for journal in media.journals(name_of(plan)) {
            command.arg("--journal").arg(journal);
        }
        let (ledger, anchor) = self.history(plan, media.operators())?;
        for (option, path) in [("--ledger", ledger), ("--anchor", anchor)] {
            if let Some(path) = path {
                command.arg(option).arg(path);
            }
        }
        self.session(&mut command)?;
        self.copy_all(&out, media, &Path::new(name_of(plan)).join("abandoned"))
    }

    /// Copies the results, if there are any, to every medium for outputs, and unmounts the media.
    fn copy_all(&self, out: &Path, media: Media, to: &Path) -> Result<(), Halt> {
        if !out.exists() {
            return Ok(());
        }
        let files = output::read_folder(out)?;
        let copied = media.copy_out(&files, to);
        let copied = self.log.keep(BootKind::Copied, copied, |copied| {
            format!("{} to {} media and read back", to.display(), copied.len())
        })?;
        for at in copied {
            say(&self.pick(
                format!("✓ {} に写し、読み返しました", at.display()),
                format!("✓ copied to {} and read back", at.display()),
            ))?;
        }
        Ok(())
    }

    /// Mounts the media of a ceremony.
    fn media(&self, plan: &Path) -> Result<Media, Halt> {
        self.until(|| Media::mount(self.system.drill(), name_of(plan)), Media::named)
    }

    /// Retries until the media are found, or people give up.
    fn until<T>(
        &self,
        find: impl Fn() -> Result<T, Halt>,
        named: impl Fn(&T) -> String,
    ) -> Result<T, Halt> {
        loop {
            let halt = match self.log.keep(BootKind::Media, find(), &named) {
                Ok(found) => return Ok(found),
                Err(halt) => halt,
            };
            report::show(&halt, self.lang);
            let typed = ask(self.pick(
                "媒体を装着して Enter、やめるときは no(いいえ): ",
                "plug the medium in and press Enter; no gives up: ",
            ))?;
            if is_no(&typed) {
                return Err(Halt::People(says!("媒体なし", "no medium was plugged in")));
            }
        }
    }

    /// Runs a command that holds a ceremony, and notes how it ended for the next session.
    fn session(&self, command: &mut Command) -> Result<ExitStatus, Halt> {
        let status = self.perform(command)?;
        let result = if status.success() { Outcome::Done } else { Outcome::Refused };
        let does = command.get_args().nth(2).unwrap_or_default().display();
        self.log.note(BootKind::Session, result, &format!("{does}: {status}"))?;
        Ok(status)
    }

    /// Runs a command, and prints how it ended if a signal ended it.
    fn perform(&self, command: &mut Command) -> Result<ExitStatus, Halt> {
        let status = command.status().map_err(|error| {
            let asked = says!("gishiki 自身", "gishiki itself");
            Halt::media(RuleId::S_LIVE, asked, files::said(&error))
        })?;
        if status.code().is_none() {
            say(&self.pick(
                format!("✗ gishiki が途中で終了しました: {status}"),
                format!("✗ gishiki was ended: {status}"),
            ))?;
        }
        Ok(status)
    }

    /// Returns a command that runs this program in the chosen language.
    fn gishiki(&self) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.arg("--lang").arg(self.pick("ja", "en"));
        command
    }

    fn pick<T>(&self, ja: T, en: T) -> T {
        match self.lang {
            Lang::Ja => ja,
            Lang::En => en,
        }
    }
}

fn say(line: &str) -> Result<(), Halt> {
    print(&format!("{line}\n"))
}

/// Shows a prompt and reads a line.
fn ask(prompt: &str) -> Result<String, Halt> {
    let failed =
        |found: Bilingual| Halt::media(RuleId::S_TERMINAL, crate::people::asks_people(), found);
    print(prompt)?;
    std::io::stdout().flush().map_err(|error| failed(files::said(&error)))?;
    let mut line = String::new();
    let read = std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| failed(files::said(&error)))?;
    if read == 0 {
        return Err(failed(says!("端末の終わり", "the end of its input")));
    }
    Ok(line.trim().to_string())
}
