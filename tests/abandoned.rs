//! A ceremony that could not be sealed, because its token died in it: its journal enters a ledger,
//! its digest stands in the next plan, and a token with copies takes the place of the lost one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::life::history::{CEREMONIES, History};
use crate::second::second;
use crate::support::{SOFTHSM, copy, faulty_module, files, gishiki, root, run, succeed, text};

const LOST: &str = "2027-03-ds";
const NEXT: &str = "2027-04-recovery";

/// Two DS certificates, the CRLs: the ceremony in which the token dies. The requests are those of
/// later ceremonies, so nobody has certified their keys.
fn lost_plan() -> String {
    let sample = root().join("ceremony-plans/mdoc-root");
    let plan = fs::read_to_string(sample.join("2026-06-ds/plan.toml")).unwrap();
    let plan = plan
        .replace("\"2026-06-ds\"", &format!("\"{LOST}\""))
        .replace("2026-04-genesis", "2026-12-backup-drill")
        .replace("= 2\n", "= 6\n")
        .replace("39784aac", "5b784aac")
        .replace("c5800aa3", "d6800aa3")
        .replace("a-2026-06", "a-2027-03")
        .replace("2026-06-30", "2027-03-24")
        .replace("2026-06-", "2027-03-")
        .replace("2026-09-28", "2027-06-22");
    [
        ("ds-0001", "ds-0005", "2031-06-two-generations"),
        ("ds-0002", "ds-0006", "2031-09-destruction"),
    ]
    .into_iter()
    .fold(plan, |plan, (from, to, ceremony)| {
        let digest = |name: &str, ceremony: &str| {
            let request = fs::read(sample.join(ceremony).join(format!("{name}.csr"))).unwrap();
            ceremony::hex::Digest::of(&request).to_string()
        };
        plan.replace(from, to).replace(&digest(from, "2026-06-ds"), &digest(to, ceremony))
    })
}

/// The plan after it, with this line on the ceremony that could not be sealed.
fn next_plan(abandoned: &str) -> String {
    format!(
        "format = 1\nceremony = \"{NEXT}\"\nafter = \"{LOST}\"\n{abandoned}sequence = 7\n\
         window = {{ from = 2027-04-02T10:00:00+09:00, until = 2027-04-02T17:00:00+09:00 }}\n\
         serials = \"7c569920d43f2ef791f82995c369cf468f6963cd0dff0f440d7af23ed918fd50\"\n\
         participants = [\"p01\", \"p02\", \"p03\", \"p04\", \"p05\", \"p07\", \"p09\", \"p10\", \"p12\", \"p13\"]\n\
         release = [\"ds-0005\", \"ds-0006\"]\n\
         [recovery]\ntoken = \"vault\"\nlost = \"HSM FAKE-HSM-0001 died on 2027-03-24; sealed in bag 0612\"\n\
         approved-by = [\"j-lis\", \"digital-agency\"]\n\
         [crls]\nnext-ceremony = 2027-06-22\n"
    )
}

/// A plan of the sample CA in this history's folder.
fn write(history: &History, ceremony: &str, plan: &str) -> PathBuf {
    let folder = history.folder().join("ca").join(ceremony);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("plan.toml"), plan).unwrap();
    folder
}

fn check(history: &History, plan: &Path) -> Output {
    run(gishiki().arg("check").arg(plan).arg("--ledger").arg(history.ledger()))
}

fn state(history: &History) -> Value {
    let said = succeed(gishiki().arg("state").arg(history.ledger()).arg("--json"));
    serde_json::from_str(&said).unwrap()
}

/// Holds the ceremony until its token dies: the first sheet is lost once, then made; of the second
/// nobody knows.
fn die(history: &History, plan: &Path) {
    let module = faulty_module();
    let killed = history.run_plan(plan, &module, Some("C_Sign#2:kill-after"));
    assert_eq!(killed.status.code(), None, "{}", text(&killed));
    let killed = history.resume_plan(plan, &module, 1, Some("C_Sign#9:kill-after"));
    assert_eq!(killed.status.code(), None, "{}", text(&killed));
    history.lose_root_token();
    let stopped = history.resume_plan(plan, &module, 2, None);
    assert_eq!(stopped.status.code(), Some(3), "{}", text(&stopped));
    assert!(text(&stopped).contains("no token with serial number"), "{}", text(&stopped));
    assert!(!history.out(LOST).exists());
}

