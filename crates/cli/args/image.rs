//! The commands about the live image.

use std::path::PathBuf;

use ceremony::name::Name;
use clap::Subcommand;

use crate::help::Japanese as _;

/// The commands about the live image on another machine, run in the repository's folder.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Print the lock of Debian packages as the signed indices would have it now
    #[command(ja = "Debian パッケージの固定値の一覧を、署名付きの索引の現在の内容から出力する")]
    Lock,
    /// Collect every locked input, Nix and this program in a new folder; it needs no registry then
    #[command(
        ja = "固定した入力、Nix、このプログラムを新しいフォルダーに集める。以後、配布元は要らない"
    )]
    Archive {
        /// The folder; what is not whole yet lies beside it, and is used again
        #[arg(ja = "保存先のフォルダー。途中の結果は隣に残り、次回はそれを使う")]
        to: PathBuf,
        /// The folder with the vendors' files
        #[arg(long, value_name = "DIR")]
        #[arg(ja = "製造者のファイルのフォルダー")]
        vendor: Option<PathBuf>,
    },
    /// Put every locked input into the Nix store, each compared with its lock
    #[command(ja = "固定した入力を、固定値の一覧と照合してすべて Nix ストアに入れる")]
    Seed {
        /// An archive, in the place of apt and cargo
        #[arg(long, value_name = "DIR")]
        #[arg(ja = "apt と cargo の代わりに用いるアーカイブ")]
        from: Option<PathBuf>,
        /// The folder with the vendors' files (otherwise those of the archive)
        #[arg(long, value_name = "DIR")]
        #[arg(ja = "製造者のファイルのフォルダー(指定しなければアーカイブのもの)")]
        vendor: Option<PathBuf>,
    },
    /// Judge an image by its pin, and its recipe by the locks and sources here; without Nix
    #[command(
        ja = "イメージを固定した値で、レシピを手元の固定値の一覧とソースで判定する。Nix は要らない"
    )]
    Verify {
        /// The pin, of golden/image/
        #[arg(ja = "golden/image/ にある固定値の一覧")]
        pin: PathBuf,
        /// The ISO
        #[arg(ja = "ISO ファイル")]
        iso: PathBuf,
        /// The folder with the derivations
        #[arg(long, value_name = "DIR", default_value = "/nix/store")]
        #[arg(ja = "導出のフォルダー")]
        recipe: PathBuf,
        /// Also who attests it: the folder of the CA's policy.toml and roster.toml
        #[arg(long, value_name = "DIR")]
        #[arg(
            ja = "ビルド結果に署名した者も判定する(認証局の policy.toml と roster.toml のあるフォルダー)"
        )]
        ca: Option<PathBuf>,
    },
    /// Attest with your card that you built an image and got the octets of its pin
    #[command(
        ja = "自分がイメージをビルドし、固定した値のとおりになったことに、自分のカードで署名する"
    )]
    Attest(Attest),
    /// Print what a TPM will have in PCR 4 and PCR 11
    #[command(ja = "TPM の PCR 4 と PCR 11 に現れる値を出力する")]
    Measure {
        /// The unified kernel image
        #[arg(ja = "統合カーネルイメージ")]
        uki: PathBuf,
    },
    /// Print the identity of an ISO: what is pinned, and what the operators' medium holds
    #[command(ja = "ISO を特定する値(固定する内容と、操作要員の媒体の内容)を出力する")]
    Pin {
        /// The ISO
        #[arg(ja = "ISO ファイル")]
        iso: PathBuf,
        /// The derivation that made it
        #[arg(long, value_name = "DRV")]
        #[arg(ja = "ISO を作った導出")]
        derivation: Option<PathBuf>,
    },
    /// Write an image to a removable stick or a new file, and read it back
    #[command(ja = "USB メモリー又は新しいファイルにイメージを書き込み、読み戻す")]
    Write {
        /// The ISO
        #[arg(ja = "ISO ファイル")]
        iso: PathBuf,
        /// The stick's device, or a file
        #[arg(ja = "スティックのデバイスまたはファイル")]
        to: PathBuf,
    },
}

/// The options of `image attest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Attest {
    /// Who built it
    #[arg(ja = "ビルドした者")]
    pub(crate) person: Name,
    /// The pin, of golden/image/
    #[arg(ja = "golden/image/ にある固定値の一覧")]
    pub(crate) pin: PathBuf,
    /// The ISO that you built
    #[arg(ja = "自分でビルドした ISO ファイル")]
    pub(crate) iso: PathBuf,
    /// The folder of the CA's policy.toml and roster.toml
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "認証局の policy.toml と roster.toml のあるフォルダー")]
    pub(crate) ca: PathBuf,
    /// The folder with the derivations
    #[arg(long, value_name = "DIR", default_value = "/nix/store")]
    #[arg(ja = "導出のフォルダー")]
    pub(crate) recipe: PathBuf,
    /// The PKCS #11 module of the card
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "カードの PKCS #11 モジュール")]
    pub(crate) module: PathBuf,
    /// Read the PIN from this open file descriptor (otherwise at the terminal)
    #[arg(long, value_name = "N")]
    #[arg(ja = "PIN を読み出す、開いたファイル記述子(指定しなければ端末で尋ねる)")]
    pub(crate) pin_fd: Option<u32>,
}
