use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::Deserialize;

use super::*;
use crate::prompt::{Message, Role};

/// 2025-07-10 12:00 UTC, the clock of the reference renderings.
fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_752_148_800)
}

fn render(source: &str, content: &str) -> Result<String> {
    let conversation: Conversation = [Message::new(Role::User, content)].iter().collect();
    let template = ChatTemplate::new(source)?.at(noon()).with_tokens("<s>", "</s>");
    Ok(template.render(&conversation)?.into_string())
}

fn reason(result: Result<String>) -> String {
    match result {
        Err(Error::ChatTemplate { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_knows_what_transformers_offers() {
    let cases = [
        (
            "{{ bos_token }}{{ messages[0]['role'] }} {{ messages[0].content }}{{ eos_token }}",
            "<s>user a<b&\"é</s>",
        ),
        ("{{ messages[0].content.strip().startswith('a') }} {{ none }}", "True None"),
        ("{{ messages | tojson }}", r#"[{"role": "user", "content": "a<b&\"é"}]"#),
        ("{{ {'a': [1, none]} | tojson(indent=2) }}", "{\n  \"a\": [\n    1,\n    null\n  ]\n}"),
        ("{{ [1, {'a': true}] | tojson(separators=(',', ':')) }}", r#"[1,{"a":true}]"#),
        ("{{ [] | tojson(ensure_ascii=False, sort_keys=false) }}", "[]"),
        ("{{ strftime_now('%d %B %Y') }}", "10 July 2025"),
        (
            "{% set ns = namespace(n=0) %}{% for i in range(9) %}{% if i == 3 %}{% break %}{% endif %}\n  {% set ns.n = i %}\n{% endfor %}\n{{ ns.n }}",
            "2",
        ),
        ("a\n  {% if tools is none and not documents %}\nb\n  {% endif %}\n", "a\nb\n"),
    ];
    for (source, expected) in cases {
        assert_eq!(render(source, "a<b&\"é").unwrap(), expected, "{source}");
    }
    let tagged = "x {%- generation -%} a {% endgeneration %}\nb {%  generation%}\nc{%endgeneration -%} d {{ '{% generation %}' }}";
    assert_eq!(render(tagged, "").unwrap(), "xa b cd {% generation %}");
}

#[test]
fn failures_say_where_and_never_quote_a_message() {
    assert!(reason(render("{% if %}", "")).contains("syntax error"));
    assert!(reason(render(&" ".repeat(SOURCE_LIMIT + 1), "")).contains("bytes"));
    assert_eq!(reason(render("\n{{ raise_exception('only one turn') }}", "")), "line 2: only one turn");
    let refusal = render("{{ raise_exception('no ' + messages[0].content + '!') }}", "secret %Q");
    assert_eq!(reason(refusal), "line 1: no …!");
    for source in [
        "{{ messages[0].content | batch(0) }}",
        "{{ messages[0].content + 1 }}",
        "{{ messages[0].content.secret() }}",
        "{{ strftime_now(messages[0].content) }}",
        "{{ namespace | tojson }}{{ messages[0].content | round }}",
    ] {
        let reason = reason(render(source, "secret %Q"));
        assert!(reason.starts_with("line 1: ") && !reason.contains("%Q"), "{reason}");
    }
}

#[test]
fn templates_that_do_not_end_or_write_too_much_are_errors_within_a_second() {
    let start = Instant::now();
    let nested = format!("{}x{}", "{% for i in range(90000) %}".repeat(5), "{% endfor %}".repeat(5));
    assert!(reason(render(&nested, "")).contains("end"));
    let silent =
        "{% for i in range(90000) %}{% for j in range(90000) %}{% set x = i * j %}{% endfor %}{% endfor %}";
    assert!(reason(render(silent, "")).contains("end"));
    assert!(reason(render("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "")).contains("macro"));
    assert!(reason(render("{{ messages[0].content * 20 }}", &"a".repeat(1 << 20))).contains("writes more"));
    assert!(reason(render("{% set n = namespace(s='aaaaaaaa') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}", "")).contains("writes more"));
    assert!(ChatTemplate::new(&"{{ (".repeat(50_000)).is_err());
    assert!(render("{% include 'other' %}", "").is_err());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // What a long conversation needs is far below.
    let messages = vec![Message::new(Role::User, "x".repeat(1000)); 5000];
    let template =
        "{% for message in messages %}<|{{ message.role }}|>{{ message.content | trim }}\n{% endfor %}";
    let template = ChatTemplate::new(template).unwrap();
    assert_eq!(template.render(&messages.iter().collect()).unwrap().len(), 5000 * 1009);
}

/// The folder of the data that is shared beside the repository, or `None`, which is said.
fn shared_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PINFOLD_SHARED_DATA").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    if folder.join("reference-renderings").is_dir() {
        return Some(folder);
    }
    println!("{test}: skipped, there is no shared data (PINFOLD_SHARED_DATA)");
    None
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct JavaScriptCase {
    name: String,
    template: String,
    data: Data,
    expected: String,
}

#[derive(Deserialize)]
struct LlamaCpp {
    messages: Vec<Message>,
    cases: Vec<LlamaCppCase>,
}

#[derive(Deserialize)]
struct LlamaCppCase {
    name: String,
    template: String,
    bos_token: String,
    eos_token: String,
    expected_jinja: Option<String>,
    supported_with_jinja: bool,
    folds_system: bool,
}

/// Counts what renders as expected. The template of some cases is not among the data.
#[derive(Default)]
struct Tally {
    right: usize,
    absent: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn add(
        &mut self,
        name: &str,
        template: &Path,
        expected: &str,
        render: impl FnOnce(ChatTemplate) -> Result<Text>,
    ) {
        let Ok(source) = std::fs::read_to_string(template) else {
            self.absent += 1;
            return;
        };
        match ChatTemplate::new(&source).and_then(render) {
            Ok(text) if text.as_str() == expected => self.right += 1,
            other => self.wrong.push(format!("{name}:\n{other:?}\n{expected:?}")),
        }
    }

    fn check(&self, least: usize, known: &[&str]) {
        println!("{} right, {} wrong, {} without template", self.right, self.wrong.len(), self.absent);
        let new: Vec<&String> =
            self.wrong.iter().filter(|wrong| !known.iter().any(|known| wrong.starts_with(known))).collect();
        assert!(new.is_empty(), "{new:#?}");
        assert!(self.right >= least, "only {} cases were found and right", self.right);
    }
}

#[test]
fn templates_of_real_models_render_as_in_javascript() {
    let Some(folder) = shared_data("templates_of_real_models_render_as_in_javascript") else { return };
    let mut tally = Tally::default();
    for case in read_json::<Vec<JavaScriptCase>>(&folder.join("reference-renderings/hf_jinja_cases.json")) {
        let Data::Map(variables) = case.data else { panic!("{}", case.name) };
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| other.as_str() == name);
            found.map(|(_, value)| value.clone())
        };
        tally.add(&case.name, &folder.join(&case.template), &case.expected, |template| {
            template.at(noon()).render_variables(variable)
        });
    }
    // Prints a list, which JavaScript does in another way than Python.
    tally.check(30, &["MadeAgents/Hammer2.1"]);
}

#[test]
fn templates_of_real_models_render_as_in_llama_cpp() {
    let Some(folder) = shared_data("templates_of_real_models_render_as_in_llama_cpp") else { return };
    let LlamaCpp { messages, cases } = read_json(&folder.join("reference-renderings/llama_cpp_cases.json"));
    // What llama.cpp makes of them for a template without a system role.
    let first = format!("{}\n{}", messages[0].content, messages[1].content);
    let folded = [&[Message::new(Role::User, first)], &messages[2..]].concat();
    let mut tally = Tally::default();
    for case in cases.iter().filter(|case| case.supported_with_jinja) {
        let messages: &[Message] = if case.folds_system { &folded } else { &messages };
        let expected = case.expected_jinja.as_deref().unwrap();
        tally.add(&case.name, &folder.join(&case.template), expected, |template| {
            template.with_tokens(&case.bos_token, &case.eos_token).render(&messages.iter().collect())
        });
    }
    tally.check(24, &[]);
}

#[test]
fn templates_of_real_models_parse() {
    let Some(folder) = shared_data("templates_of_real_models_parse") else { return };
    let mut count = 0;
    for collection in std::fs::read_dir(folder.join("chat-templates")).unwrap() {
        for file in std::fs::read_dir(collection.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jinja") {
                let template = ChatTemplate::new(&std::fs::read_to_string(&path).unwrap());
                assert!(template.is_ok(), "{}: {template:?}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 0);
}
