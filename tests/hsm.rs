//! Behaviour of other makes of tokens: a PIN that is entered at the device, a generation that is
//! refused, remains without a CKA_ID, invalid text fields. A module in front of SoftHSM simulates
//! it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use ceremony::hex::Octets;
use ceremony::key::Curve;
use ceremony::record::{Answer, Mode, Place};
use ceremony::rule::RuleId;
use ceremony::token::{Attribute, TokenAnswer, TokenObject};
use token::{RehearsalToken, Token};

use crate::kill::small_ca;
use crate::support::terminal::Terminal;
use crate::support::{
    Drill, IN_WINDOW, LATER, PIN, SOFTHSM, faulty_module, gishiki, gishiki_at, run, succeed, text,
};
use crate::walk::{Walk, compiled_on};

/// A drill of the small CA through the module that errs and lies.
struct Held {
    drill: Drill,
    plan: PathBuf,
}

impl Held {
    fn new() -> Self {
        let drill = Drill::new();
        drill.write_room(&faulty_module());
        let plan = small_ca(&drill.path("ca"));
        Self { drill, plan }
    }

    /// A run with a fault; its calls are in the file `calls`.
    fn run(&self, at: &str, environment: &[(&str, &str)]) -> Output {
        let mut command = self.drill.run_command(&self.plan);
        command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at);
        command.env("FAULTY_LOG", self.drill.path("calls"));
        run(command.envs(environment.iter().copied()))
    }

    fn resume(&self) {
        let mut command = self.drill.resume_command(LATER);
        succeed(command.env("FAULTY_MODULE", SOFTHSM));
        self.judge();
    }

    /// Complete, verified, and nothing on the token but two key pairs and the head.
    fn judge(&self) {
        assert!(self.drill.verify().contains("drill, consistent"));
        let listed = crate::support::listed_on(&self.drill, &self.drill.serial);
        let count = |what: &str| listed.lines().filter(|line| line.starts_with(what)).count();
        let found = ["Private Key Object", "Public Key Object", "Data object"].map(count);
        assert_eq!(found, [2, 2, 1], "{listed}");
    }

    fn called(&self, function: &str) -> usize {
        let log = fs::read_to_string(self.drill.path("calls")).unwrap();
        log.lines().filter(|line| line.split(' ').nth(1) == Some(function)).count()
    }

    fn journal(&self) -> String {
        fs::read_to_string(self.drill.path("A/journal.jsonl")).unwrap()
    }

    /// The same with people at a terminal.
    fn at_a_terminal(&self, at: &str, environment: &[(&str, &str)]) -> Terminal {
        let mut asked = gishiki_at(IN_WINDOW);
        self.drill.env(&mut asked).args(["--lang", "en", "run"]).arg(&self.plan);
        asked.arg("--room").arg(self.drill.path("room.toml"));
        asked.arg("--out").arg(self.drill.path("out"));
        for medium in ["A", "B"] {
            asked.arg("--journal").arg(self.drill.path(medium));
        }
        asked.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at);
        asked.env("FAULTY_LOG", self.drill.path("calls"));
        asked.envs(environment.iter().copied());
        Terminal::open(&asked).with_papers(gishiki().arg("check").arg(&self.plan).arg("--drill"))
    }
}

