//! Random constraints on a model that writes what chance says: whatever comes out is what was declared.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::sync::Arc;

use pinfold::constraint::Grammars;
use pinfold::engine::Weights;
use pinfold::engine::scripted::{Scripted, VOCABULARY};
use pinfold::{
    Completion, Constraint, FinishReason, GenerateOptions, Model, ModelOptions, Sampling, Special, Token,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts with all that JSON escapes, and with what it does not.
/// Without U+007F, which llguidance's masks take as an escape only.
const TEXT: &str = "[ab \"\\\\/\n\t\u{1}é\u{2028}😀]{0,24}";

/// A model whose logits depend on the seed and the length alone.
fn model(seed: u64) -> Model {
    let script = Scripted::with_logits(move |tokens| {
        let mut generator = fastrand::Rng::with_seed(seed.wrapping_mul(31).wrapping_add(tokens.len() as u64));
        (0..VOCABULARY).map(|_| generator.f32() * 8.0).collect()
    });
    let options = ModelOptions { context_tokens: 4096, sessions: 1, ..ModelOptions::default() };
    Model::from_weights(Arc::new(script), &options).unwrap()
}

fn write(constraint: &Constraint, seed: u64, temperature: f32) -> Completion {
    let model = model(seed);
    let session = model.session().unwrap();
    session.append("x", Special::Plain).unwrap();
    let options = GenerateOptions {
        sampling: Sampling { temperature, seed, ..Sampling::default() },
        max_tokens: Some(4000),
        constraint: Some(constraint.clone()),
        ..GenerateOptions::default()
    };
    session.generate(&options).unwrap().complete().unwrap()
}

/// Schemas whose texts are short, so that chance reaches their end.
fn schemas() -> impl Strategy<Value = Value> {
    let length = (0..4u32, 0..6u32).prop_map(|(least, more)| (least, least + more));
    let leaf = prop_oneof![
        Just(json!({"type": "null"})),
        Just(json!({"type": "boolean"})),
        (-300..300i64, 0..500i64)
            .prop_map(|(least, more)| json!({"type": "integer", "minimum": least, "maximum": least + more})),
        length.prop_map(|(min, max)| json!({"type": "string", "minLength": min, "maxLength": max})),
        prop::collection::vec(TEXT, 1..4).prop_map(|texts| json!({"enum": texts})),
        TEXT.prop_map(|text| json!({"const": {"a": [text, 1, true]}})),
        Just(json!({"type": "string", "pattern": "^[a-z]{1,4}-[0-9]{2}$"})),
        (TEXT, 0..2u32).prop_map(|(text, least)| {
            let least = least.min(text.chars().count() as u32);
            json!({"type": ["string", "null"], "x-quote": text, "minLength": least})
        }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0..2u32, 0..2u32).prop_map(|(items, least, more)| {
                json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more})
            }),
            prop::collection::vec((inner.clone(), any::<bool>()), 0..3).prop_map(|members| {
                let names = ["a", "b\"c", "é"];
                let required: Vec<_> = names
                    .iter()
                    .zip(&members)
                    .filter(|(_, (_, required))| *required)
                    .map(|(n, _)| n)
                    .collect();
                let properties: serde_json::Map<String, Value> = names
                    .iter()
                    .zip(&members)
                    .map(|(name, (schema, _))| (name.to_string(), schema.clone()))
                    .collect();
                json!({"type": "object", "properties": properties, "required": required,
                    "additionalProperties": false})
            }),
            prop::collection::vec(inner, 1..3).prop_map(|options| json!({"anyOf": options})),
        ]
    })
}

/// Whether masks let the bytes of a text through, and let it end.
fn accepts(constraint: &Constraint, text: &str) -> bool {
    let grammars = Grammars::new(Scripted::answering("").vocabulary()).unwrap();
    let mut masks = grammars.compile(constraint).unwrap();
    let follows = text.bytes().all(|byte| {
        let token = Token(u32::from(byte));
        masks.allows(token).unwrap() && masks.accept(token).is_ok()
    });
    follows && masks.may_end().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_a_schema_lets_through_is_valid(
        schema in schemas(), seed in any::<u64>(), temperature in prop::sample::select(vec![0.0f32, 0.7, 3.0]),
    ) {
        let constraint = Constraint::JsonSchema(schema);
        let completion = write(&constraint, seed, temperature);
        prop_assert_eq!(completion.finish.reason, FinishReason::EndOfGeneration, "{}", completion.text);
        let value = completion.value(&constraint);
        prop_assert!(value.is_ok(), "{:?}", value);
        // The same value, written anew, is let through too.
        let compact = value.unwrap().to_string();
        prop_assert!(accepts(&constraint, &compact), "{compact}");
    }

    #[test]
    fn quotes_are_the_substrings(text in TEXT, other in TEXT, from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let plain = Constraint::Quote(text.clone());
        let json = Constraint::JsonSchema(json!({"type": "string", "x-quote": text}));
        let ends: Vec<usize> = text.char_indices().map(|(index, _)| index).chain([text.len()]).collect();
        let (from, to) = (ends[from.index(ends.len())], ends[to.index(ends.len())]);
        let part = &text[from.min(to)..from.max(to)];
        prop_assert!(accepts(&plain, part));
        prop_assert!(accepts(&json, &json!(part).to_string()), "{:?}", part);
        prop_assert_eq!(accepts(&plain, &other), text.contains(&other));
        prop_assert_eq!(accepts(&json, &json!(other).to_string()), text.contains(&other));
        for constraint in [plain, json] {
            let value = write(&constraint, seed, 1.0).value(&constraint).unwrap();
            prop_assert!(text.contains(value.as_str().unwrap()));
        }
    }

    #[test]
    fn expressions_and_choices_hold(
        texts in prop::collection::vec(TEXT, 1..5), seed in any::<u64>(), temperature in 0.0f32..4.0,
    ) {
        for constraint in [
            Constraint::Choice(texts.clone()),
            Constraint::Regex("(?s:.){0,3}([0-9a-f]{2}|é+x){1,3}?[^a-z]$".into()),
            Constraint::Lark("start: \"(\" start? \")\" | /[a-z]{1,3}/".into()),
            Constraint::Gbnf("root ::= \"[\" (root (\",\" root)?)? \"]\" | [0-9]{1,2}".into()),
        ] {
            let completion = write(&constraint, seed, temperature);
            if completion.finish.reason == FinishReason::EndOfGeneration {
                let value = completion.value(&constraint);
                prop_assert!(value.is_ok(), "{:?} {:?}", constraint, completion.text);
            }
        }
    }
}
