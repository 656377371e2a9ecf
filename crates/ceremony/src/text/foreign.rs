//! Translates the TOML library's error messages into Japanese.
//!
//! The library gives an English sentence and no error value. Its fixed phrases are recognised here
//! for the translation only: **no decision depends on them**, and an unknown sentence stays English
//! in both languages. For a value of one of gishiki's own types, its parser is called again to get
//! the error in both languages.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use toml::{Table, Value};

use crate::hex::{self, Digest};
use crate::language::Bilingual;
use crate::name::Name;
use crate::time::{CalendarSpan, Day, Instant};
use crate::words;

/// The longest value, in octets, that gishiki's own types parse.
const LONGEST: usize = 4096;

/// Returns the library's message on this piece of a document in both languages.
pub(super) fn said(message: &str, piece: &str) -> Bilingual {
    if let Some(ja) = of_a_field(message).or_else(|| of_syntax(message)) {
        return Bilingual { ja, en: message.into() };
    }
    ours(message, piece).unwrap_or_else(|| Bilingual::plain(message))
}

/// Returns the error of one of gishiki's own types for this value, if the message is that error.
fn ours(message: &str, piece: &str) -> Option<Bilingual> {
    if piece.len() > LONGEST {
        return None;
    }
    let table: Option<Table> = toml::from_str(&format!("v = {piece}")).ok();
    let value = match table.as_ref().and_then(|table| table.get("v")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Datetime(at)) => at.to_string(),
        Some(_) | None => piece.into(),
    };
    let refused = [
        value.parse::<Name>().err().map(|error| error.said()),
        value.parse::<Instant>().err().map(|error| error.said()),
        value.parse::<Day>().err().map(|error| error.said()),
        value.parse::<CalendarSpan>().err().map(|error| error.said()),
        value.parse::<Digest>().err().map(|error| error.said()),
        hex::seed(&value).err(),
        words::digest(&value).err(),
    ];
    refused.into_iter().flatten().find(|refused| refused.en == message)
}

/// Translates the phrases of serde on a field, a value or its type.
fn of_a_field(message: &str) -> Option<String> {
    let begun = |phrase: &str| message.strip_prefix(phrase);
    if message == "wanted string or table" {
        return Some("文字列又はテーブルを要する所に別の値".into());
    }
    let expected = |rest: &'_ str| rest.rsplit_once(", expected ").map(both);
    if let Some(field) = begun("missing field ") {
        return Some(format!("項目 {field} なし"));
    }
    if let Some(field) = begun("duplicate field ") {
        return Some(format!("項目 {field} の重複"));
    }
    if let Some(rest) = begun("unknown field ") {
        return Some(match expected(rest) {
            Some((field, names)) => {
                format!("定めのない項目 {field}(定めのある項目: {})", listed(&names))
            }
            None => format!("定めのない項目 {}", rest.split(", there").next().unwrap_or(rest)),
        });
    }
    if let Some((value, names)) = begun("unknown variant ").and_then(expected) {
        return Some(format!("定めのない値 {value}(定めのある値: {})", listed(&names)));
    }
    if let Some((found, asked)) = begun("invalid type: ").and_then(expected) {
        return Some(format!("{}を要する所に{}", kind(&asked), found_kind(&found)));
    }
    if let Some((found, asked)) = begun("invalid value: ").and_then(expected) {
        return Some(format!("{}として扱えない{}", kind(&asked), found_kind(&found)));
    }
    if let Some((length, asked)) = begun("invalid length ").and_then(expected) {
        return Some(format!("{}を要する所に要素 {length} 個", kind(&asked)));
    }
    None
}

fn both((found, asked): (&str, &str)) -> (String, String) {
    (found.into(), asked.into())
}

/// Translates a list such as "one of `a`, `b`", "`a` or `b`", or "`a`".
fn listed(names: &str) -> String {
    let names = names.strip_prefix("one of ").unwrap_or(names);
    let names: Vec<&str> = names.split(" or ").flat_map(|some| some.split(", ")).collect();
    names.join("、")
}

/// Translates serde's name of the kind that was expected.
fn kind(asked: &str) -> String {
    let known = match asked {
        "a string" | "a borrowed string" | "string" => "文字列",
        "a boolean" | "bool" => "真偽値",
        "u8" | "u16" | "u32" | "u64" | "usize" => "0 以上の整数",
        "i8" | "i16" | "i32" | "i64" => "整数",
        "f32" | "f64" => "小数",
        "a sequence" => "配列",
        "a map" => "テーブル",
        "a TOML datetime" => "日時",
        "string or table" => "文字列又はテーブル",
        "variant identifier" => "定めのある値",
        other if other.starts_with("struct ") => "テーブル",
        other if other.starts_with("enum ") => "定めのある値",
        other => return format!("{other} "),
    };
    known.into()
}

/// Translates serde's name of the kind that was found, and the value behind it.
fn found_kind(found: &str) -> String {
    let kinds = [
        ("boolean ", "真偽値 "),
        ("integer ", "整数 "),
        ("floating point ", "小数 "),
        ("string ", "文字列 "),
    ];
    let of_value = kinds
        .iter()
        .find_map(|(english, ja)| Some(format!("{ja}{}", found.strip_prefix(english)?)));
    of_value.unwrap_or_else(|| match found {
        "sequence" => "配列".into(),
        // Serde calls a date or a time a map too.
        "map" => "テーブル又は日時".into(),
        other => format!(" {other}"),
    })
}

