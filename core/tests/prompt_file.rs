//! Prompt files: what they declare, what they refuse and where, and that every byte keeps its origin.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/prompts.rs"]
mod prompts;

use std::fs;
use std::path::Path;

use pinfold::checkpoint::Digest;
use pinfold::prompt::{Content, Data, Markers, MediaKind, Part, PromptFile, Text, Turn, Values};
use pinfold::{Constraint, Error, Result, Role};
use prompts::{parts, prompt, values};
use serde_json::{Value, json};

/// The text of a prompt that writes one message.
fn text(prompt: &PromptFile, with: Value) -> Result<Text> {
    let conversation = prompt.render(&values(with), &[])?;
    match conversation.turns.as_slice() {
        [] => Ok(Text::new()),
        [Turn { content: Some(Content::Text(text)), .. }] => Ok(text.clone()),
        turns => panic!("{turns:?}"),
    }
}

/// What a body writes, with values between `⟦` and `⟧`.
fn shown(body: &str, with: Value) -> String {
    let found = text(&prompt(body).unwrap(), with).unwrap();
    found.pieces().map(|(piece, sealed)| if sealed { format!("⟦{piece}⟧") } else { piece.into() }).collect()
}

#[test]
fn handlebars_writes_what_it_should() {
    let all = json!({
        "a": "A", "n": 3, "f": 1.5, "whole": 2.0, "t": true, "no": false, "z": null, "e": "",
        "list": ["x", "y"], "none": [], "map": {"k": "v", "l": {"m": "w"}}, "maps": [{"i": "1"}, {"i": "2"}],
        "odd name": "o",
    });
    for (body, expected) in [
        ("{{a}}-{{n}}-{{f}}-{{whole}}-{{t}}-{{z}}.{{e}}.", "⟦A⟧-⟦3⟧-⟦1.5⟧-⟦2⟧-⟦true⟧-.."),
        (
            "{{this.a}}{{./a}}{{map.l.m}}{{map/k}}{{[odd name]}}{{map.[k]}}{{list.[1]}}{{list.0}}",
            "⟦AAwvovyx⟧",
        ),
        ("{{#each list}}{{.}}{{@index}}{{#unless @last}},{{/unless}}{{/each}}", "⟦x⟧0,⟦y⟧1"),
        ("{{#each map}}{{@key}} {{/each}}", "⟦k⟧ ⟦l⟧ "),
        ("{{#each maps as |m i|}}{{i}}{{m.i}}{{../a}} {{/each}}", "0⟦1A⟧ 1⟦2A⟧ "),
        ("{{#each none}}x{{else}}none{{/each}}", "none"),
        (
            "{{#each list}}{{#each ../maps}}{{@../index}}{{@index}}{{i}}{{../this}} {{/each}}{{/each}}",
            "00⟦1x⟧ 01⟦2x⟧ 10⟦1y⟧ 11⟦2y⟧ ",
        ),
        ("{{#with map}}{{k}}{{#with l as |q|}}{{q.m}}{{../../a}}{{@root.a}}{{/with}}{{/with}}", "⟦vwAA⟧"),
        ("{{#with e}}x{{else}}empty{{/with}}", "empty"),
        ("{{#if no}}1{{else if n}}2{{else}}3{{/if}}", "2"),
        ("{{#if no}}1{{else if e}}2{{else if z}}3{{else}}4{{/if}}", "4"),
        ("{{#if absent}}1{{else}}2{{/if}}{{#unless absent.deep}}3{{/unless}}", "23"),
        (
            "{{^no}}1{{/no}}{{#t}}2{{/t}}{{#list}}{{.}}{{/list}}{{#map}}{{k}}{{/map}}{{#none}}x{{^}}3{{/none}}",
            "12⟦xyv⟧3",
        ),
        ("{{#if (lookup map \"k\")}}{{lookup list 1}}{{lookup map a}}{{/if}}", "⟦y⟧"),
        ("{{json map}}|{{json \"a<b\"}}|{{json whole}}", "⟦{\"k\":\"v\",\"l\":{\"m\":\"w\"}}⟧|\"a<b\"|⟦2⟧"),
        (
            "{{#ifEquals a \"A\"}}1{{/ifEquals}}{{#ifEquals n 3}}2{{/ifEquals}}{{#unlessEquals n \"3\"}}3{{/unlessEquals}}",
            "123",
        ),
        ("\\{{a}} \\\\{{a}} {{! c }}{{!-- }} {{a}} --}}|", "{{a}} \\⟦A⟧ |"),
        ("{{{a}}}{{&a}}{{~{a}~}} ", "⟦AAA⟧"),
        ("{{list}} {{log a}}{{a~}}  \n {{~a}}", "⟦x,y⟧ ⟦AA⟧"),
        ("{{#if t includeZero=true}}y{{/if}}{{#if (lookup map \"z\")}}x{{/if}}", "y"),
        ("a\n  {{#if t}}\n  b\n  {{else}}\n  c\n  {{/if}}\nd", "a\n  b\nd"),
        ("{{#if t}} x {{/if}}\n", " x \n"),
        ("a {{#if t}}\nb{{/if}}\n", "a \nb\n"),
    ] {
        let prompt = prompt(body).unwrap();
        // Only what is used may be given.
        let known = prompt.variables();
        let given: Values =
            values(all.clone()).into_iter().filter(|(name, _)| known.contains(name)).collect();
        assert_eq!(shown(body, Value::Object(given)), expected, "{body}");
    }
}

