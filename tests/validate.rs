//! Whether a certificate may be relied on: what is valid, what each rule refuses, and that OpenSSL
//! reaches the same verdict where it can judge the same question.

mod bent;
mod cases;
mod made;
mod pkits;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use ceremony::path::{self, Ca, Iaca, Item, Offered, RehearsalKeys, Verdict, Weight};
use ceremony::policy::Policy;
use ceremony::time::Instant;

use self::bent::rdns;
use self::made::{
    DOCUMENT, NEW, NEW_WITH_OLD, OLD, OLD_WITH_NEW, SIGNER, STRANGER, crl, entry, first_day, hours,
    link, list, noon, old_end, over_the_link, rollover, root, signer, spki, today,
};
use crate::issuing::{extension, pem, tlv};
use crate::support::{files, genesis_golden, gishiki, run, succeed, text};

fn iaca(rehearsal: RehearsalKeys) -> Iaca {
    Iaca { rehearsal, annex_b: Weight::Refuse, ca: None }
}

fn judge(offered: &Offered, at: Instant) -> Verdict {
    path::validate(offered, at, &iaca(RehearsalKeys::Refused))
}

/// The same without looking every key up among the rehearsal's, which takes longer than the rest.
fn judge_one_of_many(offered: &Offered, at: Instant) -> Verdict {
    path::validate(offered, at, &iaca(RehearsalKeys::Accepted))
}

/// The rules that the certificate in question is refused by, in order; none if it is valid.
fn refused(offered: &Offered, at: Instant) -> Vec<&'static str> {
    rules(&judge(offered, at))
}

fn rules(verdict: &Verdict) -> Vec<&'static str> {
    let reasons: Vec<_> = verdict.reasons().iter().map(|(_, fault)| fault.rule.as_str()).collect();
    assert_eq!(verdict.is_valid(), reasons.is_empty(), "{verdict:#?}");
    reasons
}

/// What OpenSSL says; over links it looks for CRLs of every step.
fn openssl(name: &str, offered: &Offered, at: Instant) -> (bool, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let bundle = |file: &str, label: &str, all: &[Vec<u8>]| {
        let text: String = all.iter().map(|der| pem(label, der)).collect();
        fs::write(folder.join(file), text).unwrap();
    };
    bundle("roots.pem", "CERTIFICATE", &offered.roots);
    bundle("links.pem", "CERTIFICATE", &offered.links);
    bundle("crls.pem", "X509 CRL", &offered.crls);
    bundle("target.pem", "CERTIFICATE", std::slice::from_ref(&offered.target));
    let mut command = Command::new("openssl");
    command.current_dir(&folder).args(["verify", "-x509_strict", "-crl_check_all"]);
    command.args(["-attime", &at.unix().to_string(), "-CAfile", "roots.pem"]);
    if !offered.links.is_empty() {
        command.args(["-untrusted", "links.pem"]);
    }
    if !offered.crls.is_empty() {
        command.args(["-CRLfile", "crls.pem"]);
    }
    let output = run(command.arg("target.pem"));
    (output.status.success(), text(&output))
}

/// A Document Signer under the one root, with one CRL.
fn alone(crl: Vec<u8>) -> Offered {
    Offered {
        roots: vec![root(OLD)],
        links: vec![],
        crls: vec![crl],
        target: signer(OLD, first_day()).signed(),
    }
}

#[test]
fn every_day_of_a_batch_is_valid_48_hours_late_and_refused_at_72() {
    let mut verdicts = 0;
    for day in 0..104 {
        let this = hours(first_day(), 24 * day);
        let offered = alone(crl(OLD, this, &[]));
        for (time, valid) in [
            (this.plus_seconds(-1), false),
            (this, true),
            (hours(this, 24), true),
            (hours(this, 48), true),
            (hours(this, 72).plus_seconds(-1), true),
            (hours(this, 72), false),
        ] {
            let reasons = rules(&judge_one_of_many(&offered, time));
            assert_eq!(reasons.is_empty(), valid, "day {day}, {time}: {reasons:?}");
            // Before the first day root and signer are not valid yet either.
            if !valid && time >= first_day() {
                assert_eq!(reasons[0], "P-CRL-TIME", "day {day}, {time}");
                assert!(reasons.contains(&"P-PATH-CRL"), "day {day}, {time}");
            }
            // Every day here; OpenSSL is asked on every eighth.
            if day % 8 == 0 {
                let (same, said) = openssl("batch", &offered, time);
                assert_eq!(same, valid, "day {day}, {time}: {said}");
            }
            verdicts += 1;
        }
    }
    println!("{verdicts} verdicts over 104 days");
}

