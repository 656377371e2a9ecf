#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
use std::os::unix::ffi::OsStringExt as _;

use clap::Parser as _;

use super::*;

fn all() -> [Reached; 9] {
    [
        Reached::Nothing,
        Reached::Taken(vec!["DIR".into()]),
        Reached::Begun,
        Reached::Paused,
        Reached::Stopped,
        Reached::Unsealable,
        Reached::Sealed,
        Reached::GivenUp,
        Reached::Unlike(vec!["DIR".into()]),
    ]
}

fn ways(arguments: &[&str]) -> Ways {
    let args = Args::try_parse_from([&["gishiki"], arguments].concat()).unwrap();
    Ways::after(&args).unwrap()
}

/// Compares `docs/ends.md` and `docs/ends.ja.md`, the table that people read. GISHIKI_RENEW=1
/// writes them anew.
#[test]
fn the_document_is_this_table() {
    let named = Ways::Commands {
        again: "gishiki run PLAN …".into(),
        resume: "gishiki resume …".into(),
        abandon: "gishiki abandon …".into(),
    };
    for (lang, name, title, head, columns) in [
        (
            Lang::En,
            "docs/ends.md",
            "# Every end has its exit\n\n[日本語](ends.ja.md)",
            include_str!("head.md"),
            "| where it stands | once the cause is mended | where it cannot be mended |",
        ),
        (
            Lang::Ja,
            "docs/ends.ja.md",
            "# どこで終わっても出口がある\n\n[English](ends.md)",
            include_str!("head.ja.md"),
            "| 状態 | 原因を除いた後 | 原因を除けないとき |",
        ),
    ] {
        let mut text = format!("{title}\n\n{head}\n{columns}\n|---|---|---|\n");
        for reached in all() {
            let line = |way| named.lines(way, reached.left_out(), lang).join("`, `");
            let exit = |(said, way): Exit| format!("{said} `{}`", line(way));
            let unmended = reached.unmended(lang).map_or("–".to_string(), exit);
            let (meaning, mended) = (reached.meaning(lang), exit(reached.mended(lang)));
            text.push_str(&format!("| {meaning} | {mended} | {unmended} |\n"));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var("GISHIKI_RENEW").as_deref() == Ok("1") {
            std::fs::write(&path, &text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{name} is not what the code says: GISHIKI_RENEW=1 renews it");
    }
}

#[test]
fn the_next_command_has_the_options_of_the_one_before() {
    let given = [
        "--lang",
        "en",
        "run",
        "a plan/it's",
        "--room",
        "room.toml",
        "--journal",
        "A",
        "--journal",
        "B",
        "--out",
        "O",
        "--ledger",
        "L",
        "--answers",
        "x.toml",
        "--pin-fd",
        "0",
    ];
    let Ways::Commands { again, resume, abandon } = ways(&given) else { panic!() };
    let held = "--room room.toml --journal A --journal B --out O --ledger L --answers x.toml";
    assert_eq!(again, format!("gishiki --lang en run 'a plan/it'\\''s' {held}"));
    assert_eq!(resume, format!("gishiki --lang en resume {held}"));
    assert_eq!(abandon, "gishiki --lang en abandon --journal A --journal B --out O --ledger L");
    let given = ["abandon", "--journal", "A", "--journal", "B", "--out", "O"];
    let Ways::Commands { resume, .. } = ways(&given) else { panic!() };
    assert_eq!(resume, "gishiki resume --room ROOM --journal A --journal B --out O");
}

#[test]
fn a_command_that_found_nothing_is_given_again_and_begins_nothing() {
    let media = ["--journal", "A", "--journal", "B", "--out", "O"];
    for given in [vec!["abandon"], vec!["resume", "--room", "R"]] {
        let line = [given.as_slice(), &media].concat();
        let said = words(&Reached::Nothing, &ways(&line), Lang::Ja);
        let printed: Vec<&str> = said.lines().filter(|line| line.starts_with("  ")).collect();
        assert_eq!(printed, [format!("  gishiki {}", line.join(" "))], "{said}");
    }
}

#[test]
fn each_journal_that_may_be_left_out_has_a_command() {
    let given = ["resume", "--room", "R", "--journal", "A b", "--journal", "B", "--out", "O"];
    let unlike = Reached::Unlike(vec!["A b".into(), "B".into()]);
    let said = words(&unlike, &ways(&given), Lang::En);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("  ")).collect();
    let resume = "  gishiki resume --room R --journal 'A b' --journal B --out O --put-aside";
    let abandon = "  gishiki abandon --journal 'A b' --journal B --out O --put-aside";
    let of = |line| [format!("{line} 'A b'"), format!("{line} B")];
    assert_eq!(lines, [of(resume), of(abandon)].concat());
}

#[test]
fn on_the_live_image_every_end_names_a_line_of_the_menu() {
    let given = ["abandon", "--led", "--journal", "A", "--journal", "B", "--out", "O"];
    for (lang, command) in [(Lang::En, "command"), (Lang::Ja, "コマンド")] {
        for reached in all() {
            let words = words(&reached, &ways(&given), lang);
            let hold = words.contains(&Choice::Hold.named(lang));
            assert!(hold || words.contains(&Choice::Abandon.named(lang)), "{words}");
            for shell in ["gishiki", "--", command] {
                assert!(!words.contains(shell), "{words}");
            }
        }
    }
}

#[test]
fn another_folder_is_named_where_one_is_taken() {
    let given = ["run", "P", "--room", "R", "--journal", "A b", "--journal", "B", "--out", "O"];
    let said = words(&Reached::Taken(vec!["A b".into(), "O".into()]), &ways(&given), Lang::En);
    let line = "\n  gishiki run P --room R --journal 'A b-2' --journal B --out O-2\n";
    assert!(said.ends_with(line), "{said}");
}

#[test]
fn a_folder_is_one_however_it_is_written() {
    let given = ["resume", "--room", "R", "--journal", "./A/", "--journal", "b/./c", "--out", "O"];
    let args = Args::try_parse_from(["gishiki"].iter().chain(&given).chain(&["--put-aside", "A"]));
    let Command::Resume(resume) = args.unwrap().command else { panic!() };
    assert_eq!(resume.held.journal, [Path::new("A"), Path::new("b/c")]);
    assert_eq!(resume.put_aside.as_deref(), Some(Path::new("A")));
}

#[test]
fn a_shell_gives_back_every_argument() {
    for octets in [
        &b"plain/path-1.toml"[..],
        b"",
        b"two words",
        b"it's",
        b"$HOME `id` \\ \"x\" !",
        b"-x",
        "\u{5100}\u{5f0f}".as_bytes(),
        b"\x1b[31m",
        b"a\nb",
        b"\xff\xfe",
        "\u{202e}x".as_bytes(),
    ] {
        let argument = std::ffi::OsString::from_vec(octets.to_vec());
        let shown = quoted(&argument);
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        let mut shell = std::process::Command::new("sh");
        let output = shell.arg("-c").arg(format!("printf %s {shown}")).output().unwrap();
        assert_eq!(output.stdout, octets, "{shown}");
    }
}
