//! What must not be published is refused, whatever it is called and wherever it stands.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scene::{Scene, copy, root};

/// One forbidden publication: what it is, where it is put, and the rule that refuses it.
struct Case {
    what: &'static str,
    place: &'static str,
    octets: Vec<u8>,
    rule: &'static str,
}

fn golden(path: &str) -> Vec<u8> {
    fs::read(root().join("golden").join(path)).unwrap()
}

fn text(path: &str) -> String {
    String::from_utf8(golden(path)).unwrap()
}

fn case(what: &'static str, place: &'static str, octets: Vec<u8>) -> Case {
    Case { what, place, octets, rule: "S-PUBLISH" }
}

/// In PEM, as OpenSSL writes it.
fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let mut command = std::process::Command::new("openssl");
    let file = crate::scene::folder().join("der");
    fs::write(&file, der).unwrap();
    let base64 = crate::scene::succeed(command.args(["base64", "-in"]).arg(file));
    let base64 = String::from_utf8(base64).unwrap();
    format!("-----BEGIN {label}-----\n{base64}-----END {label}-----\n").into_bytes()
}

const DS: &str = "mdoc-root/2026-06-ds";

/// Files that are put into a release.
fn files() -> Vec<Case> {
    let ds = golden("mdoc-root/2026-06-ds/ds-0001.der");
    let ca = golden("mdoc-root/2026-04-genesis/root-g1.der");
    let crl = golden("mdoc-root/2026-06-ds/crl-g1-2026-07-01.crl");
    let notice = text("mdoc-root/2026-10-ds-compromise/notice.en.md");
    let mut changed = crl.clone();
    *changed.last_mut().unwrap() ^= 1;
    let of = |name: &str| golden(&format!("{DS}/{name}"));
    vec![
        case("a DS certificate", "2026-06-ds/public/ds-0001.der", ds.clone()),
        case(
            "another under the name of a root",
            "2026-06-ds/public/root-g9.der",
            of("ds-0002.der"),
        ),
        case("one under the name of a CRL", "2026-06-ds/public/crl-g1-2026-07-01.crl", ds.clone()),
        case("one in PEM", "2026-06-ds/public/root.pem", pem("CERTIFICATE", &ds)),
        case("one behind a root", "2026-06-ds/public/roots.der", [ca.clone(), ds.clone()].concat()),
        case("one before a root", "2026-06-ds/public/roots.der", [ds.clone(), ca.clone()].concat()),
        case("one behind a CRL", "2026-06-ds/public/a.crl", [crl.clone(), ds].concat()),
        case("its readable form", "2026-06-ds/public/ds.txt", of("ds-0001.txt")),
        case("the transcript", "2026-06-ds/public/transcript.jsonl", of("transcript.jsonl")),
        case("it as a notice", "2026-06-ds/public/notice.ja.md", of("transcript.jsonl")),
        case("the postscript", "2026-06-ds/public/after.jsonl", of("after.jsonl")),
        case("the bundle", "2026-06-ds/public/bundle.json", of("transcript.sigstore.json")),
        case("the script", "2026-06-ds/public/script.ja.md", of("script.ja.md")),
        case("the script as a notice", "2026-06-ds/public/notice.en.md", of("script.en.md")),
        case("the roster", "2026-06-ds/public/roster.toml", of("inputs/roster.toml")),
        case("the plan", "2026-06-ds/public/plan.toml", of("inputs/plan.toml")),
        case("the policy", "2026-06-ds/public/policy.toml", of("inputs/policy.toml")),
        case("cps.toml", "2026-06-ds/public/cps.toml", of("inputs/cps.toml")),
        case("the bindings", "2026-06-ds/public/bindings.txt", of("bindings.txt")),
        case("the graph", "2026-06-ds/public/graph.txt", of("graph.txt")),
        case("the list of CRLs to come", "2026-06-ds/public/crls.txt", of("crls.txt")),
        case("a person's name", "2026-06-ds/public/notice.ja.md", "FAKE Kagi Ichiro\n".into()),
        case(
            "a notice that says who",
            "2026-10-ds-compromise/public/a.md",
            notice.replace("Fetch", "FAKE Kagi Ichiro lost it. Fetch").into_bytes(),
        ),
        case(
            "a notice that says how",
            "2026-10-ds-compromise/public/a.md",
            format!("{notice}\nThe HSM was left in a train.\n").into_bytes(),
        ),
        case("another CA's root", "2026-06-ds/public/root.der", utopia("der")),
        case("another CA's CRL", "2026-06-ds/public/a.crl", utopia("crl")),
        case("a root of a later ceremony", "2026-06-ds/public/root-g2.der", {
            golden("mdoc-root/2031-03-rollover/root-g2.der")
        }),
        case("a CRL of another ceremony", "2026-06-ds/public/a.crl", {
            golden("mdoc-root/2026-09-renewal/crl-g1-2026-10-14.crl")
        }),
        case("a changed CRL", "2026-06-ds/public/crl-g1-2026-07-01.crl", changed),
        case("a private key", "2026-06-ds/public/key.pem", pem("PRIVATE KEY", &[7; 48])),
        case("an empty file", "2026-06-ds/public/root.der", Vec::new()),
        case("a file beside the manifest", "2026-06-ds/reasons.txt", "why\n".into()),
        case(
            "a file beside the proof",
            "2026-06-ds/proof/transcript.jsonl",
            of("transcript.jsonl"),
        ),
        case("another cps.toml", "2026-06-ds/proof/cps.toml", of("inputs/policy.toml")),
        Case { rule: "S-SEAL", ..case("another audit key", "2026-06-ds/proof/audit-key.der", ca) },
        Case {
            rule: "S-SIGNATURE",
            ..case("another statement", "2026-06-ds/proof/statement.sigstore.json", {
                forged(&text(&format!("{DS}/transcript.sigstore.json"))).into_bytes()
            })
        },
        Case {
            rule: "S-ARTEFACT",
            ..case("another manifest", "2026-06-ds/manifest.json", "{}\n".into())
        },
    ]
}

