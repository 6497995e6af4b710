//! Goldens: how one is recorded, and how it is replayed and judged.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::report::Words;
use super::steps::{self, ROUNDING, Steps};
use super::{Cause, Difference, GoldenOutcome, GoldenReport, GoldenRequest};
use crate::cancel::Cancel;
use crate::checkpoint::Digest;
use crate::engine::Special;
use crate::error::{Error, Result};
use crate::lock::{Expected, Golden, GoldenInput, Recorded};
use crate::model::{Model, ModelOptions};
use crate::runtime::{FinishReason, GenerateOptions};
use crate::sampler::Sampling;
use crate::vocabulary::Token;

/// What a chat template takes for the time when it asks: 1 January 2025, so that a prompt with today's date in
/// it is the same one tomorrow.
const NOW: Duration = Duration::from_secs(1_735_689_600);

/// What the lock file's digests say about the parts of a checkpoint that make its prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changed {
    pub tokenizer: bool,
    pub chat_template: bool,
}

/// A generation from an empty session: what a user sees.
pub(super) struct Run {
    pub tokens: Vec<u32>,
    pub logprobs: Vec<f32>,
    pub text: String,
    pub finish: &'static str,
}

/// See [`super::record`].
pub(super) fn record(model: &Model, request: &GoldenRequest, cancel: &Cancel) -> Result<Golden> {
    check_model(model)?;
    if request.max_tokens == 0 {
        return Err(Error::option("max_tokens", "0; a golden has at least one"));
    }
    let stop = &request.stop;
    if stop.iter().enumerate().any(|(index, text)| text.is_empty() || stop[..index].contains(text)) {
        return Err(Error::option("stop", "has an empty text or one twice"));
    }
    let prompt = prompt(model, &request.input)?;
    let GoldenRequest { sampling, max_tokens, .. } = request;
    let run = run(model, &prompt, sampling, *max_tokens, stop, cancel)?;
    Ok(Golden {
        checkpoint: request.checkpoint.clone(),
        input: request.input.clone(),
        sampling: sampling.clone(),
        preset: request.preset.clone(),
        max_tokens: *max_tokens,
        stop: stop.clone(),
        expected: Expected {
            prompt_sha256: digest(&prompt),
            tokens: run.tokens,
            text: run.text,
            logprobs: run.logprobs.into_iter().map(in_thousandths).collect(),
            finish: run.finish.to_owned(),
        },
        recorded: recorded_by(model),
    })
}

/// See [`super::replay`]. `changed` is what is known of the checkpoint, if anything is.
pub(super) fn replay(
    model: &Model,
    name: &str,
    golden: &Golden,
    tolerance: f32,
    changed: Option<Changed>,
    cancel: &Cancel,
) -> Result<GoldenReport> {
    check_model(model)?;
    check_golden(golden)?;
    check_tolerance(tolerance)?;
    let judge = Judge { name, golden, tolerance, changed, exact: golden.recorded == recorded_by(model) };
    let prompt = prompt(model, &golden.input)?;
    let run = run(model, &prompt, &golden.sampling, golden.max_tokens, &golden.stop, cancel)?;
    if digest(&prompt) != golden.expected.prompt_sha256 {
        return Ok(judge.another_prompt(&run));
    }
    let expected = &golden.expected;
    if run.tokens == expected.tokens && run.text == expected.text && run.finish == expected.finish {
        return Ok(judge.same_text(steps::deviation(&run.logprobs, &expected.logprobs)));
    }
    let steps = steps::compare(model, &prompt, golden, cancel)?;
    Ok(judge.another_text(&run, &steps))
}

/// The context that a model must be loaded with for a golden: 0 if what it has by default is enough, else more. It
/// depends on nothing but the golden and the checkpoint, so that a replay has the context of the record.
pub(super) fn context_tokens(model: &Model, input: &GoldenInput, max_tokens: u32) -> Result<u32> {
    let needed = prompt(model, input)?.len().saturating_add(max_tokens as usize);
    let default = ModelOptions::default().context_of(model.facts().context_length);
    if needed <= default as usize {
        return Ok(0);
    }
    Ok(u32::try_from(needed).ok().and_then(u32::checked_next_power_of_two).unwrap_or(u32::MAX))
}

