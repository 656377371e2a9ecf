//! Keyless bundles beside the cards: made by Sigstore's npm client before a mock of Fulcio, Rekor
//! and the CT log, judged by `check --approved` and by that client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ceremony::hex::Digest;
use serde_json::{Value, json};

use crate::cards::{Held, approve};
use crate::real::release;
use crate::support::{IN_WINDOW, PIN, SOFTHSM, at_time, gishiki_at, root, run, succeed, text};

const ALICE: &str = "alice@example.org";
const ISSUER: &str = "https://issuer.example";
/// Within the time of an approval, and before the cards.
const SIGNED: &str = "2026-03-30 01:00:00";

/// Sigstore's npm client, at this time.
fn client(what: &[&str], time: &str) -> Command {
    let modules = root().join(".npm/node_modules");
    assert!(modules.exists(), "./test installs Sigstore's npm client in .npm");
    let mut client = at_time("node", time);
    client.env("NODE_PATH", modules).arg(root().join("tests/keyless/sigstore.js")).args(what);
    client
}

/// A mock of Sigstore with keys of its own.
struct Mock {
    folder: PathBuf,
}

impl Mock {
    fn found(folder: PathBuf) -> Self {
        fs::create_dir(&folder).unwrap();
        succeed(&mut client(&["found", folder.to_str().unwrap()], "2026-01-01 00:00:00"));
        Self { folder }
    }

    /// The trusted root.
    fn root(&self) -> Vec<u8> {
        fs::read(self.folder.join("trusted_root.json")).unwrap()
    }

    /// A bundle with this payload.
    fn signed(&self, payload: &str, signer: (&str, &str), time: &str) -> Value {
        self.signed_with(payload, signer, &[], time)
    }

    /// The same, whose certificate has these names behind the identity.
    fn signed_with(
        &self,
        payload: &str,
        (identity, issuer): (&str, &str),
        further: &[&str],
        time: &str,
    ) -> Value {
        let wanted = json!({
            "made": {
                "identity": identity, "issuer": issuer, "payload": payload, "further": further,
            },
        });
        fs::write(self.folder.join("wanted"), wanted.to_string()).unwrap();
        let wanted = fs::File::open(self.folder.join("wanted")).unwrap();
        let mut sign = client(&["sign", self.folder.to_str().unwrap()], time);
        succeed(sign.stdin(Stdio::from(wanted)));
        serde_json::from_slice(&fs::read(self.folder.join("made.sigstore.json")).unwrap()).unwrap()
    }
}

/// A CA whose people approved a real ceremony with their cards, and whose policy pins a mock.
struct Ca {
    held: Held,
    mock: Mock,
}

impl Ca {
    fn new() -> Self {
        Self::approved("2026-03-01", IN_WINDOW)
    }

    /// The day on which its trusted root was obtained, and when people approved.
    fn approved(obtained: &str, time: &str) -> Self {
        let held = Held::new();
        release(&held.drill.path("mdoc-root"));
        let mock = Mock::found(held.drill.path("mock"));
        let policy = held.drill.path("mdoc-root/policy.toml");
        let pinned = Digest::of(&mock.root());
        let text = fs::read_to_string(&policy).unwrap()
            + &format!(
                "\n[decision.approval.keyless]\nsection = \"4.2.2\"\ntrusted-root = \"{pinned}\"\nobtained = {obtained}\n\n\
                 [decision.approval.keyless.person.p01]\nidentity = \"{ALICE}\"\nissuer = \"{ISSUER}\"\n"
            );
        fs::write(policy, text).unwrap();
        let ca = Self { held, mock };
        ca.put_root(&ca.mock.root());
        approve(&ca.held.drill, &ca.held.plan(), &ca.held.drill.path("ledger"), time);
        ca
    }

    fn put_root(&self, octets: &[u8]) {
        fs::write(self.held.drill.path("mdoc-root/trusted_root.json"), octets).unwrap();
    }

    /// What this person signs.
    fn statement(&self, person: &str) -> String {
        let mut command = gishiki_at(SIGNED);
        command.args(["approve", person, "--statement"]).arg(self.held.plan());
        let said = succeed(&mut command);
        said.strip_suffix('\n').unwrap().to_string()
    }

    fn bundle(&self, person: &str) -> PathBuf {
        self.held.plan().join("approvals").join(format!("{person}.sigstore.json"))
    }

