//! Recording and replaying, on the scripted engine.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::sync::Arc;

use proptest::prelude::*;

use super::golden::{self, Changed};
use super::*;
use crate::checkpoint::Digest;
use crate::engine::scripted::{EOS, Scripted, VOCABULARY};
use crate::error::Error;
use crate::model::ModelOptions;
use crate::prompt::{Message, Role};
use crate::vocabulary::Token;

fn model(script: Scripted) -> Model {
    let options = ModelOptions { sessions: 1, reproducible: true, ..ModelOptions::default() };
    Model::from_weights(Arc::new(script), &options).unwrap()
}

/// Says `text` at any prompt that does not contain it, and then ends; the next token has the logit `logit`.
fn saying(text: &'static [u8], logit: f32) -> Scripted {
    Scripted::with_logits(move |tokens| {
        let mut logits = vec![0.0; VOCABULARY];
        logits[next_of(text, tokens).index()] = logit;
        logits
    })
}

/// The prompt of the tests ends with a `:`, which no answer contains.
fn next_of(text: &[u8], tokens: &[Token]) -> Token {
    let start = tokens.iter().rposition(|token| token.0 == u32::from(b':')).unwrap();
    text.get(tokens.len() - start - 1).map_or(EOS, |&byte| Token(byte.into()))
}

/// As [`saying`], but at `place` the token `other` has a logit that is higher by `by`.
fn flipping(text: &'static [u8], place: usize, other: Token, by: f32) -> Scripted {
    Scripted::with_logits(move |tokens| {
        let mut logits = vec![0.0; VOCABULARY];
        let start = tokens.iter().rposition(|token| token.0 == u32::from(b':')).unwrap();
        logits[next_of(text, tokens).index()] = 10.0;
        // So low otherwise that the probabilities of the others hardly change.
        logits[other.index()] = if tokens.len() - start - 1 == place { 10.0 + by } else { 0.0 };
        logits
    })
}

fn request(max_tokens: u32) -> GoldenRequest {
    GoldenRequest {
        checkpoint: "model".into(),
        input: GoldenInput::Text("say:".into()),
        sampling: Sampling::default(),
        preset: None,
        max_tokens,
        stop: vec![],
    }
}

fn recorded(script: Scripted, request: &GoldenRequest) -> Golden {
    record(&model(script), request, &Cancel::new()).unwrap()
}

fn replayed(script: Scripted, golden: &Golden) -> GoldenReport {
    replay(&model(script), "golden", golden, 0.1, &Cancel::new()).unwrap()
}

/// The same golden, as if another backend had recorded it.
fn elsewhere(golden: &Golden) -> Golden {
    let mut golden = golden.clone();
    golden.recorded.backend = "cpu other".into();
    golden
}

