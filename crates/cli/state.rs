//! `state`: the state that the ceremonies of a ledger have left, for people and as JSON.

mod json;
mod rests;

use std::collections::BTreeMap;

use ceremony::graph::{ground_said, order_said};
use ceremony::hex::encode;
use ceremony::language::Bilingual;
use ceremony::ledger::{Batch, Certificate, DueKind, Key, Standing, State};
use ceremony::name::Name;
use ceremony::policy::Policy;
use ceremony::rehearsal::RehearsalUse;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::{Day, Instant, Offset, TimeError};
use ceremony::x509::Reason;

pub(crate) use self::rests::Rests;
use crate::args;
use crate::clock::Clock;
use crate::halt::Halt;
use crate::held::kind;
use crate::judged::{read_anchor, trust};
use crate::lang::{Lang, pick};
use crate::ledgers::{self, Entry};
use crate::report::{padded, plain, print};

/// What is shown of a ledger.
struct Shown<'a> {
    state: &'a State,
    policy: &'a Policy,
    at: Instant,
    rests: Rests,
    /// Where and by whom a copy is kept, by token and key, in the words of the plan that made it.
    custody: BTreeMap<(Name, Name), String>,
}

/// Folds a ledger and shows its state on a day.
pub(crate) fn show(asked: &args::State, lang: Lang) -> Result<(), Halt> {
    let anchor = read_anchor(asked.by.anchor.as_deref())?;
    let trust = trust(anchor.as_ref(), asked.by.rehearsal, asked.by.drill);
    let chain = ledgers::whole(ledgers::list(&asked.ledger)?, &asked.ledger)?;
    let (state, signatures) = ledgers::fold(&chain, &trust)?;
    let policy = match chain.last() {
        Some(entry) => entry.policy()?,
        None => return Ok(()),
    };
    let offset = *policy.ca.offset.get_ref();
    let at = match &asked.at {
        Some(day) => parse_day(day, offset)?,
        None if asked.due => Clock::System(offset).now()?,
        None => state
            .last
            .as_ref()
            .map_or(Instant::from_unix(0, offset).map_err(outside)?, |l| l.ended_at),
    };
    let rests = Rests::of(&state, &trust)?;
    let (state, policy) = (&*state, &policy);
    let custody = custody(&chain)?;
    let shown = Shown { state, policy, at, rests, custody };
    if asked.due {
        return show_due(&shown, lang);
    }
    if asked.json {
        return print(&format!("{:#}\n", json::state(&shown)));
    }
    print(&as_text(&shown, signatures, lang))
}

/// Shows what falls due; the result says whether something is overdue.
fn show_due(shown: &Shown<'_>, lang: Lang) -> Result<(), Halt> {
    let rows = due_rows(shown, lang);
    let head =
        format!("{} {}: {}\n", pick(lang, "基準時刻", "at"), shown.at, shown.rests.said(lang));
    print(&head)?;
    for row in &rows {
        print(&format!("  {row}\n"))?;
    }
    let due = shown.state.due(shown.policy, shown.at);
    if due.iter().any(|due| due.is_overdue_at(shown.at)) {
        return Err(Halt::Overdue);
    }
    Ok(())
}

fn due_rows(shown: &Shown<'_>, lang: Lang) -> Vec<String> {
    let due = shown.state.due(shown.policy, shown.at).into_iter().map(|due| {
        let overdue = due.is_overdue_at(shown.at);
        let missed = if overdue { pick(lang, "  経過", "  past") } else { "" };
        format!("{}  {}{missed}", due.by, describe(&due.kind, lang))
    });
    due.collect()
}

/// Returns where copies are kept, from the plans that made them.
fn custody(chain: &[Entry]) -> Result<BTreeMap<(Name, Name), String>, Halt> {
    let mut custody = BTreeMap::new();
    for entry in chain {
        for copy in entry.plan()?.copy.into_values() {
            let place = (copy.token.into_inner(), copy.key.into_inner());
            custody.insert(place, copy.kept.into_inner());
        }
    }
    Ok(custody)
}

fn parse_day(text: &str, offset: Offset) -> Result<Instant, Halt> {
    let refused = |error: TimeError| {
        let asked = says!("--at に 2031-04-01 のような日付", "--at with a date such as 2031-04-01");
        Halt::asked(RuleId::S_FORM, asked, error.said(), Bilingual::default())
    };
    let day: Day = text.parse().map_err(refused)?;
    Ok(day.start(offset))
}

