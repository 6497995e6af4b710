//! Stamps: what they save, and what they must not hide.

use super::*;

#[test]
fn a_stored_file_is_not_hashed_again() {
    let (_folder, store) = store();
    let digest = place(&store, b"bytes");
    let hashed = |check| {
        let mut bytes = 0;
        let mut step = |done| {
            bytes = done;
            Ok(())
        };
        store.find(digest, check, &mut step).unwrap().unwrap();
        bytes
    };
    assert_eq!(hashed(Check::Stamp), 0, "a commit stamps");
    assert_eq!(hashed(Check::Full), 5);
    fs::remove_file(store.stamp(digest)).unwrap();
    assert_eq!(hashed(Check::Stamp), 5);
    assert_eq!(hashed(Check::Stamp), 0);
    age(&store.blob(digest), 1000);
    assert_eq!(hashed(Check::Stamp), 5, "the time was touched");
    assert_eq!(hashed(Check::Stamp), 0);
}

#[test]
fn garbage_is_no_stamp() {
    let (_folder, store) = store();
    let digest = place(&store, b"bytes");
    let stamp = store.stamp(digest);
    let good = fs::read(&stamp).unwrap();
    let cut = &good[..good.len() / 2];
    let long = [&good[..], &vec![b' '; 5000], b"{}"].concat();
    let other = String::from_utf8(good.clone()).unwrap().replace("sha256", "sha512").into_bytes();
    for garbage in [&b""[..], b"{}", b"\xff\x00", b"[1]", cut, &long, &other] {
        fs::write(&stamp, garbage).unwrap();
        overwrite(&store.blob(digest), b"BYTES");
        assert!(is_wrong(store.get(digest, Check::Stamp)), "{garbage:?}");
        overwrite(&store.blob(digest), b"bytes");
        fs::write(&stamp, garbage).unwrap();
        assert!(store.get(digest, Check::Stamp).unwrap().is_some(), "{garbage:?}");
    }
    // A folder in its place cannot be replaced, and costs nothing but time.
    let _ = fs::remove_file(&stamp);
    fs::create_dir_all(stamp.join("folder")).unwrap();
    assert!(store.get(digest, Check::Stamp).unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn a_file_that_was_changed_or_replaced_is_found_even_if_its_time_was_set_back() {
    let (folder, store) = store();
    let digest = place(&store, b"bytes");
    let path = store.blob(digest);
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let set_back = |path: &Path| File::options().write(true).open(path).unwrap().set_modified(time).unwrap();

    overwrite(&path, b"BYTES");
    set_back(&path);
    assert!(is_wrong(store.get(digest, Check::Stamp)), "changed in place");
    place(&store, b"bytes");

    let other = folder.path().join("other");
    fs::write(&other, b"BYTES").unwrap();
    set_back(&other);
    fs::rename(&other, &path).unwrap();
    assert!(is_wrong(store.get(digest, Check::Stamp)), "replaced by another");
    assert!(path.exists(), "it is reported, not removed");
}

/// Bits that rot change nothing that the file system tells.
#[test]
fn rotten_bits_are_found_by_a_full_check_and_then_by_every_check() {
    let (_folder, store) = store();
    for full in [
        |store: &Store, digest: Digest| is_wrong(store.get(digest, Check::Full)),
        |store: &Store, digest: Digest| store.verify(&[digest], StoreWatch::default()).unwrap().len() == 1,
    ] {
        let digest = place(&store, b"bytes");
        let path = store.blob(digest);
        overwrite(&path, b"bytez");
        stamp::note(&File::open(&path).unwrap(), &store.stamp(digest), digest);
        assert!(store.get(digest, Check::Stamp).unwrap().is_some(), "this is what a stamp cannot see");
        assert!(full(&store, digest));
        assert!(is_wrong(store.get(digest, Check::Stamp)));
        assert_eq!(
            store.claim(digest, &Cancel::new()).unwrap().existing(),
            None,
            "so that a pull repairs it"
        );
    }
}

#[test]
fn files_elsewhere_are_stamped_once_they_are_settled() {
    let (folder, store) = store();
    let path = folder.path().join("a näme.gguf");
    fs::write(&path, b"bytes").unwrap();
    let right = Digest::of_bytes(b"bytes");
    let stamps = || names(store.folder("stamps")).len();

    age(&path, 0);
    store.check_file(&path, right, Check::Stamp, &mut |_| Ok(())).unwrap();
    assert_eq!(stamps(), 0, "a second write within the tick would not show");
    age(&path, 3600);
    store.check_file(&path, right, Check::Stamp, &mut |_| Ok(())).unwrap();
    assert_eq!(stamps(), 1);
    store.check_file(&path, right, Check::Full, &mut |_| Ok(())).unwrap();

    let wrong = Digest::of_bytes(b"other");
    for check in [Check::Stamp, Check::Full] {
        let refused = store.check_file(&path, wrong, check, &mut |_| Ok(()));
        assert!(matches!(refused, Err(Error::WrongDigest { actual, .. }) if actual == right));
    }
    fs::write(&path, b"BYTES").unwrap();
    assert!(matches!(
        store.check_file(&path, right, Check::Stamp, &mut |_| Ok(())),
        Err(Error::WrongDigest { .. })
    ));
    assert!(matches!(
        store.check_file(folder.path(), right, Check::Stamp, &mut |_| Ok(())),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        store.check_file(&folder.path().join("none"), right, Check::Stamp, &mut |_| Ok(())),
        Err(Error::Io { .. })
    ));
}

#[test]
fn a_time_in_the_future_is_never_trusted() {
    let (folder, store) = store();
    let path = folder.path().join("file");
    fs::write(&path, b"bytes").unwrap();
    let future = SystemTime::now() + Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(future).unwrap();
    store.check_file(&path, Digest::of_bytes(b"bytes"), Check::Stamp, &mut |_| Ok(())).unwrap();
    assert_eq!(names(store.folder("stamps")).len(), 0);
}

#[test]
fn a_use_is_noted_and_a_verification_is_none() {
    let (_folder, store) = store();
    let digest = place(&store, b"bytes");
    let used = || store.list().unwrap()[0].used.unwrap();
    age(&store.stamp(digest), 5000);
    let before = used();
    store.verify(&[], StoreWatch::default()).unwrap();
    assert_eq!(used(), before);
    store.get(digest, Check::Stamp).unwrap();
    assert!(used() > before);
}
