//! `pinfold outdated`: what the sources of the pins have now.

use std::io::ErrorKind;

use clap::Args;
use pinfold::lock::FilePin;
use pinfold::pull::{self, Offer};
use pinfold::{Cancel, Error, LockFile, PullOptions, Source};
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::output::{self, Align, Exit, Failure, Table, excerpt, size};
use crate::pins::{self, LockArgs};
use crate::progress::Bar;

const HELP: &str = "\
Nothing is changed, and no weights are downloaded: the sources are only asked. STATUS is one of
  same         it has the pinned bytes
  changed      it has other bytes; `pinfold pin NAME SOURCE` would pin them
  gone         it has nothing there any more
  unknown      it does not say, as most web servers do not; the size is the pinned one, if it tells that
  unreachable  it could not be asked; the reason is below the table

The exit code is 1 if anything is changed, gone or unreachable, and 0 else.

Examples:
  pinfold outdated
  pinfold outdated tiny --json | jq '.[] | select(.status == \"changed\")'";

/// Show what the sources of the pins have now
#[derive(Args)]
#[command(after_help = HELP)]
pub struct OutdatedArgs {
    /// Names in the lock file; without any, all
    names: Vec<String>,

    /// Print a JSON array, an object for each source
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    lock: LockArgs,
}

#[derive(Serialize)]
struct Answer {
    name: String,
    source: String,
    pinned_sha256: String,
    pinned_size_bytes: u64,
    status: Status,
    /// As far as the source tells.
    now_sha256: Option<String>,
    now_size_bytes: Option<u64>,
    now_revision: Option<String>,
    error: Option<Failure>,
}

#[derive(Debug, Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    Same,
    Changed,
    Gone,
    Unknown,
    Unreachable,
}

pub fn outdated(args: &OutdatedArgs) -> Result<Exit, Failure> {
    let interrupt = Interrupt::install(true)?;
    let lock = args.lock.open()?;
    let names = pins::names(&lock, &args.names)?;
    let answers = ask(&lock, &names, &interrupt.work())?;
    if args.json {
        output::print_json(&answers)?;
    } else {
        output::print(&table(&answers).to_string())?;
        for answer in answers.iter().filter(|answer| answer.status == Status::Unreachable) {
            if let Some(failure) = &answer.error {
                output::note(&format!("note: {}", failure.message));
            }
        }
    }
    let fine = |answer: &Answer| matches!(answer.status, Status::Same | Status::Unknown);
    Ok(if answers.iter().all(fine) { Exit::Done } else { Exit::Failed })
}

fn ask(lock: &LockFile, names: &[String], cancel: &Cancel) -> Result<Vec<Answer>, Failure> {
    let mut sources = Vec::new();
    for name in names {
        let pin = lock.file_pin(name)?;
        sources.extend(pin.sources.iter().map(|source| (name, pin, source)));
    }
    // A person waits for the table, and can ask again.
    let options = PullOptions { attempts: 2, ..PullOptions::default() };
    let mut bar = Bar::new(Some(sources.len() as u64), "asking".into());
    let mut answers = Vec::new();
    for (name, pin, source) in sources {
        let offer = match pull::look(source, lock.folder(), &options, cancel) {
            Err(Error::Cancelled) => return Err(Error::Cancelled.into()),
            offer => offer,
        };
        answers.push(Answer::new(name, pin, source, offer));
        bar.set(answers.len() as u64);
    }
    Ok(answers)
}

impl Answer {
    fn new(name: &str, pin: &FilePin, source: &Source, offer: Result<Offer, Error>) -> Self {
        let (status, offer, error) = match offer {
            Ok(offer) => (compare(pin, &offer), Some(offer), None),
            // The hint would be that of a download.
            Err(error) => (refusal(&error), None, Some(Failure { hint: None, ..error.into() })),
        };
        let offer = offer.unwrap_or(Offer { digest: None, size: None, revision: None });
        Self {
            name: name.to_owned(),
            source: pins::label(source),
            pinned_sha256: pin.sha256.to_string(),
            pinned_size_bytes: pin.size,
            status,
            now_sha256: offer.digest.map(|digest| digest.to_string()),
            now_size_bytes: offer.size,
            now_revision: offer.revision,
            error,
        }
    }
}

fn compare(pin: &FilePin, offer: &Offer) -> Status {
    match (offer.digest, offer.size) {
        (Some(digest), _) if digest == pin.sha256 => Status::Same,
        (Some(_), _) => Status::Changed,
        (None, Some(size)) if size != pin.size => Status::Changed,
        (None, _) => Status::Unknown,
    }
}

fn refusal(error: &Error) -> Status {
    match error {
        Error::Io { source, .. } if source.kind() == ErrorKind::NotFound => Status::Gone,
        // "Not Found" and "Gone", in core's words: a source's refusals have no types.
        Error::PullFailed { reason, .. }
            if reason.contains("answers 404") || reason.contains("answers 410") =>
        {
            Status::Gone
        }
        _ => Status::Unreachable,
    }
}

fn table(answers: &[Answer]) -> Table {
    let columns = ["name", "source", "pinned", "now", "status"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    for answer in answers {
        let now = match (&answer.now_sha256, answer.now_size_bytes) {
            (Some(digest), _) => digest.chars().take(12).collect(),
            (None, Some(bytes)) => size(bytes),
            (None, None) => "-".to_owned(),
        };
        let pinned = answer.pinned_sha256.chars().take(12).collect();
        let status = format!("{:?}", answer.status).to_lowercase();
        table.row([excerpt(&answer.name, 80), excerpt(&answer.source, 100), pinned, now, status]);
    }
    table
}
