//! Prompt files of any kind with values of any kind: every byte keeps its origin, and everything ends.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/prompts.rs"]
mod prompts;

use std::time::Instant;

use pinfold::prompt::{PromptFile, Text, Turn, Values};
use pinfold::{Error, Role};
use prompts::{parts, prompt, values};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn what_would_not_end_is_an_error() {
    let many = format!("[{}]", vec!["1"; 2000].join(","));
    let list: Value = serde_json::from_str(&many).unwrap();
    let nested = |open: &str, close: &str, depth| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let bomb: Vec<(String, String)> = (0..20)
        .map(|level| {
            (
                format!("p{level}"),
                if level == 19 { String::new() } else { format!("{{{{> p{}}}}}", level + 1).repeat(10) },
            )
        })
        .collect();
    let bomb: Vec<(&str, &str)> = bomb.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for (body, partials, with) in [
        ("{{> self}}".to_owned(), vec![("self", "a{{> self}}")], json!({})),
        ("{{> a}}".into(), vec![("a", "{{#if true}}{{> b}}{{/if}}"), ("b", "{{> a}}")], json!({})),
        ("{{> p0}}".into(), bomb, json!({})),
        (
            "{{#each l}}{{#each ../l}}{{#each ../../l}}{{/each}}{{/each}}{{/each}}".into(),
            vec![],
            json!({"l": list}),
        ),
        (
            "{{#each l}}{{json ../l}}{{../x}}{{/each}}".into(),
            vec![],
            json!({"l": list, "x": "a".repeat(1 << 20)}),
        ),
        (nested("{{#if x}}", "{{/if}}", 100_000), vec![], json!({})),
        (nested("{{#if x}}a{{else if y}}", "{{/if}}", 5_000), vec![], json!({})),
        (format!("{{{{json {}}}}}", nested("(lookup ", ")", 1_000)), vec![], json!({})),
        ("{{#if x}}".repeat(100_000), vec![], json!({})),
        ("{{".repeat(400_000), vec![], json!({})),
        ("{{#if x}}{{else if y}}".repeat(40_000), vec![], json!({})),
    ] {
        let start = body.chars().take(30).collect::<String>();
        let started = Instant::now();
        let opened = PromptFile::from_text("x.prompt", &body, &parts(&partials));
        let result = opened.and_then(|prompt| prompt.render(&values(with), &[]));
        assert!(matches!(result, Err(Error::BadPrompt { .. })), "{start}");
        println!("{start}: {:?}", started.elapsed());
    }
}

/// A piece of a body with what it writes.
#[derive(Debug, Clone)]
struct Written(String, Vec<(String, bool)>);

fn pieces(x: String, y: String, key: String) -> impl Strategy<Value = Vec<Written>> {
    let w = |body: &str, pieces: &[(&str, bool)]| {
        Written(body.into(), pieces.iter().map(|(text, sealed)| ((*text).to_owned(), *sealed)).collect())
    };
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let all = vec![
        w("{{x}}", &[(&x, true)]),
        w("{{{x}}}", &[(&x, true)]),
        w("{{&y}}", &[(&y, true)]),
        w("{{json x}}", &[(&json(&x), true)]),
        w("{{json m}}", &[(&json!({key.as_str(): y.as_str()}).to_string(), true)]),
        w("{{#each m}}{{@key}}={{this}}{{/each}}", &[(&key, true), ("=", false), (&y, true)]),
        w("{{#each l as |i n|}}{{n}}{{i}}{{/each}}", &[("0", false), (&x, true), ("1", false), (&y, true)]),
        w("{{l}}", &[(&format!("{x},{y}"), true)]),
        w("{{#with m}}{{../x}}{{/with}}", &[(&x, true)]),
        w("{{lookup m k}}{{lookup l 1}}", &[(&y, true), (&y, true)]),
        w("{{> p v=x}}.", &[("<p ", false), (&x, true), (">.", false)]),
        w("{{> p v=\"author\"}}.", &[("<p author>.", false)]),
        w(
            "{{#ifEquals x y}}same{{else}}other{{/ifEquals}}",
            &[(if x == y { "same" } else { "other" }, false)],
        ),
        w("{{#if x}}{{y}}{{/if}}", &[(if x.is_empty() { "" } else { &y }, true)]),
        w("{{@state.s}}", &[(&x, true)]),
        w("{{section x}}", &[]),
        w("text ", &[("text ", false)]),
        w("\n<<<dotprompt:role:system>>>", &[("\n<<<dotprompt:role:system>>>", false)]),
    ];
    prop::collection::vec(prop::sample::select(all), 0..12)
}

fn hostile() -> impl Strategy<Value = String> {
    let markers = prop::sample::select(vec![
        "<<<dotprompt:role:system>>>",
        "<<<dotprompt:history>>>",
        "<<<dotprompt:media:url a>>>",
        "{{role \"system\"}}",
        "{{x}}",
        "<|im_start|>",
        "\u{0}",
        "\u{fdd0}",
        "\u{e000}",
        "⟦",
        "⟧",
        "\n",
        "}}",
        "\\",
        "---",
    ]);
    prop::collection::vec(prop_oneof![markers.prop_map(str::to_owned), ".{0,3}"], 0..4)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn every_byte_keeps_its_origin(
        (body, x, y, key) in (hostile(), hostile(), hostile()).prop_flat_map(|(x, y, key)| {
            (pieces(x.clone(), y.clone(), key.clone()), Just(x), Just(y), Just(key))
        })
    ) {
        let source: String = body.iter().map(|Written(source, _)| source.as_str()).collect();
        let prompt = PromptFile::from_text("x.prompt", &source, &parts(&[("p", "<p {{v}}>")])).unwrap();
        let given = json!({"x": x, "y": y, "k": key, "l": [x, y], "m": {key.as_str(): y}});
        let known = prompt.variables();
        let given: Values = values(given).into_iter().filter(|(name, _)| known.contains(name)).collect();
        let turns = prompt.render_with(&given, &[], &values(json!({"state": {"s": x}}))).unwrap().turns;
        let mut expected = Text::new();
        let mut section = Text::new();
        for Written(source, pieces) in &body {
            if source.starts_with("{{section") {
                // What is only whitespace between marks is left out.
                if !section.as_str().trim().is_empty() {
                    expected.push_text(&section);
                }
                section = Text::new();
            }
            pieces.iter().for_each(|(text, sealed)| section.push(text, *sealed));
        }
        if !section.as_str().trim().is_empty() {
            expected.push_text(&section);
        }
        match turns.as_slice() {
            [] => prop_assert!(expected.is_empty()),
            [turn] => prop_assert_eq!(turn, &Turn::new(Role::User, expected)),
            _ => prop_assert!(false, "{:?}", turns),
        }
    }

    #[test]
    fn any_text_is_a_prompt_or_an_error(text in "(---\n)?[a-z{}#/~ \n\"'@.^>|!\\[\\]()=:\\-]{0,60}") {
        if let Ok(prompt) = prompt(&text) {
            let _ = prompt.render(&Values::new(), &[]);
            let _ = prompt.lint();
        }
    }
}
