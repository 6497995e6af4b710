//! The files of a lock file: whether they are as pinned, and if not, what changed in them.

use std::path::{Path, PathBuf};

use super::golden::Changed;
use super::{Cause, FileReport};
use crate::cancel::Cancel;
use crate::checkpoint::{self, AdapterFile, Checkpoint};
use crate::error::{Error, Result};
use crate::lock::{AdapterPin, CheckpointPin, FilePin, HeaderField, LockFile, Pinned, Source};
use crate::store::{Check, Store};

/// A checkpoint of a lock file that was looked at.
pub(super) struct CheckedCheckpoint {
    pub report: FileReport,
    /// The file, if its bytes are those of the pinned digest and would run.
    pub usable: Option<Pinned>,
    /// What of it is not as pinned, though the digest is.
    pub changed: Changed,
}

/// Looks for files.
pub(super) struct Files<'a> {
    pub lock: &'a LockFile,
    pub store: &'a Store,
    pub check: Check,
    pub cancel: Cancel,
}

/// What is wrong with a file.
#[derive(Default)]
struct Faults {
    causes: Vec<Cause>,
    words: Vec<String>,
}

impl Faults {
    fn add(&mut self, cause: Cause, words: impl Into<String>) {
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
        self.words.push(words.into());
    }

    fn report(self, name: &str, fine: String) -> FileReport {
        let passed = self.causes.is_empty();
        let detail = if passed { fine } else { self.words.join("; ") };
        FileReport { name: name.to_owned(), passed, causes: self.causes, detail }
    }
}

