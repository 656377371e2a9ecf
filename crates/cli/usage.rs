//! The messages for a command line that cannot be parsed.
//!
//! The English messages are clap's. The Japanese ones are made here from the same error.

use std::error::Error as _;
use std::io::Write as _;
use std::num::ParseIntError;

use ceremony::name::NameError;
use ceremony::time::TimeError;
use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::lang::Lang;
use crate::report::plain;

/// Prints help, version, or what is wrong; returns whether that could be printed.
pub(crate) fn show(error: &Error, lang: Lang) -> std::io::Result<()> {
    match lang {
        Lang::Ja if is_refusal(error.kind()) => {
            std::io::stderr().write_all(in_japanese(error).as_bytes())
        }
        Lang::Ja | Lang::En => error.print(),
    }
}

/// Whether this reports an error, and is not a help or version text that was requested.
fn is_refusal(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayVersion
            | ErrorKind::Io
            | ErrorKind::Format
    )
}

fn in_japanese(error: &Error) -> String {
    let mut text = format!("エラー: {}\n", what(error));
    for (kind, name) in [
        (ContextKind::SuggestedSubcommand, "コマンド"),
        (ContextKind::SuggestedArg, "引数"),
        (ContextKind::SuggestedValue, "値"),
    ] {
        let alike: Vec<String> = each(error, kind).iter().map(|one| format!("'{one}'")).collect();
        if !alike.is_empty() {
            text.push_str(&format!("\n  似た{name}: {}\n", alike.join("、")));
        }
    }
    if let Some(usage) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.strip_prefix("Usage:").unwrap_or(&usage);
        text.push_str(&format!("\n使い方:{usage}\n"));
    }
    text + "\n詳しくは '--help' を参照。\n"
}

/// Returns the sentence that says what is wrong.
fn what(error: &Error) -> String {
    let one = |kind| each(error, kind).join("、");
    let arg = one(ContextKind::InvalidArg);
    let value = one(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => format!("引数 '{arg}' はない"),
        ErrorKind::InvalidSubcommand => {
            format!("コマンド '{}' はない", one(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => {
            let absent = each(error, ContextKind::InvalidArg);
            let absent = absent.iter().map(|arg| format!("\n  {arg}"));
            format!("必要な引数がない:{}", absent.collect::<String>())
        }
        ErrorKind::MissingSubcommand => {
            let command = one(ContextKind::InvalidSubcommand);
            let known = listed("コマンド", error, ContextKind::ValidSubcommand);
            format!("'{command}' にコマンドの指定がない{known}")
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            let known = listed("指定できる値", error, ContextKind::ValidValue);
            format!("引数 '{arg}' に値がない{known}")
        }
        ErrorKind::InvalidValue => {
            let known = listed("指定できる値", error, ContextKind::ValidValue);
            format!("引数 '{arg}' の値 '{value}' は正しくない{known}")
        }
        ErrorKind::ValueValidation => {
            format!("引数 '{arg}' の値 '{value}' は正しくない{}", why(error))
        }
        ErrorKind::ArgumentConflict => conflict(error),
        ErrorKind::NoEquals => format!("引数 '{arg}' の値は '=' でつなぐ"),
        ErrorKind::TooManyValues => format!("引数 '{arg}' に余分な値 '{value}' がある"),
        ErrorKind::TooFewValues => {
            let (found, asked) = (one(ContextKind::ActualNumValues), one(ContextKind::MinValues));
            format!("引数 '{arg}' に必要な値は {asked} 個以上、指定は {found} 個")
        }
        ErrorKind::WrongNumberOfValues => {
            let found = one(ContextKind::ActualNumValues);
            let asked = one(ContextKind::ExpectedNumValues);
            format!("引数 '{arg}' に必要な値は {asked} 個、指定は {found} 個")
        }
        ErrorKind::InvalidUtf8 => "UTF-8 でない引数がある".to_string(),
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion
        | ErrorKind::Io
        | ErrorKind::Format => String::new(),
        // Kinds of errors that a later version of clap may add.
        _ => plain(&error.to_string()),
    }
}

/// Returns the values that an error has for this kind of context, made safe for the terminal.
fn each(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::Strings(all)) => all.iter().map(|one| plain(one)).collect(),
        Some(ContextValue::None) | None => Vec::new(),
        Some(one) => Vec::from([plain(&one.to_string())]),
    }
}

fn listed(name: &str, error: &Error, kind: ContextKind) -> String {
    let values = each(error, kind).join(", ");
    if values.is_empty() { String::new() } else { format!("\n  [{name}: {values}]") }
}

/// Returns why a value is not valid: in Japanese for gishiki's own parsers, else as the parser
/// said.
fn why(error: &Error) -> String {
    let Some(source) = error.source() else { return String::new() };
    if source.is::<ParseIntError>() {
        return "(整数ではない)".to_string();
    }
    let ours = [
        source.downcast_ref::<TimeError>().map(TimeError::said),
        source.downcast_ref::<NameError>().map(NameError::said),
    ];
    if let Some(said) = ours.into_iter().flatten().next() {
        return format!(": {}", plain(&said.ja));
    }
    format!(": {}", plain(&source.to_string()))
}

fn conflict(error: &Error) -> String {
    let prior = each(error, ContextKind::PriorArg);
    let invalid = each(error, ContextKind::InvalidArg);
    let name = if invalid.is_empty() { "コマンド" } else { "引数" };
    let other = each(error, ContextKind::InvalidSubcommand);
    let what = invalid.first().or(other.first()).map_or("", String::as_str);
    if prior == [what] {
        return format!("引数 '{what}' は 1 回だけ指定できる");
    }
    let prior: Vec<String> = prior.iter().map(|one| format!("'{one}'")).collect();
    let prior = if prior.is_empty() { "ほかの引数".to_string() } else { prior.join("、") };
    format!("{name} '{what}' は {prior} と同時に指定できない")
}
