//! Constraints through masks and sessions, on an engine whose logits are random.
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::engine::Weights;
use crate::engine::scripted::{Scripted, VOCABULARY};
use crate::error::Error;
use crate::vocabulary::Token;
use crate::{Completion, FinishReason, GenerateOptions, Model, ModelOptions, Sampling, Special};

/// A model that writes what chance says.
fn random_model(seed: u64) -> Model {
    let script = Scripted::with_logits(move |tokens| {
        let mut generator = fastrand::Rng::with_seed(seed ^ ((tokens.len() as u64) << 32));
        (0..VOCABULARY).map(|_| generator.f32() * 10.0).collect()
    });
    Model::from_weights(Arc::new(script), &ModelOptions::default()).unwrap()
}

fn generate(model: &Model, options: &GenerateOptions) -> Result<Completion, Error> {
    let session = model.session()?;
    session.append("x", Special::Plain)?;
    session.generate(options)?.complete()
}

fn grammars() -> Grammars {
    Grammars::new(Scripted::answering("").vocabulary()).unwrap()
}

/// Whether a constraint lets a text through, and lets it end.
fn accepts(grammars: &Grammars, constraint: &Constraint, text: &str) -> bool {
    let mut masks = grammars.compile(constraint).unwrap();
    for byte in text.bytes() {
        let token = Token(u32::from(byte));
        let allowed = masks.mask().unwrap().allows(token);
        assert_eq!(allowed, masks.allows(token).unwrap());
        if !allowed {
            return false;
        }
        masks.accept(token).unwrap();
    }
    masks.may_end().unwrap()
}

#[test]
fn first() {
    let grammars = grammars();
    let quote = Constraint::Quote("a\"b\\c\nd😀e".into());
    for (text, ok) in [("", true), ("a\"b", true), ("ac", false), ("d😀", true), ("\\c\nd", true)] {
        assert_eq!(accepts(&grammars, &quote, text), ok, "{text:?}");
    }
    let schema = Constraint::JsonSchema(json!({"type": "object", "properties": {
        "q": {"type": "string", "x-quote": "a\"b\\c\nd😀e"}, "r": {"anyOf": [{"type": "null"}, {"x-quote": "hello"}]},
        "n": {"type": ["string", "null"], "x-quote": "hello", "minLength": 2}},
        "required": ["q"], "additionalProperties": false}));
    for (text, ok) in [
        (r#"{"q":""}"#, true),
        (r#"{"q":"a\"b"}"#, true),
        (r#"{"q":"\\c\nd😀","r":"ell","n":null}"#, true),
        (r#"{"q":"ac"}"#, false),
        (r#"{"q":"a","r":"el","n":"e"}"#, false),
        (r#"{"q":"a","r":null,"n":"lo"}"#, true),
    ] {
        assert_eq!(accepts(&grammars, &schema, text), ok, "{text:?}");
        assert_eq!(schema.parse(text).is_ok(), ok, "{text:?}");
    }
    let choice = Constraint::Choice(vec!["".into(), "a".into(), "ab".into()]);
    for (text, ok) in [("", true), ("a", true), ("ab", true), ("b", false)] {
        assert_eq!(accepts(&grammars, &choice, text), ok, "{text:?}");
    }
    let regex = Constraint::Regex(r"^\d{2}(/|x)?$".into());
    for (text, ok) in [("", false), ("12", true), ("12/", true), ("12/a", false)] {
        assert_eq!(accepts(&grammars, &regex, text), ok, "{text:?}");
        assert_eq!(regex.parse(text).is_ok(), ok, "{text:?}");
    }
}

#[test]
fn a_generation_is_what_the_constraint_says_and_ends_with_it() {
    let model = random_model(1);
    let person = json!({"type": "object", "properties": {"name": {"type": "string", "x-quote": "ada \"lovelace\"", "minLength": 3},
        "age": {"type": "integer", "minimum": 0, "maximum": 150}}, "required": ["name", "age"], "additionalProperties": false});
    for constraint in [
        Constraint::JsonSchema(person),
        Constraint::Regex("[0-9]{4}-[0-9]{2}".into()),
        Constraint::Choice(vec!["yes".into(), "no".into(), "none".into()]),
        Constraint::Lark("start: \"a\" start \"b\" | \"c\"".into()),
        Constraint::Quote("some words".into()),
    ] {
        for temperature in [0.0, 1.0, 5.0] {
            let sampling = Sampling { temperature, seed: 7, ..Sampling::default() };
            let options = GenerateOptions {
                sampling,
                max_tokens: Some(400),
                constraint: Some(constraint.clone()),
                ..GenerateOptions::default()
            };
            let completion = generate(&model, &options).unwrap();
            assert_eq!(completion.finish.reason, FinishReason::EndOfGeneration, "{:?}", completion.text);
            completion.value(&constraint).unwrap();
        }
    }
}
