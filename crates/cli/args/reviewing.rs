//! The options by which a plan is reviewed: those of `check`, `graph`, `bind`, `script` and `diff`.

use std::path::PathBuf;

use crate::help::Japanese as _;

#[derive(Debug, clap::Args)]
pub(crate) struct Planned {
    /// The ceremony's folder
    #[arg(ja = "セレモニーのフォルダー")]
    pub(crate) plan: PathBuf,
    /// The ledger that holds the ceremony before (otherwise ledger/ or golden/ beside the plans)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳(指定しなければ計画の隣の ledger/ または golden/)")]
    pub(crate) ledger: Option<PathBuf>,
    /// For a drill, which has serial numbers and bindings of its own
    #[arg(long)]
    #[arg(ja = "訓練用(訓練のシリアル番号とバインディングは本番と異なる)")]
    pub(crate) drill: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Script {
    #[command(flatten)]
    pub(crate) planned: Planned,
    /// As HTML, for printing; otherwise as Markdown
    #[arg(long)]
    #[arg(ja = "印刷用に HTML で出力する(指定しなければ Markdown)")]
    pub(crate) html: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GraphOf {
    #[command(flatten)]
    pub(crate) planned: Planned,
    /// As a drawing in SVG: keys, what they sign, and who decides it
    #[arg(long)]
    #[arg(ja = "図(SVG)で出力する: 鍵、署名されるもの、人の決定")]
    pub(crate) svg: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) planned: Planned,
    /// Refuse it as well if an approval that it needs is not beside it, or not good
    #[arg(long)]
    #[arg(ja = "必要な承認が計画の隣に揃い、正しいことも確かめる")]
    pub(crate) approved: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The ceremony's folder as it was, a sealed folder, or a CA's folder for all its ceremonies;
    /// of a git revision: REV:PATH
    #[arg(
        ja = "変更前のセレモニーのフォルダー、封印されたフォルダー、または全セレモニーを比べる CA のフォルダー。git のリビジョンは REV:PATH"
    )]
    pub(crate) old: PathBuf,
    /// The same as it shall be
    #[arg(ja = "変更後の同じもの")]
    pub(crate) new: PathBuf,
    /// The ledger that holds the ceremonies before (otherwise ledger/ or golden/ beside the plans,
    /// of a revision those in it if there are any; of a sealed folder the folder above)
    #[arg(long, value_name = "DIR")]
    #[arg(
        ja = "前回までのセレモニーの台帳(指定しなければ計画の隣の ledger/ または golden/、リビジョンでは同じリビジョンにあればそれ、封印されたフォルダーでは 1 つ上のフォルダー)"
    )]
    pub(crate) ledger: Option<PathBuf>,
    /// As Markdown, for a pull request
    #[arg(long)]
    #[arg(ja = "プルリクエスト用に Markdown で出力する")]
    pub(crate) markdown: bool,
}
