//! Rehearsals: one ceremony, or every ceremony of a CA in the order of its ledger.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use ceremony::compile::Compiled;
use ceremony::fault::Fault;
use ceremony::key::Proof;
use ceremony::ledger::State;
use ceremony::name::Name;
use ceremony::record::{Mode, Place};
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::says;
use ceremony::token::Holder;
use ceremony::verify::{Refusal, Trust, Verified};
use token::{RehearsalToken, Token};

use crate::args::{self, Target};
use crate::cards::Cards;
use crate::clock::Clock;
use crate::conduct::Conduct;
use crate::files::PLAN_FILE;
use crate::halt::Halt;
use crate::held::{judge, summary};
use crate::journal::{Journal, Written};
use crate::lang::{Lang, pick};
use crate::people::People;
use crate::report::print;
use crate::review::compiled;
use crate::sources::{Sources, shown};
use crate::tokens::Tokens;
use crate::{diff, ledgers, output, report};

/// Rehearses one ceremony, or all of a CA's.
pub(crate) fn rehearse(rehearse: &args::Rehearse, lang: Lang) -> Result<(), Halt> {
    if let Some(out) = &rehearse.target.out {
        output::refuse_existing(out)?;
    }
    if rehearse.plan.is_dir() && !rehearse.plan.join(PLAN_FILE).exists() {
        return rehearse_all(&rehearse.plan, &rehearse.target, lang);
    }
    let sources = Sources::read(&rehearse.plan)?;
    let (compiled, proofs) = compiled(sources, |plan| {
        let (after, ledger) = (plan.after.get_ref(), rehearse.ledger.as_deref());
        let state = ledgers::state_before(&rehearse.plan, after, ledger, &Trust::None)?;
        Ok((Arc::new(state.rehearsed()), Mode::Rehearsal))
    })?;
    let rehearsed = Rehearsed::of(compiled, proofs)?;
    match (&rehearse.target.out, &rehearse.target.compare) {
        (Some(out), _) => rehearsed.write(out, lang),
        (None, Some(golden)) => {
            let explain =
                || diff::explain(golden, &rehearse.plan, rehearse.ledger.as_deref(), lang);
            rehearsed.compare(golden, explain, lang)
        }
        (None, None) => Ok(()),
    }
}

/// Rehearses every ceremony on the state that the one before it left.
fn rehearse_all(plans: &Path, target: &Target, lang: Lang) -> Result<(), Halt> {
    let mut state: Arc<State> = Arc::default();
    let plans = ledgers::whole(ledgers::plans(plans)?, plans)?;
    if let Some(goldens) = &target.compare {
        let goldens = ledgers::list(goldens)?;
        if let Some(other) = goldens.keys().find(|name| plans.iter().all(|p| p.name != **name)) {
            let fault = Fault::new(
                RuleId::S_ARTEFACT,
                says!("計画ごとの基準", "a golden for each plan"),
                says!("どの計画からも得られない基準", "one that no plan gives"),
            );
            return Err(Halt::Verification(Refusal::of(other, fault)));
        }
    }
    for plan in plans {
        let before = Arc::clone(&state);
        let (compiled, proofs) =
            compiled(Sources::read(&plan.folder)?, |_| Ok((before, Mode::Rehearsal)))?;
        let rehearsed = Rehearsed::of(compiled, proofs)?;
        state = Arc::clone(&rehearsed.verified.facts().state);
        let place = |folder: &Path| folder.join(plan.name.as_str());
        match (&target.out, &target.compare) {
            (Some(out), _) => rehearsed.write(&place(out), lang)?,
            (None, Some(goldens)) => {
                let golden = place(goldens);
                let explain = || diff::explain(&golden, &plan.folder, Some(goldens), lang);
                rehearsed.compare(&golden, explain, lang)?;
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// How many structures make a rehearsal long, so that progress is shown at a terminal.
const LONG: usize = 1_000;

/// A rehearsal that was held and judged.
struct Rehearsed {
    verified: Verified,
    files: BTreeMap<String, Vec<u8>>,
}

impl Rehearsed {
    fn of(compiled: Compiled, proofs: Vec<Proof>) -> Result<Self, Halt> {
        let (from, _) = compiled.graph.window();
        let place = Place::rehearsal_with(compiled.graph.spares());
        let (certificates, crls) = compiled.graph.structures();
        let long = certificates + crls > LONG;
        let mut conduct = Conduct {
            tokens: rehearsal_tokens(&compiled),
            cards: Cards::default(),
            people: People::StandIns,
            clock: Clock::Planned(from),
            journal: Journal::Memory(Written::default()),
            pin: None,
            progress: long && std::io::stderr().is_terminal(),
            lang: Lang::En,
            proofs,
            unnoted: None,
        };
        let step = Run::begin(compiled, place, BTreeMap::new(), from).map_err(Halt::Bug)?;
        let run = conduct.keep(step)?;
        let run = conduct.go(run)?;
        let (sealed, verified) = judge(conduct, &run, &Trust::Rehearsal)?;
        let files = output::files(&verified, &sealed);
        Ok(Self { verified, files })
    }

    fn write(&self, out: &Path, lang: Lang) -> Result<(), Halt> {
        output::write(out, &self.files)?;
        print(&summary(&self.verified, out, lang))
    }

    /// Compares the rehearsal with its golden. What differs is refused, and then explained.
    fn compare(&self, golden: &Path, explain: impl FnOnce(), lang: Lang) -> Result<(), Halt> {
        let found = output::read_folder(golden)?;
        if let Some((name, what)) = output::difference(&self.files, &found) {
            let asked = says!("この計画から現在得られる内容", "what this plan gives today");
            let fault = Fault::new(RuleId::S_ARTEFACT, asked, what);
            let place = format!("{}/{name}", shown(golden));
            let halt = Halt::Verification(Refusal::of(place, fault));
            report::show(&halt, lang);
            explain();
            return Err(Halt::Told(Box::new(halt)));
        }
        print(&format!("{} {}\n", pick(lang, "一致:", "the same:"), shown(golden)))
    }
}

/// Makes the tokens of a rehearsal, with what earlier ceremonies left on them.
fn rehearsal_tokens(compiled: &Compiled) -> Tokens {
    let head = compiled.state.token_head.clone();
    let heads = head.map(|head| (compiled.graph.head_label(), head)).into_iter().collect();
    let root = RehearsalToken::new().holding(compiled.held(&Holder::Root), heads);
    let spare = |name: &Name| {
        let held = compiled.held(&Holder::Spare(name.clone()));
        let token = RehearsalToken::named(name.clone()).holding(held, BTreeMap::new());
        (name.clone(), Token::Rehearsal(token))
    };
    let spares = compiled.graph.spares().map(spare).collect();
    Tokens { root: Token::Rehearsal(root), spares, shared: BTreeMap::new() }
}
