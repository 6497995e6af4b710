//! What a value says stays sealed, whatever a template does to it, and what a template says never is.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/chats.rs"]
mod chats;
mod common;

use pinfold::prompt::{Conversation, Data, Text};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The letters of Deseret: they have upper and lower case, and no template has one.
const LETTERS: std::ops::RangeInclusive<char> = '\u{10400}'..='\u{1044f}';

/// A word of as many letters as `text` has characters.
fn letters(text: &Text) -> Text {
    let letter = |(index, character): (usize, char)| {
        let number = (index * 31 + u32::from(character) as usize * 7) % 80;
        char::from_u32(0x10400 + number as u32).unwrap()
    };
    Text::sealed(text.as_str().chars().enumerate().map(letter).collect::<String>())
}

/// Where a sealed character becomes others, which are sealed and no letters.
const ESCAPES: [&str; 3] = ["urlencode", "ensure_ascii", "%r"];

/// Where a text has a letter that is not sealed, or something sealed that is no letter and no escape.
fn fault(text: &Text, source: &str) -> Option<String> {
    let escapes = ESCAPES.iter().any(|escape| source.contains(escape));
    let wrong = text.chars().position(|(character, sealed)| match LETTERS.contains(&character) {
        true => !sealed,
        false => sealed && !escapes,
    })?;
    let around: Vec<_> = text.chars().skip(wrong.saturating_sub(20)).take(40).collect();
    Some(format!("character {wrong}: {around:?}"))
}

/// The data of a tool with keys and the names of types as an author writes them, and all else in letters.
fn with_letters(data: &Data) -> Data {
    match data {
        Data::Text(text) => Data::Text(letters(text)),
        Data::List(items) => Data::List(items.iter().map(with_letters).collect()),
        Data::Map(entries) => Data::map(entries.iter().map(|(key, value)| {
            let value = match (key.as_str(), value) {
                ("type", Data::Text(kind)) => Data::author(kind.as_str()),
                _ => with_letters(value),
            };
            (key.as_str(), value)
        })),
        other => other.clone(),
    }
}

#[test]
fn values_of_a_conversation_stay_sealed_in_every_template() {
    let Some(folder) = common::shared("chat-templates") else { return };
    let mut conversations = chats::conversations();
    for (_, conversation) in &mut conversations {
        conversation.turns.iter_mut().for_each(|turn| chats::change_turn(turn, &mut letters));
        for turn in &mut conversation.turns {
            turn.tool_calls.iter_mut().for_each(|call| call.arguments = with_letters(&call.arguments));
        }
        conversation.tools = conversation.tools.iter().map(with_letters).collect();
        conversation.documents = conversation.documents.iter().map(with_letters).collect();
    }
    let (mut rendered, mut sealed) = (0, 0);
    for (collection, name, source) in chats::templates(&folder) {
        let template = chats::template(&source).unwrap();
        for (conversation_name, conversation) in &conversations {
            let Ok(text) = template.render(conversation) else { continue };
            if let Some(fault) = fault(&text, &source) {
                panic!("{collection}/{name}, {conversation_name}: {fault}");
            }
            rendered += 1;
            sealed += usize::from(text.has_sealed());
        }
    }
    assert!(rendered > 2000 && sealed * 10 > rendered * 9, "{rendered} {sealed}");
}

#[test]
fn the_origin_of_a_value_does_not_change_what_a_template_writes() {
    let Some(folder) = common::shared("chat-templates") else { return };
    let conversations = chats::conversations();
    for (collection, name, source) in chats::templates(&folder) {
        let template = chats::template(&source).unwrap();
        for (conversation_name, conversation) in &conversations {
            let mut trusted = conversation.clone();
            let mut author = |text: &Text| Text::author(text.as_str());
            trusted.turns.iter_mut().for_each(|turn| chats::change_turn(turn, &mut author));
            match (template.render(conversation), template.render(&trusted)) {
                (Ok(one), Ok(other)) => {
                    assert_eq!(one.as_str(), other.as_str(), "{collection}/{name}, {conversation_name}");
                    assert!(one.has_sealed() >= other.has_sealed());
                }
                (Err(_), Err(_)) => {}
                other => panic!("{collection}/{name}, {conversation_name}: {other:?}"),
            }
        }
    }
}

#[test]
fn values_stay_sealed_in_every_expression() {
    #[derive(serde::Deserialize)]
    struct Expressions {
        variables: Data,
        cases: Vec<Expression>,
    }
    #[derive(serde::Deserialize)]
    struct Expression {
        source: String,
    }
    let Expressions { variables, cases } = serde_json::from_str(&chats::vector("expressions.json")).unwrap();
    let mut conversation = Conversation::new([]);
    conversation.variables = chats::variables(Some(with_letters(&variables)));
    let mut sealed = 0;
    for Expression { source } in &cases {
        let Ok(text) = chats::template(source).and_then(|template| template.render(&conversation)) else {
            continue;
        };
        sealed += usize::from(text.has_sealed());
        if let Some(fault) = fault(&text, source) {
            panic!("{source}: {fault}");
        }
    }
    assert!(sealed > 120, "{sealed}");
}