#[test]
fn each_generation_is_valid_over_the_link_from_the_other() {
    for (trusted, other) in [(OLD, NEW), (NEW, OLD)] {
        let offered = over_the_link(trusted, other);
        assert_eq!(refused(&offered, noon()), Vec::<&str>::new());
        let (same, said) = openssl("over-the-link", &offered, noon());
        assert!(same, "{said}");
        let without = Offered { links: vec![], ..offered.clone() };
        assert_eq!(refused(&without, noon())[0], "P-PATH-KEY");
        assert!(!openssl("without-the-link", &without, noon()).0);
        // The other root itself, once its key is installed.
        let root = Offered { target: root(other), ..offered };
        assert_eq!(refused(&root, noon()), Vec::<&str>::new());
        let without = Offered { links: vec![], ..root };
        assert_eq!(refused(&without, noon())[0], "P-PATH-KEY");
    }
}

#[test]
fn a_link_is_valid_as_a_target_under_the_other_root() {
    for (trusted, other) in [(OLD, NEW), (NEW, OLD)] {
        let offered = Offered {
            roots: vec![root(trusted)],
            links: vec![],
            crls: vec![today(trusted, &[])],
            target: link(other, trusted).signed(),
        };
        assert_eq!(refused(&offered, noon()), Vec::<&str>::new());
        let (same, said) = openssl("link-as-target", &offered, noon());
        assert!(same, "{said}");
        // Not under its own root.
        let own = Offered { roots: vec![root(other)], ..offered };
        assert_eq!(refused(&own, noon())[..1], ["P-PATH-CRL"]);
        assert!(!openssl("link-under-own", &own, noon()).0);
    }
}

#[test]
fn links_lead_over_several_generations() {
    let (second, third) = (NEW, STRANGER);
    let offered = Offered {
        roots: vec![root(OLD)],
        // The later one first: the order is the verifier's to find.
        links: vec![link(third, second).signed(), link(second, OLD).signed()],
        crls: vec![today(OLD, &[]), today(second, &[]), today(third, &[])],
        target: signer(third, rollover()).signed(),
    };
    assert_eq!(refused(&offered, noon()), Vec::<&str>::new());
    let torn = Offered { links: offered.links[..1].to_vec(), ..offered };
    assert_eq!(refused(&torn, noon())[0], "P-PATH-KEY");
}

#[test]
fn a_revoked_signer_is_refused_over_the_link_path_too() {
    for (trusted, other) in [(OLD, NEW), (NEW, OLD)] {
        let offered = over_the_link(trusted, other);
        // Its own generation's CRL names it, as does every other: the union.
        let union = vec![today(OLD, &[SIGNER]), today(NEW, &[SIGNER])];
        let both = Offered { crls: union, ..offered.clone() };
        assert_eq!(refused(&both, noon()), ["P-REVOKED"]);
        let (same, said) = openssl("revoked", &both, noon());
        assert!(!same && said.contains("certificate revoked"), "{said}");
        // The other generation's CRL alone: it names it, and does not speak for it.
        let other_only = Offered { crls: vec![today(trusted, &[SIGNER])], ..offered.clone() };
        let reasons = refused(&other_only, noon());
        assert!(reasons.contains(&"P-REVOKED") && reasons.contains(&"P-PATH-CRL"), "{reasons:?}");
        assert!(!openssl("revoked-other", &other_only, noon()).0);
        // A CRL of the other generation that were no union: OpenSSL accepts, gishiki does not.
        let trap = Offered { crls: vec![today(trusted, &[])], ..offered.clone() };
        assert_eq!(refused(&trap, noon())[0], "P-PATH-CRL");
        assert!(openssl("trap", &trap, noon()).0, "the trap of one Name for two keys");
        // The link itself, and the root, can be revoked; so can they by the other generation.
        let link = if other.octet == NEW.octet { NEW_WITH_OLD } else { OLD_WITH_NEW };
        for revoked in [link, [trusted.octet; 20]] {
            for crls in [
                vec![today(trusted, &[revoked]), today(other, &[])],
                vec![today(trusted, &[]), today(other, &[revoked])],
            ] {
                let reasons = refused(&Offered { crls, ..offered.clone() }, noon());
                assert!(reasons.contains(&"P-REVOKED"), "{reasons:?}");
            }
        }
    }
}

