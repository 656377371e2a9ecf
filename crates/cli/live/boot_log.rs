//! What the live image does before a session, kept in RAM for the record that begins or resumes a
//! ceremony (CP/CPS 5.4.6).
//!
//! A start of the image that ends before a session leaves no record, because nothing but a
//! ceremony's journal is written to a medium.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use ceremony::bounds::SINCE_BOOT;
use ceremony::language::Bilingual;
use ceremony::record::{BootEvent, BootKind, Outcome};
use ceremony::rule::RuleId;
use ceremony::time::Offset;

use crate::clock::Clock;
use crate::files::said;
use crate::halt::Halt;
use crate::report;

/// The file with one event a line, in RAM; it exists only in the live image.
const LOG: &str = "/run/gishiki/since-boot";
/// The longest text of an event, in characters.
const LONGEST: usize = 200;

/// The events that no record has yet.
#[derive(Debug)]
pub(crate) struct BootLog {
    path: PathBuf,
}

impl BootLog {
    /// The log of the live image.
    pub(crate) fn here() -> Self {
        Self { path: PathBuf::from(LOG) }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// If RAM cannot be written, or the machine's clock shows a time of no calendar.
    pub(super) fn note(&self, kind: BootKind, result: Outcome, what: &str) -> Result<(), Halt> {
        let words: Vec<String> = what.split_whitespace().map(report::plain).collect();
        let what: String = words.join(" ").chars().take(LONGEST).collect();
        let event = BootEvent { at: Clock::System(Offset::UTC).now()?, kind, result, what };
        let failed = |error: std::io::Error| failed(&self.path, &error);
        let mut line = serde_json::to_string(&event).map_err(|error| failed(error.into()))?;
        line.push('\n');
        let mut file =
            OpenOptions::new().create(true).append(true).open(&self.path).map_err(failed)?;
        file.write_all(line.as_bytes()).map_err(failed)
    }

    /// Adds what was done, or why it was refused, and returns the same result.
    pub(super) fn keep<T>(
        &self,
        kind: BootKind,
        done: Result<T, Halt>,
        what: impl FnOnce(&T) -> String,
    ) -> Result<T, Halt> {
        match &done {
            Ok(value) => self.note(kind, Outcome::Done, &what(value))?,
            Err(halt) => self.note(kind, Outcome::Refused, &report::english(halt))?,
        }
        done
    }

    /// Returns the events, at most as many as a record takes; none outside the live image.
    pub(crate) fn events(&self) -> Result<Vec<BootEvent>, Halt> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(|error| failed(&self.path, &error))?,
        };
        let events = text.lines().map(serde_json::from_str);
        let mut events: Vec<BootEvent> =
            events.collect::<Result<_, _>>().map_err(|error| failed(&self.path, &error.into()))?;
        let left = events.len().saturating_sub(SINCE_BOOT.length());
        if left > 0 {
            events.truncate(SINCE_BOOT.length() - 1);
            let at = Clock::System(Offset::UTC).now()?;
            let what = (left + 1).to_string();
            events.push(BootEvent { at, kind: BootKind::Omitted, result: Outcome::Noted, what });
        }
        Ok(events)
    }

    /// Forgets the events, because a durable record has them.
    pub(crate) fn recorded(&self) -> Result<(), Halt> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&self.path, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Halt {
    Halt::media(RuleId::S_LIVE, Bilingual::plain(path.display()), said(error))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use ceremony::says;

    use super::*;

    #[test]
    fn events_are_kept_until_a_record_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let log = BootLog { path: folder.path().join("log") };
        assert_eq!(log.events().unwrap(), []);
        log.note(BootKind::Started, Outcome::Done, "drill\n\u{202e} image").unwrap();
        let refused =
            || Halt::media(RuleId::S_MEDIUM, says!("媒体", "a medium"), Bilingual::none());
        let kept = log.keep(BootKind::Media, Err::<(), _>(refused()), |()| String::new());
        assert!(kept.is_err());
        log.keep(BootKind::Media, Ok("a"), |at| format!("mounted {at}")).unwrap();
        let events = log.events().unwrap();
        let told: Vec<_> =
            events.iter().map(|event| (event.kind, event.result, event.what.as_str())).collect();
        assert_eq!(
            told,
            [
                (BootKind::Started, Outcome::Done, "drill \u{fffd} image"),
                (
                    BootKind::Media,
                    Outcome::Refused,
                    "file or medium: S-MEDIUM [gishiki] asked: a medium found: none",
                ),
                (BootKind::Media, Outcome::Done, "mounted a"),
            ]
        );
        log.recorded().unwrap();
        assert_eq!(log.events().unwrap(), []);
        log.recorded().unwrap();
    }

    #[test]
    fn a_record_takes_so_many_events_and_says_how_many_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let log = BootLog { path: folder.path().join("log") };
        let most = SINCE_BOOT.length();
        for number in 0..most {
            log.note(BootKind::Session, Outcome::Refused, &"x".repeat(number + 1)).unwrap();
        }
        let events = log.events().unwrap();
        assert_eq!(events.len(), most);
        assert!(events.iter().all(|event| event.kind == BootKind::Session));
        assert_eq!(events.iter().map(|event| event.what.len()).max(), Some(LONGEST));
        for _ in 0..3 {
            log.note(BootKind::Session, Outcome::Refused, "exit 3").unwrap();
        }
        let events = log.events().unwrap();
        let last = events.last().unwrap();
        assert_eq!((events.len(), last.kind), (most, BootKind::Omitted));
        assert_eq!(last.what, "4");
    }
}
