//! The embedded checkpoints are those that `pinfold.lock` pins, and still answer as they did when they were shipped.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::Path;

use pinfold::lock::CheckpointPin;
use pinfold::verify::{GoldenOutcome, VerifyWatch, verify};
use pinfold::{LockFile, Store, StoreOptions, VerifyOptions, checkpoint};

fn lock() -> LockFile {
    LockFile::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("pinfold.lock")).unwrap()
}

#[test]
fn what_is_embedded_is_what_is_pinned() {
    let lock = lock();
    let pins = &lock.lock().checkpoints;
    assert_eq!(pins.len(), pinfold_checkpoints::all().len());
    for embedded in pinfold_checkpoints::all() {
        let pin = &pins[embedded.name];
        assert_eq!(pin.file.sha256, embedded.digest());
        assert_eq!((pin.file.size, &*pin.file.licence), (embedded.bytes.len() as u64, embedded.licence));
        let found = checkpoint::open_bytes(embedded.name, embedded.bytes).unwrap();
        assert_eq!(*pin, CheckpointPin::of(&found, pin.file.clone()));
    }
}

#[test]
fn every_golden_comes_out_again() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("goldens-store");
    let store = Store::open(&StoreOptions { root: Some(root), quota: None }).unwrap();
    // Kernels of another instruction set round 8-bit activations in another way, which shows most in the tokens that
    // were drawn though they are unlikely.
    let options = VerifyOptions { tolerance: 0.5, ..VerifyOptions::default() };
    let report = verify(&lock(), &store, &options, VerifyWatch::default()).unwrap();
    assert!(report.passed(), "{report:#?}");
    for embedded in pinfold_checkpoints::all() {
        let goldens = || report.goldens.iter().filter(|golden| golden.checkpoint == embedded.name);
        assert!(goldens().count() >= 8, "{} has too few goldens", embedded.name);
        assert!(goldens().all(|golden| !golden.exact || golden.outcome == GoldenOutcome::Same));
        eprintln!(
            "{}: {} goldens, deviation {}",
            embedded.name,
            goldens().count(),
            goldens().map(|golden| golden.deviation).fold(0.0, f32::max)
        );
    }
}
