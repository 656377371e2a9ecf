//! `report`: a sealed ceremony as a document for people, to be read, signed and kept (CP/CPS 8.7).
//!
//! It judges the folder by the code of `verify`, and says what the folder shows and nothing else:
//! whoever has the folder gets the same octets, on any machine and at any time. The sentences about
//! what went otherwise than planned are those of a verdict.

mod course;
mod objects;
mod people;
mod rests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ceremony::compile::Compiled;
use ceremony::document::{Block, Column, Document, Table, Text, html, markdown};
use ceremony::drawing::drawing;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::publish::Label;
use ceremony::record::{Answer, Event, Record, Said};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::TRANSCRIPT_FILE;
use ceremony::time::Instant;
use ceremony::verify::{Consistent, Trust, Verdict};

use self::course::Used;
use self::rests::Rests;
use crate::args;
use crate::halt::Halt;
use crate::judged::{Judging, read_anchor, trust};
use crate::lang::{Lang, language, pick};
use crate::ledgers::{self, is_abandoned, is_ledger};
use crate::output::{self, AFTER_FILE};
use crate::report::print;
use crate::sources::shown;
use crate::verdicts::{into_facts, not_anchored, state_before};

/// Everything that a report is made of.
struct Told {
    facts: Consistent,
    /// On what the verdict rests.
    rests: Rests,
    compiled: Compiled,
    /// The records of transcript and postscript, in their order.
    records: Vec<Record>,
    /// The attempt that signed each certificate and each CRL.
    signed: BTreeMap<String, u32>,
    /// The operations that were answered.
    done: BTreeSet<String>,
    /// The time that it took; `None` for a rehearsal.
    used: Option<Used>,
    lang: Lang,
}

/// Judges a sealed folder and writes its report.
pub(crate) fn write(asked: &args::Report, lang: Lang) -> Result<(), Halt> {
    let anchor = read_anchor(asked.by.anchor.as_deref())?;
    let trust = trust(anchor.as_ref(), asked.by.rehearsal, asked.by.drill);
    let (out, ledger) = chosen(asked)?;
    let told = judge(&out, ledger.as_deref(), &trust, lang)?;
    let document = told.document();
    print(&match asked.form {
        args::ReportForm::Html => html(&document),
        args::ReportForm::Markdown => markdown(&document),
    })?;
    match told.rests {
        Rests::Nothing => Err(not_anchored(&told.facts)),
        Rests::AnchorInPart => Err(Halt::NotPinned(Bilingual::plain(&told.facts.opened.ceremony))),
        Rests::Anchor | Rests::Rehearsal | Rests::Drill => Ok(()),
    }
}

/// The sealed folder that is meant, and the ledger in which the ceremonies before it are.
fn chosen(asked: &args::Report) -> Result<(PathBuf, Option<PathBuf>), Halt> {
    let folder = &asked.folder;
    if !is_ledger(folder) {
        if let Some(name) = &asked.ceremony {
            let wanted = says!("{name} のある台帳", "the ledger that holds {name}");
            let found = says!("台帳でないもの {}", "{}, which is none", shown(folder));
            return Err(Halt::media(RuleId::S_LEDGER, wanted, found));
        }
        return Ok((folder.clone(), asked.ledger.clone()));
    }
    let chain = ledgers::whole(ledgers::list(folder)?, folder)?;
    let entry = match &asked.ceremony {
        None => chain.last(),
        Some(name) => chain.iter().find(|entry| entry.name == *name),
    };
    let sealed = entry.filter(|entry| !is_abandoned(&entry.folder)).ok_or_else(|| {
        let wanted = match &asked.ceremony {
            None => says!("最後に封印されたセレモニー", "a last ceremony that was sealed"),
            Some(name) => says!("封印されたセレモニー {name}", "the sealed ceremony {name}"),
        };
        let found = match entry {
            None => says!("台帳 {} になし", "none in the ledger {}", shown(folder)),
            Some(entry) => {
                let name = &entry.name;
                says!(
                    "{name} は封印されなかった。別のものを --ceremony で指定する",
                    "{name} was not sealed; name another with --ceremony"
                )
            }
        };
        Halt::media(RuleId::S_LEDGER, wanted, found)
    })?;
    Ok((sealed.folder.clone(), Some(asked.ledger.clone().unwrap_or_else(|| folder.clone()))))
}

/// Judges a sealed folder as `verify` does.
fn judge(out: &Path, ledger: Option<&Path>, trust: &Trust<'_>, lang: Lang) -> Result<Told, Halt> {
    let found = output::read_folder(out)?;
    let mut records = Vec::new();
    for name in [TRANSCRIPT_FILE, AFTER_FILE] {
        let Some(octets) = found.get(name) else { continue };
        // What is no record is refused below, with its place.
        let text = String::from_utf8_lossy(octets);
        records.extend(text.lines().filter_map(|line| Record::read(line).ok()));
    }
    let state = state_before(out, &output::sealed(&found), ledger, trust)?;
    let judging = Judging::begin(found, &state)?;
    let run = judging.run();
    let compiled = run.compiled().clone();
    let signed = run.signed().iter().map(|(name, one)| (name.clone(), one.attempt)).collect();
    let done = run.done_ops().map(|(op, _)| op.name.clone()).collect();
    let used = Used::of(run);
    let verdict = judging.end(trust)?;
    let rests = match (&verdict, trust) {
        (Verdict::NotPinned(_), _) => Rests::AnchorInPart,
        (Verdict::NotAnchored(_), _) => Rests::Nothing,
        (Verdict::Verified(_), Trust::Rehearsal) => Rests::Rehearsal,
        (Verdict::Verified(_), Trust::Drill) => Rests::Drill,
        (Verdict::Verified(_), Trust::Anchor(_)) => Rests::Anchor,
        // No command gives the trust of a room to a report.
        (Verdict::Verified(_), Trust::Room(_) | Trust::None) => Rests::Nothing,
    };
    let facts = into_facts(verdict);
    Ok(Told { facts, rests, compiled, records, signed, done, used, lang })
}

