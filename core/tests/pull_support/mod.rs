//! What the tests of downloads share: a server that serves as it is told, faults included, and the store.
#![allow(dead_code, unused_imports, reason = "not every test uses all of it")]

pub mod faults;
pub mod server;
pub mod tls;

use std::path::Path;
use std::sync::Arc;

use pinfold::lock::FilePin;
use pinfold::{Digest, PullOptions, Source, Store, StoreOptions};

pub use server::{Reply, Request, Server};

/// `length` bytes that look random, and are the same for the same seed.
pub fn bytes(seed: u64, length: usize) -> Arc<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    Arc::new(bytes)
}

pub fn store(folder: &Path) -> Store {
    Store::open(&StoreOptions { root: Some(folder.join("store")), quota: None }).unwrap()
}

/// Small parts and short waits.
pub fn options() -> PullOptions {
    PullOptions {
        backoff_ms: 1,
        stall_timeout_ms: 400,
        part_bytes: 16 << 10,
        hub_token: Some(String::new()),
        ..PullOptions::default()
    }
}

/// A pin of `bytes` to the URLs.
pub fn pin(bytes: &[u8], urls: &[&str]) -> FilePin {
    FilePin {
        sources: urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<Source>>(),
        sha256: Digest::of_bytes(bytes),
        size: bytes.len() as u64,
        licence: "MIT".to_owned(),
        minisig: None,
    }
}

/// What must hold after every pull, whatever its outcome: every file of the store has the bytes of its name.
pub fn assert_store_is_right(store: &Store) {
    let damaged = store.verify(&[], pinfold::store::StoreWatch::default()).unwrap();
    assert!(damaged.is_empty(), "wrong files in the store: {damaged:?}");
}

/// The threads of this process that pull.
#[cfg(target_os = "linux")]
pub fn pulling_threads() -> usize {
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(name)
        .filter(|name| name.trim() == "pinfold-pull")
        .count()
}
