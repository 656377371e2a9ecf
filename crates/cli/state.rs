//! `state`: what the ceremonies of a ledger have left, for people and as JSON.

use std::collections::BTreeMap;

use ceremony::graph::Holder;
use ceremony::hex::{Octets, encode};
use ceremony::ledger::{Batch, Certificate, Due, DueKind, Key, Spare, Standing, State};
use ceremony::name::Name;
use ceremony::plan::{Ground, Order};
use ceremony::policy::Policy;
use ceremony::rehearsal::RehearsalUse;
use ceremony::time::{Day, Instant};
use ceremony::verify::Trust;
use ceremony::x509::Reason;
use serde_json::{Value, json};

use crate::args::{self, Lang};
use crate::commands::{pick, print};
use crate::exit::Halt;
use crate::ledgers;
use crate::output;

/// Folds a ledger and shows its state at a day.
pub(crate) fn show(asked: &args::State, lang: Lang) -> Result<(), Halt> {
    let chain = ledgers::whole(ledgers::list(&asked.ledger)?, &asked.ledger)?;
    let (state, signatures) = ledgers::fold(&chain, &Trust::None)?;
    let policy = match chain.last() {
        Some(entry) => entry.policy()?,
        None => return Ok(()),
    };
    let at = match &asked.at {
        Some(day) => parse_day(day)?,
        None => state.last.as_ref().map_or(Instant::from_unix(0).map_err(outside)?, |l| l.ended_at),
    };
    if asked.json {
        let text = serde_json::to_string_pretty(&as_json(&state, &policy, at)).unwrap_or_default();
        return print(&(text + "\n"));
    }
    print(&as_text(&state, &policy, at, signatures, lang))
}

fn parse_day(text: &str) -> Result<Instant, Halt> {
    let day: Day = text.parse().map_err(outside)?;
    Ok(day.start())
}

fn outside(error: ceremony::time::TimeError) -> Halt {
    Halt::media("S-FORM", "a date such as 2031-04-01", error.to_string())
}

