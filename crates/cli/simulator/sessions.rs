//! The sessions of one history: the product's own commands, each chosen by what the one before said
//! when it ended.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use ceremony::verify::{Trust, Verdict};

use super::media;
use super::world::{Crash, contents, with};
use crate::args::{self, Command};
use crate::commands::perform;
use crate::halt::{Halt, Reached};
use crate::judged::Judging;
use crate::lang::Lang;
use crate::output;

/// The number of sessions after which a ceremony counts as one that never ends.
const MOST: usize = 24;

/// The next command.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Run,
    Resume(Option<PathBuf>),
    Abandon(Option<PathBuf>),
}

/// How a history ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    Completed,
    Aborted,
    Abandoned,
    NothingBegun,
    /// It does not end, or ends without a message.
    None,
}

/// Holds a ceremony until it ends.
pub(super) fn hold() -> Ending {
    let mut way = Way::Run;
    let mut last: Option<String> = None;
    for number in 0..MOST {
        let fired = sit_down(number, &way);
        let ended = catch_unwind(AssertUnwindSafe(|| perform(command(&way), None, Lang::En)));
        let fired = rise(&ended) > fired;
        let (reached, said) = match ended {
            Err(payload) if payload.is::<Crash>() => {
                (reached(), (!fired).then(|| "people gave it up".to_string()))
            }
            Err(_) => {
                wrong(10, "a panic");
                return Ending::None;
            }
            Ok(Ok(())) => return over(&way, Ending::Completed),
            Ok(Err(Halt::People(_))) => return over(&way, Ending::Aborted),
            Ok(Err(Halt::Held(reached, halt))) => {
                if let Halt::Bug(fault) = &*halt {
                    wrong(10, &format!("said to be a bug: {fault}"));
                }
                (reached, Some(format!("{halt:?}")))
            }
            Ok(Err(halt)) => {
                wrong(10, &format!("no state is named: {halt:?}"));
                return Ending::None;
            }
        };
        // The same message twice without a new fault in between: the cause cannot be mended.
        let again = said.is_some() && said == last && !fired;
        last = said;
        if reached == Reached::Nothing && again {
            return over(&way, Ending::NothingBegun);
        }
        match next(&reached, again, &way) {
            Some(next) => way = next,
            None => {
                wrong(10, &format!("no exit from {reached:?} after {way:?}: {last:?}"));
                return Ending::None;
            }
        }
    }
    wrong(9, &format!("no end after {MOST} sessions; the last said {last:?}"));
    Ending::None
}

fn wrong(invariant: u32, what: &str) {
    with(|world| world.checker.wrong(invariant, what));
}

/// Returns the state that is reached when a signal or a power cut ends a session.
fn reached() -> Reached {
    Reached::of(&media())
}

fn media() -> Vec<PathBuf> {
    with(|world| world.media().to_vec()).unwrap()
}

/// Begins a session with media and tokens in place; returns how many faults had happened by then.
fn sit_down(number: usize, way: &Way) -> usize {
    with(|world| {
        if number > 0 {
            world.time += 300;
            media::between(world);
        }
        world.root.wake();
        world.spares.values_mut().for_each(super::device::Device::wake);
        world.told.sit_down();
        let media = world.media();
        let consent = matches!(way, Way::Resume(Some(_)) | Way::Abandon(Some(_)));
        world.checker.before_session(&media, consent);
        world.note(format!("session {number}: {way:?}"));
        world.fired
    })
    .unwrap()
}

/// Lets the checker judge what a session left.
fn rise(ended: &Result<Result<(), Halt>, Box<dyn std::any::Any + Send>>) -> usize {
    with(|world| {
        let ended = match ended {
            Ok(ended) => format!("{ended:?}"),
            Err(_) => "ended by force".into(),
        };
        world.note(ended);
        let media = world.media();
        world.checker.after_session(&media, &world.told);
        world.checker.judge_signatures(&media, false);
        world.fired
    })
    .unwrap()
}

