//! Chat templates against Hugging Face's transformers: core/vectors/chat-templates/make.py says what is
//! compared. The templates are in the shared data, and only digests of what they render are kept here.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/chats.rs"]
mod chats;
mod common;

use std::collections::BTreeMap;

use pinfold::checkpoint::Digest;
use pinfold::prompt::{Conversation, Data, Turn};
use serde::Deserialize;

/// Where we differ, by collection, beginning of the name, and conversation.
///
/// These templates mark the arguments of a call as `safe` and add them to a text by `+`. For Jinja2 that is
/// a text of HTML then, and what is added to it is escaped: transformers writes `&#34;name&#34;` to the
/// model. There is no HTML for us; we write quotes, as Mistral's own tokenizer does, see
/// `mistral_templates_write_what_mistral_writes`.
const ESCAPED: (&str, [&str; 9], &str) = (
    "mistral-common",
    [
        "v2.jinja",
        "v2_spm.jinja",
        "v3.jinja",
        "v3_image.jinja",
        "v3_image_spm.jinja",
        "v3_spm.jinja",
        "v7_image.jinja",
        "v7_image_spm.jinja",
        "v7_spm.jinja",
    ],
    "tool-calls-with-ids",
);

#[derive(Deserialize)]
struct Renderings {
    #[serde(flatten)]
    collections: BTreeMap<String, toml::Value>,
}

fn short_digest(text: &str) -> String {
    let digest = Digest::of_bytes(text.as_bytes());
    digest.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn templates_of_real_models_render_as_in_transformers() {
    let Some(folder) = common::shared("chat-templates") else { return };
    let renderings: Renderings = toml::from_str(&chats::vector("renderings.toml")).unwrap();
    let conversations = chats::conversations();
    let (mut same, mut raise, mut escaped, mut wrong) = (0, 0, 0, Vec::new());
    for (collection, name, source) in chats::templates(&folder) {
        let expected = renderings.collections.get(&collection).and_then(|files| files.get(&name));
        let Some(expected) = expected.and_then(toml::Value::as_array) else {
            println!("{collection}/{name} is not among the vectors");
            continue;
        };
        let template = chats::template(&source).unwrap();
        for ((conversation_name, conversation), expected) in conversations.iter().zip(expected) {
            let rendered = template.render(conversation);
            let digest = rendered.as_ref().map_or("raises".to_owned(), |text| short_digest(text.as_str()));
            let (escapes, names, called) = ESCAPED;
            if digest == expected.as_str().unwrap() {
                *(if rendered.is_ok() { &mut same } else { &mut raise }) += 1;
            } else if collection == escapes && names.contains(&name.as_str()) && conversation_name == called {
                escaped += 1;
            } else {
                wrong.push(format!("{collection}/{name}, {conversation_name}: {rendered:?}"));
            }
        }
    }
    println!("{same} the same, {raise} refused by both, {escaped} with HTML in the reference");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(same > 2000, "only {same} were found and the same");
}

#[derive(Deserialize)]
struct Expressions {
    variables: Data,
    cases: Vec<Expression>,
}

#[derive(Deserialize)]
struct Expression {
    source: String,
    expected: Option<String>,
}

/// What we do otherwise than Jinja2, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("{{ uni.title() }}", "title case of letters that are two, as ǆ"),
    ("{{ 2**200 }}", "whole numbers have 128 bits"),
    ("{{ 'aaa'.replace('a','b',count=1) }}", "Python 3.13 takes the name, 3.11 did not"),
    ("{{ '{:010,}'.format(1234) }}", "zeros are not grouped"),
    ("{{ 3 .real }}", "numbers have no attributes"),
    (
        "{% for x in (1,2) %}{{ x }}{% endfor %}{% for x in 1,2 %}{{ x }}{% endfor %}",
        "not in minijinja's grammar",
    ),
    ("{{ 1, 2 }}", "not in minijinja's grammar"),
    ("{{ +5 }}", "not in minijinja's grammar"),
    ("{% set x = +n %}", "not in minijinja's grammar"),
];

#[test]
fn expressions_and_statements_mean_what_they_mean_in_jinja2() {
    let Expressions { variables, cases } = serde_json::from_str(&chats::vector("expressions.json")).unwrap();
    let mut conversation = Conversation::new([]);
    conversation.variables = chats::variables(Some(variables));
    let (mut wrong, mut otherwise) = (Vec::new(), 0);
    for Expression { source, expected } in &cases {
        let rendered = chats::template(source).and_then(|template| template.render(&conversation));
        let same = rendered.as_ref().ok().map(|text| text.as_str()) == expected.as_deref();
        let known = OTHERWISE.iter().any(|(known, _)| known == source);
        otherwise += usize::from(known && !same);
        if !same && !known {
            wrong.push(format!("{source}\n  expected {expected:?}\n  rendered {rendered:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert_eq!(otherwise, OTHERWISE.len(), "what is listed as other is the same now");
    assert!(cases.len() > 900);
}

#[derive(Deserialize)]
struct Sample {
    messages: Vec<Turn>,
    tools: Option<Vec<Data>>,
}

/// The samples that the templates do not give, neither here nor in transformers: the tokenizer reads results
/// of tools as JSON, the templates write them as text; and that of v2 writes a list for each of several results.
const UNLIKE: [(&str, &str); 7] = [
    ("get_weather_full", "v2"),
    ("get_weather_full", "v3"),
    ("get_weather_no_history", "v2"),
    ("get_weather_no_history", "v3"),
    ("get_weather_no_system_prompt", "v2"),
    ("get_weather_no_system_prompt", "v3"),
    ("parallel_calls", "v2"),
];

#[test]
fn mistral_templates_write_what_mistral_writes() {
    let Some(folder) = common::shared("reference-renderings/mistral-common-samples") else { return };
    let Some(templates) = common::shared("chat-templates/mistral-common") else { return };
    let mut same = 0;
    for sample in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if !sample.is_dir() {
            continue;
        }
        let name = sample.file_name().unwrap().to_str().unwrap().to_owned();
        let json = std::fs::read_to_string(sample.join("sample.json")).unwrap();
        let Sample { mut messages, tools } = serde_json::from_str(&json).unwrap();
        for call in messages.iter_mut().flat_map(|turn| &mut turn.tool_calls) {
            // The tokenizer reads the JSON and writes it with its own white space.
            if let Data::Text(arguments) = &call.arguments {
                call.arguments = Data::from_json(arguments.as_str()).unwrap();
            }
        }
        let mut conversation = Conversation::new(messages);
        (conversation.tools, conversation.add_generation_prompt) = (tools.unwrap_or_default(), false);
        for version in ["v2", "v3"] {
            let expected = std::fs::read_to_string(sample.join(format!("text_{version}.txt"))).unwrap();
            let expected = expected.replace('▁', " ").replace("<0x0A>", "\n");
            let source = std::fs::read_to_string(templates.join(format!("{version}_spm.jinja"))).unwrap();
            let rendered = chats::template(&source).unwrap().render(&conversation).unwrap();
            let unlike = UNLIKE.contains(&(name.as_str(), version));
            assert_eq!(
                rendered.as_str() == expected,
                !unlike,
                "{name} {version}:\n{rendered:?}\n{expected:?}"
            );
            same += usize::from(!unlike);
        }
    }
    assert!(same >= 5, "only {same} samples were found");
}
