//! Many short sessions with random cancels from several threads: no deadlock, no leak.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![cfg(feature = "llama")]

mod common;

use std::time::Duration;

use pinfold::engine::scripted::Scripted;
use pinfold::{Cancel, GenerateOptions, Model, ModelOptions, Special};

const THREADS: u64 = 4;

/// Sessions in all; `PINFOLD_SOAK` asks for another number.
fn sessions(default: u64) -> u64 {
    std::env::var("PINFOLD_SOAK").ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

/// A small generator of numbers: the tests need no good one, but always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// One short life: a prompt, a generation that may be cancelled before, during or after, or dropped.
fn live(model: &Model, numbers: &mut Numbers) {
    let session = model.session().unwrap();
    let prompt = "Once upon a time ".repeat(1 + numbers.below(4) as usize);
    session.append(&prompt, Special::Plain).unwrap();
    let cancel = Cancel::new();
    let options =
        GenerateOptions { max_tokens: Some(1 + numbers.below(12) as u32), cancel, ..Default::default() };
    let cancel = options.cancel.clone();
    let late = numbers.below(4) == 0;
    let setter = late.then(|| {
        let (cancel, delay) = (cancel.clone(), Duration::from_micros(numbers.below(2000)));
        std::thread::spawn(move || {
            std::thread::sleep(delay);
            cancel.cancel();
        })
    });
    let mut stream = session.generate(&options).unwrap();
    match numbers.below(5) {
        0 => cancel.cancel(),
        1 => drop(stream.next()),
        2 => drop(session),
        _ => {
            for chunk in &mut stream {
                chunk.unwrap();
            }
            assert!(stream.finish().is_some());
        }
    }
    drop(stream);
    if let Some(setter) = setter {
        setter.join().unwrap();
    }
}

fn soak(model: &Model, sessions: u64) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut numbers = Numbers(thread + 1);
                for _ in 0..sessions / THREADS {
                    live(model, &mut numbers);
                }
            });
        }
    });
}

/// Bytes of this process in memory, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}

fn check_level(model: &Model, sessions: u64) {
    soak(model, sessions / 10);
    let before = resident();
    soak(model, sessions - sessions / 10);
    if let (Some(before), Some(after)) = (before, resident()) {
        eprintln!("{sessions} sessions: {} KiB, then {} KiB", before >> 10, after >> 10);
        assert!(after < before + (4 << 20), "memory grew from {before} to {after}");
    }
}

#[test]
fn the_runtime_soaks_on_a_script() {
    let script = Scripted::answering("a short answer to all of it");
    let options = ModelOptions { context_tokens: 2048, ..ModelOptions::default() };
    let model = Model::from_weights(std::sync::Arc::new(script), &options).unwrap();
    check_level(&model, sessions(10_000));
}

#[test]
fn the_runtime_soaks_on_a_checkpoint() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let options = ModelOptions { context_tokens: 2048, threads: 1, ..ModelOptions::default() };
    check_level(&Model::load(path, &options).unwrap(), sessions(2_000));
}
