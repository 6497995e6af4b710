//! The store: the bytes of pins on this machine, each under its digest.
//!
//! A folder that all processes of a user share; `docs/guide/store.md` describes it. Files appear in it whole
//! or not at all.

mod claim;
mod collect;
mod commit;
mod layout;
mod space;
mod stamp;
#[cfg(test)]
mod tests;
mod watch;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(crate) use claim::Claim;
pub(crate) use commit::Committed;
pub use space::parse_size;
use watch::Watched;

use crate::cancel::Cancel;
use crate::checkpoint::Digest;
use crate::error::{Error, Result};

/// Where the store is, and how large it may grow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// Its folder; by default `PINFOLD_STORE` of the environment, or else `pinfold` in the user's data folder.
    pub root: Option<PathBuf>,
    /// Bytes that its files may take together; by default `PINFOLD_STORE_QUOTA` of the environment, or else
    /// no limit.
    pub quota: Option<u64>,
}

/// How a stored file is checked before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// Hashed once; after that its size, time and inode tell whether it was touched since.
    #[default]
    Stamp,
    /// Always hashed.
    Full,
}

/// The store. `Send + Sync`, and safe beside other processes that use the same folder.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    quota: Option<u64>,
}

/// A file of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its digest, and so its name.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Where it is.
    pub path: PathBuf,
    /// When it was last resolved, or else stored; `None` if it came here in another way.
    pub used: Option<SystemTime>,
    /// The lock files, among those that were pulled here and still exist, that pin it.
    pub pinned_by: Vec<PathBuf>,
}

/// What watches work on many bytes.
#[derive(Default)]
pub struct StoreWatch<'a> {
    /// Called on the calling thread with the bytes that are done and those there are in all.
    pub progress: Option<&'a mut dyn FnMut(u64, u64)>,
    /// Stops it from another thread.
    pub cancel: Cancel,
}

/// What [`Store::collect`] removed, or would remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Whole files that no known lock file pins.
    pub removed: Vec<Entry>,
    /// Bytes that were freed, those of unfinished downloads included.
    pub freed: u64,
}

