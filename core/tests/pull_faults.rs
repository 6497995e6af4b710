//! 500 downloads from servers that fail at random. Each ends with the right bytes under the right digest, or
//! with a typed error; and whatever it left behind, a good server heals it.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod pull_support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use pinfold::pull::pull_file;
use pinfold::{Error, PullOptions, PullWatch};
use pull_support::faults::{self, Character};
use pull_support::{Server, assert_store_is_right, bytes, options, pin, store};

const RUNS: u64 = 500;
const THREADS: usize = 64;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// What became of the runs with one kind of server.
#[derive(Default)]
struct Tally {
    whole: usize,
    by_mirror: usize,
    refused: usize,
    bytes: u64,
    sent: u64,
    reason: String,
}

#[test]
fn five_hundred_downloads_from_failing_servers() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        hook(panic);
    }));
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let tallies = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::SeqCst)).filter(|&seed| seed < RUNS) {
                    run(seed, &tallies);
                }
            });
        }
    });
    let tallies = tallies.into_inner().unwrap();
    println!(
        "{:18} {:>5} {:>7} {:>8} {:>11}  an error",
        "server's fault", "whole", "mirror", "refused", "sent/bytes"
    );
    for (name, Tally { whole, by_mirror, refused, bytes, sent, reason }) in &tallies {
        let ratio = *sent as f64 / (*bytes).max(1) as f64;
        println!("{name:18} {whole:5} {by_mirror:7} {refused:8} {ratio:11.2}  {reason}");
    }
    let sum = |of: fn(&Tally) -> usize| tallies.values().map(of).sum::<usize>();
    let (whole, by_mirror, refused) =
        (sum(|one| one.whole), sum(|one| one.by_mirror), sum(|one| one.refused));
    println!("{:18} {whole:5} {by_mirror:7} {refused:8}  in {:.1} s", "all", begun.elapsed().as_secs_f64());
    assert_eq!(whole + by_mirror + refused, RUNS as usize);
    assert!(
        whole > 100 && by_mirror > 50 && refused > 50,
        "the faults are too mild or too hard to tell anything"
    );
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "something panicked");
    #[cfg(target_os = "linux")]
    {
        // A worker that was told to stop may be on its way.
        for _ in 0..100 {
            if pull_support::pulling_threads() == 0 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(pull_support::pulling_threads(), 0, "threads are left over");
    }
}

fn run(seed: u64, tallies: &Mutex<BTreeMap<String, Tally>>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let body = bytes(seed, random.usize(50_000..500_000));
    let faulty = Server::start(faults::handler(seed, body.clone()));
    let good = Server::of_file(body.clone());
    let with_mirror = random.bool();
    let urls = [faulty.url("model.gguf"), good.url("model.gguf")];
    let urls: Vec<&str> = urls.iter().take(if with_mirror { 2 } else { 1 }).map(String::as_str).collect();
    // Long enough for a thread to get its turn among all those.
    let options = PullOptions { connections: random.u32(1..=6), stall_timeout_ms: 1000, ..options() };
    let pull = |urls: &[&str]| {
        pull_file("model", &pin(&body, urls), Path::new("."), &store, &options, PullWatch::default())
    };
    let outcome = pull(&urls);
    assert_store_is_right(&store);
    let (sent, healed) = (faulty.sent(), good.sent() > 0);
    let mut reason = String::new();
    match &outcome {
        Ok(path) => assert!(std::fs::read(path).unwrap() == *body, "seed {seed}: other bytes"),
        Err(Error::PullFailed { reason: said, .. }) => {
            assert!(!with_mirror, "seed {seed}: a good mirror was there: {said}");
            reason = said.split_once(": ").unwrap().1.to_owned();
            let path = pull(&[&good.url("model.gguf")]).unwrap();
            assert!(std::fs::read(path).unwrap() == *body, "seed {seed}: other bytes");
            assert_store_is_right(&store);
        }
        Err(other) => panic!("seed {seed}: {other:?}"),
    }
    let name = Character::of_seed(seed).fault.map_or("all".to_owned(), |fault| format!("{fault:?}"));
    let mut tallies = tallies.lock().unwrap();
    let tally = tallies.entry(name).or_default();
    match &outcome {
        Ok(_) if healed => tally.by_mirror += 1,
        Ok(_) => tally.whole += 1,
        Err(_) => tally.refused += 1,
    }
    tally.bytes += body.len() as u64;
    tally.sent += sent;
    if !reason.is_empty() {
        tally.reason = reason;
    }
}
