//! What is in the store, what is pinned, and the removal of the rest.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::claim::STORE;
use super::commit::IMPORT;
use super::layout::{self, UNFINISHED, blob_name, digest_of_name, entries, write_whole};
use super::space::allocated;
use super::{Collected, Entry, Store, stamp};
use crate::checkpoint::Digest;
use crate::error::{Error, Result};
use crate::files::{Durable, sync_folder};
use crate::lock::LockFile;

/// How long an unfinished download is kept for somebody who continues it.
const PARTIAL_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long the stamp of a file outside of the store is kept after its last use.
const STAMP_AGE: Duration = Duration::from_secs(90 * 24 * 3600);

/// How long a small file may take to be written.
const UNFINISHED_AGE: Duration = Duration::from_secs(3600);

/// The lock files that pin each digest.
pub(super) type Pins = BTreeMap<Digest, Vec<PathBuf>>;

impl Store {
    /// The whole files with what is known of them, in the order of their digests.
    pub(super) fn entries(&self, pins: &Pins) -> Result<Vec<Entry>> {
        let whole = |(name, metadata): (String, fs::Metadata)| {
            let digest = digest_of_name(&name).filter(|_| metadata.is_file())?;
            Some(Entry {
                digest,
                size: metadata.len(),
                path: self.blob(digest),
                used: stamp::used(&self.stamp(digest)),
                pinned_by: pins.get(&digest).cloned().unwrap_or_default(),
            })
        };
        Ok(entries(&self.folder("blobs"))?.into_iter().filter_map(whole).collect())
    }

    /// What the known lock files pin. One that is gone pins nothing.
    pub(super) fn pins(&self) -> Result<Pins> {
        self.pins_but(is_gone)
    }

    /// As [`pins`](Self::pins), of those lock files that can be read.
    pub(super) fn readable_pins(&self) -> Result<Pins> {
        self.pins_but(|_| true)
    }

    fn pins_but(&self, is_forgiven: impl Fn(&Error) -> bool) -> Result<Pins> {
        let mut pins = Pins::new();
        for (_, path) in self.roots()? {
            match LockFile::open(&path) {
                Ok(file) => add_pins(&mut pins, &file),
                Err(error) if is_forgiven(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(pins)
    }

    /// The known lock files, each with the file that makes it known.
    fn roots(&self) -> Result<Vec<(PathBuf, PathBuf)>> {
        let folder = self.folder("roots");
        let names = entries(&folder)?.into_iter().map(|(name, _)| name);
        let mut roots = Vec::new();
        for root in names.filter(|name| name.parse::<Digest>().is_ok()).map(|name| folder.join(name)) {
            match fs::read(&root) {
                Ok(bytes) => roots.extend(path_of_bytes(bytes).map(|path| (root, path))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io(root)(error)),
            }
        }
        Ok(roots)
    }

    pub(super) fn add_root(&self, lock_file: &Path) -> Result<()> {
        let path = fs::canonicalize(lock_file).map_err(Error::io(lock_file))?;
        let bytes = path.as_os_str().as_encoded_bytes();
        let root = self.folder("roots").join(Digest::of_bytes(bytes).to_string());
        // Not while `collect` is between reading the lock files and removing what they do not pin.
        let _shared = self.lock_store(false)?;
        if fs::read(&root).is_ok_and(|known| known == bytes) {
            return Ok(());
        }
        write_whole(&root, bytes, Durable::Yes).map_err(self.write_error(&root, 0))
    }

    /// Removes a file and its stamp; false if there is no such file.
    pub(super) fn discard(&self, digest: Digest) -> Result<bool> {
        let path = self.blob(digest);
        let removed = layout::remove_file(&path).map_err(self.write_error(&path, 0))?;
        let _ = layout::remove_file(&self.stamp(digest));
        if removed {
            let folder = self.folder("blobs");
            sync_folder(&folder).map_err(self.write_error(&folder, 0))?;
        }
        Ok(removed)
    }

    pub(super) fn collect_all(&self, dry_run: bool) -> Result<Collected> {
        let _alone = if dry_run { None } else { Some(self.lock_store(true)?) };
        let pins = self.pins()?;
        let mut collected = Collected::default();
        for entry in self.entries(&pins)?.into_iter().filter(|entry| entry.pinned_by.is_empty()) {
            if !self.is_claimed(&blob_name(entry.digest))? && (dry_run || self.discard(entry.digest)?) {
                collected.freed += entry.size;
                collected.removed.push(entry);
            }
        }
        for (path, metadata) in self.abandoned()? {
            if dry_run || self.sweep(&path)? {
                collected.freed += allocated(&metadata);
            }
        }
        if !dry_run {
            self.tidy()?;
        }
        Ok(collected)
    }

    /// The files of downloads that nobody continues.
    fn abandoned(&self) -> Result<Vec<(PathBuf, fs::Metadata)>> {
        let folder = self.folder("partial");
        let mut downloads: BTreeMap<String, Vec<(PathBuf, fs::Metadata)>> = BTreeMap::new();
        for (name, metadata) in entries(&folder)?.into_iter().filter(|(_, metadata)| metadata.is_file()) {
            let claim = name.split('.').next().unwrap_or_default().to_owned();
            downloads.entry(claim).or_default().push((folder.join(name), metadata));
        }
        let mut abandoned = Vec::new();
        for (claim, files) in downloads {
            let old = claim.starts_with(IMPORT) || files.iter().all(|(_, file)| is_older(file, PARTIAL_AGE));
            if old && !self.is_claimed(&claim)? {
                abandoned.extend(files);
            }
        }
        Ok(abandoned)
    }

    /// Removes what takes no room to speak of, but would gather: locks that nobody holds, stamps of what is
    /// gone, lock files that are gone, small files that were never finished.
    fn tidy(&self) -> Result<()> {
        let mut litter = Vec::new();
        for (name, metadata) in entries(&self.folder("locks"))? {
            if name != STORE && metadata.is_file() && !self.is_claimed(&name)? {
                litter.push(self.lock_path(&name));
            }
        }
        for (name, metadata) in entries(&self.folder("stamps"))? {
            let gone = match digest_of_name(&name) {
                Some(digest) => !self.blob(digest).exists(),
                None => name.starts_with("file-") && is_older(&metadata, STAMP_AGE),
            };
            litter.extend(gone.then(|| self.folder("stamps").join(&name)));
        }
        for folder in [self.root.clone(), self.folder("stamps"), self.folder("roots")] {
            for (name, metadata) in entries(&folder)? {
                let unfinished = name.starts_with(UNFINISHED) && is_older(&metadata, UNFINISHED_AGE);
                litter.extend(unfinished.then(|| folder.join(&name)));
            }
        }
        for (root, path) in self.roots()? {
            if path.symlink_metadata().is_err_and(|error| is_missing(&error)) {
                litter.push(root);
            }
        }
        litter.iter().try_for_each(|path| self.sweep(path).map(drop))
    }

    fn sweep(&self, path: &Path) -> Result<bool> {
        layout::remove_file(path).map_err(self.write_error(path, 0))
    }
}

fn add_pins(pins: &mut Pins, file: &LockFile) {
    for (_, pin) in file.lock().files() {
        let files = pins.entry(pin.sha256).or_default();
        if files.last().is_none_or(|last| last != file.path()) {
            files.push(file.path().to_owned());
        }
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if is_missing(source))
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn is_older(metadata: &fs::Metadata, age: Duration) -> bool {
    let elapsed =
        metadata.modified().ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
    elapsed.is_some_and(|elapsed| elapsed >= age)
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}
