//! How long it takes to open a lock file of 100 entries and to resolve all of them, as an app does at its start.
//!
//!     cargo bench --workspace --bench lock

use std::fs;
use std::time::Instant;

use pinfold::lock::{CheckpointPin, Expected, FilePin, Golden, GoldenInput, Recorded};
use pinfold::store::StoreWatch;
use pinfold::{Check, Digest, LockFile, Sampling, Store, StoreOptions};

const ENTRIES: usize = 100;
const ROUNDS: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("pinfold.lock");
    let root = Some(folder.path().join("store"));
    let store = Store::open(&StoreOptions { root, ..Default::default() })?;

    // Half of the files are in the store, the others beside the lock file.
    let names: Vec<String> = (0..ENTRIES).map(|entry| format!("checkpoint-{entry}")).collect();
    LockFile::edit(&path, |lock| {
        for (entry, name) in names.iter().enumerate() {
            let file = folder.path().join(name);
            fs::write(&file, name).map_err(pinfold::Error::io(&file))?;
            if entry % 2 == 0 {
                store.import(&file, None, StoreWatch::default())?;
                fs::remove_file(&file).map_err(pinfold::Error::io(&file))?;
            }
            lock.set_checkpoint(name, &pin(name)?)?;
        }
        // Goldens are most of a file in practice.
        (0..20).try_for_each(|golden| lock.set_golden(&format!("golden-{golden}"), &recorded(&names[golden])))
    })?;
    println!("{ENTRIES} checkpoints and 20 goldens, {} KiB", fs::metadata(&path)?.len() / 1024);

    let run = |check| -> pinfold::Result<f64> {
        let start = Instant::now();
        let lock = LockFile::open(&path)?;
        for name in &names {
            lock.resolve(name, &store, check)?;
        }
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    println!("the first time, everything hashed: {:.2} ms", run(Check::Full)?);
    run(Check::Stamp)?;
    let mut times = (0..ROUNDS).map(|_| run(Check::Stamp)).collect::<pinfold::Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    let (median, least) = (times[ROUNDS / 2], times[0]);
    println!("open and resolve all: {median:.2} ms, the median of {ROUNDS}; {least:.2} ms at best");
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        LockFile::open(&path)?;
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("open alone: {least:.2} ms at best");
    Ok(())
}

fn pin(name: &str) -> pinfold::Result<CheckpointPin> {
    Ok(CheckpointPin {
        file: FilePin {
            sources: vec![format!("hf:acme/models/{name}.gguf").parse()?, format!("file:{name}").parse()?],
            sha256: Digest::of_bytes(name.as_bytes()),
            size: name.len() as u64,
            licence: "MIT OR Apache-2.0".to_owned(),
            minisig: None,
        },
        architecture: "llama".to_owned(),
        quantization: "Q4_K_M".to_owned(),
        context_length: 4096,
        tokenizer_sha256: Digest::of_bytes(b"tokenizer"),
        chat_template_sha256: Some(Digest::of_bytes(b"template")),
    })
}

fn recorded(checkpoint: &str) -> Golden {
    Golden {
        checkpoint: checkpoint.to_owned(),
        input: GoldenInput::Text("play some jazz".to_owned()),
        sampling: Sampling { temperature: 0.2, seed: 7, ..Default::default() },
        preset: None,
        max_tokens: 64,
        stop: vec!["\n".to_owned()],
        expected: Expected {
            prompt_sha256: Digest::of_bytes(b"prompt"),
            tokens: (1000..1064).collect(),
            text: "some words ".repeat(25),
            logprobs: (0..64).map(|i| -(i as f32) / 1000.0).collect(),
            finish: "length".to_owned(),
        },
        recorded: Recorded { runtime: "0.1.0".into(), backend: "cpu avx2".into(), llama_cpp: "b6123".into() },
    }
}
