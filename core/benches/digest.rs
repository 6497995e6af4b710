//! How fast SHA-256 is, in memory and of a file in the page cache, beside `sha256sum` and `openssl dgst` on
//! the same file. Each number is the best of a few rounds, in which all take turns. On Linux it is of processor
//! time, so that other work on the machine disturbs less.
//!
//!     cargo bench --package pinfold --no-default-features --bench digest -- [FILE]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use pinfold::{Check, Digest, Store, StoreOptions};

const ROUNDS: usize = 5;

/// Bytes in memory, and of the file that is made where none is named.
const SIZE: usize = 512 << 20;

fn main() -> pinfold::Result<()> {
    let folder = tempfile::tempdir().map_err(pinfold::Error::io("a temporary folder"))?;
    let path = match std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        Some(path) => path.into(),
        None => make(&folder.path().join("file"))?,
    };
    let size = std::fs::metadata(&path).map_err(pinfold::Error::io(&path))?.len();
    // Once, so that the file is in the page cache and the peers can be compared with the right digest.
    let digest = Digest::of_file(&path)?;

    let mut best = vec![("Digest::of_bytes", 0.0), ("Digest::of_file", 0.0)];
    let peers = [("sha256sum", &["sha256sum"][..]), ("openssl dgst", &["openssl", "dgst", "-sha256", "-r"])];
    let peers: Vec<_> =
        peers.into_iter().filter(|(_, command)| run(command, &path) == Some(digest)).collect();
    best.extend(peers.iter().map(|&(name, _)| (name, 0.0)));
    let bytes = vec![0x5a; SIZE];
    for _ in 0..ROUNDS {
        let mut rates = vec![
            rate(SIZE as u64, || Some(Digest::of_bytes(&bytes))),
            rate(size, || Digest::of_file(&path).ok()),
        ];
        rates.extend(peers.iter().map(|(_, command)| rate(size, || run(command, &path))));
        for ((_, best), rate) in best.iter_mut().zip(rates) {
            *best = f64::max(*best, rate);
        }
    }
    let ours = best[1].1;
    for (name, rate) in &best {
        println!("{name:16} {rate:6.2} GB/s, {:.2} of Digest::of_file", rate / ours);
    }
    stamps(folder.path(), &path, digest)
}

/// How long a stored file takes to be checked by its stamp.
fn stamps(folder: &Path, path: &Path, digest: Digest) -> pinfold::Result<()> {
    let store = Store::open(&StoreOptions { root: Some(folder.join("store")), quota: None })?;
    store.import(path, Some(digest), Default::default())?;
    let start = Instant::now();
    for _ in 0..1000 {
        store.get(digest, Check::Stamp)?;
    }
    println!("{:16} {:6.1} us by stamp", "Store::get", start.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

fn make(path: &Path) -> pinfold::Result<std::path::PathBuf> {
    let mut piece = vec![0; 1 << 20];
    fastrand::Rng::with_seed(1).fill(&mut piece);
    let write = || {
        let mut file = std::fs::File::create(path)?;
        (0..SIZE / piece.len()).try_for_each(|_| file.write_all(&piece))?;
        file.sync_all()
    };
    write().map_err(pinfold::Error::io(path))?;
    Ok(path.to_owned())
}

/// GB/s of hashing `bytes` bytes; nothing if it fails.
fn rate(bytes: u64, hash: impl FnOnce() -> Option<Digest>) -> f64 {
    let (start, before) = (Instant::now(), processor_time());
    let digest = std::hint::black_box(hash());
    let seconds = match (before, processor_time()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed().as_secs_f64(),
    };
    digest.map_or(0.0, |_| bytes as f64 / seconds.max(1e-3) / 1e9)
}

/// Seconds that the processor worked for this process and for its children that ended.
fn processor_time() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the program's name: the times are fields 14 to 17, in hundredths of a second. See proc(5).
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    let times = fields.skip(11).take(4).map(|ticks| ticks.parse::<u32>().ok());
    Some(times.sum::<Option<u32>>()? as f64 / 100.0)
}

/// What a program that prints the digest first says of a file; `None` if it is not there.
fn run(command: &[&str], path: &Path) -> Option<Digest> {
    let output = Command::new(command[0]).args(&command[1..]).arg(path).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().next()?.parse().ok()
}
