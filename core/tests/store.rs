//! The store, as a program that uses the crate sees it.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use pinfold::store::{Collected, StoreWatch};
use pinfold::{Cancel, Check, Digest, Error, Store, StoreOptions};

/// A folder that holds a store and the files that are imported.
struct Fixture {
    folder: tempfile::TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("a störe 仓库")).unwrap();
        Self { folder, store }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn import(&self, bytes: &[u8]) -> Digest {
        self.store.import(&self.file("origin", bytes), None, StoreWatch::default()).unwrap()
    }

    fn blob(&self, digest: Digest) -> PathBuf {
        self.store.root().join("blobs").join(format!("sha256-{digest}"))
    }

    /// A lock file that pins these digests.
    fn lock(&self, name: &str, digests: &[Digest]) -> PathBuf {
        let mut text = "version = 1\n".to_owned();
        for (index, digest) in digests.iter().enumerate() {
            text += &format!(
                "[checkpoints.c{index}]\nsources = [\"file:origin\"]\nsha256 = \"{digest}\"\nsize = 5\n\
                 format = \"gguf\"\narchitecture = \"llama\"\nquantization = \"F16\"\ncontext_length = 9\n\
                 licence = \"MIT\"\ntokenizer_sha256 = \"{digest}\"\n"
            );
        }
        self.file(name, text.as_bytes())
    }
}

fn open(root: &Path) -> pinfold::Result<Store> {
    Store::open(&StoreOptions { root: Some(root.to_owned()), quota: None })
}

fn overwrite(path: &Path, bytes: &[u8]) {
    // Renamed over it: the file itself is read-only.
    let other = path.with_extension("other");
    fs::write(&other, bytes).unwrap();
    fs::rename(other, path).unwrap();
}

#[test]
fn the_layout_is_what_the_guide_says() {
    let f = Fixture::new();
    let digest = f.import(b"bytes");
    assert_eq!(fs::read_to_string(f.store.root().join("VERSION")).unwrap(), "pinfold store 1\n");
    assert_eq!(fs::read(f.blob(digest)).unwrap(), b"bytes");
    let mut names: Vec<_> = fs::read_dir(f.store.root())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["VERSION", "blobs", "locks", "partial", "roots", "stamps"]);
    let stamp = fs::read(f.store.root().join("stamps").join(format!("sha256-{digest}"))).unwrap();
    let stamp: serde_json::Value = serde_json::from_slice(&stamp).unwrap();
    assert_eq!(stamp["sha256"], digest.to_string());
    assert_eq!(stamp["size"], 5);
    assert!(stamp["modified_ns"].is_i64());
}

#[test]
fn what_is_imported_is_got_listed_and_removed() {
    let f = Fixture::new();
    assert_eq!(f.store.get(Digest::of_bytes(b"a"), Check::Stamp).unwrap(), None);
    let digests = [&b"a"[..], b"bb", b""].map(|bytes| f.import(bytes));
    assert_eq!(f.import(b"a"), digests[0], "again");
    let mut listed: Vec<_> =
        f.store.list().unwrap().into_iter().map(|entry| (entry.digest, entry.size, entry.path)).collect();
    assert!(listed.is_sorted());
    listed.retain(|(digest, size, path)| {
        assert_eq!(fs::metadata(path).unwrap().len(), *size);
        assert_eq!(path, &f.blob(*digest));
        !digests.contains(digest)
    });
    assert_eq!(listed, []);
    for check in [Check::Stamp, Check::Full] {
        assert_eq!(f.store.get(digests[1], check).unwrap(), Some(f.blob(digests[1])));
    }
    assert!(f.store.remove(digests[1]).unwrap());
    assert!(!f.store.remove(digests[1]).unwrap());
    assert_eq!(f.store.get(digests[1], Check::Stamp).unwrap(), None);
    assert_eq!(f.store.list().unwrap().len(), 2);
}

#[test]
fn an_import_keeps_to_what_was_expected() {
    let f = Fixture::new();
    let (right, wrong) = (f.file("right", b"right"), f.file("wrong", b"wrong"));
    let expected = Digest::of_bytes(b"right");
    let import = |path: &Path| f.store.import(path, Some(expected), StoreWatch::default());
    for stored in [false, true] {
        assert!(matches!(import(&wrong), Err(Error::WrongDigest { name, actual, .. })
            if actual == Digest::of_bytes(b"wrong") && name == wrong.display().to_string()));
        assert_eq!(f.store.list().unwrap().len(), usize::from(stored));
        assert_eq!(fs::read_dir(f.store.root().join("partial")).unwrap().count(), 0);
        assert_eq!(import(&right).unwrap(), expected);
    }
    overwrite(&f.blob(expected), b"damaged");
    assert!(matches!(f.store.get(expected, Check::Stamp), Err(Error::WrongDigest { .. })));
    assert_eq!(import(&right).unwrap(), expected);
    assert!(f.store.get(expected, Check::Full).unwrap().is_some(), "an import repairs");
    for path in [f.folder.path().to_owned(), f.folder.path().join("none"), right.join("below")] {
        assert!(matches!(import(&path), Err(Error::Io { .. })), "{path:?}");
    }
}

