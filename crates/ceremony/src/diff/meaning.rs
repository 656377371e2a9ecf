//! Reads the facts of a plan from its graph, its documents' canonical texts and the rules'
//! findings.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::gravity::About;
use super::mermaid::signs;
use super::words::{self, origin, standing};
use super::{Fact, Meaning, Part, Subject, Weight};
use crate::canonical::headings;
use crate::compile::Compiled;
use crate::graph::{Act, Duty, Graph, Item, Op, PlannedCrl, TokenAct};
use crate::hex::encode;
use crate::inputs::{Inputs, input_digest};
use crate::language::{Bilingual, Language};
use crate::ledger::State;
use crate::name::Name;
use crate::rules;
use crate::says;
use crate::script::step;
use crate::time::Day;
use crate::token::{Attribute, Holder};
use crate::violation::{Input, Violation};
use crate::x509::{Revoked, SubjectKey, ToBeSignedCertificate};

impl Meaning {
    /// Returns the meaning of these inputs on this state, given what compiling them returned.
    #[must_use]
    pub fn of(
        inputs: &Inputs,
        state: &Arc<State>,
        compiled: &Result<Compiled, Vec<Violation>>,
    ) -> Self {
        let mut parts = BTreeMap::new();
        let recovered = rules::recovered(&inputs.plan, state);
        let said = rules::before_graph(inputs, state, recovered.as_ref().unwrap_or(state));
        let refused = compiled.as_ref().err().map(Vec::as_slice).unwrap_or_default();
        let exceptions = rules::exceptions(&inputs.plan);
        parts.insert(Part::Rules, self::rules(refused, &said, &exceptions));
        for (part, input) in [
            (Part::Plan, Input::Plan),
            (Part::Cps, Input::Cps),
            (Part::Policy, Input::Policy),
            (Part::Roster, Input::Roster),
            (Part::Release, Input::Release),
        ] {
            let text = inputs.texts().get(&input.to_string());
            let people: BTreeSet<&str> =
                inputs.plan.may_come().map(|p| p.get_ref().as_str()).collect();
            parts.insert(part, document(input, text.map_or("", String::as_str), &people));
        }
        let mut ids = Vec::new();
        if let Ok(compiled) = compiled {
            let graph = &compiled.graph;
            let heading = graph.heading().map(|(field, value)| match field {
                "window" => Fact { about: About::Date, ..told(field, value) },
                _ => told(field, value),
            });
            parts.insert(Part::Ceremony, [subject("", heading.into())].into());
            parts.insert(Part::Keys, keys(graph));
            parts.insert(Part::Certificates, certificates(graph));
            parts.insert(Part::Crls, crls(graph, state));
            parts.insert(Part::Decisions, decisions(graph));
            parts.insert(Part::People, people(graph));
            parts.insert(
                Part::Operations,
                graph.ops.iter().map(|op| operation(graph, op)).collect(),
            );
            ids.push(fact("graph", graph.id().to_string()));
            ids.push(fact("bindings", compiled.bindings.id().to_string()));
        }
        for (name, text) in inputs.texts() {
            ids.push(fact(name, input_digest(text).to_string()));
        }
        if let Some(last) = &state.last {
            ids.push(fact("predecessor", last.predecessor.head.to_string()));
            ids.push(fact("postscript", last.predecessor.postscript.to_string()));
        }
        let ids = ids.into_iter().map(|id| Fact { about: About::Digest, ..id }).collect();
        parts.insert(Part::Ids, [subject("", ids)].into());
        let ceremony = inputs.plan.ceremony.get_ref().clone();
        let graph = compiled.as_ref().ok().map(|compiled| &compiled.graph);
        let signs = graph.map_or_else(BTreeSet::new, signs);
        Self { ceremony, graph: graph.map(Graph::id), signs, parts }
    }
}

fn fact(field: &str, value: impl Into<String>) -> Fact {
    Fact {
        field: field.to_string(),
        value: Bilingual::plain(value.into()),
        weight: Weight::Full,
        about: About::Other,
    }
}

/// Makes a fact whose value is written in both languages.
fn told(field: &str, value: Bilingual) -> Fact {
    Fact { value, ..fact(field, "") }
}

