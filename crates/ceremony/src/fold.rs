//! The changes that a ceremony makes to the state of its CA.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::certain::Certain as _;
use crate::fault::Fault;
use crate::graph::{Act, Graph, Item, Origin, PeopleAct, Sheet, TokenAct};
use crate::hex::{Digest, Octets};
use crate::key::{PublicKey, Signature};
use crate::ledger::{
    Batch, Burned, Certificate, Crls, Genesis, Held, Key, Last, Spare, Standing, State,
};
use crate::name::Name;
use crate::plan::{Order, ProfileName};
use crate::record::{End, Mode, Predecessor};
use crate::rule::RuleId;
use crate::run::Run;
use crate::says;
use crate::time::Instant;
use crate::token::Holder;
use crate::violation::Input;

impl State {
    /// The state after a sealed ceremony.
    ///
    /// The ceremony was compiled against this state, replayed, closed, and sealed with this
    /// signature.
    ///
    /// # Errors
    /// `S-MODE` if the ledger began with a ceremony of another mode.
    pub fn after(&self, run: &Run, seal: &Signature) -> Result<Self, Fault> {
        let mut state = self.left(run, run.closed().unwrap_or(End::Aborted))?;
        state.nonces.insert_mut(seal.nonce());
        Ok(state)
    }

    /// The state after a ceremony that could not be sealed, of which only this journal is left.
    ///
    /// It counts as aborted, whatever end the journal records, because nothing was released.
    ///
    /// # Errors
    /// `S-ABANDONED` if it would be the first ceremony of the ledger; `S-MODE` as for
    /// [`State::after`].
    pub fn after_abandoned(&self, run: &Run, journal: &[u8]) -> Result<Self, Fault> {
        if self.genesis.is_none() {
            return Err(Fault::new(
                RuleId::S_ABANDONED,
                says!("封印された最初のセレモニー", "a first ceremony that was sealed"),
                says!(
                    "その記録(トークンを初期化し、別の計画で最初のセレモニーを行う)",
                    "its journal (initialise the token, then hold a first ceremony on a new plan)"
                ),
            ));
        }
        let mut state = self.left(run, End::Aborted)?;
        if let Some(last) = &mut state.last {
            last.abandoned = Some(Digest::of(journal));
        }
        Ok(state)
    }

    fn left(&self, run: &Run, end: End) -> Result<Self, Fault> {
        let graph = run.graph();
        let from = graph.window.0;
        let recovered = graph.recovery.as_ref().and_then(|r| self.recovered(&r.token, from));
        let mut state = match recovered {
            Some(state) => state,
            None if !graph.lost.is_empty() => self.without_token(from),
            None => self.clone(),
        };
        state.follow(run, end)?;
        let completed = end == End::Completed;
        state.take_keys(run);
        state.take_certificates(run, completed);
        state.take_crls(run, completed);
        if completed {
            state.take_revocations(run);
            state.take_orders(run);
            for application in graph.applications.values() {
                state.papers.insert_mut(application.paper);
            }
        }
        Ok(state)
    }

