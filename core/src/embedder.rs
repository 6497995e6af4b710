//! [`Embedder`]: texts become vectors that are close where the texts are alike.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::cancel::Cancel;
use crate::digest::Digest;
use crate::engine::devices::{self, Offload};
use crate::engine::{Engine, EngineOptions, Facts, Pooling, Special, Weights};
use crate::error::{Error, Result};
use crate::vocabulary::Token;

#[cfg(feature = "llama")]
mod load;

/// How an embedder is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedderOptions {
    /// Tokens of a text at most; 0 for what the checkpoint was trained on, at most 512.
    pub max_tokens: u32,
    /// Threads that compute; 0 to choose by the machine and the checkpoint.
    pub threads: u32,
    /// What a GPU computes.
    pub offload: Offload,
    /// Whether the file is mapped instead of read.
    pub mmap: bool,
    /// Whether a checkpoint that cannot fit into the free memory is refused.
    pub check_memory: bool,
}

impl Default for EmbedderOptions {
    fn default() -> Self {
        Self { max_tokens: 0, threads: 0, offload: Offload::default(), mmap: true, check_memory: true }
    }
}

/// A checkpoint that embeds: an encoder (BERT and its kin), or a decoder, whose last layer is taken.
///
/// The tokens of a text get those around it that the tokenizer wants (`[CLS]`, `[SEP]`); their embeddings become one
/// as the file says (`pooling_type`: mean, first or last token), by the mean where it says nothing; and that is scaled
/// to length 1, so that a dot product is the cosine. What a text spells is never a control token.
///
/// `Send + Sync`, and cheap to clone: clones share the context, which lives on a thread of its own and does one call
/// after another. The last one that is dropped ends it.
#[derive(Clone)]
pub struct Embedder(Arc<Shared>);

struct Shared {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    weights: Arc<dyn Weights>,
    max_tokens: usize,
    /// The embeddings of texts that come again, by the digest of the text.
    kept: Mutex<HashMap<Digest, Arc<[f32]>>>,
}

struct Job {
    texts: Vec<Vec<Token>>,
    cancel: Cancel,
    reply: std::sync::mpsc::SyncSender<Result<Vec<Vec<f32>>>>,
}

