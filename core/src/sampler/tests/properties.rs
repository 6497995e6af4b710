//! The sampler against a slow reference: `f64`, full sorts, hash maps, one line for each rule.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;

/// Cumulated probabilities that are nearer to a border than this may fall on either side of it.
const NEAR: f64 = 1e-6;

/// What the reference finds.
struct Expected {
    /// In descending order, with their probabilities.
    candidates: Vec<(Token, f64)>,
    /// Whether rounding may have decided about a candidate.
    close: bool,
}

fn reference(options: &Sampling, logits: &[f32], history: &[Token], mask: Option<&TokenMask>) -> Expected {
    let mut counts: HashMap<Token, f32> = HashMap::new();
    for &token in history.iter().rev().take(options.penalty_window as usize) {
        *counts.entry(token).or_default() += 1.0;
    }
    let mut all = Vec::new();
    for (id, &logit) in logits.iter().enumerate() {
        // In `f32`, as the sampler does, so that ties stay ties.
        let token = Token(id as u32);
        let mut logit = logit + options.logit_bias.get(&token).unwrap_or(&0.0);
        if let Some(count) = counts.get(&token) {
            let repetition = options.repetition_penalty;
            logit = if logit > 0.0 { logit / repetition } else { logit * repetition };
            logit -= count * options.frequency_penalty + options.presence_penalty;
        }
        if logit.is_finite() && mask.is_none_or(|mask| mask.iter().any(|allowed| allowed == token)) {
            all.push((token, f64::from(logit)));
        }
    }
    all.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap().then(a.0.cmp(&b.0)));
    if all.is_empty() {
        return Expected { candidates: Vec::new(), close: false };
    }
    let mut close = false;

    if options.top_k > 0 {
        all.truncate(options.top_k as usize);
    }
    if options.typical_p < 1.0 {
        let masses = softmax(&all, 1.0);
        let entropy: f64 = masses.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        let log_sum = all.iter().map(|(_, logit)| (logit - all[0].1).exp()).sum::<f64>().ln() + all[0].1;
        let mut ranked: Vec<(f64, usize)> =
            all.iter().enumerate().map(|(i, (_, logit))| ((log_sum - logit - entropy).abs(), i)).collect();
        // Tokens that are equally typical but for rounding stand in the order of their logits.
        close |= ranked
            .iter()
            .enumerate()
            .any(|(i, a)| ranked[..i].iter().any(|b| all[a.1].1 != all[b.1].1 && (a.0 - b.0).abs() < NEAR));
        ranked.sort_by(|a, b| match (a.0 - b.0).abs() < 1e-12 {
            true => a.1.cmp(&b.1),
            false => a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal),
        });
        let order: Vec<f64> = ranked.iter().map(|&(_, i)| masses[i]).collect();
        let kept = until(&order, f64::from(options.typical_p), false, &mut close);
        let kept: BTreeSet<usize> = ranked[..kept].iter().map(|&(_, i)| i).collect();
        all = kept.into_iter().map(|i| all[i]).collect();
    }
    if options.top_p < 1.0 {
        all.truncate(until(&softmax(&all, 1.0), f64::from(options.top_p), true, &mut close));
    }
    if options.min_p > 0.0 {
        let masses = softmax(&all, 1.0);
        let bound = f64::from(options.min_p) * masses[0];
        close |= masses.iter().any(|mass| *mass != masses[0] && (mass - bound).abs() < NEAR);
        let kept = masses.iter().filter(|mass| **mass >= bound).count();
        all.truncate(kept.max(1));
    }
    let masses = softmax(&all, f64::from(options.temperature));
    Expected { candidates: all.iter().map(|(token, _)| *token).zip(masses).collect(), close }
}

