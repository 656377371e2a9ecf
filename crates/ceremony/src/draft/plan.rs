//! The plan of a CA's next ceremony, from its state, its documents and the calendar.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::crew::Crew;
use super::tables;
use crate::canonical::quoted;
use crate::cps::Cps;
use crate::fault::Fault;
use crate::hex::encode;
use crate::language::Bilingual;
use crate::ledger::{Key, Standing, State};
use crate::name::Name;
use crate::plan::{ApplicationKind, ProfileName};
use crate::policy::{Backup, Policy, Renewal};
use crate::rehearsal::RehearsalUse;
use crate::releases::releases;
use crate::roster::Roster;
use crate::rule::RuleId;
use crate::says;
use crate::time::{Day, Instant};

/// When a window begins on its day, in seconds: at 10 o'clock.
const BEGINS: i64 = 10 * 3_600;
/// When it ends: at 17 o'clock.
const ENDS: i64 = 17 * 3_600;

/// A kind of plan. Each is an ordinary plan: people add to it whatever the ceremony needs besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The CA's first ceremony.
    Genesis,
    /// A new Document Signer certificate.
    Issue,
    /// New certificates in the place of those that end soon.
    Renewal,
    /// The revocation of a Document Signer certificate.
    Revocation,
    /// Copies of the root keys on another token.
    Backup,
    /// The next root key, with its links; without them after a compromise.
    Rollover,
    /// The destruction of the root keys whose certificates have ended.
    Destruction,
    /// The response to a compromised root key.
    Compromise,
    /// A token with copies in the place of the lost one.
    Recovery,
}

impl Kind {
    /// Whether it comes unplanned, so that the day of the next ceremony stays what it was.
    #[must_use]
    pub const fn is_an_emergency(self) -> bool {
        matches!(self, Self::Revocation | Self::Compromise | Self::Recovery)
    }

    /// The sentence that the plan begins with.
    const fn about(self) -> &'static str {
        match self {
            Self::Genesis => {
                "The first key ceremony: the first root key, its root certificate, and the first CRLs."
            }
            Self::Issue => "A Document Signer certificate, and the next CRLs.",
            Self::Renewal => {
                "The renewal of the Document Signer certificates that end soon, with new keys."
            }
            Self::Revocation => {
                "The revocation of a Document Signer certificate, and CRLs that name it."
            }
            Self::Backup => {
                "The backup of the root keys on another HSM, where each copy proves itself by a CRL."
            }
            Self::Rollover => "The next root key and its root certificate, and the next CRLs.",
            Self::Destruction => {
                "The root certificate has ended: its key is destroyed on every token."
            }
            Self::Compromise => {
                "A root key is judged to be compromised: everything that it signed is revoked."
            }
            Self::Recovery => {
                "The root HSM is lost. The HSM with the copies takes its place, with a new audit key."
            }
        }
    }
}

/// What a plan is drafted from.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The ceremony's name.
    pub ceremony: &'a Name,
    /// The state that the ledger has left; empty for the first ceremony.
    pub state: &'a State,
    /// The CP/CPS.
    pub cps: &'a Cps,
    /// The policy.
    pub policy: &'a Policy,
    /// The roster.
    pub roster: &'a Roster,
    /// The day of the ceremony.
    pub day: Day,
    /// 256 bits of a CSPRNG.
    pub seed: [u8; 32],
}

