//! Downloads from a server of ours: what a user does, and what goes wrong with it in known ways.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod pull_support;

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pinfold::lock::FilePin;
use pinfold::pull::{fetch, look, pull_file};
use pinfold::{
    Cancel, Check, Digest, Error, LockFile, PullOptions, PullProgress, PullWatch, Source, Store, StoreOptions,
};
use pull_support::server::Manner;
use pull_support::{Reply, Server, assert_store_is_right, bytes, options, pin, store};

fn pull(pin: &FilePin, store: &Store) -> pinfold::Result<std::path::PathBuf> {
    pull_file("model", pin, Path::new("."), store, &options(), PullWatch::default())
}

/// Why a pull failed.
fn reason(pin: &FilePin, store: &Store) -> String {
    match pull(pin, store) {
        Err(Error::PullFailed { name, reason }) => {
            assert_eq!(name, "model");
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_comes_in_parts_over_several_connections() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let body = bytes(1, 300_000);
    let server = Server::of_file(body.clone());
    let mut seen: Vec<PullProgress> = Vec::new();
    let mut progress = |now: &PullProgress| seen.push(now.clone());
    let watch = PullWatch { progress: Some(&mut progress), ..PullWatch::default() };
    let pin = pin(&body, &[&server.url("file?secret=1")]);
    let path = pull_file("model", &pin, Path::new("."), &store, &options(), watch).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), *body);
    assert_eq!(server.sent(), 300_000, "each byte once");
    let requests = server.requests();
    assert!(requests.len() > 10, "in parts");
    assert!(requests.iter().all(|request| request.header("user-agent").unwrap().starts_with("pinfold/")));
    assert!(requests.iter().all(|request| request.header("accept-encoding") == Some("identity")));
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done), "{seen:?}");
    let last = seen.last().unwrap();
    assert_eq!((last.done, last.total), (300_000, 300_000));
    assert!(!last.source.contains("secret"));
    assert_store_is_right(&store);

    let again =
        pull_file("model", &pin, Path::new("."), &store, &PullOptions::default(), PullWatch::default());
    assert_eq!(again.unwrap(), path);
    assert_eq!(server.sent(), 300_000, "nothing is asked again");
}

#[test]
fn a_name_of_a_lock_file_is_pulled_and_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let body = bytes(17, 50_000);
    let server = Server::of_file(body.clone());
    let path = folder.path().join("pinfold.lock");
    let (sha256, url) = (Digest::of_bytes(&body), server.url("a"));
    let text = format!(
        r#"
        version = 1
        [checkpoints.small]
        sources = ["{url}"]
        sha256 = "{sha256}"
        size = 50000
        format = "gguf"
        architecture = "llama"
        quantization = "F16"
        context_length = 128
        licence = "MIT"
        tokenizer_sha256 = "{sha256}"
        "#
    );
    std::fs::write(&path, text).unwrap();
    let lock = LockFile::open(&path).unwrap();
    let unknown = pinfold::pull::pull(&lock, "large", &store, &options(), PullWatch::default());
    assert!(matches!(unknown, Err(Error::NotPinned { .. })), "{unknown:?}");
    assert!(matches!(lock.resolve("small", &store, Check::Stamp), Err(Error::NotPulled { .. })));
    let pinned = pinfold::pull::pull(&lock, "small", &store, &options(), PullWatch::default()).unwrap();
    assert_eq!(std::fs::read(&pinned.path).unwrap(), *body);
    assert_eq!(lock.resolve("small", &store, Check::Full).unwrap(), pinned);
    assert_eq!(store.list().unwrap()[0].pinned_by, [path.canonicalize().unwrap()]);

    // A lock file within a program works as well, though the store cannot remember it.
    let within = LockFile::from_bytes("nowhere/pinfold.lock", lock.text()).unwrap();
    store.remove(sha256).unwrap();
    let pinned = pinfold::pull::pull(&within, "small", &store, &options(), PullWatch::default()).unwrap();
    assert_eq!(std::fs::read(&pinned.path).unwrap(), *body);
}