fn detail(field: &str, value: impl Into<String>) -> Fact {
    Fact { weight: Weight::Detail, ..fact(field, value) }
}

/// Makes a fact whose value is a time, or a number of days.
fn dated(field: &str, value: impl Into<String>) -> Fact {
    Fact { about: About::Date, ..fact(field, value) }
}

fn subject(name: &str, facts: Vec<Fact>) -> Subject {
    let (key, name) = (name.to_string(), Bilingual::plain(name));
    Subject { key, name, title: None, about: About::Other, facts }
}

/// Makes a fact of a line `field: value`, as structures write their lines.
fn fact_of_line(line: &str) -> Fact {
    let (field, value) = line.split_once(": ").unwrap_or((line, ""));
    fact(field, value)
}

/// Makes a subject of each violation. Its place in the document is form, so it is left out.
fn rules(refused: &[Violation], said: &rules::Said, exceptions: &[Bilingual]) -> Vec<Subject> {
    let lists = [refused, said.warnings.as_slice(), said.excepted.as_slice()];
    let mut subjects: BTreeMap<String, Subject> = BTreeMap::new();
    let abouts = [About::Finding, About::Finding, About::Exception];
    for ((violations, standing), about) in lists.into_iter().zip(standing()).zip(abouts) {
        for violation in violations {
            let Violation { rule, clause, asked, found, .. } = violation;
            let key = format!("{} {rule} {} {}", standing.en, asked.en, found.en);
            let clause = clause.as_deref().or_else(|| Some(rules::find(*rule)?.clause));
            let clause = clause.unwrap_or_default();
            let (asked, found) = (asked.as_ref().clone(), found.as_ref().clone());
            let facts = Vec::from([told("asked", asked), told("found", found)]);
            let name = Bilingual::plain(format!("{rule} [{clause}]"));
            let title = Some(standing.clone());
            subjects.insert(key.clone(), Subject { key, name, title, about, facts });
        }
    }
    let mut subjects: Vec<Subject> = subjects.into_values().collect();
    subjects.extend(exceptions.iter().map(|line| {
        let (rule, terms) = line.en.split_once(' ').unwrap_or((&line.en, ""));
        let ja = line.ja.split_once(' ').map_or("", |(_, terms)| terms).to_string();
        let facts = Vec::from([told("exception", Bilingual { ja, en: terms.to_string() })]);
        let key = format!("exception {rule}");
        Subject { key, about: About::Exception, ..subject(rule, facts) }
    }));
    subjects
}

/// Makes a subject of each table of a document. An element of an array of tables has no name, so
/// its entries are its key.
fn document(input: Input, text: &str, people: &BTreeSet<&str>) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    let all = headings(text);
    for heading in &all {
        let mut key = heading.name.to_string();
        let entry = |(field, value): (&str, &str)| {
            let weight = match is_in_graph(input, heading.name, field, people) {
                true => Weight::Said,
                false => Weight::Full,
            };
            Fact { weight, ..fact(field, value) }
        };
        let facts: Vec<Fact> = heading.entries.iter().map(|e| entry(*e)).collect();
        if heading.listed {
            let entries = heading.entries.iter().map(|(field, value)| format!(" {field} {value}"));
            key.extend(entries);
        }
        // A table that holds only tables has no facts of its own.
        let inner = format!("{}.", heading.name);
        if facts.is_empty() && all.iter().any(|other| other.name.starts_with(&inner)) {
            continue;
        }
        subjects.push(Subject { key, ..subject(heading.name, facts) });
    }
    subjects
}

/// The entries of a plan, and of its certificates, that the graph shows. An entry in none of these
/// lists is shown as the document has it.
const PLAN_IN_GRAPH: [&str; 8] =
    ["after", "ceremony", "orders", "participants", "release", "reserves", "sequence", "serials"];
const CERTIFICATE_IN_GRAPH: [&str; 8] =
    ["application", "csr", "csr-sha256", "issuer", "key", "not-after", "not-before", "profile"];