    fn follow(&mut self, run: &Run, end: End) -> Result<(), Fault> {
        let graph = run.graph();
        let mode = run.opened().mode;
        match &self.genesis {
            None => {
                self.genesis =
                    Some(Genesis { ca: graph.ca.clone(), ceremony: graph.ceremony.clone(), mode });
            }
            Some(genesis) if genesis.mode != mode => {
                let name = |mode| match mode {
                    Mode::Rehearsal => says!("リハーサル", "a rehearsal"),
                    Mode::Drill => says!("訓練", "a drill"),
                    Mode::Real => says!("本番のセレモニー", "a real ceremony"),
                };
                let asked =
                    says!("1 つの台帳に 1 種類のセレモニー", "one kind of ceremony in a ledger");
                let (this, first) = (name(mode), name(genesis.mode));
                let found = says!(this, first; "{first}に続く{this}", "{this} after {first}");
                return Err(Fault::new(RuleId::S_MODE, asked, found));
            }
            Some(_) => {}
        }
        self.register = Arc::clone(&run.compiled().register);
        let predecessor =
            Predecessor { head: run.transcript_head(), postscript: run.postscript_head() };
        let made = graph.audit_key().filter(|key| key.origin == Origin::Here);
        self.held.push_back_mut(Held {
            sequence: graph.sequence,
            ceremony: graph.ceremony.clone(),
            bindings: run.opened().bindings,
            head: predecessor.head,
            postscript: predecessor.postscript,
            audit_key: made.and(run.audit_public()).map(PublicKey::spki_digest),
        });
        for nonce in run.nonces() {
            self.nonces.insert_mut(*nonce);
        }
        self.ceremonies.insert_mut(graph.ceremony.clone(), (end, graph.sequence));
        self.seeds.insert_mut(graph.seed);
        self.ca_name = graph.ca_name.der().to_vec();
        self.addresses = Some(graph.addresses.clone());
        let inputs = &run.compiled().inputs;
        let text = |of: Input| inputs.get(&of.to_string()).map(|text| text.as_str().into());
        (self.policy, self.cps) = (text(Input::Policy), text(Input::Cps));
        self.deciding.clone_from(&run.compiled().deciding);
        self.token = Some(run.place().token.clone());
        match run.written_head() {
            Some(head) => {
                self.token_head = Some(head.clone());
                self.asked_heads.clear();
            }
            None => self.asked_heads.extend(run.asked_heads().iter().cloned()),
        }
        self.last = Some(Last {
            ceremony: graph.ceremony.clone(),
            sequence: graph.sequence,
            predecessor,
            ended_at: run.ended_at(),
            abandoned: None,
        });
        Ok(())
    }

    fn take_keys(&mut self, run: &Run) {
        let graph = run.graph();
        for planned in graph.keys.iter().filter(|key| key.origin == Origin::Here) {
            let (Some(public), Some(id)) =
                (run.keys().get(&planned.name), run.key_id(&planned.name))
            else {
                continue;
            };
            self.keys.insert(
                planned.name.clone(),
                Key {
                    public: public.clone(),
                    id: id.clone(),
                    usage: planned.usage,
                    curve: planned.curve,
                    generation: planned.generation,
                    backup: planned.backup,
                    made_at: run.made_at(&planned.name).unwrap_or_else(|| run.ended_at()),
                    counted_from: run.graph().window().0,
                    compromised: None,
                    destroyed: None,
                    lost: None,
                },
            );
        }
        for (op, at) in run.done_ops() {
            if let Act::Token(TokenAct::Destroy { key, token }) = &op.act {
                self.take_destruction(key, token, at);
            } else if let Act::Token(TokenAct::Clear { id, token, .. }) = &op.act {
                self.take_clearance(id, token);
            } else if let Act::Token(TokenAct::Sign(Sheet {
                key,
                token: Holder::Spare(spare),
                ..
            })) = &op.act
            {
                self.take_copy(run, key, spare);
            }
        }
        self.take_remains(run);
    }

    fn take_destruction(&mut self, key: &Name, token: &Holder, at: Instant) {
        match token {
            Holder::Root => {
                if let Some(key) = self.keys.get_mut(key) {
                    key.destroyed = Some(at);
                }
            }
            Holder::Spare(spare) => {
                if let Some(spare) = self.spares.get_mut(spare) {
                    spare.copies.remove(key);
                }
            }
        }
    }

    fn take_clearance(&mut self, id: &Octets, token: &Holder) {
        if let Some(left) = self.remains.get_mut(token) {
            left.remove(id);
        }
        self.remains.retain(|_, left| !left.is_empty());
    }

    /// The spare token with this name; it is added to the ledger if it is new.
    fn spare(&mut self, run: &Run, spare: &Name) -> Option<&mut Spare> {
        let serial = run.place().spares.get(spare)?.clone();
        let entry = self.spares.entry(spare.clone());
        Some(entry.or_insert_with(|| Spare { serial, copies: BTreeSet::new() }))
    }

    fn take_copy(&mut self, run: &Run, key: &Name, spare: &Name) {
        if let Some(spare) = self.spare(run, spare) {
            spare.copies.insert(key.clone());
        }
    }

