//! SHA-256: what binds a saved session, a lock file or a trace to the bytes of a checkpoint or a prompt.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// Bytes that are read at once: they stay in the second-level cache until they are hashed.
const BUFFER: usize = 256 << 10;

/// A SHA-256 digest; displayed and parsed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of all that `input` gives.
    ///
    /// # Errors
    /// What `input` says when it cannot be read.
    pub fn of_reader(input: impl Read) -> std::io::Result<Self> {
        hash(input, |error| error, |_| Ok(()))
    }

    /// The digest of the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if it cannot be read.
    pub fn of_file(path: impl AsRef<Path>) -> crate::Result<Self> {
        Self::of_file_watched(path, |_| Ok(()))
    }

    /// The digest of the file at `path`. `step` is called with the bytes that were read so far, after each
    /// quarter of a MiB; an error of it ends the work, e.g. that of [`Cancel::check`](crate::Cancel::check).
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if it cannot be read, and what `step` gives.
    pub fn of_file_watched(
        path: impl AsRef<Path>,
        step: impl FnMut(u64) -> crate::Result<()>,
    ) -> crate::Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(crate::Error::io(path))?;
        Self::of_open_file(&file, path, step)
    }

    /// As [`of_file_watched`](Self::of_file_watched), of an open file from where it stands; `path` is for
    /// messages.
    pub(crate) fn of_open_file(
        file: &File,
        path: &Path,
        step: impl FnMut(u64) -> crate::Result<()>,
    ) -> crate::Result<Self> {
        hash(file, |error| crate::Error::io(path)(error), step)
    }
}

/// Hashes all that `input` gives, and tells `step` after each read how much it was.
fn hash<E>(
    mut input: impl Read,
    refuse: impl Fn(std::io::Error) -> E,
    mut step: impl FnMut(u64) -> Result<(), E>,
) -> Result<Digest, E> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut done = 0;
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(Digest(hasher.finalize().into())),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                done += read as u64;
                step(done)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(refuse(error)),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest is 64 hexadecimal digits")]
pub struct ParseDigestError;

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(ParseDigestError);
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(ParseDigestError) };
        let bytes = pairs
            .iter()
            .map(|&[high, low]| Ok((digit(high)? << 4 | digit(low)?) as u8))
            .collect::<Result<Vec<_>, _>>()?;
        bytes.try_into().map(Self).map_err(|_| ParseDigestError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn bytes_and_readers_agree_with_the_standard() {
        let digest = Digest::of_bytes(b"abc");
        assert_eq!(digest.to_string(), ABC, "FIPS 180-2, appendix B.1");
        assert_eq!(Digest::of_reader(&b"abc"[..]).unwrap(), digest);
        assert_eq!(format!("{digest:?}"), format!("Digest({ABC})"));
    }

    #[test]
    fn text_comes_back_and_other_text_does_not() {
        assert_eq!(ABC.parse(), Ok(Digest::of_bytes(b"abc")));
        assert_eq!(ABC.to_uppercase().parse(), Ok(Digest::of_bytes(b"abc")));
        for bad in ["", "ab", &ABC[1..], &format!("{ABC}00"), &ABC.replace('b', "g"), "é"] {
            assert_eq!(bad.parse::<Digest>(), Err(ParseDigestError), "{bad:?}");
        }
    }

    #[test]
    fn a_file_and_a_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(Digest::of_file(&path).unwrap().to_string(), ABC);
        assert!(matches!(Digest::of_file(folder.path().join("none")), Err(crate::Error::Io { .. })));
    }
}
