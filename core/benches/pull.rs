//! How fast a file comes from a server on this machine, beside curl with the same file from the same server.
//!
//!     cargo bench --workspace --bench pull

#[allow(clippy::unwrap_used, reason = "shared with the tests")]
#[path = "../tests/pull_support/mod.rs"]
mod pull_support;

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use pinfold::pull::pull_file;
use pinfold::{Digest, PullOptions, PullWatch, StoreOptions};

const BYTES: usize = 256 << 20;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let body = pull_support::bytes(1, BYTES);
    let pin = pull_support::pin(&body, &[]);
    let server = pull_support::Server::of_file(body.clone());
    let url = server.url("model.gguf");
    let pin = pinfold::lock::FilePin { sources: vec![url.parse()?], ..pin };
    let (mut ours, mut hashing, mut curl) = (f64::MAX, f64::MAX, f64::MAX);
    let mut has_curl = true;
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let options = StoreOptions { root: Some(folder.path().join("store")), quota: None };
        let store = pinfold::Store::open(&options)?;
        let start = Instant::now();
        let path =
            pull_file("model", &pin, Path::new("."), &store, &PullOptions::default(), PullWatch::default())?;
        ours = ours.min(start.elapsed().as_secs_f64());

        let start = Instant::now();
        assert_eq!(Digest::of_file(path)?, pin.sha256);
        hashing = hashing.min(start.elapsed().as_secs_f64());

        let copy = folder.path().join("copy");
        let start = Instant::now();
        let done =
            Command::new("curl").args(["--silent", "--fail", "--output"]).arg(&copy).arg(&url).status();
        has_curl &= done.is_ok_and(|status| status.success());
        if has_curl {
            std::fs::File::open(&copy)?.sync_all()?;
            curl = curl.min(start.elapsed().as_secs_f64());
        }
    }
    let speed = |seconds: f64| BYTES as f64 / 1e6 / seconds;
    println!("pull, with the digest checked: {:6.0} MB/s", speed(ours));
    println!("of that the digest:            {:6.0} MB/s", speed(hashing));
    if has_curl {
        println!("curl, then fsync:              {:6.0} MB/s", speed(curl));
        println!("pull / curl, without digest:   {:6.2}", curl / (ours - hashing));
        println!("pull / curl, then the digest:  {:6.2}", (curl + hashing) / ours);
    } else {
        println!("curl is not here: nothing to compare with");
    }
    Ok(())
}
