//! What an anchor must say of a ledger: its CA, its first ceremony, and each later audit key.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::anchored;
use crate::anchor::Anchor;
use crate::hex::Digest;
use crate::ledger::{Genesis, State, Succession};
use crate::record::Mode;

const LATER: [&str; 2] = ["2032-token-lost", "2039-token-lost"];

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

/// A ledger in which the root token was lost twice, from one before its first ceremony.
fn ledger(mut state: State) -> State {
    let succession = |ceremony: &str| Succession {
        ceremony: ceremony.parse().unwrap(),
        audit_key: digest(&format!("key of {ceremony}")),
        head: digest(&format!("head of {ceremony}")),
    };
    state.genesis = Some(Genesis {
        ca: "mdoc-root".parse().unwrap(),
        ceremony: "2026-genesis".parse().unwrap(),
        mode: Mode::Real,
        audit_key: digest("key"),
        head: digest("head"),
    });
    state.successions = LATER.map(succession).into();
    state
}

fn first(ca: &str, ceremony: &str, key: &str, head: &str) -> String {
    let (key, head) = (digest(key), digest(head));
    format!(
        "format = 1\nca = \"{ca}\"\nceremony = \"{ceremony}\"\naudit-key = \"{key}\"\n\
         genesis-head = \"{head}\"\nsigned-on = 2026-04-01\n"
    )
}

fn later(ceremony: &str, key: &str, head: &str) -> String {
    let (key, head) = (digest(key), digest(head));
    format!(
        "[[succession]]\nceremony = \"{ceremony}\"\naudit-key = \"{key}\"\nhead = \"{head}\"\n\
         signed-on = 2032-03-05\n"
    )
}

/// The word of each succession, as it was.
fn as_it_was(ceremony: &str) -> String {
    later(ceremony, &format!("key of {ceremony}"), &format!("head of {ceremony}"))
}

fn judge(anchor: &[String]) -> Result<bool, String> {
    let anchor = Anchor::parse(anchor.concat().as_bytes()).unwrap();
    anchored(&anchor, &ledger(State::default())).map_err(|refusal| refusal.to_string())
}

#[test]
fn an_anchor_of_another_ledger_is_refused() {
    let [one, two] = LATER.map(as_it_was);
    let own = first("mdoc-root", "2026-genesis", "key", "head");
    assert_eq!(judge(&[own.clone(), one.clone(), two.clone()]), Ok(true));
    let key_of_two = later(LATER[0], "key of 2039-token-lost", "head of 2032-token-lost");
    let head_of_two = later(LATER[0], "key of 2032-token-lost", "head of 2039-token-lost");
    let genesis = |ca: &str, ceremony: &str, key: &str, head: &str| {
        Vec::from([first(ca, ceremony, key, head), one.clone(), two.clone()])
    };
    for (anchor, what) in [
        (genesis("mdl-root", "2026-genesis", "key", "head"), "the CA mdl-root"),
        (genesis("mdoc-root", "2027-genesis", "key", "head"), "the ceremony 2027-genesis"),
        (genesis("mdoc-root", "2026-genesis", "other", "head"), "the audit key"),
        (genesis("mdoc-root", "2026-genesis", "key", "other"), "the genesis head"),
        (Vec::from([own.clone()]), "a [[succession]] by 2032-token-lost"),
        (Vec::from([own.clone(), one.clone()]), "a [[succession]] by 2039-token-lost"),
        (Vec::from([own.clone(), two.clone()]), "a [[succession]] by 2032-token-lost"),
        (Vec::from([own.clone(), two.clone(), one.clone()]), "a [[succession]] by 2032-token-lost"),
        (Vec::from([own.clone(), key_of_two, two.clone()]), "the new audit key"),
        (Vec::from([own, head_of_two, two.clone()]), "the head of its ceremony"),
    ] {
        let said = judge(&anchor).unwrap_err();
        let place = said.starts_with("anchor.toml: S-ANCHOR");
        assert!(place && said.contains(what), "{what}: {said}");
    }
}

#[test]
fn nothing_is_anchored_before_the_first_ceremony() {
    let own = first("mdoc-root", "2026-genesis", "key", "head");
    let anchor = Anchor::parse(own.as_bytes()).unwrap();
    assert_eq!(anchored(&anchor, &State::default()).map_err(|r| r.to_string()), Ok(false));
}
