//! The fixed words of a script.

use super::{en, ja};
use crate::document::{Blank, Column, StepWords, Text};
use crate::language::Language;

impl Language {
    pub(super) const fn labels(self) -> &'static Labels {
        match self {
            Self::Ja => &ja::LABELS,
            Self::En => &en::LABELS,
        }
    }
}

/// The fixed words of a script, in one language.
pub(super) struct Labels {
    pub(super) title: &'static str,
    pub(super) ceremony: &'static str,
    pub(super) window: &'static str,
    pub(super) place: &'static str,
    pub(super) copy: &'static str,
    pub(super) digests: &'static str,
    pub(super) digests_note: &'static str,
    pub(super) exceptions: &'static str,
    pub(super) people: &'static str,
    pub(super) reserve: &'static str,
    pub(super) people_head: [Column; 8],
    pub(super) material: &'static str,
    pub(super) material_note: &'static str,
    pub(super) material_head: [Column; 5],
    pub(super) materials: [&'static str; 6],
    pub(super) token: &'static str,
    pub(super) agenda: &'static str,
    pub(super) agenda_head: [Column; 5],
    pub(super) all_parts: &'static str,
    pub(super) keys: &'static str,
    pub(super) made: &'static str,
    pub(super) exists: &'static str,
    pub(super) decisions: &'static str,
    pub(super) structures: &'static str,
    pub(super) crl_numbers: &'static str,
    pub(super) phases: [&'static str; 5],
    pub(super) columns: StepWords,
    pub(super) fingerprint: &'static str,
    pub(super) head: &'static str,
    pub(super) head_by: &'static str,
    pub(super) signed: &'static str,
    pub(super) signed_by: &'static str,
    pub(super) annex_resume: &'static str,
    pub(super) resume: &'static [&'static str],
    pub(super) questions: &'static str,
    pub(super) questions_head: [Column; 3],
    pub(super) questions_first: &'static [[&'static str; 3]],
    pub(super) questions_steps: [&'static str; 3],
    pub(super) questions_later: &'static [[&'static str; 3]],
    pub(super) more_heads: &'static str,
    pub(super) after_step: &'static str,
    pub(super) line_of_words: &'static str,
    pub(super) annex_attempts: &'static str,
    pub(super) attempts: &'static str,
    pub(super) annex_refusal: &'static str,
    pub(super) refusal: &'static str,
    pub(super) annex_slip: &'static str,
    pub(super) slip: &'static str,
    pub(super) slip_head: &'static str,
    pub(super) slip_postscript: &'static str,
    pub(super) slip_audit_key: &'static str,
    pub(super) date: &'static str,
    pub(super) all_sign: &'static str,
    pub(super) annex_differs: &'static str,
    pub(super) differs: &'static str,
    pub(super) differs_head: [Column; 4],
    pub(super) annex_attest: &'static str,
    pub(super) attest: &'static str,
    pub(super) attest_head: [Column; 5],
    pub(super) annex_words: &'static str,
    pub(super) words_head: [Column; 2],
    pub(super) words: &'static [[&'static str; 2]],
}

impl Labels {
    /// A line for a head and for who confirmed it, after these words.
    pub(super) fn head(&self, before: Text, language: Language) -> Text {
        let words = before.and(Text::blank(Blank::Words(language)));
        words.and(Text::plain(self.head_by)).and(Text::blank(Blank::Id))
    }
}
