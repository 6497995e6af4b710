//! The runtime on real checkpoints: token for token what llama.cpp's Python binding generates, with any
//! number of threads and any slicing of the prompt. The vectors come from benches/truth.py, one file for each
//! instruction set: the reference is built for its machine, and 8-bit activations round differently elsewhere.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![cfg(feature = "llama")]

mod common;

use std::path::{Path, PathBuf};

use pinfold::{Cancel, Error, GenerateOptions, Model, ModelOptions, Offload, Special, Token};

/// A difference counts if the two best logits were farther apart than this.
const MARGIN: f64 = 1e-3;

/// The same for quantized weights on kernels that no reference was recorded on.
const MARGIN_ELSEWHERE: f64 = 0.1;

#[derive(serde::Deserialize)]
struct Vectors {
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    checkpoint: String,
    prompt: String,
    prompt_tokens: Vec<u32>,
    tokens: Vec<u32>,
    /// Whether the generation ended by itself.
    ends: bool,
    /// Index and margin where the two best logits are close.
    close: Vec<(usize, f64)>,
}

/// The file of the kernels in use, and the margin that goes with it.
fn vectors() -> (PathBuf, f64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/truth");
    let devices = pinfold::engine::devices::devices().unwrap();
    let kernels = devices.into_iter().find_map(|device| device.kernels).unwrap_or_default();
    let own = folder.join(format!("{kernels}.toml"));
    if own.exists() {
        return (own, MARGIN);
    }
    eprintln!("no reference was recorded on the kernels {kernels:?}: the baseline's, with a wider margin");
    (folder.join("baseline.toml"), MARGIN_ELSEWHERE)
}

fn cases(checkpoint: &str) -> Vec<Case> {
    let vectors: Vectors = toml::from_str(&std::fs::read_to_string(vectors().0).unwrap()).unwrap();
    let cases: Vec<Case> = vectors.case.into_iter().filter(|case| case.checkpoint == checkpoint).collect();
    assert!(cases.len() >= 20, "{} vectors for {checkpoint}", cases.len());
    cases
}

fn embedded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints/intent/pinfold-intent-q8_0.gguf")
}

fn options(threads: u32, slice_tokens: u32) -> ModelOptions {
    let offload = Offload::cpu_only();
    ModelOptions { context_tokens: 512, threads, slice_tokens, offload, ..ModelOptions::default() }
}

fn ids(tokens: &[u32]) -> Vec<Token> {
    tokens.iter().copied().map(Token).collect()
}

fn generate(model: &Model, case: &Case) -> Vec<u32> {
    let session = model.session().unwrap();
    session.append_tokens(&ids(&case.prompt_tokens)).unwrap();
    let options = GenerateOptions { max_tokens: Some(case.tokens.len() as u32), ..Default::default() };
    let completion = session.generate(&options).unwrap().complete().unwrap();
    completion.tokens.iter().map(|token| token.token.0).collect()
}

/// Compares with the vectors and lists where a close call went the other way.
fn check(model: &Model, checkpoint: &str, setting: &str) {
    for case in cases(checkpoint) {
        let tokens = generate(model, &case);
        let differs = (0..case.tokens.len()).find(|&index| tokens.get(index) != case.tokens.get(index));
        let Some(index) = differs else { continue };
        let margin = case.close.iter().find(|(at, _)| *at == index).map_or(f64::INFINITY, |(_, m)| *m);
        assert!(margin <= vectors().1, "{checkpoint}, {setting}: {:?} differs at token {index}", case.prompt);
        eprintln!("{checkpoint}, {setting}: {:?} differs at token {index}, margin {margin}", case.prompt);
    }
}

fn check_all_settings(path: &Path, checkpoint: &str) {
    for threads in [1, 2] {
        for slice in [1, 3, 16, 512] {
            let model = Model::load(path, &options(threads, slice)).unwrap();
            check(&model, checkpoint, &format!("{threads} threads, slices of {slice}"));
        }
    }
}

#[test]
fn stories_match_the_reference_token_for_token() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    check_all_settings(&path, "stories");
}

#[test]
fn the_embedded_checkpoint_matches_the_reference_token_for_token() {
    check_all_settings(&embedded(), "intent");
}

#[test]
fn tokenizing_matches_the_reference() {
    let stories = common::shared("checkpoints/stories260K.gguf");
    for (path, checkpoint) in [(stories, "stories"), (Some(embedded()), "intent")] {
        let Some(path) = path else { continue };
        let model = Model::load(path, &options(1, 0)).unwrap();
        for case in cases(checkpoint) {
            let session = model.session().unwrap();
            session.append(&case.prompt, Special::Plain).unwrap();
            assert_eq!(session.tokens().unwrap(), ids(&case.prompt_tokens), "{:?}", case.prompt);
        }
    }
}

