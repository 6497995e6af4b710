//! The reproducible mode on real checkpoints and on small random ones of every kind: the logits are those of a
//! fresh model that was given the same tokens at once, bit for bit.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![cfg(feature = "llama")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::families::{self, KINDS};
use pinfold::{
    Cancel, Error, GenerateOptions, Model, ModelOptions, Offload, Sampling, Session, SessionOptions, Token,
};
use proptest::prelude::*;

/// Long enough to cross llama.cpp's padding of the cache, 256 cells.
const LONG: usize = 270;

fn options(sessions: u32, threads: u32) -> ModelOptions {
    let offload = Offload::cpu_only();
    ModelOptions { context_tokens: 512, sessions, threads, offload, reproducible: true, ..Default::default() }
}

fn load(path: &Path, sessions: u32, threads: u32) -> Model {
    Model::load(path, &options(sessions, threads)).unwrap()
}

/// Random tokens of the vocabulary, without the special ones.
fn tokens(seed: u64, count: usize) -> Vec<Token> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Token(3 + (state >> 33) as u32 % 250)
    };
    (0..count).map(|_| next()).collect()
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

fn logits(session: &Session) -> Vec<u32> {
    let logits = session.logits(&Cancel::new()).unwrap();
    assert!(logits.iter().all(|logit| logit.is_finite()), "logits that compare to nothing");
    bits(&logits)
}

/// What is expected: one session, one thread, nothing computed before.
fn fresh(path: &Path, tokens: &[Token]) -> Vec<u32> {
    let session = load(path, 1, 1).session().unwrap();
    session.append_tokens(tokens).unwrap();
    logits(&session)
}

fn session_of(model: &Model, tokens: &[Token]) -> Session {
    let session = model.session().unwrap();
    session.append_tokens(tokens).unwrap();
    session
}

fn sampled(session: &Session, count: u32) -> Vec<u32> {
    let sampling = Sampling { temperature: 1.0, seed: 5, ..Default::default() };
    let options = GenerateOptions { sampling, max_tokens: Some(count), ..Default::default() };
    let completion = session.generate(&options).unwrap().complete().unwrap();
    completion.tokens.iter().map(|token| token.token.0).collect()
}

/// One test at a time: threads that wait for each other on too few cores are slow.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checkpoints of every family, each with its name; generated ones are in the folder.
fn checkpoints(folder: &Path) -> Vec<(String, PathBuf)> {
    let intent = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints/intent/pinfold-intent-q8_0.gguf");
    let mut checkpoints = vec![("intent".to_owned(), intent)];
    checkpoints
        .extend(common::shared("checkpoints/stories260K.gguf").map(|path| ("stories".to_owned(), path)));
    let mut generated = |name: &str, gguf: common::gguf::Gguf| {
        let path = folder.join(name);
        std::fs::write(&path, gguf.bytes()).unwrap();
        checkpoints.push((name.to_owned(), path));
    };
    generated("Q4_K", families::quantized(7));
    generated("sliding window", families::sliding_window());
    generated("recurrent", families::recurrent());
    checkpoints
}

fn for_each(test: impl Fn(&str, &Path)) {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for (name, path) in checkpoints(folder.path()) {
        test(&name, &path);
    }
}

/// What is expected of the logits after `tokens`, and of what is generated then.
fn fresh_and_more(path: &Path, tokens: &[Token]) -> (Vec<u32>, Vec<u32>) {
    let session = session_of(&load(path, 1, 1), tokens);
    (logits(&session), sampled(&session, 2))
}

#[test]
fn threads_sessions_and_slices_change_nothing() {
    for_each(|name, path| {
        let tokens = tokens(1, LONG);
        let (expected, generated) = fresh_and_more(path, &tokens);
        // Most of it is restored: threads that have no core of their own wait for each other at every token.
        let folder = tempfile::tempdir().unwrap();
        let start = session_of(&load(path, 1, 1), &tokens[..LONG - 2]);
        start.prefill(&Cancel::new()).unwrap();
        start.save(folder.path().join("start")).unwrap();
        for (threads, sessions, slice_tokens) in [(1, 3, 512), (2, 1, 1)] {
            let options = ModelOptions { slice_tokens, ..options(sessions, threads) };
            let session = Model::load(path, &options).unwrap().session().unwrap();
            session.restore(folder.path().join("start")).unwrap();
            session.append_tokens(&tokens[LONG - 2..]).unwrap();
            let setting = format!("{name}, {threads} threads, {sessions} sessions, slices of {slice_tokens}");
            assert_eq!(logits(&session), expected, "{setting}");
            assert_eq!(sampled(&session, 2), generated, "{setting}");
        }
    });
}