#[test]
fn a_revocation_counts_from_its_date_on_in_a_crl_of_another_day_too() {
    let day = |days: i64| hours(first_day(), 24 * days);
    let (clean, named) = (crl(OLD, day(10), &[]), crl(OLD, day(11), &[SIGNER]));
    let offered = Offered { crls: vec![clean, named], ..alone(vec![]) };
    // Revoked an hour before the eleventh day.
    let revoked = hours(day(11), -1);
    assert_eq!(refused(&offered, revoked.plus_seconds(-1)), Vec::<&str>::new());
    assert_eq!(refused(&offered, revoked), ["P-REVOKED"]);
    let late = crl(OLD, day(40), &[]);
    let offered = Offered { crls: vec![crl(OLD, day(11), &[SIGNER]), late], ..offered };
    assert_eq!(refused(&offered, day(40)), ["P-REVOKED"]);
    let verdict = judge(&offered, day(40));
    let found = &verdict.reasons()[0].1.found.en;
    for part in ["Sample DS 0001", "2026-04-11T14:00:00+00:00", "keyCompromise"] {
        assert!(found.contains(part), "{found}");
    }
}

#[test]
fn each_rule_of_a_path_refuses_what_it_says() {
    let offered = alone(crl(OLD, first_day(), &[]));
    let (good, noon) = (signer(OLD, first_day()), hours(first_day(), 12));
    assert_eq!(refused(&offered, noon), Vec::<&str>::new());
    let mut broken = BTreeSet::new();
    for (rule, target) in bent::for_everyone(&good) {
        let offered = Offered { target, ..offered.clone() };
        let reasons = refused(&offered, noon);
        assert!(reasons.contains(&rule), "{rule}: {reasons:?}");
        if rule != "R-V3" {
            assert!(!openssl("bent", &offered, noon).0, "OpenSSL accepts what {rule} refuses");
        }
        broken.insert(rule);
    }
    for (rule, target) in bent::for_an_iaca(&good) {
        let reasons = refused(&Offered { target, ..offered.clone() }, noon);
        assert!(reasons.contains(&rule), "{rule}: {reasons:?}");
        broken.insert(rule);
    }
    for (rule, offered) in bent::around(&offered) {
        let reasons = refused(&offered, noon);
        assert!(reasons.contains(&rule), "{rule}: {reasons:?}");
        broken.insert(rule);
    }
    let listed: BTreeSet<&str> = path::RULES.iter().map(|(id, _, _)| id.as_str()).collect();
    let open: Vec<_> = listed.difference(&broken).collect();
    // Links are bent in the test after this one; no IACA has a path of several names (PKITS).
    assert_eq!(open, [&"P-PATH-CA", &"P-PATH-LENGTH"]);
    println!("{} rules refuse, each with its reason", broken.len());
}

