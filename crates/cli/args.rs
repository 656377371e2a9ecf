//! The command line, and its help in both languages: a comment is the English, `ja` the Japanese.

mod activation;
mod duties;
#[cfg(feature = "image")]
mod image;
mod judging;
mod log;
mod new;
mod reviewing;
mod roster;
#[cfg(test)]
mod tests;

pub(crate) use activation::{ActivationCommand, Deal, Opened, Try};
pub(crate) use duties::{Duties, DutiesCommand, DutiesShown, DutyDone, OfCa};
#[cfg(feature = "image")]
pub(crate) use image::{Attest, ImageCommand};
pub(crate) use judging::{Release, Report, ReportForm, TrustedBy, Validate, Verify, Warned};
pub(crate) use log::{Form, Log};
pub(crate) use new::{Completions, Curve, Document, Draft, Drill, New, NewCa, Schema, Shell};
pub(crate) use reviewing::{Check, Diff, GraphOf, Planned, Script};
pub(crate) use roster::{Approve, CardsThere, Enrol, RosterCommand};

use std::path::{Component, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};

use crate::help::Japanese as _;
use crate::lang::Lang;

/// The source that the program was built from, as `crates/cli/build.rs` found it.
pub(crate) const SOURCE: &str = env!("GISHIKI_IDENTITY");
/// The program's version, and that source.
pub(crate) const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (", env!("GISHIKI_IDENTITY"), ")");

/// Key ceremonies of an offline root CA, from plan to proof
#[derive(Debug, Parser)]
#[command(name = "gishiki", version = VERSION, propagate_version = true, max_term_width = 100)]
#[command(ja = "オフラインのルート認証局のキーセレモニーを、計画から証明まで行う")]
pub(crate) struct Args {
    /// The language of what people read (from LANG otherwise)
    #[arg(long, global = true, value_enum)]
    #[arg(ja = "表示の言語(指定しなければ LANG による)")]
    pub(crate) lang: Option<Lang>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a CA to fill in, or draft the plan of its next ceremony
    #[command(subcommand)]
    #[command(ja = "記入用の認証局、または次のセレモニーの計画の下書きを作成する")]
    New(New),
    /// Check a plan against every rule; report all violations
    #[command(ja = "計画をすべての規則に照らし、違反をすべて報告する")]
    Check(Check),
    /// Print the operation graph that a plan compiles to
    #[command(ja = "計画から得られる操作のグラフを出力する")]
    Graph(GraphOf),
    /// Print the bindings: what fills the graph's holes at review
    #[command(ja = "バインディング(審査のときグラフの空欄を埋める値)を出力する")]
    Bind(Planned),
    /// Print the script that people hold in the room
    #[command(ja = "セレモニーで手にする構築手順書を出力する")]
    Script(Script),
    /// Show what changes in meaning from one plan, sealed folder or CA to another (exit code 8)
    #[command(
        ja = "2 つの計画、封印されたフォルダーまたは CA の意味の違いを示す(違えば終了コード 8)"
    )]
    Diff(Diff),
    /// Perform the ceremony with the built-in deterministic token and stand-in people
    #[command(ja = "内蔵の決定的なトークンと代役で、セレモニーのリハーサルを行う")]
    Rehearse(Rehearse),
    /// Ask the token before the day whether it can do what the plan needs; nothing stays on it
    #[command(
        ja = "計画に要ることをトークンが行えるか、当日より前に確かめる。トークンには何も残らない"
    )]
    Probe(Probe),
    /// Approve a plan with your card before the day: what plan and policy say under your name
    #[command(ja = "計画とポリシーに自分の名であることを、当日より前に自分のカードで承認する")]
    Approve(Approve),
    /// Show people's cards, and enrol people and cards in the register
    #[command(subcommand)]
    #[command(ja = "参加者のカードを示し、人とカードを任命簿に登録する")]
    Roster(RosterCommand),
    /// Deal the PIN of a token to several people, of whom some open it together; and try it
    #[command(subcommand)]
    #[command(ja = "トークンの PIN を複数人に分けて持たせ、一部の人数で開けるようにする。その訓練")]
    Activation(ActivationCommand),
    /// Prepare a drill of a CA's first ceremony today: its documents, a token, a room, the scripts
    #[command(
        ja = "認証局の最初のセレモニーを今日訓練する準備をする(文書、トークン、実施場所、構築手順書)"
    )]
    Drill(Drill),
    /// Perform the ceremony with a PKCS #11 token and people
    #[command(ja = "PKCS #11 のトークンと参加者でセレモニーを行う")]
    Run(Run),
    /// Go on with an interrupted ceremony, from its two journals
    #[command(ja = "中断したセレモニーを 2 つの記録から続ける")]
    Resume(Resume),
    /// Say what an unsealable journal holds, for signing on paper
    #[command(ja = "封印できない記録の内容を、紙に署名するために示す")]
    Abandon(Abandon),
    /// Judge a sealed ceremony or a whole ledger: compile again, replay, compare every octet
    #[command(
        ja = "封印されたセレモニーまたは台帳全体を検証する。再コンパイルと再現を行い、全オクテットを比べる"
    )]
    Verify(Verify),
    /// Write the report of a sealed ceremony for people to sign: as HTML for paper, or as Markdown
    #[command(ja = "封印されたセレモニーの報告書を作成する(紙に印刷する HTML、または Markdown)")]
    Report(Report),
    /// Show the records of a ceremony or a ledger, by person, kind, result and time
    #[command(ja = "セレモニーまたは台帳の記録を、人、種類、結果、時刻で選んで示す")]
    Log(Log),
    /// Show what the ceremonies of a ledger have left: keys, certificates, CRLs, what falls due
    #[command(ja = "台帳のセレモニーが残したもの(鍵、証明書、CRL、期限)を示す")]
    State(State),
    /// Show what a CA has to do besides ceremonies too, and record what was done (exit code 9)
    #[command(
        ja = "認証局の業務の期日を示し、実施を記録する。期日を過ぎたものがあれば終了コード 9"
    )]
    Duties(Duties),
    /// Write what the ceremonies of a ledger let out, with what proves it: a release for each
    #[command(ja = "台帳の各セレモニーが公開するものを、その証明とともに書き出す")]
    Release(Release),
    /// Say whether a certificate may be relied on at a time: root, links, CRLs, signature, form
    #[command(ja = "ある時刻に証明書に依拠してよいか(ルート、リンク、CRL、署名、形式)を判定する")]
    Validate(Validate),
    /// Print the JSON Schema of a document, by which an editor completes and checks it
    #[command(ja = "エディターが文書の補完と検査に用いる JSON Schema を出力する")]
    Schema(Schema),
    /// Print a script by which a shell completes command lines
    #[command(ja = "シェルがコマンドの入力を補完するためのスクリプトを出力する")]
    Completions(Completions),
    /// Lead a ceremony on the live image: system, clock, media, ceremony, outputs
    #[command(ja = "専用イメージの上でセレモニーを導く(システム、時計、媒体、セレモニー、出力)")]
    Live(Live),
    /// Carry the dialogue to the live image's screen, and keep what was shown there
    #[command(hide = true)]
    #[command(ja = "対話を専用イメージの画面に映し、表示したものを保存する")]
    Screen(Live),
    /// Build, judge and write the live image
    #[cfg(feature = "image")]
    #[command(subcommand)]
    #[command(ja = "専用イメージを作成・判定し、書き込む")]
    Image(ImageCommand),
}

