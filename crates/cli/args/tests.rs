//! Tests of the help of each command, in both languages.

use std::ffi::OsString;

use clap::{Command, CommandFactory as _};

use super::Args;
use crate::help;
use crate::lang::Lang;

fn is_japanese(text: &str) -> bool {
    text.chars().any(|c| ('ぁ'..='鿿').contains(&c))
}

/// Returns every help text of a command and its subcommands: its place, English, Japanese.
fn texts(command: &Command, above: &str) -> Vec<(String, String, String)> {
    let place = format!("{above} {}", command.get_name());
    let text =
        |text: Option<&clap::builder::StyledStr>| text.map(ToString::to_string).unwrap_or_default();
    let mut all = vec![(place.clone(), text(command.get_about()), text(command.get_long_about()))];
    for arg in command.get_arguments() {
        let place = format!("{place} {}", arg.get_id());
        all.push((place, text(arg.get_help()), text(arg.get_long_help())));
    }
    all.extend(command.get_subcommands().flat_map(|below| texts(below, &place)));
    all
}

#[test]
fn what_has_help_has_it_in_both_languages() {
    let all = texts(&Args::command(), "");
    assert!(all.len() > 60, "{}", all.len());
    let mut said = std::collections::BTreeMap::new();
    for (place, en, ja) in &all {
        assert!(en.is_ascii() && en.len() > 5, "{place}: {en}");
        assert!(is_japanese(ja), "{place}: {ja}");
        // The same English has the same Japanese everywhere.
        assert_eq!(*said.entry(en).or_insert(ja), ja, "{place}");
    }
}

#[test]
fn the_help_is_in_the_language_that_was_asked_for() {
    /// The texts that clap supplies itself.
    const OURS: [&str; 8] =
        ["Usage:", "Commands:", "Arguments:", "Options:", "Print ", "possible", "default:", "[env"];
    fn walk(command: &mut Command) {
        let help = command.render_help().to_string();
        assert!(help.contains("使い方: "), "{help}");
        assert!(OURS.iter().all(|word| !help.contains(word)), "{help}");
        for line in help.lines().filter(|line| line.starts_with("  ")) {
            assert!(is_japanese(line), "{line}");
        }
        command.get_subcommands_mut().for_each(walk);
    }
    walk(&mut help::command(Args::command(), Lang::Ja));
    let english = help::command(Args::command(), Lang::En).render_long_help().to_string();
    assert!(english.is_ascii() && english.contains("Usage: "), "{english}");
}

#[test]
fn the_language_is_known_before_the_command_line_is() {
    let asked = |words: &[&str]| help::asked(&words.iter().map(OsString::from).collect::<Vec<_>>());
    let is = |words: &[&str], lang| asked(words) == lang;
    assert!(is(&["gishiki", "--lang", "ja", "check"], Lang::Ja));
    assert!(is(&["gishiki", "check", "--lang=en", "--nothing"], Lang::En));
    assert!(is(&["gishiki", "help", "--lang", "ja", "--", "--lang", "en"], Lang::Ja));
}
