//! The forms of values: how a text, a time or a number is written that a type takes.
//!
//! A schema can say the form of a text by a pattern only. Which pattern belongs to a type is found
//! out: the type is given every sample, and the pattern must match exactly those that it takes. A
//! parser that changes at one of its limits has no pattern any more, and the test of the schemas
//! says so.

use regex::Regex;
use serde_json::{Value, json};

/// Texts, each at a limit of one of the forms.
pub(super) const TEXTS: &[&str] = &[
    // Names: 1 to 40 characters.
    "a",
    "0",
    "g1-",
    "0123456789abcdefghijklmnopqrstuvwxyz----",
    "0123456789abcdefghijklmnopqrstuvwxyz-----",
    "-a",
    "a_b",
    "a b",
    "a.b",
    "é",
    "A",
    "",
    " ",
    "\u{3000}",
    " a",
    "架",
    // Digests.
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
    "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
    // The same, read aloud: one word less, all, and one more.
    "aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark",
    "aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness",
    "aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness aardvark",
    // In kana, and in Latin letters; and with more white space between, as between lines.
    "あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん",
    "あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん",
    "あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん",
    "AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN",
    "AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN",
    "AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN AIKOKUSHIN",
    " あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん  あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん  あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん  あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん あいこくしん ",
    " aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness  aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness  aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness  aardvark adroitness aardvark adroitness aardvark adroitness aardvark adroitness ",
    // Public keys on P-256 and P-384, in base64: one letter less, all, one more, and in octets.
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfRuEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==",
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEqofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3NhfeSpYmLG9dnpi/kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEqofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3NhfeSpYmLG9dnpi/kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5fA",
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    // Spans.
    "0 days",
    "0 hours",
    "0 years",
    "1 day",
    "1 hour",
    "1 month",
    "1 year",
    "11 days",
    "48 hours",
    "65535 months",
    "007 days",
    "+7 days",
    "5 years 4 months",
    "1 year 1 month 1 day 1 hour",
    "3 years 2 hours",
    "4 months 5 years",
    "1 day 1 day",
    "1 hour 1 day",
    "5 years ",
    "5  years",
    "5 years, 4 months",
    "5years",
    "-1 days",
    "1 week",
    "1.5 days",
    "days",
    "5",
    // Offsets.
    "+00:00",
    "-00:00",
    "+09:00",
    "-05:30",
    "+05:59",
    "+05:60",
    "+14:00",
    "+14:01",
    "-14:00",
    "+15:00",
    "09:00",
    "Z",
    // Ids of requirements: 3 to 40 characters.
    "R-A",
    "RA",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-ABCD",
];

/// Times, each at a limit of one of the forms.
pub(super) const TIMES: &[&str] = &[
    "2026-04-01T10:00:00+09:00",
    "2026-04-01",
    "2026-04-01T01:00:00Z",
    "2026-04-01T10:00:00-05:30",
    "2026-04-01T10:00:00.5+09:00",
    "2026-04-01T10:00:00.25Z",
    "2026-04-01T10:00:00",
    "10:00:00",
];

/// Numbers, each at a limit of a type.
pub(super) const NUMBERS: [i64; 7] = [i64::MIN, -1, 0, 1, 2, u32::MAX as i64, u32::MAX as i64 + 1];

const YEARS: &str = "[1-9][0-9]{0,4} years?";
const MONTHS: &str = "[1-9][0-9]{0,4} months?";
const DAYS: &str = "[1-9][0-9]{0,4} days?";
const HOURS: &str = "[1-9][0-9]{0,4} hours?";

/// The patterns of texts. `""` is that of every text.
fn of_texts() -> Vec<String> {
    let words = |word: &str, count| format!("\\s*{word}(\\s+{word}){{{}}}\\s*", count - 1);
    let behind = |unit: &str| format!("( {unit})?");
    let (months, days, hours) = (behind(MONTHS), behind(DAYS), behind(HOURS));
    vec![
        String::new(),
        "\\S".into(),
        "^[0-9a-z][0-9a-z-]{0,39}$".into(),
        "^[0-9a-f]{64}$".into(),
        "^([0-9a-f]{2})*$".into(),
        "^(MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[0-9A-Za-z+/]{86}==|MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE[0-9A-Za-z+/]{128})$"
            .into(),
        format!("^([0-9a-f]{{64}}|{}|{})$", words("[A-Za-z]+", 32), words("[ぁ-んァ-ヶA-Za-z'’]+", 24)),
        format!(
            "^(0 days|{YEARS}{months}{days}{hours}|{MONTHS}{days}{hours}|{DAYS}{hours}|{HOURS})$"
        ),
        "^(\\+(0[0-9]|1[0-3]):[0-5][0-9]|\\+14:00|-(0[1-9]|1[0-3]):[0-5][0-9]|-00:(0[1-9]|[1-5][0-9])|-14:00)$"
            .into(),
        "^[A-Z][0-9A-Z-]{2,39}$".into(),
    ]
}

/// The formats of times (JSON Schema validation 7.3.1), with their patterns. In JSON they are
/// texts.
const OF_TIMES: [(&str, &str); 2] = [
    ("date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    (
        "date-time",
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([Zz]|[+-][0-9]{2}:[0-9]{2})$",
    ),
];

/// Whether a pattern matches exactly the samples that are taken.
fn says(pattern: &str, samples: &[&str], taken: &[bool]) -> bool {
    let pattern = Regex::new(pattern).unwrap();
    samples.iter().zip(taken).all(|(sample, taken)| pattern.is_match(sample) == *taken)
}

/// The schema of texts of which these samples are taken.
pub(super) fn text(taken: &[bool]) -> Option<Value> {
    let all = of_texts();
    let pattern = all.iter().find(|pattern| says(pattern, TEXTS, taken))?;
    Some(match pattern.as_str() {
        "" => json!({ "type": "string" }),
        pattern => json!({ "type": "string", "pattern": pattern }),
    })
}

/// The schema of times of which these samples are taken.
pub(super) fn time(taken: &[bool]) -> Option<Value> {
    let (format, pattern) = OF_TIMES.iter().find(|(_, pattern)| says(pattern, TIMES, taken))?;
    Some(json!({ "type": "string", "format": format, "pattern": pattern }))
}

/// The schema of numbers of which these are taken.
pub(super) fn number(taken: &[bool]) -> Option<Value> {
    let number = NUMBERS.iter().zip(taken).filter_map(|(n, taken)| taken.then_some(*n));
    match number.collect::<Vec<_>>()[..] {
        [only] => Some(json!({ "type": "integer", "const": only })),
        [0, 1, 2, most] => Some(json!({ "type": "integer", "minimum": 0, "maximum": most })),
        [i64::MIN, .., last] if last == NUMBERS[6] => Some(json!({ "type": "integer" })),
        _ => None,
    }
}