    /// Takes the operations whose outcome is unknown: a key generation, a copy that was not proved,
    /// a destruction.
    ///
    /// The next ceremony removes what they may have left on a token. A key that was to be destroyed
    /// counts as destroyed.
    fn take_remains(&mut self, run: &Run) {
        for (op, attempt) in run.begun() {
            if let Act::Token(TokenAct::Generate { key }) = &op.act {
                let id = run.graph().key(key).map(|planned| planned.id(run.graph(), attempt));
                self.take_remain(Holder::Root, id, key);
            } else if let Act::Token(TokenAct::Destroy { key, token }) = &op.act {
                self.take_destruction(key, token, run.last_at());
                self.take_remain(token.clone(), run.key_id(key).cloned(), key);
            } else if let Act::Token(TokenAct::Copy { key, to })
            | Act::People(PeopleAct::Clone { key, to }) = &op.act
            {
                let proved = self.spare(run, to).is_none_or(|spare| spare.copies.contains(key));
                let id = run.key_id(key).filter(|_| !proved).cloned();
                self.take_remain(Holder::Spare(to.clone()), id, key);
            }
        }
    }

    fn take_remain(&mut self, token: Holder, id: Option<Octets>, key: &Name) {
        if let Some(id) = id {
            self.remains.entry(token).or_default().insert(id, key.clone());
        }
    }

    fn take_certificates(&mut self, run: &Run, completed: bool) {
        let graph = run.graph();
        for (op, attempts) in run.attempts() {
            let Act::Token(TokenAct::Sign(sheet)) = &op.act else { continue };
            for item in &sheet.items {
                let Item::Certificate(index) = item else { continue };
                let Some(planned) = graph.certificates.get(*index) else { continue };
                let burned =
                    Burned { certificate: planned.name.clone(), not_after: planned.not_after };
                for attempt in 0..attempts {
                    self.burned.insert_mut(graph.serial(&planned.name, attempt), burned.clone());
                }
            }
        }
        for planned in &graph.certificates {
            let Some(signed) = run.signed().get(planned.name.as_str()) else { continue };
            let standing = if completed { Standing::Issued } else { Standing::Withheld };
            let certificate = Certificate {
                profile: graph.profile_of(&planned.name),
                ceremony: graph.ceremony.clone(),
                serial: graph.serial(&planned.name, signed.attempt),
                subject: planned.subject.to_string(),
                key: graph.key(&planned.subject_key).map(|key| key.name.clone()),
                issuer: planned.issuer_key.clone(),
                not_before: planned.not_before,
                not_after: planned.not_after,
                digest: Digest::of(&signed.der),
                out_at: completed.then(|| run.ended_at()),
                der: (!completed).then(|| signed.der.clone()),
                renews: graph.renewals.get(&planned.name).cloned(),
                standing: Standing::Issued,
            };
            if certificate.profile == ProfileName::Root {
                self.roots.insert(certificate.issuer.clone(), planned.name.clone());
            }
            self.certificates.insert_mut(planned.name.clone(), certificate);
            self.set_standing(&planned.name, standing);
        }
        for digest in &graph.certified {
            self.certified.insert_mut(*digest);
        }
        for name in graph.released.iter().filter(|_| completed) {
            self.set_standing(name, Standing::Issued);
            if let Some(certificate) = self.certificates.get_mut(name) {
                certificate.out_at = Some(run.ended_at());
            }
        }
    }

