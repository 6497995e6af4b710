//! The generator of random numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The name of the generator. What it means never changes; another one would get another name.
///
/// The keystream of ChaCha with 8 rounds (Bernstein, 2008): its 256-bit key is the seed as 8 bytes in
/// little-endian order and 24 zeros, its 64-bit nonce is zero, its block counter starts at 0. Draw *n* reads
/// bytes 8*n* to 8*n* + 7 as a little-endian integer, drops its low 11 bits and multiplies by 2⁻⁵³: a number
/// in [0, 1).
pub const GENERATOR: &str = "pinfold-chacha8-v1";

/// The generator called [`GENERATOR`].
#[derive(Debug, Clone)]
pub(super) struct Generator {
    stream: ChaCha8Rng,
    draws: u64,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self { stream: ChaCha8Rng::from_seed(key), draws: 0 }
    }

    /// The next number, uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.draws = self.draws.wrapping_add(1);
        (self.stream.next_u64() >> 11) as f64 * (0.5 * f64::EPSILON)
    }

    pub fn draws(&self) -> u64 {
        self.draws
    }

    pub fn seek(&mut self, draws: u64) {
        self.draws = draws;
        // A word is 32 bits; a draw takes two.
        self.stream.set_word_pos(2 * u128::from(draws));
    }
}
