//! Digests as words that people read aloud: the PGP word list (Juola and Zimmermann, 1996), and in
//! Japanese also words in kana, of BIP-39's Japanese list.
//!
//! Of the PGP list, octets at even places have two-syllable words, those at odd places
//! three-syllable ones, so a lost, doubled or swapped word is noticed. All words are in lower case
//! here, because people type them. Eight of them are 64 bits, and so are six in kana: a line of
//! either says the same.
//!
//! **Invariant:** no word of one list is a word of the other, in kana or in Latin letters, so what
//! is read is never ambiguous, and either list is taken wherever words are.

mod kana;
mod latin;

use alloc::string::String;
use alloc::vec::Vec;

use crate::certain::Certain as _;
use crate::hex::{Digest, DigestError};
use crate::language::{Bilingual, Language};
use crate::says;

pub use latin::latin;

/// Words for octets at even places, from 0.
const EVEN: &str = "\
    aardvark absurd accrue acme adrift adult afflict ahead aimless algol allow alone ammo \
    ancient apple artist assume athens atlas aztec baboon backfield backward banjo beaming \
    bedlamp beehive beeswax befriend belfast berserk billiard bison blackjack blockade blowtorch \
    bluebird bombast bookshelf brackish breadline breakup brickyard briefcase burbank button \
    buzzard cement chairlift chatter checkup chisel choking chopper christmas clamshell classic \
    classroom cleanup clockwork cobra commence concert cowbell crackdown cranky crowfoot crucial \
    crumpled crusade cubic dashboard deadbolt deckhand dogsled dragnet drainage dreadful drifter \
    dropper drumbeat drunken dupont dwelling eating edict egghead eightball endorse endow enlist \
    erase escape exceed eyeglass eyetooth facial fallout flagpole flatfoot flytrap fracture \
    framework freedom frighten gazelle geiger glitter glucose goggles goldfish gremlin guidance \
    hamlet highchair hockey indoors indulge inverse involve island jawbone keyboard kickoff kiwi \
    klaxon locale lockup merit minnow miser mohawk mural music necklace neptune newborn \
    nightbird oakland obtuse offload optic orca payday peachy pheasant physique playhouse pluto \
    preclude prefer preshrunk printer prowler pupil puppy python quadrant quiver quota ragtime \
    ratchet rebirth reform regain reindeer rematch repay retouch revenge reward rhythm ribcage \
    ringbolt robust rocker ruffled sailboat sawdust scallion scenic scorecard scotland seabird \
    select sentence shadow shamrock showgirl skullcap skydive slingshot slowdown snapline \
    snapshot snowcap snowslide solo southward soybean spaniel spearhead spellbind spheroid \
    spigot spindle spyglass stagehand stagnate stairway standard stapler steamship sterling \
    stockman stopwatch stormy sugar surmount suspense sweatband swelter tactics talon tapeworm \
    tempest tiger tissue tonic topmost tracker transit trauma treadmill trojan trouble tumor \
    tunnel tycoon uncut unearth unwind uproot upset upshot vapor village virus vulcan waffle \
    wallet watchword wayside willow woodlark zulu";

/// Words for octets at odd places.
const ODD: &str = "\
    adroitness adviser aftermath aggregate alkali almighty amulet amusement antenna applicant \
    apollo armistice article asteroid atlantic atmosphere autopsy babylon backwater barbecue \
    belowground bifocals bodyguard bookseller borderline bottomless bradbury bravado brazilian \
    breakaway burlington businessman butterfat camelot candidate cannonball capricorn caravan \
    caretaker celebrate cellulose certify chambermaid cherokee chicago clergyman coherence \
    combustion commando company component concurrent confidence conformist congregate consensus \
    consulting corporate corrosion councilman crossover crucifix cumbersome customer dakota \
    decadence december decimal designing detector detergent determine dictator dinosaur \
    direction disable disbelief disruptive distortion document embezzle enchanting enrollment \
    enterprise equation equipment escapade eskimo everyday examine existence exodus fascinate \
    filament finicky forever fortitude frequency gadgetry galveston getaway glossary gossamer \
    graduate gravity guitarist hamburger hamilton handiwork hazardous headwaters hemisphere \
    hesitate hideaway holiness hurricane hydraulic impartial impetus inception indigo inertia \
    infancy inferno informant insincere insurgent integrate intention inventive istanbul jamaica \
    jupiter leprosy letterhead liberty maritime matchmaker maverick medusa megaton microscope \
    microwave midsummer millionaire miracle misnomer molasses molecule montana monument mosquito \
    narrative nebula newsletter norwegian october ohio onlooker opulent orlando outfielder \
    pacific pandemic pandora paperweight paragon paragraph paramount passenger pedigree pegasus \
    penetrate perceptive performance pharmacy phonetic photograph pioneer pocketful politeness \
    positive potato processor provincial proximate puberty publisher pyramid quantity racketeer \
    rebellion recipe recover repellent replica reproduce resistor responsive retraction \
    retrieval retrospect revenue revival revolver sandalwood sardonic saturday savagery \
    scavenger sensation sociable souvenir specialist speculate stethoscope stupendous supportive \
    surrender suspicious sympathy tambourine telephone therapist tobacco tolerance tomorrow \
    torpedo tradition travesty trombonist truncated typewriter ultimate undaunted underfoot \
    unicorn unify universe unravel upcoming vacancy vagabond vertigo virginia visitor vocalist \
    voyager warranty waterloo whimsical wichita wilmington wyoming yesteryear yucatan";

