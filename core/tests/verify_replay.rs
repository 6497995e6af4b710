//! Goldens of real checkpoints: the same weights give the same, others do not, and the cause is named.
#![cfg(feature = "llama")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::path::Path;

use common::patch;
use pinfold::lock::{CheckpointPin, FilePin, Golden, GoldenInput};
use pinfold::verify::{
    Cause, GoldenOutcome, GoldenReport, GoldenRequest, VerifyWatch, record, replay, verify,
};
use pinfold::{
    Cancel, Digest, LoadWatch, LockFile, Message, Model, ModelOptions, Role, Sampling, Source, Store,
    StoreOptions, Token, VerifyOptions, VerifyReport,
};
use proptest::prelude::*;

fn intent() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints/intent/pinfold-intent-q8_0.gguf");
    std::fs::read(path).unwrap()
}

fn load(bytes: &[u8], threads: u32) -> Model {
    let options = ModelOptions { sessions: 1, threads, reproducible: true, ..ModelOptions::default() };
    Model::load_bytes("test", bytes, &options, LoadWatch::default()).unwrap()
}

fn request(input: GoldenInput, sampling: Sampling, max_tokens: u32) -> GoldenRequest {
    GoldenRequest { checkpoint: "test".into(), input, sampling, preset: None, max_tokens, stop: vec![] }
}

fn ask(text: &str) -> GoldenInput {
    GoldenInput::Messages(vec![Message::new(Role::User, text)])
}

fn drawn() -> Sampling {
    Sampling { temperature: 4.0, seed: 11, top_k: 40, repetition_penalty: 1.1, ..Sampling::default() }
}

/// Goldens of the intent checkpoint: greedy and drawn.
fn goldens(model: &Model) -> Vec<Golden> {
    let requests = [
        request(ask("play some jazz by miles davis on spotify"), Sampling::default(), 64),
        request(ask("will it rain in boston tomorrow"), drawn(), 40),
    ];
    requests.iter().map(|request| record(model, request, &Cancel::new()).unwrap()).collect()
}

fn replayed(model: &Model, goldens: &[Golden]) -> Vec<GoldenReport> {
    goldens.iter().map(|golden| replay(model, "golden", golden, 0.1, &Cancel::new()).unwrap()).collect()
}

fn assert_all(reports: &[GoldenReport], outcome: GoldenOutcome, cause: Option<Cause>) {
    for report in reports {
        assert_eq!((report.outcome, report.cause), (outcome, cause), "{report:#?}");
    }
}

#[test]
fn the_same_weights_give_the_same_whatever_the_threads() {
    let bytes = intent();
    let goldens = goldens(&load(&bytes, 1));
    assert!(goldens[0].expected.text.contains("PlayMusic"), "{}", goldens[0].expected.text);
    assert_eq!(goldens[0].expected.finish, "end_of_generation");
    for threads in [1, 2] {
        assert_all(&replayed(&load(&bytes, threads), &goldens), GoldenOutcome::Same, None);
    }
}

#[test]
fn other_weights_are_found() {
    let mut bytes = intent();
    let goldens = goldens(&load(&bytes, 1));
    // One weight of five million: tokens that the model finds unlikely tell, those it is sure of do not.
    patch::weights(&mut bytes, "blk.2.ffn_down.weight", 1);
    let report = &replayed(&load(&bytes, 1), &goldens)[1];
    assert_eq!((report.outcome, report.cause), (GoldenOutcome::Different, Some(Cause::Computation)));
    assert!(report.exact && report.deviation > 0.01, "{report:?}");

    // Many of them: other tokens are drawn, which are shown.
    for block in 0..5 {
        patch::weights(&mut bytes, &format!("blk.{block}.ffn_up.weight"), 40_000);
    }
    let reports = replayed(&load(&bytes, 1), &goldens);
    assert_all(&reports, GoldenOutcome::Different, Some(Cause::Computation));
    let difference = reports[1].difference.as_ref().unwrap();
    assert_eq!(difference.expected_text, goldens[1].expected.text);
    assert_ne!(difference.actual_text, goldens[1].expected.text);
    assert!(difference.margin.is_some());
}

