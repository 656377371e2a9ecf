//! Translates the TOML library's error messages into Japanese.
//!
//! The library gives an English sentence and no error value. Its fixed phrases are recognised here
//! for the translation only: **no decision depends on them**. A sentence that is not known is
//! quoted, and said to be the library's. For a value of one of gishiki's own types, its parser is
//! called again to get the error in both languages.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use toml::{Table, Value};

use crate::cps::{Amount, RequirementId};
use crate::hex::{self, Digest};
use crate::key::PublicKey;
use crate::language::{Bilingual, Text};
use crate::name::Name;
use crate::says;
use crate::time::{CalendarSpan, Day, Instant, Offset};
use crate::words;

/// The longest value, in octets, that gishiki's own types parse.
const LONGEST: usize = 4096;

/// Returns the library's message on this piece of a document in both languages.
pub(super) fn said(message: &str, piece: &str) -> Bilingual {
    // The library hands on a date or a time as a table with an entry of this name.
    if message.contains("$__toml_private_datetime") {
        return says!("テーブルを書く所に日時がある", "a date or a time where a table is expected");
    }
    if let Some(ja) = of_a_field(message).or_else(|| of_syntax(message)) {
        return Bilingual { ja, en: message.into() };
    }
    ours(message, piece).unwrap_or_else(|| Bilingual {
        ja: format!("書式に誤りがある。TOML の読み取りライブラリーの英文: 「{message}」"),
        en: message.into(),
    })
}

/// Returns the error of one of gishiki's own types for this value, if the message is that error.
fn ours(message: &str, piece: &str) -> Option<Bilingual> {
    let of_texts = [Text::refused(), RequirementId::refused()];
    if let Some(refused) = of_texts.into_iter().find(|refused| refused.en == message) {
        return Some(refused);
    }
    if let Some(found) = message.strip_suffix(Amount::REFUSED.en) {
        return Some(Bilingual {
            ja: format!("{found}{}", Amount::REFUSED.ja),
            en: message.into(),
        });
    }
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
        value.parse::<Offset>().err().map(|error| error.said()),
        value.parse::<Digest>().err().map(|error| error.said()),
        value.parse::<PublicKey>().err().map(|error| error.said()),
        hex::seed(&value).err(),
        words::digest(&value).err(),
    ];
    refused.into_iter().flatten().find(|refused| refused.en == message)
}

/// Translates the phrases of serde on a field, a value or its type.
fn of_a_field(message: &str) -> Option<String> {
    let begun = |phrase: &str| message.strip_prefix(phrase);
    if let Some(other) = whole(message) {
        return Some(other.into());
    }
    let expected = |rest: &'_ str| rest.rsplit_once(", expected ").map(both);
    if let Some(field) = begun("missing field ") {
        return Some(format!("項目 {field} がない"));
    }
    if let Some(field) = begun("duplicate field ") {
        return Some(format!("項目 {field} が重複している"));
    }
    if let Some(rest) = begun("unknown field ") {
        return Some(match expected(rest) {
            Some((field, names)) => {
                format!("項目 {field} は定められていない(書ける項目は {})", listed(&names))
            }
            None => {
                let field = rest.split(", there").next().unwrap_or(rest);
                format!("項目 {field} は定められていない(書ける項目はない)")
            }
        });
    }
    if let Some((value, names)) = begun("unknown variant ").and_then(expected) {
        return Some(format!("値 {value} は定められていない(書ける値は {})", listed(&names)));
    }
    if let Some((found, asked)) = begun("invalid type: ").and_then(expected) {
        return Some(format!("{}を書く所に{}がある", kind(&asked), found_kind(&found)));
    }
    if let Some((found, asked)) = begun("invalid value: ").and_then(expected) {
        return Some(format!("{}を書く所に、使えない{}がある", kind(&asked), found_kind(&found)));
    }
    if let Some((length, asked)) = begun("invalid length ").and_then(expected) {
        return Some(format!("{}を書く所に、要素が {length} 個ある", kind(&asked)));
    }
    None
}

/// Translates the sentences of the library that have no part of their own.
fn whole(message: &str) -> Option<&'static str> {
    Some(match message {
        "wanted string or table" => "文字列でもテーブルでもない値がある",
        "wanted exactly 1 element, found 0 elements"
        | "wanted exactly 1 element, more than 1 element" => {
            "項目がちょうど 1 つのテーブルを書く所に、ほかの数の項目がある"
        }
        "an enum without variants" | "no stand-in is of this type" => {
            "ここに書ける値は定められていない"
        }
        "value is missing" | "a value before its name" => "値がない",
        // What the reader of dates and times says of a table.
        "datetime key not found" => "日付又は時刻が書かれていない",
        "map key was not a string" => "項目の名が文字列でない",
        _ => return None,
    })
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
    let begins = |word: &str| asked.starts_with(word);
    let known = match asked {
        "a string" | "a borrowed string" | "string" | "a character" => "文字列",
        "a boolean" | "bool" => "真偽値",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "0 以上の整数",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "整数",
        "f32" | "f64" => "小数",
        "a sequence" | "an empty array" => "配列",
        "a map" => "テーブル",
        "a TOML datetime" => "日時",
        "string or table" => "文字列又はテーブル",
        "any valid TOML value" => "TOML の値",
        "variant identifier" => "定められた値",
        "field identifier" => "項目の名",
        _ if begins("a nonzero ") => "0 でない整数",
        _ if begins("struct ") => "テーブル",
        _ if begins("enum ") || begins("unit variant ") => "定められた値",
        _ if ["a tuple of ", "an array of ", "tuple "].into_iter().any(begins) => {
            "決まった数の要素の配列"
        }
        other => return format!("「{other}」"),
    };
    known.into()
}

