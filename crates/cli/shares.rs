//! A PIN that nobody knows, in shares of which so many are needed, and each share as words.
//!
//! The secret is random octets, and four octets of a digest of them and of the lock that they open.
//! It is shared octet by octet (Shamir, over GF(256)); the PIN is the random octets in letters and
//! digits. A share is lines of four words of BIP-39's English list, 11 bits each: 33 bits, and a
//! word that checks them. The first line says whose share of what it is, the others hold it.
//!
//! **Invariant:** one wrong word is always found in its own line, because the check is linear over
//! GF(2048). What comes out of shares is a PIN of this lock, or nothing: a token is never asked
//! with anything else, but with a PIN that was changed since.
//!
//! **Deliberately absent:** terminal, token, and a source of randomness.

#[cfg(test)]
mod tests;

use blahaj::Sharks;
use ceremony::hex::Digest;
use ceremony::room::SHARES;
use rand::CryptoRng;
use token::{Pin, Who};
use zeroize::Zeroizing;

/// BIP-39's English list, as its authors publish it: no two words agree in four letters.
const WORDS: &str = include_str!("shares/english.txt");
/// How many letters of a word are read.
const LETTERS: usize = 4;
/// How many words a line has, the last one to check the others.
const LINE: usize = 4;
/// The bits of a word.
const BITS: u32 = 11;
/// The octets of a line behind the first, which is also how a share grows.
const OCTETS: usize = 4;
/// The octets of a digest by which a secret knows itself.
const KNOWN: usize = 4;

/// What a PIN opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) who: Who,
    /// The token's serial number.
    pub(crate) serial: String,
}

impl Lock {
    /// An octet by which a share of another token is known at once.
    fn tag(&self) -> u8 {
        let [tag, ..] = Digest::of(self.serial.as_bytes()).0;
        tag
    }

    /// The secret that is shared: random octets, and by what they are known.
    fn secret(&self, random: &[u8]) -> Zeroizing<Vec<u8>> {
        let who = match self.who {
            Who::User => "user",
            Who::Officer => "officer",
        };
        let head = format!("gishiki activation v1\n{who}\n{}\n", self.serial);
        // What grows is moved, and leaves itself behind.
        let mut text = Zeroizing::new(Vec::with_capacity(head.len() + random.len()));
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(random);
        let mut secret = Zeroizing::new(Vec::with_capacity(random.len() + KNOWN));
        secret.extend_from_slice(random);
        secret.extend(Digest::of(&text).0.iter().take(KNOWN));
        secret
    }
}

/// What every share of one dealing says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dealing {
    is_officers: bool,
    tag: u8,
    /// A random number of 15 bits, by which people tell dealings apart.
    id: u16,
    pub(crate) need: u8,
}

impl std::fmt::Display for Dealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04x}", self.id)
    }
}

/// One custodian's share.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) dealing: Dealing,
    /// Its number among the shares of its dealing, from 1.
    pub(crate) index: u8,
    octets: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a share")
    }
}

/// Returns how many random octets make a PIN for a token that takes PINs of these lengths: 128 bits
/// or more, otherwise as many as fit, but 64 bits at least.
pub(crate) fn octets_for(least: usize, most: usize) -> Option<usize> {
    let fits = |octets: &usize| (least..=most).contains(&(octets * 8).div_ceil(5));
    [16, 20, 24, 28, 12, 8].into_iter().find(fits)
}

/// Shares a PIN that is made of these random octets, so that `need` of `of` shares give it.
pub(crate) fn deal(
    lock: &Lock,
    id: u16,
    random: &[u8],
    (need, of): (u8, u8),
    rng: &mut impl CryptoRng,
) -> Vec<Share> {
    let is_officers = lock.who == Who::Officer;
    let dealing = Dealing { is_officers, tag: lock.tag(), id: id & 0x7fff, need };
    let secret = lock.secret(random);
    let made = Sharks(need).dealer_rng(&secret, rng).take(usize::from(of));
    made.zip(1..)
        .map(|(made, index)| {
            let octets = Zeroizing::new(Vec::from(&made));
            // Its first octet is the index.
            let octets = Zeroizing::new(octets.iter().skip(1).copied().collect());
            Share { dealing, index, octets }
        })
        .collect()
}