fn outside(error: TimeError) -> Halt {
    let asked = says!("1970-01-01 の日時", "the time 1970-01-01");
    Halt::media(RuleId::S_FORM, asked, error.said())
}

fn as_text(shown: &Shown<'_>, signatures: usize, lang: Lang) -> String {
    let (state, policy, at) = (shown.state, shown.policy, shown.at);
    let mut out = String::new();
    if let (Some(genesis), Some(last)) = (&state.genesis, &state.last) {
        let proved = pick(lang, "件の署名を検証した", "signatures verified");
        let and = and(lang);
        out.push_str(&format!(
            "{} ({})\n  {}\n  {} {}{and}{} {} (#{}){and}{signatures} {proved}\n  {} {}\n  {} {at}\n",
            genesis.ca,
            lang.said(&kind(genesis.mode)),
            shown.rests.said(lang),
            pick(lang, "セレモニー", "ceremonies"),
            state.ceremonies.size(),
            pick(lang, "最後は", "the last"),
            last.ceremony,
            last.sequence,
            pick(lang, "記録の最新値", "head"),
            last.predecessor.head,
            pick(lang, "基準時刻", "at")
        ));
    }
    let burned = state.burned.iter();
    let burned =
        burned.map(|(serial, burned)| format!("{} {}", encode(serial), burned.certificate));
    let stopped = state.stopped.keys().map(|order| lang.said(&order_said(*order)).to_string());
    for (title, rows) in [
        (pick(lang, "鍵", "keys"), key_rows(state, policy, at, lang)),
        (pick(lang, "複製と保管", "copies and custody"), copy_rows(shown, lang)),
        (pick(lang, "電子証明書", "certificates"), certificate_rows(state, at, lang)),
        ("CRL", batch_rows(state, at, lang)),
        (
            pick(lang, "各鍵の最後の CRL", "the last CRL of each key"),
            last_crl_rows(state, at, lang),
        ),
        (pick(lang, "使わないこととした番号", "burned serial numbers"), burned.collect()),
        (pick(lang, "停止中", "stopped"), stopped.collect()),
        (pick(lang, "期日", "due"), due_rows(shown, lang)),
    ] {
        if !rows.is_empty() {
            out.push_str(&format!("\n# {title}\n  {}\n", rows.join("\n  ")));
        }
    }
    out
}

fn key_rows(state: &State, policy: &Policy, at: Instant, lang: Lang) -> Vec<String> {
    let keys = state.keys.keys();
    let keys =
        keys.map(|name| format!("{name:<8} {}", describe_key(state, policy, name, at, lang)));
    let remains = state.remains.iter().flat_map(|(token, left)| {
        let said =
            pick(lang, "完了しなかったセレモニーの残存物", "left by a ceremony that did not end");
        left.iter()
            .map(move |(id, key)| format!("{said}: {key}{} {}", token.suffix(), encode(&id.0)))
    });
    keys.chain(remains).collect()
}

/// Lists every copy, with where and by whom it is kept, in the words of the plan that made it.
fn copy_rows(shown: &Shown<'_>, lang: Lang) -> Vec<String> {
    let mut rows = Vec::new();
    for (token, spare) in &shown.state.spares {
        let serial = plain(&spare.serial);
        if spare.copies.is_empty() {
            rows.push(format!("{token} ({serial}): -"));
        }
        for key in &spare.copies {
            let kept = shown.custody.get(&(token.clone(), key.clone()));
            let kept = kept.map_or_else(|| "-".to_string(), |kept| plain(kept));
            let word = pick(lang, "、保管", ", kept");
            rows.push(format!("{token} ({serial}): {key}{word}: {kept}"));
        }
    }
    rows
}

/// Lists until when the handed-out CRLs of each root key reach.
fn last_crl_rows(state: &State, at: Instant, lang: Lang) -> Vec<String> {
    let roots = state.keys.iter().filter(|(_, key)| key.usage == RehearsalUse::Root);
    let row = |(name, _): (&Name, &Key)| {
        let batch = state.last_batch(name, at)?;
        let (crls, (_, ends)) = (batch.crls.get(name)?, batch.covers(name)?);
        let ended = ends <= at && state.run_out(at).any(|(other, _)| other == name);
        let missed = if ended { pick(lang, "  経過", "  past") } else { "" };
        let until = pick(lang, "、期限", ", until");
        let last = crls.last.min(ends).day();
        let over = no_more(state, name, ends, at, lang);
        Some(format!("{name:<8} {last}{until} {ends} ({}){missed}{over}", batch.ceremony))
    };
    roots.filter_map(row).collect()
}