fn check_model(model: &Model) -> Result<()> {
    if model.is_reproducible() {
        return Ok(());
    }
    Err(Error::option("reproducible", "off; goldens are recorded and replayed with it on"))
}

pub(super) fn check_tolerance(tolerance: f32) -> Result<()> {
    if tolerance >= 0.0 && tolerance.is_finite() {
        return Ok(());
    }
    Err(Error::option("tolerance", format!("must be a finite number of nats from 0 up, but is {tolerance}")))
}

/// A lock file's goldens are well-formed; one that was made by hand need not be.
fn check_golden(golden: &Golden) -> Result<()> {
    let Expected { tokens, logprobs, .. } = &golden.expected;
    if tokens.len() == logprobs.len() {
        return Ok(());
    }
    let reason = format!("{} log-probabilities for {} tokens", logprobs.len(), tokens.len());
    Err(Error::option("golden", reason))
}

/// What records goldens with this model.
fn recorded_by(model: &Model) -> Recorded {
    Recorded {
        runtime: env!("CARGO_PKG_VERSION").to_owned(),
        backend: model.backend_name(),
        llama_cpp: crate::engine::llama_cpp_revision(),
    }
}

/// The tokens of an input at the start of a session.
pub(super) fn prompt(model: &Model, input: &GoldenInput) -> Result<Vec<Token>> {
    match input {
        GoldenInput::Text(text) => model.prompt_tokens(text, Special::Parse),
        GoldenInput::Messages(messages) => {
            let now: SystemTime = UNIX_EPOCH + NOW;
            Ok(model.prompt_at(&messages.iter().collect(), now)?.tokens)
        }
    }
}

fn digest(tokens: &[Token]) -> Digest {
    let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.0.to_le_bytes()).collect();
    Digest::of_bytes(&bytes)
}

fn run(
    model: &Model,
    prompt: &[Token],
    sampling: &Sampling,
    max_tokens: u32,
    stop: &[String],
    cancel: &Cancel,
) -> Result<Run> {
    // All or nothing: a full context in the midst would end it with an error.
    let (used, requested) = (prompt.len(), max_tokens as usize);
    let capacity = model.context_tokens() as usize;
    if used.saturating_add(requested) > capacity {
        return Err(Error::ContextFull { used, requested, capacity });
    }
    let session = model.session()?;
    session.append_tokens(prompt)?;
    let options = GenerateOptions {
        sampling: sampling.clone(),
        max_tokens: Some(max_tokens),
        constraint: None,
        stop: stop.to_vec(),
        logprobs: Some(0),
        cancel: cancel.clone(),
    };
    let completion = session.generate(&options)?.complete()?;
    let finish = match completion.finish.reason {
        FinishReason::EndOfGeneration => steps::END_OF_GENERATION,
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::Cancelled => return Err(Error::Cancelled),
    };
    let tokens = completion.tokens.iter().map(|generated| generated.token.0).collect();
    // All of them have one, since they were asked for.
    let logprobs = completion.tokens.iter().map(|generated| generated.logprob.unwrap_or(f32::NAN)).collect();
    Ok(Run { tokens, logprobs, text: completion.text, finish })
}

/// Rounds to what a lock file keeps.
fn in_thousandths(logprob: f32) -> f32 {
    // Adding 0 makes a -0 a 0.
    ((f64::from(logprob) * 1000.0).round() / 1000.0 + 0.0) as f32
}

/// Decides how a golden compares.
struct Judge<'a> {
    name: &'a str,
    golden: &'a Golden,
    tolerance: f32,
    changed: Option<Changed>,
    exact: bool,
}

