//! Room below the quota and on the disk.

use super::*;
use crate::store::space::parse_size;

#[test]
fn the_least_recently_used_goes_first() {
    let (_folder, store) = store_with(Some(1000));
    let [a, b, c] = [1, 2, 3].map(|byte| place(&store, &[byte; 300]));
    age(&store.stamp(a), 5000);
    age(&store.stamp(b), 9000);
    age(&store.stamp(c), 7000);
    store.reserve(100).unwrap();
    assert_eq!(store.list().unwrap().len(), 3, "they fit");
    store.reserve(500).unwrap();
    let left: Vec<_> = store.list().unwrap().into_iter().map(|entry| entry.digest).collect();
    assert_eq!(left, [a], "b and c were used longer ago");
    assert_eq!(names(store.folder("stamps")).len(), 1);
}

#[test]
fn what_is_in_use_or_claimed_stays_and_nothing_is_removed_in_vain() {
    let (_folder, store) = store_with(Some(1000));
    let [recent, claimed, free] = [1, 2, 3].map(|byte| place(&store, &[byte; 300]));
    age(&store.stamp(claimed), 5000);
    age(&store.stamp(free), 5000);
    let _claim = store.claim(claimed, &Cancel::new()).unwrap();
    match store.reserve(401) {
        Err(Error::NoSpace { needed: 401, available: 400, quota: true, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(store.list().unwrap().len(), 3);
    store.reserve(400).unwrap();
    assert!(store.get(free, Check::Stamp).unwrap().is_none());
    assert!([recent, claimed].iter().all(|&digest| store.get(digest, Check::Stamp).unwrap().is_some()));
}

#[test]
fn unfinished_downloads_take_room_too() {
    let (_folder, store) = store_with(Some(100_000));
    let claim = store.claim_source("key", &Cancel::new()).unwrap();
    fs::write(store.partial_path(&claim), vec![1; 65536]).unwrap();
    File::open(store.partial_path(&claim)).unwrap().sync_all().unwrap();
    assert!(matches!(store.reserve(50_000), Err(Error::NoSpace { quota: true, .. })));
    store.reserve(20_000).unwrap();
}

#[test]
fn the_disk_is_the_last_limit() {
    let (folder, store) = store();
    match store.reserve(u64::MAX) {
        Err(Error::NoSpace { needed: u64::MAX, available, quota: false, path }) => {
            assert!(available > 0);
            assert!(path.starts_with(folder.path()));
        }
        other => panic!("{other:?}"),
    }
    store.reserve(0).unwrap();
    let (_folder, store) = store_with(Some(u64::MAX));
    assert!(matches!(store.reserve(u64::MAX), Err(Error::NoSpace { quota: false, .. })));
}

#[test]
fn a_full_disk_is_told_as_such() {
    let (_folder, store) = store();
    let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = store.write_error(store.root(), 77)(error);
    assert!(matches!(error, Error::NoSpace { needed: 77, available: 0..=77, quota: false, .. }), "{error}");
}

#[test]
fn sizes_are_read_strictly() {
    for (text, bytes) in [
        ("1", 1),
        ("20000000000", 20_000_000_000),
        ("20GB", 20_000_000_000),
        (" 20 GiB ", 20 << 30),
        ("3kb", 3000),
        ("3KIB", 3072),
        ("5 B", 5),
        ("2TB", 2_000_000_000_000),
        ("1MiB", 1 << 20),
        ("18446744073709551615", u64::MAX),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text:?}");
    }
    for text in [
        "",
        "0",
        "0GB",
        "GB",
        "-1",
        "+1",
        "1.5GB",
        "1,5GB",
        "20G",
        "20 GB B",
        "1e9",
        "0x10",
        "ten",
        "１GB",
        "18446744073709551616",
        "99999999TB",
        "20GB\0",
    ] {
        assert!(parse_size(text).is_err(), "{text:?}");
    }
}
