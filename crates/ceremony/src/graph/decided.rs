//! What was decided before a ceremony, a line each: in English in the graph's text, and in the
//! scripts in their language.

use alloc::vec::Vec;

use super::{Graph, Written};
use crate::hex::Digest;
use crate::language::{Bilingual, Sentence, both};
use crate::name::Name;
use crate::plan::{ApplicationKind, Ground, Order};
use crate::says;
use crate::x509::Reason;

impl Graph {
    /// Returns the decisions before the ceremony, a line each: applications, revocations,
    /// compromises, orders, and the plan's reasons.
    #[must_use]
    pub fn decisions(&self) -> Vec<Bilingual> {
        let mut lines = Vec::new();
        if let Some(journal) = &self.abandoned {
            lines.push(says!(
                "前回のセレモニーは封印されなかった。その記録: {journal}",
                "the ceremony before was not sealed; its journal is {journal}"
            ));
        }
        if let Some(recovery) = &self.recovery {
            let (lost, token) = (&recovery.lost, &recovery.token);
            lines.push(says!("ルートのトークンの喪失: {lost}", "the root token was lost: {lost}"));
            lines.push(says!("以後は {token} を用いる", "the token {token} takes its place"));
        }
        for (key, reason) in &self.lost {
            lines.push(says!(
                "喪失 {key}(唯一のトークンとともに): {reason}",
                "lost {key}, with its only token: {reason}"
            ));
        }
        for (name, application) in &self.applications {
            let by: Vec<&str> = application.by.iter().map(Name::as_str).collect();
            let (by, paper) = (by.join(" "), application.paper);
            let kind = of_application(application.kind);
            lines.push(says!(
                kind;
                "申請 {name}: {kind}、申請者 {by}、書類 {paper}",
                "application {name}: {kind} by {by}, paper {paper}"
            ));
            lines.extend(
                application
                    .notification
                    .map(|digest| says!("  届出 {digest}", "  notification {digest}")),
            );
            let request = |(name, digest): (&Name, &Digest)| {
                says!("  発行要求 {name} {digest}", "  request {name} {digest}")
            };
            lines.extend(application.requests.iter().map(request));
        }
        for (key, at) in &self.compromised {
            lines.push(says!("危殆化 {key}(判断 {at})", "compromised {key}, judged at {at}"));
        }
        lines.extend(self.reasons.iter().map(Written::said));
        for revocation in &self.revocations {
            let (name, revoked) = (&revocation.certificate, &revocation.revoked);
            let (date, ground) = (revoked.date, ground_said(revoked.ground));
            let reason = match revoked.reason.map(Reason::name) {
                Some(code) => says!("事由コード {code}", "reason code {code}"),
                None => says!("事由コードなし", "reason code absent"),
            };
            lines.push(says!(
                ground, reason;
                "失効 {name}({date}、事由: {ground}、{reason})",
                "revoked {name} at {date}: {ground}, {reason}"
            ));
        }
        let released = |name: &Name| says!("引渡し {name}", "released {name}");
        lines.extend(self.released.iter().map(released));
        let ordered = |order: &Order| {
            let order = order_said(*order);
            says!(order; "指示 {order}", "ordered {order}")
        };
        lines.extend(self.orders.iter().map(ordered));
        lines
    }
}

impl Written {
    fn said(&self) -> Bilingual {
        match self {
            Self::Key { key, reason } => says!("鍵 {key}: {reason}", "key {key}: {reason}"),
            Self::ResponsePlan { key, version } => {
                says!("緊急時対応計画 {key}: {version}", "response-plan {key}: {version}")
            }
            Self::Copy { name, key, token, kept } => says!(
                "複製 {name}: {key} を {token} へ、保管: {kept}",
                "copy {name}: {key} on {token}, kept: {kept}"
            ),
            Self::Destruction { key, reason } => {
                says!("破棄 {key}: {reason}", "destruction {key}: {reason}")
            }
        }
    }
}

fn of_application(kind: ApplicationKind) -> Bilingual {
    said(both(
        match kind {
            ApplicationKind::Issue => "発行",
            ApplicationKind::Renewal => "更新",
            ApplicationKind::Revocation => "失効",
        },
        kind.name(),
    ))
}

/// Says on which ground a certificate is revoked; without one, the key of its CA is compromised.
#[must_use]
pub fn ground_said(ground: Option<Ground>) -> Bilingual {
    let Some(ground) = ground else {
        return says!("認証局の鍵の危殆化", "the CA's key is compromised");
    };
    said(both(
        match ground {
            Ground::KeyCompromise => "鍵の危殆化",
            Ground::UseStopped => "利用の終了",
            Ground::DataChanged => "記載事項の変更",
            Ground::ContentWrong => "記載内容又は目的の誤り",
            Ground::Breach => "運用規程への違反",
            Ground::Termination => "認証局の終了",
            Ground::Inaccurate => "不正確な記載",
            Ground::Necessary => "必要との判断",
            Ground::Renewal => "更新",
        },
        ground.name(),
    ))
}

/// Says what an order of an emergency is: to stop something, or to resume it.
#[must_use]
pub fn order_said(order: Order) -> Bilingual {
    said(both(
        match order {
            Order::StopDsIssuing => "DS 電子証明書の発行の停止",
            Order::StopApplications => "新規の申請の受付の停止",
            Order::ResumeDsIssuing => "DS 電子証明書の発行の再開",
            Order::ResumeApplications => "新規の申請の受付の再開",
        },
        order.name(),
    ))
}

fn said(words: Sentence) -> Bilingual {
    Bilingual { ja: words.ja.into(), en: words.en.into() }
}
