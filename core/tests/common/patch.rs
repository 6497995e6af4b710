//! Small changes to a checkpoint in memory that leave it well-formed: what verification must find.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use pinfold::checkpoint::Header;

use super::mutate::Seeded;

/// Other weights: flips a low bit in `count` bytes of the tensor `name`.
pub fn weights(bytes: &mut [u8], name: &str, count: usize) {
    let header = Header::from_bytes(bytes).unwrap();
    let tensor = header.tensors.iter().find(|tensor| tensor.name == name).unwrap();
    let start = (header.data_offset + tensor.offset) as usize;
    let length = tensor.bytes().unwrap() as usize;
    let mut random = Seeded::new(7);
    for _ in 0..count {
        // A block of Q8_0 is a scale of two bytes and 32 weights; the weights are what changes.
        let block = 34 * random.below(length / 34);
        bytes[start + block + 2 + random.below(32)] ^= 0x20;
    }
}

/// Another chat template, of the same length.
pub fn chat_template(bytes: &mut [u8], old: &str, new: &str) {
    replace(bytes, old.as_bytes(), new.as_bytes());
}

/// Another tokenizer: two tokens of the same length change their places.
pub fn tokenizer(bytes: &mut [u8], one: &str, other: &str) {
    let spelled = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let (one, other) = (spelled(one), spelled(other));
    let (a, b) = (find(bytes, &one), find(bytes, &other));
    bytes[a..a + one.len()].copy_from_slice(&other);
    bytes[b..b + other.len()].copy_from_slice(&one);
}

/// Replaces the one place where `old` stands by `new`, of the same length.
pub fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let at = find(bytes, old);
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut places = bytes.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted);
    let (at, _) = places.next().unwrap();
    assert!(places.next().is_none(), "it stands in more than one place");
    at
}
