//! Every limit on the size of input from others, in one place, each with its reason.
//!
//! A bound is far above what a ceremony needs, and far below what would keep a machine busy for
//! more than seconds. It is checked as soon as the size is known, before the input is processed.
//! `docs/bounds.md` is this list; a test compares them.

use core::fmt;

use crate::language::Bilingual;
use crate::says;

/// A limit on how much of one kind of input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// What is limited, in English.
    pub what: &'static str,
    /// What is limited, in Japanese.
    pub what_ja: &'static str,
    /// The largest number that is accepted.
    pub most: u64,
    /// What is counted, in English.
    pub unit: &'static str,
    /// What is counted, in Japanese.
    pub unit_ja: &'static str,
    /// Why the limit is high enough.
    pub why: &'static str,
}

impl Bound {
    /// Checks a number against this bound.
    ///
    /// # Errors
    ///
    /// [`Exceeded`], if it is larger.
    pub fn judge(&self, found: usize) -> Result<(), Exceeded> {
        let found = u64::try_from(found).unwrap_or(u64::MAX);
        if found <= self.most { Ok(()) } else { Err(Exceeded { bound: *self, found }) }
    }

    /// Words the bound for a message.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let Self { what, what_ja, most, unit, unit_ja, why: _ } = self;
        says!("{what_ja}({unit_ja} {most} 以下)", "{what} of at most {most} {unit}")
    }

    /// Returns the limit as a `usize`.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said().en)
    }
}

/// A number that is larger than its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub struct Exceeded {
    /// The bound.
    pub bound: Bound,
    /// The number that was found.
    pub found: u64,
}

impl Exceeded {
    /// Words what was found and what to do about it.
    #[must_use]
    pub fn found(&self) -> Bilingual {
        let Self { bound: Bound { unit, unit_ja, .. }, found } = self;
        says!(
            "{unit_ja} {found}(作成者に確かめる。docs/bounds.md を参照)",
            "{found} {unit}; ask who made it, see docs/bounds.md"
        )
    }

    /// Words what was asked and what was found.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let (bound, found) = (self.bound.said(), self.found());
        says!(bound, found; "{bound}を超えるもの: {found}", "{bound}; found {found}")
    }
}

