//! Records that a duty was done: each signed by one person's card, in a file of its own.
//!
//! Whether a record counts is said by the register and the policy of its time: those of the
//! ceremony before it, or of the one after it, whose papers were made meanwhile. So a card that was
//! withdrawn and a role that was given up count for what was done with them, and for nothing later.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::json;
use toml::Spanned;

use crate::canonical::quoted;
use crate::dsse::pre_authentication;
use crate::fault::Fault;
use crate::hex::{Digest, Octets, encode};
use crate::key::PublicKey;
use crate::language::Bilingual;
use crate::ledger::State;
use crate::name::Name;
use crate::policy::{Duty, Policy, rdns};
use crate::record::canonical_json;
use crate::register::derived;
use crate::roster::{Register, Registered, Roster};
use crate::rule::RuleId;
use crate::run::{ToSign, words};
use crate::says;
use crate::text;
use crate::time::{Day, Instant, Offset};
use crate::violation::{Input, Violation};
use crate::x509::DirectoryName;

const PAYLOAD: &str = "application/vnd.gishiki.duty-done.v1+json";

/// What somebody records: which duty was done, on which day, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The duty.
    pub duty: Name,
    /// The day on which it was done.
    pub on: Day,
    /// Who records it.
    pub person: Name,
    /// When it was recorded, by the clock of whoever did.
    pub at: Instant,
    /// What is to be said of it, in one line.
    pub note: Option<String>,
    /// The files that show it, by name and SHA-256.
    pub evidence: Vec<(String, Digest)>,
}

/// A record as it is kept, in `duties/CA/DATE.DUTY.PERSON.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The CA.
    pub ca: Spanned<Name>,
    /// The duty.
    pub duty: Spanned<Name>,
    /// The day on which it was done.
    pub on: Spanned<Day>,
    /// Who records it.
    pub person: Spanned<Name>,
    /// When it was recorded, by the clock of whoever did.
    pub at: Spanned<Instant>,
    /// What is to be said of it.
    pub note: Option<Spanned<String>>,
    /// The files that show it.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// The raw signature (r ‖ s) by the person's card.
    pub signed: Spanned<Octets>,
}

/// A file that shows that something was done.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Its name.
    pub file: Spanned<String>,
    /// SHA-256 of it.
    pub sha256: Spanned<Digest>,
}

impl Written {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Done, octets, |written: &Self| &written.format)
    }

    /// What it records.
    #[must_use]
    pub fn done(&self) -> Done {
        let evidence = self.evidence.iter();
        Done {
            duty: self.duty.get_ref().clone(),
            on: *self.on.get_ref(),
            person: self.person.get_ref().clone(),
            at: *self.at.get_ref(),
            note: self.note.as_ref().map(|note| note.get_ref().clone()),
            evidence: evidence
                .map(|one| (one.file.get_ref().clone(), *one.sha256.get_ref()))
                .collect(),
        }
    }
}

impl Done {
    /// The name of its file.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.{}.{}.toml", self.on, self.duty, self.person)
    }

    /// Writes the record.
    #[must_use]
    pub fn text(&self, ca: &Name, signed: &Octets) -> String {
        let (Self { duty, on, person, at, .. }, signed) = (self, encode(&signed.0));
        let mut text = format!(
            "format = 1\nca     = \"{ca}\"\nduty   = \"{duty}\"\non     = {on}\nperson = \"{person}\"\nat     = {at}\n"
        );
        if let Some(note) = &self.note {
            text.push_str(&format!("note   = {}\n", quoted(note)));
        }
        text.push_str(&format!("signed = \"{signed}\"\n"));
        for (file, sha256) in &self.evidence {
            text.push_str(&format!(
                "\n[[evidence]]\nfile   = {}\nsha256 = \"{sha256}\"\n",
                quoted(file)
            ));
        }
        text
    }

    /// The octets that are signed.
    fn message(&self, ca: &Name) -> Vec<u8> {
        let evidence = self.evidence.iter();
        let evidence: Vec<_> = evidence
            .map(|(file, sha256)| json!({ "file": file, "sha256": sha256.to_string() }))
            .collect();
        let mut members = json!({
            "at": self.at.to_string(),
            "ca": ca.as_str(),
            "duty": self.duty.as_str(),
            "evidence": evidence,
            "on": self.on.to_string(),
            "person": self.person.as_str(),
        });
        if let (Some(note), Some(members)) = (&self.note, members.as_object_mut()) {
            members.insert("note".to_owned(), json!(note));
        }
        pre_authentication(PAYLOAD, canonical_json(&members).as_bytes())
    }
}

/// What a record is worth that is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighed {
    /// It counts, by a card that a ceremony's register has.
    Registered,
    /// It counts, by a card that stands in the roster and that no ceremony has taken in yet.
    InRoster,
    /// The policy of its time has no such duty.
    NoDuty,
}

/// The people of a CA and what they had to do, until a time.
#[derive(Debug, Clone)]
struct Then {
    /// The end of the ceremony that took them in; of the roster at hand there is none yet.
    since: Option<Instant>,
    register: Arc<Register>,
    duty: BTreeMap<Name, Whose>,
}

