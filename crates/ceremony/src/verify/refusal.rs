//! The refusal of a sealed folder, and where in it.

use alloc::string::ToString;

use crate::fault::Fault;
use crate::language::Bilingual;
use crate::says;

/// A fault and the place where it was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", place.en)]
pub struct Refusal {
    /// A file, and the line in it, counted from 1.
    pub place: Bilingual,
    /// What is wrong.
    pub fault: Fault,
}

impl Refusal {
    /// A refusal whose place is this file or folder.
    pub fn of(name: impl ToString, fault: Fault) -> Self {
        Self { place: Bilingual::plain(name), fault }
    }

    /// A refusal of a ledger as a whole.
    #[must_use]
    pub fn of_ledger(fault: Fault) -> Self {
        Self { place: says!("台帳", "the ledger"), fault }
    }
}
