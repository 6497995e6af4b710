//! How long a cancel takes to return, in a prefill and in a decode, and how long slices of several lengths take.
//!
//!     cargo bench --workspace --bench cancel -- CHECKPOINT.gguf

use std::time::{Duration, Instant};

use pinfold::{Cancel, GenerateOptions, Model, ModelOptions, Offload, Token};

const ROUNDS: usize = 20;
const PROMPT: usize = 1500;

fn main() -> pinfold::Result<()> {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let Some(path) = path else {
        println!("cancel: no checkpoint was named, nothing is measured");
        return Ok(());
    };
    let options =
        ModelOptions { context_tokens: 2048, threads: 2, offload: Offload::cpu_only(), ..Default::default() };
    for slice_tokens in [8, 16, 24, 32, 64, 128] {
        slices(&path, &ModelOptions { slice_tokens, ..options.clone() })?;
    }
    let model = Model::load(&path, &options)?;
    let slice = options.slice_of(model.facts().parameters) as usize;
    let tokens = |count: usize| (0..count).map(|i| Token(i as u32 % 200 + 10)).collect::<Vec<_>>();

    let session = model.session()?;
    session.append_tokens(&tokens(slice))?;
    let start = Instant::now();
    session.prefill(&Cancel::new())?;
    println!("a slice of {slice} tokens takes {:.1} ms", start.elapsed().as_secs_f64() * 1e3);

    let (mut prefill, mut decode) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        session.rewind(0)?;
        session.append_tokens(&tokens(PROMPT))?;
        let cancel = Cancel::new();
        let setter = cancel_after(&cancel, Duration::from_millis(50 + 7 * round as u64));
        let cancelled = session.prefill(&cancel);
        prefill.push(late(setter));
        assert!(
            matches!(cancelled, Err(pinfold::Error::Cancelled)),
            "the prefill was too short to be cancelled"
        );

        session.rewind(1)?;
        let cancel = Cancel::new();
        let options = GenerateOptions { cancel: cancel.clone(), ..Default::default() };
        let stream = session.generate(&options)?;
        let setter = cancel_after(&cancel, Duration::from_millis(50 + 7 * round as u64));
        stream.for_each(drop);
        decode.push(late(setter));
    }
    println!(
        "cancel returns in a prefill after {:.1} ms at most, in a decode after {:.1} ms",
        most(&prefill),
        most(&decode)
    );
    Ok(())
}

/// Computes a prompt in slices of the length that the options say.
fn slices(path: &str, options: &ModelOptions) -> pinfold::Result<()> {
    let session = Model::load(path, options)?.session()?;
    let mut seconds = Vec::new();
    for _ in 0..4 {
        session.rewind(0)?;
        session.append_tokens(&(0..256).map(|i| Token(i % 200 + 10)).collect::<Vec<_>>())?;
        let start = Instant::now();
        session.prefill(&Cancel::new())?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let best = seconds.iter().copied().fold(f64::MAX, f64::min);
    let slice = f64::from(options.slice_tokens);
    println!(
        "slices of {slice:3}: {:6.1} ms each, {:6.1} tokens/s",
        best / 256.0 * slice * 1e3,
        256.0 / best
    );
    Ok(())
}

/// Sets the flag after a while, and tells when.
fn cancel_after(cancel: &Cancel, delay: Duration) -> std::thread::JoinHandle<Instant> {
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(delay);
        let now = Instant::now();
        cancel.cancel();
        now
    })
}

/// Milliseconds since the flag was set.
fn late(setter: std::thread::JoinHandle<Instant>) -> f64 {
    setter.join().map_or(f64::NAN, |set| set.elapsed().as_secs_f64() * 1e3)
}

fn most(times: &[f64]) -> f64 {
    times.iter().copied().fold(0.0, f64::max)
}
