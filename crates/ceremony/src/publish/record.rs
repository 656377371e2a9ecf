//! The log of publications: what was out where, since when, and what did not go out.
//!
//! One line a publication, canonical JSON, chained to the line before, as the records of a ceremony
//! are. Only changes are recorded.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::hex::{Digest, Octets};
use crate::language::Bilingual;
use crate::record::{GENESIS, canonical_json};
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;

/// What was found where, when it was read back.
pub type Published = BTreeMap<String, Digest>;

/// One publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// When it was read back.
    #[serde(with = "crate::time::text")]
    pub at: Instant,
    /// The number of the CRL that is out, by key.
    pub crls: BTreeMap<String, u64>,
    /// What did not go out, by place, and why.
    pub failed: BTreeMap<String, String>,
    /// Its number, from 0.
    pub number: u64,
    /// What changed, by place: the SHA-256 of what was read back there.
    pub published: Published,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    chain: Digest,
    publication: Publication,
}

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The chain value of the last line.
    pub head: Digest,
    /// How many lines there are.
    pub count: u64,
    /// The time of the last.
    pub last: Option<Instant>,
    /// What was last seen at each place.
    pub published: Published,
    /// What had failed at the last publication.
    pub failed: BTreeMap<String, String>,
    /// The highest number of a CRL that was out, by key.
    pub crls: BTreeMap<String, u64>,
    /// How many octets are whole lines; what follows was being written when its writer ended.
    pub whole: usize,
}

impl Publication {
    /// Returns the line that records it after this log.
    #[must_use]
    pub fn line(&self, told: &Told) -> String {
        let chain = chain(told.head, self);
        canonical_json(&Line { chain, publication: self.clone() }) + "\n"
    }
}

fn chain(before: Digest, publication: &Publication) -> Digest {
    let text = canonical_json(publication);
    Digest::of_parts("gishiki publication v1", &[&before.0, text.as_bytes()])
}

impl Told {
    /// Reads a log.
    ///
    /// # Errors
    /// S-SERVED if a line is not one of this chain.
    pub fn read(log: &[u8]) -> Result<Self, Fault> {
        let mut told = Self {
            head: GENESIS,
            count: 0,
            last: None,
            published: BTreeMap::new(),
            failed: BTreeMap::new(),
            crls: BTreeMap::new(),
            whole: 0,
        };
        for line in log.split_inclusive(|octet| *octet == b'\n') {
            if line.last() != Some(&b'\n') {
                break;
            }
            told.take(line)?;
            told.whole += line.len();
        }
        Ok(told)
    }

    fn take(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let row = self.count + 1;
        let wrong = |found: Bilingual| {
            let asked = says!(
                "{row} 行目に、前の行に続く記録",
                "on line {row} what follows the line before"
            );
            Fault::new(RuleId::S_SERVED, asked, found)
        };
        let line: Line =
            serde_json::from_slice(octets).map_err(|error| wrong(Bilingual::plain(error)))?;
        let publication = line.publication;
        let chain = chain(self.head, &publication);
        if publication.line(self).as_bytes() != octets
            || line.chain != chain
            || publication.number != self.count
        {
            return Err(wrong(says!("別の記録", "another record")));
        }
        self.head = chain;
        self.count = row;
        self.last = Some(publication.at);
        self.published.extend(publication.published);
        self.failed = publication.failed;
        for (key, number) in publication.crls {
            let highest = self.crls.entry(key).or_default();
            *highest = number.max(*highest);
        }
        Ok(())
    }

    /// The highest number of a CRL of this key that was out.
    #[must_use]
    pub fn highest(&self, key: &Octets) -> Option<u64> {
        self.crls.get(&crate::hex::encode(&key.0)).copied()
    }
}
