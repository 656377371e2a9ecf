//! Finds line and column of a position in a document, counted from 1 as editors do.

use std::ops::Range;
use std::path::Path;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::sources::shown;

/// A document with the start of each line.
///
/// It finds a position without reading the whole text, however long a line is.
#[derive(Debug)]
pub(crate) struct Document {
    path: String,
    text: String,
    starts: Vec<usize>,
    /// The number of characters that begin before each block of [`BLOCK`] octets.
    counted: Vec<usize>,
}

/// The size of a block in octets.
const BLOCK: usize = 1 << 10;

/// Returns how many UTF-8 characters begin in these octets.
fn beginnings(octets: &[u8]) -> usize {
    octets.iter().filter(|octet| !(0x80..0xc0).contains(*octet)).count()
}

impl Document {
    pub(crate) fn new(path: &Path, text: String) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        let mut characters = 0;
        let counted = text.as_bytes().chunks(BLOCK).map(|block| {
            let before = characters;
            characters += beginnings(block);
            before
        });
        let counted = counted.collect();
        Self { path: shown(path), text, starts, counted }
    }

    /// Returns how many characters begin before this octet.
    fn characters(&self, at: usize) -> usize {
        let at = at.min(self.text.len().saturating_sub(1));
        let block = at / BLOCK;
        let rest = self.text.as_bytes().get(block * BLOCK..at).unwrap_or_default();
        self.counted.get(block).copied().unwrap_or_default() + beginnings(rest)
    }

    /// Returns the line of an octet, counted from 0.
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// Returns the first octet of a line; the end of the text for a line after the last.
    fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// Returns how many characters are before an octet in its line.
    fn column(&self, at: usize) -> usize {
        self.characters(at).saturating_sub(self.characters(self.start(self.line(at))))
    }

    /// Returns the position as `path:line:column`.
    pub(crate) fn place(&self, at: usize) -> String {
        format!("{}:{}:{}", self.path, self.line(at) + 1, self.column(at) + 1)
    }

    /// Returns the length in octets of the longest line that is shown around this span.
    pub(crate) fn widest_around(&self, span: &Range<usize>) -> usize {
        let (first, last) = (self.line(span.start).saturating_sub(1), self.line(span.end) + 1);
        let width = |line: usize| self.start(line + 1).saturating_sub(self.start(line));
        (first..=last).map(width).max().unwrap_or_default()
    }
}

impl SourceCode for Document {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let line = self.line(span.offset());
        let first = line.saturating_sub(before);
        let (from, column) = match before {
            0 => (span.offset(), self.column(span.offset())),
            _ => (self.start(first), 0),
        };
        let to = self.start(self.line(end.saturating_sub(1).max(span.offset())) + after + 1);
        let data = self.text.as_bytes().get(from..to.max(from)).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            data,
            (from, data.len()).into(),
            first,
            column,
            self.starts.len(),
        )))
    }
}

/// Returns the position of a span as `path:line:column`; only the path for an empty span at 0.
pub(crate) fn place(path: &Path, octets: &[u8], span: &Range<usize>) -> String {
    if *span == (0..0) {
        return shown(path);
    }
    Document::new(path, String::from_utf8_lossy(octets).into_owned()).place(span.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_as_editors_do() {
        let text = "a\n儀式 = 1\n\nend";
        let at = |part: &str| text.find(part).unwrap_or_default();
        let path = Path::new("x.toml");
        for (part, place) in [("a", "x.toml:1:1"), ("= 1", "x.toml:2:4"), ("end", "x.toml:4:1")] {
            let start = at(part);
            assert_eq!(super::place(path, text.as_bytes(), &(start..start + 1)), place);
        }
        let document = Document::new(path, text.to_string());
        assert_eq!(document.widest_around(&(at("end")..at("end") + 1)), 3);
        assert_eq!(document.widest_around(&(0..1)), "儀式 = 1\n".len());
        // A position after the end counts as the end.
        assert_eq!(document.place(1_000), "x.toml:4:3");
        let long = Document::new(path, "\n".to_string() + &"儀".repeat(5_000));
        assert_eq!(long.place(1 + 3 * 4_321), "x.toml:2:4322");
    }
}
