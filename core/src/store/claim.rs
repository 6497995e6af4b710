//! Claims: the right to bring one file into the store, which one process has at a time.
//!
//! A claim is a lock of the operating system on a file in `locks`, so it ends with the process, however that
//! ends. `collect` removes these files: it holds the lock of the whole store then, which is shared by those
//! who open them, so that nobody holds a lock on a file that is no longer there.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layout::blob_name;
use super::{Check, Store};
use crate::cancel::Cancel;
use crate::checkpoint::Digest;
use crate::error::{Error, Result};

/// The lock of the whole store.
pub(super) const STORE: &str = "store";

/// Between two looks at a lock that another process holds.
const POLL: Duration = Duration::from_millis(20);

/// The right to bring one file into the store; given back on drop.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: File,
    name: String,
    pub(super) digest: Option<Digest>,
    existing: Option<PathBuf>,
}

impl Claim {
    /// The file, if it is in the store by now and its bytes are right: another process was first. Always
    /// `None` for a source.
    pub(crate) fn existing(&self) -> Option<&Path> {
        self.existing.as_deref()
    }
}

impl Store {
    /// Waits until no other process or thread brings the file of `digest`.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::Io`], [`Error::BadStore`].
    pub(crate) fn claim(&self, digest: Digest, cancel: &Cancel) -> Result<Claim> {
        let name = blob_name(digest);
        let _lock = self.lock(&name, cancel)?;
        let existing = match self.find(digest, Check::Stamp, &mut |_| cancel.check()) {
            // It is to be replaced.
            Err(Error::WrongDigest { .. }) => None,
            found => found?,
        };
        Ok(Claim { _lock, name, digest: Some(digest), existing })
    }

    /// As [`claim`](Self::claim), for bytes whose digest is not known before; `key` says where they are from.
    ///
    /// # Errors
    /// Those of [`claim`](Self::claim).
    pub(crate) fn claim_source(&self, key: &str, cancel: &Cancel) -> Result<Claim> {
        self.claim_named(format!("source-{}", Digest::of_bytes(key.as_bytes())), cancel)
    }

    pub(super) fn claim_named(&self, name: String, cancel: &Cancel) -> Result<Claim> {
        let _lock = self.lock(&name, cancel)?;
        Ok(Claim { _lock, name, digest: None, existing: None })
    }

    /// Where the bytes of a claim are gathered. What belongs to it (which parts are there, an ETag) stands
    /// beside it, under the same name with a suffix that begins with a dot: `collect` removes them together.
    pub(crate) fn partial_path(&self, claim: &Claim) -> PathBuf {
        self.folder("partial").join(&claim.name)
    }

    fn lock(&self, name: &str, cancel: &Cancel) -> Result<File> {
        loop {
            cancel.check()?;
            let store = self.open_lock(STORE)?;
            if self.taken(STORE, store.try_lock_shared())? {
                let file = self.open_lock(name)?;
                if self.taken(name, file.try_lock())? {
                    return Ok(file);
                }
            }
            drop(store);
            std::thread::sleep(POLL);
        }
    }

    /// The lock of the whole store, alone or with others; waits for it. Nobody holds it for long.
    pub(super) fn lock_store(&self, alone: bool) -> Result<File> {
        let file = self.open_lock(STORE)?;
        let locked = if alone { file.lock() } else { file.lock_shared() };
        locked.map_err(self.write_error(&self.lock_path(STORE), 0))?;
        Ok(file)
    }

    /// Whether somebody has the claim of this name right now.
    pub(super) fn is_claimed(&self, name: &str) -> Result<bool> {
        match File::options().read(true).write(true).open(self.lock_path(name)) {
            Ok(file) => Ok(!self.taken(name, file.try_lock())?),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.write_error(&self.lock_path(name), 0)(error)),
        }
    }

    pub(super) fn lock_path(&self, name: &str) -> PathBuf {
        self.folder("locks").join(name)
    }

    fn open_lock(&self, name: &str) -> Result<File> {
        let path = self.lock_path(name);
        let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_folders()?;
                open()
            }
            opened => opened,
        };
        file.map_err(self.write_error(&path, 0))
    }

    fn taken(&self, name: &str, tried: Result<(), TryLockError>) -> Result<bool> {
        match tried {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(self.write_error(&self.lock_path(name), 0)(error)),
        }
    }
}