#[test]
fn escapes_have_the_origin_of_what_they_stand_for() {
    let text = |source: &str, value: &str| {
        let mut conversation = Conversation::new([]);
        conversation.variables = vec![("x".into(), Data::sealed(value))];
        chats::template(source).unwrap().render(&conversation).unwrap()
    };
    let cases = [
        ("{{ x | tojson }}", "a\"\n", "\"⟦a\\\"\\n⟧\""),
        ("{{ [x] }}", "a'\n", "[\"⟦a'\\n⟧\"]"),
        ("{{ x | tojson(ensure_ascii=true) }}", "é", "\"⟦\\u00e9⟧\""),
        ("{{ {x: 1} | tojson }}", "k", "{\"⟦k⟧\": 1}"),
        ("{{ dict(**{x: 1}) }}", "k", "{'⟦k⟧': 1}"),
        ("{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(**{x: 1}) }}", "k", "{'⟦k⟧': 1}"),
        ("{{ namespace(**{x: 1}) }}", "k", "<Namespace {'⟦k⟧': 1}>"),
        ("{{ x | escape }}", "<", "⟦&lt;⟧"),
        ("{{ x | urlencode }}", "é/", "⟦%C3%A9/⟧"),
        ("{{ x | upper }}-{{ x | title }}", "straße", "⟦STRASSE⟧-⟦Straße⟧"),
        ("{{ 'a,b'.replace(',', x) }}", "|", "a⟦|⟧b"),
        ("{{ x.replace('b', '<') }}", "abc", "⟦a⟧<⟦c⟧"),
        ("{{ ['a', 'b'] | join(x) }}", "|", "a⟦|⟧b"),
        ("{{ x.join(['a', 'b']) }}", "|", "a⟦|⟧b"),
        ("{{ '%s|%5s' | format(x, x) }}", "ab", "⟦ab⟧|   ⟦ab⟧"),
        ("{{ x % 1 }}", "<%s>", "⟦<⟧1⟦>⟧"),
        ("{{ x.format('y') }}", "<{:*>3}>", "⟦<**⟧y⟦>⟧"),
        ("{{ ('a' ~ x ~ 'b')[::-1] }}", "12", "b⟦21⟧a"),
        ("{{ ('a' ~ x ~ 'b')[1:3] }}{{ x[0] }}{{ x | last }}", "12", "⟦1212⟧"),
        ("{{ ('a ' ~ x ~ ' b').split()[1] }}", "12", "⟦12⟧"),
        ("{{ ('a' ~ x).strip('a') }}{{ x * 2 }}", "1", "⟦111⟧"),
        ("{{ 'ab'.center(6, x) }}", "*", "⟦**⟧ab⟦**⟧"),
        ("{{ x | indent(2, true) }}", "a\nb", "  ⟦a⟧\n  ⟦b⟧"),
        ("{{ 'a\\nb' | indent(x) }}", "> ", "a\n⟦> ⟧b"),
        ("{{ strftime_now(x) }}", "in %Y", "⟦in 2025⟧"),
        ("{{ (x | list) }}{% for c in x %}{{ c }}{% endfor %}", "ab", "['⟦a⟧', '⟦b⟧']⟦ab⟧"),
        ("{% set y %}<{{ x }}>{% endset %}{{ y | upper | length }}{{ y }}", "ab", "4<⟦ab⟧>"),
        ("{% filter replace('a', '#') %}a{{ x }}{% endfilter %}", "ab", "##⟦b⟧"),
        ("{{ x | wordwrap(3) }}", "ab cd", "⟦ab⟧\n⟦cd⟧"),
        ("{{ x | truncate(3, true, '.', 0) }}", "abcd", "⟦ab⟧."),
        (
            "{{ x | tojson(separators=(x, x)) }}{{ [1, 2] | tojson(separators=(x, ':')) }}",
            "|",
            "\"⟦|⟧\"[1⟦|⟧2]",
        ),
    ];
    for (source, value, expected) in cases {
        assert_eq!(format!("{:?}", text(source, value)), format!("{expected:?}"), "{source}");
    }
}

#[test]
fn special_tokens_in_a_value_stay_sealed_wherever_they_are() {
    let Some(folder) = common::shared("chat-templates") else { return };
    let templates = chats::templates(&folder);
    let token = prop::sample::select(vec![
        "<|im_end|>",
        "<|im_start|>system\n",
        "</s>",
        "<s>",
        "[INST]",
        "<|eot_id|>",
        "<start_of_turn>",
        "<|",
        "|>",
        "</think>",
        "<think>",
        "<tool_call>",
        "'",
        "\"",
        "\\",
        "\n",
        " ",
        "{{",
        "%}",
        "é",
    ]);
    let content = prop::collection::vec(prop_oneof![token.prop_map(str::to_owned), "[a-c ]{1,4}"], 0..6);
    let strategy = (any::<prop::sample::Index>(), content.prop_map(|pieces| pieces.concat()), any::<bool>());
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 400, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let conversations = chats::conversations();
    let test = |(index, value, marked): (prop::sample::Index, String, bool)| {
        let (collection, name, source) = &templates[index.index(templates.len())];
        let template = chats::template(source).unwrap();
        let mut conversation = conversations[index.index(4)].1.clone();
        // A letter before and behind keeps the template from stripping. Some split at the end of a thought.
        let marked = marked && !value.contains("think>");
        let value = if marked { format!("\u{10428}{value}\u{1044f}") } else { value };
        for turn in &mut conversation.turns {
            chats::change_turn(turn, &mut |_| Text::sealed(value.as_str()));
        }
        let mut plain = conversation.clone();
        plain.turns.iter_mut().for_each(|turn| {
            chats::change_turn(turn, &mut |text| Text::author(text.as_str()));
        });
        let (Ok(text), Ok(plain)) = (template.render(&conversation), template.render(&plain)) else {
            return Ok(());
        };
        prop_assert_eq!(text.as_str(), plain.as_str());
        prop_assert!(!plain.has_sealed());
        // All between two marks came with them.
        let mut inside = false;
        for (character, sealed) in text.chars() {
            inside |= character == '\u{10428}';
            prop_assert!(sealed || !inside, "{}/{}: {:?}", collection, name, text);
            inside &= character != '\u{1044f}';
        }
        Ok(())
    };
    runner.run(&strategy, test).unwrap();
}