fn as_text(state: &State, policy: &Policy, at: Instant, signatures: usize, lang: Lang) -> String {
    let mut out = String::new();
    if let (Some(genesis), Some(last)) = (&state.genesis, &state.last) {
        let proved = pick(lang, "件の署名を検証した", "signatures verified");
        out.push_str(&format!(
            "{} ({})\n  {} {}, {} {} (#{}), {signatures} {proved}\n  head {}\n  {} {at}\n",
            genesis.ca,
            output::mode(genesis.mode),
            pick(lang, "セレモニー", "ceremonies"),
            state.ceremonies.size(),
            pick(lang, "最後は", "the last"),
            last.ceremony,
            last.sequence,
            last.predecessor.head,
            pick(lang, "基準時刻", "at")
        ));
    }
    let due = state.due(policy, at).into_iter().map(|due| {
        let missed = if due.by < at { pick(lang, "  経過", "  past") } else { "" };
        format!("{}  {}{missed}", due.by, describe(&due, lang))
    });
    let burned = state.burned.iter();
    let burned =
        burned.map(|(serial, burned)| format!("{} {}", encode(serial), burned.certificate));
    let stopped = state.stopped.keys().map(|order| order.name().to_string());
    for (title, rows) in [
        (pick(lang, "鍵", "keys"), key_rows(state, policy, at, lang)),
        (pick(lang, "電子証明書", "certificates"), certificate_rows(state, at, lang)),
        ("CRL", batch_rows(state, at, lang)),
        (pick(lang, "破棄した番号", "burned serial numbers"), burned.collect()),
        (pick(lang, "停止中", "stopped"), stopped.collect()),
        (pick(lang, "期日", "due"), due.collect()),
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
    let spares = state.spares.iter().map(|(name, spare)| {
        let copies: Vec<String> = spare.copies.iter().map(Name::to_string).collect();
        let copies = if copies.is_empty() { "-".to_string() } else { copies.join(", ") };
        format!("{} {name} ({}): {copies}", pick(lang, "複製", "copies on"), spare.serial)
    });
    let remains = state.remains.iter().flat_map(|(token, left)| {
        let said =
            pick(lang, "完了しなかったセレモニーの残存物", "left by a ceremony that did not end");
        left.iter()
            .map(move |(id, key)| format!("{said}: {key}{} {}", token.suffix(), encode(&id.0)))
    });
    keys.chain(spares).chain(remains).collect()
}

fn certificate_rows(state: &State, at: Instant, lang: Lang) -> Vec<String> {
    let row = |(name, certificate): (&Name, &Certificate)| {
        format!(
            "{name:<24} {:<12} {} – {}  {}",
            certificate.profile.name(),
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
        let later = if batch.first > at { pick(lang, "  以後", "  later") } else { "" };
        let replaced = match (&batch.superseded_by, lang) {
            (None, _) => String::new(),
            (Some(by), Lang::Ja) => format!("  {by} に置き換え"),
            (Some(by), Lang::En) => format!("  superseded by {by}"),
        };
        format!(
            "{:<28} {} – {}  {}–{}  {entries}{replaced}{later}",
            batch.ceremony.as_str(),
            batch.first.day(),
            batch.last.day(),
            batch.numbers.0,
            batch.numbers.1,
        )
    };
    state.batches.iter().map(row).collect()
}

fn describe_key(state: &State, policy: &Policy, name: &Name, at: Instant, lang: Lang) -> String {
    let Some(key) = state.keys.get(name) else { return String::new() };
    let mut text = format!("{} {}", key.curve.name(), pick(lang, "生成", "made"));
    text.push_str(&format!(" {}{}", key.made_at, age(key, at, lang)));
    if key.usage == RehearsalUse::Root
        && key.serves_at(at)
        && let Ok(end) = key.use_ends(policy)
    {
        let days = end.day().days_since(at.day());
        let left = match days >= 0 {
            true => {
                format!("{} {days} {}", pick(lang, "残り", "use left:"), pick(lang, "日", "days"))
            }
            false => pick(lang, "署名の期間は終わった", "no more certificates").to_string(),
        };
        text.push_str(&format!(", {left}"));
    }
    if let Some(since) = key.compromised {
        text.push_str(&format!(", {} {since}", pick(lang, "危殆化", "compromised")));
    }
    if let Some(since) = key.destroyed {
        text.push_str(&format!(", {} {since}", pick(lang, "廃棄", "destroyed")));
    }
    if let Some(since) = key.lost {
        text.push_str(&format!(
            ", {} {since}",
            pick(lang, "暗号モジュールとともに喪失", "lost with its token")
        ));
    }
    text
}

/// How old a key that serves is at this time, by the calendar.
fn age(key: &Key, at: Instant, lang: Lang) -> String {
    if key.made_at > at {
        return pick(lang, ", まだない", ", not yet").to_string();
    }
    if !key.serves_at(at) {
        return String::new();
    }
    let (years, days) = key.age_at(at);
    match lang {
        Lang::Ja => format!(", {years} 年 {days} 日"),
        Lang::En => format!(", age {years} years {days} days"),
    }
}

/// What a certificate is at a time.
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
        "{said}{later} {} ({}, {})",
        revoked.date,
        revoked.ground.map_or("CA", Ground::name),
        revoked.reason.map_or("unspecified", Reason::name)
    )
}

fn describe(due: &Due, lang: Lang) -> String {
    match &due.kind {
        DueKind::Crls => pick(lang, "次の CRL の署名", "the next CRLs are signed").to_string(),
        DueKind::CrlsRunOut => pick(lang, "最後の CRL の期限", "the last CRL runs out").to_string(),
        DueKind::Renewal(name) => format!("{name} {}", pick(lang, "の更新", "is renewed")),
        DueKind::Rollover(name) => {
            format!(
                "{name} {}",
                pick(lang, "の後継の計画(57 か月)", "needs a successor (month 57)")
            )
        }
        DueKind::RolloverEnds(name) => format!(
            "{name} {}",
            pick(lang, "の後継の期限(63 か月)", "must have a successor (month 63)")
        ),
        DueKind::KeyUse(name) => {
            format!("{name} {}", pick(lang, "の署名の期間の終わり", "signs its last certificate"))
        }
        DueKind::RootEnds(name) => {
            format!("{name} {}", pick(lang, "のルート証明書の満了", "has no root any more"))
        }
    }
}

