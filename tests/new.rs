//! What `new` writes, filled in as `check` says, is a CA and its ceremonies; and what `completions`
//! prints is a script.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ceremony::hex::Digest;

use crate::people::card;
use crate::support::{copy, files, gishiki, root, run, succeed, text};

/// How a place to be filled in begins.
const MARK: &str = "\"FILL IN: ";

/// The answers of people, by how that begins or ends which is asked.
type Answers<'a> = &'a [(&'a str, String)];

fn check(plan: &Path, ledger: Option<&Path>) -> (bool, String) {
    let mut command = gishiki();
    command.args(["--lang", "en", "check"]).arg(plan);
    if let Some(ledger) = ledger {
        command.arg("--ledger").arg(ledger);
    }
    let output = run(&mut command);
    (output.status.success(), text(&output))
}

/// The first open place in a line from this character on: its end, and what is asked in English.
fn open(line: &str) -> Option<(usize, &str)> {
    let rest = line.strip_prefix(MARK)?;
    let inside = rest.char_indices().scan(false, |escaped, (at, c)| {
        let ends = c == '"' && !*escaped;
        *escaped = c == '\\' && !*escaped;
        Some((at, ends))
    });
    let end = inside.into_iter().find(|(_, ends)| *ends)?.0;
    let (_, english) = rest[..end].split_once(" | ")?;
    Some((MARK.len() + end + 1, english))
}

/// Does what `check` says until it is content: each refusal must name a place that is open. Returns
/// how many places were filled in, and what it said at last.
fn fill(plan: &Path, ledger: Option<&Path>, answers: Answers<'_>) -> (usize, String) {
    let mut filled = 0;
    loop {
        let (accepted, said) = check(plan, ledger);
        if accepted {
            return (filled, said);
        }
        let places: BTreeSet<&str> =
            said.lines().filter_map(|line| line.split_once("╭─[")?.1.strip_suffix(']')).collect();
        assert!(!places.is_empty(), "{said}");
        assert_eq!(said.matches("S-FORM [").count(), places.len(), "{said}");
        for place in places {
            let [column, line, path] = place.rsplitn(3, ':').collect::<Vec<_>>()[..] else {
                panic!("{place}");
            };
            let (line, column): (usize, usize) = (line.parse().unwrap(), column.parse().unwrap());
            let text = fs::read_to_string(path).unwrap();
            let mut lines: Vec<String> = text.lines().map(String::from).collect();
            let (at, _) = lines[line - 1].char_indices().nth(column - 1).unwrap();
            let (before, rest) = lines[line - 1].split_at(at);
            let (end, asked) = open(rest).unwrap_or_else(|| panic!("{place}: {rest}\n{said}"));
            // Long sentences are shown on several lines.
            let joined = |text: &str| text.replace(['\n', ' ', '│'], "");
            let sought = format!("asked: {}found", asked.replace("\\\"", "\""));
            assert!(joined(&said).contains(&joined(&sought)), "{said}");
            let known =
                answers.iter().find(|(part, _)| asked.starts_with(part) || asked.ends_with(part));
            let (_, answer) = known.unwrap_or_else(|| panic!("nobody knows: {asked}"));
            // No two people have one card, and no two applications one paper.
            let answer = answer.replace("UNIQUE", &Digest::of(&[filled as u8]).to_string());
            let card = card(&format!("p{filled}").parse().unwrap()).to_string();
            let answer = answer.replace("CARD", &card);
            lines[line - 1] = format!("{before}{answer}{}", &rest[end..]);
            fs::write(path, lines.join("\n") + "\n").unwrap();
            filled += 1;
        }
    }
}

/// What the people of a new CA say.
fn of_a_new_ca(folder: &Path, offset: &str) -> Vec<(&'static str, String)> {
    let cps = Digest::of(&fs::read(folder.join("cps.md")).unwrap());
    let quoted = |text: &str| format!("\"{text}\"");
    vec![
        ("the title", quoted("FAKE CP/CPS")),
        ("its version", quoted("1.0")),
        ("what sha256sum", quoted(&cps.to_string())),
        ("when it comes into force", format!("2030-01-01T00:00:00{offset}")),
        ("\\\"wrap-trusted", quoted("wrap-trusted")),
        ("the URI at which", quoted("https://ca.example/")),
        ("the URI of its CRLs", quoted("http://crl.example/{key}.crl")),
        ("the CN of a Document Signer", quoted("FAKE DS {number}")),
        ("\\\"keep-old", quoted("keep-old")),
        ("\\\"omit", quoted("omit")),
        (
            "why the audit key",
            quoted("Section 5.4 has every ceremony sealed; 6.2 lets one HSM do it."),
        ),
        ("the serial number", quoted("FAKE-HSM-9")),
        ("the name of the organisation in Japanese", quoted("架空の組織")),
        ("the name in Latin letters", quoted("FAKE Person")),
        ("the name as it is written", quoted("架空 太郎")),
        ("the day of the appointment", "2030-02-01".into()),
        ("the day of the training", "2030-02-04".into()),
        ("the day of the background", "2030-01-07".into()),
        ("the day on which the right", "2030-02-05".into()),
        ("the card's public key", quoted("CARD")),
        ("the day of its enrolment", "2030-02-06".into()),
        ("when it may begin", format!("2030-04-01T10:00:00{offset}")),
        ("when it must have ended", format!("2030-04-01T17:00:00{offset}")),
        ("00:00 of the day", format!("2030-04-01T00:00:00{offset}")),
        ("the day of the next ceremony", "2030-06-29".into()),
    ]
}

/// Writes a CA, fills it in, and rehearses and verifies its first ceremony. Returns how many places
/// were filled in.
fn found_a_ca(curve: &str, languages: &str, offset: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    let mut new = gishiki();
    new.args(["new", "ca"]).arg(&ca).args(["--id", "fake-ca", "--country", "XU"]);
    new.args(["--organization", "FAKE \"Quoted\" Office", "--common-name", "FAKE Root"]);
    succeed(new.args(["--curve", curve, "--language", languages, "--offset", offset]));
    let (filled, said) = fill(&ca.join("genesis"), None, &of_a_new_ca(&ca, offset));
    assert!(said.starts_with("keeps every rule: genesis\n"), "{said}");
    let ledger = folder.path().join("ledger");
    succeed(gishiki().arg("rehearse").arg(&ca).arg("--out").arg(&ledger));
    succeed(gishiki().arg("verify").arg(&ledger).arg("--rehearsal"));
    let certificate = fs::read_to_string(ledger.join("genesis/root-g1.txt")).unwrap();
    assert!(certificate.contains("FAKE \"Quoted\" Office"), "{certificate}");
    for language in ["ja", "en"] {
        let script = ledger.join(format!("genesis/script.{language}.md"));
        assert_eq!(script.exists(), languages.contains(language), "{language}");
    }
    // The next plan goes on from there.
    let (plan, kind) = (ca.join("2030-06-backup"), "backup");
    succeed(gishiki().args(["new", kind]).arg(&plan).arg("--ledger").arg(&ledger));
    let plan = fs::read_to_string(plan.join("plan.toml")).unwrap();
    assert!(plan.contains(&format!("from = 2030-06-29T10:00:00{offset}")), "{plan}");
    filled
}

#[test]
fn a_new_ca_in_two_languages_is_filled_in_and_rehearsed() {
    assert_eq!(found_a_ca("p384", "ja,en", "+09:00"), 65);
}

#[test]
fn a_new_ca_in_english_is_filled_in_and_rehearsed() {
    assert_eq!(found_a_ca("p256", "en", "+00:00"), 58);
}

/// What was not said on the command line is asked too.
#[test]
fn a_ca_of_which_nothing_is_known_has_a_place_for_everything() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    succeed(gishiki().args(["new", "ca"]).arg(&ca));
    let policy = fs::read_to_string(ca.join("policy.toml")).unwrap();
    for entry in ["id        = ", "languages = [", "offset    = ", "curve           = "] {
        assert!(policy.contains(&format!("{entry}{MARK}")), "{entry}");
    }
    let (accepted, said) = check(&ca.join("genesis"), None);
    assert!(!accepted && said.ends_with("4 violations\n"), "{said}");
    // Nothing is written over.
    let before = files(&ca);
    let again = run(gishiki().args(["new", "ca"]).arg(&ca));
    assert_eq!(again.status.code(), Some(64), "{}", text(&again));
    assert_eq!(files(&ca), before);
    // A plan is drafted for people who are known.
    let early = run(gishiki().args(["new", "genesis"]).arg(ca.join("first")));
    assert_eq!(early.status.code(), Some(2), "{}", text(&early));
    assert!(!ca.join("first").exists());
}

/// One draft: CA, last ceremony of the ledger, kind, day, and the requests that come with it.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: [Case; 15] = [
    ("mdoc-root", "2026-04-genesis", "issue", "2026-06-30", &["mdoc-root/2026-06-ds/ds-0001.csr"]),
    (
        "mdoc-root",
        "2026-06-ds",
        "renewal",
        "2026-09-28",
        &["mdoc-root/2026-09-renewal/ds-0003.csr", "mdoc-root/2026-09-renewal/ds-0004.csr"],
    ),
    ("mdoc-root", "2026-09-renewal", "revocation", "2026-10-14", &[]),
    ("mdoc-root", "2026-10-ds-compromise", "backup", "2026-12-25", &[]),
    ("mdoc-root", "2026-12-backup-drill", "rollover", "2030-03-10", &[]),
    ("mdoc-root", "2026-12-backup-drill", "rollover", "2031-03-10", &[]),
    ("mdoc-root", "2031-06-two-generations", "destruction", "2031-09-03", &[]),
    ("mdoc-root", "2031-09-destruction", "compromise", "2031-11-20", &[]),
    ("mdoc-root", "2031-11-root-compromise", "rollover", "2031-11-25", &[]),
    ("mdoc-root", "2032-02-backup", "recovery", "2032-03-05", &[]),
    (
        "utopia-mdl",
        "2027-01-genesis",
        "issue",
        "2027-03-15",
        &["utopia-mdl/2027-03-issue/ds-0001.csr"],
    ),
    ("utopia-mdl", "2027-03-issue", "revocation", "2027-08-09", &[]),
    ("utopia-mdl", "2027-08-revocation", "backup", "2028-02-09", &[]),
    ("utopia-mdl", "2027-08-revocation", "rollover", "2034-02-06", &[]),
    ("utopia-mdl", "2034-03-issue", "compromise", "2034-04-06", &[]),
];

