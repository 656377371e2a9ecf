//! Digests as words that people read aloud: the PGP word list (Juola and Zimmermann, 1996).
//!
//! Octets at even places have two-syllable words, those at odd places three-syllable ones, so a
//! lost, doubled or swapped word is noticed. All words are in lower case here, because people type
//! them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::certain::Certain as _;
use crate::hex::{Digest, DigestError};
use crate::language::Bilingual;
use crate::says;

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

/// Returns the octets that these words stand for.
///
/// # Errors
///
/// The first word that is unknown or at the wrong place.
pub fn octets(text: &str) -> Result<Vec<u8>, String> {
    let octet = |(place, word): (usize, &str)| {
        let list = if place % 2 == 0 { EVEN } else { ODD };
        let small = word.to_ascii_lowercase();
        let found = list.split_ascii_whitespace().position(|w| w == small);
        found.and_then(|octet| u8::try_from(octet).ok()).ok_or_else(|| String::from(word))
    };
    text.split_ascii_whitespace().enumerate().map(octet).collect()
}

/// Reads a digest as papers show it, 64 digits or 32 words, or returns why it cannot.
pub(crate) fn digest(text: &str) -> Result<Digest, Bilingual> {
    if !text.trim().contains(char::is_whitespace) {
        return text.parse().map_err(|error: DigestError| error.said());
    }
    let octets = octets(text).map_err(|word| {
        says!(
            "`{word}` はこの位置の PGP 単語表の単語でない",
            "`{word}` is not one of the PGP word list at its place"
        )
    })?;
    let octets: [u8; 32] = octets.try_into().map_err(|octets: Vec<u8>| {
        says!("{} 語(32 語が必要)", "{} words; 32 are asked for", octets.len())
    })?;
    Ok(Digest(octets))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
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
        let lists: alloc::collections::BTreeSet<&str> =
            [EVEN, ODD].into_iter().flat_map(str::split_ascii_whitespace).collect();
        assert_eq!(lists.len(), 512);
    }

    #[test]
    fn a_word_at_the_wrong_place_is_named() {
        assert_eq!(octets("adroitness"), Err(String::from("adroitness")));
        assert_eq!(octets("aardvark aardvark"), Err(String::from("aardvark")));
    }
}
