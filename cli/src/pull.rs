//! `pinfold pull`: the pinned files, onto this machine.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use pinfold::{Cancel, Check, LockFile, PullOptions, PullWatch, Store};
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::output::{self, Exit, Failure, excerpt, size};
use crate::pins::{self, DownloadArgs, LockArgs, QuotaArgs, StoreArgs};
use crate::progress::Bar;

const HELP: &str = "\
The sources of a name are tried in their order, and what arrives is checked against the pinned digest before it is \
used. A download that was stopped goes on where it stopped. One that fails does not keep the others from being \
brought; the exit code is then that of the first failure.

A token for the Hugging Face Hub is taken from HF_TOKEN, another address of it from HF_ENDPOINT, further \
certificates from SSL_CERT_FILE.

Examples:
  pinfold pull
  pinfold pull tiny
  pinfold pull --lock app/pinfold.lock --store /srv/pinfold
  pinfold pull --json | jq -r '.[].path'";

/// Bring the pinned files onto this machine
#[derive(Args)]
#[command(after_help = HELP)]
pub struct PullArgs {
    /// Names in the lock file; without any, all
    names: Vec<String>,

    #[command(flatten)]
    downloads: DownloadArgs,

    /// Print a JSON array, an object for each name
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    lock: LockArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    quota: QuotaArgs,
}

#[derive(Serialize)]
struct Outcome {
    name: String,
    sha256: String,
    size_bytes: u64,
    status: Status,
    path: Option<PathBuf>,
    /// What gave the bytes, if they were not here.
    source: Option<String>,
    seconds: f64,
    error: Option<Failure>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// They were here.
    Present,
    Pulled,
    Failed,
}

pub fn pull(args: &PullArgs) -> Result<Exit, Failure> {
    let interrupt = Interrupt::install(true)?;
    let lock = args.lock.open()?;
    let names = pins::names(&lock, &args.names)?;
    let store = args.store.open_within(&args.quota)?;
    let puller = Puller { lock, store, options: args.downloads.options(), cancel: interrupt.work() };

    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut outcomes: Vec<Outcome> = Vec::new();
    for name in names {
        let outcome = puller.one(name)?;
        if !args.json {
            match &outcome.error {
                None => output::print(&outcome.line(width))?,
                Some(failure) => failure.report(false),
            }
        }
        let stop = outcome.error.as_ref().is_some_and(|failure| failure.exit == Exit::Cancelled);
        outcomes.push(outcome);
        if stop {
            break;
        }
    }
    if args.json {
        output::print_json(&outcomes)?;
    }
    let first = outcomes.iter().find_map(|outcome| outcome.error.as_ref());
    let cancelled = outcomes.last().and_then(|outcome| outcome.error.as_ref());
    Ok(cancelled.filter(|failure| failure.exit == Exit::Cancelled).or(first).map_or(Exit::Done, |f| f.exit))
}

struct Puller {
    lock: LockFile,
    store: Store,
    options: PullOptions,
    cancel: Cancel,
}

impl Puller {
    fn one(&self, name: String) -> Result<Outcome, Failure> {
        let pin = self.lock.file_pin(&name)?;
        let started = Instant::now();
        // Damaged bytes are as good as none.
        let here = matches!(self.store.get(pin.sha256, Check::Stamp), Ok(Some(_)));
        let mut bar = Bar::bytes(excerpt(&name, 24));
        let mut source = None;
        let mut progress = |progress: &pinfold::PullProgress| {
            bar.set_bytes(progress.done, progress.total);
            if source.as_ref() != Some(&progress.source) {
                source = Some(progress.source.clone());
            }
        };
        let watch = PullWatch { progress: Some(&mut progress), cancel: self.cancel.clone() };
        let pulled = pinfold::pull::pull(&self.lock, &name, &self.store, &self.options, watch);
        drop(bar);
        let (status, path, error) = match pulled {
            Ok(pinned) if here => (Status::Present, Some(pinned.path), None),
            Ok(pinned) => (Status::Pulled, Some(pinned.path), None),
            Err(error) => (Status::Failed, None, Some(Failure::from(error))),
        };
        Ok(Outcome {
            sha256: pin.sha256.to_string(),
            size_bytes: pin.size,
            status,
            path,
            source: source.filter(|_| status == Status::Pulled),
            seconds: started.elapsed().as_secs_f64(),
            error,
            name,
        })
    }
}

impl Outcome {
    fn line(&self, width: usize) -> String {
        let Self { name, size_bytes, seconds, .. } = self;
        let how = match (self.status, &self.source) {
            (Status::Present, _) => "is here".to_owned(),
            (_, source) => {
                let speed = size((*size_bytes as f64 / seconds.max(1e-3)) as u64);
                let from = source.as_ref().map_or(String::new(), |s| format!(" from {}", excerpt(s, 200)));
                format!("pulled in {seconds:.1} s ({speed}/s){from}")
            }
        };
        format!("{:<width$}  {:>10}  {how}\n", excerpt(name, 80), size(*size_bytes))
    }
}
