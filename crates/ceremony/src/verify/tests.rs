//! What an anchor must say of a ledger: its CA, and each ceremony in its place.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use alloc::format;
use alloc::string::{String, ToString as _};

use crate::anchor::{Anchor, Pinned};
use crate::hex::Digest;
use crate::ledger::{Genesis, Held, State};
use crate::record::Mode;
use crate::rule::RuleId;

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

/// A ledger of three ceremonies; the last one made a new audit key.
fn ledger() -> State {
    let genesis = Genesis {
        ca: "mdoc-root".parse().unwrap(),
        ceremony: "one".parse().unwrap(),
        mode: Mode::Real,
    };
    let mut state = State::default();
    state.genesis = Some(genesis);
    for (sequence, name) in [(1, "one"), (2, "two"), (3, "three")] {
        let held = Held {
            sequence,
            ceremony: name.parse().unwrap(),
            bindings: digest(&format!("bindings of {name}")),
            head: digest(&format!("head of {name}")),
            postscript: digest(&format!("postscript of {name}")),
            audit_key: (sequence != 2).then(|| digest(&format!("key of {name}"))),
        };
        state.held.push_back_mut(held);
    }
    state
}

fn pin(sequence: u32, name: &str) -> String {
    let of = |what: &str| digest(&format!("{what} of {name}"));
    let (bindings, head, postscript) = (of("bindings"), of("head"), of("postscript"));
    let key = match sequence {
        2 => String::new(),
        _ => format!("audit-key = \"{}\"\n", of("key")),
    };
    format!(
        "[[ceremony]]\nsequence = {sequence}\nname = \"{name}\"\nbindings = \"{bindings}\"\n\
         head = \"{head}\"\npostscript = \"{postscript}\"\n{key}signed-on = 2026-04-01\n"
    )
}

fn anchor(ca: &str, mode: &str, pins: &[String]) -> String {
    format!("format = 1\nca = \"{ca}\"\nmode = \"{mode}\"\n{}", pins.concat())
}

fn judge(text: &str) -> Result<Pinned, String> {
    let anchor = Anchor::parse(text.as_bytes()).unwrap();
    anchor.compare(&ledger()).map_err(|fault| fault.to_string())
}

fn pins() -> [String; 3] {
    [pin(1, "one"), pin(2, "two"), pin(3, "three")]
}

#[test]
fn an_anchor_says_how_much_of_a_ledger_it_pins() {
    let [one, two, three] = pins();
    let whole = judge(&anchor("mdoc-root", "real", &pins())).unwrap();
    assert!(whole.is_whole(), "{whole:?}");
    let two_of_three = judge(&anchor("mdoc-root", "real", &[one.clone(), two.clone()])).unwrap();
    assert_eq!((two_of_three.pinned, two_of_three.held), (2, 3));
    assert!(!two_of_three.is_whole());
    let more = anchor("mdoc-root", "drill", &[one, two, three, pin(4, "four")]);
    let more = Anchor::parse(more.as_bytes()).unwrap();
    assert_eq!(more.lacked(&ledger()).unwrap().name.as_str(), "four");
}

#[test]
fn an_anchor_of_another_ledger_is_refused() {
    let [one, two, three] = pins();
    for (field, of) in [
        ("bindings", "bindings of two"),
        ("head", "head of two"),
        ("postscript", "postscript of two"),
    ] {
        let bent = two.replace(&digest(of).to_string(), &digest("another").to_string());
        assert_ne!(bent, two);
        let said = judge(&anchor("mdoc-root", "real", &[one.clone(), bent])).unwrap_err();
        assert!(said.starts_with("S-ANCHOR") && said.contains(field), "{said}");
    }
    let without_key = three.lines().filter(|line| !line.starts_with("audit-key"));
    let without_key: String = without_key.map(|line| format!("{line}\n")).collect();
    let with_key = two.replace("signed-on", &format!("audit-key = \"{}\"\nsigned-on", digest("k")));
    for (text, what) in [
        (anchor("mdl-root", "real", &pins()), "the CA mdl-root"),
        (anchor("mdoc-root", "real", &[two.clone(), one.clone()]), "the ceremony two"),
        (anchor("mdoc-root", "real", &[one.clone(), three.clone()]), "the ceremony three"),
        (anchor("mdoc-root", "real", &[one.clone(), pin(5, "two")]), "the ceremony"),
        (anchor("mdoc-root", "real", &[one.clone(), with_key]), "new audit key"),
        (anchor("mdoc-root", "real", &[one, two, without_key]), "new audit key"),
    ] {
        let said = judge(&text).map(|pinned| format!("{pinned:?}"));
        let said = said.unwrap_err();
        assert!(said.starts_with("S-ANCHOR"), "{said}");
        assert!(said.contains(what) || what == "the ceremony", "{what}: {said}");
    }
}

#[test]
fn nobody_anchors_a_rehearsal() {
    let refused = Anchor::parse(anchor("mdoc-root", "rehearsal", &pins()).as_bytes()).unwrap_err();
    assert!(refused.iter().map(|violation| violation.rule).eq([RuleId::S_FORM]));
}
