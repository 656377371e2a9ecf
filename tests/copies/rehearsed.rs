//! The rehearsal's tokens: several of them, holding what earlier ceremonies have made, and copying
//! as good tokens would.

use std::collections::BTreeMap;

use ceremony::graph::{Act, Graph, TokenAct};
use ceremony::hex::Octets;
use ceremony::record::{Answer, Mode, Place};
use ceremony::run::Run;
use ceremony::token::{
    Attribute, CopyFacts, CopyRemains, CopyRequest, KeyFacts, KeyTemplate, TokenAnswer,
};
use token::{RehearsalToken, Token};

use crate::walk::{Walk, compiled};

fn template(graph: &Graph, key: &str) -> KeyTemplate {
    graph.key(&key.parse().unwrap()).unwrap().template(graph, 0)
}

fn holding(keys: &[&KeyTemplate]) -> Token {
    let keys = keys.iter().map(|key| (*key).clone()).collect();
    let heads = BTreeMap::from([("mdoc-root ledger head".to_string(), Octets(vec![1; 40]))]);
    Token::Rehearsal(RehearsalToken::new().holding(keys, heads))
}

fn empty() -> Token {
    Token::Rehearsal(RehearsalToken::named("backup-1".parse().unwrap()))
}

fn request(made: &KeyTemplate) -> CopyRequest {
    CopyRequest::of(made, &made.rehearsal.public().unwrap())
}

fn copied(from: &mut Token, to: &mut Token, made: &KeyTemplate) -> CopyFacts {
    let answer = token::copy(from, to, request(made)).unwrap();
    let TokenAnswer::Copied(facts) = answer else { panic!("{answer:?}") };
    facts
}

/// What a token says of the root key of the first ceremony.
fn inspected(token: &mut Token) -> KeyFacts {
    let compiled = compiled();
    let at = compiled.graph.window().0;
    let run = Run::begin(compiled, Place::rehearsal(), BTreeMap::new(), at).unwrap().run;
    let makes =
        |act: &Act| matches!(act, Act::Token(TokenAct::Generate { key }) if key.as_str() == "g1");
    let op = run.graph().ops().iter().find(|op| makes(&op.act)).unwrap();
    let answer = token.perform(run.inspect_request(op, 0).unwrap()).unwrap();
    let TokenAnswer::Key(facts) = answer else { panic!("{answer:?}") };
    facts
}

#[test]
fn a_rehearsed_copy_is_the_same_key_and_says_where_it_comes_from() {
    let graph = compiled().graph;
    let (root, audit) = (template(&graph, "g1"), template(&graph, "audit"));
    let (mut main, mut spare) = (holding(&[&root, &audit]), empty());
    let made = inspected(&mut main);
    let facts = copied(&mut main, &mut spare, &root);
    assert_eq!(facts.key.point, made.point);
    assert_eq!(facts.key, inspected(&mut spare));
    assert_eq!(facts.key.private, root.copied().expected_private);
    assert_eq!(inspected(&mut main), made, "the source's key is as it was");
    let differs = |name: &Attribute| facts.key.private.get(name) != made.private.get(name);
    let different: Vec<_> = made.private.keys().copied().filter(differs).collect();
    // NEVER_EXTRACTABLE was false before: this key may be wrapped under a TRUSTED one.
    assert_eq!(different, [Attribute::AlwaysSensitive, Attribute::Local]);
    assert_eq!(facts.wrapping.get(&Attribute::Trusted), Some(&true));
    assert_eq!((facts.source_left, facts.target_left), (0, 0));

    // A restore: the copy is a source like the original.
    let mut third = Token::Rehearsal(RehearsalToken::named("new".parse().unwrap()));
    assert_eq!(copied(&mut spare, &mut third, &root).key, facts.key);

    let again = token::copy(&mut main, &mut spare, request(&root)).unwrap_err();
    assert!(again.to_string().contains("on the target already"), "{again}");
    for _ in 0..2 {
        let left = token::clear(&mut main, &mut spare, CopyRemains::of(&root)).unwrap();
        assert_eq!(left, TokenAnswer::Left { objects: 0 });
    }
    assert_eq!((inspected(&mut spare).privates, inspected(&mut main).privates), (0, 1));
    copied(&mut main, &mut spare, &root);
}

#[test]
fn a_rehearsal_refuses_what_a_token_refuses() {
    let graph = compiled().graph;
    let (root, audit) = (template(&graph, "g1"), template(&graph, "audit"));
    let (mut main, mut spare) = (holding(&[&root, &audit]), empty());
    let mut refused =
        |request: CopyRequest| token::copy(&mut main, &mut spare, request).unwrap_err().to_string();
    assert_eq!(refused(request(&audit)), "C_WrapKey: CKR_KEY_UNEXTRACTABLE");
    let mut later = root.rehearsal.clone();
    later.generation = 2;
    let other = CopyRequest::of(&root, &later.public().unwrap());
    assert!(refused(other).contains("not the public key that was asked for"));
    let absent = graph.key(&"g1".parse().unwrap()).unwrap().template(&graph, 1);
    assert!(refused(request(&absent)).contains("no private key with this CKA_ID"));
    assert_eq!(inspected(&mut spare).privates, 0);
    // Nobody is logged in on a token that nobody has used.
    let error = token::clear(&mut main, &mut empty(), CopyRemains::of(&root)).unwrap_err();
    assert_eq!(error.code, "CKR_USER_NOT_LOGGED_IN");
}

#[test]
fn each_token_of_a_rehearsal_has_a_serial_number_of_its_own() {
    let name = "backup-1".parse().unwrap();
    let place = Place::rehearsal_with([&name].into_iter());
    assert!(place.is_rehearsal() && Place::rehearsal().is_rehearsal());
    assert_eq!(place.serials().collect::<Vec<_>>(), ["REHEARSAL", "REHEARSAL-backup-1"]);
    let mut wrong = place.clone();
    wrong.spares.insert(name, "REHEARSAL".into());
    assert!(!wrong.is_rehearsal());
    // What is not there is in no record.
    let text = serde_json::to_string(&Place::rehearsal()).unwrap();
    assert!(!text.contains("spares"), "{text}");

    for (serial, found) in [("REHEARSAL-backup-1", true), ("REHEARSAL", false)] {
        let word = || "a word".to_string();
        let place = Place {
            room: word(),
            terminal: word(),
            tool: word(),
            image: word(),
            token: serial.into(),
            spares: BTreeMap::new(),
            since_boot: Vec::new(),
        };
        let mut walk = Walk::on(empty(), Mode::Drill, place).unwrap();
        while walk.ask() != "identify" {
            let answer = walk.planned();
            walk.answer(answer).unwrap();
        }
        match walk.asked_of_token() {
            Ok(TokenAnswer::Identity(identity)) => {
                assert!(found);
                assert_eq!(identity.serial, serial);
            }
            other => assert!(!found && other.is_err(), "{other:?}"),
        }
    }
}

#[test]
fn no_copy_leaves_a_rehearsal() {
    // The answer in a record is a number of facts; none of them is a key.
    let graph = compiled().graph;
    let root = template(&graph, "g1");
    let answer = token::copy(&mut holding(&[&root]), &mut empty(), request(&root)).unwrap();
    let text = serde_json::to_string(&Answer::Token(answer.clone())).unwrap();
    let back: Answer = serde_json::from_str(&text).unwrap();
    assert_eq!(back, Answer::Token(answer));
    let private = ceremony::hex::encode(&root.rehearsal.private_octets().unwrap());
    assert!(!text.contains(&private));
}
