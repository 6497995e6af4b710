use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::embedder::EmbedderOptions;
use crate::engine::scripted::Scripted;

fn place() -> Place {
    Place { path: "ask.prompt".into(), line: 3 }
}

fn read(value: Value) -> Result<FewShot> {
    FewShot::read(&value, place(), None)
}

fn values(value: Value) -> Values {
    value.as_object().unwrap().clone()
}

fn questions(chosen: &[&Values]) -> Vec<String> {
    chosen.iter().map(|example| example["question"].as_str().unwrap().to_owned()).collect()
}

/// Which of the letters a to z a text has.
fn embedder() -> Embedder {
    let scripted = Scripted::answering("").with_embedding(26, |tokens| {
        (0..26).map(|letter| tokens.iter().filter(|token| token.0 == 97 + letter).count() as f32).collect()
    });
    Embedder::from_weights(Arc::new(scripted), &EmbedderOptions::default()).unwrap()
}

fn four() -> Value {
    json!([
        {"question": "abc", "answer": "1"}, {"question": "abd", "answer": "22"},
        {"question": "xyz", "answer": "3"}, {"question": "abx", "answer": "4"}
    ])
}

fn select(declaration: Value, inputs: Value) -> Result<Vec<String>> {
    let few = read(declaration)?;
    few.select(&values(inputs), Some(&embedder()), &Cancel::new()).map(|chosen| questions(&chosen))
}

#[test]
fn a_list_is_shown_as_it_is() {
    let few = read(four()).unwrap();
    assert!(!few.needs_embedder());
    let chosen = few.select(&values(json!({"question": "?"})), None, &Cancel::new()).unwrap();
    assert_eq!(questions(&chosen), ["abc", "abd", "xyz", "abx"]);
    assert_eq!(select(json!({"list": four(), "count": 2}), json!({})).unwrap(), ["abc", "abd"]);
    assert!(read(json!([])).unwrap().select(&values(json!({})), None, &Cancel::new()).unwrap().is_empty());
}

#[test]
fn a_budget_counts_bytes_of_examples_and_query() {
    let by_length = |budget: usize, inputs: Value| {
        select(json!({"list": four(), "select": "length", "budget": budget}), inputs).unwrap()
    };
    assert_eq!(by_length(9, json!({})), ["abc", "abd"]);
    assert_eq!(by_length(8, json!({})), ["abc"]);
    assert_eq!(by_length(9, json!({"question": "é"})), ["abc"], "the query has two bytes");
    let of_one = json!({"list": four(), "select": "length", "budget": 9, "query": ["question"]});
    let inputs = json!({"question": "", "document": "a long text that does not count"});
    assert_eq!(select(of_one, inputs).unwrap(), ["abc", "abd"]);
    assert!(by_length(1, json!({"question": "longer than the budget"})).is_empty());
}

#[test]
fn likeness_chooses_by_the_variables_that_both_have() {
    let like = |select_by: &str, query: &str, count: usize| {
        let declaration = json!({"list": four(), "select": select_by, "count": count});
        select(declaration, json!({"question": query})).unwrap()
    };
    assert_eq!(like("similar", "abc", 3), ["abc", "abd", "abx"]);
    assert_eq!(like("mmr", "abcx", 2), ["abc", "xyz"]);
    let named =
        json!({"list": four(), "select": "similar", "by": ["question"], "query": ["text"], "count": 1});
    assert_eq!(select(named, json!({"text": "zzz", "question": "abc"})).unwrap(), ["xyz"]);
    let short = json!({"list": four(), "select": "similar", "budget": 12, "count": 4});
    assert_eq!(select(short, json!({"question": "abc"})).unwrap(), ["abc", "abd"]);
    let similar = json!({"list": four(), "select": "similar"});
    assert_eq!(select(similar, json!({"question": "x"})).unwrap().len(), 4, "4 by default");
}

