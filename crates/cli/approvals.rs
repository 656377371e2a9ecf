//! `approve`: has a person approve a plan with their card before the day, and reads the approvals
//! beside a plan.
//!
//! What needs whose approval is said by the core ([`ceremony::approval`]). This file finds the
//! card, signs, and keeps one file for each person, so that approvals by several people at several
//! places meet in a repository without conflict.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ceremony::approval::Written;
use ceremony::compile::Compiled;
use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::record::{Approved, Mode};
use ceremony::released::Program;
use ceremony::rule::RuleId;
use ceremony::run::ToSign;
use ceremony::says;
use ceremony::time::Instant;
use ceremony::words;

use crate::args;
use crate::cards::{by_card, unsigned_by};
use crate::clock::Clock;
use crate::halt::Halt;
use crate::lang::{Lang, language, pick};
use crate::proofs::prove;
use crate::report::{print, show, tell};
use crate::review::{changes_of_register, reports, reviewed};
use crate::sources::shown;
use crate::{files, keyless, partial};

/// The folder beside a plan.
const FOLDER: &str = "approvals";

/// How the name of a drill's approval ends. A drill has bindings of its own, and overwrites nothing
/// that was approved for the day.
const DRILL: &str = ".drill.toml";

/// Whose approval a file is by its name, and of a real ceremony or of a drill.
fn named(file: &OsStr) -> Option<(Name, Mode)> {
    let file = file.to_str()?;
    let (person, mode) = match file.strip_suffix(DRILL) {
        Some(person) => (person, Mode::Drill),
        None => (file.strip_suffix(".toml")?, Mode::Real),
    };
    Some((person.parse().ok()?, mode))
}

/// The approvals of a plan, by person.
pub(crate) type Approvals = BTreeMap<Name, Approved>;

/// Reads the approvals beside a plan. In a real ceremony one of another graph or of other bindings
/// is refused; in a drill it is left alone, because a drill has bindings of its own.
pub(crate) fn beside(plan: &Path, compiled: &Compiled) -> Result<Approvals, Halt> {
    let (found, others) = read(plan, compiled)?;
    match others.into_values().next() {
        Some(other) if compiled.graph.mode() == Mode::Real => Err(Halt::Media(other)),
        Some(_) | None => Ok(found),
    }
}

/// The files beside a plan, by person.
#[derive(Debug, Default)]
struct Listed {
    /// The approvals by card.
    cards: BTreeMap<Name, PathBuf>,
    /// The keyless bundles.
    bundles: BTreeMap<Name, PathBuf>,
}

/// Lists the files beside a plan. In a rehearsal none is looked at.
fn listed(plan: &Path, compiled: &Compiled) -> Result<Listed, Halt> {
    let mut listed = Listed::default();
    if compiled.graph.mode() == Mode::Rehearsal {
        return Ok(listed);
    }
    let folder = plan.join(FOLDER);
    for name in files::names_if_any(&folder)? {
        let path = folder.join(&name);
        if let Some(person) = keyless::of(&name) {
            listed.bundles.insert(person, path);
            continue;
        }
        let (person, mode) = named(&name).ok_or_else(|| {
            let asked = says!(
                "{FOLDER}/PERSON.toml、PERSON{DRILL}、PERSON.sigstore.json だけ",
                "{FOLDER}/PERSON.toml, PERSON{DRILL}, PERSON.sigstore.json, and nothing else"
            );
            Halt::media(RuleId::S_FILE, asked, Bilingual::plain(shown(&path)))
        })?;
        if mode == compiled.graph.mode() {
            listed.cards.insert(person, path);
        }
    }
    Ok(listed)
}

