//! `gishiki probe`: how a token will answer to a plan, before the day.
//!
//! Everything is asked and judged as in a ceremony, by [`Probe`]; here it is said in words, with
//! what to do where the ceremony would stop.

mod advice;

use std::fmt::Write as _;

use ceremony::fault::Fault;
use ceremony::run::{
    Finding, Life, Outcome, Probe, ProbeAnswer, ProbeRequest, ProbeStep, Run, TokenFlag,
};
use ceremony::token::{Holder, TokenAnswer, TokenIdentity};
use token::Who;

use crate::args;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report::{plain, print};
use crate::review::reviewed_as;
use crate::room;
use crate::secrets::PinSource;
use crate::tokens::Tokens;

/// Asks the tokens of a room, and reports what would stop the ceremony.
pub(crate) fn ask(asked: &args::Probe, lang: Lang) -> Result<(), Halt> {
    let run = |place, mode| match &asked.plan {
        None => Ok(None),
        Some(plan) => {
            let compiled = reviewed_as(plan, asked.ledger.as_deref(), |_| Ok(mode))?;
            let run = Run::imagined(compiled, place);
            run.map(Some).map_err(Halt::Media)
        }
    };
    let mut entered = room::enter(&asked.room, room::Wanted::Tokens)?;
    let run = run(entered.place.clone(), entered.mode)?;
    let probes = match &run {
        None => vec![(Holder::Root, Probe::without_plan(entered.place.token.clone()))],
        Some(run) => of_ceremony(run, if asked.lasting { Life::Lasting } else { Life::Session })?,
    };
    let mut pin = PinSource::of(asked.pin_fd);
    let mut page = String::new();
    let (mut worst, mut whole) = (None, true);
    for (holder, mut probe) in probes {
        let findings = all(&mut entered.tokens, &holder, &mut probe, &mut pin, lang)?;
        page.push_str(&table(&holder, &findings, lang));
        for finding in findings {
            match finding.outcome {
                Outcome::Stops if worst.is_none() => worst = finding.fault,
                Outcome::Untried => whole = false,
                Outcome::Holds | Outcome::Stops => {}
            }
        }
    }
    page.push_str(ending(worst.is_some(), run.is_some(), whole, lang));
    print(&page)?;
    match worst {
        None => Ok(()),
        Some(fault) => Err(Halt::Told(Box::new(Halt::Token(fault)))),
    }
}

/// What it comes to.
const fn ending(stops: bool, planned: bool, whole: bool, lang: Lang) -> &'static str {
    match (stops, planned, whole) {
        (true, ..) => pick(
            lang,
            "✗ の項目でセレモニーは止まります。当日までに直し、もう一度 probe を実行してください。\n",
            "The ceremony will stop at what is marked ✗. Mend it before the day, and probe again.\n",
        ),
        (false, true, true) => pick(
            lang,
            "セレモニーを止めるものは見つかりませんでした。トークンには何も残していません。\n",
            "Nothing was found that stops the ceremony. Nothing is left on the token.\n",
        ),
        (false, true, false) => pick(
            lang,
            "止めるものは見つかりませんでしたが、– の項目は調べられていません。トークンには何も残していません。\n",
            "Nothing was found that stops the ceremony, but what is marked – was not tried. Nothing is left on the token.\n",
        ),
        (false, false, _) => pick(
            lang,
            "計画が示されていないので、ログインの要らない項目だけを調べました。\n",
            "No plan was given: only what needs no login was asked.\n",
        ),
    }
}

/// Makes one probe for each token that takes part in the ceremony.
fn of_ceremony(run: &Run, life: Life) -> Result<Vec<(Holder, Probe)>, Halt> {
    let spares = run.graph().spares().cloned().map(Holder::Spare);
    let holders = std::iter::once(Holder::Root).chain(spares);
    let probe = |holder: Holder| {
        let probe = Probe::of(run.clone(), holder.clone(), life).map_err(Halt::Media)?;
        Ok((holder, probe))
    };
    holders.map(probe).collect()
}

/// Asks every token what `run` needs before anything is begun.
pub(crate) fn before_anyone_enters(tokens: &mut Tokens, run: &Run) -> Result<(), Halt> {
    for (holder, mut probe) in of_ceremony(run, Life::Session)? {
        for step in probe.first_steps() {
            let Some(request) = probe.request(&step) else { continue };
            let answer = tokens.probe(&holder, request)?;
            let finding = probe.take(step, answer);
            // What a token says of wrong PINs is said to people where the PIN is asked for.
            if of_wrong_pins(&finding) {
                continue;
            }
            if let Finding { outcome: Outcome::Stops, fault: Some(fault), .. } = finding {
                return Err(Halt::Token(fault));
            }
        }
    }
    Ok(())
}

fn of_wrong_pins(finding: &Finding) -> bool {
    let Some(Ok(ProbeAnswer::Condition(flags))) = &finding.answer else { return false };
    let lasting = [TokenFlag::WriteProtected, TokenFlag::ErrorState];
    let needed = [TokenFlag::Initialized, TokenFlag::PinInitialized];
    !lasting.iter().any(|flag| flags.contains(flag))
        && needed.iter().all(|flag| flags.contains(flag))
}

/// Performs every step on one token. What the probe made is always removed, whatever has failed.
fn all(
    tokens: &mut Tokens,
    holder: &Holder,
    probe: &mut Probe,
    pin: &mut PinSource,
    lang: Lang,
) -> Result<Vec<Finding>, Halt> {
    let mut findings = Vec::new();
    for step in [probe.first_steps(), probe.steps()].concat() {
        let Some(request) = probe.request(&step) else {
            // Why a pair was refused is only asked where one was.
            if !matches!(step, ProbeStep::Refused(_)) {
                findings.push(Finding {
                    step,
                    outcome: Outcome::Untried,
                    answer: None,
                    fault: None,
                });
            }
            continue;
        };
        if matches!(step, ProbeStep::Login) {
            tokens.hold(pin, holder, Who::User, lang)?;
        }
        if let ProbeRequest::Token(request) = &request {
            tokens.hold_for(pin, holder, request, lang)?;
        }
        let answer = tokens.of(holder)?.probe(request);
        findings.push(probe.take(step, answer));
    }
    Ok(findings)
}

