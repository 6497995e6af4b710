//! What a session costs above the bare engine: microseconds a token on a small checkpoint, alternating.
//!
//!     cargo bench --workspace --bench overhead -- CHECKPOINT.gguf

use std::time::Instant;

use pinfold::engine::llama::{LlamaWeights, LoadOptions, Source};
use pinfold::engine::{Batch, BatchToken, EngineOptions, Weights};
use pinfold::{Cancel, GenerateOptions, Model, ModelOptions, Offload, Token};

const TOKENS: usize = 200;
const ROUNDS: usize = 60;

fn main() -> pinfold::Result<()> {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let Some(path) = path else {
        println!("overhead: no checkpoint was named, nothing is measured");
        return Ok(());
    };
    let options =
        ModelOptions { context_tokens: 512, threads: 1, offload: Offload::cpu_only(), ..Default::default() };
    let model = Model::load(&path, &options)?;
    let load =
        LoadOptions { offload: Offload::cpu_only(), mmap: true, progress: None, cancel: Cancel::new() };
    let checkpoint = pinfold::checkpoint::open(&path)?;
    let weights = LlamaWeights::load(&path, &checkpoint, &Source::Path(path.clone().into()), load)?;
    let (mut bare, mut session) = (Vec::new(), Vec::new());
    let tokens = through_session(&model, &mut session)?;
    session.clear();
    for _ in 0..ROUNDS {
        through_engine(&weights, &tokens, &mut bare)?;
        through_session(&model, &mut session)?;
    }
    let (bare, session) = (quartile(&mut bare), quartile(&mut session));
    println!("bare engine {bare:.1} us a token, session {session:.1}, overhead {:.1}", session - bare);
    Ok(())
}

/// Greedy generation through a session and its stream.
fn through_session(model: &Model, times: &mut Vec<f64>) -> pinfold::Result<Vec<Token>> {
    let session = model.session()?;
    session.append_tokens(&[Token(1)])?;
    session.prefill(&Cancel::new())?;
    let options = GenerateOptions { max_tokens: Some(TOKENS as u32), ..Default::default() };
    let start = Instant::now();
    let completion = session.generate(&options)?.complete()?;
    times.push(start.elapsed().as_secs_f64() * 1e6 / completion.tokens.len() as f64);
    Ok(completion.tokens.iter().map(|token| token.token).collect())
}

/// The same tokens, decoded one by one without sampling.
fn through_engine(weights: &LlamaWeights, tokens: &[Token], times: &mut Vec<f64>) -> pinfold::Result<()> {
    let options = EngineOptions {
        context_tokens: 512,
        sequences: 8,
        batch_tokens: 512,
        threads: 1,
        embeddings: false,
        reproducible: false,
    };
    let mut engine = weights.open(&options)?;
    let mut batch = Batch::default();
    let mut sum = 0.0;
    let start = Instant::now();
    for (position, &token) in (0..).zip(tokens) {
        batch.clear();
        batch.push(BatchToken { token, sequence: 0, position, output: true });
        engine.decode(&batch, None)?;
        sum += engine.logits(0)?[0];
    }
    times.push(start.elapsed().as_secs_f64() * 1e6 / tokens.len() as f64);
    std::hint::black_box(sum);
    Ok(())
}

/// The lower quartile: what the machine does when nothing disturbs it.
fn quartile(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 4]
}
