//! What is done in an operation: the closed list of acts, and when and by whom each is done.

use alloc::vec::Vec;

use crate::hex::Octets;
use crate::name::Name;
use crate::plan::Order;
use crate::token::Holder;

/// What is done in an operation. Closed: a new act breaks the build wherever it must be thought of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// People do it, and say so.
    People(PeopleAct),
    /// A token does it, and answers.
    Token(TokenAct),
    /// The audit key seals the transcript. It is asked by the event Closed, and answered by Sealed.
    Seal,
}

/// What people do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleAct {
    /// A participant enters the room (5.2.1.8).
    Entry {
        /// Who enters.
        person: Name,
    },
    /// Everyone of a role is present and identified (5.2.3).
    RollCall {
        /// The role called.
        role: Name,
    },
    /// The ids on the signed script are read to the machine.
    Papers,
    /// The machine's clock is compared with a reference (6.8).
    Clock,
    /// The activation data and the second factor are brought together (6.2.8).
    Activate,
    /// An application is compared with its paper, and approved (4.2.2, 6.1.3).
    Application {
        /// Which.
        application: Name,
    },
    /// People: CA managers judge a root key to be compromised (5.2.1.1, 5.7.3).
    Compromise {
        /// Which key.
        key: Name,
    },
    /// Something is ordered to stop or to go on (5.7.3).
    Order {
        /// What.
        order: Order,
    },
    /// The unreleased rest of an older batch of CRLs is ordered to be destroyed (4.9.7).
    Supersede {
        /// The ceremony that made it.
        ceremony: Name,
    },
    /// People: CA managers approve the destruction of a root key (6.2.10.1).
    ApproveDestruction {
        /// Which key.
        key: Name,
        /// Of which organisation.
        organization: Name,
    },
    /// People: CA managers approve that a token with copies takes the place of the lost root token,
    /// and that a new audit key is made on it (5.7.2).
    ApproveRecovery {
        /// Which token, by the name it had.
        token: Name,
        /// Of which organisation.
        organization: Name,
    },
    /// The modules' own cloning copies a key pair to another token (6.2.4; policy
    /// `backup = "vendor"`).
    Clone {
        /// Which key.
        key: Name,
        /// To which token.
        to: Name,
    },
    /// The fingerprint of a root certificate is read aloud (6.1.4).
    Fingerprint {
        /// Which certificate.
        certificate: Name,
    },
    /// A CA manager approves that the work is completed (5.2.1.1).
    Complete {
        /// Of which organisation.
        organization: Name,
    },
    /// After the seal: the DS certificates of one application, or those that are released,
    /// are handed over, which is the notice of their issue (4.3.3, 4.7.4).
    HandOver {
        /// Which, by name.
        certificates: Vec<Name>,
    },
    /// People, after the seal: HSM and server are shut down, power is off (6.2.9).
    Deactivate,
    /// After the seal: the words of the anchor are read aloud and written down.
    AnchorWords,
    /// After the seal: a participant leaves the room (5.2.1.8).
    Exit {
        /// Who leaves.
        person: Name,
    },
}

/// What a token does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAct {
    /// Which token is this?
    Identify {
        /// Which.
        token: Holder,
    },
    /// Log in.
    Login {
        /// Where.
        token: Holder,
    },
    /// What is on it? (6.2.1.1: dedicated)
    Inventory {
        /// Which token.
        token: Holder,
    },
    /// Which ledger head is on it?
    ReadHead,
    /// Copy a key pair from the root token to another, under a key that both agree on
    /// (6.2.4).
    Copy {
        /// Which key.
        key: Name,
        /// To which token.
        to: Name,
    },
    /// Read back the copy that people made.
    Inspect {
        /// Which key.
        key: Name,
        /// On which token.
        token: Holder,
    },
    /// Destroy a key pair, and see in a fresh session that it is gone.
    Destroy {
        /// Which key.
        key: Name,
        /// On which token.
        token: Holder,
    },
    /// Remove what an earlier ceremony that did not end may have left with this CKA_ID, and
    /// see in a fresh session that nothing is there.
    Clear {
        /// The key that it was, or was to be.
        key: Name,
        /// CKA_ID.
        id: Octets,
        /// On which token.
        token: Holder,
    },
    /// Make a key pair.
    Generate {
        /// Which.
        key: Name,
    },
    /// The audit key signs the transcript's head, its first signature.
    SignHead,
    /// Negative: reading the private value must fail.
    ReadValue {
        /// Which key.
        key: Name,
    },
    /// Negative: wrapping under an ordinary key must fail.
    Wrap {
        /// Which key.
        key: Name,
    },
    /// Sign a sheet of neighbours under one key.
    Sign(Sheet),
    /// Write the ledger head.
    WriteHead,
    /// After the seal: log out.
    Logout {
        /// Where.
        token: Holder,
    },
}

/// Neighbours under one key that are signed as one operation and share their attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The signing key.
    pub key: Name,
    /// The token that holds it: a spare's first signature proves its copy.
    pub token: Holder,
    /// What is signed, in order.
    pub items: Vec<Item>,
}

/// A structure of the graph, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// In the list of certificates.
    Certificate(usize),
    /// In the list of CRLs.
    Crl(usize),
}

/// When in a ceremony an act has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Once, before everything.
    Entry,
    /// At the beginning, and again in every session after an interruption.
    Opening,
    /// Once.
    Work,
    /// The seal.
    Seal,
    /// After the seal, in the postscript.
    Postscript,
}

