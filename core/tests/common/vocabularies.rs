//! Vocabularies of real models: those of the shared data, and others put together from what is there.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::Path;

use pinfold::Tokenizer;
use pinfold::checkpoint::{self, gguf};

use super::common::gguf::{Gguf, Value};

const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";

/// The vocabularies by name. `folder` is `tokenizers` of the shared data.
pub fn load(folder: &Path) -> Vec<(String, Tokenizer)> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder.join("ggml-vocab")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "gguf"));
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut found: Vec<(String, Tokenizer)> =
        paths.iter().map(|path| (name(path), Tokenizer::load(path).unwrap())).collect();
    let gpt2 = folder.join("ggml-vocab/ggml-vocab-gpt-2.gguf");
    let spm = folder.join("ggml-vocab/ggml-vocab-llama-spm.gguf");
    let specials = std::fs::read_to_string(folder.join("special_tokens.tsv")).unwrap();
    for (family, base) in [
        ("qwen/added_tokens_qwen3.json", &gpt2),
        ("llama3/special_tokens.json", &gpt2),
        ("llama4/special_tokens.json", &gpt2),
        ("openai-tiktoken/o200k_harmony", &gpt2),
        ("smollm2/tokenizer.json", &gpt2),
        ("whisper-tiny/tokenizer-tiny.json", &gpt2),
        ("ggml-vocab/ggml-vocab-deepseek-coder.gguf", &gpt2),
        ("ggml-vocab/ggml-vocab-mpt.gguf", &gpt2),
        ("mistral/mistral_instruct_tokenizer_240323.model.v3", &spm),
        ("mistral/mistral_instruct_tokenizer_241114.model.v7", &spm),
    ] {
        let rows = specials.lines().map(|line| line.splitn(4, '\t').collect::<Vec<_>>());
        let rows: Vec<(String, i32)> = rows
            .filter(|row| row[0] == family)
            .map(|row| (row[3].to_owned(), if row[2] == "control" { 3 } else { 4 }))
            .collect();
        assert!(rows.len() > 10, "{family}");
        found.push((family.to_owned(), extended(base, &rows)));
    }
    // As Gemma has it: tags of HTML and runs of spaces that are matched whole.
    let gemma = ["<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>"].map(|text| (text.to_owned(), 3));
    let text =
        ["<table>", "<b>", "</b>", "▁▁▁", "\n\n\n", "<unused42>", "<h1>"].map(|text| (text.to_owned(), 4));
    found.push(("gemma".into(), extended(&spm, &[&gemma[..], &text[..]].concat())));
    found
}

/// The vocabulary of a file with more tokens, each with its type.
pub fn extended(path: &Path, more: &[(String, i32)]) -> Tokenizer {
    let header = checkpoint::inspect(path).unwrap();
    let mut gguf = Gguf::empty();
    for (key, value) in header.metadata.iter() {
        if let Some(value) = copy(value) {
            gguf.set(key, value);
        }
    }
    let find = |gguf: &mut Gguf, key: &str| {
        let index = gguf.metadata.iter().position(|(name, _)| name == key.as_bytes())?;
        Some(gguf.metadata.remove(index).1)
    };
    let Some(Value::Texts(mut tokens)) = find(&mut gguf, TOKENS) else { panic!("no tokens") };
    let mut types = match find(&mut gguf, TYPES) {
        Some(Value::I32s(types)) => types,
        _ => vec![1; tokens.len()],
    };
    let mut scores = match find(&mut gguf, "tokenizer.ggml.scores") {
        Some(Value::F32s(scores)) => Some(scores),
        _ => None,
    };
    for (text, kind) in more {
        match tokens.iter().position(|token| token == text.as_bytes()) {
            Some(index) => types[index] = *kind,
            None => {
                tokens.push(text.clone().into_bytes());
                types.push(*kind);
                if let Some(scores) = &mut scores {
                    scores.push(-1000.0);
                }
            }
        }
    }
    gguf.set(TOKENS, Value::Texts(tokens));
    gguf.set(TYPES, Value::I32s(types));
    if let Some(scores) = scores {
        gguf.set("tokenizer.ggml.scores", Value::F32s(scores));
    }
    Tokenizer::load_bytes("extended", &gguf.bytes()).unwrap()
}

fn copy(value: &gguf::Value) -> Option<Value> {
    Some(match value {
        gguf::Value::U32(number) => Value::U32(*number),
        gguf::Value::I32(number) => Value::I32(*number),
        gguf::Value::F32(number) => Value::F32(*number),
        gguf::Value::Bool(value) => Value::Bool(*value),
        gguf::Value::Array(gguf::Array::I32(values)) => Value::I32s(values.clone()),
        gguf::Value::Array(gguf::Array::F32(values)) => Value::F32s(values.clone()),
        other => match (other.as_str(), other.as_strings()) {
            (Some(text), _) => text.into(),
            (_, Some(texts)) => Value::Texts(texts.iter().map(|text| text.as_bytes().to_vec()).collect()),
            _ => return None,
        },
    })
}