impl Draft<'_> {
    /// Returns the files of the ceremony's folder, by name.
    ///
    /// # Errors
    ///
    /// If the state has nothing that such a plan could be about, or no next ceremony is possible.
    pub fn files(&self) -> Result<BTreeMap<String, String>, Fault> {
        let next = self.next_ceremony()?;
        let (orders, body) = self.body(next)?;
        let head = self.head();
        let reach = match self.kind.is_an_emergency() {
            true => "to the ceremony that was planned before, if the policy lets them reach there",
            false => "as far as the policy lets them reach",
        };
        let plan = format!("{head}{orders}{body}\n[crls]   # {reach}\nnext-ceremony = {next}\n");
        let readme = format!("# {}\n\n{}\n", self.ceremony, self.kind.about());
        Ok(BTreeMap::from([("plan.toml".into(), plan), ("README.md".into(), readme)]))
    }

    /// The proposed beginning; on a day on which the last ceremony ended later, a second after it.
    fn from(&self) -> Instant {
        let offset = *self.policy.ca.offset.get_ref();
        let proposed = self.day.start(offset).plus_seconds(BEGINS);
        let ended = self.state.last.as_ref().map(|last| last.ended_at.at(offset));
        match ended.filter(|ended| *ended >= proposed && ended.day() == self.day) {
            Some(ended) => ended.plus_seconds(1),
            None => proposed,
        }
    }

    /// The proposed end; the end of the day, if it begins late.
    fn until(&self) -> Instant {
        let offset = *self.policy.ca.offset.get_ref();
        let proposed = self.day.start(offset).plus_seconds(ENDS);
        if self.from() < proposed { proposed } else { self.day.last_second(offset) }
    }

    const fn crew(&self) -> Crew<'_> {
        Crew { cps: self.cps, policy: self.policy, roster: self.roster, day: self.day }
    }

    /// What every plan begins with.
    fn head(&self) -> String {
        let last = self.state.last.as_ref();
        let after = last.map_or("nothing", |last| last.ceremony.as_str());
        let sequence = last.map_or(1, |last| last.sequence.saturating_add(1));
        let until = self.until();
        let abandoned = last.and_then(|last| last.abandoned).map_or_else(String::new, |digest| {
            format!("abandoned = \"{digest}\"   # as everyone signed it on paper\n")
        });
        format!(
            "# {}\nformat   = 1\nceremony = \"{}\"\nafter    = \"{after}\"\nsequence = {sequence}\n\
             window   = {{ from = {}, until = {until} }}   # proposed hours\n\
             serials  = {}   # from this machine's random numbers\n{abandoned}\n\
             # Of the roster, as many as the policy asks of each role.\nparticipants = {}\n",
            self.kind.about(),
            self.ceremony,
            self.from(),
            quoted(&encode(&self.seed)),
            tables::listed(self.crew().participants()),
        )
    }

    /// The orders of a plan, and its tables.
    fn body(&self, next: Day) -> Result<(String, String), Fault> {
        let mut orders = String::new();
        let mut body = match self.kind {
            Kind::Genesis => self.genesis()?,
            Kind::Issue => self.issue()?,
            Kind::Renewal => self.renewal(next)?,
            Kind::Revocation => self.revocation()?,
            Kind::Backup => self.backup()?,
            Kind::Rollover => self.rollover(),
            Kind::Destruction => self.destruction()?,
            Kind::Compromise => {
                orders.push_str("\norders = [\"stop-ds-issuing\", \"stop-applications\"]\n");
                tables::compromise(self.issuing()?)
            }
            Kind::Recovery => self.recovery()?,
        };
        let left =
            self.state.root_keys().filter(|(key, _)| self.state.root_of(key.as_str()).is_none());
        let left: Vec<String> = left.map(|(key, _)| tables::destruction(key)).collect();
        body.push_str(&left.concat());
        Ok((orders, body))
    }

    /// The root key that signs certificates.
    fn issuing(&self) -> Result<&Name, Fault> {
        self.state.issuing_key().map(|(name, _)| name).ok_or_else(|| {
            let asked = says!(
                "台帳にある、危殆化していないルート鍵",
                "a root key of the ledger that is not compromised"
            );
            Fault::new(RuleId::R_KEYLIFE, asked, Bilingual::none())
        })
    }

    fn genesis(&self) -> Result<String, Fault> {
        match &self.state.last {
            None => Ok(tables::root("g1", self.from(), false)),
            Some(last) => {
                let asked = says!("何も行われていない認証局", "a CA that has held no ceremony");
                let found = says!("{} のある台帳", "a ledger with {}", last.ceremony);
                Err(Fault::new(RuleId::S_LEDGER, asked, found))
            }
        }
    }

    /// The number of the first Document Signer that has none of the numbers before.
    fn number(&self) -> u32 {
        let certificates = self.state.certificates.keys();
        let burned = self.state.burned.values().map(|burned| &burned.certificate);
        let numbers =
            certificates.chain(burned).filter_map(|name| name.as_str().strip_prefix("ds-"));
        numbers.filter_map(|number| number.parse().ok()).max().unwrap_or(0_u32).saturating_add(1)
    }

    /// A name that begins so, with year and month of the ceremony.
    fn dated(&self, letter: char) -> String {
        let day = self.day.to_string();
        let month = day.rsplit_once('-').map_or(day.as_str(), |(month, _)| month);
        format!("{letter}-{month}")
    }

    fn issue(&self) -> Result<String, Fault> {
        let (issuer, application) = (self.issuing()?, self.dated('a'));
        let name = format!("ds-{:04}", self.number());
        let applied = tables::application(&application, ApplicationKind::Issue, &self.crew());
        Ok(applied + &tables::signer(&name, issuer, self.from(), &application, None))
    }

    /// The valid Document Signer certificates that end before this day.
    fn signers(&self, until: Option<Day>) -> Vec<&Name> {
        let live = self.state.certificates.iter().filter(|(_, certificate)| {
            certificate.profile == ProfileName::Ds
                && certificate.standing == Standing::Issued
                && certificate.is_valid_at(self.from())
                && until.is_none_or(|until| certificate.not_after.day() < until)
        });
        live.map(|(name, _)| name).collect()
    }

    fn renewal(&self, next: Day) -> Result<String, Fault> {
        let spare = self.policy.crl.spare.get_ref();
        let until = next.plus(spare, 1).map_err(|error| uncounted(&error.said()))?;
        let ending = self.signers(Some(until));
        if ending.is_empty() {
            let asked = says!(
                "{until} より前に満了する、有効な DS 電子証明書",
                "a valid Document Signer certificate that ends before {until}"
            );
            return Err(Fault::new(RuleId::R_RENEW_WHEN, asked, Bilingual::none()));
        }
        let (issuer, application) = (self.issuing()?, self.dated('a'));
        let mut body = tables::application(&application, ApplicationKind::Renewal, &self.crew());
        for (number, old) in (self.number()..).zip(&ending) {
            let name = format!("ds-{number:04}");
            body.push_str(&tables::signer(&name, issuer, self.from(), &application, Some(old)));
        }
        if *self.policy.ds.renewal.get_ref() == Renewal::RevokeOld {
            let application = self.dated('r');
            body.push_str(&tables::application(
                &application,
                ApplicationKind::Revocation,
                &self.crew(),
            ));
            for old in ending {
                body.push_str(&tables::revocation(Some(old), &application, ""));
            }
        }
        Ok(body)
    }

    fn revocation(&self) -> Result<String, Fault> {
        let signers = self.signers(None);
        if signers.is_empty() {
            let asked = says!("有効な DS 電子証明書", "a valid Document Signer certificate");
            return Err(Fault::new(RuleId::R_REVOKE_TARGET, asked, Bilingual::none()));
        }
        let application = self.dated('r');
        let names: Vec<&str> = signers.iter().map(|name| name.as_str()).collect();
        let choices = format!("# Valid on that day: {}\n", names.join(", "));
        let applied = tables::application(&application, ApplicationKind::Revocation, &self.crew());
        Ok(applied + &tables::revocation(None, &application, &choices))
    }

    /// The root keys with duties: not compromised, and with a certificate that has not ended.
    fn needed(&self) -> impl Iterator<Item = &Name> {
        let lives = |name: &Name| {
            self.state.root_of(name.as_str()).is_some_and(|root| root.not_after >= self.from())
        };
        let sound = self.state.root_keys().filter(|(_, key)| key.compromised.is_none());
        sound.map(|(name, _)| name).filter(move |name| lives(name))
    }

    fn backup(&self) -> Result<String, Fault> {
        let spare = self.state.spares.iter().next();
        let held = |key: &Name| spare.is_some_and(|(_, spare)| spare.copies.contains(key));
        let may = |key: &&Name| {
            let key: Option<&Key> = self.state.keys.get(key.as_str());
            key.is_some_and(|key| key.backup == Backup::WrapTrusted)
        };
        let copied = self.needed().filter(may).filter(|key| !held(key));
        let token = spare.map(|(token, _)| token);
        let copies: Vec<String> = copied.map(|key| tables::copy(key, token)).collect();
        if copies.is_empty() {
            let asked = says!(
                "複製を持たず、ポリシーが複製を許すルート鍵",
                "a root key without a copy, which the policy lets be copied"
            );
            return Err(Fault::new(RuleId::R_BACKUP, asked, Bilingual::none()));
        }
        Ok(copies.concat())
    }

    fn rollover(&self) -> String {
        let generation = self.state.generation(RehearsalUse::Root).saturating_add(1);
        let new = format!("g{generation}");
        match self.state.issuing_key() {
            Some((old, key)) => {
                let due = key.rollover_from(self.policy);
                let early = due.is_ok_and(|due| self.from() < due);
                tables::root(&new, self.from(), early) + &tables::links(old, &new)
            }
            // After a compromise nothing vouches for the new key.
            None => tables::root(&new, self.from(), false),
        }
    }

    fn destruction(&self) -> Result<String, Fault> {
        let ended = self.state.root_keys().filter(|(name, _)| {
            self.state.root_of(name.as_str()).is_some_and(|root| root.not_after < self.from())
        });
        let ended: Vec<String> = ended.map(|(name, _)| tables::destruction(name)).collect();
        if ended.is_empty() {
            let asked = says!(
                "{} までに自己署名電子証明書の満了したルート鍵",
                "a root key whose certificate has ended by {}",
                self.day
            );
            return Err(Fault::new(RuleId::R_DESTROY, asked, Bilingual::none()));
        }
        Ok(ended.concat())
    }

    fn recovery(&self) -> Result<String, Fault> {
        let whole = self
            .state
            .spares
            .iter()
            .find(|(_, spare)| self.needed().all(|key| spare.copies.contains(key)));
        whole.map(|(token, _)| tables::recovery(token)).ok_or_else(|| {
            let asked = says!(
                "役目の残るすべてのルート鍵の複製を持つトークン",
                "a token with a copy of every root key that has duties"
            );
            Fault::new(RuleId::R_RECOVER, asked, Bilingual::none())
        })
    }

    /// The day of the next ceremony: in an emergency the planned one, else the last that the policy
    /// lets the CRLs reach.
    fn next_ceremony(&self) -> Result<Day, Fault> {
        let batch = self.state.batches.iter().rev().find(|batch| batch.issued);
        let planned = batch.and_then(|batch| batch.next_ceremony);
        let planned = planned.filter(|day| self.kind.is_an_emergency() && self.fits(*day));
        if let Some(planned) = planned {
            return Ok(planned);
        }
        let interval = self.policy.crl.interval.get_ref();
        let mut day = self.day.plus(interval, 1).map_err(|error| uncounted(&error.said()))?;
        while !self.fits(day) {
            day = day.plus_days(-1).map_err(|error| uncounted(&error.said()))?;
            if day <= self.day {
                return Err(uncounted(&says!(
                    "{} より後に候補の日なし",
                    "no such day after {}",
                    self.day
                )));
            }
        }
        Ok(day)
    }

    /// Whether CRLs can reach to a ceremony on this day: not too far, not too many, and not beyond
    /// the latest root.
    fn fits(&self, next: Day) -> bool {
        let policy = &self.policy.crl;
        let in_time =
            self.day.plus(policy.interval.get_ref(), 1).is_ok_and(|latest| next <= latest);
        let most = usize::try_from(*policy.max_batch.get_ref()).unwrap_or(usize::MAX);
        let Ok(releases) = releases(policy, self.day, next) else { return false };
        let offset = *self.policy.ca.offset.get_ref();
        let root = match self.kind {
            Kind::Genesis | Kind::Rollover => None,
            Kind::Issue
            | Kind::Renewal
            | Kind::Revocation
            | Kind::Backup
            | Kind::Destruction
            | Kind::Compromise
            | Kind::Recovery => self.state.issuing_key(),
        };
        let root = root.and_then(|(name, _)| self.state.root_of(name.as_str()));
        let ends = releases.last().map(|release| release.next_update.start(offset));
        let within =
            root.zip(ends).is_none_or(|(root, ends)| ends <= root.not_after.plus_seconds(1));
        self.day < next && in_time && releases.len() <= most && within
    }
}

/// That there is no day for the next ceremony.
fn uncounted(found: &Bilingual) -> Fault {
    let asked = says!(
        "ポリシーの crl.interval、crl.max-batch とルート証明書の満了までに収まる次のセレモニーの日",
        "a day for the next ceremony, within crl.interval and crl.max-batch of the policy and the end of the root"
    );
    Fault::new(RuleId::R_CRL_CADENCE, asked, found.clone())
}