#[test]
fn logits_depend_on_every_token() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path());
    for (index, kind) in KINDS.iter().enumerate() {
        all.push((kind.0.to_owned(), folder.path().join(kind.0)));
        std::fs::write(&all.last().unwrap().1, families::quantized(index).bytes()).unwrap();
    }
    for (name, path) in &all {
        let mut tokens = tokens(14, 12);
        let before = fresh(path, &tokens);
        tokens[0] = Token(tokens[0].0 + 1);
        let differ = before.iter().zip(fresh(path, &tokens)).filter(|(a, b)| **a != *b).count();
        assert!(differ > before.len() / 2, "{name}: {differ} of {} logits", before.len());
    }
}

#[test]
fn every_kind_of_weights_is_reproducible() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for (index, kind) in KINDS.iter().enumerate() {
        let path = folder.path().join(kind.0);
        std::fs::write(&path, families::quantized(index).bytes()).unwrap();
        let tokens = tokens(13, 5);
        let expected = fresh(&path, &tokens);
        let session = session_of(&load(&path, 3, if index == 1 { 3 } else { 2 }), &tokens);
        assert_eq!(logits(&session), expected, "{}", kind.0);
    }
}

#[test]
fn a_prompt_in_pieces_is_the_prompt_at_once() {
    for_each(|name, path| {
        let tokens = tokens(2, LONG);
        let expected = fresh(path, &tokens);
        let model = load(path, 2, 1);
        for piece in [1, 3, 7, LONG] {
            let session = model.session().unwrap();
            for piece in tokens.chunks(piece) {
                session.append_tokens(piece).unwrap();
                session.prefill(&Cancel::new()).unwrap();
            }
            assert_eq!(logits(&session), expected, "{name}, pieces of {piece}");
        }
    });
}

#[test]
fn a_prefix_that_was_kept_is_as_one_that_is_computed() {
    for_each(|name, path| {
        let (prefix, other) = (tokens(3, LONG), tokens(4, 60));
        let session = session_of(&load(path, 3, 1), &prefix);
        session.prefill(&Cancel::new()).unwrap();
        for (length, more) in [(257, 40), (256, 1), (60, 60), (0, 5)] {
            session.append_tokens(&other).unwrap();
            session.prefill(&Cancel::new()).unwrap();
            session.rewind(length).unwrap();
            session.append_tokens(&other[..more]).unwrap();
            let held = [&prefix[..length], &other[..more]].concat();
            assert_eq!(logits(&session), fresh(path, &held), "{name}, rewound to {length}");
            session.rewind(length).unwrap();
        }
    });
}

#[test]
fn a_fork_computes_as_its_origin() {
    for_each(|name, path| {
        let (prefix, one, two) = (tokens(5, 230), tokens(6, 40), tokens(7, 30));
        let folder = tempfile::tempdir().unwrap();
        let model = load(path, 4, 1);
        let elsewhere = session_of(&model, &one);
        elsewhere.prefill(&Cancel::new()).unwrap();
        elsewhere.save(folder.path().join("saved")).unwrap();
        drop(elsewhere);

        let origin = session_of(&model, &prefix);
        origin.prefill(&Cancel::new()).unwrap();
        let fork = origin.fork().unwrap();
        let of_fork = fork.fork().unwrap();
        // Before anything was computed, the origin is loaded with something else.
        origin.restore(folder.path().join("saved")).unwrap();
        fork.append_tokens(&one).unwrap();
        assert_eq!(logits(&fork), fresh(path, &[&prefix[..], &one].concat()), "{name}");
        assert_eq!(logits(&origin), fresh(path, &one), "{name}");
        drop((origin, fork));
        of_fork.append_tokens(&two).unwrap();
        assert_eq!(logits(&of_fork), fresh(path, &[&prefix[..], &two].concat()), "{name}");
        assert!(matches!(model.session().unwrap().fork().map(drop), Ok(())), "{name}: an empty session");
    });
}

