//! Replays what the fuzzer once found: `fuzz/regressions`, one folder for each target, one file for each past fault.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};

use pinfold::checkpoint::{self, Defect, Header};

#[path = "common/chain.rs"]
mod chain;
#[path = "common/events.rs"]
mod events;
#[path = "common/lock.rs"]
mod lock;

fn files(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions").join(target);
    let paths = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let faults = paths.filter(|path| path.file_name().is_some_and(|name| name != ".gitkeep"));
    faults.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn past_faults_of_headers_stay_refusals() {
    for (path, bytes) in files("gguf_header") {
        // Neither panics, and both agree.
        let header: Result<Header, Defect> = Header::from_bytes(&bytes);
        let opened = checkpoint::open_bytes("regression", &bytes);
        assert!(header.is_ok() || opened.is_err(), "{path:?}");
    }
}

#[test]
fn past_faults_of_chat_templates_stay_refusals() {
    for (path, bytes) in files("chat_template") {
        let template = pinfold::ChatTemplate::new(&String::from_utf8(bytes).unwrap());
        let rendered = template.and_then(|template| template.render(&[].iter().collect()));
        assert!(rendered.is_err(), "{path:?}");
    }
}

#[test]
fn past_faults_of_lock_files_stay_answers() {
    for (path, bytes) in files("lock_file") {
        eprintln!("{}", path.display());
        lock::check(&bytes);
    }
}

#[test]
fn past_faults_of_event_streams_stay_answers() {
    // What the fuzzer begins with.
    let seeds = [&b"\xEF\xBB\xBF: c\r\ndata: a\rdata:b\n\ndata"[..], b"data: \xff\n\n", b"\n\r\n\r\r"];
    for bytes in seeds {
        events::check(bytes);
    }
}

#[test]
fn past_faults_of_chains_stay_answers() {
    // The seeds of the fuzzer, so that there is always something to run.
    let state =
        br#"{"pinfold_chain": 1, "chain": "a", "files": {}, "values": {}, "outputs": {"a": {"kind": "a"}},
        "next": "b", "last": "a", "jumps": {}, "items": []}"#;
    for bytes in [&b"steps: [{id: a, prompt: a.prompt, next: {step: a, times: 2}}]"[..], state, b"\xff"] {
        chain::check(bytes);
    }
    for (path, bytes) in files("chain") {
        eprintln!("{}", path.display());
        chain::check(&bytes);
    }
}