#[test]
fn a_link_that_is_bent_installs_nothing() {
    let offered = over_the_link(OLD, NEW);
    let good = link(NEW, OLD);
    let other_name = signer(OLD, first_day()).subject;
    for (rule, bent) in [
        ("P-PATH-SIGNATURE", good.with(|made| made.signer = STRANGER)),
        ("P-PATH-TIME", good.with(|made| made.not_after = rollover())),
        ("P-PATH-ISSUER", good.with(|made| made.issuer = other_name.clone())),
        ("R-LINK", good.with(|made| made.subject = other_name.clone())),
        ("I-ROOT-BASIC-CONSTRAINTS", good.other(19, true, &[0x30, 3, 1, 1, 0xff])),
        ("P-PATH-CA", good.other(15, true, &[3, 2, 7, 0x80])),
        ("I-ROOT-KEY-USAGE", good.other(15, true, &[3, 2, 2, 4])),
        ("I-ROOT-BASIC-CONSTRAINTS", good.with(|made| made.drop(19))),
        ("R-LINK", good.with(|made| made.not_after = hours(old_end(), 1))),
        ("R-ALG", good.with(|made| made.key = spki(DOCUMENT))),
        ("I-ROOT-SKI", good.other(14, false, &[&[4, 20][..], &[7; 20]].concat())),
        ("R-VERIFIER", good.with(|made| made.extensions.push(extension(99, true, &[5, 0])))),
        ("R-LINK", root(OLD)),
        ("R-LINK", signer(OLD, rollover()).signed()),
    ] {
        let reasons = refused(&Offered { links: vec![bent], ..offered.clone() }, noon());
        assert!(reasons.contains(&rule), "{rule}: {reasons:?}");
        assert!(reasons.contains(&"P-PATH-KEY"), "{rule}: {reasons:?}");
    }
    let expired = hours(old_end(), 1);
    assert!(refused(&offered, expired).contains(&"P-PATH-TIME"));
    // A Document Signer's key certifies nothing, also under its own name.
    let child = signer(OLD, first_day()).with(|made| {
        made.issuer = made.subject.clone();
        made.signer = OLD;
        made.key = spki(DOCUMENT);
    });
    let reasons = refused(&Offered { target: child, ..offered }, noon());
    assert!(reasons.contains(&"P-PATH-ISSUER"), "{reasons:?}");
}

#[test]
fn a_crl_that_is_bent_speaks_for_nothing() {
    let (good, noon) = (list(), hours(first_day(), 12));
    let offered = |crl| alone(crl);
    assert_eq!(refused(&offered(good.with(|_| ())), noon), Vec::<&str>::new());
    for (rule, crl) in bent::crls(&good, noon) {
        let reasons = refused(&offered(crl), noon);
        assert!(reasons.contains(&rule), "{rule}: {reasons:?}");
        assert!(reasons.contains(&"P-PATH-CRL"), "{rule}: {reasons:?}");
    }
    // A harmless entry is none.
    let harmless = entry([9; 20], first_day(), &[extension(21, false, &[10, 1, 1])]);
    let harmless = good.with(|crl| crl.entries.push(harmless));
    assert_eq!(refused(&offered(harmless), noon), Vec::<&str>::new());
}