#[test]
fn partials_are_the_authors_and_what_they_are_given_is_not() {
    let parts = parts(&[
        ("line", "{{who}}: {{what}}\n"),
        ("both", "<\n{{> line who=\"bot\"}}{{> line who=name}}>"),
        ("item", "{{i}}{{../name}};"),
        ("deep/part", "d"),
    ]);
    let body = "{{> both what=name}} {{#each list}}{{> item}}{{> item .}}{{/each}}\n  {{> both what=\"x\"}}\n{{> deep/part}}";
    let prompt = PromptFile::from_text("x.prompt", body, &parts).unwrap();
    let found = text(&prompt, json!({"name": "N", "list": [{"i": "1"}]})).unwrap();
    let shown: String = found
        .pieces()
        .map(|(piece, sealed)| if sealed { format!("⟦{piece}⟧") } else { piece.into() })
        .collect();
    let expected = "<\nbot: ⟦N⟧\n⟦N⟧: ⟦N⟧\n> ⟦1N⟧;⟦1N⟧;\n  <\n  bot: x\n  ⟦N⟧: x\n  >d";
    assert_eq!(shown, expected);
}

const FRONT: &str = r#"---
name: greet
model: tiny
description: greets
config: {temperature: 0.5, topK: 3, top_p: 0.9, seed: 7, maxOutputTokens: 20, stopSequences: [END]}
input:
  schema:
    name: string, who is greeted
    age?: integer
    langs?(array): string
    mood?(enum): [good, bad]
    pet?(object):
      kind: string
      nick?: string
  default: {name: you}
output:
  schema:
    greeting: string
    words?(array): quote(name), words of the name
tools:
  - clock
  - name: weather
    description: tells the weather
    input: {schema: {city: string}}
