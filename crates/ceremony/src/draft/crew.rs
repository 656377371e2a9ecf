//! Who takes part: the people of the roster who are fit on the day, by the duties of the policy.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use toml::Spanned;

use crate::cps::Cps;
use crate::name::Name;
use crate::policy::{OF_EACH_ORGANIZATION, Policy};
use crate::roster::{PersonEntry, Roster};
use crate::time::Day;

/// From whom the people of a ceremony are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crew<'a> {
    pub(super) cps: &'a Cps,
    pub(super) policy: &'a Policy,
    pub(super) roster: &'a Roster,
    pub(super) day: Day,
}

/// How many people of a role are needed, and of which organisation, if that matters.
type Need<'a> = (&'a Name, Option<&'a Name>, u32);

impl<'a> Crew<'a> {
    /// Whether the register lets this person take part on the day.
    fn is_fit(&self, person: &PersonEntry) -> bool {
        let days = [
            &person.appointed.on,
            &person.eligible,
            &person.entry_right.granted,
            &person.credential.enrolled,
        ];
        let months = *self.policy.training.max_months.get_ref();
        let trained = person.trained_within(self.day, months).next().is_some();
        person.serves() && trained && days.into_iter().all(|day| *day.get_ref() <= self.day)
    }

    fn fit(&self) -> impl Iterator<Item = (&'a Name, &'a PersonEntry)> {
        self.roster.person.iter().filter(|(_, person)| self.is_fit(person))
    }

    /// Every need of the policy: of roles, and of acts. Who operates is never alone.
    fn needs(&self) -> Vec<Need<'a>> {
        let mut needs = Vec::new();
        for (name, role) in &self.policy.role {
            let acts = self.policy.act.values().filter_map(|act| act.by.get(name));
            let acts = acts.map(|count| *count.get_ref()).max().unwrap_or(0);
            let least = *role.at_least.get_ref();
            let asked = acts.max(least);
            let asked = if role.operator && asked == 1 { 2 } else { asked };
            let for_itself = self.policy.act.get(OF_EACH_ORGANIZATION);
            let for_itself = for_itself.and_then(|act| act.by.get(name)).map(|n| *n.get_ref());
            let each = if role.each_organization { Some(least) } else { None }.max(for_itself);
            needs.extend(
                each.into_iter()
                    .flat_map(|least| self.cps.deciding().map(move |of| (name, Some(of), least))),
            );
            needs.push((name, None, asked));
        }
        needs
    }

    /// Returns the participants: as few as the needs ask, in the order of the roster.
    pub(super) fn participants(&self) -> BTreeSet<&'a Name> {
        let mut chosen: BTreeSet<&Name> = BTreeSet::new();
        for (role, of, asked) in self.needs() {
            let answers = |person: &PersonEntry| {
                person.holds(role) && of.is_none_or(|of| person.organization.get_ref() == of)
            };
            let mut missing = usize::try_from(asked).unwrap_or(usize::MAX);
            let (here, others): (Vec<_>, Vec<_>) = self
                .fit()
                .filter(|(_, person)| answers(person))
                .map(|(id, _)| id)
                .partition(|id| chosen.contains(id));
            missing = missing.saturating_sub(here.len());
            chosen.extend(others.into_iter().take(missing));
        }
        chosen
    }

    /// Returns who may examine and approve an application.
    pub(super) fn examiner(&self) -> Option<&'a Name> {
        let role = self.policy.decision.examination.by.get_ref();
        self.fit().find(|(_, person)| person.holds(role)).map(|(id, _)| id)
    }

    /// Returns who applies together; never the one who examines.
    pub(super) fn applicants(&self, by: &BTreeMap<Name, Spanned<u32>>) -> BTreeSet<&'a Name> {
        let examiner = self.examiner();
        let mut chosen = BTreeSet::new();
        for (role, count) in by {
            let count = usize::try_from(*count.get_ref()).unwrap_or(usize::MAX);
            let holders = self.fit().filter(|(_, person)| person.holds(role)).map(|(id, _)| id);
            chosen.extend(holders.filter(|id| Some(*id) != examiner).take(count));
        }
        chosen
    }
}