#[test]
fn another_template_or_tokenizer_makes_another_prompt() {
    let bytes = intent();
    let goldens = goldens(&load(&bytes, 1));
    let mut template = bytes.clone();
    patch::chat_template(&mut template, "<|again|>{{ message", "<|json|> {{ message");
    let mut tokenizer = bytes.clone();
    patch::tokenizer(&mut tokenizer, "jazz", "rock");
    patch::tokenizer(&mut tokenizer, "rain", "snow");
    for changed in [template, tokenizer] {
        let reports = replayed(&load(&changed, 1), &goldens);
        assert_all(&reports, GoldenOutcome::Different, Some(Cause::Prompt));
    }
}

#[test]
fn other_settings_or_another_sampler_are_told_from_other_weights() {
    let model = load(&intent(), 1);
    let goldens = goldens(&model);
    let change = |golden: &Golden, change: &dyn Fn(&mut Sampling)| {
        let mut golden = golden.clone();
        change(&mut golden.sampling);
        // Whoever recorded it: the probabilities are the same.
        let mut elsewhere = golden.clone();
        elsewhere.recorded.runtime = "0.0.1".into();
        for golden in [golden, elsewhere] {
            let report = replay(&model, "golden", &golden, 0.1, &Cancel::new()).unwrap();
            assert_eq!((report.outcome, report.cause), (GoldenOutcome::Different, Some(Cause::Sampler)));
            assert!(report.difference.unwrap().margin.is_some());
        }
    };
    let third = Token(goldens[0].expected.tokens[2]);
    change(&goldens[0], &|sampling| sampling.logit_bias.extend([(third, f32::NEG_INFINITY)]));
    change(&goldens[1], &|sampling| sampling.seed = 12);
    change(&goldens[1], &|sampling| sampling.temperature = 0.0);
    change(&goldens[1], &|sampling| sampling.repetition_penalty = 3.0);
}

/// The intent checkpoint in a folder of its own, with a lock file that pins it and its goldens.
struct Place {
    folder: tempfile::TempDir,
    lock: LockFile,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = LockFile::open_or_new(folder.path().join("pinfold.lock")).unwrap();
        let options = StoreOptions { root: Some(folder.path().join("store")), quota: None };
        let store = Store::open(&options).unwrap();
        let bytes = intent();
        lock.set_checkpoint("test", &pin(&bytes)).unwrap();
        for (name, golden) in ["greedy", "drawn"].iter().zip(goldens(&load(&bytes, 1))) {
            lock.set_golden(name, &golden).unwrap();
        }
        let place = Self { folder, lock, store };
        place.write(&bytes);
        place
    }

    fn write(&self, bytes: &[u8]) {
        std::fs::write(self.folder.path().join("intent.gguf"), bytes).unwrap();
    }

    fn verify(&self) -> VerifyReport {
        let options = VerifyOptions { threads: 1, ..VerifyOptions::default() };
        verify(&self.lock, &self.store, &options, VerifyWatch::default()).unwrap()
    }

    /// What is said if the file is replaced: as the lock file is, with only the digest in it brought up to date, and
    /// with the new file pinned.
    fn replaced(mut self, bytes: &[u8]) -> [VerifyReport; 3] {
        self.write(bytes);
        let noticed = self.verify();
        let new = pin(bytes);
        let mut pin = self.lock.lock().checkpoints["test"].clone();
        pin.file = new.file.clone();
        self.lock.set_checkpoint("test", &pin).unwrap();
        let corrected = self.verify();
        self.lock.set_checkpoint("test", &new).unwrap();
        [noticed, corrected, self.verify()]
    }
}

fn pin(bytes: &[u8]) -> CheckpointPin {
    let file = FilePin {
        sources: vec![Source::File("intent.gguf".into())],
        sha256: Digest::of_bytes(bytes),
        size: bytes.len() as u64,
        licence: "MIT".into(),
        minisig: None,
    };
    CheckpointPin::of(&pinfold::checkpoint::open_bytes("test", bytes).unwrap(), file)
}

#[test]
fn a_checkpoint_and_its_goldens_pass() {
    let report = Place::new().verify();
    assert!(report.passed(), "{report:#?}");
    assert_all(&report.goldens, GoldenOutcome::Same, None);
}

