//! The disk's side of a lock file: bounded reads, and writes that lose nothing.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::parse::MAX_BYTES;
use crate::error::{Error, Result};
use crate::files::{self, Durable};

/// The most bytes of a signature; real ones have about 300.
const SIGNATURE_BYTES: u64 = 1 << 16;

/// The bytes of a lock file: at most one more than it may have.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    read_file(path, MAX_BYTES as u64).map_err(Error::io(path))
}

/// The text of the signature beside the lock file at `path`.
pub(super) fn read_signature(path: &Path) -> Result<String> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".minisig");
    let beside = PathBuf::from(beside);
    let bad =
        |reason: &str| Error::BadSignature { name: path.display().to_string(), reason: reason.to_owned() };
    let bytes = read_file(&beside, SIGNATURE_BYTES).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            bad("not signed: there is no .minisig file beside it; minisign -Sm FILE makes it")
        }
        _ => Error::io(&beside)(error),
    })?;
    String::from_utf8(bytes).map_err(|_| bad("the .minisig file beside it is not text: sign again"))
}

fn read_file(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    // Asked before it is opened, since a pipe would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The right to write a lock file, which one process has at a time. It is a lock on a file beside, since the lock
/// file itself is replaced.
pub(super) struct Guard {
    /// What is written: where `path` leads if it is a link.
    target: PathBuf,
    beside: PathBuf,
    _locked: File,
}

impl Guard {
    /// Waits for the right to write the lock file at `path`.
    pub fn of(path: &Path) -> Result<Self> {
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(Error::io(path)(error)),
        };
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let beside = files::folder(&target).join(format!(".{name}.guard"));
        loop {
            let options = File::options().read(true).write(true).create(true).truncate(false).open(&beside);
            let file = options.map_err(Error::io(&beside))?;
            file.lock().map_err(Error::io(&beside))?;
            // The one before removes the file, perhaps this one, which would then guard nothing.
            if is_at(&file, &beside) {
                return Ok(Self { target, beside, _locked: file });
            }
        }
    }

    /// Replaces the file as a whole; it keeps its permissions.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        let permissions = fs::metadata(&self.target).ok().map(|facts| facts.permissions());
        let written = files::replace(&self.target, bytes, ".pinfold-lock-", permissions, Durable::Yes);
        written.map_err(Error::io(&self.target))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Elsewhere an open file keeps its name, and those who wait could not tell.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Whether an open file is what stands at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |facts: fs::Metadata| (facts.dev(), facts.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => identity(open) == identity(there),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}
