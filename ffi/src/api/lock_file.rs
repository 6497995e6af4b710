//! A lock file: what an app runs, pinned by digest.

use std::io;
use std::path::Path;
use std::sync::Arc;

use pinfold::lock::{FILE_NAME, Pinned};
use pinfold::{ModelOptions, PublicKey, PullWatch, Sampling, pull, verify};

use super::store::{check, unicode};
use super::watch::watched;
use super::{
    Cancel, LoadProgress, Model, PinnedAdapter, PinnedCheckpoint, PinnedGolden, PullOptions, PullProgress,
    Result, Store, VerifyOptions, VerifyProgress, VerifyReport,
};

/// A name that was resolved: a file that holds exactly the pinned bytes.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PinnedFile {
    /// The name in the lock file.
    pub name: String,
    /// The file.
    pub path: String,
    /// Its SHA-256, which was checked, in hexadecimal.
    pub digest: String,
}

impl PinnedFile {
    fn new(pinned: Pinned) -> Result<Self> {
        let path = unicode(&pinned.path)?;
        Ok(Self { name: pinned.name, path, digest: pinned.digest.to_string() })
    }
}

/// A lock file that was read: what an app runs, each checkpoint pinned by its digest.
///
/// It shows the file as it was when it was opened. May be used from any thread.
#[derive(uniffi::Object)]
pub struct LockFile {
    file: pinfold::LockFile,
    path: String,
}

#[uniffi::export]
impl LockFile {
    /// Reads the lock file at `path`.
    ///
    /// # Errors
    /// `Io`, or `BadLock`, whose message begins with the path, the line and the column.
    #[uniffi::constructor]
    pub fn open(path: &str) -> Result<Self> {
        Self::new(pinfold::LockFile::open(path)?)
    }

    /// Reads a lock file that is signed: `PATH.minisig` beside it, as `minisign -Sm PATH` writes it. `public_key` is
    /// the key that the app embeds: the 56 characters of base64, or the whole text of a `.pub` file.
    ///
    /// # Errors
    /// Those of `open`, and `BadSignature`, also if there is no signature.
    #[uniffi::constructor]
    pub fn open_signed(path: &str, public_key: &str) -> Result<Self> {
        Self::new(pinfold::LockFile::open_signed(path, &PublicKey::parse(public_key)?)?)
    }

    /// Reads the bytes of a lock file that the app has by other means, say embedded; `path` is for messages, and its
    /// folder what `file:` sources are relative to.
    ///
    /// # Errors
    /// `BadLock`.
    #[uniffi::constructor]
    pub fn open_bytes(path: &str, bytes: &[u8]) -> Result<Self> {
        Self::new(pinfold::LockFile::from_bytes(path, bytes)?)
    }

    /// Reads the nearest `pinfold.lock`: in `folder`, or else in the nearest folder around it that has one.
    ///
    /// # Errors
    /// `Io` if there is none, and those of `open`.
    #[uniffi::constructor]
    pub fn find(folder: &str) -> Result<Self> {
        let path = pinfold::LockFile::find(folder).ok_or_else(|| {
            let reason = "not found, nor in a folder around that";
            let source = io::Error::new(io::ErrorKind::NotFound, reason);
            pinfold::Error::Io { path: Path::new(folder).join(FILE_NAME), source }
        })?;
        Self::new(pinfold::LockFile::open(path)?)
    }

    /// The path of the file.
    pub fn path(&self) -> String {
        self.path.clone()
    }

    /// The pinned checkpoints, in the order of their names.
    pub fn checkpoints(&self) -> Vec<PinnedCheckpoint> {
        let pins = self.file.lock().checkpoints.iter();
        pins.map(|(name, pin)| PinnedCheckpoint::new(name, pin)).collect()
    }

    /// The pinned adapters, in the order of their names.
    pub fn adapters(&self) -> Vec<PinnedAdapter> {
        let pins = self.file.lock().adapters.iter();
        pins.map(|(name, pin)| PinnedAdapter::new(name, pin)).collect()
    }

    /// The goldens, in the order of their names.
    pub fn goldens(&self) -> Vec<PinnedGolden> {
        let goldens = self.file.lock().goldens.iter();
        goldens.map(|(name, golden)| PinnedGolden::new(name, golden)).collect()
    }

