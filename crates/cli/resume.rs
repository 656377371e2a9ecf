//! Resumes an interrupted ceremony from its two journals.
//!
//! First both journals are read and replayed, and people are asked. Then both media are brought to
//! the same content, and a Resumed record says what became of the records that were on one medium
//! only.

use std::path::Path;
use std::sync::Arc;

use ceremony::graph::Op;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::ledger::State;
use ceremony::record::{LoneRefusal, Resumed};
use ceremony::rule::RuleId;
use ceremony::run::{Book, Next, Run};
use ceremony::says;
use ceremony::seal::Made;
use ceremony::verify::{JustClosed, Trust, Verified};

use crate::args;
use crate::clock::{Bounds, Clock};
use crate::conduct::doubt::{consent_to_medium, lifted};
use crate::conduct::{Conduct, clock, ending};
use crate::ends::At;
use crate::halt::{Halt, Reached};
use crate::held::{finish, follows, held_on, judge_written, kind, people, summary};
use crate::journal::Journal;
use crate::journal::place;
use crate::journal::recover::{Agreed, Found, Reading};
use crate::lang::{Lang, pick};
use crate::people::People;
use crate::proofs::prove;
use crate::report::print;
use crate::review::compiled;
use crate::sources::{Sources, shown};
use crate::{events, output, room, rows};

pub(crate) fn resume(resume: &args::Resume, lang: Lang) -> Result<(), Halt> {
    let journals = &resume.held.journal;
    let held = |halt: Halt| halt.held(Reached::of(journals));
    if resume.held.out.symlink_metadata().is_ok() {
        let (run, verified) = written_out(&resume.held).map_err(held)?;
        let summary = summary(&verified, &resume.held.out, lang);
        print(&rows::fit(std::io::stdout(), &summary)).map_err(held)?;
        return ending(&run);
    }
    let (conduct, run) = go_on(resume, lang).map_err(held)?;
    finish(conduct, run, &resume.held, lang)
}

/// Verifies a ceremony that has nothing left to do, because its output folder is already written.
fn written_out(held: &args::Held) -> Result<(Run, Verified), Halt> {
    let Some(ended) = Journal::ended(&held.journal)? else {
        output::refuse_existing(&held.out)?;
        let asked =
            says!("元の場所にあり続けるフォルダー", "an output folder that stays in its place");
        return Err(Halt::media(RuleId::S_OUT, asked, says!("既にない", "it no longer exists")));
    };
    // The ledger may already contain this ceremony, so later ceremonies in it are not refused here.
    let (ledger, anchor) = (held.ledger.as_deref(), held.anchor.as_deref());
    let state = follows(ledger, anchor, ended.mode()?, &ended.after()?)?;
    let run = ended.run(&state).map_err(Halt::Verification)?;
    let trust = JustClosed::of(&run).map_or(Trust::None, Trust::Room);
    let (sealed, verified) = judge_written(ended.written, Vec::new(), &run, &trust)?;
    let found = output::read_folder(&held.out)?;
    match output::difference(&output::files(&verified, &sealed), &found) {
        None => Ok((run, verified)),
        Some((name, how)) => {
            let out = shown(&held.out);
            let asked = says!(
                "新しいフォルダー {out}、又はこのセレモニーのもの",
                "a new folder {out}, or this ceremony's"
            );
            let found = says!(how; "別のもの: {name}、{how}", "different content: {name}, {how}");
            Err(Halt::media(RuleId::S_OUT, asked, found))
        }
    }
}