/// Says of a key that no longer signs whether its last CRL reaches the end of what it signed.
fn no_more(state: &State, name: &Name, ends: Instant, at: Instant, lang: Lang) -> String {
    let serves = state.keys.get(name).is_some_and(|key| key.serves_at(at));
    let uncovered = state.signed_until(name).filter(|until| *until >= ends);
    match (serves, uncovered, lang) {
        (true, _, _) => String::new(),
        (false, None, Lang::Ja) => "  これより後の CRL はない".to_string(),
        (false, None, Lang::En) => "  the key signs no more".to_string(),
        (false, Some(until), Lang::Ja) => {
            format!("  これより後の CRL はないが、署名したものは {until} まで有効")
        }
        (false, Some(until), Lang::En) => {
            format!("  the key signs no more; what it signed is valid until {until}")
        }
    }
}

fn certificate_rows(state: &State, at: Instant, lang: Lang) -> Vec<String> {
    let width = match lang {
        Lang::Ja => 26,
        Lang::En => 12,
    };
    let row = |(name, certificate): (&Name, &Certificate)| {
        format!(
            "{name:<24} {} {} – {}  {}",
            padded(lang.said(&certificate.profile.said()), width),
            certificate.not_before.day(),
            certificate.not_after.day(),
            standing(state, certificate, at, lang)
        )
    };
    state.certificates.iter().map(row).collect()
}

fn batch_rows(state: &State, at: Instant, lang: Lang) -> Vec<String> {
    let row = |batch: &Batch| {
        let entries = match batch.entries {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} → {last}"),
        };
        let entries = match lang {
            Lang::Ja => format!("{entries} 件"),
            Lang::En => format!("entries {entries}"),
        };
        let later = if batch.ended_at > at { pick(lang, "  以後", "  later") } else { "" };
        let replaced = superseded(batch, lang);
        format!(
            "{:<28} {} – {}  {}–{}  {entries}{replaced}{later}",
            batch.ceremony.as_str(),
            batch.first().day(),
            batch.last().day(),
            batch.numbers.0,
            batch.numbers.1,
        )
    };
    state.batches.iter().map(row).collect()
}

/// Lists by which ceremonies the CRLs of each key were superseded. Keys are named if one ceremony
/// did not supersede the whole batch.
fn superseded(batch: &Batch, lang: Lang) -> String {
    let mut by: BTreeMap<&Name, Vec<&str>> = BTreeMap::new();
    for (key, crls) in &batch.crls {
        if let Some(ceremony) = &crls.superseded_by {
            by.entry(ceremony).or_default().push(key.as_str());
        }
    }
    let rows = by.iter().map(|(ceremony, keys)| {
        let keys = match (keys.len() == batch.crls.len(), lang) {
            (true, _) => String::new(),
            (false, Lang::Ja) => format!("{} は ", keys.join("、")),
            (false, Lang::En) => format!("{} ", keys.join(", ")),
        };
        match lang {
            Lang::Ja => format!("  {keys}{ceremony} に置き換え"),
            Lang::En => format!("  {keys}superseded by {ceremony}"),
        }
    });
    rows.collect()
}

fn describe_key(state: &State, policy: &Policy, name: &Name, at: Instant, lang: Lang) -> String {
    let Some(key) = state.keys.get(name) else { return String::new() };
    let mut text = format!("{}{}", key.curve.name(), pick(lang, "、生成", " made"));
    text.push_str(&format!(" {}{}", key.made_at, age(key, at, lang)));
    let and = and(lang);
    if key.usage == RehearsalUse::Root
        && key.serves_at(at)
        && let Ok(end) = key.use_ends(policy)
    {
        let days = end.day().days_since(at.day());
        let left = match days >= 0 {
            true => {
                let left = pick(lang, "電子証明書に署名できる期間の残り", "use left:");
                format!("{left} {days} {}", pick(lang, "日", "days"))
            }
            false => pick(lang, "電子証明書に署名できる期間は終わった", "no more certificates")
                .to_string(),
        };
        text.push_str(&format!("{and}{left}"));
    }
    let copied = state.spares.values().any(|spare| spare.copies.contains(name));
    if key.usage == RehearsalUse::Root && key.serves_at(at) && !copied {
        text.push_str(pick(lang, "、検証済みの複製なし", ", no proved copy"));
    }
    if let Some(since) = key.compromised {
        text.push_str(&format!("{and}{} {since}", pick(lang, "危殆化", "compromised")));
    }
    if let Some(since) = key.destroyed {
        text.push_str(&format!("{and}{} {since}", pick(lang, "破棄", "destroyed")));
    }
    if let Some(since) = key.lost {
        text.push_str(&format!(
            "{and}{} {since}",
            pick(lang, "暗号モジュールとともに喪失", "lost with its token")
        ));
    }
    text
}

