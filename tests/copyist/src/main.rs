//! For tests: copies a planned key between two tokens, or removes what an interrupted copy has
//! left, in a process of its own that may be killed at any call of a module.
//!
//! `copyist ACTION PLAN KEY POINT MODULE SERIAL MODULE SERIAL`: the source, then the target. ACTION
//! is `copy`, `clear`, `destroy` (on the target), or, where nobody was logged in before,
//! `copy-afresh` and `destroy-afresh`. What the tokens answer is printed as JSON; if they refuse,
//! that is said on standard error, and the exit code is 3. The PINs are those of every drill;
//! `COPYIST_OFFICERS=absent` leaves the security officers' away; with `one-is-wrong-first` the
//! target's is, and then both try again. `COPYIST_TARGET=LABEL:STRING` names
//! a target by its label too, and gives the module a string at `C_Initialize`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a part of tests: it stops where it fails, and prints"
)]

use std::path::Path;
use std::process::ExitCode;

use ceremony::compile::{Compiled, compile};
use ceremony::graph::{Act, TokenAct};
use ceremony::inputs::{Documents, Inputs};
use ceremony::key::PublicKey;
use ceremony::record::{Answer, Attempt, Event, Mode, Place, Signatures};
use ceremony::run::{Next, Request, Run, ToSign};
use ceremony::token::{CopyRemains, CopyRequest, Holder, KeyTemplate, TokenAnswer, TokenError};
use token::{Module, Pin, Pkcs11Token, Token};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [action, plan, key, point, module, serial, other, other_serial] = arguments.as_slice()
    else {
        panic!("ACTION PLAN KEY POINT MODULE SERIAL MODULE SERIAL");
    };
    let compiled = compiled(Path::new(plan));
    let graph = &compiled.graph;
    let planned = graph.key(&key.parse().unwrap()).unwrap();
    let made = planned.template(graph, 0);
    let public = PublicKey::from_point(made.curve, &ceremony::hex::decode(point).unwrap()).unwrap();
    let perform = || {
        let target = std::env::var("COPYIST_TARGET").unwrap_or_default();
        let (label, initialize) = target.split_once(':').unzip();
        let first = Module::open(Path::new(module), None)?;
        let second = match other == module {
            true => first.clone(),
            false => Module::open(Path::new(other), initialize)?,
        };
        let (action, last) = match action.split_once('-') {
            Some((action, "afresh")) => {
                (action, Act::Token(TokenAct::Identify { token: Holder::Root }))
            }
            Some(_) | None => {
                (action.as_str(), Act::Token(TokenAct::Login { token: Holder::Root }))
            }
        };
        let mut from = entered(first.token(None), serial, &compiled, &last)?;
        let mut to = entered(second.token(label), other_serial, &compiled, &last)?;
        act(action, &mut from, &mut to, &made, &public, &compiled)
    };
    let result: Result<TokenAnswer, TokenError> = perform();
    match result {
        Ok(answer) => {
            println!("{}", serde_json::to_string(&answer).unwrap());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

fn act(
    action: &str,
    from: &mut Token,
    to: &mut Token,
    made: &KeyTemplate,
    public: &PublicKey,
    compiled: &Compiled,
) -> Result<TokenAnswer, TokenError> {
    match action {
        "copy" => {
            let officers = std::env::var("COPYIST_OFFICERS").unwrap_or_default();
            let hold = |token: &mut Token, officer: &str| {
                token.hold_pin(pin("drill-pin"));
                if officers != "absent" {
                    token.hold_so_pin(pin(officer));
                }
            };
            if officers == "one-is-wrong-first" {
                hold(from, "drill-so-pin");
                hold(to, "another-pin");
                let failed = token::copy(from, to, CopyRequest::of(made, public));
                eprintln!("{}", failed.unwrap_err());
            }
            hold(from, "drill-so-pin");
            hold(to, "drill-so-pin");
            token::copy(from, to, CopyRequest::of(made, public))
        }
        "clear" => token::clear(from, to, CopyRemains::of(made)),
        "destroy" => {
            let run = begun(compiled, "any");
            let op = run.graph().ops().iter().find(|op| {
                let Act::Token(TokenAct::Generate { key }) = &op.act else { return false };
                made.label.ends_with(key.as_str())
            });
            to.perform(run.destroy_request(op.unwrap(), 0).unwrap())
        }
        other => panic!("no action {other}"),
    }
}

fn pin(text: &str) -> Pin {
    Pin::of(text.as_bytes()).unwrap()
}

fn compiled(plan: &Path) -> Compiled {
    let read = |name: &str| std::fs::read(plan.join(name)).unwrap();
    let documents = Documents {
        plan: &read("plan.toml"),
        cps: &read("../cps.toml"),
        policy: &read("../policy.toml"),
        roster: &read("../roster.toml"),
        release: None,
    };
    let inputs = Inputs::read(documents, &[].into()).unwrap();
    compile(&inputs, &std::sync::Arc::default(), Mode::Drill).unwrap()
}

fn begun(compiled: &Compiled, serial: &str) -> Run {
    let word = || "copyist".to_string();
    let place = Place {
        room: word(),
        terminal: word(),
        tool: word(),
        image: word(),
        token: serial.to_string(),
        spares: std::collections::BTreeMap::new(),
        since_boot: Vec::new(),
    };
    let at = compiled.graph.window().0;
    Run::begin(compiled.clone(), place, Default::default(), at).unwrap().run
}

/// A token on which the opening of a ceremony has come to this act.
fn entered(
    token: Pkcs11Token,
    serial: &str,
    compiled: &Compiled,
    last: &Act,
) -> Result<Token, TokenError> {
    let mut token = Token::Pkcs11(Box::new(token));
    token.hold_pin(pin("drill-pin"));
    let mut run = begun(compiled, serial);
    let at = compiled.graph.window().0;
    loop {
        let Next::Ask(op, attempt) = run.next() else { panic!("{:?}", run.next()) };
        let (asked, last) = (Attempt { op: op.name.clone(), attempt }, op.act == *last);
        run = run.apply(at, Event::Asked(asked.clone()), Signatures::new()).unwrap().run;
        let answer = match run.request().unwrap() {
            Request::Token(_, request) => Answer::Token(token.perform(request)?),
            Request::People(request) => Answer::People(request.as_planned(run.graph(), "a word")),
            Request::Copy(..) => panic!("the first ceremony makes no copy"),
        };
        if last {
            return Ok(token);
        }
        let event = Event::Answered { op: asked.op, attempt, answer };
        let ca = run.graph().ca_name().der();
        let sign = |one: ToSign| {
            let raw = token::sign_as(ca, &one.person, &one.message).unwrap();
            (one.person, raw)
        };
        let signed = run.to_sign(&event).into_iter().map(sign).collect();
        run = run.apply(at, event, signed).unwrap().run;
    }
}
