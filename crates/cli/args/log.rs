//! The options of `log`.

use std::path::PathBuf;

use ceremony::name::Name;
use ceremony::time::Instant;
use clap::ValueEnum;

use crate::help::Japanese as _;

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people, a line each.
    Text,
    /// One array.
    Json,
    /// RFC 4180, with a heading.
    Csv,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Log {
    /// A sealed folder, a journal's folder, or a ledger
    #[arg(ja = "封印されたフォルダー、記録のフォルダー、または台帳")]
    pub(crate) folder: PathBuf,
    /// Only what this person answered, confirmed or signed
    #[arg(long, value_name = "ID")]
    #[arg(ja = "この者が答え、確認し、または署名したものだけ")]
    pub(crate) person: Option<Name>,
    /// Only events of this kind, such as answered, refused, deviation or card-failed
    #[arg(long, value_name = "KIND")]
    #[arg(ja = "この種類の記録だけ(answered、refused、deviation、card-failed など)")]
    pub(crate) kind: Option<String>,
    /// Only records with this result: begun, done, lost, refused or noted
    #[arg(long, value_name = "RESULT")]
    #[arg(ja = "この結果の記録だけ(begun、done、lost、refused、noted)")]
    pub(crate) result: Option<String>,
    /// Only records from this time on
    #[arg(long, value_name = "TIME")]
    #[arg(ja = "この時刻以後の記録だけ")]
    pub(crate) from: Option<Instant>,
    /// Only records up to this time
    #[arg(long, value_name = "TIME")]
    #[arg(ja = "この時刻までの記録だけ")]
    pub(crate) until: Option<Instant>,
    /// How the log is written
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Text)]
    #[arg(ja = "出力の形式")]
    pub(crate) form: Form,
}
