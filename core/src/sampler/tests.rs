mod properties;
mod speed;
mod vectors;

use super::*;

const INF: f32 = f32::INFINITY;

fn sample(options: &Sampling, logits: &[f32]) -> Result<Choice> {
    Sampler::new(options, logits.len()).unwrap().sample(logits, &[], None)
}

fn warm() -> Sampling {
    Sampling { temperature: 1.0, ..Sampling::default() }
}

#[test]
fn the_default_is_greedy_and_ties_go_to_the_lowest_id() {
    assert_eq!(
        sample(&Sampling::default(), &[1.0, 3.0, 3.0, 2.0]).unwrap(),
        Choice { token: Token(1), probability: 1.0 }
    );
    assert_eq!(sample(&Sampling::default(), &[-0.0, 0.0]).unwrap().token, Token(0));
    let one = Sampling { top_k: 1, ..warm() };
    assert_eq!(sample(&one, &[-0.0, 0.0]).unwrap().token, Token(0));
    assert_eq!(sample(&one, &[1.0, 3.0, 3.0, 2.0]).unwrap().token, Token(1));
}

#[test]
fn logits_that_are_no_numbers_are_an_error_wherever_they_stand() {
    for bad in [f32::NAN, -f32::NAN, INF] {
        for len in [1, 2, 7, 128, 129, 300] {
            for place in [0, len / 2, len - 1] {
                let mut logits = vec![0.5; len];
                logits[place] = bad;
                for options in [Sampling::default(), warm()] {
                    let mut sampler = Sampler::new(&options, len).unwrap();
                    let mut mask = TokenMask::all(len);
                    mask.deny(Token(place as u32));
                    for mask in [None, Some(&mask)] {
                        let result = sampler.sample(&logits, &[], mask);
                        assert!(matches!(result, Err(Error::NoCandidate { .. })), "{result:?}");
                    }
                    assert_eq!(sampler.draws(), 0);
                }
                assert!(matches!(top_logprobs(&logits, Token(0), 3), Err(Error::NoCandidate { .. })));
            }
        }
    }
}

#[test]
fn a_vocabulary_without_candidates_is_an_error() {
    for options in [Sampling::default(), warm()] {
        assert!(matches!(sample(&options, &[]), Err(Error::NoCandidate { .. })));
        assert!(matches!(sample(&options, &[-INF, -INF]), Err(Error::NoCandidate { .. })));
        let mut sampler = Sampler::new(&options, 2).unwrap();
        let none = sampler.sample(&[1.0, 2.0], &[], Some(&TokenMask::none(2)));
        assert!(matches!(none, Err(Error::NoCandidate { .. })));
        let other = sampler.sample(&[1.0, 2.0], &[], Some(&TokenMask::all(3)));
        assert!(matches!(other, Err(Error::InvalidOption { option: "mask", .. })));
        assert!(matches!(sampler.sample(&[1.0], &[], None), Err(Error::Engine { .. })));
        // None of it spoils the sampler.
        assert!(sampler.sample(&[1.0, 2.0], &[], None).is_ok());
    }
}

#[test]
fn a_vocabulary_of_one_token_gives_it() {
    let strict = Sampling { top_k: 1, top_p: 0.0, typical_p: 0.0, min_p: 1.0, ..warm() };
    for options in [Sampling::default(), warm(), strict] {
        assert_eq!(sample(&options, &[-3.0]).unwrap(), Choice { token: Token(0), probability: 1.0 });
    }
}

#[test]
fn extreme_settings_and_logits_are_defined() {
    let cold = Sampling { temperature: f32::from_bits(1), ..warm() };
    assert_eq!(sample(&cold, &[f32::MIN, 1.0, f32::MAX]).unwrap().token, Token(2));
    let hot = Sampling { temperature: f32::MAX, ..warm() };
    assert!((sample(&hot, &[1.0, 2.0]).unwrap().probability - 0.5).abs() < 1e-6);
    let typical = Sampling { typical_p: 0.5, ..warm() };
    assert!(sample(&typical, &[f32::MIN, f32::MAX, 0.0]).is_ok());
    let overflow = Sampling { repetition_penalty: f32::MIN_POSITIVE, ..warm() };
    let result = Sampler::new(&overflow, 2).unwrap().sample(&[9.0, 1.0], &[Token(0)], None);
    assert!(matches!(result, Err(Error::NoCandidate { .. })));
}

