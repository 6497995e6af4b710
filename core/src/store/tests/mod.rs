//! What only the crate itself can reach: claims, commits, stamps, room. The rest is in `core/tests`.

mod claims;
mod processes;
mod space;
mod stamps;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::*;

/// A store in a folder of its own, with a name that is not plain.
fn store() -> (tempfile::TempDir, Store) {
    store_with(None)
}

fn store_with(quota: Option<u64>) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let root = Some(folder.path().join("a störe 仓库"));
    let store = Store::open(&StoreOptions { root, quota }).unwrap();
    (folder, store)
}

/// Takes `bytes` into the store, as a download does.
fn place(store: &Store, bytes: &[u8]) -> Digest {
    let digest = Digest::of_bytes(bytes);
    let claim = store.claim(digest, &Cancel::new()).unwrap();
    let partial = store.partial_path(&claim);
    fs::write(&partial, bytes).unwrap();
    assert_eq!(commit(store, &claim, &partial).unwrap().digest, digest);
    digest
}

fn commit(store: &Store, claim: &Claim, partial: &Path) -> Result<Committed> {
    store.commit(claim, partial, &mut |_| Ok(()))
}

/// Changes a stored file in place.
fn overwrite(path: &Path, bytes: &[u8]) {
    make_writable(path);
    fs::write(path, bytes).unwrap();
}

fn make_writable(path: &Path) {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    #[cfg(not(unix))]
    let _ = path;
}

/// Sets the time of a file to a number of seconds ago.
fn age(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

fn names(folder: PathBuf) -> Vec<String> {
    layout::entries(&folder).unwrap().into_iter().map(|(name, _)| name).collect()
}

fn is_wrong(found: Result<Option<PathBuf>>) -> bool {
    matches!(found, Err(Error::WrongDigest { .. }))
}
