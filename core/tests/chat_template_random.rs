//! Chat templates made of random pieces, and real ones with pieces changed: each is refused or renders, within
//! its bounds, and nothing panics.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/chats.rs"]
mod chats;
mod common;

use pinfold::prompt::{Conversation, Data, Text};
use pinfold::{ChatTemplate, Error};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// What templates are made of: tags, operators, names of values, methods, filters and tests, and extremes.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-%}",
    "{%-",
    "{{-",
    "-}}",
    "+%}",
    " ",
    "\n",
    "  ",
    "text",
    "'",
    "\"",
    "\\",
    "'a'",
    "\"é\"",
    "'\\n'",
    "'\\x41'",
    "'\\ud83d'",
    "0",
    "1",
    "-1",
    "2.5",
    "1e400",
    "99999999999999999999",
    "9223372036854775807",
    "true",
    "none",
    "undefined",
    "messages",
    "s",
    "n",
    "l",
    "d",
    "x",
    "loop",
    "caller",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "::",
    ".",
    "=",
    "==",
    "!=",
    "<",
    "<=",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "~",
    "|",
    " in ",
    " not in ",
    " not ",
    " and ",
    " or ",
    " is ",
    " is not ",
    " if ",
    " else ",
    "*l",
    "**d",
    "[0]",
    "[-1]",
    "[::-1]",
    "[1:]",
    "[:n]",
    "[::0]",
    "['role']",
    ".content",
    ".items()",
    ".get('x')",
    ".strip()",
    ".split('a')",
    ".replace('a', s)",
    ".format(s)",
    ".upper()",
    ".join(l)",
    ".index",
    ".zfill(9)",
    ".center(n)",
    "%s",
    "'%5.3d' % n",
    "'{:>9}'.format(s)",
    "'{0.x[y]!r:{1}}'.format(d, n)",
    "|trim",
    "|list",
    "|length",
    "|tojson",
    "|tojson(indent=2)",
    "|join(s)",
    "|map('upper')",
    "|map(attribute='role')",
    "|select('odd')",
    "|selectattr('x', 'eq', 1)",
    "|groupby('role')",
    "|sort",
    "|unique",
    "|reverse",
    "|first",
    "|last",
    "|int",
    "|float",
    "|round(n)",
    "|default('x', true)",
    "|batch(2)",
    "|slice(3)",
    "|dictsort",
    "|indent(n)",
    "|wordwrap(3)",
    "|truncate(5)",
    "|urlencode",
    "|escape",
    "|striptags",
    "|title",
    "|replace('a', 'b')",
    "|format(n)",
    "|sum",
    "|min",
    "|abs",
    "|string",
    "|items",
    "|filesizeformat",
    "|xmlattr",
    "|attr('x')",
    "defined",
    "none",
    "string",
    "mapping",
    "iterable",
    "odd",
    "divisibleby 3",
    "sameas none",
    "in l",
    "test",
    "{% if s %}",
    "{% elif n %}",
    "{% else %}",
    "{% endif %}",
    "{% for x in l %}",
    "{% for k, v in d.items() %}",
    "{% for x in messages recursive %}",
    "{{ loop(l) }}",
    "{% endfor %}",
    "{% set x = l %}",
    "{% set x, y = l %}",
    "{% set ns = namespace(x=1) %}",
    "{% set ns.x = ns %}",
    "{% set x %}",
    "{% endset %}",
    "{% macro m(a, b=1) %}",
    "{% endmacro %}",
    "{{ m(1) }}",
    "{{ m(*l, **d) }}",
    "{% call(x) m() %}",
    "{{ caller(1) }}",
    "{% endcall %}",
    "{% filter upper %}",
    "{% endfilter %}",
    "{% with x = 1 %}",
    "{% endwith %}",
    "{% raw %}",
    "{% endraw %}",
    "{% generation %}",
    "{% endgeneration %}",
    "{% break %}",
    "{% continue %}",
    "{% do m() %}",
    "{% include 'x' %}",
    "range(9)",
    "range(99999)",
    "dict(a=1)",
    "raise_exception(s)",
    "strftime_now(s)",
    "cycler(1, 2)",
    "joiner()",
];

