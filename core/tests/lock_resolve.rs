//! From names to files: the store first, then the lock file's folder; and what a header has that is not as pinned.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::fs;

use common::gguf::{Gguf, Value};
use pinfold::checkpoint::{self, Checkpoint};
use pinfold::lock::{AdapterPin, CheckpointPin, FilePin, HeaderField};
use pinfold::store::StoreWatch;
use pinfold::{Check, Digest, Error, LockFile, Pinned, Store, StoreOptions};

const BYTES: &[u8] = b"the bytes of a checkpoint";

struct Place {
    folder: tempfile::TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("app/intent")).unwrap();
        let root = Some(folder.path().join("store"));
        let store = Store::open(&StoreOptions { root, ..Default::default() }).unwrap();
        Self { folder, store }
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn lock(&self, sources: &[&str], bytes: &[u8]) -> LockFile {
        let mut lock = LockFile::open_or_new(self.path("app/pinfold.lock")).unwrap();
        lock.set_checkpoint("intent", &pin(sources, bytes)).unwrap();
        lock
    }

    fn resolve(&self, lock: &LockFile, check: Check) -> Result<Pinned, Error> {
        lock.resolve("intent", &self.store, check)
    }
}

fn file(sources: &[&str], bytes: &[u8]) -> FilePin {
    FilePin {
        sources: sources.iter().map(|source| source.parse().unwrap()).collect(),
        sha256: Digest::of_bytes(bytes),
        size: bytes.len() as u64,
        licence: "MIT".to_owned(),
        minisig: None,
    }
}

fn pin(sources: &[&str], bytes: &[u8]) -> CheckpointPin {
    CheckpointPin::of(&tiny(|_| {}), file(sources, bytes))
}

fn tiny(change: impl FnOnce(&mut Gguf)) -> Checkpoint {
    let mut gguf = Gguf::tiny_llama();
    change(&mut gguf);
    checkpoint::open_bytes("tiny", &gguf.bytes()).unwrap()
}

#[test]
fn a_name_that_is_not_pinned_or_not_there() {
    let place = Place::new();
    let empty = LockFile::open_or_new(place.path("app/pinfold.lock")).unwrap();
    let error = place.resolve(&empty, Check::Stamp).unwrap_err();
    assert!(matches!(&error, Error::NotPinned { known, .. } if known == "nothing"), "{error}");
    let lock = place.lock(&["file:none.gguf", "https://example.com/a.gguf"], BYTES);
    let error = lock.resolve("indent", &place.store, Check::Stamp).unwrap_err();
    assert!(matches!(&error, Error::NotPinned { known, .. } if known == "intent"), "{error}");
    let error = place.resolve(&lock, Check::Stamp).unwrap_err();
    assert!(
        matches!(&error, Error::NotPulled { name, digest } if name == "intent" && *digest == Digest::of_bytes(BYTES))
    );
}

#[test]
fn files_beside_the_lock_file_are_used_where_they_are() {
    let place = Place::new();
    let lock = place.lock(&["file:none.gguf", "file:intent/a b.gguf"], BYTES);
    fs::write(place.path("app/intent/a b.gguf"), BYTES).unwrap();
    for check in [Check::Stamp, Check::Stamp, Check::Full] {
        let pinned = place.resolve(&lock, check).unwrap();
        assert_eq!(
            (pinned.path, pinned.digest),
            (place.path("app/intent/a b.gguf"), Digest::of_bytes(BYTES))
        );
    }
    assert_eq!(place.store.list().unwrap(), [], "nothing was copied");
}

