//! `completions`: a script by which a shell completes gishiki's command lines.

use clap::CommandFactory as _;

use crate::args::{Args, Completions, Shell};
use crate::halt::Halt;
use crate::help;
use crate::lang::Lang;
use crate::report::print;

/// Prints the script, with the help texts in this language.
pub(crate) fn show(asked: &Completions, lang: Lang) -> Result<(), Halt> {
    let shell = match asked.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    let mut command = help::command(Args::command(), lang);
    clap_complete::generate(shell, &mut command, "gishiki", &mut script);
    print(&String::from_utf8_lossy(&script))
}