/// Abandons it; the digest that people sign on paper.
fn abandon(history: &History) -> String {
    let mut abandon = gishiki();
    abandon.arg("abandon");
    for journal in history.journals(LOST) {
        abandon.arg("--journal").arg(journal);
    }
    abandon.arg("--ledger").arg(history.ledger());
    let said = succeed(abandon.arg("--out").arg(history.out(LOST)));
    let digest = said.lines().find_map(|line| line.trim().strip_prefix("sha256 ")).unwrap();
    let journal = fs::read(history.journals(LOST)[0].join("journal.jsonl")).unwrap();
    assert_eq!(digest, ceremony::hex::Digest::of(&journal).to_string());
    digest.to_string()
}

#[test]
fn a_ceremony_whose_token_died_is_abandoned_and_its_copy_goes_on() {
    let history = History::new();
    for ceremony in &CEREMONIES[..5] {
        let output = history.run(ceremony, Path::new(SOFTHSM), None);
        assert!(output.status.success(), "{ceremony}: {}", text(&output));
    }
    let ca = root().join("ceremony-plans/mdoc-root");
    copy(&ca, &history.folder().join("ca"));
    let plan = write(&history, LOST, &lost_plan());
    for (name, ceremony) in
        [("ds-0005.csr", "2031-06-two-generations"), ("ds-0006.csr", "2031-09-destruction")]
    {
        fs::copy(ca.join(ceremony).join(name), plan.join(name)).unwrap();
    }
    die(&history, &plan);
    let digest = abandon(&history);
    let left = files(&history.out(LOST));
    assert!(!left.keys().any(|name| name.ends_with(".der") || name.ends_with(".crl")), "{left:?}");
    // While it is the last, the ledger has no sealed head.
    let verify = || run(gishiki().arg("verify").arg(history.ledger()).arg("--drill"));
    let output = verify();
    assert!(!output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("S-ABANDONED"), "{}", text(&output));
    judge_state(&history, &digest);
    judge_plans(&history, &digest);
    // On the copy, with the digest of the paper.
    let next = write(&history, NEXT, &next_plan(&format!("abandoned = \"{digest}\"\n")));
    let output = check(&history, &next);
    assert!(output.status.success(), "{}", text(&output));
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(&next).arg("--ledger").arg(history.ledger());
    succeed(rehearse.arg("--out").arg(history.folder().join("rehearsed")));
    let output = history.run_plan(&next, Path::new(SOFTHSM), None);
    assert!(output.status.success(), "{}", text(&output));
    let output = verify();
    assert!(output.status.success(), "{}", text(&output));
    let graph = |folder: &Path| fs::read_to_string(folder.join("graph.txt")).unwrap();
    assert!(graph(&history.out(NEXT)) == graph(&history.folder().join("rehearsed")));
    judge_folder(&history, &next);
    assert!(history.out(NEXT).join("ds-0005.der").exists());
    let now = state(&history);
    assert_eq!((&now["last"], &now["abandoned"]), (&Value::from(NEXT), &Value::Null));
    // A journal that was changed afterwards is another one.
    let journal = history.out(LOST).join("journal.jsonl");
    let mut octets = fs::read(&journal).unwrap();
    let end = octets[..octets.len() - 1].iter().rposition(|octet| *octet == b'\n').unwrap();
    octets.truncate(end + 1);
    fs::write(&journal, octets).unwrap();
    let output = verify();
    assert!(!output.status.success(), "{}", text(&output));
}

