//! Words: both lists, every spelling, and what is no word.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString as _;

use unicode_normalization::UnicodeNormalization as _;

use super::*;

#[test]
fn the_words_are_those_of_the_published_example() {
    // The example fingerprint of the PGP word list's own documentation.
    let octets_of = crate::hex::decode("e58294f2e9a227486e8b061b31cc528fd7fa3f19").unwrap();
    let text = "topmost istanbul pluto vagabond treadmill pacific brackish dictator goldfish medusa \
                afflict bravado chatter revolver dupont midsummer stopwatch whimsical cowbell bottomless";
    assert_eq!(words(&octets_of).join(" "), text);
    assert_eq!(octets(text).unwrap(), octets_of);
}

#[test]
fn every_octet_has_a_word_and_comes_back() {
    let all: Vec<u8> = (0..=255).flat_map(|o| [o, o]).collect();
    assert_eq!(octets(&words(&all).join(" ")).unwrap(), all);
    let lists: BTreeSet<&str> =
        [EVEN, ODD].into_iter().flat_map(str::split_ascii_whitespace).collect();
    assert_eq!(lists.len(), 512);
}

/// The publication is in NFKD; here it is in NFC, and nothing else differs.
#[test]
fn the_list_in_kana_is_the_published_one() {
    // SHA-256 of japanese.txt in the repository of the BIPs.
    let published = "2eed0aef492291e061633d7ad8117f1a2b03eb80a29d0e4e3117ac2528d05ffd";
    let decomposed: String = kana::LIST.nfkd().collect();
    assert_eq!(Digest::of(decomposed.as_bytes()).to_string(), published);
    assert!(kana::LIST.nfc().eq(kana::LIST.chars()));
    assert_eq!(list().len(), 2048);
}

/// Whatever is typed for one word is typed for no other, and for none of the PGP list; and no word
/// of either list is hexadecimal digits, which are read first.
#[test]
fn no_spelling_is_of_two_words() {
    let mut all = BTreeMap::new();
    for (place, word) in list().into_iter().enumerate() {
        let spellings = latin::tests::spellings(word);
        assert!(spellings.contains(&latin(word)) && latin(word).is_ascii(), "{word}");
        for typed in spellings.into_iter().chain([String::from(word)]) {
            assert_eq!(kana::place(&typed).map(usize::from), Some(place), "{typed}");
            assert!(!typed.chars().all(|c| c.is_ascii_hexdigit()), "{typed}");
            if let Some(other) = all.insert(typed.clone(), place) {
                assert_eq!(other, place, "{typed}");
            }
        }
    }
    assert!(all.len() > 9_000, "{}", all.len());
    for word in [EVEN, ODD].into_iter().flat_map(str::split_ascii_whitespace) {
        assert_eq!((kana::place(word), all.get(word)), (None, None), "{word}");
        assert!(!word.chars().all(|c| c.is_ascii_hexdigit()), "{word}");
    }
}

/// Every word stands at each place that it can have, and each line comes back.
#[test]
fn six_words_are_the_64_bits_of_eight() {
    assert_eq!(kana(&[0; 8]), [[list()[0]; 6].join(" ")]);
    let last = kana(&[255; 8]);
    // Two zero bits stand behind 64 ones.
    let ones = [list()[2047]; 5].join(" ");
    assert_eq!(last, [format!("{ones} {}", list()[2044])]);
    // Each word at each place that it can have: the last one of a line has two zero bits.
    for (place, at) in (0_u128..2048).flat_map(|place| (0..6).map(move |at| (place, at))) {
        let bits = place << (55 - at * 11) >> 2;
        let line = kana(&u64::try_from(bits).unwrap().to_be_bytes()).concat();
        let place = usize::try_from(if at == 5 { place & !3 } else { place }).unwrap();
        assert_eq!(line.split(' ').nth(at), list().get(place).copied());
    }
    for number in 0..=u8::MAX {
        let octets_of = Digest::of(&[number]).0;
        let (in_kana, in_pgp) = (kana(&octets_of), lines(&octets_of));
        assert_eq!((in_kana.len(), in_pgp.len()), (4, 4));
        for (one, other) in in_kana.iter().zip(&in_pgp) {
            assert_eq!(octets(one).unwrap(), octets(other).unwrap());
        }
        assert_eq!(octets(&in_kana.join(" ")).unwrap(), octets_of);
        assert_eq!(octets(&latin(&in_kana.join(" "))).unwrap(), octets_of);
    }
}

#[test]
fn kana_are_taken_however_they_are_typed() {
    let octets_of = Digest::of(b"kana").0;
    let line: String = kana(&octets_of).first().unwrap().clone();
    let katakana = |text: &str| -> String {
        let one = |c: char| match c {
            'ぁ'..='ゖ' => char::from_u32(u32::from(c) + 0x60).unwrap(),
            c => c,
        };
        text.chars().map(one).collect()
    };
    let wide = |text: &str| -> String {
        let one = |c: char| match c {
            'a'..='z' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
            '\'' => '’',
            c => c,
        };
        text.chars().map(one).collect()
    };
    let expected = octets_of.get(..8).unwrap();
    for typed in [
        line.clone(),
        line.replace(' ', "\u{3000}"),
        line.nfd().collect::<String>(),
        katakana(&line),
        latin(&line),
        wide(&latin(&line)),
        format!("  {}  ", latin(&line).to_uppercase()),
    ] {
        assert_eq!(octets(&typed).unwrap(), expected, "{typed}");
    }
    // Katakana of half width.
    assert_eq!(kana::folded("ｶﾞｯｷｭｳ"), "がっきゅう");
}

#[test]
fn a_word_at_the_wrong_place_is_named() {
    let word = |word: &str| Err(Misread::Word(String::from(word)));
    assert_eq!(octets("adroitness"), word("adroitness"));
    assert_eq!(octets("aardvark aardvark"), word("aardvark"));
    let line = kana(&[7; 8]).concat();
    let (five, sixth) = line.rsplit_once(' ').unwrap();
    // Less than a line, and more.
    assert_eq!(octets(five), Err(Misread::Part(5)));
    assert_eq!(octets(&format!("{line} {sixth}")), Err(Misread::Part(7)));
    // No word, a word of the other list, a sixth word with bits behind the 64.
    assert_eq!(octets(&format!("{five} あいあい")), word("あいあい"));
    assert_eq!(octets(&format!("{five} Aardvark")), word("Aardvark"));
    let first = five.split(' ').next().unwrap();
    assert_eq!(octets(&format!("aardvark adroitness {line}")), word(first));
    let place = kana::place(sixth).unwrap();
    assert_eq!(place % 4, 0);
    let behind = list()[usize::from(place) + 1];
    assert_eq!(octets(&format!("{five} {behind}")), word(behind));
    assert_eq!(octets(""), Ok(Vec::new()));
    // A word that would be read in many ways if nothing stopped it.
    assert_eq!(octets(&"n".repeat(100_000)), word(&"n".repeat(100_000)));
}
