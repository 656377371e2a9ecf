//! What an operation asks: a request to a token, or questions to people.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::Run;
use super::present::{self, ABSENT, ATTENDANCE, PRESENT};
use crate::dsse;
use crate::fault::Fault;
use crate::graph::{Act, Duty, Graph, Op, PeopleAct, PlannedKey, TokenAct};
use crate::hex::{Digest, Octets};
use crate::key::PublicKey;
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::Said;
use crate::rule::RuleId;
use crate::says;
use crate::token::{CopyRemains, CopyRequest, Holder, TokenRequest};

/// What is asked, and of whom.
#[derive(Debug)]
pub enum Request {
    /// People.
    People(PeopleRequest),
    /// This token.
    Token(Holder, TokenRequest),
    /// Asks the root token and another token for a copy of a key. After a lost attempt, the remains
    /// of that attempt are removed first.
    Copy(CopyRequest, Option<CopyRemains>),
}

/// The questions to people in one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeopleRequest {
    /// The operation.
    pub op: Op,
    /// The values that they are asked for, besides their names.
    pub facts: Vec<Fact>,
}

impl PeopleRequest {
    /// The answer if everything goes as planned: as many people as are needed, or everybody on whom
    /// the plan counts where people stand by. Where any words are accepted, these words.
    #[must_use]
    pub fn as_planned(&self, graph: &Graph, words: &str) -> Said {
        let first_in = self.op.act == Act::People(PeopleAct::FirstIn);
        let who = |duty: &Duty| -> Vec<Name> {
            let planned = duty.persons.iter().filter(|person| !graph.is_reserve(person));
            match first_in {
                true => planned.cloned().collect(),
                false => duty.persons.iter().take(duty.at_least).cloned().collect(),
            }
        };
        let by: BTreeSet<Name> = self.op.by.iter().flat_map(who).collect();
        let facts = self.facts.iter().map(|fact| (fact.name.to_string(), fact.as_planned(words)));
        Said { by: by.into_iter().collect(), facts: facts.collect() }
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// The rule that asks it.
    pub rule: RuleId,
    /// Its name in the record.
    pub name: &'static str,
    /// Which answers are accepted.
    pub kind: FactKind,
}

/// Which answers to a question are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// This digest, or at least its first 16 hexadecimal digits (8 words).
    Digest(Digest),
    /// A whole number in this range, both ends included.
    Integer(i64, i64),
    /// A few words: 1 to 200 characters on one line.
    Words,
    /// The serial number of a token, as people read it from its plate.
    Plate(String),
    /// [`PRESENT`] or [`ABSENT`].
    Attendance {
        /// Whether the plan counts on this person, who is otherwise a reserve.
        planned: bool,
    },
}

/// The name of the question for the last noted head. [`GENESIS`](crate::record::GENESIS) is the
/// answer if none was noted.
pub const HEAD: &str = "head";

/// The name of the question for the serial number on a token's plate.
const PLATE: &str = "plate";