impl Embedder {
    /// An embedder over weights of any engine, e.g. a [script](crate::engine::scripted).
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a checkpoint that does not embed (a reranker, an encoder-decoder),
    /// [`Error::InvalidOption`], or the engine's.
    pub fn from_weights(weights: Arc<dyn Weights>, options: &EmbedderOptions) -> Result<Self> {
        let pooling = pooling(weights.facts())?;
        let engine = options.engine(weights.facts());
        let max_tokens = engine.context_tokens as usize;
        let (jobs, inbox) = channel();
        let (ready, opened) = sync_channel(1);
        let loaded = weights.clone();
        let body = move || match loaded.open(&engine) {
            Ok(engine) => {
                let _ = ready.send(Ok(()));
                work(engine, pooling, &inbox);
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new()
            .name("pinfold-embedder".into())
            .spawn(body)
            .map_err(|error| Error::engine(format!("no thread for the embedder: {error}")))?;
        let kept = Mutex::default();
        let shared = Shared { jobs: Some(jobs), thread: Some(thread), weights, max_tokens, kept };
        opened.recv().map_err(|_| gone())??;
        Ok(Self(Arc::new(shared)))
    }

    /// The embeddings of `texts`, in their order: [`width`](Self::width) numbers each, of length 1. Blocks until they
    /// are computed; `cancel` is looked at between two texts.
    ///
    /// # Errors
    /// [`Error::ContextFull`] for a text of more than [`max_tokens`](Self::max_tokens) tokens, none is cut;
    /// [`Error::InvalidOption`] for a text without tokens; [`Error::Cancelled`]; or the engine's.
    pub fn embed(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        let tokens = texts.iter().enumerate().map(|(index, text)| self.tokens(index, text));
        let texts = tokens.collect::<Result<Vec<_>>>()?;
        let (reply, answer) = sync_channel(1);
        let job = Job { texts, cancel: cancel.clone(), reply };
        let jobs = self.0.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }

    /// As [`embed`](Self::embed), for texts that come again, e.g. the examples of a prompt: each is computed once,
    /// and kept as long as the embedder is.
    ///
    /// # Errors
    /// Those of [`embed`](Self::embed).
    pub fn embed_kept(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Arc<[f32]>>> {
        let digests: Vec<Digest> = texts.iter().map(|text| Digest::of_bytes(text.as_bytes())).collect();
        let mut missing: Vec<(Digest, &str)> = Vec::new();
        {
            let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let unknown = digests.iter().zip(texts).filter(|(digest, _)| !kept.contains_key(digest));
            missing.extend(unknown.map(|(digest, text)| (*digest, *text)));
        }
        missing.sort_unstable();
        missing.dedup();
        let new = match missing.is_empty() {
            true => Vec::new(),
            false => self.embed(&missing.iter().map(|(_, text)| *text).collect::<Vec<_>>(), cancel)?,
        };
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(missing.iter().zip(new).map(|((digest, _), values)| (*digest, values.into())));
        digests.iter().map(|digest| kept.get(digest).cloned().ok_or_else(gone)).collect()
    }

    /// The numbers of an embedding.
    pub fn width(&self) -> usize {
        self.0.weights.facts().embedding_width as usize
    }

    /// The tokens that a text may have, those around it counted.
    pub fn max_tokens(&self) -> usize {
        self.0.max_tokens
    }

    /// Facts about the checkpoint.
    pub fn facts(&self) -> &Facts {
        self.0.weights.facts()
    }

    fn tokens(&self, index: usize, text: &str) -> Result<Vec<Token>> {
        let frame = &self.facts().frame;
        let text = self.0.weights.tokenize(text, Special::Plain)?;
        let tokens: Vec<Token> = frame.start.iter().chain(&text).chain(&frame.end).copied().collect();
        if tokens.is_empty() {
            return Err(Error::option("texts", format!("text {} has no token to embed", index + 1)));
        }
        if tokens.len() > self.0.max_tokens {
            let (requested, capacity) = (tokens.len(), self.0.max_tokens);
            return Err(Error::ContextFull { used: 0, requested, capacity });
        }
        Ok(tokens)
    }
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let facts = self.facts();
        formatter.debug_struct("Embedder").field("architecture", &facts.architecture).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The thread ends when nobody can send any more.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl EmbedderOptions {
    fn engine(&self, facts: &Facts) -> EngineOptions {
        let context_tokens = self.tokens_of(facts.context_length);
        let threads = match self.threads {
            0 => devices::automatic_threads(facts.bytes),
            threads => threads,
        };
        EngineOptions {
            context_tokens,
            sequences: 1,
            // An encoder sees a text as a whole.
            batch_tokens: context_tokens,
            threads,
            embeddings: true,
            reproducible: false,
        }
    }

    fn tokens_of(&self, trained: u32) -> u32 {
        const TOKENS: u32 = 512;
        match self.max_tokens {
            0 => trained.clamp(1, TOKENS),
            tokens => tokens,
        }
    }
}

/// GGUF's `pooling_type`, as llama.cpp numbers it.
fn pooling(facts: &Facts) -> Result<Pooling> {
    if facts.has_encoder && facts.has_decoder {
        let what = format!("embeddings of {:?}, an encoder-decoder", facts.architecture);
        return Err(Error::Unsupported { what });
    }
    match facts.pooling {
        None | Some(0 | 1) => Ok(Pooling::Mean),
        Some(2) => Ok(Pooling::First),
        Some(3) => Ok(Pooling::Last),
        Some(other) => {
            let what = format!(
                "embeddings with the pooling type {other}: the checkpoint is made to rank, not to embed"
            );
            Err(Error::Unsupported { what })
        }
    }
}

fn work(mut engine: Box<dyn Engine>, pooling: Pooling, inbox: &Receiver<Job>) {
    while let Ok(job) = inbox.recv() {
        let one = |tokens: &Vec<Token>| {
            job.cancel.check()?;
            let embedding = engine.embed(&[tokens], pooling)?.into_iter().next();
            unit(embedding.map(|embedding| embedding.values).unwrap_or_default())
        };
        let done = job.texts.iter().map(one).collect();
        // A caller that is gone needs no answer.
        let _ = job.reply.send(done);
    }
}

/// Scales to length 1.
fn unit(mut values: Vec<f32>) -> Result<Vec<f32>> {
    let length = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length == 0.0 {
        return Err(Error::engine("the embedding of a text has no direction"));
    }
    values.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    Ok(values)
}

fn gone() -> Error {
    Error::engine("the embedder is gone; load it again")
}

#[cfg(test)]
mod tests;
