//! The help texts, in the language of the user.
//!
//! The English is a doc comment in [`crate::args`], as clap reads it. The Japanese is the `ja`
//! beside it, stored in clap's field for long help texts, which gishiki does not use otherwise.
//!
//! **Invariant:** every help text exists in both languages; a test walks every command.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, ValueEnum as _};

use crate::lang::{Lang, of_environment};

/// Sets the Japanese help of a command or an argument.
pub(crate) trait Japanese {
    fn ja(self, text: &'static str) -> Self;
}

impl Japanese for Arg {
    fn ja(self, text: &'static str) -> Self {
        self.long_help(text)
    }
}

impl Japanese for Command {
    fn ja(self, text: &'static str) -> Self {
        self.long_about(text)
    }
}

/// Returns this command line with its help in this language.
pub(crate) fn command(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => in_english(command),
        Lang::Ja => {
            // clap adds arguments and a command of its own when it builds.
            let mut command = in_japanese(command);
            command.build();
            headed(command)
        }
    }
}

/// Returns the language for these arguments, even if they are not a valid command line.
pub(crate) fn asked(words: &[OsString]) -> Lang {
    let words = words.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    let mut words = words.take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--lang") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(lang) = value.and_then(|value| Lang::from_str(value, false).ok()) {
            return lang;
        }
    }
    of_environment()
}

fn in_english(command: Command) -> Command {
    let short = |arg: Arg| arg.long_help(None);
    command.long_about(None).mut_args(short).mut_subcommands(in_english)
}

fn in_japanese(command: Command) -> Command {
    let about = command.get_long_about().cloned().unwrap_or_default();
    let said = |arg: Arg| {
        let help = arg.get_long_help().cloned().unwrap_or_default();
        arg.help(help).long_help(None)
    };
    command.about(about).long_about(None).mut_args(said).mut_subcommands(in_japanese)
}

/// Replaces clap's own texts with Japanese.
fn headed(command: Command) -> Command {
    let mut template = String::from("{before-help}{about-with-newline}\n使い方: {usage}\n");
    if command.get_subcommands().any(|command| !command.is_hide_set()) {
        template.push_str("\nコマンド:\n{subcommands}\n");
    }
    if command.get_positionals().any(|arg| !arg.is_hide_set()) {
        template.push_str("\n引数:\n{positionals}\n");
    }
    if command.get_opts().chain(flags(&command)).any(|arg| !arg.is_hide_set()) {
        template.push_str("\nオプション:\n{options}\n");
    }
    template.push_str("{after-help}");
    let is_help = command.get_name() == "help";
    let (command, usage) = used(command);
    let command = command.override_usage(usage).help_template(template);
    let command = command.mut_args(valued).mut_subcommands(headed);
    if is_help {
        command.about("この説明、または指定したコマンドの説明を表示する")
    } else {
        command
    }
}

/// Returns how the command is used, with Japanese in the place of clap's own words.
fn used(mut command: Command) -> (Command, String) {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let usage = usage.replace("[OPTIONS]", "[オプション]").replace("<COMMAND>", "<コマンド>");
    (command, usage.replace("[COMMAND]", "[コマンド]"))
}

fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_positional() && !takes_value(arg))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// Adds the values that an argument may have, and its default, to its help.
fn valued(arg: Arg) -> Arg {
    use ArgAction::{Help, HelpLong, HelpShort, Version};
    if matches!(arg.get_action(), Help | HelpLong | HelpShort) {
        return arg.help("説明を表示する").long_help(None);
    }
    if matches!(arg.get_action(), Version) {
        return arg.help("バージョンを表示する");
    }
    if !takes_value(&arg) {
        return arg;
    }
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let possible = arg.get_possible_values();
    let values = possible.iter().filter(|value| !value.is_hide_set());
    let values: Vec<&str> = values.map(|value| value.get_name()).collect();
    if !values.is_empty() {
        help.push_str(&format!(" [指定できる値: {}]", values.join(", ")));
    }
    let otherwise = arg.get_default_values().iter().map(|value| value.to_string_lossy());
    let otherwise: Vec<_> = otherwise.collect();
    if !otherwise.is_empty() {
        help.push_str(&format!(" [既定値: {}]", otherwise.join(" ")));
    }
    arg.hide_possible_values(true).hide_default_value(true).help(help)
}
