//! Judges answers: what an operation asks for, and whether an answer is that.
//!
//! Answers are claims. A public key must lie on its curve, attributes must be as asked, a signature
//! must verify over our own octets; a person must hold the role; a number must be the planned one.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::ask::{no_audit_key, words};
use super::present::Presence;
use super::{Run, joined};
use crate::bounds::SINCE_BOOT;
use crate::compile::Compiled;
use crate::fault::Fault;
use crate::graph::{Act, Duty, Op, PeopleAct, PlannedKey, Sheet, TokenAct};
use crate::hex::Octets;
use crate::key::{Check, Nonce, PublicKey, Signature};
use crate::language::Bilingual;
use crate::ledger::State;
use crate::name::Name;
use crate::record::{Answer, Mode, NO_IMAGE, Place, Said};
use crate::rule::RuleId;
use crate::says;
use crate::token::{Holder, TokenAnswer, keeps_key, keeps_value};
use crate::x509;

/// The changes that an accepted answer makes.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    pub(super) key: Option<(Name, PublicKey)>,
    pub(super) signed: Vec<(String, Vec<u8>)>,
    pub(super) nonces: Vec<Nonce>,
    /// The value that was written to the token as its head.
    pub(super) head: Option<Octets>,
    /// Whether the audit key has signed the head, which is its first signature.
    pub(super) has_signed_head: bool,
    /// A key that was destroyed on the root token.
    pub(super) destroyed: Option<Name>,
    /// Who came, where the answer says so.
    pub(super) presence: Option<Presence>,
    pub(super) checks: Vec<Check>,
}

/// What one signature of an operation must cover, and by which key.
#[derive(Debug)]
pub struct Expected {
    subject: String,
    key: PublicKey,
    message: Arc<[u8]>,
    /// Whether the message is a structure, to be assembled with its signature.
    structure: bool,
}

impl Expected {
    /// The structure that is signed, where it is a certificate or a CRL.
    #[must_use]
    pub fn structure(&self) -> Option<&[u8]> {
        self.structure.then_some(&*self.message)
    }

    /// The key that signs it.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Makes the check that this raw signature covers what was asked.
    pub fn check(&self, raw: &Octets) -> Result<Check, Fault> {
        let signature = self.signature(raw)?;
        Ok(Check::new(&self.subject, &self.key, Arc::clone(&self.message), signature))
    }

    fn signature(&self, raw: &Octets) -> Result<Signature, Fault> {
        Signature::from_raw(self.key.curve(), &raw.0).map_err(|error| {
            Fault::new(
                RuleId::S_SIGNATURE,
                says!("{} の署名", "a signature on {}", self.subject),
                error.said(),
            )
        })
    }

    fn into_check(self, signature: Signature) -> Check {
        Check::new(&self.subject, &self.key, self.message, signature)
    }
}

/// Checks that a ceremony of the graph's mode may be held at this place.
pub(super) fn place(compiled: &Compiled, place: &Place) -> Result<(), Fault> {
    let graph = &compiled.graph;
    let mode = graph.mode;
    let texts = [&place.room, &place.terminal, &place.tool, &place.image];
    for text in texts.into_iter().chain(place.serials()) {
        words(text)?;
    }
    since_boot(place)?;
    let spares = graph.spares.keys();
    if !spares.clone().eq(place.spares.keys()) {
        let list = |names: Vec<&str>| match names.as_slice() {
            [] => Bilingual::none(),
            names => Bilingual::plain(names.join(", ")),
        };
        return Err(Fault::new(
            RuleId::S_SPARE,
            list(spares.map(Name::as_str).collect()),
            list(place.spares.keys().map(Name::as_str).collect()),
        ));
    }
    let rehearsal = place.is_rehearsal();
    if rehearsal != (mode == Mode::Rehearsal) {
        let held = held(mode);
        let asked = says!(held; "{held}の場所", "a place of a {held}");
        return Err(Fault::new(RuleId::S_MODE, asked, Bilingual::plain(format_args!("{place:?}"))));
    }
    for serial in place.serials() {
        let in_production = graph.demands.production_serials.contains(serial);
        let asked = match mode {
            Mode::Drill if in_production => {
                says!("本番に使われていないトークン", "a token that is not in production")
            }
            Mode::Real if !in_production => says!(
                "ポリシーが本番用として挙げるトークン",
                "a token that the policy names as in production"
            ),
            Mode::Rehearsal | Mode::Drill | Mode::Real => continue,
        };
        return Err(Fault::new(RuleId::S_DRILL, asked, Bilingual::plain(serial)));
    }
    compiled.released.judge(mode, place)
}

