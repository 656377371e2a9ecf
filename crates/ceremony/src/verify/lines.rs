//! The lines of a book: each is read within its bounds, and compared with what replay gives.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Refusal, refused};
use crate::bounds::{Exceeded, RECORD, RECORDS};
use crate::fault::Fault;
use crate::key::Check;
use crate::record::Record;
use crate::rule::RuleId;
use crate::run::{Run, Step};

/// The lines of a book, with the place of the one at hand.
pub(super) struct Lines<'a> {
    file: &'static str,
    rest: core::str::SplitTerminator<'a, char>,
    line: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(file: &'static str, octets: &'a [u8]) -> Result<Self, Refusal> {
        let text = core::str::from_utf8(octets)
            .map_err(|_| refused(file, Fault::new(RuleId::S_RECORD, "UTF-8", "other octets")))?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(refused(
                file,
                Fault::new(RuleId::S_RECORD, "whole lines", "a torn last line"),
            ));
        }
        let lines = text.bytes().filter(|octet| *octet == b'\n').count();
        RECORDS.judge(lines).map_err(|e| refused(file, over(e)))?;
        Ok(Self { file, rest: text.split_terminator('\n'), line: "", number: 0 })
    }

    pub(super) fn next_record(&mut self) -> Result<Option<Record>, Refusal> {
        let Some(line) = self.rest.next() else { return Ok(None) };
        self.line = line;
        self.number += 1;
        RECORD.judge(line.len()).map_err(|e| self.refuse(over(e)))?;
        let record = Record::read(line);
        record
            .map(Some)
            .map_err(|e| self.refuse(Fault::new(RuleId::S_RECORD, "a record", e.to_string())))
    }

    /// The line that replay gives must be the line that was written.
    pub(super) fn same(&self, step: Step, checks: &mut Vec<Check>) -> Result<Run, Refusal> {
        if step.line.strip_suffix('\n') != Some(self.line) {
            let (asked, found) = (step.line.trim_end(), self.line);
            let fault =
                Fault::new(RuleId::S_RECORD, difference(asked, found), difference(found, asked));
            return Err(self.refuse(fault));
        }
        checks.extend(step.checks);
        Ok(step.run)
    }

    pub(super) fn refuse(&self, fault: Fault) -> Refusal {
        refused(&format!("{} line {}", self.file, self.number), fault)
    }
}

/// More than a book may have.
fn over(exceeded: Exceeded) -> Fault {
    Fault::new(RuleId::S_RECORD, format!("{}", exceeded.bound), exceeded.found())
}

/// How much of a line is shown, in characters: somebody else wrote it.
const SHOWN: usize = 200;

/// A line where it begins to differ from another, with a little before that.
fn difference(line: &str, other: &str) -> String {
    let same = line.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(SHOWN / 4);
    let shown: String = line.chars().skip(from).take(SHOWN).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if line.chars().count() > from + SHOWN { "…" } else { "" };
    format!("{before}{shown}{after}")
}