/// Puts a PIN together; `None` if these shares do not give one of this lock.
pub(crate) fn pin_of<'s>(
    lock: &Lock,
    need: u8,
    shares: impl Iterator<Item = &'s Share>,
) -> Option<Pin> {
    let shares = shares.map(|share| {
        let mut octets = Zeroizing::new(Vec::with_capacity(share.octets.len() + 1));
        octets.push(share.index);
        octets.extend_from_slice(&share.octets);
        blahaj::Share::try_from(octets.as_slice()).ok()
    });
    let shares = shares.collect::<Option<Vec<_>>>()?;
    let secret = Zeroizing::new(Sharks(need).recover(&shares).ok()?);
    let random = secret.get(..secret.len().checked_sub(KNOWN)?)?;
    (lock.secret(random) == secret).then(|| written(random))
}

/// Whether every choice of as many shares as are needed gives this PIN.
pub(crate) fn all_give(lock: &Lock, random: &[u8], shares: &[Share]) -> bool {
    let Some(need) = shares.first().map(|share| share.dealing.need) else { return false };
    let asked = written(random);
    // An index has four bits, so a dealing has at most 15 shares.
    let subsets = 0_u32..1 << shares.len().min(usize::from(*SHARES.end()));
    subsets.filter(|subset| subset.count_ones() == u32::from(need)).all(|subset| {
        let chosen = shares.iter().filter(|share| subset >> (share.index - 1) & 1 == 1);
        pin_of(lock, need, chosen).is_some_and(|pin| pin.octets() == asked.octets())
    })
}

/// Writes octets in base 32, in characters that every module takes.
pub(crate) fn written(octets: &[u8]) -> Pin {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut pin = Pin::empty();
    let mut push = |five: u16| {
        let letter = ALPHABET.get(usize::from(five & 31));
        // There is room for ten times as many.
        letter.map(|letter| pin.push(*letter))
    };
    let (mut bits, mut have) = (0_u16, 0);
    for octet in octets {
        bits = (bits & 31) << 8 | u16::from(*octet);
        have += 8;
        while have >= 5 {
            have -= 5;
            let _ = push(bits >> have);
        }
    }
    if have > 0 {
        let _ = push(bits << (5 - have));
    }
    pin
}

impl Share {
    /// Returns its words, line by line.
    pub(crate) fn lines(&self) -> Vec<[&'static str; LINE]> {
        let first = coded(self.head(), false, FORMAT);
        let parts = self.octets.chunks(OCTETS);
        let (last, salt) = (parts.len(), salt(&first));
        let others = parts.zip(1_u16..).map(|(part, number)| {
            let content = part.iter().fold(0, |content, octet| content << 8 | u32::from(*octet));
            coded(content, usize::from(number) == last, salt ^ number)
        });
        let spelt = |line: [u16; LINE]| line.map(spelt);
        std::iter::once(first).chain(others).map(spelt).collect()
    }

    /// The content of its first line.
    fn head(&self) -> u32 {
        let Dealing { is_officers, tag, id, need } = self.dealing;
        u32::from(is_officers) << 31
            | u32::from(tag) << 23
            | u32::from(id) << 8
            | u32::from(need) << 4
            | u32::from(self.index)
    }

    fn read(head: u32, octets: Zeroizing<Vec<u8>>) -> Option<Self> {
        let part = |shift: u32, bits: u32| (head >> shift) & ((1 << bits) - 1);
        let small = |shift, bits| u8::try_from(part(shift, bits)).ok();
        let dealing = Dealing {
            is_officers: part(31, 1) == 1,
            tag: small(23, 8)?,
            id: u16::try_from(part(8, 15)).ok()?,
            need: small(4, 4)?,
        };
        let index = small(0, 4)?;
        let is_one = dealing.need >= 2 && index >= 1;
        is_one.then_some(Self { dealing, index, octets })
    }
}