/// Reads the approvals beside a plan, and what is wrong with those of another plan.
fn read(plan: &Path, compiled: &Compiled) -> Result<(Approvals, BTreeMap<Name, Fault>), Halt> {
    let (mut found, mut others) = (Approvals::new(), BTreeMap::new());
    for (person, path) in listed(plan, compiled)?.cards {
        let octets = files::read_document(&path)?;
        let written = Written::parse(&octets).map_err(Halt::unread(&path, &octets))?;
        let (graph, bindings) = (compiled.graph.id(), compiled.bindings.id());
        let there = (*written.graph.get_ref(), *written.bindings.get_ref());
        if there == (graph, bindings) {
            let (at, signed) = (*written.at.get_ref(), written.signed.into_inner());
            found.insert(person, Approved { at, signed });
        } else {
            let path = shown(&path);
            let asked = says!(
                "{path}: graph {graph}、bindings {bindings} の承認",
                "{path}: an approval of graph {graph}, bindings {bindings}"
            );
            let (graph, bindings) = there;
            let found = says!(
                "graph {graph}、bindings {bindings} の承認。計画は承認の後に変わった。もう一度承認する",
                "one of graph {graph}, bindings {bindings}: the plan changed afterwards; it is approved again"
            );
            others.insert(person, Fault::new(RuleId::S_APPROVED, asked, found));
        }
    }
    Ok((found, others))
}

/// Judges release and approvals for today, as a ceremony that begins now would; and the keyless
/// bundles, of which no ceremony knows. Tells who approved.
pub(crate) fn judge(plan: &Path, compiled: &Compiled, lang: Lang) -> Result<String, Halt> {
    let released = compiled.released.judge_before(compiled.graph.mode()).map_err(Halt::Media);
    let approved = approved(plan, compiled, lang);
    match (released, approved) {
        // A changed release is approved again by all, so both are said at once.
        (Err(first), Err(second)) => {
            show(&first, lang);
            Err(second)
        }
        (released, approved) => released.and(approved),
    }
}

fn approved(plan: &Path, compiled: &Compiled, lang: Lang) -> Result<String, Halt> {
    let approvals = beside(plan, compiled)?;
    let now = Clock::System(compiled.graph.offset()).now()?;
    let checks = compiled.weigh_approvals(&approvals, now).map_err(Halt::Media)?;
    compiled.refuse_unapproved(&approvals.keys().cloned().collect()).map_err(Halt::Media)?;
    prove(&checks).map_err(|(check, error)| {
        let asked = Bilingual::plain(&check.subject);
        Halt::media(RuleId::S_APPROVED, asked, error.said())
    })?;
    let by: Vec<&str> = approvals.keys().map(Name::as_str).collect();
    let by = format!("  {} {}\n", pick(lang, "承認:", "approved by"), by.join(" "));
    let bundles = listed(plan, compiled)?.bundles;
    Ok(by + &keyless::judge(plan, compiled, &bundles, lang)?)
}

/// Has a person approve a plan.
pub(crate) fn approve(asked: &args::Approve, lang: Lang) -> Result<(), Halt> {
    let person = &asked.person;
    let compiled = reviewed(&asked.planned)?;
    let Some(with) = &asked.by.module else {
        let statement = compiled.approval_statement(person).map_err(|_| unneeded(person))?;
        return print(&(statement + "\n"));
    };
    let now = Clock::System(compiled.graph.offset()).now()?;
    if compiled.approvals.under(person).next().is_none() {
        return Err(unneeded(person));
    }
    refuse_over(&compiled, now)?;
    // What lies beside it is read before anybody signs.
    read(&asked.planned.plan, &compiled)?;
    let to_sign = ToSign::approval(&compiled, person, now).ok_or_else(|| unneeded(person))?;
    tell(&described(&compiled, person, lang));
    let signed = by_card(&to_sign, with, asked.pin_fd, lang)?;
    let approved = Approved { at: now, signed };
    let check = compiled.weigh_approval(person, &approved, now).map_err(Halt::Media)?;
    prove(std::slice::from_ref(&check)).map_err(|(_, error)| unsigned_by(person, error.said()))?;
    let end = if compiled.graph.mode() == Mode::Drill { DRILL } else { ".toml" };
    let path = asked.planned.plan.join(FOLDER).join(format!("{person}{end}"));
    let text = Written::text(compiled.graph.id(), compiled.bindings.id(), &approved);
    std::fs::create_dir_all(asked.planned.plan.join(FOLDER))
        .and_then(|()| partial::put(&path, text.as_bytes()))
        .map_err(|error| {
            let asked = says!("書き込める {}", "{}, to be written", shown(&path));
            Halt::media(RuleId::S_FILE, asked, files::said(&error))
        })?;
    let (found, others) = read(&asked.planned.plan, &compiled)?;
    let by: BTreeSet<Name> = found.into_keys().collect();
    let mut said = match lang {
        Lang::Ja => format!("承認した: {person}({})\n", shown(&path)),
        Lang::En => format!("approved: {person}, in {}\n", shown(&path)),
    };
    for person in others.keys() {
        said.push_str(&match lang {
            Lang::Ja => format!("{person}.toml: 別の計画の承認。{person} がもう一度承認する\n"),
            Lang::En => format!("{person}.toml: of another plan; {person} approves again\n"),
        });
    }
    match compiled.refuse_unapproved(&by) {
        Ok(()) => said.push_str(pick(lang, "承認が揃った\n", "every approval is there\n")),
        Err(open) => {
            let (what, open) =
                (pick(lang, "残り", "still needed"), lang.said(&open.asked).to_string());
            said.push_str(&format!("{what}: {open}\n"));
        }
    }
    print(&said)
}