/// Whose duty it is: of which roles, and of which organisation if the policy names one.
#[derive(Debug, Clone)]
struct Whose {
    roles: BTreeSet<Name>,
    of: Option<Name>,
}

impl Whose {
    fn each(duty: &BTreeMap<Name, Duty>) -> BTreeMap<Name, Self> {
        let whose = |duty: &Duty| Self {
            roles: duty.by.iter().map(|role| role.get_ref().clone()).collect(),
            of: duty.of.as_ref().map(|of| of.get_ref().clone()),
        };
        duty.iter().map(|(id, duty)| (id.clone(), whose(duty))).collect()
    }

    fn is_of(&self, known: &Registered) -> bool {
        let of = self.of.as_ref().is_none_or(|of| *of == known.organization);
        of && !known.roles.is_disjoint(&self.roles)
    }

    fn said(&self) -> Bilingual {
        let roles = listed(&self.roles);
        match &self.of {
            None => Bilingual::plain(roles),
            Some(of) => says!("{roles}({of})", "{roles} of {of}"),
        }
    }
}

/// The people who record what was done, at every time of a CA's history.
#[derive(Debug, Clone)]
pub struct Doers {
    ca: Name,
    offset: Offset,
    /// The ceremonies of the ledger, in their order.
    taken: Vec<Then>,
    /// The roster and the policy at hand.
    now: Then,
    /// The keys that everyone can compute.
    known: Vec<PublicKey>,
}

impl Doers {
    /// Takes them from the policy and roster at hand, and from the state that each ceremony of the
    /// ledger left.
    ///
    /// # Errors
    ///
    /// P-NAME-STRING, if the policy's RDNs form no Name.
    pub fn of(policy: &Policy, roster: &Roster, history: &[Arc<State>]) -> Result<Self, Fault> {
        let name = DirectoryName::new(&rdns(&policy.ca.name)).map_err(|error| {
            let asked = says!("名称にできる RDN の列", "RDNs that can be a Name");
            Fault::new(RuleId::P_NAME_STRING, asked, error.said())
        })?;
        let then = |state: &Arc<State>| {
            let (last, policy) = (state.last.as_ref()?, state.last_policy()?);
            let register = Arc::clone(&state.register);
            Some(Then { since: Some(last.ended_at), register, duty: Whose::each(&policy.duty) })
        };
        let taken: Vec<Then> = history.iter().filter_map(then).collect();
        let register = Arc::new(roster.register());
        let now = Then { since: None, register, duty: Whose::each(&policy.duty) };
        let everybody: Register = taken
            .iter()
            .chain([&now])
            .flat_map(|then| then.register.iter().map(|(id, known)| (id.clone(), known.clone())))
            .collect();
        let known = derived(name.der(), &everybody).into_values().collect();
        let (ca, offset) = (policy.ca.id.get_ref().clone(), *policy.ca.offset.get_ref());
        Ok(Self { ca, offset, taken, now, known })
    }

    /// The CA's id.
    #[must_use]
    pub const fn ca(&self) -> &Name {
        &self.ca
    }

