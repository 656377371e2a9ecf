//! `duties`: what a CA has to do and when, and records of what was done.
//!
//! What is due and which record counts is said by the core ([`ceremony::calendar`]). This file
//! reads the policy, the roster, the ledger and the records, of which there is one file for each,
//! so that those of several people meet in a repository without conflict.

mod done;
mod ics;
mod shown;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::bounds::DONE;
use ceremony::calendar::{Doers, Done, Held, Item, Standing, Weighed, Written, items};
use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::ledger::State;
use ceremony::policy::Policy;
use ceremony::roster::Roster;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::{Day, Instant};
use ceremony::verify::Trust;

use crate::args::{Duties, DutiesCommand, DutiesShown, OfCa};
use crate::clock::Clock;
use crate::halt::Halt;
use crate::judged::{read_anchor, trust};
use crate::lang::Lang;
use crate::report::print;
use crate::sources::shown as path_shown;
use crate::state::Rests;
use crate::{files, ledgers, partial};

/// The documents of a CA from which its calendar follows.
struct OfPolicy {
    policy: Policy,
    roster: Roster,
    records: PathBuf,
}

/// A ledger that was folded.
struct Folded {
    folder: PathBuf,
    /// The state after each ceremony.
    history: Vec<Arc<State>>,
    rests: Rests,
}

/// The records that were read.
#[derive(Default)]
struct Found {
    done: Vec<Done>,
    /// Those by a card that no ceremony has taken in yet.
    unregistered: Vec<String>,
    /// Those that count for nothing, and why.
    others: Vec<(String, Bilingual)>,
}

/// Everything that is shown of a calendar.
struct Shown {
    of: OfPolicy,
    doers: Doers,
    ledger: Option<Folded>,
    found: Found,
    items: Vec<Item>,
    at: Instant,
}

/// Performs `duties` or its subcommand.
pub(crate) fn perform(asked: &Duties, lang: Lang) -> Result<(), Halt> {
    match &asked.command {
        Some(DutiesCommand::Done(done)) => done::record(done, lang),
        None => show(&asked.shown, lang),
    }
}

/// Shows the calendar; the result says whether something is overdue.
fn show(asked: &DutiesShown, lang: Lang) -> Result<(), Halt> {
    let of = read(&asked.of)?;
    let ledger = fold(asked)?;
    let history = ledger.as_ref().map_or(&[][..], |ledger| ledger.history.as_slice());
    let doers = Doers::of(&of.policy, &of.roster, history).map_err(Halt::Media)?;
    let now = Clock::System(doers.offset()).now()?;
    let at = asked.at.map_or(now, |day| day.start(doers.offset()));
    let found = records(&of.records, &doers, now)?;
    let held = held(history);
    let items = items(&of.policy, &of.roster, held, &found.done, at).map_err(Halt::Media)?;
    let shown = Shown { of, doers, ledger, found, items, at };
    if let Some(path) = &asked.ics {
        put(path, ics::calendar(&shown, lang).as_bytes())?;
    }
    match asked.json {
        true => print(&format!("{:#}\n", shown::json(&shown)))?,
        false => print(&shown::text(&shown, lang))?,
    }
    match shown.items.iter().any(|item| item.standing == Standing::Overdue) {
        true => Err(Halt::Overdue),
        false => Ok(()),
    }
}

/// The state that a ledger left, and the day of its first ceremony.
fn held(history: &[Arc<State>]) -> Option<Held<'_>> {
    let (first, state) = (history.first()?.last.as_ref()?, history.last()?);
    Some(Held { state, first: first.ended_at.day() })
}

/// Reads the policy, of which every duty has somebody and a date, and the roster.
fn read(of: &OfCa) -> Result<OfPolicy, Halt> {
    let (policy, roster) = (of.ca.join("policy.toml"), of.ca.join("roster.toml"));
    let octets = files::read_document(&policy)?;
    let read = Policy::parse(&octets).and_then(|policy| policy.judge_duties().map(|()| policy));
    let policy = read.map_err(Halt::unread(&policy, &octets))?;
    let octets = files::read_document(&roster)?;
    let roster = Roster::parse(&octets).map_err(Halt::unread(&roster, &octets))?;
    let records = match &of.records {
        Some(records) => records.clone(),
        None => ledgers::of_ca(&of.ca, "duties").ok_or_else(|| {
            let asked = says!("認証局のフォルダー", "the folder of a CA");
            let found = says!("{}。--records で示す", "{}: give --records", path_shown(&of.ca));
            Halt::media(RuleId::S_FILE, asked, found)
        })?,
    };
    Ok(OfPolicy { policy, roster, records })
}

