//! Digests as words in kana: BIP-39's Japanese list, each of whose words stands for 11 bits.
//!
//! Six words are 66 bits: 64 of a digest, and two behind them that are zero. So a line of six says
//! what a line of eight words of the PGP word list says.
//!
//! The list is that of the publication in NFC: what the publication writes as a kana and a mark of
//! voice is one letter here, as keyboards and fonts have it.

use alloc::string::String;
use alloc::vec::Vec;

use unicode_normalization::UnicodeNormalization as _;

use super::latin;
use crate::certain::Certain as _;

/// The list, a word on each line.
pub(super) const LIST: &str = include_str!("japanese.txt");
/// How many words are a line.
pub(super) const LINE: usize = 6;
/// The bits of a word.
const BITS: u32 = 11;
/// How many words there are.
const ALL: u128 = 1 << BITS;
/// The zero bits behind the 64 of a line.
const BEHIND: u32 = 2;

/// Returns a line of six words for each eight octets.
pub(super) fn lines(octets: &[u8]) -> Vec<String> {
    let list: Vec<&str> = LIST.lines().collect();
    let line = |octets: &[u8; 8]| {
        let bits = u128::from(u64::from_be_bytes(*octets)) << BEHIND;
        let shifts = (0..).step_by(11).take(LINE).collect::<Vec<u32>>();
        let words: Vec<&str> =
            shifts.iter().rev().map(|shift| word(&list, bits >> shift)).collect();
        words.join(" ")
    };
    let (whole, _) = octets.as_chunks::<8>();
    whole.iter().map(line).collect()
}

/// The word of the list for the lowest bits of a number.
fn word(list: &[&'static str], bits: u128) -> &'static str {
    let place = usize::try_from(bits % ALL).certain("11 bits are a place");
    list.get(place).certain("2048 words in the list")
}

/// Returns the octets of lines of words, which are [`folded`], or the place of the first that is
/// wrong. If all are right and the last line is not whole, that is the place behind them.
pub(super) fn octets(words: &[String]) -> Result<Vec<u8>, usize> {
    let mut found = Vec::new();
    let mut bits = 0_u128;
    for (at, word) in words.iter().enumerate() {
        bits = bits << BITS | u128::from(place(word).ok_or(at)?);
        if (at + 1) % LINE == 0 {
            let (line, behind) = (bits >> BEHIND, bits % (1 << BEHIND));
            let line = u64::try_from(line).certain("six words are 66 bits");
            if behind != 0 {
                return Err(at);
            }
            found.extend(line.to_be_bytes());
            bits = 0;
        }
    }
    if words.len().is_multiple_of(LINE) { Ok(found) } else { Err(words.len()) }
}

/// The place of a word in kana or in Latin letters, if it is in the list.
pub(super) fn place(word: &str) -> Option<u16> {
    let in_kana = LIST.lines().position(|one| one == word);
    let place = in_kana.or_else(|| {
        let all: Vec<(usize, &str)> = LIST.lines().enumerate().collect();
        match latin::places(&all, word).as_slice() {
            [place] => Some(*place),
            [] | [_, _, ..] => None,
        }
    });
    place.and_then(|place| u16::try_from(place).ok())
}

/// A word as it is looked for, however it was typed: small letters, hiragana, half width or full.
pub(super) fn folded(word: &str) -> String {
    let hiragana = |letter: char| match letter {
        'ァ'..='ヶ' => u32::from(letter).checked_sub(0x60).and_then(char::from_u32),
        _ => Some(letter),
    };
    let plain: String = word.nfkc().filter_map(hiragana).collect();
    plain.to_lowercase().replace('’', "'")
}