#[test]
fn verify_names_weights_that_were_replaced() {
    let mut bytes = intent();
    for block in 0..5 {
        patch::weights(&mut bytes, &format!("blk.{block}.ffn_up.weight"), 40_000);
    }
    let [noticed, corrected, pinned] = Place::new().replaced(&bytes);
    assert_eq!(noticed.files[0].causes, [Cause::Weights]);
    assert_all(&noticed.goldens, GoldenOutcome::NotRun, Some(Cause::Weights));
    for report in [corrected, pinned] {
        assert!(report.files[0].passed && !report.passed());
        assert_all(&report.goldens, GoldenOutcome::Different, Some(Cause::Computation));
    }
}

#[test]
fn verify_names_a_template_and_a_tokenizer_that_were_replaced() {
    let mut template = intent();
    patch::chat_template(&mut template, "<|again|>{{ message", "<|json|> {{ message");
    let mut tokenizer = intent();
    patch::tokenizer(&mut tokenizer, "jazz", "rock");
    patch::tokenizer(&mut tokenizer, "rain", "snow");
    for (bytes, cause, words) in [
        (template, Cause::ChatTemplate, "the chat template is not the pinned one"),
        (tokenizer, Cause::Tokenizer, "the tokenizer is not the pinned one"),
    ] {
        let [noticed, corrected, pinned] = Place::new().replaced(&bytes);
        assert_eq!(noticed.files[0].causes, [cause]);
        assert_all(&noticed.goldens, GoldenOutcome::NotRun, Some(cause));
        assert_eq!(corrected.files[0].causes, [cause, Cause::Lock]);
        assert_all(&corrected.goldens, GoldenOutcome::Different, Some(Cause::Prompt));
        assert!(corrected.goldens[0].detail.contains(words), "{}", corrected.goldens[0].detail);
        assert!(pinned.files[0].passed && !pinned.passed());
        assert_all(&pinned.goldens, GoldenOutcome::Different, Some(Cause::Prompt));
        assert!(pinned.goldens[0].detail.contains("recorded with another checkpoint"));
    }
}

fn samplings() -> impl Strategy<Value = Sampling> {
    let numbers = (0.0f32..1.6, any::<u64>(), 0u32..40, 0.7f32..1.5, -0.5f32..1.0, -0.5f32..1.0);
    let filters = (0u32..60, 0.4f32..=1.0, 0.4f32..=1.0, 0.0f32..0.2, any::<bool>());
    (numbers, filters).prop_map(|(numbers, (top_k, typical_p, top_p, min_p, greedy))| {
        let (temperature, seed, penalty_window, repetition_penalty, frequency_penalty, presence_penalty) =
            numbers;
        Sampling {
            temperature: if greedy { 0.0 } else { temperature },
            seed,
            penalty_window,
            repetition_penalty,
            frequency_penalty,
            presence_penalty,
            top_k,
            typical_p,
            top_p,
            min_p,
            ..Sampling::default()
        }
    })
}

/// A golden with a text that is not its own makes the replay go step by step: it agrees with the runtime in all
/// else, so nothing but the text is to blame.
#[test]
fn a_replay_step_by_step_agrees_with_a_stream() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let model = load(&std::fs::read(path).unwrap(), 1);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let texts = ["Once upon a time", "The little dog", "Lily"];
    runner
        .run(&(samplings(), 0usize..3, 1u32..48), |(sampling, text, max_tokens)| {
            let request = request(GoldenInput::Text(texts[text].into()), sampling, max_tokens);
            let mut golden = record(&model, &request, &Cancel::new()).unwrap();
            let same = replay(&model, "golden", &golden, 0.1, &Cancel::new()).unwrap();
            prop_assert_eq!((same.outcome, same.exact), (GoldenOutcome::Same, true));
            golden.expected.text.push('!');
            let report = replay(&model, "golden", &golden, 0.1, &Cancel::new()).unwrap();
            prop_assert_eq!(report.cause, Some(Cause::Tokenizer), "{:?}", report);
            prop_assert!(report.deviation < 0.0006);
            Ok(())
        })
        .unwrap();
}
