//! What people and their papers are, where their rules are kept.

use super::{By, Group, When, proved, stated};
use crate::graph::{Act, Graph, PeopleAct, TokenAct};
use crate::rule::RuleId;

const fn calls(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::RollCall { .. }))
}

const fn speaks(act: &Act, _: &Graph) -> bool {
    act.is_of_people()
}

const fn completes(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Complete { .. }))
}

const fn makes_keys(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::Token(TokenAct::Generate { .. }))
}

const fn activates(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Activate))
}

const fn deactivates(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Deactivate))
}

const fn passes(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Entry { .. } | PeopleAct::Exit { .. }))
}

const fn reads_clock(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Clock))
}

pub(super) const GROUPS: &[Group] = &[
    proved(
        When::Always,
        &[
            (
                RuleId::S_PARTICIPANT,
                "参加者は名簿にあり、計画に 1 度だけ現れる",
                "every participant is in the roster, and stands once in the plan",
            ),
            (
                RuleId::S_ROSTER,
                "名簿の組織と役割は、ポリシーにあるものである",
                "every organisation and role of the roster is one of the policy",
            ),
            (
                RuleId::S_DUTY,
                "すべての手順に、必要な人数の担当者がいる",
                "every duty has participants enough to meet it",
            ),
            (
                RuleId::R_OID,
                "ポリシーの識別子は CP/CPS のものである",
                "the policy's identifiers are those of the CP/CPS",
            ),
            (
                RuleId::R_STANDARDS,
                "ポリシーの ISO/IEC 18013-5 の版は CP/CPS のものである",
                "the policy follows the edition of ISO/IEC 18013-5 that the CP/CPS names",
            ),
            (RuleId::S_AUDIT_CURVE, "監査鍵は P-256 である", "the audit key is on P-256"),
        ],
    ),
    stated(
        By::Papers,
        When::Always,
        &[
            (
                RuleId::R_SEPARATE,
                "分離すべき役割を兼ねる者はいない",
                "nobody holds two roles that are kept apart",
            ),
            (
                RuleId::R_STAFF_CREDENTIAL,
                "認証の手段は、業務運用責任者が期限までに登録した",
                "the operations manager enrolled every credential in time",
            ),
            (
                RuleId::R_APPOINT,
                "参加者は承認を受けて任命されている",
                "every participant has an approved appointment",
            ),
            (
                RuleId::R_ENTRY_RIGHT,
                "参加者は入室の権限を与えられている",
                "every participant has a granted right to enter",
            ),
            (
                RuleId::R_TRAINED,
                "参加者は 12 か月以内に教育を受けている",
                "every participant was trained within 12 months",
            ),
            (
                RuleId::R_ELIGIBLE,
                "参加者は経歴の確認を受けている",
                "the background of every participant was checked",
            ),
            (
                RuleId::R_ORGANIZATIONS,
                "ポリシーは双方の組織が承認した",
                "both organisations approved the policy",
            ),
        ],
    ),
    stated(
        By::People,
        When::Did(calls),
        &[
            (
                RuleId::R_ROLES,
                "必要な役割の者がすべて立ち会った",
                "every role that the ceremony needs was present",
            ),
            (
                RuleId::R_AUTHN,
                "各人は自分だけの手段で本人と確認され、参加者だけが答えた",
                "everybody was identified by a credential of their own, and only participants answered",
            ),
            (
                RuleId::R_WITNESS,
                "発行責任者と監査者が立ち会った",
                "issuing officer and auditor witnessed the ceremony",
            ),
        ],
    ),
    stated(
        By::People,
        When::Did(speaks),
        &[
            (
                RuleId::R_MULTI,
                "鍵管理者と操作者は 1 人では行わなかった",
                "custodians and operators did not act alone",
            ),
            (
                RuleId::R_WHO_OPERATES,
                "各手順は担当の役割の者が答えた",
                "each step was answered by people of its own role",
            ),
        ],
    ),
    stated(
        By::People,
        When::DidAll(completes),
        &[(
            RuleId::R_COMPLETE,
            "双方の認証局管理責任者が完了を承認した",
            "the CA managers of both organisations approved the completion",
        )],
    ),
    stated(
        By::People,
        When::Did(makes_keys),
        &[(
            RuleId::R_KEYGEN,
            "鍵は、その回に 2 名以上の鍵管理者が活性化した HSM の中で生成された",
            "every key was made in the HSM while at least two custodians had it active",
        )],
    ),
    stated(
        By::People,
        When::Did(activates),
        &[(
            RuleId::R_ACTIVATE,
            "HSM は 2 名以上の鍵管理者が活性化した",
            "at least two custodians activated the HSM",
        )],
    ),
    stated(
        By::People,
        When::DidAll(deactivates),
        &[(
            RuleId::R_DEACTIVATE,
            "HSM は 2 名以上の鍵管理者が非活性化した",
            "at least two custodians deactivated the HSM",
        )],
    ),
    stated(
        By::People,
        When::DidAll(passes),
        &[(
            RuleId::R_FACILITY,
            "入室と退室のすべてに設備の担当者が立ち会った",
            "facility staff were there at every entry and exit",
        )],
    ),
    proved(
        When::Always,
        &[(
            RuleId::S_TOKEN_POLICY,
            "ポリシーは、安全に関わる属性を省かず、トークンに秘密を持ち込ませない",
            "the policy leaves out no safety attribute, and lets no secret be brought along",
        )],
    ),
    stated(
        By::Papers,
        When::Always,
        &[(
            RuleId::S_HEADS,
            "記録の最新値は、多くとも 64 枚の署名ごとに書き留める",
            "a head is noted on paper after 64 sheets at most",
        )],
    ),
    stated(
        By::People,
        When::Did(reads_clock),
        &[(
            RuleId::R_TIME,
            "装置の時計は 2 名が基準と照合し、差はポリシーの範囲内である",
            "two people compared the clock with a reference, and it was within the policy's limit",
        )],
    ),
];
