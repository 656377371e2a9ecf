//! The options of `roster` and `approve`.

use std::path::PathBuf;

use ceremony::name::Name;
use clap::Subcommand;

use super::Planned;
use crate::help::Japanese as _;

#[derive(Debug, Subcommand)]
pub(crate) enum RosterCommand {
    /// Show the cards in the readers and their public keys, as a roster names them
    #[command(ja = "リーダーにあるカードと、任命簿に書く公開鍵を示す")]
    Cards(CardsThere),
    /// Sign a new person, card, organisation or role with the cards in the readers
    #[command(ja = "新しい者、カード、組織、役割に、リーダーにあるカードで署名する")]
    Enrol(Enrol),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CardsThere {
    /// The PKCS #11 module of the cards
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "カードの PKCS #11 モジュール")]
    pub(crate) module: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Enrol {
    /// The person, as the roster beside the plan has them now
    #[arg(ja = "登録する者(計画の隣の任命簿にある ID)")]
    pub(crate) person: Name,
    /// The folder of the ceremony before which they are enrolled
    #[arg(ja = "この者が加わる次のセレモニーのフォルダー")]
    pub(crate) plan: PathBuf,
    /// The ledger that holds the ceremony before (otherwise ledger/ or golden/ beside the plans)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳(指定しなければ計画の隣の ledger/ または golden/)")]
    pub(crate) ledger: Option<PathBuf>,
    /// The PKCS #11 module of the cards
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "カードの PKCS #11 モジュール")]
    pub(crate) module: PathBuf,
    /// Read the PINs from this open file descriptor, a line each (otherwise at the terminal)
    #[arg(long, value_name = "N")]
    #[arg(ja = "PIN を 1 行ずつ読み出す、開いたファイル記述子(指定しなければ端末で尋ねる)")]
    pub(crate) pin_fd: Option<u32>,
}

/// With what a person approves.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false, id = "by")]
pub(crate) struct By {
    /// The PKCS #11 module of the card
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "カードの PKCS #11 モジュール")]
    pub(crate) module: Option<PathBuf>,
    /// Only print the in-toto statement, for a keyless signature beside the card's
    #[arg(long, conflicts_with = "pin_fd")]
    #[arg(ja = "カードの署名に添える keyless の署名のための in-toto statement を出力するだけ")]
    pub(crate) statement: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Approve {
    /// Who approves
    #[arg(ja = "承認する者")]
    pub(crate) person: Name,
    #[command(flatten)]
    pub(crate) planned: Planned,
    #[command(flatten)]
    pub(crate) by: By,
    /// Read the PIN from this open file descriptor (otherwise at the terminal)
    #[arg(long, value_name = "N")]
    #[arg(ja = "PIN を読み出す、開いたファイル記述子(指定しなければ端末で尋ねる)")]
    pub(crate) pin_fd: Option<u32>,
}
