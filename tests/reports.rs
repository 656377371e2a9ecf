//! Reports: what an auditor asks is answered in them, as the records have it; the same folder gives
//! the same octets; and a folder that does not verify gives none. What a reader sees is kept in
//! `tests/reports/`, in both languages.
//!
//! `GISHIKI_RENEW=1 cargo test --test all reports::` renews it.

mod questions;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{
    Drill, LATER, PIN, SOFTHSM, copy, faulty_module, genesis, genesis_golden, gishiki, root, run,
    snapshot, succeed, text,
};

/// The report of a folder or a ledger.
fn report(lang: &str, target: &Path, arguments: &[&str]) -> Output {
    run(gishiki().args(["--lang", lang, "report"]).arg(target).args(arguments))
}

/// The same as Markdown, where it is a verdict's.
fn markdown(lang: &str, target: &Path, arguments: &[&str]) -> String {
    let output = report(lang, target, &[arguments, &["--form", "markdown"]].concat());
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A report without what differs from one ceremony or format to the next: digests with their words
/// and serial numbers; and of a drill times, its token and the program's source.
fn steady(text: &str, drill: Option<&Drill>) -> String {
    let version = succeed(gishiki().arg("--version"));
    let version = version.trim().strip_prefix("gishiki ").unwrap();
    let mut text = text.replace(version, "VERSION");
    if let Some(drill) = drill {
        text = text.replace(&drill.serial, "SERIAL");
    }
    let (mut lines, mut in_words) = (Vec::new(), false);
    for line in text.lines() {
        match line {
            "```text" => in_words = true,
            "```" => in_words = false,
            line if in_words => lines.push(if is_hex(line, 64) { "SHA-256" } else { "words" }),
            line => lines.push(line),
        }
    }
    let mut out = String::new();
    let shapes: &[&str] = match drill {
        Some(_) => &["0000-00-00T00:00:00+00:00", "00:00:00"],
        None => &[],
    };
    let text = lines.join("\n") + "\n";
    let mut rest = text.as_str();
    while let Some(next) = rest.chars().next() {
        let hex = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        let shape = shapes.iter().find(|shape| is_of(rest, shape));
        let (length, word) = match (hex, shape) {
            (64, _) => (64, "SHA-256".to_string()),
            (40, _) => (40, "SERIAL".to_string()),
            (_, Some(shape)) => (shape.len(), "TIME".to_string()),
            (_, None) => (next.len_utf8(), next.to_string()),
        };
        out.push_str(&word);
        rest = &rest[length..];
    }
    out
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

/// Whether a text begins as this shape does, with any digits in the place of its zeros.
fn is_of(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(found, asked)| match asked {
            b'0' => found.is_ascii_digit(),
            other => found == other,
        })
}

fn kept_as(name: &str, target: &Path, arguments: &[&str], drill: Option<&Drill>) {
    for lang in ["ja", "en"] {
        let found = steady(&markdown(lang, target, arguments), drill);
        snapshot("tests/reports", &format!("{name}.{lang}"), &found);
    }
}

/// A ceremony in which much went otherwise: a wrong PIN, a loss of power while CRLs were signed, a
/// clock that was slow and replaced, and a refusal.
fn with_incidents() -> Drill {
    let drill = Drill::new();
    let answers = "default = \"as-planned\"\n\
                   [op.clock]\n\
                   facts = { offset-seconds = \"-3\", reference = \"radio clock 7\" }\n\
                   deviation = \"clock <6> was \\\"slow\\\" & replaced\"\n\
                   [op.fingerprint-root-g1]\nrefuse = \"a seal was broken\"\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    drill.write_room(&faulty_module());
    fs::write(drill.path("pin"), "another").unwrap();
    let held = |command: &mut Command, at: Option<&str>| {
        command.env("FAULTY_MODULE", SOFTHSM);
        run(command.envs(at.map(|at| ("FAULTY_AT", at)))).status.code()
    };
    assert_eq!(held(&mut drill.run_command(&genesis()), None), Some(3));
    fs::write(drill.path("pin"), PIN).unwrap();
    let killed = held(&mut drill.resume_command(LATER), Some("C_Sign#20:kill-after"));
    assert_eq!(killed, None);
    assert_eq!(held(&mut drill.resume_command("2026-04-01 03:10:00"), None), Some(1));
    drill
}

#[test]
fn of_the_first_ceremony() {
    kept_as("genesis", &genesis_golden(), &["--rehearsal"], None);
}

/// Text of people that would be markup stays text.
#[test]
fn of_a_ceremony_with_incidents() {
    let drill = with_incidents();
    kept_as("incidents", &drill.path("out"), &["--drill"], Some(&drill));
    questions::of_incidents(&drill.path("out"));
    let html = report("en", &drill.path("out"), &["--drill"]);
    let html = String::from_utf8(html.stdout).unwrap();
    assert!(html.contains("clock &lt;6&gt; was &quot;slow&quot; &amp; replaced"), "{html}");
    assert!(!html.contains("<6>"), "{html}");
}

/// No report is better than one of a folder that somebody changed; the refusal is that of `verify`.
#[test]
fn a_changed_folder_gives_none() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("2026-04-genesis");
    for (file, from, to) in [
        ("transcript.jsonl", "\"offset-seconds\":\"0\"", "\"offset-seconds\":\"1\""),
        ("root-g1.txt", "FAKE", "REAL"),
    ] {
        copy(&genesis_golden(), &out);
        let path = out.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let verify = run(gishiki().arg("verify").arg(&out).arg("--rehearsal"));
        for form in ["html", "markdown"] {
            let found = report("en", &out, &["--rehearsal", "--form", form]);
            assert_eq!(found.status.code(), Some(4), "{}", text_of(&found));
            assert!(found.stdout.is_empty(), "{file}: {}", text_of(&found));
            assert_eq!(found.stderr, verify.stderr, "{file}");
        }
    }
}