    /// The settings of the sampler that have this name.
    ///
    /// # Errors
    /// `NotPinned`.
    pub fn sampling(&self, name: &str) -> Result<Sampling> {
        Ok(self.file.sampling(name)?.clone())
    }

    /// A file with exactly the bytes that the checkpoint or adapter `name` is pinned to: of the store, or else of a
    /// `file:` source. Nothing is downloaded. A file that was hashed is not hashed again as long as it is not touched;
    /// with `full_check` it always is.
    ///
    /// # Errors
    /// `NotPinned`, `NotPulled`, `WrongDigest`, `BadLock` if the pinned size is wrong, `Io`, or `InvalidText` if the path is not Unicode.
    #[uniffi::method(default(full_check = false))]
    pub fn resolve(&self, name: &str, store: &Store, full_check: bool) -> Result<PinnedFile> {
        PinnedFile::new(self.file.resolve(name, &store.0, check(full_check))?)
    }

    /// Checks that the file of `name`, which is resolved, is signed by `public_key` with the signature that the lock
    /// file carries. The key is one that the app embeds: the 56 characters of base64, or the text of a `.pub` file.
    ///
    /// # Errors
    /// `BadSignature`, also if there is no signature, and those of `resolve`.
    pub fn check_signature(&self, name: &str, store: &Store, public_key: &str) -> Result<()> {
        let key = PublicKey::parse(public_key)?;
        Ok(self.file.resolve(name, &store.0, check(false))?.check_signature(&key)?)
    }

    /// Brings the bytes of the checkpoint or adapter `name` into the store, unless they are there.
    ///
    /// # Errors
    /// `NotPinned`, `PullFailed`, `NoSpace`, `InvalidOption`, `Io`, `Cancelled`, `Callback`, or `InvalidText` if the
    /// path is not Unicode. What arrived is kept for the next attempt.
    #[uniffi::method(default(progress = None, cancel = None, options))]
    pub fn pull(
        &self,
        name: &str,
        store: &Store,
        options: PullOptions,
        progress: Option<Arc<dyn PullProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<PinnedFile> {
        let options = options.into();
        PinnedFile::new(watched("pull", cancel, |cancel, hear| {
            let mut report = |now: &pull::PullProgress| {
                if let Some(progress) = &progress {
                    hear(progress.pulled(now.source.clone(), now.done, now.total));
                }
            };
            let watch = PullWatch { progress: Some(&mut report), cancel };
            pull::pull(&self.file, name, &store.0, &options, watch)
        })?)
    }

    /// Loads the checkpoint `name`: resolves it, and opens exactly those bytes.
    ///
    /// # Errors
    /// Those of `resolve` and of `Model.load`.
    #[uniffi::method(default(progress = None, cancel = None, options))]
    pub fn load(
        &self,
        name: &str,
        store: &Store,
        options: ModelOptions,
        progress: Option<Arc<dyn LoadProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Model> {
        let pinned = self.file.resolve(name, &store.0, check(false))?;
        Model::load_pinned(&pinned, &options, progress, cancel)
    }

    /// Checks the files, and replays the goldens. What is wrong with a pin stands in the report.
    ///
    /// # Errors
    /// `NotPinned` for an unknown name, `InvalidOption`, `Cancelled` or `Callback`.
    #[uniffi::method(default(progress = None, cancel = None, options))]
    pub fn verify(
        &self,
        store: &Store,
        options: VerifyOptions,
        progress: Option<Arc<dyn VerifyProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<VerifyReport> {
        let options = options.into();
        let report = watched("verification", cancel, |cancel, hear| {
            let mut report = |subject: &str, done, total| {
                if let Some(progress) = &progress {
                    hear(progress.verified(subject.to_owned(), done, total));
                }
            };
            let watch = verify::VerifyWatch { progress: Some(&mut report), cancel };
            verify::verify(&self.file, &store.0, &options, watch)
        })?;
        Ok(report.into())
    }
}

impl LockFile {
    fn new(file: pinfold::LockFile) -> Result<Self> {
        let path = unicode(file.path())?;
        Ok(Self { file, path })
    }
}