impl Told {
    fn document(&self) -> Document {
        let (ca, ceremony) = (&self.facts.account.ca, &self.facts.opened.ceremony);
        let label = Label::Confidential.said();
        let label = self.lang.said(&label);
        let title = self.pick("キーセレモニー報告書", "Report of the key ceremony");
        let kind = rests::kind_word(self.facts.mode, self.lang);
        let digits: String = self.facts.head.to_string().chars().take(8).collect();
        let head = self.pick("記録の最新値", "head");
        let mut blocks = self.verdict();
        blocks.extend(self.circumstances());
        blocks.extend(self.attendance());
        blocks.extend(self.approvals());
        blocks.extend(self.decisions());
        blocks.extend(self.course());
        blocks.extend(self.against_the_plan());
        blocks.extend(self.keys());
        blocks.extend(self.certificates());
        blocks.extend(self.crls());
        blocks.extend(self.receipt());
        blocks.push(Block::Part(self.pick("付録 1: 計画の図", "Annex 1: the plan, drawn").into()));
        blocks.push(Block::Drawing(drawing(&self.compiled.graph, language(self.lang))));
        blocks.extend(self.values());
        blocks.extend(self.stated());
        Document {
            language: language(self.lang),
            title: format!("{title}: {ca} / {ceremony}{kind}"),
            running: [
                format!("{ca} / {ceremony}{kind} — {label}"),
                format!("{title} — {head} {digits}…"),
            ],
            blocks,
        }
    }

    const fn pick(&self, ja: &'static str, en: &'static str) -> &'static str {
        pick(self.lang, ja, en)
    }

    fn said(&self, both: &Bilingual) -> String {
        self.lang.said(both).to_string()
    }

    /// A time: of the day on which the ceremony began only the time of day.
    fn when(&self, at: Instant) -> String {
        let text = at.to_string();
        let begun = self.facts.account.history.sessions.first();
        let is_of_day = begun.is_some_and(|(begun, _)| begun.day() == at.day());
        match text.get(11..19).filter(|_| is_of_day) {
            Some(time) => time.to_string(),
            None => text,
        }
    }

    /// The ids of people, whose names stand in the table of those who were present.
    fn ids<'n>(people: impl IntoIterator<Item = &'n Name>) -> String {
        people.into_iter().map(Name::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The number of an operation's step.
    fn step(&self, op: &str) -> Option<usize> {
        self.compiled.graph.op(op).map(|op| op.id.number())
    }

    /// What people answered, in order: when, to which operation, and what.
    fn answers(&self) -> impl Iterator<Item = (Instant, &str, &Said)> {
        self.records.iter().filter_map(|record| match &record.event {
            Event::Answered { op, answer: Answer::People(said), .. } => {
                Some((record.at, op.as_str(), said))
            }
            Event::Answered { answer: Answer::Token(_), .. }
            | Event::Opened(_)
            | Event::Asked(_)
            | Event::Lost { .. }
            | Event::Adopted { .. }
            | Event::OrphanRemoved { .. }
            | Event::Refused { .. }
            | Event::Mistaken { .. }
            | Event::Noted { .. }
            | Event::Deviation { .. }
            | Event::Paused { .. }
            | Event::CardFailed { .. }
            | Event::Resumed(_)
            | Event::Closed { .. }
            | Event::Sealed { .. } => None,
        })
    }

    /// Who it is for, and where they sign that they have it.
    fn receipt(&self) -> Vec<Block> {
        let organizations = self.compiled.graph.organizations();
        let deciding = self.compiled.deciding.iter().map(|id| {
            let name = organizations.get(id).map(|name| self.lang.said(name).to_string());
            name.unwrap_or_else(|| id.to_string())
        });
        let auditor = self.pick("監査員", "auditor").to_string();
        let rows = deciding.chain([auditor, String::new()]).map(|to| {
            let empty = || Text::plain("");
            vec![Text::plain(to), empty(), empty(), empty()]
        });
        let head = [
            Column::rest(self.pick("宛先", "for")),
            Column::hand(self.pick("氏名", "name")),
            Column::hand(self.pick("受領日", "received on")),
            Column::hand(self.pick("署名", "signature")),
        ];
        let rows = rows.collect();
        vec![
            Block::Part(self.pick("宛先と受領", "Addressees and receipt").into()),
            table(self.pick("受領した者", "who received it"), &head, rows, true),
        ]
    }
}

fn table(caption: &str, head: &[Column], rows: Vec<Vec<Text>>, is_form: bool) -> Block {
    Block::Table(Table { caption: caption.into(), head: head.to_vec(), rows, is_form })
}

/// A table of names and values.
fn facts(caption: &str, head: [Column; 2], rows: Vec<(String, Text)>) -> Block {
    let rows = rows.into_iter().map(|(name, value)| vec![Text::plain(name), value]).collect();
    table(caption, &head, rows, false)
}

/// A paragraph that stands out above a table.
fn titled(text: impl ToString) -> Block {
    Block::Paragraph(Text::strong(text))
}

fn paragraph(text: impl ToString) -> Block {
    Block::Paragraph(Text::plain(text))
}
