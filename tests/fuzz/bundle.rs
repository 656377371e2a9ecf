//! Fuzzes the reader of a seal, against the first golden ceremony: it takes the one bundle that
//! this ceremony gives, with any signature, and proves only the golden's.
#![no_main]

#[path = "shared/golden.rs"]
mod golden;

use std::fs;
use std::sync::LazyLock;

use ceremony::run::Run;
use ceremony::seal::Made;
use ceremony::verify::{Sealed, replay};

static RUN: LazyLock<(Run, Made)> = LazyLock::new(|| {
    let inputs = fs::read_dir(golden::folder().join("inputs")).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    });
    let sealed = Sealed {
        inputs: inputs.collect(),
        transcript: golden::file("transcript.jsonl"),
        bundle: golden::file("transcript.sigstore.json"),
        after: None,
    };
    let run = replay(&sealed, &Default::default()).unwrap().run().clone();
    let made = Made::of(&run);
    (run, made)
});

static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| golden::file("transcript.sigstore.json"));

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let (run, made) = &*RUN;
    let taken = made.read(run, octets);
    if *octets == **BUNDLE {
        let _proof = taken.unwrap().prove().unwrap();
    } else if let Ok(check) = taken {
        let head = BUNDLE.windows(6).position(|six| six == b"\"sig\":").unwrap();
        assert_eq!(octets.get(..head), BUNDLE.get(..head), "more than the signature differs");
        assert!(check.prove().is_err(), "another signature is proved");
    }
});
