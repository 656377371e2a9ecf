//! The approvals with which a ceremony begins (docs/decisions/0111).

mod keyless;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString as _;
use alloc::vec::Vec;

use serde_json::json;

use super::{Run, Step, ToSign, joined};
use crate::approval::Open;
use crate::compile::Compiled;
use crate::dsse::pre_authentication;
use crate::fault::Fault;
use crate::key::Check;
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::{Approved, Mode, canonical_json};
use crate::register::{everyones, listed};
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;

const PAYLOAD: &str = "application/vnd.gishiki.approval.v1+json";

impl ToSign {
    /// Returns what this person signs to approve a plan at this time; `None` for somebody who is
    /// not in its roster.
    #[must_use]
    pub fn approval(compiled: &Compiled, person: &Name, at: Instant) -> Option<Self> {
        let graph = &compiled.graph;
        let payload = canonical_json(&json!({
            "at": at.to_string(),
            "bindings": compiled.bindings.id().to_string(),
            "ca": graph.ca().as_str(),
            "ceremony": graph.ceremony().as_str(),
            "graph": graph.id().to_string(),
            "person": person.as_str(),
        }));
        let key = compiled.register.get(person)?.key.clone();
        let message = pre_authentication(PAYLOAD, payload.as_bytes());
        Some(Self { person: person.clone(), key, message })
    }
}

impl Run {
    /// Judges the approvals of a ceremony that begins at this time, and remembers each r.
    pub(super) fn with_approvals(step: Step, at: Instant) -> Result<Step, Fault> {
        let Step { mut run, line, mut checks } = step;
        let approvals = run.opened.approvals.clone();
        let found = run.compiled.weigh_approvals(&approvals, at)?;
        for (person, approved) in &approvals {
            let asked = ToSign::approval(&run.compiled, person, approved.at);
            if let Some(asked) = asked {
                let signature = asked.signature(&approved.signed)?;
                run.refuse_seen(&signature, person.as_str(), &[])?;
                run.nonces.insert(signature.nonce());
            }
        }
        run.owed.extend(found.iter().map(|check| (check.id(), check.subject.clone())));
        checks.extend(found);
        Ok(Step { run, line, checks })
    }

    /// Whether everybody approved the plan whom it needs, with keys that nobody else has.
    pub(crate) fn is_approved(&self) -> bool {
        let by: BTreeSet<Name> = self.opened.approvals.keys().cloned().collect();
        let people: Vec<Name> = by.iter().cloned().collect();
        self.compiled.approvals.missing(&by).next().is_none()
            && refuse_derived(&self.compiled, &people).is_ok()
    }
}

impl Compiled {
    /// Judges the approvals with which a ceremony of this plan begins at this time. Their
    /// signatures are still to be verified.
    ///
    /// # Errors
    ///
    /// S-APPROVED, S-SIGNED or S-REHEARSAL-KEY.
    pub fn weigh_approvals(
        &self,
        approvals: &BTreeMap<Name, Approved>,
        at: Instant,
    ) -> Result<Vec<Check>, Fault> {
        let one = |(person, approved)| self.weigh_approval(person, approved, at);
        let checks = approvals.iter().map(one).collect::<Result<_, _>>()?;
        if self.graph.mode == Mode::Real {
            self.refuse_unapproved(&approvals.keys().cloned().collect())?;
        }
        Ok(checks)
    }

    /// The people of the roster whose keys everyone can compute, be it as that of another person.
    #[must_use]
    pub fn computable(&self) -> BTreeSet<&Name> {
        everyones(self.graph.ca_name.der(), &self.register)
    }

    /// Judges one approval. Its signature is still to be verified.
    ///
    /// # Errors
    ///
    /// S-APPROVED, S-SIGNED or S-REHEARSAL-KEY.
    pub fn weigh_approval(
        &self,
        person: &Name,
        approved: &Approved,
        at: Instant,
    ) -> Result<Check, Fault> {
        let asked = ToSign::approval(self, person, approved.at);
        let asked =
            asked.filter(|_| self.may_approve(person)).ok_or_else(|| self.unneeded(person))?;
        self.refuse_untimely(person, approved.at, at)?;
        if self.graph.mode == Mode::Real {
            refuse_derived(self, core::slice::from_ref(person))?;
        }
        let words =
            says!("{person} のカードによる承認の署名", "the approval by the card of {person}");
        Ok(asked.check(&approved.signed)?.called(words))
    }

