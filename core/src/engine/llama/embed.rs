//! Embeddings and the encoder of a context.

use llama_cpp_sys_2 as sys;

use super::context::LlamaEngine;
use super::log;
use crate::engine::{Batch, BatchToken, Embedding, Engine, Pooling};
use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// Runs the encoder over `tokens` as sequence 0.
pub(super) fn encode(engine: &mut LlamaEngine, tokens: &[Token]) -> Result<()> {
    let batch = batch(engine, tokens)?;
    let raw = engine.llama_batch(&batch);
    log::take_error("");
    // SAFETY: the batch was checked, and its arrays live in the engine until its next call.
    match unsafe { sys::llama_encode(engine.raw(), raw) } {
        0 => Ok(()),
        code => Err(Error::engine(log::take_error(&format!("llama_encode returned {code}")))),
    }
}

/// The embeddings of each text: a row for each token, pooled here so that one context serves all kinds.
pub(super) fn embed(
    engine: &mut LlamaEngine,
    texts: &[&[Token]],
    pooling: Pooling,
) -> Result<Vec<Embedding>> {
    if !engine.embeddings {
        return Err(Error::Unsupported { what: "embeddings: the context is open for generation".into() });
    }
    texts.iter().map(|tokens| embed_one(engine, tokens, pooling)).collect()
}

fn embed_one(engine: &mut LlamaEngine, tokens: &[Token], pooling: Pooling) -> Result<Embedding> {
    if engine.memory().is_null() {
        encode(engine, tokens)?;
    } else {
        let batch = batch(engine, tokens)?;
        engine.decode(&batch, None)?;
    }
    let width = engine.width;
    // SAFETY: every token of the batch is an output, so there is a row of `width` for each; the rows
    // stay until the next call of the context.
    let rows = unsafe {
        let rows = sys::llama_get_embeddings(engine.raw());
        if rows.is_null() {
            return Err(Error::engine("llama.cpp kept no embeddings"));
        }
        std::slice::from_raw_parts(rows, tokens.len() * width)
    };
    let values = pool(rows, width, pooling);
    if !engine.memory().is_null() {
        engine.sequence_remove(0, 0..u32::MAX)?;
    }
    Ok(Embedding { values, width })
}

fn pool(rows: &[f32], width: usize, pooling: Pooling) -> Vec<f32> {
    let count = rows.len() / width;
    match pooling {
        Pooling::None => rows.to_vec(),
        Pooling::First => rows[..width].to_vec(),
        Pooling::Last => rows[rows.len() - width..].to_vec(),
        Pooling::Mean => (0..width)
            .map(|column| rows.iter().skip(column).step_by(width).sum::<f32>() / count as f32)
            .collect(),
    }
}

fn batch(engine: &LlamaEngine, tokens: &[Token]) -> Result<Batch> {
    if tokens.is_empty() {
        return Err(Error::engine("a text without tokens has no embedding"));
    }
    if tokens.len() > engine.limits().batch_tokens {
        return Err(engine.full(tokens.len()));
    }
    engine.vocabulary().check(tokens)?;
    let entry = |(position, &token)| BatchToken { token, sequence: 0, position, output: true };
    Ok(Batch { tokens: (0u32..).zip(tokens).map(entry).collect() })
}
