//! Minisign signatures (Ed25519) of lock files and of the files that they pin.
//!
//! Format: <https://jedisct1.github.io/minisign/>. Pinfold checks signatures; `minisign -Sm FILE` makes them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use minisign_verify::Signature;

use crate::error::{Error, Result};

/// The most bytes of a file whose signature is of the old kind, which needs the whole of it in memory.
const LEGACY_BYTES: u64 = 1 << 30;

/// A public key that an app embeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(minisign_verify::PublicKey);

impl PublicKey {
    /// Reads a key: the 56 characters of base64, or the whole text of a `.pub` file.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let key = if text.contains('\n') {
            minisign_verify::PublicKey::decode(text)
        } else {
            minisign_verify::PublicKey::from_base64(text)
        };
        key.map(Self).map_err(|_| {
            let reason =
                "not a minisign key: give the 56 characters that begin with RW, or the text of a .pub file";
            bad("the public key", reason)
        })
    }

    /// Checks that `minisig`, the text of a `.minisig` file, is a signature of `bytes` by this key, and that its
    /// trusted comment is too; `name` is for messages.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn check(&self, name: &str, bytes: &[u8], minisig: &str) -> Result<()> {
        let signature = decode(minisig).map_err(|reason| bad(name, reason))?;
        self.0.verify(bytes, &signature, true).map_err(|error| bad(name, explain(&error)))
    }

    /// Does the same for the file at `path`, which is read once and not kept in memory. Only for a signature of
    /// the old kind (`minisign -l`) it is, and may have 1 GiB.
    ///
    /// # Errors
    /// [`Error::BadSignature`], [`Error::Io`].
    pub fn check_file(&self, name: &str, path: &Path, minisig: &str) -> Result<()> {
        use minisign_verify::Error as Refusal;

        let signature = decode(minisig).map_err(|reason| bad(name, reason))?;
        let refused = |error: Refusal| bad(name, explain(&error));
        let mut file = File::open(path).map_err(Error::io(path))?;
        let mut verifier = match self.0.verify_stream(&signature) {
            Ok(verifier) => verifier,
            Err(Refusal::UnsupportedLegacyMode) => {
                let mut bytes = Vec::new();
                file.take(LEGACY_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
                if bytes.len() as u64 > LEGACY_BYTES {
                    return Err(bad(
                        name,
                        "the signature is of the old kind, for at most 1 GiB: sign again without -l",
                    ));
                }
                return self.0.verify(&bytes, &signature, true).map_err(refused);
            }
            Err(error) => return Err(refused(error)),
        };
        let mut buffer = vec![0; 1 << 18];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return verifier.finalize().map_err(refused),
                Ok(read) => verifier.update(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(path)(error)),
            }
        }
    }
}

/// Checks that a text has the form of a `.minisig` file.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_form(minisig: &str) -> std::result::Result<(), &'static str> {
    decode(minisig).map(drop)
}

fn decode(minisig: &str) -> std::result::Result<Signature, &'static str> {
    Signature::decode(minisig.trim_start()).map_err(
        |_| "is not a minisign signature: give the four lines of the .minisig file that minisign -S writes",
    )
}

fn bad(name: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::BadSignature { name: name.into(), reason: reason.into() }
}

fn explain(error: &minisign_verify::Error) -> &'static str {
    use minisign_verify::Error as Refusal;
    match error {
        Refusal::UnexpectedKeyId => {
            "signed with another key: give the public key of who signed it, or sign it again"
        }
        Refusal::InvalidSignature => {
            "the signature is not of these bytes: they or its trusted comment were changed; \
             sign again if the change is wanted, or else restore them"
        }
        _ => "the signature is of a kind that minisign does not make: sign again with minisign -S",
    }
}
