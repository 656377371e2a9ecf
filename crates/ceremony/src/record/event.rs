//! What a record of each kind of event carries beside it: result, people, place, name, origin.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Answer, End, Event, Opened, Outcome, Place, Resumed};
use crate::name::Name;

impl Event {
    /// The result that a record of this event carries.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Opened(_) | Self::Asked(_) | Self::Resumed(_) | Self::Sealed { .. } => {
                Outcome::Begun
            }
            Self::Answered { .. } | Self::Adopted { .. } | Self::OrphanRemoved { .. } => {
                Outcome::Done
            }
            Self::Lost { .. } => Outcome::Lost,
            Self::Refused { .. } | Self::Mistaken { .. } => Outcome::Refused,
            Self::Deviation { .. }
            | Self::Noted { .. }
            | Self::Paused { .. }
            | Self::CardFailed { .. } => Outcome::Noted,
            Self::Closed { end } => match end {
                End::Completed => Outcome::Done,
                End::Aborted => Outcome::Refused,
            },
        }
    }

    /// The people who answer, refuse, state or confirm something in this event.
    #[must_use]
    pub fn people(&self) -> &[Name] {
        match self {
            Self::Answered { answer: Answer::People(said), .. } => &said.by,
            Self::OrphanRemoved { by, .. }
            | Self::Deviation { by, .. }
            | Self::Paused { by, .. }
            | Self::CardFailed { by, .. }
            | Self::Noted { by, .. }
            | Self::Refused { by, .. } => by,
            Self::Answered { answer: Answer::Token(_), .. }
            | Self::Adopted { .. }
            | Self::Opened(_)
            | Self::Asked(_)
            | Self::Lost { .. }
            | Self::Mistaken { .. }
            | Self::Resumed(_)
            | Self::Closed { .. }
            | Self::Sealed { .. } => &[],
        }
    }

    /// The place of the session that this event begins.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::Opened(Opened { room, .. }) | Self::Resumed(Resumed { room, .. }) => Some(room),
            Self::Asked(_)
            | Self::Answered { .. }
            | Self::Lost { .. }
            | Self::Adopted { .. }
            | Self::OrphanRemoved { .. }
            | Self::Refused { .. }
            | Self::Mistaken { .. }
            | Self::Noted { .. }
            | Self::Deviation { .. }
            | Self::Paused { .. }
            | Self::CardFailed { .. }
            | Self::Closed { .. }
            | Self::Sealed { .. } => None,
        }
    }

    /// The operation that it answers, or else its kind.
    #[must_use]
    pub fn named(&self) -> &str {
        match self {
            Self::Answered { op, .. } => op,
            Self::Opened(_) => "opened",
            Self::Asked(_) => "asked",
            Self::Lost { .. } => "lost",
            Self::Adopted { .. } => "adopted",
            Self::OrphanRemoved { .. } => "orphan-removed",
            Self::Refused { .. } => "refused",
            Self::Mistaken { .. } => "mistaken",
            Self::Noted { .. } => "noted",
            Self::Deviation { .. } => "deviation",
            Self::Paused { .. } => "paused",
            Self::CardFailed { .. } => "card-failed",
            Self::Resumed(_) => "resumed",
            Self::Closed { .. } => "closed",
            Self::Sealed { .. } => "sealed",
        }
    }

    /// The origin that a record of this event carries.
    #[must_use]
    pub fn origin(&self) -> String {
        match self.people() {
            [] if matches!(
                self,
                Self::Answered { answer: Answer::Token(_), .. } | Self::Adopted { .. }
            ) =>
            {
                String::from("token")
            }
            [] => String::from("gishiki"),
            by => by.iter().map(Name::as_str).collect::<Vec<_>>().join(" "),
        }
    }
}