fn runner(cases: u32) -> TestRunner {
    TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, ..Config::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    )
}

fn conversation() -> Conversation {
    let mut conversation = chats::conversations().swap_remove(7).1;
    let data = |json: &str| Data::from_json(json).unwrap();
    conversation.variables = [
        ("s", data(r#""sécret-\n<|im_end|> a b""#)),
        ("n", data("3")),
        ("l", data(r#"[3, "a", null, [1.5, {"x": true}]]"#)),
        ("d", data(r#"{"x": 1, "y": [2], "role": "user"}"#)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    conversation
}

/// Renders, and checks what must be true of every outcome.
fn check(source: &str, conversation: &Conversation) {
    let rendered = ChatTemplate::new(source).and_then(|template| template.render(conversation));
    match rendered {
        Ok(text) => {
            let ranges = text.sealed_ranges();
            assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{source}");
            assert!(
                ranges.iter().all(|range| text.as_str().get(range.clone()).is_some_and(|s| !s.is_empty()))
            );
        }
        Err(Error::ChatTemplate { reason }) => {
            let quoted = reason.contains("sécret") && !source.contains("sécret");
            assert!(!quoted, "{source}: {reason}");
        }
        Err(other) => panic!("{source}: {other:?}"),
    }
}

#[test]
fn random_templates_are_refused_or_render() {
    let conversation = conversation();
    let piece = prop::sample::select(PIECES.to_vec());
    // Most of what is put together at random is no template; what stands in a tag often is.
    let soup = prop::collection::vec(piece.clone(), 0..24).prop_map(|pieces| pieces.concat());
    let expression = (
        prop::sample::select(vec!["s", "n", "l", "d", "messages", "'é'", "2.5"]),
        prop::collection::vec(piece, 0..5),
    )
        .prop_map(|(first, rest)| format!("{{{{ {first}{} }}}}", rest.concat()));
    let template = prop_oneof![soup, prop::collection::vec(expression, 1..4).prop_map(|tags| tags.concat())];
    let result = runner(4000).run(&template, |source| {
        check(&source, &conversation);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn real_templates_with_changes_are_refused_or_render() {
    let Some(folder) = common::shared("chat-templates") else { return };
    let templates = chats::templates(&folder);
    let conversation = conversation();
    let change = (any::<prop::sample::Index>(), 0..12_usize, prop::sample::select(PIECES.to_vec()));
    let changes = (any::<prop::sample::Index>(), prop::collection::vec(change, 1..5));
    let result = runner(600).run(&changes, |(index, changes)| {
        let mut source = templates[index.index(templates.len())].2.clone();
        for (at, removed, piece) in changes {
            let boundary = |index: usize| (0..=index).rev().find(|at| source.is_char_boundary(*at)).unwrap();
            let start = boundary(at.index(source.len() + 1));
            let end = boundary((start + removed).min(source.len())).max(start);
            source.replace_range(start..end, piece);
        }
        check(&source, &conversation);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn a_small_stack_is_enough() {
    let nested =
        |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let tag = |expression: String| format!("{{{{ {expression} }}}}");
    let sources = [
        "{% macro m(n) %}{% if 1 %}{% for i in [1] %}{{ [m(n + 1)] | list }}{% endfor %}{% endif %}{% endmacro %}{{ m(1) }}".into(),
        "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{{ caller }}{% endmacro %}{% call m() %}x{% endcall %}".into(),
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}".into(),
        "{% set n = namespace(x=1) %}{% set n.x = [n, n] %}{{ n }}".into(),
        "{% set n = namespace(x=1) %}{% for i in range(99999) %}{% set n.x = namespace(x=n.x) %}{% endfor %}".into(),
        "{% set n = namespace(x=1) %}{% for i in range(999) %}{% set n.x = [n.x] %}{% endfor %}".into(),
        "{{ deep }}{{ deep | tojson }}{{ deep == deep }}{{ [deep, deep] | sort | length }}".into(),
        nested("{% if 1 %}", "{% endif %}", 60),
        nested("{% for x in [1] %}", "{% endfor %}", 59),
        nested("{% for x in [1] %}", "{% endfor %}", 149),
        nested("{% macro m() %}", "{% endmacro %}", 59),
        nested("{% set x %}", "{% endset %}", 59),
        tag(nested("(", ")", 32)),
        tag(nested("[", "]", 32)),
        tag(nested("{1:", "}", 32)),
        tag("not ".repeat(590) + "1"),
        tag("-".repeat(590) + "1"),
        tag("1".to_owned() + &"+1".repeat(290)),
        tag("1".to_owned() + &" if 1 else 1".repeat(145)),
        tag("1".to_owned() + &"|string".repeat(290)),
        format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(299)),
        format!("{{% for {}x{} in y %}}{{% endfor %}}", "(".repeat(32), ")".repeat(32)),
    ];
    let mut deep = Data::sealed("x");
    for _ in 0..198 {
        deep = Data::List(vec![deep]);
    }
    let mut conversation = Conversation::new([]);
    conversation.variables = vec![("deep".into(), deep)];
    // A thread of a phone has 512 KiB. Without optimization it takes thrice as much.
    let bytes = if cfg!(debug_assertions) { 1536 << 10 } else { 384 << 10 };
    let thread = std::thread::Builder::new().stack_size(bytes).spawn(move || {
        for source in &sources {
            check(source, &conversation);
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn reasons_name_the_line_and_what_is_wrong_there() {
    let conversation = conversation();
    let reason = |source: &str| match ChatTemplate::new(source).and_then(|it| it.render(&conversation)) {
        Err(Error::ChatTemplate { reason }) => reason,
        other => panic!("{source}: {other:?}"),
    };
    let cases = [
        ("\n{% if %}", "line 2: syntax error: unexpected end of block"),
        ("\n\n{{ nothing.x }}", "line 3: \"x\" is asked of what is undefined"),
        ("{{ s.secret() }}", "line 1: str has no method \"secret\""),
        ("{{ nothing() }}", "line 1: what is called is undefined"),
        ("\n{{ s | upcase }}", "line 2: there is no filter \"upcase\""),
        ("{{ s is long }}", "line 1: there is no test \"long\""),
        ("{{ s + 1 }}", "line 1: the operator does not take str and int"),
        ("{{ 1 // 0 }}", "line 1: division by zero"),
        ("\n{{ raise_exception('no ' ~ s ~ '!') }}", "line 2: no …!"),
        ("{% for x in n %}{% endfor %}", "line 1: int cannot be gone through"),
        ("{% include 'other' %}", "line 1: include is not supported"),
        ("{% autoescape true %}{% endautoescape %}", "line 1: autoescape is not supported"),
        (
            "{% macro m(a) %}\n{% endmacro %}\n{{ m(1, 2) }}",
            "line 3: the macro \"m\" is given too many arguments",
        ),
        (
            "{% macro m() %}\n{{ s.x.y }}{% endmacro %}\n{{ m() }}",
            "line 2: \"y\" is asked of what is undefined",
        ),
        ("{{ l | batch(0) }}", "line 1: the size of a batch must be positive"),
        ("{{ {[1]: 2} }}", "line 1: list cannot be a key"),
    ];
    for (source, expected) in cases {
        assert!(reason(source).starts_with(expected), "{source}: {}", reason(source));
    }
    let mut taken = conversation.clone();
    taken.variables = vec![("messages".into(), Data::Text(Text::sealed("x")))];
    assert!(ChatTemplate::new("").unwrap().render(&taken).is_err());
}
