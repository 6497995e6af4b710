//! Which tokens are computed next: the sequences of a context, their jobs, and the batches.

mod holding;
mod plan;

use super::job::{Generation, Job, Reply, Work};
use super::sequence::Sequence;
use super::worker::Command;
use super::{Finish, FinishReason};
use crate::cancel::Cancel;
use crate::engine::{Batch, Engine, SequenceId};
use crate::error::{Error, Result};

/// The state of the worker.
pub(super) struct Scheduler {
    engine: Box<dyn Engine>,
    sequences: Vec<Option<Sequence>>,
    /// Tokens of prompts in a batch at most; a batch is what a cancel has to wait for.
    slice_tokens: usize,
    /// The sequence that fills the next batch first, so that none starves.
    first: usize,
    jobs: u64,
    batch: Batch,
    /// The sequences of the batch's outputs, in their order.
    outputs: Vec<usize>,
    /// The parts of the batch: sequence and number of tokens.
    parts: Vec<(usize, usize)>,
    /// Scratch of `plan`: the sequences with work, and how many of their tokens are pending.
    order: Vec<(usize, usize)>,
}

impl Scheduler {
    pub fn new(engine: Box<dyn Engine>, slice_tokens: usize) -> Self {
        let limits = engine.limits();
        Self {
            sequences: (0..limits.sequences).map(|_| None).collect(),
            slice_tokens: slice_tokens.clamp(1, limits.batch_tokens),
            engine,
            first: 0,
            jobs: 0,
            batch: Batch::default(),
            outputs: Vec::new(),
            parts: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Does a command. An answer that nobody waits for any more is dropped.
    pub fn handle(&mut self, command: Command) {
        match command {
            Command::Open { options, reply } => send(&reply, self.open(options)),
            Command::Close { sequence } => self.close(sequence),
            Command::Append { sequence, tokens, reply } => send(&reply, self.append(sequence, &tokens)),
            Command::Rewind { sequence, length, reply } => send(&reply, self.rewind(sequence, length)),
            Command::Fork { sequence, reply } => send(&reply, self.fork(sequence)),
            Command::Tokens { sequence, reply } => {
                send(&reply, self.sequence(sequence).map(|sequence| sequence.tokens.clone()));
            }
            Command::Prefill { sequence, cancel, reply } => {
                self.start_waited(sequence, cancel, reply, Work::Prefill);
            }
            Command::Logits { sequence, cancel, reply } => {
                self.start_waited(sequence, cancel, reply, Work::Logits);
            }
            Command::Generate { sequence, cancel, generation, reply } => {
                send(&reply, self.generate(sequence, cancel, generation));
            }
            Command::Stop { sequence, job, reply } => {
                let finish = self.stop(sequence, job);
                if let Some(reply) = reply {
                    send(&reply, finish);
                }
            }
            Command::Save { sequence, reply } => send(&reply, self.save(sequence)),
            Command::Restore { sequence, state, reply } => send(&reply, self.restore(sequence, state)),
            Command::Wake | Command::Shutdown => {}
        }
    }

    /// Computes one batch; returns false if there is nothing to compute.
    pub fn step(&mut self) -> bool {
        self.flush();
        self.end_cancelled();
        self.plan();
        // What was sent must not wait for a slice of a prompt, or for nothing at all.
        if self.batch.len() != self.outputs.len() || self.batch.is_empty() {
            self.announce();
        }
        if self.batch.is_empty() {
            return false;
        }
        self.first = (self.first + 1) % self.sequences.len();
        // Only a batch of one job may be given up half-way for its cancel.
        let alone = match self.parts[..] {
            [(index, _)] => self.job(index).map(|job| job.cancel.clone()),
            _ => None,
        };
        match self.engine.decode(&self.batch, alone.as_ref()) {
            Ok(()) => self.take_outputs(),
            Err(Error::Cancelled) => {}
            Err(error) => match self.parts[..] {
                [(index, _)] => self.fail(index, error),
                _ => self.decode_apart(),
            },
        }
        true
    }

    /// Decodes the parts of a batch that failed one by one, so that only the guilty one ends.
    fn decode_apart(&mut self) {
        for (index, count) in std::mem::take(&mut self.parts) {
            self.batch.clear();
            self.outputs.clear();
            self.add(index, count);
            match self.engine.decode(&self.batch, None) {
                Ok(()) => self.take_outputs(),
                Err(error) => self.fail(index, error),
            }
            self.parts.clear();
        }
    }

    fn flush(&mut self) {
        for sequence in self.sequences.iter_mut().flatten() {
            if let Some(Job { work: Work::Generate(generation), .. }) = &mut sequence.job {
                generation.flush();
            }
        }
    }

    fn announce(&mut self) {
        for sequence in self.sequences.iter_mut().flatten() {
            if let Some(Job { work: Work::Generate(generation), .. }) = &mut sequence.job {
                generation.announce();
            }
        }
    }

    /// Ends the jobs whose cancel is set.
    fn end_cancelled(&mut self) {
        for sequence in self.sequences.iter_mut().flatten() {
            let Some(job) = &mut sequence.job else { continue };
            if !job.cancel.is_cancelled() || !job.is_runnable() {
                continue;
            }
            match &mut job.work {
                Work::Generate(generation) => {
                    generation.end(FinishReason::Cancelled);
                    generation.flush();
                }
                Work::Prefill(reply) => {
                    send(reply, Err(Error::Cancelled));
                    sequence.job = None;
                }
                Work::Logits(reply) => {
                    send(reply, Err(Error::Cancelled));
                    sequence.job = None;
                }
            }
        }
    }

    /// Hands the results of the batch to the jobs.
    fn take_outputs(&mut self) {
        for &(index, count) in &self.parts {
            if let Some(sequence) = &mut self.sequences[index] {
                sequence.decoded += count;
            }
        }
        for (output, index) in std::mem::take(&mut self.outputs).into_iter().enumerate() {
            if let Err(error) = self.take_output(output, index) {
                self.fail(index, error);
            }
        }
    }

    fn take_output(&mut self, output: usize, index: usize) -> Result<()> {
        let free = self.free(self.held(index));
        let Some(sequence) = &mut self.sequences[index] else { return Ok(()) };
        let Some(job) = &mut sequence.job else { return Ok(()) };
        let logits = self.engine.logits(output)?;
        match &mut job.work {
            Work::Prefill(reply) => {
                send(reply, Ok(()));
                sequence.job = None;
            }
            Work::Logits(reply) => {
                send(reply, Ok(logits.to_vec()));
                sequence.job = None;
            }
            Work::Generate(generation) => {
                let vocabulary = self.engine.vocabulary();
                let Some(chosen) = generation.choose(logits, &sequence.tokens, vocabulary)? else {
                    generation.flush();
                    return Ok(());
                };
                if free == 0 {
                    let held = sequence.tokens.len();
                    self.make_room(index, 1)?;
                    return self.accept(index, chosen, held);
                }
                sequence.tokens.push(chosen.token);
                generation.accept(chosen, vocabulary);
                generation.flush();
            }
        }
        Ok(())
    }

    /// Takes a token for which the sequence had to slide: it held `held` tokens before.
    fn accept(&mut self, index: usize, chosen: super::GeneratedToken, held: usize) -> Result<()> {
        let Some(sequence) = &mut self.sequences[index] else { return Ok(()) };
        let dropped = held - sequence.tokens.len();
        sequence.tokens.push(chosen.token);
        if let Some(Job { work: Work::Generate(generation), .. }) = &mut sequence.job {
            generation.base = generation.base.saturating_sub(dropped);
            generation.accept(chosen, self.engine.vocabulary());
            generation.flush();
        }
        Ok(())
    }

    /// Ends the job of a sequence by an error.
    fn fail(&mut self, index: usize, error: Error) {
        let Some(sequence) = &mut self.sequences[index] else { return };
        match sequence.job.as_mut().map(|job| &mut job.work) {
            Some(Work::Generate(generation)) => {
                generation.fail(error);
                generation.flush();
                return;
            }
            Some(Work::Prefill(reply)) => send(reply, Err(error)),
            Some(Work::Logits(reply)) => send(reply, Err(error)),
            None => {}
        }
        sequence.job = None;
    }

    fn job(&self, index: usize) -> Option<&Job> {
        self.sequences[index].as_ref()?.job.as_ref()
    }

    /// Starts work whose one answer goes to `reply`.
    fn start_waited<T>(
        &mut self,
        id: SequenceId,
        cancel: Cancel,
        reply: Reply<T>,
        work: impl FnOnce(Reply<T>) -> Work,
    ) {
        match self.ready_for_logits(id) {
            Err(error) => send(&reply, Err(error)),
            Ok(()) => {
                self.jobs += 1;
                let number = self.jobs;
                if let Ok(sequence) = self.sequence(id) {
                    sequence.job = Some(Job { number, cancel, work: work(reply) });
                }
            }
        }
    }

    /// Sees to it that decoding what is pending gives the logits after the last token.
    fn ready_for_logits(&mut self, id: SequenceId) -> Result<()> {
        let pending = self.idle(id)?.pending();
        let Self { engine, sequences, .. } = self;
        match sequences.get_mut(id as usize) {
            Some(Some(sequence)) if pending == 0 => sequence.need_logits(engine.as_mut()),
            _ => Ok(()),
        }
    }

    fn generate(&mut self, id: SequenceId, cancel: Cancel, mut generation: Box<Generation>) -> Result<u64> {
        self.ready_for_logits(id)?;
        self.jobs += 1;
        let number = self.jobs;
        let sequence = self.sequence(id)?;
        generation.begin(sequence.tokens.len(), sequence.pending());
        sequence.job = Some(Job { number, cancel, work: Work::Generate(generation) });
        Ok(number)
    }

    /// Ends a generation whose stream reads no more: the sequence keeps what the stream gave out.
    fn stop(&mut self, id: SequenceId, number: u64) -> Result<Option<Finish>> {
        let Self { engine, sequences, .. } = self;
        let Some(Some(sequence)) = sequences.get_mut(id as usize) else { return Ok(None) };
        if sequence.job.as_ref().is_none_or(|job| job.number != number) {
            return Ok(None);
        }
        let Some(Job { work: Work::Generate(generation), .. }) = sequence.job.take() else { return Ok(None) };
        if generation.progress.has_ended() {
            return Ok(None);
        }
        let delivered = generation.progress.delivered();
        let finish =
            Finish { generated_tokens: delivered as u32, ..generation.finish(FinishReason::Cancelled) };
        let length = generation.base + delivered;
        if length < sequence.tokens.len() {
            sequence.truncate(engine.as_mut(), length)?;
        }
        Ok(Some(finish))
    }
}

fn send<T>(reply: &Reply<T>, answer: Result<T>) {
    let _ = reply.try_send(answer);
}
