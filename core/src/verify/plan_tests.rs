//! What is verified in which order, with scripts in the place of the checkpoints.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use super::plan;
use super::*;
use crate::checkpoint::{self, Digest};
use crate::engine::scripted::Scripted;
use crate::error::Error;
use crate::lock::{CheckpointPin, FilePin, Pinned, Source};
use crate::model::ModelOptions;
use crate::store::StoreOptions;

#[path = "../../tests/common/gguf.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod gguf;

/// A folder with a lock file and a store; its checkpoints are real headers, but a script computes.
struct Place {
    folder: tempfile::TempDir,
    lock: LockFile,
    store: Store,
    /// The context of each load, and the model.
    loads: RefCell<Vec<(u32, Weak<Scripted>)>>,
    /// What the checkpoints answer.
    answer: &'static str,
}

impl Place {
    /// With the checkpoints `a` and `b`.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lock = LockFile::open_or_new(folder.path().join("pinfold.lock")).unwrap();
        let options = StoreOptions { root: Some(folder.path().join("store")), quota: None };
        let store = Store::open(&options).unwrap();
        let mut place = Self { folder, lock, store, loads: RefCell::default(), answer: "hello" };
        for name in ["a", "b"] {
            let bytes = gguf::Gguf::tiny_llama().bytes();
            let file = PathBuf::from(format!("{name}.gguf"));
            let path = place.folder.path().join(&file);
            std::fs::write(&path, &bytes).unwrap();
            let file = FilePin {
                sources: vec![Source::File(file)],
                sha256: Digest::of_bytes(&bytes),
                size: bytes.len() as u64,
                licence: "MIT".into(),
                minisig: None,
            };
            let pin = CheckpointPin::of(&checkpoint::open(&path).unwrap(), file);
            place.lock.set_checkpoint(name, &pin).unwrap();
        }
        place
    }

    fn load(&self, _: &Pinned, options: &ModelOptions, cancel: &Cancel) -> Result<Model> {
        cancel.check()?;
        assert!(options.reproducible && options.sessions == 1 && options.threads == 3);
        let mut loads = self.loads.borrow_mut();
        assert!(loads.iter().all(|(_, script)| script.upgrade().is_none()), "two models at a time");
        let script = Arc::new(Scripted::answering(self.answer));
        loads.push((options.context_tokens, Arc::downgrade(&script)));
        Model::from_weights(script, options)
    }

    /// Records a golden for `checkpoint`.
    fn golden(&mut self, name: &str, checkpoint: &str, change: impl FnOnce(&mut GoldenRequest)) -> Golden {
        let mut request = GoldenRequest {
            checkpoint: checkpoint.into(),
            input: GoldenInput::Text("say:".into()),
            sampling: Sampling::default(),
            preset: None,
            max_tokens: 8,
            stop: vec![],
        };
        change(&mut request);
        let script = || Arc::new(Scripted::answering(self.answer));
        let model = Model::from_weights(script(), &plan::model_options(0, 3)).unwrap();
        let options = plan::model_options(context_tokens(&model, &request).unwrap(), 3);
        let model = Model::from_weights(script(), &options).unwrap();
        let golden = record(&model, &request, &Cancel::new()).unwrap();
        self.lock.set_golden(name, &golden).unwrap();
        golden
    }

    fn verify(&self, names: &[&str]) -> VerifyReport {
        let names = names.iter().map(ToString::to_string).collect();
        let options = VerifyOptions { names, threads: 3, ..VerifyOptions::default() };
        let load =
            |pinned: &Pinned, options: &ModelOptions, cancel: &Cancel| self.load(pinned, options, cancel);
        plan::verify(&self.lock, &self.store, &options, VerifyWatch::default(), &load).unwrap()
    }

    fn contexts(&self) -> Vec<u32> {
        self.loads.borrow_mut().drain(..).map(|(context, _)| context).collect()
    }
}

fn outcomes(report: &VerifyReport) -> Vec<(&str, GoldenOutcome, Option<Cause>)> {
    report.goldens.iter().map(|golden| (golden.name.as_str(), golden.outcome, golden.cause)).collect()
}