#[test]
fn a_file_of_this_machine_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let body = bytes(2, 50_000);
    std::fs::write(folder.path().join("model.gguf"), &*body).unwrap();
    let pin = pin(&body, &["file:none.gguf", "file:model.gguf"]);
    let path = pull_file("model", &pin, folder.path(), &store, &options(), PullWatch::default()).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), *body);

    let other = FilePin { sha256: Digest::of_bytes(b"other"), ..pin };
    let failed = pull_file("model", &other, folder.path(), &store, &options(), PullWatch::default());
    let Err(Error::PullFailed { reason, .. }) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("file:none.gguf: ") && reason.contains("file:model.gguf: its bytes"), "{reason}");
    assert_store_is_right(&store);
}

#[test]
fn an_empty_file_needs_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = pull(&pin(&[], &["https://nowhere.invalid/x"]), &store).unwrap();
    assert!(std::fs::read(path).unwrap().is_empty());
}

#[test]
fn mirrors_are_tried_in_order_and_each_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let body = bytes(3, 100_000);
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let wrong = Server::of_file(bytes(4, 100_000));
    let short = Server::of_file(bytes(4, 99_999));
    let right = Server::of_file(body.clone());
    let urls = [format!("http://{dead}/a"), wrong.url("b?key=secret"), short.url("c"), right.url("d")];
    let all: Vec<&str> = urls.iter().map(String::as_str).collect();

    let reason = reason(&pin(&body, &all[..3]), &store);
    let parts: Vec<&str> = reason.split("; ").collect();
    assert!(parts[0].contains("efused") && parts[0].contains("5 attempts"), "{reason}");
    let digest = Digest::of_bytes(&bytes(4, 100_000)).to_string();
    assert!(parts[1].contains(&digest) && !reason.contains("secret"), "{reason}");
    assert!(parts[2].ends_with("it offers 99999 bytes, not the 100000 that are wanted"), "{reason}");
    assert!(short.sent() <= 16 << 10, "what is of another size is not downloaded");

    let path = pull(&pin(&body, &all), &store).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), *body);
    assert_eq!(right.sent(), 100_000);
    assert_store_is_right(&store);
}

/// The bytes of two mirrors need not belong together, even if they are of the same size.
#[test]
fn a_mirror_continues_what_another_began_and_begins_anew_if_that_was_wrong() {
    for begun_right in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let body = bytes(5, 200_000);
        let begun = if begun_right { body.clone() } else { bytes(6, 200_000) };
        let count = AtomicUsize::new(0);
        let first = Server::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
            0..6 => Reply::file(request, &begun, Some("\"v1\"")),
            _ => Reply::status(404),
        });
        let second = Server::of_file(body.clone());
        let pin = pin(&body, &[&first.url("a"), &second.url("b")]);
        let options = PullOptions { connections: 1, ..options() };
        let path = pull_file("m", &pin, Path::new("."), &store, &options, PullWatch::default()).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), *body);
        let all = first.sent() + second.sent();
        assert_eq!(begun_right, all < 220_000, "{all} bytes were sent");
        assert_store_is_right(&store);
    }
}

#[test]
fn what_arrived_is_kept_unless_the_file_changed() {
    let (v1, v2) = ("\"v1\"", "\"v2\"");
    for (etags, kept) in [([Some(v1), Some(v1)], true), ([Some(v1), Some(v2)], false), ([None, None], true)] {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let body = bytes(7, 200_000);
        let old = if kept { body.clone() } else { bytes(8, 200_000) };
        let count = AtomicUsize::new(0);
        let new = body.clone();
        // Seven parts, then nothing for as long as the first pull tries. Its first failure does not count.
        let server = Server::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
            0..7 => Reply::file(request, &old, etags[0]),
            7..13 => Reply::status(503),
            _ => Reply::file(request, &new, etags[1]),
        });
        let options = PullOptions { connections: 1, ..options() };
        let pull = || {
            pull_file(
                "m",
                &pin(&body, &[&server.url("a")]),
                Path::new("."),
                &store,
                &options,
                PullWatch::default(),
            )
        };
        assert!(matches!(pull(), Err(Error::PullFailed { .. })));
        assert_eq!(server.sent(), 7 * (16 << 10));
        assert_eq!(std::fs::read(pull().unwrap()).unwrap(), *body);
        assert_eq!(kept, server.sent() == 200_000, "{} bytes with {etags:?}", server.sent());
        assert_store_is_right(&store);
    }
}

