//! The commands, one function each.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ceremony::compile::{Compiled, Inputs, compile, input_digest};
use ceremony::key::Proof;
use ceremony::record::{End, Mode, Place};
use ceremony::rules::Stage;
use ceremony::run::Run;
use ceremony::script::{self, Language};
use ceremony::verify::{JustClosed, Refusal, Sealed, Trust, Verdict, Verified, replay};
use token::{RehearsalToken, Token};

use crate::args::{self, Command, Lang};
use crate::conduct::{Clock, Conduct, ending, fault};
use crate::exit::Halt;
use crate::files::{Folder, read_document, shown};
use crate::journal::{Journal, Written};
use crate::people::{People, Scripted, Terminal};
use crate::secrets::PinSource;
use crate::{output, proofs, room};

/// Performs a command.
pub(crate) fn perform(command: Command, lang: Lang) -> Result<(), Halt> {
    match command {
        Command::Check(planned) => check(&planned.plan, lang),
        Command::Graph(planned) => print(compiled(&planned.plan)?.graph.text()),
        Command::Bind(planned) => print(compiled(&planned.plan)?.bindings.text()),
        Command::Script(planned) => {
            print(&script::render(&compiled(&planned.plan)?, language(lang)))
        }
        Command::Rehearse(rehearse) => self::rehearse(&rehearse, lang),
        Command::Run(run) => self::run(&run, lang),
        Command::Resume(resume) => self::resume(&resume.held, lang),
        Command::Abandon(abandon) => self::abandon(&abandon.journal, lang),
        Command::Verify(verify) => self::verify(&verify, lang),
        Command::Validate(validate) => crate::validate::say(&validate, lang),
    }
}

const fn language(lang: Lang) -> Language {
    match lang {
        Lang::Ja => Language::Ja,
        Lang::En => Language::En,
    }
}

const fn pick<'t>(lang: Lang, ja: &'t str, en: &'t str) -> &'t str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

