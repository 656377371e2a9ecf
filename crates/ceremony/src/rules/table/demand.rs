//! Rules that are nothing but demands of a CP/CPS on the policy, and the rules on those demands.

use super::{CPS, rule};
use crate::rule::RuleId;
use crate::rules::{Rule, Stage, demands, weaker};

const fn demand(id: RuleId, ja: &'static str, en: &'static str) -> Rule {
    rule(id, CPS, Stage::Demand, true, ja, en)
}

/// Every rule that a CP/CPS fills with its own demands.
pub(super) const DEMAND: &[Rule] = &[
    rule(
        RuleId::S_CPS,
        "gishiki",
        Stage::Plan(demands::complete),
        true,
        "何も判定しない要件、または CP/CPS が持つとも持たないとも書かれていない規則",
        "a requirement by which nothing is judged, or a rule that the CP/CPS neither has nor names as absent",
    ),
    rule(
        RuleId::S_WEAKER,
        "gishiki",
        Stage::Warn(weaker::weaker),
        false,
        "前回のセレモニーより求めることの少ないポリシー又は CP/CPS(報告のみ)",
        "a policy or CP/CPS that asks less than in the ceremony before (only reported)",
    ),
    rule(
        RuleId::S_DOCUMENT,
        "gishiki",
        Stage::Edge,
        true,
        "cps.toml が示すものと異なる CP/CPS の文書",
        "a CP/CPS document that is not the one that cps.toml names",
    ),
    demand(
        RuleId::R_CPS,
        "この CA だけの要件を満たさないポリシー",
        "a policy that does not meet a requirement that this CA alone has",
    ),
    demand(
        RuleId::R_OID,
        "異なるポリシー識別子",
        "policy identifiers that differ from those of the CP/CPS",
    ),
    demand(
        RuleId::R_STANDARDS,
        "異なる版の規格",
        "an edition of a standard that differs from that of the CP/CPS",
    ),
    demand(
        RuleId::R_COMPLETE,
        "完了を承認する者を欠くポリシー",
        "a policy without the people who approve the completion",
    ),
    demand(RuleId::R_WITNESS, "立会人を欠くポリシー", "a policy without the witnesses of an act"),
    demand(
        RuleId::R_WHO_OPERATES,
        "別の役割に割り当てた手順。別の役割の者による回答",
        "a step that is assigned to the wrong role; an answer by a person of the wrong role",
    ),
    demand(
        RuleId::R_KEYGEN,
        "人数の足りない鍵の生成を認めるポリシー",
        "a policy that allows a key generation by too few people",
    ),
    demand(
        RuleId::R_ACTIVATE,
        "人数の足りない活性化を認めるポリシー",
        "a policy that allows an activation by too few people",
    ),
    demand(
        RuleId::R_DEACTIVATE,
        "人数の足りない非活性化を認めるポリシー",
        "a policy that allows a deactivation by too few people",
    ),
    demand(
        RuleId::R_FACILITY,
        "付き添いのない入室または退室を認めるポリシー",
        "a policy that allows an entry or exit without an escort",
    ),
    demand(
        RuleId::R_TIME,
        "誤差の大きい時計、または 1 名だけが読む時計を認めるポリシー。誤差の大きい時計",
        "a policy that allows a clock that is far off, or that one person alone reads; a clock that is off by more than the policy allows",
    ),
];