/// Translates serde's name of the kind that was found, and the value behind it.
fn found_kind(found: &str) -> String {
    let kinds = [
        ("boolean ", "真偽値 "),
        ("integer ", "整数 "),
        ("floating point ", "小数 "),
        ("character ", "文字 "),
        ("string ", "文字列 "),
    ];
    let of_value = kinds
        .iter()
        .find_map(|(english, ja)| Some(format!("{ja}{} ", found.strip_prefix(english)?)));
    of_value.unwrap_or_else(|| match found {
        "sequence" => "配列".into(),
        // Serde calls a date or a time a map too.
        "map" => "テーブル又は日時".into(),
        "enum" | "unit variant" | "newtype variant" | "tuple variant" | "struct variant" => {
            "名前付きの値".into()
        }
        "unit value" | "Option value" => "値のないもの".into(),
        "byte array" => "オクテット列".into(),
        other => format!("「{other}」"),
    })
}

/// Translates the phrases of the parser, and what it expected instead.
fn of_syntax(message: &str) -> Option<String> {
    let (what, rest) = message.split_once(", expected ").unwrap_or((message, ""));
    if let Some(when) = of_a_time(what) {
        return Some(format!("{when}が、暦や時計にないか、2030-04-01T10:00:00+09:00 の形でない"));
    }
    let sentence = of_a_phrase(what)?;
    let taken: Vec<&str> = rest.split(", ").map(taken).collect();
    Some(match rest {
        "" => sentence.into(),
        "nothing" => format!("{sentence}(ここには何も書けない)"),
        _ => format!("{sentence}(ここに書けるのは {})", taken.join("、")),
    })
}

/// Translates what the parser calls a date or time that it refuses.
fn of_a_time(what: &str) -> Option<&'static str> {
    Some(match what {
        "invalid date-time" | "invalid datetime" => "日時",
        "invalid date" => "日付",
        "invalid time" => "時刻",
        "invalid offset" => "時差",
        _ => return None,
    })
}

fn of_a_phrase(what: &str) -> Option<&'static str> {
    Some(match what {
        "duplicate key" => "同じ項目又は見出しが既にある",
        "unclosed table" | "unclosed array table" => "見出しが閉じていない",
        "missing table open" | "missing array table open" | "invalid table" => {
            "見出しの形が正しくない"
        }
        "unclosed array" => "配列が閉じていない",
        "missing array opening" => "配列の始まりの `[` がない",
        "unclosed inline table" => "インラインテーブルが閉じていない",
        "missing inline table opening" => "インラインテーブルの始まりの `{` がない",
        "invalid inline table element" => "インラインテーブルの要素の形が正しくない",
        "key with no value" | "missing value" | "missing value for key" => "項目に値がない",
        "unquoted keys cannot be empty" | "missing key for inline table element" => {
            "項目の名がない"
        }
        "keys cannot be multi-line basic strings" | "keys cannot be multi-line literal strings" => {
            "複数行の文字列は、項目の名にできない"
        }
        "invalid key" | "invalid unquoted key" => "項目の名に使えない文字がある",
        "invalid key-value pair" | "missing assignment between key-value pairs" => {
            "`項目 = 値` の形でない"
        }
        "extra `=`" | "unexpected `=` in array" | "extra assignment between key-value pairs" => {
            "余分な `=` がある"
        }
        "extra comma in array" | "extra comma in inline table" => "余分なコンマがある",
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            "要素の間にコンマがない"
        }
        "unexpected key or value"
        | "unexpected content"
        | "unexpected content between comment and newline" => "余分なものがある",
        "string values must be quoted" => "文字列に引用符がない",
        "missing opening quote" => "文字列の始まりの引用符がない",
        "invalid string"
        | "invalid basic string"
        | "invalid literal string"
        | "invalid multi-line basic string"
        | "invalid multi-line literal string" => "文字列の形が正しくないか、閉じていない",
        "missing escaped value" | "too few unicode value digits" => "文字列の `\\` の後が足りない",
        "invalid comment character" | "missing comment start" => "コメントの形が正しくない",
        "carriage return must be followed by newline" => "復帰文字だけの行末がある",
        "invalid boolean" => "真偽値の形が正しくない",
        "integers with a radix cannot be signed" | "unexpected sign" | "redundant numeric sign" => {
            "数に、付けられない符号がある"
        }
        "radix must be lowercase" | "redundant integer number prefix" => {
            "数の始まりの形が正しくない"
        }
        "`_` may only go between digits" => "数字の間でない所に `_` がある",
        "invalid integer number"
        | "invalid hexadecimal number"
        | "invalid octal number"
        | "invalid binary number"
        | "integer number overflowed" => "整数の形が正しくないか、大きすぎる",
        "invalid float"
        | "invalid mantissa"
        | "invalid fraction"
        | "invalid exponent"
        | "floating-point number overflowed" => "小数の形が正しくないか、大きすぎる",
        "unexpected leading zero" => "数が余分な 0 で始まる",
        "invalid value" => "値の形が正しくない",
        "cannot recurse further; max recursion depth met" | "recursion limit" => "入れ子が深すぎる",
        "could not allocate for string" => "文字列のためのメモリーが足りない",
        _ if what.starts_with("cannot extend value of type ") => {
            "値のある項目の下には、ドットで続く項目を書けない"
        }
        _ => return None,
    })
}