fn unneeded(person: &Name) -> Halt {
    Halt::asked(
        RuleId::S_APPROVED,
        says!("計画かポリシーが承認を求める者", "somebody whose approval plan or policy asks for"),
        Bilingual::plain(person),
        says!(
            "承認する者は `gishiki check --approved` が挙げる",
            "`gishiki check --approved` names those who approve"
        ),
    )
}

/// Refuses to approve a plan whose day is over.
fn refuse_over(compiled: &Compiled, now: Instant) -> Result<(), Halt> {
    let (_, until) = compiled.graph.window();
    if now <= until {
        return Ok(());
    }
    Err(Halt::asked(
        RuleId::S_WINDOW,
        says!("{until} までの承認", "an approval by {until}, when the window of the plan ends"),
        Bilingual::plain(now),
        says!(
            "計画の実施時間帯を改めるか、この計算機の時計を合わせる",
            "give the plan another window, or set this computer's clock"
        ),
    ))
}

/// What a person approves: the two ids, what stands under their name, and what was decided before.
fn described(compiled: &Compiled, person: &Name, lang: Lang) -> String {
    let graph = &compiled.graph;
    let ((from, until), ceremony) = (graph.window(), graph.ceremony());
    let mut text = match lang {
        Lang::Ja => format!("承認: {ceremony}(実施時間帯 {from} から {until} まで)\n"),
        Lang::En => format!("approval of {ceremony}, {from} to {until}\n"),
    };
    if graph.mode() == Mode::Drill {
        text.push_str(pick(lang, "  訓練\n", "  as a drill\n"));
    }
    for (name, id) in [("graph   ", graph.id()), ("bindings", compiled.bindings.id())] {
        text.push_str(&format!("  {name}  {id}\n"));
        for line in words::own(&id.0, language(lang)) {
            text.push_str(&format!("            {line}\n"));
        }
    }
    text.push_str(&match lang {
        Lang::Ja => format!("{person} の名で計画にあること:\n"),
        Lang::En => format!("under the name of {person}:\n"),
    });
    for of in compiled.approvals.under(person) {
        text.push_str(&format!("  {}\n", lang.said(of)));
    }
    if let Some(Program { tool, image, tests }) = &compiled.released.program {
        text.push_str(&match lang {
            Lang::Ja => format!(
                "プログラムのリリース:\n  プログラム {tool}\n  イメージの SHA-256     {image}\n  試験報告書の SHA-256   {tests}\n"
            ),
            Lang::En => format!(
                "the release of the program:\n  program          {tool}\n  image, SHA-256   {image}\n  tests, SHA-256   {tests}\n"
            ),
        });
    }
    for line in graph.decisions().iter().chain(graph.exceptions()) {
        text.push_str(&format!("  | {}\n", lang.said(line)));
    }
    text.push_str(&changes_of_register(compiled, lang));
    text.push_str(&reports(compiled, lang));
    text.pop();
    text
}
