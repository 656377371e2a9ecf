//! Shares: every subset, every wrong word, and what must not be mixed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

fn lock(who: Who, serial: &str) -> Lock {
    Lock { who, serial: serial.into() }
}

fn root() -> Lock {
    lock(Who::User, "2e4ac19a0b41d6f3")
}

fn dealt(lock: &Lock, seed: u8, octets: usize, need: u8, of: u8) -> (Vec<u8>, Vec<Share>) {
    let random: Vec<u8> = (0..octets).map(|at| u8::try_from(at * 7).unwrap() ^ seed).collect();
    let mut rng = StdRng::from_seed([seed; 32]);
    let shares = deal(lock, u16::from(seed) << 3, &random, (need, of), &mut rng);
    assert_eq!(shares.len(), usize::from(of));
    (random, shares)
}

fn text(share: &Share) -> String {
    share.lines().concat().join(" ")
}

fn read(text: &str) -> Result<Share, Slip> {
    Ok(Reading::default().take(text.as_bytes())?.unwrap())
}

fn subsets(shares: &[Share]) -> impl Iterator<Item = Vec<Share>> {
    (0_u32..1 << shares.len()).map(|subset| {
        let chosen = shares.iter().filter(move |share| subset >> (share.index - 1) & 1 == 1);
        chosen.cloned().collect()
    })
}

#[test]
fn the_list_is_the_published_one_and_four_letters_tell_its_words_apart() {
    // SHA-256 of english.txt in the repository of the BIPs.
    let published = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
    assert_eq!(Digest::of(WORDS.as_bytes()).to_string(), published);
    for (place, word) in WORDS.lines().enumerate() {
        assert_eq!(found(word.as_bytes()), Some(u16::try_from(place).unwrap()), "{word}");
        let short = word.get(..4).unwrap_or(word).to_uppercase();
        assert_eq!(found(short.as_bytes()), found(word.as_bytes()), "{word}");
    }
    assert_eq!([found(b"aba"), found(b"abax"), found(b"")], [None; 3]);
}

#[test]
fn as_many_shares_as_are_needed_give_the_pin_and_fewer_give_none() {
    for (need, of) in [(2, 2), (2, 3), (3, 5), (5, 5), (4, 7)] {
        let (random, shares) = dealt(&root(), need, 16, need, of);
        assert!(all_give(&root(), &random, &shares));
        let pin = written(&random);
        for chosen in subsets(&shares) {
            let found = pin_of(&root(), need, chosen.iter());
            let enough = chosen.len() >= usize::from(need);
            assert_eq!(found.is_some(), enough, "{need} of {of}: {}", chosen.len());
            assert!(found.is_none_or(|found| found.octets() == pin.octets()));
        }
        // Fewer, with a dealing that claims to need no more.
        for chosen in subsets(&shares).filter(|chosen| chosen.len() < usize::from(need)) {
            let fewer = u8::try_from(chosen.len()).unwrap();
            assert!(pin_of(&root(), fewer, chosen.iter()).is_none(), "{need} of {of}");
        }
    }
}

#[test]
fn a_pin_is_as_long_as_its_token_wants_it() {
    for (lengths, octets) in [
        ((4, 255), Some(16)),
        ((26, 26), Some(16)),
        ((0, 25), Some(12)),
        ((6, 15), Some(8)),
        ((30, 64), Some(20)),
        ((39, 39), Some(24)),
        ((4, 12), None),
        ((6, 8), None),
        ((50, 64), None),
        ((20, 10), None),
    ] {
        assert_eq!(octets_for(lengths.0, lengths.1), octets, "{lengths:?}");
    }
    for octets in [8, 12, 16, 20, 24, 28] {
        let (random, shares) = dealt(&root(), 9, octets, 2, 3);
        let read: Vec<Share> = shares.iter().map(|share| read(&text(share)).unwrap()).collect();
        assert_eq!(read, shares);
        let pin = pin_of(&root(), 2, read[1..].iter()).unwrap();
        assert_eq!(pin.octets().len(), (octets * 8).div_ceil(5));
        assert!(pin.octets().iter().all(u8::is_ascii_alphanumeric));
        assert_eq!(pin.octets(), written(&random).octets());
        assert!(text(&shares[0]).len() < token::LONGEST, "{octets}");
    }
    assert_eq!(written(&[0, 0x44, 0x32, 0x14, 0xc7, 0xff]).octets(), b"abcdefgh74");
}

/// One word, whichever and however it is changed: the line in which it stands is named.
#[test]
fn one_wrong_word_is_found_in_its_line() {
    let (_, shares) = dealt(&root(), 3, 16, 2, 3);
    for share in &shares {
        let lines: Vec<[u16; LINE]> = share
            .lines()
            .iter()
            .map(|line| line.map(|word| found(word.as_bytes()).unwrap()))
            .collect();
        assert_eq!(lines.len(), 6);
        for (number, line) in (1_u16..).zip(&lines) {
            for place in 0..LINE {
                for other in (0..=WORD).filter(|other| *other != line[place]) {
                    let mut reading = Reading::default();
                    for before in &lines[..usize::from(number) - 1] {
                        assert_eq!(reading.take_line(*before), Ok(None));
                    }
                    let mut changed = *line;
                    changed[place] = other;
                    let slip = Slip { line: number, what: Mistake::Wrong };
                    assert_eq!(reading.take_line(changed), Err(slip), "{place}: {other}");
                }
            }
        }
    }
}