#[test]
fn changed_files_are_refused() {
    let place = Place::new();
    let lock = place.lock(&["file:intent/a.gguf"], BYTES);
    let path = place.path("app/intent/a.gguf");
    let mut changed = BYTES.to_vec();
    changed[3] ^= 1;
    for bytes in [&changed[..], &BYTES[1..], b""] {
        fs::write(&path, bytes).unwrap();
        match place.resolve(&lock, Check::Stamp).unwrap_err() {
            Error::WrongDigest { name, expected, actual } => {
                assert_eq!(name, "intent");
                assert_eq!((expected, actual), (Digest::of_bytes(BYTES), Digest::of_bytes(bytes)));
            }
            other => panic!("{other}"),
        }
        fs::write(&path, BYTES).unwrap();
        place.resolve(&lock, Check::Stamp).unwrap();
    }
    // A good file is found behind a bad one.
    fs::write(&path, changed).unwrap();
    fs::write(place.path("app/b.gguf"), BYTES).unwrap();
    let lock = place.lock(&["file:intent/a.gguf", "file:b.gguf"], BYTES);
    assert_eq!(place.resolve(&lock, Check::Full).unwrap().path, place.path("app/b.gguf"));
}

#[test]
fn the_store_comes_first() {
    let place = Place::new();
    let lock = place.lock(&["file:a.gguf"], BYTES);
    fs::write(place.path("app/a.gguf"), BYTES).unwrap();
    place.store.import(&place.path("app/a.gguf"), None, StoreWatch::default()).unwrap();
    let pinned = place.resolve(&lock, Check::Stamp).unwrap();
    assert!(pinned.path.starts_with(place.path("store")), "{pinned:?}");
}

#[test]
fn a_size_that_is_wrong_has_its_place() {
    let place = Place::new();
    let mut pin = pin(&["file:a.gguf"], BYTES);
    pin.file.size += 1;
    fs::write(place.path("app/a.gguf"), BYTES).unwrap();
    let mut lock = LockFile::open_or_new(place.path("app/pinfold.lock")).unwrap();
    lock.set_checkpoint("intent", &pin).unwrap();
    match place.resolve(&lock, Check::Stamp).unwrap_err() {
        Error::BadLock { line: 6, column: 8, reason, .. } => {
            assert!(reason.contains("must be 25"), "{reason}")
        }
        other => panic!("{other}"),
    }
}

#[test]
fn adapters_resolve_too() {
    let place = Place::new();
    let mut lock = place.lock(&["file:none.gguf"], BYTES);
    let base = lock.lock().checkpoints["intent"].clone();
    let adapter = checkpoint::AdapterFile::from_header(adapter().1).unwrap();
    let pin = AdapterPin::of(&adapter, file(&["file:style.gguf"], b"adapter"), "intent", &base);
    assert_eq!((pin.architecture.as_str(), pin.base_sha256), ("llama", base.file.sha256));
    lock.set_adapter("style", &pin).unwrap();
    fs::write(place.path("app/style.gguf"), "adapter").unwrap();
    let pinned = lock.resolve("style", &place.store, Check::Stamp).unwrap();
    assert_eq!(pinned.path, place.path("app/style.gguf"));
}

fn adapter() -> (Vec<u8>, checkpoint::Header) {
    let mut gguf = Gguf::empty();
    for (key, value) in [
        ("general.architecture", Value::from("llama")),
        ("general.type", "adapter".into()),
        ("adapter.type", "lora".into()),
        ("adapter.lora.alpha", 2.0.into()),
    ] {
        gguf.set(key, value);
    }
    gguf.tensor("blk.0.attn_q.weight.lora_a", &[8, 2], 0).tensor("blk.0.attn_q.weight.lora_b", &[2, 8], 0);
    let bytes = gguf.bytes();
    let header = checkpoint::Header::from_bytes(&bytes).unwrap();
    (bytes, header)
}

