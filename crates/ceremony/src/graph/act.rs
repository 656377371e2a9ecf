//! The closed list of acts, with the time at which each is done and who does it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::hex::Octets;
use crate::name::Name;
use crate::plan::Order;
use crate::token::Holder;

/// What is done in an operation. Closed, so that a new act breaks the build wherever it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// People do it and confirm it.
    People(PeopleAct),
    /// A token does it and answers.
    Token(TokenAct),
    /// The audit key seals the transcript. Its request is the event Closed, its answer the event
    /// Sealed.
    Seal,
}

/// What people do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleAct {
    /// Those who stand by at the entries are in the room before anybody else.
    FirstIn,
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
    /// The graph's and the bindings' id on the signed script are entered into the machine.
    Papers,
    /// The machine's clock is compared with a reference (6.8).
    Clock,
    /// The journal media are found sealed and labelled, and put in (5.1.7, 5.4.4).
    Media,
    /// The serial number on a token's plate is entered, and is the one that the token says (6.2.1).
    Plate {
        /// The token.
        token: Holder,
    },
    /// The activation data and the second factor are brought together (6.2.8).
    Activate,
    /// An application is compared with its paper, and its approval is confirmed (4.2.2, 6.1.3).
    Application {
        /// The application.
        application: Name,
    },
    /// People: CA managers judge a root key to be compromised (5.2.1.1, 5.7.3).
    Compromise {
        /// The key.
        key: Name,
    },
    /// An order to stop or resume something is confirmed (5.7.3).
    Order {
        /// The order.
        order: Order,
    },
    /// The destruction of an older batch's unreleased CRLs is ordered (4.9.7).
    Supersede {
        /// The ceremony that made the batch.
        ceremony: Name,
        /// The keys whose CRLs are kept, because no CRLs of this ceremony take their place.
        kept: BTreeSet<Name>,
    },
    /// People: CA managers approve the destruction of a root key (6.2.10.1).
    ApproveDestruction {
        /// The key.
        key: Name,
        /// The managers' organisation.
        organization: Name,
    },
    /// CA managers confirm that a root key was lost with its only token, and approve that the CA
    /// goes on without it, with a new audit key (5.7.2).
    ApproveLoss {
        /// The key.
        key: Name,
        /// The managers' organisation.
        organization: Name,
    },
    /// CA managers approve that a token with copies replaces the lost root token, and that a new
    /// audit key is generated on it (5.7.2).
    ApproveRecovery {
        /// The token, by its name as a spare.
        token: Name,
        /// The managers' organisation.
        organization: Name,
    },
    /// People copy a key pair to another token with the module's own cloning (6.2.4; policy `backup
    /// = "vendor"`).
    Clone {
        /// The key.
        key: Name,
        /// The token that receives the copy.
        to: Name,
    },
    /// The fingerprint of a root certificate is read aloud (6.1.4).
    Fingerprint {
        /// The certificate.
        certificate: Name,
    },
    /// A CA manager approves that the work is completed (5.2.1.1).
    Complete {
        /// The manager's organisation.
        organization: Name,
    },
    /// After the seal, the DS certificates of one application, or the released certificates, are
    /// handed over, which is the notice of their issue (4.3.3, 4.7.4).
    HandOver {
        /// The certificates, by name.
        certificates: Vec<Name>,
    },
    /// After the seal, people shut down the HSM and the server and switch the power off (6.2.9).
    Deactivate,
    /// After the seal, the anchor's values are read aloud as words and written down.
    AnchorWords,
    /// After the seal, a participant leaves the room (5.2.1.8).
    Exit {
        /// Who leaves.
        person: Name,
    },
    /// After the seal, those who stood by at the exits leave last.
    LastOut,
}

/// What a token does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAct {
    /// Return the token's identity.
    Identify {
        /// The token.
        token: Holder,
    },
    /// Log in.
    Login {
        /// The token.
        token: Holder,
    },
    /// List the objects on it, which must be those of a dedicated token (6.2.1.1).
    Inventory {
        /// The token.
        token: Holder,
    },
    /// Read the ledger head from the root token.
    ReadHead,
    /// Copy a key pair from the root token to another, wrapped under a key that both agree on
    /// (6.2.4).
    Copy {
        /// The key.
        key: Name,
        /// The token that receives the copy.
        to: Name,
    },
    /// Read back a copy that people made.
    Inspect {
        /// The key.
        key: Name,
        /// The token that holds the copy.
        token: Holder,
    },
    /// Destroy a key pair, and check in a fresh session that it is gone.
    Destroy {
        /// The key.
        key: Name,
        /// The token.
        token: Holder,
    },
    /// Remove what an earlier unfinished ceremony may have left with this CKA_ID, and check in a
    /// fresh session that nothing is left.
    Clear {
        /// The key that the earlier ceremony generated or planned.
        key: Name,
        /// CKA_ID.
        id: Octets,
        /// The token.
        token: Holder,
    },
    /// Generate a key pair.
    Generate {
        /// The key.
        key: Name,
    },
    /// Sign the transcript's head with the audit key; this is that key's first signature.
    SignHead,
    /// Negative test: reading the private value must fail.
    ReadValue {
        /// The key.
        key: Name,
    },
    /// Negative test: wrapping under an ordinary key must fail.
    Wrap {
        /// The key.
        key: Name,
    },
    /// Sign a sheet: consecutive structures under one key.
    Sign(Sheet),
    /// Write the ledger head to the root token.
    WriteHead,
    /// Log out, after the seal.
    Logout {
        /// The token.
        token: Holder,
    },
}

