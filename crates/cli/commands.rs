//! Which file performs which command.

use ceremony::{drawing, script};

use crate::args::Command;
use crate::halt::Halt;
use crate::lang::{Lang, language};
use crate::report::print;
use crate::review::reviewed;
use crate::{
    abandon, activation, approvals, check, completions, diff, drill, duties, live, log, new, probe,
    rehearsals, release, reports, resume, roster, run, schema, state, validate, verdicts,
};

/// Performs a command.
pub(crate) fn perform(command: Command, asked: Option<Lang>, lang: Lang) -> Result<(), Halt> {
    match command {
        Command::New(asked) => new::write(&asked, lang),
        Command::Check(asked) => check::check(&asked, lang),
        Command::Graph(asked) => {
            let graph = reviewed(&asked.planned)?.graph;
            match asked.svg {
                true => print(&drawing::file(&graph, language(lang))),
                false => print(graph.text()),
            }
        }
        Command::Bind(planned) => print(reviewed(&planned)?.bindings.text()),
        Command::Script(asked) => {
            let compiled = reviewed(&asked.planned)?;
            let set = if asked.html { script::page } else { script::render };
            print(&set(&compiled, language(lang)))
        }
        Command::Diff(asked) => diff::show(&asked, lang),
        Command::Rehearse(rehearse) => rehearsals::rehearse(&rehearse, lang),
        Command::Roster(command) => roster::perform(&command, lang),
        Command::Approve(asked) => approvals::approve(&asked, lang),
        Command::Activation(command) => activation::perform(&command, lang),
        Command::Drill(asked) => drill::prepare(&asked, lang),
        Command::Probe(asked) => probe::ask(&asked, lang),
        Command::Run(run) => run::run(&run, lang),
        Command::Resume(resume) => resume::resume(&resume, lang),
        Command::Log(asked) => log::show(&asked, lang),
        Command::State(asked) => state::show(&asked, lang),
        Command::Duties(asked) => duties::perform(&asked, lang),
        Command::Abandon(abandon) => abandon::abandon(&abandon, lang),
        Command::Verify(verify) => verdicts::verify(&verify, lang),
        Command::Report(asked) => reports::write(&asked, lang),
        Command::Release(asked) => release::write(&asked, lang),
        Command::Validate(validate) => validate::say(&validate, lang),
        Command::Schema(asked) => schema::show(&asked),
        Command::Completions(asked) => completions::show(&asked, lang),
        // People choose the language at the terminal; the environment does not decide it.
        Command::Live(line) => live::lead(asked, line.here),
        Command::Screen(line) => live::screen::carry(line.here),
        #[cfg(feature = "image")]
        Command::Image(command) => crate::image::perform(&command, lang),
    }
}
