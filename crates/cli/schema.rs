//! `schema`: the JSON Schemas of the documents that people write, for editors.
//!
//! They are generated from the types that read the documents (`tests/schemas.rs`). **Deliberately
//! absent:** judging by them. What a document may be is decided by its reader.

use clap::ValueEnum as _;

use crate::args::{Document, Schema};
use crate::halt::Halt;
use crate::report::print;

/// What precedes the schema's address in the first line of a document, as Taplo-based editors read
/// it.
const DIRECTIVE: &str = "#:schema ";

/// Prints a schema.
pub(crate) fn show(asked: &Schema) -> Result<(), Halt> {
    let (_, text) = of(asked.document);
    print(text)
}

/// Returns a schema: its file name and its text.
const fn of(document: Document) -> (&'static str, &'static str) {
    macro_rules! schema {
        ($name:literal) => {
            (
                concat!($name, ".schema.json"),
                include_str!(concat!("schemas/", $name, ".schema.json")),
            )
        };
    }
    match document {
        Document::Plan => schema!("plan"),
        Document::Policy => schema!("policy"),
        Document::Roster => schema!("roster"),
        Document::Cps => schema!("cps"),
        Document::Room => schema!("room"),
        Document::Anchor => schema!("anchor"),
        Document::Release => schema!("release"),
    }
}

/// Returns all schemas as files of a CA's folder, where the documents of a new CA name them.
pub(crate) fn files() -> impl Iterator<Item = (String, String)> {
    let all = Document::value_variants().iter().map(|document| of(*document));
    all.map(|(file, text)| (file.to_string(), text.to_string()))
}

/// Returns the first line of a plan, which names the plan's schema in the folder of the policy's
/// schema. Empty if the policy names none.
pub(crate) fn line_of_plan(policy: &str) -> String {
    let ((policy_file, _), (plan_file, _)) = (of(Document::Policy), of(Document::Plan));
    let comments = policy.lines().take_while(|line| line.starts_with('#'));
    let named = comments.filter_map(|line| line.strip_prefix(DIRECTIVE)).next();
    let Some(beside) = named.and_then(|at| at.trim().strip_suffix(policy_file)) else {
        return String::new();
    };
    let is_address = beside.contains("://") || beside.starts_with('/');
    let above = if is_address { "" } else { "../" };
    format!("{DIRECTIVE}{above}{beside}{plan_file}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_the_schema_beside_that_of_its_policy() {
        for (policy, plan) in [
            ("#:schema s/policy.schema.json\n", "#:schema ../s/plan.schema.json\n"),
            ("# x\n#:schema policy.schema.json\n", "#:schema ../plan.schema.json\n"),
            ("#:schema /s/policy.schema.json", "#:schema /s/plan.schema.json\n"),
            ("#:schema http://a.b/policy.schema.json", "#:schema http://a.b/plan.schema.json\n"),
            ("#:schema other.json\n", ""),
            ("format = 1\n#:schema policy.schema.json\n", ""),
        ] {
            assert_eq!(line_of_plan(policy), plan, "{policy}");
        }
    }
}
