//! Lists of tokens, and of tokens with their log-probabilities.

use std::ptr;

use super::boundary::{self, quiet};
use crate::api::{Token, TokenLogprob};

/// A list of token ids.
///
/// Freed by: you, with `pinfold_tokens_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_tokens(Vec<u32>);

impl From<Vec<Token>> for pinfold_tokens {
    fn from(tokens: Vec<Token>) -> Self {
        Self(tokens.into_iter().map(|token| token.0).collect())
    }
}

/// The ids, as an array; valid until the list is freed. NULL for NULL; of an empty list, nothing to read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_tokens_data(tokens: *const pinfold_tokens) -> *const u32 {
    quiet(ptr::null(), || unsafe { tokens.as_ref() }.map_or(ptr::null(), |tokens| tokens.0.as_ptr()))
}

/// Their number; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_tokens_length(tokens: *const pinfold_tokens) -> usize {
    quiet(0, || unsafe { tokens.as_ref() }.map_or(0, |tokens| tokens.0.len()))
}

/// Frees the list; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_tokens_free(tokens: *mut pinfold_tokens) {
    unsafe { boundary::free(tokens) }
}

/// A token and the natural logarithm of its probability, which is at most 0. This struct never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_token_logprob {
    /// The token's id.
    pub token: u32,
    /// At most 0.
    pub logprob: f32,
}

impl From<&TokenLogprob> for pinfold_token_logprob {
    fn from(entry: &TokenLogprob) -> Self {
        Self { token: entry.token.0, logprob: entry.logprob }
    }
}

/// A list of tokens with their log-probabilities, the likeliest first.
///
/// Freed by: you, with `pinfold_logprobs_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_logprobs(Vec<pinfold_token_logprob>);

impl From<&[TokenLogprob]> for pinfold_logprobs {
    fn from(entries: &[TokenLogprob]) -> Self {
        Self(entries.iter().map(pinfold_token_logprob::from).collect())
    }
}

/// The entries, as an array; valid until the list is freed. NULL for NULL; of an empty list, nothing to read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_logprobs_data(
    logprobs: *const pinfold_logprobs,
) -> *const pinfold_token_logprob {
    quiet(ptr::null(), || unsafe { logprobs.as_ref() }.map_or(ptr::null(), |list| list.0.as_ptr()))
}

/// Their number; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_logprobs_length(logprobs: *const pinfold_logprobs) -> usize {
    quiet(0, || unsafe { logprobs.as_ref() }.map_or(0, |list| list.0.len()))
}

/// Frees the list; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_logprobs_free(logprobs: *mut pinfold_logprobs) {
    unsafe { boundary::free(logprobs) }
}
