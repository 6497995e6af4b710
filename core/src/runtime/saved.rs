//! The file of a saved session.
//!
//! All numbers are little-endian. Magic `PINFOLDS`, format version (u32), SHA-256 of the checkpoint (32
//! bytes), the engine's revision (u32 length, UTF-8), tokens (u64 count, u32 each), how many of them are
//! computed (u64), the engine's state (u64 length, bytes), SHA-256 of everything before (32 bytes).

use std::path::Path;

use super::worker::State;
use crate::checkpoint::Digest;
use crate::error::{Error, Result};
use crate::files::{self, Durable};
use crate::vocabulary::Token;

const MAGIC: &[u8; 8] = b"PINFOLDS";
const VERSION: u32 = 1;
const DIGEST: usize = 32;

/// What a saved session is bound to.
#[derive(Clone)]
pub(crate) struct Binding {
    /// The checkpoint; another one is refused.
    pub checkpoint: Digest,
    /// The revision of the engine; what another one computed is computed again.
    pub engine: String,
}

/// Writes the file beside `path` and renames it.
pub(super) fn write(path: &Path, binding: &Binding, state: &State) -> Result<()> {
    let bytes = encode(binding, state);
    files::replace(path, &bytes, ".pinfold-session-", None, Durable::Yes).map_err(Error::io(path))
}

/// Reads the file and checks that it belongs to the checkpoint.
pub(super) fn read(path: &Path, binding: &Binding) -> Result<State> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    decode(&bytes, binding).map_err(|reason| Error::BadSession { path: path.to_owned(), reason })
}

fn encode(binding: &Binding, state: &State) -> Vec<u8> {
    let revision = &binding.engine;
    let mut bytes = Vec::with_capacity(128 + 4 * state.tokens.len() + state.bytes.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&binding.checkpoint.0);
    bytes.extend_from_slice(&(revision.len() as u32).to_le_bytes());
    bytes.extend_from_slice(revision.as_bytes());
    bytes.extend_from_slice(&(state.tokens.len() as u64).to_le_bytes());
    for token in &state.tokens {
        bytes.extend_from_slice(&token.0.to_le_bytes());
    }
    bytes.extend_from_slice(&(state.decoded as u64).to_le_bytes());
    bytes.extend_from_slice(&(state.bytes.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&state.bytes);
    let digest = Digest::of_bytes(&bytes);
    bytes.extend_from_slice(&digest.0);
    bytes
}

fn decode(bytes: &[u8], binding: &Binding) -> Result<State, String> {
    if !bytes.starts_with(MAGIC) {
        return Err("it is not a saved session".into());
    }
    let mut input = Input(&bytes[MAGIC.len()..]);
    let version = input.u32()?;
    if version != VERSION {
        return Err(format!("format version {version}; this version reads {VERSION}"));
    }
    let body = bytes.len().saturating_sub(DIGEST);
    if Digest::of_bytes(&bytes[..body]).0 != bytes[body..] {
        return Err("its checksum does not match: it is damaged or cut off".into());
    }
    if input.take(DIGEST)? != binding.checkpoint.0 {
        return Err("it was saved with another checkpoint".into());
    }
    let length = input.u32()? as usize;
    let same_engine = input.take(length)? == binding.engine.as_bytes();
    let count = input.u64()?;
    let tokens = input.take(count.checked_mul(4).ok_or("an absurd count")?)?;
    let tokens: Vec<Token> =
        tokens.chunks_exact(4).map(|b| Token(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect();
    let decoded = input.u64()?;
    let length = input.u64()?;
    let state = input.take(length)?;
    if decoded > tokens.len() || input.0.len() != DIGEST {
        return Err("its parts contradict each other".into());
    }
    Ok(State { tokens, decoded, bytes: if same_engine { state.to_vec() } else { Vec::new() } })
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (head, tail) = self.0.split_at_checked(length).ok_or("it is cut off")?;
        self.0 = tail;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A count; it cannot exceed what is in memory.
    fn u64(&mut self) -> Result<usize, String> {
        let bytes = self.take(8)?.try_into().map_err(|_| "it is cut off")?;
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| "an absurd count".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound_to(byte: u8) -> Binding {
        Binding { checkpoint: Digest([byte; 32]), engine: "an engine".into() }
    }

    fn state() -> State {
        State { tokens: vec![Token(1), Token(70_000)], decoded: 1, bytes: vec![1, 2, 3] }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session");
        write(&path, &bound_to(7), &state()).unwrap();
        let read = read(&path, &bound_to(7)).unwrap();
        assert_eq!((read.tokens, read.decoded, read.bytes), (state().tokens, 1, vec![1, 2, 3]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn the_state_of_another_engine_is_left_out() {
        let other = Binding { engine: "another engine".into(), ..bound_to(7) };
        let read = decode(&encode(&bound_to(7), &state()), &other).unwrap();
        assert_eq!((read.tokens, read.bytes), (state().tokens, Vec::new()));
    }

    #[test]
    fn another_checkpoint_is_refused() {
        let error = decode(&encode(&bound_to(7), &state()), &bound_to(8)).err().unwrap();
        assert!(error.contains("another checkpoint"), "{error}");
    }

    #[test]
    fn every_prefix_and_every_flipped_bit_is_refused() {
        let bytes = encode(&bound_to(7), &state());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], &bound_to(7)).is_err(), "prefix of {length}");
        }
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged, &bound_to(7)).is_err(), "bit {bit}");
        }
    }
}