/// Returns the separator between two facts about the same thing.
const fn and(lang: Lang) -> &'static str {
    pick(lang, "、", ", ")
}

/// Returns the age of a serving key at this time, by the calendar.
fn age(key: &Key, at: Instant, lang: Lang) -> String {
    if key.made_at > at {
        return pick(lang, "、まだない", ", not yet").to_string();
    }
    if !key.serves_at(at) {
        return String::new();
    }
    let (years, days) = key.age_at(at);
    match lang {
        Lang::Ja => format!("、経過 {years} 年 {days} 日"),
        Lang::En => format!(", age {years} years {days} days"),
    }
}

/// What a certificate is worth at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Valid,
    NotYet,
    Ended,
    Withheld,
    Revoked,
}

impl Now {
    fn of(state: &State, certificate: &Certificate, at: Instant) -> Self {
        // A link certificate begins with the old root, long before its key signs it.
        let issuer = state.keys.get(&certificate.issuer);
        let not_yet = certificate.not_before > at || issuer.is_some_and(|key| key.made_at > at);
        match &certificate.standing {
            Standing::Revoked(revoked) if revoked.date <= at => Self::Revoked,
            Standing::Withheld => Self::Withheld,
            Standing::Issued | Standing::Revoked(_) if not_yet => Self::NotYet,
            Standing::Issued | Standing::Revoked(_) if certificate.not_after < at => Self::Ended,
            Standing::Issued | Standing::Revoked(_) => Self::Valid,
        }
    }

    /// As the JSON has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotYet => "not-yet",
            Self::Ended => "ended",
            Self::Withheld => "withheld",
            Self::Revoked => "revoked",
        }
    }
}

fn standing(state: &State, certificate: &Certificate, at: Instant, lang: Lang) -> String {
    let now = Now::of(state, certificate, at);
    let said = match now {
        Now::Valid => pick(lang, "有効", "valid"),
        Now::NotYet => pick(lang, "まだ有効でない", "not yet"),
        Now::Ended => pick(lang, "期間満了", "ended"),
        Now::Withheld => pick(lang, "未交付", "withheld"),
        Now::Revoked => pick(lang, "失効", "revoked"),
    };
    let Some(revoked) = certificate.revoked() else { return said.to_string() };
    let later = match now {
        Now::Revoked => "",
        Now::Valid | Now::NotYet | Now::Ended | Now::Withheld => {
            pick(lang, "、後に失効", ", later revoked")
        }
    };
    format!(
        "{said}{later} {} ({}{}{})",
        revoked.date,
        lang.said(&ground_said(revoked.ground)),
        and(lang),
        revoked.reason.map_or("unspecified", Reason::name)
    )
}

/// What something that the state asks is.
pub(crate) fn describe(kind: &DueKind, lang: Lang) -> String {
    match kind {
        DueKind::Crls => pick(lang, "次の CRL の署名", "the next CRLs are signed").to_string(),
        DueKind::CrlsRunOut(name) => match lang {
            Lang::Ja => format!("{name} の最後の CRL の期限"),
            Lang::En => format!("the last CRL of {name} runs out"),
        },
        DueKind::Renewal(name) => format!("{name} {}", pick(lang, "の更新", "is renewed")),
        DueKind::Rollover(name) => {
            format!("{name} {}", pick(lang, "の後継の計画", "needs a successor"))
        }
        DueKind::RolloverEnds(name) => {
            format!("{name} {}", pick(lang, "の後継の期限", "must have a successor"))
        }
        DueKind::KeyUse(name) => {
            format!("{name} {}", pick(lang, "の署名の期間の終わり", "signs its last certificate"))
        }
        DueKind::RootEnds(name) => {
            format!("{name} {}", pick(lang, "のルート証明書の満了", "has no root any more"))
        }
    }
}
