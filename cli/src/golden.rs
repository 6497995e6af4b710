//! `pinfold golden`: generations that are recorded, for `pinfold verify` to replay.

mod add;
mod list;
mod update;

use clap::{Args, Subcommand};
use pinfold::lock::Golden;
use pinfold::{Check, LoadWatch, LockFile, Model, ModelOptions};

use crate::interrupt::Interrupt;
use crate::output::{self, Exit, Failure, excerpt, quoted};
use crate::pins::{LockArgs, StoreArgs};
use crate::progress::Bar;

const HELP: &str = "\
A golden is an input with its outcome: tokens, text and log-probabilities, in the lock file. `pinfold verify` generates \
it again and says what changed. It holds the input as text, so do not record secrets.

Examples:
  pinfold golden add greeting --checkpoint tiny \"Say hello.\"
  pinfold golden update greeting
  pinfold golden list
  pinfold golden remove greeting";

/// Record what a checkpoint answers, to be verified later
#[derive(Args)]
#[command(after_help = HELP)]
pub struct GoldenCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(add::AddArgs),
    Update(update::UpdateArgs),
    List(list::ListArgs),
    Remove(RemoveArgs),
}

/// Remove goldens from the lock file
#[derive(Args)]
#[command(after_help = "Examples:\n  pinfold golden remove greeting")]
struct RemoveArgs {
    /// Their names
    #[arg(required = true)]
    names: Vec<String>,

    #[command(flatten)]
    lock: LockArgs,
}

impl GoldenCommand {
    pub fn json(&self) -> bool {
        match &self.action {
            Action::Add(args) => args.json,
            Action::Update(args) => args.json,
            Action::List(args) => args.json,
            Action::Remove(_) => false,
        }
    }
}

pub fn golden(command: &GoldenCommand) -> Result<Exit, Failure> {
    match &command.action {
        Action::Add(args) => add::add(args),
        Action::Update(args) => update::update(args),
        Action::List(args) => list::list(args),
        Action::Remove(args) => remove(args),
    }
}

fn remove(args: &RemoveArgs) -> Result<Exit, Failure> {
    let lock = args.lock.open()?;
    let names = names(&lock, &args.names)?;
    LockFile::edit(lock.path(), |lock| names.iter().try_for_each(|name| lock.remove_golden(name).map(drop)))?;
    for name in names {
        output::print(&format!("removed {name}\n"))?;
    }
    Ok(Exit::Done)
}

/// The goldens that were named, or else all.
fn names(lock: &LockFile, given: &[String]) -> Result<Vec<String>, Failure> {
    let goldens = &lock.lock().goldens;
    if given.is_empty() {
        return Ok(goldens.keys().cloned().collect());
    }
    let mut names: Vec<String> = Vec::new();
    for name in given {
        if !goldens.contains_key(name) {
            let known: Vec<_> = goldens.keys().map(|known| excerpt(known, 80)).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            let message =
                format!("{} has no golden named {}; it has: {known}", lock.path().display(), quoted(name));
            return Err(Failure::new(Exit::Checkpoint, "unknown_golden", message)
                .hint("`pinfold golden add` records one"));
        }
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// Loads the checkpoint `name` of the lock file as goldens need it, with the context that
/// [`context_tokens`](pinfold::verify::context_tokens) gave.
fn load(
    lock: &LockFile,
    name: &str,
    store: &StoreArgs,
    threads: u32,
    context_tokens: u32,
    interrupt: &Interrupt,
) -> Result<Model, Failure> {
    if lock.lock().adapters.contains_key(name) {
        let message = format!("{} is an adapter", quoted(name));
        return Err(Failure::new(Exit::Checkpoint, "not_a_checkpoint", message)
            .hint("goldens are those of checkpoints"));
    }
    let pinned = lock.resolve(name, &store.open()?, Check::Full)?;
    let options =
        ModelOptions { reproducible: true, sessions: 1, threads, context_tokens, ..ModelOptions::default() };
    let mut bar = Bar::new(Some(1000), format!("loading {}", excerpt(name, 32)));
    let mut progress = |share: f32| bar.set((share * 1000.0) as u64);
    let watch = LoadWatch { progress: Some(&mut progress), cancel: interrupt.work() };
    Ok(Model::load_pinned(&pinned, &options, watch)?)
}

/// A golden, as it is printed as JSON.
fn json(name: &str, golden: &Golden) -> serde_json::Value {
    serde_json::json!({
        "name": name,
        "checkpoint": golden.checkpoint,
        "preset": golden.preset,
        "max_tokens": golden.max_tokens,
        "stop": golden.stop,
        "text": golden.expected.text,
        "tokens": golden.expected.tokens,
        "finish": golden.expected.finish,
        "recorded": {
            "runtime": golden.recorded.runtime,
            "backend": golden.recorded.backend,
            "llama_cpp": golden.recorded.llama_cpp,
        },
    })
}