/// Whether the graph shows this entry of a document, directly or by a value that follows from it.
fn is_in_graph(input: Input, table: &str, field: &str, people: &BTreeSet<&str>) -> bool {
    let (kind, name) = table.split_once('.').unwrap_or((table, ""));
    match input {
        Input::Plan => {
            let said: &[&str] = match kind {
                "" => &PLAN_IN_GRAPH,
                "window" => &["from", "until"],
                "key" => &["use"],
                "certificate" => &CERTIFICATE_IN_GRAPH,
                "crls" => &["next-ceremony"],
                "exception" => &["rule", "until", "approved-by", "reason"],
                "application" if !name.contains('.') => &["kind", "paper", "by", "notification"],
                "compromise" => &["judged-at"],
                "revocation" => &["date", "ground"],
                _ => &[],
            };
            said.contains(&field)
        }
        Input::Roster => {
            let shown = ["name", "name-ja", "organization", "roles"].contains(&field);
            kind == "person" && people.contains(name) && shown
        }
        Input::Cps
        | Input::Policy
        | Input::Release
        | Input::Room
        | Input::Anchor
        | Input::Approval
        | Input::Attestation
        | Input::Done => false,
    }
}

fn keys(graph: &Graph) -> Vec<Subject> {
    let key = |key: &crate::graph::PlannedKey| {
        let template = key.template(graph, 0);
        let mut facts = Vec::from([
            fact("curve", key.curve.name()),
            fact("generation", key.generation.to_string()),
            fact("backup", key.backup.name()),
            told("origin", origin(key.origin)),
            detail("CKA_LABEL", template.label.clone()),
            detail("CKA_ID", encode(&template.id.0)),
        ]);
        if let Some(known) = graph.known.get(&key.name) {
            facts.push(detail("SHA-256 (SPKI)", known.public.spki_digest().to_string()));
        }
        let of = |of: &'static str| {
            move |(attribute, value): (&Attribute, &bool)| {
                detail(&format!("{of} {}", attribute.name()), value.to_string())
            }
        };
        facts.extend(template.expected_private.iter().map(of("private")));
        facts.extend(template.expected_public.iter().map(of("public")));
        let facts = facts.into_iter().map(|fact| Fact { about: About::Key, ..fact }).collect();
        Subject { about: About::Key, ..subject(key.name.as_str(), facts) }
    };
    graph.keys.iter().map(key).collect()
}

fn certificates(graph: &Graph) -> Vec<Subject> {
    let certificate = |certificate: &ToBeSignedCertificate| {
        let mut facts: Vec<Fact> = certificate.lines().iter().map(|l| fact_of_line(l)).collect();
        for fact in &mut facts {
            // A value that is known at review is shown instead of its hole's name, and a key by its
            // digest.
            match (fact.field.as_str(), &certificate.subject_public) {
                ("serialNumber", _) => {
                    fact.value = Bilingual::plain(encode(&graph.serial(&certificate.name, 0)));
                }
                ("subjectPublicKey", SubjectKey::Requested(key)) => {
                    let (curve, digest) = (key.curve().name(), key.spki_digest());
                    fact.value = Bilingual::plain(format!("{curve}, SHA-256 (SPKI) {digest}"));
                }
                ("signature", _) => fact.value = words::signature(&fact.value.en),
                _ => {}
            }
            fact.about = match fact.field.as_str() {
                "signature" | "subjectPublicKey" => About::Key,
                "notBefore" | "notAfter" => About::Date,
                _ => About::Other,
            };
        }
        facts.insert(0, told("profile", graph.profile_of(&certificate.name).said()));
        Subject { about: About::Signed, ..subject(certificate.name.as_str(), facts) }
    };
    graph.certificates.iter().map(certificate).collect()
}

/// A certificate in the CRLs of a batch: its first and last day, and the number of days.
struct Entry<'a> {
    revoked: &'a Revoked,
    first: Day,
    last: Day,
    days: usize,
}