fn softmax(sorted: &[(Token, f64)], temperature: f64) -> Vec<f64> {
    let weights: Vec<f64> =
        sorted.iter().map(|(_, logit)| ((logit - sorted[0].1) / temperature).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// How many of `masses` it takes to reach (or to exceed) `p`.
fn until(masses: &[f64], p: f64, reach: bool, close: &mut bool) -> usize {
    let mut sum = 0.0;
    for (i, mass) in masses.iter().enumerate() {
        sum += mass;
        *close |= (sum - p).abs() < NEAR;
        if sum > p || reach && sum == p {
            return i + 1;
        }
    }
    masses.len()
}

fn logits() -> impl Strategy<Value = Vec<f32>> {
    let logit = prop_oneof![
        6 => -8.0f32..8.0,
        3 => (-3i8..4).prop_map(f32::from),
        1 => Just(f32::NEG_INFINITY),
    ];
    prop_oneof![
        3 => prop::collection::vec(logit.clone(), 1..12),
        3 => prop::collection::vec(logit.clone(), 12..400),
        1 => prop::collection::vec(logit, 400..1500),
    ]
}

fn options() -> impl Strategy<Value = Sampling> {
    let off_or = |off: f32, range: std::ops::Range<f32>| prop_oneof![2 => Just(off), 1 => range];
    let filters = (
        prop_oneof![2 => Just(0), 1 => 1..60u32],
        off_or(1.0, 0.0..1.0),
        off_or(1.0, 0.0..1.0),
        off_or(0.0, 0.0..1.0),
    );
    let penalties = (0..40u32, off_or(1.0, 0.5..2.0), off_or(0.0, -1.0..2.0), off_or(0.0, -1.0..2.0));
    (filters, penalties, 0.1f32..3.0, any::<u64>()).prop_map(|(filters, penalties, temperature, seed)| {
        Sampling {
            temperature,
            seed,
            logit_bias: Default::default(),
            penalty_window: penalties.0,
            repetition_penalty: penalties.1,
            frequency_penalty: penalties.2,
            presence_penalty: penalties.3,
            top_k: filters.0,
            typical_p: filters.1,
            top_p: filters.2,
            min_p: filters.3,
        }
    })
}

fn check(options: &Sampling, logits: &[f32], history: &[Token], mask: Option<&TokenMask>) {
    let mut sampler = Sampler::new(options, logits.len()).unwrap();
    let result = sampler.sample(logits, history, mask);
    let expected = reference(options, logits, history, mask);
    let Ok(choice) = result else {
        assert!(expected.candidates.is_empty(), "{result:?}");
        return;
    };
    let greedy = Sampling { temperature: 0.0, ..options.clone() };
    let unfiltered = Sampling { top_k: 1, typical_p: 1.0, top_p: 1.0, min_p: 0.0, ..options.clone() };
    let best = reference(&unfiltered, logits, history, mask).candidates[0].0;
    let greedy = Sampler::new(&greedy, logits.len()).unwrap().sample(logits, history, mask).unwrap();
    assert_eq!(greedy.token, best);
    if expected.close {
        return;
    }

    let found: BTreeSet<Token> =
        sampler.candidates.list().iter().map(|candidate| candidate.token()).collect();
    assert_eq!(found.len(), sampler.candidates.list().len());
    assert_eq!(found, expected.candidates.iter().map(|(token, _)| *token).collect());

    let uniform = Generator::new(options.seed).uniform();
    let mut sum = 0.0;
    for (token, mass) in &expected.candidates {
        let range = sum - NEAR..=sum + mass + NEAR;
        sum += mass;
        if *token == choice.token {
            assert!(range.contains(&uniform), "{uniform} is not in {range:?}");
            assert!((f64::from(choice.probability) - mass).abs() < NEAR);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sampler_does_what_the_reference_does(
        logits in logits(),
        options in options(),
        history in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        denied in prop::option::of(prop::collection::vec(any::<prop::sample::Index>(), 0..60)),
        biased in prop::collection::vec((any::<prop::sample::Index>(), -5.0f32..5.0), 0..4),
    ) {
        let token = |index: &prop::sample::Index| Token(index.index(logits.len()) as u32);
        let history: Vec<Token> = history.iter().map(token).collect();
        let mask = denied.map(|denied| {
            let mut mask = TokenMask::all(logits.len());
            denied.iter().for_each(|index| mask.deny(token(index)));
            mask
        });
        let logit_bias = biased.iter().map(|(index, bias)| (token(index), *bias)).collect();
        check(&Sampling { logit_bias, ..options }, &logits, &history, mask.as_ref());
    }

    #[test]
    fn no_logits_make_it_panic(
        bits in prop::collection::vec(any::<u32>(), 0..300),
        options in options(),
        temperature in any::<f32>(),
    ) {
        let logits: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        if let Ok(mut sampler) = Sampler::new(&Sampling { temperature, ..options }, logits.len()) {
            for _ in 0..3 {
                let _ = sampler.sample(&logits, &[Token(0), Token(1)], None);
            }
        }
        let _ = top_logprobs(&logits, Token(0), 5);
    }

    #[test]
    fn a_candidate_keeps_its_token_and_logit_and_sorts_by_them(
        a in (any::<f32>().prop_filter("a number", |x| !x.is_nan()), any::<u32>()),
        b in (any::<f32>().prop_filter("a number", |x| !x.is_nan()), any::<u32>()),
    ) {
        use crate::sampler::candidates::Candidate;
        let (x, y) = (Candidate::new(Token(a.1), a.0), Candidate::new(Token(b.1), b.0));
        prop_assert_eq!((x.logit(), x.token()), (a.0, Token(a.1)));
        prop_assert_eq!(x.cmp(&y), b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
    }
}

#[test]
fn large_vocabularies_agree_as_well() {
    let noise = |id: u64| (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 24) as f32;
    let logits: Vec<f32> = (0..20_000).map(|id| 12.0 * noise(id) * noise(id + 77_777)).collect();
    let base = Sampling { temperature: 0.9, seed: 3, ..Sampling::default() };
    for options in [
        base.clone(),
        Sampling { top_p: 0.99, ..base.clone() },
        Sampling { top_k: 40, top_p: 0.95, ..base.clone() },
        Sampling { top_k: 5000, min_p: 0.01, ..base },
    ] {
        for seed in 0..20 {
            check(&Sampling { seed, ..options.clone() }, &logits, &[], None);
        }
    }
}

#[test]
fn frequencies_match_the_probabilities() {
    let logits = [0.0, 1.0, 2.0, 0.5, -1.0, f32::NEG_INFINITY];
    let options = Sampling { temperature: 1.3, top_k: 4, ..Sampling::default() };
    let expected = reference(&options, &logits, &[], None);
    let rounds = 20_000;
    let mut counts: HashMap<Token, f64> = HashMap::new();
    for seed in 0..rounds {
        let mut sampler = Sampler::new(&Sampling { seed, ..options.clone() }, logits.len()).unwrap();
        *counts.entry(sampler.sample(&logits, &[], None).unwrap().token).or_default() += 1.0;
    }
    assert_eq!(counts.len(), expected.candidates.len());
    let chi_square: f64 = expected
        .candidates
        .iter()
        .map(|(token, mass)| (counts[token] - mass * rounds as f64).powi(2) / (mass * rounds as f64))
        .sum();
    // Three degrees of freedom: above 16.3 once in a thousand; but the seeds are fixed.
    assert!(chi_square < 16.3, "{chi_square}");
}
