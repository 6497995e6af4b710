//! A piece of a generation.

use std::ffi::c_char;
use std::ptr;

use super::boundary::{self, quiet};
use super::pinfold_token_logprob;
use super::text::Text;
use crate::api::Chunk;

/// A piece of a generation: whole characters, or the tokens at the end that added no text.
///
/// Freed by: you, with `pinfold_chunk_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_chunk {
    text: Text,
    tokens: Vec<u32>,
    /// As many as tokens, or none.
    logprobs: Vec<f32>,
    /// As many as tokens, or none.
    top: Vec<Vec<pinfold_token_logprob>>,
}

impl From<Chunk> for pinfold_chunk {
    fn from(chunk: Chunk) -> Self {
        let tokens = &chunk.tokens;
        // Every token has a log-probability, or none: one option of the generation says which.
        let logprobs: Vec<f32> = tokens.iter().map_while(|token| token.logprob).collect();
        let top = if logprobs.is_empty() { &[] } else { tokens.as_slice() };
        Self {
            tokens: tokens.iter().map(|token| token.token.0).collect(),
            top: top
                .iter()
                .map(|token| token.top.iter().map(pinfold_token_logprob::from).collect())
                .collect(),
            logprobs,
            text: Text::new(chunk.text),
        }
    }
}

/// The text: UTF-8 that ends with a zero byte, which the length does not count; zero characters may stand inside as
/// well. Valid until the chunk is freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_chunk_text(chunk: *const pinfold_chunk) -> *const c_char {
    quiet(ptr::null(), || unsafe { chunk.as_ref() }.map_or(ptr::null(), |chunk| chunk.text.data()))
}

/// The number of bytes of the text, which is 0 only at the end of a generation; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_chunk_text_length(chunk: *const pinfold_chunk) -> usize {
    quiet(0, || unsafe { chunk.as_ref() }.map_or(0, |chunk| chunk.text.length()))
}

/// The tokens that were sampled since the piece before, as an array; valid until the chunk is freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_chunk_tokens(chunk: *const pinfold_chunk) -> *const u32 {
    quiet(ptr::null(), || unsafe { chunk.as_ref() }.map_or(ptr::null(), |chunk| chunk.tokens.as_ptr()))
}

/// Their number; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_chunk_tokens_length(chunk: *const pinfold_chunk) -> usize {
    quiet(0, || unsafe { chunk.as_ref() }.map_or(0, |chunk| chunk.tokens.len()))
}

/// The natural logarithms of the tokens' probabilities, before any filter: an array as long as that of the tokens;
/// valid until the chunk is freed. NULL if they were not asked for, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_chunk_logprobs(chunk: *const pinfold_chunk) -> *const f32 {
    quiet(ptr::null(), || match unsafe { chunk.as_ref() } {
        Some(chunk) if !chunk.logprobs.is_empty() => chunk.logprobs.as_ptr(),
        _ => ptr::null(),
    })
}

/// The likeliest tokens at the place of the token at `index`, the likeliest first, as an array; valid until the chunk
/// is freed. `length_out`, which may be NULL, gets their number. NULL and 0 if they were not asked for, if there is no
/// such token, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_chunk_top(
    chunk: *const pinfold_chunk,
    index: usize,
    length_out: *mut usize,
) -> *const pinfold_token_logprob {
    quiet(ptr::null(), || {
        let top =
            unsafe { chunk.as_ref() }.and_then(|chunk| chunk.top.get(index)).filter(|top| !top.is_empty());
        unsafe { boundary::put(length_out, top.map_or(0, Vec::len)) };
        top.map_or(ptr::null(), |top| top.as_ptr())
    })
}

/// Frees the chunk; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_chunk_free(chunk: *mut pinfold_chunk) {
    unsafe { boundary::free(chunk) }
}
