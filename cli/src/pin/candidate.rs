//! What is going to be pinned: a checkpoint or an adapter that was examined.

use pinfold::checkpoint::{self, AdapterFile, Header};
use pinfold::lock::{AdapterPin, CheckpointPin, FilePin};
use pinfold::{Check, Error, LockFile, Source};

use super::sources::{Found, Sources};
use crate::output::{self, Exit, Failure, excerpt, quoted};
use crate::pins;

/// A pin that is not in the lock file yet.
#[derive(Clone, PartialEq)]
pub enum Candidate {
    Checkpoint(CheckpointPin),
    Adapter(AdapterPin),
}

impl Candidate {
    /// What is pinned already.
    pub fn of_lock(lock: &LockFile, name: &str) -> Result<Self, Failure> {
        lock.file_pin(name)?;
        let pins = lock.lock();
        Ok(match pins.adapters.get(name) {
            Some(pin) => Self::Adapter(pin.clone()),
            None => Self::Checkpoint(pins.checkpoints[name].clone()),
        })
    }

    /// Runs the preflight on a file that was brought, and makes the pin of it, which lacks the licence yet.
    pub fn examine(
        found: &Found,
        base: Option<&str>,
        lock: &LockFile,
        sources: &Sources<'_>,
    ) -> Result<(Self, Header), Failure> {
        let source = pins::label(&found.fetched.source);
        let refused = |error: Error| match error {
            Error::BadCheckpoint { defect, .. } => {
                let path = found.path.display();
                Failure::from(Error::BadCheckpoint { name: excerpt(&source, 200), defect }).hint(format!(
                    "nothing was recorded; `pinfold inspect {path}` shows what can be read of it"
                ))
            }
            other => other.into(),
        };
        let file = FilePin {
            sources: [found.fetched.source.clone()].into_iter().chain(found.moving.clone()).collect(),
            sha256: found.fetched.digest,
            size: found.fetched.size,
            licence: String::new(),
            minisig: None,
        };
        let header = checkpoint::inspect(&found.path).map_err(refused)?;
        let is_adapter = header.metadata.str("general.type") == Some("adapter");
        let this = match (is_adapter, base) {
            (true, Some(base)) => {
                let adapter = checkpoint::open_adapter(&found.path).map_err(refused)?;
                Self::Adapter(adapter_pin(file, &adapter, base, lock, sources)?)
            }
            (true, None) => {
                return Err(Failure::usage("the file is an adapter, which needs its base")
                    .hint("--base NAME names the checkpoint in the lock file that it is for"));
            }
            (false, Some(_)) => {
                return Err(
                    Failure::usage("the file is no adapter, so it has no base").hint("leave --base out")
                );
            }
            (false, None) => {
                let checkpoint = checkpoint::open(&found.path).map_err(refused)?;
                Self::Checkpoint(CheckpointPin::of(&checkpoint, file))
            }
        };
        Ok((this, header))
    }

    pub fn licensed(mut self, licence: String, minisig: Option<String>) -> Self {
        let file = self.file_mut();
        (file.licence, file.minisig) = (licence, minisig);
        self
    }

    /// With the other sources and the signature that the same bytes are pinned with already.
    pub fn keeping(mut self, old: Option<&FilePin>) -> Self {
        if let Some(old) = old {
            let file = self.file_mut();
            let others: Vec<_> =
                old.sources.iter().filter(|source| !file.sources.contains(source)).cloned().collect();
            file.sources.extend(others);
            file.minisig = file.minisig.take().or_else(|| old.minisig.clone());
        }
        self
    }

    /// Adds sources, after checking that they have the same bytes.
    pub fn with_mirrors(mut self, sources: &Sources<'_>, mirrors: &[Source]) -> Result<Self, Failure> {
        for mirror in mirrors {
            let checked = sources.check(mirror, self.file().sha256)?;
            let known = &mut self.file_mut().sources;
            for source in checked {
                if !known.contains(&source) {
                    known.push(source);
                }
            }
        }
        Ok(self)
    }

    pub fn record(&self, lock: &mut LockFile, name: &str) -> Result<(), Error> {
        match self {
            Self::Checkpoint(pin) => lock.set_checkpoint(name, pin),
            Self::Adapter(pin) => lock.set_adapter(name, pin),
        }
    }

    pub fn file(&self) -> &FilePin {
        match self {
            Self::Checkpoint(pin) => &pin.file,
            Self::Adapter(pin) => &pin.file,
        }
    }

    fn file_mut(&mut self) -> &mut FilePin {
        match self {
            Self::Checkpoint(pin) => &mut pin.file,
            Self::Adapter(pin) => &mut pin.file,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Checkpoint(_) => "checkpoint",
            Self::Adapter(_) => "adapter",
        }
    }

    /// What it is, in a few words.
    pub fn summary(&self) -> String {
        match self {
            Self::Checkpoint(pin) => format!("{} {}", excerpt(&pin.architecture, 40), pin.quantization),
            Self::Adapter(pin) => format!("adapter for {}", excerpt(&pin.base, 80)),
        }
    }
}

/// The pin of an adapter, which must be made for its base.
fn adapter_pin(
    file: FilePin,
    adapter: &AdapterFile,
    base: &str,
    lock: &LockFile,
    sources: &Sources<'_>,
) -> Result<AdapterPin, Failure> {
    lock.file_pin(base)?;
    let no_base = || {
        let message = format!("{} is an adapter itself", quoted(base));
        Failure::usage(message).hint("--base names a checkpoint in the lock file")
    };
    let pin = lock.lock().checkpoints.get(base).ok_or_else(no_base)?;
    let misfit = |reason: String| {
        let message = format!("the adapter is not for {}: {reason}", quoted(base));
        Failure::new(Exit::Checkpoint, "bad_checkpoint", message).hint("--base names another checkpoint")
    };
    let (made_for, found) = (adapter.architecture(), &pin.architecture);
    if made_for != found {
        return Err(misfit(format!("it is for {}, not for {}", excerpt(made_for, 40), excerpt(found, 40))));
    }
    match lock.resolve(base, sources.store, Check::Stamp) {
        Ok(pinned) => {
            let checkpoint = checkpoint::open(pinned.path)?;
            let fit = adapter.check_fit(&checkpoint.header().tensors);
            fit.map_err(|defect| misfit(defect.to_string()))?;
        }
        Err(Error::NotPulled { .. }) => output::note(&format!(
            "note: whether its matrices fit is not checked, as {} is not on this machine",
            quoted(base)
        )),
        Err(error) => return Err(error.into()),
    }
    Ok(AdapterPin::of(adapter, file, base, pin))
}
