//! The two languages of the product, and texts in both.
//!
//! **Invariant:** no text for people can be written in one language only. What a fault asked and
//! found is [`Bilingual`], which is made of both sentences ([`says!`](crate::says)), or of text
//! that needs no translation ([`Bilingual::plain`]).

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use serde::Deserialize;

/// The language of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Language {
    /// Returns the language's code in file names.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// Returns the text in this language.
    #[must_use]
    pub fn pick(self, both: &Bilingual) -> &str {
        match self {
            Self::Ja => &both.ja,
            Self::En => &both.en,
        }
    }
}

/// A sentence that is always the same, in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// In Japanese.
    pub ja: &'static str,
    /// In English.
    pub en: &'static str,
}

/// Makes a sentence of its two halves.
pub(crate) const fn both(ja: &'static str, en: &'static str) -> Sentence {
    Sentence { ja, en }
}

/// One text in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bilingual {
    /// The Japanese text, in the CP/CPS's terms.
    pub ja: String,
    /// The English text.
    pub en: String,
}

impl Bilingual {
    /// Makes a text that is the same in both languages: a name, a number, an id, or a quotation.
    pub fn plain(what: impl ToString) -> Self {
        let en = what.to_string();
        Self { ja: en.clone(), en }
    }

    /// Returns the word for "nothing".
    #[must_use]
    pub fn nothing() -> Self {
        crate::says!("なし", "nothing")
    }

    /// That there is none.
    #[must_use]
    pub fn none() -> Self {
        crate::says!("なし", "none")
    }
}

/// A text of a document in the CA's languages: Japanese, English, or both.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Halves")]
pub struct Text {
    /// The text in Japanese.
    ja: Option<String>,
    /// The text in English.
    en: Option<String>,
}

/// A text as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Halves {
    ja: Option<String>,
    en: Option<String>,
}

impl TryFrom<Halves> for Text {
    type Error = String;

    fn try_from(Halves { ja, en }: Halves) -> Result<Self, Self::Error> {
        let blank = |text: &Option<String>| text.as_ref().is_some_and(|t| t.trim().is_empty());
        if (ja.is_none() && en.is_none()) || blank(&ja) || blank(&en) {
            return Err(Self::refused().en);
        }
        Ok(Self { ja, en })
    }
}

impl Text {
    /// Says why a value is no text.
    pub(crate) fn refused() -> Bilingual {
        crate::says!(
            "文は `ja`、`en` 又はその両方の項目を持ち、どれも空でない",
            "a text is `ja`, `en` or both, and none of them is empty"
        )
    }

    /// Whether the text is written in this language.
    #[must_use]
    pub const fn is_in(&self, language: Language) -> bool {
        match language {
            Language::Ja => self.ja.is_some(),
            Language::En => self.en.is_some(),
        }
    }

    /// Returns the text; where a CA has one language, that one stands for the other.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let half = |one: &Option<String>, other: &Option<String>| {
            one.clone().or_else(|| other.clone()).unwrap_or_default()
        };
        Bilingual { ja: half(&self.ja, &self.en), en: half(&self.en, &self.ja) }
    }
}

impl From<Box<Self>> for Bilingual {
    fn from(kept: Box<Self>) -> Self {
        *kept
    }
}

/// Makes a [`Bilingual`] text, Japanese first, with the syntax of `format!`.
///
/// Arguments before the semicolon are themselves [`Bilingual`]; each sentence takes the text of its
/// own language.
///
/// ```
/// use ceremony::language::Bilingual;
/// use ceremony::says;
///
/// let key = says!("ルート鍵 {}", "root key {}", "g1");
/// let asked = says!(key; "{key} の署名", "a signature under {key}");
/// assert_eq!(asked.en, "a signature under root key g1");
/// assert_eq!(asked.ja, "ルート鍵 g1 の署名");
/// ```
#[macro_export]
macro_rules! says {
    ($ja:literal, $en:literal $(, $value:expr)* $(,)?) => {
        $crate::language::Bilingual {
            ja: $crate::language::written(format_args!($ja $(, $value)*)),
            en: $crate::language::written(format_args!($en $(, $value)*)),
        }
    };
    ($($both:ident),+; $ja:literal, $en:literal $(, $value:expr)* $(,)?) => {
        $crate::language::Bilingual {
            ja: {
                $(let $both = &$both.ja;)+
                $crate::language::written(format_args!($ja $(, $value)*))
            },
            en: {
                $(let $both = &$both.en;)+
                $crate::language::written(format_args!($en $(, $value)*))
            },
        }
    };
}

/// Formats the arguments of [`says!`](crate::says).
#[doc(hidden)]
#[must_use]
pub fn written(text: core::fmt::Arguments<'_>) -> String {
    alloc::fmt::format(text)
}
