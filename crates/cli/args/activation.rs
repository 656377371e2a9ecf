//! The options of `activation`.

use std::path::PathBuf;

use ceremony::room::SHARES;
use clap::Subcommand;
use clap::builder::RangedI64ValueParser;

use crate::help::Japanese as _;

/// Reads how many shares.
fn number() -> RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(i64::from(*SHARES.start())..=i64::from(*SHARES.end()))
}

#[derive(Debug, Subcommand)]
pub(crate) enum ActivationCommand {
    /// Give a token a random PIN that nobody knows, and deal it to custodians in shares
    #[command(ja = "誰も知らない乱数の PIN をトークンに設定し、シェアにして保管者に配る")]
    Deal(Deal),
    /// Drill: put the PIN together from shares and log in once; nothing is changed
    #[command(ja = "訓練: シェアから PIN を組み立て、1 回だけログインする。何も変えない")]
    Try(Try),
}

/// A token, and one of its PINs.
#[derive(Debug, clap::Args)]
pub(crate) struct Opened {
    /// The token's PKCS #11 module
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "トークンの PKCS #11 モジュール")]
    pub(crate) module: PathBuf,
    /// The token's serial number (otherwise the only token that is there)
    #[arg(long, value_name = "TEXT")]
    #[arg(ja = "トークンの製造番号(指定しなければ、ただ 1 つあるトークン)")]
    pub(crate) serial: Option<String>,
    /// The PIN of the security officer in place of the user's
    #[arg(long)]
    #[arg(ja = "利用者の PIN でなく、セキュリティオフィサーの PIN (SO PIN)")]
    pub(crate) so: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Deal {
    #[command(flatten)]
    pub(crate) opened: Opened,
    /// How many shares are needed for the PIN
    #[arg(long, value_name = "M", value_parser = number())]
    #[arg(ja = "PIN を組み立てるのに要るシェアの数")]
    pub(crate) need: u8,
    /// How many shares there are, one for each custodian
    #[arg(long, value_name = "N", value_parser = number())]
    #[arg(ja = "シェアの総数(保管者 1 人に 1 つ)")]
    pub(crate) of: u8,
    /// The present PIN is put together from so many shares, not typed
    #[arg(long, value_name = "M", value_parser = number())]
    #[arg(ja = "現在の PIN を、入力でなく、この数のシェアから組み立てる")]
    pub(crate) shares: Option<u8>,
    /// Read the present PIN, or its shares one a line, from this open file descriptor
    #[arg(long, value_name = "N")]
    #[arg(ja = "現在の PIN、またはそのシェアを 1 行ずつ、開かれているこのファイル記述子から読む")]
    pub(crate) pin_fd: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Try {
    #[command(flatten)]
    pub(crate) opened: Opened,
    /// Read the shares, one a line, from this open file descriptor instead of the terminal
    #[arg(long, value_name = "N")]
    #[arg(ja = "シェアを 1 行ずつ、端末でなく、開かれているこのファイル記述子から読む")]
    pub(crate) pin_fd: Option<u32>,
}
