//! `diff` shows every change in meaning and no change in form, consistently from either side.
//!
//! Each case changes the sample CA; its page is a snapshot in `tests/diff`, to be read.
//! `GISHIKI_RENEW=1 cargo test --test all diff` renews them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use ceremony::compile::compile;
use ceremony::diff::{Difference, Meaning, Part, compare};
use ceremony::inputs::{Documents, Inputs};
use ceremony::plan::Plan;
use ceremony::record::Mode;

use crate::life::history::{CEREMONIES, plan};
use crate::support::{
    files, genesis, genesis_golden, gishiki, root, run, sample_ca, snapshot, text,
};

/// A file of the sample CA, what is found in it, and what is put there.
type Change = (&'static str, &'static str, &'static str);

/// A change that a pull request may bring.
struct Case {
    name: &'static str,
    ceremony: &'static str,
    old: &'static [Change],
    new: &'static [Change],
    flags: &'static [&'static str],
}

const GENESIS: Case =
    Case { name: "", ceremony: "2026-04-genesis", old: &[], new: &[], flags: &[] };
const DS: Case = Case { ceremony: "2026-06-ds", ..GENESIS };
const SECOND_DS: Change = (
    "2026-06-ds/plan.toml",
    r#"[certificate.ds-0002]
profile     = "ds"
issuer      = "g1"
not-before  = 2026-06-30T00:00:00+09:00
csr         = "ds-0002.csr"
csr-sha256  = "d19e98bc9eab71fede32f4b82c272f6d0dfb75daadf3c7757e76e324cc17cbb5"
application = "a-2026-06"
"#,
    "",
);
const ONE_DAY_LESS: Change =
    ("2026-04-genesis/plan.toml", "next-ceremony = 2026-06-30", "next-ceremony = 2026-06-29");
