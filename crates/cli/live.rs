//! The program of the live image that leads the operators: checks the system, asks for media, runs
//! the ceremony in a separate process, and copies the results out.
//!
//! **Invariant:** the token is not used before the system, the image's identity and the rehearsal
//! of the plan have been checked.

mod clock;
mod hardware;
mod identity;
mod keyboard;
mod line;
mod media;
pub(crate) mod screen;
mod shown;
mod system;

use std::fs;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use ceremony::language::Bilingual;
use ceremony::plan::{After, Plan};
use ceremony::policy::Policy;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::Offset;
pub(crate) use identity::measured;

use self::media::Media;
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
        Live { lang, line, system }.serve()
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
        clock::confirm(&bounds, offset, self.lang)
    }

    /// Returns the folder of the ceremony: in the image if it holds one, or else on the medium of
    /// plans.
    fn ceremony(&self) -> Result<PathBuf, Halt> {
        let root = if Path::new(CEREMONY).exists() {
            PathBuf::from(CEREMONY)
        } else {
            self.until(media::mount_plans)?
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
        if !status.success() {
            let golden = golden.display();
            return Err(Halt::media(
                RuleId::S_SELF_TEST,
                says!(
                    "基準 {golden} のとおりになるリハーサル",
                    "a rehearsal that gives the golden {golden}"
                ),
                says!("別の結果({status})", "a different result ({status})"),
            ));
        }
        say(self.pick("✓ 基準と一致しました", "✓ as the golden has it"))
    }

    /// Runs or resumes the ceremony until it has ended, and copies the results out.
    ///
    /// If a medium or token was removed, people are asked to plug it in, and the ceremony is
    /// resumed.
    fn hold(&self, plan: &Path, mut put_aside: Option<usize>) -> Result<(), Halt> {
        loop {
            let media = self.until(|| Media::mount(self.system.drill(), name_of(plan)))?;
            self.system.hardware.renew()?;
            identity::compare(&media.operators().join("image.toml"), &self.system)?;
            let out = cleared(plan)?;
            let status =
                self.perform(&mut self.command(plan, &media, &out, put_aside.take())?)?;
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
        let media = self.until(|| Media::mount(self.system.drill(), name_of(plan)))?;
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
        self.perform(&mut command)?;
        self.copy_all(&out, media, &Path::new(name_of(plan)).join("abandoned"))
    }

    /// Copies the results, if there are any, to every medium for outputs, and unmounts the media.
    fn copy_all(&self, out: &Path, media: Media, to: &Path) -> Result<(), Halt> {
        if !out.exists() {
            return Ok(());
        }
        let files = output::read_folder(out)?;
        for at in media.copy_out(&files, to)? {
            say(&self.pick(
                format!("✓ {} に写し、読み返しました", at.display()),
                format!("✓ copied to {} and read back", at.display()),
            ))?;
        }
        Ok(())
    }

    /// Retries until the media are found, or people give up.
    fn until<T>(&self, find: impl Fn() -> Result<T, Halt>) -> Result<T, Halt> {
        loop {
            let halt = match find() {
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

/// Returns every plan below `ceremony-plans/` of a root, sorted.
fn plans(root: &Path) -> Result<Vec<PathBuf>, Halt> {
    let mut found = Vec::new();
    for ca in media::folders(&root.join("ceremony-plans"))? {
        found.extend(
            media::folders(&ca)?.into_iter().filter(|plan| plan.join("plan.toml").exists()),
        );
    }
    found.sort();
    if found.is_empty() {
        let above = root.join("ceremony-plans");
        let asked = says!("{} の下にある計画", "a plan below {}", above.display());
        return Err(Halt::media(RuleId::S_PLANS, asked, none()));
    }
    Ok(found)
}

/// The words for something that is missing.
fn none() -> Bilingual {
    Bilingual::none()
}

/// Returns the CA's folder in `golden/` or `ledger/`, beside `ceremony-plans/`.
fn beside(plan: &Path, kind: &str) -> PathBuf {
    let mut above = plan.ancestors().skip(1);
    let ca = above.next().and_then(Path::file_name).unwrap_or_default();
    above.nth(1).unwrap_or(Path::new(CEREMONY)).join(kind).join(ca)
}

/// Reads the plan of a ceremony.
fn planned(plan: &Path) -> Result<Plan, Halt> {
    let path = plan.join(files::PLAN_FILE);
    let octets = files::read_document(&path)?;
    Plan::parse(&octets).map_err(Halt::unread(path, &octets))
}

/// The paths of a ledger and an anchor, if they exist.
type History = (Option<PathBuf>, Option<PathBuf>);

/// Returns the ledger and anchor on which a ceremony is held, if they exist.
///
/// A real ceremony uses the ledger that was reviewed with its plan. Its anchor is the one beside
/// the plan, or else the one on the operators' medium. A drill uses the ledger on the operators'
/// medium, if there is one; that ledger has no anchor.
fn history(plan: &Path, operators: &Path, drill: bool) -> History {
    let there = |path: &PathBuf| path.exists();
    let carried = Some(operators.join("ledger")).filter(|ledger| drill && there(ledger));
    if carried.is_some() {
        return (carried, None);
    }
    let anchors = [plan.with_file_name("anchor.toml"), operators.join("anchor.toml")];
    (Some(beside(plan, "ledger")).filter(there), anchors.into_iter().find(there))
}

/// Returns the folder in RAM for the outputs of this ceremony, after removing what it held.
fn cleared(plan: &Path) -> Result<PathBuf, Halt> {
    let out = Path::new(OUTPUTS).join(name_of(plan));
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|error| {
            let asked = says!("RAM の消去", "to clear RAM");
            Halt::media(RuleId::S_OUT, asked, files::said(&error))
        })?;
    }
    Ok(out)
}

fn name_of(plan: &Path) -> &str {
    plan.file_name().and_then(|name| name.to_str()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_medium_without_plans_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let plan = root.path().join("ceremony-plans/some-ca/2026-04-genesis");
        fs::create_dir_all(&plan).unwrap();
        let Err(Halt::Media(fault)) = plans(root.path()) else { panic!("accepted") };
        assert_eq!(fault.rule, RuleId::S_PLANS);
        fs::write(plan.join("plan.toml"), "").unwrap();
        assert_eq!(plans(root.path()).unwrap(), std::slice::from_ref(&plan));
        assert_eq!(beside(&plan, "golden"), root.path().join("golden/some-ca"));
    }
    #[test]
    fn a_real_ceremony_takes_what_was_reviewed_and_a_drill_what_operators_bring() {
        let folder = tempfile::tempdir().unwrap();
        let (root, operators) = (folder.path().join("image"), folder.path().join("a"));
        let plan = root.join("ceremony-plans/some-ca/2026-06-ds");
        let reviewed = [root.join("ledger/some-ca"), plan.with_file_name("anchor.toml")];
        let carried = [operators.join("ledger"), operators.join("anchor.toml")];
        fs::create_dir_all(&plan).unwrap();
        assert_eq!(history(&plan, &operators, false), (None, None));
        fs::create_dir_all(&carried[0]).unwrap();
        fs::write(&carried[1], "").unwrap();
        assert_eq!(history(&plan, &operators, false), (None, Some(carried[1].clone())));
        fs::create_dir_all(&reviewed[0]).unwrap();
        fs::write(&reviewed[1], "").unwrap();
        let [ledger, anchor] = reviewed.map(Some);
        assert_eq!(history(&plan, &operators, false), (ledger.clone(), anchor.clone()));
        assert_eq!(history(&plan, &operators, true), (Some(carried[0].clone()), None));
        fs::remove_dir(&carried[0]).unwrap();
        assert_eq!(history(&plan, &operators, true), (ledger, anchor));
    }
}
