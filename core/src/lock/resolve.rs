//! From a name to a file with exactly the pinned bytes.

use std::io::ErrorKind;
use std::path::Path;

use super::fault::Fault;
use super::field::Fields;
use super::parse::{self, Entry};
use super::{AdapterPin, CheckpointPin, FilePin, Lock, LockFile, Pinned, Source};
use crate::error::{Error, Result};
use crate::sampler::Sampling;
use crate::signature::PublicKey;
use crate::store::{Check, Store};

impl Lock {
    /// The files of all checkpoints, then those of all adapters, each with its name.
    pub fn files(&self) -> impl Iterator<Item = (&String, &FilePin)> {
        let checkpoints = self.checkpoints.iter().map(|(name, pin)| (name, &pin.file));
        checkpoints.chain(self.adapters.iter().map(|(name, pin)| (name, &pin.file)))
    }

    /// The file that the checkpoint or adapter `name` is pinned to.
    pub fn file(&self, name: &str) -> Option<&FilePin> {
        let checkpoint = self.checkpoints.get(name).map(|pin| &pin.file);
        checkpoint.or_else(|| self.adapters.get(name).map(|pin| &pin.file))
    }
}

impl LockFile {
    /// The file that the checkpoint or adapter `name` is pinned to.
    ///
    /// # Errors
    /// [`Error::NotPinned`].
    pub fn file_pin(&self, name: &str) -> Result<&FilePin> {
        self.lock()
            .file(name)
            .ok_or_else(|| Error::not_pinned(self.path(), name, self.lock().files().map(|(known, _)| known)))
    }

    /// The settings of the sampler that have this name.
    ///
    /// # Errors
    /// [`Error::NotPinned`].
    pub fn sampling(&self, name: &str) -> Result<&Sampling> {
        let all = &self.lock().sampling;
        all.get(name).ok_or_else(|| Error::not_pinned(self.path(), name, all.keys()))
    }

    /// A file with exactly the bytes that the checkpoint or adapter `name` is pinned to: of the store, or
    /// else of a `file:` source. Nothing is downloaded.
    ///
    /// # Errors
    /// [`Error::NotPinned`], [`Error::NotPulled`], [`Error::WrongDigest`], [`Error::Io`];
    /// [`Error::BadLock`] if the bytes are right, but not their pinned number.
    pub fn resolve(&self, name: &str, store: &Store, check: Check) -> Result<Pinned> {
        self.resolve_watched(name, store, check, &mut |_| Ok(()))
    }

    /// As [`resolve`](Self::resolve); `step` is told of the bytes of a file that were hashed, and may stop it.
    pub(crate) fn resolve_watched(
        &self,
        name: &str,
        store: &Store,
        check: Check,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Pinned> {
        let pin = self.file_pin(name)?;
        let stored = store.get_watched(pin.sha256, check, step).map_err(|error| rename(error, name))?;
        if let Some(path) = stored {
            return self.pinned(name, pin, &path);
        }
        let mut refusal = None;
        for source in &pin.sources {
            let Source::File(path) = source else { continue };
            let path = self.folder().join(path);
            match store.check_file(&path, pin.sha256, check, step) {
                Ok(()) => return self.pinned(name, pin, &path),
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => refusal = refusal.or(Some(rename(error, name))),
            }
        }
        Err(refusal.unwrap_or_else(|| Error::NotPulled { name: name.to_owned(), digest: pin.sha256 }))
    }

    fn pinned(&self, name: &str, pin: &FilePin, path: &Path) -> Result<Pinned> {
        let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
        if size != pin.size {
            let fault =
                Fault::new(self.size_at(name), format!("`size` must be {size}, that of the pinned bytes"));
            return Err(fault.of(self.path(), &self.text));
        }
        Ok(Pinned {
            name: name.to_owned(),
            path: path.to_owned(),
            digest: pin.sha256,
            minisig: pin.minisig.clone(),
        })
    }

    /// Where the size of a pin stands.
    fn size_at(&self, name: &str) -> usize {
        let Ok(document) = parse::document(&self.text) else { return 0 };
        let root = Fields::root(&self.text, document.as_table());
        let sections = [CheckpointPin::SECTION, AdapterPin::SECTION];
        let size = sections
            .iter()
            .find_map(|section| root.get(section)?.table().ok()?.get(name)?.table().ok()?.get("size"));
        size.map_or(0, |field| field.at)
    }
}

impl Pinned {
    /// Checks that the file is signed by `key`, with the signature that the lock file carries.
    ///
    /// # Errors
    /// [`Error::BadSignature`], also if there is no signature; [`Error::Io`].
    pub fn check_signature(&self, key: &PublicKey) -> Result<()> {
        let Some(minisig) = &self.minisig else {
            let reason = "not signed: put the text of its .minisig file under `minisig` in the lock file";
            return Err(Error::BadSignature { name: self.name.clone(), reason: reason.to_owned() });
        };
        key.check_file(&self.name, &self.path, minisig)
    }
}

/// A digest's error speaks of the name in the lock file.
fn rename(error: Error, name: &str) -> Error {
    match error {
        Error::WrongDigest { expected, actual, .. } => {
            Error::WrongDigest { name: name.to_owned(), expected, actual }
        }
        other => other,
    }
}
