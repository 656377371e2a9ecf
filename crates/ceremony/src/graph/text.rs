//! Writes the graph's canonical text, which people review and which the graph's id is the digest
//! of.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{Act, Demands, Graph, Origin, PeopleAct, PlannedCrl, Sheet, Signers, TokenAct};
use crate::language::Bilingual;
use crate::name::Name;
use crate::says;
use crate::token::{Attribute, Holder};

impl Graph {
    pub(super) fn write(&self) -> String {
        let mut out = String::from("gishiki graph v1\n\n");
        for (field, Bilingual { en: value, .. }) in self.heading() {
            let _ = writeln!(out, "{field:<10}{value}");
        }
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!("clock     at most {} s from the reference", self.demands.max_clock_offset));
        line(format!("head on   {}", self.demands.head_on.name()));
        let sheets = self.demands.sheets_per_head;
        line(format!("heads     noted where it says so, and after {sheets} sheets at most"));
        line(format!("needs     {}", self.demands.mechanisms.join(", ")));
        line(format!("never in a drill: {}", or_none(&self.demands.production_serials)));
        for (what, list) in self.token_lines() {
            line(format!("{what}: {list}"));
        }
        for exception in &self.exceptions {
            line(format!("exception {}", exception.en));
        }
        self.write_people(&mut out);
        self.write_keys(&mut out);
        self.write_decisions(&mut out);
        for (name, keys) in &self.spares {
            let keys: Vec<String> = keys.iter().map(Name::to_string).collect();
            let _ = writeln!(out, "\ntoken {name}: holds {}", or_none(&keys));
        }
        self.write_structures(&mut out);
        self.write_operations(&mut out);
        out
    }

    /// The CRLs that are signed, in the order of their numbers.
    #[must_use]
    pub fn crls(&self) -> &[PlannedCrl] {
        &self.crls
    }

    /// What the policy requires of the room and the token.
    #[must_use]
    pub const fn demands(&self) -> &Demands {
        &self.demands
    }

    /// What the policy says about its tokens' modules, with a name for each line; empty if nothing.
    #[must_use]
    pub fn token_lines(&self) -> Vec<(&'static str, String)> {
        let demands = &self.demands;
        let names = |list: &BTreeSet<Attribute>| {
            let names: Vec<&str> = list.iter().map(|attribute| attribute.name()).collect();
            names.join(", ")
        };
        let brought = |(class, label): &(String, String)| format!("{class} `{label}`");
        let brought: Vec<String> = demands.may_hold.iter().map(brought).collect();
        let mut lines = alloc::vec![
            ("not said to the token", names(&demands.leave_out)),
            ("not told by the token", names(&demands.not_told)),
            ("brought by the token", brought.join(", ")),
        ];
        lines.retain(|(_, list)| !list.is_empty());
        lines
    }

    /// Which ceremony this is, and when it may take place.
    pub(crate) fn heading(&self) -> [(&'static str, Bilingual); 6] {
        let after = self.after.as_ref().map_or_else(Bilingual::nothing, Bilingual::plain);
        let (from, until) = self.window;
        [
            ("ca", Bilingual::plain(&self.ca)),
            ("name", Bilingual::plain(&self.ca_name)),
            ("ceremony", Bilingual::plain(&self.ceremony)),
            ("after", after),
            ("sequence", Bilingual::plain(self.sequence)),
            ("window", says!("{from} から {until} まで", "{from} until {until}")),
        ]
    }

    /// What a sheet signs: how many structures, under which key, from which to which.
    pub(crate) fn signed(&self, sheet: &Sheet) -> Bilingual {
        let names: Vec<&str> = [sheet.items.first(), sheet.items.last()]
            .into_iter()
            .flatten()
            .filter_map(|item| self.item_name(*item).map(Name::as_str))
            .collect();
        let token = match &sheet.token {
            Holder::Root => Bilingual::default(),
            Holder::Spare(name) => says!("トークン {name} の", " on {name}"),
        };
        let (count, key, names) = (sheet.items.len(), &sheet.key, names.join(" … "));
        says!(
            token;
            "{token}鍵 {key} で {count} 件({names})",
            "{count} under {key}{token}, {names}"
        )
    }

    fn write_people(&self, out: &mut String) {
        out.push_str("\n# people\n\n");
        for (id, person) in &self.people {
            let roles: Vec<&str> = person.roles.iter().map(Name::as_str).collect();
            let reserve = if person.reserve { " (in reserve)" } else { "" };
            let _ = writeln!(
                out,
                "{id:<6} {} / {}, {}: {}{reserve}",
                person.name.en,
                person.name.ja,
                person.organization,
                roles.join(", ")
            );
            let (curve, key) = (person.key.curve().name(), person.key.spki_digest());
            let _ = writeln!(out, "       card {curve}, sha256 {key}");
        }
    }

    fn write_keys(&self, out: &mut String) {
        out.push_str("\n# keys\n");
        for key in &self.keys {
            let template = key.template(self, 0);
            let name = &key.name;
            let origin = match key.origin {
                Origin::Here => "made here",
                Origin::Before => "exists",
            };
            let (curve, generation) = (key.curve.name(), key.generation);
            let _ = writeln!(out, "\nkey {name}: {curve}, generation {generation}, {origin}");
            let _ = writeln!(out, "  CKA_LABEL  {}", template.label);
            let _ = writeln!(out, "  CKA_ID     «{name}.id» (20)");
            let _ = writeln!(out, "  point      «{name}.public» ({})", key.curve.point_octets());
            let _ = writeln!(out, "  private    {}", attributes(&template.expected_private));
            let _ = writeln!(out, "  public     {}", attributes(&template.expected_public));
        }
    }

    fn write_decisions(&self, out: &mut String) {
        let lines = self.decisions();
        if !lines.is_empty() {
            let lines: Vec<&str> = lines.iter().map(|line| line.en.as_str()).collect();
            let _ = writeln!(out, "\n# decided before\n\n{}", lines.join("\n"));
        }
    }

    fn write_structures(&self, out: &mut String) {
        out.push_str("\n# to be signed\n");
        for certificate in &self.certificates {
            let _ = writeln!(out, "\ncertificate {}", certificate.name);
            for line in certificate.lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
        if let Some(first) = self.crls.first() {
            let lines: Vec<Vec<String>> = self.crls.iter().map(|c| c.crl.lines()).collect();
            let everywhere = |line: &String| lines.iter().all(|lines| lines.contains(line));
            let common: Vec<String> = first.crl.lines().into_iter().filter(everywhere).collect();
            let _ = writeln!(out, "\ncrls: {}, each with", self.crls.len());
            for line in &common {
                let _ = writeln!(out, "  {line}");
            }
            for (planned, lines) in self.crls.iter().zip(&lines) {
                let own: Vec<&str> = lines
                    .iter()
                    .filter(|line| !common.contains(line))
                    .map(String::as_str)
                    .collect();
                let _ = writeln!(
                    out,
                    "crl {} (slot {}): {}; next release {}",
                    planned.crl.name,
                    planned.slot,
                    own.join("; "),
                    planned.next_release
                );
            }
        }
    }

    fn write_operations(&self, out: &mut String) {
        out.push_str("\n# operations\n\n");
        for op in &self.ops {
            let _ = write!(out, "{:03} {}", op.id.number(), op.name);
            if let Act::Token(TokenAct::Sign(sheet)) = &op.act {
                let _ = write!(out, ": {}", self.signed(sheet).en);
            }
            if let Act::Token(TokenAct::Clear { id, .. }) = &op.act {
                let _ = write!(out, ": CKA_ID {}", crate::hex::encode(&id.0));
            }
            if let Act::People(PeopleAct::Supersede { kept, .. }) = &op.act
                && !kept.is_empty()
            {
                let kept: Vec<&str> = kept.iter().map(Name::as_str).collect();
                let _ = write!(out, ": keeps those of {}", kept.join(", "));
            }
            let _ = write!(out, " [{}]", op.section);
            let duties: Vec<String> = op
                .by
                .iter()
                .map(|duty| format!("{} {} of {}", duty.at_least, duty.role, duty.names()))
                .collect();
            let signed = match op.signers() {
                Some(Signers::WhoAnswers) => String::from("; signed by card"),
                Some(Signers::One(person)) => format!("; signed by the card of {person}"),
                None => String::new(),
            };
            let noted = if op.noted { "; the head is noted" } else { "" };
            let _ = writeln!(out, " by {}{signed}{noted}", or_none(&duties));
        }
    }
}

fn or_none(items: &[String]) -> String {
    if items.is_empty() { String::from("none") } else { items.join(", ") }
}

fn attributes(attributes: &BTreeMap<Attribute, bool>) -> String {
    let said: Vec<String> = attributes
        .iter()
        .map(|(attribute, value)| format!("{}{}", if *value { '+' } else { '-' }, attribute.name()))
        .collect();
    said.join(" ")
}
