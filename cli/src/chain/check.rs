//! `pinfold chain check`: what would be refused, without running anything.

use std::path::PathBuf;

use clap::Args;
use pinfold::Chain;
use serde_json::json;

use crate::output::{self, Align, Exit, Failure, Table};

/// Check a chain and its prompts, and list its steps
#[derive(Args)]
#[command(
    after_help = "Examples:\n  pinfold chain check order.chain.yaml\n  pinfold chain check order.chain.yaml --json"
)]
pub struct CheckArgs {
    /// The chain file
    file: PathBuf,

    /// Print one JSON object: steps, input (a JSON schema)
    #[arg(long)]
    pub json: bool,
}

pub fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let chain = Chain::open(&args.file)?;
    if args.json {
        let steps: Vec<_> = chain
            .steps()
            .map(|step| {
                json!({
                    "id": step.id, "prompt": step.prompt, "human": step.human, "backend": step.backend,
                    "model": step.model,
                })
            })
            .collect();
        output::print_json(&json!({ "steps": steps, "input": chain.input_schema() }))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("step", Align::Left),
        ("prompt", Align::Left),
        ("answers", Align::Left),
        ("model", Align::Left),
    ]);
    for step in chain.steps() {
        let answers = if step.human { "a person" } else { step.backend.unwrap_or("the default backend") };
        let model = step.model.filter(|_| !step.human).unwrap_or("-");
        table.row([step.id, step.prompt, answers, model].map(str::to_owned));
    }
    output::print(&table.to_string())?;
    Ok(Exit::Done)
}
