//! Rules on the time that a policy reckons with.

use toml::Spanned;

use super::Report;
use crate::graph::{Act, Graph};
use crate::inputs::Inputs;
use crate::language::Bilingual;
use crate::pace::Pace;
use crate::rule::RuleId;
use crate::says;
use crate::violation::{Input, Violation};

/// S-PACE: what the policy reckons with are kinds of acts, and seconds that people can take.
pub(super) fn seconds(report: &mut Report<'_>) {
    let pace = &report.inputs.policy.pace;
    let general = [&pace.people, &pace.token, &pace.signature, &pace.head];
    for seconds in general.into_iter().chain(pace.act.values()) {
        if !(1..=7_200).contains(seconds.get_ref()) {
            report.refuse(
                Input::Policy,
                seconds.span(),
                says!("1 から 7200 秒", "1 to 7200 seconds"),
                Bilingual::plain(seconds.get_ref()),
                says!(
                    "前回までの報告書で、かかった時間を見る",
                    "see in the reports of earlier ceremonies how long it took"
                ),
            );
        }
    }
    let unknown = |kind: &str| !Act::KINDS.contains(&kind);
    for (kind, seconds) in pace.act.iter().filter(|(kind, _)| unknown(kind.as_str())) {
        report.refuse(
            Input::Policy,
            seconds.span(),
            says!("graph.txt にある手順の種類", "a kind of operation as in graph.txt"),
            Bilingual::plain(kind),
            {
                let kinds = Act::KINDS.join(" ");
                says!("次のいずれかを書く: {kinds}", "write one of: {kinds}")
            },
        );
    }
}

/// S-PACE: the window is long enough for the time that the policy reckons with.
pub(crate) fn time_for(inputs: &Inputs, graph: &Graph) -> Option<Violation> {
    let window = &inputs.plan.window;
    let (from, until) = graph.window();
    let (asked, found) =
        (Pace::new(&inputs.policy.pace, graph).whole(), (until.unix() - from.unix()) / 60);
    let is_enough = i64::try_from(asked).is_ok_and(|asked| asked <= found);
    (!is_enough).then(|| {
        Violation::at(
            Input::Plan,
            Spanned::span(window),
            RuleId::S_PACE,
            says!(
                "ポリシーの [pace] が見込む {asked} 分以上の実施時間帯",
                "a window of the {asked} minutes or more that [pace] of the policy reckons with"
            ),
            says!("{found} 分", "{found} minutes"),
            says!(
                "実施時間帯を長くする。前回までより早く済むなら [pace] を改める",
                "make the window longer; or change [pace], if earlier ceremonies took less"
            ),
        )
    })
}
