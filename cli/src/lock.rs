//! `pinfold lock`: the lock file itself.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use pinfold::LockFile;
use pinfold::lock::FilePin;
use serde::Serialize;

use crate::output::{self, Align, Exit, Failure, Table, excerpt, size};
use crate::pins::{self, LockArgs};

const HELP: &str = "\
With --key the signature is checked, which stands beside the file as `minisign -Sm pinfold.lock` writes it.

Examples:
  pinfold lock check
  pinfold lock check app/pinfold.lock --key minisign.pub
  pinfold lock check --json | jq -r '.files[].sha256'";

/// Check a lock file, and show what it pins
#[derive(Args)]
#[command(after_help = HELP)]
pub struct LockCommand {
    #[command(subcommand)]
    action: Action,
}

const SCHEMA: &str = include_str!("../../docs/guide/pinfold.lock.schema.json");

#[derive(Subcommand)]
enum Action {
    /// Read a lock file, check its signature, and show what it pins
    #[command(after_help = HELP)]
    Check(CheckArgs),

    /// Print the JSON Schema of the format, for editors and other tools
    #[command(after_help = "Examples:\n  pinfold lock schema > pinfold.lock.schema.json")]
    Schema,
}

#[derive(Args)]
struct CheckArgs {
    /// The lock file; without it the nearest pinfold.lock, in this folder or above it
    file: Option<PathBuf>,

    /// The public key that must have signed it: a minisign .pub file, or the key itself
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Contents<'a> {
    path: &'a Path,
    /// Whether a signature was checked.
    signed: bool,
    files: Vec<File<'a>>,
    sampling: Vec<&'a str>,
    goldens: Vec<&'a str>,
}

#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    kind: &'static str,
    sha256: String,
    size_bytes: u64,
    licence: &'a str,
    sources: Vec<String>,
    /// Whether the lock file carries a signature of it.
    minisig: bool,
}

impl LockCommand {
    pub fn json(&self) -> bool {
        match &self.action {
            Action::Check(args) => args.json,
            Action::Schema => false,
        }
    }
}

pub fn lock(command: &LockCommand) -> Result<Exit, Failure> {
    match &command.action {
        Action::Check(args) => check(args),
        Action::Schema => output::print(SCHEMA).map(|()| Exit::Done),
    }
}

fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let found = LockArgs { lock: args.file.clone() };
    let lock = match &args.key {
        None => found.open()?,
        Some(key) => LockFile::open_signed(found.existing()?, &pins::public_key(key)?)?,
    };
    let contents = Contents::new(&lock, args.key.is_some());
    if args.json {
        output::print_json(&contents)?;
    } else {
        output::print(&contents.text())?;
    }
    Ok(Exit::Done)
}

impl<'a> Contents<'a> {
    fn new(lock: &'a LockFile, signed: bool) -> Self {
        let pins = lock.lock();
        let checkpoints = pins.checkpoints.iter().map(|(name, pin)| File::new(name, "checkpoint", &pin.file));
        let adapters = pins.adapters.iter().map(|(name, pin)| File::new(name, "adapter", &pin.file));
        Self {
            path: lock.path(),
            signed,
            files: checkpoints.chain(adapters).collect(),
            sampling: pins.sampling.keys().map(String::as_str).collect(),
            goldens: pins.goldens.keys().map(String::as_str).collect(),
        }
    }

    fn text(&self) -> String {
        let mut table = Table::new(&[
            ("name", Align::Left),
            ("kind", Align::Left),
            ("size", Align::Right),
            ("sha-256", Align::Left),
            ("licence", Align::Left),
            ("source", Align::Left),
        ]);
        for file in &self.files {
            let sources = match file.sources.split_first() {
                Some((first, [])) => excerpt(first, 100),
                Some((first, others)) => format!("{} and {} more", excerpt(first, 100), others.len()),
                None => String::new(),
            };
            table.row([
                file.name.to_owned(),
                file.kind.to_owned(),
                size(file.size_bytes),
                file.sha256[..12].to_owned(),
                excerpt(file.licence, 40),
                sources,
            ]);
        }
        let mut text = table.to_string();
        for (what, names) in [("sampling", &self.sampling), ("goldens", &self.goldens)] {
            if !names.is_empty() {
                text += &format!("\n{what}: {}\n", names.join(", "));
            }
        }
        let signed = if self.signed { ", and signed by the key" } else { "" };
        text + &format!("\n{} is well-formed{signed}\n", pins::shown(self.path))
    }
}

impl<'a> File<'a> {
    fn new(name: &'a str, kind: &'static str, pin: &'a FilePin) -> Self {
        Self {
            name,
            kind,
            sha256: pin.sha256.to_string(),
            size_bytes: pin.size,
            licence: &pin.licence,
            sources: pin.sources.iter().map(pins::label).collect(),
            minisig: pin.minisig.is_some(),
        }
    }
}