/// Checks what the live image recorded before the session: its texts and their number, and that
/// there is nothing where there is no live image.
fn since_boot(place: &Place) -> Result<(), Fault> {
    let events = &place.since_boot;
    if place.image == NO_IMAGE && !events.is_empty() {
        let asked = says!("専用イメージの記録のない場所", "no record of a live image");
        let found = Bilingual::plain(events.len());
        return Err(Fault::new(RuleId::S_ORDER, asked, found));
    }
    SINCE_BOOT
        .judge(events.len())
        .map_err(|error| Fault::new(RuleId::S_ORDER, error.bound.said(), error.found()))?;
    events.iter().try_for_each(|event| words(&event.what))
}

/// The kind of ceremony, by its name in records.
pub(super) fn held(mode: Mode) -> Bilingual {
    match mode {
        Mode::Rehearsal => says!("リハーサル", "Rehearsal"),
        Mode::Drill => says!("訓練", "Drill"),
        Mode::Real => says!("本番", "Real"),
    }
}

/// Checks by their serial numbers that the tokens are those that the ledger knows.
pub(super) fn known_tokens(state: &State, mode: Mode, place: &Place) -> Result<(), Fault> {
    if mode == Mode::Rehearsal {
        return Ok(());
    }
    let spares = place.spares.iter();
    let spares =
        spares.filter_map(|(name, serial)| Some((&state.spares.get(name)?.serial, serial)));
    let known = state.token.as_ref().map(|asked| (asked, &place.token)).into_iter().chain(spares);
    for (asked, found) in known {
        if asked != found {
            let (asked, found) = (Bilingual::plain(asked), Bilingual::plain(found));
            return Err(Fault::new(RuleId::S_TOKEN_SERIAL, asked, found));
        }
    }
    Ok(())
}

impl Run {
    pub(super) fn weigh(&self, op: &Op, attempt: u32, answer: &Answer) -> Result<Weighed, Fault> {
        let wrong = |asked, found| Err(Fault::new(RuleId::S_ANSWER, asked, found));
        match (&op.act, answer) {
            (Act::People(act), Answer::People(said)) => {
                self.weigh_said(op, act, said)?;
                let presence = self.weigh_presence(op, said)?;
                Ok(Weighed { presence, ..Weighed::default() })
            }
            (Act::Token(act), Answer::Token(answer)) => self.weigh_token(op, act, attempt, answer),
            (Act::People(_), Answer::Token(_)) => {
                wrong(says!("人の回答", "people's answer"), says!("トークンの回答", "the token's"))
            }
            (Act::Token(_), Answer::People(_)) => {
                wrong(says!("トークンの回答", "the token's answer"), says!("人の回答", "people's"))
            }
            (Act::Seal, _) => wrong(says!("封印", "the seal"), says!("回答", "an answer")),
        }
    }

    fn weigh_token(
        &self,
        op: &Op,
        act: &TokenAct,
        attempt: u32,
        answer: &TokenAnswer,
    ) -> Result<Weighed, Fault> {
        use {TokenAct as Asked, TokenAnswer as Given};
        match (act, answer) {
            (Asked::Identify { token }, Given::Identity(identity)) => {
                self.weigh_identity(token, identity)
            }
            (Asked::Login { .. } | Asked::Logout { .. }, Given::Done {}) => Ok(Weighed::default()),
            (Asked::Inventory { token: Holder::Root }, Given::Objects { objects }) => {
                self.weigh_inventory(objects)
            }
            (Asked::Inventory { token: Holder::Spare(spare) }, Given::Objects { objects }) => {
                self.weigh_spare(spare, objects)
            }
            (Asked::Copy { key, .. }, Given::Copied(facts)) => self.weigh_copy(key, facts),
            (Asked::Inspect { key, .. }, Given::Key(facts)) => self.weigh_clone(key, facts),
            (Asked::Generate { key }, Given::Key(facts)) => {
                let public = self.judge_key(key, attempt, facts)?;
                Ok(Weighed { key: Some((key.clone(), public)), ..Weighed::default() })
            }
            (Asked::ReadValue { .. }, Given::Denied { code }) => {
                denied(op, code, keeps_value(code))
            }
            (Asked::Wrap { .. }, Given::Denied { code }) => denied(op, code, keeps_key(code)),
            (Asked::ReadValue { key } | Asked::Wrap { key }, Given::Yielded { octets }) => {
                let asked = says!(
                    "{key} を取り出せないトークン({} は失敗すべきもの)",
                    "a token from which {key} cannot be taken ({} must fail)",
                    act.kind()
                );
                Err(Fault::new(RuleId::R_NO_TRANSFER, asked, gave_out(*octets)))
            }
            (Asked::SignHead, Given::Signatures { signatures }) => {
                let weighed = self.weigh_signatures(op, attempt, signatures)?;
                Ok(Weighed { has_signed_head: true, ..weighed })
            }
            (Asked::Sign(_), Given::Signatures { signatures }) => {
                self.weigh_signatures(op, attempt, signatures)
            }
            (Asked::WriteHead, Given::Heads { values }) => self.weigh_head(values),
            (Asked::ReadHead, Given::Heads { values }) => self.weigh_known_head(values),
            (Asked::Destroy { key, token }, Given::Left { objects: 0 }) => {
                let destroyed = (*token == Holder::Root).then(|| key.clone());
                Ok(Weighed { destroyed, ..Weighed::default() })
            }
            (Asked::Clear { .. }, Given::Left { objects: 0 }) => Ok(Weighed::default()),
            (Asked::Clear { key, .. }, Given::Left { objects }) => Err(Fault::new(
                RuleId::R_HSM_DEDICATED,
                says!(
                    "以前の {key} のものが何も残っていないトークン",
                    "a token on which nothing is left of an earlier {key}"
                ),
                counted(*objects),
            )),
            (Asked::Destroy { key, .. }, Given::Left { objects }) => Err(Fault::new(
                RuleId::R_DESTROY,
                says!(
                    "{key} のものが何も残っていないトークン",
                    "a token on which nothing of {key} is left"
                ),
                counted(*objects),
            )),
            (act, _) => Err(Fault::new(
                RuleId::S_ANSWER,
                says!("{} への回答", "an answer to {}", act.kind()),
                says!("別のものへの回答", "an answer to something else"),
            )),
        }
    }

