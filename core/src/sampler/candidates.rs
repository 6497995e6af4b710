//! The tokens that are still to choose from, the filters that thin them out, and the draw.

use std::cmp::Ordering;

use super::Choice;
use super::options::Sampling;
use super::scan::Scan;
use crate::vocabulary::Token;

/// A token with its logit. Orders by descending logit, then by ascending id.
///
/// Kept as one integer, because sorting integers is several times faster than sorting pairs: the high half
/// is the logit's bits, mapped so that a higher logit is a lower number, the low half is the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate(u64);

impl Candidate {
    pub fn new(token: Token, logit: f32) -> Self {
        // Makes -0 a 0, so that they are a tie.
        let bits = (logit + 0.0).to_bits();
        let descending = if bits >> 31 == 0 { !bits & (u32::MAX >> 1) } else { bits };
        Self(u64::from(descending) << 32 | u64::from(token.0))
    }

    pub fn token(self) -> Token {
        Token(self.0 as u32)
    }

    pub fn logit(self) -> f32 {
        let descending = (self.0 >> 32) as u32;
        f32::from_bits(if descending >> 31 == 0 { !descending & (u32::MAX >> 1) } else { descending })
    }
}

/// The tokens to choose from: in the order of their ids at first, in descending order once a filter ranked
/// them. It matters for nothing but the order in which probabilities are summed, which must be fixed.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    list: Vec<Candidate>,
    highest: f32,
}

impl Candidates {
    /// Takes the candidates from `logits`, which `scan` read, and filters them. `highest` is their highest.
    pub fn filter(&mut self, options: &Sampling, logits: &[f32], highest: f32, scan: &mut Scan) {
        match options.top_k {
            0 => self.take_from(f32::NEG_INFINITY, logits, scan),
            k => self.take_highest(k as usize, logits, scan),
        }
        self.highest = highest;
        if options.typical_p < 1.0 {
            self.typical(options.typical_p);
        }
        if options.top_p < 1.0 {
            self.top_p(options.top_p);
        }
        if options.min_p > 0.0 {
            self.min_p(options.min_p);
        }
    }

    /// Top-k: the `k` highest of `logits`, which `scan` read, or all if there are fewer; in order.
    pub fn take_highest(&mut self, k: usize, logits: &[f32], scan: &mut Scan) {
        self.take_from(scan.bound_of_highest(k), logits, scan);
        if k < self.list.len() {
            self.list.select_nth_unstable(k);
            self.list.truncate(k);
        }
        self.list.sort_unstable();
    }

    /// The logits from `lowest` up, in the order of the ids.
    fn take_from(&mut self, lowest: f32, logits: &[f32], scan: &Scan) {
        self.list.clear();
        scan.each_from(logits, lowest, |token, logit| self.list.push(Candidate::new(token, logit)));
    }

    /// Locally typical sampling. The surprise of a token is -ln p = ln Z - x, where x is its logit below the
    /// highest one; the entropy is the mean surprise, ln Z - mean x. Hence their distance is |mean x - x|.
    fn typical(&mut self, p: f32) {
        let highest = self.highest;
        let total = self.total(1.0);
        let moment = |candidate: &Candidate| {
            weight(*candidate, highest, 1.0) * (f64::from(candidate.logit()) - f64::from(highest))
        };
        let mean = self.list.iter().map(moment).sum::<f64>() / total;
        let distance =
            |candidate: &Candidate| (f64::from(candidate.logit()) - f64::from(highest) - mean).abs();
        let nearest = |a: &Candidate, b: &Candidate| distance(a).total_cmp(&distance(b)).then(a.cmp(b));
        let target = f64::from(p) * total;
        let kept = rank_until(
            &mut self.list,
            nearest,
            |candidate| weight(candidate, highest, 1.0),
            |mass| mass > target,
        );
        self.list.truncate(kept);
        self.list.sort_unstable();
        self.highest = self.list.first().map_or(highest, |best| best.logit());
    }

    /// Top-p, or nucleus sampling.
    fn top_p(&mut self, p: f32) {
        let highest = self.highest;
        let target = f64::from(p) * self.total(1.0);
        let kept = rank_until(
            &mut self.list,
            Candidate::cmp,
            |candidate| weight(candidate, highest, 1.0),
            |mass| mass >= target,
        );
        self.list.truncate(kept);
    }

    /// Min-p: a bound on the logits, since p / p_max = exp(logit - highest).
    fn min_p(&mut self, p: f32) {
        let bound = libm::log(f64::from(p));
        let highest = f64::from(self.highest);
        self.list.retain(|candidate| f64::from(candidate.logit()) - highest >= bound);
    }

    /// Chooses by `uniform`, a number in [0, 1): the first candidate in descending order with which the
    /// probabilities sum up to more than it.
    pub fn draw(&mut self, temperature: f64, uniform: f64) -> Choice {
        let highest = self.highest;
        let weight = |candidate| weight(candidate, highest, temperature);
        let total = self.total(temperature);
        let target = uniform * total;
        let end = rank_until(&mut self.list, Candidate::cmp, weight, |mass| mass > target);
        // Rounding may keep the sum from the target: then the last one that has any weight is meant.
        let last = self.list[..end].iter().rposition(|&candidate| weight(candidate) > 0.0).unwrap_or(0);
        let chosen = self.list[last];
        Choice { token: chosen.token(), probability: (weight(chosen) / total) as f32 }
    }

    /// The candidates.
    pub fn list(&self) -> &[Candidate] {
        &self.list
    }

    fn total(&self, temperature: f64) -> f64 {
        self.list.iter().map(|&candidate| weight(candidate, self.highest, temperature)).sum()
    }
}

/// The probability of a candidate, but for a factor that all have in common.
fn weight(candidate: Candidate, highest: f32, temperature: f64) -> f64 {
    libm::exp((f64::from(candidate.logit()) - f64::from(highest)) / temperature)
}

/// Puts the first candidates by `order` in front, as many as it takes until `reached` says that their
/// weights sum up to enough, and tells how many these are. Ranks no more than about eight times as many,
/// because in most distributions a few tokens hold nearly all of the probability.
fn rank_until(
    list: &mut [Candidate],
    order: impl Fn(&Candidate, &Candidate) -> Ordering,
    weight: impl Fn(Candidate) -> f64,
    reached: impl Fn(f64) -> bool,
) -> usize {
    let mut mass = 0.0;
    let mut ranked = 0;
    let mut step = 128;
    while ranked < list.len() {
        let rest = &mut list[ranked..];
        let part = step.min(rest.len());
        if part < rest.len() {
            rest.select_nth_unstable_by(part, &order);
        }
        rest[..part].sort_unstable_by(&order);
        for (place, &candidate) in rest[..part].iter().enumerate() {
            mass += weight(candidate);
            if reached(mass) {
                return ranked + place + 1;
            }
        }
        ranked += part;
        step *= 8;
    }
    list.len()
}
