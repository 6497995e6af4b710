//! The lock file of the shared cases (core/vectors/pins) is of the committed checkpoint. `PINFOLD_UPDATE=1` writes it
//! anew, signed with a key that is there for that alone.
#![cfg(feature = "llama")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox, SignatureBox};
use pinfold::lock::{AdapterPin, CheckpointPin, FilePin, Golden, GoldenInput};
use pinfold::verify::{GoldenRequest, record};
use pinfold::{
    Cancel, Digest, LoadWatch, LockFile, Message, Model, ModelOptions, Pinned, Role, Sampling, Token,
    checkpoint,
};

/// From the folder of the lock file.
const INTENT: &str = "../../../checkpoints/intent/pinfold-intent-q8_0.gguf";

fn pins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/pins")
}

/// The secret key, in the clear: it signs nothing else.
fn key() -> SecretKey {
    let (secret, public) = (pins().join("test.key"), pins().join("test.pub"));
    if !secret.exists() {
        let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair().unwrap();
        fs::write(&public, pk.to_box().unwrap().into_string()).unwrap();
        let comment = "for the shared cases of Pinfold alone, not secret";
        fs::write(&secret, sk.to_box(Some(comment)).unwrap().into_string()).unwrap();
    }
    SecretKeyBox::from_string(&fs::read_to_string(&secret).unwrap())
        .and_then(SecretKeyBox::into_unencrypted_secret_key)
        .unwrap()
}

fn sign(bytes: &[u8], comment: &str) -> SignatureBox {
    let key = key();
    let public = PublicKey::from_secret_key(&key).unwrap();
    minisign::sign(Some(&public), &key, bytes, Some(comment), Some("signed for the shared cases")).unwrap()
}

fn file(source: &str, sha256: Digest, size: u64) -> FilePin {
    let licence = "MIT OR Apache-2.0".to_owned();
    FilePin { sources: vec![source.parse().unwrap()], sha256, size, licence, minisig: None }
}

/// The checkpoint as it is pinned, unsigned.
fn intent() -> (PathBuf, CheckpointPin) {
    let path = pins().join(INTENT);
    let size = fs::metadata(&path).unwrap().len();
    let pin = file(&format!("file:{INTENT}"), Digest::of_file(&path).unwrap(), size);
    (path.clone(), CheckpointPin::of(&checkpoint::open(&path).unwrap(), pin))
}

/// The goldens: one that passes, one with another bias than it was recorded with, one of another prompt. All are
/// greedy and far from a tie, so that kernels of every instruction set agree.
fn goldens(path: PathBuf, digest: Digest) -> [(&'static str, Golden); 3] {
    let say = |text: &str| GoldenInput::Messages(vec![Message::new(Role::User, text)]);
    let pinned = Pinned { name: "intent".into(), path, digest, minisig: None };
    let input = say("play some jazz by miles davis");
    let options = ModelOptions { reproducible: true, sessions: 1, ..ModelOptions::default() };
    let model = Model::load_pinned(&pinned, &options, LoadWatch::default()).unwrap();
    let golden = |input, sampling, max_tokens| {
        let checkpoint = "intent".to_owned();
        let request =
            GoldenRequest { checkpoint, input, sampling, preset: None, max_tokens, stop: Vec::new() };
        record(&model, &request, &Cancel::new()).unwrap()
    };
    let mut rebiased = golden(input.clone(), Sampling::default(), 40);
    rebiased.sampling.logit_bias = [(Token(rebiased.expected.tokens[3]), -100.0)].into();
    let mut reworded = golden(input.clone(), Sampling::default(), 40);
    reworded.input = say("play some blues by muddy waters");
    [("music", golden(input, Sampling::default(), 40)), ("rebiased", rebiased), ("reworded", reworded)]
}

fn write() {
    let path = pins().join("pinfold.lock");
    let _ = fs::remove_file(&path);
    let (checkpoint, mut pin) = intent();
    let goldens = goldens(checkpoint.clone(), pin.file.sha256);
    let signature = sign(&fs::read(&checkpoint).unwrap(), "the checkpoint intent").to_string();
    let nothing = Digest([0xee; 32]);
    let mut wrong = pin.clone();
    wrong.file.sha256 = nothing;
    // Nothing listens there.
    let mut elsewhere = pin.clone();
    elsewhere.file = file("http://127.0.0.1:9/elsewhere.gguf", nothing, pin.file.size);
    let adapter = AdapterPin {
        file: file("file:no-such-adapter.gguf", nothing, 4096),
        architecture: pin.architecture.clone(),
        base: "intent".into(),
        base_sha256: pin.file.sha256,
    };
    let bias = [(Token(5), -1.5)].into();
    let careful = Sampling { temperature: 0.5, seed: 7, top_k: 40, logit_bias: bias, ..Sampling::default() };
    pin.file.minisig = Some(signature);
    LockFile::edit(&path, |lock| {
        lock.set_checkpoint("elsewhere", &elsewhere)?;
        lock.set_checkpoint("intent", &pin)?;
        lock.set_checkpoint("wrong", &wrong)?;
        lock.set_adapter("accent", &adapter)?;
        lock.set_sampling("careful", &careful)?;
        for (name, golden) in &goldens {
            lock.set_golden(name, golden)?;
        }
        Ok(())
    })
    .unwrap();
    let signature = sign(&fs::read(&path).unwrap(), "the lock file of the shared cases");
    fs::write(pins().join("pinfold.lock.minisig"), signature.to_string()).unwrap();
}

#[test]
fn the_lock_file_of_the_shared_cases_is_of_the_committed_checkpoint() {
    if std::env::var_os("PINFOLD_UPDATE").is_some() {
        write();
    }
    let key = pinfold::PublicKey::parse(&fs::read_to_string(pins().join("test.pub")).unwrap()).unwrap();
    let lock = LockFile::open_signed(pins().join("pinfold.lock"), &key).unwrap();
    let mut pinned = lock.lock().checkpoints["intent"].clone();
    let signature = pinned.file.minisig.take().unwrap();
    let (path, now) = intent();
    let stale = "stale: PINFOLD_UPDATE=1 cargo test --release --workspace --test pin_vectors writes it";
    assert_eq!(pinned, now, "core/vectors/pins/pinfold.lock is {stale}");
    key.check_file("intent", &path, &signature).unwrap();
}
