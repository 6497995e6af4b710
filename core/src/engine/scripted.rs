//! An engine that plays a script instead of computing: for tests of all that stands above it.
//!
//! Its vocabulary has a token for each byte (id = byte), then [`BOS`] and [`EOS`]. The script sees the
//! tokens of a sequence and names the next one, which gets the highest logit, or gives all logits.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    Adapter, Batch, Embedding, Engine, EngineOptions, Facts, Limits, Pooling, Position, SequenceId, Special,
    Weights,
};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::vocabulary::{Token, TokenEntry, TokenKind, Vocabulary};

/// Begins a sequence. Not added by itself.
pub const BOS: Token = Token(256);
/// Ends a generation; spelled `<eos>`.
pub const EOS: Token = Token(257);

/// The number of tokens.
pub const VOCABULARY: usize = 258;
const EOS_TEXT: &str = "<eos>";

type Script = dyn Fn(&[Token]) -> Vec<f32> + Send + Sync;

/// The embedding of a text of one token or more.
type EmbeddingScript = dyn Fn(&[Token]) -> Vec<f32> + Send + Sync;

/// A checkpoint that is a script.
#[derive(Clone)]
pub struct Scripted {
    script: Arc<Script>,
    embedding: Option<Arc<EmbeddingScript>>,
    vocabulary: Arc<Vocabulary>,
    facts: Facts,
    step: Duration,
    fail_after: Option<usize>,
}

impl Scripted {
    /// `script` names the next token of a sequence of tokens, which is never empty.
    pub fn new(script: impl Fn(&[Token]) -> Token + Send + Sync + 'static) -> Self {
        Self::with_logits(move |tokens| {
            let mut logits = vec![0.0; VOCABULARY];
            logits[script(tokens).index()] = 10.0;
            logits
        })
    }

    /// `script` gives the logits after a sequence of tokens, [`VOCABULARY`] of them.
    pub fn with_logits(script: impl Fn(&[Token]) -> Vec<f32> + Send + Sync + 'static) -> Self {
        let text =
            |bytes: &[u8], kind, ends_generation| TokenEntry { bytes: bytes.to_vec(), kind, ends_generation };
        let mut entries: Vec<TokenEntry> =
            (0..=255u8).map(|byte| text(&[byte], TokenKind::Byte, false)).collect();
        entries.push(text(b"<bos>", TokenKind::Control, false));
        entries.push(text(EOS_TEXT.as_bytes(), TokenKind::Control, true));
        let facts = Facts {
            architecture: "scripted".into(),
            parameters: 0,
            bytes: 0,
            context_length: 1024,
            embedding_width: 2,
            has_encoder: false,
            has_decoder: true,
            chat_template: None,
            ..Facts::default()
        };
        let vocabulary = Arc::new(Vocabulary::new(entries, Some(BOS), Some(EOS), false));
        Self {
            script: Arc::new(script),
            embedding: None,
            vocabulary,
            facts,
            step: Duration::ZERO,
            fail_after: None,
        }
    }

    /// Answers every prompt with `answer` and ends.
    pub fn answering(answer: &str) -> Self {
        let answer = answer.as_bytes().to_vec();
        Self::new(move |tokens| {
            let said = (0..=answer.len()).rev().find(|&length| ends_with(tokens, &answer[..length]));
            match answer.get(said.unwrap_or(0)) {
                Some(&byte) => Token(u32::from(byte)),
                None => EOS,
            }
        })
    }

    /// Each token of a decode takes so long.
    pub fn with_step(mut self, step: Duration) -> Self {
        self.step = step;
        self
    }

    /// The chat template that the checkpoint claims to have.
    pub fn with_chat_template(mut self, template: &str) -> Self {
        self.facts.chat_template = Some(template.to_owned());
        self
    }

    /// `script` gives the embedding of a text, `width` values, whatever the pooling is. Without one, the embedding of
    /// a token is its id and 1.
    pub fn with_embedding(
        mut self,
        width: u32,
        script: impl Fn(&[Token]) -> Vec<f32> + Send + Sync + 'static,
    ) -> Self {
        self.facts.embedding_width = width;
        self.embedding = Some(Arc::new(script));
        self
    }

