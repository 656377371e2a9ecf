//! Ceremonies held in this process, by the same steps as the program's: rehearsals, and one with
//! keys of one's own.

use std::collections::BTreeMap;

use ceremony::compile::{Compiled, compile};
use ceremony::hex::{Digest, Octets};
use ceremony::inputs::{Documents, Inputs};
use ceremony::key::Curve;
use ceremony::record::{Answer, Attempt, BootEvent, BootKind, End, Event, Mode, Outcome, Place};
use ceremony::run::{Book, Next, Request, Run};
use ceremony::seal::{self, Made};
use ceremony::time::Instant;
use ceremony::token::{
    KeyFacts, KeyTemplate, TokenAnswer, TokenError, TokenIdentity, TokenRequest,
};
use ceremony::verify::Sealed;
use token::RehearsalToken;

use crate::people::{RELEASE, apply, approvals, card, with_cards};
use crate::support::{files, genesis, genesis_golden, nothing};

/// The golden of the first ceremony, as a folder becomes a [`Sealed`].
pub(super) fn golden() -> Sealed {
    let files = files(&genesis_golden());
    let inputs = files.iter().filter_map(|(name, octets)| {
        Some((name.strip_prefix("inputs/")?.to_string(), octets.clone()))
    });
    Sealed {
        inputs: inputs.collect(),
        transcript: files[seal::TRANSCRIPT_FILE].clone(),
        bundle: files[seal::BUNDLE_FILE].clone(),
        after: Some(files["after.jsonl"].clone()),
    }
}

/// The sample's first ceremony with the fewest CRLs that its policy allows.
pub(super) fn small_plan(mode: Mode) -> Compiled {
    let read = |name: &str| std::fs::read_to_string(genesis().join(name)).unwrap();
    let plan =
        read("plan.toml").replace("next-ceremony = 2026-06-30", "next-ceremony = 2026-04-02");
    let (cps, policy, mut roster) =
        (read("../cps.toml"), read("../policy.toml"), read("../roster.toml"));
    if mode == Mode::Real {
        roster = with_cards(roster.as_bytes(), card);
    }
    let documents = Documents {
        plan: plan.as_bytes(),
        cps: cps.as_bytes(),
        policy: policy.as_bytes(),
        roster: roster.as_bytes(),
        release: (mode == Mode::Real).then_some(RELEASE.as_bytes()),
    };
    let inputs = Inputs::read(documents, &[].into()).unwrap();
    compile(&inputs, &nothing(), mode).unwrap()
}

/// A token: the rehearsal's, or one with keys that nobody else has.
pub(super) enum Holder {
    Rehearsal(RehearsalToken),
    Own(OwnToken),
}

impl Holder {
    pub(super) fn perform(&mut self, request: TokenRequest) -> TokenAnswer {
        match self {
            Self::Rehearsal(token) => token.perform(request).unwrap(),
            Self::Own(token) => token.perform(request).unwrap(),
        }
    }
}

/// A ceremony under way: the run, and what was written.
pub(super) struct Scribe {
    run: Option<Run>,
    pub(super) sealed: Sealed,
    pub(super) at: Instant,
    pub(super) token: Holder,
}

impl Scribe {
    pub(super) fn begin(compiled: Compiled, place: Place, token: Holder) -> Self {
        let inputs = compiled.inputs.iter();
        let inputs = inputs.map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
        let (at, _) = compiled.graph.window();
        let approved = approvals(&compiled, at);
        let step = Run::begin(compiled, place, approved, at).unwrap();
        let transcript = step.line.into_bytes();
        let sealed = Sealed { inputs, transcript, ..Sealed::default() };
        Self { run: Some(step.run), sealed, at, token }
    }

    pub(super) fn run(&self) -> &Run {
        self.run.as_ref().unwrap()
    }

    /// Takes an event, and writes it down.
    pub(super) fn take(&mut self, event: Event) {
        let step = apply(self.run.take().unwrap(), self.at, event).unwrap();
        let book = match step.run.book() {
            Book::Transcript => &mut self.sealed.transcript,
            Book::Postscript => self.sealed.after.get_or_insert_default(),
        };
        book.extend(step.line.as_bytes());
        self.run = Some(step.run);
    }

    /// Goes on until this operation waits for its answer.
    pub(super) fn until_asked(&mut self, name: &str) {
        while !matches!(self.run().next(), Next::Answer(op, _) if op.name == name) {
            assert!(self.one_step(), "no operation {name} is asked");
        }
    }

    /// Goes on to the end of the postscript.
    pub(super) fn end(mut self) -> Sealed {
        while self.one_step() {}
        self.sealed
    }