/// The options with which a command holds a ceremony, resumes it or gives it up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The plan, where one is named.
    pub(crate) plan: Option<&'a PathBuf>,
    /// The room and what belongs to it; `None` when a ceremony is given up.
    pub(crate) held: Option<&'a Held>,
    pub(crate) journal: &'a [PathBuf],
    pub(crate) ledger: Option<&'a PathBuf>,
    pub(crate) anchor: Option<&'a PathBuf>,
    pub(crate) out: &'a PathBuf,
    /// Whether the live image leads the ceremony.
    pub(crate) led: bool,
}

impl<'a> Given<'a> {
    const fn held(plan: Option<&'a PathBuf>, held: &'a Held) -> Self {
        Self {
            plan,
            held: Some(held),
            journal: held.journal.as_slice(),
            ledger: held.ledger.as_ref(),
            anchor: held.anchor.as_ref(),
            out: &held.out,
            led: held.led,
        }
    }

    const fn abandoned(abandon: &'a Abandon) -> Self {
        Self {
            plan: None,
            held: None,
            journal: abandon.journal.as_slice(),
            ledger: abandon.ledger.as_ref(),
            anchor: abandon.anchor.as_ref(),
            out: &abandon.out,
            led: abandon.led,
        }
    }
}

impl Command {
    /// Returns the options of a command that holds a ceremony or gives one up; else `None`.
    pub(crate) const fn given(&self) -> Option<Given<'_>> {
        match self {
            Self::Run(run) => Some(Given::held(Some(&run.plan), &run.held)),
            Self::Resume(resume) => Some(Given::held(resume.plan.as_ref(), &resume.held)),
            Self::Abandon(abandon) => Some(Given::abandoned(abandon)),
            Self::New(_)
            | Self::Check(_)
            | Self::Graph(_)
            | Self::Bind(_)
            | Self::Script(_)
            | Self::Diff(_)
            | Self::Rehearse(_)
            | Self::Probe(_)
            | Self::Verify(_)
            | Self::Report(_)
            | Self::State(_)
            | Self::Duties(_)
            | Self::Log(_)
            | Self::Validate(_)
            | Self::Release(_)
            | Self::Schema(_)
            | Self::Drill(_)
            | Self::Roster(_)
            | Self::Approve(_)
            | Self::Activation(_)
            | Self::Completions(_)
            | Self::Live(_)
            | Self::Screen(_) => None,
            #[cfg(feature = "image")]
            Self::Image(_) => None,
        }
    }

    /// Returns the file descriptor that the PIN is read from, if one is given.
    pub(crate) fn pin_fd(&self) -> Option<u32> {
        if let Self::Probe(probe) = self {
            return probe.pin_fd;
        }
        if let Self::Roster(RosterCommand::Enrol(enrol)) = self {
            return enrol.pin_fd;
        }
        if let Self::Approve(approve) = self {
            return approve.pin_fd;
        }
        if let Self::Duties(Duties { command: Some(DutiesCommand::Done(done)), .. }) = self {
            return done.pin_fd;
        }
        #[cfg(feature = "image")]
        if let Self::Image(ImageCommand::Attest(attest)) = self {
            return attest.pin_fd;
        }
        if let Self::Activation(command) = self {
            return match command {
                ActivationCommand::Deal(deal) => deal.pin_fd,
                ActivationCommand::Try(attempt) => attempt.pin_fd,
            };
        }
        self.given()?.held?.pin_fd
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Live {
    /// The line that people are at
    #[arg(long, hide = true, value_enum, default_value_t = Line::Serial)]
    #[arg(ja = "参加者のいる回線")]
    pub(crate) here: Line,
}

/// The kind of terminal at which people talk to the live image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Line {
    /// A screen that shows every script, and a keyboard.
    Screen,
    /// A screen that shows ASCII letters only, and a keyboard.
    Console,
    /// A serial line, with a terminal at its other end.
    Serial,
}

