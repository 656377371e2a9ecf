//! A second CA, as different from the first as ISO/IEC 18013-5 lets it be: its goldens, a drill on
//! a token, and the judgement of other people's validators.
//!
//! It keeps the engine honest: nothing in it may know the numbers, roles or names of one CA.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::x509::trust_anchor::{PemTrustAnchor, TrustAnchorRegistry, TrustPurpose};
use isomdl::definitions::x509::validation::ValidationRuleset;

use crate::issuing;
use crate::support::{
    Drill, assert_same_to_be_signed, at_time, copy, files, gishiki, gishiki_at, renewing, root,
    run, succeed, text,
};

const CEREMONIES: [&str; 5] =
    ["2027-01-genesis", "2027-03-issue", "2027-08-revocation", "2034-02-rollover", "2034-03-issue"];

fn plans() -> PathBuf {
    root().join("ceremony-plans/utopia-mdl")
}

fn goldens() -> PathBuf {
    root().join("golden/utopia-mdl")
}

#[test]
fn every_golden_of_the_second_ca_is_what_a_rehearsal_gives() {
    if renewing() {
        let _ = fs::remove_dir_all(goldens());
        succeed(gishiki().arg("rehearse").arg(plans()).arg("--out").arg(goldens()));
    }
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(plans()).arg("--compare").arg(goldens());
    let said = succeed(rehearse.env("TZ", "America/St_Johns").current_dir("/"));
    assert_eq!(said.lines().count(), CEREMONIES.len(), "{said}");
    let said = succeed(gishiki().arg("verify").arg(goldens()).arg("--rehearsal"));
    assert!(CEREMONIES.iter().all(|ceremony| said.contains(&format!("✓ {ceremony} "))), "{said}");
    // Its language is English: no paper of it is in another one.
    let papers: Vec<String> = files(&goldens()).into_keys().collect();
    assert!(papers.iter().any(|name| name.ends_with("script.en.md")));
    assert!(!papers.iter().any(|name| name.contains(".ja.")), "{papers:?}");
}

/// The same plan gives the same octets to sign on a token of other people's making.
#[test]
fn its_genesis_on_a_token_signs_the_same_octets() {
    let drill = Drill::new();
    let mut command = gishiki_at("2027-01-11 09:30:00");
    command.arg("run").arg(plans().join(CEREMONIES[0]));
    let held = drill.run_command(Path::new("PLAN"));
    command.args(held.get_args().skip_while(|word| *word != "--room"));
    drill.env(&mut command).stdin(fs::File::open(drill.path("pin")).unwrap());
    succeed(&mut command);
    assert!(drill.verify().contains("utopia-mdl 2027-01-genesis"));
    assert_same_to_be_signed(&drill.path("out"), &goldens().join(CEREMONIES[0]));
}

/// Its CP/CPS lets a window cross midnight: what dates follow from is the day on which it began.
#[test]
fn a_genesis_past_midnight_is_of_the_day_on_which_its_window_began() {
    let drill = Drill::new();
    let ca = drill.path("ca");
    copy(&plans(), &ca);
    let plan = ca.join(CEREMONIES[0]).join("plan.toml");
    let at = fs::read_to_string(&plan).unwrap();
    let window = "from = 2027-01-11T09:00:00+00:00, until = 2027-01-11T16:00:00+00:00";
    let night = "from = 2027-01-11T22:00:00+00:00, until = 2027-01-12T05:00:00+00:00";
    assert!(at.contains(window));
    fs::write(&plan, at.replace(window, night)).unwrap();
    let mut command = gishiki_at("2027-01-12 00:30:00");
    command.arg("run").arg(ca.join(CEREMONIES[0]));
    let held = drill.run_command(Path::new("PLAN"));
    command.args(held.get_args().skip_while(|word| *word != "--room"));
    drill.env(&mut command).stdin(fs::File::open(drill.path("pin")).unwrap());
    succeed(&mut command);
    // Certificates and CRLs have the dates of the plan by day.
    assert_same_to_be_signed(&drill.path("out"), &goldens().join(CEREMONIES[0]));
    let ledger = drill.path("ledger");
    fs::create_dir(&ledger).unwrap();
    fs::rename(drill.path("out"), ledger.join(CEREMONIES[0])).unwrap();
    let state =
        succeed(gishiki().arg("state").arg(&ledger).args(["--drill", "--at", "2027-01-13"]));
    // Made on the second day, it is used as if made on the first.
    assert!(state.contains("made 2027-01-12T00:30:"), "{state}");
    assert!(state.contains("age 0 years 2 days, use left: 2735 days"), "{state}");
}

/// Each certificate of the goldens as PEM, in a folder of its own.
fn pems() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, der) in files(&goldens()) {
        let kind = match name.rsplit_once('.') {
            Some((_, "der")) => "CERTIFICATE",
            Some((_, "crl")) => "X509 CRL",
            _ => continue,
        };
        let file = name.rsplit_once('/').map_or(name.as_str(), |(_, file)| file);
        fs::write(folder.path().join(file), issuing::pem(kind, &der)).unwrap();
    }
    folder
}