    fn one_step(&mut self) -> bool {
        let run = self.run();
        match run.next() {
            Next::Ask(op, attempt) => {
                let asked = Attempt { op: op.name.clone(), attempt };
                self.take(Event::Asked(asked));
            }
            Next::Answer(op, attempt) => {
                let op = op.name.clone();
                let answer = match run.clone().request().unwrap() {
                    Request::People(request) => {
                        Answer::People(request.as_planned(run.graph(), "as planned"))
                    }
                    Request::Token(_, request) => Answer::Token(self.token.perform(request)),
                    Request::Copy(..) => panic!("the first ceremony makes no copy"),
                };
                let people = matches!(answer, Answer::People(_));
                self.take(Event::Answered { op, attempt, answer });
                self.at = if people { self.at.plus_seconds(1) } else { self.at };
            }
            Next::Burn(op, attempt) => {
                let (op, cause) = (op.name.clone(), "interrupted".to_string());
                self.take(Event::Lost { op, attempt, cause });
            }
            Next::Settle(op, attempt) => {
                let (name, request) = (op.name.clone(), run.inspect_request(op, attempt).unwrap());
                let TokenAnswer::Key(key) = self.token.perform(request) else { unreachable!() };
                self.take(Event::Adopted { op: name, attempt, key });
            }
            Next::Note(..) => {
                let (head, by) = (run.head(), vec!["p13".parse().unwrap()]);
                self.take(Event::Noted { head, by, mistaken: 0 });
            }
            Next::Close(end) => self.take(Event::Closed { end }),
            Next::Seal => {
                let made = Made::of(run);
                let answer = self.token.perform(made.request(run).unwrap());
                let sealed = made.seal(self.run(), &answer).unwrap();
                self.sealed.bundle = sealed.bundle.into_bytes();
                let bundle = Digest::of(&self.sealed.bundle);
                self.take(Event::Sealed { bundle });
            }
            Next::Nothing => return false,
            Next::Pause => self.take(Event::Resumed(resumed())),
            Next::Abandon => panic!("abandoned"),
        }
        true
    }
}

/// The small plan rehearsed, and nothing happened.
pub(super) fn small_rehearsal() -> Sealed {
    rehearsal().end()
}

fn rehearsal() -> Scribe {
    let token = Holder::Rehearsal(RehearsalToken::new());
    Scribe::begin(small_plan(Mode::Rehearsal), Place::rehearsal(), token)
}

/// A rehearsal in which everything happened that may happen in a ceremony that is completed.
pub(super) fn eventful_rehearsal() -> Sealed {
    let mut scribe = rehearsal();
    let two = || ["p07", "p13"].map(|person| person.parse().unwrap()).to_vec();
    scribe.until_asked("papers");
    let reason = "the seal number was misread".to_string();
    scribe.take(Event::Deviation { op: "papers".into(), reason, by: two() });
    let question = ceremony::record::WHO.to_string();
    scribe.take(Event::Mistaken { op: "papers".into(), attempt: 0, question });
    let (person, reason) = ("p09".parse().unwrap(), "the reader does not see it".to_string());
    scribe.take(Event::CardFailed { person, reason, by: two() });
    scribe.until_asked("login");
    let cause = "CKR_PIN_INCORRECT".to_string();
    scribe.take(Event::Lost { op: "login".into(), attempt: 0, cause });
    scribe.until_asked("generate-g1");
    scribe.take(Event::Resumed(resumed()));
    while !matches!(scribe.run().next(), Next::Settle(..)) {
        scribe.one_step();
    }
    let Next::Settle(op, 0) = scribe.run().next() else { unreachable!() };
    let request = scribe.run().inspect_request(op, 0).unwrap();
    let TokenAnswer::Key(nothing) = scribe.token.perform(request) else { unreachable!() };
    let found = KeyFacts { privates: 1, ..nothing };
    scribe.take(Event::OrphanRemoved { op: "generate-g1".into(), attempt: 0, found, by: two() });
    scribe.until_asked("generate-g1");
    let Ok(Request::Token(_, request)) = scribe.run().clone().request() else { unreachable!() };
    let _made_and_not_written = scribe.token.perform(request);
    scribe.take(Event::Resumed(resumed()));
    scribe.until_asked("fingerprint-root-g1");
    let (op, reason) = ("fingerprint-root-g1".to_string(), "lunch, until one o'clock".to_string());
    scribe.take(Event::Paused { op, attempt: 0, reason, by: two() });
    scribe.end()
}

