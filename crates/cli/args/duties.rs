//! The options of `duties`.

use super::TrustedBy;
use std::path::PathBuf;

use ceremony::name::Name;
use ceremony::time::Day;
use clap::Subcommand;

use crate::help::Japanese as _;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Duties {
    #[command(subcommand)]
    pub(crate) command: Option<DutiesCommand>,
    #[command(flatten)]
    pub(crate) shown: DutiesShown,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DutiesCommand {
    /// Record with your card that a duty of the policy was done
    #[command(ja = "ポリシーの業務を実施したことを、自分のカードで記録する")]
    Done(DutyDone),
}

/// Where the calendar of a CA comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct OfCa {
    /// The folder of the CA's policy.toml and roster.toml
    #[arg(long, value_name = "DIR", default_value = ".")]
    #[arg(ja = "認証局の policy.toml と roster.toml のあるフォルダー")]
    pub(crate) ca: PathBuf,
    /// The folder of the records of what was done (otherwise duties/CA beside the plans)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "業務の実施の記録のフォルダー(指定しなければ計画の隣の duties/CA)")]
    pub(crate) records: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DutiesShown {
    #[command(flatten)]
    pub(crate) of: OfCa,
    /// The CA's ledger (otherwise ledger/CA or golden/CA beside the plans, if there is one)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "認証局の台帳(指定しなければ、計画の隣に ledger/CA 又は golden/CA があればそれ)")]
    pub(crate) ledger: Option<PathBuf>,
    /// The day to judge by (otherwise today)
    #[arg(long, value_name = "DATE")]
    #[arg(ja = "判定の基準日(指定しなければ今日)")]
    pub(crate) at: Option<Day>,
    /// Write the dates as a calendar for other programs too (iCalendar, RFC 5545)
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "期日を、ほかのプログラムのためのカレンダー(iCalendar、RFC 5545)としても出力する")]
    pub(crate) ics: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    #[arg(ja = "JSON で出力する")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) by: TrustedBy,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DutyDone {
    /// The duty: its id in the policy
    #[arg(ja = "業務(ポリシーの [duty.…] の ID)")]
    pub(crate) duty: Name,
    /// Who records it
    #[arg(ja = "記録する者")]
    pub(crate) person: Name,
    #[command(flatten)]
    pub(crate) of: OfCa,
    /// The day on which it was done (otherwise today)
    #[arg(long, value_name = "DATE")]
    #[arg(ja = "実施した日(指定しなければ今日)")]
    pub(crate) on: Option<Day>,
    /// What is to be said of it, in a line
    #[arg(long, value_name = "TEXT")]
    #[arg(ja = "付記(1 行)")]
    pub(crate) note: Option<String>,
    /// A file that shows it; its name and SHA-256 are recorded
    #[arg(long, value_name = "FILE", num_args = 1)]
    #[arg(ja = "実施を示すファイル。名前と SHA-256 を記録する")]
    pub(crate) evidence: Vec<PathBuf>,
    /// The PKCS #11 module of the card
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "カードの PKCS #11 モジュール")]
    pub(crate) module: PathBuf,
    /// Read the PIN from this open file descriptor (otherwise at the terminal)
    #[arg(long, value_name = "N")]
    #[arg(ja = "PIN を読み出す、開いたファイル記述子(指定しなければ端末で尋ねる)")]
    pub(crate) pin_fd: Option<u32>,
}
