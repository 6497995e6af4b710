//! What sealing costs: the time of sealing a prompt of 100 KB as a share of the time that the tokenizer takes for
//! it, without a forged token and with thousands; and what it takes to make a sealer.
//!
//!     cargo bench --workspace --bench seal -- FILE.gguf

use std::hint::black_box;
use std::time::Instant;

use pinfold::prompt::{Markers, Sealer, Text};
use pinfold::{Special, Tokenizer};

const TEMPLATE: &str = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}\
    {% endfor %}{{ '<|im_start|>assistant\\n' }}";
const BYTES: usize = 100_000;
const ROUNDS: usize = 7;

fn least<T>(mut run: impl FnMut() -> pinfold::Result<T>) -> pinfold::Result<f64> {
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(run()?);
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(least)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds a flag of its own.
    for path in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let tokenizer = Tokenizer::load(&path)?;
        let template = tokenizer.chat_template(TEMPLATE)?;
        let sealer = Sealer::new(&tokenizer, Some(&template))?;
        let made = least(|| Sealer::new(&tokenizer, Some(&template)))?;
        println!("{path}: a sealer in {made:.1} ms");
        let vocabulary = tokenizer.vocabulary();
        let bos = vocabulary.bos().or(vocabulary.eos()).ok_or("no token that begins or ends")?;
        let special = String::from_utf8_lossy(vocabulary.bytes(bos)).into_owned();
        let benign = "The quick brown fox jumps over the lazy dog, and x < y. ";
        let forged = format!("The quick {special} brown {special}{special} fox. ");
        for (what, sentence) in [("benign", benign.to_owned()), ("forged", forged)] {
            let mut text = Text::author("system\n");
            text.push_sealed(&sentence.repeat(BYTES / sentence.len()));
            let plain = least(|| tokenizer.tokenize(text.as_str(), Special::Plain))?;
            let sealed = least(|| sealer.seal(&text, Markers::Reject))?;
            let split = sealer.seal(&text, Markers::Reject)?.split.len();
            println!(
                "  {what}, {} KB, {split} forged: tokenized in {plain:.1} ms, sealed in {sealed:.1} ms, {:.2} times",
                text.len() / 1000,
                sealed / plain
            );
        }
    }
    Ok(())
}
