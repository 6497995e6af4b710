//! Claims, and commits under them.

use super::*;

#[test]
fn a_claim_has_one_holder_and_the_next_one_finds_the_file() {
    let (_folder, store) = store();
    let digest = Digest::of_bytes(b"bytes");
    let first = store.claim(digest, &Cancel::new()).unwrap();
    assert_eq!(first.existing(), None);
    assert!(store.is_claimed(&layout::blob_name(digest)).unwrap());
    let second = std::thread::spawn({
        let store = store.clone();
        move || store.claim(digest, &Cancel::new()).unwrap().existing().map(Path::to_owned)
    });
    let partial = store.partial_path(&first);
    fs::write(&partial, b"bytes").unwrap();
    let committed = commit(&store, &first, &partial).unwrap();
    drop(first);
    assert_eq!(second.join().unwrap(), Some(committed.path));
    assert!(!store.is_claimed(&layout::blob_name(digest)).unwrap());
}

#[test]
fn waiting_for_a_claim_can_be_cancelled() {
    let (_folder, store) = store();
    let _first = store.claim_source("a key", &Cancel::new()).unwrap();
    let cancel = Cancel::new();
    let second = std::thread::spawn({
        let (store, cancel) = (store.clone(), cancel.clone());
        move || store.claim_source("a key", &cancel).map(drop)
    });
    assert!(store.claim_source("another key", &Cancel::new()).is_ok());
    cancel.cancel();
    assert!(matches!(second.join().unwrap(), Err(Error::Cancelled)));
}

#[test]
fn other_bytes_than_those_claimed_are_refused_and_removed() {
    let (_folder, store) = store();
    let (expected, actual) = (Digest::of_bytes(b"right"), Digest::of_bytes(b"wrong"));
    let claim = store.claim(expected, &Cancel::new()).unwrap();
    let partial = store.partial_path(&claim);
    fs::write(&partial, b"wrong").unwrap();
    let refused = commit(&store, &claim, &partial);
    assert!(
        matches!(refused, Err(Error::WrongDigest { expected: e, actual: a, .. }) if (e, a) == (expected, actual))
    );
    assert!(!partial.exists());
    assert_eq!(store.list().unwrap(), []);
}

#[test]
fn a_cancelled_commit_keeps_what_arrived() {
    let (_folder, store) = store();
    let claim = store.claim(Digest::of_bytes(b"right"), &Cancel::new()).unwrap();
    let partial = store.partial_path(&claim);
    fs::write(&partial, b"right").unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(matches!(store.commit(&claim, &partial, &mut |_| cancel.check()), Err(Error::Cancelled)));
    assert_eq!(fs::read(&partial).unwrap(), b"right");
    commit(&store, &claim, &partial).unwrap();
}

#[test]
fn a_damaged_file_is_not_found_by_a_claim_and_is_replaced() {
    let (_folder, store) = store();
    let digest = place(&store, b"right");
    let path = store.blob(digest);
    overwrite(&path, b"wrong");
    assert_eq!(store.claim(digest, &Cancel::new()).unwrap().existing(), None);
    assert!(path.exists(), "only a commit replaces it");
    place(&store, b"right");
    assert_eq!(fs::read(store.get(digest, Check::Full).unwrap().unwrap()).unwrap(), b"right");
}

#[test]
fn the_bytes_of_a_source_name_themselves() {
    let (_folder, store) = store();
    let cancel = Cancel::new();
    for round in 0..2 {
        let claim = store.claim_source("https://example.com/a?b=c", &cancel).unwrap();
        let partial = store.partial_path(&claim);
        fs::write(&partial, b"bytes").unwrap();
        let before = fs::metadata(store.blob(Digest::of_bytes(b"bytes"))).and_then(|m| m.modified()).ok();
        let committed = commit(&store, &claim, &partial).unwrap();
        assert_eq!((committed.digest, committed.size), (Digest::of_bytes(b"bytes"), 5));
        assert_eq!(committed.path, store.blob(committed.digest));
        assert!(!partial.exists());
        let after = fs::metadata(&committed.path).unwrap().modified().ok();
        assert!(round == 0 || before == after, "a whole file is left in its place");
    }
}

#[cfg(unix)]
#[test]
fn a_stored_file_is_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, store) = store();
    let digest = place(&store, b"bytes");
    assert_eq!(fs::metadata(store.blob(digest)).unwrap().permissions().mode() & 0o777, 0o444);
}

#[test]
fn collect_leaves_alone_what_is_claimed_and_what_is_young() {
    let (_folder, store) = store();
    let cancel = Cancel::new();
    let files = |claim: &Claim| {
        let partial = store.partial_path(claim);
        let beside = partial.with_extension("json");
        fs::write(&partial, vec![7; 8192]).unwrap();
        fs::write(&beside, vec![7; 8192]).unwrap();
        [partial, beside]
    };
    let held = store.claim(Digest::of_bytes(b"held"), &cancel).unwrap();
    let held_files = files(&held);
    let young = files(&store.claim(Digest::of_bytes(b"young"), &cancel).unwrap());
    let old = files(&store.claim(Digest::of_bytes(b"old"), &cancel).unwrap());
    let copy = files(&store.claim_named(format!("{}x", commit::IMPORT), &cancel).unwrap());
    held_files.iter().chain(&old).for_each(|path| age(path, 8 * 24 * 3600));
    // Part of it was written lately.
    age(&young[0], 8 * 24 * 3600);
    let blob = place(&store, b"held blob");
    let claim = store.claim(blob, &cancel).unwrap();

    let planned = store.collect(true).unwrap();
    assert!(old.iter().chain(&copy).all(|path| path.exists()), "a dry run removes nothing");
    let collected = store.collect(false).unwrap();
    assert_eq!(planned, collected);
    assert_eq!(collected.removed, []);
    assert!(collected.freed >= 4 * 8192);
    assert!(!old.iter().chain(&copy).any(|path| path.exists()));
    assert!(held_files.iter().chain(&young).all(|path| path.exists()));
    assert_eq!(names(store.folder("locks")).len(), 3, "those of the two claims, and that of the store");
    drop((held, claim));
    assert_eq!(store.collect(false).unwrap().removed.len(), 1);
    assert_eq!(names(store.folder("stamps")).len(), 0);
    assert_eq!(names(store.folder("locks")), [claim::STORE]);
}
