use std::time::Instant;

use super::*;

/// `cargo test --release --workspace sampler::tests::speed -- --ignored --nocapture`
#[test]
#[ignore = "measures, and checks nothing"]
fn speed() {
    for len in [32_000, 128_000, 256_000] {
        let noise = |id: u64| (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 24) as f32;
        let logits: Vec<f32> = (0..len).map(|id| 20.0 * noise(id) * noise(id + 999_983) - 10.0).collect();
        let history: Vec<Token> = (0..500).map(|place| Token(37 * place)).collect();
        let mut mask = TokenMask::none(logits.len());
        (0..len as u32).step_by(3).for_each(|id| mask.allow(Token(id)));

        let greedy = Sampling::default();
        let base = Sampling { temperature: 0.8, ..greedy.clone() };
        let usual = Sampling { top_k: 40, top_p: 0.95, ..base.clone() };
        let measured = [
            ("greedy", greedy.clone(), None),
            ("greedy, mask", greedy.clone(), Some(&mask)),
            ("greedy, penalties", Sampling { repetition_penalty: 1.1, ..greedy }, None),
            ("top-k 40, top-p", usual.clone(), None),
            ("the same, mask, penalties", Sampling { repetition_penalty: 1.1, ..usual }, Some(&mask)),
            ("no filter", base.clone(), None),
            ("top-p 0.95", Sampling { top_p: 0.95, ..base.clone() }, None),
            ("min-p 0.05", Sampling { min_p: 0.05, ..base.clone() }, None),
            ("typical 0.9", Sampling { typical_p: 0.9, ..base }, None),
        ];
        for (name, options, mask) in measured {
            let mut sampler = Sampler::new(&options, logits.len()).unwrap();
            let once = |_| {
                let start = Instant::now();
                sampler.sample(&logits, &history, mask).unwrap();
                start.elapsed()
            };
            let mut times: Vec<_> = (0..301).map(once).collect();
            times.sort_unstable();
            println!("{len:7} tokens, {name:26} median {:?}, best {:?}", times[150], times[0]);
        }
    }
}
