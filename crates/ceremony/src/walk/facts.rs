//! What can be so in the room, and which act makes it so or ends it.

use alloc::vec::Vec;

use crate::graph::{Act, Item, Op, PeopleAct, TokenAct};
use crate::name::Name;
use crate::plan::Order;
use crate::token::Holder;

/// Something that is so in the room at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A person is in the room.
    Inside(Name),
    /// A person's card is in the room.
    Card(Name),
    /// Everybody of a role was called.
    Called(Name),
    /// The papers in the room are those of this ceremony.
    Papers,
    /// The machine's clock was compared.
    Clock,
    /// The two journal media are in the machine, and their seals were intact.
    Media,
    /// A token said what it is.
    Identified(Holder),
    /// A token's plate was compared with what it says.
    Plate(Holder),
    /// The activation data are in the room, and open.
    Activation,
    /// People are logged in to a token.
    LoggedIn(Holder),
    /// What is on a token was listed.
    Listed(Holder),
    /// The ledger head on the root token was compared.
    HeadRead,
    /// An application was compared with its papers.
    Confirmed(Name),
    /// An organisation approved something about a key or a token.
    Approved(Name, Name),
    /// A key was judged to be compromised.
    Judged(Name),
    /// An order was given.
    Ordered(Order),
    /// A key pair is on a token.
    Key(Name, Holder),
    /// People made a copy that was not read back yet.
    Cloned(Name, Name),
    /// The audit key signed a head.
    AuditSigned,
    /// A key's value could not be read.
    Unread(Name),
    /// A key could not be taken out under an ordinary key.
    Unwrapped(Name),
    /// A structure is signed.
    Signed(Item),
    /// The fingerprint of a certificate was read aloud.
    Read(Name),
    /// An organisation approved that the work is complete.
    Complete(Name),
    /// The ledger head is on the root token.
    HeadWritten,
    /// The transcript is sealed.
    Sealed,
    /// A certificate was handed over.
    Handed(Name),
    /// The token is switched off.
    Off,
    /// The words of the anchor are on the slip.
    Slip,
}

impl Fact {
    /// Whether it must be made so again after an interruption.
    pub(super) const fn is_of_a_session(&self) -> bool {
        match self {
            Self::Called(_)
            | Self::Papers
            | Self::Clock
            | Self::Media
            | Self::Identified(_)
            | Self::Plate(_)
            | Self::Activation
            | Self::LoggedIn(_)
            | Self::Listed(_)
            | Self::HeadRead => true,
            Self::Inside(_)
            | Self::Card(_)
            | Self::Confirmed(_)
            | Self::Approved(..)
            | Self::Judged(_)
            | Self::Ordered(_)
            | Self::Key(..)
            | Self::Cloned(..)
            | Self::AuditSigned
            | Self::Unread(_)
            | Self::Unwrapped(_)
            | Self::Signed(_)
            | Self::Read(_)
            | Self::Complete(_)
            | Self::HeadWritten
            | Self::Sealed
            | Self::Handed(_)
            | Self::Off
            | Self::Slip => false,
        }
    }
}

/// A person with the card that they carry.
fn person(id: &Name) -> [Fact; 2] {
    [Fact::Inside(id.clone()), Fact::Card(id.clone())]
}

fn on_duty(op: &Op) -> impl Iterator<Item = &Name> {
    op.by.iter().flat_map(|duty| &duty.persons)
}

/// What is no longer so after a step.
pub(super) fn takes(op: &Op) -> Vec<Fact> {
    match &op.act {
        Act::People(PeopleAct::Exit { person: id }) => person(id).into(),
        Act::People(PeopleAct::LastOut) => {
            on_duty(op).flat_map(person).chain([Fact::Media]).collect()
        }
        Act::People(PeopleAct::Deactivate) => Vec::from([Fact::Activation]),
        Act::Token(TokenAct::Logout { token }) => Vec::from([Fact::LoggedIn(token.clone())]),
        Act::Token(TokenAct::Destroy { key, token }) => {
            Vec::from([Fact::Key(key.clone(), token.clone())])
        }
        Act::People(_) | Act::Token(_) | Act::Seal => Vec::new(),
    }
}