/// Makes a subject of each signing key's batch, then one of each entry.
fn crls(graph: &Graph, state: &State) -> Vec<Subject> {
    let issuers: BTreeSet<&Name> = graph.crls.iter().map(|c| &c.crl.issuer_key).collect();
    let mut subjects = Vec::new();
    for issuer in issuers {
        let of_it = graph.crls.iter().filter(|c| c.crl.issuer_key == *issuer);
        let facts = batch(graph, &of_it.collect::<Vec<_>>());
        let title = Some(words::batch());
        subjects.push(Subject { title, about: About::Signed, ..subject(issuer.as_str(), facts) });
    }
    let mut entries: BTreeMap<[u8; 20], Entry<'_>> = BTreeMap::new();
    for planned in &graph.crls {
        let day = planned.crl.this_update.day();
        for revoked in planned.crl.revoked.iter() {
            let entry = Entry { revoked, first: day, last: day, days: 1 };
            let entry = entries.entry(revoked.serial).or_insert(entry);
            // Each generation has a CRL of the same day; a day is counted once.
            if entry.last != day {
                (entry.last, entry.days) = (day, entry.days + 1);
            }
        }
    }
    let names: BTreeMap<[u8; 20], &Name> =
        state.certificates.iter().map(|(name, known)| (known.serial, name)).collect();
    for Entry { revoked, first, last, days } in entries.into_values() {
        let serial = encode(&revoked.serial);
        let name = names.get(&revoked.serial).map_or_else(|| serial.clone(), ToString::to_string);
        let stands = words::days(&first.to_string(), &last.to_string(), days);
        let facts = Vec::from([
            fact("serialNumber", serial),
            dated("revocationDate", revoked.date.to_string()),
            told("reasonCode", words::reason(revoked.reason)),
            Fact { about: About::Date, ..told("stands in", stands) },
        ]);
        let (key, title) = (format!("entry {name}"), Some(words::entry()));
        let about = About::Signed;
        subjects.push(Subject { key, title, about, ..subject(&name, facts) });
    }
    subjects
}

fn batch(graph: &Graph, crls: &[&PlannedCrl]) -> Vec<Fact> {
    let (Some(first), Some(last)) = (crls.first(), crls.last()) else { return Vec::new() };
    let days = |of: fn(&PlannedCrl) -> i64| {
        let days: BTreeSet<i64> = crls.iter().map(|crl| of(crl)).collect();
        days.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
    };
    let mut facts = Vec::from([
        fact("CRLs", crls.len().to_string()),
        dated("first thisUpdate", first.crl.this_update.to_string()),
        dated("last thisUpdate", last.crl.this_update.to_string()),
        dated(
            "days to nextUpdate",
            days(|c| c.crl.next_update.day().days_since(c.crl.this_update.day())),
        ),
        dated(
            "days to the next release",
            days(|c| c.next_release.day().days_since(c.crl.this_update.day())),
        ),
        fact(
            "cRLNumber",
            format!("{} – {}", graph.crl_number(first.slot, 0), graph.crl_number(last.slot, 0)),
        ),
    ]);
    // The lines that all CRLs of the batch share; numbers and times are shown above.
    let common = first.crl.lines();
    let everywhere = |line: &&String| crls.iter().all(|c| c.crl.lines().contains(line));
    let own = ["thisUpdate", "nextUpdate", "revokedCertificates", "cRLNumber"];
    let lines = common.iter().filter(everywhere).map(|line| fact_of_line(line));
    let lines = lines.filter(|fact| !own.contains(&fact.field.as_str()));
    facts.extend(lines.map(|fact| Fact { weight: Weight::Detail, ..fact }));
    facts
}

/// Makes subjects of the graph's lines: a line begins with a kind and a name, and the indented
/// lines below it belong to it.
fn decisions(graph: &Graph) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    for Bilingual { ja, en: line } in graph.decisions() {
        let words = |text: &str, count| -> (String, String) {
            let end = text.match_indices(' ').nth(count).map_or(text.len(), |(at, _)| at);
            let (head, tail) = text.split_at(end);
            (head.to_string(), tail.trim_start().to_string())
        };
        match (line.strip_prefix("  "), subjects.last_mut()) {
            (Some(below), Some(last)) => {
                let count = below.split(' ').count().saturating_sub(2);
                let (field, value) = words(below, count);
                last.facts.push(fact(&field, value));
            }
            (Some(_), None) | (None, _) => {
                let (name, terms) = words(&line, 1);
                let name = name.trim_end_matches([':', ',']);
                // In Japanese what is decided of something stands behind a colon or in brackets.
                let (ja, behind) = ja.split_at(ja.find([':', '(']).unwrap_or(ja.len()));
                let behind = behind.trim_start_matches([':', ' ']);
                let value = Bilingual { ja: behind.to_string(), en: terms };
                let facts = if value.en.is_empty() { None } else { Some(told("", value)) };
                let name = Bilingual { ja: ja.to_string(), en: name.to_string() };
                let key = name.en.clone();
                subjects.push(Subject {
                    key,
                    name,
                    title: None,
                    about: About::Other,
                    facts: facts.into_iter().collect(),
                });
            }
        }
    }
    subjects
}

