//! What a CA does besides its ceremonies: the tables `[duty.…]` of the policy, and `[calendar]`.
//!
//! **Deliberately absent:** dates. They follow from what was done and from the state of the ledger
//! ([`calendar`](crate::calendar)).

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::Policy;
use crate::language::{Bilingual, Text};
use crate::name::Name;
use crate::rule::RuleId;
use crate::says;
use crate::time::{CalendarSpan, Day};
use crate::violation::{Input, Violation};

/// How early the calendar lists what is due by state and register.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// How long before its date something is coming.
    pub within: Spanned<CalendarSpan>,
}

/// Something that is done besides ceremonies, once or again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// What is to be done.
    pub name: Text,
    /// The longest time from one day on which it is done to the next; absent for what is done once.
    pub every: Option<Spanned<CalendarSpan>>,
    /// The first date, where it does not follow from the CA's first ceremony.
    pub first: Option<Spanned<Day>>,
    /// How long before its date it is coming.
    pub within: Spanned<CalendarSpan>,
    /// The roles of which one holder signs that it was done.
    pub by: Vec<Spanned<Name>>,
    /// The organisation whose holder signs it, where it is the duty of one.
    pub of: Option<Spanned<Name>>,
}

impl Policy {
    /// Judges that every duty can be done by somebody and has a date (S-DUTY).
    ///
    /// # Errors
    ///
    /// Each entry that is wrong.
    pub fn judge_duties(&self) -> Result<(), Vec<Violation>> {
        let mut faults: Vec<Violation> =
            self.duty.values().flat_map(|duty| self.faults_of(duty)).collect();
        faults.extend(self.calendar.iter().filter_map(|one| in_days(&one.within)));
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn faults_of(&self, duty: &Duty) -> Vec<Violation> {
        let Duty { every, within, by, of, .. } = duty;
        let mut faults: Vec<Violation> = every.iter().chain([within]).filter_map(in_days).collect();
        if let Some(every) = every
            && faults.is_empty()
        {
            let at_once = every.get_ref().compared(&CalendarSpan::of_days(0));
            if at_once == Some(Ordering::Equal) {
                let asked = says!("1 日以上の every", "an `every` of a day or more");
                faults.push(refused(
                    every.span(),
                    asked,
                    every.get_ref().said(),
                    Bilingual::default(),
                ));
            }
            if within.get_ref().may_exceed(every.get_ref()) {
                let longest = every.get_ref().said();
                let asked = says!(
                    longest;
                    "every の {longest} より長くない within",
                    "a `within` no longer than the {longest} of `every`"
                );
                let advice = says!("within を短くする", "choose a shorter `within`");
                faults.push(refused(within.span(), asked, within.get_ref().said(), advice));
            }
        }
        if by.is_empty() {
            let asked = says!("実施に署名する役割", "the roles that sign that it was done");
            let advice = says!("by に役割を書く", "name roles in `by`");
            faults.push(refused(within.span(), asked, Bilingual::none(), advice));
        }
        let unknown = by.iter().filter(|role| !self.role.contains_key(role.get_ref()));
        faults.extend(unknown.map(|role| {
            let asked = says!("ポリシーにある役割", "a role of the policy");
            let advice = says!("[role.…] にある役割を書く", "name a role of [role.…]");
            refused(role.span(), asked, Bilingual::plain(role.get_ref()), advice)
        }));
        let unknown = of.iter().filter(|of| !self.organization.contains_key(of.get_ref()));
        faults.extend(unknown.map(|of| {
            let asked = says!("ポリシーにある組織", "an organisation of the policy");
            let advice = says!(
                "[organization.…] にある組織を書く",
                "name an organisation of [organization.…]"
            );
            refused(of.span(), asked, Bilingual::plain(of.get_ref()), advice)
        }));
        faults
    }
}

/// Dates are days, which have no hours.
fn in_days(span: &Spanned<CalendarSpan>) -> Option<Violation> {
    span.get_ref().has_hours().then(|| {
        let asked = says!("年、月、日による期間", "a span of years, months or days");
        let advice = says!("期日は日で数える", "dates are counted in days");
        refused(span.span(), asked, span.get_ref().said(), advice)
    })
}

fn refused(span: Range<usize>, asked: Bilingual, found: Bilingual, advice: Bilingual) -> Violation {
    Violation::at(Input::Policy, span, RuleId::S_DUTY, asked, found, advice)
}
