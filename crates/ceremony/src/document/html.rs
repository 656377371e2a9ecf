//! Sets a document as one HTML file with a style for paper.
//!
//! It is black on white, on A4 and on letter; no step is broken over a page; each page says what it
//! belongs to and how many there are. Everything stands in the one file.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{
    Blank, Block, Column, Document, Drawing, Part, Room, Span, Step, StepWords, Table, Text,
    escaped, grouped,
};
use crate::hex::Digest;
use crate::language::Language;
use crate::words;

/// The style of every document; the running heads of a page are its own.
const STYLE: &str = include_str!("style.css");
/// What only documents in Japanese have: boxes for words in kana, each row a line of the screen.
const KANA: &str = ".kana { grid-template-columns: repeat(6, 1fr) }\n";

/// Sets the document as HTML.
#[must_use]
pub fn html(document: &Document) -> String {
    let [left, right] = &document.running;
    let title = escaped(&document.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>\n{STYLE}{}\
         @page {{\n  @top-left {{ content: {} }}\n  @top-right {{ content: {} }}\n}}\n</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        document.language.code(),
        match document.language {
            Language::Ja => KANA,
            Language::En => "",
        },
        quoted(left),
        quoted(right)
    );
    for block in &document.blocks {
        write_block(&mut out, block, document.language);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// A string of a style sheet.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            // `<` could end the element; quotation mark and backslash end or change the string.
            '"' | '\\' | '<' | '\n' => {
                let _ = write!(out, "\\{:x} ", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

fn write_block(out: &mut String, block: &Block, language: Language) {
    match block {
        Block::Part(title) => {
            let _ = writeln!(out, "<h2>{}</h2>", escaped(title));
        }
        Block::Paragraph(text) => {
            let _ = writeln!(out, "<p>{}</p>", set(text));
        }
        Block::List(items) => write_items(out, "ul", items),
        Block::Numbered(items) => write_items(out, "ol", items),
        Block::Lines(lines) => {
            let _ = writeln!(out, "<pre>{}</pre>", escaped(lines.trim_end_matches('\n')));
        }
        Block::Value(name, digest) => write_value(out, name, digest, language),
        Block::Table(table) => write_table(out, table),
        Block::Steps(labels, parts) => write_steps(out, *labels, parts),
        Block::Drawing(Drawing { svg, says }) => {
            let said = escaped(says);
            let _ = writeln!(
                out,
                "<figure role=\"img\" aria-label=\"{said}\">\n{svg}\
                 <figcaption>{said}</figcaption>\n</figure>"
            );
        }
    }
}

fn write_items(out: &mut String, list: &str, items: &[Text]) {
    let _ = writeln!(out, "<{list}>");
    for item in items {
        let _ = writeln!(out, "<li>{}</li>", set(item));
    }
    let _ = writeln!(out, "</{list}>");
}

fn write_value(out: &mut String, name: &str, digest: &Digest, language: Language) {
    let _ = writeln!(
        out,
        "<div class=\"value\">\n<p><strong>{}</strong></p>\n<p class=\"digits\">{}</p>",
        escaped(name),
        grouped(digest)
    );
    for list in words::lists(&digest.0, language) {
        out.push_str("<ol>\n");
        for line in list {
            let _ = writeln!(out, "<li>{line}</li>");
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</div>\n");
}

fn write_table(out: &mut String, table: &Table) {
    let class = if table.is_form { " class=\"form\"" } else { "" };
    let _ = writeln!(out, "<table{class} aria-label=\"{}\">", escaped(&table.caption));
    let class = |column: &Column| match column.room {
        Room::Little => "little",
        Room::Rest => "rest",
        Room::Hand => "hand",
    };
    write_head(out, table.head.iter().map(|column| (column.name, class(column))));
    out.push_str("<tbody>\n");
    for row in &table.rows {
        let cell = |(cell, column): (&Text, &Column)| {
            format!("<td class=\"{}\">{}</td>", class(column), set(cell))
        };
        let cells: String = row.iter().zip(&table.head).map(cell).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn write_head<'a>(out: &mut String, columns: impl Iterator<Item = (&'a str, &'a str)>) {
    let column =
        |(name, class)| format!("<th scope=\"col\" class=\"{class}\">{}</th>", escaped(name));
    let columns: String = columns.map(column).collect();
    let _ = writeln!(out, "<thead>\n<tr>{columns}</tr>\n</thead>");
}

/// Sets steps as one table in which each step is a body of its own, so that no page divides it.
fn write_steps(out: &mut String, labels: StepWords, parts: &[Part]) {
    out.push_str("<table class=\"steps\">\n");
    let StepWords { number, who, say, see, time, initials } = labels;
    let columns = [
        (number, "number"),
        (who, "who"),
        (say, "say"),
        (see, "see"),
        (time, "time"),
        (initials, "initials"),
    ];
    write_head(out, columns.into_iter());
    for part in parts {
        let title = escaped(&part.title);
        let _ = writeln!(
            out,
            "<tbody class=\"part\">\n<tr><th colspan=\"6\"><h2>{title}</h2></th></tr>\n</tbody>"
        );
        for step in &part.steps {
            write_step(out, step);
        }
    }
    out.push_str("</table>\n");
}

fn write_step(out: &mut String, step: &Step) {
    let rows = 2_usize.saturating_add(usize::from(!step.writes.is_empty()));
    let _ = writeln!(
        out,
        "<tbody>\n<tr><th scope=\"rowgroup\" rowspan=\"{rows}\">{}</th>\
         <td colspan=\"5\"><strong>{}</strong> <code>{}</code> [{}]</td></tr>",
        escaped(&step.number),
        escaped(&step.title),
        escaped(&step.name),
        escaped(&step.section)
    );
    let who: Vec<String> = step.who.iter().map(|who| escaped(who)).collect();
    let _ = writeln!(
        out,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td></td></tr>",
        who.join("<br>"),
        set(&step.say),
        set(&step.see),
        blank(Blank::Time)
    );
    if !step.writes.is_empty() {
        let writes = step.writes.iter().map(|text| format!("<p>{}</p>", set(text)));
        let _ = writeln!(out, "<tr><td colspan=\"5\">{}</td></tr>", writes.collect::<String>());
    }
    out.push_str("</tbody>\n");
}

fn set(text: &Text) -> String {
    text.0
        .iter()
        .map(|span| match span {
            Span::Words(words) => escaped(words),
            Span::Code(code) => format!("<code>{}</code>", escaped(code)),
            Span::Strong(words) => format!("<strong>{}</strong>", escaped(words)),
            Span::Blank(place) => blank(*place),
        })
        .collect()
}

/// A place to write on; boxes are empty elements that the style draws.
fn blank(blank: Blank) -> String {
    let boxes = |class: &str, count: usize| {
        format!("<span class=\"{class}\">{}</span>", "<i></i>".repeat(count))
    };
    match blank {
        Blank::Time => String::from("<span class=\"clock\"><i></i>:<i></i></span>"),
        Blank::Date => String::from("<span class=\"date\"><i></i>-<i></i>-<i></i></span>"),
        Blank::Initials | Blank::Id => boxes("line short", 1),
        Blank::Words(Language::En) => boxes("words", 8),
        Blank::Words(Language::Ja) => boxes("words kana", 6),
        Blank::AllWords(Language::En) => boxes("words", 32),
        Blank::AllWords(Language::Ja) => boxes("words kana", 24),
        Blank::Digits => boxes("groups", 16),
        Blank::Line => boxes("line", 1),
        Blank::Lines => boxes("lines", 3),
    }
}