#[test]
fn a_saved_session_goes_on_as_if_it_had_been_computed_here() {
    for_each(|name, path| {
        let (prefix, more) = (tokens(8, 110), tokens(9, 9));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("saved");
        let expected = fresh(path, &[&prefix[..], &more].concat());
        let normal = |sessions| ModelOptions { reproducible: false, ..options(sessions, 1) };
        let other_context = ModelOptions { context_tokens: 1000, ..options(2, 1) };
        for (from, setting) in [
            (options(2, 1), "the same"),
            (options(4, 1), "other sessions"),
            (other_context, "another context"),
            (normal(1), "the normal mode"),
        ] {
            let session = session_of(&Model::load(path, &from).unwrap(), &prefix);
            session.prefill(&Cancel::new()).unwrap();
            session.save(&file).unwrap();
            for sessions in [1, 2] {
                let model = load(path, sessions, 1);
                let session = session_of(&model, &more);
                session.prefill(&Cancel::new()).unwrap();
                session.restore(&file).unwrap();
                session.append_tokens(&more).unwrap();
                assert_eq!(logits(&session), expected, "{name}, saved by {setting}");
            }
        }
    });
}

#[test]
fn neighbours_and_used_places_change_nothing() {
    for_each(|name, path| {
        let tokens = tokens(10, LONG);
        let (expected, generated) = fresh_and_more(path, &tokens);
        let model = load(path, 4, 1);
        for round in 0..2 {
            let neighbours: Vec<Session> = (0..3)
                .map(|index| session_of(&model, &self::tokens(20 + index + round, 10 + 60 * index as usize)))
                .collect();
            let session = session_of(&model, &tokens);
            std::thread::scope(|scope| {
                for neighbour in &neighbours {
                    scope.spawn(|| sampled(neighbour, 60));
                }
                assert_eq!(logits(&session), expected, "{name}");
                assert_eq!(sampled(&session, 2), generated, "{name}");
            });
            assert!(neighbours.iter().all(|session| session.tokens().unwrap().len() > 10), "{name}: idle");
        }
    });
}

#[test]
fn what_was_cancelled_leaves_no_trace() {
    for_each(|name, path| {
        let tokens = tokens(11, LONG);
        let session = session_of(&load(path, 2, 1), &tokens);
        for micros in [200, 2_000, 8_000] {
            let cancel = Cancel::new();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(std::time::Duration::from_micros(micros));
                    cancel.cancel();
                });
                match session.prefill(&cancel) {
                    Ok(()) | Err(Error::Cancelled) => {}
                    Err(other) => panic!("{name}: {other}"),
                }
            });
        }
        assert_eq!(logits(&session), fresh(path, &tokens), "{name}");
    });
}

#[test]
fn each_session_has_the_whole_context_and_cannot_slide() {
    for_each(|name, path| {
        let model = Model::load(path, &ModelOptions { context_tokens: 70, ..options(3, 1) }).unwrap();
        assert_eq!(model.context_tokens(), 70);
        let sessions: Vec<Session> = (0..3).map(|index| session_of(&model, &tokens(index, 70))).collect();
        for (index, session) in (0..).zip(&sessions) {
            assert_eq!(logits(session), fresh(path, &tokens(index, 70)), "{name}");
            let full = session.append_tokens(&[Token(5)]);
            let numbers = matches!(full, Err(Error::ContextFull { used: 70, requested: 1, capacity: 70 }));
            assert!(numbers, "{name}: {full:?}");
        }
        sessions[2].rewind(69).unwrap();
        sessions[2].append_tokens(&[Token(9)]).unwrap();
        let sliding = model.session_with(SessionOptions { slide_keep: Some(4) });
        assert!(matches!(sliding, Err(Error::InvalidOption { option: "slide_keep", .. })));
    });
}

#[test]
fn the_backend_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    std::fs::write(&path, families::quantized(1).bytes()).unwrap();
    let model = load(&path, 1, 1);
    let kernels = pinfold::engine::devices::devices().unwrap().into_iter().find_map(|d| d.kernels).unwrap();
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    assert_eq!(model.backend_name(), format!("cpu {arch}-{os} {kernels}"));
    assert!(model.is_reproducible());
}