/// The documents of a sample, and its ledger up to this ceremony.
fn at_a_moment(folder: &Path, ca: &str, last: &str) -> (PathBuf, PathBuf) {
    let (plans, ledger) = (folder.join("plans"), folder.join("ledger"));
    fs::create_dir_all(&plans).unwrap();
    let documents = fs::read_dir(root().join("ceremony-plans").join(ca)).unwrap();
    for path in documents.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        fs::copy(&path, plans.join(path.file_name().unwrap())).unwrap();
    }
    let mut next = last.to_string();
    while next != "nothing" {
        let from = root().join("golden").join(ca).join(&next);
        copy(&from, &ledger.join(&next));
        let plan = fs::read_to_string(from.join("inputs/plan.toml")).unwrap();
        next = plan.split_once("after = \"").unwrap().1.split('"').next().unwrap().to_string();
    }
    (plans, ledger)
}

/// What the people of the samples say of a plan.
fn of_a_plan(ca: &str, day: &str, requests: &[&'static str]) -> Vec<(&'static str, String)> {
    let mdoc = ca == "mdoc-root";
    let offset = if mdoc { "+09:00" } else { "+00:00" };
    let pick = |one: &str, other: &str| if mdoc { one.to_string() } else { other.to_string() };
    let first = format!("{day}T00:00:01{offset}");
    let mut answers = vec![
        ("the SHA-256 of the application", "\"UNIQUE\"".into()),
        ("the SHA-256 of the subscriber", "\"UNIQUE\"".into()),
        ("when the application was", first.clone()),
        ("the certificate to be revoked", pick("ds-0003", "ds-0002")),
        ("the ground", "\"use-stopped\"".into()),
        ("the name of the other HSM", "\"vault\"".into()),
        ("label, seal and place", "\"seal 0417, safe B\"".into()),
        ("why", "\"as both organisations found\"".into()),
        ("what became of the lost token", "\"it does not start any more; bag 0612\"".into()),
        (
            "the ids of the organisations",
            pick("\"j-lis\", \"digital-agency\"", "\"licensing-office\""),
        ),
        ("the ids of the people", pick("\"p01\", \"p02\"", "\"u01\"")),
        ("when they judged it", first),
        ("the version of the emergency", "\"FAKE emergency response plan 3.1\"".into()),
    ];
    for request in requests {
        let octets = fs::read(root().join("ceremony-plans").join(request)).unwrap();
        let (_, name) = request.rsplit_once('/').unwrap();
        answers.push((name, format!("\"{}\"", Digest::of(&octets))));
    }
    answers
}

#[test]
fn every_kind_of_plan_is_drafted_from_the_ledgers_of_the_samples() {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (ca, last, kind, day, requests) in CASES {
        let folder = tempfile::tempdir().unwrap();
        let (plans, ledger) = at_a_moment(folder.path(), ca, last);
        let plan = plans.join("the-next");
        let mut new = gishiki();
        new.args(["new", kind]).arg(&plan).args(["--at", day]).arg("--ledger").arg(&ledger);
        succeed(&mut new);
        for request in requests {
            let from = root().join("ceremony-plans").join(request);
            fs::copy(&from, plan.join(from.file_name().unwrap())).unwrap();
        }
        let answers = of_a_plan(ca, day, requests);
        let (filled, said) = fill(&plan, Some(&ledger), &answers);
        assert!(said.starts_with("keeps every rule: the-next\n"), "{ca} {kind} {day}: {said}");
        let people_speak = kind != "rollover" || day == "2030-03-10";
        assert_eq!(filled > 0, people_speak, "{ca} {kind} {day}: {filled}");
        *kinds.entry(kind).or_default() += 1;
    }
    assert_eq!(kinds.len(), 8, "{kinds:?}");
}

/// A kind that the state has nothing for is refused, and nothing is written.
#[test]
fn what_the_state_has_nothing_for_is_not_drafted() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, ledger) = at_a_moment(folder.path(), "mdoc-root", "2026-04-genesis");
    for (kind, rule) in [
        ("renewal", "R-RENEW-WHEN"),
        ("revocation", "R-REVOKE-TARGET"),
        ("destruction", "R-DESTROY"),
        ("recovery", "R-RECOVER"),
    ] {
        let mut new = gishiki();
        new.args(["new", kind]).arg(plans.join("next")).arg("--ledger").arg(&ledger);
        let output = run(&mut new);
        let said = text(&output);
        assert!(!output.status.success() && said.contains(&format!("{rule} [")), "{said}");
        assert!(!plans.join("next").exists(), "{kind}");
    }
}

