//! `pinfold models`: what MODEL may name, beside the path of a file.

use clap::Args;
use pinfold::lock::FilePin;
use pinfold::{Digest, LockFile, Source, Store};
use pinfold_checkpoints::Embedded;
use serde::Serialize;

use crate::output::{self, Align, Exit, Failure, Table, excerpt};
use crate::pins::{LockArgs, StoreArgs};

/// List the checkpoints of the lock file and those that are embedded
#[derive(Args)]
#[command(after_help = "Examples:\n  pinfold models\n  pinfold models --json | jq -r '.[].name'")]
pub struct ModelsArgs {
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    lock: LockArgs,

    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    origin: Origin,
    /// Whether its bytes are on this machine. They are not checked for that.
    here: bool,
    size_bytes: u64,
    sha256: String,
    licence: String,
    summary: String,
}

#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Origin {
    Lock,
    Embedded,
}

pub fn models(args: &ModelsArgs) -> Result<Exit, Failure> {
    let lock = args.lock.find()?;
    let mut entries = match &lock {
        Some(lock) => pinned(lock, &args.store.open()?)?,
        None => Vec::new(),
    };
    // A name of the lock file goes before an embedded one.
    let hidden = |name: &str| entries.iter().any(|entry| entry.name == name);
    let embedded: Vec<_> = pinfold_checkpoints::all()
        .iter()
        .filter(|embedded| !hidden(embedded.name))
        .map(Entry::embedded)
        .collect();
    entries.extend(embedded);
    if args.json {
        output::print_json(&entries)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("size", Align::Right),
        ("sha-256", Align::Left),
        ("licence", Align::Left),
        ("where", Align::Left),
        ("summary", Align::Left),
    ]);
    for entry in entries {
        let place = match (entry.origin, entry.here) {
            (Origin::Embedded, _) => "embedded",
            (Origin::Lock, true) => "here",
            (Origin::Lock, false) => "to be pulled",
        };
        // Enough of the digest to tell two apart; --json has all of it.
        let digest = entry.sha256[..12].to_owned();
        let (name, licence) = (excerpt(&entry.name, 80), excerpt(&entry.licence, 40));
        table.row([name, output::size(entry.size_bytes), digest, licence, place.into(), entry.summary]);
    }
    output::print(&table.to_string())?;
    Ok(Exit::Done)
}

fn pinned(lock: &LockFile, store: &Store) -> Result<Vec<Entry>, Failure> {
    let stored: Vec<_> = store.list()?.into_iter().map(|entry| entry.digest).collect();
    let checkpoints = &lock.lock().checkpoints;
    let entries = checkpoints.iter().map(|(name, pin)| Entry {
        name: name.clone(),
        origin: Origin::Lock,
        here: is_here(&pin.file, lock, &stored),
        size_bytes: pin.file.size,
        sha256: pin.file.sha256.to_string(),
        licence: pin.file.licence.clone(),
        summary: format!(
            "{} {}, {} tokens of context",
            excerpt(&pin.architecture, 40),
            excerpt(&pin.quantization, 40),
            pin.context_length
        ),
    });
    Ok(entries.collect())
}

/// In the store, or where the lock file says that a file is.
fn is_here(pin: &FilePin, lock: &LockFile, stored: &[Digest]) -> bool {
    let stands = |source: &Source| match source {
        Source::File(path) => {
            std::fs::metadata(lock.folder().join(path)).is_ok_and(|facts| facts.len() == pin.size)
        }
        _ => false,
    };
    stored.contains(&pin.sha256) || pin.sources.iter().any(stands)
}

impl Entry {
    fn embedded(embedded: &Embedded) -> Self {
        Self {
            name: embedded.name.into(),
            origin: Origin::Embedded,
            here: true,
            size_bytes: embedded.bytes.len() as u64,
            sha256: embedded.digest().to_string(),
            licence: embedded.licence.into(),
            summary: embedded.summary.into(),
        }
    }
}