/// A root or a CRL of the other sample CA.
fn utopia(ending: &str) -> Vec<u8> {
    let mut open = vec![root().join("golden/utopia-mdl")];
    while let Some(folder) = open.pop() {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let is_it = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let begins = if ending == "der" { "root" } else { "crl" };
            name.starts_with(begins) && name.ends_with(&format!(".{ending}"))
        };
        if let Some(path) = paths.iter().find(is_it) {
            return fs::read(path).unwrap();
        }
        open.extend(paths.into_iter().filter(|path| path.is_dir()));
    }
    panic!("no {ending} of utopia-mdl")
}

/// The bundle with the signature of another.
fn forged(bundle: &str) -> String {
    let signature = |text: &str| {
        let behind = text.split_once("\"sig\":\"").unwrap().1;
        behind.split_once('"').unwrap().0.to_string()
    };
    let other = text("mdoc-root/2026-04-genesis/transcript.sigstore.json");
    bundle.replace(&signature(bundle), &signature(&other))
}

/// The whole content of a folder, to see that nothing changed.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut open, mut found) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push((path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

const ALL: [&str; 4] =
    ["2026-04-genesis", "2026-06-ds", "2026-09-renewal", "2026-10-ds-compromise"];

#[test]
fn what_must_not_be_published_is_refused() {
    let scene = Scene::with(&ALL);
    scene.synced("2026-10-15T00:00:05+09:00", 0);
    let (out, whole) = (content(&scene.web()), scene.folder.join("whole"));
    copy(&scene.releases(), &whole);
    let cases = files();
    for Case { what, place, octets, rule } in &cases {
        fs::write(scene.releases().join(place), octets).unwrap();
        let said = scene.synced("2026-10-16T00:00:05+09:00", 4);
        assert!(said.contains(rule), "{what}: {said}");
        assert!(content(&scene.web()) == out, "{what}: something went out");
        fs::remove_dir_all(scene.releases()).unwrap();
        copy(&whole, &scene.releases());
    }
    println!("{} forbidden files, each refused", cases.len());
    assert!(cases.len() >= 30);
    scene.synced("2026-10-16T00:00:05+09:00", 0);
}

