//! Rules on the acts of a ceremony, and words for the people who do them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::Display;

use toml::Spanned;

use super::Report;
use crate::language::Bilingual;
use crate::name::Name;
use crate::says;
use crate::violation::Input;

/// S-HEADS: the policy limits the sheets between two heads that people note. If both media were
/// reset to the last noted head, what was signed since then could be signed again.
pub(super) fn heads(report: &mut Report<'_>) {
    let most = &report.inputs.policy.journal.sheets_per_head;
    if !(1..=64).contains(most.get_ref()) {
        report.refuse(
            Input::Policy,
            most.span(),
            says!(
                "記録の最新値は署名の手順 1 から 64 回ごとに書き留める",
                "1 to 64 sheets between two heads that people note"
            ),
            Bilingual::plain(most.get_ref()),
            says!(
                "人が根気よく書き写せるのは 8 回ごと",
                "8 is what people can copy without losing patience"
            ),
        );
    }
}

/// Names a role, in Japanese with the CP/CPS's term.
pub(super) fn named(report: &Report<'_>, role: &str) -> Bilingual {
    match report.inputs.policy.role.get(role) {
        Some(found) => {
            Bilingual { ja: format!("{}({role})", found.name.said().ja), en: role.to_string() }
        }
        None => Bilingual::plain(role),
    }
}

/// Names a role in a sentence, without its id.
pub(super) fn title(report: &Report<'_>, role: &Name) -> Bilingual {
    let found = report.inputs.policy.role.get(role);
    found.map_or_else(|| Bilingual::plain(role), |role| role.name.said())
}

/// Names how many people of which roles, all of them.
pub(super) fn titles(report: &Report<'_>, by: &BTreeMap<Name, Spanned<u32>>) -> Bilingual {
    let named = by.iter().map(|(role, count)| {
        let (title, count) = (title(report, role), count.get_ref());
        says!(title; "{title} {count} 名以上", "{count} or more of {title}")
    });
    let named: Vec<Bilingual> = named.collect();
    let half = |pick: fn(&Bilingual) -> &str, joint: &str| {
        named.iter().map(pick).collect::<Vec<_>>().join(joint)
    };
    Bilingual { ja: half(|n| &n.ja, "と"), en: half(|n| &n.en, " and ") }
}

/// Words a number of people.
pub(super) fn number(people: impl Display) -> Bilingual {
    says!("{people} 名", "{people}")
}