#[derive(Debug, clap::Args)]
pub(crate) struct State {
    /// The ledger
    #[arg(ja = "台帳")]
    pub(crate) ledger: PathBuf,
    /// The day to judge by (otherwise that of the last ceremony; with --due today)
    #[arg(long, value_name = "DATE")]
    #[arg(ja = "判定の基準日(指定しなければ最後のセレモニーの日、--due では今日)")]
    pub(crate) at: Option<String>,
    /// Only what falls due; exit code 9 if something is overdue
    #[arg(long, conflicts_with = "json")]
    #[arg(ja = "期限のあるものだけを示す。期限を過ぎたものがあれば終了コード 9")]
    pub(crate) due: bool,
    #[command(flatten)]
    pub(crate) by: TrustedBy,
    /// As JSON
    #[arg(long)]
    #[arg(ja = "JSON で出力する")]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false, id = "to")]
pub(crate) struct Target {
    /// Write the sealed folder, or all, here; it must not exist
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "封印されたフォルダー(すべてのときは全体)の出力先(まだ存在しないこと)")]
    pub(crate) out: Option<PathBuf>,
    /// Compare with this golden, or all, instead of writing
    #[arg(long, value_name = "GOLDEN")]
    #[arg(ja = "出力せず、このゴールデン(すべてのときは全体)と比べる")]
    pub(crate) compare: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rehearse {
    /// The ceremony's folder; or the CA's, for every ceremony of it in the order of its ledger
    #[arg(
        ja = "セレモニーのフォルダー。認証局のフォルダーなら、台帳の順にすべてのセレモニーを行う"
    )]
    pub(crate) plan: PathBuf,
    /// The ledger that holds the ceremony before (otherwise ledger/ or golden/ beside the plans)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳(指定しなければ計画の隣の ledger/ または golden/)")]
    pub(crate) ledger: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// Reads a journal's folder so that two can be compared: `./A/` equals `A`.
fn folder() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| {
        let plain: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
        if plain.as_os_str().is_empty() { path } else { plain }
    })
}