/// Shows the findings of one token, one a line, with advice where one would stop the ceremony.
fn table(holder: &Holder, findings: &[Finding], lang: Lang) -> String {
    let mut page = match holder {
        Holder::Root => pick(lang, "トークン\n", "token\n").to_string(),
        Holder::Spare(name) => format!("{} {name}\n", pick(lang, "予備のトークン", "spare token")),
    };
    for finding in findings {
        if finding.step == ProbeStep::Inventory && is_untried(finding) {
            let nobody = pick(
                lang,
                "  – ログインできないので、ほかは調べていない\n",
                "  – nothing else was tried: nobody is logged in\n",
            );
            return page + nobody;
        }
        let mark = match finding.outcome {
            Outcome::Holds => "✓",
            Outcome::Untried => "–",
            Outcome::Stops => "✗",
        };
        let (ja, en) = name(&finding.step);
        let _ = write!(page, "  {mark} {}", pick(lang, &ja, &en));
        if let Some(seen) = seen(finding, lang) {
            let _ = write!(page, ": {}", plain(&seen));
        }
        page.push('\n');
        if let Some(fault) = &finding.fault {
            page.push_str(&why(finding, fault, lang));
        }
    }
    page
}

fn why(finding: &Finding, fault: &Fault, lang: Lang) -> String {
    let (asked, found) = (pick(lang, "求めたもの", "asked"), pick(lang, "あったもの", "found"));
    let mut why = format!("      {asked}: {} [{}]\n", plain(lang.said(&fault.asked)), fault.rule);
    let what = lang.said(&fault.found);
    let what = if what.is_empty() { pick(lang, "なし", "none") } else { what };
    let _ = writeln!(why, "      {found}: {}", plain(what));
    if let Some((ja, en)) = advice::of(finding, fault) {
        let _ = writeln!(why, "      {}: {}", pick(lang, "対処", "do"), pick(lang, ja, en));
    }
    why
}

/// Returns the step in Japanese and English.
fn name(step: &ProbeStep) -> (String, String) {
    let of = |ja: &str, en: &str| (ja.to_string(), en.to_string());
    match step {
        ProbeStep::Identify => of("トークンの情報とメカニズム", "what it says it is"),
        ProbeStep::Condition => of("状態", "condition"),
        ProbeStep::Copy => of("複製に要るメカニズム", "mechanisms of a copy"),
        ProbeStep::Login => of("ログイン", "login"),
        ProbeStep::Inventory => of("トークン上のオブジェクト", "what is on it"),
        ProbeStep::Head => of("台帳の最新値", "ledger head on it"),
        ProbeStep::Make(key) => (
            format!("`{key}` と同じ属性の試験用の鍵"),
            format!("key pair with the attributes of `{key}`"),
        ),
        ProbeStep::Refused(key) => (
            format!("`{key}` の属性のうち拒まれるもの"),
            format!("attributes of `{key}` that are refused"),
        ),
        ProbeStep::Sign(key) => {
            (format!("`{key}` の鍵による署名"), format!("signature of a key like `{key}`"))
        }
        ProbeStep::ReadValue(key) => {
            (format!("`{key}` の値は読めない"), format!("value of a key like `{key}` is kept"))
        }
        ProbeStep::Wrap(key) => (
            format!("`{key}` は取り出せない(ラップの拒否)"),
            format!("key like `{key}` is not wrapped out"),
        ),
        ProbeStep::Data => of("データオブジェクト", "data object"),
        ProbeStep::Forget => of("調べに使ったものの消去", "what the probe made is gone"),
        ProbeStep::Unchanged => of("調べる前と同じ中身", "what is on it is as before"),
        ProbeStep::Logout => of("ログアウト", "logout"),
    }
}

/// Whether earlier steps have left nothing to ask.
const fn is_untried(finding: &Finding) -> bool {
    matches!(finding.outcome, Outcome::Untried) && finding.fault.is_none()
}

/// Returns the token's answer in words, where it is useful.
fn seen(finding: &Finding, lang: Lang) -> Option<String> {
    let Some(Ok(answer)) = &finding.answer else {
        return is_untried(finding).then(|| pick(lang, "調べていない", "not tried").to_string());
    };
    match answer {
        ProbeAnswer::Condition(flags) => {
            Some(flags.iter().map(|flag| flag.name()).collect::<Vec<_>>().join(", "))
        }
        ProbeAnswer::Token(TokenAnswer::Identity(token)) => {
            let TokenIdentity { serial, label, manufacturer, model, mechanisms, .. } = token;
            let plate = [serial, label, manufacturer, model];
            let shown = plate
                .into_iter()
                .cloned()
                .chain((!mechanisms.is_empty()).then(|| mechanisms.join(", ")));
            Some(shown.collect::<Vec<_>>().join(" · "))
        }
        ProbeAnswer::Token(TokenAnswer::Objects { objects }) => Some(match lang {
            Lang::Ja => format!("{} 個", objects.len()),
            Lang::En => format!("{} objects", objects.len()),
        }),
        ProbeAnswer::Token(TokenAnswer::Denied { code }) => Some(code.clone()),
        ProbeAnswer::CanCopy | ProbeAnswer::Refused { .. } | ProbeAnswer::Token(_) => None,
    }
}
