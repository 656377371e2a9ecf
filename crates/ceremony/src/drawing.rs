//! A drawing of what a ceremony does: its keys, what they sign, and who decides it.
//!
//! It is read like the script, from top to bottom. Each key has a line from the step in which it is
//! made, or from the top if it exists already, down to its destruction. On the left stands what
//! people decide, on the right what comes of it; the number before a row is its step.
//!
//! **Invariant:** the octets follow from the graph and the language alone. Black on white, and no
//! wider than a sheet of A4 for up to four keys. **Deliberately absent:** who attends, checks of
//! the room and the token, and everything else that leaves nothing behind; the script has it.

mod rows;

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use self::rows::{Row, What};
use crate::document::{Drawing, escaped};
use crate::graph::{Graph, Origin};
use crate::language::{Bilingual, Language};
use crate::name::Name;
use crate::says;

/// The height of a line of text.
const LINE: usize = 14;
/// The space between two rows.
const GAP: usize = 14;
/// Where the boxes of decisions begin, and how wide they are.
const DECIDED: (usize, usize) = (48, 150);
/// Where the line of the first key is, and how far the lines are apart.
const KEYS: (usize, usize) = (242, 74);
/// How wide the boxes of keys are.
const KEY: usize = 66;
/// How wide the boxes of results are.
const RESULT: usize = 190;
/// How wide a letter of ASCII and any other letter is, in tenths.
const LETTER: (usize, usize) = (62, 112);

/// Returns the drawing of a graph, for a page that holds it.
#[must_use]
pub fn drawing(graph: &Graph, language: Language) -> Drawing {
    let rows = rows::rows(graph, language);
    let says = summary(graph, &rows, language);
    let paint = Paint::new(graph, &rows, language);
    Drawing { svg: paint.svg("", &says), says }
}

/// Returns the same drawing as a file of its own.
#[must_use]
pub fn file(graph: &Graph, language: Language) -> String {
    let rows = rows::rows(graph, language);
    let says = summary(graph, &rows, language);
    let namespace = " xmlns=\"http://www.w3.org/2000/svg\"";
    Paint::new(graph, &rows, language).svg(namespace, &says)
}

/// What the drawing shows, in a sentence.
fn summary(graph: &Graph, rows: &[Row], language: Language) -> String {
    let count = |is: &dyn Fn(&What) -> bool| rows.iter().filter(|row| is(&row.what)).count();
    let decided = count(&|what| matches!(what, What::Decided { .. }));
    let made = count(&|what| matches!(what, What::Made { .. }));
    let copied = count(&|what| matches!(what, What::Copied { .. }));
    let destroyed = count(&|what| matches!(what, What::Destroyed { ends: true, .. }));
    let (certificates, crls) = graph.structures();
    let ceremony = graph.ceremony();
    let says = says!(
        "{ceremony} で行うこと。左は人の決定 {decided} 件、中央は鍵(生成 {made}、複製 {copied}、破棄 {destroyed})、右は得られるもの(電子証明書 {certificates} 件、CRL {crls} 件)。上から手順の順。",
        "What {ceremony} does, from top to bottom in the order of its steps: on the left what people decide ({decided}), in the middle the keys (made: {made}, copied: {copied}, destroyed: {destroyed}), on the right what comes of it (certificates: {certificates}, CRLs: {crls})."
    );
    language.pick(&says).to_string()
}

/// A drawing in the making.
struct Paint<'a> {
    graph: &'a Graph,
    rows: &'a [Row],
    keys: Vec<Name>,
    language: Language,
    lines: String,
    boxes: String,
}

impl<'a> Paint<'a> {
    fn new(graph: &'a Graph, rows: &'a [Row], language: Language) -> Self {
        let keys = rows::keys(graph, rows);
        Self { graph, rows, keys, language, lines: String::new(), boxes: String::new() }
    }

    /// Draws the rows, and returns the element.
    fn svg(mut self, namespace: &str, says: &str) -> String {
        let (from, apart) = KEYS;
        let results = from + apart * self.keys.len().saturating_sub(1) + KEY / 2 + 24;
        let width = results + RESULT + 2;
        let mut y = self.head(results);
        let existing = self.existing();
        // Where the line of each key begins, and where it ends.
        let mut alive: Vec<Option<usize>> = Vec::new();
        for key in &self.keys.clone() {
            let is_there = existing.contains(key);
            alive.push(is_there.then_some(y + 2 * LINE + 8));
            if is_there {
                self.key(key, y);
            }
        }
        y += if existing.is_empty() { 0 } else { 2 * LINE + 8 + GAP };
        for row in self.rows {
            let height = self.row(row, y, results, &mut alive);
            y += height + GAP;
        }
        for (place, begun) in alive.into_iter().enumerate() {
            if let Some(begun) = begun {
                self.line((self.column(place), begun), (self.column(place), y), "");
            }
        }
        let height = y + 4;
        let (code, says) = (self.language.code(), escaped(says));
        let (lines, boxes) = (self.lines, self.boxes);
        format!(
            "<svg{namespace} width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" lang=\"{code}\" font-family=\"sans-serif\" font-size=\"11\" \
             stroke=\"#000\" fill=\"#fff\">\n<title>{says}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" stroke=\"none\"/>\n{lines}{boxes}</svg>\n"
        )
    }