/// Performs everything up to and including the Resumed record.
fn go_on(resume: &args::Resume, lang: Lang) -> Result<(Conduct, Run), Halt> {
    let held = &resume.held;
    // A sealed ceremony needs no token any more, so a lost token does not matter.
    let wanted = match Journal::is_sealed(&held.journal) {
        true => room::Wanted::Modules,
        false => room::Wanted::Tokens,
    };
    let entered = room::enter(&held.room, wanted)?;
    place::two_devices(&held.journal, entered.mode, lang)?;
    Journal::refuse_given_up(&held.journal)?;
    let found = Found::read(&held.journal, resume.put_aside.as_deref())?;
    let state = held_on(held, entered.mode, &found.after()?)?;
    let reading = found.replay(&state)?;
    let run = &reading.agreed.run;
    if let Some(plan) = &resume.plan {
        refuse_another(plan, run, &state)?;
    }
    if run.opened().mode != entered.mode {
        let begun = kind(run.opened().mode);
        let asked = says!(begun; "{begun}の実施場所", "a room for a {begun}");
        return Err(Halt::media(RuleId::S_MODE, asked, kind(entered.mode)));
    }
    let (mut people, pin) = people(held, entered.mode, run.graph(), lang)?;
    // A stopped or closed ceremony may be sealed at any time, also after the window.
    let goes_on = run.stopped().is_none() && run.closed().is_none();
    let window = goes_on.then(|| run.graph().window());
    let bounds = Bounds { window, last: Some(run.last_at()) };
    let clock = Clock::System(run.graph().offset());
    clock::agree(&mut people, &clock, &bounds, At::of(held), lang)?;
    let (new_medium, refusal) = agreed_to(&mut people, &reading, lang)?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let resumed = Resumed {
        room: entered.place,
        torn: count(reading.torn),
        copied: count(reading.agreed.copied),
        dropped: count(reading.agreed.dropped),
        refusal,
        aside: reading.aside().cloned(),
        new_medium,
    };
    let seal = seal_of(&reading);
    let not_taken = not_taken(&reading.agreed, lang);
    let (run, journal) = reading.level(seal.as_deref())?;
    let mut conduct = Conduct {
        tokens: entered.tokens,
        cards: entered.cards,
        people,
        clock,
        journal,
        pin: Some(pin),
        progress: true,
        lang,
        proofs: Vec::new(),
        unnoted: None,
    };
    not_taken.iter().for_each(|line| conduct.say(line));
    let run = conduct.resume(run, seal.as_deref(), resumed)?;
    conduct.say(&where_it_begins(&run, lang));
    Ok((conduct, run))
}

/// Says which head was noted last, what is asked again and why, and what comes first.
///
/// The head itself is not shown: people read it from the script.
fn where_it_begins(run: &Run, lang: Lang) -> String {
    let graph = run.graph();
    let step = |op: &Op| format!("{} `{}`", events::step(graph, &op.name, lang), op.name);
    let what = match (run.next(), run.book()) {
        (Next::Nothing, _) | (_, Book::Postscript) => pick(
            lang,
            "封印は済んでいます。残りの手順だけを行います。",
            "It is sealed already; only what is left after the seal is done.",
        )
        .to_string(),
        (Next::Seal, Book::Transcript) => {
            pick(lang, "残りは封印です。", "What is left is the seal.").to_string()
        }
        (_, Book::Transcript) => {
            let noted = match (run.noted_after().map(step), lang) {
                (Some(op), Lang::Ja) => {
                    format!("最後に書き留めた記録の最新値は、手順 {op} の後のものです。")
                }
                (Some(op), Lang::En) => {
                    format!("The last head noted in the script is the one after step {op}.")
                }
                (None, Lang::Ja) => "まだ記録の最新値を書き留めていません。".to_string(),
                (None, Lang::En) => "No head was noted in the script yet.".to_string(),
            };
            let again = pick(
                lang,
                "その後に人が答えたことは、紙で裏付けられないので、もう一度尋ねます。点呼、書類の照合、時計、トークン、活性化、ログインは、新しいセッションなので行い直します。鍵の生成や署名は、済んだものを繰り返しません。",
                "What people answered after it is asked again, because no paper vouches for it. Roll call, papers, clock, token, activation and login are done again, because this is a new session. No key that was made is made again, and nothing that was signed is signed again.",
            );
            format!("{noted}\n   {again}")
        }
    };
    let next = match (run.next(), lang) {
        (Next::Ask(op, _), Lang::Ja) => format!("\n   初めの手順: {}", step(op)),
        (Next::Ask(op, _), Lang::En) => format!("\n   It begins with step {}.", step(op)),
        (
            Next::Answer(op, _) | Next::Burn(op, _) | Next::Settle(op, _) | Next::Note(op, _),
            Lang::Ja,
        ) => format!("\n   中断した手順: {}。上の手順の後に、ここへ戻ります。", step(op)),
        (
            Next::Answer(op, _) | Next::Burn(op, _) | Next::Settle(op, _) | Next::Note(op, _),
            Lang::En,
        ) => format!("\n   It was broken off at step {}, and comes back to it.", step(op)),
        (Next::Pause | Next::Close(_) | Next::Seal | Next::Nothing | Next::Abandon, _) => {
            String::new()
        }
    };
    format!("── {}\n   {what}{next}", pick(lang, "再開", "resumed"))
}