#[test]
fn a_damaged_file_of_the_store_is_brought_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let body = bytes(9, 60_000);
    let server = Server::of_file(body.clone());
    let pin = pin(&body, &[&server.url("a")]);
    let path = pull(&pin, &store).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes(10, 60_000).as_slice()).unwrap();
    assert_eq!(std::fs::read(pull(&pin, &store).unwrap()).unwrap(), *body);
    assert_store_is_right(&store);
}

#[test]
fn a_quota_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { root: Some(folder.path().join("store")), quota: Some(50_000) };
    let store = Store::open(&options).unwrap();
    let server = Server::of_file(bytes(11, 60_000));
    let pulled = pull(&pin(&bytes(11, 60_000), &[&server.url("a")]), &store);
    assert!(matches!(pulled, Err(Error::NoSpace { quota: true, .. })), "{pulled:?}");
}

#[test]
fn a_cancel_ends_it_soon_and_keeps_what_arrived() {
    let body = bytes(12, 200_000);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let stall = |stall| {
        let body = body.clone();
        let manner = Manner { stall: Some(stall), ..Manner::default() };
        Server::start(move |request| Reply::file(request, &body, Some("\"v1\"")).in_manner(manner))
    };
    let (headers, middle) = (stall(0), stall(5000));
    let busy = Server::start(|_| Reply::status(503).with("retry-after", "30"));
    let drip = {
        let (body, manner) =
            (body.clone(), Manner { drip: Some((10, Duration::from_millis(20))), ..Manner::default() });
        Server::start(move |request| Reply::file(request, &body, Some("\"v1\"")).in_manner(manner))
    };
    let urls = [
        format!("http://{}/never-accepted", silent.local_addr().unwrap()),
        "https://192.0.2.1/never-routed".to_owned(),
        headers.url("x"),
        middle.url("x"),
        busy.url("x"),
        drip.url("x"),
    ];
    for url in &urls {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let options = PullOptions { stall_timeout_ms: 60_000, backoff_ms: 60_000, ..options() };
        for asked in [false, true] {
            let cancel = Cancel::new();
            let setter = cancel_after(&cancel, Duration::from_millis(300));
            let result = match asked {
                true => look(&url.parse().unwrap(), Path::new("."), &options, &cancel).map(drop),
                false => {
                    let watch = PullWatch { cancel, ..PullWatch::default() };
                    pull_file("m", &pin(&body, &[url]), Path::new("."), &store, &options, watch).map(drop)
                }
            };
            let late = setter.join().unwrap().elapsed();
            if asked && result.is_ok() {
                // It answers at once to who asks for no bytes.
                continue;
            }
            assert!(matches!(result, Err(Error::Cancelled)), "{url}: {result:?}");
            assert!(late < Duration::from_secs(1), "{url}: {late:?}");
        }
        let left = || {
            let read = |entry: std::io::Result<std::fs::DirEntry>| {
                let path = entry.unwrap().path();
                (std::fs::read(&path).unwrap(), path)
            };
            let mut files: Vec<_> =
                std::fs::read_dir(store.root().join("partial")).unwrap().map(read).collect();
            files.sort();
            files
        };
        let before = left();
        std::thread::sleep(Duration::from_millis(100));
        assert!(before == left(), "{url}: something still writes");
        // Whoever comes next need not wait: the claim was given back, and what arrived is there.
        let good = Server::of_file(body.clone());
        assert_eq!(std::fs::read(pull(&pin(&body, &[&good.url("x")]), &store).unwrap()).unwrap(), *body);
        if *url == urls[3] {
            assert_eq!(good.sent(), 200_000 - 4 * 5000);
        }
    }
}

fn cancel_after(cancel: &Cancel, delay: Duration) -> std::thread::JoinHandle<Instant> {
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(delay);
        cancel.cancel();
        Instant::now()
    })
}

