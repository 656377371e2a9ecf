//! NSS softokn, which wraps out a key that says it is never extractable: reading attributes is no
//! proof, and the negative step refuses the token.

use std::process::Command;

use ceremony::graph::{Act, TokenAct};
use ceremony::record::{Answer, Mode, Place};
use ceremony::rule::RuleId;
use ceremony::run::Next;
use ceremony::token::TokenAnswer;
use token::{Module, Pin, Token};

use crate::refusals::{Walk, compiled_on};
use crate::support::{gishiki_at, run, sample_ca, succeed, text};

pub(crate) const SOFTOKN: &str = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
pub(crate) const SERIAL: &str = "0000000000000000";
pub(crate) const LABEL: &str = "DRILL mdoc-root";
const LEFT_OUT: &str = "leave-out = [\"copyable\"]\n";
const NSS_PIN: &str = "drill-pin";

/// A key database, and the string that softokn wants at `C_Initialize`.
pub(crate) fn database() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let pin = folder.path().join("pin");
    std::fs::write(&pin, format!("{NSS_PIN}\n")).unwrap();
    let place = format!("sql:{}", folder.path().display());
    succeed(Command::new("certutil").args(["-N", "-d", &place, "-f"]).arg(&pin));
    let initialize = format!(
        "configdir='{place}' certPrefix='' keyPrefix='' secmod='secmod.db' flags= dbTokenDescription='{LABEL}'"
    );
    (folder, initialize)
}

#[test]
fn softokn_gives_out_a_key_and_the_negative_step_refuses_it() {
    let (_folder, initialize) = database();
    let module = Module::open(SOFTOKN.as_ref(), Some(&initialize)).unwrap();
    let mut token = Token::Pkcs11(Box::new(module.token(Some(LABEL))));
    token.hold_pin(Pin::of(NSS_PIN.as_bytes()).unwrap());
    let word = || "nss".to_string();
    let place = Place {
        room: word(),
        terminal: word(),
        tool: word(),
        image: word(),
        token: SERIAL.into(),
        spares: std::collections::BTreeMap::new(),
    };
    // It does not know CKA_COPYABLE.
    let compiled = compiled_on(LEFT_OUT);
    let mut walk = Walk::of(compiled, token, Mode::Drill, place).unwrap();
    loop {
        let name = walk.ask();
        let mut answer = walk.planned();
        if let (Answer::Token(TokenAnswer::Key(facts)), Next::Answer(op, attempt)) =
            (&mut answer, walk.run.next())
        {
            // softokn does not say LOCAL; here it says whatever it was asked, as a module that lies
            // well does.
            let Act::Token(TokenAct::Generate { key }) = &op.act else { panic!("{name}") };
            let template = walk.run.graph().key(key).unwrap().template(walk.run.graph(), attempt);
            facts.private = template.expected_private;
            facts.public = template.expected_public;
        }
        if let Answer::Token(TokenAnswer::Yielded { octets }) = &answer {
            println!("softokn gave out {octets} octets at {name}");
            let fault = walk.run.judge(&answer).unwrap_err();
            assert_eq!(fault.rule, RuleId::R_NO_TRANSFER);
            assert!(name.starts_with("wrap-"), "{name}");
            assert!(fault.to_string().contains("this token must not be used"), "{fault}");
            return;
        }
        assert!(
            !name.starts_with("sign-root"),
            "a certificate would be signed before the negative steps"
        );
        walk.answer(answer).unwrap();
    }
}

#[test]
fn a_run_on_softokn_is_refused_and_hands_nothing_out() {
    let (folder, initialize) = database();
    let digest = ceremony::hex::Digest::of(&std::fs::read(SOFTOKN).unwrap());
    let room = format!(
        "format = 1\ndrill = true\nterminal = \"nss\"\n[token]\nmodule = \"{SOFTOKN}\"\nsha256 = \"{digest}\"\n\
         serial = \"{SERIAL}\"\nlabel = \"{LABEL}\"\ninitialize = \"{initialize}\"\n"
    );
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("room.toml"), room).unwrap();
    std::fs::write(path("answers.toml"), "default = \"as-planned\"\n").unwrap();
    let mut command = gishiki_at(crate::support::IN_WINDOW);
    let plan = sample_ca(&path("ca"));
    let policy = std::fs::read_to_string(path("ca/policy.toml")).unwrap();
    let policy = policy.replace("[token]\n", &format!("[token]\n{LEFT_OUT}"));
    std::fs::write(path("ca/policy.toml"), policy).unwrap();
    command.current_dir(folder.path()).arg("run").arg(plan).args(["--room", "room.toml"]);
    command.args(["--journal", "A", "--journal", "B", "--out", "out", "--answers", "answers.toml"]);
    command.args(["--pin-fd", "0"]).stdin(std::fs::File::open(path("pin")).unwrap());
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("R-KEY-IN-HSM"), "{}", text(&output));
    assert!(!path("out").exists());
}
