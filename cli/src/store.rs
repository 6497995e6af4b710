//! `pinfold store`: what is on this machine.

mod list;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pinfold::store::{Entry, StoreWatch};
use pinfold::{Check, Digest, Store};
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::output::{self, Align, Exit, Failure, Table, quoted, short, size};
use crate::pins::{self, LockArgs, QuotaArgs, StoreArgs};
use crate::progress::Bar;

const HELP: &str = "\
The store is a folder that all programs of a user share: each file is there once, under its SHA-256. WHICH is a name \
in the lock file, or the digest or at least 8 of its first digits, as `pinfold store list` shows it.

Examples:
  pinfold store list
  pinfold store verify
  pinfold store gc --dry-run
  pinfold store remove tiny
  pinfold store import model.gguf
  llama-cli -m \"$(pinfold store path tiny)\"";

/// See what the pinned files take on this machine, check and remove them
#[derive(Args)]
#[command(after_help = HELP)]
pub struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the files
    #[command(
        after_help = "Examples:\n  pinfold store list\n  pinfold store list --json | jq '.[].size_bytes'"
    )]
    List(Common),

    /// Hash the files, and name those whose bytes were changed (exit code 5)
    #[command(after_help = "Examples:\n  pinfold store verify\n  pinfold store verify tiny 3f2a90bc")]
    Verify(Several),

    /// Remove files; what a lock file pins can be pulled again
    #[command(after_help = "Examples:\n  pinfold store remove tiny\n  pinfold store remove 3f2a90bc")]
    Remove(OneOrMore),

    /// Remove what no known lock file pins, and what is left of downloads
    #[command(after_help = GC_HELP)]
    Gc(GcArgs),

    /// Print the folder of the store, or the path of a file in it
    #[command(after_help = "Examples:\n  pinfold store path\n  llama-cli -m \"$(pinfold store path tiny)\"")]
    Path(PathArgs),

    /// Copy a file into the store, and print its digest
    #[command(after_help = "Examples:\n  pinfold store import model.gguf --quota 20GiB")]
    Import(ImportArgs),
}

const GC_HELP: &str = "\
A lock file is known once `pinfold pull` or `pinfold pin` was run with it, as long as it exists. Where one cannot be \
read, nothing is removed.

Examples:
  pinfold store gc --dry-run
  pinfold store gc --json | jq .freed_bytes";

#[derive(Args)]
struct Common {
    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    lock: LockArgs,

    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Args)]