#[test]
fn what_is_needed_to_choose_is_asked_for() {
    let few = read(json!({"list": four(), "select": "similar", "model": "minilm"})).unwrap();
    assert!(few.needs_embedder() && few.selection().model.as_deref() == Some("minilm"));
    let without = few.select(&values(json!({"question": "abc"})), None, &Cancel::new());
    assert!(matches!(without, Err(Error::Unsupported { .. })));
    few.check(&["question"]).unwrap();
    for (declaration, inputs) in [
        (json!({"list": four(), "select": "similar"}), vec!["other"]),
        (json!({"list": four(), "select": "similar", "by": ["question"]}), vec!["other"]),
        (json!({"list": four(), "select": "mmr", "query": ["other"]}), vec!["question"]),
    ] {
        let error = read(declaration).unwrap().check(&inputs).unwrap_err();
        assert!(matches!(error, Error::BadPrompt { line: 3, .. }), "{error}");
    }
    let by = json!({"list": four(), "select": "similar", "by": ["question"]});
    let missing = select(by, json!({"document": "x"})).unwrap_err();
    assert!(matches!(&missing, Error::BadVariable { name, line: 3, .. } if name == "question"), "{missing}");
    let cancel = Cancel::new();
    cancel.cancel();
    let stopped = few.select(&values(json!({"question": "abc"})), Some(&embedder()), &cancel);
    assert!(matches!(stopped, Err(Error::Cancelled)));
}

#[test]
fn declarations_that_make_no_sense_say_why() {
    for (declaration, reason) in [
        (json!("all"), "a list of maps"),
        (json!(["a"]), "example 1 is no map"),
        (json!([{"a": 1}, {"b": 1}]), "example 2 has no \"a\""),
        (json!([{"a": 1}, {"a": 1, "b": 1}]), "example 2 has \"b\""),
        (json!({}), "needs a `file`"),
        (json!({"file": "x", "list": []}), "give one"),
        (json!({"file": 3}), "the path of a file"),
        (json!({"list": {}}), "a list of maps"),
        (json!({"file": "x"}), "was not read from a file"),
        (json!({"list": [], "select": "best"}), "unknown variant `best`"),
        (json!({"list": [], "number": 3}), "unknown field `number`"),
        (json!({"list": [], "count": 0}), "at least 1"),
        (json!({"list": [], "count": -1}), "invalid value"),
        (json!({"list": [], "select": "length"}), "needs a `budget`"),
        (json!({"list": [], "lambda": 0.5}), "mmr"),
        (json!({"list": [], "select": "mmr", "lambda": 1.5}), "from 0 to 1"),
        (json!({"list": [], "model": "m"}), "similar"),
        (json!({"list": [], "query": ["q"]}), "no use"),
        (json!({"list": [{"a": 1}], "select": "mmr", "by": ["q"]}), "do not have"),
    ] {
        let error = read(declaration).unwrap_err();
        assert!(matches!(error, Error::BadPrompt { line: 3, .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}: {reason}");
    }
}

#[test]
fn a_file_has_an_example_on_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &[u8]| {
        std::fs::write(folder.path().join("examples.jsonl"), text).unwrap();
        FewShot::read(&json!({"file": "examples.jsonl"}), place(), Some(folder.path()))
    };
    let few = read(b"\xef\xbb\xbf{\"a\": 1, \"b\": [2]}\r\n\n  \n{\"b\": null, \"a\": \"x\"}").unwrap();
    assert_eq!(few.examples().len(), 2);
    assert_eq!(few.examples()[1]["b"], Value::Null);
    for (text, at, reason) in [
        (&b"{\"a\": 1}\n{\"a\": }\n"[..], (2, 7), "not JSON"),
        (b"{\"a\": 1}\n\n[1]", (3, 1), "a JSON object"),
        (b"{\"a\": 1}\n{\"b\": 1}", (2, 1), "has no \"a\""),
        (b"{\"a\": 1}\n{\"a\": \"\xff\"}", (2, 1), "UTF-8"),
        (b"{\"a\": 1} {\"a\": 2}", (1, 10), "not JSON"),
    ] {
        let error = read(text).unwrap_err();
        let Error::BadPrompt { path, line, column, .. } = &error else { panic!("{error}") };
        assert!(path.ends_with("examples.jsonl") && (*line, *column) == at, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    let gone = FewShot::read(&json!({"file": "none.jsonl"}), place(), Some(folder.path()));
    assert!(matches!(gone, Err(Error::Io { .. })));
}