#[test]
fn progress_goes_up_to_the_whole_and_work_can_be_cancelled() {
    let f = Fixture::new();
    let size = 5 << 20;
    let origin = f.file("origin", &vec![7; size]);
    let mut told = Vec::new();
    let mut progress = |done, total| told.push((done, total));
    let watch = StoreWatch { progress: Some(&mut progress), cancel: Cancel::new() };
    let digest = f.store.import(&origin, None, watch).unwrap();
    let whole = |told: &[(u64, u64)]| {
        assert!(told.is_sorted());
        assert!(told.iter().all(|&(_, total)| total == size as u64));
        assert_eq!((told[0].0, told[told.len() - 1].0), (0, size as u64));
    };
    whole(&told);
    told.clear();
    let mut progress = |done, total| told.push((done, total));
    let watch = StoreWatch { progress: Some(&mut progress), cancel: Cancel::new() };
    assert_eq!(f.store.verify(&[digest], watch).unwrap(), []);
    whole(&told);

    f.store.remove(digest).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let watch = || StoreWatch { progress: None, cancel: cancel.clone() };
    assert!(matches!(f.store.import(&origin, None, watch()), Err(Error::Cancelled)));
    assert_eq!(f.store.list().unwrap(), []);
    assert_eq!(fs::read_dir(f.store.root().join("partial")).unwrap().count(), 0);
    f.import(b"bytes");
    assert!(matches!(f.store.verify(&[], watch()), Err(Error::Cancelled)));
}

#[test]
fn a_quota_refuses_an_import_that_does_not_fit() {
    let f = Fixture::new();
    let options = StoreOptions { root: Some(f.store.root().to_owned()), quota: Some(10) };
    let store = Store::open(&options).unwrap();
    let origin = f.file("origin", b"eleven bytes");
    assert!(matches!(
        store.import(&origin, None, StoreWatch::default()),
        Err(Error::NoSpace { needed: 12, available: 10, quota: true, .. })
    ));
    let none = Store::open(&StoreOptions { quota: Some(0), ..options });
    assert!(matches!(none, Err(Error::InvalidOption { .. })));
}

#[test]
fn verify_names_what_was_changed_and_what_is_missing() {
    let f = Fixture::new();
    let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| f.import(bytes));
    overwrite(&f.blob(b), b"x");
    let verify = |digests: &[Digest]| f.store.verify(digests, StoreWatch::default());
    let changed = verify(&[]).unwrap();
    assert_eq!(
        changed.iter().map(|(entry, now)| (entry.digest, *now)).collect::<Vec<_>>(),
        [(b, Digest::of_bytes(b"x"))]
    );
    assert_eq!(verify(&[a, c]).unwrap(), []);
    assert_eq!(verify(&[a, b, b]).unwrap().len(), 1);
    let none = Digest::of_bytes(b"none");
    assert!(matches!(verify(&[a, none]), Err(Error::NotPulled { digest, .. }) if digest == none));
    assert!(f.blob(b).exists(), "it is reported, not removed");
}

/// Each of a hundred single bits of a stored checkpoint.
#[test]
fn full_verification_finds_a_single_bit() {
    let f = Fixture::new();
    let mut random = fastrand::Rng::with_seed(4);
    let bytes = common::shared("checkpoints/stories260K.gguf").map(|path| fs::read(path).unwrap());
    let bytes = bytes.unwrap_or_else(|| (0..1 << 20).map(|_| random.u8(..)).collect());
    let digest = f.import(&bytes);
    let path = f.blob(digest);
    let last = bytes.len() * 8 - 1;
    let bits = [0, last].into_iter().chain((0..98).map(|_| random.usize(..=last))).collect::<Vec<_>>();
    for bit in bits {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        overwrite(&path, &changed);
        let found = f.store.verify(&[digest], StoreWatch::default()).unwrap();
        assert_eq!(found.len(), 1, "bit {bit}");
    }
    overwrite(&path, &bytes);
    assert_eq!(f.store.verify(&[], StoreWatch::default()).unwrap(), []);
}

