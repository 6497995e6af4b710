//! What several tests share.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod families;
pub mod gguf;
pub mod hostile;
pub mod mutate;
pub mod patch;

use std::path::{Path, PathBuf};

/// A file of the shared test data, by its path under `shared/data`; says that the test is skipped if the data
/// are absent. They are found by `PINFOLD_SHARED_DATA`, or beside the repository.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("PINFOLD_SHARED_DATA") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    let test = std::thread::current();
    eprintln!("SKIPPED {}: no {path} in the shared data", test.name().unwrap_or("a test"));
    None
}
