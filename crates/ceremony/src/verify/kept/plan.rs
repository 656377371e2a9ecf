//! The sentences of the rules about plan, ledger and decisions.

use super::{By, Group, When, proved, stated};
use crate::compile::Compiled;
use crate::graph::{Act, Graph, Origin, PeopleAct, TokenAct, Written};
use crate::ledger::Standing;
use crate::plan::{ApplicationKind, Ground, ProfileName};
use crate::record::End;
use crate::rehearsal::RehearsalUse;
use crate::rule::RuleId;
use crate::token::Holder;

fn has_names(compiled: &Compiled) -> bool {
    !compiled.graph.certificates.is_empty() || !compiled.graph.applications.is_empty()
}

fn has_exceptions(compiled: &Compiled) -> bool {
    !compiled.graph.exceptions.is_empty()
}

fn has_withheld(compiled: &Compiled) -> bool {
    compiled.before.withheld().any(|(_, one)| one.standing == Standing::Withheld)
}

fn follows_an_abort(compiled: &Compiled) -> bool {
    compiled.before.ceremonies.values().any(|(end, _)| *end == End::Aborted)
}

fn has_root_keys(compiled: &Compiled) -> bool {
    compiled.before.root_keys().next().is_some()
}

fn follows_an_abandoned(compiled: &Compiled) -> bool {
    compiled.graph.abandoned.is_some()
}

fn has_spares(compiled: &Compiled) -> bool {
    !compiled.graph.spares.is_empty()
}

/// Whether the act makes a root key of generation 2 or later.
fn makes_a_successor(act: &Act, graph: &Graph) -> bool {
    let Act::Token(TokenAct::Generate { key }) = act else { return false };
    graph.key(key).is_some_and(|key| {
        key.usage == RehearsalUse::Root && key.generation > 1 && key.origin == Origin::Here
    })
}

/// Whether the act signs a link certificate.
fn links(act: &Act, graph: &Graph) -> bool {
    let Act::Token(TokenAct::Sign(sheet)) = act else { return false };
    sheet.items.iter().any(|item| {
        let profile = graph.item_name(*item).and_then(|name| graph.profiles.get(name));
        matches!(profile, Some(ProfileName::OldWithNew | ProfileName::NewWithOld))
    })
}

/// Whether the act makes a root key whose predecessor can still be renewed.
///
/// In that case the plan links the two keys, and the new key's day was compared with the end of the
/// old key's certificate.
fn renews_in_time(act: &Act, graph: &Graph) -> bool {
    makes_a_successor(act, graph) && graph.ops.iter().any(|op| links(&op.act, graph))
}

/// Whether the act makes a copy of a key, or signs the CRL that proves a copy.
fn copies(act: &Act, _: &Graph) -> bool {
    if let Act::Token(TokenAct::Sign(sheet)) = act {
        return matches!(sheet.token, Holder::Spare(_));
    }
    matches!(act, Act::Token(TokenAct::Copy { .. } | TokenAct::Inspect { .. }))
}

const fn destroys(act: &Act, _: &Graph) -> bool {
    matches!(
        act,
        Act::People(PeopleAct::ApproveDestruction { .. }) | Act::Token(TokenAct::Destroy { .. })
    )
}

/// Whether the act makes a successor key early, for a reason that the plan gives.
fn renews_early(act: &Act, graph: &Graph) -> bool {
    let early = graph.reasons.iter().any(|reason| matches!(reason, Written::Key { .. }));
    early && makes_a_successor(act, graph)
}

const fn recovers(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::ApproveRecovery { .. }))
}

const fn loses(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::ApproveLoss { .. }))
}

const fn applies(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Application { .. }))
}

/// Whether the act confirms an application of this kind.
fn is_of(act: &Act, graph: &Graph, kind: ApplicationKind) -> bool {
    let Act::People(PeopleAct::Application { application }) = act else { return false };
    graph.applications.get(application).is_some_and(|planned| planned.kind == kind)
}

fn applies_with_request(act: &Act, graph: &Graph) -> bool {
    let Act::People(PeopleAct::Application { application }) = act else { return false };
    graph.applications.get(application).is_some_and(|planned| !planned.requests.is_empty())
}

fn renews(act: &Act, graph: &Graph) -> bool {
    is_of(act, graph, ApplicationKind::Renewal)
}

fn revokes(act: &Act, graph: &Graph) -> bool {
    is_of(act, graph, ApplicationKind::Revocation)
}

fn revokes_compromised(act: &Act, graph: &Graph) -> bool {
    let compromised = |planned: &crate::graph::PlannedRevocation| {
        planned.revoked.ground == Some(Ground::KeyCompromise)
    };
    revokes(act, graph) && graph.revocations.iter().any(compromised)
}

const fn judges(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Compromise { .. }))
}

const fn orders(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Compromise { .. } | PeopleAct::Order { .. }))
}