    /// What the signatures of an operation must cover, in order; empty if it asks for none.
    pub(super) fn expected(&self, op: &Op, attempt: u32) -> Result<Vec<Expected>, Fault> {
        if let Act::Token(TokenAct::SignHead) = &op.act {
            let key = self.public(&self.audit()?.name)?.clone();
            let message = self.head_to_sign().into();
            return Ok(vec![Expected { subject: op.name.clone(), key, message, structure: false }]);
        }
        let Act::Token(TokenAct::Sign(sheet)) = &op.act else { return Ok(Vec::new()) };
        let key = self.public(&sheet.key)?;
        let expect = |(name, tbs): (&Name, Vec<u8>)| Expected {
            subject: name.to_string(),
            key: key.clone(),
            message: tbs.into(),
            structure: true,
        };
        Ok(self.sheet(sheet, attempt)?.into_iter().map(expect).collect())
    }

    fn weigh_signatures(&self, op: &Op, attempt: u32, raws: &[Octets]) -> Result<Weighed, Fault> {
        let expected = self.expected(op, attempt)?;
        if expected.len() != raws.len() {
            return Err(Fault::new(
                RuleId::S_SIGNATURE,
                says!("{} 個の署名", "{} signatures", expected.len()),
                Bilingual::plain(raws.len()),
            ));
        }
        let mut weighed = Weighed::default();
        for (expected, raw) in expected.into_iter().zip(raws) {
            let signature = expected.signature(raw)?;
            self.refuse_seen(&signature, &expected.subject, &weighed.nonces)?;
            weighed.nonces.push(signature.nonce());
            if expected.structure {
                let der = x509::assemble(&expected.message, expected.key.curve(), &signature);
                weighed.signed.push((expected.subject.clone(), der));
            }
            weighed.checks.push(expected.into_check(signature));
        }
        Ok(weighed)
    }

    /// Refuses an r value that any ceremony of the ledger has seen: two signatures with the same r
    /// reveal the private key.
    pub(crate) fn refuse_seen(
        &self,
        signature: &Signature,
        subject: &str,
        beside: &[Nonce],
    ) -> Result<(), Fault> {
        let nonce = signature.nonce();
        let before = self.compiled().before.nonces.contains(&nonce);
        let found = match (before, self.nonces.contains(&nonce) || beside.contains(&nonce)) {
            (true, _) => says!(
                "以前のセレモニーの r({subject} の署名)",
                "an r of an earlier ceremony, on {subject}"
            ),
            (false, true) => says!("r の重複({subject} の署名)", "a repeated r, on {subject}"),
            (false, false) => return Ok(()),
        };
        let asked = says!("使われたことのない r", "an r that was never seen");
        Err(Fault::new(RuleId::S_NONCE, asked, found))
    }

    /// Who is asked for, in words: of each role how many, and who they may be.
    fn demanded(&self, by: &[Duty]) -> Bilingual {
        let duty = |duty: &Duty| {
            let (role, least) = (self.graph().role(&duty.role), duty.at_least);
            let persons: Vec<&str> = duty.persons.iter().map(Name::as_str).collect();
            let persons = persons.join(" ");
            says!(
                role;
                "{role} {least} 名以上({persons})",
                "{role}, {least} or more of {persons}"
            )
        };
        joined(by.iter().map(duty), "、", "; ")
    }

