//! A text of any pieces, sealed or not, becomes tokens that spell it, and none that steers stands for a value.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use pinfold::engine::scripted::{EOS, Scripted};
use pinfold::prompt::{Markers, Sealer, Text};
use pinfold::{Tokenizer, Vocabulary};

const TEMPLATE: &str = "{% for m in messages %}{{ '[INST] ' + m.content + ' [/INST]' }}{{ eos_token }}{% endfor %}\
    {{ '\n### Response:\n' }}";

static SEALER: LazyLock<(Tokenizer, Sealer)> = LazyLock::new(|| {
    let tokenizer = Tokenizer::from_weights(Arc::new(Scripted::answering("")));
    let template = tokenizer.chat_template(TEMPLATE).unwrap();
    let sealer = Sealer::new(&tokenizer, Some(&template)).unwrap();
    (tokenizer, sealer)
});

fn spelled(vocabulary: &Vocabulary, tokens: &[pinfold::Token]) -> Vec<u8> {
    tokens.iter().flat_map(|&token| vocabulary.bytes(token)).copied().collect()
}

fuzz_target!(|pieces: &str| {
    let (tokenizer, sealer) = &*SEALER;
    let mut text = Text::new();
    // What an author wrote and values take turns.
    for (index, piece) in pieces.split('\u{1}').enumerate() {
        text.push(piece, index % 2 == 1);
    }
    let sealed = sealer.seal(&text, Markers::Neutralize).unwrap();
    if sealed.neutralized.is_empty() {
        assert_eq!(spelled(tokenizer.vocabulary(), &sealed.tokens), text.as_str().as_bytes());
    }
    let author: usize =
        text.pieces().filter(|(_, sealed)| !sealed).map(|(piece, _)| piece.matches("<eos>").count()).sum();
    assert_eq!(sealed.tokens.iter().filter(|&&token| token == EOS).count(), author);
});