/// Where and with what a ceremony is held.
#[derive(Debug, clap::Args)]
pub(crate) struct Held {
    /// The room: module, token, terminal
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "実施場所の文書(モジュール、トークン、端末)")]
    pub(crate) room: PathBuf,
    /// A journal folder; give two, on two media
    #[arg(long, value_name = "DIR", required = true, num_args = 1, value_parser = folder())]
    #[arg(ja = "記録のフォルダー。2 つの媒体のものを 2 回指定する")]
    pub(crate) journal: Vec<PathBuf>,
    /// Write the sealed folder here; it must not exist
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "封印されたフォルダーの出力先(まだ存在しないこと)")]
    pub(crate) out: PathBuf,
    /// The ledger that holds the ceremony before; none for a CA's first
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳。認証局の最初のセレモニーでは指定しない")]
    pub(crate) ledger: Option<PathBuf>,
    /// The CA's anchor; in a drill none
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "認証局のアンカー。訓練では指定しない")]
    pub(crate) anchor: Option<PathBuf>,
    /// Scripted answers, for drills only
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "答えを書いたファイル(訓練のみ)")]
    pub(crate) answers: Option<PathBuf>,
    /// Read the PINs, or shares, a line each, from this open file descriptor, not the terminal
    #[arg(long, value_name = "N")]
    #[arg(ja = "PIN またはシェアを 1 行ずつ、端末でなく、開かれているこのファイル記述子から読む")]
    pub(crate) pin_fd: Option<u32>,
    /// Led by the live image, whose people have a menu and no shell
    #[arg(long, hide = true)]
    #[arg(ja = "専用イメージが導く(参加者にはメニューがあり、シェルはない)")]
    pub(crate) led: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Probe {
    /// The ceremony's folder; without it only what needs no login is asked
    #[arg(ja = "セレモニーのフォルダー。省けば、ログインの要らないことだけを確かめる")]
    pub(crate) plan: Option<PathBuf>,
    /// The room: module, token, terminal
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "実施場所の文書(モジュール、トークン、端末)")]
    pub(crate) room: PathBuf,
    /// The ledger that holds the ceremony before (otherwise ledger/ or golden/ beside the plans)
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳(指定しなければ計画の隣の ledger/ または golden/)")]
    pub(crate) ledger: Option<PathBuf>,
    /// On a drill's token: try with keys that last, and destroy them; some modules make no others
    #[arg(long)]
    #[arg(
        ja = "訓練用のトークンで、残る鍵を作って確かめ、破棄する(残る鍵しか作れないモジュールがあるため)"
    )]
    pub(crate) lasting: bool,
    /// Read the PINs, or shares, a line each, from this open file descriptor, not the terminal
    #[arg(long, value_name = "N")]
    #[arg(ja = "PIN またはシェアを 1 行ずつ、端末でなく、開かれているこのファイル記述子から読む")]
    pub(crate) pin_fd: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The ceremony's folder
    #[arg(ja = "セレモニーのフォルダー")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) held: Held,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Go on only if the interrupted ceremony is the one of this folder
    #[arg(long, value_name = "PLAN")]
    #[arg(ja = "中断したセレモニーがこのフォルダーのものであるときだけ続ける")]
    pub(crate) plan: Option<PathBuf>,
    /// Go on without the journal in this folder, which does not replay or differs from the other;
    /// two people of two roles consent, and it stays there under another name
    #[arg(long, value_name = "DIR", value_parser = folder())]
    #[arg(
        ja = "再現できない、または他方と異なる、このフォルダーの記録を除いて続ける。役割の異なる 2 名が同意し、除いた記録は別の名前でそこに残る"
    )]
    pub(crate) put_aside: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) held: Held,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Abandon {
    /// A journal folder; give two, on two media
    #[arg(long, value_name = "DIR", required = true, num_args = 1, value_parser = folder())]
    #[arg(ja = "記録のフォルダー。2 つの媒体のものを 2 回指定する")]
    pub(crate) journal: Vec<PathBuf>,
    /// The ledger that holds the ceremony before; none for a CA's first
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "前回までのセレモニーの台帳。認証局の最初のセレモニーでは指定しない")]
    pub(crate) ledger: Option<PathBuf>,
    /// The CA's anchor; in a drill none
    #[arg(long, value_name = "FILE")]
    #[arg(ja = "認証局のアンカー。訓練では指定しない")]
    pub(crate) anchor: Option<PathBuf>,
    /// Give up what the other journal holds, without the one in this folder, which does not replay
    /// or differs from it; nothing of it is changed
    #[arg(long, value_name = "DIR", value_parser = folder())]
    #[arg(
        ja = "再現できない、または他方と異なる、このフォルダーの記録を除き、他方の内容を断念する。除いたものは変更しない"
    )]
    pub(crate) put_aside: Option<PathBuf>,
    /// The new folder for its record, which joins the ledger once the next plan names it
    #[arg(long, value_name = "DIR")]
    #[arg(ja = "記録の新しい出力先。次の計画が挙げると台帳に加わる")]
    pub(crate) out: PathBuf,
    /// Led by the live image, whose people have a menu and no shell
    #[arg(long, hide = true)]
    #[arg(ja = "専用イメージが導く(参加者にはメニューがあり、シェルはない)")]
    pub(crate) led: bool,
}