const A_DAY_LATER: &[Change] = &[
    (
        "2026-06-ds/plan.toml",
        "{ from = 2026-06-30T10:00:00+09:00, until = 2026-06-30T17:00:00+09:00 }",
        "{ from = 2026-07-01T10:00:00+09:00, until = 2026-07-01T17:00:00+09:00 }",
    ),
    (
        "2026-06-ds/plan.toml",
        "not-before  = 2026-06-30T00:00:00+09:00\ncsr         = \"ds-0001.csr\"",
        "not-before  = 2026-07-01T00:00:00+09:00\ncsr         = \"ds-0001.csr\"",
    ),
    (
        "2026-06-ds/plan.toml",
        "not-before  = 2026-06-30T00:00:00+09:00\ncsr         = \"ds-0002.csr\"",
        "not-before  = 2026-07-01T00:00:00+09:00\ncsr         = \"ds-0002.csr\"",
    ),
];
const ANOTHER_PKI_ENGINEER: &[Change] = &[
    ("2026-04-genesis/plan.toml", r#""p10", "p12""#, r#""p11", "p12""#),
    ("roster.toml", r#"["operations-staff"]"#, r#"["pki-engineer"]"#),
];

const CASES: &[Case] = &[
    Case {
        name: "an-earlier-not-after",
        new: &[(
            "2026-06-ds/plan.toml",
            "csr         = \"ds-0001.csr\"",
            "not-after   = 2026-10-14T23:59:59+09:00\ncsr         = \"ds-0001.csr\"",
        )],
        ..DS
    },
    Case {
        name: "another-subject",
        new: &[("policy.toml", "FAKE Example mdoc DS {number}", "FAKE mdoc Signer {number}")],
        ..DS
    },
    Case { name: "another-role-holder", new: ANOTHER_PKI_ENGINEER, ..GENESIS },
    Case {
        name: "another-role-holder-ja",
        new: ANOTHER_PKI_ENGINEER,
        flags: &["--lang", "ja", "--markdown"],
        ..GENESIS
    },
    Case { name: "one-more-day-of-crls", old: &[ONE_DAY_LESS], ..GENESIS },
    Case {
        name: "a-day-of-crls-too-many",
        new: &[(ONE_DAY_LESS.0, ONE_DAY_LESS.1, "next-ceremony = 2026-07-01")],
        flags: &["--markdown"],
        ..GENESIS
    },
    Case {
        name: "another-number-of-the-policy",
        new: &[("policy.toml", "max-offset-seconds = 30", "max-offset-seconds = 20")],
        ..GENESIS
    },
    Case { name: "a-day-later", new: A_DAY_LATER, ..DS },
    Case { name: "a-day-later-md", new: A_DAY_LATER, flags: &["--markdown"], ..DS },
    Case {
        name: "a-weaker-duty",
        old: &[(
            "policy.toml",
            "{ pki-engineer = 1, auditor = 1 }",
            "{ pki-engineer = 2, auditor = 1 }",
        )],
        new: &[("2026-04-genesis/plan.toml", ONE_DAY_LESS.1, ONE_DAY_LESS.2)],
        ..GENESIS
    },
    Case { name: "one-more-ds", old: &[SECOND_DS], ..DS },
    Case { name: "one-more-ds-md", old: &[SECOND_DS], flags: &["--markdown"], ..DS },
    Case {
        name: "another-ground-of-revocation",
        ceremony: "2026-10-ds-compromise",
        new: &[("2026-10-ds-compromise/plan.toml", "key-compromise", "use-stopped")],
        ..GENESIS
    },
    Case {
        name: "a-key-without-backup",
        new: &[("policy.toml", "\"wrap-trusted\"", "\"none\"")],
        ..GENESIS
    },
    Case {
        name: "orders-in-another-order",
        ceremony: "2031-11-recovery",
        new: &[(
            "2031-11-recovery/plan.toml",
            r#""resume-ds-issuing", "resume-applications""#,
            r#""resume-applications", "resume-ds-issuing""#,
        )],
        ..GENESIS
    },
    Case {
        name: "another-seed",
        new: &[("2026-04-genesis/plan.toml", "979fccdc", "979fccdd")],
        ..GENESIS
    },
];

impl Case {
    /// The sample CA with these changes, in a folder of its own.
    fn write(&self, ca: &Path, changes: &[Change]) -> PathBuf {
        sample_ca(ca);
        for (file, find, put) in changes {
            let path = ca.join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text.matches(find).count(), 1, "{}: `{find}` in {file}", self.name);
            fs::write(path, text.replace(find, put)).unwrap();
        }
        ca.join(self.ceremony)
    }

    fn output(&self) -> Output {
        let place = tempfile::tempdir().unwrap();
        let old = self.write(&place.path().join("old"), self.old);
        let new = self.write(&place.path().join("new"), self.new);
        diff(&old, &new, self.flags)
    }
}

fn golden(ceremony: &str) -> PathBuf {
    root().join("golden/mdoc-root").join(ceremony)
}

fn diff(old: &Path, new: &Path, flags: &[&str]) -> Output {
    let mut command = gishiki();
    command.arg("diff").args([old, new]).args(flags);
    run(command.arg("--ledger").arg(root().join("golden/mdoc-root")))
}

/// What is printed where something differs.
pub(crate) fn differs(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(8), "{}", text(output));
    assert!(output.stderr.is_empty(), "{}", text(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The ids at the end without their digits: they follow from every golden before.
pub(crate) fn without_digests(page: &str) -> String {
    let headings = ["\n# ids\n", "\n# 照合する値\n", "<details>"];
    let ids = headings.iter().find_map(|heading| page.find(heading)).unwrap();
    let hidden = |word: &str| {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        let is_old = digits.len() == 8 && word.ends_with('…');
        if is_old {
            return "…".to_string();
        }
        if digits.len() == 64 { word.replace(digits, "…") } else { word.to_string() }
    };
    let words = page[ids..].split_inclusive(|c: char| !c.is_ascii_hexdigit());
    format!("{}{}", &page[..ids], words.map(hidden).collect::<String>())
}

fn assert_same(output: &Output) {
    assert_eq!((output.status.code(), text(output).as_str()), (Some(0), ""));
}

#[test]
fn a_change_of_meaning_is_told_as_a_reviewer_reads_it() {
    let keep = |name: &str, output: &Output| {
        snapshot("tests/diff", name, &without_digests(&differs(output)));
    };
    for case in CASES {
        keep(case.name, &case.output());
    }
    let two = diff(&golden("2026-09-renewal"), &golden("2026-10-ds-compromise"), &[]);
    keep("two-ceremonies", &two);
    let kept = fs::read_dir(root().join("tests/diff")).unwrap();
    assert_eq!(kept.count(), CASES.len() + 1, "a snapshot of no case");
}

/// Tables in another order, comments, white space, another offset, strings in other quotes.
#[test]
fn another_form_is_no_difference() {
    let place = tempfile::tempdir().unwrap();
    let other = sample_ca(&place.path().join("ca"));
    for path in
        ["plan.toml", "../cps.toml", "../policy.toml", "../roster.toml"].map(|n| other.join(n))
    {
        let found = fs::read_to_string(&path).unwrap();
        // What stands before the first heading stays there; of a list of tables the order counts.
        let mut parts: Vec<&str> = found.split("\n[").collect();
        let head = parts.remove(0);
        let (listed, mut tables): (Vec<&str>, Vec<&str>) =
            parts.into_iter().partition(|part| part.starts_with('['));
        tables.reverse();
        let tables = tables.into_iter().chain(listed);
        let tables: String =
            tables.map(|part| format!("\n# moved\n\n[{}", part.replace(" = ", "\t=  "))).collect();
        fs::write(&path, format!("# another head\n{head}\n{tables}\n")).unwrap();
        assert_ne!(fs::read_to_string(&path).unwrap(), found);
    }
    let plan = fs::read_to_string(other.join("plan.toml")).unwrap();
    fs::write(other.join("plan.toml"), plan.replace("\"root\"", "'root'")).unwrap();
    for (old, new) in [(genesis(), other.clone()), (other, genesis())] {
        assert_same(&diff(&old, &new, &[]));
        assert_same(&diff(&old, &new, &["--markdown"]));
    }
}

#[test]
fn a_plan_means_what_its_golden_means() {
    for ceremony in ["2026-04-genesis", "2026-06-ds", "2026-10-ds-compromise"] {
        for (old, new) in [(plan(ceremony), golden(ceremony)), (golden(ceremony), plan(ceremony))] {
            // The ledger is found beside the plan, and above the golden.
            assert_same(&run(gishiki().arg("diff").args([old, new])));
        }
    }
}

/// What is signed in one plan only, and by which key, is drawn; what stays is not.
#[test]
fn what_changes_in_a_graph_is_drawn() {
    let drawn = |old: &str, new: &str| {
        let page = differs(&diff(&golden(old), &golden(new), &["--markdown"]));
        let (_, drawn) = page.split_once("```mermaid\nflowchart LR\n").unwrap();
        drawn.split_once("```\n").unwrap().0.to_string()
    };
    let forth = drawn("2026-04-genesis", "2031-03-rollover");
    let id = |page: &str, box_: &str| {
        let row = page.lines().find(|line| line.contains(box_));
        let row = row.unwrap_or_else(|| panic!("{box_}: {page}"));
        row.trim().split_once('[').unwrap().0.to_string()
    };
    let arc = |page: &str, from: &str, line: &str, to: &str| {
        page.contains(&format!("  {} {line} {}\n", id(page, from), id(page, to)))
    };
    assert!(arc(&forth, "[\"± key g1\"]:::changed", "-.->", "[\"− certificate root-g1\"]:::old"));
    assert!(arc(&forth, "[\"+ key g2\"]:::new", "-->", "[\"+ certificate root-g2\"]:::new"));
    assert!(arc(&forth, "key g1", "-->", "[\"+ certificate new-with-old-g1-g2\"]"), "{forth}");
    assert!(arc(&forth, "key g1", "-->", "[\"± CRLs of g1\"]:::changed"), "{forth}");
    let back = drawn("2031-03-rollover", "2026-04-genesis");
    assert!(arc(&back, "[\"− key g2\"]:::old", "-.->", "[\"− certificate root-g2\"]"), "{back}");
    // Other people sign nothing else.
    let case = Case { name: "people", new: &[("roster.toml", "Hajime", "Hajimeru")], ..GENESIS };
    let place = tempfile::tempdir().unwrap();
    let old = case.write(&place.path().join("old"), &[]);
    let new = case.write(&place.path().join("new"), case.new);
    assert!(!differs(&diff(&old, &new, &["--markdown"])).contains("mermaid"));
}

#[test]
fn what_cannot_be_compared_is_refused_as_by_other_commands() {
    let place = tempfile::tempdir().unwrap();
    let other = sample_ca(&place.path().join("ca"));
    let plan = fs::read_to_string(other.join("plan.toml")).unwrap();
    fs::write(other.join("plan.toml"), plan.replace("sequence = 1", "sequence = one")).unwrap();
    let output = diff(&genesis(), &other, &[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty() && said.contains("plan.toml:7:"), "{said}");
    let output = diff(&genesis(), place.path(), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    let mut without = gishiki();
    without
        .arg("diff")
        .arg(genesis_golden())
        .arg(sample_ca(&place.path().join("b")).join("../2026-06-ds"));
    let output = run(&mut without);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert!(text(&output).contains("S-LEDGER"), "{}", text(&output));
    assert_eq!(run(gishiki().arg("diff").arg(genesis())).status.code(), Some(64));
}

/// A plan's author writes no table, link or tag into the page of a reviewer.
#[test]
fn what_an_author_writes_is_no_markup() {
    let case = Case {
        name: "markup",
        new: &[
            ("roster.toml", "FAKE Hajime Kanri", "FAKE | <b>`H`</b> [x](y)"),
            ("cps.toml", "title       = \"", "title       = \"a | `` b "),
        ],
        ..GENESIS
    };
    let place = tempfile::tempdir().unwrap();
    let old = case.write(&place.path().join("old"), &[]);
    let new = case.write(&place.path().join("new"), case.new);
    let page = differs(&diff(&old, &new, &["--markdown"]));
    assert!(page.contains(r#"``` "a \| `` b "#), "{page}");
    assert!(page.contains(r"FAKE \| \<b>\`H\`\</b> [x]\(y)"), "{page}");
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert!([4, 5].contains(&bars), "{line}");
    }
}

/// The meaning of a ceremony of the sample CA, with another text of its plan.
fn meaning(ceremony: &str, text: &str) -> Option<Meaning> {
    let state = crate::support::state_after(Plan::parse(text.as_bytes()).ok()?.after.get_ref());
    let above = root().join("ceremony-plans/mdoc-root");
    let read = |name: &str| fs::read(above.join(name)).unwrap();
    let beside = files(&plan(ceremony));
    let [cps, policy, roster] = ["cps.toml", "policy.toml", "roster.toml"].map(read);
    let plan = text.as_bytes();
    let documents = Documents { plan, cps: &cps, policy: &policy, roster: &roster, release: None };
    let inputs = Inputs::read(documents, &beside).ok()?;
    Some(Meaning::of(&inputs, &state, &compile(&inputs, &state, Mode::Real)))
}

/// Changes and rows as a set, without titles: those are the new side's.
fn bare(mut difference: Difference) -> BTreeMap<Part, BTreeSet<String>> {
    let line = |change: &mut ceremony::diff::Change| {
        change.title = None;
        change.rows.sort_by(|one, other| one.field.cmp(&other.field));
        format!("{change:?}")
    };
    let lines = difference.parts.iter_mut();
    lines.map(|(part, changes)| (*part, changes.iter_mut().map(line).collect())).collect()
}

#[test]
fn a_difference_is_nothing_to_itself_and_its_mirror_from_the_other_side() {
    let text = |ceremony: &str| fs::read_to_string(plan(ceremony).join("plan.toml")).unwrap();
    let mut meanings: Vec<Meaning> =
        CEREMONIES.iter().map(|ceremony| meaning(ceremony, &text(ceremony)).unwrap()).collect();
    // One that breaks rules, and one whose operations stand in another order.
    let broken = text("2026-04-genesis").replace("\"p13\"", "\"p11\"");
    let swapped = text("2031-11-recovery").replace(
        r#""resume-ds-issuing", "resume-applications""#,
        r#""resume-applications", "resume-ds-issuing""#,
    );
    meanings.extend([
        meaning("2026-04-genesis", &broken).unwrap(),
        meaning("2031-11-recovery", &swapped).unwrap(),
    ]);
    let mut pairs = 0;
    for (place, one) in meanings.iter().enumerate() {
        assert!(compare(one, one).is_empty());
        for other in &meanings[..place] {
            let (there, back) = (compare(one, other), compare(other, one));
            assert!(!there.is_empty());
            assert_eq!(there.ceremonies, (back.ceremonies.1.clone(), back.ceremonies.0.clone()));
            assert_eq!(there.broken, (back.broken.1, back.broken.0));
            assert_eq!(bare(there), bare(back.mirrored()));
            pairs += 1;
        }
    }
    println!("{pairs} pairs mirrored");
    assert_eq!(pairs, 91);
}

/// No change of a plan is told by its digest alone: each of its entries has words.
#[test]
fn every_entry_of_a_plan_has_words() {
    let mut told = 0;
    for ceremony in CEREMONIES {
        let sealed = fs::read_to_string(golden(ceremony).join("inputs/plan.toml")).unwrap();
        let whole = meaning(ceremony, &sealed).unwrap();
        let lines: Vec<&str> = sealed.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let without: Vec<&str> =
                lines.iter().enumerate().filter(|(n, _)| *n != number).map(|(_, l)| *l).collect();
            let Some(other) = meaning(ceremony, &without.join("\n")) else { continue };
            let difference = compare(&whole, &other);
            if difference.is_empty() {
                assert!(line.is_empty() || line.starts_with('['), "{ceremony}: {line}");
                continue;
            }
            let parts: Vec<&Part> = difference.parts.keys().collect();
            assert!(parts != [&Part::Ids], "{ceremony}: {line}");
            told += 1;
        }
    }
    println!("{told} entries of plans, each told in words");
    assert!(told > 30);
}
