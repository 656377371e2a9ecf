//! Rules on the batch of CRLs.

use super::Report;
use crate::language::Bilingual;
use crate::plan::{ApplicationKind, ProfileName};
use crate::releases::releases;
use crate::says;
use crate::time::Day;
use crate::violation::Input;

/// R-CRL-CADENCE: the next ceremony is after this one, and within the policy's interval by the
/// calendar (4.9.7, D3).
pub(super) fn cadence(report: &mut Report<'_>) {
    let Some(crls) = &report.inputs.plan.crls else {
        let span = report.inputs.plan.ceremony.span();
        report.refuse(
            Input::Plan,
            span,
            says!("日ごとの CRL の一式", "a batch of CRLs"),
            Bilingual::none(),
            says!(
                "[crls] に次のセレモニーの日を書く",
                "write [crls] with the day of the next ceremony"
            ),
        );
        return;
    };
    let next = &crls.get_ref().next_ceremony;
    let today = report.at().day();
    let interval = report.inputs.policy.crl.interval.get_ref();
    let in_time = |latest: Day| today < *next.get_ref() && *next.get_ref() <= latest;
    let latest = today.plus(interval, 1);
    if !latest.as_ref().is_ok_and(|latest| in_time(*latest)) {
        let (interval, next_day) = (interval.said(), next.get_ref());
        let latest = latest.map_or_else(|error| error.said(), Bilingual::plain);
        report.refuse(
            Input::Plan,
            next.span(),
            says!(
                interval, latest;
                "この回({today})より後、{interval} 以内({latest} まで)の次のセレモニー",
                "a next ceremony after this one of {today}, within {interval}: by {latest}"
            ),
            Bilingual::plain(next_day),
            says!(
                "CRL は遅くともポリシーの crl.interval ごとに発行し直す",
                "CRLs are issued again at every crl.interval of the policy at the latest"
            ),
        );
    }
}

/// R-CRL-CADENCE: an approved revocation or a judged compromise is on a CRL within the time of the
/// policy's `revocation-within` (4.9.7, 4.9.8; D17).
///
/// The CRL is there at the end of the window at the latest, so this end counts, not the beginning.
///
/// After that time an exception states the reason: a late CRL is better than none.
pub(super) fn prompt(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let until = *plan.window.get_ref().until.get_ref();
    let applications = plan.application.iter();
    let revocations =
        applications.filter(|(_, a)| *a.kind.get_ref() == ApplicationKind::Revocation);
    let approved = revocations.map(|(name, application)| {
        let name = name.get_ref();
        (&application.approved.at, says!("{name} の承認", "the approval of {name}"))
    });
    let judged = plan.compromise.iter().map(|(key, compromise)| {
        let key = key.get_ref();
        (&compromise.judged_at, says!("{key} の危殆化の判断", "the judgement on {key}"))
    });
    for (since, what) in approved.chain(judged) {
        let within = report.inputs.policy.crl.revocation_within.get_ref();
        let Ok(latest) = since.get_ref().plus(within) else { continue };
        let within = within.said();
        if until > latest {
            report.refuse(
                Input::Plan,
                since.span(),
                says!(
                    what, within;
                    "{what}から {within}以内、{latest} までに終わるセレモニー",
                    "a ceremony that ends within {within} of {what}, by {latest}"
                ),
                says!("{until} に終わる実施時間帯", "a window that ends at {until}"),
                says!(
                    "早めに行う。もう間に合わなければ、例外に理由を書く",
                    "hold it earlier; if that cannot be done any more, an exception says why"
                ),
            );
        }
    }
}

/// R-CRL-CADENCE: reports a ceremony after the day that the last one planned for it, or after the
/// last CRL has ended (4.9.7).
pub(super) fn late(report: &mut Report<'_>) {
    let Some(batch) = report.state.batches.iter().rev().find(|batch| batch.issued) else { return };
    let at = report.at();
    let ceremony = &batch.ceremony;
    let planned = batch.next_ceremony.filter(|day| at.day() > *day);
    let run_out = report.state.run_out(at).filter(|(_, ends)| *ends <= at);
    let asked = match (run_out.min_by_key(|(_, ends)| *ends), planned) {
        (Some((key, ends)), _) => says!(
            "{key} の最後の CRL が尽きる {ends} より前のセレモニー",
            "a ceremony before the last CRL of {key} runs out, at {ends}"
        ),
        (None, Some(day)) => says!(
            "{ceremony} で予定した {day} までのセレモニー",
            "a ceremony by {day}, as {ceremony} planned it"
        ),
        (None, None) => return,
    };
    report.refuse(
        Input::Plan,
        report.inputs.plan.window.get_ref().from.span(),
        asked,
        Bilingual::plain(at),
        says!(
            "CRL は予定の日までに、最後の CRL が尽きる前に発行し直す",
            "CRLs are issued again by the planned day, before the last one runs out"
        ),
    );
}

