//! Rules on the plan itself: its place in the ledger, its time, its exceptions.

use alloc::vec::Vec;

use super::{Report, Rule, Stage, all};
use crate::language::Bilingual;
use crate::plan::After;
use crate::rule::RuleId;
use crate::says;
use crate::serial;
use crate::time::Instant;
use crate::violation::Input;

/// S-AFTER: a plan follows the last ceremony of the ledger, which it names, or `nothing` for a CA's
/// first, and begins when that ceremony has ended.
pub(super) fn after(report: &mut Report<'_>) {
    let after = &report.inputs.plan.after;
    let last = report.state.last.as_ref();
    let asked = last.map_or("nothing", |last| last.ceremony.as_str());
    let found = match after.get_ref() {
        After::Nothing => "nothing",
        After::Ceremony(name) => name.as_str(),
    };
    if asked != found {
        report.refuse(
            Input::Plan,
            after.span(),
            says!(
                "after = \"{asked}\"(台帳の最後のセレモニー)",
                "after = \"{asked}\", the last ceremony of the ledger"
            ),
            Bilingual::plain(found),
            says!(
                "台帳は分岐しない。台帳の最後のセレモニーの名を書くか、`after` のセレモニーを含む台帳を用いる",
                "a ledger has no forks: name its last ceremony, or bring the ledger that holds it"
            ),
        );
    }
    if let Some(last) = last.filter(|last| report.at() < last.ended_at) {
        report.refuse(
            Input::Plan,
            report.inputs.plan.window.get_ref().from.span(),
            says!(
                "{} の終了({})より後の開始",
                "a beginning after {} ended, at {}",
                last.ceremony,
                last.ended_at
            ),
            Bilingual::plain(report.at()),
            says!("実施を遅らせる", "hold it later"),
        );
    }
    let name = &report.inputs.plan.ceremony;
    if report.state.ceremonies.contains_key(name.get_ref()) {
        report.refuse(
            Input::Plan,
            name.span(),
            says!("台帳のどのセレモニーとも異なる名", "a name that no ceremony of the ledger has"),
            Bilingual::plain(name.get_ref()),
            says!("別の名にする", "choose another"),
        );
    }
}

/// S-SEQUENCE: sequences begin at 1, rise, and leave room in the CRL number.
pub(super) fn sequence(report: &mut Report<'_>) {
    let sequence = &report.inputs.plan.sequence;
    let highest = report.state.ceremonies.values().map(|(_, sequence)| *sequence).max();
    let lowest = highest.map_or(1, |highest| highest.saturating_add(1));
    if !(lowest..=0x7fff_ffff).contains(sequence.get_ref()) {
        report.refuse(
            Input::Plan,
            sequence.span(),
            says!(
                "{lowest} から 2147483647 までの sequence",
                "a sequence from {lowest} to 2147483647"
            ),
            Bilingual::plain(sequence.get_ref()),
            says!(
                "中止したセレモニーも含め、台帳で最大の sequence に続ける",
                "continue from the highest sequence in the ledger, aborted ceremonies included"
            ),
        );
    }
}

/// S-WINDOW: a window begins before it ends, and is no longer than a day.
pub(super) fn window(report: &mut Report<'_>) {
    let (from, until) = ends(report);
    if from >= until || until.unix() - from.unix() > DAY {
        refuse_window(
            report,
            says!(
                "開始が終了より前で、24 時間以内の実施時間帯",
                "a window that begins before it ends, and ends within 24 hours"
            ),
            says!(
                "日付は実施時間帯の開始の日から定まる",
                "dates follow from the day on which the window begins"
            ),
        );
    }
}

/// R-ONE-DAY: a window lies on one day of the CA (D9). Where the CP/CPS has no such requirement it
/// may cross midnight, and what dates follow from is the day on which it begins.
pub(super) fn one_day(report: &mut Report<'_>) {
    let (from, until) = ends(report);
    if from.day() != until.day() {
        let offset = report.offset();
        refuse_window(
            report,
            says!(
                "認証局の同じ日({offset})にある実施時間帯",
                "a window on one day of the CA, at {offset}"
            ),
            says!(
                "鍵の生成と電子証明書の発行は同じ日に行う",
                "a key is generated and certified on one day"
            ),
        );
    }
}

/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// When the window begins and ends, in the CA's offset.
fn ends(report: &Report<'_>) -> (Instant, Instant) {
    let window = report.inputs.plan.window.get_ref();
    (report.at(), window.until.get_ref().at(report.offset()))
}

fn refuse_window(report: &mut Report<'_>, asked: Bilingual, help: Bilingual) {
    let (from, until) = ends(report);
    let found = says!("{from} から {until} まで", "{from} until {until}");
    report.refuse(Input::Plan, report.inputs.plan.window.span(), asked, found, help);
}

