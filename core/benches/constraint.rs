//! What a constraint costs a token: against a sampling step without one, and against llguidance alone; and how long
//! it takes to prepare a vocabulary, a schema, and a quote of 100 KB.
//!
//!     cargo bench --workspace --bench constraint -- VOCABULARY.gguf

use std::sync::Arc;
use std::time::Instant;

use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory};
use pinfold::constraint::Grammars;
use pinfold::sampler::Sampler;
use pinfold::{Constraint, Sampling, Special, Token, Tokenizer, Vocabulary};
use serde_json::{Value, json};
use toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};

const ROUNDS: usize = 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let Some(path) = path else {
        println!("constraint: no vocabulary was named, nothing is measured");
        return Ok(());
    };
    let tokenizer = Tokenizer::load(&path)?;
    let vocabulary = tokenizer.vocabulary();
    let start = Instant::now();
    let grammars = Grammars::new(vocabulary)?;
    println!("{} tokens, prepared in {:.0} ms", vocabulary.len(), milliseconds(start));

    let text = "{\"name\":\"Ada Lovelace\",\"born\":1815,\"tags\":[\"mathematics\",\"poetry\"]}";
    let tokens = tokenizer.tokenize(text, Special::Plain)?;
    let schema = schema();
    let constraint = Constraint::JsonSchema(schema.clone());
    let start = Instant::now();
    let masks = grammars.compile(&constraint)?;
    println!("a schema compiled in {:.1} ms", milliseconds(start));
    let alone = alone(vocabulary, schema)?;

    let logits: Vec<f32> = (0..vocabulary.len()).map(|token| (token * 7919 % 1000) as f32 / 100.0).collect();
    let mut sampler = Sampler::new(&Sampling { temperature: 0.8, ..Sampling::default() }, vocabulary.len())?;
    let (mut free, mut masked, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (mut masks, mut alone) = (masks.clone(), alone.clone());
        for &token in &tokens {
            free.push(micros(|| sampler.sample(&logits, &[], None).map(|choice| choice.token))?);
            masked.push(micros(|| {
                sampler.sample(&logits, &[], Some(masks.mask()?))?;
                masks.accept(token)
            })?);
            bare.push(micros(|| alone.compute_mask_or_eos().and_then(|_| alone.consume_token(token.0)))?);
        }
    }
    let [free, masked, bare] = [free, masked, bare].map(median);
    println!("a step: {free:.1} us free, {masked:.1} us with a mask, {:.2} of it", masked / free);
    println!(
        "llguidance alone: {bare:.1} us for its mask, which is {:.2} of the step with one",
        bare / masked
    );

    let document = "The quick brown fox jumps over the lazy dog, again and \"again\".\n".repeat(4000);
    let document: String = document
        .chars()
        .zip(0_usize..)
        .map(|(c, i)| if i % 97 == 0 { (b'a' + (i / 97 % 26) as u8) as char } else { c })
        .take(100_000)
        .collect();
    for constraint in [
        Constraint::Quote(document.clone()),
        Constraint::JsonSchema(json!({"type": "string", "x-quote": document})),
    ] {
        let start = Instant::now();
        grammars.compile(&constraint)?;
        println!("a quote of 100 KB compiled, with its first mask, in {:.0} ms", milliseconds(start));
    }
    Ok(())
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "born": {"type": "integer", "minimum": 0},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "born"],
        "additionalProperties": false,
    })
}

/// llguidance without what is ours.
fn alone(vocabulary: &Vocabulary, schema: Value) -> Result<Matcher, Box<dyn std::error::Error>> {
    let word = |token| vocabulary.visible_bytes(Token(token)).to_vec();
    let words: Vec<Vec<u8>> = (0..vocabulary.len() as u32).map(word).collect();
    let end = vocabulary.eos().map_or(0, |token| token.0);
    let trie = TokTrie::from(&TokRxInfo::new(words.len() as u32, end), &words);
    let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
    let factory = ParserFactory::new_simple(&environment)?;
    Ok(Matcher::new(factory.create_parser(TopLevelGrammar::from_json_schema(schema))))
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn micros<T, E>(step: impl FnOnce() -> Result<T, E>) -> Result<f64, E> {
    let start = Instant::now();
    std::hint::black_box(step()?);
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