#[test]
fn openssl_and_certtool_accept_its_chains_and_find_the_revoked_signer() {
    let folder = pems();
    let openssl = |time: &str, words: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl.args(["verify", "-attime", time]).args(words).current_dir(folder.path());
        run(&mut openssl)
    };
    let day = "1820000000"; // 2027-09-03
    for (time, words) in [
        (day, ["-x509_strict", "-CAfile", "root-g1.der", "ds-0001.der"].as_slice()),
        ("2030000000", &["-x509_strict", "-CAfile", "root-g2.der", "ds-0003.der"]),
        (
            "2030000000",
            &[
                "-x509_strict",
                "-CAfile",
                "root-g1.der",
                "-untrusted",
                "new-with-old-g1-g2.der",
                "ds-0003.der",
            ],
        ),
    ] {
        let output = openssl(time, words);
        assert!(output.status.success(), "{words:?}: {}", text(&output));
    }
    let crl = "crl-g1-2027-08-09.crl";
    let checked = ["-crl_check", "-CRLfile", crl, "-CAfile", "root-g1.der"];
    let accepted = openssl(day, &[&checked[..], &["ds-0001.der"]].concat());
    assert!(accepted.status.success(), "{}", text(&accepted));
    let revoked = openssl(day, &[&checked[..], &["ds-0002.der"]].concat());
    assert!(text(&revoked).contains("certificate revoked"), "{}", text(&revoked));
    let chain = [fs::read("ds-0001.der"), fs::read("root-g1.der")];
    assert!(chain.iter().all(Result::is_err), "files of the folder are not read from elsewhere");
    let mut certtool = at_time("certtool", "2027-09-03 00:00:00");
    certtool.args(["--verify", "--load-ca-certificate", "root-g1.der", "--infile", "ds-0001.der"]);
    let output = run(certtool.current_dir(folder.path()));
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn pkilint_finds_nothing_in_it() {
    let mut linted = 0;
    for (name, _) in files(&goldens()) {
        let tool = match name.rsplit_once('.') {
            Some((_, "der")) => "lint_pkix_cert",
            Some((_, "crl")) if name.contains("08-revocation") => "lint_crl",
            _ => continue,
        };
        let mut lint = Command::new(root().join(".venv/bin").join(tool));
        let crl = ["lint", "-t", "CRL", "-p", "PKIX"].as_slice();
        lint.args(if tool == "lint_crl" { crl } else { &["lint"] });
        let said = succeed(lint.args(["-s", "NOTICE"]).arg(goldens().join(&name)));
        for severity in ["NOTICE", "WARNING", "ERROR", "FATAL"] {
            assert!(!said.contains(severity), "{name}: {said}");
        }
        linted += 1;
    }
    assert!(linted > 10, "{linted}");
}

