//! The trait `Engine` on llama.cpp, over a tiny checkpoint that the test writes itself: decode over several
//! sequences, embeddings, state, adapters, and calls that must be refused before llama.cpp sees them.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![cfg(feature = "llama")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::gguf::Gguf;
use pinfold::engine::llama::{LlamaWeights, LoadOptions, Source};
use pinfold::engine::{Batch, BatchToken, Engine, EngineOptions, Pooling, Weights};
use pinfold::{Cancel, Error, Offload, Special, Token};

fn weights() -> LlamaWeights {
    let bytes = Gguf::llama(32, 64).bytes();
    let checkpoint = pinfold::checkpoint::open_bytes("tiny", &bytes).unwrap();
    let options =
        LoadOptions { offload: Offload::cpu_only(), mmap: false, progress: None, cancel: Cancel::new() };
    LlamaWeights::load("tiny", &checkpoint, &Source::Bytes(&bytes), options).unwrap()
}

fn options(embeddings: bool) -> EngineOptions {
    EngineOptions {
        context_tokens: 64,
        sequences: 3,
        batch_tokens: 32,
        threads: 1,
        embeddings,
        reproducible: false,
    }
}

fn open(weights: &LlamaWeights) -> Box<dyn Engine> {
    weights.open(&options(false)).unwrap()
}

/// The tokens of a text as a batch that extends `sequence` from `start`; the last one wants logits.
fn batch(tokens: &[u32], sequence: u32, start: u32) -> Batch {
    let entry = |(index, &token): (usize, &u32)| BatchToken {
        token: Token(token),
        sequence,
        position: start + index as u32,
        output: index + 1 == tokens.len(),
    };
    Batch { tokens: tokens.iter().enumerate().map(entry).collect() }
}