impl Judge<'_> {
    /// The largest deviation that is none.
    fn limit(&self) -> f32 {
        if self.exact { ROUNDING } else { self.tolerance.max(ROUNDING) }
    }

    fn another_prompt(&self, run: &Run) -> GoldenReport {
        let words = self.words().another_prompt(self.changed);
        let outcome = (GoldenOutcome::Different, Some(Cause::Prompt));
        self.report(outcome, self.difference(run, None), 0.0, words)
    }

    fn same_text(&self, deviation: f32) -> GoldenReport {
        if deviation <= self.limit() {
            let words = self.words().same(deviation);
            return self.report((GoldenOutcome::Same, None), None, deviation, words);
        }
        let words = self.words().same_text_but(deviation);
        self.report((GoldenOutcome::Different, Some(Cause::Computation)), None, deviation, words)
    }

    fn another_text(&self, run: &Run, steps: &Steps) -> GoldenReport {
        let words = self.words();
        let deviates = steps.deviation > self.limit();
        let (outcome, cause, words) = if deviates {
            (GoldenOutcome::Different, Some(Cause::Computation), words.computation(steps))
        } else if steps.flips.is_empty() {
            let (cause, words) = self.contradiction(run, steps);
            (GoldenOutcome::Different, Some(cause), words)
        } else if self.explains(steps) {
            (GoldenOutcome::WithinTolerance, None, words.within_tolerance(steps))
        } else {
            (GoldenOutcome::Different, Some(Cause::Sampler), words.sampler(steps))
        };
        let difference = self.difference(run, Some(steps));
        self.report((outcome, cause), difference, steps.deviation, words)
    }

    /// Whether small differences of the logits, as another backend or version computes them, can be why
    /// other tokens were chosen.
    fn explains(&self, steps: &Steps) -> bool {
        if self.exact {
            return false;
        }
        if self.golden.sampling.temperature == 0.0 {
            return steps.flips.iter().all(|flip| flip.decided_by <= self.tolerance);
        }
        // A draw may fall to the other side of a border, but not where the probabilities are the recorded ones.
        steps.deviation > ROUNDING
    }

    /// Every recorded token would be chosen again, and yet something else comes out.
    fn contradiction(&self, run: &Run, steps: &Steps) -> (Cause, String) {
        let expected = &self.golden.expected;
        let unknown = steps.unknown;
        let same_tokens = run.tokens == expected.tokens && run.finish == expected.finish;
        let tokenizer = match self.changed {
            Some(changed) => changed.tokenizer,
            None => true,
        };
        if tokenizer && (same_tokens || unknown.is_some()) {
            (Cause::Tokenizer, self.words().tokenizer(unknown))
        } else {
            (Cause::Lock, self.words().contradiction())
        }
    }

    fn difference(&self, run: &Run, steps: Option<&Steps>) -> Option<Difference> {
        let expected = &self.golden.expected;
        if run.tokens == expected.tokens && run.text == expected.text && run.finish == expected.finish {
            return None;
        }
        let index = run.tokens.iter().zip(&expected.tokens).take_while(|(a, b)| a == b).count();
        let flip = steps.and_then(|steps| steps.flips.iter().find(|flip| flip.index == index));
        Some(Difference {
            index: index as u32,
            expected_token: expected.tokens.get(index).copied(),
            actual_token: run.tokens.get(index).copied(),
            expected_text: expected.text.clone(),
            actual_text: run.text.clone(),
            margin: flip.map(|flip| flip.margin),
        })
    }

    fn words(&self) -> Words<'_> {
        Words { golden: self.golden, tolerance: self.tolerance, exact: self.exact }
    }

    fn report(
        &self,
        (outcome, cause): (GoldenOutcome, Option<Cause>),
        difference: Option<Difference>,
        deviation: f32,
        detail: String,
    ) -> GoldenReport {
        GoldenReport {
            name: self.name.to_owned(),
            checkpoint: self.golden.checkpoint.clone(),
            outcome,
            exact: self.exact,
            cause,
            difference,
            deviation,
            detail,
        }
    }
}
