//! Random bytes and random damage: never a panic, and never more memory than the bytes account for.

mod common;

use common::gguf::Gguf;
use common::mutate::mutate;
use pinfold::checkpoint::gguf::Value;
use pinfold::checkpoint::{Checkpoint, Header};
use proptest::prelude::*;

/// Reads and checks; gives the message, which must be short and printable.
fn examine(bytes: &[u8]) -> Result<(), TestCaseError> {
    let header = match Header::from_bytes(bytes) {
        Ok(header) => header,
        Err(defect) => return printable(&defect.to_string()),
    };
    // What was read is not more than what was there.
    let elements: usize = header
        .metadata
        .iter()
        .map(|(key, value)| {
            key.len()
                + match value {
                    Value::Array(array) => array.len(),
                    Value::String(text) => text.len(),
                    _ => 1,
                }
        })
        .sum();
    prop_assert!(elements + 32 * header.tensors.len() <= bytes.len());
    match Checkpoint::from_header(header) {
        Ok(checkpoint) => {
            prop_assert!(checkpoint.weight_bytes() <= bytes.len() as u64);
            prop_assert!(checkpoint.memory(u32::MAX, u32::MAX, u32::MAX).total() > 0);
            Ok(())
        }
        Err(defect) => printable(&defect.to_string()),
    }
}

fn printable(message: &str) -> Result<(), TestCaseError> {
    prop_assert!(message.len() < 1000, "{} bytes", message.len());
    prop_assert!(!message.chars().any(char::is_control), "{message:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        examine(&bytes)?;
    }

    #[test]
    fn random_bytes_behind_a_good_beginning(
        tensors in 0u64..3,
        keys in 0u64..4,
        rest in proptest::collection::vec(prop_oneof![4 => Just(0u8), 1 => 0u8..14, 1 => any::<u8>()], 0..256),
    ) {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(keys.to_le_bytes());
        bytes.extend(rest);
        examine(&bytes)?;
    }

    #[test]
    fn damage_upon_damage(seeds in proptest::collection::vec(any::<u64>(), 1..6)) {
        let gguf = Gguf::tiny_llama();
        let (header, mut bytes) = (gguf.header().len(), gguf.bytes());
        for seed in seeds {
            mutate(&mut bytes, header - 64, seed);
        }
        examine(&bytes)?;
    }

    #[test]
    fn a_prefix_of_damage(seed: u64, end in 0usize..14_000) {
        let gguf = Gguf::tiny_llama();
        let mut bytes = gguf.bytes();
        mutate(&mut bytes, gguf.header().len(), seed);
        bytes.truncate(end);
        examine(&bytes)?;
    }
}