/// Every bound, in the order of the list below.
pub const ALL: [Bound; 21] = [
    DOCUMENT,
    MARKS,
    REQUEST,
    RECORD,
    RECORDS,
    SINCE_BOOT,
    SEALED_FILE,
    SEALED_FOLDER,
    FILES,
    NAME,
    LEDGER,
    DONE,
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

/// A Japanese and an English text.
type Both = (&'static str, &'static str);

const fn bound(what: Both, most: u64, unit: Both, why: &'static str) -> Bound {
    let ((what_ja, what), (unit_ja, unit)) = (what, unit);
    Bound { what, what_ja, most, unit, unit_ja, why }
}

const OCTETS: Both = ("オクテット数", "octets");

/// A document that people wrote.
pub const DOCUMENT: Bound = bound(
    ("文書", "a document"),
    3 << 20,
    OCTETS,
    "a plan with ten thousand certificates stays below it",
);

/// The marks in a document that make it slow to parse.
pub const MARKS: Bound = bound(
    ("文書", "a document"),
    1 << 18,
    ("行末、`=`、コンマ、点、括弧の数", "line ends, `=`, commas, dots and brackets"),
    "the TOML parser needs up to a kilobyte for each; ten thousand certificates have half as many",
);

/// A certificate signing request.
pub const REQUEST: Bound = bound(
    ("CSR", "a request"),
    16 << 10,
    OCTETS,
    "a request with every known field has two thousand octets",
);

/// A record.
pub const RECORD: Bound = bound(
    ("1 件の記録", "a record"),
    1 << 20,
    OCTETS,
    "the record of a sheet of 64 signatures has a fiftieth of it",
);

/// The records of a journal, transcript or postscript.
pub const RECORDS: Bound = bound(
    ("記録又は追記", "a journal, transcript or postscript"),
    1 << 18,
    ("記録の件数", "records"),
    "fifty thousand signatures are 1,600 records, or 25,000 if each is lost fifteen times",
);

/// The events of a live image in the record that begins or resumes a ceremony.
pub const SINCE_BOOT: Bound = bound(
    ("専用イメージの起動からの出来事", "what a live image recorded since it was started"),
    256,
    ("出来事の件数", "events"),
    "a start without incident has a dozen, and each try that fails two more",
);

/// A file of a sealed folder or of a journal.
pub const SEALED_FILE: Bound = bound(
    ("封印したフォルダーのファイル、記録又は CRL", "a file of a sealed folder, a journal or a CRL"),
    1 << 26,
    OCTETS,
    "a CRL of a million entries and the transcript of fifty thousand signatures stay below it",
);

/// A sealed folder.
pub const SEALED_FOLDER: Bound = bound(
    ("封印したフォルダー", "a sealed folder"),
    1 << 28,
    OCTETS,
    "ten thousand certificates with their texts, and 104 CRLs that name them all, stay below it",
);

/// The files of a sealed folder.
pub const FILES: Bound = bound(
    ("封印したフォルダー", "a sealed folder"),
    1 << 16,
    ("ファイルの数", "files"),
    "ten thousand certificates with their texts and requests are half as many files",
);

/// The name of a file.
pub const NAME: Bound = bound(
    ("封印したフォルダーのファイル名", "a file's name in a sealed folder"),
    128,
    ("ASCII の英数字、`-`、`_`、`.` の数", "letters of ASCII, digits, `-`, `_`, `.`"),
    "names of a plan, which begin the names of its files, are far shorter",
);

/// The ceremonies of a ledger.
pub const LEDGER: Bound = bound(
    ("台帳又は計画のフォルダー", "a ledger, or the folder of a CA's plans"),
    1 << 12,
    ("項目の数", "entries"),
    "a ceremony each week for seventy years",
);

/// The records that duties were done.
pub const DONE: Bound = bound(
    ("実施の記録のフォルダー", "the folder of the records of duties"),
    1 << 14,
    ("ファイルの数", "files"),
    "twenty records a month for sixty-eight years",
);

/// The depth of nested folders.
pub const DEPTH: Bound = bound(
    ("媒体", "a medium"),
    16,
    ("フォルダーの深さ", "folders in each other"),
    "gishiki itself writes at most three levels",
);

/// A certificate that somebody else hands over.
pub const CERTIFICATE: Bound = bound(
    ("電子証明書", "a certificate"),
    1 << 16,
    OCTETS,
    "a certificate with keys and signatures of 16,384-bit RSA has a tenth of it",
);

/// The extensions of a certificate, of a CRL or of its entry.
pub const EXTENSIONS: Bound = bound(
    ("電子証明書、CRL 又はそのエントリー", "a certificate, a CRL or an entry of it"),
    64,
    ("拡張の数", "extensions"),
    "RFC 5280 defines twenty, a root certificate here has six; each is compared with every other",
);

/// The entries of a CRL.
pub const ENTRIES: Bound = bound(
    ("CRL", "a CRL"),
    1 << 20,
    ("エントリーの数", "entries"),
    "as many as Document Signers of a thousand CAs; the shortest CRL with more has 20 MiB",
);

/// What a verifier is given at once.
pub const OFFERED: Bound = bound(
    ("`validate` に渡すもの", "what is given to `validate`"),
    1 << 28,
    OCTETS,
    "the certificates and CRLs of one day are one of each for every key",
);

/// Any other file.
pub const FILE: Bound = bound(
    ("モジュールその他のファイル", "a module or another file"),
    1 << 30,
    OCTETS,
    "the largest modules have a tenth of it",
);

/// The slots of a module.
pub const SLOTS: Bound = bound(
    ("PKCS #11 モジュール", "a PKCS #11 module"),
    1 << 12,
    ("スロットの数", "slots"),
    "an HSM has some hundred partitions",
);

/// The mechanisms of a token.
pub const MECHANISMS: Bound = bound(
    ("トークン", "a token"),
    1 << 14,
    ("メカニズムの数", "mechanisms"),
    "PKCS #11 3.1 defines some four hundred",
);

/// The objects of a token.
pub const OBJECTS: Bound = bound(
    ("トークン", "a token"),
    100_000,
    ("オブジェクトの数", "objects"),
    "the token of a root CA has some dozens",
);
