//! Keyless bundles beside the approvals by card: their statement, their signer and their time.

use alloc::string::String;

use crate::approval::{Keyless, Statement, ToApprove};
use crate::compile::Compiled;
use crate::fault::Fault;
use crate::language::Bilingual;
use crate::name::Name;
use crate::policy::Signer;
use crate::record::Mode;
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;

impl Compiled {
    /// Returns the in-toto statement by which this person approves the plan keylessly.
    ///
    /// # Errors
    ///
    /// S-APPROVED, if nobody asks for this person's approval.
    pub fn approval_statement(&self, person: &Name) -> Result<String, Fault> {
        Ok(self.statement(person)?.text())
    }

    /// Whether a bundle's statement is left alone: in a drill, which has bindings of its own, that
    /// of another plan.
    #[must_use]
    pub fn leaves_alone(&self, payload: &[u8]) -> bool {
        let (graph, bindings) = (self.graph.id(), self.bindings.id());
        self.graph.mode() == Mode::Drill
            && Statement::read(payload).is_ok_and(|found| !found.names(graph, bindings))
    }

    /// Returns what the policy pins for this person's bundle with this statement. The bundle's
    /// signature, certificate and log entry are still to be verified.
    ///
    /// # Errors
    ///
    /// S-APPROVED, if it is another statement, or the policy pins nothing for this person.
    pub fn keyless(&self, person: &Name, payload: &[u8]) -> Result<(&Keyless, &Signer), Fault> {
        let asked = self.statement(person)?;
        let keyless = self.approvals.keyless.as_ref();
        let signer = keyless.and_then(|keyless| Some((keyless, keyless.by.get(person)?)));
        let signer = signer.ok_or_else(|| {
            let asked = says!(
                "ポリシーの `[decision.approval.keyless]` にある {person} の identity と issuer",
                "identity and issuer of {person} in the policy, `[decision.approval.keyless]`"
            );
            Fault::new(RuleId::S_APPROVED, asked, Bilingual::none())
        })?;
        let found = Statement::read(payload).map_err(|error| {
            let asked = says!(
                "`gishiki approve {person} --statement` の出力への {person} の署名",
                "a signature by {person} of what `gishiki approve {person} --statement` prints"
            );
            let found = Bilingual::plain(error);
            let found = says!(found; "別の payload: {found}", "another payload: {found}");
            Fault::new(RuleId::S_APPROVED, asked, found)
        })?;
        refuse_another(person, &asked, &found)?;
        Ok(signer)
    }

    /// Judges the time of a keyless signature as that of an approval by card.
    ///
    /// # Errors
    ///
    /// S-APPROVED.
    pub fn weigh_keyless(&self, person: &Name, made: Instant, at: Instant) -> Result<(), Fault> {
        self.refuse_untimely(person, made.at(self.graph.offset()), at)
    }

    fn statement(&self, person: &Name) -> Result<Statement, Fault> {
        if !self.may_approve(person) {
            return Err(self.unneeded(person));
        }
        let graph = &self.graph;
        let of = ToApprove {
            ca: graph.ca(),
            ceremony: graph.ceremony(),
            graph: graph.id(),
            bindings: self.bindings.id(),
        };
        Ok(Statement::of(&of, person))
    }
}

/// Refuses a statement that differs from the one that is asked for, naming the first difference.
fn refuse_another(person: &Name, asked: &Statement, found: &Statement) -> Result<(), Fault> {
    let (all, others) = (asked.members(), found.members());
    let Some((member, value)) = all.iter().find(|one| !others.contains(one)) else {
        return match all.len() == others.len() {
            true => Ok(()),
            false => {
                let asked = says!(
                    "{person} の statement の subject は graph と bindings だけ",
                    "a statement of {person} with the subjects graph and bindings"
                );
                let found = says!("subject がほかにもある", "further subjects");
                Err(Fault::new(RuleId::S_APPROVED, asked, found))
            }
        };
    };
    let asked = says!(
        "{person} の statement の {member} は {value}",
        "a statement of {person} whose {member} is {value}"
    );
    let other = others.iter().find(|(name, _)| name == member);
    let found = other.map_or_else(Bilingual::none, |(_, value)| Bilingual::plain(value));
    Err(Fault::new(RuleId::S_APPROVED, asked, found))
}
