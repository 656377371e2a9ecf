//! Rules on training: how old it may be, and on which procedure it was (5.3.3, 5.3.4).

use alloc::vec::Vec;

use toml::Spanned;

use super::Report;
use super::people::who;
use crate::language::Bilingual;
use crate::policy::Newer;
use crate::roster::Training;
use crate::says;
use crate::violation::Input;

/// R-TRAINED: each participant was trained within the months of the policy (5.3.4), and on this
/// procedure if the policy asks it.
pub(super) fn trained(report: &mut Report<'_>) {
    let months = *report.inputs.policy.training.max_months.get_ref();
    let day = report.at().day();
    for (id, person) in report.who_may_come() {
        if person.trained_within(day, months).next().is_some() {
            continue;
        }
        let trained = &person.trained;
        let last = trained.get_ref().iter().filter(|trained| **trained <= day).max();
        let who = who(id, person);
        report.refuse(
            Input::Roster,
            trained.span(),
            says!(
                who;
                "{day} までの {months} か月以内に {who} が受けた教育訓練",
                "training of {who} within {months} months before {day}"
            ),
            last.map_or_else(Bilingual::none, Bilingual::plain),
            says!("セレモニーの前に教育訓練を受けさせる", "train before the ceremony"),
        );
    }
    judge_procedure(report, Newer::Refuse);
}

/// S-TRAINED: reports each participant whose training was on another procedure (5.3.3).
pub(super) fn procedure(report: &mut Report<'_>) {
    judge_procedure(report, Newer::Report);
}

/// Names everybody who was trained, but on another procedure or program than those of this plan, if
/// the policy asks this of such a plan.
fn judge_procedure(report: &mut Report<'_>, asked: Newer) {
    let inputs = report.inputs;
    let training = &inputs.policy.training;
    if training.newer != asked {
        return;
    }
    let (day, procedure) = (report.at().day(), inputs.procedure());
    let tool = inputs.release.as_ref().map(|release| release.tool.get_ref());
    let is_same = |one: &Training| {
        let with = one.tool.as_ref().map(Spanned::get_ref);
        *one.procedure.get_ref() == procedure && (tool.is_none() || with == tool)
    };
    let taught = inputs.roster.training.iter().filter(|one| is_same(one));
    let taught: Vec<_> = taught.map(|one| *one.day.get_ref()).collect();
    let mut people = Vec::new();
    let mut span = 0..0;
    for (id, person) in report.who_may_come() {
        let mut days = person.trained_within(day, *training.max_months.get_ref()).peekable();
        // Whoever was not trained at all is refused by R-TRAINED.
        if days.peek().is_some() && !days.any(|day| taught.contains(&day)) {
            people.push(id.as_str());
            span = person.trained.span();
        }
    }
    if people.is_empty() {
        return;
    }
    let people = people.join(", ");
    let on = tool.map_or_else(
        || Bilingual::plain(procedure),
        |tool| says!("{procedure}、プログラム {tool}", "{procedure}, with the program {tool}"),
    );
    report.refuse(
        Input::Roster,
        span,
        says!(on; "手順 {on} についての {people} の教育訓練", "training of {people} on the procedure {on}"),
        says!("別の手順か、手順の記載のない教育訓練", "training on another procedure, or that names none"),
        says!(
            "CP/CPS、ポリシー又はプログラムが変わった。教育訓練を行い、その日と手順を roster.toml の [[training]] に書く",
            "CP/CPS, policy or program have changed: train, and name day and procedure in [[training]] of roster.toml"
        ),
    );
}