    /// The offset in which the CA writes its times.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        self.offset
    }

    /// A person with name and organisation, as far as the roster has them.
    #[must_use]
    pub fn named(&self, person: &Name) -> Bilingual {
        let Some(known) = self.now.register.get(person) else { return Bilingual::plain(person) };
        let (en, of) = (&known.name, &known.organization);
        let ja = known.name_ja.as_ref().unwrap_or(en);
        says!("{person} {ja}({of})", "{person} {en} ({of})")
    }

    /// Returns what a person signs to record that a duty was done.
    ///
    /// # Errors
    ///
    /// S-DONE, if the policy at hand has no such duty, the person may not sign it, or the day is
    /// yet to come; S-WORDS for a note or file name that is no plain line; S-REHEARSAL-KEY.
    pub fn to_sign(&self, done: &Done) -> Result<ToSign, Fault> {
        let lines = done.note.iter().chain(done.evidence.iter().map(|(file, _)| file));
        lines.map(String::as_str).try_for_each(words)?;
        refuse_later(done, done.at)?;
        let Some(asked) = self.now.duty.get(&done.duty) else {
            let duties: Vec<&str> = self.now.duty.keys().map(Name::as_str).collect();
            let asked = says!("ポリシーの [duty.…] にある業務", "a duty of [duty.…] in the policy");
            let found = match duties.is_empty() {
                true => says!("{}(ポリシーに業務なし)", "{}: the policy has no duties", done.duty),
                false => says!("{}(あるのは {})", "{}: there are {}", done.duty, duties.join(", ")),
            };
            return Err(Fault::new(RuleId::S_DONE, asked, found));
        };
        self.signer(&self.now, asked, done)
    }

    /// Judges a record under this file name, with its signature.
    ///
    /// # Errors
    ///
    /// S-DONE, if it stands under another name, is of another CA, of a time after `now`, or by
    /// somebody without the role; S-SIGNED, if the person's card did not sign it as it stands;
    /// S-REHEARSAL-KEY.
    pub fn weigh(&self, file: &str, written: &Written, now: Instant) -> Result<Weighed, Fault> {
        let done = written.done();
        if file != done.file() {
            let asked = says!("名前 {}", "the name {}", done.file());
            let found = says!(
                "{file}。写しなら削除し、改名したなら戻す",
                "{file}: delete a copy, give a renamed file its name back"
            );
            return Err(Fault::new(RuleId::S_DONE, asked, found));
        }
        if *written.ca.get_ref() != self.ca {
            let asked = says!("認証局 {} の記録", "a record of the CA {}", self.ca);
            let found = says!(
                "{0} の記録。{0} のフォルダーへ移す",
                "one of {0}: move it to the folder of {0}",
                written.ca.get_ref()
            );
            return Err(Fault::new(RuleId::S_DONE, asked, found));
        }
        refuse_later(&done, now)?;
        let mut refused = None;
        for then in self.at(done.at) {
            let Some(asked) = then.duty.get(&done.duty) else { continue };
            match self.signer(then, asked, &done).and_then(|one| proved(&one, written)) {
                Ok(()) if then.since.is_some() => return Ok(Weighed::Registered),
                Ok(()) if self.has_taken(&done.person) => return Ok(Weighed::Registered),
                Ok(()) => return Ok(Weighed::InRoster),
                Err(fault) => refused = Some(fault),
            }
        }
        refused.map_or(Ok(Weighed::NoDuty), Err)
    }

    /// The register and policy of the last ceremony before a time, and of the next one.
    fn at(&self, time: Instant) -> impl Iterator<Item = &Then> {
        let before = self.taken.iter().filter(|then| then.since <= Some(time)).count();
        let all = self.taken.iter().chain([&self.now]);
        all.skip(before.saturating_sub(1)).take(if before == 0 { 1 } else { 2 })
    }

    /// Whether the last ceremony's register has this person as the roster has them.
    fn has_taken(&self, person: &Name) -> bool {
        let last = self.taken.last().and_then(|then| then.register.get(person));
        last.is_some_and(|known| {
            let now = self.now.register.get(person);
            now.is_some_and(|now| known == now || known.has_only_ended(now))
        })
    }

    /// The person's signature of this record, as the register of the time has them.
    fn signer(&self, then: &Then, asked: &Whose, done: &Done) -> Result<ToSign, Fault> {
        let (person, day) = (&done.person, done.at.day());
        let serves = |known: &&Registered| known.ended.is_none_or(|ended| day <= ended);
        let (roles, ca) = (asked.said(), &self.ca);
        let asks = || {
            says!(
                roles;
                "{day} に役割 {roles} を持つ {ca} の者の署名",
                "a signature by somebody of {ca} who has the role {roles} on {day}"
            )
        };
        let Some(known) = then.register.get(person).filter(serves) else {
            let found = says!(
                "任命簿にない、又は任命の終わった {person}",
                "{person}, who is not in the roster, or serves no longer"
            );
            return Err(Fault::new(RuleId::S_DONE, asks(), found));
        };
        if !asked.is_of(known) {
            let (has, of) = (listed(&known.roles), &known.organization);
            let found = says!(
                "役割 {has}({of})の {person}。その業務を行う者が記録する",
                "{person}, who has the role {has} of {of}: let somebody whose duty it is record it"
            );
            return Err(Fault::new(RuleId::S_DONE, asks(), found));
        }
        if self.known.contains(&known.key) {
            let asked = says!(
                "{person} だけが持つカードの署名",
                "a signature by a card that {person} alone holds"
            );
            let found = says!(
                "リハーサルの鍵(誰でも計算できる)",
                "a rehearsal key, which everyone can compute"
            );
            return Err(Fault::new(RuleId::S_REHEARSAL_KEY, asked, found));
        }
        let message = done.message(&self.ca);
        Ok(ToSign { person: person.clone(), key: known.key.clone(), message })
    }
}

fn listed(roles: &BTreeSet<Name>) -> String {
    roles.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// Refuses a record that was made, or of something that is to be done, after this time.
fn refuse_later(done: &Done, now: Instant) -> Result<(), Fault> {
    let (on, at) = (done.on, done.at);
    if at <= now && on.days_since(at.day()) <= 0 {
        return Ok(());
    }
    let asked = says!("{now} までの実施と記録", "what was done and recorded by {now}");
    let found = says!(
        "{on} の実施、{at} の記録。日付と時計を確かめる",
        "done on {on}, recorded at {at}: check the day, and the clocks"
    );
    Err(Fault::new(RuleId::S_DONE, asked, found))
}

fn proved(asked: &ToSign, written: &Written) -> Result<(), Fault> {
    asked.check(written.signed.get_ref())?.prove().map(drop).map_err(|error| {
        let person = &asked.person;
        let asked = says!(
            "任命簿にあった {person} の鍵の、この記録への署名",
            "a signature of this record by the key that {person} had in the register"
        );
        Fault::new(RuleId::S_SIGNED, asked, error.said())
    })
}
