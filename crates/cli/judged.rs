//! Judges sealed folders and ledgers by their signatures and by the reason to trust them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ceremony::anchor::Anchor;
use ceremony::fault::Fault;
use ceremony::key::{Check, KeyError, Proof};
use ceremony::language::Bilingual;
use ceremony::ledger::State;
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::says;
use ceremony::seal::TRANSCRIPT_FILE;
use ceremony::verify::{Refusal, Sealed, Trial, Trust, Verdict, replay};

use crate::files::read_document;
use crate::halt::Halt;
use crate::proofs::Proving;
use crate::{output, proofs};

/// Returns the reason to trust a ceremony, from the options.
pub(crate) const fn trust(anchor: Option<&Anchor>, rehearsal: bool, drill: bool) -> Trust<'_> {
    match (anchor, rehearsal, drill) {
        (Some(anchor), _, _) => Trust::Anchor(anchor),
        (None, true, _) => Trust::Rehearsal,
        (None, false, true) => Trust::Drill,
        (None, false, false) => Trust::None,
    }
}

/// Reads the anchor, if one is given.
pub(crate) fn read_anchor(path: Option<&Path>) -> Result<Option<Anchor>, Halt> {
    let Some(path) = path else { return Ok(None) };
    let octets = read_document(path)?;
    Anchor::parse(&octets).map(Some).map_err(Halt::unread(path, &octets))
}

/// A sealed folder that was replayed and whose signatures are being verified.
pub(crate) struct Judging {
    found: BTreeMap<String, Vec<u8>>,
    sealed: Sealed,
    trial: Trial,
    proving: Proving,
}

impl Judging {
    /// Replays a sealed folder, and begins to verify its signatures.
    pub(crate) fn begin(
        found: BTreeMap<String, Vec<u8>>,
        state: &Arc<State>,
    ) -> Result<Self, Halt> {
        let sealed = output::sealed(&found);
        let trial = replay(&sealed, state).map_err(Halt::Verification)?;
        let proving = Proving::begin(trial.checks.clone());
        Ok(Self { found, sealed, trial, proving })
    }

    /// The state after this ceremony, provided that it is judged to be consistent.
    pub(crate) const fn state(&self) -> &Arc<State> {
        self.trial.state()
    }

    /// The replayed ceremony; nothing of it holds before the verdict.
    pub(crate) const fn run(&self) -> &Run {
        self.trial.run()
    }

    /// Returns the verdict when every signature is verified, and every file compared with what the
    /// transcript yields.
    pub(crate) fn end(self, trust: &Trust<'_>) -> Result<Verdict, Halt> {
        let Self { found, sealed, trial, proving } = self;
        let proofs = proving.end().map_err(not_proved)?;
        let verdict = trial.conclude(proofs, trust).map_err(Halt::Verification)?;
        let difference = match &verdict {
            Verdict::Verified(verified) => {
                output::difference(&output::files(verified, &sealed), &found)
            }
            Verdict::NotAnchored(facts) | Verdict::NotPinned(facts) => {
                output::unlike(facts, &sealed, &found)
            }
        };
        if let Some((name, what)) = difference {
            let asked =
                says!("この記録から得られるファイル", "the file that this transcript gives");
            let fault = Fault::new(RuleId::S_ARTEFACT, asked, what);
            return Err(Halt::Verification(Refusal::of(name, fault)));
        }
        Ok(verdict)
    }
}

/// Refuses a ledger that lacks a pinned ceremony or differs from a pin.
pub(crate) fn refuse_unpinned(state: &State, trust: &Trust<'_>) -> Result<(), Halt> {
    let Trust::Anchor(anchor) = trust else { return Ok(()) };
    let refused = |fault| Halt::Verification(Refusal::of_ledger(fault));
    if let Some(pin) = anchor.lacked(state) {
        let asked = says!(
            "アンカーが固定する {} のある台帳",
            "a ledger with {}, which the anchor pins",
            pin.name
        );
        let found = state.held.last().map_or_else(
            || says!("空の台帳", "one that ends with nothing"),
            |held| says!("{} で終わる台帳", "one that ends with {}", held.ceremony),
        );
        return Err(refused(Fault::new(RuleId::S_ANCHOR, asked, found)));
    }
    if anchor.compare(state).map_err(refused)?.is_whole() {
        return Ok(());
    }
    let unpinned = state.held.iter().skip(anchor.ceremony.len());
    let names: Vec<&str> = unpinned.map(|held| held.ceremony.as_str()).collect();
    Err(Halt::NotPinned(Bilingual::plain(names.join(", "))))
}

/// Verifies the signatures that these proofs do not cover, and returns the verdict.
pub(crate) fn prove_and_conclude(
    trial: Trial,
    trust: &Trust<'_>,
    mut proofs: Vec<Proof>,
) -> Result<Verdict, Halt> {
    proofs.extend(prove_all(&trial.unproved(&proofs))?);
    trial.conclude(proofs, trust).map_err(Halt::Verification)
}

/// Verifies these signatures of a transcript; the error names one that does not verify.
pub(crate) fn prove_all(checks: &[Check]) -> Result<Vec<Proof>, Halt> {
    proofs::prove(checks).map_err(not_proved)
}

fn not_proved((check, error): (Box<Check>, KeyError)) -> Halt {
    let place = check.place().cloned();
    let place = place.unwrap_or_else(|| Bilingual::plain(TRANSCRIPT_FILE));
    let fault = Fault::new(RuleId::S_SIGNATURE, check.said(), error.said());
    Halt::Verification(Refusal { place, fault })
}
