//! NSS softokn, which wraps a key although that key claims to be never extractable: reading
//! attributes proves nothing, and the negative step refuses the token.

use std::process::Command;

use ceremony::graph::{Act, Item, TokenAct};
use ceremony::key::{Curve, PublicKey, Signature};
use ceremony::record::{Answer, Mode, Place};
use ceremony::rule::RuleId;
use ceremony::run::Next;
use ceremony::token::TokenAnswer;
use token::{Module, Pin, Token};

use crate::support::{gishiki_at, run, sample_ca, serial_of, succeed, text};
use crate::walk::{Walk, compiled_on};

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
        since_boot: Vec::new(),
    };
    // It does not know CKA_COPYABLE.
    let compiled = compiled_on(LEFT_OUT, Mode::Drill);
    let mut walk = Walk::of(compiled, token, place).unwrap();
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

/// The root certificate of the sample's first ceremony, held in this mode, under a key of this
/// number.
fn root_certificate(mode: Mode, number: u8) -> Vec<u8> {
    use p384::ecdsa::signature::Signer as _;
    let graph = compiled_on("", mode).graph;
    let key = p384::ecdsa::SigningKey::from_slice(&[number; 48]).unwrap();
    let point = key.verifying_key().to_sec1_point(false);
    let public = PublicKey::from_point(Curve::P384, point.as_bytes()).unwrap();
    let keys = [("g1".parse().unwrap(), public)].into();
    let tbs = graph.to_be_signed(Item::Certificate(0), 0, &keys).unwrap();
    let signature: p384::ecdsa::Signature = key.sign(&tbs);
    let signature = Signature::from_raw(Curve::P384, &signature.to_bytes()).unwrap();
    ceremony::x509::assemble(&tbs, Curve::P384, &signature)
}

/// One plan gives roots of one issuer: what is published of a rehearsal or a drill must not stand
/// in the way of the real one.
#[test]
fn a_rehearsals_a_drills_and_the_real_root_stand_beside_each_other() {
    let (folder, _) = database();
    let place = format!("sql:{}", folder.path().display());
    let added = |name: &str, der: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, der).unwrap();
        let mut add = Command::new("certutil");
        add.args(["-A", "-d", &place, "-n", name, "-t", "C,,", "-i"]).arg(&file);
        run(add.arg("-f").arg(folder.path().join("pin")))
    };
    let (rehearsed, real) = (root_certificate(Mode::Rehearsal, 1), root_certificate(Mode::Real, 2));
    let drilled = root_certificate(Mode::Drill, 3);
    for (name, der) in [("rehearsal", &rehearsed), ("drill", &drilled), ("real", &real)] {
        let output = added(name, der);
        assert!(output.status.success(), "{name}: {}", text(&output));
    }
    let [one, other] = [&rehearsed, &drilled].map(|der| serial_of(der));
    let third = serial_of(&real);
    assert!(one != other && other != third && third != one);
    // Two with one number under two keys are what NSS refuses.
    let output = added("another", &root_certificate(Mode::Real, 4));
    assert!(text(&output).contains("REUSED_ISSUER_AND_SERIAL"), "{}", text(&output));
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