fn files(report: &VerifyReport) -> Vec<&str> {
    report.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn each_checkpoint_is_loaded_once_for_all_of_its_goldens() {
    let mut place = Place::new();
    for (name, checkpoint) in [("x", "b"), ("y", "a"), ("z", "b")] {
        place.golden(name, checkpoint, |_| {});
    }
    let report = place.verify(&[]);
    assert!(report.passed());
    assert_eq!(files(&report), ["a", "b"]);
    let same = |name| (name, GoldenOutcome::Same, None);
    assert_eq!(outcomes(&report), [same("x"), same("y"), same("z")]);
    assert_eq!(report.goldens[1].checkpoint, "a");
    assert_eq!(place.contexts(), [0, 0]);

    assert_eq!(outcomes(&place.verify(&["b"])), [same("x"), same("z")]);
    let one = place.verify(&["z"]);
    assert_eq!((files(&one), outcomes(&one)), (vec!["b"], vec![same("z")]));
    place.contexts();
    place.golden("b", "a", |_| {});
    let both = place.verify(&["b"]);
    assert_eq!(files(&both), ["a", "b"], "a checkpoint and a golden of one name are both meant");
    assert_eq!(outcomes(&both), [same("b"), same("x"), same("z")]);
}

#[test]
fn a_golden_that_is_longer_than_the_default_gets_its_own_context() {
    let mut place = Place::new();
    place.golden("long", "a", |request| request.max_tokens = 1500);
    place.golden("short", "a", |request| request.max_tokens = 1020);
    assert!(place.verify(&[]).passed());
    assert_eq!(place.contexts(), [0, 2048]);
}

#[test]
fn goldens_of_a_file_that_cannot_be_used_are_not_run() {
    let mut place = Place::new();
    place.golden("x", "a", |_| {});
    place.golden("y", "b", |_| {});
    std::fs::remove_file(place.folder.path().join("a.gguf")).unwrap();
    let report = place.verify(&[]);
    assert!(!report.passed() && !report.files[0].passed && report.files[1].passed);
    assert_eq!(
        outcomes(&report),
        [("x", GoldenOutcome::NotRun, Some(Cause::Missing)), ("y", GoldenOutcome::Same, None)]
    );
    assert!(
        report.goldens[0].detail.contains("the file of \"a\" cannot be used"),
        "{}",
        report.goldens[0].detail
    );
    assert_eq!(place.contexts(), [0]);
}

#[test]
fn goldens_of_a_checkpoint_that_does_not_load_are_not_run() {
    let mut place = Place::new();
    place.golden("x", "a", |_| {});
    let options = VerifyOptions { threads: 3, ..VerifyOptions::default() };
    let verify = |load: &plan::Load<'_>| {
        plan::verify(&place.lock, &place.store, &options, VerifyWatch::default(), load)
    };
    let full = |_: &Pinned, _: &ModelOptions, _: &Cancel| {
        Err(Error::OutOfMemory { weights: 1 << 20, kv_cache: 0, compute: 0, available: 0 })
    };
    let report = verify(&full).unwrap();
    assert_eq!(outcomes(&report), [("x", GoldenOutcome::NotRun, None)]);
    assert!(!report.passed() && report.goldens[0].detail.starts_with("needs 1 MiB"));
    let cancelled = |_: &Pinned, _: &ModelOptions, _: &Cancel| Err(Error::Cancelled);
    assert!(matches!(verify(&cancelled), Err(Error::Cancelled)));
}

#[test]
fn settings_that_changed_behind_their_name_are_named() {
    let mut place = Place::new();
    let calm = Sampling { repetition_penalty: 1.5, ..Sampling::default() };
    place.lock.set_sampling("calm", &calm).unwrap();
    place.golden("x", "a", |request| {
        (request.sampling, request.preset) = (calm.clone(), Some("calm".into()));
    });
    assert!(place.verify(&[]).passed());

    // The answer is the same with it, since this script is sure of itself.
    let warm = Sampling { top_k: 40, ..calm.clone() };
    place.lock.set_sampling("calm", &warm).unwrap();
    let report = place.verify(&[]);
    assert_eq!(outcomes(&report), [("x", GoldenOutcome::Different, Some(Cause::Sampler))]);
    let golden = &report.goldens[0];
    assert!(golden.detail.contains("\"calm\"") && golden.detail.contains("top_k is 40, was 0"), "{golden:?}");
    assert!(golden.difference.is_none());

    let hot = Sampling { temperature: 100.0, seed: 5, repetition_penalty: 1.0, ..Sampling::default() };
    place.lock.set_sampling("calm", &hot).unwrap();
    let report = place.verify(&[]);
    assert_eq!(outcomes(&report), [("x", GoldenOutcome::Different, Some(Cause::Sampler))]);
    let golden = &report.goldens[0];
    for words in ["temperature is 100, was 0", "seed is 5, was 0", "repetition_penalty is 1, was 1.5"] {
        assert!(golden.detail.contains(words), "{}", golden.detail);
    }
    assert_ne!(golden.difference.as_ref().unwrap().actual_text, "hello", "that is what an app gets now");
}