    /// The verdict with this bundle of a person beside the cards.
    fn judged(&self, person: &str, bundle: &str, time: &str) -> (Option<i32>, String) {
        fs::write(self.bundle(person), bundle).unwrap();
        let judged = self.check("en", &[], time);
        fs::remove_file(self.bundle(person)).unwrap();
        judged
    }

    fn check(&self, lang: &str, more: &[&str], time: &str) -> (Option<i32>, String) {
        let mut command = gishiki_at(time);
        command.args(["--lang", lang, "check", "--approved"]).arg(self.held.plan()).args(more);
        let output = run(&mut command);
        (output.status.code(), text(&output))
    }

    /// The npm client's verdict on a bundle.
    fn client(&self, bundle: &str, root: &Path) -> (Option<i32>, String) {
        let path = self.mock.folder.join("judged.sigstore.json");
        fs::write(&path, bundle).unwrap();
        let (root, path) = (root.to_str().unwrap(), path.to_str().unwrap());
        let output = run(&mut client(&["verify", root, path, ALICE, ISSUER], IN_WINDOW));
        (output.status.code(), text(&output))
    }
}

#[test]
fn a_keyless_bundle_is_told_beside_the_cards() {
    let ca = Ca::new();
    let statement = ca.statement("p01");
    let value: Value = serde_json::from_str(&statement).unwrap();
    assert_eq!(value["predicate"]["person"], "p01", "{statement}");
    let bundle = ca.mock.signed(&statement, (ALICE, ISSUER), SIGNED).to_string();
    let (code, said) = ca.judged("p01", &bundle, IN_WINDOW);
    assert_eq!(code, Some(0), "{said}");
    let told = "  keyless p01: alice@example.org by https://issuer.example, \
                logged at 2026-03-30T10:00:0";
    assert!(said.contains("  approved by p01 p02 p03 p07\n") && said.contains(told), "{said}");
    let root = "trusted root of 2026-03-01, 31 days old, its keys until 2027-01-01\n";
    assert!(said.contains(root), "{said}");
    let (code, judged) = ca.client(&bundle, &ca.mock.folder.join("trusted_root.json"));
    assert_eq!((code, judged.trim()), (Some(0), "verified"));
    // The same statement in another form is the same; with one line feed more, too.
    let pretty = serde_json::to_string_pretty(&value).unwrap() + "\n";
    let pretty = ca.mock.signed(&pretty, (ALICE, ISSUER), SIGNED).to_string();
    let (code, said) = ca.judged("p01", &pretty, IN_WINDOW);
    assert_eq!(code, Some(0), "{said}");
    fs::write(ca.bundle("p01"), &bundle).unwrap();
    let (code, said) = ca.check("ja", &[], IN_WINDOW);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("trusted root は 2026-03-01 のもの(31 日前)"), "{said}");
    // It is no approval: without the card, the card is asked for.
    let card = ca.held.plan().join("approvals/p01.toml");
    fs::remove_file(&card).unwrap();
    let (code, said) = ca.check("en", &[], IN_WINDOW);
    assert!(code == Some(5) && said.contains("approvals by card: p01"), "{code:?} {said}");
    // A drill has approvals of its own, and leaves the bundle of the real ceremony alone.
    for person in ["p01", "p02", "p03", "p07"] {
        let mut command = gishiki_at(IN_WINDOW);
        ca.held.drill.env(&mut command).args(["approve", person, "--drill"]).arg(ca.held.plan());
        command.args(["--module", SOFTHSM, "--pin-fd", "0"]);
        let said = succeed(command.stdin(fs::File::open(ca.held.drill.path("pin")).unwrap()));
        assert!(!said.contains(PIN), "{said}");
    }
    let (code, said) = ca.check("en", &["--drill"], IN_WINDOW);
    assert!(code == Some(0) && !said.contains("keyless"), "{code:?} {said}");
}

/// Whose bundle it is, what was signed, by which identity and issuer, when, and the words by which
/// it is refused.
type Case<'a> = (&'a str, &'a str, (&'a str, &'a str), &'a str, &'a str);

