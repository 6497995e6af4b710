//! `pinfold pin`: a file under a name, in the lock file.

mod candidate;
mod licence;
mod sources;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use pinfold::lock::{self, AdapterPin, FilePin};
use pinfold::{Digest, Error, Lock, LockFile, Source, signature};
use serde::Serialize;

use crate::ask;
use crate::interrupt::Interrupt;
use crate::output::{self, Exit, Failure, Table, excerpt, size};
use crate::pins::{self, DownloadArgs, LockArgs, QuotaArgs, StoreArgs};
use candidate::Candidate;
use sources::Sources;

const HELP: &str = "\
SOURCE is one of
  file:PATH                          a file of this machine
  https://HOST/PATH                  a URL
  hf:OWNER/REPO/FILE@REVISION        a file of the Hugging Face Hub; without @REVISION, of main
  oci:REGISTRY/REPOSITORY:TAG        an artifact of an OCI registry, or one by @sha256:DIGEST
  ollama:NAME:TAG                    a checkpoint of Ollama's registry

The file is downloaded into the store and examined, and you are asked for its licence. Then its digest, its size, where \
it can be had and what its header says are written to the lock file; it is made if there is none. A branch or tag is \
recorded as the commit or digest that it names now, and after that as it was given, for `pinfold outdated` to ask.

If NAME is pinned already, what would change is shown and you are asked. If anything fails, nothing is recorded. \
Without a terminal nothing is asked: --yes takes the licence that the file names and replaces an older pin, --licence \
names the licence.

Examples:
  pinfold pin tiny hf:ggml-org/models/tinyllamas/stories260K.gguf
  pinfold pin tiny https://example.org/tiny.gguf --licence MIT --sha256 270cba1bd5109f42d03350f60406024560464db173c0e387d91f0426d3bd256d
  pinfold pin tiny --mirror https://mirror.example.org/tiny.gguf
  pinfold pin pirate file:pirate-lora.gguf --base tiny --licence CC-BY-4.0";

/// Pin a file: download it, examine it, and record it in the lock file
#[derive(Args)]
#[command(after_help = HELP)]
pub struct PinArgs {
    /// What it is to be called
    name: String,

    /// Where it can be had; left out to add a mirror to what is pinned
    #[arg(required_unless_present = "mirror")]
    source: Option<String>,

    /// Another source of the same bytes; may be given again
    #[arg(long, value_name = "SOURCE")]
    mirror: Vec<String>,

    /// Refuse the file if it has another digest
    #[arg(long, value_name = "HEX", requires = "source")]
    sha256: Option<Digest>,

    /// Its licence, as an SPDX expression or in words; without it you are asked
    #[arg(long, value_name = "TEXT", requires = "source", value_parser = NonEmptyStringValueParser::new())]
    licence: Option<String>,

    /// Ask nothing: take the licence that the file names, replace what NAME is pinned to
    #[arg(short, long)]
    yes: bool,

    /// A minisign signature of the file (a .minisig file), to be recorded
    #[arg(long, value_name = "FILE", requires = "source")]
    signature: Option<PathBuf>,

    /// The public key that must have made the signature: a minisign .pub file, or the key itself
    #[arg(long, value_name = "KEY", requires = "signature")]
    key: Option<String>,

    /// For an adapter: the name of its base in the lock file
    #[arg(long, value_name = "NAME", requires = "source")]
    base: Option<String>,

    #[command(flatten)]
    downloads: DownloadArgs,

    /// Print one JSON object
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
struct Pinned<'a> {
    name: &'a str,
    lock: &'a Path,
    kind: &'static str,
    changed: bool,
    sha256: String,
    size_bytes: u64,
    licence: &'a str,
    sources: Vec<String>,
}

pub fn pin(args: &PinArgs) -> Result<Exit, Failure> {
    let interrupt = Interrupt::install(true)?;
    let lock = args.lock.open_or_new()?;
    lock::check_name(&args.name).map_err(Failure::usage)?;
    let store = args.store.open_within(&args.quota)?;
    let options = args.downloads.options();
    let folder = lock.folder();
    let sources =
        Sources { name: &args.name, folder, store: &store, options: &options, interrupt: &interrupt };

    let old = Candidate::of_lock(&lock, &args.name);
    let candidate = match &args.source {
        Some(source) => args.candidate(&sources, source, &lock, old.as_ref().ok())?,
        None => old.clone()?,
    };
    let candidate = candidate.with_mirrors(&sources, &args.mirrors(folder)?)?;
    interrupt.rest();

    let old = old.ok();
    let changed = old.as_ref() != Some(&candidate);
    if changed {
        if let Some(old) = &old {
            args.agree_to_replace(old.file(), candidate.file())?;
        }
        args.check_adapters(lock.lock(), candidate.file())?;
        LockFile::edit(lock.path(), |lock| candidate.record(lock, &args.name)).map_err(refused)?;
    }
    store.remember(lock.path())?;
    args.say(&lock, &candidate, old.as_ref())
}