/// What was signed is withheld, what may have been signed is burned; nothing was handed out.
fn judge_state(history: &History, digest: &str) {
    let state = state(history);
    assert_eq!((&state["last"], &state["abandoned"]), (&Value::from(LOST), &Value::from(digest)));
    let of = |list: &str, key: &str| -> Vec<Value> {
        let all = state[list].as_array().unwrap().iter();
        all.filter(|one| ["ds-0005", "ds-0006"].contains(&one[key].as_str().unwrap()))
            .cloned()
            .collect()
    };
    let certificates = of("certificates", "name");
    assert_eq!(certificates.len(), 2);
    assert!(certificates.iter().all(|one| one["withheld"] == true), "{certificates:?}");
    let burned = of("burned", "certificate");
    assert_eq!(burned.len(), 2, "{burned:?}");
    let serials = |list: &[Value]| -> Vec<String> {
        list.iter().map(|one| one["serial"].to_string()).collect()
    };
    let used = serials(&certificates);
    assert!(serials(&burned).iter().all(|serial| !used.contains(serial)));
}

/// The next plan names the digest, and no other.
fn judge_plans(history: &History, digest: &str) {
    let other = format!("abandoned = \"{}\"\n", "0".repeat(64));
    for line in ["", other.as_str()] {
        let plan = write(history, NEXT, &next_plan(line));
        let output = check(history, &plan);
        assert_eq!(output.status.code(), Some(2), "{line}: {}", text(&output));
        assert!(text(&output).contains("S-ABANDONED"), "{line}: {}", text(&output));
        assert!(text(&output).contains(digest), "{line}: {}", text(&output));
        let output = history.run_plan(&plan, Path::new(SOFTHSM), None);
        assert_eq!(output.status.code(), Some(2), "{line}: {}", text(&output));
        assert!(!history.out(NEXT).exists());
    }
}

/// The folder holds the journal and its inputs, and nothing beside them: neither the ledger nor a
/// plan on it is judged with a file more or less.
fn judge_folder(history: &History, next: &Path) {
    let lost = history.out(LOST);
    let refused = |name: &str, code: i32| {
        let mut state = gishiki();
        state.arg("state").arg(history.ledger());
        let mut verify = gishiki();
        verify.arg("verify").arg(history.ledger()).arg("--drill");
        for output in [run(&mut verify), run(&mut state), check(history, next)] {
            let said = text(&output);
            assert_eq!(output.status.code(), Some(code), "{name}: {said}");
            assert!(said.contains(name), "{name}: {said}");
        }
    };
    let plain = || {
        let output = check(history, next);
        assert!(output.status.success(), "{}", text(&output));
    };
    for name in ["ds-0005.der", "manifest.json", "transcript.sigstore.json", "inputs/note.txt"] {
        fs::write(lost.join(name), "more").unwrap();
        refused(name.trim_start_matches("inputs/"), 4);
        fs::remove_file(lost.join(name)).unwrap();
    }
    fs::create_dir(lost.join("empty")).unwrap();
    refused("empty", 4);
    fs::remove_dir(lost.join("empty")).unwrap();
    std::os::unix::fs::symlink("journal.jsonl", lost.join("again.jsonl")).unwrap();
    refused("again.jsonl", 5);
    fs::remove_file(lost.join("again.jsonl")).unwrap();
    // Other inputs: the second verifier compiles nothing, and has their digests in the journal.
    let ledger = history.ledger();
    assert_eq!(second(&ledger, &["--drill"]).0, Some(0), "{}", second(&ledger, &["--drill"]).1);
    for name in ["plan.toml", "cps.toml", "policy.toml", "roster.toml"] {
        let path = lost.join("inputs").join(name);
        let own = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{own}# more\n")).unwrap();
        let (code, said) = second(&ledger, &["--drill"]);
        assert!(code == Some(4) && said.contains("inputs"), "{name}: {code:?} {said}");
        fs::write(&path, own).unwrap();
    }
    // A roster less.
    let roster = lost.join("inputs/roster.toml");
    let octets = fs::read(&roster).unwrap();
    fs::remove_file(&roster).unwrap();
    refused("roster", 4);
    fs::write(&roster, octets).unwrap();
    plain();
}
