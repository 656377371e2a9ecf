//! What gishiki says when it does not do what it was asked: where, what was asked, what was found,
//! what to do.

use std::io::Write as _;

use ceremony::run::Fault;
use ceremony::text::is_refused;
use ceremony::violation::Violation;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
};

use crate::args::Lang;
use crate::exit::Halt;
use crate::files::{Folder, shown};

/// The longest line of an input that is shown around a violation, in octets.
const LONGEST_SHOWN: usize = 2_000;

/// Shows why.
pub(crate) fn show(halt: &Halt, lang: Lang) {
    let text = match halt {
        Halt::Violations(folder, violations) => self::violations(folder, violations, lang),
        Halt::People(why) => {
            format!("{}: {why}\n", pick(lang, "参加者により中止", "stopped by people"))
        }
        Halt::Token(fault) => say(pick(lang, "トークン", "token"), fault, lang),
        Halt::Verification(refusal) => {
            let heading = format!("{} {}", pick(lang, "検証で拒否", "refused"), refusal.place);
            say(&heading, &refusal.fault, lang)
        }
        Halt::Media(fault) => say(pick(lang, "ファイル・媒体", "file or medium"), fault, lang),
        Halt::Interrupted(fault) => {
            let next = pick(
                lang,
                "記録は保たれています。原因を除き、`gishiki resume` で再開してください。\n",
                "The journal is kept. Mend the cause and go on with `gishiki resume`.\n",
            );
            say(pick(lang, "中断", "interrupted"), fault, lang) + next
        }
        Halt::NotAnchored(why) => {
            format!(
                "{}: {why}\n",
                pick(lang, "整合するが、アンカーなし", "consistent, not anchored")
            )
        }
        Halt::Differs | Halt::Told(_) => String::new(),
        Halt::Bug(fault) => say(pick(lang, "gishiki の不具合", "a bug of gishiki"), fault, lang),
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn pick<'t>(lang: Lang, ja: &'t str, en: &'t str) -> &'t str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

fn say(heading: &str, fault: &Fault, lang: Lang) -> String {
    let (asked, found) = (pick(lang, "求めたもの", "asked"), pick(lang, "あったもの", "found"));
    format!(
        "{heading}: {} [{}]\n  {asked}: {}\n  {found}: {}\n",
        fault.rule,
        clause(fault.rule),
        plain(&fault.asked),
        plain(&fault.found)
    )
}

/// No control character of an input reaches the terminal, and none that cannot be seen.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_refused(c) { '\u{fffd}' } else { c }).collect()
}

/// The same of an input that is shown around a violation: as long as before, so that every place in
/// it stays where it was.
fn source(text: &str) -> String {
    let shown = |c: char| match (is_refused(c), c.len_utf8()) {
        (false, _) => c.to_string(),
        (true, 1) => "?".to_string(),
        (true, 2) => "\u{bf}".to_string(),
        (true, octets) => format!("\u{fffd}{}", "?".repeat(octets.saturating_sub(3))),
    };
    text.chars().map(shown).collect()
}

fn clause(rule: &str) -> &'static str {
    ceremony::rules::find(rule).map_or("gishiki", |rule| rule.clause)
}

fn violations(folder: &Folder, violations: &[Violation], lang: Lang) -> String {
    let theme = GraphicalTheme::unicode_nocolor();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    let mut out = String::new();
    for violation in violations {
        let (asked, found) = (pick(lang, "求めたもの", "asked"), pick(lang, "あったもの", "found"));
        let message =
            format!("{asked}: {}\n{found}: {}", plain(&violation.asked), plain(&violation.found));
        let code = format!("{} [{}]", violation.rule, clause(violation.rule));
        let span = violation.place.span.clone();
        let label = LabeledSpan::new(Some(plain(&violation.found)), span.start, span.len());
        let mut diagnostic = MietteDiagnostic::new(message).with_code(code).with_label(label);
        if !violation.advice.is_empty() {
            diagnostic = diagnostic.with_help(violation.advice.clone());
        }
        let (path, octets) = folder.of(violation.place.input).cloned().unwrap_or_default();
        let text = source(&String::from_utf8_lossy(&octets));
        // A line that no screen can show is no help.
        let report = if text.lines().all(|line| line.len() < LONGEST_SHOWN) {
            Report::new(diagnostic).with_source_code(NamedSource::new(shown(&path), text))
        } else {
            Report::new(diagnostic.with_help(shown(&path)))
        };
        if handler.render_report(&mut out, report.as_ref()).is_err() {
            out.push_str(violation.rule);
        }
        out.push('\n');
    }
    let count = violations.len();
    out.push_str(&match lang {
        Lang::Ja => format!("違反 {count} 件\n"),
        Lang::En => format!("{count} violation{}\n", if count == 1 { "" } else { "s" }),
    });
    out
}