#[test]
fn penalties_follow_the_formulas_within_the_window() {
    let options = Sampling {
        penalty_window: 3,
        repetition_penalty: 2.0,
        frequency_penalty: 0.25,
        presence_penalty: 0.5,
        ..Sampling::default()
    };
    let mut penalties = Penalties::new(&options);
    let mut logits = [4.0, -4.0, 0.0, 1.0];
    penalties.apply(&mut logits, &[Token(3), Token(0), Token(1), Token(0)]).unwrap();
    assert_eq!(logits, [4.0 / 2.0 - 2.0 * 0.25 - 0.5, -4.0 * 2.0 - 0.25 - 0.5, 0.0, 1.0]);
    // Nothing stays behind from the last call.
    penalties.apply(&mut logits, &[Token(2)]).unwrap();
    assert_eq!(logits[2], -0.75);
    let unknown = penalties.apply(&mut logits, &[Token(4)]);
    assert!(matches!(unknown, Err(Error::UnknownToken { token: 4, vocabulary: 4 })));
    // Outside of the window it does not matter.
    penalties.apply(&mut logits, &[Token(4), Token(0), Token(0), Token(0)]).unwrap();
    // The whole sequence, and an empty one.
    let mut whole = Penalties::new(&Sampling { penalty_window: u32::MAX, ..options });
    whole.apply(&mut logits, &[Token(3)]).unwrap();
    whole.apply(&mut logits, &[]).unwrap();
}

#[test]
fn bias_forbids_and_favours() {
    let options = Sampling { logit_bias: [(Token(1), -INF), (Token(2), 5.0)].into(), ..Sampling::default() };
    assert_eq!(sample(&options, &[1.0, 9.0, 0.0]).unwrap().token, Token(2));
}

