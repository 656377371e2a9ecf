//! The sentences of the rules about people and their documents.

use super::{By, Group, When, proved, stated};
use crate::compile::Compiled;
use crate::graph::{Act, Graph, PeopleAct, TokenAct};
use crate::rule::RuleId;
use crate::verify::History;

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
    matches!(
        act,
        Act::People(
            PeopleAct::FirstIn
                | PeopleAct::Entry { .. }
                | PeopleAct::Exit { .. }
                | PeopleAct::LastOut
        )
    )
}

const fn reads_clock(act: &Act, _: &Graph) -> bool {
    matches!(act, Act::People(PeopleAct::Clock))
}

fn has_reserves(compiled: &Compiled) -> bool {
    compiled.graph.has_reserves()
}

const fn is_approved(history: &History) -> bool {
    history.is_approved
}

pub(super) const GROUPS: &[Group] = &[
    proved(
        When::Happened(is_approved),
        &[(
            RuleId::S_APPROVED,
            "計画の承認は、承認すべき者のカードの署名で、期間内のものである。本番では全員のものが揃っている",
            "every approval of the plan is a signature by the card of somebody who must approve it, made in time; in a real ceremony none is missing",
        )],
    ),
    proved(
        When::Planned(has_reserves),
        &[(
            RuleId::S_PRESENT,
            "欠席とされた者は何も述べず、出席した者ですべての人数を満たした",
            "whoever is recorded as absent said nothing, and those who came met every duty",
        )],
    ),
    proved(
        When::Always,
        &[
            (
                RuleId::S_PARTICIPANT,
                "参加者は任命簿にあり、計画に 1 度だけ現れる",
                "every participant is in the roster, and stands once in the plan",
            ),
            (
                RuleId::S_ROSTER,
                "任命簿の組織と役割は、ポリシーにあるものである",
                "every organisation and role of the roster is one of the policy",
            ),
            (
                RuleId::S_REGISTER,
                "前回の任命簿と異なる者は、それまでに任命簿にあった者の署名で登録されている",
                "whoever differs from the roster before was enrolled by the signatures of people who were in it",
            ),
            (
                RuleId::S_DUTY,
                "すべての手順に必要な人数の担当者がおり、どの業務にも行う役割と期日がある",
                "every duty of a ceremony has participants enough, and every other one a role and a date",
            ),
            (
                RuleId::R_OID,
                "ポリシーの識別子は CP/CPS のものである",
                "the policy's identifiers are those of the CP/CPS",
            ),
            (
                RuleId::R_STANDARDS,
                "ポリシーの挙げる規格の版は CP/CPS のものである",
                "the policy names the editions of the standards that the CP/CPS names",
            ),
            (
                RuleId::R_CPS,
                "ポリシーは、この CA だけの要件を満たす",
                "the policy meets the requirements that this CA alone has",
            ),
            (
                RuleId::S_CPS,
                "CP/CPS の要件はどれも判定されるか、満たす場所が書かれ、規則はどれもあるかないかが書かれている",
                "every requirement of the CP/CPS is judged or says where it is met, and every rule is in force or named as absent",
            ),
            (
                RuleId::S_LANGUAGE,
                "役割、組織、業務、要件は CA のすべての言語で書かれている",
                "roles, organisations, duties and requirements are written in each of the CA's languages",
            ),
            (
                RuleId::S_WEAKER,
                "ポリシーと CP/CPS の求めることは前回のセレモニーより少なくない",
                "policy and CP/CPS ask no less than in the ceremony before",
            ),
            (RuleId::S_AUDIT_CURVE, "監査用の鍵は P-256 である", "the audit key is on P-256"),
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
                "認証手段は、定められた役割の者が期限までに登録した",
                "people of the policy's role enrolled every credential in time",
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
                "参加者はポリシーの期間内に教育を受けている",
                "every participant was trained in the time that the policy asks",
            ),
            (
                RuleId::S_TRAINED,
                "参加者はこの計画の手順とプログラムの教育を受けている",
                "every participant was trained on the procedure and program of this plan",
            ),
            (
                RuleId::R_ELIGIBLE,
                "参加者は経歴の確認を受けている",
                "the background of every participant was checked",
            ),
            (
                RuleId::R_ORGANIZATIONS,
                "決定するのは、CP/CPS を承認した組織であり、ポリシーにある",
                "who decides is who approved the CP/CPS, and is in the policy",
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
                "定められた立会人が立ち会った",
                "the witnesses of the policy witnessed the ceremony",
            ),
        ],
    ),
    stated(
        By::People,
        When::Did(speaks),
        &[
            (RuleId::R_MULTI, "操作要員は 1 人では行わなかった", "operators did not act alone"),
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
            "決定するすべての組織が完了を承認した",
            "every deciding organisation approved the completion",
        )],
    ),
    stated(
        By::People,
        When::Did(makes_keys),
        &[(
            RuleId::R_KEYGEN,
            "鍵は、その回に定められた人数で活性化した HSM の中で生成された",
            "every key was made in the HSM while as many as the policy asks had it active",
        )],
    ),
    stated(
        By::People,
        When::Did(activates),
        &[(
            RuleId::R_ACTIVATE,
            "HSM は定められた人数で活性化した",
            "as many as the policy asks activated the HSM",
        )],
    ),
    stated(
        By::People,
        When::DidAll(deactivates),
        &[(
            RuleId::R_DEACTIVATE,
            "HSM は定められた人数で非活性化した",
            "as many as the policy asks deactivated the HSM",
        )],
    ),
    stated(
        By::People,
        When::DidAll(passes),
        &[(
            RuleId::R_FACILITY,
            "入室と退室のすべてに、定められた者が立ち会った",
            "those of the policy stood by at every entry and exit",
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
    proved(
        When::Always,
        &[(
            RuleId::S_PACE,
            "実施時間帯は、ポリシーが見込む時間より短くない",
            "the window is no shorter than the time that the policy reckons with",
        )],
    ),
    stated(
        By::Papers,
        When::Always,
        &[(
            RuleId::S_HEADS,
            "記録の最新値は、多くともポリシーの定める枚数の署名ごとに書き留める",
            "a head is noted on paper after as many sheets at most as the policy says",
        )],
    ),
    stated(
        By::People,
        When::Did(reads_clock),
        &[(
            RuleId::R_TIME,
            "装置の時計は定められた人数が基準と照合し、差はポリシーの範囲内である",
            "as many as the policy asks compared the clock with a reference, and it was within the policy's limit",
        )],
    ),
];
