//! Publication: what of the ceremonies is out at a given time, and in which form (CP/CPS 2.2, 2.3).
//!
//! A *release* is what one ceremony lets out of the room: the files of 2.2 and nothing else, beside
//! the sealed statement that names them. It is proved without a transcript: the audit key, which
//! the anchor pins, signed the statement, and the statement has the digest of every file. What a
//! file *is* follows from its octets alone ([`Judge`]); no name and no manifest is believed.
//!
//! **Invariant:** publication is a pure function of releases and a time: [`due()`] says what is
//! out, [`tree()`] and [`directory()`] how the web and LDAP hold it. Of each key exactly one CRL is
//! out, the one with the highest number of those whose thisUpdate has come. So what supersedes a
//! batch wins from its first thisUpdate on, and nothing can be out before its time.
//! **Deliberately absent:** clocks, files, sockets, and the names of people, which no release has.

mod content;
mod directory;
mod due;
mod manifest;
mod page;
mod record;
mod statement;
mod tree;

pub use content::{Content, Crl, Document, Item, Judge, Known, Link, Root};
pub use directory::{Attribute, Entry, Named, Value, directory, pair};
pub use due::{Due, Hole, Release, due};
pub use manifest::{Label, manifest};
pub use record::{Publication, Published, Told};
pub use statement::{Statement, Trust};
pub use tree::{Body, Tree, crl_places, tree};