pub(super) const GROUPS: &[Group] = &[
    proved(
        When::Always,
        &[
            (
                RuleId::S_TEXT,
                "入力は UTF-8・NFC の文書であり、制御文字、双方向文字、見えない文字を含まず、3 MiB 以下である",
                "every input is UTF-8 text in NFC, of at most 3 MiB, without control, bidirectional or invisible characters",
            ),
            (
                RuleId::S_FORM,
                "入力は定められた項目だけを持つ TOML である",
                "every document is TOML with exactly the entries that its format has",
            ),
            (
                RuleId::S_AFTER,
                "計画は台帳の最後のセレモニーに、新しい名前で続く",
                "the plan comes after the last ceremony of its ledger, under a new name",
            ),
            (
                RuleId::S_SEQUENCE,
                "通番は以前より大きく、CRL 番号に収まる",
                "the sequence is higher than any before, and fits into CRL numbers",
            ),
            (
                RuleId::S_WINDOW,
                "実施時間帯は 24 時間以内であり、封印より前の操作はその中で始められた(中止の手続を除く)",
                "the window is no longer than 24 hours, and what comes before the seal was begun in it, but for the end of an aborted ceremony",
            ),
            (
                RuleId::R_ONE_DAY,
                "実施時間帯は認証局の 1 日の中にある",
                "the window lies within one day of the CA",
            ),
            (
                RuleId::S_OFFSET,
                "計画とポリシーの日時はすべて認証局の時差で書かれ、その時差は以前のセレモニーのものである",
                "every time of plan and policy is written in the CA's offset, which is that of the earlier ceremonies",
            ),
            (
                RuleId::S_SERIALS,
                "シリアル番号の種は使われたことがなく、明らかな規則性がない",
                "the seed of serial numbers was never used and is not visibly patterned",
            ),
            (
                RuleId::R_CPS_IN_FORCE,
                "セレモニーの日に CP/CPS は施行されている",
                "the CP/CPS is in force on the day of the ceremony",
            ),
            (
                RuleId::S_KEYS,
                "計画が作るルート鍵は、最初は g1 だけ、その後は次の世代だけである",
                "the plan makes no root key but g1 at first, and the next generation's later",
            ),
            (
                RuleId::S_REFERENCE,
                "計画が挙げる鍵と申請は、計画か台帳にある",
                "every key and application that the plan names is in the plan or the ledger",
            ),
            (
                RuleId::R_DS_KEY_STAYS,
                "入力に秘密鍵は含まれない",
                "there is no private key among the inputs",
            ),
        ],
    ),
    proved(
        When::Planned(has_names),
        &[(
            RuleId::S_NAME,
            "ルート・リンク証明書と申請の名前は、他のものと重ならない",
            "no root, link or application has a name that another thing may have",
        )],
    ),
    proved(
        When::Planned(has_withheld),
        &[(
            RuleId::S_RELEASE,
            "中止したセレモニーの証明書は、交付するか失効させる",
            "every certificate of an aborted ceremony is released or revoked",
        )],
    ),
    proved(
        When::Planned(follows_an_abort),
        &[(
            RuleId::S_KEY_LEFT,
            "中止したセレモニーが残したルート鍵で、証明書のないものを使い続けない",
            "no root key of an aborted ceremony is kept without a certificate",
        )],
    ),
    stated(
        By::Papers,
        When::Planned(has_exceptions),
        &[(
            RuleId::S_EXCEPTION,
            "例外には理由、役割の異なる 2 名の承認、期限があり、許される規則だけに付いている",
            "every exception has a reason, approvers of two roles and an end, and its rule allows one",
        )],
    ),
    proved(
        When::Planned(has_root_keys),
        &[(
            RuleId::R_ROLLOVER,
            "更新の時期を過ぎて後継のないルート鍵はない",
            "no root key that is due for renewal is without a successor",
        )],
    ),
    proved(
        When::Planned(has_root_keys),
        &[
            (
                RuleId::S_SUCCESSOR,
                "次のセレモニーより前に終わる DS 証明書には後継がある",
                "every DS certificate that ends before the next ceremony has a successor",
            ),
            (
                RuleId::S_CRL_GAP,
                "証明書が有効なすべての日に、それに署名した鍵の CRL がある",
                "on every day on which a certificate is valid, the key that signed it has a CRL in force",
            ),
        ],
    ),
    proved(
        When::Always,
        &[(
            RuleId::S_COPY,
            "どのルート鍵にも、別のトークンに証明済みの複製がある",
            "every root key has a proved copy on another token",
        )],
    ),
    proved(
        When::Planned(follows_an_abandoned),
        &[(
            RuleId::S_ABANDONED,
            "封印できなかった前のセレモニーの記録を、計画がダイジェストで挙げている",
            "the plan names by its digest the journal of the ceremony before, which could not be sealed",
        )],
    ),
    proved(
        When::Planned(has_spares),
        &[(
            RuleId::S_SPARE,
            "使われた他のトークンは、計画が挙げるものである",
            "the other tokens in the room are those that the plan names",
        )],
    ),
    proved(
        When::Did(renews_in_time),
        &[(
            RuleId::R_ROLLOVER_LATEST,
            "新しいルート鍵は、ポリシーの期限までに作られた",
            "the new root key was made by the time that the policy sets",
        )],
    ),
    proved(
        When::DidAll(links),
        &[(
            RuleId::R_ROLLOVER_LINK,
            "新しいルート鍵には双方向のリンク証明書がある",
            "the new root key comes with both link certificates",
        )],
    ),
    stated(
        By::Papers,
        When::Did(renews_early),
        &[(
            RuleId::R_ROLLOVER_EARLY,
            "時期より前の鍵更新に、理由とすべての組織の承認がある",
            "the root key was renewed before it was due for a reason, with every approval",
        )],
    ),
    proved(
        When::DidAll(copies),
        &[(
            RuleId::R_BACKUP,
            "複製は許された鍵だけを、まだ持たないトークンに作り、複製が CRL に署名して証明する",
            "only a key that may be copied is copied, to a token without it, and the copy proves itself by a CRL",
        )],
    ),
    stated(
        By::People,
        When::DidAll(recovers),
        &[(
            RuleId::R_RECOVER,
            "喪失したトークンに代わるトークンは、役目のあるすべての鍵の証明済みの複製を持ち、すべての組織が承認した",
            "the token that replaces the lost one has a proved copy of every key with duties, and every approval",
        )],
    ),
    stated(
        By::People,
        When::DidAll(loses),
        &[(
            RuleId::S_LOST,
            "失われたルート鍵に複製はなく、すべての組織が承認し、ほかのルート鍵が後を継いだ",
            "there was no copy of the lost root key, every organisation approved, and another root key goes on",
        )],
    ),
    stated(
        By::People,
        When::DidAll(destroys),
        &[(
            RuleId::R_DESTROY,
            "破棄したルート鍵は、すべての組織が承認し、役目が残っていない",
            "the destroyed root key had every approval and no duties left",
        )],
    ),
    stated(
        By::People,
        When::Did(applies),
        &[
            (
                RuleId::R_EXAMINE,
                "申請は、セレモニーの前に受付、審査、承認の順に扱われ、書類は申請ごとに異なる",
                "every application was received, examined and approved in this order before the ceremony, each on its own paper",
            ),
            (
                RuleId::R_APPROVE,
                "申請は、申請者でない、定められた役割の者が承認した",
                "every application was approved by the policy's role, by somebody who did not apply",
            ),
            (
                RuleId::R_APPLY_DS,
                "申請したのは、申請できる役割の者である",
                "those who applied hold a role that may apply",
            ),
            (
                RuleId::R_APPLY_SAME_ORG,
                "申請者は、ルート認証局を運用する組織に属する",
                "the applicants belong to the organisations that operate the root CA",
            ),
        ],
    ),
    proved(
        When::Did(applies_with_request),
        &[(
            RuleId::R_CSR_INTAKE,
            "証明書要求のダイジェストは、審査されたものと同じである",
            "every request has the digest that was examined",
        )],
    ),
    stated(
        By::People,
        When::Did(revokes),
        &[
            (
                RuleId::R_REVOKE,
                "失効には申請があり、利用者に由来する事由には利用者の届出がある",
                "every revocation has its application, and the subscriber's notification where one is asked",
            ),
            (
                RuleId::R_REVOKE_GROUND,
                "失効の事由は運用規程のものである",
                "every revocation is on a ground of the CP/CPS",
            ),
        ],
    ),
    proved(
        When::Did(revokes),
        &[(
            RuleId::R_REVOKE_TARGET,
            "失効させたのは、この認証局の有効な DS 証明書である",
            "what is revoked is a valid DS certificate of this CA, at its planned time",
        )],
    ),
    stated(
        By::People,
        When::Did(revokes_compromised),
        &[(
            RuleId::R_DS_COMPROMISE,
            "危殆化した DS の失効には、ポリシーの求める組織の同意がある",
            "who must agree by the policy agreed to the revocation of the compromised Document Signer",
        )],
    ),
    stated(
        By::People,
        When::Did(judges),
        &[
            (
                RuleId::R_COMPROMISE_JUDGE,
                "危殆化は、決定するすべての組織の定められた役割の者が判断した",
                "the policy's role of every deciding organisation, and nobody else, judged the compromise",
            ),
            (
                RuleId::R_EMERGENCY,
                "危殆化への対応は緊急時対応計画による",
                "the compromise is handled by the emergency response plan",
            ),
        ],
    ),
    stated(
        By::People,
        When::Did(orders),
        &[(
            RuleId::R_COMPROMISE,
            "危殆化の後の手順は運用規程の順である",
            "the acts after the compromise were in the order of the CP/CPS",
        )],
    ),
    proved(
        When::Did(renews),
        &[
            (
                RuleId::R_RENEW_WHEN,
                "更新されたのは、この回の CRL が尽きる前に満了する有効な DS 証明書で、更新は 1 回だけである",
                "what is renewed is a valid DS certificate in its time, once, by one that ends later",
            ),
            (
                RuleId::R_REKEY,
                "更新の後、古い証明書はポリシーのとおりに扱われる",
                "the renewed certificate is kept or revoked as the policy says",
            ),
        ],
    ),
];