/// Another country's IACA: ten years, a short serial number, ST and OU, an e-mail address, its own
/// authorityKeyIdentifier, an extension of its own. No rule of this CA refuses it.
#[test]
fn an_iaca_of_another_ca_is_judged_by_rfc_5280_and_annex_b_alone() {
    let name = rdns(&[
        (6, 0x13, b"UT"),
        (8, 12, b"Utopia"),
        (10, 12, b"Department"),
        (11, 12, b"Licences"),
        (3, 12, b"Utopia IACA"),
    ]);
    let mut of_root = link(OLD, OLD);
    (of_root.issuer, of_root.subject) = (name.clone(), name.clone());
    of_root.serial = [&[0x05; 16][..], &[1; 4]].concat().try_into().unwrap();
    of_root.not_after = first_day().plus(&"10 years".parse().unwrap()).unwrap();
    of_root.drop(18);
    of_root.extensions.push(extension(
        18,
        false,
        &tlv(0x30, &[&tlv(0x81, &[b"ca@utopia.example"])]),
    ));
    of_root.extensions.push(extension(99, false, &[5, 0]));
    let mut of = signer(OLD, first_day());
    of.issuer = name.clone();
    of.subject = rdns(&[(6, 0x13, b"UT"), (8, 12, b"Utopia"), (3, 12, b"Utopia DS")]);
    let root = of_root.signed();
    let offered = Offered {
        roots: vec![root.clone()],
        links: vec![],
        crls: vec![list().with(|crl| crl.issuer = name)],
        target: of.signed(),
    };
    let noon = hours(first_day(), 12);
    assert_eq!(refused(&offered, noon), Vec::<&str>::new());
    // The CA of the policy refuses it, each time in its own name.
    let policy =
        fs::read(crate::support::root().join("ceremony-plans/mdoc-root/policy.toml")).unwrap();
    let ca = Ca::of(&Policy::parse(&policy).unwrap()).unwrap();
    let party = Iaca { ca: Some(ca), ..iaca(RehearsalKeys::Refused) };
    let reasons = rules(&path::validate(&offered, noon, &party));
    for rule in ["R-DN-FIXED", "R-ROOT", "I-ROOT-IAN"] {
        assert!(reasons.contains(&rule), "{rule}: {reasons:?}");
    }
    // Annex B wants an issuerAltName, and can be made to warn of it only.
    let without = of_root.with(|made| made.drop(18));
    let offered = Offered { roots: vec![without], ..offered };
    assert_eq!(refused(&offered, noon)[0], "I-ROOT-IAN");
    let party = Iaca { annex_b: Weight::Warn, ..iaca(RehearsalKeys::Refused) };
    let verdict = path::validate(&offered, noon, &party);
    assert_eq!(rules(&verdict), Vec::<&str>::new());
    assert_eq!(verdict.steps()[0].judgement.warnings()[0].rule.as_str(), "I-ROOT-IAN");
}

#[test]
fn a_key_on_a_brainpool_curve_is_said_to_be_unverifiable_and_not_wrong() {
    let root = link(OLD, OLD).with(|made| made.key = bent::brainpool());
    let offered = Offered { roots: vec![root], ..alone(crl(OLD, first_day(), &[])) };
    let verdict = judge(&offered, hours(first_day(), 12));
    let (_, fault) = verdict.reasons()[0];
    assert_eq!(fault.rule.as_str(), "P-PATH-ALGORITHM");
    assert!(fault.found.en.contains("cannot verify signatures of a key on brainpoolP256r1"));
    // A Document Signer may have such a key: no signature by it is verified here.
    let target = signer(OLD, first_day()).with(|made| made.key = bent::brainpool());
    let reasons =
        refused(&Offered { target, ..alone(crl(OLD, first_day(), &[])) }, hours(first_day(), 12));
    assert_eq!(reasons, ["I-ROOT-SKI"]);
    // But the point is one of the curve.
    let mut off = bent::brainpool();
    *off.last_mut().unwrap() ^= 1;
    let target = signer(OLD, first_day()).with(|made| made.key = off.clone());
    let reasons =
        refused(&Offered { target, ..alone(crl(OLD, first_day(), &[])) }, hours(first_day(), 12));
    assert_eq!(reasons, ["I-ROOT-SKI", "I-DS-KEY"]);
}

#[test]
fn no_octet_of_signer_link_or_crl_can_be_another() {
    let offered = over_the_link(OLD, NEW);
    let mut changes = 0;
    let mut bend = |octets: &[u8], put: &dyn Fn(Vec<u8>) -> Offered| {
        for place in (0..octets.len()).step_by(3) {
            let mut bent = octets.to_vec();
            bent[place] ^= 1 << (place % 8);
            let verdict = judge_one_of_many(&put(bent), noon());
            assert!(!verdict.is_valid(), "octet {place}: {verdict:#?}");
            changes += 1;
        }
    };
    bend(&offered.target, &|target| Offered { target, ..offered.clone() });
    bend(&offered.links[0], &|link| Offered { links: vec![link], ..offered.clone() });
    bend(&offered.crls[1], &|crl| Offered {
        crls: vec![offered.crls[0].clone(), crl],
        ..offered.clone()
    });
    println!("{changes} changed octets, each refused");
}

