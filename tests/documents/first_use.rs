//! The README explains the words of the field where it first uses them.

use std::fs;

use crate::support::root;

/// Each word, with what stands beside it where it is used first.
const ENGLISH: &[(&str, &str)] = &[
    ("CRL", "signed lists of the certificates that were revoked"),
    ("CP/CPS", "certificate policy and certification practice statement"),
    ("HSM", "a device that holds private keys and signs with them"),
    ("PKCS #11", "which calls it a token"),
    ("IACA", "issuing authority CA, the root of ISO/IEC 18013-5"),
    ("DS", "Document Signer"),
    ("mdoc", "documents that people carry on a phone"),
];

const JAPANESE: &[(&str, &str)] = &[
    ("CRL", "失効した電子証明書の一覧に署名したもの"),
    ("CP/CPS", "認証局が公に約束した証明書ポリシーと認証実施規程"),
    ("HSM", "秘密鍵を外に出さずに保持し"),
    ("PKCS #11", "そこではトークンと呼ばれる"),
    ("IACA", "発行者のルート認証局"),
    ("DS", "文書に署名する者"),
    ("mdoc", "人がスマートフォンに入れて持ち歩く文書"),
];

/// How far behind a word its explanation begins at most, in characters.
const BESIDE: usize = 80;

/// The text without code, whose names explain nothing.
fn prose(name: &str) -> String {
    let text = fs::read_to_string(root().join(name)).unwrap().replace('\n', " ");
    text.split('`').step_by(2).collect::<Vec<_>>().join("")
}

/// Where a word stands first by itself: not as a part of a longer one, as DS is of others.
fn first(text: &str, word: &str) -> usize {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let alone = |(at, _): &(usize, &str)| {
        // A plural is the same word.
        let behind = text[at + word.len()..].trim_start_matches('s').chars().next();
        !is_letter(text[..*at].chars().next_back()) && !is_letter(behind)
    };
    text.match_indices(word).find(alone).unwrap_or_else(|| panic!("no {word}")).0
}

#[test]
fn a_word_of_the_field_is_explained_where_it_stands_first() {
    for (name, words) in [("README.md", ENGLISH), ("README.ja.md", JAPANESE)] {
        let text = prose(name);
        for (word, explained) in words {
            let at = first(&text, word);
            let rest: String =
                text[at..].chars().take(BESIDE + explained.chars().count()).collect();
            assert!(rest.contains(explained), "{name}: {word} is not explained in: {rest}");
        }
    }
}