#[test]
fn the_end_of_a_generation_is_the_references() {
    let model = Model::load(embedded(), &options(1, 0)).unwrap();
    for case in cases("intent").iter().filter(|case| case.ends) {
        let session = model.session().unwrap();
        session.append_tokens(&ids(&case.prompt_tokens)).unwrap();
        let options = GenerateOptions { max_tokens: Some(300), ..Default::default() };
        let completion = session.generate(&options).unwrap().complete().unwrap();
        assert_eq!(completion.tokens.len(), case.tokens.len(), "{:?}", case.prompt);
    }
}

#[test]
fn sessions_side_by_side_generate_what_they_generate_alone() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let model = Model::load(path, &ModelOptions { context_tokens: 4096, ..options(1, 0) }).unwrap();
    let cases = cases("stories");
    std::thread::scope(|scope| {
        for quarter in cases.chunks(5) {
            let model = &model;
            scope.spawn(move || {
                for case in quarter {
                    let tokens = generate(model, case);
                    let same = tokens.iter().zip(&case.tokens).take_while(|(a, b)| a == b).count();
                    let close = case.close.iter().any(|(at, _)| *at == same);
                    assert!(same == case.tokens.len() || close, "{:?} differs at {same}", case.prompt);
                }
            });
        }
    });
}

#[test]
fn bytes_in_memory_run_as_the_file_does() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let bytes = std::fs::read(path).unwrap();
    let model = Model::load_bytes("stories", &bytes, &options(1, 0), Default::default()).unwrap();
    drop(bytes);
    check(&model, "stories", "from memory");
}

#[test]
fn fork_rewind_and_restore_do_not_change_what_comes() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let folder = tempfile::tempdir().unwrap();
    let model = Model::load(&path, &ModelOptions { context_tokens: 2048, ..options(1, 0) }).unwrap();
    let case = &cases("stories")[0];
    let rest = |session: &pinfold::Session, from: usize| {
        let options =
            GenerateOptions { max_tokens: Some((case.tokens.len() - from) as u32), ..Default::default() };
        let completion = session.generate(&options).unwrap().complete().unwrap();
        let tokens: Vec<u32> = completion.tokens.iter().map(|token| token.token.0).collect();
        assert_eq!(tokens, case.tokens[from..]);
    };
    let session = model.session().unwrap();
    session.append_tokens(&ids(&case.prompt_tokens)).unwrap();
    let half = GenerateOptions { max_tokens: Some(100), ..Default::default() };
    session.generate(&half).unwrap().complete().unwrap();
    let fork = session.fork().unwrap();
    session.save(folder.path().join("saved")).unwrap();
    rest(&session, 100);
    rest(&fork, 100);
    session.rewind(case.prompt_tokens.len() + 40).unwrap();
    rest(&session, 40);

    let other = Model::load(&path, &options(1, 0)).unwrap();
    let restored = other.session().unwrap();
    restored.restore(folder.path().join("saved")).unwrap();
    rest(&restored, 100);

    let copy = folder.path().join("other.gguf");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let changed = Model::load(&copy, &options(1, 0)).unwrap();
    let refused = changed.session().unwrap().restore(folder.path().join("saved"));
    assert!(matches!(refused, Err(Error::BadSession { .. })), "another checkpoint's session");
}

#[test]
fn a_load_can_be_cancelled_and_reports_progress() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let mut shares = Vec::new();
    let mut progress = |share: f32| shares.push(share);
    let watch = pinfold::LoadWatch { progress: Some(&mut progress), cancel: Cancel::new() };
    Model::load_watched(&path, &options(1, 0), watch).unwrap();
    assert!(shares.last().is_some_and(|&share| share >= 0.99), "{shares:?}");

    let cancel = Cancel::new();
    let from_inside = cancel.clone();
    let mut progress = move |_| from_inside.cancel();
    let watch = pinfold::LoadWatch { progress: Some(&mut progress), cancel };
    let refused = Model::load_watched(&path, &options(1, 0), watch);
    assert!(matches!(refused.err(), Some(Error::Cancelled)));
}

#[test]
fn what_cannot_fit_is_refused_with_numbers() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let huge = ModelOptions { context_tokens: 1 << 30, ..options(1, 0) };
    match Model::load(path, &huge).err() {
        Some(Error::OutOfMemory { kv_cache, available, .. }) => assert!(kv_cache > available),
        other => panic!("{other:?}"),
    }
}
