//! False answers that a token or its module may give.

use ceremony::hex::Octets;
use ceremony::token::{Attribute, KeyFacts, TokenAnswer, TokenObject};

/// Returns a false answer in place of this one.
pub(super) fn lied(mut answer: TokenAnswer, lie: u8) -> TokenAnswer {
    match &mut answer {
        TokenAnswer::Signatures { signatures } => lie_of_signatures(signatures, lie),
        TokenAnswer::Key(facts) => lie_of_key(facts, lie),
        TokenAnswer::Objects { objects } if lie.is_multiple_of(2) => {
            objects.pop();
        }
        TokenAnswer::Objects { objects } => objects.push(TokenObject {
            class: "secret-key".into(),
            id: Octets(vec![lie]),
            label: "another".into(),
        }),
        TokenAnswer::Identity(identity) => identity.serial.push('0'),
        TokenAnswer::Heads { values } => values.push(Octets(vec![lie; 36])),
        TokenAnswer::Left { objects } => *objects += 1,
        TokenAnswer::Denied { .. } => answer = TokenAnswer::Yielded { octets: 48 },
        TokenAnswer::Copied(facts) => lie_of_key(&mut facts.key, lie),
        TokenAnswer::Done {} | TokenAnswer::Yielded { .. } => {}
    }
    answer
}

fn lie_of_signatures(signatures: &mut Vec<Octets>, lie: u8) {
    let last = signatures.len() - 1;
    let other = signatures[0].clone();
    match lie % 6 {
        0 => signatures[last].0[5] ^= 1,
        1 => signatures[last].0.truncate(20),
        2 => signatures[last].0.iter_mut().take(32).for_each(|octet| *octet = 0),
        3 if last > 0 => signatures[last] = other,
        4 => signatures.truncate(last),
        _ => signatures[last].0.fill(0xff),
    }
}

fn lie_of_key(facts: &mut KeyFacts, lie: u8) {
    match lie % 6 {
        0 => facts.point = Octets(vec![4; facts.point.0.len()]),
        1 => drop(facts.private.insert(Attribute::Sensitive, false)),
        2 => drop(facts.private.insert(Attribute::Decrypt, true)),
        3 => facts.privates = 2,
        4 => facts.labels.reverse(),
        _ => facts.parameters.0.push(0),
    }
    // A label that reads the same in reverse would not change.
    if lie % 6 == 4 {
        facts.labels.push("another".into());
    }
}
