//! Chromium as whoever reads a page has it, and axe, which finds what keeps people from reading.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Chromium without a window, on this address.
pub(crate) fn chromium(profile: &Path, address: &str, options: &[&str]) -> Command {
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command.args(options).arg(address);
    command
}

/// A page that a program runs in before its body ends.
pub(crate) fn with_script(html: &str, script: &str) -> String {
    html.replace("</body>", &format!("<script>{script}</script></body>"))
}

/// A page with axe in it, which writes what it found into the document: `axe: N passed; [...]`. It
/// judges by the rules of these tags, or by all.
pub(crate) fn with_axe(root: &Path, html: &str, tags: &[&str]) -> String {
    let axe = root.join(".npm/node_modules/axe-core/axe.min.js");
    let axe = fs::read_to_string(axe).unwrap().replace("</script", "<\\/script");
    let options = match tags {
        [] => String::from("{}"),
        tags => format!("{{ runOnly: {tags:?} }}"),
    };
    let told = "document.body.innerHTML = ''; \
                document.body.textContent = 'axe: ' + found.passes.length + ' passed; ' + \
                JSON.stringify(found.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html]));";
    let run = format!("axe.run({options}).then(found => {{ {told} }})");
    with_script(&with_script(html, &axe), &run)
}

/// How many rules of axe passed, and what it found otherwise, from the document of [`with_axe`].
pub(crate) fn axe_found(shown: &str) -> (u32, &str) {
    let (_, found) = shown.split_once("axe: ").unwrap();
    let (passed, found) = found.split_once(" passed; ").unwrap();
    (passed.parse().unwrap(), found)
}
