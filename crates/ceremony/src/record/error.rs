//! Why a line is not a record.

use alloc::string::String;

use crate::language::Bilingual;
use crate::says;

/// The reason why a line is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub enum RecordError {
    /// The line is not the JSON of a record.
    Form(String),
    /// The line is not in canonical form, or its chain value does not follow from the line before.
    NotCanonical,
    /// The last line does not end with a line feed.
    Torn,
}

impl RecordError {
    /// The reason in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        match self {
            Self::Form(why) => {
                says!("記録でない行: {why}", "this line is not a record: {why}")
            }
            Self::NotCanonical => says!(
                "記録とその前の行から定まる形と異なる行",
                "this line differs from what the record and the line before it determine"
            ),
            Self::Torn => {
                says!("途中で切れた最後の行", "the last line is torn: it has no line feed")
            }
        }
    }
}
