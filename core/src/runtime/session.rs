//! A session: a sequence of tokens that grows, and the calls on it.

use std::path::Path;
use std::sync::Arc;

use super::job::Generation;
use super::pipe::pipe;
use super::saved;
use super::stream::{Completion, Progress, RUN_AHEAD, Stream};
use super::worker::Command;
use super::{GenerateOptions, SessionOptions};
use crate::cancel::Cancel;
use crate::engine::{SequenceId, Special};
use crate::error::Result;
use crate::model::{Model, ModelInner};
use crate::sampler::{TokenLogprob, top_logprobs};
use crate::vocabulary::Token;

/// A sequence of tokens over a [`Model`]: what was read and what was generated.
///
/// `Send + Sync`: calls from several threads are done one after another. While a [`Stream`] of the
/// session is open, every call but [`tokens`](Self::tokens) is [`Error::SessionBusy`](crate::Error::SessionBusy). It
/// may outlive its model's handle, and its streams may outlive it.
pub struct Session {
    model: Arc<ModelInner>,
    sequence: SequenceId,
}

impl Session {
    pub(crate) fn open(model: Arc<ModelInner>, options: SessionOptions) -> Result<Self> {
        let sequence = model.worker.call(|reply| Command::Open { options, reply })?;
        Ok(Self { model, sequence })
    }

    /// The model.
    pub fn model(&self) -> Model {
        Model::from_inner(self.model.clone())
    }

    /// Adds text and returns the number of tokens held. Nothing is computed yet. At the start of a
    /// session the checkpoint's begin-of-sequence token is put in front, where it wants one.
    ///
    /// # Errors
    /// [`Error::ContextFull`](crate::Error::ContextFull) if it does not fit; nothing is added then.
    pub fn append(&self, text: &str, special: Special) -> Result<usize> {
        let start = self.model.weights.vocabulary().adds_bos() && self.is_empty()?;
        let tokens = if start {
            self.model.prompt_tokens(text, special)?
        } else {
            self.model.weights.tokenize(text, special)?
        };
        self.append_tokens(&tokens)
    }

    /// Adds tokens as they are and returns the number of tokens held.
    ///
    /// # Errors
    /// [`Error::UnknownToken`](crate::Error::UnknownToken), or
    /// [`Error::ContextFull`](crate::Error::ContextFull); nothing is added then.
    pub fn append_tokens(&self, tokens: &[Token]) -> Result<usize> {
        let sequence = self.sequence;
        let tokens = tokens.to_vec();
        self.model.worker.call(|reply| Command::Append { sequence, tokens, reply })
    }

    /// Computes what was added, so that the first token of the next generation comes at once.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled); what was computed by then stays.
    pub fn prefill(&self, cancel: &Cancel) -> Result<()> {
        let (sequence, cancel) = (self.sequence, cancel.clone());
        self.model.worker.call(|reply| Command::Prefill { sequence, cancel, reply })
    }

    /// Starts a generation after the tokens held. The stream computes what was added first.
    ///
    /// # Errors
    /// [`Error::InvalidOption`](crate::Error::InvalidOption),
    /// [`Error::BadConstraint`](crate::Error::BadConstraint) or
    /// [`Error::SessionEmpty`](crate::Error::SessionEmpty); later errors come from the stream.
    pub fn generate(&self, options: &GenerateOptions) -> Result<Stream> {
        let (writer, reader) = pipe(RUN_AHEAD);
        let progress = Arc::new(Progress::default());
        let vocabulary = self.model.weights.vocabulary();
        let masks = match &options.constraint {
            Some(constraint) => Some(self.model.grammars()?.compile(constraint)?),
            None => None,
        };
        let generation = Box::new(Generation::new(options, masks, vocabulary, writer, progress.clone())?);
        let (sequence, cancel) = (self.sequence, options.cancel.clone());
        let worker = self.model.worker.clone();
        let job = worker.call(|reply| Command::Generate { sequence, cancel, generation, reply })?;
        Ok(Stream::new(worker, sequence, job, reader, progress, options.cancel.clone()))
    }

    /// Adds text of the author of a prompt and generates to the end.
    ///
    /// # Errors
    /// Those of [`append`](Self::append) and of the stream.
    pub fn complete(&self, text: &str, options: &GenerateOptions) -> Result<Completion> {
        self.append(text, Special::Parse)?;
        self.generate(options)?.complete()
    }

    /// The logits after the tokens held: one for each token of the vocabulary.
    ///
    /// # Errors
    /// [`Error::SessionEmpty`](crate::Error::SessionEmpty), [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn logits(&self, cancel: &Cancel) -> Result<Vec<f32>> {
        let (sequence, cancel) = (self.sequence, cancel.clone());
        self.model.worker.call(|reply| Command::Logits { sequence, cancel, reply })
    }

    /// The `count` likeliest next tokens, the likeliest first.
    ///
    /// # Errors
    /// Those of [`logits`](Self::logits).
    pub fn next_tokens(&self, count: usize, cancel: &Cancel) -> Result<Vec<TokenLogprob>> {
        let logits = self.logits(cancel)?;
        let (_, top) = top_logprobs(&logits, Token(0), count)?;
        Ok(top)
    }

    /// The tokens held.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) if the worker is gone.
    pub fn tokens(&self) -> Result<Vec<Token>> {
        let sequence = self.sequence;
        self.model.worker.call(|reply| Command::Tokens { sequence, reply })
    }

    /// Whether no token is held.
    ///
    /// # Errors
    /// Those of [`tokens`](Self::tokens).
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.tokens()?.is_empty())
    }

    /// Forgets all tokens after the first `length`.
    ///
    /// # Errors
    /// [`Error::InvalidOption`](crate::Error::InvalidOption) if fewer are held.
    pub fn rewind(&self, length: usize) -> Result<()> {
        let sequence = self.sequence;
        self.model.worker.call(|reply| Command::Rewind { sequence, length, reply })
    }

    /// Another session that holds the same tokens; what is computed is not computed again.
    ///
    /// # Errors
    /// [`Error::TooManySessions`](crate::Error::TooManySessions), or
    /// [`Error::ContextFull`](crate::Error::ContextFull), since a fork counts in full.
    pub fn fork(&self) -> Result<Self> {
        let sequence = self.sequence;
        let fork = self.model.worker.call(|reply| Command::Fork { sequence, reply })?;
        Ok(Self { model: self.model.clone(), sequence: fork })
    }

    /// Writes the session to a file: beside it first, then renamed. The file is bound to the bytes of
    /// the checkpoint. It holds the tokens, so treat it as the text that it stands for.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let sequence = self.sequence;
        let state = self.model.worker.call(|reply| Command::Save { sequence, reply })?;
        saved::write(path.as_ref(), &self.model.binding()?, &state)
    }

    /// Puts a saved session in the place of what is held. What another version of the engine computed
    /// is computed again.
    ///
    /// # Errors
    /// [`Error::BadSession`](crate::Error::BadSession) for a damaged file, another format or another
    /// checkpoint; the session keeps what it held.
    pub fn restore(&self, path: impl AsRef<Path>) -> Result<()> {
        let state = saved::read(path.as_ref(), &self.model.binding()?)?;
        let sequence = self.sequence;
        self.model.worker.call(|reply| Command::Restore { sequence, state, reply })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.model.worker.send(Command::Close { sequence: self.sequence });
    }
}