/// A share that is read line by line.
#[derive(Default)]
pub(crate) struct Reading {
    head: Option<(u32, [u16; LINE])>,
    octets: Zeroizing<Vec<u8>>,
    lines: u16,
    is_whole: bool,
}

/// A line that is not as on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) line: u16,
    pub(crate) what: Mistake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// So many words where a line has four.
    Count(usize),
    /// The word at this place, from 1, begins as no word of the list.
    Unknown(usize),
    /// One of its words is wrong, or it is a line of another sheet.
    Wrong,
    /// There is no such line: the one before was the last.
    Beyond,
}

impl Reading {
    /// The number of the line that comes next, from 1.
    pub(crate) const fn line(&self) -> u16 {
        self.lines + 1
    }

    /// Takes one line or several, and returns the share with its last one. Lines before one that
    /// is wrong are kept.
    pub(crate) fn take(&mut self, typed: &[u8]) -> Result<Option<Share>, Slip> {
        let words = typed.split(|octet| !octet.is_ascii_alphabetic());
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        let mut share = None;
        for line in words.chunks(LINE) {
            let slip = |what| Slip { line: self.line(), what };
            let line: [&[u8]; LINE] =
                line.try_into().map_err(|_| slip(Mistake::Count(line.len())))?;
            let mut read = Zeroizing::new([0; LINE]);
            for ((place, word), typed) in (1..).zip(read.iter_mut()).zip(line) {
                *word = found(typed).ok_or_else(|| slip(Mistake::Unknown(place)))?;
            }
            share = self.take_line(*read)?;
        }
        match words.is_empty() {
            true => Err(Slip { line: self.line(), what: Mistake::Count(0) }),
            false => Ok(share),
        }
    }

    fn take_line(&mut self, words: [u16; LINE]) -> Result<Option<Share>, Slip> {
        let slip = |what| Slip { line: self.line(), what };
        if self.is_whole {
            return Err(slip(Mistake::Beyond));
        }
        let wrong = || slip(Mistake::Wrong);
        let salt = self.head.as_ref().map_or(FORMAT, |(_, first)| salt(first) ^ self.lines);
        let (content, is_last) = decoded(words, salt).ok_or_else(wrong)?;
        match self.head {
            None if is_last || Share::read(content, Zeroizing::default()).is_none() => {
                return Err(wrong());
            }
            None => {
                self.head = Some((content, words));
                // What grows is moved: there is room for every share that is dealt.
                self.octets.reserve_exact(OCTETS * LINES);
            }
            Some(_) if self.octets.len() == OCTETS * LINES => return Err(slip(Mistake::Beyond)),
            Some(_) => self.octets.extend_from_slice(&content.to_be_bytes()),
        }
        self.lines += 1;
        self.is_whole = is_last;
        let head = self.head.as_ref().filter(|_| is_last);
        Ok(head.and_then(|(head, _)| Share::read(*head, std::mem::take(&mut self.octets))))
    }
}

/// The most lines of a share behind its first.
const LINES: usize = 8;

/// What the first line is checked with: this format.
const FORMAT: u16 = 1;

/// What the other lines are checked with, besides their number: they are of this sheet.
fn salt(first: &[u16; LINE]) -> u16 {
    let octets: Vec<u8> = first.iter().flat_map(|word| word.to_be_bytes()).collect();
    let [high, low, ..] = Digest::of(&octets).0;
    u16::from_be_bytes([high, low]) & WORD
}

/// All bits of a word.
const WORD: u16 = (1 << BITS) - 1;

/// Writes 32 bits, and whether the line is the last, as three words and one that checks them.
fn coded(content: u32, is_last: bool, salt: u16) -> [u16; LINE] {
    let bits = u64::from(content) << 1 | u64::from(is_last);
    let word = |place: u32| u16::try_from(bits >> (place * BITS) & u64::from(WORD)).unwrap_or(0);
    let [a, b, c] = [2, 1, 0].map(word);
    [a, b, c, check(salt, [a, b, c])]
}