/// Translates a sign that the parser expected, or the parser's word for one.
fn taken(word: &str) -> &str {
    match word {
        "newline" => "改行",
        "key" => "項目",
        "value" => "値",
        "digits" | "numbers" => "数字",
        "letters" => "英字",
        "characters" | "printable characters" => "文字",
        "non-single-quote characters" | "non-single-quote visible characters" => "`'` でない文字",
        "non-double-quote visible characters" => "`\"` でない文字",
        "unicode hexadecimal value" => "16 進の文字番号",
        "basic string" | "literal string" | "multi-line basic string" | "unquoted string" => {
            "引用符付きの文字列"
        }
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
            ("missing field `after`", "項目 `after` がない"),
            ("duplicate field `after`", "項目 `after` が重複している"),
            ("duplicate key", "同じ項目又は見出しが既にある"),
            (
                "unknown field `x`, there are no fields",
                "項目 `x` は定められていない(書ける項目はない)",
            ),
            ("unknown field `x`, expected `a`", "項目 `x` は定められていない(書ける項目は `a`)"),
            (
                "unknown field `x`, expected one of `a`, `b`, `c`",
                "項目 `x` は定められていない(書ける項目は `a`、`b`、`c`)",
            ),
            (
                "unknown variant `x`, expected `real` or `drill`",
                "値 `x` は定められていない(書ける値は `real`、`drill`)",
            ),
            (
                "invalid type: string \"1\", expected u32",
                "0 以上の整数を書く所に文字列 \"1\" がある",
            ),
            ("invalid type: integer `1`, expected a string", "文字列を書く所に整数 `1` がある"),
            ("invalid type: map, expected a sequence", "配列を書く所にテーブル又は日時がある"),
            ("invalid type: sequence, expected struct Window", "テーブルを書く所に配列がある"),
            (
                "invalid value: integer `-1`, expected u32",
                "0 以上の整数を書く所に、使えない整数 `-1` がある",
            ),
            (
                "invalid length 3, expected a tuple of size 2",
                "決まった数の要素の配列を書く所に、要素が 3 個ある",
            ),
            ("wanted string or table", "文字列でもテーブルでもない値がある"),
            ("unclosed array, expected `]`", "配列が閉じていない(ここに書けるのは `]`)"),
            (
                "unexpected key or value, expected newline, `#`",
                "余分なものがある(ここに書けるのは 改行、`#`)",
            ),
            ("extra `=`, expected nothing", "余分な `=` がある(ここには何も書けない)"),
            (
                "invalid date, expected day between 01 and 30",
                "日付が、暦や時計にないか、2030-04-01T10:00:00+09:00 の形でない",
            ),
        ] {
            let said = said(message, "");
            assert_eq!((said.ja.as_str(), said.en.as_str()), (ja, message));
        }
    }

    #[test]
    fn what_is_not_known_is_quoted() {
        for message in ["something new", "invalid spaceship, expected `]`", "expected nothing"] {
            let said = said(message, "1");
            assert_eq!(said.en, message);
            assert!(said.ja.starts_with("書式に誤りがある。"), "{}", said.ja);
            assert!(said.ja.ends_with(&format!("「{message}」")), "{}", said.ja);
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
            ("\"ab\"", "ab".parse::<PublicKey>().unwrap_err().said()),
            ("\"ab\"", hex::seed("ab").unwrap_err()),
            ("\"9\"", "9".parse::<Offset>().unwrap_err().said()),
            ("{}", Text::refused()),
            ("\"r\"", RequirementId::refused()),
            ("\"\"\"two words\"\"\"", words::digest("two words").unwrap_err()),
        ] {
            assert_ne!(refused.ja, refused.en, "{piece}");
            assert_eq!(said(&refused.en, piece), refused);
        }
    }
}