fn people(graph: &Graph) -> Vec<Subject> {
    let person = |(id, person): (&Name, &crate::graph::Person)| {
        let named = |of: &BTreeMap<Name, Bilingual>, id: &Name| {
            of.get(id).cloned().unwrap_or_else(|| Bilingual::plain(id.as_str()))
        };
        let roles = person.roles.iter().map(|role| named(&graph.roles, role));
        let reserve = person.reserve.then(|| says!("予備の参加者", "in reserve"));
        let roles: Vec<Bilingual> = roles.chain(reserve).collect();
        let join =
            |pick: fn(&Bilingual) -> &str| roles.iter().map(pick).collect::<Vec<_>>().join(", ");
        let both = Bilingual { ja: join(|b| &b.ja), en: join(|b| &b.en) };
        let facts = Vec::from([
            detail("name", format!("{} / {}", person.name.en, person.name.ja)),
            told("organization", named(&graph.organizations, &person.organization)),
            told("roles", both),
        ]);
        Subject { title: Some(person.name.clone()), ..subject(id.as_str(), facts) }
    };
    graph.people.iter().map(person).collect()
}

fn operation(graph: &Graph, op: &Op) -> Subject {
    let mut facts = Vec::new();
    let mut about = About::Other;
    match &op.act {
        Act::Token(TokenAct::Sign(sheet)) => {
            // Which structures a sheet has follows from what is signed; its token does not.
            let of_crls = sheet.items.iter().all(|item| matches!(item, Item::Crl(_)));
            let from = if of_crls { Part::Crls } else { Part::Certificates };
            let signs = told("signs", graph.signed(sheet));
            facts.push(Fact { weight: Weight::Follows(from), ..signs });
            if let Holder::Spare(token) = &sheet.token {
                facts.push(detail("token", token.as_str()));
            }
        }
        Act::Token(TokenAct::Destroy { .. }) => about = About::Destruction,
        Act::Token(_) | Act::People(_) | Act::Seal => {}
    }
    // At a roll call each organisation's people of a role are a duty of their own.
    let mut duties: BTreeMap<&Name, (usize, Vec<String>, Vec<String>)> = BTreeMap::new();
    for duty in &op.by {
        let Bilingual { ja, en } = duty_said(graph, duty);
        let said = duties.entry(&duty.role).or_default();
        said.0 = said.0.saturating_add(duty.at_least);
        said.1.push(ja);
        said.2.push(en);
    }
    facts.extend(duties.into_iter().map(|(role, (people, ja, en))| {
        let said = Bilingual { ja: ja.join("、"), en: en.join(", ") };
        Fact { about: About::Duty(people), ..told(role.as_str(), said) }
    }));
    facts.push(detail("sections", op.section.clone()));
    let title = |language| step(graph, op, language).title;
    let title = Bilingual { ja: title(Language::Ja), en: title(Language::En) };
    Subject { title: Some(title), about, ..subject(&op.name, facts) }
}

/// Says how many of whom meet a duty.
fn duty_said(graph: &Graph, duty: &Duty) -> Bilingual {
    let (count, names) = (duty.at_least, duty.names());
    let known = graph.roles.get(&duty.role).map(|role| role.ja.as_str());
    // A CA that has no Japanese calls a role by its id.
    let role = known.filter(|role| *role != duty.role.as_str());
    let role = role.map_or_else(String::new, |role| format!("{role} "));
    says!("{role}{count} 名({names} から)", "{count} of {names}")
}