/// S-CRL-BATCH: the batch, including spare days, is not larger than the policy allows (D1).
pub(super) fn batch(report: &mut Report<'_>) {
    let Some(crls) = &report.inputs.plan.crls else { return };
    let policy = &report.inputs.policy.crl;
    let next = &crls.get_ref().next_ceremony;
    let most = usize::try_from(*policy.max_batch.get_ref()).unwrap_or(usize::MAX);
    let found = match releases(policy, report.at().day(), *next.get_ref()) {
        Ok(releases) if releases.len() <= most => return,
        Ok(releases) => Bilingual::plain(releases.len()),
        Err(error) => error.said(),
    };
    report.refuse(
        Input::Plan,
        next.span(),
        says!(
            "鍵ごとに {most} 件以下の CRL(ポリシーの crl.max-batch)",
            "at most {most} CRLs for a key (crl.max-batch of the policy)"
        ),
        found,
        says!(
            "次のセレモニーを早めるか、運用規程の許す範囲で crl.max-batch を大きくする",
            "hold the next ceremony earlier, or let crl.max-batch be larger, as far as the CP/CPS allows"
        ),
    );
}

/// R-CRL-COVER: each CRL of the batch is in force until the next one is released at the earliest
/// (4.9.7, 7.2.2).
pub(super) fn covered(report: &mut Report<'_>) {
    let (plan, policy) = (&report.inputs.plan, &report.inputs.policy.crl);
    let Some(crls) = &plan.crls else { return };
    let next = *crls.get_ref().next_ceremony.get_ref();
    let Ok(releases) = releases(policy, report.at().day(), next) else { return };
    let Some(gap) = releases.iter().find(|release| release.next_update < release.next) else {
        return;
    };
    let (this, next) = (gap.this, gap.next);
    report.refuse(
        Input::Policy,
        policy.period.span(),
        says!(
            "{this} の CRL の nextUpdate までに公開される次の CRL",
            "a next CRL that is released before the nextUpdate of the one of {this}"
        ),
        says!(
            "nextUpdate は {}、次の公開は {next}",
            "nextUpdate on {}, the next release on {next}",
            gap.next_update
        ),
        says!(
            "crl.period を crl.validity より長くしない",
            "make crl.period no longer than crl.validity"
        ),
    );
}

/// S-CRL-END: no CRL outlives the root certificate of its key, and those of the latest root have
/// their full length: a batch that would outlive it comes with the next root key.
///
/// The last CRLs of an older key are shorter, so that its root's last second has one too.
pub(super) fn crl_within_root(report: &mut Report<'_>) {
    let (plan, policy) = (&report.inputs.plan, &report.inputs.policy);
    let Some(crls) = &plan.crls else { return };
    let next = &crls.get_ref().next_ceremony;
    let releases = releases(&policy.crl, report.at().day(), *next.get_ref()).unwrap_or_default();
    let Some(end) = releases.last().map(|release| release.next_update) else { return };
    let end = end.start(report.at().offset());
    let made = plan.certificate.values().filter_map(|certificate| {
        let begins = certificate.not_before.as_ref()?.get_ref();
        let root = *certificate.profile.get_ref() == ProfileName::Root;
        root.then(|| begins.plus(policy.root.validity.get_ref()).ok()).flatten()
    });
    let live = report.state.issuing_key();
    let live = live.and_then(|(name, _)| Some(report.state.root_of(name.as_str())?.not_after));
    let latest = made.chain(live).max();
    if latest.is_some_and(|latest| end > latest.plus_seconds(1)) {
        report.refuse(
            Input::Plan,
            next.span(),
            says!(
                "最新の自己署名電子証明書の満了より前に尽きる CRL",
                "CRLs that end before the latest root does"
            ),
            says!("{end} に尽きる最後の CRL", "a last CRL that ends at {end}"),
            says!(
                "次のセレモニーを早めるか、次の世代のルート鍵を生成する",
                "hold the next ceremony earlier, or make the next root key"
            ),
        );
    }
}
