//! The cost of a token in C above Rust: the same generation through `api` here and through the C ABI by a program in
//! C, in turns. What is compared is the processor time of the reading thread, since the engine computes on another;
//! Linux tells it. Prints medians of the turns.
//!
//!     cargo bench --workspace --bench boundary
#![allow(clippy::unwrap_used, reason = "a measurement fails by a panic")]

#[path = "../tests/c_support/mod.rs"]
mod c_support;

use std::path::{Path, PathBuf};
use std::process::Command;

use c_support::{build, root, run};
use pinfold_ffi::api::{GenerateOptions, Model, ModelOptions, SessionOptions};

/// Runs of a turn, and turns of each language.
const RUNS: usize = 20;
const TURNS: usize = 15;

/// Nanoseconds that this thread computed.
fn computed() -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    spent.split(' ').next().unwrap().parse().unwrap()
}

fn rust(path: &str, prompt: &str, tokens: u32) -> f64 {
    let plain = ModelOptions::default();
    let model = if path == "-" {
        let options = ModelOptions { context_tokens: tokens + 1024, ..plain };
        Model::scripted("a".repeat(tokens as usize), 0, options).unwrap()
    } else {
        Model::load(path.into(), plain, None, None).unwrap()
    };
    let (mut given, mut spent) = (0, 0.0);
    for _ in 0..RUNS {
        let session = model.session(SessionOptions::default()).unwrap();
        session.append(prompt, false).unwrap();
        session.prefill(None).unwrap();
        let options = GenerateOptions { max_tokens: Some(tokens), ..GenerateOptions::default() };
        let mut bytes = 0;
        let start = computed();
        let stream = session.generate(options, None).unwrap();
        while let Some(chunk) = stream.next().unwrap() {
            bytes += chunk.text.len();
            given += chunk.tokens.len();
        }
        spent += computed() - start;
        assert!(bytes > 0);
    }
    spent / given as f64
}

fn c(program: &Path, path: &str, prompt: &str, tokens: u32) -> f64 {
    let mut command = Command::new(program);
    let said = run(command.args([path, prompt, &tokens.to_string(), &RUNS.to_string()]));
    said.trim().parse().unwrap()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let shared =
        std::env::var_os("PINFOLD_SHARED_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let stories = shared.join("checkpoints/stories260K.gguf");
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("cost");
    run(&mut build(&["cost.c"], &program));
    let mut models = vec![("scripted, all computed at once", "-".to_owned(), 2000)];
    if stories.exists() {
        models.push(("stories260K", stories.to_str().unwrap().to_owned(), 200));
    } else {
        println!("SKIPPED: stories260K: no {}", stories.display());
    }
    for (name, path, tokens) in models {
        let (mut in_rust, mut in_c) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            in_rust.push(rust(&path, "Once upon a time", tokens));
            in_c.push(c(&program, &path, "Once upon a time", tokens));
        }
        let (in_rust, in_c) = (median(in_rust), median(in_c));
        println!("{name}: {in_rust:.0} ns a token in Rust, {in_c:.0} ns in C, {:+.0} ns", in_c - in_rust);
    }
}