/// Translates the phrases of the parser, and what it expected instead.
fn of_syntax(message: &str) -> Option<String> {
    let (what, rest) = message.split_once(", expected ").unwrap_or((message, ""));
    let what = match what {
        "duplicate key" => "重複した項目",
        "unclosed table" | "unclosed array table" => "閉じていない見出し",
        "unclosed array" => "閉じていない配列",
        "unclosed inline table" => "閉じていないインラインテーブル",
        "key with no value" | "missing value" | "missing value for key" => "値のない項目",
        "unquoted keys cannot be empty" | "missing key for inline table element" => "名のない項目",
        "invalid key" | "invalid unquoted key" => "項目の名に使えない文字",
        "invalid key-value pair" | "missing assignment between key-value pairs" => {
            "`項目 = 値` の形でないもの"
        }
        "extra `=`" | "unexpected `=` in array" | "extra assignment between key-value pairs" => {
            "余分な `=`"
        }
        "extra comma in array" | "extra comma in inline table" => "余分なコンマ",
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            "間にコンマのない要素"
        }
        "unexpected key or value" | "unexpected content" => "余分なもの",
        "string values must be quoted" => "引用符のない文字列",
        "missing opening quote" => "始まりの引用符のない文字列",
        "invalid basic string"
        | "invalid literal string"
        | "invalid multi-line basic string"
        | "invalid multi-line literal string" => "正しくないか閉じていない文字列",
        "missing escaped value" => "`\\` の後のない文字列",
        "invalid date-time" => "正しくない日時",
        "invalid boolean" => "正しくない真偽値",
        "invalid integer number" | "integer number overflowed" => "正しくない整数",
        "unexpected leading zero" => "余分な 0 で始まる数",
        "invalid value" => "正しくない値",
        "cannot recurse further; max recursion depth met" => "深すぎる入れ子",
        _ => return None,
    };
    if rest.is_empty() {
        return Some(what.into());
    }
    let taken: Vec<&str> = rest.split(", ").map(taken).collect();
    Some(format!("{what}(書けるもの: {})", taken.join("、")))
}

/// Translates a sign that the parser expected, or the parser's word for one.
fn taken(word: &str) -> &str {
    match word {
        "newline" => "改行",
        "nothing" => "なし",
        "key" => "項目",
        "value" => "値",
        "digits" => "数字",
        "basic string" | "literal string" | "unquoted string" => "文字列",
        sign => sign,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn the_phrases_of_the_library_are_said_in_japanese_too() {
        for (message, ja) in [
            ("missing field `after`", "項目 `after` なし"),
            ("duplicate field `after`", "項目 `after` の重複"),
            ("duplicate key", "重複した項目"),
            ("unknown field `x`, there are no fields", "定めのない項目 `x`"),
            ("unknown field `x`, expected `a`", "定めのない項目 `x`(定めのある項目: `a`)"),
            (
                "unknown field `x`, expected one of `a`, `b`, `c`",
                "定めのない項目 `x`(定めのある項目: `a`、`b`、`c`)",
            ),
            (
                "unknown variant `x`, expected `real` or `drill`",
                "定めのない値 `x`(定めのある値: `real`、`drill`)",
            ),
            ("invalid type: string \"1\", expected u32", "0 以上の整数を要する所に文字列 \"1\""),
            ("invalid type: integer `1`, expected a string", "文字列を要する所に整数 `1`"),
            ("invalid type: map, expected a sequence", "配列を要する所にテーブル又は日時"),
            ("invalid type: sequence, expected struct Window", "テーブルを要する所に配列"),
            ("invalid value: integer `-1`, expected u32", "0 以上の整数として扱えない整数 `-1`"),
            ("wanted string or table", "文字列又はテーブルを要する所に別の値"),
            ("unclosed array, expected `]`", "閉じていない配列(書けるもの: `]`)"),
            ("unexpected key or value, expected newline, `#`", "余分なもの(書けるもの: 改行、`#`)"),
        ] {
            let said = said(message, "");
            assert_eq!((said.ja.as_str(), said.en.as_str()), (ja, message));
        }
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        for message in ["something new", "invalid spaceship, expected `]`", "expected nothing"] {
            assert_eq!(said(message, "1"), Bilingual::plain(message));
        }
    }

    #[test]
    fn our_own_types_say_themselves_what_they_refuse() {
        let local = "2026-04-01T10:00:00";
        for (piece, refused) in [
            ("\"A b\"", "A b".parse::<Name>().unwrap_err().said()),
            ("A_b", "A_b".parse::<Name>().unwrap_err().said()),
            (local, local.parse::<Instant>().unwrap_err().said()),
            (local, local.parse::<Day>().unwrap_err().said()),
            ("\"soon\"", "soon".parse::<CalendarSpan>().unwrap_err().said()),
            ("\"ab\"", "ab".parse::<Digest>().unwrap_err().said()),
            ("\"ab\"", hex::seed("ab").unwrap_err()),
            ("\"\"\"two words\"\"\"", words::digest("two words").unwrap_err()),
        ] {
            assert_ne!(refused.ja, refused.en, "{piece}");
            assert_eq!(said(&refused.en, piece), refused);
        }
    }
}