    fn take_crls(&mut self, run: &Run, completed: bool) {
        let graph = run.graph();
        for (op, attempts) in run.attempts() {
            let Act::Token(TokenAct::Sign(sheet)) = &op.act else { continue };
            for item in &sheet.items {
                let Item::Crl(index) = item else { continue };
                let Some(planned) = graph.crls.get(*index) else { continue };
                let signed = run.signed().get(planned.crl.name.as_str());
                let last = signed.map_or(attempts.checked_sub(1), |signed| Some(signed.attempt));
                let number = last.map_or(0, |last| graph.crl_number(planned.slot, last));
                self.crl_number = self.crl_number.max(number);
            }
        }
        let signed = graph.crls.iter().filter_map(|planned| {
            let signed = run.signed().get(planned.crl.name.as_str())?;
            Some((planned, graph.crl_number(planned.slot, signed.attempt)))
        });
        let signed: Vec<_> = signed.collect();
        let (Some((first, _)), Some((last, _))) = (signed.first(), signed.last()) else { return };
        if completed {
            self.supersede(graph, first.crl.this_update);
            self.take_withdrawals(run, first.crl.this_update.max(run.ended_at()));
        }
        let mut crls: BTreeMap<Name, Crls> = BTreeMap::new();
        for (planned, _) in &signed {
            let (this, next) = (planned.crl.this_update, planned.crl.next_update);
            let begun = Crls {
                first: this,
                last: this,
                next_update: next,
                superseded_by: None,
                withdrawn: None,
            };
            let of_key = crls.entry(planned.crl.issuer_key.clone()).or_insert(begun);
            of_key.first = of_key.first.min(this);
            of_key.last = of_key.last.max(this);
            of_key.next_update = of_key.next_update.max(next);
        }
        let numbers = signed.iter().map(|(_, number)| *number);
        self.batches.push_back_mut(Batch {
            ceremony: graph.ceremony.clone(),
            crls,
            ended_at: run.ended_at(),
            numbers: numbers.clone().min().zip(numbers.max()).certain("a batch has a first CRL"),
            entries: (first.crl.revoked.len(), last.crl.revoked.len()),
            next_ceremony: graph.next_ceremony,
            issued: completed,
        });
    }

    /// Marks as superseded the unreleased CRLs of each key that signs CRLs in this ceremony.
    fn supersede(&mut self, graph: &Graph, from: Instant) {
        let keys = graph.crl_keys();
        let open = |crls: &Crls| crls.superseded_by.is_none() && crls.last > from;
        let places = self.batches.iter().enumerate().filter(|(_, batch)| {
            batch.issued && keys.iter().any(|key| batch.crls.get(*key).is_some_and(open))
        });
        for place in places.map(|(place, _)| place).collect::<Vec<_>>() {
            let Some(batch) = self.batches.get_mut(place) else { continue };
            let crls = batch.crls.iter_mut().filter(|(key, crls)| keys.contains(key) && open(crls));
            for (_, crls) in crls {
                crls.superseded_by = Some(graph.ceremony.clone());
            }
        }
    }

    /// Marks as withdrawn the remaining CRLs that people confirmed as destroyed.
    ///
    /// From `from` on, when this ceremony's CRLs are released, only those are left.
    fn take_withdrawals(&mut self, run: &Run, from: Instant) {
        for (op, _) in run.done_ops() {
            let Act::People(PeopleAct::Supersede { ceremony, kept }) = &op.act else { continue };
            let place = self.batches.iter().position(|batch| batch.ceremony == *ceremony);
            let Some(batch) = place.and_then(|place| self.batches.get_mut(place)) else { continue };
            for (_, crls) in batch.crls.iter_mut().filter(|(key, _)| !kept.contains(*key)) {
                crls.withdrawn = Some(from);
            }
        }
    }

    fn take_revocations(&mut self, run: &Run) {
        let graph = run.graph();
        for revocation in &graph.revocations {
            self.set_standing(&revocation.certificate, Standing::Revoked(revocation.revoked));
        }
        for (name, at) in &graph.compromised {
            if let Some(key) = self.keys.get_mut(name) {
                key.compromised = Some(*at);
            }
        }
    }

    fn take_orders(&mut self, run: &Run) {
        for order in &run.graph().orders {
            match order {
                Order::StopDsIssuing | Order::StopApplications => {
                    self.stopped.insert(*order, run.ended_at());
                }
                Order::ResumeDsIssuing => {
                    self.stopped.remove(&Order::StopDsIssuing);
                }
                Order::ResumeApplications => {
                    self.stopped.remove(&Order::StopApplications);
                }
            }
        }
    }
}
