//! Stamps: what was verified, so that it need not be hashed again.
//!
//! A stamp notes what the file system says of a file whose digest was found. As long as it says the same,
//! the file was not touched. Bits that rot on the disk do not show in it; [`Check::Full`] finds them.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::layout::{self, blob_name};
use super::{Check, Store};
use crate::checkpoint::Digest;
use crate::error::{Error, Result};
use crate::files::Durable;

/// A file that was written this shortly before it was hashed is not stamped: another write within the same
/// tick of the file system's clock would not show. The coarsest clock, FAT's, has ticks of two seconds.
pub(super) const TICK: Duration = Duration::from_secs(2);

/// Bytes of a stamp at most.
const SIZE: usize = 4096;

/// What the file system said of a file when its digest was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    sha256: String,
    size: u64,
    /// Nanoseconds since 1970, of the last change of the bytes.
    modified_ns: i64,
    /// The same of the last change of bytes, name or rights, which no program can set back.
    changed_ns: Option<i64>,
    inode: Option<u64>,
}

impl Stamp {
    /// None if the times are absurd.
    fn of(metadata: &Metadata, digest: Digest) -> Option<Self> {
        let modified = metadata.modified().ok()?;
        let modified_ns = match modified.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).ok()?,
            Err(before) => -i64::try_from(before.duration().as_nanos()).ok()?,
        };
        let (changed_ns, inode) = identity(metadata);
        Some(Self { sha256: digest.to_string(), size: metadata.len(), modified_ns, changed_ns, inode })
    }

    /// None if there is none, or garbage.
    fn read(path: &Path) -> Option<Self> {
        let mut bytes = [0; SIZE];
        let read = File::open(path).ok()?.read(&mut bytes).ok()?;
        serde_json::from_slice(&bytes[..read]).ok()
    }
}

/// The time of the last change, and the inode. The device is left out: its number changes when some file
/// systems are mounted again.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> (Option<i64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = metadata.ctime().checked_mul(1_000_000_000);
    (seconds.and_then(|seconds| seconds.checked_add(metadata.ctime_nsec())), Some(metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (Option<i64>, Option<u64>) {
    (None, None)
}

impl Store {
    /// Checks a file outside of the store. If the store cannot be written, nothing is noted, and the file
    /// is hashed each time. `step` is told of the bytes that were hashed, and may stop it.
    ///
    /// # Errors
    /// [`Error::WrongDigest`], [`Error::Io`].
    pub(crate) fn check_file(
        &self,
        path: &Path,
        expected: Digest,
        check: Check,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let real = fs::canonicalize(path).map_err(Error::io(path))?;
        let metadata = fs::metadata(&real).map_err(Error::io(path))?;
        if !metadata.is_file() {
            let source = std::io::Error::new(ErrorKind::InvalidInput, "not a regular file");
            return Err(Error::io(path)(source));
        }
        let stamp = self.folder("stamps").join(stamp_name(&real));
        self.check((&real, &metadata), &stamp, expected, check, step)?;
        touch(&stamp);
        Ok(())
    }

    /// Where the stamp of a file of the store is.
    pub(super) fn stamp(&self, digest: Digest) -> PathBuf {
        self.folder("stamps").join(blob_name(digest))
    }

    /// Checks a regular file with its stamp, or hashes it and then stamps it. `step` is told of the bytes that
    /// were hashed.
    pub(super) fn check(
        &self,
        (path, metadata): (&Path, &Metadata),
        stamp: &Path,
        expected: Digest,
        check: Check,
        step: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let noted = Stamp::read(stamp);
        if check == Check::Stamp && noted.is_some() && noted == Stamp::of(metadata, expected) {
            return Ok(());
        }
        let file = File::open(path).map_err(Error::io(path))?;
        let stat = || file.metadata().map_err(Error::io(path));
        let (began, before) = (SystemTime::now(), stat()?);
        let actual = Digest::of_open_file(&file, path, step)?;
        if actual != expected {
            // Rotten bits leave the stamp as it was: without it, the next check hashes, and so finds them too.
            let _ = layout::remove_file(stamp);
            return Err(Error::WrongDigest { name: path.display().to_string(), expected, actual });
        }
        let after = Stamp::of(&stat()?, expected);
        if after == Stamp::of(&before, expected) && after != noted && is_settled(&before, began) {
            write(stamp, after.as_ref());
        }
        Ok(())
    }
}

/// Stamps a file whose digest was found by the caller, and which nobody else could have changed since.
pub(super) fn note(file: &File, stamp: &Path, digest: Digest) {
    write(stamp, file.metadata().ok().and_then(|metadata| Stamp::of(&metadata, digest)).as_ref());
}

/// A stamp that cannot be written costs time, nothing else. Nor is it synced: what a power cut leaves of one
/// is garbage, and so ignored.
fn write(path: &Path, stamp: Option<&Stamp>) {
    if let Some(Ok(mut text)) = stamp.map(serde_json::to_string) {
        text.push('\n');
        let _ = layout::write_whole(path, text.as_bytes(), Durable::No);
    }
}

/// Whether a write after `began` would show in the file's time.
fn is_settled(metadata: &Metadata, began: SystemTime) -> bool {
    metadata
        .modified()
        .ok()
        .and_then(|modified| began.duration_since(modified).ok())
        .is_some_and(|age| age >= TICK)
}

/// A stamp's own time says when its file was used last, to the minute: most uses write nothing.
pub(super) fn touch(stamp: &Path) {
    let now = SystemTime::now();
    let is_noted = |used| now.duration_since(used).is_ok_and(|age| age < Duration::from_secs(60));
    if !used(stamp).is_some_and(is_noted) {
        let _ = File::options().write(true).open(stamp).and_then(|file| file.set_modified(now));
    }
}

/// When the file of a stamp was used last.
pub(super) fn used(stamp: &Path) -> Option<SystemTime> {
    fs::metadata(stamp).ok()?.modified().ok()
}

/// The name of the stamp of a file outside of the store.
fn stamp_name(path: &Path) -> String {
    format!("file-{}", Digest::of_bytes(path.as_os_str().as_encoded_bytes()))
}
