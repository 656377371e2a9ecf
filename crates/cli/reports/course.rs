//! What happened otherwise than planned, at its time; and the plan beside what was done.

use std::collections::BTreeMap;

use ceremony::document::{Block, Column, Text};
use ceremony::graph::Phase;
use ceremony::language::Bilingual;
use ceremony::record::{End, Mode};
use ceremony::run::Run;
use ceremony::says;
use ceremony::time::Instant;
use ceremony::verify::{Happening, What};

use super::{Told, facts, paragraph, table};
use crate::verdicts::account::{counts, gaps, happening, otherwise, stopped_by_itself};
use crate::verdicts::named::step;

/// The time that a ceremony took, in minutes.
pub(super) struct Used {
    /// From the first record to the last.
    minutes: i64,
    /// Of each part, if one session held them all: after an interruption the second part is done
    /// again, within the others.
    parts: Vec<(Phase, i64)>,
}

impl Used {
    /// The time of a whole run; `None` for a rehearsal, whose clock stands still.
    pub(super) fn of(run: &Run) -> Option<Self> {
        if run.opened().mode == Mode::Rehearsal {
            return None;
        }
        let minutes = |from: Instant, until: Instant| (until.unix() - from.unix()) / 60;
        let mut before = run.begun_at();
        let mut parts = Vec::new();
        for phase in Phase::ALL {
            let of_part = run.done_ops().filter(|(op, _)| op.act.phase() == phase);
            let last = match phase {
                // The seal is no operation that is asked: everybody signs the closing record.
                Phase::Seal => run.closed().map(|_| run.ended_at()),
                Phase::Entry | Phase::Opening | Phase::Work | Phase::Postscript => {
                    of_part.map(|(_, at)| at).max()
                }
            };
            let Some(last) = last else { continue };
            parts.push((phase, minutes(before, last)));
            before = last;
        }
        if run.session() > 1 {
            parts.clear();
        }
        Some(Self { minutes: minutes(run.begun_at(), run.last_at()), parts })
    }
}

impl Told {
    /// Everything that happened otherwise than planned; what did not happen is named too.
    pub(super) fn course(&self) -> Vec<Block> {
        let account = &self.facts.account;
        let mut blocks = vec![Block::Part(
            self.pick("計画どおりでなかった出来事", "What went otherwise").into(),
        )];
        let row = |one: &Happening| {
            let number = operation(&one.what).and_then(|op| self.step(op));
            vec![
                Text::plain(self.when(one.at)),
                Text::plain(number.map_or_else(|| "–".to_string(), |number| number.to_string())),
                Text::of(&happening(account, &one.what, self.lang)),
            ]
        };
        let rows: Vec<Vec<Text>> = account.history.happened.iter().map(row).collect();
        if !rows.is_empty() {
            let head = [
                Column::little(self.pick("時刻", "when")),
                Column::little(self.pick("手順", "step")),
                Column::rest(self.pick("出来事", "what")),
            ];
            let caption = self.pick("出来事と、述べた者", "what happened, and who states it");
            blocks.push(table(caption, &head, rows, false));
        }
        blocks.extend(stopped_by_itself(&self.facts, self.lang).map(paragraph));
        let none = counts(&account.history, self.lang).into_iter();
        let none: Vec<&str> = none.filter(|(_, count)| *count == 0).map(|(word, _)| word).collect();
        if !none.is_empty() {
            let none = none.join(self.pick("、", ", "));
            let none = says!("次のものはなかった: {none}。", "Of these there was nothing: {none}.");
            blocks.push(paragraph(self.lang.said(&none)));
        }
        blocks
    }

