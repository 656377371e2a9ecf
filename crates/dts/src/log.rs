//! The log of publications, and with it the lock: whoever has it open is the one that publishes.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ceremony::bounds::SEALED_FOLDER;
use ceremony::fault::Fault;
use ceremony::publish::{Publication, Told};
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use crate::files::shown;
use crate::stop::{MEDIA, Stop};

/// The log, open and locked.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// What it says.
    pub(crate) told: Told,
}

impl Log {
    /// Opens the log, which is made if it is not there, and reads all of it. A line that was being
    /// written when its writer ended is removed.
    pub(crate) fn open(path: &Path) -> Result<Self, Stop> {
        let failed = |error: std::io::Error| Stop::io(shown(path), &error);
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = open(path, flags, Mode::from_bits_truncate(0o644));
        let mut file = File::from(opened.map_err(|error| failed(error.into()))?);
        let metadata = file.metadata().map_err(failed)?;
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        if !metadata.is_file() || SEALED_FOLDER.judge(length).is_err() {
            let asked = says!("通常のファイルの記録", "a log that is a plain file");
            let found = says!("別のもの、又は大きすぎるもの", "something else, or one too large");
            let fault = Fault::new(RuleId::S_FILE, asked, found);
            return Err(Stop::media(&shown(path), &fault));
        }
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let place = shown(path);
            let said = says!(
                place;
                "{place}: 別の sync が実行中。終わってからもう一度実行する",
                "{place}: another sync is at work; run this one again when it has ended"
            );
            return Err(Stop { code: MEDIA, said });
        }
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).map_err(failed)?;
        let told = Told::read(&octets).map_err(|fault| Stop::media(&shown(path), &fault))?;
        let whole = u64::try_from(told.whole).unwrap_or(u64::MAX);
        if told.whole < octets.len() {
            file.set_len(whole).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(whole)).map_err(failed)?;
        Ok(Self { path: path.to_path_buf(), file, told })
    }

    /// Refuses a clock that shows a time before the last publication.
    pub(crate) fn judge(&self, at: ceremony::time::Instant) -> Result<(), Stop> {
        let Some(last) = self.told.last.filter(|last| *last > at) else { return Ok(()) };
        let asked =
            says!("最後の公開 {last} 以後の時刻", "a time from the last publication on, {last}");
        let fault =
            Fault::new(RuleId::S_TIME_BACK, asked, ceremony::language::Bilingual::plain(at));
        Err(Stop::media(&shown(&self.path), &fault))
    }

    /// Writes a line, durably.
    pub(crate) fn append(&mut self, publication: &Publication) -> Result<(), Stop> {
        let line = publication.line(&self.told);
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| Stop::io(shown(&self.path), &error))
    }
}
