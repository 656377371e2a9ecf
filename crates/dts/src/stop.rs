//! Why a command stops, and its exit code.

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::says;

/// The command line cannot be followed.
pub(crate) const USAGE: u8 = 64;
/// A release is refused.
pub(crate) const REFUSED: u8 = 4;
/// A file, the lock or the clock is not as it must be.
pub(crate) const MEDIA: u8 = 5;
/// What is out is not everything that is due, or more.
pub(crate) const DIFFERS: u8 = 1;

/// Why a command stops.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The exit code.
    pub(crate) code: u8,
    /// What was asked, and what was found.
    pub(crate) said: Bilingual,
}

impl Stop {
    /// A refusal of something at this place.
    pub(crate) fn refused(place: &Bilingual, fault: &Fault) -> Self {
        Self { code: REFUSED, said: worded(place, fault) }
    }

    /// A fault of a file, the lock or the clock.
    pub(crate) fn media(place: &Bilingual, fault: &Fault) -> Self {
        Self { code: MEDIA, said: worded(place, fault) }
    }

    /// A failed call at this place.
    pub(crate) fn io(place: Bilingual, error: &std::io::Error) -> Self {
        let why = os::said(error);
        let said = says!(place, why; "{place}: {why}", "{place}: {why}");
        Self { code: MEDIA, said }
    }
}

/// Words a fault: where, by which rule, what was asked, what was found.
pub(crate) fn worded(place: &Bilingual, fault: &Fault) -> Bilingual {
    let (asked, found, rule) = (&*fault.asked, &*fault.found, fault.rule);
    says!(
        place, asked, found;
        "{place}: {rule}\n  求めたもの: {asked}\n  あったもの: {found}",
        "{place}: {rule}\n  asked: {asked}\n  found: {found}"
    )
}

/// What somebody else's server said, so that it steers no terminal and adds no line.
pub(crate) fn heard(text: &str) -> String {
    text.escape_debug().take(200).collect()
}
