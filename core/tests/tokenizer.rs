//! Vocabularies without weights, against the token ids of llama.cpp's own tests.
#![cfg(feature = "llama")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::gguf::Gguf;
use pinfold::engine::EngineOptions;
use pinfold::{Error, Special, Token, Tokenizer};

/// The ids of a `.out` file were written with special tokens parsed, and with what the tokenizer puts around.
#[test]
fn public_vocabularies_give_the_ids_of_the_reference() {
    let Some(folder) = common::shared("tokenizers/ggml-vocab") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "gguf") {
            continue;
        }
        let tokenizer = Tokenizer::load(&path).unwrap();
        assert!(tokenizer.vocabulary().len() > 20_000, "{}", path.display());
        let (Ok(texts), Ok(ids)) = (
            std::fs::read_to_string(path.with_extension("gguf.inp")),
            std::fs::read_to_string(path.with_extension("gguf.out")),
        ) else {
            continue;
        };
        for (text, ids) in texts.split("\n__ggml_vocab_test__\n").zip(ids.lines()) {
            let found = tokenizer.tokenize(text, Special::Plain).unwrap();
            let found: Vec<String> = found.iter().map(|token| token.0.to_string()).collect();
            let expected: Vec<&str> = ids.split_whitespace().collect();
            assert_eq!(found, expected, "{}: {text:?}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 300, "{seen} texts");
}

#[test]
fn a_vocabulary_alone_neither_computes_nor_takes_adapters() {
    let bytes = Gguf::tiny_llama().without_tensors().set("tokenizer.chat_template", "{{ messages }}").bytes();
    let tokenizer = Tokenizer::load_bytes("tiny", &bytes).unwrap();
    assert_eq!(tokenizer.chat_template_source(), Some("{{ messages }}"));
    let ids = tokenizer.prompt_tokens("a<s>", Special::Parse).unwrap();
    assert_eq!((ids.first(), ids.last()), (Some(&Token(1)), Some(&Token(1))));
    let options = EngineOptions {
        context_tokens: 8,
        sequences: 1,
        batch_tokens: 8,
        threads: 1,
        embeddings: false,
        reproducible: false,
    };
    let weights = tokenizer.weights();
    assert!(matches!(weights.open(&options), Err(Error::Unsupported { .. })));
    assert!(matches!(weights.load_adapter("adapter.gguf".as_ref()), Err(Error::Unsupported { .. })));
}

/// Each of these files would end the process if it reached llama.cpp.
#[test]
fn what_would_hurt_is_refused() {
    let mut duplicate = Gguf::tiny_llama();
    let mut types = vec![1; common::gguf::tokens().0.len()];
    types[5] = 99;
    duplicate.set("tokenizer.ggml.token_type", common::gguf::Value::I32s(types));
    let mut adapter = Gguf::tiny_llama();
    adapter.set("general.type", "adapter");
    let mut bodiless = Gguf::tiny_llama();
    bodiless.remove("tokenizer.ggml.tokens");
    for file in [duplicate, adapter, bodiless] {
        let loaded = Tokenizer::load_bytes("bad", &file.bytes());
        assert!(matches!(loaded, Err(Error::BadCheckpoint { .. })));
    }
    for (name, file) in common::hostile::single_keys() {
        if name.contains("tokenizer") {
            // An error or none; it must come back.
            let _ = Tokenizer::load_bytes(&name, &file.bytes());
        }
    }
    assert!(matches!(Tokenizer::load("/nowhere/at/all.gguf"), Err(Error::Io { .. })));
}