/// S-OFFSET: every instant of plan and policy is written in the CA's offset, which never changes.
///
/// So a date that is read is a day of the CA, and no text shows one instant in two ways.
pub(super) fn offset(report: &mut Report<'_>) {
    let offset = report.offset();
    let inputs = report.inputs;
    let place = inputs.policy.ca.offset.span();
    let before = report.state.last.as_ref().map(|last| last.ended_at.offset());
    if let Some(before) = before.filter(|before| *before != offset) {
        report.refuse(
            Input::Policy,
            place,
            says!(
                "offset = \"{before}\"(以前のセレモニーの時差)",
                "offset = \"{before}\", in which the earlier ceremonies counted their days"
            ),
            Bilingual::plain(offset),
            says!("認証局の時差は変えない", "a CA keeps the offset it began with"),
        );
        return;
    }
    let others = inputs.instants.iter().filter(|(_, _, at)| at.offset() != offset);
    let others: Vec<_> = others.collect();
    if others.len() == inputs.instants.len()
        && let Some((_, _, at)) = others.first()
    {
        let found = at.offset();
        report.refuse(
            Input::Policy,
            place,
            says!("日時を書いた時差 {found}", "{found}, in which the times are written"),
            Bilingual::plain(offset),
            says!("`offset` か、すべての日時を正す", "correct `offset`, or every time"),
        );
        return;
    }
    for (input, span, at) in others {
        report.refuse(
            *input,
            span.clone(),
            says!("認証局の時差 {offset} で書いた日時", "a time in the CA's offset, {offset}"),
            Bilingual::plain(at),
            says!("{} と書く", "write {}", at.at(offset)),
        );
    }
}

/// S-SERIALS: the seed of serial numbers comes from a CSPRNG, and from no other ceremony.
pub(super) fn serials(report: &mut Report<'_>) {
    let serials = &report.inputs.plan.serials;
    if let Some(found) = serial::not_random(&serials.get_ref().0) {
        report.refuse(
            Input::Plan,
            serials.span(),
            says!("CSPRNG による 256 ビット", "256 bits from a CSPRNG"),
            found,
            says!("`openssl rand -hex 32` で作る", "take it from `openssl rand -hex 32`"),
        );
    }
    if report.state.seeds.contains(&serials.get_ref().0) {
        report.refuse(
            Input::Plan,
            serials.span(),
            says!(
                "この認証局のどのセレモニーでも使っていない 256 ビット",
                "256 bits that no ceremony of this CA used before"
            ),
            says!("以前のセレモニーのもの", "those of an earlier ceremony"),
            says!(
                "`openssl rand -hex 32` で新たに作る",
                "take new ones from `openssl rand -hex 32`"
            ),
        );
    }
}

/// R-CPS-IN-FORCE: the ceremony lies in the period in which this version of the CP/CPS is in force
/// (1.5.3, 9.10.1).
pub(super) fn cps_in_force(report: &mut Report<'_>) {
    let cps = &report.inputs.cps.document;
    let at = report.at();
    let ended = cps.until.as_ref().is_some_and(|until| at >= *until.get_ref());
    if at < *cps.from.get_ref() || ended {
        let from = cps.from.get_ref();
        let window = report.inputs.plan.window.get_ref().from.span();
        report.refuse(
            Input::Plan,
            window,
            says!(
                "運用規程 {} 版が有効な期間({from} から)のセレモニー",
                "a ceremony while version {} of the CP/CPS is in force, from {from}",
                cps.version.get_ref()
            ),
            Bilingual::plain(at),
            says!(
                "その日に有効な版の運用規程とポリシーを用いる",
                "take the CP/CPS and the policy that are in force on that day"
            ),
        );
    }
}

/// Whether a rule allows an exception: it refuses and is not a `must`. A rule that only reports
/// needs none.
const fn allows_exception(rule: &Rule) -> bool {
    matches!(rule.stage, Stage::Plan(_)) && !rule.must
}

/// S-EXCEPTION: an exception is for a rule that allows one, and has a reason, two approvers of two
/// roles, and an end in the future.
pub(super) fn exception(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let at = report.at();
    for exception in &inputs.plan.exception {
        let rule = exception.rule.get_ref();
        let known = RuleId::of(rule);
        if !all().any(|row| Some(row.id) == known && allows_exception(&row)) {
            let found = known.map_or_else(
                || Bilingual::plain(rule),
                |id| says!("例外を認めない {id}", "{id}, which allows none"),
            );
            report.refuse(
                Input::Plan,
                exception.rule.span(),
                says!("例外を認める規則", "a rule that allows an exception"),
                found,
                says!(
                    "この例外を除き、規則を満たすように計画を改める",
                    "remove the exception; change the plan so that it keeps the rule"
                ),
            );
        }
        if exception.reason.get_ref().trim().is_empty() {
            let (asked, found) = (says!("理由", "a reason"), Bilingual::none());
            let advice = says!("理由を書く", "say why");
            report.refuse(Input::Plan, exception.reason.span(), asked, found, advice);
        }
        if *exception.until.get_ref() <= at {
            report.refuse(
                Input::Plan,
                exception.until.span(),
                says!("{at} より後の期限", "an end after {at}"),
                Bilingual::plain(exception.until.get_ref()),
                says!("期限の切れた例外は効力がない", "an expired exception covers nothing"),
            );
        }
        let mut roles = alloc::collections::BTreeSet::new();
        let mut people = alloc::collections::BTreeSet::new();
        for person in &exception.approved_by {
            let id = person.get_ref();
            let Some(found) = inputs.roster.serving(id.as_str()) else {
                report.refuse(
                    Input::Plan,
                    person.span(),
                    says!("任命簿にある者", "a person of the roster"),
                    Bilingual::plain(id),
                    Bilingual::default(),
                );
                continue;
            };
            people.insert(id);
            roles.extend(found.roles.iter().map(toml::Spanned::get_ref));
        }
        if people.len() < 2 || roles.len() < 2 {
            report.refuse(
                Input::Plan,
                exception.rule.span(),
                says!("役割の異なる承認者 2 名", "two approvers of two roles"),
                says!("承認者 {} 名、役割 {} 種", "{} of {}", people.len(), roles.len()),
                says!("別の役割の者の承認も得る", "let another role approve it too"),
            );
        }
    }
}
