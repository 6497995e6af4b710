//! What the reproducible mode costs: tokens a second of prompts and of generation, and memory, with and without it,
//! alternating.
//!
//!     cargo bench --workspace --bench reproducible -- CHECKPOINT.gguf [THREADS]

use std::path::Path;
use std::time::{Duration, Instant};

use pinfold::{Cancel, Checkpoint, Model, ModelOptions, Offload, Session, Token};

/// Rounds go on so long, but are two at least.
const PATIENCE: Duration = Duration::from_secs(10);
const PROMPT: u32 = 128;
const GENERATED: u32 = 48;
const CONTEXT: u32 = 512;

fn main() -> pinfold::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let Some(path) = arguments.next() else {
        println!("reproducible: no checkpoint was named, nothing is measured");
        return Ok(());
    };
    let threads = arguments.next().and_then(|threads| threads.parse().ok()).unwrap_or(0);
    let options = |reproducible| ModelOptions {
        context_tokens: CONTEXT,
        threads,
        reproducible,
        offload: Offload::cpu_only(),
        ..Default::default()
    };
    let modes = [("normal", false), ("reproducible", true)];
    let mut sessions = Vec::new();
    let checkpoint = pinfold::checkpoint::open(Path::new(&path))?;
    for (_, reproducible) in modes {
        let before = resident();
        let session = Model::load(&path, &options(reproducible))?.session()?;
        prompt(&session)?;
        sessions.push((session, resident().saturating_sub(before)));
    }
    let mut best = [[f64::MAX; 2]; 2];
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < 2 || start.elapsed() < PATIENCE {
        rounds += 1;
        for ((session, _), best) in sessions.iter().zip(&mut best) {
            for (best, seconds) in best.iter_mut().zip([prompt(session)?, generate(session)?]) {
                *best = best.min(seconds);
            }
        }
    }
    for (((name, reproducible), (_, resident)), best) in modes.iter().zip(&sessions).zip(&best) {
        let estimate = estimate(&options(*reproducible), &checkpoint);
        println!(
            "{name:12} prompt {:8.1} tokens/s, generation {:8.1} tokens/s, {:6.1} MiB resident more, {:6.1} MiB estimated",
            f64::from(PROMPT) / best[0],
            f64::from(GENERATED) / best[1],
            *resident as f64 / 1024.0 / 1024.0,
            estimate,
        );
    }
    println!(
        "a prompt takes {:.2} times as long, a token {:.2}",
        best[1][0] / best[0][0],
        best[1][1] / best[0][1]
    );
    Ok(())
}

fn estimate(options: &ModelOptions, checkpoint: &Checkpoint) -> f64 {
    options.estimate(checkpoint).total() as f64 / 1024.0 / 1024.0
}

/// Seconds that a prompt takes.
fn prompt(session: &Session) -> pinfold::Result<f64> {
    session.rewind(0)?;
    session.append_tokens(&(0..PROMPT).map(|index| Token(index % 200 + 10)).collect::<Vec<_>>())?;
    let start = Instant::now();
    session.prefill(&Cancel::new())?;
    Ok(start.elapsed().as_secs_f64())
}

/// Seconds that as many single tokens take after the prompt, without the sampler, so that nothing ends it.
fn generate(session: &Session) -> pinfold::Result<f64> {
    let start = Instant::now();
    for index in 0..GENERATED {
        session.append_tokens(&[Token(index + 10)])?;
        session.prefill(&Cancel::new())?;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Bytes of this process in memory; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