    /// Decodes fail after so many tokens.
    pub fn failing_after(mut self, tokens: usize) -> Self {
        self.fail_after = Some(tokens);
        self
    }
}

fn ends_with(tokens: &[Token], bytes: &[u8]) -> bool {
    tokens.len() >= bytes.len()
        && tokens[tokens.len() - bytes.len()..]
            .iter()
            .zip(bytes)
            .all(|(token, &byte)| token.0 == u32::from(byte))
}

impl Weights for Scripted {
    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn tokenize(&self, text: &str, special: Special) -> Result<Vec<Token>> {
        let bytes = |text: &str| text.bytes().map(|byte| Token(u32::from(byte))).collect::<Vec<_>>();
        if special == Special::Plain {
            return Ok(bytes(text));
        }
        let mut tokens = Vec::new();
        for (index, part) in text.split(EOS_TEXT).enumerate() {
            if index > 0 {
                tokens.push(EOS);
            }
            tokens.extend(bytes(part));
        }
        Ok(tokens)
    }

    fn load_adapter(&self, _: &Path) -> Result<Arc<dyn Adapter>> {
        Err(Error::Unsupported { what: "adapters on a scripted engine".into() })
    }

    fn backend(&self) -> String {
        "scripted".to_owned()
    }

    fn open(&self, options: &EngineOptions) -> Result<Box<dyn Engine>> {
        options.validate()?;
        let limits = Limits {
            context_tokens: options.context_tokens as usize,
            sequences: options.sequences as usize,
            batch_tokens: options.decode_tokens() as usize,
            can_shift: true,
            reproducible: options.reproducible,
        };
        let sequences = vec![BTreeMap::new(); limits.sequences];
        Ok(Box::new(ScriptedEngine {
            weights: self.clone(),
            limits,
            sequences,
            outputs: Vec::new(),
            decoded: 0,
        }))
    }
}

struct ScriptedEngine {
    weights: Scripted,
    limits: Limits,
    sequences: Vec<BTreeMap<Position, Token>>,
    outputs: Vec<Vec<f32>>,
    decoded: usize,
}

impl ScriptedEngine {
    fn sequence(&mut self, sequence: SequenceId) -> Result<&mut BTreeMap<Position, Token>> {
        let count = self.limits.sequences;
        self.sequences
            .get_mut(sequence as usize)
            .ok_or_else(|| Error::engine(format!("there is no sequence {sequence} of {count}")))
    }

    /// Tokens that count where `batch` is to go.
    fn used(&self, batch: &Batch) -> usize {
        let counts = |sequence: usize| {
            !self.limits.reproducible || batch.tokens.iter().any(|entry| entry.sequence as usize == sequence)
        };
        let held = self.sequences.iter().enumerate().filter(|(sequence, _)| counts(*sequence));
        held.map(|(_, tokens)| tokens.len()).sum()
    }

    /// Waits as long as computing would take, and stops early if it is cancelled.
    fn compute(&self, tokens: usize, cancel: Option<&Cancel>) -> Result<()> {
        let end = Instant::now() + self.weights.step * tokens as u32;
        while Instant::now() < end {
            cancel.map_or(Ok(()), Cancel::check)?;
            std::thread::sleep(self.weights.step.min(Duration::from_millis(1)));
        }
        Ok(())
    }
}

