//! Verifies signatures on all processors.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};

use ceremony::hex::Octets;
use ceremony::key::{Check, KeyError, Proof};
use ceremony::run::Expected;

/// The proofs of some signatures, or a signature that does not verify.
type Proved = Result<Vec<Proof>, (Box<Check>, KeyError)>;

/// Verifies every signature; the error names one that does not verify.
pub(crate) fn prove(checks: &[Check]) -> Proved {
    if checks.len() < 2 {
        return checks.iter().map(prove_one).collect();
    }
    Proving::begin(checks.to_vec()).end()
}

/// Signatures that are being verified on the other processors, while this one does something else.
#[derive(Debug)]
pub(crate) struct Proving {
    queue: Arc<Queue>,
    shares: Vec<JoinHandle<Proved>>,
}

/// Each thread takes the next, because curves take different times.
#[derive(Debug)]
struct Queue {
    checks: Vec<Check>,
    next: AtomicUsize,
}

impl Queue {
    fn share(&self) -> Proved {
        let next = || self.checks.get(self.next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(next).map(prove_one).collect()
    }
}

impl Proving {
    /// Begins to verify these signatures.
    pub(crate) fn begin(checks: Vec<Check>) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let queue = Arc::new(Queue { checks, next: AtomicUsize::new(0) });
        // A thread that the machine does not give leaves its share to the others, and to this one.
        let spawned = |_| {
            let queue = Arc::clone(&queue);
            thread::Builder::new().spawn(move || queue.share()).ok()
        };
        let shares = (1..threads).filter_map(spawned).collect();
        Self { queue, shares }
    }

    /// Verifies the rest together with the other threads, and returns all proofs.
    pub(crate) fn end(self) -> Proved {
        let mut proofs = self.queue.share()?;
        for share in self.shares {
            let share = share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            proofs.extend(share?);
        }
        Ok(proofs)
    }
}

/// Verifies each signature as it arrives, while the token makes the next one. A signature that
/// cannot be verified here is left to the judge of the whole answer.
pub(crate) fn prove_coming(expected: &[Expected], coming: &Receiver<Octets>) -> Vec<Proof> {
    let pairs = expected.iter().zip(coming);
    pairs.filter_map(|(expected, raw)| expected.check(&raw).ok()?.prove().ok()).collect()
}

fn prove_one(check: &Check) -> Result<Proof, (Box<Check>, KeyError)> {
    check.prove().map_err(|error| (Box::new(check.clone()), error))
}