/// Returns the words for these octets, in order.
#[must_use]
pub fn words(octets: &[u8]) -> Vec<&'static str> {
    let word = |(place, octet): (usize, &u8)| {
        let list = if place % 2 == 0 { EVEN } else { ODD };
        list.split_ascii_whitespace().nth(usize::from(*octet)).certain("256 words in each list")
    };
    octets.iter().enumerate().map(word).collect()
}

/// Returns the words in lines of eight, as papers show them.
#[must_use]
pub fn lines(octets: &[u8]) -> Vec<String> {
    words(octets).chunks(8).map(|line| line.join(" ")).collect()
}

/// Returns the words in kana in lines of six, each for eight octets.
#[must_use]
pub fn kana(octets: &[u8]) -> Vec<String> {
    kana::lines(octets)
}

/// Returns all words in kana, by the numbers for which they stand.
#[must_use]
pub fn list() -> Vec<&'static str> {
    kana::LIST.lines().collect()
}

/// Returns the lines of a language's own list: in Japanese, kana.
#[must_use]
pub fn own(octets: &[u8], language: Language) -> Vec<String> {
    match language {
        Language::Ja => kana(octets),
        Language::En => lines(octets),
    }
}

/// Returns the lines of each list that a language shows, its own first.
///
/// Japanese shows both: of those who hear the words read, some may have papers in English.
#[must_use]
pub fn lists(octets: &[u8], language: Language) -> Vec<Vec<String>> {
    match language {
        Language::Ja => [own(octets, language), lines(octets)].into(),
        Language::En => [own(octets, language)].into(),
    }
}

/// Returns the lines of all lists that a language shows.
#[must_use]
pub fn shown(octets: &[u8], language: Language) -> Vec<String> {
    lists(octets, language).concat()
}

/// Returns the first line of each list that a language shows.
#[must_use]
pub fn first_lines(octets: &[u8], language: Language) -> Vec<String> {
    lists(octets, language).into_iter().filter_map(|list| list.into_iter().next()).collect()
}

/// Returns the first line of a language's own list.
#[must_use]
pub fn first_line(octets: &[u8], language: Language) -> String {
    own(octets, language).into_iter().next().unwrap_or_default()
}

/// Why words stand for no octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misread {
    /// This word is of no list at its place, or not of that of the words before it.
    Word(String),
    /// So many words in kana, all of the list, are no lines of six.
    Part(usize),
}

/// Returns the octets that these words stand for, all of one list: that of PGP, or the one in kana,
/// in kana or in Latin letters.
///
/// # Errors
///
/// The first word that is unknown or at the wrong place, in the list of which the others are.
pub fn octets(text: &str) -> Result<Vec<u8>, Misread> {
    let typed: Vec<&str> = text.split_whitespace().collect();
    let folded: Vec<String> = typed.iter().map(|word| kana::folded(word)).collect();
    match (of_pgp(&folded), kana::octets(&folded)) {
        (Ok(octets), _) | (Err(_), Ok(octets)) => Ok(octets),
        (Err(first), Err(other)) => Err(match typed.get(first.max(other)) {
            Some(word) => Misread::Word(String::from(*word)),
            None => Misread::Part(typed.len()),
        }),
    }
}

/// Returns the octets of words of the PGP list, or the place of the first that is none.
fn of_pgp(words: &[String]) -> Result<Vec<u8>, usize> {
    let octet = |(place, word): (usize, &String)| {
        let list = if place % 2 == 0 { EVEN } else { ODD };
        let found = list.split_ascii_whitespace().position(|one| one == word);
        found.and_then(|octet| u8::try_from(octet).ok()).ok_or(place)
    };
    words.iter().enumerate().map(octet).collect()
}

/// Reads a digest as papers show it, 64 digits, 32 words or 24 in kana, or returns why it cannot.
pub(crate) fn digest(text: &str) -> Result<Digest, Bilingual> {
    if !text.trim().contains(char::is_whitespace) {
        return text.parse().map_err(|error: DigestError| error.said());
    }
    let count = text.split_whitespace().count();
    let short = || {
        says!(
            "{count} 語(英単語なら 32 語、かななら 24 語が必要)",
            "{count} words; 32, or 24 in kana, are asked for"
        )
    };
    let octets = octets(text).map_err(|misread| match misread {
        Misread::Word(word) => says!(
            "`{word}` はこの位置に来る単語(PGP の英単語又はかな)でない",
            "`{word}` is not one of the PGP words, or of those in kana, at its place"
        ),
        Misread::Part(_) => short(),
    })?;
    octets.try_into().map(Digest).map_err(|_| short())
}

#[cfg(test)]
mod tests;
