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
fn masks_and_checks_agree() {
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

fn options(constraint: Constraint) -> GenerateOptions {
    GenerateOptions { max_tokens: Some(400), constraint: Some(constraint), ..GenerateOptions::default() }
}

#[test]
fn what_is_cut_is_an_error_with_the_text_so_far() {
    let model =
        Model::from_weights(Arc::new(Scripted::answering("{\"a\":\"bcd\"}")), &ModelOptions::default());
    let model = model.unwrap();
    let constraint =
        Constraint::JsonSchema(json!({"properties": {"a": {"type": "string"}}, "type": "object",
        "required": ["a"], "additionalProperties": false}));
    let bad = |options: &GenerateOptions| match generate(&model, options).unwrap().value(&constraint) {
        Err(Error::BadOutput { reason, text }) => (reason, text),
        other => panic!("{other:?}"),
    };
    let whole = generate(&model, &options(constraint.clone())).unwrap();
    assert_eq!(whole.value(&constraint).unwrap(), json!({"a": "bcd"}));
    let (reason, text) = bad(&GenerateOptions { max_tokens: Some(6), ..options(constraint.clone()) });
    assert_eq!(
        (reason.as_str(), text.as_str()),
        ("its end was not reached within 6 tokens: allow more", "{\"a\":\"")
    );
    let (reason, text) = bad(&GenerateOptions { stop: vec!["cd".into()], ..options(constraint.clone()) });
    assert!(reason.starts_with("a stop text ended it: not JSON"), "{reason}");
    assert_eq!(text, "{\"a\":\"b");
    let (_, text) = bad(&GenerateOptions { max_tokens: Some(0), ..options(constraint.clone()) });
    assert_eq!(text, "");
    let cancelled = options(constraint.clone());
    cancelled.cancel.cancel();
    assert!(matches!(generate(&model, &cancelled).unwrap().value(&constraint), Err(Error::Cancelled)));
}

#[test]
fn bias_penalties_and_logprobs_go_with_masks() {
    let model = random_model(3);
    let constraint = Constraint::Regex("[ab]{8}".into());
    let token = |byte: u8| Token(u32::from(byte));
    let sampling = Sampling {
        logit_bias: [(token(b'a'), -100.0), (token(b'z'), 100.0)].into(),
        repetition_penalty: 1.5,
        presence_penalty: 2.0,
        ..Sampling::default()
    };
    let completion =
        generate(&model, &GenerateOptions { sampling, logprobs: Some(2), ..options(constraint.clone()) })
            .unwrap();
    assert_eq!(completion.value(&constraint).unwrap(), "bbbbbbbb");
    for generated in &completion.tokens {
        // Those of the model, not those of the constraint.
        assert_eq!(generated.top.len(), 2);
        assert!(generated.logprob.unwrap() <= generated.top[0].logprob);
    }
    let nothing = Sampling { logit_bias: [(token(b'a'), f32::NEG_INFINITY)].into(), ..Sampling::default() };
    let only = options(Constraint::Choice(vec!["a".into()]));
    let failed = generate(&model, &GenerateOptions { sampling: nothing, ..only });
    assert!(matches!(failed, Err(Error::NoCandidate { .. } | Error::InvalidOption { .. })), "{failed:?}");
}

#[test]
fn an_output_of_nothing_ends_at_once() {
    let model = random_model(4);
    for constraint in [Constraint::Choice(vec![String::new()]), Constraint::Quote(String::new())] {
        let completion = generate(&model, &options(constraint.clone())).unwrap();
        assert_eq!((completion.text.as_str(), completion.finish.reason), ("", FinishReason::EndOfGeneration));
        assert_eq!(completion.value(&constraint).unwrap(), "");
    }
}

#[track_caller]
fn refused(constraint: &Constraint, expected: &str) {
    let start = std::time::Instant::now();
    match grammars().compile(constraint).map(|_| ()) {
        Err(Error::BadConstraint { reason }) => {
            assert!(reason.contains(expected), "{reason}");
            assert!(!reason.contains("backtrace") && reason.len() < 2000, "{reason}");
        }
        other => panic!("{other:?} {:?}", start.elapsed()),
    }
}

#[test]
fn what_cannot_constrain_is_refused_with_the_reason() {
    let schema = Constraint::JsonSchema;
    refused(&schema(json!({"type": "strin"})), "the schema is wrong at \"/type\"");
    refused(&schema(json!({"type": "object", "properties": {"a": 1}})), "/properties/a");
    refused(&schema(json!(false)), "no value satisfies it");
    refused(&schema(json!({"type": "array", "uniqueItems": true})), "uniqueItems");
    refused(&schema(json!({"type": "integer", "minimum": 3, "maximum": 2})), "");
    refused(&schema(json!({"$ref": "https://example.com/s.json"})), "");
    refused(&schema(json!({"$ref": "file:///etc/passwd"})), "");
    refused(&schema(json!({"$ref": "#/$defs/none"})), "");
    refused(&schema(json!({"type": "string", "pattern": "(?=a)b"})), "");
    refused(&schema(json!({"x-quote": 1})), "x-quote");
    refused(
        &schema(json!({"properties": {"a": {"x-quote": "t", "enum": ["t"]}}})),
        "#/properties/a: x-quote cannot",
    );
    refused(&schema(json!({"x-quote": "t", "type": "integer"})), "x-quote is for the type string");
    refused(&schema(json!({"x-quote": "secret words", "minLength": 20})), "");
    refused(
        &schema(json!({"allOf": [{"x-quote": "abcdefghijkl"}, {"type": "string", "minLength": 3}]})),
        "x-quote",
    );
    let mut deep = json!({"type": "string"});
    for _ in 0..200 {
        deep = json!({"type": "array", "items": deep});
    }
    refused(&schema(deep), "levels");
    let regex = |regex: &str| Constraint::Regex(regex.into());
    refused(&regex("a(?=b)"), "look-around");
    refused(&regex("("), "");
    refused(&regex(&"(".repeat(100_000)), "brackets");
    refused(&regex("[a&&b]"), "no text matches");
    refused(&Constraint::Choice(Vec::new()), "nothing to choose from");
    let lark = |grammar: &str| Constraint::Lark(grammar.into());
    refused(&lark(""), "");
    refused(&lark("start: \"a\"\nb"), "");
    refused(&lark("start: none"), "none");
    refused(&lark("start: start \"a\""), "");
    refused(&lark("start[max_tokens=3]: /a+/"), "max_tokens");
    refused(&lark(&format!("start: {}\"a\"{}", "(".repeat(5000), ")".repeat(5000))), "line 1");
    refused(&lark(&"x".repeat(2 << 20)), "bytes");
    refused(&Constraint::Gbnf("root ::= root \"a\"".into()), "");
    // A value is never in the message.
    let error = grammars().compile(&schema(json!({"x-quote": "secret words", "minLength": 20}))).map(|_| ());
    assert!(!error.unwrap_err().to_string().contains("secret"));
}

#[test]
fn recursion_and_left_recursion_work() {
    let grammars = grammars();
    let tree = Constraint::JsonSchema(
        json!({"$defs": {"t": {"type": "object", "properties": {"n": {"$ref": "#/$defs/t"}},
        "additionalProperties": false}}, "$ref": "#/$defs/t"}),
    );
    assert!(accepts(&grammars, &tree, r#"{"n":{"n":{}}}"#));
    assert!(!accepts(&grammars, &tree, r#"{"n":{"m":{}}}"#));
    let sum = Constraint::Lark("start: start \"+\" N | N\nN: /[0-9]+/".into());
    assert!(accepts(&grammars, &sum, "1+22+3") && !accepts(&grammars, &sum, "1+"));
    let quoted = Constraint::JsonSchema(
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "$id": "http://x.y/z",
        "definitions": {"q": {"x-quote": "left right"}}, "type": "array", "items": {"$ref": "#/definitions/q"}}),
    );
    assert!(accepts(&grammars, &quoted, r#"["ft r",""]"#) && !accepts(&grammars, &quoted, r#"["rl"]"#));
}