/// The digest is over what a GGUF file of the tokenizer's keys alone, in their order, has between its counts and
/// its end; the test writes that file itself.
#[test]
fn the_digest_of_a_tokenizer_is_that_of_its_part_of_the_file() {
    let mut all = Gguf::tiny_llama();
    all.set("tokenizer.x.u8", Value::U8(1))
        .set("tokenizer.x.u16", Value::U16(2))
        .set("tokenizer.x.u64", Value::U64(3));
    all.set("tokenizer.x.i32", Value::I32(-4)).set("tokenizer.x.u32s", Value::U32s(vec![5, 6]));
    all.set("tokenizer.x.u8s", Value::U8s(vec![7])).set("tokenizer.x.none", Value::Texts(vec![]));
    all.set("tokenizer.x.i8", Value::Raw(1, vec![0xff])).set("tokenizer.x.i16", Value::Raw(3, vec![1, 0x80]));
    all.set("tokenizer.x.i64", Value::Raw(11, vec![9; 8])).set("tokenizer.x.f64", Value::Raw(12, vec![1; 8]));
    for (kind, width) in [(1u32, 1), (2, 2), (3, 2), (7, 1), (10, 8), (11, 8), (12, 8)] {
        let mut bytes = [&kind.to_le_bytes()[..], &2u64.to_le_bytes()].concat();
        bytes.extend(vec![1; 2 * width]);
        all.set(&format!("tokenizer.x.array{kind}"), Value::Raw(9, bytes));
    }
    let mut part = Gguf::empty();
    part.metadata = all.metadata.iter().filter(|(key, _)| key.starts_with(b"tokenizer.")).cloned().collect();
    part.metadata.sort_by(|(one, _), (other, _)| one.cmp(other));
    let wanted = Digest::of_bytes(&part.header()[24..]);

    all.set("tokenizer.chat_template", "{{ messages }}").set("tokenizer.chat_template.tools", "{{ tools }}");
    let open = |gguf: &Gguf| checkpoint::open_bytes("tiny", &gguf.bytes()).unwrap();
    assert_eq!(open(&all).tokenizer_digest(), wanted);
    assert_eq!(open(&all).chat_template_digest(), Some(Digest::of_bytes(b"{{ messages }}")));
    // Neither the order of the keys nor other metadata matter.
    all.metadata.reverse();
    all.set("general.name", "other");
    assert_eq!(open(&all).tokenizer_digest(), wanted);
    all.set("tokenizer.x.u8", Value::U16(1));
    assert_ne!(open(&all).tokenizer_digest(), wanted, "a type is another one");
}

#[test]
fn what_of_a_header_is_not_as_pinned_is_named() {
    let pin = pin(&["file:a.gguf"], BYTES);
    let fields = |change: fn(&mut Gguf)| {
        let differences = pin.differences(&tiny(change));
        for difference in &differences {
            assert_ne!(difference.pinned, difference.found);
            assert!(difference.to_string().contains(difference.field.name()), "{difference}");
        }
        differences.into_iter().map(|difference| difference.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(|_| {}), []);
    assert_eq!(fields(|gguf| _ = gguf.set("general.name", "other")), []);
    assert_eq!(fields(|gguf| gguf.tensors[0].data[9] ^= 1), []);
    assert_eq!(fields(|gguf| _ = gguf.set("llama.context_length", 128)), [HeaderField::ContextLength]);
    assert_eq!(fields(|gguf| _ = gguf.set("general.file_type", 1)), [HeaderField::Quantization]);
    assert_eq!(fields(|gguf| _ = gguf.set("tokenizer.chat_template", "x")), [HeaderField::ChatTemplate]);
    assert_eq!(fields(|gguf| _ = gguf.set("tokenizer.ggml.eos_token_id", 1)), [HeaderField::Tokenizer]);
    let swap = |gguf: &mut Gguf| {
        let (mut tokens, types) = common::gguf::tokens();
        tokens.swap(10, 11);
        gguf.set("tokenizer.ggml.tokens", Value::Texts(tokens))
            .set("tokenizer.ggml.token_type", Value::I32s(types));
    };
    assert_eq!(fields(swap), [HeaderField::Tokenizer]);
}
