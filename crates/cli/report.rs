//! Messages about what gishiki did not do: where, what was asked, what was found, and what to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use ceremony::fault::{Fault, Why};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::text::is_refused;
use ceremony::violation::{Input, Violation};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, Report};

use crate::files::said;
use crate::halt::{Halt, Reached};
use crate::lang::{Lang, pick};
use crate::places::Document;
use crate::rows;

/// The longest line of an input that is shown around a violation, in octets.
const LONGEST_SHOWN: usize = 2_000;
/// How many violations are shown with the text around them; of the rest only the places.
const IN_FULL: usize = 50;

/// Shows why.
pub(crate) fn show(halt: &Halt, lang: Lang) {
    let words = words(halt, lang);
    let mut inner = halt;
    while let Halt::Held(_, within) = inner {
        inner = within;
    }
    // Violations have a layout of their own.
    let shown = match matches!(inner, Halt::Violations(..) | Halt::Unread(..)) {
        true => words,
        false => rows::fit(std::io::stderr(), &words),
    };
    let _ = std::io::stderr().write_all(shown.as_bytes());
}

/// Returns the English words for why.
pub(crate) fn english(halt: &Halt) -> String {
    words(halt, Lang::En)
}

/// Prints to standard output. A pipe whose reader is gone is not an error.
pub(crate) fn print(text: &str) -> Result<(), Halt> {
    #[cfg(test)]
    if crate::simulator::hears(text) {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let asked = says!("標準出力への書き込み", "to write to standard output");
            Err(Halt::media(RuleId::S_OUT, asked, said(&error)))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a message to the room while a ceremony is held.
pub(crate) fn tell(text: &str) {
    #[cfg(test)]
    if crate::simulator::hears(text) {
        return;
    }
    let text = rows::fit(std::io::stderr(), &format!("{text}\n"));
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn words(halt: &Halt, lang: Lang) -> String {
    match halt {
        Halt::Violations(sources, violations) => {
            self::violations(|input| sources.of(input), violations, lang)
        }
        Halt::Unread(document, violations) => {
            self::violations(|_| Some(document), violations, lang)
        }
        Halt::People(why) => {
            format!("{}: {}\n", pick(lang, "中止", "stopped"), plain(lang.said(why)))
        }
        Halt::Paused(what) => {
            format!("{}: {}\n", pick(lang, "休憩", "a break"), plain(lang.said(what)))
        }
        Halt::Token(fault) => say(pick(lang, "トークン", "token"), fault, lang),
        Halt::Verification(refusal) => {
            let place = plain(lang.said(&refusal.place));
            let heading = format!("{} {place}", pick(lang, "検証で拒否", "refused"));
            say(&heading, &refusal.fault, lang)
        }
        Halt::Asked(fault, advice) => {
            let said = say(pick(lang, "コマンドの指定", "command line"), fault, lang);
            let (help, advice) = (pick(lang, "対処", "help"), lang.said(advice));
            if advice.is_empty() { said } else { format!("{said}  {help}: {}\n", plain(advice)) }
        }
        Halt::Media(fault) => say(subject(fault.rule, lang), fault, lang),
        Halt::Interrupted(fault) => say(pick(lang, "中断", "interrupted"), fault, lang),
        Halt::NotAnchored(why) => {
            let heading = pick(lang, "整合するが、アンカーなし", "consistent, not anchored");
            format!("{heading}: {}\n", plain(lang.said(why)))
        }
        Halt::NotPinned(names) => {
            let heading = pick(lang, "整合するが、アンカーに固定なし", "consistent, not pinned");
            let next = pick(
                lang,
                "控えを anchor.toml に写してください(docs/anchor.ja.md)。",
                "Copy its slip into anchor.toml (docs/anchor.md).",
            );
            format!("{heading}: {}\n{next}\n", plain(lang.said(names)))
        }
        Halt::Differs | Halt::Overdue | Halt::Told(_) => String::new(),
        Halt::Bug(fault) => say(bug(lang), fault, lang),
        Halt::Panicked => {
            let place =
                pick(lang, "上に示した箇所で止まりました。", "it panicked where it says above.");
            format!("{}: {place}\n", bug(lang))
        }
        Halt::Held(reached, halt) => {
            match (reached, halt.as_ref()) {
                // Nothing was begun that could be interrupted.
                (Reached::Nothing, Halt::Interrupted(fault)) => {
                    say(subject(fault.rule, lang), fault, lang)
                }
                (_, halt) => words(halt, lang),
            }
        }
    }
}

const fn bug(lang: Lang) -> &'static str {
    pick(lang, "gishiki の不具合", "a bug of gishiki")
}

/// Names what a fault at an interface is about.
fn subject(rule: RuleId, lang: Lang) -> &'static str {
    match rule {
        RuleId::S_WINDOW | RuleId::S_TIME_BACK | RuleId::R_TIME | RuleId::S_CLOCK => {
            pick(lang, "時刻", "time")
        }
        RuleId::S_TOOL => pick(lang, "プログラムのリリース", "the program's release"),
        RuleId::S_MODE | RuleId::S_DRILL => pick(lang, "セレモニーの種別", "kind of ceremony"),
        RuleId::S_TERMINAL => pick(lang, "端末", "terminal"),
        RuleId::S_LEDGER | RuleId::S_ANCHOR => pick(lang, "台帳・アンカー", "ledger or anchor"),
        RuleId::S_PAPERS => pick(lang, "書類", "papers"),
        RuleId::S_APPROVED => pick(lang, "承認", "approval"),
        RuleId::S_DONE => pick(lang, "業務の実施の記録", "record of a duty"),
        RuleId::S_ATTESTED => pick(lang, "ビルド結果の署名", "attestation"),
        RuleId::S_ROOM => pick(lang, "実施場所", "room"),
        _ => pick(lang, "ファイル・媒体", "file or medium"),
    }
}

fn say(heading: &str, fault: &Fault, lang: Lang) -> String {
    let (asked, found) = (pick(lang, "求めたもの", "asked"), pick(lang, "あったもの", "found"));
    let what = lang.said(&fault.found);
    let what = if what.is_empty() { pick(lang, "なし", "none") } else { what };
    format!(
        "{heading}: {} [{}]\n  {asked}: {}\n  {found}: {}\n",
        fault.rule,
        clause(fault.rule),
        plain(lang.said(&fault.asked)),
        plain(what)
    )
}

/// Returns what to do about a fault of a token, if its words do not say it.
pub(crate) fn advice(fault: &Fault) -> Option<(&'static str, &'static str)> {
    match fault.rule {
        RuleId::S_LEDGER_HEAD if fault.why == Why::LaterHead => Some((
            "手元の台帳はトークンより古い。新しい台帳を使う",
            "the ledger at hand is older than the token: give the newer ledger",
        )),
        RuleId::S_LEDGER_HEAD => Some((
            "トークンと台帳が同じ CA の同じ歴史のものかを確かめる",
            "make sure that token and ledger are of one CA and of one history",
        )),
        _ => None,
    }
}

/// Pads a label with spaces to this width; a Japanese character is as wide as two.
pub(crate) fn padded(label: &str, width: usize) -> String {
    let wide: usize = label.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{label}{}", " ".repeat(width.saturating_sub(wide).max(1)))
}

/// Replaces control characters and invisible characters, so that no input affects the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_refused(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for an input that is shown around a violation. The length stays, so every place in it
/// stays where it was.
fn source(text: &str) -> String {
    let shown = |c: char| match (is_refused(c), c.len_utf8()) {
        (false, _) => c.to_string(),
        (true, 1) => "?".to_string(),
        (true, 2) => "\u{bf}".to_string(),
        (true, octets) => format!("\u{fffd}{}", "?".repeat(octets.saturating_sub(3))),
    };
    text.chars().map(shown).collect()
}

/// Returns the clause that the CA's CP/CPS gives a rule, or that of the standard.
fn clause_of(violation: &Violation) -> &str {
    violation.clause.as_deref().unwrap_or_else(|| clause(violation.rule))
}

fn clause(rule: RuleId) -> &'static str {
    ceremony::rules::find(rule).map_or("gishiki", |rule| rule.clause)
}

