//! A lock file and a store: each holds the object of `api` and hands calls on.

use cxx::UniquePtr;
use pinfold_ffi::api;

use crate::bridge::ffi;
use crate::callbacks;
use crate::failure::{Result, guard};
use crate::objects::{Cancel, Model, model};

pub(crate) struct Store(api::Store);

pub(crate) fn open_store(options: &ffi::StoreOptions) -> Result<Box<Store>> {
    guard(|| Ok(Box::new(Store(api::Store::open(options.into())?))))
}

impl Store {
    pub(crate) fn root(&self) -> String {
        self.0.root()
    }

    pub(crate) fn entries(&self) -> Result<Vec<ffi::StoreEntry>> {
        guard(|| Ok(self.0.entries()?.into_iter().map(Into::into).collect()))
    }

    pub(crate) fn verify(
        &self,
        digests: &[String],
        progress: UniquePtr<ffi::StoreCallback>,
        cancel: &Cancel,
    ) -> Result<Vec<ffi::DamagedEntry>> {
        guard(|| {
            let damaged = self.0.verify(digests.to_vec(), callbacks::store(progress), cancel.flag())?;
            Ok(damaged.into_iter().map(Into::into).collect())
        })
    }

    pub(crate) fn remove(&self, digest: &str) -> Result<bool> {
        guard(|| Ok(self.0.remove(digest)?))
    }

    pub(crate) fn collect(&self, dry_run: bool) -> Result<ffi::Collected> {
        guard(|| Ok(self.0.collect(dry_run)?.into()))
    }

    pub(crate) fn import_file(
        &self,
        path: &str,
        expected_digest: &ffi::MaybeText,
        progress: UniquePtr<ffi::StoreCallback>,
        cancel: &Cancel,
    ) -> Result<String> {
        guard(|| {
            let progress = callbacks::store(progress);
            Ok(self.0.import_file(path, expected_digest.into(), progress, cancel.flag())?)
        })
    }
}

pub(crate) struct LockFile(api::LockFile);

pub(crate) fn open_lock(path: &str) -> Result<Box<LockFile>> {
    lock(|| api::LockFile::open(path))
}

pub(crate) fn open_signed_lock(path: &str, public_key: &str) -> Result<Box<LockFile>> {
    lock(|| api::LockFile::open_signed(path, public_key))
}

pub(crate) fn open_lock_bytes(path: &str, bytes: &[u8]) -> Result<Box<LockFile>> {
    lock(|| api::LockFile::open_bytes(path, bytes))
}

pub(crate) fn find_lock(folder: &str) -> Result<Box<LockFile>> {
    lock(|| api::LockFile::find(folder))
}

fn lock(open: impl FnOnce() -> api::Result<api::LockFile>) -> Result<Box<LockFile>> {
    guard(|| Ok(Box::new(LockFile(open()?))))
}

impl LockFile {
    pub(crate) fn path(&self) -> String {
        self.0.path()
    }

    pub(crate) fn checkpoints(&self) -> Vec<ffi::PinnedCheckpoint> {
        self.0.checkpoints().into_iter().map(Into::into).collect()
    }

    pub(crate) fn adapters(&self) -> Vec<ffi::PinnedAdapter> {
        self.0.adapters().into_iter().map(Into::into).collect()
    }

    pub(crate) fn goldens(&self) -> Vec<ffi::PinnedGolden> {
        self.0.goldens().into_iter().map(Into::into).collect()
    }

    pub(crate) fn sampling(&self, name: &str) -> Result<ffi::GenerateOptions> {
        guard(|| Ok(self.0.sampling(name)?.into()))
    }

    pub(crate) fn resolve(&self, name: &str, store: &Store, full_check: bool) -> Result<ffi::PinnedFile> {
        guard(|| Ok(self.0.resolve(name, &store.0, full_check)?.into()))
    }

    pub(crate) fn check_signature(&self, name: &str, store: &Store, public_key: &str) -> Result<()> {
        guard(|| Ok(self.0.check_signature(name, &store.0, public_key)?))
    }

    pub(crate) fn pull(
        &self,
        name: &str,
        store: &Store,
        options: &ffi::PullOptions,
        progress: UniquePtr<ffi::PullCallback>,
        cancel: &Cancel,
    ) -> Result<ffi::PinnedFile> {
        guard(|| {
            let progress = callbacks::pull(progress);
            Ok(self.0.pull(name, &store.0, options.into(), progress, cancel.flag())?.into())
        })
    }

    pub(crate) fn load(
        &self,
        name: &str,
        store: &Store,
        options: &ffi::ModelOptions,
        progress: UniquePtr<ffi::ProgressCallback>,
        cancel: &Cancel,
    ) -> Result<Box<Model>> {
        model(|| {
            let progress = callbacks::progress(progress);
            self.0.load(name, &store.0, options.into(), progress, cancel.flag())
        })
    }

    pub(crate) fn verify(
        &self,
        store: &Store,
        options: &ffi::VerifyOptions,
        progress: UniquePtr<ffi::VerifyCallback>,
        cancel: &Cancel,
    ) -> Result<ffi::VerifyReport> {
        guard(|| {
            let progress = callbacks::verify(progress);
            Ok(self.0.verify(&store.0, options.into(), progress, cancel.flag())?.into())
        })
    }
}
