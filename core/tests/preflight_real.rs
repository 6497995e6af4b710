//! The preflight on real files.

mod common;

use pinfold::Error;
use pinfold::checkpoint::{self, Defect, preflight};

#[test]
fn a_real_checkpoint_passes() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let checkpoint = checkpoint::open(&path).unwrap();
    let h = checkpoint.hyperparameters();
    assert_eq!(checkpoint.architecture(), "llama");
    assert_eq!((h.layers, h.width, h.heads, h.kv_heads), (5, 64, 8, 4));
    assert_eq!((h.key_width, h.value_width, h.vocabulary), (8, 8, 512));
    assert_eq!(checkpoint.tokenizer(), "llama");
    assert_eq!(checkpoint.quantization(), "F32");
    assert!((200_000..400_000).contains(&checkpoint.parameters()), "{}", checkpoint.parameters());
    let memory = checkpoint.memory(256, 64, 1);
    assert_eq!(memory.weights, checkpoint.weight_bytes());
    assert_eq!(memory.kv_cache, 2 * 512 * 5 * 4 * 16, "half precision, 512 tokens, 5 blocks, 4 heads, 8 + 8");
    assert!(memory.total() > memory.weights);
}

#[test]
fn version_1_is_refused_with_its_number() {
    let Some(path) = common::shared("checkpoints/stories260K-gguf-v1.gguf") else { return };
    let Err(Error::BadCheckpoint { defect, .. }) = checkpoint::open(&path) else { panic!("must be refused") };
    assert_eq!(*defect, Defect::UnsupportedVersion { version: 1 });
}

#[test]
fn all_public_vocabularies_pass_the_tokenizer_checks() {
    let Some(folder) = common::shared("tokenizers/ggml-vocab") else { return };
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "gguf") {
            continue;
        }
        let started = std::time::Instant::now();
        let header = checkpoint::inspect(&path).unwrap_or_else(|error| panic!("{error}"));
        let read = started.elapsed();
        let tokens = preflight::check_tokenizer(&header).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        preflight::check_container(&header).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        println!(
            "{:?}: {tokens} tokens, read in {read:?}, checked in {:?}",
            path.file_name(),
            started.elapsed() - read
        );
        // A vocabulary alone is no checkpoint.
        let Err(Error::BadCheckpoint { defect, .. }) = checkpoint::open(&path) else { panic!("{path:?}") };
        assert_eq!(*defect, Defect::NoTensors, "{path:?}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen} vocabularies");
}
