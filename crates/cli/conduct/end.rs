//! How a ceremony ends or halts, and the words for it.

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::record::{End, Refuser};
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::says;

use crate::halt::{Halt, Reached};
use crate::lang::{Lang, pick};
use crate::report;

/// Prints a fault after which the ceremony goes on.
pub(super) fn tell(fault: &Fault, lang: Lang) {
    let Fault { rule, asked, found, .. } = fault;
    let said = match lang {
        Lang::Ja => format!("{rule}: 求めたもの {}; あったもの {}", asked.ja, found.ja),
        Lang::En => fault.to_string(),
    };
    report::tell(&format!("✗ {}", report::plain(&said)));
}

/// Returns the result of the command for a ceremony that has ended.
pub(crate) fn ending(run: &Run) -> Result<(), Halt> {
    match run.closed() {
        Some(End::Completed) => Ok(()),
        Some(End::Aborted) | None => {
            let why = why(run);
            Err(Halt::People(says!(
                why;
                "封印した。{why}",
                "closed as aborted, and sealed. {why}"
            )))
        }
    }
}

/// Returns what follows when the ceremony has just stopped.
pub(super) const fn stopping(run: &Run, lang: Lang) -> &'static str {
    match run.is_sealable() {
        true => pick(
            lang,
            "!! セレモニーは中止になりました。この後は、中止として封印するための手順だけを行います。",
            "!! The ceremony has stopped. What follows only closes it as aborted, and seals it.",
        ),
        false => pick(
            lang,
            "!! セレモニーは中止になりました。監査用の鍵がまだないので封印できません。",
            "!! The ceremony has stopped. There is no audit key yet, so it cannot be sealed.",
        ),
    }
}

/// Returns the halt of a session that was interrupted for a break, and what people do then.
pub(super) fn paused() -> Halt {
    Halt::Paused(says!(
        "トークンからログアウトしました。席を離れる前に、カードを読取装置から抜いて各自が持ちます。残る者は、端末、媒体、トークン、書類から目を離さず、ほかの者に触れさせません。退室と入室の時刻を、入退室の記録に書きます",
        "the token is logged out. Before anybody leaves, each takes their card out of the reader and keeps it. Those who stay keep terminal, media, token and papers in sight, and let nobody else touch them. Who leaves and comes back is written into the record of entries and exits"
    ))
    .held(Reached::Paused)
}

/// Returns the halt of a ceremony that stopped and cannot be sealed in this session.
pub(super) fn held(run: &Run, halt: Halt) -> Halt {
    halt.held(if run.is_sealable() { Reached::Stopped } else { Reached::Unsealable })
}

/// Returns who or which rule stopped the ceremony, and the reason in the record.
pub(super) fn why(run: &Run) -> Bilingual {
    let Some(stop) = run.stopped() else { return Bilingual::default() };
    let reason = &stop.reason;
    match stop.rule {
        Refuser::People => says!("参加者の申し出: {reason}", "people: {reason}"),
        Refuser::Rule(rule) => Bilingual::plain(format!("{rule}: {reason}")),
    }
}

pub(super) fn interrupted(rule: RuleId, asked: Bilingual, found: Bilingual) -> Halt {
    Halt::Interrupted(Fault::new(rule, asked, found))
}

/// Returns the halt for an event that the run refuses.
///
/// The listed rules have causes outside this program: the clock, people, or a token or medium that
/// they brought. Any other refusal is a bug, because the event should not have been offered.
pub(super) fn stopped(fault: Fault) -> Halt {
    match fault.rule {
        RuleId::S_TIME_BACK
        | RuleId::S_WINDOW
        | RuleId::S_WORDS
        | RuleId::S_PRESENT
        | RuleId::R_AUTHN => Halt::Interrupted(fault),
        RuleId::S_TOKEN_SERIAL
        | RuleId::S_SPARE
        | RuleId::S_DRILL
        | RuleId::S_MODE
        | RuleId::S_TOOL
        | RuleId::R_MULTI => Halt::Media(fault),
        _ => Halt::Bug(fault),
    }
}
