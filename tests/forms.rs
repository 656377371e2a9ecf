//! All errors of form of a document are found at once, each at its place, wherever they are.

use std::fs;
use std::ops::Range;

use ceremony::anchor::Anchor;
use ceremony::cps::Cps;
use ceremony::plan::Plan;
use ceremony::policy::Policy;
use ceremony::room::Room;
use ceremony::roster::Roster;
use ceremony::rule::RuleId;
use ceremony::tool_release::ToolRelease;
use ceremony::violation::Violation;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::people::RELEASE;
use crate::support::root;

type Read = fn(&[u8]) -> Result<(), Vec<Violation>>;

const ROOM: &str = r#"format = 1
terminal = "t1"
token = { module = "/m.so", sha256 = "DIGEST", serial = "1" }

[spare.b]
module = "/m.so"
sha256 = "DIGEST"
serial = "2"
"#;

const ANCHOR: &str = r#"format = 1
ca = "a"
mode = "real"

[[ceremony]]
sequence = 1
name = "one"
bindings = "DIGEST"
head = "DIGEST"
postscript = "DIGEST"
audit-key = "DIGEST"
signed-on = 2026-04-01
"#;

/// One document of each kind, and more plans: each with its reader.
pub(crate) fn samples() -> Vec<(String, String, Read)> {
    let digest = |text: &str| text.replace("DIGEST", &"ab".repeat(32));
    let mut samples: Vec<(String, String, Read)> = vec![
        ("room".into(), digest(ROOM), |octets| Room::parse(octets).map(drop)),
        ("anchor".into(), digest(ANCHOR), |octets| Anchor::parse(octets).map(drop)),
        ("release".into(), RELEASE.to_string(), |octets| ToolRelease::parse(octets).map(drop)),
    ];
    for ca in ["mdoc-root", "utopia-mdl"] {
        let folder = root().join("ceremony-plans").join(ca);
        let of_ca: [(&str, Read); 3] = [
            ("cps.toml", |octets| Cps::parse(octets).map(drop)),
            ("policy.toml", |octets| Policy::parse(octets).map(drop)),
            ("roster.toml", |octets| Roster::parse(octets).map(drop)),
        ];
        for (name, read) in of_ca {
            samples.push((name.into(), fs::read_to_string(folder.join(name)).unwrap(), read));
        }
        let plans = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for plan in plans.map(|path| path.join("plan.toml")).filter(|path| path.is_file()) {
            let text = fs::read_to_string(&plan).unwrap();
            samples
                .push((plan.display().to_string(), text, |octets| Plan::parse(octets).map(drop)));
        }
    }
    samples
}

/// One entry of a document: where its name and its value stand.
#[derive(Debug, Clone)]
struct Entry {
    name: Range<usize>,
    value: Range<usize>,
    /// A value that no type takes which takes the one that stands there.
    bent: &'static str,
}

/// Every entry that has a value of its own, in the document's order.
fn entries(text: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    collect(text, DeTable::parse(text).unwrap().get_ref(), &mut found);
    found.sort_by_key(|entry| entry.name.start);
    assert!(!found.is_empty());
    found
}

fn collect(text: &str, table: &DeTable<'_>, found: &mut Vec<Entry>) {
    for (name, value) in table {
        let nested = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
        let bent = if nested { "true" } else { "[[]]" };
        // What a CP/CPS demands may be any value. What a heading begins is no value.
        let written = text[name.span().end..value.span().start.max(name.span().end)].contains('=');
        let any = ["is", "one-of", "holds"].contains(&name.get_ref().as_ref());
        if any {
            continue;
        }
        if written {
            found.push(Entry { name: name.span(), value: value.span(), bent });
        }
        within(text, value, found);
    }
}