#[test]
fn what_has_no_digest_is_fetched_only_if_it_is_of_one_piece() {
    let body = bytes(13, 100_000);
    let serve = |etag: Option<&'static str>, manner: Manner| {
        let body = body.clone();
        Server::start(move |request| Reply::file(request, &body, etag).in_manner(manner))
    };
    let chunked = Manner { chunked: true, ..Manner::default() };
    let strong = serve(Some("\"v1\""), Manner::default());
    let weak = serve(Some("W/\"v1\""), Manner::default());
    let none = serve(None, Manner::default());
    let unsized_ = serve(None, chunked);
    for (server, parts) in [(&strong, true), (&weak, false), (&none, false), (&unsized_, false)] {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let source: Source = server.url("a").parse().unwrap();
        let fetched = fetch(&source, Path::new("."), &store, &options(), PullWatch::default()).unwrap();
        assert_eq!((fetched.digest, fetched.size), (Digest::of_bytes(&body), 100_000));
        assert_eq!(fetched.source, source);
        assert_eq!(server.requests().iter().any(|request| request.header("if-range").is_some()), parts);
        assert_store_is_right(&store);
    }
    // Cut off at random, nobody could tell that it is not whole.
    let raw = Server::start(|_| Reply::raw("HTTP/1.1 200 OK\r\n\r\nsome bytes"));
    let folder = tempfile::tempdir().unwrap();
    let source: Source = raw.url("a").parse().unwrap();
    let failed = fetch(&source, Path::new("."), &store(folder.path()), &options(), PullWatch::default());
    assert!(
        matches!(&failed, Err(Error::PullFailed { reason, .. }) if reason.contains("how many bytes")),
        "{failed:?}"
    );
}

/// A fetch that failed in the middle must not join two versions of a file.
#[test]
fn a_fetch_never_mixes_versions() {
    for etags in [[Some("\"v1\""), Some("\"v2\"")], [None, None], [Some("W/\"v1\""), Some("W/\"v1\"")]] {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let (old, new) = (bytes(14, 100_000), bytes(15, 100_000));
        let digest = Digest::of_bytes(&new);
        let count = AtomicUsize::new(0);
        let server = Server::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
            0..3 => {
                let manner = Manner { cut: Some(9000), ..Manner::default() };
                Reply::file(request, &old, etags[0]).in_manner(manner)
            }
            _ => Reply::file(request, &new, etags[1]),
        });
        let source: Source = server.url("a").parse().unwrap();
        let fetched = fetch(&source, Path::new("."), &store, &options(), PullWatch::default()).unwrap();
        assert_eq!(fetched.digest, digest, "{etags:?}");
    }
}

#[test]
fn an_empty_file_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_file(bytes(0, 0));
    let source: Source = server.url("a").parse().unwrap();
    let fetched =
        fetch(&source, Path::new("."), &store(folder.path()), &options(), PullWatch::default()).unwrap();
    assert_eq!((fetched.digest, fetched.size), (Digest::of_bytes(&[]), 0));
}

#[test]
fn a_look_downloads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(16, 100_000);
    let plain = Server::of_file(body.clone());
    let file = body.clone();
    let without_head = Server::start(move |request| match request.method.as_str() {
        "HEAD" => Reply::status(405),
        _ => Reply::file(request, &file, None),
    });
    for server in [&plain, &without_head] {
        let source: Source = server.url("a").parse().unwrap();
        let offer = look(&source, Path::new("."), &options(), &Cancel::new()).unwrap();
        assert_eq!((offer.size, offer.digest, offer.revision), (Some(100_000), None, None));
        assert!(server.sent() <= 1);
    }
    std::fs::write(folder.path().join("a"), &*body).unwrap();
    let offer = look(&"file:a".parse().unwrap(), folder.path(), &options(), &Cancel::new()).unwrap();
    assert_eq!((offer.size, offer.digest), (Some(100_000), Some(Digest::of_bytes(&body))));
    let gone = Server::start(|_| Reply::status(404));
    let failed = look(&gone.url("a").parse().unwrap(), Path::new("."), &options(), &Cancel::new());
    assert!(matches!(failed, Err(Error::PullFailed { .. })));
    assert_eq!(gone.requests().len(), 1, "what is not there is not asked for again");
}

#[test]
fn options_are_checked_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let bad = PullOptions { connections: 0, ..options() };
    let pin = pin(b"x", &["https://nowhere.invalid/x"]);
    let pulled = pull_file("m", &pin, Path::new("."), &store(folder.path()), &bad, PullWatch::default());
    assert!(matches!(pulled, Err(Error::InvalidOption { option: "connections", .. })));
}