#[test]
fn what_an_edited_golden_asks_for_may_be_impossible() {
    let mut place = Place::new();
    let golden = place.golden("x", "a", |_| {});
    let edit = |place: &mut Place, change: &dyn Fn(&mut Golden)| {
        let mut edited = golden.clone();
        change(&mut edited);
        place.lock.set_golden("x", &edited).unwrap();
        let report = place.verify(&["x"]).goldens.remove(0);
        (report.outcome, report.cause, report.detail)
    };
    let message = crate::prompt::Message::new(crate::prompt::Role::User, "say:");
    let (outcome, cause, detail) =
        edit(&mut place, &|golden| golden.input = GoldenInput::Messages(vec![message.clone()]));
    assert_eq!((outcome, cause), (GoldenOutcome::NotRun, Some(Cause::Prompt)), "{detail}");
    let (outcome, cause, detail) = edit(&mut place, &|golden| {
        golden.sampling.logit_bias.insert(crate::vocabulary::Token(100_000), 1.0);
    });
    assert_eq!((outcome, cause), (GoldenOutcome::NotRun, Some(Cause::Lock)), "{detail}");
}

#[test]
fn a_golden_is_told_what_of_its_file_contradicts_the_pin() {
    let mut place = Place::new();
    let mut golden = place.golden("x", "a", |_| {});
    let mut pin = place.lock.lock().checkpoints["a"].clone();
    pin.tokenizer_sha256 = Digest([1; 32]);
    place.lock.set_checkpoint("a", &pin).unwrap();
    let report = place.verify(&["a"]);
    assert_eq!(report.files[0].causes, [Cause::Tokenizer, Cause::Lock]);
    assert_eq!(outcomes(&report), [("x", GoldenOutcome::Same, None)], "so the entry was edited");
    assert!(!report.passed());

    golden.expected.prompt_sha256 = Digest([2; 32]);
    place.lock.set_golden("x", &golden).unwrap();
    let report = place.verify(&["a"]);
    assert_eq!(outcomes(&report), [("x", GoldenOutcome::Different, Some(Cause::Prompt))]);
    assert!(report.goldens[0].detail.contains("the tokenizer is not the pinned one"));
}

#[test]
fn progress_tells_what_is_looked_at_and_a_cancel_stops() {
    let mut place = Place::new();
    place.golden("x", "a", |_| {});
    place.golden("y", "a", |_| {});
    let options = VerifyOptions { threads: 3, ..VerifyOptions::default() };
    let load = |pinned: &Pinned, options: &ModelOptions, cancel: &Cancel| place.load(pinned, options, cancel);
    let mut seen = Vec::new();
    let mut progress = |name: &str, done, all| seen.push((name.to_owned(), done, all));
    let watch = VerifyWatch { progress: Some(&mut progress), ..VerifyWatch::default() };
    plan::verify(&place.lock, &place.store, &options, watch, &load).unwrap();
    let step = |name: &str, done| (name.to_owned(), done, 4);
    assert_eq!(seen, [step("a", 0), step("b", 1), step("x", 2), step("y", 3), step("", 4)]);

    for last in ["a", "b", "x", "y"] {
        let cancel = Cancel::new();
        let mut progress = |name: &str, _, _| {
            if name == last {
                cancel.cancel();
            }
        };
        let watch = VerifyWatch { progress: Some(&mut progress), cancel: cancel.clone() };
        let stopped = plan::verify(&place.lock, &place.store, &options, watch, &load);
        assert!(matches!(stopped, Err(Error::Cancelled)), "{last}: {stopped:?}");
    }
}
