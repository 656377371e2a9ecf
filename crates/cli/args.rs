//! The command line.

use crate::lang::Lang;
use std::path::{Component, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};

/// The source that the program was built from, as `crates/cli/build.rs` found it.
pub(crate) const SOURCE: &str = env!("GISHIKI_IDENTITY");
/// The program's version, and that source.
pub(crate) const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (", env!("GISHIKI_IDENTITY"), ")");

/// Key ceremonies of an offline root CA, from plan to proof
#[derive(Debug, Parser)]
#[command(name = "gishiki", version = VERSION, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    /// The language of what people read (from LANG otherwise)
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Lang>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a plan against every rule; report all violations
    Check(Planned),
    /// Print the operation graph that a plan compiles to
    Graph(Planned),
    /// Print the bindings: what fills the graph's holes at review
    Bind(Planned),
    /// Print the script that people hold in the room
    Script(Planned),
    /// Show what changes in meaning from one plan or sealed folder to another (then exit code 8)
    Diff(Diff),
    /// Perform the ceremony with the built-in deterministic token and stand-in people
    Rehearse(Rehearse),
    /// Ask the token before the day whether it can do what the plan needs; nothing stays on it
    Probe(Probe),
    /// Perform the ceremony with a PKCS #11 token and people
    Run(Run),
    /// Go on with an interrupted ceremony, from its two journals
    Resume(Resume),
    /// Say what an unsealable journal holds, for signing on paper
    Abandon(Abandon),
    /// Judge a sealed ceremony or a whole ledger: compile again, replay, compare every octet
    Verify(Verify),
    /// Show what the ceremonies of a ledger have left: keys, certificates, CRLs, what falls due
    State(State),
    /// Say whether a certificate may be relied on at a time: root, links, CRLs, signature, form
    Validate(Validate),
    /// Lead a ceremony on the live image: system, clock, media, ceremony, outputs
    Live(Live),
    /// Carry the dialogue to the live image's screen, and keep what was shown there
    #[command(hide = true)]
    Screen(Live),
    /// Build, judge and write the live image
    #[cfg(feature = "image")]
    #[command(subcommand)]
    Image(ImageCommand),
}

/// What is done with the live image from outside; in the repository's folder.
#[cfg(feature = "image")]
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Print the lock of Debian packages as the signed indices would have it now
    Lock,
    /// Collect every locked input, Nix and this program in a new folder; it needs no registry then
    Archive {
        /// The folder; what is not whole yet lies beside it, and is used again
        to: PathBuf,
        /// The folder with the vendors' files
        #[arg(long, value_name = "DIR")]
        vendor: Option<PathBuf>,
    },
    /// Put every locked input into the Nix store, each compared with its lock
    Seed {
        /// An archive, in the place of apt and cargo
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        /// The folder with the vendors' files (otherwise those of the archive)
        #[arg(long, value_name = "DIR")]
        vendor: Option<PathBuf>,
    },
    /// Judge an image by its pin, and its recipe by the locks and sources here; without Nix
    Verify {
        /// The pin, of golden/image/
        pin: PathBuf,
        /// The ISO
        iso: PathBuf,
        /// The folder with the derivations
        #[arg(long, value_name = "DIR", default_value = "/nix/store")]
        recipe: PathBuf,
    },
    /// Print what a TPM will have in PCR 4 and PCR 11
    Measure {
        /// The unified kernel image
        uki: PathBuf,
    },
    /// Print the identity of an ISO: what is pinned, and what the operators' medium holds
    Pin {
        /// The ISO
        iso: PathBuf,
        /// The derivation that made it
        #[arg(long, value_name = "DRV")]
        derivation: Option<PathBuf>,
    },
    /// Write an image to a removable stick or a new file, and read it back
    Write {
        /// The ISO
        iso: PathBuf,
        /// The stick's device, or a file
        to: PathBuf,
    },
}

