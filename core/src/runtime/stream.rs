//! The reader's end of a generation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::job::Event;
use super::pipe::Reader;
use super::worker::{Command, Worker};
use super::{Chunk, Finish, FinishReason, GeneratedToken};
use crate::cancel::Cancel;
use crate::constraint::Constraint;
use crate::engine::SequenceId;
use crate::error::{Error, Result};

/// How many pieces the worker may run ahead of the reader.
pub(super) const RUN_AHEAD: usize = 64;

/// What reader and worker tell each other beside the events.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Tokens that the reader has taken.
    delivered: AtomicUsize,
    /// The reader has seen the end.
    ended: AtomicBool,
    /// The worker waits for the reader to make room.
    waiting: AtomicBool,
}

impl Progress {
    pub fn delivered(&self) -> usize {
        self.delivered.load(Ordering::Acquire)
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Returns whether the mark stood before.
    pub fn mark_waiting(&self) -> bool {
        self.waiting.swap(true, Ordering::AcqRel)
    }

    pub fn clear_waiting(&self) {
        self.waiting.store(false, Ordering::Release);
    }
}

/// A generation, pulled piece by piece; an iterator over [`Chunk`]s.
///
/// The worker runs ahead by at most 64 pieces. Once the stream was cancelled or dropped, its session
/// holds the tokens that the stream gave out and no more, and can be used again at once. May move to
/// another thread; one thread reads at a time.
pub struct Stream {
    worker: Arc<Worker>,
    sequence: SequenceId,
    job: u64,
    events: Reader,
    progress: Arc<Progress>,
    cancel: Cancel,
    finish: Option<Finish>,
    done: bool,
}

/// A whole generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// The tokens.
    pub tokens: Vec<GeneratedToken>,
    /// How it ended.
    pub finish: Finish,
}

impl Completion {
    /// The value of what was generated under a constraint.
    ///
    /// # Errors
    /// [`Error::BadOutput`] with the text so far: if the limit of tokens was reached before its end, if a stop
    /// text cut it, or if it is not what was declared. [`Error::Cancelled`] if it was cancelled.
    pub fn value(&self, constraint: &Constraint) -> Result<serde_json::Value> {
        let bad = |reason: String| Error::BadOutput { reason, text: self.text.clone() };
        match self.finish.reason {
            FinishReason::Cancelled => Err(Error::Cancelled),
            FinishReason::EndOfGeneration => constraint.parse(&self.text),
            FinishReason::Length => {
                let tokens = self.finish.generated_tokens;
                Err(bad(format!("its end was not reached within {tokens} tokens: allow more")))
            }
            FinishReason::Stop => constraint.parse(&self.text).map_err(|error| match error {
                Error::BadOutput { reason, .. } => bad(format!("a stop text ended it: {reason}")),
                error => error,
            }),
        }
    }
}

impl Stream {
    pub(super) fn new(
        worker: Arc<Worker>,
        sequence: SequenceId,
        job: u64,
        events: Reader,
        progress: Arc<Progress>,
        cancel: Cancel,
    ) -> Self {
        Self { worker, sequence, job, events, progress, cancel, finish: None, done: false }
    }

    /// The flag that stops it from another thread. After a cancel no more text comes.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// How it ended; `None` while it goes on and after an error.
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// As [`next`](Iterator::next), but joins all pieces that are ready, at most 64: fewer calls for a reader
    /// that is slower than the engine, or for whom a call is dear.
    ///
    /// # Errors
    /// The error that ended it, once the pieces before it were given out.
    pub fn next_ready(&mut self) -> Option<Result<Chunk>> {
        let mut joined = match self.next()? {
            Ok(chunk) => chunk,
            Err(error) => return Some(Err(error)),
        };
        for chunk in self.events.ready() {
            self.deliver(&chunk);
            joined.text += &chunk.text;
            joined.tokens.extend(chunk.tokens);
        }
        Some(Ok(joined))
    }

    /// Notes that the reader gets a piece, and wakes a worker that waits for room.
    fn deliver(&self, chunk: &Chunk) {
        self.progress.delivered.fetch_add(chunk.tokens.len(), Ordering::AcqRel);
        if self.progress.waiting.swap(false, Ordering::AcqRel) {
            self.worker.send(Command::Wake);
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// The error that ended it; what came before is lost, so read piece by piece to keep it.
    pub fn complete(mut self) -> Result<Completion> {
        let mut text = String::new();
        let mut tokens = Vec::new();
        for chunk in &mut self {
            let chunk = chunk?;
            text += &chunk.text;
            tokens.extend(chunk.tokens);
        }
        let finish = self.finish.ok_or_else(|| Error::engine("a stream ended without a reason"))?;
        Ok(Completion { text, tokens, finish })
    }

    /// Ends it early: the session forgets what was not read.
    fn stop(&mut self) -> Option<Result<Chunk>> {
        self.done = true;
        let (sequence, job) = (self.sequence, self.job);
        match self.worker.call(|reply| Command::Stop { sequence, job, reply: Some(reply) }) {
            Ok(finish) => {
                self.finish = finish.or(Some(Finish {
                    reason: FinishReason::Cancelled,
                    prompt_tokens: 0,
                    generated_tokens: self.progress.delivered() as u32,
                    prompt_seconds: 0.0,
                    generation_seconds: 0.0,
                }));
                None
            }
            Err(error) => Some(Err(error)),
        }
    }
}

impl Iterator for Stream {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Result<Chunk>> {
        if self.done {
            return None;
        }
        if self.cancel.is_cancelled() {
            return self.stop();
        }
        match self.events.next() {
            Some(Event::Chunk(chunk)) => {
                self.deliver(&chunk);
                Some(Ok(chunk))
            }
            Some(Event::End(Ok(finish))) if finish.reason != FinishReason::Cancelled => {
                self.done = true;
                self.finish = Some(finish);
                self.progress.ended.store(true, Ordering::Release);
                None
            }
            Some(Event::End(Err(error))) => {
                self.done = true;
                self.progress.ended.store(true, Ordering::Release);
                Some(Err(error))
            }
            // Cancelled, or the session was dropped.
            Some(Event::End(Ok(_))) | None => self.stop(),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.done {
            self.worker.send(Command::Stop { sequence: self.sequence, job: self.job, reply: None });
        }
    }
}
