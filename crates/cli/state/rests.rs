//! On what a state rests: the trust under which the ledger was folded.

use ceremony::ledger::State;
use ceremony::verify::Trust;

use crate::halt::Halt;
use crate::judged::refuse_unpinned;
use crate::lang::{Lang, pick};

/// On what a state rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rests {
    Anchor,
    AnchorInPart,
    Rehearsal,
    Drill,
    Nothing,
}

impl Rests {
    /// Judges whether the anchor, if there is one, pins the ceremonies of this state.
    pub(crate) fn of(state: &State, trust: &Trust<'_>) -> Result<Self, Halt> {
        match refuse_unpinned(state, trust) {
            Ok(()) => Ok(Self::whole(trust)),
            Err(Halt::NotPinned(_)) => Ok(Self::AnchorInPart),
            Err(halt) => Err(halt),
        }
    }

    const fn whole(trust: &Trust<'_>) -> Self {
        match trust {
            Trust::Anchor(_) => Self::Anchor,
            Trust::Rehearsal => Self::Rehearsal,
            Trust::Drill => Self::Drill,
            Trust::Room(_) | Trust::None => Self::Nothing,
        }
    }

    /// As the JSON has it.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Anchor => Some("anchor"),
            Self::AnchorInPart => Some("anchor-in-part"),
            Self::Rehearsal => Some("rehearsal"),
            Self::Drill => Some("drill"),
            Self::Nothing => None,
        }
    }

    pub(crate) const fn said(self, lang: Lang) -> &'static str {
        match self {
            Self::Anchor => pick(lang, "アンカーのもとで検証済み", "judged under the anchor"),
            Self::AnchorInPart => pick(
                lang,
                "アンカーのもとで検証済み。ただし最後の部分は固定されていない",
                "judged under the anchor, which does not pin the last ceremonies yet",
            ),
            Self::Rehearsal => pick(
                lang,
                "リハーサルとして整合。認証局のものではない",
                "consistent as a rehearsal, and no CA's",
            ),
            Self::Drill => pick(
                lang,
                "訓練として整合。認証局のものではない",
                "consistent as a drill, and no CA's",
            ),
            Self::Nothing => pick(
                lang,
                "整合するだけで、認証局のものとは示されていない(--anchor で検証)",
                "not judged: consistent, but nothing says that it is the CA's (--anchor judges it)",
            ),
        }
    }
}