#[test]
fn a_folder_that_is_no_store_of_ours_is_refused_and_left_alone() {
    let f = Fixture::new();
    let bad = |root: &Path, part: &str| match open(root) {
        Err(Error::BadStore { path, reason }) => {
            assert_eq!(path, root);
            assert!(reason.contains(part), "{reason}");
        }
        other => panic!("{other:?}"),
    };
    let version = f.store.root().join("VERSION");
    for (text, part) in [
        ("pinfold store 2\n", "newer"),
        ("pinfold store 4000000000", "newer"),
        ("pinfold store 0\n", "begin"),
        ("pinfold store\n", "begin"),
        ("pinfold store -1\n", "begin"),
        ("", "begin"),
        ("\u{0}", "begin"),
    ] {
        fs::write(&version, text).unwrap();
        bad(f.store.root(), part);
    }
    fs::write(&version, [0xff; 1000]).unwrap();
    bad(f.store.root(), "begin");

    // The blobs of another program have the names of ours.
    let other = f.folder.path().join("models");
    fs::create_dir_all(other.join("blobs")).unwrap();
    bad(&other, "no store");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
    let broken = f.folder.path().join("broken");
    open(&broken).unwrap();
    fs::remove_dir(broken.join("blobs")).unwrap();
    fs::write(broken.join("blobs"), "").unwrap();
    bad(&broken, "not a folder");
    let file = f.file("file", b"");
    bad(&file, "not a folder");
    bad(&file.join("below"), "not a folder");
    // What a system puts into each folder or disk, and what a process left that was killed while it made it.
    let fresh = f.folder.path().join("fresh");
    fs::create_dir_all(fresh.join("lost+found")).unwrap();
    fs::write(fresh.join(".new-xyz"), "").unwrap();
    open(&fresh).unwrap();
}

#[cfg(unix)]
#[test]
fn links_in_the_place_of_files_are_not_of_the_store() {
    let f = Fixture::new();
    let digest = Digest::of_bytes(b"bytes");
    let outside = f.file("outside", b"bytes");
    std::os::unix::fs::symlink(&outside, f.blob(digest)).unwrap();
    assert_eq!(f.store.get(digest, Check::Stamp).unwrap(), None);
    assert_eq!(f.store.list().unwrap(), []);
    assert_eq!(f.store.collect(false).unwrap(), Collected::default());
    assert_eq!(f.import(b"bytes"), digest, "it is replaced");
    assert!(f.blob(digest).symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read(&outside).unwrap(), b"bytes");

    // A link to the whole store is how it is moved to another disk.
    let link = f.folder.path().join("link");
    std::os::unix::fs::symlink(f.store.root(), &link).unwrap();
    assert!(open(&link).unwrap().get(digest, Check::Full).unwrap().is_some());
}

#[test]
fn collect_removes_what_no_known_lock_file_pins() {
    let f = Fixture::new();
    let [kept, shared, free] = [&b"kept"[..], b"shared", b"free"].map(|bytes| f.import(bytes));
    let (one, two) = (f.lock("a löck", &[kept, shared, shared]), f.lock("two.lock", &[shared]));
    for lock in [&one, &two, &one] {
        f.store.remember(lock).unwrap();
    }
    let (one, two) = (fs::canonicalize(one).unwrap(), fs::canonicalize(two).unwrap());
    let pinned_by = |digest| {
        let entry = f.store.list().unwrap().into_iter().find(|entry| entry.digest == digest).unwrap();
        entry.pinned_by.into_iter().collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(pinned_by(shared), [one.clone(), two.clone()].into());
    assert_eq!(pinned_by(kept), [one.clone()].into());
    assert_eq!(pinned_by(free), [].into());

    let planned = f.store.collect(true).unwrap();
    assert_eq!(f.store.list().unwrap().len(), 3);
    assert_eq!(planned, f.store.collect(false).unwrap());
    assert_eq!(planned.removed.iter().map(|entry| entry.digest).collect::<Vec<_>>(), [free]);
    assert_eq!(planned.freed, 4);

    fs::write(&two, "version = 1\nno such key = 1\n").unwrap();
    for dry_run in [true, false] {
        assert!(matches!(f.store.collect(dry_run), Err(Error::BadLock { path, .. }) if path == two));
    }
    assert_eq!(pinned_by(shared), [one.clone()].into(), "a list goes on");
    fs::remove_file(&two).unwrap();
    assert_eq!(f.store.collect(false).unwrap(), Collected::default());
    assert_eq!(fs::read_dir(f.store.root().join("roots")).unwrap().count(), 1, "the other one is forgotten");
    fs::remove_file(&one).unwrap();
    assert_eq!(f.store.collect(false).unwrap().removed.len(), 2);
    assert!(matches!(f.store.remember(&one), Err(Error::Io { .. })));
}

/// What a quota removes is what `collect` would.
#[test]
fn a_quota_never_removes_what_is_pinned() {
    let f = Fixture::new();
    let [pinned, free] = [[1; 300], [2; 300]].map(|bytes| f.import(&bytes));
    f.store.remember(&f.lock("pinfold.lock", &[pinned])).unwrap();
    for stamp in fs::read_dir(f.store.root().join("stamps")).unwrap() {
        let file = fs::File::options().write(true).open(stamp.unwrap().path()).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(9999)).unwrap();
    }
    let store = Store::open(&StoreOptions { root: Some(f.store.root().into()), quota: Some(1000) }).unwrap();
    let import = |size| store.import(&f.file("origin", &vec![3; size]), None, StoreWatch::default());
    assert!(matches!(import(701), Err(Error::NoSpace { needed: 701, available: 700, quota: true, .. })));
    import(700).unwrap();
    assert_eq!(store.get(free, Check::Stamp).unwrap(), None);
    assert!(store.get(pinned, Check::Stamp).unwrap().is_some());
}
