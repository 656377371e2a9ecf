//! Media that tear, fill and vanish while they are written, and that come back changed. They are
//! two real folders, so the product's own reader and writer are tested.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use ceremony::record::{Answer, Event, Record};
use ceremony::run::{Next, Request, ToSign};
use ceremony::verify::replay_unsealed;

use super::faults::{Fault, OfMedium, OfWrite, Site};
use super::world::{World, contents, crash, with};
use crate::people::who_notes;

/// A medium's journal.
pub(super) const JOURNAL: &str = "journal.jsonl";

/// Returns the fault of this write, if any.
fn written(path: &Path) -> Option<OfWrite> {
    with(|world| {
        world.note(format!("write {}", path.display()));
        match world.pass(Site::Write) {
            Some(Fault::Write(_, fault)) => Some(fault),
            Some(_) | None => None,
        }
    })
    .flatten()
}

/// Returns this many 256ths of these octets.
fn part(octets: &[u8], of: u8) -> &[u8] {
    &octets[..octets.len() * usize::from(of) / 256]
}

fn full() -> io::Error {
    io::Error::new(ErrorKind::StorageFull, "no space left on device")
}

/// The folder of a medium is not there any more; it is found again before the next session.
fn vanish(folder: &Path) {
    let _ = fs::rename(folder, folder.with_extension("away"));
}

/// Appends octets to a file of a medium, and syncs it.
pub(crate) fn append(folder: &Path, file: &mut File, octets: &[u8]) -> io::Result<()> {
    with(|world| world.checker.written(octets));
    let fault = written(folder);
    match fault {
        Some(OfWrite::Torn(of)) => {
            file.write_all(part(octets, of))?;
            crash()
        }
        Some(OfWrite::Full(of)) => {
            file.write_all(part(octets, of))?;
            return Err(full());
        }
        Some(OfWrite::Vanishes) => vanish(folder),
        Some(OfWrite::StopsAfter | OfWrite::NotSynced) | None => {}
    }
    file.write_all(octets)?;
    after(fault)
}

fn after(fault: Option<OfWrite>) -> io::Result<()> {
    match fault {
        Some(OfWrite::StopsAfter) => crash(),
        Some(OfWrite::NotSynced) => Err(io::Error::other("input/output error")),
        Some(OfWrite::Torn(_) | OfWrite::Full(_) | OfWrite::Vanishes) | None => Ok(()),
    }
}

/// Writes a file that is afterwards either complete or absent.
pub(crate) fn put(path: &Path, put: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let fault = written(path);
    match fault {
        Some(OfWrite::Torn(_)) => {
            // A power cut leaves the file under its hidden name.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let _ = fs::write(path.with_file_name(format!(".{name}.partial")), b"torn");
            crash()
        }
        Some(OfWrite::Full(_)) => return Err(full()),
        Some(OfWrite::Vanishes) => path.parent().into_iter().for_each(vanish),
        Some(OfWrite::StopsAfter | OfWrite::NotSynced) | None => {}
    }
    put()?;
    after(fault)
}

/// Applies the fault that happens to media between two sessions. A vanished medium is found again.
pub(super) fn between(world: &mut World) {
    for medium in world.media().into_iter().chain([world.home.join("out")]) {
        let away = medium.with_extension("away");
        if away.exists() && medium.exists() {
            let _ = fs::remove_dir_all(&medium);
        }
        if away.exists() {
            fs::rename(&away, &medium).unwrap();
        }
    }
    let Some(Fault::Media(_, fault)) = world.pass(Site::Session) else { return };
    let (OfMedium::Lost(which)
    | OfMedium::Shorter(which, _)
    | OfMedium::Forged(which)
    | OfMedium::Flipped(which, _)
    | OfMedium::Garbage(which)) = fault;
    let folder = &world.media()[usize::from(which)];
    let journal = folder.join(JOURNAL);
    let octets = fs::read(&journal).unwrap_or_default();
    match fault {
        OfMedium::Lost(_) => {
            let _ = fs::remove_dir_all(folder);
        }
        OfMedium::Shorter(_, records) => {
            let lines: Vec<&[u8]> = octets.split_inclusive(|octet| *octet == b'\n').collect();
            let kept = lines.len().saturating_sub(usize::from(records)).max(1);
            replace(&journal, &lines[..kept.min(lines.len())].concat());
            world.checker.changed();
        }
        OfMedium::Forged(_) => {
            if let Some(forged) = forged(world, folder, &octets) {
                replace(&journal, &[octets, forged.into_bytes()].concat());
            }
        }
        OfMedium::Flipped(_, at) => {
            let mut octets = octets;
            let length = octets.len().max(1);
            if let Some(octet) = octets.get_mut(usize::from(at) % length) {
                *octet ^= 1;
            }
            replace(&journal, &octets);
            world.checker.changed();
        }
        OfMedium::Garbage(_) => replace(&journal, &[&octets[..], b"{\"at\":\"20"].concat()),
    }
}

fn replace(journal: &Path, octets: &[u8]) {
    if journal.exists() {
        fs::write(journal, octets).unwrap();
    }
}

/// The words of people that come next in this journal, as somebody writes them who has only the
/// medium: in the right form and with the right chain.
fn forged(world: &World, folder: &Path, journal: &[u8]) -> Option<String> {
    let held = contents(folder);
    let inputs: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(held.get("inputs.json")?).ok()?;
    let inputs = inputs.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    let mut run = replay_unsealed(&inputs, journal, &[], &world.scene.state).ok()?;
    let at = run.last_at();
    let event = match run.next() {
        Next::Answer(op, attempt) => {
            let (op, attempt) = (op.name.clone(), attempt);
            let Ok(Request::People(request)) = run.request() else { return None };
            let answer = Answer::People(request.as_planned(run.graph(), "forged"));
            Event::Answered { op, attempt, answer }
        }
        Next::Note(..) => Event::Noted { head: run.head(), by: who_notes(&run), mistaken: 0 },
        _ => return None,
    };
    // A rehearsal's people have keys that everyone can compute, so they are signed for as well.
    let ca = run.graph().ca_name().der().to_vec();
    let sign = |one: ToSign| {
        let raw = token::sign_as(&ca, &one.person, &one.message)?;
        Some((one.person, raw))
    };
    let signed = run.to_sign(&event).into_iter().filter_map(sign).collect();
    let line = run.apply(at, event, signed).ok()?.line;
    Record::read(line.trim_end()).ok().map(|_| line)
}
