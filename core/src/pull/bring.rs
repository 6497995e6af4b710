//! From a source into the store.

use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::meter::Meter;
use super::partial::{self, Partial};
use super::{PullOptions, PullWatch, remote, size_of, transfer};
use crate::cancel::Cancel;
use crate::checkpoint::Digest;
use crate::error::{Error, Result};
use crate::lock::Source;
use crate::store::{Check, Claim, Committed, Store, StoreWatch};

/// What a pull needs from its beginning to its end.
pub(super) struct Bringer<'a, 'w> {
    folder: &'a Path,
    store: &'a Store,
    options: &'a PullOptions,
    meter: Meter<'w>,
}

impl<'a, 'w> Bringer<'a, 'w> {
    pub(super) fn new(
        folder: &'a Path,
        store: &'a Store,
        options: &'a PullOptions,
        watch: PullWatch<'w>,
    ) -> Self {
        Self { folder, store, options, meter: Meter::new(watch) }
    }

    pub(super) fn cancel(&self) -> &Cancel {
        self.meter.cancel()
    }

    /// The file, if the store has it whole.
    pub(super) fn held(&self, digest: Digest) -> Result<Option<PathBuf>> {
        self.meter.check()?;
        match self.store.get(digest, Check::Stamp) {
            // To be replaced.
            Err(Error::WrongDigest { .. }) => Ok(None),
            found => found,
        }
    }

    /// Brings the bytes of one source into the store, under its claim.
    pub(super) fn bring(
        &mut self,
        source: &Source,
        digest: Option<Digest>,
        size: Option<u64>,
        claim: &Claim,
    ) -> Result<Committed, Fault> {
        match source {
            Source::File(path) => self.import(source, &self.folder.join(path), digest),
            source => self.download(source, digest, size, claim),
        }
    }

    fn import(&mut self, source: &Source, path: &Path, digest: Option<Digest>) -> Result<Committed, Fault> {
        let (store, cancel, meter) = (self.store, self.cancel().clone(), &mut self.meter);
        let label = remote::label(source);
        let mut progress = |done, total| meter.show(&label, done, Some(total));
        let imported = store.import(path, digest, StoreWatch { progress: Some(&mut progress), cancel });
        let digest = imported.map_err(|error| match error {
            Error::WrongDigest { actual, .. } => wrong(actual),
            Error::Io { path: at, source } if at == path => Fault::lasting(source.to_string()),
            error => Fault::Local(error),
        })?;
        let path = store.get(digest, Check::Stamp)?;
        let path = path.ok_or_else(|| Fault::lasting("another process removed it from the store"))?;
        Ok(Committed { digest, size: size_of(&path)?, path })
    }

    fn download(
        &mut self,
        source: &Source,
        digest: Option<Digest>,
        size: Option<u64>,
        claim: &Claim,
    ) -> Result<Committed, Fault> {
        let mut is_second = false;
        loop {
            let download = remote::download(source, digest, size, self.options)?;
            let path = self.store.partial_path(claim);
            let mut partial = Partial::open(self.store, path, size)?;
            transfer::run(&download, self.options, &mut partial, &mut self.meter)?;
            let is_patchwork = partial.is_patchwork();
            let path = partial.close();
            let meter = &self.meter;
            match self.store.commit(claim, &path, &mut |_| meter.check()) {
                Ok(committed) => {
                    partial::forget(&path);
                    return Ok(committed);
                }
                Err(Error::WrongDigest { actual, .. }) => {
                    partial::forget(&path);
                    // Bytes of several sources or runs may not belong together: once more, from this one alone.
                    if !is_patchwork || is_second {
                        return Err(wrong(actual));
                    }
                    is_second = true;
                }
                Err(error) => return Err(Fault::Local(error)),
            }
        }
    }
}

fn wrong(actual: Digest) -> Fault {
    Fault::Lasting(format!("its bytes have another digest than the pinned one: {actual}"))
}
