//! `docs/usage.md` and `docs/usage.ja.md` equal the help texts; and the messages for invalid
//! command lines.

use std::fmt::Write as _;

use crate::support::{document, gishiki, run, succeed};

/// The help of every command, in the language of these arguments.
fn helps(head: &str, commands: &str, arguments: &[&str]) -> String {
    let mut text = format!("{head}\n\n```text\n");
    let whole = succeed(gishiki().args(arguments).arg("--help"));
    text.push_str(&whole);
    text.push_str("```\n");
    let listed = whole.split(&format!("{commands}:\n")).nth(1).unwrap();
    let listed = listed.split("\n\n").next().unwrap();
    let commands = listed.lines().filter_map(|line| line.split_whitespace().next());
    for command in commands.filter(|command| *command != "help") {
        let help = succeed(gishiki().args(arguments).args([command, "--help"]));
        let _ = write!(text, "\n## {command}\n\n```text\n{help}```\n");
    }
    let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
    trimmed.join("\n") + "\n"
}

#[test]
fn the_document_of_usage_is_what_the_help_says() {
    let head = "# Usage\n\n[日本語](usage.ja.md)\n\nGenerated from the help texts by a test (`GISHIKI_RENEW=1 cargo test --test all usage`).";
    document("docs/usage.md", &helps(head, "Commands", &[]));
    let head = "# 使い方\n\n[English](usage.md)\n\nコマンドの説明から試験が書き出す(`GISHIKI_RENEW=1 cargo test --test all usage`)。";
    let page = helps(head, "コマンド", &["--lang", "ja"]);
    document("docs/usage.ja.md", &page);
    for words in ["Print", "Usage", "Options", "summary", "default:", "possible values"] {
        assert!(!page.contains(words), "{words}");
    }
}

#[test]
fn every_way_to_the_help_leads_to_the_same() {
    let asked = |arguments: &[&str]| succeed(gishiki().args(arguments));
    let long = asked(&["--lang", "ja", "verify", "--help"]);
    assert!(long.starts_with("封印されたセレモニー"), "{long}");
    assert_eq!(long, asked(&["--lang=ja", "verify", "-h"]));
    assert_eq!(long, asked(&["verify", "--lang", "ja", "--help"]));
    assert_eq!(long, asked(&["--lang", "ja", "help", "verify"]));
    assert_eq!(
        long,
        succeed(
            gishiki().env_remove("LC_ALL").env("LANG", "ja_JP.UTF-8").args(["verify", "--help"])
        )
    );
    let none = run(gishiki().env_remove("LC_ALL").env("LANG", "ja_JP.UTF-8"));
    assert_eq!(none.status.code(), Some(64));
    let whole = asked(&["--lang", "ja", "help"]);
    assert_eq!(String::from_utf8(none.stderr).unwrap(), whole);
}

/// Both languages refuse alike, and clap's own sentences stand in one only.
#[test]
fn words_that_are_no_command_line_are_refused_in_both_languages() {
    let validate = ["validate", "--root", "a", "--at"];
    let wrong: [(&[&str], &str); 10] = [
        (&["chekc", "plan"], "コマンド 'chekc' はない"),
        (&["check"], "必要な引数がない:\n  <PLAN>\n"),
        (&["check", "a", "b"], "引数 'b' はない"),
        (&["check", "a", "--ledgr", "b"], "引数 '--ledgr' はない\n\n  似た引数: '--ledger'"),
        (&["check", "a", "--ledger"], "引数 '--ledger <DIR>' に値がない"),
        (&["image"], "専用イメージを作成"),
        (&["verify", "a", "--drill", "--rehearsal"], "と同時に指定できない"),
        (&["verify", "a", "--drill", "--drill"], "引数 '--drill' は 1 回だけ指定できる"),
        (&["help", "chekc"], "コマンド 'chekc' はない"),
        (&[validate[0], validate[1], validate[2], validate[3], "noon", "b"], "のような日時でない"),
    ];
    for (words, sentence) in wrong {
        let refused = |lang: &str| {
            let output = run(gishiki().args(["--lang", lang]).args(words));
            assert_eq!(output.status.code(), Some(64), "{words:?}");
            assert!(output.stdout.is_empty(), "{words:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let (ja, en) = (refused("ja"), refused("en"));
        assert!(ja.contains(sentence), "{words:?}: {ja}");
        // Where clap has a usage line, both have it.
        let shown = en.contains("Usage: gishiki");
        assert!(en.is_ascii() && en.contains("--help"), "{words:?}: {en}");
        assert_eq!(ja.contains("使い方: gishiki"), shown, "{words:?}: {ja}");
        for word in ["error", "tip", "Usage", "more information", "argument", "required"] {
            assert!(!ja.contains(word), "{words:?}: {ja}");
        }
    }
}
