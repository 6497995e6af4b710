//! `pinfold golden update`.

use std::collections::BTreeMap;

use clap::Args;
use pinfold::LockFile;
use pinfold::lock::{Expected, Golden};
use pinfold::verify::{self, GoldenRequest};
use serde::Serialize;

use super::add;
use crate::ask;
use crate::interrupt::Interrupt;
use crate::output::{self, Exit, Failure, excerpt};
use crate::pins::{LockArgs, StoreArgs};
use crate::progress::Bar;

const HELP: &str = "\
Each golden is generated again from its own input and settings (those that the lock file has now, where it names some \
of [sampling]). What comes out otherwise is shown beside what was recorded, and recorded once you agree; without a \
terminal --yes agrees.

Examples:
  pinfold golden update
  pinfold golden update greeting --yes";

/// Record goldens anew, after showing what would change
#[derive(Args)]
#[command(after_help = HELP)]
pub struct UpdateArgs {
    /// Names of goldens; without any, all
    names: Vec<String>,

    /// Record without asking
    #[arg(short, long)]
    yes: bool,

    /// Threads that compute; 0 chooses by the machine and the checkpoint
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: u32,

    /// Print a JSON array, an object for each golden
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    lock: LockArgs,

    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Serialize)]
struct Change<'a> {
    name: &'a str,
    /// Tokens, text or how it ended; log-probabilities and what recorded it are renewed in silence.
    changed: bool,
    old_text: &'a str,
    new_text: &'a str,
}

pub fn update(args: &UpdateArgs) -> Result<Exit, Failure> {
    let interrupt = Interrupt::install(true)?;
    let lock = args.lock.open()?;
    let names = super::names(&lock, &args.names)?;
    let made = again(args, &lock, &names, &interrupt)?;
    interrupt.rest();

    let old = &lock.lock().goldens;
    let changes: Vec<_> =
        made.iter().filter_map(|(name, new)| Some(Change::new(name, old.get(name)?, new))).collect();
    if args.json {
        output::print_json(&changes)?;
    } else {
        for change in &changes {
            output::print(&change.text())?;
        }
    }
    if changes.iter().any(|change| change.changed) && !args.yes {
        if !ask::somebody() {
            return Err(ask::declined("the goldens would change, and nothing was recorded")
                .hint("--yes records what is shown above"));
        }
        ask::agree("Record this?", "nothing was recorded")?;
    }
    LockFile::edit(lock.path(), |lock| made.iter().try_for_each(|(name, new)| lock.set_golden(name, new)))?;
    Ok(Exit::Done)
}

/// Generates all of them, each checkpoint's in a row, so that it is loaded once.
fn again(
    args: &UpdateArgs,
    lock: &LockFile,
    names: &[String],
    interrupt: &Interrupt,
) -> Result<BTreeMap<String, Golden>, Failure> {
    let goldens = &lock.lock().goldens;
    let mut by_checkpoint = BTreeMap::<&str, Vec<&String>>::new();
    for name in names {
        by_checkpoint.entry(&goldens[name].checkpoint).or_default().push(name);
    }
    let mut made = BTreeMap::new();
    for (checkpoint, names) in by_checkpoint {
        let load = |context| super::load(lock, checkpoint, &args.store, args.threads, context, interrupt);
        let (mut model, mut held) = (load(0)?, 0);
        let mut bar = Bar::new(Some(names.len() as u64), format!("recording {}", excerpt(checkpoint, 32)));
        let cancel = interrupt.work();
        for (done, name) in names.into_iter().enumerate() {
            bar.set(done as u64);
            let request = request(lock, &goldens[name])?;
            let context = verify::context_tokens(&model, &request)?;
            if context != held {
                drop(model);
                (model, held) = (load(context)?, context);
            }
            made.insert(name.clone(), verify::record(&model, &request, &cancel)?);
        }
    }
    Ok(made)
}

/// What a golden asks for now.
fn request(lock: &LockFile, golden: &Golden) -> Result<GoldenRequest, Failure> {
    let sampling = match &golden.preset {
        Some(preset) => add::named(lock, preset)?,
        None => golden.sampling.clone(),
    };
    Ok(GoldenRequest {
        checkpoint: golden.checkpoint.clone(),
        input: golden.input.clone(),
        sampling,
        preset: golden.preset.clone(),
        max_tokens: golden.max_tokens,
        stop: golden.stop.clone(),
    })
}

impl<'a> Change<'a> {
    fn new(name: &'a str, old: &'a Golden, new: &'a Golden) -> Self {
        let outcome =
            |expected: &Expected| (expected.tokens.clone(), expected.text.clone(), expected.finish.clone());
        Self {
            name,
            changed: outcome(&old.expected) != outcome(&new.expected),
            old_text: &old.expected.text,
            new_text: &new.expected.text,
        }
    }

    fn text(&self) -> String {
        let name = excerpt(self.name, 80);
        if !self.changed {
            return format!("{name}: the same\n");
        }
        let [old, new] = [self.old_text, self.new_text].map(|text| excerpt(text, 1000));
        format!("{name}: changed\n  old  {old}\n  new  {new}\n")
    }
}