/// A rehearsal that people stopped.
pub(super) fn stopped_rehearsal() -> Sealed {
    let mut scribe = rehearsal();
    scribe.until_asked("fingerprint-root-g1");
    let refused = Event::Refused {
        op: "fingerprint-root-g1".into(),
        attempt: 0,
        rule: ceremony::record::Refuser::People,
        reason: "the third word was not the one on paper".into(),
        by: ["p07", "p13"].map(|person| person.parse().unwrap()).to_vec(),
    };
    scribe.take(refused);
    let sealed = scribe.end();
    let text = String::from_utf8(sealed.transcript.clone()).unwrap();
    assert!(text.contains(r#""end":"aborted""#), "{:?}", End::Aborted);
    sealed
}

fn resumed() -> ceremony::record::Resumed {
    let resumed = crate::walk::resumed(Place::rehearsal());
    ceremony::record::Resumed { torn: 7, copied: 1, dropped: 2, ..resumed }
}

/// A real ceremony of the small plan, with the keys of whoever holds this seed.
pub(super) fn real_ceremony(seed: u8) -> Sealed {
    let word = |what: &str| format!("{what}-{seed}");
    let place = Place {
        room: word("room"),
        terminal: word("terminal"),
        tool: "0.1.0".into(),
        image: word("image"),
        token: format!("FAKE-HSM-000{seed}"),
        spares: BTreeMap::new(),
        since_boot: [(BootKind::Started, "0.1.0"), (BootKind::Clock, "confirmed")]
            .map(|(kind, what)| BootEvent {
                at: "2026-04-01T00:30:00+00:00".parse().unwrap(),
                kind,
                result: Outcome::Done,
                what: what.into(),
            })
            .into(),
    };
    let token = OwnToken { serial: place.token.clone(), seed, keys: BTreeMap::new() };
    Scribe::begin(small_plan(Mode::Real), place, Holder::Own(token)).end()
}

/// A token that answers as it should, with keys of a seed.
pub(super) struct OwnToken {
    serial: String,
    seed: u8,
    keys: BTreeMap<Octets, KeyTemplate>,
}

impl OwnToken {
    fn perform(&mut self, request: TokenRequest) -> Result<TokenAnswer, TokenError> {
        let denied = |code: &str| Ok(TokenAnswer::Denied { code: code.into() });
        match request {
            TokenRequest::Identify { serial, .. } => {
                assert_eq!(serial, self.serial);
                Ok(TokenAnswer::Identity(self.identity()))
            }
            TokenRequest::Login { .. } | TokenRequest::Logout { .. } => Ok(TokenAnswer::Done {}),
            TokenRequest::List { .. } => Ok(TokenAnswer::Objects { objects: Vec::new() }),
            TokenRequest::Generate { key, .. } => {
                let facts = self.facts(&key);
                self.keys.insert(key.id.clone(), key);
                Ok(TokenAnswer::Key(facts))
            }
            TokenRequest::ReadValue { .. } => denied("CKR_ATTRIBUTE_SENSITIVE"),
            TokenRequest::Wrap { .. } => denied("CKR_KEY_NOT_WRAPPABLE"),
            TokenRequest::Sign { curve, digests, .. } => {
                let private = self.private(curve);
                let sign = |digest: &Vec<u8>| Octets(signature(curve, &private, digest));
                Ok(TokenAnswer::Signatures { signatures: digests.iter().map(sign).collect() })
            }
            TokenRequest::WriteHead { value, .. } => Ok(TokenAnswer::Heads { values: vec![value] }),
            TokenRequest::Inspect { .. }
            | TokenRequest::ReadHead { .. }
            | TokenRequest::Destroy { .. } => panic!("nothing is in doubt here"),
        }
    }

    fn identity(&self) -> TokenIdentity {
        TokenIdentity {
            label: "own".into(),
            manufacturer: "own".into(),
            model: "own".into(),
            serial: self.serial.clone(),
            hardware: "1.0".into(),
            firmware: "1.0".into(),
            mechanisms: ["CKM_EC_KEY_PAIR_GEN", "CKM_ECDSA"].map(String::from).to_vec(),
        }
    }

    fn facts(&self, key: &KeyTemplate) -> KeyFacts {
        KeyFacts {
            privates: 1,
            publics: 1,
            parameters: Octets(ceremony::x509::curve_parameters(key.curve)),
            point: Octets(point(key.curve, &self.private(key.curve))),
            labels: vec![key.label.clone(), key.label.clone()],
            private: key.expected_private.clone(),
            public: key.expected_public.clone(),
            strays: 0,
        }
    }

    fn private(&self, curve: Curve) -> Vec<u8> {
        vec![self.seed; curve.field_octets()]
    }
}

fn point(curve: Curve, private: &[u8]) -> Vec<u8> {
    match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(private).unwrap();
            key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(private).unwrap();
            key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
        }
    }
}

/// r ‖ s of this digest.
pub(super) fn signature(curve: Curve, private: &[u8], digest: &[u8]) -> Vec<u8> {
    match curve {
        Curve::P256 => {
            use p256::ecdsa::signature::hazmat::PrehashSigner as _;
            let key = p256::ecdsa::SigningKey::from_slice(private).unwrap();
            let signature: p256::ecdsa::Signature = key.sign_prehash(digest).unwrap();
            signature.to_bytes().to_vec()
        }
        Curve::P384 => {
            use p384::ecdsa::signature::hazmat::PrehashSigner as _;
            let key = p384::ecdsa::SigningKey::from_slice(private).unwrap();
            let signature: p384::ecdsa::Signature = key.sign_prehash(digest).unwrap();
            signature.to_bytes().to_vec()
        }
    }
}