/// What is so after a step.
pub(super) fn gives(op: &Op) -> Vec<Fact> {
    match &op.act {
        Act::People(act) => made_by_people(op, act),
        Act::Token(act) => made_by_token(act),
        Act::Seal => Vec::from([Fact::Sealed]),
    }
}

fn made_by_people(op: &Op, act: &PeopleAct) -> Vec<Fact> {
    match act {
        PeopleAct::FirstIn => on_duty(op).flat_map(person).collect(),
        PeopleAct::Entry { person: id } => person(id).into(),
        PeopleAct::RollCall { role } => Vec::from([Fact::Called(role.clone())]),
        PeopleAct::Papers => Vec::from([Fact::Papers]),
        PeopleAct::Clock => Vec::from([Fact::Clock]),
        PeopleAct::Media => Vec::from([Fact::Media]),
        PeopleAct::Plate { token } => Vec::from([Fact::Plate(token.clone())]),
        PeopleAct::Activate => Vec::from([Fact::Activation]),
        PeopleAct::Application { application } => Vec::from([Fact::Confirmed(application.clone())]),
        PeopleAct::Compromise { key } => Vec::from([Fact::Judged(key.clone())]),
        PeopleAct::Order { order } => Vec::from([Fact::Ordered(*order)]),
        PeopleAct::ApproveDestruction { key: what, organization }
        | PeopleAct::ApproveLoss { key: what, organization }
        | PeopleAct::ApproveRecovery { token: what, organization } => {
            Vec::from([Fact::Approved(what.clone(), organization.clone())])
        }
        PeopleAct::Clone { key, to } => Vec::from([Fact::Cloned(key.clone(), to.clone())]),
        PeopleAct::Fingerprint { certificate } => Vec::from([Fact::Read(certificate.clone())]),
        PeopleAct::Complete { organization } => Vec::from([Fact::Complete(organization.clone())]),
        PeopleAct::HandOver { certificates } => {
            certificates.iter().cloned().map(Fact::Handed).collect()
        }
        PeopleAct::Deactivate => Vec::from([Fact::Off]),
        PeopleAct::AnchorWords => Vec::from([Fact::Slip]),
        PeopleAct::Supersede { .. } | PeopleAct::Exit { .. } | PeopleAct::LastOut => Vec::new(),
    }
}

fn made_by_token(act: &TokenAct) -> Vec<Fact> {
    match act {
        TokenAct::Identify { token } => Vec::from([Fact::Identified(token.clone())]),
        TokenAct::Login { token } => Vec::from([Fact::LoggedIn(token.clone())]),
        TokenAct::Inventory { token } => Vec::from([Fact::Listed(token.clone())]),
        TokenAct::ReadHead => Vec::from([Fact::HeadRead]),
        TokenAct::Generate { key } => Vec::from([Fact::Key(key.clone(), Holder::Root)]),
        TokenAct::SignHead => Vec::from([Fact::AuditSigned]),
        TokenAct::ReadValue { key } => Vec::from([Fact::Unread(key.clone())]),
        TokenAct::Wrap { key } => Vec::from([Fact::Unwrapped(key.clone())]),
        TokenAct::Sign(sheet) => sheet.items.iter().copied().map(Fact::Signed).collect(),
        TokenAct::Copy { key, to } => {
            Vec::from([Fact::Key(key.clone(), Holder::Spare(to.clone()))])
        }
        TokenAct::Inspect { key, token } => Vec::from([Fact::Key(key.clone(), token.clone())]),
        TokenAct::WriteHead => Vec::from([Fact::HeadWritten]),
        TokenAct::Destroy { .. } | TokenAct::Clear { .. } | TokenAct::Logout { .. } => Vec::new(),
    }
}
