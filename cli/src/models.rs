//! `pinfold models`: the embedded checkpoints.

use clap::Args;
use serde::Serialize;

use crate::output::{self, Align, Exit, Failure, Table};

/// List the embedded checkpoints
#[derive(Args)]
#[command(after_help = "Examples:\n  pinfold models\n  pinfold models --json | jq -r '.[].name'")]
pub struct ModelsArgs {
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    size_bytes: usize,
    sha256: String,
    licence: &'static str,
    summary: &'static str,
}

pub fn models(args: &ModelsArgs) -> Result<Exit, Failure> {
    let entries: Vec<_> = pinfold_checkpoints::all()
        .iter()
        .map(|embedded| Entry {
            name: embedded.name,
            size_bytes: embedded.bytes.len(),
            sha256: embedded.digest().to_string(),
            licence: embedded.licence,
            summary: embedded.summary,
        })
        .collect();
    if args.json {
        output::print_json(&entries)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("size", Align::Right),
        ("sha-256", Align::Left),
        ("licence", Align::Left),
        ("summary", Align::Left),
    ]);
    for entry in entries {
        // Enough of the digest to tell two apart; --json has all of it.
        let digest = entry.sha256[..12].to_owned();
        let size = output::size(entry.size_bytes as u64);
        table.row([entry.name.into(), size, digest, entry.licence.into(), entry.summary.into()]);
    }
    output::print(&table.to_string())?;
    Ok(Exit::Done)
}