impl Store {
    /// Opens the store, and makes its folders if they are missing.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadStore`].
    pub fn open(options: &StoreOptions) -> Result<Self> {
        let root = match &options.root {
            Some(root) => root.clone(),
            None => default_root()?,
        };
        let root = std::path::absolute(&root).map_err(Error::io(&root))?;
        let quota = match options.quota {
            Some(0) => return Err(Error::option("quota", "0 bytes; it must be above 0")),
            None => quota_of_environment()?,
            quota => quota,
        };
        layout::prepare(&root)?;
        Ok(Self { root, quota })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of `digest`, checked; `None` if the store does not have it.
    ///
    /// A damaged file stays where it is until it is pulled again, imported again or removed. A store that
    /// cannot be written can be used, but without stamps every check hashes.
    ///
    /// # Errors
    /// [`Error::WrongDigest`] if its bytes were changed,
    /// [`Error::Io`].
    pub fn get(&self, digest: Digest, check: Check) -> Result<Option<PathBuf>> {
        self.get_watched(digest, check, &mut |_| Ok(()))
    }

    /// As [`get`](Self::get); `step` is told of the bytes that were hashed, and may stop it.
    pub(crate) fn get_watched(
        &self,
        digest: Digest,
        check: Check,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Option<PathBuf>> {
        let found = self.find(digest, check, step)?;
        if found.is_some() {
            stamp::touch(&self.stamp(digest));
        }
        Ok(found)
    }

    /// As [`get_watched`](Self::get_watched), but not noted as a use.
    fn find(
        &self,
        digest: Digest,
        check: Check,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Option<PathBuf>> {
        let path = self.blob(digest);
        let metadata = match path.symlink_metadata() {
            // Anything but a regular file is not of the store.
            Ok(metadata) if !metadata.is_file() => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            metadata => metadata.map_err(Error::io(&path))?,
        };
        self.check((&path, &metadata), &self.stamp(digest), digest, check, step)?;
        Ok(Some(path))
    }

    /// Its files, in the order of their digests. A lock file that cannot be read counts as one that pins
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn list(&self) -> Result<Vec<Entry>> {
        self.entries(&self.readable_pins()?)
    }

    /// Hashes every file of `digests`, or of the whole store if there are none, and gives those whose bytes
    /// were changed, with the digest that they have now.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Cancelled`],
    /// [`Error::NotPulled`].
    pub fn verify(&self, digests: &[Digest], watch: StoreWatch<'_>) -> Result<Vec<(Entry, Digest)>> {
        let mut files = self.list()?;
        if let Some(&digest) = digests.iter().find(|&&digest| !files.iter().any(|file| file.digest == digest))
        {
            return Err(Error::NotPulled { name: digest.to_string(), digest });
        }
        files.retain(|file| digests.is_empty() || digests.contains(&file.digest));
        let mut watched = Watched::new(watch, files.iter().map(|file| file.size).sum());
        let mut changed = Vec::new();
        let mut before = 0;
        for file in files {
            let step = &mut |done| watched.step(before + done);
            // One that was removed meanwhile is not damaged.
            match self.find(file.digest, Check::Full, step) {
                Err(Error::WrongDigest { actual, .. }) => changed.push((file.clone(), actual)),
                found => drop(found?),
            }
            before += file.size;
        }
        watched.finish();
        Ok(changed)
    }

    /// Removes a file; false if the store does not have it. A process that has it open keeps it: its bytes go
    /// when the last one closes it. (On Windows it cannot be removed while it is open.)
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadStore`].
    pub fn remove(&self, digest: Digest) -> Result<bool> {
        self.discard(digest)
    }

    /// Removes what no known lock file pins, and what is left of downloads that nobody continues. With
    /// `dry_run` it only says what it would remove. What another process is bringing is left alone.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadStore`];
    /// [`Error::BadLock`] of a known lock file: what it pins is not known then, and
    /// nothing is removed.
    pub fn collect(&self, dry_run: bool) -> Result<Collected> {
        self.collect_all(dry_run)
    }

    /// Copies a file into the store and gives its digest, which is that of the copy. With `expected` other
    /// bytes are refused.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::WrongDigest`],
    /// [`Error::NoSpace`], [`Error::Cancelled`],
    /// [`Error::BadStore`].
    pub fn import(&self, path: &Path, expected: Option<Digest>, watch: StoreWatch<'_>) -> Result<Digest> {
        self.import_file(path, expected, watch)
    }

    /// Remembers a lock file, so that [`collect`](Self::collect) keeps what it pins. To be called before its
    /// files are pulled or resolved, or a `collect` in between may take them.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadStore`].
    pub fn remember(&self, lock_file: &Path) -> Result<()> {
        self.add_root(lock_file)
    }
}

/// The folder that is used where none is given.
fn default_root() -> Result<PathBuf> {
    if let Some(root) = std::env::var_os("PINFOLD_STORE").filter(|root| !root.is_empty()) {
        return Ok(root.into());
    }
    let data = dirs::data_dir().map(|folder| folder.join("pinfold"));
    data.ok_or_else(|| Error::BadStore {
        path: "pinfold".into(),
        reason: "there is no folder for a user's data: set PINFOLD_STORE to a folder for the store".into(),
    })
}

fn quota_of_environment() -> Result<Option<u64>> {
    const NAME: &str = "PINFOLD_STORE_QUOTA";
    let Some(text) = std::env::var_os(NAME).filter(|text| !text.is_empty()) else { return Ok(None) };
    let text = text.to_string_lossy();
    let bytes = parse_size(&text).map_err(|reason| Error::option(NAME, format!("{text:?}: {reason}")))?;
    Ok(Some(bytes))
}
