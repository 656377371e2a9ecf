//! Abandons a ceremony that can be neither finished nor sealed: writes out its record, whose digest
//! everyone signs on paper.
//!
//! The journals are read as for a resumption: each is replayed alone, and of records on one medium
//! only, those that recovery accepts are taken. So the record is one of a ceremony that could have
//! happened; only such a record may be signed on paper, and a ledger accepts no other. An abandoned
//! first ceremony of a CA is not added to a ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use ceremony::hex::Digest;
use ceremony::plan::After;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::JOURNAL_FILE;
use ceremony::verify::replay_abandoned;

use crate::args;
use crate::halt::{Halt, Reached};
use crate::held::follows;
use crate::journal::Journal;
use crate::journal::recover::Found;
use crate::judged::prove_all;
use crate::lang::{Lang, language, pick};
use crate::output;
use crate::report::print;
use crate::resume::{not_taken, seal_of};
use crate::sources::shown;

/// Writes the record of a ceremony that cannot be sealed, and shows the digest that people sign.
pub(crate) fn abandon(abandon: &args::Abandon, lang: Lang) -> Result<(), Halt> {
    give_up(abandon, lang).map_err(|halt| {
        let reached = Reached::of(&abandon.journal);
        halt.held(if reached == Reached::Begun { Reached::GivenUp } else { reached })
    })
}

fn give_up(abandon: &args::Abandon, lang: Lang) -> Result<(), Halt> {
    let found = Found::read(&abandon.journal, abandon.put_aside.as_deref())?;
    let (inputs, after, mode) = (found.inputs.clone(), found.after()?, found.mode());
    let state = match &after {
        After::Nothing => Arc::default(),
        After::Ceremony(_) => {
            follows(abandon.ledger.as_deref(), abandon.anchor.as_deref(), mode, &after)?
        }
    };
    // `reading` keeps the journals locked until everything is written.
    let reading = found.replay(&state)?;
    if seal_of(&reading).is_some() {
        let asked = says!("封印されていない記録", "a journal that was not sealed");
        let found = says!(
            "封印のある記録。断念せずに書き出す",
            "a sealed journal: write it out instead of abandoning it"
        );
        return Err(Halt::media(RuleId::S_ABANDONED, asked, found));
    }
    let journal = reading.agreed.transcript.clone();
    if let After::Ceremony(_) = after {
        let replayed = replay_abandoned(&inputs, &journal, &state);
        let (checks, ..) = replayed.map_err(Halt::Verification)?;
        prove_all(&checks)?;
    }
    let digest = Digest::of(&journal);
    let lines = journal.iter().filter(|octet| **octet == b'\n').count();
    let mut files: BTreeMap<String, Vec<u8>> =
        inputs.into_iter().map(|(name, octets)| (format!("inputs/{name}"), octets)).collect();
    files.insert(JOURNAL_FILE.into(), journal);
    output::write_once(&abandon.out, &files)?;
    Journal::give_up(&abandon.journal, &digest)?;
    let mut text = String::new();
    for line in not_taken(&reading.agreed, lang) {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str(&format!(
        "{}{}\n\n  sha256 {digest}\n",
        pick(
            lang,
            "この記録は封印できません。次の値を紙に写し、全員が署名してください。",
            "This record cannot be sealed. Copy this value to paper, and everyone signs it. "
        ),
        what_follows(&after, lang)
    ));
    for line in ceremony::words::own(&digest.0, language(lang)) {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str(&format!(
        "  {lines} {}\n  {}\n",
        pick(lang, "件の記録", "records"),
        shown(&abandon.out)
    ));
    print(&text)
}

/// Returns what an abandoned ceremony means for the next one.
const fn what_follows(after: &After, lang: Lang) -> &'static str {
    match after {
        After::Nothing => pick(
            lang,
            "最初のセレモニーなので台帳には入りません。トークンを初期化し、別の計画で改めて行います。",
            "A CA's first ceremony is then no part of a ledger: initialise the token, and hold it on another plan.",
        ),
        After::Ceremony(_) => pick(
            lang,
            "次の計画の abandoned にこの値を書きます。",
            "The next plan names it as `abandoned`.",
        ),
    }
}