impl Run {
    pub(super) fn request_for(&self, op: &Op, attempt: u32) -> Result<Request, Fault> {
        let graph = self.graph();
        let id = |name: &Name| self.id_of(name);
        let act = match &op.act {
            Act::People(act) => {
                let facts = self.facts(act)?;
                let op = Op { by: self.duties_of(op), ..op.clone() };
                return Ok(Request::People(PeopleRequest { op, facts }));
            }
            Act::Token(act) => act,
            Act::Seal => {
                let asked = says!("自身の要求を持つ手順", "a request of its own");
                return Err(Fault::new(RuleId::S_ORDER, asked, says!("封印", "the seal")));
            }
        };
        let token = match act {
            TokenAct::Identify { token } => {
                TokenRequest::Identify { serial: self.serial_of(token)? }
            }
            TokenAct::Login { .. } => TokenRequest::Login {},
            TokenAct::Inventory { .. } => TokenRequest::List {},
            TokenAct::Copy { key, .. } => {
                let made = self.planned(key)?.template(graph, 0);
                let remains = (attempt > 0).then(|| CopyRemains::of(&made));
                let request = CopyRequest::of(&made, self.public(key)?);
                return Ok(Request::Copy(request, remains));
            }
            TokenAct::ReadHead => TokenRequest::ReadHead { label: graph.head_label() },
            TokenAct::Inspect { key, .. } => self.inspection(self.planned(key)?, id(key)?),
            TokenAct::Destroy { key, .. } => TokenRequest::Destroy { id: id(key)?, strays: None },
            TokenAct::Clear { key, id, .. } => {
                TokenRequest::Destroy { id: id.clone(), strays: Some(graph.key_label(key)) }
            }
            TokenAct::Generate { key } => {
                TokenRequest::Generate { key: self.planned(key)?.template(graph, attempt) }
            }
            TokenAct::SignHead => self.audit_request(&self.head_to_sign())?,
            TokenAct::ReadValue { key } => TokenRequest::ReadValue { id: id(key)? },
            TokenAct::Wrap { key } => TokenRequest::Wrap { id: id(key)? },
            TokenAct::Sign(sheet) => {
                let curve = self.planned(&sheet.key)?.curve;
                let digests =
                    self.sheet(sheet, attempt)?.into_iter().map(|(_, tbs)| curve.digest(&tbs));
                TokenRequest::Sign { id: id(&sheet.key)?, curve, digests: digests.collect() }
            }
            TokenAct::WriteHead => {
                TokenRequest::WriteHead { label: graph.head_label(), value: self.head_value() }
            }
            TokenAct::Logout { .. } => TokenRequest::Logout {},
        };
        Ok(Request::Token(act.holder().clone(), token))
    }

    /// The request for the audit key's signature on a message.
    pub(crate) fn audit_request(&self, message: &[u8]) -> Result<TokenRequest, Fault> {
        let key = self.audit()?;
        let id = self.id_of(&key.name)?;
        let digests = vec![key.curve.digest(message)];
        Ok(TokenRequest::Sign { id, curve: key.curve, digests })
    }

    /// The request that looks for what a key generation of unknown result has left.
    pub fn inspect_request(&self, op: &Op, attempt: u32) -> Result<TokenRequest, Fault> {
        let Act::Token(TokenAct::Generate { key }) = &op.act else {
            return Err(no_generation(op));
        };
        let key = self.planned(key)?;
        Ok(self.inspection(key, key.id(self.graph(), attempt)))
    }

    fn inspection(&self, key: &PlannedKey, id: Octets) -> TokenRequest {
        TokenRequest::Inspect { id, curve: key.curve, label: key.label(self.graph()) }
    }

    /// The request that lists the objects of a token after it failed to make something.
    #[must_use]
    pub const fn list_request() -> TokenRequest {
        TokenRequest::List {}
    }

    /// The request that destroys what a key generation of unknown result has left.
    pub fn destroy_request(&self, op: &Op, attempt: u32) -> Result<TokenRequest, Fault> {
        let Act::Token(TokenAct::Generate { key }) = &op.act else {
            return Err(no_generation(op));
        };
        let key = self.planned(key)?;
        let (id, strays) = (key.id(self.graph(), attempt), Some(key.label(self.graph())));
        Ok(TokenRequest::Destroy { id, strays })
    }