#[test]
fn a_bundle_of_another_identity_issuer_or_statement_is_refused() {
    let ca = Ca::new();
    let statement = ca.statement("p01");
    let with = |from: &str, to: &str| {
        assert!(statement.contains(from), "{from}: {statement}");
        statement.replacen(from, to, 1)
    };
    let value: Value = serde_json::from_str(&statement).unwrap();
    let subject = |name: &str| {
        let subjects = value["subject"].as_array().unwrap();
        let one = subjects.iter().find(|one| one["name"] == name).unwrap();
        one["digest"]["sha256"].as_str().unwrap().to_string()
    };
    let other = Digest::of(b"another plan").to_string();
    let (graph, bindings) = (with(&subject("graph"), &other), with(&subject("bindings"), &other));
    let twice = with("\"person\":\"p01\"", "\"person\":\"p02\",\"person\":\"p01\"");
    let alice = (ALICE, ISSUER);
    let cases: [Case<'_>; 14] = [
        ("p01", &statement, ("mallory@example.org", ISSUER), SIGNED, "the identity mallory@"),
        ("p01", &statement, ("alice@example.org.evil", ISSUER), SIGNED, "the identity alice@"),
        ("p01", &statement, (ALICE, "https://other.example"), SIGNED, "the issuer https://other"),
        ("p01", &graph, alice, SIGNED, "whose graph is"),
        ("p01", &bindings, alice, SIGNED, "whose bindings is"),
        ("p01", &with("\"mdoc-root\"", "\"utopia-mdl\""), alice, SIGNED, "whose ca is mdoc-root"),
        ("p01", &with("genesis", "sequel"), alice, SIGNED, "whose ceremony is 2026-04-genesis"),
        ("p01", &ca.statement("p02"), alice, SIGNED, "whose person is p01"),
        ("p01", &with("approval/v1", "approval/v2"), alice, SIGNED, "whose predicateType is"),
        ("p01", &twice, alice, SIGNED, "another payload: duplicate field `person`"),
        ("p01", &with("{", "{\"note\":1,"), alice, SIGNED, "another payload: unknown field `note`"),
        ("p02", &ca.statement("p02"), alice, SIGNED, "identity and issuer of p02 in the policy"),
        ("p13", &statement, alice, SIGNED, "somebody whose approval plan or policy asks for"),
        ("p01", &statement, alice, "2026-01-15 00:00:00", "an approval by p01 at most 60 days"),
    ];
    for (person, payload, identity, time, words) in cases {
        let bundle = ca.mock.signed(payload, identity, time).to_string();
        let (code, said) = ca.judged(person, &bundle, IN_WINDOW);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let refused = code == Some(5) && said.contains("S-APPROVED") && said.contains(words);
        assert!(refused, "{words}: {code:?} {said}");
        // Whose it is, the client says too; what it signs is not its question.
        let (code, judged) = ca.client(&bundle, &ca.mock.folder.join("trusted_root.json"));
        assert_eq!(code == Some(0), identity == alice, "{words}: {judged}");
    }
}

/// Sigstore's verifiers look at one name of a certificate; a policy names the whole of it.
#[test]
fn a_certificate_of_two_names_is_refused() {
    let ca = Ca::new();
    let statement = ca.statement("p01");
    for further in [&["https://other.example"][..], &[ALICE], &["a:1", "a:2"]] {
        let bundle = ca.mock.signed_with(&statement, (ALICE, ISSUER), further, SIGNED).to_string();
        let (code, said) = ca.judged("p01", &bundle, IN_WINDOW);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == Some(5) && said.contains("S-APPROVED"), "{code:?} {said}");
        assert!(said.contains("a certificate with one identity, and no other name"), "{said}");
        let names = format!("found: {} names; delete the bundle of p01, or", further.len() + 1);
        assert!(said.contains(&names), "{names}: {said}");
    }
}

/// Whoever checks before the day on which the trusted root was obtained has a wrong day or clock.
#[test]
fn a_trusted_root_that_is_yet_to_be_obtained_is_refused() {
    let ca = Ca::approved("2026-04-01", SIGNED);
    let bundle = ca.mock.signed(&ca.statement("p01"), (ALICE, ISSUER), SIGNED).to_string();
    let (code, said) = ca.judged("p01", &bundle, "2026-03-31 01:00:00");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == Some(5) && said.contains("a trusted root obtained by 2026-03-31"), "{said}");
    assert!(said.contains("2026-04-01: correct obtained in the policy"), "{said}");
    let (code, said) = ca.judged("p01", &bundle, IN_WINDOW);
    assert_eq!(code, Some(0), "{said}");
}