impl Act {
    /// When this act has its place.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self {
            Self::People(act) => act.row().1,
            Self::Token(act) => act.row().1,
            Self::Seal => Phase::Seal,
        }
    }

    /// Whether people answer.
    #[must_use]
    pub const fn is_of_people(&self) -> bool {
        matches!(self, Self::People(_))
    }

    /// Whether it changes what is on a token, or has it sign: done twice, it is not what it was.
    #[must_use]
    pub const fn has_effect(&self) -> bool {
        match self {
            Self::People(_) => false,
            Self::Token(act) => matches!(act.row().2, Leaves::Signature | Leaves::Key),
            Self::Seal => true,
        }
    }

    /// Whether its attempt is part of a number that is used once: a CRL's, a serial, a key's id.
    #[must_use]
    pub const fn is_numbered(&self) -> bool {
        matches!(self, Self::Token(TokenAct::Generate { .. } | TokenAct::Sign(_)))
    }

    /// Whether it hands out what was made: only a completed ceremony does.
    #[must_use]
    pub(crate) const fn is_hand_over(&self) -> bool {
        matches!(self, Self::People(PeopleAct::HandOver { .. }))
    }

    /// Whether people note the head of the record after it: after every key, copy, destruction and
    /// decision, which is every work of people. Of sheets the last of a run is noted, which the
    /// graph knows.
    #[must_use]
    pub(crate) const fn is_noted(&self) -> bool {
        match self {
            Self::People(act) => matches!(act.row().1, Phase::Work),
            Self::Token(act) => matches!(act.row().2, Leaves::Copy | Leaves::Key),
            Self::Seal => false,
        }
    }

    /// The act's kind, as graph and script write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::People(act) => act.row().0,
            Self::Token(act) => act.kind(),
            Self::Seal => "seal",
        }
    }
}

/// What an act of a token leaves there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// Nothing: done twice, it is what it was.
    Nothing,
    /// A copy that people made, and that is known now to be one.
    Copy,
    /// Signatures, or the head.
    Signature,
    /// A key that was made, copied or removed.
    Key,
}

impl PeopleAct {
    /// The act's kind, and when it has its place.
    const fn row(&self) -> (&'static str, Phase) {
        match self {
            Self::Entry { .. } => ("entry", Phase::Entry),
            Self::RollCall { .. } => ("roll-call", Phase::Opening),
            Self::Papers => ("papers", Phase::Opening),
            Self::Clock => ("clock", Phase::Opening),
            Self::Activate => ("activate", Phase::Opening),
            Self::Application { .. } => ("application", Phase::Work),
            Self::Compromise { .. } => ("compromise", Phase::Work),
            Self::Order { .. } => ("order", Phase::Work),
            Self::Supersede { .. } => ("supersede", Phase::Work),
            Self::ApproveDestruction { .. } => ("approve-destruction", Phase::Work),
            Self::ApproveRecovery { .. } => ("approve-recovery", Phase::Work),
            Self::Clone { .. } => ("clone", Phase::Work),
            Self::Fingerprint { .. } => ("fingerprint", Phase::Work),
            Self::Complete { .. } => ("complete", Phase::Work),
            Self::HandOver { .. } => ("hand-over", Phase::Postscript),
            Self::Deactivate => ("deactivate", Phase::Postscript),
            Self::AnchorWords => ("anchor-words", Phase::Postscript),
            Self::Exit { .. } => ("exit", Phase::Postscript),
        }
    }
}

impl TokenAct {
    /// The act's kind, when it has its place, and what it leaves.
    const fn row(&self) -> (&'static str, Phase, Leaves) {
        match self {
            Self::Identify { .. } => ("identify", Phase::Opening, Leaves::Nothing),
            Self::Login { .. } => ("login", Phase::Opening, Leaves::Nothing),
            Self::Inventory { .. } => ("inventory", Phase::Opening, Leaves::Nothing),
            Self::ReadHead => ("read-head", Phase::Opening, Leaves::Nothing),
            Self::Copy { .. } => ("copy", Phase::Work, Leaves::Key),
            Self::Inspect { .. } => ("inspect", Phase::Work, Leaves::Copy),
            Self::Destroy { .. } => ("destroy", Phase::Work, Leaves::Key),
            Self::Clear { .. } => ("clear", Phase::Work, Leaves::Key),
            Self::Generate { .. } => ("generate", Phase::Work, Leaves::Key),
            Self::SignHead => ("sign-head", Phase::Work, Leaves::Signature),
            Self::ReadValue { .. } => ("read-value", Phase::Work, Leaves::Nothing),
            Self::Wrap { .. } => ("wrap", Phase::Work, Leaves::Nothing),
            Self::Sign(_) => ("sign", Phase::Work, Leaves::Signature),
            Self::WriteHead => ("write-head", Phase::Work, Leaves::Signature),
            Self::Logout { .. } => ("logout", Phase::Postscript, Leaves::Nothing),
        }
    }

    /// The act's kind, as graph and script write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.row().0
    }

    /// The token that is asked.
    #[must_use]
    pub const fn holder(&self) -> &Holder {
        match self {
            Self::Identify { token }
            | Self::Login { token }
            | Self::Inventory { token }
            | Self::Inspect { token, .. }
            | Self::Destroy { token, .. }
            | Self::Clear { token, .. }
            | Self::Logout { token } => token,
            Self::Sign(sheet) => &sheet.token,
            Self::ReadHead
            | Self::Copy { .. }
            | Self::Generate { .. }
            | Self::SignHead
            | Self::ReadValue { .. }
            | Self::Wrap { .. }
            | Self::WriteHead => &Holder::Root,
        }
    }
}