impl Files<'_> {
    pub fn checkpoint(&self, name: &str, pin: &CheckpointPin) -> Result<CheckedCheckpoint> {
        let mut faults = Faults::default();
        let (mut usable, mut changed) = (None, Changed::default());
        if let Some(pinned) = self.resolve(name, &pin.file, &mut faults, |path, faults| {
            if let Some(checkpoint) = open(path, faults) {
                compare(pin, &checkpoint, faults);
                if faults.causes.is_empty() {
                    faults.add(
                        Cause::Weights,
                        "what is pinned of its header is unchanged, so the weights or other bytes changed",
                    );
                }
            }
        })? && let Some(checkpoint) = open(&pinned.path, &mut faults)
        {
            changed = compare(pin, &checkpoint, &mut faults);
            if !faults.causes.is_empty() {
                let words = "the bytes have the pinned digest, so either the entry was edited by hand, or the \
                             file was replaced and only its sha256 brought up to date";
                faults.add(Cause::Lock, words);
            }
            usable = Some(pinned);
        }
        let fine = format!("{}, {}", pin.architecture, pin.quantization);
        Ok(CheckedCheckpoint { report: faults.report(name, fine), usable, changed })
    }

    /// `base` is the file of its base, if that is usable.
    pub fn adapter(&self, name: &str, pin: &AdapterPin, base: Option<&Pinned>) -> Result<FileReport> {
        let mut faults = Faults::default();
        match self.lock.lock().checkpoints.get(&pin.base) {
            None => faults.add(Cause::Lock, format!("its base {:?} is not pinned", pin.base)),
            Some(base) if base.file.sha256 != pin.base_sha256 => {
                let words = format!("it is for {:?} with the digest {}", pin.base, pin.base_sha256);
                faults.add(Cause::Lock, format!("{words}, but that is pinned to {}", base.file.sha256));
            }
            Some(base) if base.architecture != pin.architecture => {
                let words =
                    format!("it is for {}, but {:?} is {}", pin.architecture, pin.base, base.architecture);
                faults.add(Cause::Lock, words);
            }
            Some(_) => {}
        }
        if let Some(pinned) = self.resolve(name, &pin.file, &mut faults, |path, faults| {
            let adapter = open_adapter(path, faults);
            if adapter.is_some_and(|adapter| adapter.architecture() == pin.architecture) {
                faults.add(Cause::Weights, "it is still an adapter for the base, so its weights changed");
            } else if faults.causes.is_empty() {
                faults.add(Cause::Metadata, format!("it is not for {}", pin.architecture));
            }
        })? && let Some(adapter) = open_adapter(&pinned.path, &mut faults)
        {
            if adapter.architecture() != pin.architecture {
                let words =
                    format!("it is for {}, but pinned for {}", adapter.architecture(), pin.architecture);
                faults.add(Cause::Lock, words);
            }
            if let Some(base) = base
                && let Err(defect) = adapter.check_fit(&checkpoint::inspect(&base.path)?.tensors)
            {
                faults.add(Cause::Preflight, format!("it does not fit {:?}: {defect}", pin.base));
            }
        }
        Ok(faults.report(name, format!("an adapter for {:?}", pin.base)))
    }

    /// The file with the pinned bytes. If there is none, `examine` says what changed in the one that is there.
    fn resolve(
        &self,
        name: &str,
        pin: &FilePin,
        faults: &mut Faults,
        examine: impl FnOnce(&Path, &mut Faults),
    ) -> Result<Option<Pinned>> {
        let step = &mut |_| self.cancel.check();
        match self.lock.resolve_watched(name, self.store, self.check, step) {
            Ok(pinned) => Ok(Some(pinned)),
            // The digest is right, but not the pinned number of bytes.
            Err(error @ Error::BadLock { .. }) => {
                faults.add(Cause::Lock, error.to_string());
                Ok(None)
            }
            Err(Error::NotPulled { .. }) => {
                faults.add(Cause::Missing, "it is not on this machine: pull it first");
                Ok(None)
            }
            Err(Error::WrongDigest { actual, .. }) => {
                match self.refused(pin)? {
                    None => faults.add(Cause::Weights, "the bytes changed"),
                    Some(path) => {
                        examine(&path, faults);
                        let size = std::fs::metadata(&path).map_err(Error::io(&path))?.len();
                        if size != pin.size {
                            let words = format!("{size} bytes instead of {}", pin.size);
                            faults.words.push(words);
                        }
                    }
                }
                faults.words.push(format!("the digest is {actual} instead of {}", pin.sha256));
                Ok(None)
            }
            Err(error @ Error::Io { .. }) => {
                faults.add(Cause::Missing, error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The file that [`resolve`](LockFile::resolve) refused: that of the store, or else the first of a `file:` source.
    fn refused(&self, pin: &FilePin) -> Result<Option<PathBuf>> {
        let stored = self.store.list()?.into_iter().find(|entry| entry.digest == pin.sha256);
        let beside = pin.sources.iter().filter_map(|source| match source {
            Source::File(path) => Some(self.lock.folder().join(path)),
            _ => None,
        });
        Ok(stored.map(|entry| entry.path).into_iter().chain(beside).find(|path| path.exists()))
    }
}

fn open(path: &Path, faults: &mut Faults) -> Option<Checkpoint> {
    checkpoint::open(path).map_err(|error| faults.add(Cause::Preflight, error.to_string())).ok()
}

fn open_adapter(path: &Path, faults: &mut Faults) -> Option<AdapterFile> {
    checkpoint::open_adapter(path).map_err(|error| faults.add(Cause::Preflight, error.to_string())).ok()
}

/// Notes what of the header is not as pinned.
fn compare(pin: &CheckpointPin, checkpoint: &Checkpoint, faults: &mut Faults) -> Changed {
    let mut changed = Changed::default();
    for difference in pin.differences(checkpoint) {
        match difference.field {
            HeaderField::Tokenizer => {
                changed.tokenizer = true;
                faults.add(Cause::Tokenizer, "the tokenizer is not the pinned one");
            }
            HeaderField::ChatTemplate => {
                changed.chat_template = true;
                let words = match (pin.chat_template_sha256, checkpoint.chat_template()) {
                    (Some(_), None) => "the chat template is gone",
                    (None, _) => "the chat template is new, none is pinned",
                    _ => "the chat template is not the pinned one",
                };
                faults.add(Cause::ChatTemplate, words);
            }
            HeaderField::Architecture | HeaderField::Quantization | HeaderField::ContextLength => {
                faults.add(Cause::Metadata, difference.to_string());
            }
        }
    }
    changed
}

/// Why the goldens of a checkpoint cannot be replayed.
pub(super) fn why_not(report: &FileReport) -> (Option<Cause>, String) {
    (report.causes.first().copied(), format!("the file of {:?} cannot be used, see there", report.name))
}