/// A bundle as it is after one thing was changed, or came from another by the same signer: where,
/// and the words of the refusal.
fn tampered(good: &Value, earlier: &Value) -> Vec<(String, Value, &'static str)> {
    let (material, entry) = ("/verificationMaterial", "/verificationMaterial/tlogEntries/0");
    let at = |place: &str| good.pointer(place).unwrap().clone();
    // One octet of what stands in base64, some way before its end.
    let changed = |place: &str| {
        let mut text = at(place).as_str().unwrap().to_string();
        let at = text.len() - 20;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        text.replace_range(at..=at, other);
        Value::from(text)
    };
    let integrated: u64 = at(&format!("{entry}/integratedTime")).as_str().unwrap().parse().unwrap();
    let cases: [(String, Option<Value>, &'static str); 11] = [
        ("/dsseEnvelope/signatures/0/sig".into(), None, "a signature that does not verify"),
        (format!("{material}/certificate/rawBytes"), None, "a certificate that does not verify"),
        (format!("{entry}/canonicalizedBody"), None, "a log entry that does not verify"),
        (
            format!("{entry}/inclusionProof/rootHash"),
            None,
            "inclusion proof root hash does not match",
        ),
        (
            format!("{entry}/inclusionPromise/signedEntryTimestamp"),
            None,
            "a log entry that does not verify",
        ),
        (
            format!("{entry}/integratedTime"),
            Some((integrated - 1).to_string().into()),
            "a log entry that does not verify",
        ),
        (format!("{material}/tlogEntries"), Some(json!([])), "that does not verify"),
        (
            format!("{material}/certificate"),
            earlier.pointer(&format!("{material}/certificate")).cloned(),
            "a signature that does not verify",
        ),
        (entry.into(), earlier.pointer(entry).cloned(), "a log entry that does not verify"),
        (
            "/dsseEnvelope/payload".into(),
            earlier.pointer("/dsseEnvelope/payload").cloned(),
            "another payload: missing field",
        ),
        (
            "/dsseEnvelope/signatures/0".into(),
            earlier.pointer("/dsseEnvelope/signatures/0").cloned(),
            "a signature that does not verify",
        ),
    ];
    let made = |(place, put, words): (String, Option<Value>, &'static str)| {
        let mut bundle = good.clone();
        *bundle.pointer_mut(&place).unwrap() = put.unwrap_or_else(|| changed(&place));
        (place, bundle, words)
    };
    cases.into_iter().map(made).collect()
}

#[test]
fn a_tampered_bundle_and_another_trusted_root_are_refused() {
    let ca = Ca::new();
    let statement = ca.statement("p01");
    let good = ca.mock.signed(&statement, (ALICE, ISSUER), SIGNED);
    let earlier = ca.mock.signed("{}", (ALICE, ISSUER), SIGNED);
    let trusted = ca.mock.folder.join("trusted_root.json");
    for (place, bundle, words) in tampered(&good, &earlier) {
        let (code, said) = ca.judged("p01", &bundle.to_string(), IN_WINDOW);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let refused = code == Some(5) && said.contains("S-APPROVED") && said.contains(words);
        assert!(refused, "{place}: {code:?} {said}");
        let (code, judged) = ca.client(&bundle.to_string(), &trusted);
        assert_eq!(code, Some(1), "{place}: {judged}");
    }
    let refused = |bundle: &str, time: &str, words: &str| {
        let (code, said) = ca.judged("p01", bundle, time);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == Some(5) && said.contains(words), "{words}: {code:?} {said}");
    };
    refused("{}", IN_WINDOW, "a Sigstore bundle");
    // Signed before another instance of Sigstore.
    let other = Mock::found(ca.held.drill.path("other"));
    let signed = other.signed(&statement, (ALICE, ISSUER), SIGNED).to_string();
    refused(&signed, IN_WINDOW, "a log entry that does not verify");
    assert_eq!(ca.client(&signed, &trusted).0, Some(1));
    assert_eq!(ca.client(&signed, &other.folder.join("trusted_root.json")).0, Some(0));
    // A trusted root that the policy does not pin, though the bundle would be good by it.
    ca.put_root(&other.root());
    refused(&signed, IN_WINDOW, "trusted_root.json with the SHA-256 of the policy");
    fs::remove_file(ca.held.drill.path("mdoc-root/trusted_root.json")).unwrap();
    refused(&good.to_string(), IN_WINDOW, "S-FILE");
}
