//! What `verify` says of files: each change is named, whether the digest in the lock file tells of it or was brought up
//! to date.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::path::{Path, PathBuf};

use common::gguf::{Gguf, Value};
use pinfold::lock::{AdapterPin, CheckpointPin, FilePin};
use pinfold::verify::{Cause, FileReport, VerifyWatch, verify};
use pinfold::{
    Cancel, Check, Digest, Error, LockFile, Source, Store, StoreOptions, VerifyOptions, VerifyReport,
    checkpoint,
};

/// A folder with a lock file and a store.
struct Place {
    folder: tempfile::TempDir,
    lock: LockFile,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lock = LockFile::open_or_new(folder.path().join("pinfold.lock")).unwrap();
        let options = StoreOptions { root: Some(folder.path().join("store")), quota: None };
        let store = Store::open(&options).unwrap();
        Self { folder, lock, store }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, bytes: &[u8]) -> FilePin {
        std::fs::write(self.path(file), bytes).unwrap();
        file_pin(file, bytes)
    }

    /// Writes a checkpoint and pins it.
    fn checkpoint(&mut self, name: &str, gguf: &Gguf) -> CheckpointPin {
        let file = format!("{name}.gguf");
        let pin = self.write(&file, &gguf.bytes());
        let pin = CheckpointPin::of(&checkpoint::open(self.path(&file)).unwrap(), pin);
        self.lock.set_checkpoint(name, &pin).unwrap();
        pin
    }

    fn verify(&self, names: &[&str]) -> pinfold::Result<VerifyReport> {
        let names = names.iter().map(ToString::to_string).collect();
        let options = VerifyOptions { names, ..VerifyOptions::default() };
        verify(&self.lock, &self.store, &options, VerifyWatch::default())
    }

    fn file(&self, name: &str) -> FileReport {
        let report = self.verify(&[name]).unwrap();
        assert_eq!(report.passed(), report.files.iter().all(|file| file.passed));
        report.files.into_iter().find(|file| file.name == name).unwrap()
    }
}

fn file_pin(file: &str, bytes: &[u8]) -> FilePin {
    FilePin {
        sources: vec![Source::File(PathBuf::from(file))],
        sha256: Digest::of_bytes(bytes),
        size: bytes.len() as u64,
        licence: "MIT".into(),
        minisig: None,
    }
}

fn base() -> Gguf {
    let mut gguf = Gguf::tiny_llama();
    gguf.set("tokenizer.chat_template", "{{ messages[0].content }}");
    gguf
}

/// Changes of the base, and what each is called.
fn changes() -> Vec<(Gguf, Cause, &'static str)> {
    let change = |cause, words, change: &dyn Fn(&mut Gguf)| {
        let mut gguf = base();
        change(&mut gguf);
        (gguf, cause, words)
    };
    vec![
        change(Cause::Weights, "the weights or other bytes changed", &|gguf| {
            gguf.find("blk.0.ffn_up.weight").data[5] ^= 1;
        }),
        change(Cause::Weights, "the weights or other bytes changed", &|gguf| {
            gguf.set("general.name", "other");
        }),
        change(Cause::Tokenizer, "the tokenizer is not the pinned one", &|gguf| {
            let (mut tokens, _) = common::gguf::tokens();
            tokens.swap(100, 101);
            gguf.set("tokenizer.ggml.tokens", Value::Texts(tokens));
        }),
        change(Cause::Tokenizer, "the tokenizer is not the pinned one", &|gguf| {
            gguf.set("tokenizer.ggml.add_bos_token", false);
        }),
        change(Cause::ChatTemplate, "the chat template is not the pinned one", &|gguf| {
            gguf.set("tokenizer.chat_template", "{{ messages[0].content}} ");
        }),
        change(Cause::ChatTemplate, "the chat template is gone", &|gguf| {
            gguf.remove("tokenizer.chat_template");
        }),
        change(Cause::Metadata, "the context length is 128, not 64", &|gguf| {
            gguf.set("llama.context_length", 128);
        }),
        change(Cause::Preflight, "is not a checkpoint that can run", &|gguf| {
            gguf.without("output_norm.weight");
        }),
    ]
}

