//! SHA-256 of a checkpoint's bytes: what binds a saved session or a lock to one checkpoint.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

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
    pub fn of_reader(mut input: impl Read) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return Ok(Self(hasher.finalize().into())),
                Ok(read) => hasher.update(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if it cannot be read.
    pub fn of_file(path: impl AsRef<Path>) -> crate::Result<Self> {
        let path = path.as_ref();
        std::fs::File::open(path).and_then(Self::of_reader).map_err(crate::Error::io(path))
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
