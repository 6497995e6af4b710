//! The work that a sequence has to do, and what it says to the one who waits for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use super::pipe::Writer;
use super::stream::Progress;
use super::text::TextGate;
use super::{Chunk, Finish, FinishReason, GenerateOptions, GeneratedToken};
use crate::cancel::Cancel;
use crate::constraint::Masks;
use crate::error::Result;
use crate::sampler::{Sampler, top_logprobs};
use crate::vocabulary::{Token, Vocabulary};

/// Where an answer goes; it is sent at most once.
pub(super) type Reply<T> = SyncSender<Result<T>>;

/// What a stream receives.
pub(super) enum Event {
    Chunk(Chunk),
    End(Result<Finish>),
}

/// Work on a sequence.
pub(super) struct Job {
    /// Tells it from the jobs before it.
    pub number: u64,
    pub cancel: Cancel,
    pub work: Work,
}

pub(super) enum Work {
    /// Compute what is pending.
    Prefill(Reply<()>),
    /// And give the logits after it.
    Logits(Reply<Vec<f32>>),
    /// Sample tokens one after another.
    Generate(Box<Generation>),
}

impl Job {
    /// Whether the engine can do something for it now.
    pub fn is_runnable(&self) -> bool {
        match &self.work {
            Work::Prefill(_) | Work::Logits(_) => true,
            Work::Generate(generation) => generation.outbox.is_empty() && !generation.ended,
        }
    }
}

/// A generation under way.
pub(super) struct Generation {
    sampler: Sampler,
    masks: Option<Masks>,
    gate: TextGate,
    max_tokens: Option<u32>,
    logprobs: Option<u32>,
    /// The length of the sequence at the start.
    pub base: usize,
    generated: u32,
    prompt_tokens: u32,
    /// Tokens that no chunk carries yet, since their text is held back.
    unsent: Vec<GeneratedToken>,
    /// Events that the stream has no room for yet.
    outbox: VecDeque<Event>,
    events: Writer,
    pub progress: Arc<Progress>,
    /// The end was put into the outbox.
    pub ended: bool,
    started: Instant,
    first: Option<Instant>,
}

impl Generation {
    pub fn new(
        options: &GenerateOptions,
        masks: Option<Masks>,
        vocabulary: &Vocabulary,
        events: Writer,
        progress: Arc<Progress>,
    ) -> Result<Self> {
        Ok(Self {
            sampler: Sampler::new(&options.sampling, vocabulary.len())?,
            masks,
            gate: TextGate::new(&options.stop),
            max_tokens: options.max_tokens,
            logprobs: options.logprobs,
            base: 0,
            generated: 0,
            prompt_tokens: 0,
            unsent: Vec::new(),
            outbox: VecDeque::new(),
            events,
            progress,
            ended: false,
            started: Instant::now(),
            first: None,
        })
    }

    /// Called when the work begins: `base` tokens are held, `pending` of them not yet computed.
    pub fn begin(&mut self, base: usize, pending: usize) {
        self.base = base;
        self.prompt_tokens = pending as u32;
        self.started = Instant::now();
        if self.is_whole() {
            self.end(FinishReason::EndOfGeneration);
        } else if self.max_tokens == Some(0) {
            self.end(FinishReason::Length);
        }
    }

    /// Chooses the token that follows `history`; `None` if the generation ends there.
    pub fn choose(
        &mut self,
        logits: &[f32],
        history: &[Token],
        vocabulary: &Vocabulary,
    ) -> Result<Option<GeneratedToken>> {
        let mask = match &mut self.masks {
            Some(masks) => Some(masks.mask()?),
            None => None,
        };
        let token = self.sampler.sample(logits, history, mask)?.token;
        self.first.get_or_insert_with(Instant::now);
        if vocabulary.ends_generation(token) {
            self.end(FinishReason::EndOfGeneration);
            return Ok(None);
        }
        if let Some(masks) = &mut self.masks {
            masks.accept(token)?;
        }
        let (logprob, top) = match self.logprobs {
            None => (None, Vec::new()),
            Some(count) => {
                let (logprob, top) = top_logprobs(logits, token, count as usize)?;
                (Some(logprob), top)
            }
        };
        Ok(Some(GeneratedToken { token, logprob, top }))
    }

    /// Takes a chosen token that the sequence now holds.
    pub fn accept(&mut self, chosen: GeneratedToken, vocabulary: &Vocabulary) {
        self.generated += 1;
        let released = self.gate.push(vocabulary.visible_bytes(chosen.token));
        self.unsent.push(chosen);
        if !released.text.is_empty() {
            let tokens = std::mem::take(&mut self.unsent);
            self.outbox.push_back(Event::Chunk(Chunk { text: released.text, tokens }));
        }
        if released.stopped {
            self.end(FinishReason::Stop);
        } else if self.is_whole() {
            self.end(FinishReason::EndOfGeneration);
        } else if self.max_tokens.is_some_and(|most| self.generated >= most) {
            self.end(FinishReason::Length);
        }
    }

    /// Whether the constraint lets nothing follow.
    fn is_whole(&self) -> bool {
        self.masks.as_ref().is_some_and(Masks::is_complete)
    }

    /// Ends the generation: what was held back is let out, unless it was stopped or cancelled.
    pub fn end(&mut self, reason: FinishReason) {
        let text = match reason {
            FinishReason::Stop | FinishReason::Cancelled => String::new(),
            FinishReason::EndOfGeneration | FinishReason::Length => self.gate.finish(),
        };
        if reason != FinishReason::Cancelled && !(text.is_empty() && self.unsent.is_empty()) {
            let tokens = std::mem::take(&mut self.unsent);
            self.outbox.push_back(Event::Chunk(Chunk { text, tokens }));
        }
        self.outbox.push_back(Event::End(Ok(self.finish(reason))));
        self.ended = true;
    }

    /// Ends the generation by an error; text that was held back comes before it.
    pub fn fail(&mut self, error: crate::Error) {
        let text = self.gate.finish();
        if !(text.is_empty() && self.unsent.is_empty()) {
            let tokens = std::mem::take(&mut self.unsent);
            self.outbox.push_back(Event::Chunk(Chunk { text, tokens }));
        }
        self.outbox.push_back(Event::End(Err(error)));
        self.ended = true;
    }

    /// The account of a generation that ends now.
    pub fn finish(&self, reason: FinishReason) -> Finish {
        let now = Instant::now();
        let first = self.first.unwrap_or(now);
        Finish {
            reason,
            prompt_tokens: self.prompt_tokens,
            generated_tokens: self.generated,
            prompt_seconds: (first - self.started).as_secs_f64(),
            generation_seconds: (now - first).as_secs_f64(),
        }
    }

    /// Wakes a reader that sleeps, if there is something for it.
    pub fn announce(&mut self) {
        self.events.announce();
    }

    /// Sends what the stream has room for.
    pub fn flush(&mut self) {
        while let Some(event) = self.outbox.pop_front() {
            let Err(event) = self.events.push(event) else { continue };
            self.outbox.push_front(event);
            // The reader wakes the worker if it sees the mark. It may have taken something between the
            // failed try and the mark, so one more try decides.
            if self.progress.mark_waiting() {
                self.events.announce();
                return;
            }
        }
        self.progress.clear_waiting();
    }
}