fn as_json(state: &State, policy: &Policy, at: Instant) -> Value {
    let due = state.due(policy, at).into_iter();
    let due = due.map(|due| json!({ "by": due.by.to_string(), "what": describe(&due, Lang::En) }));
    let burned = state.burned.iter();
    let burned = burned.map(|(serial, burned)| {
        json!({ "serial": encode(serial), "certificate": burned.certificate.as_str() })
    });
    json!({
        "at": at.to_string(),
        "ca": state.genesis.as_ref().map(|genesis| genesis.ca.as_str()),
        "mode": state.genesis.as_ref().map(|genesis| output::mode(genesis.mode)),
        "last": state.last.as_ref().map(|last| last.ceremony.as_str()),
        "abandoned": state.last.as_ref().and_then(|last| Some(last.abandoned?.to_string())),
        "head": state.last.as_ref().map(|last| last.predecessor.head.to_string()),
        "keys": keys_as_json(state, policy, at),
        "spares": spares_as_json(state),
        "remains": remains_as_json(state),
        "certificates": certificates_as_json(state, at),
        "crl-batches": batches_as_json(state),
        "burned": burned.collect::<Vec<_>>(),
        "stopped": state.stopped.keys().map(|order| Order::name(*order)).collect::<Vec<_>>(),
        "due": due.collect::<Vec<_>>(),
    })
}

fn keys_as_json(state: &State, policy: &Policy, at: Instant) -> Vec<Value> {
    let key = |(name, key): (&Name, &Key)| {
        json!({
            "name": name.as_str(),
            "curve": key.curve.name(),
            "generation": key.generation,
            "made": key.made_at.to_string(),
            "age-days": key.serves_at(at).then(|| at.day().days_since(key.made_at.day())),
            "serves": key.serves_at(at),
            "spki-sha256": key.public.spki_digest().to_string(),
            "use-ends": key.use_ends(policy).ok().map(|end| end.to_string()),
            "compromised": key.compromised.map(|at| at.to_string()),
            "destroyed": key.destroyed.map(|at| at.to_string()),
            "lost": key.lost.map(|at| at.to_string()),
        })
    };
    state.keys.iter().map(key).collect()
}

fn spares_as_json(state: &State) -> Vec<Value> {
    let spare = |(name, spare): (&Name, &Spare)| {
        let copies: Vec<&str> = spare.copies.iter().map(Name::as_str).collect();
        json!({ "name": name.as_str(), "serial": spare.serial, "copies": copies })
    };
    state.spares.iter().map(spare).collect()
}

fn remains_as_json(state: &State) -> Vec<Value> {
    let of = |(token, left): (&Holder, &BTreeMap<Octets, Name>)| {
        let token = match token {
            Holder::Root => None,
            Holder::Spare(name) => Some(name.to_string()),
        };
        let each = left
            .iter()
            .map(|(id, key)| json!({ "token": token, "id": encode(&id.0), "key": key.as_str() }));
        each.collect::<Vec<_>>()
    };
    state.remains.iter().flat_map(of).collect()
}

fn certificates_as_json(state: &State, at: Instant) -> Vec<Value> {
    let certificate = |(name, certificate): (&Name, &Certificate)| {
        let revoked = certificate.revoked().map(|revoked| {
            json!({
                "date": revoked.date.to_string(),
                "ground": revoked.ground.map(Ground::name),
                "reason": revoked.reason.map(Reason::name),
            })
        });
        json!({
            "name": name.as_str(),
            "profile": certificate.profile.name(),
            "ceremony": certificate.ceremony.as_str(),
            "serial": encode(&certificate.serial),
            "issuer": certificate.issuer.as_str(),
            "not-before": certificate.not_before.to_string(),
            "not-after": certificate.not_after.to_string(),
            "sha256": certificate.digest.to_string(),
            "standing": Now::of(state, certificate, at).name(),
            "withheld": certificate.standing == Standing::Withheld,
            "revoked": revoked,
        })
    };
    state.certificates.iter().map(certificate).collect()
}

fn batches_as_json(state: &State) -> Vec<Value> {
    let batch = |batch: &Batch| {
        json!({
            "ceremony": batch.ceremony.as_str(),
            "first": batch.first.to_string(),
            "last": batch.last.to_string(),
            "covers-until": batch.covers_until.to_string(),
            "numbers": [batch.numbers.0, batch.numbers.1],
            "entries": [batch.entries.0, batch.entries.1],
            "superseded-by": batch.superseded_by.as_ref().map(Name::as_str),
            "issued": batch.issued,
        })
    };
    state.batches.iter().map(batch).collect()
}
