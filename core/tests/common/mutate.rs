//! Seeded corruptions of a file: the same seed always gives the same bytes.

/// SplitMix64: small, and the same on every machine.
pub struct Seeded(u64);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end` without it.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Values that break sizes and numbers: zero, the largest, the sign, NaN, infinity.
const WORDS: [u32; 8] = [0, u32::MAX, 0x7fff_ffff, 0x8000_0000, 0x7fc0_0000, 0x7f80_0000, 0xff80_0000, 1];
const LONG_WORDS: [u64; 6] = [u64::MAX, i64::MAX as u64, 1 << 63, 1 << 40, 1 << 32, 0];

/// Corrupts `bytes`, whose header is `header` bytes long, and says how. Nine of ten faults are in the header.
pub fn mutate(bytes: &mut Vec<u8>, header: usize, seed: u64) -> String {
    let mut random = Seeded::new(seed);
    let region = if random.below(10) == 0 { bytes.len() } else { header };
    let at = random.below(region - 8);
    // Words are mostly hit where they stand: behind each text, so at any byte.
    match random.below(9) {
        0 => {
            let bit = random.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        1 => {
            bytes[at] = random.next() as u8;
            format!("byte {at} set")
        }
        2 => {
            let count = 2 + random.below(7);
            bytes[at..at + count].fill_with(|| random.next() as u8);
            format!("{count} bytes at {at} set")
        }
        3 | 4 => {
            let word = WORDS[random.below(WORDS.len())];
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            format!("word at {at} set to {word:#x}")
        }
        5 => {
            let word = LONG_WORDS[random.below(LONG_WORDS.len())];
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
            format!("long word at {at} set to {word:#x}")
        }
        6 => {
            let count = 1 + random.below(64.min(region / 2));
            let other = random.below(region - count);
            let at = at.min(region - count);
            let block: Vec<u8> = bytes[other..other + count].to_vec();
            let old: Vec<u8> = bytes[at..at + count].to_vec();
            bytes[at..at + count].copy_from_slice(&block);
            if at.abs_diff(other) >= count {
                bytes[other..other + count].copy_from_slice(&old);
            }
            format!("{count} bytes at {at} and {other} swapped")
        }
        7 => {
            let count = 1 + random.below(8);
            bytes.drain(at..at + count);
            format!("{count} bytes at {at} deleted")
        }
        _ => {
            let count = 1 + random.below(8);
            let new: Vec<u8> = (0..count).map(|_| random.next() as u8).collect();
            bytes.splice(at..at, new);
            format!("{count} bytes inserted at {at}")
        }
    }
}
