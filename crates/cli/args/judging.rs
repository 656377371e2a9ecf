//! The options of `verify`, `report`, `release` and `validate`.

use std::path::PathBuf;

use ceremony::name::Name;
use clap::ValueEnum;

use crate::help::Japanese as _;

/// By what a ledger or a sealed folder is judged to be the CA's, a rehearsal or a drill.
#[derive(Debug, clap::Args)]
pub(crate) struct TrustedBy {
    /// The CA's anchor
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rehearsal", "drill"])]
    #[arg(ja = "認証局のアンカー")]
    pub(crate) anchor: Option<PathBuf>,
    /// Take it as a rehearsal
    #[arg(long, conflicts_with = "drill")]
    #[arg(ja = "リハーサルとして扱う")]
    pub(crate) rehearsal: bool,
    /// Take it as a drill
    #[arg(long)]
    #[arg(ja = "訓練として扱う")]
    pub(crate) drill: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The sealed folder, or the ceremony's folder and the sealed folder, or a ledger
    #[arg(required = true, num_args = 1..=2, value_name = "FOLDER")]
    #[arg(ja = "封印されたフォルダー、セレモニーのフォルダーと封印されたフォルダー、または台帳")]
    pub(crate) folders: Vec<PathBuf>,
    /// The ledger that holds the ceremony before (otherwise the folder above)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳(指定しなければ 1 つ上のフォルダー)")]
    pub(crate) ledger: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) by: TrustedBy,
    /// List every rule that was judged, on what it rests, and which were not
    #[arg(long)]
    #[arg(ja = "判定したすべての規則とその根拠、判定しなかった規則を示す")]
    pub(crate) rules: bool,
    /// Show who is on record when, with what, and whether their cards sign it
    #[arg(long)]
    #[arg(ja = "誰がいつ何をしたか、本人のカードの署名があるかを表で示す")]
    pub(crate) people: bool,
    /// Show the values of its slip of paper in words, as they were read aloud
    #[arg(long)]
    #[arg(ja = "控えの値を、読み上げたときの単語で示す")]
    pub(crate) slip: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// One file for paper.
    Html,
    /// For a reader that compares texts.
    Markdown,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// The sealed folder, or a ledger
    #[arg(value_name = "FOLDER")]
    #[arg(ja = "封印されたフォルダー、または台帳")]
    pub(crate) folder: PathBuf,
    /// The ceremony of a ledger (otherwise the last)
    #[arg(long, value_name = "NAME")]
    #[arg(ja = "台帳のうち報告するセレモニー(指定しなければ最後のもの)")]
    pub(crate) ceremony: Option<Name>,
    /// The ledger that holds the ceremony before (otherwise the folder above)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳(指定しなければ 1 つ上のフォルダー)")]
    pub(crate) ledger: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) by: TrustedBy,
    /// How the report is written
    #[arg(long, value_name = "FORM", value_enum, default_value_t = ReportForm::Html)]
    #[arg(ja = "出力の形式")]
    pub(crate) form: ReportForm,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("trust").required(true).args(["anchor", "rehearsal", "drill"]))]
pub(crate) struct Release {
    /// The ledger
    #[arg(value_name = "LEDGER")]
    #[arg(ja = "台帳")]
    pub(crate) ledger: PathBuf,
    /// The ceremony (all of the ledger if none is named)
    #[arg(value_name = "CEREMONY")]
    #[arg(ja = "セレモニー(指定しなければ台帳のすべて)")]
    pub(crate) ceremony: Option<Name>,
    /// The CA's anchor
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "認証局のアンカー")]
    pub(crate) anchor: Option<PathBuf>,
    /// Take it as a rehearsal
    #[arg(long)]
    #[arg(ja = "リハーサルとして扱う")]
    pub(crate) rehearsal: bool,
    /// Take it as a drill
    #[arg(long)]
    #[arg(ja = "訓練として扱う")]
    pub(crate) drill: bool,
    /// The CP/CPS that cps.toml names, to be published too
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "あわせて公開する運用規程(cps.toml が挙げるもの)")]
    pub(crate) cps: Option<PathBuf>,
    /// The folder of the releases: one folder for each ceremony is made in it
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "公開用の一式を置くフォルダー(その中にセレモニーごとのフォルダーを作る)")]
    pub(crate) out: PathBuf,
}

/// A layer of rules whose faults `validate` only says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Warned {
    /// ISO/IEC 18013-5 Annex B.
    Iso,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    /// A root that you trust, from a trustworthy place
    #[arg(long, value_name = "FILE", required = true, num_args = 1)]
    #[arg(ja = "信頼できる所から得た、信頼するルート証明書")]
    pub(crate) root: Vec<PathBuf>,
    /// A link certificate, by which a trusted root vouches for another
    #[arg(long, value_name = "FILE", num_args = 1)]
    #[arg(ja = "信頼するルートが別のルートを保証するリンク証明書")]
    pub(crate) link: Vec<PathBuf>,
    /// A CRL; give one of the day for every key that signed
    #[arg(long, value_name = "FILE", num_args = 1)]
    #[arg(ja = "CRL。署名した鍵ごとに、その日のものを指定する")]
    pub(crate) crl: Vec<PathBuf>,
    /// The time in question, such as 2026-04-01T10:00:00+09:00
    #[arg(long, value_name = "TIME")]
    #[arg(ja = "判定する時刻(例: 2026-04-01T10:00:00+09:00)")]
    pub(crate) at: ceremony::time::Instant,
    /// Take the keys of a rehearsal, which everyone knows, for the real ones
    #[arg(long)]
    #[arg(ja = "公知であるリハーサルの鍵を、本物の鍵として扱う")]
    pub(crate) rehearsal: bool,
    /// Judge by the rules of this CA too: the folder of its policy.toml
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "この認証局の規則でも判定する(policy.toml のあるフォルダー)")]
    pub(crate) ca: Option<PathBuf>,
    /// Only say what breaks a rule of this layer, do not refuse it: iso (ISO/IEC 18013-5 Annex B)
    #[arg(long, value_name = "LAYER")]
    #[arg(ja = "この層の規則に反するものを、拒否せず示すだけにする: iso(ISO/IEC 18013-5 Annex B)")]
    pub(crate) warn: Option<Warned>,
    /// The certificate in question: a Document Signer, a link, a root
    #[arg(value_name = "CERT")]
    #[arg(ja = "判定する証明書(DS、リンク、ルート)")]
    pub(crate) certificate: PathBuf,
}