fn ids(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

#[test]
fn a_golden_holds_what_came_out_and_who_made_it() {
    let golden = recorded(saying(b"hello", 10.0), &request(8));
    assert_eq!(golden.expected.tokens, ids("hello"));
    assert_eq!((&*golden.expected.text, &*golden.expected.finish), ("hello", "end_of_generation"));
    let prompt: Vec<u8> = "say:".bytes().flat_map(|byte| u32::from(byte).to_le_bytes()).collect();
    assert_eq!(golden.expected.prompt_sha256, Digest::of_bytes(&prompt));
    // -ln(1 + 257 / e^10) is -0.01160.
    assert_eq!(golden.expected.logprobs, [-0.012; 5]);
    let by = &golden.recorded;
    assert_eq!((&*by.runtime, &*by.backend), (env!("CARGO_PKG_VERSION"), "scripted"));
    assert_eq!(by.llama_cpp, crate::engine::llama_cpp_revision());

    let cut = recorded(saying(b"hello", 10.0), &request(3));
    assert_eq!((&*cut.expected.text, &*cut.expected.finish), ("hel", "length"));
    let stop = GoldenRequest { stop: vec!["ll".into()], ..request(8) };
    let stopped = recorded(saying(b"hello", 10.0), &stop);
    assert_eq!((&*stopped.expected.text, &*stopped.expected.finish), ("he", "stop"));
    assert_eq!(stopped.expected.tokens, ids("hell"), "the tokens of the stop text were generated too");
    let silent = recorded(saying(b"", 10.0), &request(8));
    assert_eq!((silent.expected.tokens.len(), &*silent.expected.finish), (0, "end_of_generation"));

    for golden in [golden, cut, stopped] {
        let report = replayed(saying(b"hello", 10.0), &golden);
        assert_eq!((report.outcome, report.exact), (GoldenOutcome::Same, true), "{report:?}");
        assert!(report.difference.is_none() && report.cause.is_none() && report.deviation < 0.001);
    }
    assert_eq!(replayed(saying(b"", 10.0), &silent).outcome, GoldenOutcome::Same);
}

#[test]
fn messages_go_through_the_template_and_the_clock_stands_still() {
    let template = "{{ strftime_now('%d %B %Y') }} {% for m in messages %}{{ m.content }}{% endfor %}:";
    let script = || saying(b"ok", 10.0).with_chat_template(template);
    let messages = vec![Message::new(Role::User, "hi")];
    let request = GoldenRequest { input: GoldenInput::Messages(messages), ..request(8) };
    let golden = recorded(script(), &request);
    let tokens: Vec<u8> =
        "01 January 2025 hi:".bytes().flat_map(|byte| u32::from(byte).to_le_bytes()).collect();
    assert_eq!(golden.expected.prompt_sha256, Digest::of_bytes(&tokens));
    assert_eq!(replayed(script(), &golden).outcome, GoldenOutcome::Same);

    let error = record(&model(saying(b"ok", 10.0)), &request, &Cancel::new()).unwrap_err();
    assert!(matches!(error, Error::ChatTemplate { .. }), "{error}");
}

#[test]
fn a_text_that_is_cut_in_a_character_comes_again() {
    let golden = recorded(saying("a€".as_bytes(), 10.0), &request(3));
    assert_eq!((&*golden.expected.text, golden.expected.tokens.len()), ("a\u{FFFD}", 3));
    assert_eq!(replayed(saying("a€".as_bytes(), 10.0), &golden).outcome, GoldenOutcome::Same);
}

#[test]
fn what_cannot_be_a_golden_is_refused() {
    let (cancel, script) = (Cancel::new(), || saying(b"hello", 10.0));
    let option = |error: Error| match error {
        Error::InvalidOption { option, .. } => option,
        other => panic!("{other}"),
    };
    let other = Model::from_weights(Arc::new(script()), &ModelOptions::default()).unwrap();
    let golden = recorded(script(), &request(8));
    assert_eq!(option(record(&other, &request(8), &cancel).unwrap_err()), "reproducible");
    assert_eq!(option(replay(&other, "golden", &golden, 0.1, &cancel).unwrap_err()), "reproducible");
    assert_eq!(option(record(&model(script()), &request(0), &cancel).unwrap_err()), "max_tokens");
    let full = record(&model(script()), &request(1021), &cancel).unwrap_err();
    assert!(matches!(full, Error::ContextFull { used: 4, requested: 1021, capacity: 1024 }), "{full}");
    assert!(record(&model(script()), &request(1020), &cancel).is_ok());
    for stop in [vec![String::new()], vec!["a".into(), "b".into(), "a".into()]] {
        let request = GoldenRequest { stop, ..request(8) };
        assert_eq!(option(record(&model(script()), &request, &cancel).unwrap_err()), "stop");
    }
    let nothing = GoldenRequest { input: GoldenInput::Text(String::new()), ..request(8) };
    let error = record(&model(script()), &nothing, &cancel).unwrap_err();
    assert!(matches!(error, Error::SessionEmpty), "{error}");
    for tolerance in [f32::NAN, f32::INFINITY, -0.1] {
        let error = replay(&model(script()), "golden", &golden, tolerance, &cancel).unwrap_err();
        assert_eq!(option(error), "tolerance");
    }
    let mut torn = golden.clone();
    torn.expected.logprobs.pop();
    assert_eq!(option(replay(&model(script()), "golden", &torn, 0.1, &cancel).unwrap_err()), "golden");
    cancel.cancel();
    assert!(matches!(record(&model(script()), &request(8), &cancel), Err(Error::Cancelled)));
    assert!(matches!(replay(&model(script()), "golden", &golden, 0.1, &cancel), Err(Error::Cancelled)));
}

#[test]
fn another_token_is_shown_with_both_texts_and_the_margin() {
    let golden = recorded(saying(b"hello", 10.0), &request(8));
    let report = replayed(flipping(b"hello", 2, Token(b'y'.into()), 3.0), &golden);
    // The probability of the recorded token fell, so it is not the sampler.
    assert_eq!((report.outcome, report.cause), (GoldenOutcome::Different, Some(Cause::Computation)));
    assert!((report.deviation - 3.04).abs() < 0.02, "{}", report.deviation);
    let difference = report.difference.unwrap();
    assert_eq!((difference.index, difference.margin), (2, Some(3.0)));
    assert_eq!(difference.expected_token, Some(b'l'.into()));
    assert_eq!(difference.actual_token, Some(b'y'.into()));
    assert_eq!((&*difference.expected_text, &*difference.actual_text), ("hello", "heylo"));
    assert!(report.detail.starts_with("1 of 5 tokens would be chosen otherwise"), "{}", report.detail);
}

#[test]
fn an_early_end_and_going_on_are_differences() {
    let golden = recorded(saying(b"hello", 10.0), &request(8));
    let early = replayed(flipping(b"hello", 4, EOS, 2.0), &golden).difference.unwrap();
    assert_eq!((early.index, early.expected_token, early.actual_token), (4, Some(b'o'.into()), None));
    assert_eq!((&*early.actual_text, early.margin), ("hell", Some(2.0)));

    let report = replayed(flipping(b"hello", 5, Token(b'!'.into()), 1.5), &golden);
    assert_eq!((report.outcome, report.cause), (GoldenOutcome::Different, Some(Cause::Sampler)));
    let on = report.difference.unwrap();
    assert_eq!((on.index, on.expected_token, on.actual_token), (5, None, Some(b'!'.into())));
    assert_eq!((&*on.actual_text, on.margin), ("hello!", Some(1.5)));
}

#[test]
fn what_another_backend_recorded_is_compared_by_margin() {
    let golden = recorded(saying(b"hello", 10.0), &request(8));
    let abroad = elsewhere(&golden);
    let same = replayed(saying(b"hello", 10.0), &abroad);
    assert_eq!((same.outcome, same.exact), (GoldenOutcome::Same, false));
    let words = format!("; recorded by {} on cpu other (llama.cpp ", env!("CARGO_PKG_VERSION"));
    assert!(same.detail.contains(&words), "{}", same.detail);
    assert!(same.detail.ends_with("), compared by margin"), "{}", same.detail);

    // Two tokens at the same height: the margin is 0.05, and the recorded one lost half of its probability.
    let near = || flipping(b"hello", 2, Token(b'y'.into()), 0.05);
    let tolerant =
        |golden: &Golden, tolerance| replay(&model(near()), "g", golden, tolerance, &Cancel::new()).unwrap();
    let within = tolerant(&abroad, 0.75);
    assert_eq!((within.outcome, within.cause), (GoldenOutcome::WithinTolerance, None), "{}", within.detail);
    assert_eq!(within.difference.unwrap().actual_text, "heylo");
    assert_eq!(tolerant(&abroad, 0.1).cause, Some(Cause::Computation));
    assert_eq!(tolerant(&golden, 0.75).outcome, GoldenOutcome::Different, "here it is exact");

    // The margin is beyond the tolerance, though what was recorded is as likely as before.
    let end = replayed(flipping(b"hello", 5, Token(b'!'.into()), 0.2), &abroad);
    assert_eq!((end.outcome, end.cause), (GoldenOutcome::Different, Some(Cause::Sampler)));
    let end = replayed(flipping(b"hello", 5, Token(b'!'.into()), 0.05), &abroad);
    assert_eq!(end.outcome, GoldenOutcome::WithinTolerance, "{}", end.detail);
}

#[test]
fn probabilities_that_drift_are_found_though_the_text_is_the_same() {
    let golden = recorded(saying(b"hello", 8.0), &request(8));
    let drifted = replayed(saying(b"hello", 8.05), &golden);
    assert_eq!((drifted.outcome, drifted.cause), (GoldenOutcome::Different, Some(Cause::Computation)));
    assert!(drifted.difference.is_none() && drifted.deviation > 0.003, "{drifted:?}");
    assert_eq!(replayed(saying(b"hello", 8.05), &elsewhere(&golden)).outcome, GoldenOutcome::Same);
    let far = replayed(saying(b"hello", 6.0), &elsewhere(&golden));
    assert_eq!((far.outcome, far.cause), (GoldenOutcome::Different, Some(Cause::Computation)));
}

#[test]
fn a_golden_that_contradicts_itself_was_edited() {
    let script = || saying(b"hello", 10.0);
    let golden = recorded(script(), &request(5));
    assert_eq!(golden.expected.finish, "length");
    let edit = |change: &dyn Fn(&mut Golden)| {
        let mut edited = golden.clone();
        change(&mut edited);
        replayed(script(), &edited)
    };
    for report in [
        edit(&|golden| golden.max_tokens = 4),
        edit(&|golden| golden.max_tokens = 6),
        edit(&|golden| golden.stop = vec!["l".into()]),
        edit(&|golden| golden.expected.finish = "stop".into()),
    ] {
        assert_eq!((report.outcome, report.cause), (GoldenOutcome::Different, Some(Cause::Lock)));
        assert!(report.difference.is_some());
    }
    // The text of tokens is the tokenizer's, unless that is known to be as it was.
    let mut edited = golden.clone();
    edited.expected.text = "hallo".into();
    let cause = |golden: &Golden, changed| {
        golden::replay(&model(script()), "golden", golden, 0.1, changed, &Cancel::new()).unwrap().cause
    };
    let known = Changed::default();
    let replaced = Changed { tokenizer: true, ..known };
    assert_eq!(cause(&edited, None), Some(Cause::Tokenizer));
    assert_eq!(cause(&edited, Some(replaced)), Some(Cause::Tokenizer));
    assert_eq!(cause(&edited, Some(known)), Some(Cause::Lock));
    let mut foreign = golden.clone();
    foreign.expected.tokens[4] = 100_000;
    assert_eq!(cause(&foreign, None), Some(Cause::Tokenizer));
    assert_eq!(cause(&foreign, Some(known)), Some(Cause::Lock));
    let mut nan = golden.clone();
    nan.expected.logprobs[0] = f32::NAN;
    assert_eq!(cause(&nan, None), Some(Cause::Computation));
}

#[test]
fn another_prompt_says_what_made_it() {
    let mut golden = recorded(saying(b"hello", 10.0), &request(8));
    golden.input = GoldenInput::Text("say it:".into());
    let said = |changed| {
        let model = model(saying(b"hello", 10.0));
        let report = golden::replay(&model, "golden", &golden, 0.1, changed, &Cancel::new()).unwrap();
        assert_eq!((report.outcome, report.cause), (GoldenOutcome::Different, Some(Cause::Prompt)));
        assert!(report.difference.is_none(), "the text is the same all the same");
        report.detail
    };
    let (yes, no) = (true, false);
    for (tokenizer, chat_template, words) in [
        (no, no, "the input was edited"),
        (yes, no, "the tokenizer is not"),
        (no, yes, "the chat template is not"),
        (yes, yes, "neither the tokenizer nor the chat template"),
    ] {
        assert!(said(Some(Changed { tokenizer, chat_template })).contains(words));
    }
    assert!(said(None).contains("the input, the tokenizer or the chat template"));
}

/// Logits that look random: they depend on the last three tokens, and on nothing else.
fn random(seed: u64, drift: f32) -> Scripted {
    Scripted::with_logits(move |tokens| {
        let last = tokens.iter().rev().take(3);
        let state =
            last.fold(seed, |state, token| (state ^ u64::from(token.0)).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut numbers = fastrand::Rng::with_seed(state);
        (0..VOCABULARY).map(|_| 8.0 * numbers.f32() + drift * numbers.f32()).collect()
    })
}

fn samplings() -> impl Strategy<Value = Sampling> {
    let numbers = (0.0f32..2.0, any::<u64>(), 0u32..80, 0.5f32..2.0, -1.0f32..1.0, -1.0f32..1.0);
    let filters = (0u32..50, 0.2f32..=1.0, 0.2f32..=1.0, 0.0f32..0.3, any::<bool>());
    (numbers, filters, prop::collection::btree_map((0u32..258).prop_map(Token), -9.0f32..9.0, 0..4)).prop_map(
        |(
            (temperature, seed, penalty_window, repetition_penalty, frequency_penalty, presence_penalty),
            (top_k, typical_p, top_p, min_p, greedy),
            logit_bias,
        )| Sampling {
            temperature: if greedy { 0.0 } else { temperature },
            seed,
            logit_bias,
            penalty_window,
            repetition_penalty,
            frequency_penalty,
            presence_penalty,
            top_k,
            typical_p,
            top_p,
            min_p,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_steps_of_a_replay_are_those_of_the_runtime(sampling in samplings(), seed: u64, max_tokens in 1u32..40) {
        let request = GoldenRequest { sampling, ..request(max_tokens) };
        let golden = recorded(random(seed, 0.0), &request);
        let model = model(random(seed, 0.0));
        let report = replay(&model, "golden", &golden, 0.0, &Cancel::new()).unwrap();
        prop_assert_eq!(report.outcome, GoldenOutcome::Same);
        let prompt = golden::prompt(&model, &golden.input).unwrap();
        let steps = steps::compare(&model, &prompt, &golden, &Cancel::new()).unwrap();
        prop_assert!(steps.flips.is_empty() && steps.deviation < 0.0006, "{:?}", steps);
    }

    #[test]
    fn one_step_that_differs_does_not_spoil_the_others(
        seed: u64,
        max_tokens in 2u32..40,
        place in 0usize..40,
        other in 0u32..256,
    ) {
        let golden = recorded(random(seed, 0.0), &request(max_tokens));
        let place = place % golden.expected.tokens.len().max(1);
        prop_assume!(golden.expected.tokens.get(place).is_some_and(|&token| token != other));
        // Recorded by hand, as it were: one token is not what the model chooses.
        let mut edited = golden.clone();
        edited.expected.tokens[place] = other;
        let model = model(random(seed, 0.0));
        let prompt = golden::prompt(&model, &golden.input).unwrap();
        let steps = steps::compare(&model, &prompt, &edited, &Cancel::new()).unwrap();
        prop_assert_eq!(steps.flips[0].index, place);
        prop_assert!(steps.flips[0].margin >= 0.0);
        // Logits depend on three tokens, so from the fourth after it on all is as recorded.
        prop_assert!(steps.flips.iter().all(|flip| flip.index <= place + 3));
    }

    #[test]
    fn a_drawn_golden_of_another_backend_may_deviate_and_one_of_the_same_may_not(seed: u64) {
        let sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
        let golden = recorded(random(seed, 0.0), &GoldenRequest { sampling, ..request(30) });
        prop_assume!(golden.expected.tokens.len() >= 10);
        let here = replayed(random(seed, 0.05), &golden);
        prop_assert_eq!((here.outcome, here.cause), (GoldenOutcome::Different, Some(Cause::Computation)));
        let there = replayed(random(seed, 0.05), &elsewhere(&golden));
        prop_assert!(matches!(there.outcome, GoldenOutcome::Same | GoldenOutcome::WithinTolerance), "{:?}", there);
        // With the very same probabilities it is the sampler that draws otherwise, wherever that was recorded.
        let mut reseeded = elsewhere(&golden);
        reseeded.sampling.seed ^= 1;
        let reseeded = replayed(random(seed, 0.0), &reseeded);
        prop_assert_eq!((reseeded.outcome, reseeded.cause), (GoldenOutcome::Different, Some(Cause::Sampler)));
    }
}
