//! Kana in Latin letters, for keyboards that have no kana: Hepburn, Kunrei, and whatever else an
//! input method takes.
//!
//! **Deliberately absent:** a second list. What a word is in Latin letters follows from its kana,
//! and long vowels are written as kana write them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Each kana, and each pair that is one syllable, with its spellings, that of Hepburn first.
const SPELLED: &str = "\
    あ a|い i|う u|え e|お o|うぃ wi|ぃ xi li|\
    か ka|き ki|く ku|け ke|こ ko|きゃ kya|きゅ kyu|きょ kyo|\
    さ sa|し shi si|す su|せ se|そ so|しゃ sha sya|しゅ shu syu|しょ sho syo|\
    た ta|ち chi ti|つ tsu tu|て te|と to|ちゃ cha tya cya|ちゅ chu tyu cyu|ちょ cho tyo cyo|\
    な na|に ni|ぬ nu|ね ne|の no|にゃ nya|にゅ nyu|にょ nyo|\
    は ha|ひ hi|ふ fu hu|へ he|ほ ho|ひゃ hya|ひゅ hyu|ひょ hyo|\
    ま ma|み mi|む mu|め me|も mo|みゃ mya|みゅ myu|みょ myo|\
    や ya|ゆ yu|よ yo|ゃ xya lya|ゅ xyu lyu|ょ xyo lyo|\
    ら ra|り ri|る ru|れ re|ろ ro|りゃ rya|りゅ ryu|りょ ryo|わ wa|ん n nn n'|\
    が ga|ぎ gi|ぐ gu|げ ge|ご go|ぎゃ gya|ぎゅ gyu|ぎょ gyo|\
    ざ za|じ ji zi|ず zu|ぜ ze|ぞ zo|じゃ ja zya jya|じゅ ju zyu jyu|じょ jo zyo jyo|\
    だ da|づ zu du dzu|で de|ど do|っ xtsu ltsu xtu ltu|\
    ば ba|び bi|ぶ bu|べ be|ぼ bo|びゃ bya|びゅ byu|びょ byo|\
    ぱ pa|ぴ pi|ぷ pu|ぺ pe|ぽ po|ぴゃ pya|ぴゅ pyu|ぴょ pyo";

const VOWELS: [char; 5] = ['a', 'i', 'u', 'e', 'o'];

/// Each syllable with one of its spellings.
fn spelled() -> impl Iterator<Item = (&'static str, &'static str)> {
    let spellings = |entry: &'static str| {
        let (kana, all) = entry.split_once(' ')?;
        Some(all.split(' ').map(move |one| (kana, one)))
    };
    SPELLED.split('|').filter_map(spellings).flatten()
}

/// Returns kana in Latin letters, as Hepburn spells them; letters that are no kana stay.
#[must_use]
pub fn latin(kana: &str) -> String {
    let mut letters = kana.chars();
    let Some(first) = letters.next() else { return String::new() };
    match first {
        'っ' => {
            let after = latin(letters.as_str());
            let doubled = if after.starts_with("ch") { Some('t') } else { after.chars().next() };
            doubled.into_iter().chain(after.chars()).collect()
        }
        'ん' => {
            let after = latin(letters.as_str());
            let apart = if after.starts_with(VOWELS) || after.starts_with('y') { "'" } else { "" };
            format!("n{apart}{after}")
        }
        first => {
            let begins = |(part, spelling)| Some((kana.strip_prefix(part)?, spelling));
            // The pair of two kana leaves less than its first one; of equals, Hepburn's is first.
            let longest = spelled().filter_map(begins).min_by_key(|(after, _)| after.len());
            match longest {
                Some((after, spelling)) => format!("{spelling}{}", latin(after)),
                None => format!("{first}{}", latin(letters.as_str())),
            }
        }
    }
}

/// Returns the places of those words that these letters spell.
pub(super) fn places<'w>(words: &[(usize, &'w str)], typed: &str) -> Vec<usize> {
    if typed.is_empty() {
        let ended = words.iter().filter(|(_, left)| left.is_empty());
        return ended.map(|(place, _)| *place).collect();
    }
    let mut found = Vec::new();
    for (kana, after) in begins(typed) {
        let left = |(place, word): &(usize, &'w str)| Some((*place, word.strip_prefix(kana)?));
        let left: Vec<_> = words.iter().filter_map(left).collect();
        if !left.is_empty() {
            found.extend(places(&left, after));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns what these letters may begin with, and what is left of them.
fn begins(typed: &str) -> Vec<(&'static str, &str)> {
    let plain =
        spelled().filter_map(|(kana, spelling)| Some((kana, typed.strip_prefix(spelling)?)));
    let mut found: Vec<_> = plain.collect();
    let mut letters = typed.chars();
    let (first, after) = (letters.next(), letters.as_str());
    match first {
        // `kk`, and `tch` for `cch`.
        Some(first) if first.is_ascii_lowercase() && first != 'n' && !VOWELS.contains(&first) => {
            if after.starts_with(first) || (first == 't' && after.starts_with("ch")) {
                found.push(("っ", after));
            }
            // `shimbun`, in the older Hepburn.
            if first == 'm' && after.starts_with(['b', 'm', 'p']) {
                found.push(("ん", after));
            }
        }
        Some(_) | None => {}
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Every spelling of a word, made of its kana.
    pub(crate) fn spellings(kana: &str) -> Vec<String> {
        if kana.is_empty() {
            return [String::new()].into();
        }
        let mut all = Vec::new();
        for (part, spelling) in spelled() {
            let Some(after) = kana.strip_prefix(part) else { continue };
            all.extend(spellings(after).into_iter().map(|end| format!("{spelling}{end}")));
        }
        for end in kana.strip_prefix('っ').map(spellings).into_iter().flatten() {
            let first = end.chars().next();
            let doubled = first.filter(|c| !VOWELS.contains(c) && *c != 'n');
            let t = end.starts_with("ch").then_some('t');
            all.extend(doubled.into_iter().chain(t).map(|one| format!("{one}{end}")));
        }
        for end in kana.strip_prefix('ん').map(spellings).into_iter().flatten() {
            all.extend(end.starts_with(['b', 'm', 'p']).then(|| format!("m{end}")));
        }
        all
    }

    #[test]
    fn kana_are_spelled_as_hepburn_does() {
        for (kana, spelled) in [
            ("あいこくしん", "aikokushin"),
            ("あっしゅく", "asshuku"),
            ("いっち", "itchi"),
            ("せんえい", "sen'ei"),
            ("ほんやく", "hon'yaku"),
            ("あんない", "annai"),
            ("しんぶん", "shinbun"),
            ("はろうぃん", "harowin"),
            ("つづく", "tsuzuku"),
            ("ちょうし", "choushi"),
            ("じゅうしょ", "juusho"),
            ("", ""),
            ("漢", "漢"),
        ] {
            assert_eq!(latin(kana), spelled);
        }
    }
}
