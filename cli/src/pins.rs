//! What the commands around a lock file share: which lock file, which store, and the names in them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pinfold::lock::FILE_NAME;
use pinfold::{Check, Digest, Error, LockFile, PublicKey, PullOptions, Source, Store, StoreOptions};

use crate::output::{Exit, Failure, quoted};

/// Which lock file.
#[derive(Args)]
pub struct LockArgs {
    /// The lock file; without it the nearest pinfold.lock, in this folder or above it
    #[arg(long, value_name = "FILE", help_heading = "Pins")]
    pub lock: Option<PathBuf>,
}

impl LockArgs {
    /// The lock file that was named, or else the nearest, if there is one.
    pub fn find(&self) -> Result<Option<LockFile>, Failure> {
        Ok(self.path().map(LockFile::open).transpose()?)
    }

    fn path(&self) -> Option<PathBuf> {
        self.lock.clone().or_else(|| LockFile::find("."))
    }

    /// The lock file, which must exist.
    pub fn open(&self) -> Result<LockFile, Failure> {
        Ok(LockFile::open(self.existing()?)?)
    }

    /// Where the lock file is.
    pub fn existing(&self) -> Result<PathBuf, Failure> {
        self.path().ok_or_else(|| {
            let message = "there is no pinfold.lock, neither in this folder nor above it";
            Failure::new(Exit::Failed, "no_lock", message)
                .hint("`pinfold pin NAME SOURCE` makes one, --lock FILE names one")
        })
    }

    /// The lock file, or an empty one that is not on the disk yet.
    pub fn open_or_new(&self) -> Result<LockFile, Failure> {
        Ok(LockFile::open_or_new(self.path().unwrap_or_else(|| FILE_NAME.into()))?)
    }
}

/// Which store.
#[derive(Args)]
pub struct StoreArgs {
    /// The folder of the store; without it PINFOLD_STORE, or `pinfold` in the user's data folder
    #[arg(long, value_name = "DIR", help_heading = "Pins")]
    store: Option<PathBuf>,
}

impl StoreArgs {
    pub fn open(&self) -> Result<Store, Failure> {
        self.open_within(&QuotaArgs { quota: None })
    }

    pub fn open_within(&self, limit: &QuotaArgs) -> Result<Store, Failure> {
        Ok(Store::open(&StoreOptions { root: self.store.clone(), quota: limit.quota })?)
    }
}

/// How large the store may become.
#[derive(Args)]
pub struct QuotaArgs {
    /// What the store may grow to, e.g. 20GiB; without it PINFOLD_STORE_QUOTA, or no limit
    #[arg(long, value_name = "SIZE", value_parser = pinfold::store::parse_size, help_heading = "Pins")]
    quota: Option<u64>,
}

/// How files are brought.
#[derive(Args)]
pub struct DownloadArgs {
    /// Connections for one file, 1 to 16
    #[arg(long, value_name = "N", default_value_t = PullOptions::default().connections,
          value_parser = clap::value_parser!(u32).range(1..=16))]
    connections: u32,

    /// Attempts at one source before the next is tried, 1 to 100; those that brought bytes do not count
    #[arg(long, value_name = "N", default_value_t = PullOptions::default().attempts,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
}

impl DownloadArgs {
    pub fn options(&self) -> PullOptions {
        let &Self { connections, attempts } = self;
        PullOptions { connections, attempts, ..PullOptions::default() }
    }
}

/// How a pinned file is checked before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckArg {
    /// Hashed once; later its size, time and inode tell whether it was touched
    Stamp,
    /// Hashed each time
    Full,
}

impl From<CheckArg> for Check {
    fn from(check: CheckArg) -> Self {
        match check {
            CheckArg::Stamp => Self::Stamp,
            CheckArg::Full => Self::Full,
        }
    }
}

/// Where the name of a MODEL is looked up, and how strictly.
#[derive(Args)]
pub struct PinArgs {
    #[command(flatten)]
    pub lock: LockArgs,

    #[command(flatten)]
    pub store: StoreArgs,

    /// How the file of a pinned name is checked first
    #[arg(long, value_name = "HOW", default_value = "stamp", help_heading = "Pins")]
    pub verify: CheckArg,
}

/// The names that a command works on: those that were given, each of which must be pinned, or else all.
pub fn names(lock: &LockFile, given: &[String]) -> Result<Vec<String>, Failure> {
    if given.is_empty() {
        return Ok(all(lock));
    }
    let mut names: Vec<String> = Vec::new();
    for name in given {
        lock.file_pin(name)?;
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// The names of all files that the lock file pins.
pub fn all(lock: &LockFile) -> Vec<String> {
    let mut names: Vec<_> = lock.lock().files().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

/// The digest that a word names: that of a name in the lock file, or of a file in the store by at least
/// [`PREFIX`] of its first digits.
pub fn digest(word: &str, lock: Option<&LockFile>, store: &Store) -> Result<Digest, Failure> {
    if let Some(pin) = lock.and_then(|lock| lock.lock().file(word)) {
        return Ok(pin.sha256);
    }
    if let Ok(digest) = word.parse() {
        return Ok(digest);
    }
    let unknown = |message: String| Failure::new(Exit::Checkpoint, "unknown_digest", message);
    let prefix = word.to_ascii_lowercase();
    if prefix.len() < PREFIX || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!("{} is neither a name in the lock file nor a digest", quoted(word));
        return Err(unknown(message).hint(format!(
            "`pinfold store list` shows what is there; {PREFIX} digits are enough where they are unique"
        )));
    }
    let mut found = store.list()?.into_iter().map(|entry| entry.digest);
    let mut found = found.by_ref().filter(|digest| digest.to_string().starts_with(&prefix));
    match (found.next(), found.next()) {
        (Some(digest), None) => Ok(digest),
        (None, _) => Err(unknown(format!("the store has nothing whose digest begins with {prefix}"))
            .hint("`pinfold store list` shows what is there")),
        (Some(_), Some(_)) => {
            Err(unknown(format!("the digests of several files begin with {prefix}")).hint("give more of it"))
        }
    }
}

/// Digits of a digest that are enough to name it.
const PREFIX: usize = 8;

/// A path for people: relative to this folder if it is below it.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned()).display().to_string()
}

/// A key, or the file that it stands in.
pub fn public_key(text: &str) -> Result<PublicKey, Failure> {
    let path = Path::new(text);
    if !path.exists() {
        return Ok(PublicKey::parse(text)?);
    }
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    Ok(PublicKey::parse(&text)?)
}

/// A source for people and for logs. What an address asks for may be a secret.
pub fn label(source: &Source) -> String {
    match source {
        Source::Url(url) => url.split_once('?').map_or_else(|| url.clone(), |(url, _)| format!("{url}?...")),
        source => source.to_string(),
    }
}