/// Standard output may be a pipe whose reader has gone; that is no failure of ours.
pub(crate) fn print(text: &str) -> Result<(), Halt> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Halt::media("S-OUT", "to write to standard output", error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn compiled(plan: &Path) -> Result<Compiled, Halt> {
    let folder = Folder::read(plan)?;
    let again = folder.clone();
    let inputs = folder.inputs()?;
    compile(&inputs).map_err(|violations| Halt::Violations(Box::new(again), violations))
}

fn check(plan: &Path, lang: Lang) -> Result<(), Halt> {
    let compiled = compiled(plan)?;
    let graph = &compiled.graph;
    let (certificates, crls) = graph.structures();
    print(&format!(
        "{} {}\n  graph     {}\n  bindings  {}\n  {} {}, {} {certificates}, {} {crls}\n",
        pick(lang, "規則をすべて満たす:", "keeps every rule:"),
        graph.ceremony(),
        graph.id(),
        compiled.bindings.id(),
        pick(lang, "手順", "operations:"),
        graph.ops().len(),
        pick(lang, "電子証明書", "certificates:"),
        pick(lang, "CRL", "CRLs:"),
    ))
}

fn rehearse(rehearse: &args::Rehearse, lang: Lang) -> Result<(), Halt> {
    if let Some(out) = &rehearse.target.out {
        output::refuse_existing(out)?;
    }
    let compiled = compiled(&rehearse.plan)?;
    let (from, _) = compiled.graph.window();
    let mut conduct = Conduct {
        token: Token::Rehearsal(RehearsalToken::new()),
        people: People::StandIns,
        clock: Clock::Planned(from),
        journal: Journal::Memory(Written::default()),
        pin: None,
        progress: false,
        proofs: Vec::new(),
    };
    let step =
        Run::begin(compiled, Mode::Rehearsal, Place::rehearsal(), from).map_err(Halt::Bug)?;
    let run = conduct.keep(step)?;
    let run = conduct.go(run)?;
    let (sealed, verified) = judge(conduct, &run, &Trust::Rehearsal)?;
    let files = output::files(&verified, &sealed);
    if let Some(golden) = &rehearse.target.compare {
        let found = output::read_folder(golden)?;
        if let Some((name, what)) = output::difference(&files, &found) {
            let fault = fault("S-ARTEFACT", "what this plan gives today", &what);
            return Err(Halt::Verification(Refusal {
                place: format!("{}/{name}", shown(golden)),
                fault,
            }));
        }
        return print(&format!("{} {}\n", pick(lang, "一致:", "the same:"), shown(golden)));
    }
    let Some(out) = &rehearse.target.out else { return Ok(()) };
    output::write(out, &files)?;
    print(&summary(&verified, out, lang))
}

fn run(run: &args::Run, lang: Lang) -> Result<(), Halt> {
    output::refuse_existing(&run.held.out)?;
    let compiled = compiled(&run.plan)?;
    let entered = room::enter(&run.held.room)?;
    let (people, pin) = people(&run.held, entered.mode, lang)?;
    let clock = Clock::System;
    let at = clock.now()?;
    let step = Run::begin(compiled.clone(), entered.mode, entered.place, at)
        .map_err(|fault| Halt::media(fault.rule, fault.asked, fault.found))?;
    let journal = Journal::begin(&run.held.journal, &compiled)?;
    let mut conduct = Conduct {
        token: entered.token,
        people,
        clock,
        journal,
        pin: Some(pin),
        progress: true,
        proofs: Vec::new(),
    };
    let run_begun = conduct.keep(step)?;
    finish(conduct, run_begun, &run.held.out, lang)
}

fn resume(held: &args::Held, lang: Lang) -> Result<(), Halt> {
    output::refuse_existing(&held.out)?;
    let entered = room::enter(&held.room)?;
    let (journal, recovered) = Journal::recover(&held.journal)?;
    let (people, pin) = people(held, entered.mode, lang)?;
    let run = recovered.run().map_err(Halt::Verification)?;
    if run.opened().mode != entered.mode {
        let asked = format!("a room for a {}", output::mode(run.opened().mode));
        return Err(Halt::media("S-MODE", asked, output::mode(entered.mode)));
    }
    let clock = Clock::System;
    let mut conduct = Conduct {
        token: entered.token,
        people,
        clock,
        journal,
        pin: Some(pin),
        progress: true,
        proofs: Vec::new(),
    };
    let run = conduct.resume(run, &recovered, entered.place)?;
    finish(conduct, run, &held.out, lang)
}

/// Goes on to the end of the postscript, judges everything once more from what was written, and
/// publishes.
fn finish(mut conduct: Conduct, run: Run, out: &Path, lang: Lang) -> Result<(), Halt> {
    let run = conduct.go(run)?;
    let trust = JustClosed::of(&run).map_or(Trust::None, Trust::Room);
    let (sealed, verified) = judge(conduct, &run, &trust)?;
    output::write(out, &output::files(&verified, &sealed))?;
    print(&summary(&verified, out, lang))?;
    ending(verified.run())
}

fn people(held: &args::Held, mode: Mode, lang: Lang) -> Result<(People, PinSource), Halt> {
    let people = match &held.answers {
        Some(_) if mode != Mode::Drill => {
            return Err(Halt::media(
                "S-DRILL",
                "people at a terminal",
                "--answers, which only a drill takes",
            ));
        }
        Some(path) => People::Scripted(Scripted::read(path)?),
        None => People::Terminal(Terminal::open(language(lang))?),
    };
    let pin =
        held.pin_fd.map_or(PinSource::Terminal, |fd| PinSource::Descriptor(i32::try_from(fd).ok()));
    Ok((people, pin))
}

/// Judges what was written, as any verifier would.
fn judge(conduct: Conduct, run: &Run, trust: &Trust<'_>) -> Result<(Sealed, Verified), Halt> {
    let written = conduct.journal.written()?;
    let inputs = &run.compiled().inputs;
    let sealed = Sealed {
        inputs: inputs
            .iter()
            .map(|(name, text)| (name.clone(), text.clone().into_bytes()))
            .collect(),
        transcript: written.transcript.clone(),
        bundle: written.bundle.clone(),
        after: Some(written.after.clone()),
    };
    match conclude(&sealed, trust, conduct.proofs)? {
        Verdict::Verified(verified) => Ok((sealed, *verified)),
        Verdict::NotAnchored(_) => {
            Err(Halt::Bug(fault("S-SEAL", "the ceremony that was just closed", "another head")))
        }
    }
}

/// Replays, and proves the signatures that these proofs do not cover.
fn conclude(sealed: &Sealed, trust: &Trust<'_>, mut proofs: Vec<Proof>) -> Result<Verdict, Halt> {
    let trial = replay(sealed).map_err(Halt::Verification)?;
    let proved = proofs::prove(&trial.unproved(&proofs)).map_err(|(subject, error)| {
        let fault = fault("S-SIGNATURE", &format!("a signature on {subject}"), &error.to_string());
        Halt::Verification(Refusal { place: "transcript.jsonl".into(), fault })
    })?;
    proofs.extend(proved);
    trial.conclude(proofs, trust).map_err(Halt::Verification)
}

fn abandon(journal: &[PathBuf], lang: Lang) -> Result<(), Halt> {
    let octets = Journal::look(journal)?;
    let digest = ceremony::hex::Digest::of(&octets);
    let lines = octets.iter().filter(|octet| **octet == b'\n').count();
    let mut text = format!(
        "{}\n\n  sha256 {digest}\n",
        pick(
            lang,
            "この記録は封印できません。次の値を紙に写し、全員が署名してください。次の計画がこの値を挙げます。",
            "This journal cannot be sealed. Copy this value to paper and sign it; the next plan lists it."
        )
    );
    for line in ceremony::words::lines(&digest.0) {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str(&format!("  {lines} {}\n", pick(lang, "件の記録", "records")));
    print(&text)
}

fn verify(verify: &args::Verify, lang: Lang) -> Result<(), Halt> {
    let (plan, out) = match verify.folders.as_slice() {
        [plan, out] => (Some(plan), out),
        [out] => (None, out),
        _ => return Err(Halt::media("S-FILE", "one or two folders", "another number")),
    };
    let found = output::read_folder(out)?;
    let sealed = output::sealed(&found);
    if let Some(plan) = plan {
        print(&same_plan(plan, &sealed, lang)?)?;
    }
    let anchor = verify.anchor.as_deref().map(read_document).transpose()?;
    let anchor = anchor
        .map(|octets| ceremony::anchor::Anchor::parse(&octets))
        .transpose()
        .map_err(|v| Halt::media(v.rule, v.asked, v.found))?;
    let trust = match (&anchor, verify.rehearsal, verify.drill) {
        (Some(anchor), _, _) => Trust::Anchor(anchor),
        (None, true, _) => Trust::Rehearsal,
        (None, false, true) => Trust::Drill,
        (None, false, false) => Trust::None,
    };
    match conclude(&sealed, &trust, Vec::new())? {
        Verdict::Verified(verified) => {
            let asked = output::files(&verified, &sealed);
            if let Some((name, what)) = output::difference(&asked, &found) {
                let fault = fault("S-ARTEFACT", "the file that this transcript gives", &what);
                return Err(Halt::Verification(Refusal { place: name, fault }));
            }
            print(&proved(&verified, lang))
        }
        Verdict::NotAnchored(facts) => {
            let mode = output::mode(facts.mode);
            Err(Halt::NotAnchored(format!(
                "{mode}, audit key {}, head {}",
                facts.audit_key, facts.head
            )))
        }
    }
}

/// A plan that is given must have the canonical text of the sealed one; policy and roster move on,
/// and are reported.
fn same_plan(plan: &Path, sealed: &Sealed, lang: Lang) -> Result<String, Halt> {
    let inputs: Inputs = Folder::read(plan)?.inputs()?;
    let mut said = String::new();
    for (name, text) in inputs.texts() {
        let same = sealed.inputs.get(name).map(Vec::as_slice) == Some(text.as_bytes());
        if !same && name == "plan.toml" {
            let asked = format!("the plan in {}", shown(plan));
            let fault = fault("S-INPUTS", &asked, "another plan was sealed");
            return Err(Halt::Verification(Refusal { place: format!("inputs/{name}"), fault }));
        }
        let word = match same {
            true => pick(lang, "封印時と同じ", "as it was sealed"),
            false => pick(lang, "封印後に改められた", "has moved on since the seal"),
        };
        said.push_str(&format!("{name} {} {word}\n", input_digest(text)));
    }
    Ok(said)
}

fn summary(verified: &Verified, out: &Path, lang: Lang) -> String {
    let run = verified.run();
    let (certificates, crls) = run.graph().structures();
    let mut text = format!(
        "{} {} ({})\n",
        match verified.end() {
            End::Completed => pick(lang, "正常完了:", "completed:"),
            End::Aborted => pick(lang, "中止(封印済み):", "aborted, and sealed:"),
        },
        run.graph().ceremony(),
        output::mode(verified.facts().mode)
    );
    let handed_out = match verified.end() {
        End::Completed => {
            format!(
                "{} {certificates}, {} {crls}",
                pick(lang, "電子証明書", "certificates:"),
                pick(lang, "CRL", "CRLs:")
            )
        }
        End::Aborted => pick(lang, "引き渡すものなし", "nothing is handed out").to_string(),
    };
    text.push_str(&format!(
        "  {}  {handed_out}, {} {}\n",
        shown(out),
        verified.signatures(),
        pick(lang, "件の署名を検証", "signatures verified")
    ));
    for (name, octets) in verified.artefacts() {
        if name.ends_with(".der") {
            text.push_str(&format!("  {name}  SHA-256 {}\n", ceremony::hex::Digest::of(&octets)));
        }
    }
    text.push_str(&format!("  head      {}\n", verified.facts().head));
    text.push_str(&format!("  audit key {}\n", verified.facts().audit_key));
    text
}

/// What was proved, rule by rule.
fn proved(verified: &Verified, lang: Lang) -> String {
    let run = verified.run();
    let facts = verified.facts();
    let mut text = format!(
        "{}: {} {}\n",
        match facts.mode {
            Mode::Real => pick(lang, "検証済み", "verified"),
            Mode::Drill => pick(lang, "訓練として整合", "drill, consistent"),
            Mode::Rehearsal => pick(lang, "リハーサルとして整合", "rehearsal, consistent"),
        },
        run.graph().ca(),
        run.graph().ceremony()
    );
    text.push_str(&format!(
        "  graph     {}\n  bindings  {}\n",
        run.opened().graph,
        run.opened().bindings
    ));
    text.push_str(&format!("  head      {}\n  audit key {}\n", facts.head, facts.audit_key));
    text.push_str(&format!(
        "  {} {}\n\n",
        verified.signatures(),
        pick(lang, "件の署名を検証した", "signatures verified")
    ));
    let mut last = "";
    for rule in ceremony::rules::all() {
        let judged = !matches!(rule.stage, Stage::Path | Stage::Edge);
        if judged && rule.id != last {
            text.push_str(&format!("  ✓ {:<22} {:<28} {}\n", rule.id, rule.clause, rule.sentence));
            last = rule.id;
        }
    }
    text
}
