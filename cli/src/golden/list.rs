//! `pinfold golden list`.

use clap::Args;

use crate::output::{self, Align, Exit, Failure, Table, excerpt};
use crate::pins::LockArgs;

/// List the goldens of the lock file
#[derive(Args)]
#[command(after_help = "Examples:\n  pinfold golden list\n  pinfold golden list --json | jq -r '.[].name'")]
pub struct ListArgs {
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    lock: LockArgs,
}

pub fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let lock = args.lock.open()?;
    let goldens = &lock.lock().goldens;
    if args.json {
        let goldens: Vec<_> = goldens.iter().map(|(name, golden)| super::json(name, golden)).collect();
        output::print_json(&goldens)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("checkpoint", Align::Left),
        ("tokens", Align::Right),
        ("recorded by", Align::Left),
        ("text", Align::Left),
    ]);
    for (name, golden) in goldens {
        let recorded = format!("{} on {}", golden.recorded.runtime, golden.recorded.backend);
        table.row([
            excerpt(name, 80),
            excerpt(&golden.checkpoint, 80),
            golden.expected.tokens.len().to_string(),
            excerpt(&recorded, 60),
            excerpt(&golden.expected.text, 50),
        ]);
    }
    output::print(&table.to_string())?;
    Ok(Exit::Done)
}