    /// Refuses a plan that lacks approvals, naming each.
    ///
    /// # Errors
    ///
    /// S-APPROVED.
    pub fn refuse_unapproved(&self, by: &BTreeSet<Name>) -> Result<(), Fault> {
        let missing: Vec<Bilingual> = self.approvals.open(by).iter().map(asked_of).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let asked = joined(missing, "、", "; ");
        let asked = says!(asked; "カードによる承認: {asked}", "approvals by card: {asked}");
        let found = says!(
            "これらの承認なし。それぞれ自分のカードで `gishiki approve` を行う",
            "none of these: each of them approves by their card, with `gishiki approve`"
        );
        Err(Fault::new(RuleId::S_APPROVED, asked, found))
    }

    fn may_approve(&self, person: &Name) -> bool {
        self.graph.mode != Mode::Rehearsal && self.approvals.under(person).next().is_some()
    }

    fn unneeded(&self, person: &Name) -> Fault {
        let found = says!("{person} の承認", "an approval by {person}");
        let asked = match self.graph.mode {
            Mode::Rehearsal => says!("承認のないリハーサル", "a rehearsal, without approvals"),
            Mode::Drill | Mode::Real => says!(
                "計画かポリシーが承認を求める者",
                "somebody whose approval plan or policy asks for"
            ),
        };
        Fault::new(RuleId::S_APPROVED, asked, found)
    }

    fn refuse_untimely(&self, person: &Name, made: Instant, at: Instant) -> Result<(), Fault> {
        let (from, _) = self.graph.window;
        let within = &self.approvals.within;
        let last = made.plus(within).map_err(|error| {
            let asked = says!("{person} の承認の時刻", "the time of {person}'s approval");
            Fault::new(RuleId::S_APPROVED, asked, error.said())
        })?;
        let (within, offset) = (within.said(), self.graph.offset());
        let asked = if made.offset() != offset {
            says!(
                "{offset} の時刻の {person} の承認",
                "an approval by {person} at a time in {offset}"
            )
        } else if made > at {
            says!("{at} までの {person} の承認", "an approval by {person} by {at}")
        } else if let Some(since) = self.approvals.since.filter(|since| made < *since) {
            says!(
                "計画の最後の決定 {since} より後の {person} の承認",
                "an approval by {person} after the last decision in the plan, {since}"
            )
        } else if last < from {
            says!(
                within;
                "実施時間帯の初め {from} の前 {within} 以内の {person} の承認",
                "an approval by {person} at most {within} before the window begins at {from}"
            )
        } else {
            return Ok(());
        };
        Err(Fault::new(RuleId::S_APPROVED, asked, Bilingual::plain(made)))
    }
}

/// Says of whom an approval is asked, and of what.
fn asked_of((by, of): &Open<'_>) -> Bilingual {
    let by = listed(core::slice::from_ref(*by));
    let of = joined(of.iter().map(|one| (*one).clone()), "、", "; ");
    says!(by, of; "{by}({of})", "{by} ({of})")
}

/// Refuses an approval by a key that everyone can compute, be it that of another person.
fn refuse_derived(compiled: &Compiled, by: &[Name]) -> Result<(), Fault> {
    let computable = compiled.computable();
    let Some(person) = by.iter().find(|id| computable.contains(id)) else { return Ok(()) };
    let asked =
        says!("{person} だけが持つカードの承認", "an approval by a card that {person} alone holds");
    let found =
        says!("リハーサルの鍵(誰でも計算できる)", "a rehearsal key, which everyone can compute");
    Err(Fault::new(RuleId::S_REHEARSAL_KEY, asked, found))
}
