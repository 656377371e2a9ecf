//! Certificates and CRLs that were once called valid and break a rule of RFC 5280 or Annex B.
//!
//! Each is signed with the rehearsal key of its issuer, so that nothing but that rule refuses it.

use std::fs;

use ceremony::path::{Ca, Iaca, Offered, RehearsalKeys, Verdict, Weight, validate};
use ceremony::policy::Policy;

use super::made::at;
use crate::support::root;

/// The rule that refuses each case.
const RULES: [(&str, &str); 17] = [
    ("x-ds-gentime-na.der", "P-TIME-FORM"),
    ("x-ds-neg-serial.der", "P-SERIAL"),
    ("x-ds-serial-21.der", "P-SERIAL"),
    ("x-ds-issuer-uid.der", "P-UNIQUE-ID"),
    ("x-link-drop-cdp.der", "I-ROOT-CDP"),
    ("x-link-neg-serial.der", "P-SERIAL"),
    ("x-link-cdp-garbage.der", "P-DER"),
    ("x-link-p256key.der", "R-ALG"),
    ("x-ds-state.der", "I-STATE"),
    ("x-ds-no-cn.der", "I-NAME"),
    ("x-ds-cn-badutf8.der", "P-NAME-STRING"),
    ("x-ds-nb-sub-root.der", "I-DS-WITHIN"),
    ("x-link-na-beyond-old-root.der", "R-LINK"),
    ("x-crl-gentime.crl", "P-TIME-FORM"),
    ("x-crl-next-91d.crl", "I-CRL-NEXT-UPDATE"),
    ("x-crl-empty-rev.crl", "P-CRL-EMPTY"),
    ("x-crl-entry-emptyexts.crl", "I-CRL-ENTRY-EXT"),
];

fn file(name: &str) -> Vec<u8> {
    fs::read(root().join("tests/validate/cases").join(name)).unwrap()
}

fn party(annex_b: Weight, ca: Option<Ca>) -> Iaca {
    Iaca { rehearsal: RehearsalKeys::Accepted, annex_b, ca }
}

fn sample() -> Ca {
    let octets = fs::read(root().join("ceremony-plans/mdoc-root/policy.toml")).unwrap();
    Ca::of(&Policy::parse(&octets).unwrap()).unwrap()
}

fn offered(target: &str, roots: &str, crl: &str) -> Offered {
    Offered { roots: vec![file(roots)], links: vec![], crls: vec![file(crl)], target: file(target) }
}

fn rules(verdict: &Verdict) -> Vec<&'static str> {
    verdict.reasons().iter().map(|(_, fault)| fault.rule.as_str()).collect()
}

#[test]
fn each_case_is_refused_by_its_rule_and_by_no_other_layer() {
    let table = fs::read_to_string(root().join("tests/validate/cases/cases.tsv")).unwrap();
    let mut judged = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, target, roots, _, crl, time, _] = columns[..] else { panic!("{line}") };
        let (_, rule) = RULES.iter().find(|(of, _)| *of == name).unwrap();
        let offered = offered(target, roots, crl);
        let found = rules(&validate(&offered, at(time), &party(Weight::Refuse, None)));
        assert_eq!(found[0], *rule, "{name}: {found:?}");
        // Annex B only warns, where it is asked to; the others refuse as before.
        let verdict = validate(&offered, at(time), &party(Weight::Warn, None));
        assert_eq!(verdict.is_valid(), rule.starts_with("I-"), "{name}: {verdict:#?}");
        let verdict = validate(&offered, at(time), &party(Weight::Warn, Some(sample())));
        assert!(!verdict.is_valid(), "{name}: {verdict:#?}");
        judged.push(name.to_owned());
    }
    assert_eq!(judged.len(), RULES.len());
    println!("{} cases refused, each by its rule", judged.len());
}

#[test]
fn what_the_cases_were_made_of_is_valid_by_the_rules_of_its_ca_too() {
    let good = offered("ds-0001.der", "root-g1.der", "crl-g1-2026-07-05.crl");
    let time = at("2026-07-05T12:00:00+09:00");
    for ca in [None, Some(sample())] {
        let verdict = validate(&good, time, &party(Weight::Refuse, ca));
        assert_eq!(rules(&verdict), Vec::<&str>::new(), "{verdict:#?}");
    }
}

#[test]
fn a_document_signer_of_457_days_and_a_second_is_refused() {
    let offered = offered("457/ds.der", "457/root.der", "457/c0.crl");
    let verdict = validate(&offered, at("2026-07-01T12:00:00+09:00"), &party(Weight::Refuse, None));
    assert_eq!(rules(&verdict), ["I-DS-VALIDITY"]);
}

#[test]
fn the_command_takes_the_folder_of_a_policy_and_warns_of_annex_b() {
    let folder = root().join("tests/validate/cases");
    let ca = root().join("ceremony-plans/mdoc-root");
    let with = ["--rehearsal", "--lang", "en", "--warn", "iso", "--root", "root-g1.der"];
    let of = ["--crl", "crl-g1-2026-07-05.crl", "--at", "2026-07-05T12:00:00+09:00"];
    let target = ["x-ds-state.der"];
    let (code, said) = super::command(&folder, &[&with[..], &of, &target].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("! warning I-STATE [ISO 18013-5 B.1.4]"), "{said}");
    let more = ["--ca", ca.to_str().unwrap()];
    let (code, said) = super::command(&folder, &[&with[..], &of, &more, &target].concat());
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("✗ R-DN-FIXED ["), "{said}");
}
