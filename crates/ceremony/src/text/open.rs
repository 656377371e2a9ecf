//! Places of a document that are still to be filled in.
//!
//! `gishiki new` writes what it knows, and a text that begins with [`MARK`] where only people can
//! say what belongs there. No document with such a place is read: its first one is refused, with
//! what to write.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::violation::{Input, Violation};

/// The beginning of a text that stands in the place of a value.
pub(crate) const MARK: &str = "FILL IN: ";

/// Between what to write in Japanese and the same in English.
pub(crate) const BETWEEN: &str = " | ";

/// Returns the violation of the first place of a document that is still to be filled in.
pub(super) fn refused(input: Input, text: &str) -> Option<Violation> {
    // What has no mark anywhere is not parsed twice.
    if !text.contains(MARK) {
        return None;
    }
    let table = DeTable::parse(text).ok()?;
    let mut found = Vec::new();
    collect_table(table.get_ref(), &mut found);
    let all = found.len();
    let (span, what) = found.into_iter().min_by_key(|(span, _)| span.start)?;
    let asked = match what.split_once(BETWEEN) {
        Some((ja, en)) => Bilingual { ja: ja.to_string(), en: en.to_string() },
        None => Bilingual::plain(what),
    };
    let found = says!(
        "まだ記入されていない箇所(この文書に {all} 箇所)",
        "a place that is not filled in yet ({all} in this document)"
    );
    let advice = says!(
        "この箇所の引用符を含む文字列全体を、求められた値に置き換える",
        "write what is asked in place of the whole text, its quotation marks included"
    );
    Some(Violation::at(input, span, RuleId::S_FORM, asked, found, advice))
}

fn collect_table(table: &DeTable<'_>, found: &mut Vec<(Range<usize>, String)>) {
    for (key, value) in table {
        take(key.get_ref(), key.span(), found);
        collect(value, found);
    }
}

fn collect(value: &Spanned<DeValue<'_>>, found: &mut Vec<(Range<usize>, String)>) {
    match value.get_ref() {
        DeValue::String(text) => take(text, value.span(), found),
        DeValue::Array(items) => items.iter().for_each(|item| collect(item, found)),
        DeValue::Table(inner) => collect_table(inner, found),
        DeValue::Datetime(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => {}
    }
}

fn take(text: &str, span: Range<usize>, found: &mut Vec<(Range<usize>, String)>) {
    if let Some(what) = text.strip_prefix(MARK) {
        found.push((span, what.to_string()));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn the_first_open_place_is_refused_with_what_to_write() {
        let (open, later) = (r#""FILL IN: 国名 | the \"country\"""#, r#""FILL IN: 日 | a day""#);
        let text = alloc::format!("a = 1 # {MARK}\nb = [{{ c = {open} }}]\n[d.{later}]\ne = 1\n");
        let violation = refused(Input::Policy, &text).unwrap();
        assert_eq!(violation.rule, RuleId::S_FORM);
        assert_eq!(*violation.asked, says!("国名", "the \"country\""));
        assert!(violation.found.en.contains("(2 in this document)"), "{}", violation.found.en);
        assert_eq!(text.get(violation.place.span.clone()), Some(open));
        let filled = text.replace(open, "\"XU\"");
        assert_eq!(*refused(Input::Policy, &filled).unwrap().asked, says!("日", "a day"));
        assert_eq!(refused(Input::Policy, &filled.replace(later, "x")), None);
    }
}