/// Consecutive structures under one key that are signed as one operation and share their attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The signing key.
    pub key: Name,
    /// The token that signs. A spare's first signature proves that its copy works.
    pub token: Holder,
    /// What is signed, in order.
    pub items: Vec<Item>,
}

/// A structure of the graph, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// Index in the list of certificates.
    Certificate(usize),
    /// Index in the list of CRLs.
    Crl(usize),
}

/// The phase of a ceremony in which an act is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Once, before everything else.
    Entry,
    /// At the beginning, and again in every session after an interruption.
    Opening,
    /// Once, after the opening.
    Work,
    /// The seal.
    Seal,
    /// After the seal, in the postscript.
    Postscript,
}

impl Phase {
    /// The phases, in the order in which a ceremony has them.
    pub const ALL: [Self; 5] =
        [Self::Entry, Self::Opening, Self::Work, Self::Seal, Self::Postscript];

    /// The number of the part of the script, from 1.
    #[must_use]
    pub const fn number(self) -> usize {
        match self {
            Self::Entry => 1,
            Self::Opening => 2,
            Self::Work => 3,
            Self::Seal => 4,
            Self::Postscript => 5,
        }
    }
}

impl Act {
    /// Returns the phase in which this act is done.
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

    /// Whether it changes what is on a token or makes it sign, so that repeating it has another
    /// result.
    #[must_use]
    pub const fn has_effect(&self) -> bool {
        match self {
            Self::People(_) => false,
            Self::Token(act) => matches!(act.row().2, Leaves::Signature | Leaves::Key),
            Self::Seal => true,
        }
    }

    /// Whether its attempt enters a number that is used only once: a CRL number, serial number or
    /// CKA_ID.
    #[must_use]
    pub const fn is_numbered(&self) -> bool {
        matches!(self, Self::Token(TokenAct::Generate { .. } | TokenAct::Sign(_)))
    }

    /// Whether it hands out certificates, which only a completed ceremony does.
    #[must_use]
    pub(crate) const fn is_hand_over(&self) -> bool {
        matches!(self, Self::People(PeopleAct::HandOver { .. }))
    }

    /// Whether people note the head of the record after it: after every key, copy, destruction and
    /// decision, and so after all work of people.
    ///
    /// After which sheets the head is noted depends on the graph (`Graph::place_heads`).
    #[must_use]
    pub(crate) const fn is_noted(&self) -> bool {
        match self {
            Self::People(act) => matches!(act.row().1, Phase::Work),
            Self::Token(act) => matches!(act.row().2, Leaves::Copy | Leaves::Key),
            Self::Seal => false,
        }
    }

    /// The act's kind, as it is written in graph and script.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::People(act) => act.row().0,
            Self::Token(act) => act.kind(),
            Self::Seal => "seal",
        }
    }
}

/// What a token's act leaves on the token or in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// Nothing: it can be repeated with the same result.
    Nothing,
    /// A copy that people made and that is now confirmed.
    Copy,
    /// Signatures, or the ledger head.
    Signature,
    /// A key that was generated, copied or removed.
    Key,
}

impl Act {
    /// The kinds of all acts, in the order in which they are declared.
    pub(crate) const KINDS: [&str; 39] = [
        "first-in",
        "entry",
        "roll-call",
        "papers",
        "clock",
        "media",
        "plate",
        "activate",
        "application",
        "compromise",
        "order",
        "supersede",
        "approve-destruction",
        "approve-loss",
        "approve-recovery",
        "clone",
        "fingerprint",
        "complete",
        "hand-over",
        "deactivate",
        "anchor-words",
        "exit",
        "last-out",
        "identify",
        "login",
        "inventory",
        "read-head",
        "copy",
        "inspect",
        "destroy",
        "clear",
        "generate",
        "sign-head",
        "read-value",
        "wrap",
        "sign",
        "write-head",
        "logout",
        "seal",
    ];
}

impl PeopleAct {
    /// The act's kind and phase.
    const fn row(&self) -> (&'static str, Phase) {
        match self {
            Self::FirstIn => ("first-in", Phase::Entry),
            Self::Entry { .. } => ("entry", Phase::Entry),
            Self::RollCall { .. } => ("roll-call", Phase::Opening),
            Self::Papers => ("papers", Phase::Opening),
            Self::Clock => ("clock", Phase::Opening),
            Self::Media => ("media", Phase::Opening),
            Self::Plate { .. } => ("plate", Phase::Opening),
            Self::Activate => ("activate", Phase::Opening),
            Self::Application { .. } => ("application", Phase::Work),
            Self::Compromise { .. } => ("compromise", Phase::Work),
            Self::Order { .. } => ("order", Phase::Work),
            Self::Supersede { .. } => ("supersede", Phase::Work),
            Self::ApproveDestruction { .. } => ("approve-destruction", Phase::Work),
            Self::ApproveLoss { .. } => ("approve-loss", Phase::Work),
            Self::ApproveRecovery { .. } => ("approve-recovery", Phase::Work),
            Self::Clone { .. } => ("clone", Phase::Work),
            Self::Fingerprint { .. } => ("fingerprint", Phase::Work),
            Self::Complete { .. } => ("complete", Phase::Work),
            Self::HandOver { .. } => ("hand-over", Phase::Postscript),
            Self::Deactivate => ("deactivate", Phase::Postscript),
            Self::AnchorWords => ("anchor-words", Phase::Postscript),
            Self::Exit { .. } => ("exit", Phase::Postscript),
            Self::LastOut => ("last-out", Phase::Postscript),
        }
    }
}

impl TokenAct {
    /// The act's kind and phase, and what it leaves.
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

    /// The act's kind, as it is written in graph and script.
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