/// Returns the next command by what the product said; gives up, where offered, what cannot be
/// mended.
fn next(reached: &Reached, again: bool, way: &Way) -> Option<Way> {
    let abandoning = matches!(way, Way::Abandon(_));
    match (reached, again) {
        (Reached::Nothing, _) => Some(Way::Run),
        (Reached::Paused, _) => Some(Way::Resume(None)),
        (Reached::Begun | Reached::Stopped, false) if !abandoning => Some(Way::Resume(None)),
        (Reached::Begun | Reached::Stopped, true) if !abandoning => Some(Way::Abandon(None)),
        (Reached::Sealed, false) => Some(Way::Resume(None)),
        (Reached::Unsealable | Reached::GivenUp, false) => Some(Way::Abandon(None)),
        (Reached::Begun | Reached::Stopped, false) => Some(Way::Abandon(None)),
        (Reached::Unlike(folders), false) if abandoning => {
            Some(Way::Abandon(Some(doubted(folders))))
        }
        (Reached::Unlike(folders), false) => Some(Way::Resume(Some(doubted(folders)))),
        (Reached::Unlike(folders), true) => Some(Way::Abandon(Some(doubted(folders)))),
        (
            Reached::Taken(_)
            | Reached::Sealed
            | Reached::Unsealable
            | Reached::GivenUp
            | Reached::Begun
            | Reached::Stopped,
            _,
        ) => None,
    }
}

/// Of the journals that may be left out, the one that the auditor finds to have what nobody said,
/// or else less.
fn doubted(folders: &[PathBuf]) -> PathBuf {
    let length = |folder: &PathBuf| {
        fs::metadata(folder.join(media::JOURNAL)).map_or(0, |journal| journal.len())
    };
    let invented =
        |folder: &PathBuf| with(|world| world.checker.invented(folder, &world.told)).unwrap_or(0);
    let doubt = |folder: &&PathBuf| (std::cmp::Reverse(invented(folder)), length(folder));
    folders.iter().min_by_key(doubt).cloned().unwrap()
}

fn command(way: &Way) -> Command {
    let (plan, home) = with(|world| (world.scene.plan(&world.home), world.home.clone())).unwrap();
    let journal = media();
    let held = args::Held {
        room: home.join("room.toml"),
        journal: journal.clone(),
        out: home.join("out"),
        ledger: None,
        anchor: None,
        answers: None,
        pin_fd: None,
        led: false,
    };
    match way {
        Way::Run => Command::Run(args::Run { plan, held }),
        Way::Resume(put_aside) => {
            Command::Resume(args::Resume { plan: None, put_aside: put_aside.clone(), held })
        }
        Way::Abandon(put_aside) => Command::Abandon(args::Abandon {
            journal,
            ledger: None,
            anchor: None,
            put_aside: put_aside.clone(),
            out: home.join("given-up"),
            led: false,
        }),
    }
}

/// Judges what a ceremony that is over has left.
fn over(way: &Way, ending: Ending) -> Ending {
    let (home, media, state) =
        with(|world| (world.home.clone(), world.media(), world.scene.state.clone())).unwrap();
    if matches!(way, Way::Abandon(_)) {
        abandoned(&home.join("given-up"));
        return Ending::Abandoned;
    }
    let out = contents(&home.join("out"));
    if ending == Ending::NothingBegun {
        if !out.is_empty() {
            wrong(4, "an output of nothing");
        }
        return ending;
    }
    let verdict = output::read_folder(&home.join("out"))
        .and_then(|found| Judging::begin(found, &state)?.end(&Trust::Rehearsal));
    if !matches!(verdict, Ok(Verdict::Verified(_))) {
        wrong(4, &format!("what is handed out does not verify: {verdict:?}"));
    }
    with(|world| {
        world.checker.judge_output(&out, ending == Ending::Completed);
        world.checker.judge_signatures(&media, true);
        if ending == Ending::Completed {
            super::leavings::judge_tokens(world, &out);
        }
    });
    ending
}

/// Checks that the record that was given up has the digest that people sign.
fn abandoned(folder: &std::path::Path) {
    let octets = fs::read(folder.join(media::JOURNAL)).unwrap_or_default();
    let digest = ceremony::hex::Digest::of(&octets).to_string();
    let said = with(|world| world.told.heard.iter().any(|line| line.contains(&digest)));
    if octets.is_empty() || said != Some(true) {
        wrong(10, "a journal that is given up without its digest");
    }
}
