//! What is out at a time: the whole of publication, as a function of releases and that time.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::content::{Content, Crl, Document, Item, Link, Root};
use super::statement::Statement;
use crate::hex::Octets;
use crate::language::Language;
use crate::time::Instant;

/// What one ceremony lets out, proved and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The sealed statement that names its files.
    pub statement: Statement,
    /// The files.
    pub items: Vec<Item>,
}

impl Release {
    /// Returns from when on its files may be out: the first thisUpdate of its CRLs, with which the
    /// window of its ceremony begins; `None` if it lets nothing out.
    #[must_use]
    pub fn from(&self) -> Option<Instant> {
        self.crls().map(|(_, crl)| crl.this_update).min()
    }

    /// Returns its CRLs.
    pub fn crls(&self) -> impl Iterator<Item = (&Item, &Crl)> {
        self.items.iter().filter_map(|item| match &item.content {
            Content::Crl(crl) => Some((item, crl)),
            Content::Root(_) | Content::Link(_) | Content::Notice(_) | Content::Cps(_) => None,
        })
    }
}

/// Everything that is out at a time.
#[derive(Debug)]
pub struct Due<'a> {
    /// The time.
    pub at: Instant,
    /// The roots. The second value says whether the root is withdrawn: a CRL that is out lists it.
    pub roots: Vec<(&'a Item, &'a Root, bool)>,
    /// The links.
    pub links: Vec<(&'a Item, &'a Link)>,
    /// Of each key the one CRL that is out.
    pub crls: BTreeMap<&'a Octets, (&'a Item, &'a Crl)>,
    /// The notices, each with its release.
    pub notices: Vec<(&'a Release, &'a Item, Language)>,
    /// The CP/CPS in its latest version.
    pub cps: Option<(&'a Item, &'a Document)>,
    /// When the next CRL is out.
    pub next: Option<Instant>,
    /// Of each key that must have a CRL, from when on it has none any more.
    pub holes: Vec<Hole<'a>>,
}

/// The time from which a key has no current CRL, as far as the releases reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole<'a> {
    /// The key.
    pub key: &'a Octets,
    /// Since when, or from when on.
    pub from: Instant,
}

/// Returns what is out at this time.
#[must_use]
pub fn due(releases: &[Release], at: Instant) -> Due<'_> {
    let mut due = Due {
        at,
        roots: Vec::new(),
        links: Vec::new(),
        crls: BTreeMap::new(),
        notices: Vec::new(),
        cps: None,
        next: None,
        holes: Vec::new(),
    };
    for release in releases {
        if release.from().is_some_and(|from| from <= at) {
            release.items.iter().for_each(|item| due.take(release, item));
        }
    }
    let all = || releases.iter().flat_map(Release::crls);
    due.next = all().map(|(_, crl)| crl.this_update).filter(|time| *time > at).min();
    let revoked: Vec<&Octets> = due.crls.values().flat_map(|(_, crl)| &crl.revokes).collect();
    due.links.retain(|(_, link)| !revoked.contains(&&link.serial));
    for (_, root, withdrawn) in &mut due.roots {
        *withdrawn = revoked.contains(&&root.serial);
    }
    for (_, root, withdrawn) in &due.roots {
        if !withdrawn && root.validity.1 >= at {
            let of_key = all().map(|(_, crl)| crl).filter(|crl| crl.key == root.key);
            let from = hole(of_key.collect(), at).min(root.validity.1.plus_seconds(1));
            if from <= root.validity.1 {
                due.holes.push(Hole { key: &root.key, from });
            }
        }
    }
    due
}

impl<'a> Due<'a> {
    fn take(&mut self, release: &'a Release, item: &'a Item) {
        match &item.content {
            Content::Root(root) => self.roots.push((item, root, false)),
            Content::Link(link) => self.links.push((item, link)),
            Content::Notice(language) => self.notices.push((release, item, *language)),
            Content::Cps(document) => {
                let later = self.cps.is_none_or(|(_, other)| other.from <= document.from);
                if document.from <= self.at && later {
                    self.cps = Some((item, document));
                }
            }
            Content::Crl(crl) => {
                let higher = self.crls.get(&crl.key).is_none_or(|(_, one)| one.number < crl.number);
                if crl.this_update <= self.at && higher {
                    self.crls.insert(&crl.key, (item, crl));
                }
            }
        }
    }
}

/// From when on no CRL of these is current, if each is out from its thisUpdate until one with a
/// higher number is.
fn hole(mut crls: Vec<&Crl>, at: Instant) -> Instant {
    crls.sort_by_key(|crl| (crl.this_update, crl.number));
    let mut out: Option<&Crl> = None;
    for crl in crls {
        if let Some(before) = out
            && crl.this_update > at
            && before.next_update < crl.this_update
        {
            break;
        }
        if out.is_none_or(|before| before.number < crl.number) {
            out = Some(crl);
        }
    }
    out.map_or(at, |crl| crl.next_update)
}
