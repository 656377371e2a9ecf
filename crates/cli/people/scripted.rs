//! Scripted answers for drills: a file that says which questions are not answered as planned.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use ceremony::graph::{Graph, Op};
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::says;
use serde::Deserialize;
use toml::Spanned;

use super::{Asked, Question, Reply, two_of_two_roles};
use crate::files;
use crate::halt::Halt;
use crate::places::place;

/// A file of answers.
///
/// ```toml
/// default = "as-planned"          # every question that is not named below
/// [op.clock]
/// facts = { offset-seconds = "2", reference = "radio clock 7" }
/// [op.complete-j-lis]
/// refuse = "the seal number was misread"
/// ```
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Scripted {
    #[expect(dead_code, reason = "the file has to say that it means the rest to go as planned")]
    default: Default,
    #[serde(default)]
    op: BTreeMap<Spanned<String>, Scene>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Default {
    AsPlanned,
}

/// The answer to one question.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Scene {
    /// The people who answer, instead of the first ones who may.
    by: Option<Vec<Name>>,
    /// Values that replace the planned ones.
    facts: BTreeMap<String, String>,
    /// The reason, if the ceremony is to be stopped here.
    refuse: Option<String>,
    /// A deviation from the script that is stated before the answer.
    deviation: Option<String>,
    /// Whether two people consent if asked, for example to removing an orphan; yes if absent.
    consent: Option<bool>,
}

impl Scripted {
    /// Reads a file of answers for the ceremony of this graph.
    ///
    /// # Errors
    ///
    /// S-FORM, also for an operation that the graph does not have: its answer would never be given.
    pub(crate) fn read(path: &Path, graph: &Graph) -> Result<Self, Halt> {
        let octets = files::read_document(path)?;
        let wrong = |span: Range<usize>, found: Bilingual| {
            let place = place(path, &octets, &span);
            Halt::media(RuleId::S_FORM, says!("{place} の答え", "answers in {place}"), found)
        };
        let text = std::str::from_utf8(&octets).map_err(|error| {
            let found = says!("UTF-8 でないオクテット列", "octets that are not UTF-8");
            wrong(error.valid_up_to()..octets.len(), found)
        })?;
        let answers: Self = toml::from_str(text).map_err(|error| {
            wrong(error.span().unwrap_or_default(), Bilingual::plain(error.message()))
        })?;
        match answers.op.keys().find(|name| graph.op(name.get_ref()).is_none()) {
            None => Ok(answers),
            Some(name) => {
                let found = says!(
                    "`{0}` という手順は、このセレモニーにない(`gishiki graph` が名を示す)",
                    "`{0}`, which is no operation of this ceremony (`gishiki graph` prints their names)",
                    name.get_ref()
                );
                Err(wrong(name.span(), found))
            }
        }
    }

    pub(super) fn ask(&self, question: &Question<'_>) -> Result<Reply, Halt> {
        let mut said = question.as_planned("drill");
        let Some(scene) = self.op.get(question.request.op.name.as_str()) else {
            return Ok(Reply::Said(said));
        };
        if let Some(by) = &scene.by {
            said.by.clone_from(by);
        }
        if let (Some(reason), Asked::First) = (&scene.deviation, question.asked) {
            return Ok(Reply::Deviation { by: said.by, reason: reason.clone() });
        }
        if let Some(reason) = &scene.refuse {
            return Ok(Reply::Refused { by: said.by, reason: reason.clone() });
        }
        said.facts.extend(scene.facts.clone());
        Ok(Reply::Said(said))
    }

    pub(super) fn consent(&self, run: &Run, op: &Op) -> Result<Reply, Halt> {
        let by = two_of_two_roles(run);
        let consent = self.op.get(op.name.as_str()).and_then(|scene| scene.consent).unwrap_or(true);
        if consent {
            return Ok(Reply::Said(ceremony::record::Said { by, facts: BTreeMap::new() }));
        }
        Ok(Reply::Refused { by, reason: "no consent".to_string() })
    }
}