#[test]
fn options_out_of_range_are_named() {
    let base = Sampling::default;
    let cases = [
        ("temperature", Sampling { temperature: -0.5, ..base() }),
        ("temperature", Sampling { temperature: f32::NAN, ..base() }),
        ("temperature", Sampling { temperature: INF, ..base() }),
        ("repetition_penalty", Sampling { repetition_penalty: 0.0, ..base() }),
        ("frequency_penalty", Sampling { frequency_penalty: INF, ..base() }),
        ("presence_penalty", Sampling { presence_penalty: f32::NAN, ..base() }),
        ("typical_p", Sampling { typical_p: 1.5, ..base() }),
        ("top_p", Sampling { top_p: -0.1, ..base() }),
        ("min_p", Sampling { min_p: f32::NAN, ..base() }),
        ("logit_bias", Sampling { logit_bias: [(Token(8), 0.0)].into(), ..base() }),
        ("logit_bias", Sampling { logit_bias: [(Token(0), INF)].into(), ..base() }),
    ];
    for (name, options) in cases {
        match Sampler::new(&options, 8) {
            Err(Error::InvalidOption { option, .. }) => assert_eq!(option, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let error = Sampling { top_p: 2.0, ..base() }.validate(8).unwrap_err();
    assert_eq!(error.to_string(), "top_p: must be from 0 to 1, but is 2");
}

#[test]
fn options_are_read_from_toml_and_json() {
    let options: Sampling = toml::from_str("temperature = 0.5\n[logit_bias]\n3 = -inf\n").unwrap();
    assert_eq!(
        options,
        Sampling { temperature: 0.5, logit_bias: [(Token(3), -INF)].into(), ..Sampling::default() }
    );
    assert_eq!(toml::from_str::<Sampling>(&toml::to_string(&options).unwrap()).unwrap(), options);
    let finite = Sampling { logit_bias: [(Token(3), -1.5)].into(), ..options };
    let json = serde_json::to_string(&finite).unwrap();
    assert_eq!(serde_json::from_str::<Sampling>(&json).unwrap(), finite);
    assert!(toml::from_str::<Sampling>("temprature = 0.5").is_err());
}

#[test]
fn the_generator_is_chacha8() {
    // The first bytes of the keystream for a key of zeros, from the "ChaCha8, 256 bit, TC1" vectors of
    // draft-strombergson-chacha-test-vectors-01.
    let keystream =
        [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5, 0xa1];
    let mut generator = Generator::new(0);
    for bytes in keystream.as_chunks::<8>().0 {
        let integer = u64::from_le_bytes(*bytes) >> 11;
        assert_eq!(generator.uniform(), integer as f64 / (1u64 << 53) as f64);
    }
}

#[test]
fn seeking_repeats_and_continues_a_sequence() {
    let logits: Vec<f32> = (0..50).map(|id| (id % 7) as f32).collect();
    let mut sampler = Sampler::new(&Sampling { seed: 9, ..warm() }, 50).unwrap();
    let draw = |sampler: &mut Sampler| sampler.sample(&logits, &[], None).unwrap().token;
    let first: Vec<Token> = (0..40).map(|_| draw(&mut sampler)).collect();
    assert_eq!(sampler.draws(), 40);
    for start in [0, 1, 17, 39] {
        sampler.seek(start as u64);
        let again: Vec<Token> = (start..40).map(|_| draw(&mut sampler)).collect();
        assert_eq!(again, first[start..]);
    }
}

#[test]
fn a_mask_is_a_set_of_tokens() {
    for len in [0, 1, 63, 64, 65, 200] {
        let mut mask = TokenMask::all(len);
        assert_eq!((mask.count(), mask.vocabulary_len()), (len, len));
        assert!(mask.iter().eq((0..len as u32).map(Token)));
        assert!(!mask.allows(Token(len as u32)));
        mask.allow(Token(len as u32));
        assert_eq!(mask, TokenMask::all(len));
        mask.deny_all();
        assert_eq!(mask, TokenMask::none(len));
        mask.allow_all();
        assert_eq!(mask, TokenMask::all(len));
    }
    let mut mask = TokenMask::none(130);
    for id in [0, 5, 64, 129] {
        mask.allow(Token(id));
    }
    mask.deny(Token(5));
    mask.deny(Token(1000));
    assert!(mask.iter().eq([Token(0), Token(64), Token(129)]));
    let mut other = TokenMask::all(130);
    other.deny(Token(64));
    mask.intersect(&other);
    assert!(mask.iter().eq([Token(0), Token(129)]));
    mask.intersect(&TokenMask::all(100));
    assert!(mask.iter().eq([Token(0)]));
}

#[test]
fn log_probabilities_are_the_log_softmax() {
    let logits = [1.0, 2.0, -INF, 2.0];
    let sum: f64 = logits.iter().map(|&logit: &f32| f64::from(logit).exp()).sum();
    let expected = |logit: f64| (logit - sum.ln()) as f32;
    let entry = |token, logprob| TokenLogprob { token: Token(token), logprob };
    let (chosen, top) = top_logprobs(&logits, Token(0), 9).unwrap();
    assert_eq!(chosen, expected(1.0));
    assert_eq!(top, [entry(1, expected(2.0)), entry(3, expected(2.0)), entry(0, expected(1.0))]);
    assert_eq!(top_logprobs(&logits, Token(2), 0).unwrap(), (-INF, vec![]));
    assert!(matches!(top_logprobs(&logits, Token(4), 0), Err(Error::UnknownToken { .. })));
    // Far from 0 the sum would overflow.
    let far = top_logprobs(&[3e38, 3e38], Token(0), 1).unwrap();
    assert_eq!(far, (-std::f32::consts::LN_2, vec![entry(0, -std::f32::consts::LN_2)]));
}
