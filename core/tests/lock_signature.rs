//! Signatures of lock files and of what they pin, made by another implementation of minisign.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use minisign::KeyPair;
use pinfold::{Digest, Error, LockFile, Pinned, PublicKey};

const LOCK: &str = "version = 1\n[sampling.a]\ntop_k = 4\n";

fn pair() -> (KeyPair, PublicKey) {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = PublicKey::parse(&pair.pk.to_base64()).unwrap();
    (pair, key)
}

fn sign(pair: &KeyPair, bytes: &[u8]) -> String {
    minisign::sign(None, &pair.sk, Cursor::new(bytes), Some("of the release"), None).unwrap().into_string()
}

fn refusal<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::BadSignature { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("was accepted"),
    }
}

#[test]
fn a_key_is_read_in_both_of_its_forms() {
    let (pair, key) = pair();
    let text = pair.pk.to_box().unwrap().into_string();
    assert!(text.lines().count() == 2, "{text}");
    let line = pair.pk.to_base64();
    for text in [text.as_str(), &text.replace('\n', "\r\n"), &format!(" {line}\n"), &format!("\n{text}\n\n")]
    {
        let read = PublicKey::parse(text).unwrap();
        read.check("x", b"bytes", &sign(&pair, b"bytes")).unwrap();
    }
    assert_eq!(PublicKey::parse(&line).unwrap(), key);
    for text in
        ["", "x", &line[1..], &line.replace('R', "S"), "a\nb", &"A".repeat(56), "é\né", &"x".repeat(1 << 20)]
    {
        assert!(refusal(PublicKey::parse(text)).contains("56 characters"), "{text:.80}");
    }
}

#[test]
fn what_was_signed_passes_and_nothing_else() {
    let (pair, key) = pair();
    let (_, other) = self::pair();
    let signature = sign(&pair, LOCK.as_bytes());
    key.check("lock", LOCK.as_bytes(), &signature).unwrap();
    key.check("lock", LOCK.as_bytes(), &signature.replace('\n', "\r\n")).unwrap();

    assert!(refusal(other.check("lock", LOCK.as_bytes(), &signature)).contains("another key"));
    for at in 0..LOCK.len() {
        let mut bytes = LOCK.as_bytes().to_vec();
        bytes[at] ^= 1;
        assert!(refusal(key.check("lock", &bytes, &signature)).contains("not of these bytes"), "{at}");
    }
    let comment = signature.replace("of the release", "of the relapse");
    assert!(refusal(key.check("lock", LOCK.as_bytes(), &comment)).contains("trusted comment"));
    // An untrusted comment may say anything.
    key.check("lock", LOCK.as_bytes(), &signature.replacen("signature", "whatever", 1)).unwrap();

    let lines: Vec<&str> = signature.lines().collect();
    for broken in [
        String::new(),
        "garbage".to_owned(),
        "a\nb\nc\nd\n".to_owned(),
        lines[..3].join("\n"),
        lines[1..].join("\n"),
        signature.replace("trusted comment: of", "comment: of"),
        signature.replace(lines[1], &lines[1][4..]),
        signature.replace(lines[1], &format!("S{}", &lines[1][1..])),
        "\u{0}".repeat(1000),
    ] {
        assert!(refusal(key.check("lock", LOCK.as_bytes(), &broken)).contains("the four lines"), "{broken}");
    }
}

/// The signature of the old kind that minisign's own documentation and tests use; it is of `test`.
#[test]
fn the_old_kind_passes_too() {
    let key = PublicKey::parse("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3").unwrap();
    let signature = "untrusted comment: signature from minisign secret key\n\
        RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=\n\
        trusted comment: timestamp:1555779966\tfile:test\n\
        QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==\n";
    key.check("test", b"test", signature).unwrap();
    assert!(refusal(key.check("test", b"Test", signature)).contains("not of these bytes"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test");
    fs::write(&path, "test").unwrap();
    key.check_file("test", &path, signature).unwrap();
    fs::write(&path, "tost").unwrap();
    assert!(refusal(key.check_file("test", &path, signature)).contains("not of these bytes"));
    fs::File::create(&path).unwrap().set_len((1 << 30) + 1).unwrap();
    assert!(refusal(key.check_file("test", &path, signature)).contains("at most 1 GiB"));
}

#[test]
fn a_lock_file_is_opened_by_its_signature() {
    let (pair, key) = pair();
    let folder = tempfile::tempdir().unwrap();
    let (path, beside) = (folder.path().join("pinfold.lock"), folder.path().join("pinfold.lock.minisig"));
    fs::write(&path, LOCK).unwrap();
    assert!(refusal(LockFile::open_signed(&path, &key)).contains("minisign -Sm"));
    fs::write(&beside, sign(&pair, LOCK.as_bytes())).unwrap();
    let lock = LockFile::open_signed(&path, &key).unwrap();
    assert_eq!(lock.lock().sampling["a"].top_k, 4);

    fs::write(&path, LOCK.replace('4', "5")).unwrap();
    assert!(refusal(LockFile::open_signed(&path, &key)).contains("not of these bytes"));
    // Bytes that are no lock file are not parsed before the signature is checked.
    fs::write(&path, "garbage").unwrap();
    refusal(LockFile::open_signed(&path, &key));
    fs::write(&beside, sign(&pair, b"garbage")).unwrap();
    assert!(matches!(LockFile::open_signed(&path, &key), Err(Error::BadLock { .. })));
    fs::write(&beside, [0xff; 300]).unwrap();
    assert!(refusal(LockFile::open_signed(&path, &key)).contains("not text"));
    assert!(matches!(LockFile::open_signed(folder.path().join("none"), &key), Err(Error::Io { .. })));
}

#[test]
fn a_pinned_file_is_checked_by_the_signature_in_the_lock_file() {
    let (pair, key) = pair();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    let bytes: Vec<u8> = (0..1_000_003u32).map(|i| (i % 251) as u8).collect();
    fs::write(&path, &bytes).unwrap();
    let pinned = |path: PathBuf, minisig: Option<String>| Pinned {
        name: "intent".to_owned(),
        path,
        digest: Digest::of_bytes(b""),
        minisig,
    };
    let signature = sign(&pair, &bytes);
    pinned(path.clone(), Some(signature.clone())).check_signature(&key).unwrap();
    assert!(refusal(pinned(path.clone(), None).check_signature(&key)).contains("not signed"));
    let (_, other) = self::pair();
    assert!(
        refusal(pinned(path.clone(), Some(signature.clone())).check_signature(&other))
            .contains("another key")
    );
    let mut changed = bytes;
    changed[500_000] ^= 128;
    fs::write(&path, &changed).unwrap();
    assert!(
        refusal(pinned(path, Some(signature.clone())).check_signature(&key)).contains("not of these bytes")
    );
    let missing = pinned(folder.path().join("none"), Some(signature)).check_signature(&key);
    assert!(matches!(missing, Err(Error::Io { .. })));
}
