//! `duties done`: has a person record with their card that a duty was done.

use ceremony::calendar::{Doers, Done, Written};
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::policy::Policy;
use ceremony::rule::RuleId;
use ceremony::says;

use super::{put, read};
use crate::args::DutyDone;
use crate::cards::by_card;
use crate::clock::Clock;
use crate::files;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report::{plain, print, tell};
use crate::sources::shown;

/// Records it.
pub(super) fn record(asked: &DutyDone, lang: Lang) -> Result<(), Halt> {
    let of = read(&asked.of)?;
    let doers = Doers::of(&of.policy, &of.roster, &[]).map_err(Halt::Media)?;
    let now = Clock::System(doers.offset()).now()?;
    let done = Done {
        duty: asked.duty.clone(),
        on: asked.on.unwrap_or_else(|| now.day()),
        person: asked.person.clone(),
        at: now,
        note: asked.note.clone(),
        evidence: evidence(asked)?,
    };
    let to_sign = doers.to_sign(&done).map_err(Halt::Media)?;
    let path = of.records.join(done.file());
    if path.symlink_metadata().is_ok() {
        let asked = says!(
            "{} が {} に {} を実施した、まだない記録",
            "no record yet that {} did {2} on {1}",
            done.person,
            done.on,
            done.duty
        );
        let found = says!("既にある {}", "{}, which is there already", shown(&path));
        return Err(Halt::media(RuleId::S_OUT, asked, found));
    }
    tell(&described(&of.policy, &doers, &done, lang));
    let signed = by_card(&to_sign, &asked.module, asked.pin_fd, lang)?;
    let text = done.text(doers.ca(), &signed);
    let written = Written::parse(text.as_bytes()).map_err(Halt::unread(&path, text.as_bytes()))?;
    // As it will be read: a card that signs something else leaves no file.
    doers.weigh(&done.file(), &written, now).map_err(Halt::Token)?;
    std::fs::create_dir_all(&of.records).map_err(|error| {
        let asked = says!("書き込める {}", "{}, to be written", shown(&of.records));
        Halt::media(RuleId::S_FILE, asked, files::said(&error))
    })?;
    put(&path, text.as_bytes())?;
    let head = pick(lang, "記録した", "recorded");
    print(&format!("{head}: {}\n{}", shown(&path), next(&of.policy, &done, lang)?))
}

/// Reads the files that show it.
fn evidence(asked: &DutyDone) -> Result<Vec<(String, Digest)>, Halt> {
    let one = |path: &std::path::PathBuf| {
        let octets = files::read(path)?;
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            let asked = says!("UTF-8 の名前のファイル", "a file whose name is UTF-8");
            Halt::media(RuleId::S_FILE, asked, Bilingual::plain(shown(path)))
        })?;
        Ok((name.to_string(), Digest::of(&octets)))
    };
    asked.evidence.iter().map(one).collect()
}

/// What a person signs.
fn described(policy: &Policy, doers: &Doers, done: &Done, lang: Lang) -> String {
    let duty = policy.duty.get(&done.duty);
    let (name, section) = duty.map_or_else(
        || (Bilingual::plain(&done.duty), "-"),
        |duty| (duty.name.said(), duty.section.as_str()),
    );
    let (who, ca) = (doers.named(&done.person), doers.ca());
    let (who, name, section) = (plain(lang.said(&who)), plain(lang.said(&name)), plain(section));
    let (id, on) = (&done.duty, done.on);
    let mut text = match lang {
        Lang::Ja => format!(
            "{who} は認証局 {ca} について次のことに署名する\n  業務    {id}: {name}({section})\n  実施日  {on}"
        ),
        Lang::En => format!(
            "{who} signs for the CA {ca}:\n  the duty  {id}: {name} ({section})\n  done on   {on}"
        ),
    };
    for (file, sha256) in &done.evidence {
        let head = pick(lang, "  証拠    ", "  shown by  ");
        text.push_str(&format!("\n{head}{} {sha256}", plain(file)));
    }
    if let Some(note) = &done.note {
        text.push_str(&format!("\n{}{}", pick(lang, "  付記    ", "  note      "), plain(note)));
    }
    text
}

/// When it is due again.
fn next(policy: &Policy, done: &Done, lang: Lang) -> Result<String, Halt> {
    let every = policy.duty.get(&done.duty).and_then(|duty| duty.every.as_ref());
    let Some(every) = every else { return Ok(String::new()) };
    let next = done.on.plus(every.get_ref(), 1).map_err(|error| {
        let asked = says!("{} の次の期日", "the next date of {}", done.duty);
        Halt::media(RuleId::S_DUTY, asked, error.said())
    })?;
    Ok(match lang {
        Lang::Ja => format!("次の期日: {next}\n"),
        Lang::En => format!("due again: {next}\n"),
    })
}
