//! The bytes of pins on this machine.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use pinfold::store::{Entry, StoreWatch};
use pinfold::{Check, Digest};

use super::watch::watched;
use super::{Cancel, PinfoldError, Result, StoreProgress};

/// Where a store is, and how large it may grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct StoreOptions {
    /// Its folder; by default `PINFOLD_STORE` of the environment, or else `pinfold` in the user's data folder.
    #[uniffi(default = None)]
    pub root: Option<String>,
    /// Bytes that its files may take together; by default `PINFOLD_STORE_QUOTA` of the environment, or else no
    /// limit.
    #[uniffi(default = None)]
    pub quota: Option<u64>,
}

/// A file of a store.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StoreEntry {
    /// Its SHA-256, in hexadecimal.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// Where it is.
    pub path: String,
    /// When it was last resolved.
    pub used: Option<SystemTime>,
    /// The lock files, among those that were pulled here and still exist, that pin it.
    pub pinned_by: Vec<String>,
}

/// A file of a store whose bytes were changed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DamagedEntry {
    /// The file, under the digest that it should have.
    pub entry: StoreEntry,
    /// The digest that its bytes have now, in hexadecimal.
    pub actual_digest: String,
}

/// What was removed from a store, or would be.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Collected {
    /// Whole files that no known lock file pins.
    pub removed: Vec<StoreEntry>,
    /// Bytes that were freed, those of unfinished downloads included.
    pub freed: u64,
}

/// The bytes of pins on this machine, each file under its digest: a folder that all processes of a user share.
///
/// May be used from any thread, beside other processes.
#[derive(uniffi::Object)]
pub struct Store(pub(super) pinfold::Store);

#[uniffi::export]
impl Store {
    /// Opens the store, and makes its folders if they are missing.
    ///
    /// # Errors
    /// `Io`, `BadStore`, or `InvalidText` if the path of its folder is not Unicode.
    #[uniffi::constructor(default(options))]
    pub fn open(options: StoreOptions) -> Result<Self> {
        let StoreOptions { root, quota } = options;
        let store = pinfold::Store::open(&pinfold::StoreOptions { root: root.map(Into::into), quota })?;
        unicode(store.root())?;
        Ok(Self(store))
    }

    /// Its folder.
    pub fn root(&self) -> String {
        lossy(self.0.root())
    }

    /// Its files, in the order of their digests.
    ///
    /// # Errors
    /// `Io`.
    pub fn entries(&self) -> Result<Vec<StoreEntry>> {
        Ok(self.0.list()?.into_iter().map(StoreEntry::from).collect())
    }

    /// Hashes the files of these digests, or all if there are none, and gives those whose bytes were changed.
    ///
    /// # Errors
    /// `InvalidOption` for a text that is no digest, `NotPulled` for one that the store does not have, `Io`,
    /// `Cancelled` or `Callback`.
    #[uniffi::method(default(progress = None, cancel = None, digests))]
    pub fn verify(
        &self,
        digests: Vec<String>,
        progress: Option<Arc<dyn StoreProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Vec<DamagedEntry>> {
        let digests: Vec<Digest> = digests.iter().map(|text| digest(text)).collect::<Result<_>>()?;
        let damaged = watched("verification", cancel, |cancel, hear| {
            let mut report = |done, total| {
                if let Some(progress) = &progress {
                    hear(progress.processed(done, total));
                }
            };
            self.0.verify(&digests, StoreWatch { progress: Some(&mut report), cancel })
        })?;
        let damaged = damaged.into_iter();
        Ok(damaged
            .map(|(entry, actual)| DamagedEntry { entry: entry.into(), actual_digest: actual.to_string() })
            .collect())
    }

    /// Removes the file of this digest; false if the store does not have it.
    ///
    /// # Errors
    /// `InvalidOption` for a text that is no digest, or `Io`.
    pub fn remove(&self, digest: &str) -> Result<bool> {
        Ok(self.0.remove(self::digest(digest)?)?)
    }

    /// Removes what no known lock file pins, and what is left of downloads that nobody continues. With `dry_run` it
    /// only says what it would remove. Known are the lock files that were pulled here.
    ///
    /// # Errors
    /// `Io`, or `BadLock` of a known lock file: what it pins is not known then, and nothing is removed.
    #[uniffi::method(default(dry_run = false))]
    pub fn collect(&self, dry_run: bool) -> Result<Collected> {
        let found = self.0.collect(dry_run)?;
        let removed = found.removed.into_iter().map(StoreEntry::from).collect();
        Ok(Collected { removed, freed: found.freed })
    }

    /// Copies a file into the store and gives its digest. With `expected_digest` other bytes are refused.
    ///
    /// # Errors
    /// `Io`, `WrongDigest`, `NoSpace`, `InvalidOption` for a text that is no digest, `Cancelled` or `Callback`.
    #[uniffi::method(default(expected_digest = None, progress = None, cancel = None))]
    pub fn import_file(
        &self,
        path: &str,
        expected_digest: Option<String>,
        progress: Option<Arc<dyn StoreProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<String> {
        let expected = expected_digest.as_deref().map(digest).transpose()?;
        let digest = watched("import", cancel, |cancel, hear| {
            let mut report = |done, total| {
                if let Some(progress) = &progress {
                    hear(progress.processed(done, total));
                }
            };
            self.0.import(Path::new(path), expected, StoreWatch { progress: Some(&mut report), cancel })
        })?;
        Ok(digest.to_string())
    }
}

impl From<Entry> for StoreEntry {
    fn from(entry: Entry) -> Self {
        Self {
            digest: entry.digest.to_string(),
            size: entry.size,
            path: lossy(&entry.path),
            used: entry.used,
            pinned_by: entry.pinned_by.iter().map(|path| lossy(path)).collect(),
        }
    }
}

/// How a file is checked before it is used.
pub(super) fn check(full: bool) -> Check {
    if full { Check::Full } else { Check::Stamp }
}

/// A path as text, for people: what is not Unicode becomes U+FFFD.
fn lossy(path: &Path) -> String {
    path.display().to_string()
}

/// A path as text that names the same file.
///
/// # Errors
/// `InvalidText` if it is not Unicode.
pub(super) fn unicode(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        PinfoldError::InvalidText(format!("the path {} is not Unicode: use another folder", path.display()))
    })
}

fn digest(text: &str) -> Result<Digest> {
    text.parse().map_err(|_| {
        let what =
            format!("digest: {} characters, but it must be 64 hexadecimal digits", text.chars().count());
        PinfoldError::InvalidOption(what)
    })
}
