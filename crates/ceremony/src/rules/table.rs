//! The table of rules: the one place where the id, clause and sentence of each rule are written.

use super::{Rule, Stage, certificates, crls, keys, plan, policy};
use crate::language::both;
use crate::rule::RuleId;

mod demand;
mod image;
mod life;
mod people;
mod room;

/// The clause of a rule of the CP/CPS: `cps.toml` has it, of each CA its own.
const CPS: &str = "CP/CPS";

const fn rule(
    id: RuleId,
    clause: &'static str,
    stage: Stage,
    must: bool,
    ja: &'static str,
    en: &'static str,
) -> Rule {
    Rule { id, clause, stage, must, sentence: both(ja, en) }
}

/// Returns every rule; a rule that several functions judge has one row for each of them.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    PLAN.iter()
        .chain(demand::DEMAND)
        .chain(life::LIFE)
        .chain(people::PEOPLE)
        .chain(room::ROOM)
        .chain(image::IMAGE)
}

/// The rules on documents and plans.
const PLAN: &[Rule] = &[
    // The form of inputs.
    rule(
        RuleId::S_TEXT,
        "gishiki",
        Stage::Form,
        true,
        "UTF-8・NFC でない、制御文字・双方向文字・見えない文字を含む、または 3 MiB を超えるテキスト",
        "text that is not UTF-8 in NFC, contains control, bidirectional or invisible characters, or is larger than 3 MiB",
    ),
    rule(
        RuleId::S_FORM,
        "gishiki",
        Stage::Form,
        true,
        "TOML でない文書、または未知・重複・欠落・型違いの項目がある文書",
        "a document that is not TOML, or has unknown, duplicate, missing or wrongly typed entries",
    ),
    // The plan.
    rule(
        RuleId::S_AFTER,
        "gishiki",
        Stage::Plan(plan::after),
        true,
        "台帳の最後のセレモニーに続かない計画、または名前が新しくない計画",
        "a plan that does not follow the last ceremony of its ledger, or whose name is not new",
    ),
    rule(
        RuleId::S_SEQUENCE,
        "RFC 5280 5.2.3",
        Stage::Plan(plan::sequence),
        true,
        "以前より大きくない通番、または CRL 番号に収まらない通番",
        "a sequence that is not greater than every earlier one, or does not fit into a CRL number",
    ),
    rule(
        RuleId::S_TOKEN_POLICY,
        "gishiki",
        Stage::Plan(policy::token),
        true,
        "安全に関わる属性の省略や不回答、または秘密の持ち込みを許すポリシー",
        "a policy under which a safety attribute may be left out or unreadable, or the token may already hold a secret",
    ),
    rule(
        RuleId::S_WINDOW,
        "gishiki",
        Stage::Plan(plan::window),
        true,
        "空の、または 24 時間を超える実施時間帯。実施時間帯の外の操作",
        "a window that is empty or longer than 24 hours; an operation outside the window",
    ),
    rule(
        RuleId::R_ONE_DAY,
        CPS,
        Stage::Plan(plan::one_day),
        true,
        "認証局の 1 日に収まらない実施時間帯",
        "a window that is not on one day of the CA",
    ),
    rule(
        RuleId::S_OFFSET,
        "gishiki",
        Stage::Plan(plan::offset),
        true,
        "認証局の時差と異なる時差で書かれた計画またはポリシーの日時。以前のセレモニーと異なる認証局の時差",
        "a time of plan or policy that is not written in the CA's offset; an offset that is not that of the earlier ceremonies",
    ),
    rule(
        RuleId::S_SERIALS,
        "RFC 5280 4.1.2.2",
        Stage::Plan(plan::serials),
        true,
        "明らかに乱数でない(少数のオクテット、繰り返し、数え上げ)、または使用済みの、シリアル番号の種",
        "a seed for serial numbers that is obviously not random (few octets, a block twice, a count), or was used before",
    ),
    rule(
        RuleId::R_CPS_IN_FORCE,
        CPS,
        Stage::Plan(plan::cps_in_force),
        true,
        "CP/CPS の施行期間の外のセレモニー",
        "a ceremony outside the period in which the CP/CPS is in force",
    ),
    rule(
        RuleId::S_KEYS,
        "gishiki",
        Stage::Plan(keys::keys),
        true,
        "ルート鍵として g1 だけを作るのではない最初のセレモニー、または次の世代のルート鍵のほかも作る 2 回目以降のセレモニー",
        "a first ceremony whose root keys are not exactly g1, or a later one that makes more than the next generation's root key",
    ),
    rule(
        RuleId::S_REFERENCE,
        "gishiki",
        Stage::Plan(certificates::references),
        true,
        "計画にも台帳にもない鍵または申請",
        "a reference to a key or an application that is in neither the plan nor the ledger",
    ),
    rule(
        RuleId::R_CERT_KINDS,
        CPS,
        Stage::Plan(certificates::kinds),
        true,
        "記載の過不足により 3 種のいずれでもない証明書",
        "a certificate that is none of the three kinds, because an entry is missing or superfluous",
    ),
    rule(
        RuleId::S_NAME,
        "gishiki",
        Stage::Plan(certificates::said_by_names),
        true,
        "他のものと重なりうる名前のルート証明書、リンク証明書または申請",
        "a root certificate, link certificate or application whose name could also be the name of another one",
    ),
    rule(
        RuleId::R_NO_RENEW,
        CPS,
        Stage::Plan(certificates::one_root_each),
        true,
        "証明書が 2 つある、または 1 つもないルート鍵",
        "a root key with two certificates, or with none",
    ),
    rule(
        RuleId::R_ROOT,
        CPS,
        Stage::Plan(certificates::root_begins),
        true,
        "発行の日に始まらないルート証明書",
        "a root certificate that does not begin on the day of its issue",
    ),
    rule(
        RuleId::R_CRL_CADENCE,
        CPS,
        Stage::Plan(crls::cadence),
        true,
        "CRL がないこと、または次のセレモニーがポリシーの間隔より後であること",
        "a plan without CRLs, or with a next ceremony later than the interval of the policy",
    ),
    rule(
        RuleId::R_CRL_CADENCE,
        CPS,
        Stage::Plan(crls::prompt),
        false,
        "承認からポリシーの期限を過ぎて終わり得る失効、または判断からそのように終わり得る危殆化への対応",
        "a revocation that may end too long after its approval, or a response to a compromise that may end too long after the judgement",
    ),
    rule(
        RuleId::R_CRL_COVER,
        CPS,
        Stage::Plan(crls::covered),
        true,
        "次の CRL が公開される前に切れる CRL",
        "a CRL that ends before the next one is released",
    ),
    rule(
        RuleId::R_CRL_CADENCE,
        CPS,
        Stage::Warn(crls::late),
        false,
        "前回の予定より遅い、または前回の CRL が尽きた後のセレモニー(報告のみ)",
        "a ceremony later than the previous one planned, or after the previous CRLs ran out (only reported)",
    ),
    rule(
        RuleId::S_CRL_BATCH,
        "gishiki",
        Stage::Plan(crls::batch),
        true,
        "ポリシーが認める件数を超える CRL の一括発行",
        "a batch with more CRLs than the policy allows",
    ),
    rule(
        RuleId::S_CRL_BATCH,
        "gishiki",
        Stage::Plan(policy::batch),
        true,
        "鍵ごとに 1024 件を超える CRL の一括発行を認めるポリシー",
        "a policy that allows batches of more than 1024 CRLs of a key",
    ),
    rule(
        RuleId::S_CRL_END,
        "gishiki",
        Stage::Plan(crls::crl_within_root),
        true,
        "鍵のルート証明書より後に終わる CRL",
        "a CRL that ends after the root certificate of the key that signs it",
    ),
    rule(
        RuleId::S_EXCEPTION,
        "gishiki",
        Stage::Plan(plan::exception),
        true,
        "例外を認めない規則への例外、または理由、2 つの役割の承認もしくは先の期限のない例外",
        "an exception to a rule that allows none, or one without a reason, the approval of two roles or an end in the future",
    ),
];
