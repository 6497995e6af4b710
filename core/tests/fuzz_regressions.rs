//! Replays what the fuzzer once found: `fuzz/regressions`, one file for each past fault.

use std::path::Path;

use pinfold::checkpoint::{self, Defect, Header};

#[test]
fn past_faults_stay_refusals() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().is_some_and(|name| name == ".gitkeep") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        // Neither panics, and both agree.
        let header: Result<Header, Defect> = Header::from_bytes(&bytes);
        let opened = checkpoint::open_bytes("regression", &bytes);
        assert!(header.is_ok() || opened.is_err(), "{path:?}");
    }
}
