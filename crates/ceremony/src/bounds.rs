//! Every bound on what somebody else wrote, in one place, each with its reason.
//!
//! A bound is far above what a ceremony needs, and far below what a machine cannot do in seconds.
//! It is judged as soon as its number is known, before anything is made of it. `docs/bounds.md` is
//! this list; a test compares it.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// The most that is read of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Of what.
    pub what: &'static str,
    /// How many.
    pub most: u64,
    /// Of these.
    pub unit: &'static str,
    /// Why it is enough.
    pub why: &'static str,
}

impl Bound {
    /// Refuses more; what was asked and what was found.
    pub fn judge(&self, found: usize) -> Result<(), Exceeded> {
        let found = u64::try_from(found).unwrap_or(u64::MAX);
        if found <= self.most { Ok(()) } else { Err(Exceeded { bound: *self, found }) }
    }

    /// The same number as a length in memory.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX)
    }
}

/// As a message asks for it.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of at most {} {}", self.what, self.most, self.unit)
    }
}

/// More than a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bound}; found {}", self.found())]
pub struct Exceeded {
    /// Which.
    pub bound: Bound,
    /// How many were found.
    pub found: u64,
}

impl Exceeded {
    /// What was found, and what to do now.
    #[must_use]
    pub fn found(&self) -> String {
        let Self { bound, found } = self;
        format!("{found} {}; ask who made it, see docs/bounds.md", bound.unit)
    }
}

/// Every bound, in the order of the list below.
pub const ALL: [Bound; 19] = [
    DOCUMENT,
    MARKS,
    REQUEST,
    RECORD,
    RECORDS,
    SEALED_FILE,
    SEALED_FOLDER,
    FILES,
    NAME,
    LEDGER,
    DEPTH,
    CERTIFICATE,
    EXTENSIONS,
    ENTRIES,
    OFFERED,
    FILE,
    SLOTS,
    MECHANISMS,
    OBJECTS,
];

const fn bound(what: &'static str, most: u64, unit: &'static str, why: &'static str) -> Bound {
    Bound { what, most, unit, why }
}

/// A document that people wrote.
pub const DOCUMENT: Bound =
    bound("a document", 3 << 20, "octets", "a plan with ten thousand certificates stays below it");

/// What makes a document long to read.
pub const MARKS: Bound = bound(
    "a document",
    1 << 18,
    "line ends, `=`, commas, dots and brackets",
    "a reader of TOML needs up to a kilobyte for each; ten thousand certificates have half as many",
);

/// A certificate signing request.
pub const REQUEST: Bound =
    bound("a request", 16 << 10, "octets", "one with every field that is known has two thousand");

/// A record.
pub const RECORD: Bound =
    bound("a record", 1 << 20, "octets", "a sheet of 64 signatures needs a fiftieth of it");

/// The records of a book.
pub const RECORDS: Bound = bound(
    "a journal, transcript or postscript",
    1 << 18,
    "records",
    "fifty thousand signatures are 1,600 records; every one of them lost fifteen times, 25,000",
);

/// A file of a sealed folder or of a journal.
pub const SEALED_FILE: Bound = bound(
    "a file of a sealed folder, a journal or a CRL",
    1 << 26,
    "octets",
    "a CRL of a million entries and the transcript of fifty thousand signatures stay below it",
);

/// A sealed folder.
pub const SEALED_FOLDER: Bound = bound(
    "a sealed folder",
    1 << 28,
    "octets",
    "ten thousand certificates with their texts, and 104 CRLs that name them all, stay below it",
);

/// The files of a sealed folder.
pub const FILES: Bound = bound(
    "a sealed folder",
    1 << 16,
    "files",
    "ten thousand certificates with their texts and requests are half as many",
);

/// The name of a file.
pub const NAME: Bound = bound(
    "a file's name in a sealed folder",
    128,
    "letters of ASCII, digits, `-`, `_`, `.`",
    "names of a plan have 64 characters",
);

/// The ceremonies of a ledger.
pub const LEDGER: Bound = bound(
    "a ledger, or the folder of a CA's plans",
    1 << 12,
    "entries",
    "a ceremony each week of seventy years",
);

/// How deep folders lie.
pub const DEPTH: Bound =
    bound("a medium", 16, "folders in each other", "what gishiki writes needs three");

/// A certificate that somebody else hands over.
pub const CERTIFICATE: Bound = bound(
    "a certificate",
    1 << 16,
    "octets",
    "one with keys and signatures of RSA with 16,384 bits has a tenth of it",
);

/// The extensions of a certificate, of a CRL or of its entry.
pub const EXTENSIONS: Bound = bound(
    "a certificate, a CRL or an entry of it",
    64,
    "extensions",
    "RFC 5280 knows twenty, a root of this profile has six; each is compared with every other",
);

/// The entries of a CRL.
pub const ENTRIES: Bound = bound(
    "a CRL",
    1 << 20,
    "entries",
    "as many as Document Signers of a thousand CAs; the shortest list that is larger has 20 MiB",
);

/// What a verifier is given at once.
pub const OFFERED: Bound = bound(
    "what is given to `validate`",
    1 << 28,
    "octets",
    "certificates and CRLs of one day: one of each for every key",
);

/// Any other file.
pub const FILE: Bound =
    bound("a module or another file", 1 << 30, "octets", "the largest modules have a tenth of it");

/// The slots of a module.
pub const SLOTS: Bound =
    bound("a PKCS #11 module", 1 << 12, "slots", "partitions of one HSM are some hundred");

/// The mechanisms of a token.
pub const MECHANISMS: Bound =
    bound("a token", 1 << 14, "mechanisms", "PKCS #11 3.1 has some four hundred");

/// The objects of a token.
pub const OBJECTS: Bound = bound("a token", 100_000, "objects", "a root CA's own has some dozens");