fn decoded([a, b, c, checked]: [u16; LINE], salt: u16) -> Option<(u32, bool)> {
    let bits = [a, b, c].iter().fold(0_u64, |bits, word| bits << BITS | u64::from(*word));
    let content = u32::try_from(bits >> 1).ok()?;
    (check(salt, [a, b, c]) == checked).then_some((content, bits & 1 == 1))
}

/// The sum of words, each times its own power of x, in GF(2)\[x\]/(x^11 + x^2 + 1): a change of one
/// word always changes it.
fn check(salt: u16, words: [u16; LINE - 1]) -> u16 {
    let double = |sum: u16| match sum << 1 {
        over if over > WORD => over ^ 0x805,
        within => within,
    };
    double(words.iter().fold(salt, |sum, word| double(sum) ^ word))
}

fn spelt(word: u16) -> &'static str {
    // A word has 11 bits, and the list as many words as those count.
    WORDS.lines().nth(usize::from(word)).unwrap_or("?")
}

/// Finds a word by its first letters; what is written behind them, and how, does not matter.
fn found(typed: &[u8]) -> Option<u16> {
    let first = typed.get(..LETTERS).unwrap_or(typed);
    let is = |known: &str| {
        let known = known.get(..LETTERS).unwrap_or(known);
        known.as_bytes().eq_ignore_ascii_case(first)
    };
    WORDS.lines().position(is).and_then(|place| u16::try_from(place).ok())
}

/// Shares as custodians give them, one after the other.
#[derive(Debug)]
pub(crate) struct Hand {
    lock: Lock,
    /// How many are needed, where that is known before the first.
    need: Option<u8>,
    shares: Vec<Share>,
}

/// Why a share is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It opens another token.
    Token,
    /// It is one of the other PIN of this token: the user's or the security officer's.
    Who,
    /// So many are needed of its dealing, and another number was said.
    Need { said: u8, needed: u8 },
    /// It is of another dealing than those before.
    Dealing { before: Dealing, this: Dealing },
    /// It was given already.
    Twice(u8),
}

impl Hand {
    pub(crate) const fn new(lock: Lock, need: Option<u8>) -> Self {
        Self { lock, need, shares: Vec::new() }
    }

    /// What they are to open.
    pub(crate) const fn lock(&self) -> &Lock {
        &self.lock
    }

    /// The number of the share that comes next, from 1.
    pub(crate) fn next(&self) -> usize {
        self.shares.len() + 1
    }

    /// How many are needed, if that is known.
    pub(crate) fn need(&self) -> Option<u8> {
        self.shares.first().map(|share| share.dealing.need).or(self.need)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.need().is_some_and(|need| self.shares.len() >= usize::from(need))
    }

    pub(crate) fn take(&mut self, share: Share) -> Result<(), Refused> {
        let this = share.dealing;
        if this.tag != self.lock.tag() {
            return Err(Refused::Token);
        }
        if this.is_officers != (self.lock.who == Who::Officer) {
            return Err(Refused::Who);
        }
        if let Some(said) = self.need.filter(|need| *need != this.need) {
            return Err(Refused::Need { said, needed: this.need });
        }
        if let Some(before) = self.shares.first().filter(|first| first.dealing != this) {
            return Err(Refused::Dealing { before: before.dealing, this });
        }
        if self.shares.iter().any(|given| given.index == share.index) {
            return Err(Refused::Twice(share.index));
        }
        self.shares.push(share);
        Ok(())
    }

    /// Puts the PIN together; `None` if these shares give none, and then all are asked for again.
    pub(crate) fn pin(&mut self) -> Option<Pin> {
        let pin = pin_of(&self.lock, self.need()?, self.shares.iter());
        if pin.is_none() {
            self.shares.clear();
        }
        pin
    }
}