fn violations<'s>(
    of: impl Fn(Input) -> Option<&'s (PathBuf, Vec<u8>)>,
    violations: &[Violation],
    lang: Lang,
) -> String {
    let theme = GraphicalTheme::unicode_nocolor();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    let mut documents: BTreeMap<Input, Arc<Document>> = BTreeMap::new();
    let mut out = String::new();
    for (number, violation) in violations.iter().enumerate() {
        let input = violation.place.input;
        let document = documents.entry(input).or_insert_with(|| {
            let (path, octets) = of(input).cloned().unwrap_or_default();
            Arc::new(Document::new(&path, source(&String::from_utf8_lossy(&octets))))
        });
        if number >= IN_FULL {
            out.push_str(&in_a_line(violation, document, lang));
            continue;
        }
        // A line that no screen can show is no help.
        let mut page = String::new();
        let drawn = document.widest_around(&violation.place.span) <= LONGEST_SHOWN
            && handler.render_report(&mut page, report(violation, document, lang).as_ref()).is_ok();
        if drawn {
            // The library's word; a line of the input has its number and a bar before it.
            out.push_str(&page.replace("\n  help: ", pick(lang, "\n  対処: ", "\n  help: ")));
        } else {
            out.push_str(&in_a_line(violation, document, lang));
            let _ = writeln!(out, "  {}", lang.said(&violation.advice));
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

/// Words a violation with the text around it.
fn report(violation: &Violation, document: &Arc<Document>, lang: Lang) -> Report {
    let (asked, found) = (pick(lang, "求めたもの", "asked"), pick(lang, "あったもの", "found"));
    let message = format!(
        "{asked}: {}\n{found}: {}",
        plain(lang.said(&violation.asked)),
        plain(lang.said(&violation.found))
    );
    let code = format!("{} [{}]", violation.rule, clause_of(violation));
    let span = violation.place.span.clone();
    let label = LabeledSpan::new(Some(plain(lang.said(&violation.found))), span.start, span.len());
    let mut diagnostic = MietteDiagnostic::new(message).with_code(code).with_label(label);
    let advice = lang.said(&violation.advice);
    if !advice.is_empty() {
        diagnostic = diagnostic.with_help(advice);
    }
    Report::new(diagnostic).with_source_code(Arc::clone(document))
}

/// Words a violation in a line: place, rule, what was asked, what was found.
fn in_a_line(violation: &Violation, document: &Document, lang: Lang) -> String {
    let (asked, found) = (pick(lang, "求めたもの", "asked"), pick(lang, "あったもの", "found"));
    format!(
        "{}: {} [{}]  {asked}: {}  {found}: {}\n",
        document.place(violation.place.span.start),
        violation.rule,
        clause_of(violation),
        plain(lang.said(&violation.asked)),
        plain(lang.said(&violation.found))
    )
}