    fn weigh_said(&self, op: &Op, act: &PeopleAct, said: &Said) -> Result<(), Fault> {
        if !said.by.is_sorted_by(|a, b| a < b) {
            return Err(Fault::new(
                RuleId::R_AUTHN,
                says!("重複がなく順に並んだ人", "people, each once, in order"),
                Bilingual::plain(format_args!("{:?}", said.by)),
            ));
        }
        self.came(&said.by)?;
        let by = self.duties_of(op);
        let on_duty = |person: &Name| by.iter().any(|duty| duty.persons.contains(person));
        if let Some(person) = said.by.iter().find(|person| !on_duty(person)) {
            let found = Bilingual::plain(person);
            return Err(Fault::new(RuleId::R_WHO_OPERATES, self.demanded(&by), found));
        }
        for duty in &by {
            let met = said.by.iter().filter(|person| duty.persons.contains(person)).count();
            if met < duty.at_least {
                let asked = self.demanded(core::slice::from_ref(duty));
                return Err(Fault::new(RuleId::R_MULTI, asked, says!("{met} 名", "{met}")));
            }
        }
        let facts = self.facts(act)?;
        if facts.len() != said.facts.len() {
            let listed = |names: Vec<&str>| match names.as_slice() {
                [] => Bilingual::none(),
                names => Bilingual::plain(names.join(", ")),
            };
            let asked = listed(facts.iter().map(|fact| fact.name).collect());
            let found = listed(said.facts.keys().map(String::as_str).collect());
            let asked =
                says!(asked; "次の値の回答: {asked}", "an answer with these values: {asked}");
            return Err(Fault::new(RuleId::S_ANSWER, asked, found));
        }
        for fact in facts {
            let found = said.facts.get(fact.name).map_or("", String::as_str);
            fact.judge(found).map_err(|asked| {
                Fault::new(
                    fact.rule,
                    says!(asked; "{}: {asked}", "{}: {asked}", fact.name),
                    Bilingual::plain(found),
                )
            })?;
        }
        Ok(())
    }

    /// Every structure of a sheet, with the octets to be signed.
    pub(super) fn sheet(
        &self,
        sheet: &Sheet,
        attempt: u32,
    ) -> Result<Vec<(&Name, Vec<u8>)>, Fault> {
        let graph = self.graph();
        let absent = |found: Bilingual| {
            let asked = says!("値がすべて埋まった署名の対象", "structures whose holes are filled");
            Fault::new(RuleId::S_ORDER, asked, found)
        };
        let fill = |item: &crate::graph::Item| {
            let none = || absent(Bilingual::none());
            let name = graph.item_name(*item).ok_or_else(none)?;
            let tbs =
                graph.to_be_signed(*item, attempt, self.keys()).map_err(|e| absent(e.said()))?;
            Ok((name, tbs))
        };
        sheet.items.iter().map(fill).collect()
    }

    pub(super) fn planned(&self, key: &Name) -> Result<&PlannedKey, Fault> {
        self.graph().key(key).ok_or_else(|| {
            let asked = says!("graph の鍵", "a key of the graph");
            Fault::new(RuleId::S_ORDER, asked, Bilingual::plain(key))
        })
    }

    pub(super) fn audit(&self) -> Result<&PlannedKey, Fault> {
        self.graph().audit_key().ok_or_else(no_audit_key)
    }

    pub(super) fn public(&self, key: &Name) -> Result<&PublicKey, Fault> {
        self.keys().get(key).ok_or_else(|| no_key(key))
    }

    pub(super) fn id_of(&self, key: &Name) -> Result<Octets, Fault> {
        let id = self.key_ids.get(key).cloned();
        id.ok_or_else(|| no_key(key))
    }
}

fn no_key(key: &Name) -> Fault {
    let asked = says!("存在する鍵", "a key that exists");
    Fault::new(RuleId::S_ORDER, asked, Bilingual::plain(key))
}

fn counted(objects: u32) -> Bilingual {
    says!("{objects} 個のオブジェクト", "{objects} objects")
}

/// The fault of a token that gave out what it must never give out.
pub(super) fn gave_out(octets: u32) -> Bilingual {
    says!(
        "トークンが {octets} オクテットを渡した。このトークンを使ってはならない",
        "the token gave out {octets} octets; this token must not be used"
    )
}

/// Checks that a token refused a negative step. A failure is not a refusal, because it does not
/// show what the token would do.
fn denied(op: &Op, code: &str, keeps: bool) -> Result<Weighed, Fault> {
    words(code)?;
    if keeps {
        return Ok(Weighed::default());
    }
    let asked = says!(
        "{} を拒否することを示す戻り値",
        "a return value by which the token refuses to {}",
        op.act.kind()
    );
    Err(Fault::new(RuleId::R_NO_TRANSFER, asked, Bilingual::plain(code)))
}