#[test]
fn releases_that_are_no_history_of_this_ca_are_refused() {
    let scene = Scene::with(&ALL);
    scene.synced("2026-10-15T00:00:05+09:00", 0);
    let (one, twice) = ("2026-06-ds", scene.releases().join("2026-06-again"));
    copy(&scene.releases().join(one), &twice);
    let said = scene.synced("2026-10-16T00:00:05+09:00", 4);
    assert!(said.contains("S-LEDGER"), "{said}");
    fs::remove_dir_all(twice).unwrap();
    // A rehearsal is no drill, and no real ceremony that an anchor pins.
    let digest = "0".repeat(64);
    let anchor = format!(
        "format = 1\nca = \"mdoc-root\"\nmode = \"real\"\n[[ceremony]]\nsequence = 1\n\
         name = \"2026-04-genesis\"\nbindings = \"{digest}\"\nhead = \"{digest}\"\n\
         postscript = \"{digest}\"\naudit-key = \"{digest}\"\nsigned-on = 2026-04-01\n"
    );
    let file = scene.folder.join("anchor.toml");
    fs::write(&file, anchor).unwrap();
    for trust in [vec!["--drill".into()], vec!["--anchor".into(), file.display().to_string()]] {
        let asked = scene.sync("2026-10-16T00:00:05+09:00");
        let words = asked.get_args().map(|word| word.to_str().unwrap().to_string());
        let mut words: Vec<String> = words.filter(|word| word != "--rehearsal").collect();
        words.extend(trust.clone());
        let output = std::process::Command::new(crate::scene::DTS).args(words).output().unwrap();
        let said = crate::scene::text(&output);
        assert!(output.status.code() == Some(4) && said.contains("S-MODE"), "{trust:?}: {said}");
    }
    // A link, a folder.
    let crl = scene.releases().join("2026-06-ds/public/crl-g1-2026-07-01.crl");
    let octets = fs::read(&crl).unwrap();
    fs::remove_file(&crl).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &crl).unwrap();
    assert!(scene.synced("2026-10-16T00:00:05+09:00", 5).contains("crl-g1-2026-07-01"));
    fs::remove_file(&crl).unwrap();
    fs::write(&crl, octets).unwrap();
    fs::create_dir(scene.releases().join("2026-06-ds/public/more")).unwrap();
    assert!(scene.synced("2026-10-16T00:00:05+09:00", 5).contains("more"));
}

/// The manifest labels every file of a release, and the anchor of the label is where it lies.
#[test]
fn every_item_of_a_release_is_labelled() {
    let release = crate::scene::all_releases().join("2031-03-rollover");
    let manifest = fs::read_to_string(release.join("manifest.json")).unwrap();
    let rows: Vec<&str> = manifest.split('{').collect();
    let mut counts = [0, 0];
    for (folder, label) in [("public", "not confidential"), ("proof", "confidential")] {
        for entry in fs::read_dir(release.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let file = format!("\"file\": \"{folder}/{name}\"");
            let row =
                rows.iter().find(|row| row.contains(&file)).unwrap_or_else(|| panic!("{name}"));
            assert!(row.contains(&format!("\"label\": \"{label}\"")), "{row}");
            counts[usize::from(folder == "proof")] += 1;
        }
    }
    // A root, two links, the CRLs of two keys, the CP/CPS.
    assert!(counts[0] > 100 && counts[1] == 3, "{counts:?}");
}