/// A verifier of mobile driving licences takes the goldens as they are: the CA is on P-256. It
/// reads the machine's clock, so the test runs itself again at a time of the goldens.
#[test]
fn a_verifier_of_driving_licences_accepts_its_signers() {
    const INSIDE: &str = "UTOPIA_AT_ITS_TIME";
    if std::env::var_os(INSIDE).is_none() {
        let name = "utopia::a_verifier_of_driving_licences_accepts_its_signers";
        let test = std::env::current_exe().unwrap();
        let mut again = at_time(test.to_str().unwrap(), "2027-04-01 00:00:00");
        let said = succeed(again.args(["--exact", name, "--nocapture"]).env(INSIDE, "1"));
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let read = |name: &str| {
        let path = goldens().join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let judged = |root: &str, signer: &str| {
        let anchor = PemTrustAnchor {
            certificate_pem: issuing::pem("CERTIFICATE", &read(root)),
            purpose: TrustPurpose::Iaca,
        };
        let registry = TrustAnchorRegistry::from_pem_certificates(vec![anchor]).unwrap();
        let chain =
            X5Chain::builder().with_der_certificate(&read(signer)).unwrap().build().unwrap();
        ValidationRuleset::Mdl.validate(&chain, &registry).errors
    };
    let (root, signer) = ("2027-01-genesis/root-g1.der", "2027-03-issue/ds-0001.der");
    assert_eq!(judged(root, signer), Vec::<String>::new());
    assert_ne!(judged("2034-02-rollover/root-g2.der", signer), Vec::<String>::new());
}

/// The words of a CA's documents that no source of the core may have: ids and titles of roles and
/// organisations, and names.
fn words_of(ca: &str) -> BTreeSet<String> {
    let read = |name: &str| -> toml::Table {
        let path = root().join("ceremony-plans").join(ca).join(name);
        fs::read_to_string(path).unwrap().parse().unwrap()
    };
    let (policy, roster) = (read("policy.toml"), read("roster.toml"));
    let mut words = BTreeSet::new();
    for table in ["role", "organization"] {
        for (id, entry) in policy[table].as_table().unwrap() {
            words.insert(format!("\"{id}\""));
            for name in entry["name"].as_table().unwrap().values() {
                words.insert(name.as_str().unwrap().to_string());
            }
        }
    }
    for rdn in policy["ca"]["name"].as_array().unwrap() {
        let value = rdn.as_table().unwrap().values().next().unwrap().as_str().unwrap();
        words.insert(value.to_string());
    }
    for person in roster["person"].as_table().unwrap().values() {
        words.insert(person["name"].as_str().unwrap().to_string());
    }
    // Words that any text may have: a country's two letters, a role that is a common noun.
    words.retain(|word| word.chars().count() > 9 || word.chars().any(|c| c > '\u{3000}'));
    words
}

/// What a source says to the machine: without comments and unit tests.
fn product(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(code).collect::<Vec<_>>().join("\n")
}

/// Every text of a TOML document.
fn texts(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Array(values) => values.iter().flat_map(texts).collect(),
        toml::Value::Table(table) => table.values().flat_map(texts).collect(),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => Vec::new(),
    }
}

/// The spans of a CA's policy, its offset, and the clauses and decisions of its CP/CPS.
fn figures_of(ca: &str) -> BTreeSet<String> {
    let read = |name: &str| -> toml::Value {
        let path = root().join("ceremony-plans").join(ca).join(name);
        toml::Value::Table(fs::read_to_string(path).unwrap().parse().unwrap())
    };
    let (policy, cps) = (read("policy.toml"), read("cps.toml"));
    let span = |text: &String| text.ends_with("year") || text.ends_with("years") || month(text);
    let spans = texts(&policy)
        .into_iter()
        .filter(|text| text.starts_with(|first: char| first.is_ascii_digit()) && span(text));
    let mut figures: BTreeSet<String> = spans.collect();
    let offset = policy["ca"]["offset"].as_str().unwrap();
    // UTC is the offset of everything that has none.
    figures.extend((offset != "+00:00").then(|| offset.to_string()));
    for requirement in cps["rule"].as_table().unwrap().values() {
        let clause = requirement["clause"].as_str().unwrap();
        // A section of two numbers looks like any other number with a point.
        let parts = clause.split([',', ';', ' ']).filter(|part| part.matches('.').count() > 1);
        figures.extend(parts.map(String::from));
    }
    figures
}

fn month(text: &str) -> bool {
    text.ends_with("month") || text.ends_with("months")
}

/// Whether a line has this figure, and not as a part of a longer one.
fn has(line: &str, figure: &str) -> bool {
    let apart = |c: char| !c.is_alphanumeric() && c != '.';
    line.match_indices(figure).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + figure.len()..]);
        before.chars().next_back().is_none_or(apart) && after.chars().next().is_none_or(apart)
    })
}

#[test]
fn no_span_or_clause_of_a_ca_is_said_by_the_core() {
    let sources = files(&root().join("crates/ceremony/src"));
    let folders = fs::read_dir(root().join("ceremony-plans")).unwrap();
    let cas: Vec<String> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert!(cas.len() > 1, "{cas:?}");
    let mut figures: BTreeSet<String> = cas.iter().flat_map(|ca| figures_of(ca)).collect();
    assert!(figures.contains("5 years 4 months") && figures.contains("4.9.7"), "{figures:?}");
    figures.insert("Japan".into());
    let mut searched = 0;
    // What is proposed to a new CA is that CA's data: people change it.
    let of_the_core = |name: &str| !name.contains("tests") && !name.starts_with("draft/ca/");
    for (name, octets) in sources.iter().filter(|(name, _)| of_the_core(name)) {
        let text = product(&String::from_utf8_lossy(octets));
        // Standards have sections of these numbers too.
        let of_standard = |line: &&str| line.contains("RFC") || line.contains("ISO");
        for line in text.lines().filter(|line| line.contains('"') && !of_standard(line)) {
            let found: Vec<&String> = figures.iter().filter(|one| has(line, one)).collect();
            assert!(found.is_empty(), "{name}: {found:?} in {line}");
            searched += 1;
        }
    }
    assert!(searched > 2000, "{searched}");
}

#[test]
fn no_constant_of_a_ca_is_in_the_core() {
    let sources = files(&root().join("crates/ceremony/src"));
    let mut searched = 0;
    for ca in ["mdoc-root", "utopia-mdl"] {
        let words = words_of(ca);
        assert!(words.len() > 10, "{ca}: {words:?}");
        for (name, octets) in &sources {
            if name.contains("tests") {
                continue;
            }
            let text = product(&String::from_utf8_lossy(octets));
            let found: Vec<&String> =
                words.iter().filter(|word| text.contains(word.as_str())).collect();
            assert!(found.is_empty(), "{name}: {found:?} of {ca}");
            searched += 1;
        }
    }
    assert!(searched > 150, "{searched}");
}