impl PinArgs {
    /// What `source` has now, ready to be pinned.
    fn candidate(
        &self,
        sources: &Sources<'_>,
        source: &str,
        lock: &LockFile,
        old: Option<&Candidate>,
    ) -> Result<Candidate, Failure> {
        licence::check_that_somebody_decides(self.licence.as_deref(), self.yes)?;
        let minisig = self.signature.as_deref().map(read_signature).transpose()?;
        let key = self.key.as_deref().map(pins::public_key).transpose()?;
        let source = given(source, sources.folder)?;
        let found = sources.fetch(&source, self.sha256)?;
        if let (Some(key), Some(minisig)) = (&key, &minisig) {
            key.check_file(&self.name, &found.path, minisig)?;
        }
        let (candidate, header) = Candidate::examine(&found, self.base.as_deref(), lock, sources)?;
        sources.interrupt.rest();
        let same = old.map(Candidate::file).filter(|old| old.sha256 == candidate.file().sha256);
        let licence = match (&self.licence, same) {
            (None, Some(old)) => old.licence.clone(),
            (given, _) => licence::decide(&header, given.as_deref(), self.yes)?,
        };
        Ok(candidate.licensed(licence, minisig).keeping(same))
    }

    fn mirrors(&self, folder: &Path) -> Result<Vec<Source>, Failure> {
        self.mirror.iter().map(|mirror| given(mirror, folder)).collect()
    }

    /// Another source of the same bytes needs no agreement.
    fn agree_to_replace(&self, old: &FilePin, new: &FilePin) -> Result<(), Failure> {
        if (old.sha256, &old.licence) == (new.sha256, &new.licence) {
            return Ok(());
        }
        let mut table = Table::new(&["", "old", "new"].map(|name| (name, output::Align::Left)));
        let source = |pin: &FilePin| excerpt(&pin.sources.first().map_or(String::new(), pins::label), 80);
        for (name, value) in [
            ("digest", &(|pin: &FilePin| output::short(&pin.sha256)) as &dyn Fn(&FilePin) -> String),
            ("size", &|pin| size(pin.size)),
            ("source", &source),
            ("licence", &|pin| excerpt(&pin.licence, 80)),
        ] {
            table.row([name.to_owned(), value(old), value(new)]);
        }
        output::note(&format!("{} is pinned already:\n{table}", excerpt(&self.name, 80)));
        if self.yes {
            return Ok(());
        }
        let kept = "the lock file still pins what it pinned before";
        if !ask::somebody() {
            return Err(ask::declined(kept).hint("--yes pins the new one"));
        }
        ask::agree("Pin the new one?", kept)
    }

    /// The adapters of a lock file fit the bytes that their base is pinned to.
    fn check_adapters(&self, lock: &Lock, new: &FilePin) -> Result<(), Failure> {
        let left = |pin: &AdapterPin| pin.base == self.name && pin.base_sha256 != new.sha256;
        let left: Vec<_> =
            lock.adapters.iter().filter(|(_, pin)| left(pin)).map(|(name, _)| &**name).collect();
        if left.is_empty() {
            return Ok(());
        }
        let message = format!("adapters were made for what {} is pinned to: {}", self.name, left.join(", "));
        Err(Failure::new(Exit::Failed, "adapters_left", message)
            .hint("pin the new file under another name, or remove them from the lock file first"))
    }

    fn say(&self, lock: &LockFile, candidate: &Candidate, old: Option<&Candidate>) -> Result<Exit, Failure> {
        let file = candidate.file();
        let report = Pinned {
            name: &self.name,
            lock: lock.path(),
            kind: candidate.kind(),
            changed: old != Some(candidate),
            sha256: file.sha256.to_string(),
            size_bytes: file.size,
            licence: &file.licence,
            sources: file.sources.iter().map(pins::label).collect(),
        };
        if self.json {
            output::print_json(&report)?;
        } else {
            let done = match (old, report.changed) {
                (_, false) => "pinned already",
                (Some(_), true) => "pinned anew",
                (None, _) => "pinned",
            };
            let (name, file) = (excerpt(&self.name, 80), pins::shown(lock.path()));
            let what = format!("{}, {}", candidate.summary(), size(report.size_bytes));
            output::print(&format!("{done}: {name} ({what}) {} in {file}\n", &report.sha256[..12]))?;
        }
        if old.is_some_and(|old| old.file().sha256 != file.sha256) {
            self.say_what_is_old(lock);
        }
        Ok(Exit::Done)
    }

    /// What was made with the bytes before.
    fn say_what_is_old(&self, lock: &LockFile) {
        let goldens = lock.lock().goldens.iter().filter(|(_, golden)| golden.checkpoint == self.name);
        let goldens: Vec<_> = goldens.map(|(name, _)| excerpt(name, 80)).collect();
        if !goldens.is_empty() {
            output::note(&format!(
                "note: recorded with the bytes before: {}; `pinfold verify` compares, `pinfold golden update` records anew",
                goldens.join(", ")
            ));
        }
    }
}

/// A source as it was typed: the path of a file is relative to this folder then, and in the lock file to its own.
fn given(text: &str, folder: &Path) -> Result<Source, Failure> {
    let source = text.parse().map_err(|error: Error| {
        let failure = Failure::from(error);
        match Path::new(text).is_file() {
            true => failure.hint(format!("for a file of this machine: file:{}", excerpt(text, 200))),
            false => failure,
        }
    })?;
    Ok(match source {
        Source::File(path) => Source::File(sources::relative(&path, folder)?),
        source => source,
    })
}

fn read_signature(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    signature::check_form(&text).map_err(|reason| {
        Failure::new(Exit::Verification, "bad_signature", format!("{}: {reason}", path.display()))
    })?;
    Ok(text)
}

/// Why a lock file would not be valid any more. The place would be one in a text that nobody sees.
fn refused(error: Error) -> Failure {
    match error {
        Error::BadLock { reason, .. } => {
            Failure::new(Exit::Failed, "bad_pin", reason).hint("nothing was recorded")
        }
        other => other.into(),
    }
}
