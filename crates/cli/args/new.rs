//! The options of `new`, `drill`, `schema` and `completions`.

use std::path::PathBuf;

use ceremony::name::Name;
use ceremony::time::{Day, Offset};
use clap::{Subcommand, ValueEnum};

use crate::help::Japanese as _;
use crate::lang::Lang;

#[derive(Debug, Subcommand)]
pub(crate) enum New {
    /// A CA to fill in: CP/CPS, policy, roster, and the plan of its first ceremony
    #[command(ja = "記入用の認証局(運用規程、ポリシー、任命簿、最初のセレモニーの計画)")]
    Ca(NewCa),
    /// The first ceremony
    #[command(ja = "最初のセレモニー")]
    Genesis(First),
    /// A new Document Signer certificate
    #[command(ja = "新しい DS 電子証明書")]
    Issue(Draft),
    /// New Document Signer certificates in the place of those that end soon
    #[command(ja = "まもなく満了する DS 電子証明書の更新")]
    Renewal(Draft),
    /// The revocation of a Document Signer certificate
    #[command(ja = "DS 電子証明書の失効")]
    Revocation(Draft),
    /// Copies of the root keys on another HSM
    #[command(ja = "別の HSM へのルート鍵の複製")]
    Backup(Draft),
    /// The next root key, with both links; without links after a compromise
    #[command(ja = "次の世代のルート鍵と両方向のリンク証明書(危殆化の後はリンク証明書なし)")]
    Rollover(Draft),
    /// The destruction of the root keys whose certificates have ended
    #[command(ja = "自己署名電子証明書の満了したルート鍵の破棄")]
    Destruction(Draft),
    /// The response to a compromised root key: everything that it signed is revoked
    #[command(ja = "ルート鍵の危殆化への対応(署名したものをすべて失効させる)")]
    Compromise(Draft),
    /// The HSM with the copies in the place of the lost one
    #[command(ja = "失われた HSM に、複製を持つ HSM を代える")]
    Recovery(Draft),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewCa {
    /// The CA's new folder; it must not exist
    #[arg(ja = "認証局の新しいフォルダー(まだ存在しないこと)")]
    pub(crate) folder: PathBuf,
    /// The CA's name in the file system: a-z, 0-9 and -
    #[arg(long, value_name = "NAME")]
    #[arg(ja = "ファイルシステムでの認証局の名(a–z、0–9、-)")]
    pub(crate) id: Option<Name>,
    /// The country in the CA's Name, two capital letters
    #[arg(long, value_name = "XX")]
    #[arg(ja = "認証局の名称の国名(英大文字 2 文字)")]
    pub(crate) country: Option<String>,
    /// The organisation in the CA's Name
    #[arg(long, value_name = "TEXT")]
    #[arg(ja = "認証局の名称の組織名")]
    pub(crate) organization: Option<String>,
    /// The common name in the CA's Name
    #[arg(long, value_name = "TEXT")]
    #[arg(ja = "認証局の名称の CN")]
    pub(crate) common_name: Option<String>,
    /// The curve of the root keys
    #[arg(long, value_enum)]
    #[arg(ja = "ルート鍵の曲線")]
    pub(crate) curve: Option<Curve>,
    /// The languages of the CA's documents, the first one first
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LANG")]
    #[arg(ja = "認証局の文書の言語(主なものを先に)")]
    pub(crate) language: Vec<Lang>,
    /// The offset from UTC in which the CA counts its days, such as +09:00
    #[arg(long, allow_hyphen_values = true)]
    #[arg(ja = "認証局の日を数える、UTC からの時差(例: +09:00)")]
    pub(crate) offset: Option<Offset>,
}

/// A curve of root keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Curve {
    #[value(alias = "P-256")]
    P256,
    #[value(alias = "P-384")]
    P384,
}

#[derive(Debug, clap::Args)]
pub(crate) struct First {
    /// The ceremony's new folder, in the CA's folder; it must not exist
    #[arg(ja = "認証局のフォルダーの中の、セレモニーの新しいフォルダー(まだ存在しないこと)")]
    pub(crate) plan: PathBuf,
    /// The day on which the ceremony is to be held, such as 2030-04-01 (otherwise today)
    #[arg(long, value_name = "DATE")]
    #[arg(ja = "セレモニーを行う日(例: 2030-04-01。指定しなければ今日)")]
    pub(crate) at: Option<Day>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Draft {
    /// The ceremony's new folder, in the CA's folder; it must not exist
    #[arg(ja = "認証局のフォルダーの中の、セレモニーの新しいフォルダー(まだ存在しないこと)")]
    pub(crate) plan: PathBuf,
    /// The ledger with every ceremony before
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのすべてのセレモニーの台帳")]
    pub(crate) ledger: PathBuf,
    /// The day on which the ceremony is to be held, such as 2030-04-01 (otherwise the day that the
    /// last ceremony planned; today for a revocation, a compromise or a recovery)
    #[arg(long, value_name = "DATE")]
    #[arg(
        ja = "セレモニーを行う日(例: 2030-04-01。指定しなければ前回のセレモニーで予定した日、失効・危殆化・喪失のときは今日)"
    )]
    pub(crate) at: Option<Day>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Drill {
    /// The folder of the CA's first ceremony
    #[arg(ja = "認証局の最初のセレモニーのフォルダー")]
    pub(crate) plan: PathBuf,
    /// The new folder for the drill; it must not exist
    #[arg(ja = "訓練のための新しいフォルダー(まだ存在しないこと)")]
    pub(crate) folder: PathBuf,
}

/// A document that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    Plan,
    Policy,
    Roster,
    Cps,
    Room,
    Anchor,
    Release,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// The document
    #[arg(value_enum)]
    #[arg(ja = "文書")]
    pub(crate) document: Document,
}

/// A shell that completes command lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    #[arg(ja = "シェル")]
    pub(crate) shell: Shell,
}
