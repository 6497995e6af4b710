//! `pinfold chain`: prompts one after another, with questions to people.

mod backends;
mod check;
mod person;
mod run;
mod values;

use clap::{Args, Subcommand};

use crate::output::{Exit, Failure};

const HELP: &str = "\
A chain is a YAML file beside its prompt files: steps with typed outputs that are passed on. docs/guide/chains.md \
describes it.

Examples:
  pinfold chain check order.chain.yaml
  pinfold chain run order.chain.yaml -v request=\"play some jazz\" --state order.json
  pinfold chain resume order.json --answer '{\"sure\": true}'";

/// Run chains of prompts
#[derive(Args)]
#[command(after_help = HELP)]
pub struct ChainCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Check(check::CheckArgs),
    Run(run::RunArgs),
    Resume(run::ResumeArgs),
}

impl ChainCommand {
    pub fn json(&self) -> bool {
        match &self.action {
            Action::Check(args) => args.json,
            Action::Run(args) => args.json(),
            Action::Resume(args) => args.json(),
        }
    }
}

pub fn chain(command: &ChainCommand) -> Result<Exit, Failure> {
    match &command.action {
        Action::Check(args) => check::check(args),
        Action::Run(args) => run::run(args),
        Action::Resume(args) => run::resume(args),
    }
}