#[test]
fn what_is_as_pinned_passes() {
    let mut place = Place::new();
    place.checkpoint("base", &base());
    let report = place.verify(&[]).unwrap();
    let expected =
        FileReport { name: "base".into(), passed: true, causes: vec![], detail: "llama, F32".into() };
    assert_eq!(report.files, [expected]);
    assert!(report.passed() && report.goldens.is_empty());
}

#[test]
fn a_replaced_file_is_found_and_what_changed_in_it_is_named() {
    let mut place = Place::new();
    let pin = place.checkpoint("base", &base());
    for (gguf, cause, words) in changes() {
        place.write("base.gguf", &gguf.bytes());
        let report = place.file("base");
        assert_eq!((report.passed, &*report.causes), (false, &[cause][..]), "{report:?}");
        assert!(report.detail.contains(words), "{}", report.detail);
        assert!(report.detail.ends_with(&format!("instead of {}", pin.file.sha256)), "{}", report.detail);
    }
    // Several at once, and another length.
    let mut gguf = base();
    gguf.set("tokenizer.chat_template", "longer by more than the padding: {{ messages[0].content }}");
    gguf.set("llama.context_length", 128).set("tokenizer.ggml.add_bos_token", false);
    place.write("base.gguf", &gguf.bytes());
    let report = place.file("base");
    assert_eq!(report.causes, [Cause::Metadata, Cause::Tokenizer, Cause::ChatTemplate]);
    assert!(report.detail.contains(&format!("bytes instead of {}", pin.file.size)), "{}", report.detail);
}

#[test]
fn a_replaced_file_whose_digest_was_brought_up_to_date_contradicts_the_rest_of_its_pin() {
    let mut place = Place::new();
    let mut pin = place.checkpoint("base", &base());
    for (gguf, cause, words) in changes() {
        pin.file = place.write("base.gguf", &gguf.bytes());
        place.lock.set_checkpoint("base", &pin).unwrap();
        let report = place.file("base");
        match cause {
            // Nothing of the pin speaks of them; goldens do.
            Cause::Weights => assert!(report.passed),
            Cause::Preflight => assert_eq!(report.causes, [Cause::Preflight]),
            _ => {
                assert_eq!(report.causes, [cause, Cause::Lock], "{report:?}");
                assert!(report.detail.contains(words), "{}", report.detail);
            }
        }
    }
}

#[test]
fn an_edited_pin_contradicts_the_file() {
    let mut place = Place::new();
    let pin = place.checkpoint("base", &base());
    let mut edit = |change: &dyn Fn(&mut CheckpointPin)| {
        let mut edited = pin.clone();
        change(&mut edited);
        place.lock.set_checkpoint("base", &edited).unwrap();
        place.file("base")
    };
    let other = Digest::of_bytes(b"other");
    for (report, cause) in [
        (edit(&|pin| pin.architecture = "qwen2".into()), Cause::Metadata),
        (edit(&|pin| pin.quantization = "Q4_K_M".into()), Cause::Metadata),
        (edit(&|pin| pin.context_length = 65), Cause::Metadata),
        (edit(&|pin| pin.tokenizer_sha256 = other), Cause::Tokenizer),
        (edit(&|pin| pin.chat_template_sha256 = None), Cause::ChatTemplate),
    ] {
        assert_eq!(report.causes, [cause, Cause::Lock], "{report:?}");
    }
    let report = edit(&|pin| pin.file.size += 1);
    assert_eq!(report.causes, [Cause::Lock]);
    assert!(report.detail.contains("`size` must be"), "{}", report.detail);
}

#[test]
fn a_file_that_is_not_there_or_no_gguf_is_said_so() {
    let mut place = Place::new();
    place.checkpoint("base", &base());
    place.write("base.gguf", b"<html>404</html>");
    let report = place.file("base");
    assert_eq!(report.causes, [Cause::Preflight]);
    assert!(report.detail.contains("GGUF"), "{}", report.detail);
    std::fs::remove_file(place.path("base.gguf")).unwrap();
    assert_eq!(place.file("base").causes, [Cause::Missing]);
}

