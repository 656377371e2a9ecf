//! `new`: a CA to fill in, and drafts of its plans.
//!
//! What a draft says is decided by [`ceremony::draft`]; here are the files, today's date and the
//! random numbers. A folder is written whole or not at all, and never over another one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use ceremony::cps::Cps;
use ceremony::draft::{self, Kind};
use ceremony::key::Curve;
use ceremony::ledger::State;
use ceremony::name::{Name, NameError};
use ceremony::policy::Policy;
use ceremony::roster::Roster;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::{Day, Offset};
use ceremony::verify::Trust;
use ceremony::violation::{Input, Violation};

use crate::args::{self, New};
use crate::clock::Clock;
use crate::files::{self, read_document};
use crate::halt::Halt;
use crate::lang::{Lang, language, pick};
use crate::report::print;
use crate::sources::{Sources, shown};
use crate::{ledgers, output, schema};

/// Writes what is asked for, and says what to do next.
pub(crate) fn write(new: &New, lang: Lang) -> Result<(), Halt> {
    match new {
        New::Ca(ca) => write_ca(ca, lang),
        New::Genesis(first) => write_plan(Kind::Genesis, &first.plan, None, first.at, lang),
        New::Issue(draft) => later(Kind::Issue, draft, lang),
        New::Renewal(draft) => later(Kind::Renewal, draft, lang),
        New::Revocation(draft) => later(Kind::Revocation, draft, lang),
        New::Backup(draft) => later(Kind::Backup, draft, lang),
        New::Rollover(draft) => later(Kind::Rollover, draft, lang),
        New::Destruction(draft) => later(Kind::Destruction, draft, lang),
        New::Compromise(draft) => later(Kind::Compromise, draft, lang),
        New::Recovery(draft) => later(Kind::Recovery, draft, lang),
    }
}

fn write_ca(asked: &args::NewCa, lang: Lang) -> Result<(), Halt> {
    let ca = draft::NewCa {
        id: asked.id.clone(),
        country: asked.country.clone(),
        organization: asked.organization.clone(),
        common_name: asked.common_name.clone(),
        curve: asked.curve.map(|curve| match curve {
            args::Curve::P256 => Curve::P256,
            args::Curve::P384 => Curve::P384,
        }),
        languages: asked.language.iter().copied().map(language).collect(),
        offset: asked.offset,
        seed: seed()?,
    };
    ca.judge().map_err(|fault| Halt::Asked(fault, Box::default()))?;
    refuse_existing(&asked.folder)?;
    let mut files = draft::new_ca(&ca);
    files.extend(schema::files());
    hand_out(&asked.folder, files)?;
    say_next(&asked.folder.join("genesis"), None, lang)
}

fn later(kind: Kind, draft: &args::Draft, lang: Lang) -> Result<(), Halt> {
    write_plan(kind, &draft.plan, Some(&draft.ledger), draft.at, lang)
}

/// Drafts a plan into a new folder below the CA's folder.
fn write_plan(
    kind: Kind,
    plan: &Path,
    ledger: Option<&Path>,
    at: Option<Day>,
    lang: Lang,
) -> Result<(), Halt> {
    refuse_existing(plan)?;
    let ceremony = ceremony_of(plan)?;
    let documents = Documents::beside(plan)?;
    let state = match ledger {
        Some(ledger) => {
            let chain = ledgers::whole(ledgers::list(ledger)?, ledger)?;
            ledgers::fold(&chain, &Trust::None)?.0
        }
        None => Arc::default(),
    };
    let offset = *documents.policy.ca.offset.get_ref();
    let draft = draft::Draft {
        kind,
        ceremony: &ceremony,
        state: &state,
        cps: &documents.cps,
        policy: &documents.policy,
        roster: &documents.roster,
        day: at.map_or_else(|| day_of(kind, &state, offset), Ok)?,
        seed: seed()?,
    };
    let mut files = draft.files().map_err(|fault| Halt::Asked(fault, Box::default()))?;
    if let Some(text) = files.get_mut(&Input::Plan.to_string()) {
        text.insert_str(0, &documents.line_of_plan);
    }
    hand_out(plan, files)?;
    say_next(plan, ledger, lang)
}

/// Returns the day that the last ceremony planned for the next one; without it, or in an emergency,
/// today.
fn day_of(kind: Kind, state: &State, offset: Offset) -> Result<Day, Halt> {
    let batch = state.batches.iter().rev().find(|batch| batch.issued);
    let planned = batch.and_then(|batch| batch.next_ceremony);
    match planned.filter(|_| !kind.is_an_emergency()) {
        Some(planned) => Ok(planned),
        None => Ok(Clock::System(offset).now()?.day()),
    }
}

