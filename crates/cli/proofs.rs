//! Proves signatures on every processor.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;

use ceremony::hex::Octets;
use ceremony::key::{Check, KeyError, Proof};
use ceremony::run::Expected;

/// Verifies every signature; one that does not hold is named. Each thread takes the next, because
/// curves take different times.
pub(crate) fn prove(checks: &[Check]) -> Result<Vec<Proof>, (String, KeyError)> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    if checks.len() < 2 || threads < 2 {
        return checks.iter().map(prove_one).collect();
    }
    let next = AtomicUsize::new(0);
    let share = || {
        let taken = std::iter::from_fn(|| checks.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.map(prove_one).collect::<Result<Vec<_>, _>>()
    };
    thread::scope(|scope| {
        // A thread that the machine does not give leaves its share to the others, and to this one.
        let spawned = |_| thread::Builder::new().spawn_scoped(scope, share).ok();
        let shares: Vec<_> = (1..threads).filter_map(spawned).collect();
        let mut proofs = share()?;
        for share in shares {
            let share =
                share.join().map_err(|_| ("a thread".to_string(), KeyError::Verification))?;
            proofs.extend(share?);
        }
        Ok(proofs)
    })
}

/// Verifies each signature as it comes, while the token makes the next one. What cannot be proved
/// here is left to whoever judges the whole answer.
pub(crate) fn prove_coming(expected: &[Expected], coming: &Receiver<Octets>) -> Vec<Proof> {
    let pairs = expected.iter().zip(coming);
    pairs.filter_map(|(expected, raw)| expected.check(&raw).ok()?.prove().ok()).collect()
}

fn prove_one(check: &Check) -> Result<Proof, (String, KeyError)> {
    check.prove().map_err(|error| (check.subject.clone(), error))
}