    /// The names of the columns; returns where the rows begin.
    fn head(&mut self, results: usize) -> usize {
        let names = [
            (0, says!("手順", "step")),
            (DECIDED.0, says!("人の決定", "decided by people")),
            (KEYS.0 - KEY / 2, says!("鍵", "keys")),
            (results, says!("署名されるものなど", "what is signed and made")),
        ];
        for (x, name) in names {
            let name = self.pick(&name);
            let _ = writeln!(self.boxes, "{}", text(x, LINE, &name, " font-weight=\"bold\""));
        }
        let width = results + RESULT;
        self.line((0, LINE + 6), (width, LINE + 6), "");
        LINE + 6 + GAP
    }

    fn pick(&self, both: &Bilingual) -> String {
        self.language.pick(both).to_string()
    }

    /// The keys that exist before the ceremony: all that no step makes.
    fn existing(&self) -> Vec<Name> {
        let made = |key: &Name| {
            self.rows.iter().any(|row| matches!(&row.what, What::Made { key: made } if made == key))
        };
        self.keys.iter().filter(|key| !made(key)).cloned().collect()
    }

    fn column(&self, place: usize) -> usize {
        KEYS.0 + KEYS.1 * place
    }

    /// Where the line of a key is.
    fn x(&self, key: &Name) -> usize {
        self.column(self.keys.iter().position(|other| other == key).unwrap_or(0))
    }

    /// Draws one row at this height, and returns how high it is.
    fn row(&mut self, row: &Row, y: usize, results: usize, alive: &mut [Option<usize>]) -> usize {
        let lines = match &row.what {
            What::Decided { lines, .. } => wrapped(lines, DECIDED.1),
            What::Made { key } => self.key_lines(key),
            What::Crls(batch) => wrapped(&batch.lines(self.language), RESULT),
            What::Signed { lines, .. }
            | What::Copied { lines, .. }
            | What::Destroyed { lines, .. }
            | What::Removed { lines } => wrapped(lines, RESULT),
        };
        let height = lines.len() * LINE + 8;
        let middle = y + height / 2;
        let (first, last) = row.steps;
        let steps = if first == last { first.to_string() } else { format!("{first}–{last}") };
        let _ = writeln!(self.boxes, "{}", text(0, middle + 4, &steps, ""));
        let title = format!("{steps}. {}", row.title);
        match &row.what {
            What::Decided { keys, .. } => {
                self.node((DECIDED.0, y), DECIDED.1, &lines, &title, "");
                for key in keys {
                    let from = (DECIDED.0 + DECIDED.1, middle);
                    self.arrow(from, (self.x(key) - 2, middle), " stroke-dasharray=\"4 3\"");
                }
            }
            What::Made { key } => {
                self.key(key, y);
                let place = self.keys.iter().position(|other| other == key);
                if let Some(begun) = place.and_then(|place| alive.get_mut(place)) {
                    *begun = Some(y + height);
                }
            }
            What::Signed { by, subject, .. } => {
                self.node((results, y), RESULT, &lines, &title, "");
                self.signed(by, subject.as_ref(), middle, results);
            }
            What::Crls(batch) => {
                self.node((results, y), RESULT, &lines, &title, "");
                self.signed(&batch.by, None, middle, results);
            }
            What::Copied { key, .. } => {
                self.node((results, y), RESULT, &lines, &title, "");
                self.signed(key, None, middle, results);
            }
            What::Destroyed { key, ends, .. } => {
                self.node((results, y), RESULT, &lines, &title, " stroke-dasharray=\"4 3\"");
                self.arrow((self.x(key), middle), (results, middle), " stroke-dasharray=\"4 3\"");
                self.cross(key, middle);
                let place = self.keys.iter().position(|other| other == key);
                let begun = place.and_then(|place| alive.get_mut(place)).filter(|_| *ends);
                if let Some(from) = begun.and_then(Option::take) {
                    self.line((self.x(key), from), (self.x(key), middle), "");
                }
            }
            What::Removed { .. } => {
                self.node((results, y), RESULT, &lines, &title, " stroke-dasharray=\"4 3\"");
            }
        }
        height
    }