impl Engine for ScriptedEngine {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.weights.vocabulary
    }

    fn decode(&mut self, batch: &Batch, cancel: Option<&Cancel>) -> Result<()> {
        self.outputs.clear();
        let capacity = self.limits.context_tokens;
        if self.limits.reproducible && batch.len() > self.limits.batch_tokens {
            return Err(Error::engine(format!("a batch of {} tokens, of 1", batch.len())));
        }
        let used = self.used(batch);
        if used + batch.len() > capacity {
            return Err(Error::ContextFull { used, requested: batch.len(), capacity });
        }
        if self.weights.fail_after.is_some_and(|most| self.decoded + batch.len() > most) {
            return Err(Error::engine("the script fails here"));
        }
        self.compute(batch.len(), cancel)?;
        for entry in &batch.tokens {
            let position = entry.position;
            let sequence = self.sequence(entry.sequence)?;
            let next = sequence.last_key_value().map_or(0, |(&last, _)| last + 1);
            if position != next {
                return Err(Error::engine(format!("position {position} where {next} is next")));
            }
            sequence.insert(position, entry.token);
            if entry.output {
                let tokens: Vec<Token> = sequence.values().copied().collect();
                self.outputs.push((self.weights.script)(&tokens));
            }
        }
        self.decoded += batch.len();
        Ok(())
    }

    fn logits(&self, output: usize) -> Result<&[f32]> {
        let logits = self.outputs.get(output).map(Vec::as_slice);
        logits.ok_or_else(|| Error::engine(format!("there is no output {output} of {}", self.outputs.len())))
    }

    fn encode(&mut self, _: &[Token]) -> Result<()> {
        Err(Error::Unsupported { what: "encode: a script has no encoder".into() })
    }

    fn embed(&mut self, texts: &[&[Token]], pooling: Pooling) -> Result<Vec<Embedding>> {
        // The embedding of a token is (its id, 1).
        let rows =
            |tokens: &[Token]| tokens.iter().flat_map(|token| [token.0 as f32, 1.0]).collect::<Vec<_>>();
        texts
            .iter()
            .map(|tokens| {
                if tokens.is_empty() {
                    return Err(Error::engine("a text without tokens has no embedding"));
                }
                if tokens.len() > self.limits.batch_tokens {
                    let (requested, capacity) = (tokens.len(), self.limits.batch_tokens);
                    return Err(Error::ContextFull { used: 0, requested, capacity });
                }
                if let Some(script) = &self.weights.embedding {
                    let values = script(tokens);
                    return Ok(Embedding { width: values.len(), values });
                }
                let all = rows(tokens);
                let values = match pooling {
                    Pooling::None => all,
                    Pooling::First => all[..2].to_vec(),
                    Pooling::Last => all[all.len() - 2..].to_vec(),
                    Pooling::Mean => {
                        let sum: f32 = tokens.iter().map(|token| token.0 as f32).sum();
                        vec![sum / tokens.len() as f32, 1.0]
                    }
                };
                Ok(Embedding { values, width: 2 })
            })
            .collect()
    }

    fn sequence_remove(&mut self, sequence: SequenceId, range: Range<Position>) -> Result<()> {
        self.sequence(sequence)?.retain(|position, _| !range.contains(position));
        Ok(())
    }

    fn sequence_copy(&mut self, from: SequenceId, to: SequenceId, range: Range<Position>) -> Result<()> {
        let copy: BTreeMap<_, _> = self.sequence(from)?.range(range).map(|(&p, &t)| (p, t)).collect();
        self.sequence(to)?.extend(copy);
        Ok(())
    }

    fn sequence_shift(&mut self, sequence: SequenceId, range: Range<Position>, by: i32) -> Result<()> {
        let tokens = self.sequence(sequence)?;
        let moved: Vec<_> = tokens.range(range.clone()).map(|(&p, &t)| (p, t)).collect();
        tokens.retain(|position, _| !range.contains(position));
        for (position, token) in moved {
            let position = position
                .checked_add_signed(by)
                .ok_or_else(|| Error::engine("a shift to before the start of the sequence"))?;
            tokens.insert(position, token);
        }
        Ok(())
    }

    fn save_state(&mut self, sequence: SequenceId) -> Result<Vec<u8>> {
        Ok(self.sequence(sequence)?.values().flat_map(|token| token.0.to_le_bytes()).collect())
    }

    fn load_state(&mut self, sequence: SequenceId, state: &[u8]) -> Result<()> {
        let tokens = state.chunks_exact(4).map(|b| Token(u32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        *self.sequence(sequence)? = (0u32..).zip(tokens).collect();
        Ok(())
    }

    fn set_adapters(&mut self, adapters: &[(Arc<dyn Adapter>, f32)]) -> Result<()> {
        if adapters.is_empty() {
            return Ok(());
        }
        Err(Error::Unsupported { what: "adapters on a scripted engine".into() })
    }
}
