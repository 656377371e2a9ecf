//! The languages of the room: Japanese and English.

use ceremony::language::{Bilingual, Language};
use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Ja,
    En,
}

/// Returns the same language as the core's type.
pub(crate) const fn language(lang: Lang) -> Language {
    match lang {
        Lang::Ja => Language::Ja,
        Lang::En => Language::En,
    }
}

/// Returns the words of this language.
pub(crate) const fn pick<'t>(lang: Lang, ja: &'t str, en: &'t str) -> &'t str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

impl Lang {
    /// Returns the text in this language.
    pub(crate) fn said(self, both: &Bilingual) -> &str {
        language(self).pick(both)
    }
}

/// Returns the language that the environment asks for.
pub(crate) fn of_environment() -> Lang {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let value = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
    if value.is_some_and(|value| value.starts_with("ja")) { Lang::Ja } else { Lang::En }
}