/// What a command holds a ceremony with, goes on with it, or gives it up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The plan, where one is named.
    pub(crate) plan: Option<&'a PathBuf>,
    /// The room and what belongs to it; to give a ceremony up takes none.
    pub(crate) held: Option<&'a Held>,
    pub(crate) journal: &'a [PathBuf],
    pub(crate) ledger: Option<&'a PathBuf>,
    pub(crate) anchor: Option<&'a PathBuf>,
    pub(crate) out: &'a PathBuf,
    /// Whether the live image leads it.
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
    /// What it holds a ceremony with, or gives one up, if it does either.
    pub(crate) const fn given(&self) -> Option<Given<'_>> {
        match self {
            Self::Run(run) => Some(Given::held(Some(&run.plan), &run.held)),
            Self::Resume(resume) => Some(Given::held(resume.plan.as_ref(), &resume.held)),
            Self::Abandon(abandon) => Some(Given::abandoned(abandon)),
            Self::Check(_)
            | Self::Graph(_)
            | Self::Bind(_)
            | Self::Script(_)
            | Self::Diff(_)
            | Self::Rehearse(_)
            | Self::Probe(_)
            | Self::Verify(_)
            | Self::State(_)
            | Self::Validate(_)
            | Self::Live(_)
            | Self::Screen(_) => None,
            #[cfg(feature = "image")]
            Self::Image(_) => None,
        }
    }

    /// The descriptor that a PIN is read from, if it is read from one.
    pub(crate) fn pin_fd(&self) -> Option<u32> {
        if let Self::Probe(probe) = self {
            return probe.pin_fd;
        }
        self.given()?.held?.pin_fd
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Live {
    /// The line that people are at
    #[arg(long, hide = true, value_enum, default_value_t = Line::Serial)]
    pub(crate) here: Line,
}

/// Where people and the live image speak to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Line {
    /// A screen that shows every script, and a keyboard.
    Screen,
    /// A screen that shows letters of ASCII only, and a keyboard.
    Console,
    /// A serial line, with a terminal at its other end.
    Serial,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Planned {
    /// The ceremony's folder
    pub(crate) plan: PathBuf,
    /// The ledger that holds the ceremony before (otherwise ledger/ or golden/ beside the plans)
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The ceremony's folder as it was, or a sealed folder
    pub(crate) old: PathBuf,
    /// The ceremony's folder as it shall be, or a sealed folder
    pub(crate) new: PathBuf,
    /// The ledger that holds the ceremonies before (otherwise ledger/ or golden/ beside the plans;
    /// of a sealed folder the folder above)
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// As Markdown, for a pull request
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct State {
    /// The ledger
    pub(crate) ledger: PathBuf,
    /// The day to judge by (otherwise that of the last ceremony; with --due today)
    #[arg(long, value_name = "DATE")]
    pub(crate) at: Option<String>,
    /// Only what falls due; exit code 9 if something is overdue
    #[arg(long, conflicts_with = "json")]
    pub(crate) due: bool,
    /// The CA's anchor, to judge the ledger by
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rehearsal", "drill"])]
    pub(crate) anchor: Option<PathBuf>,
    /// Take it as a rehearsal
    #[arg(long, conflicts_with = "drill")]
    pub(crate) rehearsal: bool,
    /// Take it as a drill
    #[arg(long)]
    pub(crate) drill: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false, id = "to")]
pub(crate) struct Target {
    /// Write the sealed folder, or all, here; it must not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Compare with this golden, or all, instead of writing
    #[arg(long, value_name = "GOLDEN")]
    pub(crate) compare: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rehearse {
    /// The ceremony's folder; or the CA's, for every ceremony of it in the order of its ledger
    pub(crate) plan: PathBuf,
    /// The ledger that holds the ceremony before (otherwise ledger/ or golden/ beside the plans)
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// A journal's folder, of which two are compared: `./A/` is `A`.
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
    pub(crate) room: PathBuf,
    /// A journal folder; give two, on two media
    #[arg(long, value_name = "DIR", required = true, num_args = 1, value_parser = folder())]
    pub(crate) journal: Vec<PathBuf>,
    /// Write the sealed folder here; it must not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The ledger that holds the ceremony before; none for a CA's first
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// The CA's anchor; in a drill none
    #[arg(long, value_name = "FILE")]
    pub(crate) anchor: Option<PathBuf>,
    /// Scripted answers, for drills only
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Read the PIN from this open file descriptor instead of the terminal
    #[arg(long, value_name = "N")]
    pub(crate) pin_fd: Option<u32>,
    /// Led by the live image, whose people have a menu and no shell
    #[arg(long, hide = true)]
    pub(crate) led: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Probe {
    /// The ceremony's folder; without it only what needs no login is asked
    pub(crate) plan: Option<PathBuf>,
    /// The room: module, token, terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) room: PathBuf,
    /// The ledger that holds the ceremony before (otherwise ledger/ or golden/ beside the plans)
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// On a drill's token: try with keys that last, and destroy them; some modules make no others
    #[arg(long)]
    pub(crate) lasting: bool,
    /// Read the PIN from this open file descriptor instead of the terminal
    #[arg(long, value_name = "N")]
    pub(crate) pin_fd: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The ceremony's folder
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) held: Held,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Go on only if the interrupted ceremony is the one of this folder
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// Go on without the journal in this folder, which does not replay or differs from the other;
    /// two people of two roles consent, and it stays there under another name
    #[arg(long, value_name = "DIR", value_parser = folder())]
    pub(crate) put_aside: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) held: Held,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Abandon {
    /// A journal folder; give two, on two media
    #[arg(long, value_name = "DIR", required = true, num_args = 1, value_parser = folder())]
    pub(crate) journal: Vec<PathBuf>,
    /// The ledger that holds the ceremony before; none for a CA's first
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// The CA's anchor; in a drill none
    #[arg(long, value_name = "FILE")]
    pub(crate) anchor: Option<PathBuf>,
    /// Give up what the other journal holds, without the one in this folder, which does not replay
    /// or differs from it; nothing of it is changed
    #[arg(long, value_name = "DIR", value_parser = folder())]
    pub(crate) put_aside: Option<PathBuf>,
    /// The new folder for its record, which joins the ledger once the next plan names it
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Led by the live image, whose people have a menu and no shell
    #[arg(long, hide = true)]
    pub(crate) led: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The sealed folder, or the ceremony's folder and the sealed folder, or a ledger
    #[arg(required = true, num_args = 1..=2, value_names = ["PLAN] [OUT"])]
    pub(crate) folders: Vec<PathBuf>,
    /// The ledger that holds the ceremony before (otherwise the folder above)
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// The CA's anchor
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rehearsal", "drill"])]
    pub(crate) anchor: Option<PathBuf>,
    /// Take it as a rehearsal
    #[arg(long, conflicts_with = "drill")]
    pub(crate) rehearsal: bool,
    /// Take it as a drill
    #[arg(long)]
    pub(crate) drill: bool,
    /// List every rule that was judged, on what it rests, and which were not
    #[arg(long)]
    pub(crate) rules: bool,
    /// Show the values of its slip of paper in words, as they were read aloud
    #[arg(long)]
    pub(crate) slip: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    /// A root that you trust, from a trustworthy place
    #[arg(long, value_name = "FILE", required = true, num_args = 1)]
    pub(crate) root: Vec<PathBuf>,
    /// A link certificate, by which a trusted root vouches for another
    #[arg(long, value_name = "FILE", num_args = 1)]
    pub(crate) link: Vec<PathBuf>,
    /// A CRL; give one of the day for every key that signed
    #[arg(long, value_name = "FILE", num_args = 1)]
    pub(crate) crl: Vec<PathBuf>,
    /// The time in question, such as 2026-04-01T10:00:00+09:00
    #[arg(long, value_name = "TIME")]
    pub(crate) at: ceremony::time::Instant,
    /// Take the keys of a rehearsal, which everyone knows, for the real ones
    #[arg(long)]
    pub(crate) rehearsal: bool,
    /// The certificate in question: a Document Signer, a link, a root
    #[arg(value_name = "CERT")]
    pub(crate) certificate: PathBuf,
}
