//! How much memory a checkpoint takes when it runs.

use super::Checkpoint;

/// Bytes that running a checkpoint takes, in its three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// The weights. Mapped from the file, so the system can drop and read them again.
    pub weights: u64,
    /// Keys and values of all tokens, in half precision.
    pub kv_cache: u64,
    /// Scratch space of one decode, and the logits.
    pub compute: u64,
}

impl MemoryEstimate {
    /// All parts together.
    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.kv_cache).saturating_add(self.compute)
    }
}

const F16: u64 = 2;
const F32: u64 = 4;
/// Space for a graph's tensors themselves and for what the engine keeps beside them.
const FIXED: u64 = 16 << 20;

/// The KV cache is exact for attention in half precision without sliding windows, which only lessen it:
/// per token and block, a key and a value row of all KV heads.
///
/// The scratch space of llama.cpp is planned over the graph and not documented. What is alive at its widest
/// points, for a batch of `b` tokens against `c` tokens of context:
/// - in attention without flash kernels, the scores: `b * c * heads`, twice (before and after the softmax);
/// - in the feed-forward part, gate, up and their product: `3 * b * max(ffn, width)`, beside a few rows of
///   the width itself: `6 * b * width`;
/// - at the end the logits: `b * vocabulary`, and once more where the engine hands them out;
/// - the mask: `b * c`.
///
/// all in single precision. The first three are not alive together; their sum is an upper bound that is
/// close where it matters (a large vocabulary, or a long context).
pub(super) fn estimate(
    checkpoint: &Checkpoint,
    context_tokens: u32,
    batch_tokens: u32,
    sequences: u32,
) -> MemoryEstimate {
    let h = checkpoint.hyperparameters();
    // The engine pads the cache of every sequence to 256 tokens.
    let context = u64::from(context_tokens).saturating_add(u64::from(sequences).saturating_mul(256));
    let batch = u64::from(batch_tokens.max(1));
    let product =
        |factors: &[u64]| factors.iter().fold(1, |product: u64, &factor| product.saturating_mul(factor));
    let sum = |terms: &[u64]| terms.iter().fold(0, |sum: u64, &term| sum.saturating_add(term));

    let scores = product(&[2, batch, context, h.heads.into()]);
    let feed_forward = product(&[3, batch, u64::from(h.ffn.max(h.width))]);
    let rows = product(&[6, batch, h.width.into()]);
    let logits = product(&[2, batch, h.vocabulary.into()]);
    let mask = product(&[batch, context]);
    let recurrent = product(&[F32, u64::from(sequences.max(1)), h.state_width]);
    MemoryEstimate {
        weights: checkpoint.weight_bytes(),
        kv_cache: sum(&[product(&[F16, context, h.kv_width]), recurrent]),
        compute: sum(&[FIXED, product(&[F32, sum(&[scores, feed_forward, rows, logits, mask])])]),
    }
}