fn after(engine: &mut dyn Engine, batch: &Batch) -> Vec<f32> {
    engine.decode(batch, None).unwrap();
    engine.logits(0).unwrap().to_vec()
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn a_batch_over_sequences_gives_what_each_gives_alone() {
    let weights = weights();
    let mut engine = open(&weights);
    let one = after(engine.as_mut(), &batch(&[1, 70, 71], 0, 0));
    let two = after(engine.as_mut(), &batch(&[1, 80], 1, 0));
    assert_ne!(one, two);
    let mut both = batch(&[1, 70, 71], 0, 0);
    both.tokens.extend(batch(&[1, 80], 1, 0).tokens);
    let mut fresh = open(&weights);
    fresh.decode(&both, None).unwrap();
    assert!(close(fresh.logits(0).unwrap(), &one) && close(fresh.logits(1).unwrap(), &two));
    assert!(matches!(fresh.logits(2), Err(Error::Engine { .. })));
}

#[test]
fn copied_removed_and_shifted_sequences_go_on() {
    let weights = weights();
    let mut engine = open(&weights);
    let whole = after(engine.as_mut(), &batch(&[1, 70, 71, 72], 0, 0));
    engine.sequence_copy(0, 1, 0..2).unwrap();
    let rest = after(engine.as_mut(), &batch(&[71, 72], 1, 2));
    assert!(close(&whole, &rest));
    engine.sequence_remove(1, 2..u32::MAX).unwrap();
    assert!(close(&whole, &after(engine.as_mut(), &batch(&[71, 72], 1, 2))));
    engine.sequence_remove(0, 1..2).unwrap();
    engine.sequence_shift(0, 2..4, -1).unwrap();
    engine.decode(&batch(&[73], 0, 3), None).unwrap();
    assert!(matches!(engine.sequence_shift(0, 0..2, -1), Err(Error::Engine { .. })));
}

#[test]
fn a_saved_state_goes_on_in_another_context() {
    let weights = weights();
    let mut engine = open(&weights);
    engine.decode(&batch(&[1, 70, 71], 2, 0), None).unwrap();
    let state = engine.save_state(2).unwrap();
    let expected = after(engine.as_mut(), &batch(&[72], 2, 3));
    let mut other = open(&weights);
    other.load_state(0, &state).unwrap();
    assert!(close(&expected, &after(other.as_mut(), &batch(&[72], 0, 3))));
    assert!(matches!(other.load_state(1, &state[..state.len() / 2]), Err(Error::Engine { .. })));
}

#[test]
fn what_llama_cpp_would_abort_on_is_refused_before() {
    let weights = weights();
    let mut engine = open(&weights);
    let refused = |engine: &mut dyn Engine, batch: &Batch| engine.decode(batch, None).unwrap_err();
    assert!(matches!(refused(engine.as_mut(), &Batch::default()), Error::Engine { .. }));
    assert!(matches!(refused(engine.as_mut(), &batch(&[1; 33], 0, 0)), Error::Engine { .. }));
    assert!(matches!(refused(engine.as_mut(), &batch(&[1], 3, 0)), Error::Engine { .. }));
    assert!(matches!(
        refused(engine.as_mut(), &batch(&[9999], 0, 0)),
        Error::UnknownToken { token: 9999, .. }
    ));
    assert!(matches!(refused(engine.as_mut(), &batch(&[1], 0, 64)), Error::ContextFull { capacity: 64, .. }));
    assert!(matches!(engine.sequence_remove(3, 0..1), Err(Error::Engine { .. })));
    assert!(matches!(engine.sequence_copy(0, 9, 0..1), Err(Error::Engine { .. })));
    assert!(matches!(engine.encode(&[Token(1)]), Err(Error::Unsupported { .. })));
    assert!(matches!(engine.embed(&[&[Token(1)]], Pooling::Mean), Err(Error::Unsupported { .. })));
    // A gap is refused, and leaves the sequence as it was.
    engine.decode(&batch(&[1, 70], 0, 0), None).unwrap();
    assert!(matches!(refused(engine.as_mut(), &batch(&[70], 0, 7)), Error::Engine { .. }));
    engine.decode(&batch(&[71], 0, 2), None).unwrap();
}

#[test]
fn options_out_of_range_are_refused() {
    let weights = weights();
    let with = |change: fn(&mut EngineOptions)| {
        let mut options = options(false);
        change(&mut options);
        weights.open(&options).err()
    };
    assert!(with(|_| {}).is_none());
    assert!(matches!(with(|o| o.sequences = 0), Some(Error::InvalidOption { option: "sessions", .. })));
    assert!(matches!(with(|o| o.sequences = 257), Some(Error::InvalidOption { option: "sessions", .. })));
    assert!(matches!(
        with(|o| o.context_tokens = 0),
        Some(Error::InvalidOption { option: "context_tokens", .. })
    ));
    assert!(matches!(with(|o| o.threads = 0), Some(Error::InvalidOption { option: "threads", .. })));
    assert!(matches!(with(|o| o.threads = 9999), Some(Error::InvalidOption { option: "threads", .. })));
}

#[test]
fn a_cancelled_decode_leaves_the_sequence_as_it_was() {
    let weights = weights();
    let mut engine = open(&weights);
    engine.decode(&batch(&[1, 70], 0, 0), None).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(matches!(engine.decode(&batch(&[71, 72], 0, 2), Some(&cancel)), Err(Error::Cancelled)));
    engine.decode(&batch(&[71, 72], 0, 2), Some(&Cancel::new())).unwrap();
}

#[test]
fn embeddings_are_pooled_over_their_tokens() {
    let weights = weights();
    let mut engine = weights.open(&options(true)).unwrap();
    let (long, short) = ([Token(1), Token(70), Token(71)], [Token(80)]);
    let rows = engine.embed(&[&long, &short], Pooling::None).unwrap();
    assert_eq!((rows[0].values.len(), rows[0].width, rows[1].values.len()), (96, 32, 32));
    let mean = engine.embed(&[&long], Pooling::Mean).unwrap().remove(0).values;
    let by_hand: Vec<f32> =
        (0..32).map(|i| (0..3).map(|row| rows[0].values[32 * row + i]).sum::<f32>() / 3.0).collect();
    assert!(close(&mean, &by_hand));
    assert!(close(&engine.embed(&[&long], Pooling::First).unwrap()[0].values, &rows[0].values[..32]));
    assert!(close(&engine.embed(&[&long], Pooling::Last).unwrap()[0].values, &rows[0].values[64..]));
    assert!(matches!(engine.embed(&[&[]], Pooling::Mean), Err(Error::Engine { .. })));
    assert!(matches!(engine.embed(&[&[Token(1); 33]], Pooling::Mean), Err(Error::ContextFull { .. })));
}

/// An adapter of rank 1 for the first query matrix of a checkpoint of this width.
fn adapter(path: &Path, width: u64) {
    let mut gguf = Gguf::empty();
    gguf.set("general.type", "adapter").set("general.architecture", "llama").set("adapter.type", "lora");
    gguf.set("adapter.lora.alpha", 8.0);
    gguf.tensor("blk.0.attn_q.weight.lora_a", &[width, 1], 0);
    gguf.tensor("blk.0.attn_q.weight.lora_b", &[1, 32], 0);
    std::fs::write(path, gguf.bytes()).unwrap();
}

#[test]
fn an_adapter_changes_what_is_computed_by_its_scale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.gguf");
    adapter(&path, 32);
    let weights = weights();
    let adapter = weights.load_adapter(&path).unwrap();
    let mut engine = open(&weights);
    let mut ask = |adapters: &[(Arc<_>, f32)]| {
        engine.set_adapters(adapters).unwrap();
        engine.sequence_remove(0, 0..u32::MAX).unwrap();
        after(engine.as_mut(), &batch(&[1, 70, 71, 90], 0, 0))
    };
    let without = ask(&[]);
    assert_ne!(ask(&[(adapter.clone(), 50.0)]), without);
    assert_eq!(ask(&[(adapter.clone(), 0.0)]), without);
    assert_eq!(ask(&[]), without);

    let wide = folder.path().join("misfit.gguf");
    self::adapter(&wide, 16);
    assert!(matches!(weights.load_adapter(&wide).err(), Some(Error::BadCheckpoint { .. })));

    let other = self::weights();
    let foreign = open(&other).set_adapters(&[(adapter.clone(), 1.0)]);
    assert!(matches!(foreign, Err(Error::Unsupported { .. })));
    std::fs::write(&path, b"GGUF").unwrap();
    assert!(matches!(weights.load_adapter(&path).err(), Some(Error::BadCheckpoint { .. })));
}

#[test]
fn weights_contexts_and_adapters_drop_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.gguf");
    adapter(&path, 32);
    let weights = weights();
    let adapter = weights.load_adapter(&path).unwrap();
    let mut engine = open(&weights);
    engine.set_adapters(&[(adapter.clone(), 1.0)]).unwrap();
    drop(weights);
    drop(adapter);
    engine.decode(&batch(&[1, 70], 0, 0), None).unwrap();
}

#[test]
fn special_tokens_are_read_only_where_they_are_asked_for() {
    let weights = weights();
    let plain = weights.tokenize("</s>", Special::Plain).unwrap();
    let parsed = weights.tokenize("</s>", Special::Parse).unwrap();
    assert!(plain.len() > 1 && parsed == [Token(2)], "{plain:?} {parsed:?}");
    assert!(weights.vocabulary().ends_generation(Token(2)));
    assert_eq!(weights.tokenize("", Special::Parse).unwrap(), []);
}