pinfold.markers: neutralize
pinfold.variables: {enable_thinking: false}
pinfold.examples: [{a: 1}]
other.thing: 5
---
{{role "system"}}Greet.
{{role "user"}}{{name}} {{age}} {{#each langs}}{{this}}{{/each}} {{mood}} {{pet.kind}}{{pet.nick}}
"#;

#[test]
fn the_front_matter_says_what_there_is() {
    let prompt = prompt(FRONT).unwrap();
    assert_eq!(
        (prompt.name().as_str(), prompt.model(), prompt.description()),
        ("greet", Some("tiny"), Some("greets"))
    );
    let config = prompt.config();
    assert_eq!((config.max_tokens, config.stop.as_slice()), (Some(20), &["END".to_owned()][..]));
    let sampling = &config.sampling;
    assert_eq!((sampling.temperature, sampling.top_k, sampling.top_p, sampling.seed), (0.5, 3, 0.9, 7));
    assert_eq!(prompt.markers(), Markers::Neutralize);
    assert_eq!(prompt.variables(), ["age", "langs", "mood", "name", "pet"]);
    let extension = prompt.extension("pinfold.examples").unwrap();
    assert_eq!((extension.value, extension.line, extension.column), (json!([{"a": 1}]), 27, 1));
    assert_eq!(prompt.extension("other.thing").unwrap().value, json!(5));
    assert!(prompt.extension("other.none").is_none() && prompt.extension("model").is_none());
    assert_eq!(prompt.digest(), Digest::of_bytes(FRONT.as_bytes()));

    let Some(Constraint::JsonSchema(schema)) = prompt.output(&values(json!({"name": "Ada L"}))).unwrap()
    else {
        panic!()
    };
    let words = &schema["properties"]["words"];
    assert_eq!(words["type"], json!(["array", "null"]));
    assert_eq!(
        words["items"],
        json!({"type": "string", "description": "words of the name", "x-quote": "Ada L"})
    );
    assert_eq!(prompt.output_schema().unwrap()["properties"]["words"]["items"]["x-quote-of"], "name");

    // A tool that is only named must be given.
    let error = prompt.render(&Values::new(), &[]).unwrap_err();
    assert!(matches!(&error, Error::BadPrompt { line: 21, .. }), "{error}");
    let clock = json!({"type": "function", "function": {"name": "clock"}});
    let prompt = prompt.with_tools(&[clock]);
    let conversation = prompt.render(&Values::new(), &[]).unwrap();
    assert_eq!(conversation.tools.len(), 2);
    let Data::Map(tool) = &conversation.tools[1] else { panic!() };
    assert_eq!(tool[0], (Text::author("type"), Data::author("function")));
    assert_eq!(conversation.variables, [("enable_thinking".to_owned(), Data::Bool(false))]);
    // A default is sealed as a value is: whether it was given makes no difference.
    let given = prompt.render(&values(json!({"name": "you"})), &[]).unwrap();
    assert_eq!(conversation, given);
    let Some(Content::Text(user)) = &given.turns[1].content else { panic!() };
    assert_eq!(user.as_str(), "you    ");
    assert_eq!(user.sealed_ranges(), std::slice::from_ref(&(0..3)));
}

#[test]
fn a_wrong_value_is_an_error_with_its_name_and_line() {
    let prompt = prompt(FRONT).unwrap();
    for (given, expected_name, expected_line) in [
        (json!({"name": 5}), "name", 8),
        (json!({"name": null}), "name", 8),
        (json!({"age": "secret"}), "age", 9),
        (json!({"age": 1.5}), "age", 9),
        (json!({"langs": ["a", 1]}), "langs[1]", 10),
        (json!({"mood": "secret"}), "mood", 11),
        (json!({"pet": {}}), "pet.kind", 13),
        (json!({"pet": {"kind": "a", "nick": []}}), "pet.nick", 14),
        (json!({"pet": {"kind": "a", "nik": "b"}}), "pet.nik", 12),
        (json!({"nam": "a"}), "nam", 7),
    ] {
        for error in [
            prompt.render(&values(given.clone()), &[]).unwrap_err(),
            prompt.output(&values(given.clone())).unwrap_err(),
        ] {
            let Error::BadVariable { line, name, .. } = &error else { panic!("{given}: {error}") };
            assert_eq!((name.as_str(), *line), (expected_name, expected_line), "{given}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
    // Without a schema, the variables are those that are used.
    let plain = self::prompt("a\n{{x}} {{#if y}}{{y.z}}{{/if}}").unwrap();
    for (given, expected) in [
        (json!({}), ("x", 2)),
        (json!({"x": "", "z": 1}), ("z", 1)),
        (json!({"x": "", "y": {"a": 1}}), ("y.z", 2)),
        (json!({"x": {"a": 1}}), ("x", 2)),
    ] {
        let error = plain.render(&values(given), &[]).unwrap_err();
        let Error::BadVariable { line, name, .. } = &error else { panic!("{error}") };
        assert_eq!((name.as_str(), *line), expected, "{error}");
    }
    assert!(plain.render(&values(json!({"x": ""})), &[]).is_ok());
}

#[test]
fn a_wrong_file_is_an_error_with_its_place() {
    for (file, place, reason) in [
        ("---\nmodle: x\n---\n", (2, 1), "did you mean `model`"),
        ("---\nconfig: {topp: 1}\n---\n", (2, 10), "did you mean `top_p`"),
        ("---\nconfig:\n  temperature: hot\n---\n", (3, 16), "temperature"),
        ("---\nconfig:\n  topP: 1.5\n---\n", (3, 9), "topP"),
        ("---\nconfig: {topP: 1, top_p: 1}\n---\n", (2, 19), "twice"),
        ("---\nconfig: {maxOutputTokens: 0}\n---\n", (2, 27), "tokens"),
        ("---\nconfig: {stop: [\"\"]}\n---\n", (2, 16), "empty"),
        ("---\ninput: {shema: {}}\n---\n", (2, 9), "did you mean `schema`"),
        ("---\ninput:\n  schema:\n    a: strin\n---\n", (4, 8), "did you mean `string`"),
        ("---\ninput:\n  schema:\n    a(lst): string\n---\n", (4, 5), "array, object, enum"),
        ("---\ninput:\n  schema:\n    a: [1]\n---\n", (4, 8), "schema is a type"),
        ("---\ninput:\n  schema: {type: object, properties: {a: {type: 5}}}\n---\n", (3, 11), "schema"),
        ("---\ninput:\n  schema: {a: integer}\n  default: {a: x}\n---\n{{a}}", (4, 16), "default"),
        ("---\ninput:\n  schema: {a: quote(b)}\n---\n", (3, 15), "quote"),
        (
            "---\ninput: {schema: {a: string}}\noutput: {schema: {q: quote(b)}}\n---\n{{a}}",
            (3, 22),
            "variable \"b\"",
        ),
        ("---\noutput: {format: xml}\n---\n", (2, 18), "json, text"),
        ("---\npinfold.marker: reject\n---\n", (2, 1), "did you mean `pinfold.markers`"),
        ("---\npinfold.markers: keep\n---\n", (2, 18), "neutralize"),
        ("---\npinfold.output: {regex: a, lark: b}\n---\n", (2, 17), "one of"),
        ("---\npinfold.output: {regex: a}\noutput: {format: json}\n---\n", (2, 1), "exclude"),
        ("---\ntools: [{description: x}]\n---\n", (2, 9), "name"),
        ("---\ntools: [a, a]\n---\n", (2, 12), "twice"),
        ("---\n- a\n---\n", (2, 1), "map"),
        ("---\nmodel: [\n---\n", (2, 8), "YAML"),
        ("---\nmodel: x\n", (1, 1), "not closed"),
        ("a {{", (1, 3), "not closed"),
        ("a\n {{#if x}}b", (2, 2), "`{{/if}}` is missing"),
        ("{{#if x}}{{#each y}}{{/if}}", (1, 21), "{{/each}}"),
        ("{{/if}}", (1, 1), "not open"),
        ("{{else}}", (1, 1), "outside"),
        ("{{#if x}}{{else}}{{else}}{{/if}}", (1, 18), "only one"),
        ("é{{rol \"user\"}}", (1, 4), "did you mean `role`"),
        ("{{role \"sytem\"}}", (1, 1), "did you mean `system`"),
        ("{{role}}", (1, 1), "takes 1"),
        ("{{json a b}}", (1, 1), "takes 1"),
        ("{{json a indet=2}}", (1, 1), "did you mean `indent`"),
        ("{{media contentType=a}}", (1, 1), "url"),
        ("{{if x}}", (1, 1), "is a block"),
        ("{{#json x}}{{/json}}", (1, 1), "no block"),
        ("{{#if x as |y|}}{{/if}}", (1, 1), "name"),
        ("{{> none}}", (1, 1), "_none.prompt"),
        ("{{> (lookup a b)}}", (1, 5), "fixed"),
        ("{{> ../secret}}", (1, 5), "letters"),
        ("{{#> x}}{{/x}}", (1, 1), "not supported"),
        ("{{#*inline \"x\"}}{{/inline}}", (1, 1), "not supported"),
        ("{{{{raw}}}}{{{{/raw}}}}", (1, 1), "not supported"),
        ("{{a b=}}", (1, 7), "no value"),
        ("{{a.}}", (1, 3), "name of a variable"),
        ("{{}}", (1, 3), "empty"),
        ("{{ a\"b }}", (1, 1), "not closed"),
        ("{{{a}}", (1, 1), "three"),
        ("{{lookup (lookup a}}", (1, 10), "not closed"),
        ("{{#if (if a)}}{{/if}}", (1, 7), "no value"),
    ] {
        let error = prompt(file).unwrap_err();
        let Error::BadPrompt { line, column, reason: found, .. } = &error else {
            panic!("{file:?}: {error}")
        };
        assert_eq!((*line, *column), place, "{file:?}: {error}");
        assert!(found.contains(reason), "{file:?}: {error}");
    }
    let error = prompt("---\ninput: {schema: {name: string}}\n---\n\n{{nme}}").unwrap_err();
    let Error::BadVariable { line, name, reason, .. } = &error else { panic!("{error}") };
    assert_eq!((*line, name.as_str()), (5, "nme"));
    assert!(reason.contains("did you mean `name`"), "{error}");
}

#[test]
fn a_value_chooses_no_role() {
    let attack = prompt("{{role x}}hello").unwrap();
    assert!(attack.lint().iter().any(|warning| warning.code == "role-variable"));
    let error = attack.render(&values(json!({"x": "system"})), &[]).unwrap_err();
    assert!(matches!(error, Error::BadPrompt { line: 1, column: 1, .. }), "{error}");
    let parts = parts(&[("say", "{{role who}}{{what}}")]);
    let body = "{{> say who=\"system\" what=\"a\"}}{{> say who=\"model\" what=x}}";
    let prompt = PromptFile::from_text("x", body, &parts).unwrap();
    let turns = prompt.render(&values(json!({"x": "b"})), &[]).unwrap().turns;
    let expected =
        [Turn::new(Role::System, Text::author("a")), Turn::new(Role::Assistant, Text::sealed("b"))];
    assert_eq!(turns, expected);
}

#[test]
fn history_stands_where_it_belongs() {
    let history = [Turn::new(Role::User, Text::sealed("h")), Turn::new(Role::Assistant, Text::sealed("i"))];
    for (body, expected) in [
        ("{{role \"system\"}}s{{role \"user\"}}u", "system s, user h, assistant i, user u"),
        ("{{role \"system\"}}s", "system s, user h, assistant i"),
        ("{{role \"system\"}}s{{history}}more", "system s, user h, assistant i, assistant more"),
        ("{{history}} {{role \"user\"}}u", "user h, assistant i, user u"),
        ("u{{role \"tool\"}}t{{role \"model\"}}m", "user u, tool t, assistant m, user h, assistant i"),
        ("", "user h, assistant i"),
    ] {
        let turns = prompt(body).unwrap().render(&Values::new(), &history).unwrap().turns;
        let shown: Vec<String> = turns
            .iter()
            .map(|turn| {
                let Some(Content::Text(text)) = &turn.content else { panic!("{turn:?}") };
                format!("{} {}", turn.role.name(), text.as_str())
            })
            .collect();
        assert_eq!(shown.join(", "), expected, "{body}");
    }
}

#[test]
fn media_keep_their_addresses_and_sections_go() {
    let body = "Look: {{media url=url contentType=\"image/png\"}}{{section \"x\"}} and {{section \"y\"}} {{media url=\"a.mp3\"}}";
    let turns = prompt(body).unwrap().render(&values(json!({"url": "http://x y"})), &[]).unwrap().turns;
    let (url, content_type) = (Text::sealed("http://x y"), Some(Text::author("image/png")));
    let expected = vec![
        Part::Text { text: Text::author("Look: ") },
        Part::Media { kind: MediaKind::Image, url, content_type },
        Part::Text { text: Text::author(" and ") },
        Part::Media { kind: MediaKind::Audio, url: Text::author("a.mp3"), content_type: None },
    ];
    assert_eq!(turns[0].content, Some(Content::Parts(expected)));
    assert!(prompt("{{section \"x\"}} ").unwrap().render(&Values::new(), &[]).unwrap().turns.is_empty());
    assert!(prompt(body).unwrap().render(&values(json!({"url": ""})), &[]).is_err());
}

#[test]
fn documents_and_constraints_come_from_the_front_matter() {
    let front = "---\npinfold.documents: docs\npinfold.output: {choice: [a, b]}\n---\nhello";
    let prompt = prompt(front).unwrap();
    let docs = json!({"docs": [{"title": "t", "text": "<|im_end|>"}]});
    let conversation = prompt.render(&values(docs), &[]).unwrap();
    let Data::Map(document) = &conversation.documents[0] else { panic!() };
    assert_eq!(document[1], (Text::sealed("text"), Data::sealed("<|im_end|>")));
    assert_eq!(
        prompt.output(&Values::new()).unwrap(),
        Some(Constraint::Choice(vec!["a".into(), "b".into()]))
    );
    assert!(matches!(prompt.render(&values(json!({"docs": "x"})), &[]), Err(Error::BadVariable { .. })));
    let any = self::prompt("---\noutput: {format: json}\n---\nx").unwrap();
    assert_eq!(any.output(&Values::new()).unwrap(), Some(Constraint::JsonSchema(json!({}))));
    assert!(any.lint().iter().any(|warning| warning.code == "no-output-schema"));
}

#[test]
fn lint_warns_of_what_may_not_be_meant() {
    let text = "---\ninput:\n  schema:\n    a: string\n    b: string\ncustom: 1\ntools: [t]\n---\n\
                {{role \"system\"}}{{{a}}}\n{{> p}}{{log a}}";
    let prompt = PromptFile::from_text("x.prompt", text, &parts(&[("p", "\n{{&a}}")])).unwrap();
    let found: Vec<(String, usize, usize, &str)> = prompt
        .lint()
        .into_iter()
        .map(|warning| (warning.path.display().to_string(), warning.line, warning.column, warning.code))
        .collect();
    let expected = [
        ("x.prompt", 5, 5, "unused-variable"),
        ("x.prompt", 6, 1, "unknown-key"),
        ("x.prompt", 7, 9, "undefined-tool"),
        ("x.prompt", 9, 18, "triple-stash"),
        ("x.prompt", 9, 18, "value-in-system"),
        ("x.prompt", 10, 1, "trusted-partial"),
        ("x.prompt", 10, 8, "log"),
        ("_p.prompt", 2, 1, "triple-stash"),
        ("_p.prompt", 2, 1, "value-in-system"),
    ];
    assert_eq!(found, expected.map(|(path, line, column, code)| (path.to_owned(), line, column, code)));
}

#[test]
fn files_and_their_partials_are_read_and_digested() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.prompt");
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(&path, "x {{> sub/p}}").unwrap();
    assert!(matches!(PromptFile::open(&path), Err(Error::BadPrompt { line: 1, column: 3, .. })));
    fs::write(folder.path().join("sub/_p.prompt"), "y").unwrap();
    let prompt = PromptFile::open(&path).unwrap();
    assert_eq!((prompt.name().as_str(), prompt.path()), ("a", path.as_path()));
    assert_eq!(text(&prompt, json!({})).unwrap(), Text::author("x y"));
    let lines = format!("{}\n{} sub/p\n", Digest::of_bytes(b"x {{> sub/p}}"), Digest::of_bytes(b"y"));
    assert_eq!(prompt.digest(), Digest::of_bytes(lines.as_bytes()));
    fs::write(folder.path().join("sub/_p.prompt"), "z").unwrap();
    assert_ne!(PromptFile::open(&path).unwrap().digest(), prompt.digest());
    fs::write(folder.path().join("sub/_p.prompt"), "z\n{{#if}}").unwrap();
    let error = PromptFile::open(&path).unwrap_err();
    assert!(
        matches!(&error, Error::BadPrompt { path, line: 2, .. } if path.ends_with("sub/_p.prompt")),
        "{error}"
    );

    assert!(matches!(PromptFile::open(folder.path().join("none.prompt")), Err(Error::Io { .. })));
    fs::write(&path, b"a\n\xff").unwrap();
    assert!(matches!(PromptFile::open(&path), Err(Error::BadPrompt { line: 2, .. })));
    fs::write(&path, vec![b'a'; (1 << 20) + 1]).unwrap();
    assert!(matches!(PromptFile::open(&path), Err(Error::BadPrompt { .. })));
}

#[test]
fn the_prompts_of_the_guide_are_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/prompts");
    for name in ["answer", "intent"] {
        let prompt = PromptFile::open(folder.join(format!("{name}.prompt"))).unwrap();
        let codes: Vec<&str> = prompt.lint().iter().map(|warning| warning.code).collect();
        assert_eq!(codes, if name == "answer" { vec!["trusted-partial"] } else { vec![] });
    }
    let intent = PromptFile::open(folder.join("intent.prompt")).unwrap();
    let request = values(json!({"request": "play jazz"}));
    let turns = intent.render(&request, &[]).unwrap().turns;
    assert_eq!(turns, [Turn::new(Role::User, Text::sealed("play jazz"))]);
    let Some(Constraint::JsonSchema(schema)) = intent.output(&request).unwrap() else { panic!() };
    let slots = &schema["additionalProperties"]["anyOf"];
    assert_eq!(
        (&slots[0]["x-quote"], &slots[1]["items"]["x-quote"]),
        (&json!("play jazz"), &json!("play jazz"))
    );
    let answer = PromptFile::open(folder.join("answer.prompt")).unwrap();
    let given = json!({"question": "q?", "tone": "friendly", "notes": [{"title": "t", "text": "n"}]});
    let turns = answer.render(&values(given), &[]).unwrap().turns;
    let text = |turn: &Turn| match &turn.content {
        Some(Content::Text(text)) => format!("{text:?}"),
        other => panic!("{other:?}"),
    };
    let system = "\nYou answer from the notes alone. If they do not say it, say so.\nBe friendly.\n";
    assert_eq!(text(&turns[0]), format!("{system:?}"));
    assert_eq!(text(&turns[1]), format!("{:?}", "\n# ⟦t⟧\n⟦n⟧\n\n⟦q?⟧"));
}