/// Refuses a folder that exists already.
fn refuse_existing(folder: &Path) -> Result<(), Halt> {
    if folder.symlink_metadata().is_err() {
        return Ok(());
    }
    let asked =
        says!("まだ存在しないフォルダー {}", "a folder that does not exist yet: {}", shown(folder));
    let found = says!("既に存在する", "it exists already");
    let advice = says!(
        "別の名を指定する(既にあるものは上書きしない)",
        "give another name: nothing is written over what exists"
    );
    Err(Halt::asked(RuleId::S_OUT, asked, found, advice))
}

/// Returns the name of the ceremony, which is that of its folder.
fn ceremony_of(plan: &Path) -> Result<Name, Halt> {
    // A path that ends in `..` or `/` has no name.
    let name = plan.file_name().map_or("".into(), |name| name.to_string_lossy());
    name.parse().map_err(|error: NameError| {
        let asked = says!(
            "新しいフォルダー {}。その名がセレモニーの名となる",
            "a new folder {}, whose name becomes the name of the ceremony",
            shown(plan)
        );
        let advice = says!("2030-04-issue のような名にする", "use a name such as 2030-04-issue");
        Halt::asked(RuleId::S_FORM, asked, error.said(), advice)
    })
}

/// The documents of a CA.
struct Documents {
    cps: Cps,
    policy: Policy,
    roster: Roster,
    /// The first line of a plan, which names its schema.
    line_of_plan: String,
}

impl Documents {
    /// Reads the documents in the folder above a plan's.
    fn beside(plan: &Path) -> Result<Self, Halt> {
        let absolute = std::path::absolute(plan).unwrap_or_else(|_| plan.to_path_buf());
        let above = absolute.parent().unwrap_or(&absolute);
        refuse_outside_a_ca(plan, above)?;
        let read = |input: Input| {
            let path = above.join(input.to_string());
            Ok((path.clone(), read_document(&path)?))
        };
        let sources = Sources {
            cps: read(Input::Cps)?,
            policy: read(Input::Policy)?,
            roster: read(Input::Roster)?,
            ..Sources::default()
        };
        let mut violations = Vec::new();
        let mut keep = |refused: Vec<Violation>| violations.extend(refused);
        let cps = Cps::parse(&sources.cps.1).map_err(&mut keep).ok();
        let policy = Policy::parse(&sources.policy.1).map_err(&mut keep).ok();
        let roster = Roster::parse(&sources.roster.1).map_err(&mut keep).ok();
        let line_of_plan = schema::line_of_plan(&String::from_utf8_lossy(&sources.policy.1));
        match (cps, policy, roster) {
            (Some(cps), Some(policy), Some(roster)) => {
                Ok(Self { cps, policy, roster, line_of_plan })
            }
            _ => Err(Halt::Violations(Box::new(sources), violations)),
        }
    }
}

/// Refuses a place for a plan that is not in the folder of a CA.
fn refuse_outside_a_ca(plan: &Path, above: &Path) -> Result<(), Halt> {
    let documents = [Input::Cps, Input::Policy, Input::Roster].map(|input| input.to_string());
    let absent = documents.iter().filter(|name| above.join(name).symlink_metadata().is_err());
    let absent: Vec<&str> = absent.map(String::as_str).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let (plan, above) = (shown(plan), shown(above));
    let asked = says!(
        "認証局のフォルダーの中の場所 {plan}(その上のフォルダーに {})",
        "a place in the folder of a CA: {plan}, with {} in the folder above it",
        documents.join(", ")
    );
    let found = says!("{above} に {} がない", "{above} does not have {}", absent.join(", "));
    let advice = says!(
        "認証局のフォルダーの中を指定する(例: own-ca/2030-04-issue)。認証局のフォルダーは `gishiki new ca` で作成する",
        "give a place in the CA's folder, such as own-ca/2030-04-issue; `gishiki new ca` writes the folder of a new CA"
    );
    Err(Halt::asked(RuleId::S_FILE, asked, found, advice))
}

/// Returns 256 bits of the system's random numbers; they are public.
fn seed() -> Result<[u8; 32], Halt> {
    let mut seed = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut seed));
    read.map(|()| seed).map_err(|error| {
        let asked = says!("乱数(/dev/urandom)", "random numbers of /dev/urandom");
        Halt::media(RuleId::S_FILE, asked, files::said(&error))
    })
}

fn hand_out(folder: &Path, files: BTreeMap<String, String>) -> Result<(), Halt> {
    let files = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    output::write(folder, &files)
}

/// Prints what was written, and which command shows what is still to be filled in.
fn say_next(plan: &Path, ledger: Option<&Path>, lang: Lang) -> Result<(), Halt> {
    let plan = shown(plan);
    let head = pick(
        lang,
        "下書きを作成した。記入の済まない箇所は、次のコマンドが 1 つずつ示す:",
        "drafted; this command says, one by one, what is still to be filled in:",
    );
    let ledger = ledger.map_or_else(String::new, |ledger| format!(" --ledger {}", shown(ledger)));
    print(&format!("{head}\n  gishiki check {plan}{ledger}\n"))
}