/// Returns the messages about records on one medium only that are not taken.
pub(crate) fn not_taken(agreed: &Agreed, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    if agreed.dropped > 0 {
        let count = agreed.dropped;
        lines.push(match lang {
            Lang::Ja => format!("!! 片方の媒体にだけあった記録 {count} 件は採用しません。件数は記録に残ります。"),
            Lang::En => format!(
                "!! Records that stood on one medium only are not taken: {count}. The record says how many."
            ),
        });
    }
    if agreed.head_dropped {
        lines.push(
            pick(
                lang,
                "!! 最後に書き留めた値の確認もその中にあり、無効です。構築手順書のその値を線で消し、一つ前の値を読み上げてください。",
                "!! One of them confirmed the last head noted on paper, and does not count. Strike that head out, and read the one before it.",
            )
            .to_string(),
        );
    }
    lines
}

/// Asks people what only they can decide: whether to go on without one medium, and whether a
/// refusal that is on one medium only holds.
fn agreed_to(
    people: &mut People,
    reading: &Reading,
    lang: Lang,
) -> Result<(Vec<ceremony::name::Name>, Option<LoneRefusal>), Halt> {
    let run = &reading.agreed.run;
    let new_medium = match reading.new_medium() {
        None => Vec::new(),
        Some(folder) => consent_to_medium(people, run, folder, reading.aside(), lang)?,
    };
    let refusal = match &reading.agreed.refusal {
        None => None,
        Some(refusal) => {
            Some(LoneRefusal { lifted: lifted(people, run, refusal, lang)?, ..refusal.clone() })
        }
    };
    Ok((new_medium, refusal))
}

/// Returns the bundle that seals this run, if one of the media has it complete.
///
/// One medium is enough, because the audit key's signature on it is verified.
pub(crate) fn seal_of(reading: &Reading) -> Option<Vec<u8>> {
    let run = &reading.agreed.run;
    if let Some(seal) = run.sealed() {
        return reading.bundles.iter().find(|bundle| Digest::of(bundle) == seal).cloned();
    }
    if run.next() != Next::Seal {
        return None;
    }
    let made = Made::of(run);
    let good = |bundle: &&Vec<u8>| {
        let check = made.read(run, bundle).ok();
        check.is_some_and(|check| prove(std::slice::from_ref(&check)).is_ok())
    };
    reading.bundles.iter().find(good).cloned()
}

/// Refuses a plan whose graph or bindings differ from those of the interrupted ceremony.
fn refuse_another(plan: &Path, run: &Run, state: &Arc<State>) -> Result<(), Halt> {
    let (planned, _) =
        compiled(Sources::read(plan)?, |_| Ok((Arc::clone(state), run.opened().mode)))?;
    let begun = run.compiled();
    for (what, asked, found) in [
        ("graph", planned.graph.id(), begun.graph.id()),
        ("bindings", planned.bindings.id(), begun.bindings.id()),
    ] {
        if asked != found {
            let plan = shown(plan);
            let asked = says!(
                "{plan} の {what}({asked})を持つ記録",
                "a journal with the {what} of {plan}, {asked}"
            );
            return Err(Halt::media(RuleId::S_PAPERS, asked, Bilingual::plain(found)));
        }
    }
    Ok(())
}
