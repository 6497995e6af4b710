//! Downloads: from the sources of a pin into the store.

mod bearer;
mod bring;
mod date;
pub(crate) mod fault;
mod http;
mod hub;
mod meter;
mod oci;
pub(crate) mod options;
mod partial;
mod ranges;
mod remote;
pub(crate) mod retry;
pub(crate) mod routes;
mod transfer;
pub(crate) mod url;
mod worker;

use std::path::{Path, PathBuf};

pub use options::PullOptions;

use crate::cancel::Cancel;
use crate::checkpoint::Digest;
use crate::error::{Error, Result};
use crate::lock::{FilePin, LockFile, Pinned, Source};
use crate::store::{Check, Store};
use bring::Bringer;
use fault::Fault;
use remote::Seen;

/// How far a download is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullProgress {
    /// The source that is read.
    pub source: String,
    /// Bytes on this machine, those of earlier attempts included.
    pub done: u64,
    /// Bytes in all; 0 as long as it is not known.
    pub total: u64,
}

/// What watches a download.
#[derive(Default)]
pub struct PullWatch<'a> {
    /// Called on the calling thread, about ten times a second.
    pub progress: Option<&'a mut dyn FnMut(&PullProgress)>,
    /// Stops it from another thread, within a fifth of a second. What arrived is kept for the next attempt.
    pub cancel: Cancel,
}

/// What a source gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The digest of the bytes, which are in the store now.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    /// The source, with what may move (a branch, a tag) replaced by what it was (a commit, a digest).
    pub source: Source,
}

/// What a source has now, as far as it says so without a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The digest, if the source tells it.
    pub digest: Option<Digest>,
    /// The size, if the source tells it.
    pub size: Option<u64>,
    /// The commit or manifest that a branch or tag names now.
    pub revision: Option<String>,
}

/// Brings the bytes of the checkpoint or adapter `name` into the store, unless they are there. The sources are
/// tried in order. Bytes in the store that were damaged are brought again. The store remembers the lock file.
///
/// # Errors
/// [`Error::NotPinned`], [`Error::PullFailed`], [`Error::NoSpace`], [`Error::Cancelled`], [`Error::Io`],
/// [`Error::BadStore`], [`Error::InvalidOption`].
pub fn pull(
    lock: &LockFile,
    name: &str,
    store: &Store,
    options: &PullOptions,
    watch: PullWatch<'_>,
) -> Result<Pinned> {
    let pin = lock.file_pin(name)?;
    // A lock file that the app has by other means is on no disk, and keeps nothing from being collected; and a
    // store that cannot be written may have what is wanted.
    if lock.path().exists()
        && let Err(error) = store.remember(lock.path())
        && !matches!(store.get(pin.sha256, Check::Stamp), Ok(Some(_)))
    {
        return Err(error);
    }
    let path = pull_file(name, pin, lock.folder(), store, options, watch)?;
    Ok(Pinned { name: name.to_owned(), path, digest: pin.sha256, minisig: pin.minisig.clone() })
}

/// Brings the bytes of `pin` into the store; `name` is for messages, `folder` what `file:` sources are relative to.
///
/// # Errors
/// Those of [`pull`].
pub fn pull_file(
    name: &str,
    pin: &FilePin,
    folder: &Path,
    store: &Store,
    options: &PullOptions,
    watch: PullWatch<'_>,
) -> Result<PathBuf> {
    options.validate()?;
    let mut bringer = Bringer::new(folder, store, options, watch);
    if let Some(path) = bringer.held(pin.sha256)? {
        return Ok(path);
    }
    let claim = store.claim(pin.sha256, bringer.cancel())?;
    if let Some(path) = claim.existing() {
        return Ok(path.to_owned());
    }
    let mut reasons = Vec::new();
    for source in &pin.sources {
        match bringer.bring(source, Some(pin.sha256), Some(pin.size), &claim) {
            Ok(brought) => return Ok(brought.path),
            Err(fault) => reasons.push(format!("{}: {}", remote::label(source), fault.into_reason()?)),
        }
    }
    Err(Error::PullFailed { name: name.to_owned(), reason: reasons.join("; ") })
}

/// Brings what `source` has now into the store.
///
/// # Errors
/// Those of [`pull`].
pub fn fetch(
    source: &Source,
    folder: &Path,
    store: &Store,
    options: &PullOptions,
    watch: PullWatch<'_>,
) -> Result<Fetched> {
    options.validate()?;
    let mut bringer = Bringer::new(folder, store, options, watch);
    let mut fetched = || -> Result<Fetched, Fault> {
        let seen = match source {
            Source::Hub { .. } | Source::Oci { .. } => remote::look(source, options, bringer.cancel())?,
            source => Seen { digest: None, size: None, revision: None, source: source.clone() },
        };
        if let Some(digest) = seen.digest
            && let Some(path) = bringer.held(digest)?
        {
            return Ok(Fetched { digest, size: size_of(&path)?, source: seen.source });
        }
        let claim = match seen.digest {
            Some(digest) => store.claim(digest, bringer.cancel())?,
            None => store.claim_source(&seen.source.to_string(), bringer.cancel())?,
        };
        if let (Some(digest), Some(path)) = (seen.digest, claim.existing()) {
            return Ok(Fetched { digest, size: size_of(path)?, source: seen.source });
        }
        let brought = bringer.bring(&seen.source, seen.digest, seen.size, &claim)?;
        Ok(Fetched { digest: brought.digest, size: brought.size, source: seen.source })
    };
    fetched().or_else(|fault| failed(source, fault))
}

/// Asks what `source` has now. Nothing is downloaded, except that a `file:` source is hashed.
///
/// # Errors
/// [`Error::PullFailed`], [`Error::Cancelled`], [`Error::InvalidOption`], and [`Error::Io`] for a file.
pub fn look(source: &Source, folder: &Path, options: &PullOptions, cancel: &Cancel) -> Result<Offer> {
    options.validate()?;
    if let Source::File(path) = source {
        let path = folder.join(path);
        let digest = Digest::of_file_watched(&path, |_| cancel.check())?;
        return Ok(Offer { digest: Some(digest), size: Some(size_of(&path)?), revision: None });
    }
    match remote::look(source, options, cancel) {
        Ok(seen) => Ok(Offer { digest: seen.digest, size: seen.size, revision: seen.revision }),
        Err(fault) => failed(source, fault),
    }
}

fn failed<T>(source: &Source, fault: Fault) -> Result<T> {
    Err(Error::PullFailed { name: remote::label(source), reason: fault.into_reason()? })
}

fn size_of(path: &Path) -> Result<u64> {
    Ok(path.metadata().map_err(Error::io(path))?.len())
}
