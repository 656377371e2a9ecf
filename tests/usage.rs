//! `docs/usage.md` is what the help texts say.

use std::fmt::Write as _;

use crate::support::{document, gishiki, succeed};

#[test]
fn the_document_of_usage_is_what_the_help_says() {
    let mut text = String::from(
        "# Usage\n\nGenerated from the help texts by a test (`GISHIKI_RENEW=1 cargo test --test all usage`).\n\n\
         ```text\n",
    );
    let whole = succeed(gishiki().arg("--help"));
    text.push_str(&whole);
    text.push_str("```\n");
    let listed = whole.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands = listed.lines().filter_map(|line| line.split_whitespace().next());
    for command in commands.filter(|command| *command != "help") {
        let help = succeed(gishiki().args([command, "--help"]));
        let _ = write!(text, "\n## {command}\n\n```text\n{help}```\n");
    }
    let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
    document("docs/usage.md", &(trimmed.join("\n") + "\n"));
}