    fn key_lines(&self, key: &Name) -> Vec<String> {
        let curve = self.graph.key(key).map_or("", |key| key.curve.name());
        Vec::from([key.to_string(), curve.to_string()])
    }

    /// Draws a key on its line.
    fn key(&mut self, key: &Name, y: usize) {
        let planned = self.graph.key(key);
        let origin = match planned.map(|key| key.origin) {
            Some(Origin::Here) => says!("このセレモニーで生成", "made in this ceremony"),
            Some(Origin::Before) | None => says!("以前から存在", "exists before it"),
        };
        let border = match planned.map(|key| key.origin) {
            Some(Origin::Here) => " stroke-width=\"2\"",
            Some(Origin::Before) | None => "",
        };
        let generation = planned.map_or_else(Bilingual::default, |key| {
            let number = key.generation;
            says!("、第 {number} 世代", ", generation {number}")
        });
        let curve = planned.map_or("", |key| key.curve.name());
        let title = says!(
            generation, origin;
            "鍵 {key}({curve}{generation}、{origin})",
            "key {key}: {curve}{generation}, {origin}"
        );
        let (lines, title) = (self.key_lines(key), self.pick(&title));
        let x = self.x(key) - KEY / 2;
        self.node((x, y), KEY, &lines, &title, border);
    }

    /// Draws from a key, and the key that is certified, to what is signed.
    fn signed(&mut self, by: &Name, subject: Option<&Name>, y: usize, results: usize) {
        if let Some(subject) = subject.map(|key| self.x(key)) {
            if subject < self.x(by) {
                self.line((subject, y), (self.x(by), y), " stroke-dasharray=\"4 3\"");
            }
            let _ = writeln!(self.boxes, "<circle cx=\"{subject}\" cy=\"{y}\" r=\"4\"/>");
        }
        let x = self.x(by);
        self.arrow((x, y), (results, y), "");
        let _ = writeln!(self.boxes, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"#000\"/>");
    }

    fn cross(&mut self, key: &Name, y: usize) {
        let x = self.x(key);
        for (from, to) in [((x - 5, y - 5), (x + 5, y + 5)), ((x - 5, y + 5), (x + 5, y - 5))] {
            self.line(from, to, " stroke-width=\"2\"");
        }
    }

    fn line(&mut self, (x1, y1): (usize, usize), (x2, y2): (usize, usize), style: &str) {
        let _ =
            writeln!(self.lines, "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"{style}/>");
    }

    fn arrow(&mut self, from: (usize, usize), to: (usize, usize), style: &str) {
        self.line(from, to, style);
        let ((x, y), back) = (to, to.0 - 7);
        let _ = writeln!(
            self.boxes,
            "<path d=\"M{x} {y}L{back} {}L{back} {}Z\" fill=\"#000\"/>",
            y - 4,
            y + 4
        );
    }

    /// Draws a box with its lines.
    fn node(
        &mut self,
        (x, y): (usize, usize),
        width: usize,
        lines: &[String],
        title: &str,
        border: &str,
    ) {
        let height = lines.len() * LINE + 8;
        let _ = writeln!(
            self.boxes,
            "<g>\n<title>{}</title>\n<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" \
             height=\"{height}\"{border}/>",
            escaped(title)
        );
        for (place, line) in lines.iter().enumerate() {
            let _ = writeln!(self.boxes, "{}", text(x + 6, y + 1 + LINE * (place + 1), line, ""));
        }
        self.boxes.push_str("</g>\n");
    }
}

fn text(x: usize, y: usize, text: &str, style: &str) -> String {
    format!(
        "<text x=\"{x}\" y=\"{y}\" stroke=\"none\" fill=\"#000\"{style}>{}</text>",
        escaped(text)
    )
}

/// Breaks lines so that they fit into a box: between words where there are some.
fn wrapped(lines: &[String], width: usize) -> Vec<String> {
    let most = (width - 12) * 10;
    let wide = |letter: char| if letter.is_ascii() { LETTER.0 } else { LETTER.1 };
    let measured = |text: &str| text.chars().map(wide).sum::<usize>();
    let mut out = Vec::new();
    for line in lines {
        let mut open = String::new();
        for word in line.split_inclusive(' ') {
            if !open.is_empty() && measured(&open) + measured(word.trim_end()) > most {
                out.push(core::mem::take(&mut open));
            }
            for letter in word.chars() {
                if letter != ' ' && measured(&open) + wide(letter) > most {
                    out.push(core::mem::take(&mut open));
                }
                open.push(letter);
            }
        }
        out.push(open);
    }
    out.iter().map(|line| line.trim_end().to_string()).collect()
}