/// No demand on the normal mode: it shows what the reproducible one is for.
#[test]
fn the_normal_mode_differs_by_how_a_prompt_is_cut() {
    for_each(|name, path| {
        let tokens = tokens(12, LONG);
        let run = |slice_tokens| {
            let options = ModelOptions { reproducible: false, slice_tokens, ..options(1, 1) };
            let session = session_of(&Model::load(path, &options).unwrap(), &tokens);
            session.logits(&Cancel::new()).unwrap()
        };
        let (whole, pieces) = (run(512), run(1));
        let differ = bits(&whole).iter().zip(bits(&pieces)).filter(|(a, b)| **a != *b).count();
        let most = whole.iter().zip(&pieces).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        eprintln!("{name:16} {differ:5} of {:5} logits differ, by {most:.1e} at most", whole.len());
    });
}

/// Something that is done with one of three sessions.
#[derive(Debug, Clone)]
enum Step {
    Append(usize, u64, usize),
    Prefill(usize),
    Generate(usize, u32),
    Rewind(usize, usize),
    Fork(usize, usize),
    SaveAndRestore(usize, usize),
    Reopen(usize),
    Check(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..3usize;
    prop_oneof![
        4 => (session.clone(), any::<u64>(), 1..60usize).prop_map(|(s, seed, count)| Step::Append(s, seed, count)),
        2 => session.clone().prop_map(Step::Prefill),
        2 => (session.clone(), 1..20u32).prop_map(|(s, count)| Step::Generate(s, count)),
        2 => (session.clone(), 0..100usize).prop_map(|(s, percent)| Step::Rewind(s, percent)),
        2 => (session.clone(), session.clone()).prop_map(|(from, to)| Step::Fork(from, to)),
        1 => (session.clone(), session.clone()).prop_map(|(from, to)| Step::SaveAndRestore(from, to)),
        1 => session.clone().prop_map(Step::Reopen),
        2 => session.prop_map(Step::Check),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done with sessions side by side: a session's logits are those of its tokens.
    #[test]
    fn any_history_gives_what_a_fresh_session_gives(
        steps in prop::collection::vec(step(), 1..20), which in 0..4usize, threads in prop_oneof![5 => Just(1), 1 => Just(2)],
    ) {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.gguf");
        let gguf = match which {
            0 => families::quantized(1),
            1 => families::quantized(7),
            2 => families::sliding_window(),
            _ => families::recurrent(),
        };
        std::fs::write(&path, gguf.bytes()).unwrap();
        let model = Model::load(&path, &options(4, threads)).unwrap();
        let mut sessions: Vec<Session> = (0..3).map(|_| model.session().unwrap()).collect();
        for step in steps {
            run(&step, &model, &mut sessions, folder.path(), &path);
        }
        for session in &sessions {
            check(session, &path);
        }
    }
}

fn run(step: &Step, model: &Model, sessions: &mut [Session], folder: &Path, path: &Path) {
    let holds = |session: &Session| session.tokens().unwrap().len();
    match *step {
        Step::Append(at, seed, count) => {
            let room = 512 - holds(&sessions[at]);
            sessions[at].append_tokens(&tokens(seed, count.min(room))).unwrap();
        }
        Step::Prefill(at) | Step::Generate(at, _) if holds(&sessions[at]) == 0 => {}
        Step::Prefill(at) => sessions[at].prefill(&Cancel::new()).unwrap(),
        Step::Generate(at, count) => {
            let room = 512 - holds(&sessions[at]) as u32;
            sampled(&sessions[at], count.min(room));
        }
        Step::Rewind(at, percent) => {
            sessions[at].rewind(holds(&sessions[at]) * percent / 100).unwrap();
        }
        // The fourth place is for the copy, until the old session is dropped.
        Step::Fork(from, to) => sessions[to] = sessions[from].fork().unwrap(),
        Step::SaveAndRestore(from, to) => {
            sessions[from].save(folder.join("saved")).unwrap();
            sessions[to].restore(folder.join("saved")).unwrap();
        }
        Step::Reopen(at) => sessions[at] = model.session().unwrap(),
        Step::Check(at) => check(&sessions[at], path),
    }
}

fn check(session: &Session, path: &Path) {
    let held = session.tokens().unwrap();
    if !held.is_empty() {
        assert_eq!(logits(session), fresh(path, &held));
    }
}