    pub(super) fn facts(&self, act: &PeopleAct) -> Result<Vec<Fact>, Fault> {
        let graph = self.graph();
        let fact = |rule, name, kind| Fact { rule, name, kind };
        let digest = |rule, name, digest| fact(rule, name, FactKind::Digest(digest));
        Ok(match act {
            PeopleAct::Papers => {
                let mut facts = vec![
                    digest(RuleId::S_PAPERS, "graph", self.opened().graph),
                    digest(RuleId::S_PAPERS, "bindings", self.opened().bindings),
                ];
                // Whoever sets both media back to an earlier record meets the paper here.
                if self.session() > 0 {
                    facts.push(digest(RuleId::S_NOTED, HEAD, self.noted_head()));
                }
                facts
            }
            PeopleAct::Clock => {
                let most = i64::from(graph.demands.max_clock_offset);
                vec![
                    fact(RuleId::R_TIME, "offset-seconds", FactKind::Integer(-most, most)),
                    fact(RuleId::R_TIME, "reference", FactKind::Words),
                ]
            }
            PeopleAct::Plate { token } => {
                let serial = self.serial_of(token)?;
                vec![fact(RuleId::S_TOKEN_SERIAL, PLATE, FactKind::Plate(serial))]
            }
            PeopleAct::Activate => {
                vec![fact(RuleId::R_ACTIVATE, "second-factor", FactKind::Words)]
            }
            PeopleAct::Application { application } => self.papers_of(application)?,
            PeopleAct::Clone { .. } => {
                vec![fact(RuleId::R_BACKUP, "procedure", FactKind::Words)]
            }
            PeopleAct::Fingerprint { certificate } => {
                let signed = self.signed().get(certificate.as_str());
                let signed = signed.ok_or_else(|| {
                    Fault::new(
                        RuleId::S_ORDER,
                        says!("署名された電子証明書", "a certificate that is signed"),
                        Bilingual::plain(certificate),
                    )
                })?;
                vec![digest(RuleId::R_FINGERPRINT, "sha256", Digest::of(&signed.der))]
            }
            PeopleAct::AnchorWords => {
                let audit = self.audit_public().map(PublicKey::spki_digest);
                let audit = audit.ok_or_else(no_audit_key)?;
                vec![
                    digest(RuleId::S_ANCHOR, "audit-key", audit),
                    digest(RuleId::S_ANCHOR, "head", self.transcript_head()),
                ]
            }
            PeopleAct::Entry { person } if graph.has_reserves() => {
                let planned = !graph.is_reserve(person);
                vec![fact(RuleId::S_PRESENT, ATTENDANCE, FactKind::Attendance { planned })]
            }
            PeopleAct::FirstIn
            | PeopleAct::Entry { .. }
            | PeopleAct::RollCall { .. }
            | PeopleAct::Media
            | PeopleAct::Complete { .. }
            | PeopleAct::Compromise { .. }
            | PeopleAct::Order { .. }
            | PeopleAct::Supersede { .. }
            | PeopleAct::ApproveDestruction { .. }
            | PeopleAct::ApproveLoss { .. }
            | PeopleAct::ApproveRecovery { .. }
            | PeopleAct::HandOver { .. }
            | PeopleAct::Deactivate
            | PeopleAct::Exit { .. }
            | PeopleAct::LastOut => Vec::new(),
        })
    }

    /// The papers of an application, each by its digest.
    fn papers_of(&self, application: &Name) -> Result<Vec<Fact>, Fault> {
        let planned = self.graph().applications.get(application);
        let planned = planned.ok_or_else(|| {
            let asked = says!("計画の申請", "an application of the plan");
            Fault::new(RuleId::S_ORDER, asked, Bilingual::plain(application))
        })?;
        let fact = |(rule, name, digest)| {
            let kind = FactKind::Digest(digest);
            Fact { rule, name, kind }
        };
        Ok(planned.papers().map(fact).collect())
    }

    /// The value that the audit key signs first: the chain value at the record that asks for it.
    pub(super) fn head_to_sign(&self) -> Vec<u8> {
        dsse::head_message(self.graph().ceremony(), self.head())
    }

    /// The ledger head: sequence ‖ the chain value at the record that asks for it.
    pub(super) fn head_value(&self) -> Octets {
        let mut value = self.graph().sequence.to_be_bytes().to_vec();
        value.extend(self.head().0);
        Octets(value)
    }
}

