//! A golden step by step: the recorded tokens are fed back, so that one that differs does not make the rest
//! incomparable.

use crate::cancel::Cancel;
use crate::error::Result;
use crate::lock::Golden;
use crate::model::Model;
use crate::sampler::{Sampler, top_logprobs};
use crate::vocabulary::{Token, Vocabulary};

/// How a generation ends that the model itself ended, in a lock file.
pub(super) const END_OF_GENERATION: &str = "end_of_generation";

/// Log-probabilities that differ by no more are the same: they are recorded in thousandths, and another processor of
/// the same kind may round in the last bits of a sum.
pub(super) const ROUNDING: f32 = 0.0006;

/// What comparing step by step found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Steps {
    /// The largest difference of a log-probability from the recorded one.
    pub deviation: f32,
    /// The steps at which another token was chosen.
    pub flips: Vec<Flip>,
    /// The first recorded token that the vocabulary lacks; what comes after it was not compared.
    pub unknown: Option<u32>,
}

/// A step at which another token was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flip {
    /// Among the generated tokens.
    pub index: usize,
    /// The logit of the token chosen now less that of the recorded one.
    pub margin: f32,
    /// The same after bias and penalties, which is what a greedy choice goes by.
    pub decided_by: f32,
}

/// The largest difference of two log-probabilities at the same place.
pub(super) fn deviation(now: &[f32], recorded: &[f32]) -> f32 {
    now.iter().zip(recorded).map(|(now, recorded)| difference(*now, *recorded)).fold(0.0, f32::max)
}

/// Of what is not a number, all differs.
fn difference(a: f32, b: f32) -> f32 {
    let difference = (a - b).abs();
    if a == b {
        0.0
    } else if difference.is_nan() {
        f32::INFINITY
    } else {
        difference
    }
}

/// Samples at every step of `golden`, in the same way as the runtime does, and goes on with the recorded token.
pub(super) fn compare(model: &Model, prompt: &[Token], golden: &Golden, cancel: &Cancel) -> Result<Steps> {
    let vocabulary = model.vocabulary();
    let mut sampler = Sampler::new(&golden.sampling, vocabulary.len())?;
    let session = model.session()?;
    session.append_tokens(prompt)?;
    let mut history = prompt.to_vec();
    let mut steps = Steps::default();
    let expected = &golden.expected;
    for (index, (&token, &recorded)) in expected.tokens.iter().zip(&expected.logprobs).enumerate() {
        let token = Token(token);
        if token.index() >= vocabulary.len() {
            steps.unknown = Some(token.0);
            return Ok(steps);
        }
        let logits = session.logits(cancel)?;
        let (logprob, _) = top_logprobs(&logits, token, 0)?;
        steps.deviation = steps.deviation.max(difference(logprob, recorded));
        let chosen = sampler.sample(&logits, &history, None)?.token;
        if chosen != token {
            steps.flips.push(flip(index, &logits, &mut sampler, &history, chosen, token)?);
        }
        session.append_tokens(&[token])?;
        history.push(token);
    }
    if expected.finish == END_OF_GENERATION {
        let logits = session.logits(cancel)?;
        let chosen = sampler.sample(&logits, &history, None)?.token;
        if !vocabulary.ends_generation(chosen)
            && let Some(end) = likeliest_end(vocabulary, &logits)
        {
            steps.flips.push(flip(expected.tokens.len(), &logits, &mut sampler, &history, chosen, end)?);
        }
    }
    Ok(steps)
}

fn flip(
    index: usize,
    logits: &[f32],
    sampler: &mut Sampler,
    history: &[Token],
    chosen: Token,
    recorded: Token,
) -> Result<Flip> {
    let margin = |logits: &[f32]| logits[chosen.index()] - logits[recorded.index()];
    let decided_by = margin(&sampler.adjusted(logits, history)?);
    Ok(Flip { index, margin: margin(logits), decided_by })
}

/// Which of the tokens that end a generation ended this one is not recorded: the likeliest, most probably.
fn likeliest_end(vocabulary: &Vocabulary, logits: &[f32]) -> Option<Token> {
    let ids = (0..logits.len() as u32).map(Token);
    ids.filter(|&token| vocabulary.ends_generation(token))
        .max_by(|a, b| logits[a.index()].total_cmp(&logits[b.index()]))
}
