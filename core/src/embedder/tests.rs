use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::engine::scripted::{EOS, Scripted};

/// Counts letters: texts of the same letters are alike.
fn letters(tokens: &[Token]) -> Vec<f32> {
    let mut counts = vec![0.0; 26];
    for token in tokens {
        if let Some(place) = token.0.checked_sub(u32::from(b'a')).filter(|&place| place < 26) {
            counts[place as usize] += 1.0;
        }
    }
    counts
}

fn embedder(scripted: Scripted) -> Embedder {
    Embedder::from_weights(Arc::new(scripted), &EmbedderOptions::default()).unwrap()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn embeddings_have_length_one_and_the_order_of_the_texts() {
    let embedder = embedder(Scripted::answering("").with_embedding(26, letters));
    let vectors = embedder.embed(&["abba", "xyz", "baab", "b"], &Cancel::new()).unwrap();
    assert_eq!((vectors.len(), embedder.width()), (4, 26));
    assert!(vectors.iter().all(|vector| (dot(vector, vector) - 1.0).abs() < 1e-6 && vector.len() == 26));
    assert!((dot(&vectors[0], &vectors[2]) - 1.0).abs() < 1e-6);
    assert!(dot(&vectors[0], &vectors[1]).abs() < 1e-6);
    assert!((dot(&vectors[0], &vectors[3]) - 0.5f32.sqrt()).abs() < 1e-6);
    assert!(embedder.embed(&[], &Cancel::new()).unwrap().is_empty());
}

#[test]
fn without_a_script_tokens_are_pooled_by_their_mean() {
    let vectors = embedder(Scripted::answering("")).embed(&["ac"], &Cancel::new()).unwrap();
    let length = (98.0f32 * 98.0 + 1.0).sqrt();
    assert!((vectors[0][0] - 98.0 / length).abs() < 1e-6 && (vectors[0][1] - 1.0 / length).abs() < 1e-6);
}

#[test]
fn a_text_never_spells_a_control_token() {
    let see = |tokens: &[Token]| vec![if tokens.contains(&EOS) { 1.0 } else { -1.0 }];
    let vectors =
        embedder(Scripted::answering("").with_embedding(1, see)).embed(&["a<eos>b"], &Cancel::new()).unwrap();
    assert_eq!(vectors, [[-1.0]]);
}

#[test]
fn what_cannot_be_embedded_is_an_error_and_the_next_call_works() {
    let scripted = Scripted::answering("").with_embedding(26, letters);
    let options = EmbedderOptions { max_tokens: 4, ..EmbedderOptions::default() };
    let embedder = Embedder::from_weights(Arc::new(scripted.clone()), &options).unwrap();
    let embed = |text: &str| embedder.embed(&["ok", text], &Cancel::new());
    assert!(matches!(embed(""), Err(Error::InvalidOption { option: "texts", .. })));
    assert!(matches!(embed("abcde"), Err(Error::ContextFull { used: 0, requested: 5, capacity: 4 })));
    assert!(matches!(embed("123"), Err(Error::Engine { .. })), "no letters, no direction");
    assert_eq!(embed("abcd").unwrap().len(), 2);
    let none = EmbedderOptions { threads: 100_000, ..EmbedderOptions::default() };
    let refused = Embedder::from_weights(Arc::new(scripted), &none).unwrap_err();
    assert!(matches!(refused, Error::InvalidOption { option: "threads", .. }));
}

#[test]
fn a_cancelled_call_computes_no_further_text() {
    let (cancel, seen) = (Cancel::new(), Arc::new(AtomicUsize::new(0)));
    let (stop, count) = (cancel.clone(), seen.clone());
    let scripted = Scripted::answering("").with_embedding(1, move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        stop.cancel();
        vec![1.0]
    });
    let embedder = embedder(scripted);
    assert!(matches!(embedder.embed(&["a", "b", "c"], &cancel), Err(Error::Cancelled)));
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    assert_eq!(embedder.embed(&["a"], &Cancel::new()).unwrap().len(), 1);
}

#[test]
fn kept_texts_are_computed_once() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let scripted = Scripted::answering("").with_embedding(26, move |tokens| {
        count.fetch_add(1, Ordering::Relaxed);
        letters(tokens)
    });
    let embedder = embedder(scripted);
    let first = embedder.embed_kept(&["a", "b", "a"], &Cancel::new()).unwrap();
    assert_eq!((seen.load(Ordering::Relaxed), first.len()), (2, 3));
    let second = embedder.clone().embed_kept(&["b", "c"], &Cancel::new()).unwrap();
    assert_eq!((seen.load(Ordering::Relaxed), &second[0]), (3, &first[1]));
}

#[test]
fn several_threads_share_it() {
    let embedder = embedder(Scripted::answering("").with_embedding(26, letters));
    std::thread::scope(|scope| {
        for text in ["a", "bb", "ccc"] {
            let embedder = embedder.clone();
            scope.spawn(move || {
                for _ in 0..20 {
                    let alone = embedder.embed(&[text], &Cancel::new()).unwrap();
                    assert_eq!(alone[0][usize::from(text.as_bytes()[0] - b'a')], 1.0);
                }
            });
        }
    });
}

#[test]
fn the_file_says_how_it_pools() {
    let facts = |pooling| Facts { pooling, has_decoder: true, ..Facts::default() };
    for (said, expected) in
        [(None, Pooling::Mean), (Some(1), Pooling::Mean), (Some(2), Pooling::First), (Some(3), Pooling::Last)]
    {
        assert_eq!(pooling(&facts(said)).unwrap(), expected);
    }
    let translator = Facts { has_encoder: true, ..facts(None) };
    for wrong in [facts(Some(4)), translator] {
        assert!(matches!(pooling(&wrong), Err(Error::Unsupported { .. })));
    }
}