/// The fault for an operation that is not a key generation, where only a key generation has
/// remains.
fn no_generation(op: &Op) -> Fault {
    let asked = says!("鍵ペアの生成", "a key generation");
    Fault::new(RuleId::S_ORDER, asked, Bilingual::plain(&op.name))
}

pub(super) fn no_audit_key() -> Fault {
    Fault::new(RuleId::S_ORDER, says!("監査用の鍵", "an audit key"), Bilingual::none())
}

impl Fact {
    fn as_planned(&self, words: &str) -> String {
        match &self.kind {
            FactKind::Digest(digest) => digest.to_string(),
            FactKind::Integer(low, high) => 0.clamp(*low, *high).to_string(),
            FactKind::Words => words.to_string(),
            FactKind::Plate(serial) => serial.clone(),
            FactKind::Attendance { planned } => if *planned { PRESENT } else { ABSENT }.to_string(),
        }
    }

    /// Checks an answer; the error says which answers are accepted.
    pub fn judge(&self, found: &str) -> Result<(), Bilingual> {
        match &self.kind {
            FactKind::Digest(digest) => {
                let known = digest.to_string().starts_with(found);
                if found.len() >= 16 && known { Ok(()) } else { Err(Bilingual::plain(digest)) }
            }
            FactKind::Integer(low, high) => {
                let asked =
                    || says!("{low} から {high} までの整数", "a whole number from {low} to {high}");
                let value: i64 = found.parse().map_err(|_| asked())?;
                let plain = value.to_string() == found;
                if plain && (*low..=*high).contains(&value) { Ok(()) } else { Err(asked()) }
            }
            FactKind::Words => words(found).map_err(|fault| *fault.asked),
            FactKind::Plate(serial) if serial == found => Ok(()),
            FactKind::Plate(serial) => Err(Bilingual::plain(serial)),
            FactKind::Attendance { .. } if [PRESENT, ABSENT].contains(&found) => Ok(()),
            FactKind::Attendance { .. } => Err(present::asked()),
        }
    }
}

/// Checks free text for a record: 1 to 200 characters on one line, not only blanks.
pub fn words(text: &str) -> Result<(), Fault> {
    let length = text.chars().count();
    if length > 0 && text.trim().is_empty() {
        let asked = says!("人の読める文言", "words that somebody can read");
        return Err(Fault::new(RuleId::S_WORDS, asked, says!("空白だけ", "blanks alone")));
    }
    if text.chars().any(char::is_control) {
        let asked = says!(
            "1 行で 1 から 200 文字(タブ、矢印などの制御キーを除く)",
            "1 to 200 characters on one line, and no tab, arrow or other control key"
        );
        return Err(Fault::new(RuleId::S_WORDS, asked, says!("制御文字", "a control character")));
    }
    if length == 0 || length > 200 {
        return Err(Fault::new(
            RuleId::S_WORDS,
            says!("1 行で 1 から 200 文字", "1 to 200 characters on one line"),
            says!("{length} 文字", "{length} characters"),
        ));
    }
    let plain = || says!("見えない文字を含まない文言", "plain text");
    crate::text::admit(text.as_bytes())
        .map(drop)
        .map_err(|error| Fault::new(RuleId::S_WORDS, plain(), error.said()))
}

/// Turns the words of somebody else, such as a token, into words that a record accepts: other
/// characters become `?`.
#[must_use]
pub fn as_words(text: &str) -> String {
    let is_taken = |c: char| {
        !c.is_control() && crate::text::admit(c.encode_utf8(&mut [0; 4]).as_bytes()).is_ok()
    };
    let taken = |c: char| if is_taken(c) { c } else { '?' };
    let said: String = text.chars().take(200).map(taken).collect();
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    match words(&said) {
        Ok(()) => said,
        Err(_) if said.trim().is_empty() => String::from("no words"),
        Err(_) => said.chars().map(plain).collect(),
    }
}