fn within(text: &str, value: &Spanned<DeValue<'_>>, found: &mut Vec<Entry>) {
    match value.get_ref() {
        DeValue::Table(table) => collect(text, table, found),
        DeValue::Array(items) => items.iter().for_each(|item| within(text, item, found)),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

/// Replaces places of a text, which are in order; returns where the new texts begin.
fn replaced(text: &str, changes: &[(Range<usize>, &str)]) -> (String, Vec<usize>) {
    let (mut out, mut starts, mut done) = (String::new(), Vec::new(), 0);
    for (place, put) in changes {
        out.push_str(&text[done..place.start]);
        starts.push(out.len());
        out.push_str(put);
        done = place.end;
    }
    out.push_str(&text[done..]);
    (out, starts)
}

/// The places of the violations, all of them of S-FORM.
fn places(read: Read, text: &str) -> Vec<usize> {
    let violations = read(text.as_bytes()).err().unwrap_or_default();
    assert!(violations.iter().all(|v| v.rule == RuleId::S_FORM), "{violations:?}");
    violations.iter().map(|violation| violation.place.span.start).collect()
}

#[test]
fn each_bent_entry_is_found_where_it_is_and_nothing_else() {
    let mut bent = 0;
    for (name, text, read) in samples() {
        assert_eq!(places(read, &text), [0; 0], "{name}");
        let entries = entries(&text);
        for (number, one) in entries.iter().enumerate() {
            let (wrong, starts) = replaced(&text, &[(one.value.clone(), one.bent)]);
            assert_eq!(places(read, &wrong), starts, "{name}: {one:?}");
            // With another one, and with one of the other half.
            let after = |other: &&Entry| other.name.start >= one.value.end;
            let next = entries[number..].iter().find(after);
            let far = entries[(number + entries.len()) / 2..].iter().find(after);
            for other in next.into_iter().chain(far) {
                let both = [(one.value.clone(), one.bent), (other.value.clone(), other.bent)];
                let (wrong, starts) = replaced(&text, &both);
                assert_eq!(places(read, &wrong), starts, "{name}: {one:?} {other:?}");
                bent += 1;
            }
        }
    }
    assert!(bent > 1000, "{bent}");
}

#[test]
fn each_renamed_entry_is_unknown_where_it_is_and_missing_around_it() {
    let mut renamed = 0;
    for (name, text, read) in samples() {
        for entry in entries(&text) {
            let (wrong, starts) = replaced(&text, &[(entry.name.start..entry.name.start, "zz-")]);
            let found = places(read, &wrong);
            // A table whose entries the document names itself has no unknown entry.
            if found.is_empty() {
                continue;
            }
            assert!(found.contains(&starts[0]), "{name}: {entry:?} {found:?}");
            assert!(found.len() <= 2 && found.is_sorted(), "{name}: {entry:?} {found:?}");
            renamed += 1;
        }
    }
    assert!(renamed > 1000, "{renamed}");
}

/// Whatever is left of a document, each place lies in it, and the places are in order.
#[test]
fn what_is_torn_is_refused_in_order() {
    let mut refused = 0;
    for (name, text, read) in samples() {
        let mut lines: Vec<&str> = text.lines().collect();
        for number in (0..lines.len()).step_by(7) {
            let taken = lines.remove(number);
            let torn = lines.join("\n");
            lines.insert(number, taken);
            let cut = torn.floor_char_boundary(number * torn.len() / lines.len());
            for rest in [&torn, &torn[..cut], &torn[cut..]] {
                let Err(violations) = read(rest.as_bytes()) else { continue };
                let ends = violations.iter().map(|violation| violation.place.span.end);
                assert!(ends.max().is_some_and(|end| end <= rest.len()), "{name}: {violations:?}");
                assert!(violations.is_sorted_by_key(|violation| violation.place.span.start));
                refused += 1;
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn all_errors_of_syntax_are_found() {
    let text = "format = 1\nca = a\nmode = \"real\nceremony = []\n[x\n";
    let found = places(|octets| Anchor::parse(octets).map(drop), text);
    let lines: Vec<usize> = found.iter().map(|at| text[..*at].matches('\n').count() + 1).collect();
    assert_eq!(lines, [2, 3, 5]);
}

#[test]
fn so_many_errors_are_not_all_looked_for() {
    let unknown: String = (0..60).map(|n| format!("x{n} = 1\n")).collect();
    let text = ANCHOR.replace("DIGEST", &"ab".repeat(32)).replacen("mode", &(unknown + "mode"), 1);
    let found = Anchor::parse(text.as_bytes()).unwrap_err();
    assert_eq!(found.len(), 50);
    let said: Vec<bool> = found.iter().map(|v| !v.advice.en.is_empty()).collect();
    assert!(said[49] && !said[..49].contains(&true), "{said:?}");
}

/// Another format is said beside what else is wrong.
#[test]
fn another_format_is_an_error_of_form_too() {
    let text = ROOM.replace("DIGEST", &"ab".repeat(32)).replace("format = 1", "format = 2");
    let one = Room::parse(text.as_bytes()).unwrap_err();
    assert_eq!(one.len(), 1);
    let two = Room::parse(text.replace("\"t1\"", "1").as_bytes()).unwrap_err();
    assert_eq!((two.len(), &two[0]), (2, &one[0]));
}

/// Documents that are not TOML, or not of the form of an anchor, each in another way.
const BROKEN: [&str; 74] = [
    "x",
    "x =",
    "x = # nothing",
    "= 1",
    "x == 1",
    "x = 1 2",
    "x = 1\nx = 2",
    "[x]\n[x]",
    "[[x]]\n[x]",
    "x = 1\n[x]",
    "x = 1\nx.y = 2",
    "x = [1]\nx.y = 2",
    "x = {}\nx.y = 2",
    "[x",
    "[x\ny = 1",
    "[[x]",
    "[[x",
    "[]",
    "[x] y",
    "]",
    "}",
    "x = ]",
    "x = [",
    "x = [1",
    "x = [1 2]",
    "x = [,]",
    "x = [1,,2]",
    "x = [1 = 2]",
    "x = [1}",
    "x = {",
    "x = { y",
    "x = { y = }",
    "x = { = 1 }",
    "x = { y = 1 z = 2 }",
    "x = { y = 1,, }",
    "x = { , }",
    "x = { y = 1, y = 2 }",
    "x = a",
    "x = a b",
    "x y = 1",
    "x! = 1",
    "x. = 1",
    ".x = 1",
    "\"\"\"x\"\"\" = 1",
    "'''x''' = 1",
    "x = \"",
    "x = \"a",
    "x = 'a",
    "x = \"\"\"a",
    "x = '''a",
    "x = a\"",
    "x = \"\\q\"",
    "x = \"\\\"",
    "x = \"\\u12\"",
    "x = \"\\ud800\"",
    "x = 00",
    "x = 012",
    "x = 1__2",
    "x = _1",
    "x = ++1",
    "x = -0x1",
    "x = 0X1",
    "x = 0xg",
    "x = 0b2",
    "x = 0o8",
    "x = 99999999999999999999",
    "x = 1.",
    "x = 1e",
    "x = 1.2.3",
    "x = tru",
    "x = 2030-13-01",
    "x = 2030-04-31T10:00:00+09:00",
    "x = 2030-04-01T25:00:00",
    "x = 2030-04-01T10:00:00+99:00",
];

/// What has no Japanese name.
const NAMES: [&str; 3] = ["gishiki", "SubjectPublicKeyInfo", "base"];

/// The English words of a sentence, besides what it quotes of a document. Japanese has gishiki, a
/// few names, and abbreviations such as TOML and UTC, in Latin letters too.
fn english(said: &str) -> Vec<String> {
    // What was found is quoted behind the sentence.
    let said = said.split(": `").next().unwrap_or_default();
    let mut rest = String::new();
    for (number, part) in said.split(['`', '"']).enumerate() {
        rest.push_str(if number % 2 == 0 { part } else { " " });
    }
    let words = rest.split(|c: char| !c.is_ascii_alphabetic());
    let is_english = |word: &&str| word.bytes().any(|b| b.is_ascii_lowercase());
    let words = words.filter(|word| word.len() > 1 && is_english(word) && !NAMES.contains(word));
    words.map(String::from).collect()
}

/// Asserts that the errors of a document are said in Japanese; returns how many there are.
fn assert_japanese(name: &str, read: Read, text: &str) -> usize {
    let violations = read(text.as_bytes()).err().unwrap_or_default();
    for Violation { found, advice, .. } in &violations {
        assert_eq!(english(&found.ja), [""; 0], "{name}: {found:?}");
        assert!(!found.ja.is_ascii() && found.ja != found.en, "{name}: {found:?}");
        assert_eq!(english(&advice.ja), [""; 0], "{name}: {advice:?}");
    }
    violations.len()
}

#[test]
fn every_error_of_form_is_said_in_japanese() {
    assert_eq!(english("項目 `after` がない: `x = 1`"), [""; 0]);
    assert_eq!(english("invalid `x` です"), ["invalid"]);
    let anchor: Read = |octets| Anchor::parse(octets).map(drop);
    for text in BROKEN {
        assert!(assert_japanese(text, anchor, text) > 0, "{text}");
    }
    let mut said = 0;
    for (name, text, read) in samples() {
        for entry in entries(&text) {
            for bent in [entry.bent, "true", "7", "-7", "1.5", "\"?\"", "2030-01-01", "[]", "{}"] {
                let (wrong, _) = replaced(&text, &[(entry.value.clone(), bent)]);
                said += assert_japanese(&name, read, &wrong);
            }
            let (wrong, _) = replaced(&text, &[(entry.name.start..entry.name.start, "zz-")]);
            said += assert_japanese(&name, read, &wrong);
        }
    }
    assert!(said > 10_000, "{said}");
}