#[test]
fn lines_that_are_missing_or_at_another_place_are_found() {
    let (_, shares) = dealt(&root(), 4, 16, 2, 3);
    let lines = shares[0].lines();
    for (order, line) in [
        (&[1, 0, 2, 3, 4, 5][..], 1),
        (&[0, 2, 1, 3, 4, 5], 2),
        (&[0, 1, 2, 4, 3, 5], 4),
        (&[0, 1, 2, 3, 5], 5),
        (&[0, 1, 1, 2], 3),
        (&[5], 1),
    ] {
        let text: Vec<String> = order.iter().map(|at| lines[*at].join(" ")).collect();
        let slip = Slip { line, what: Mistake::Wrong };
        assert_eq!(read(&text.join(" ")), Err(slip), "{order:?}");
    }
    // A line of another sheet of the same dealing.
    let other = shares[1].lines();
    let mixed = [lines[0].join(" "), other[1].join(" ")].join(" ");
    assert_eq!(read(&mixed), Err(Slip { line: 2, what: Mistake::Wrong }));
    let more = text(&shares[0]) + " abandon ability able about";
    assert_eq!(read(&more), Err(Slip { line: 7, what: Mistake::Beyond }));
}

#[test]
fn words_may_be_short_and_their_case_and_spacing_free() {
    let (_, shares) = dealt(&root(), 5, 16, 2, 3);
    let short = |word: &&str| word.get(..4).unwrap_or(word).to_uppercase();
    let words: Vec<String> = shares[0].lines().concat().iter().map(short).collect();
    let mut reading = Reading::default();
    let numbered: Vec<String> = (1..)
        .zip(words.chunks(LINE))
        .map(|(number, line)| format!(" {number}. {}\t", line.join(" , ")))
        .collect();
    let (last, lines) = numbered.split_last().unwrap();
    for line in lines {
        assert_eq!(reading.take(line.as_bytes()), Ok(None));
    }
    // A mistake is named, and the lines before it stay.
    let mut wrong = |typed: &str, what| {
        assert_eq!(reading.take(typed.as_bytes()), Err(Slip { line: 6, what }), "{typed}");
    };
    wrong("", Mistake::Count(0));
    wrong("abandon ability able", Mistake::Count(3));
    wrong("abandon ability qwerty about", Mistake::Unknown(3));
    wrong("abandon ability able about", Mistake::Wrong);
    assert_eq!(reading.take(last.as_bytes()), Ok(Some(shares[0].clone())));
    assert_eq!(format!("{:?}", shares[0]), "a share");
}

#[test]
fn a_share_that_does_not_belong_here_is_refused_with_its_reason() {
    let (_, shares) = dealt(&root(), 6, 16, 2, 3);
    let mut hand = Hand::new(root(), Some(2));
    hand.take(shares[1].clone()).unwrap();
    assert_eq!(hand.take(shares[1].clone()), Err(Refused::Twice(2)));
    let (_, again) = dealt(&root(), 7, 16, 2, 3);
    let before = shares[0].dealing;
    let this = again[0].dealing;
    assert_eq!(hand.take(again[0].clone()), Err(Refused::Dealing { before, this }));
    let (_, three) = dealt(&root(), 8, 16, 3, 3);
    assert_eq!(hand.take(three[0].clone()), Err(Refused::Need { said: 2, needed: 3 }));
    let (_, spare) = dealt(&lock(Who::User, "another"), 6, 16, 2, 3);
    assert_eq!(hand.take(spare[0].clone()), Err(Refused::Token));
    let (_, officers) = dealt(&lock(Who::Officer, &root().serial), 6, 16, 2, 3);
    assert_eq!(hand.take(officers[0].clone()), Err(Refused::Who));
    assert!(!hand.is_full());
    hand.take(shares[2].clone()).unwrap();
    assert!(hand.is_full() && hand.pin().is_some());
}

/// Shares of two dealings that have one id by chance: every check passes but that of the secret.
#[test]
fn shares_of_two_dealings_give_no_pin() {
    let (_, shares) = dealt(&root(), 6, 16, 2, 3);
    let random = [1; 16];
    let mut rng = StdRng::from_seed([99; 32]);
    let others = deal(&root(), 6 << 3, &random, (2, 3), &mut rng);
    assert_eq!(shares[0].dealing, others[0].dealing);
    let mut hand = Hand::new(root(), None);
    hand.take(shares[0].clone()).unwrap();
    hand.take(others[1].clone()).unwrap();
    assert!(hand.is_full() && hand.pin().is_none());
    assert_eq!((hand.next(), hand.need()), (1, None));
    assert!(!all_give(&root(), &random, &[shares[0].clone(), others[1].clone()]));
}
