//! The lines of a journal, transcript or postscript: read within bounds, and compared with replay.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Refusal, refused};
use crate::bounds::{Exceeded, RECORD, RECORDS};
use crate::fault::Fault;
use crate::key::Check;
use crate::language::Bilingual;
use crate::record::{Event, Opened, Record};
use crate::rule::RuleId;
use crate::run::{Run, Step};
use crate::says;

/// The lines of one file, with the number of the current line.
pub(super) struct Lines<'a> {
    file: &'static str,
    rest: core::str::SplitTerminator<'a, char>,
    line: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(file: &'static str, octets: &'a [u8]) -> Result<Self, Refusal> {
        let fault = |asked, found| refused(file, Fault::new(RuleId::S_RECORD, asked, found));
        let text = core::str::from_utf8(octets).map_err(|_| {
            fault(
                Bilingual::plain("UTF-8"),
                says!("UTF-8 でないオクテット", "octets that are not UTF-8"),
            )
        })?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(fault(
                says!("改行で終わる行", "whole lines"),
                says!("途中で切れた最後の行", "a torn last line"),
            ));
        }
        let lines = text.bytes().filter(|octet| *octet == b'\n').count();
        RECORDS.judge(lines).map_err(|e| refused(file, over(e)))?;
        Ok(Self { file, rest: text.split_terminator('\n'), line: "", number: 0 })
    }

    /// Reads the first record, which says what is held.
    pub(super) fn opened(&mut self) -> Result<(Record, Opened), Refusal> {
        let first = self.next_record()?.ok_or_else(|| {
            let asked = says!("記録", "a transcript");
            let found = says!("記録 0 件", "no record");
            refused(self.file, Fault::new(RuleId::S_EMPTY, asked, found))
        })?;
        let Event::Opened(opened) = &first.event else {
            let found = says!("別の種類の記録", "another event");
            let fault = Fault::new(RuleId::S_ORDER, Bilingual::plain("Opened"), found);
            return Err(self.refuse(fault));
        };
        let opened = opened.clone();
        Ok((first, opened))
    }

    pub(super) fn next_record(&mut self) -> Result<Option<Record>, Refusal> {
        let Some(line) = self.rest.next() else { return Ok(None) };
        self.line = line;
        self.number += 1;
        RECORD.judge(line.len()).map_err(|e| self.refuse(over(e)))?;
        let record = Record::read(line);
        record
            .map(Some)
            .map_err(|e| Fault::new(RuleId::S_RECORD, says!("1 件の記録", "a record"), e.said()))
            .map_err(|fault| self.refuse(fault))
    }

    /// Compares the line that replay produced with the current line, and returns the run after it.
    pub(super) fn same(&self, step: Step, checks: &mut Vec<Check>) -> Result<Run, Refusal> {
        if step.line.strip_suffix('\n') != Some(self.line) {
            let (asked, found) = (step.line.trim_end(), self.line);
            let fault =
                Fault::new(RuleId::S_RECORD, difference(asked, found), difference(found, asked));
            return Err(self.refuse(fault));
        }
        let here = place(self.file, self.number);
        checks.extend(step.checks.into_iter().map(|check| check.placed(here.clone())));
        Ok(step.run)
    }

    pub(super) fn refuse(&self, fault: Fault) -> Refusal {
        Refusal { place: place(self.file, self.number), fault }
    }
}

/// The place of a line in a file; lines are counted from 1.
pub(super) fn place(file: &str, line: usize) -> Bilingual {
    says!("{file} の {line} 行目", "{file} line {line}")
}

/// The fault for a file or a line that exceeds its bound.
fn over(exceeded: Exceeded) -> Fault {
    Fault::new(RuleId::S_RECORD, exceeded.bound.said(), exceeded.found())
}

/// The most characters of a line that are shown, because the line is untrusted input.
const SHOWN: usize = 200;

/// The part of a line around the first character that differs from another line.
fn difference(line: &str, other: &str) -> Bilingual {
    let same = line.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(SHOWN / 4);
    let shown: String = line.chars().skip(from).take(SHOWN).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if line.chars().count() > from + SHOWN { "…" } else { "" };
    Bilingual::plain(format_args!("{before}{shown}{after}"))
}
