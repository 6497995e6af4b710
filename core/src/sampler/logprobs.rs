//! The probabilities that the model itself gives, before any filter.

use super::candidates::Candidates;
use super::scan::Scan;
use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// A token and how likely the model finds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenLogprob {
    /// The token.
    pub token: Token,
    /// The natural logarithm of its probability, before any filter; at most 0.
    pub logprob: f32,
}

/// The natural logarithm of the probability of `chosen`, and the `n` most likely tokens with theirs, in
/// descending order: the log-softmax of the raw `logits`. A logit of -inf gives -inf for `chosen`; such
/// tokens are not among the most likely, so there may be fewer than `n`.
///
/// # Errors
/// [`Error::NoCandidate`] if a logit is NaN or +inf or if none is above -inf, [`Error::UnknownToken`] if
/// `chosen` has no logit.
pub fn top_logprobs(logits: &[f32], chosen: Token, n: usize) -> Result<(f32, Vec<TokenLogprob>)> {
    let mut scan = Scan::default();
    let highest = f64::from(scan.read(logits)?);
    let logit = *logits
        .get(chosen.index())
        .ok_or(Error::UnknownToken { token: i64::from(chosen.0), vocabulary: logits.len() })?;
    let sum: f64 = logits.iter().map(|&logit| libm::exp(f64::from(logit) - highest)).sum();
    // From the highest logit on, so that nothing is lost if all of them are far from 0.
    let log_sum = libm::log(sum);
    let log_probability = |logit: f32| (f64::from(logit) - highest - log_sum) as f32;

    let mut candidates = Candidates::default();
    candidates.take_highest(n, logits, &mut scan);
    let entry = |token, logit| TokenLogprob { token, logprob: log_probability(logit) };
    let top = candidates.list().iter().map(|best| entry(best.token(), best.logit())).collect();
    Ok((log_probability(logit), top))
}