/// What bash offers behind these words, by the script that `completions bash` prints.
fn offered(words: &[&str]) -> String {
    let script = r#"source /dev/stdin
COMP_WORDS=("$@" ""); COMP_CWORD=$#; COMPREPLY=()
_gishiki gishiki "" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}""#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    fs::write(&path, succeed(gishiki().args(["completions", "bash"]))).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).args(words).stdin(fs::File::open(path).unwrap());
    succeed(&mut bash)
}

#[test]
fn bash_completes_commands() {
    let offered_first = offered(&["gishiki"]);
    for command in ["new", "check", "rehearse", "verify", "completions"] {
        assert!(offered_first.lines().any(|line| line == command), "{command}: {offered_first}");
    }
    let kinds = offered(&["gishiki", "new"]);
    assert!(kinds.lines().any(|line| line == "rollover"), "{kinds}");
    for (shell, lang) in [("bash", "ja"), ("zsh", "en"), ("zsh", "ja"), ("fish", "ja")] {
        let script = succeed(gishiki().args(["--lang", lang, "completions", shell]));
        assert!(script.contains("rehearse"), "{shell}");
        assert_eq!(
            script.contains("リハーサル"),
            lang == "ja" && shell != "bash",
            "{shell} {lang}"
        );
    }
    let script = succeed(gishiki().args(["completions", "bash"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gishiki.bash");
    fs::write(&path, script).unwrap();
    succeed(Command::new("bash").arg("-n").arg(&path).stdin(Stdio::null()));
}

/// The words of `check`, before anything is written that it would refuse.
#[test]
fn a_country_that_is_none_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for (lang, asked) in [
        ("en", "a country of ISO 3166-1 alpha-2, two capital letters such as JP"),
        ("ja", "ISO 3166-1 alpha-2 の国名コード、英大文字 2 文字(例: JP)"),
    ] {
        for country in ["xn", "XNX", "日本", ""] {
            let ca = folder.path().join("ca");
            let mut new = gishiki();
            new.args(["--lang", lang, "new", "ca"]).arg(&ca).args(["--country", country]);
            let output = run(&mut new);
            let said = text(&output);
            assert_eq!(output.status.code(), Some(64), "{said}");
            assert!(said.contains("R-DN") && said.contains(asked), "{said}");
            assert!(!ca.exists(), "{country}");
        }
    }
    let mut long = gishiki();
    long.args(["--lang", "en", "new", "ca"]).arg(folder.path().join("ca"));
    let said = text(&run(long.args(["--common-name", &"N".repeat(65)])));
    assert!(said.contains("R-DN") && said.contains("CN is 1 to 64 characters long"), "{said}");
}

/// A plan is drafted in the folder of a CA only, and whoever is elsewhere is told so.
#[test]
fn a_place_outside_a_ca_is_refused_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("2030-04-issue");
    for (lang, found) in [
        ("en", "does not have cps.toml, policy.toml, roster.toml"),
        ("ja", "に cps.toml, policy.toml, roster.toml がない"),
    ] {
        let mut new = gishiki();
        new.args(["--lang", lang, "new", "issue"]).arg(&plan);
        let output = run(new.arg("--ledger").arg(root().join("golden/mdoc-root")));
        let said = text(&output);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(found) && said.contains("gishiki new ca"), "{said}");
        assert!(!plan.exists());
    }
}