    /// The plan, and what was done of it.
    pub(super) fn against_the_plan(&self) -> Vec<Block> {
        let mut rows: Vec<(String, Text)> = Vec::new();
        let mut add = |name: &str, told: &Bilingual| {
            rows.push((name.to_string(), Text::of(self.lang.said(told))));
        };
        let (end, steps) = (self.pick("終わり方", "end"), self.pick("手順", "steps"));
        add(
            end,
            &match self.facts.end {
                End::Completed => says!("完了", "completed"),
                End::Aborted => says!("中止", "aborted"),
            },
        );
        let ops = self.compiled.graph.ops();
        let undone: Vec<usize> = ops
            .iter()
            .filter(|op| op.act.phase() != Phase::Seal)
            .filter(|op| !self.done.contains(&op.name))
            .map(|op| op.id.number())
            .collect();
        let all = ops.len();
        add(
            steps,
            &match undone.is_empty() {
                true => says!(
                    "計画した {all} 手順をすべて行った",
                    "all {all} that were planned were done"
                ),
                false => {
                    let (count, numbers) = (undone.len(), ranges(&undone));
                    says!(
                        "計画した {all} 手順のうち {count} 手順を行わなかった: {numbers}",
                        "of {all} that were planned {count} were not done: {numbers}"
                    )
                }
            },
        );
        add(self.pick("所要時間", "time"), &self.time());
        let attempts = self.pick("2 回目以降の試行", "attempts beyond the first");
        for row in self.attempts() {
            add(attempts, &row);
        }
        let otherwise = otherwise(&self.facts, self.lang);
        let name = self.pick("例外・報告・出欠", "exceptions, reports, attendance");
        if otherwise.is_empty() {
            add(name, &Bilingual::nothing());
        }
        for row in otherwise {
            add(name, &Bilingual::plain(row));
        }
        for gap in gaps(&self.facts.state, self.lang) {
            add(self.pick("ここまでの台帳", "the ledger up to here"), &Bilingual::plain(gap));
        }
        let head = [
            Column::little(self.pick("項目", "what")),
            Column::rest(self.pick("計画との関係", "against the plan")),
        ];
        let caption = self.pick("計画と実施", "the plan and what was done");
        vec![
            Block::Part(self.pick("計画との比較", "Against the plan").into()),
            facts(caption, head, rows),
        ]
    }
}

impl Told {
    /// The minutes that the policy reckoned with, and those that were used.
    fn time(&self) -> Bilingual {
        let pace = self.compiled.pace();
        let whole = pace.whole();
        let Some(Used { minutes, parts }) = &self.used else {
            return says!(
                "見込み {whole} 分(リハーサルの時計は進まない)",
                "{whole} minutes reckoned (a rehearsal's clock stands still)"
            );
        };
        let all = says!(
            "見込み {whole} 分、実際 {minutes} 分",
            "{whole} minutes reckoned, {minutes} used"
        );
        let part = |(phase, used): &(Phase, i64)| {
            let (number, reckoned) = (phase.number(), pace.part(*phase));
            says!(
                "第 {number} 部 {reckoned} 分に対し {used} 分",
                "part {number}: {reckoned} reckoned, {used} used"
            )
        };
        parts.iter().map(part).fold(all, |told, part| Bilingual {
            ja: format!("{}。{}", told.ja, part.ja),
            en: format!("{}; {}", told.en, part.en),
        })
    }

    /// The operations that were attempted more than once, each with the reason.
    fn attempts(&self) -> Vec<Bilingual> {
        let lost = self.lost();
        if lost.is_empty() {
            return vec![Bilingual::none()];
        }
        let row = |((number, op), [lost, wrong]): ((usize, &str), [usize; 2])| {
            let total = lost + wrong + 1;
            let op = step(&self.facts.account, op, self.lang);
            let unknown = match lost {
                0 => Bilingual::default(),
                _ => says!("、結果不明 {lost} 回", ", {lost} of them lost"),
            };
            let pin = match wrong {
                0 => Bilingual::default(),
                _ => says!("、PIN の誤り {wrong} 回", ", {wrong} with a wrong PIN"),
            };
            says!(
                unknown, pin;
                "{number}. {op}: 試行 {total} 回{unknown}{pin}",
                "{number}. {op}: {total} attempts{unknown}{pin}"
            )
        };
        lost.into_iter().map(row).collect()
    }

    /// How many attempts of each operation were lost, and how many had a wrong PIN, in the order of
    /// their steps.
    fn lost(&self) -> BTreeMap<(usize, &str), [usize; 2]> {
        let mut attempts = BTreeMap::new();
        for one in &self.facts.account.history.happened {
            if let What::Lost { op, .. } | What::WrongPin { op } = &one.what {
                let number = self.step(op).unwrap_or(0);
                let [lost, wrong] = attempts.entry((number, op.as_str())).or_insert([0, 0]);
                let count = if matches!(one.what, What::WrongPin { .. }) { wrong } else { lost };
                *count += 1;
            }
        }
        attempts
    }
}

/// The operation at which something happened.
fn operation(what: &What) -> Option<&str> {
    match what {
        What::Deviation { op, .. }
        | What::Refused { op, .. }
        | What::WrongPin { op }
        | What::Mistaken { op, .. }
        | What::Lost { op, .. }
        | What::Paused { op, .. }
        | What::Adopted { op }
        | What::Removed { op, .. } => Some(op),
        What::Interrupted { .. } | What::CardFailed { .. } => None,
    }
}

/// Numbers that rise, those that follow each other together: `3, 7–12`.
fn ranges(numbers: &[usize]) -> String {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            Some(_) | None => found.push((*number, *number)),
        }
    }
    let row = |(first, last): (usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}–{last}"),
    };
    found.into_iter().map(row).collect::<Vec<_>>().join(", ")
}