/// What `gishiki validate` says, and how it ends.
fn command(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(gishiki().current_dir(folder).arg("validate").args(arguments));
    (output.status.code(), text(&output))
}

#[test]
fn the_command_says_the_verdict_with_every_step_and_rule() {
    let folder = tempfile::tempdir().unwrap();
    let offered = over_the_link(OLD, NEW);
    let write = |name: &str, octets: &[u8]| fs::write(folder.path().join(name), octets).unwrap();
    write("root.der", &offered.roots[0]);
    write("link.pem", pem("CERTIFICATE", &offered.links[0]).as_bytes());
    write("old.crl", &offered.crls[0]);
    write("new.crl", pem("X509 CRL", &offered.crls[1]).as_bytes());
    write("revoked.crl", &today(NEW, &[SIGNER]));
    write("ds.der", &offered.target);
    let noon = noon().to_string();
    let common = ["--root", "root.der", "--link", "link.pem", "--crl", "old.crl", "--at", &noon];
    let with = |more: &[&str]| command(folder.path(), &[&common[..], more].concat());
    let (code, said) = with(&["--crl", "new.crl", "ds.der"]);
    assert_eq!(code, Some(0), "{said}");
    for part in [
        "valid: ds.der (2031-01-16",
        "✓ trusted root root.der",
        "✓ link certificate",
        "✓ CRL new.crl",
        "✓ in question, a Document Signer: ds.der",
        "Sample DS 0001",
        "P-PATH-SIGNATURE",
        "P-PATH-CRL",
        "P-REVOKED",
        "R-VERIFIER",
        "I-DS-EKU",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, said) = with(&["--crl", "revoked.crl", "ds.der", "--lang", "ja"]);
    assert_eq!(code, Some(4), "{said}");
    for part in ["拒否: ds.der", "✗ P-REVOKED", "失効しています", "検証で拒否 ds.der: P-REVOKED"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, said) = with(&["ds.der"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("there is no CRL of this time for it"), "{said}");
    // A CRL is no certificate; a file that is not there; a PEM block of another kind; no time.
    assert_eq!(with(&["--crl", "new.crl", "old.crl"]).0, Some(4));
    assert_eq!(with(&["--crl", "none.crl", "ds.der"]).0, Some(5));
    assert_eq!(with(&["--crl", "link.pem", "ds.der"]).0, Some(5));
    assert_eq!(command(folder.path(), &["--root", "root.der", "ds.der"]).0, Some(64));
}

#[test]
fn the_keys_of_a_rehearsal_are_refused_unless_they_are_asked_for() {
    let golden = genesis_golden();
    let names: Vec<String> = files(&golden).into_keys().collect();
    let find = |ending: &str| names.iter().find(|name| name.ends_with(ending)).unwrap().clone();
    let (root, crl) = (find(".der"), find(".crl"));
    let arguments = ["--root", &root, "--crl", &crl, "--at", "2026-04-01T23:59:59+09:00", &root];
    let (code, said) = command(&golden, &arguments);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("✗ S-REHEARSAL-KEY"), "{said}");
    let rehearsed = [&arguments[..], &["--rehearsal"]].concat();
    let said = succeed(gishiki().current_dir(&golden).arg("validate").args(rehearsed));
    assert!(said.contains("valid, as a rehearsal"), "{said}");
    let offered =
        Offered { roots: vec![fs::read(golden.join(&root)).unwrap()], ..Offered::default() };
    let verdict = judge(&offered, first_day());
    let of_root = verdict.steps().iter().find(|step| step.item == Item::Root(0)).unwrap();
    let broken: Vec<_> = of_root.judgement.faults().iter().map(|fault| fault.rule).collect();
    assert_eq!(broken, [ceremony::rule::RuleId::S_REHEARSAL_KEY]);
}