struct Several {
    /// Names or digests; without any, all files
    which: Vec<String>,

    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct OneOrMore {
    /// Names or digests
    #[arg(required = true)]
    which: Vec<String>,

    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct GcArgs {
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct PathArgs {
    /// A name or a digest
    which: Option<String>,

    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct ImportArgs {
    file: PathBuf,

    /// Refuse the file if it has another digest
    #[arg(long, value_name = "HEX")]
    sha256: Option<Digest>,

    #[command(flatten)]
    quota: QuotaArgs,

    #[command(flatten)]
    common: Common,
}

impl StoreCommand {
    fn common(&self) -> &Common {
        match &self.action {
            Action::List(common) => common,
            Action::Verify(args) => &args.common,
            Action::Remove(args) => &args.common,
            Action::Gc(args) => &args.common,
            Action::Path(args) => &args.common,
            Action::Import(args) => &args.common,
        }
    }

    pub fn json(&self) -> bool {
        self.common().json
    }
}

pub fn store(command: &StoreCommand) -> Result<Exit, Failure> {
    let interrupt = Interrupt::install(true)?;
    let Common { json, lock, store } = command.common();
    let store = match &command.action {
        Action::Import(args) => store.open_within(&args.quota)?,
        _ => store.open()?,
    };
    let opened = Opened { json: *json, lock, store };
    match &command.action {
        Action::List(_) => list::list(&opened.store, *json),
        Action::Verify(args) => opened.verify(&args.which, &interrupt),
        Action::Remove(args) => opened.remove(&args.which),
        Action::Gc(args) => opened.collect(args.dry_run),
        Action::Path(args) => opened.path(args.which.as_deref()),
        Action::Import(args) => opened.import(args, &interrupt),
    }
}

struct Opened<'a> {
    json: bool,
    lock: &'a LockArgs,
    store: Store,
}

#[derive(Serialize)]
struct Damaged {
    sha256: String,
    path: PathBuf,
    found_sha256: String,
}

#[derive(Serialize)]
struct Removed {
    sha256: String,
    size_bytes: u64,
}

impl Removed {
    fn new(entry: &Entry) -> Self {
        Self { sha256: entry.digest.to_string(), size_bytes: entry.size }
    }
}

fn not_in_store(word: &str, digest: Digest) -> Failure {
    let message = format!("{} ({}) is not in the store", quoted(word), short(&digest));
    Failure::new(Exit::Checkpoint, "not_in_store", message)
        .hint("`pinfold store list` shows what is there, `pinfold pull` brings what the lock file pins")
}

impl Opened<'_> {
    /// The files that words name.
    fn entries(&self, words: &[String]) -> Result<Vec<Entry>, Failure> {
        let (lock, entries) = (self.lock.find()?, self.store.list()?);
        let find = |word: &String| {
            let digest = pins::digest(word, lock.as_ref(), &self.store)?;
            let entry = entries.iter().find(|entry| entry.digest == digest).cloned();
            entry.ok_or_else(|| not_in_store(word, digest))
        };
        words.iter().map(find).collect()
    }

    fn verify(&self, words: &[String], interrupt: &Interrupt) -> Result<Exit, Failure> {
        let digests: Vec<_> = self.entries(words)?.into_iter().map(|entry| entry.digest).collect();
        let mut bar = Bar::bytes("hashing".into());
        let mut progress = |done, total| bar.set_bytes(done, total);
        let watch = StoreWatch { progress: Some(&mut progress), cancel: interrupt.work() };
        let damaged = self.store.verify(&digests, watch)?;
        drop(bar);
        if self.json {
            let damaged: Vec<_> = damaged
                .iter()
                .map(|(entry, found)| Damaged {
                    sha256: entry.digest.to_string(),
                    path: entry.path.clone(),
                    found_sha256: found.to_string(),
                })
                .collect();
            output::print_json(&damaged)?;
        } else if damaged.is_empty() {
            output::print("all files are what their names say\n")?;
        } else {
            let mut table = Table::new(&["damaged", "now", "file"].map(|name| (name, Align::Left)));
            for (entry, found) in &damaged {
                table.row([short(&entry.digest), short(found), entry.path.display().to_string()]);
            }
            output::print(&table.to_string())?;
            output::note("hint: `pinfold store remove` removes them, `pinfold pull` brings them again");
        }
        Ok(if damaged.is_empty() { Exit::Done } else { Exit::Verification })
    }

    fn remove(&self, words: &[String]) -> Result<Exit, Failure> {
        let mut removed = Vec::new();
        for (entry, word) in self.entries(words)?.into_iter().zip(words) {
            if !self.store.remove(entry.digest)? {
                return Err(not_in_store(word, entry.digest));
            }
            removed.push(Removed::new(&entry));
            if !self.json {
                output::print(&format!("removed {} ({})\n", short(&entry.digest), size(entry.size)))?;
            }
        }
        if self.json {
            output::print_json(&removed)?;
        }
        Ok(Exit::Done)
    }

    fn collect(&self, dry_run: bool) -> Result<Exit, Failure> {
        let collected = self.store.collect(dry_run)?;
        let entries = &collected.removed;
        if self.json {
            let removed: Vec<_> = entries.iter().map(Removed::new).collect();
            let report = serde_json::json!({
                "dry_run": dry_run, "removed": removed, "freed_bytes": collected.freed
            });
            output::print_json(&report)?;
            return Ok(Exit::Done);
        }
        let mut text = String::new();
        let what = if dry_run { "would remove" } else { "removed" };
        for entry in entries {
            text += &format!("{what} {} ({})\n", short(&entry.digest), size(entry.size));
        }
        let what = if dry_run { "would free" } else { "freed" };
        text += &format!("{what} {}\n", size(collected.freed));
        output::print(&text)?;
        Ok(Exit::Done)
    }

    fn path(&self, word: Option<&str>) -> Result<Exit, Failure> {
        let path = match word {
            None => self.store.root().to_owned(),
            Some(word) => {
                let digest = pins::digest(word, self.lock.find()?.as_ref(), &self.store)?;
                self.store.get(digest, Check::Stamp)?.ok_or_else(|| not_in_store(word, digest))?
            }
        };
        if self.json {
            output::print_json(&serde_json::json!({ "path": path }))?;
        } else {
            output::print(&format!("{}\n", path.display()))?;
        }
        Ok(Exit::Done)
    }

    fn import(&self, args: &ImportArgs, interrupt: &Interrupt) -> Result<Exit, Failure> {
        let mut bar = Bar::bytes("copying".into());
        let mut progress = |done, total| bar.set_bytes(done, total);
        let watch = StoreWatch { progress: Some(&mut progress), cancel: interrupt.work() };
        let digest = self.store.import(&args.file, args.sha256, watch)?;
        drop(bar);
        if self.json {
            let path = self.store.get(digest, Check::Stamp)?;
            output::print_json(&serde_json::json!({ "sha256": digest.to_string(), "path": path }))?;
        } else {
            output::print(&format!("{digest}\n"))?;
        }
        Ok(Exit::Done)
    }
}
