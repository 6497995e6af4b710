//! How bytes become a file of the store: gathered in `partial`, hashed there, and renamed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::claim::Claim;
use super::layout::{self, set_mode};
use super::watch::Watched;
use super::{Check, Store, StoreWatch, stamp};
use crate::checkpoint::Digest;
use crate::error::{Error, Result};
use crate::files::sync_folder;

/// Bytes that are copied between two looks at the watch.
const PIECE: u64 = 8 << 20;

/// A file that came into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The digest of its bytes.
    pub(crate) digest: Digest,
    /// Their number.
    pub(crate) size: u64,
    /// Where they are now.
    pub(crate) path: PathBuf,
}

impl Store {
    /// Takes a complete file of `partial` into the store: hashes it, syncs it and renames it. A damaged file
    /// of the same digest is replaced. The partial file is gone afterwards, except when `step` stopped it or
    /// it could not be read or written. `step` is told of the bytes that were hashed.
    ///
    /// # Errors
    /// [`Error::WrongDigest`] if these are not the bytes that were claimed, [`Error::Io`],
    /// [`Error::BadStore`], and what `step` gives.
    pub(crate) fn commit(
        &self,
        claim: &Claim,
        partial: &Path,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Committed> {
        let file = File::options().read(true).write(true).open(partial).map_err(Error::io(partial))?;
        let size = file.metadata().map_err(Error::io(partial))?.len();
        let digest = Digest::of_open_file(&file, partial, &mut *step)?;
        if let Some(expected) = claim.digest.filter(|&expected| expected != digest) {
            fs::remove_file(partial).map_err(self.write_error(partial, 0))?;
            return Err(Error::WrongDigest { name: partial.display().to_string(), expected, actual: digest });
        }
        let path = self.blob(digest);
        if claim.digest.is_none() && self.has_whole(digest, step)? {
            fs::remove_file(partial).map_err(self.write_error(partial, 0))?;
            return Ok(Committed { digest, size, path });
        }
        self.seal(&file, partial, &path).map_err(self.write_error(&path, size))?;
        stamp::note(&file, &self.stamp(digest), digest);
        Ok(Committed { digest, size, path })
    }

    fn seal(&self, file: &File, partial: &Path, path: &Path) -> io::Result<()> {
        // Set back by more than a tick of the clock, so that any later write shows in the time.
        file.set_modified(SystemTime::now() - 2 * stamp::TICK)?;
        file.sync_all()?;
        fs::rename(partial, path)?;
        // After the rename: a read-only file in `partial` could not be continued.
        set_mode(file, 0o444)?;
        sync_folder(&self.folder("blobs"))
    }

    fn has_whole(&self, digest: Digest, step: &mut dyn FnMut(u64) -> Result<()>) -> Result<bool> {
        match self.find(digest, Check::Stamp, step) {
            Err(Error::WrongDigest { .. }) => Ok(false),
            found => Ok(found?.is_some()),
        }
    }

    pub(super) fn import_file(
        &self,
        path: &Path,
        expected: Option<Digest>,
        watch: StoreWatch<'_>,
    ) -> Result<Digest> {
        let origin = open_regular(path).map_err(Error::io(path))?;
        let size = origin.metadata().map_err(Error::io(path))?.len();
        let cancel = watch.cancel.clone();
        // Each byte is copied, then hashed.
        let mut watched = Watched::new(watch, size);
        let refuse =
            |expected, actual| Err(Error::WrongDigest { name: path.display().to_string(), expected, actual });
        if let Some(expected) = expected
            && self.has_whole(expected, &mut |_| cancel.check())?
        {
            let actual = Digest::of_open_file(&origin, path, |done| watched.step(done))?;
            watched.finish();
            return if actual == expected { Ok(expected) } else { refuse(expected, actual) };
        }
        self.reserve(size)?;
        let real = fs::canonicalize(path).map_err(Error::io(path))?;
        let key = Digest::of_bytes(real.as_os_str().as_encoded_bytes());
        let mut claim = self.claim_named(format!("{IMPORT}{key}"), &cancel)?;
        claim.digest = expected;
        let partial = self.partial_path(&claim);
        let committed = self
            .copy(&origin, path, &partial, size, &mut |done| watched.step(done / 2))
            .and_then(|()| self.commit(&claim, &partial, &mut |done| watched.step((size + done) / 2)));
        match committed {
            Ok(committed) => {
                watched.finish();
                Ok(committed.digest)
            }
            Err(error) => {
                let _ = layout::remove_file(&partial);
                match error {
                    Error::WrongDigest { expected, actual, .. } => refuse(expected, actual),
                    error => Err(error),
                }
            }
        }
    }

    /// Copies in pieces, so that it can be stopped. The system does it without the bytes passing through us,
    /// or shares them, where it can.
    fn copy(
        &self,
        origin: &File,
        path: &Path,
        partial: &Path,
        size: u64,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let mut copy = File::create(partial).map_err(self.write_error(partial, size))?;
        let mut done = 0;
        loop {
            match io::copy(&mut origin.take(PIECE), &mut copy) {
                Ok(0) => return Ok(()),
                Ok(copied) => done += copied,
                Err(error) => {
                    // Which of the two failed is not said.
                    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
                    let left = size.saturating_sub(done);
                    return Err(if full {
                        self.write_error(partial, left)(error)
                    } else {
                        Error::io(path)(error)
                    });
                }
            }
            step(done)?;
        }
    }
}

/// What the names of copies in `partial` begin with. Nobody continues them.
pub(super) const IMPORT: &str = "import-";

/// Opens a file, and nothing that could block or never end.
fn open_regular(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"))
    }
}