#[test]
fn a_file_of_the_store_is_examined_there() {
    let mut place = Place::new();
    let pin = place.checkpoint("base", &base());
    let digest =
        place.store.import(&place.path("base.gguf"), Some(pin.file.sha256), Default::default()).unwrap();
    std::fs::remove_file(place.path("base.gguf")).unwrap();
    assert!(place.file("base").passed);

    let stored = place.store.get(digest, Check::Stamp).unwrap().unwrap();
    let (changed, cause, _) = changes().into_iter().find(|(_, cause, _)| *cause == Cause::Tokenizer).unwrap();
    overwrite(&stored, &changed.bytes());
    assert_eq!(place.file("base").causes, [cause]);
}

fn overwrite(path: &Path, bytes: &[u8]) {
    // Stored files may be read-only; a person who changes one gets around that.
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

fn adapter(rank_of: u64) -> Gguf {
    let mut gguf = Gguf::empty();
    gguf.set("general.type", "adapter").set("general.architecture", "llama").set("adapter.type", "lora");
    gguf.set("adapter.lora.alpha", 8.0);
    gguf.tensor("blk.0.attn_q.weight.lora_a", &[rank_of, 1], 0);
    gguf.tensor("blk.0.attn_q.weight.lora_b", &[1, rank_of], 0);
    gguf
}

#[test]
fn an_adapter_is_checked_with_its_base() {
    let mut place = Place::new();
    let base = place.checkpoint("base", &base());
    let pin = |place: &Place, gguf: &Gguf| {
        let file = place.write("style.gguf", &gguf.bytes());
        AdapterPin::of(&checkpoint::open_adapter(place.path("style.gguf")).unwrap(), file, "base", &base)
    };
    let good = pin(&place, &adapter(8));
    place.lock.set_adapter("style", &good).unwrap();
    let report = place.verify(&["style"]).unwrap();
    let names: Vec<_> = report.files.iter().map(|file| (&*file.name, file.passed)).collect();
    assert_eq!(names, [("base", true), ("style", true)]);

    // Other matrices, another kind of file, none.
    let mut changed = adapter(8);
    changed.tensors[0].data[0] ^= 1;
    place.write("style.gguf", &changed.bytes());
    assert_eq!(place.file("style").causes, [Cause::Weights]);
    changed.set("general.architecture", "qwen2");
    place.write("style.gguf", &changed.bytes());
    assert_eq!(place.file("style").causes, [Cause::Metadata]);
    place.write("style.gguf", &Gguf::tiny_llama().bytes());
    assert_eq!(place.file("style").causes, [Cause::Preflight]);
    std::fs::remove_file(place.path("style.gguf")).unwrap();
    assert_eq!(place.file("style").causes, [Cause::Missing]);

    // One for a base of another width, which its pin does not tell.
    let wide = pin(&place, &adapter(16));
    place.lock.set_adapter("style", &wide).unwrap();
    let report = place.file("style");
    assert_eq!(report.causes, [Cause::Preflight]);
    assert!(report.detail.contains("does not fit"), "{}", report.detail);
}

#[test]
fn names_choose_and_a_cancel_stops() {
    let mut place = Place::new();
    place.checkpoint("one", &base());
    place.checkpoint("two", &Gguf::tiny_llama());
    let names = |report: VerifyReport| report.files.into_iter().map(|file| file.name).collect::<Vec<_>>();
    assert_eq!(names(place.verify(&[]).unwrap()), ["one", "two"]);
    assert_eq!(names(place.verify(&["two", "two"]).unwrap()), ["two"]);
    match place.verify(&["two", "three"]) {
        Err(Error::NotPinned { name, known, .. }) => assert_eq!((&*name, &*known), ("three", "one, two")),
        other => panic!("{other:?}"),
    }

    let cancel = Cancel::new();
    let mut seen = Vec::new();
    let mut progress = |name: &str, done, all| {
        seen.push((name.to_owned(), done, all));
        cancel.cancel();
    };
    let watch = VerifyWatch { progress: Some(&mut progress), cancel: cancel.clone() };
    let stopped = verify(&place.lock, &place.store, &VerifyOptions::default(), watch);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    assert_eq!(seen, [("one".to_owned(), 0, 2)]);
    let options = VerifyOptions { tolerance: -1.0, ..VerifyOptions::default() };
    let refused = verify(&place.lock, &place.store, &options, VerifyWatch::default());
    assert!(matches!(refused, Err(Error::InvalidOption { option: "tolerance", .. })));
}
