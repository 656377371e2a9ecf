//! The menu of the live image. Messages name a choice by its line in the menu.

use crate::args::Line;
use crate::lang::{Lang, pick};

/// A line of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Begins a ceremony, or goes on with it.
    Hold,
    /// Abandons a ceremony that cannot be sealed.
    Abandon,
    /// Goes on without the journal of one medium.
    Aside,
    /// Sets the clock.
    Clock,
    /// Chooses the keyboard layout.
    Keyboard,
    /// Switches the machine off.
    Off,
}

/// Every choice, in the order of the menu.
const ALL: [Choice; 6] =
    [Choice::Hold, Choice::Abandon, Choice::Aside, Choice::Clock, Choice::Keyboard, Choice::Off];

impl Choice {
    /// Returns the number that people type for the choice.
    const fn number(self) -> &'static str {
        match self {
            Self::Hold => "1",
            Self::Abandon => "2",
            Self::Aside => "3",
            Self::Clock => "4",
            Self::Keyboard => "5",
            Self::Off => "0",
        }
    }

    /// Returns the choice's line in the menu.
    pub(crate) fn named(self, lang: Lang) -> String {
        let name = match self {
            Self::Hold => pick(
                lang,
                "セレモニーを行う(中断したものは続きから)",
                "hold the ceremony, or go on with it",
            ),
            Self::Abandon => pick(
                lang,
                "封印できない記録の値を示す(断念)",
                "show the value of a journal that cannot be sealed, to give it up",
            ),
            Self::Aside => pick(
                lang,
                "片方の媒体の記録を除いて続ける",
                "go on without the journal of one medium",
            ),
            Self::Clock => pick(lang, "時計を合わせる", "set the clock"),
            Self::Keyboard => pick(lang, "キーボードを選ぶ", "choose the keyboard"),
            Self::Off => pick(lang, "電源を切る", "switch off"),
        };
        format!("{}: {name}", self.number())
    }

    /// Whether the choice is available: over a serial line, the layout is set at the other end.
    fn is_on(self, line: Line) -> bool {
        self != Self::Keyboard || line != Line::Serial
    }

    /// Returns the choice for what was typed.
    pub(crate) fn of(typed: &str, line: Line) -> Option<Self> {
        ALL.into_iter().find(|choice| choice.is_on(line) && choice.number() == typed)
    }
}

/// Returns the menu.
pub(crate) fn lines(line: Line, lang: Lang) -> String {
    let shown = ALL.into_iter().filter(|choice| choice.is_on(line));
    shown.map(|choice| format!("\n{}", choice.named(lang))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_menu_is_chosen_by_its_number() {
        for line in [Line::Screen, Line::Console, Line::Serial] {
            for shown in lines(line, Lang::En).trim().lines() {
                let chosen = shown.split(':').next().and_then(|number| Choice::of(number, line));
                assert!(chosen.is_some_and(|choice| choice.named(Lang::En) == shown), "{shown}");
            }
        }
        assert_eq!(Choice::of("5", Line::Serial), None);
        assert_eq!(Choice::of("5", Line::Screen), Some(Choice::Keyboard));
        assert_eq!(Choice::of("6", Line::Screen), None);
    }
}
