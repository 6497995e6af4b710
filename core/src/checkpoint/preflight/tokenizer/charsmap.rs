//! The normalization table of unigram tokenizers: a trie whose every step must stay inside.

use super::super::super::defect::Defect;
use super::super::super::excerpt::Excerpt;
use super::super::super::gguf::{Array, Value};
use super::super::keys::Keys;

const CHARSMAP: &str = "tokenizer.ggml.precompiled_charsmap";

/// Checks the table that SentencePiece calls `precompiled_charsmap`: a length, a double-array trie
/// (XOR-compressed, see Darts-clone), and NUL-terminated replacements.
///
/// llama.cpp walks it with the bytes of a text and throws where a step leads outside, in the middle of
/// tokenizing. So every state that any text can reach is visited here once, with every next byte.
pub(super) fn check(keys: &Keys<'_>) -> Result<(), Defect> {
    let signed;
    let bytes = match keys.get(CHARSMAP) {
        None => return Ok(()),
        Some(Value::Array(Array::U8(bytes))) => bytes,
        Some(Value::Array(Array::I8(bytes))) => {
            signed = bytes.iter().map(|&byte| byte as u8).collect();
            &signed
        }
        Some(other) => return Err(keys.wrong_type(CHARSMAP, "an array of u8s", other)),
    };
    match check_bytes(bytes) {
        None => Ok(()),
        Some(found) => Err(Defect::OutOfRange {
            key: Excerpt::name(CHARSMAP),
            found: found.to_owned(),
            expected: "a trie and its replacements".to_owned(),
        }),
    }
}

/// What is wrong with the table.
fn check_bytes(bytes: &[u8]) -> Option<&'static str> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Some("too short") };
    let length = u32::from_le_bytes(*length) as usize;
    // llama.cpp wants at least one byte behind the trie.
    if length >= rest.len() {
        return Some("a trie longer than the table");
    }
    let (trie, replacements) = rest.split_at(length);
    let units: Vec<u32> = trie.as_chunks::<4>().0.iter().map(|&unit| u32::from_le_bytes(unit)).collect();
    if units.is_empty() {
        return None;
    }
    if replacements.last() != Some(&0) {
        return Some("a replacement without an end");
    }
    let base = |unit: u32| (unit >> 10) << ((unit & (1 << 9)) >> 6);
    let mut reached = vec![false; units.len()];
    let mut states = vec![base(units[0])];
    while let Some(state) = states.pop() {
        // Byte 0 ends the walk.
        for byte in 1..=255 {
            let index = (state ^ byte) as usize;
            let Some(&unit) = units.get(index) else { return Some("a step outside of the trie") };
            if unit & (1 << 31 | 0xff) != byte || std::mem::replace(&mut reached[index], true) {
                continue;
            }
            let next = index as u32 ^ base(unit);
            if unit & (1 << 8) != 0 {
                let Some(&leaf) = units.get(next as usize) else { return Some("a leaf outside of the trie") };
                if (leaf & !(1 << 31)) as usize >= replacements.len() {
                    return Some("a replacement outside of the table");
                }
            }
            states.push(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(units: &[u32], replacements: &[u8]) -> Vec<u8> {
        let trie: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        [&(trie.len() as u32).to_le_bytes()[..], &trie, replacements].concat()
    }

    /// One that replaces `a` by the text at `value`: the root's base is 256, `a`'s unit stands at 256 ^ 97,
    /// is a leaf, and its base leads to unit 512.
    fn replaces_a(value: u32, size: usize) -> Vec<u32> {
        let mut units = vec![0; size];
        units[0] = 256 << 10;
        let a = 256 ^ 97;
        units[a] = (512 ^ a as u32) << 10 | 1 << 8 | 97;
        units[512] = 1 << 31 | value;
        units
    }

    #[test]
    fn good_tables_pass() {
        assert_eq!(check_bytes(&table(&[], b"\0")), None);
        assert_eq!(check_bytes(&table(&replaces_a(2, 768), b"x\0y\0")), None);
    }

    #[test]
    fn bad_tables_do_not() {
        let cases: [(&str, Vec<u8>); 6] = [
            ("too short", vec![1, 2, 3]),
            ("a trie longer than the table", u32::MAX.to_le_bytes().to_vec()),
            ("a replacement without an end", table(&replaces_a(2, 768), b"x\0y")),
            ("a step outside of the trie", table(&replaces_a(2, 513), b"x\0y\0")),
            ("a replacement outside of the table", table(&replaces_a(4, 768), b"x\0y\0")),
            ("a step outside of the trie", table(&[u32::MAX], b"\0")),
        ];
        for (expected, bytes) in cases {
            assert_eq!(check_bytes(&bytes), Some(expected));
        }
    }
}