#[test]
fn a_pin_that_is_entered_at_the_device_is_not_asked_for() {
    let held = Held::new();
    fs::write(held.drill.path("pin"), "").unwrap();
    // CKF_PROTECTED_AUTHENTICATION_PATH
    let output = held.run("C_GetTokenInfo#*:flags=100", &[("FAULTY_PIN", PIN)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let asked =
        "user PIN: enter it at the HSM itself (its keypad or its cards), not at this terminal.";
    assert!(text(&output).contains(asked), "{}", text(&output));
    held.judge();
}

#[test]
fn what_a_token_says_of_wrong_pins_is_shown_before_the_next() {
    // CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY.
    for (flags, words) in [
        ("10000", "a wrong one was entered since the last right one"),
        ("20000", "the next wrong one locks this token"),
    ] {
        let held = Held::new();
        let mut terminal = held.at_a_terminal(&format!("C_GetTokenInfo#*:flags={flags}"), &[]);
        loop {
            let open = terminal.prompt().unwrap();
            if open.ends_with("PIN: ") {
                let before = open.rsplit_once('\n').unwrap().0;
                assert!(before.contains(&format!("), user PIN: {words}")), "{open}");
                break;
            }
            terminal.goes_on(&open);
        }
    }
    // CKF_USER_PIN_LOCKED: neither asked for nor tried.
    let held = Held::new();
    let output = held.run("C_GetTokenInfo#*:flags=40000", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(
        text(&output).contains("user PIN: it is locked, and not asked for"),
        "{}",
        text(&output)
    );
    assert_eq!(held.called("C_Login"), 0);
    assert!(held.journal().contains("C_GetTokenInfo: CKF_USER_PIN_LOCKED"));
    held.resume();
}

#[test]
fn who_is_logged_in_already_is_logged_in() {
    let held = Held::new();
    // CKR_USER_ALREADY_LOGGED_IN
    let output = held.run("C_Login#1:error-after=100", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    held.judge();
}

#[test]
fn a_key_that_always_authenticates_is_given_its_pin_for_each_signature() {
    let held = Held::new();
    fs::write(held.drill.path("pin"), format!("{PIN}\n").repeat(8)).unwrap();
    // CKA_ALWAYS_AUTHENTICATE
    let output = held.run("C_GetAttributeValue#*:flip=202", &[("FAULTY_PIN", PIN)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(held.called("C_Login"), 1 + held.called("C_Sign"), "the login, and each signature");
    held.judge();
    // At a device it is entered there, each time.
    let held = Held::new();
    fs::write(held.drill.path("pin"), format!("{PIN}\nanother\n")).unwrap();
    let output = held.run("C_GetAttributeValue#*:flip=202", &[("FAULTY_PIN", PIN)]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("C_Login: CKR_PIN_INCORRECT"), "{}", text(&output));
    assert_eq!(
        (held.called("C_Sign"), held.called("C_Login")),
        (0, 2),
        "none was made, none tried"
    );
}

#[test]
fn a_refused_generation_is_told_recorded_and_never_asked_again_by_itself() {
    // One of a vendor's own, and one of PKCS #11's.
    for (value, name) in
        [("80000383", "CKR_VENDOR_DEFINED+0x383"), ("13", "CKR_ATTRIBUTE_VALUE_INVALID")]
    {
        let held = Held::new();
        let output = held.run(&format!("C_GenerateKeyPair#*:error={value}"), &[]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(&format!("C_GenerateKeyPair: {name}")), "{said}");
        assert!(said.contains("gishiki resume") && !said.contains("a bug"), "{said}");
        assert_eq!(held.called("C_GenerateKeyPair"), 1);
        let lost = format!("C_GenerateKeyPair: {name}; nothing is on the token");
        assert!(held.journal().contains(&lost), "{}", held.journal());
        held.resume();
    }
}

#[test]
fn people_decide_whether_a_generation_is_asked_once_more() {
    let held = Held::new();
    let mut terminal = held.at_a_terminal("C_GenerateKeyPair#1:error=30", &[]);
    let open = terminal.until_asked_to_consent();
    assert!(open.contains("✗ S-TOKEN") && open.contains("C_GenerateKeyPair: CKR_DEVICE_ERROR"));
    assert!(open.contains("asked once more (attempt 2 of 16)"), "{open}");
    assert_eq!(held.called("C_GenerateKeyPair"), 1);
    terminal.answer("p01 p03");
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    held.judge();
    let transcript = fs::read_to_string(held.drill.path("out/transcript.jsonl")).unwrap();
    assert!(transcript.contains("asked once more after C_GenerateKeyPair: CKR_DEVICE_ERROR"));
    // Without consent it stops; before there is an audit key it is abandoned.
    let held = Held::new();
    let mut terminal = held.at_a_terminal("C_GenerateKeyPair#*:error=30", &[]);
    terminal.until_asked_to_consent();
    assert!(terminal.types("no").ends_with("who says so (ids): "));
    terminal.types("p01");
    terminal.answer("the HSM goes back to its maker");
    assert_eq!(terminal.finish(), Some(1), "{}", terminal.said);
    assert!(terminal.said.contains(" abandon --journal "), "{}", terminal.said);
    assert_eq!(held.called("C_GenerateKeyPair"), 1);
}

#[test]
fn remains_without_a_name_are_found_and_removed_with_consent() {
    // The device made a pair that bears nothing, and said that it failed.
    let held = Held::new();
    let output = held.run("C_GenerateKeyPair#1:nameless", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let journal = held.journal();
    assert!(journal.contains("\"kind\":\"orphan-removed\""), "{journal}");
    assert!(journal.contains("\"strays\":2") && !journal.contains("nothing is on the token"));
    held.resume();
    // Killed while the device made it: what is there now bears nothing.
    let held = Held::new();
    assert!(!held.run("C_GenerateKeyPair#2:kill-before", &[]).status.success());
    let mut left = Command::new("pkcs11-tool");
    left.args(["--module", SOFTHSM, "--login", "--pin", PIN, "--keypairgen"]);
    left.args(["--key-type", "EC:secp384r1"]);
    succeed(held.drill.env(&mut left));
    held.resume();
    let transcript = fs::read_to_string(held.drill.path("out/transcript.jsonl")).unwrap();
    assert!(transcript.contains("\"strays\":2"), "{transcript}");
}

#[test]
fn a_text_that_is_none_loses_no_token_and_reaches_no_screen() {
    let held = Held::new();
    let output = held.run("C_GetTokenInfo#*:odd", &[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(r"A\x00\x1b[2J\xff\xfe B"), "{said}");
    assert!(said.contains(r"(model: bytes that are not text are shown as \xNN)"), "{said}");
    assert!(!output.stderr.contains(&0x1b) && !output.stdout.contains(&0x1b), "{said}");
    held.judge();
}

#[test]
fn what_a_slot_says_instead_of_its_token_is_told() {
    let held = Held::new();
    let output = held.run("C_GetTokenInfo#*:error=30", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains(": CKR_DEVICE_ERROR"), "{}", text(&output));
    assert!(!held.drill.path("A").exists());
}

/// What the policy says of a module is in the graph, in the template, and in what is judged.
#[test]
fn a_policy_says_what_a_module_rejects_cannot_tell_and_brings() {
    let compiled = compiled_on(
        "leave-out = [\"sign-recover\", \"verify-recover\"]\nnot-told = [\"derive\"]\n\
         may-hold = [{ class = \"certificate\", label = \"device\" }]\n",
        Mode::Rehearsal,
    );
    for line in [
        "not said to the token: sign-recover, verify-recover\n",
        "not told by the token: derive\n",
        "brought by the token: certificate `device`\n",
    ] {
        assert!(compiled.graph.text().contains(line), "{line}");
    }
    let g1 = compiled.graph.key(&"g1".parse().unwrap()).unwrap();
    let template = g1.template(&compiled.graph, 0);
    let said = |attribute| template.private.get(&attribute).copied();
    assert_eq!(said(Attribute::Sign), Some(true));
    assert_eq!(said(Attribute::Decrypt), Some(false), "a token may take it for true");
    assert_eq!((said(Attribute::Derive), said(Attribute::SignRecover)), (None, None));
    assert_eq!(template.public.get(&Attribute::Private), None);
    assert!(!template.public.contains_key(&Attribute::VerifyRecover));

    let token = Token::Rehearsal(RehearsalToken::new());
    let walk = Walk::of(compiled, token, Place::rehearsal()).unwrap();
    let mut walk = walk.until("inventory");
    let object = |label: &str, class: &str| {
        let (class, label) = (class.to_string(), label.to_string());
        let objects = vec![TokenObject { class, id: Octets(Vec::new()), label }];
        Answer::Token(TokenAnswer::Objects { objects })
    };
    assert!(walk.run.judge(&object("device", "certificate")).is_ok());
    assert_eq!(walk.refuses(&object("device", "data")), RuleId::R_HSM_DEDICATED);
    assert_eq!(walk.refuses(&object("another", "certificate")), RuleId::R_HSM_DEDICATED);
    // Nothing was begun: what bears no name is somebody else's.
    assert_eq!(walk.refuses(&object("", "private-key")), RuleId::R_HSM_DEDICATED);
    let planned = walk.planned();
    walk.answer(planned).unwrap();
    let mut walk = walk.until("generate-g1");
    let Answer::Token(TokenAnswer::Key(good)) = walk.planned() else { panic!() };
    assert_eq!(good.parameters.0, ceremony::x509::curve_parameters(Curve::P384));
    let without = |attribute: Attribute| {
        let mut facts = good.clone();
        facts.private.remove(&attribute);
        facts.public.remove(&attribute);
        Answer::Token(TokenAnswer::Key(facts))
    };
    assert!(walk.run.judge(&without(Attribute::Derive)).is_ok());
    let told = Attribute::ALL.into_iter().filter(|a| good.private.contains_key(a));
    // Where a key that may travel has been is false by itself.
    let silent = [Attribute::Derive, Attribute::Copyable, Attribute::NeverExtractable];
    for attribute in told.filter(|attribute| !silent.contains(attribute)) {
        // An absent WRAP_WITH_TRUSTED counts as false; this key's is true.
        assert_eq!(walk.refuses(&without(attribute)), RuleId::R_KEY_IN_HSM, "{attribute:?}");
    }
    let mut derives = good.clone();
    derives.private.insert(Attribute::Derive, true);
    let derives = Answer::Token(TokenAnswer::Key(derives));
    assert_eq!(walk.refuses(&derives), RuleId::R_KEY_IN_HSM, "not told is not allowed");
}