fn text_of(output: &Output) -> String {
    text(output).chars().take(2_000).collect()
}

/// Neither the place of the folder nor the way to name it is in a report.
#[test]
fn the_same_folder_gives_the_same_octets() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("elsewhere");
    copy(&genesis_golden(), &other);
    let ledger = root().join("golden/mdoc-root");
    let named = ["--rehearsal", "--ceremony", "2026-04-genesis"];
    for lang in ["ja", "en"] {
        for form in ["html", "markdown"] {
            let written = |target: &Path, arguments: &[&str]| {
                let output = report(lang, target, &[arguments, &["--form", form]].concat());
                assert!(output.status.success(), "{}", text_of(&output));
                output.stdout
            };
            let one = written(&genesis_golden(), &["--rehearsal"]);
            assert!(one == written(&other, &["--rehearsal"]), "{lang} {form}: another place");
            assert!(one == written(&ledger, &named), "{lang} {form}: of a ledger");
        }
    }
    // Of a ledger the last one, if none is named.
    let last = markdown("en", &ledger, &["--rehearsal"]);
    assert!(last.starts_with("# Report of the key ceremony: mdoc-root / 2032-03-token-lost"));
}

/// Without trust the report says so itself, and the exit code is that of `verify`.
#[test]
fn a_report_without_trust_says_so() {
    let output = report("en", &genesis_golden(), &["--form", "markdown"]);
    assert_eq!(output.status.code(), Some(7));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("**Consistent, not anchored.**") && !said.contains("Verified"), "{said}");
    assert!(said.contains("**Not a real ceremony.**"), "{said}");
    let drill = report("en", &genesis_golden(), &["--drill"]);
    assert!(drill.status.code() == Some(4) && drill.stdout.is_empty());
    let named = report("en", &genesis_golden(), &["--rehearsal", "--ceremony", "2026-06-ds"]);
    assert!(named.stdout.is_empty() && text(&named).contains("the ledger that holds 2026-06-ds"));
    let absent = root().join("golden/mdoc-root");
    let absent = report("en", &absent, &["--rehearsal", "--ceremony", "2027-01-none"]);
    assert!(absent.stdout.is_empty(), "{}", text_of(&absent));
    assert!(text(&absent).contains("the sealed ceremony 2027-01-none"), "{}", text_of(&absent));
}

/// The page stands alone: it runs nothing and asks for nothing.
#[test]
fn a_page_loads_nothing() {
    for lang in ["ja", "en"] {
        let page = report(lang, &genesis_golden(), &["--rehearsal"]);
        let page = String::from_utf8(page.stdout).unwrap();
        for word in
            ["<script", "<link", "<img", "src=", "href=", "http:", "https:", "url(", "@import"]
        {
            // The addresses of the CA are in no report of its first ceremony.
            assert!(!page.contains(word), "{lang}: {word}");
        }
        assert!(page.contains(&format!("<html lang=\"{lang}\">")));
        let drawn = page.split_once("<svg").unwrap().1.split_once("</svg>").unwrap().0;
        assert!(!texts(&format!("<svg{drawn}</svg>")).is_empty());
    }
}

/// The texts of a drawing, as a reader of XML finds them; every box has a title.
fn texts(svg: &str) -> Vec<String> {
    let program = "import sys, xml.etree.ElementTree as E\n\
                   root = E.fromstring(sys.stdin.buffer.read())\n\
                   local = lambda one: one.tag.rsplit('}', 1)[-1]\n\
                   assert local(root) == 'svg' and local(root[0]) == 'title'\n\
                   boxes = [one for one in root if local(one) == 'g']\n\
                   assert boxes and all(local(box[0]) == 'title' and box[0].text for box in boxes)\n\
                   print('\\n'.join(one.text or '' for one in root.iter() if local(one) == 'text'))\n";
    let mut python = Command::new("python3");
    python.args(["-c", program]).env("PYTHONIOENCODING", "utf-8");
    let mut python =
        python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(svg.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{svg}", text(&output));
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

/// Every key, certificate and first and last CRL of a graph is in its drawing, in both languages.
#[test]
fn a_graph_is_drawn() {
    for ceremony in ["2026-04-genesis", "2026-06-ds", "2026-12-backup-drill", "2031-03-rollover"] {
        let graph = root().join("golden/mdoc-root").join(ceremony).join("graph.txt");
        let graph = fs::read_to_string(graph).unwrap();
        let named = |word: &str| -> Vec<String> {
            let lines = graph.lines().filter_map(|line| line.strip_prefix(word));
            lines.map(|line| line.split([' ', ':']).next().unwrap().to_string()).collect()
        };
        let crls = named("crl ");
        for lang in ["ja", "en"] {
            let plan = root().join("ceremony-plans/mdoc-root").join(ceremony);
            let svg = succeed(gishiki().args(["--lang", lang, "graph", "--svg"]).arg(plan));
            assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "), "{svg}");
            let texts = texts(&svg).join("\n");
            let ends = crls.first().into_iter().chain(crls.last());
            for name in named("key ").iter().chain(&named("certificate ")).chain(ends) {
                assert!(texts.contains(name.as_str()), "{ceremony}: {name}\n{texts}");
            }
        }
    }
}