/// Folds the ledger that is named, or is beside the plans; `None` before a first ceremony.
fn fold(asked: &DutiesShown) -> Result<Option<Folded>, Halt> {
    let anchor = read_anchor(asked.by.anchor.as_deref())?;
    let trust = trust(anchor.as_ref(), asked.by.rehearsal, asked.by.drill);
    let beside = |kind| ledgers::of_ca(&asked.of.ca, kind).filter(|folder| folder.is_dir());
    let folder = asked.ledger.clone().or_else(|| beside("ledger")).or_else(|| beside("golden"));
    let Some(folder) = folder else {
        if matches!(trust, Trust::None) {
            return Ok(None);
        }
        let asked = says!("判定する台帳", "the ledger that is to be judged");
        let found = says!(
            "計画の傍らになし。--ledger で示す",
            "none beside the plans; name it with --ledger"
        );
        return Err(Halt::media(RuleId::S_LEDGER, asked, found));
    };
    let chain = ledgers::whole(ledgers::list(&folder)?, &folder)?;
    let mut history = Vec::new();
    let (state, _) =
        ledgers::fold_each(&chain, &trust, |_, state| history.push(Arc::clone(state)))?;
    let rests = Rests::of(&state, &trust)?;
    Ok(Some(Folded { folder, history, rests }))
}

/// Reads every record of a folder, which need not be there; each is judged, and one that is wrong
/// is refused.
fn records(folder: &Path, doers: &Doers, now: Instant) -> Result<Found, Halt> {
    let mut found = Found::default();
    let mut names = files::names_if_any(folder)?;
    names.retain(|name| !partial::is_partial(name));
    DONE.judge(names.len()).map_err(|exceeded| {
        let (folder, bound) = (path_shown(folder), DONE.said());
        let asked = says!(bound; "{folder}: {bound}", "{folder}: {bound}");
        Halt::media(RuleId::S_FILE, asked, exceeded.found())
    })?;
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let Some(name) = name.to_str().filter(|name| name.ends_with(".toml")) else {
            let asked =
                says!("DATE.DUTY.PERSON.toml だけ", "DATE.DUTY.PERSON.toml and nothing else");
            return Err(Halt::media(RuleId::S_FILE, asked, Bilingual::plain(path_shown(&path))));
        };
        let octets = files::read_document(&path)?;
        let written = Written::parse(&octets).map_err(Halt::unread(&path, &octets))?;
        let weighed = doers.weigh(name, &written, now);
        match weighed.map_err(|fault| Halt::Media(of_file(&path, fault)))? {
            Weighed::Registered => found.done.push(written.done()),
            Weighed::InRoster => {
                found.unregistered.push(name.to_string());
                found.done.push(written.done());
            }
            Weighed::NoDuty => {
                let duty = written.duty.get_ref();
                let why = says!(
                    "当時のポリシーにない業務 {duty}",
                    "of {duty}, which the policy of its time does not have"
                );
                found.others.push((name.to_string(), why));
            }
        }
    }
    Ok(found)
}

/// The fault, with the file in which it is, and what to do about one that nobody signed so.
fn of_file(path: &Path, fault: Fault) -> Fault {
    let (path, asked, found) = (path_shown(path), *fault.asked, *fault.found);
    let asked = Box::new(says!(asked; "{path}: {asked}", "{path}: {asked}"));
    let found = match fault.rule == RuleId::S_SIGNED {
        true => says!(
            found;
            "{found}。リポジトリの履歴で元の記録に戻すか、本人が `gishiki duties done` でもう一度記録する",
            "{found}; take the record back from the history of the repository, or let the person record it again with `gishiki duties done`"
        ),
        false => found,
    };
    Fault { asked, found: Box::new(found), ..fault }
}

/// Writes a file completely or not at all.
fn put(path: &Path, octets: &[u8]) -> Result<(), Halt> {
    partial::put(path, octets).map_err(|error| {
        let asked = says!("書き込める {}", "{}, to be written", path_shown(path));
        Halt::media(RuleId::S_FILE, asked, files::said(&error))
    })
}

/// A day of a duty, as people read it where there is none.
fn day(day: Option<Day>) -> String {
    day.map_or_else(|| "-".to_string(), |day| day.to_string())
}
