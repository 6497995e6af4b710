//! One pass over the logits: checks them and finds where the high ones are.

use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// Logits of a block. A scan keeps the maximum of each block, so that whoever looks for high logits later
/// reads only the blocks that have some.
const BLOCK: usize = 128;

/// Maxima that are computed side by side, for the sake of SIMD.
const LANES: usize = 8;

/// The maxima of the blocks of the logits that were read last.
#[derive(Debug, Clone, Default)]
pub(super) struct Scan {
    maxima: Vec<f32>,
    ranked: Vec<f32>,
}

impl Scan {
    /// Reads `logits` and gives the highest one.
    ///
    /// # Errors
    /// [`Error::NoCandidate`] if one is NaN or +inf, or if none is above -inf.
    pub fn read(&mut self, logits: &[f32]) -> Result<f32> {
        self.maxima.clear();
        let mut sound = [1; LANES];
        let (blocks, rest) = logits.as_chunks();
        self.maxima.extend(blocks.iter().map(|block| maximum(block, &mut sound)));
        if !rest.is_empty() {
            let mut block = [f32::NEG_INFINITY; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            self.maxima.push(maximum(&block, &mut sound));
        }
        if sound.contains(&0) {
            return Err(no_candidate("a logit is NaN or +inf"));
        }
        let highest = self.maxima.iter().copied().fold(f32::NEG_INFINITY, higher);
        if logits.is_empty() {
            return Err(no_candidate("the vocabulary is empty"));
        }
        if highest == f32::NEG_INFINITY {
            return Err(no_candidate("all tokens are masked or have a logit of -inf"));
        }
        Ok(highest)
    }

    /// The first token whose logit is `highest`, which [`read`](Self::read) gave.
    pub fn first_of(&self, logits: &[f32], highest: f32) -> Token {
        let block = self.maxima.iter().position(|&maximum| maximum == highest).unwrap_or(0);
        let start = block * BLOCK;
        let inside = logits[start..].iter().position(|&logit| logit == highest).unwrap_or(0);
        Token((start + inside) as u32)
    }

    /// Calls `take` with each token, in the order of the ids, whose logit is at least `lowest` and above
    /// -inf.
    pub fn each_from(&self, logits: &[f32], lowest: f32, mut take: impl FnMut(Token, f32)) {
        for (index, (block, &maximum)) in logits.chunks(BLOCK).zip(&self.maxima).enumerate() {
            if maximum < lowest {
                continue;
            }
            for (place, &logit) in block.iter().enumerate() {
                if logit >= lowest && logit > f32::NEG_INFINITY {
                    take(Token((index * BLOCK + place) as u32), logit);
                }
            }
        }
    }

    /// A bound that at least `count` logits reach, if there are as many: the `count`-th highest maximum.
    pub fn bound_of_highest(&mut self, count: usize) -> f32 {
        if count == 0 || count > self.maxima.len() {
            return f32::NEG_INFINITY;
        }
        self.ranked.clone_from(&self.maxima);
        *self.ranked.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a)).1
    }
}

/// The maximum of a block. Sets a lane of `sound` to 0 if it met NaN or +inf.
#[inline(always)]
fn maximum(block: &[f32; BLOCK], sound: &mut [u32; LANES]) -> f32 {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    for row in block.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            maxima[lane] = higher(row[lane], maxima[lane]);
            sound[lane] &= u32::from(row[lane] <= f32::MAX);
        }
    }
    maxima.into_iter().fold(f32::NEG_INFINITY, higher)
}

/// Compiles to one instruction, unlike `f32::max`; ignores a NaN in `a`.
fn higher(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

fn no_candidate(reason: &str) -> Error {
    Error::NoCandidate { reason: reason.to_owned() }
}
