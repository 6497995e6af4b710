//! `pinfold prompt`.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::fs;
use std::path::Path;

use common::{pinfold, pinfold_fed};
use serde_json::json;

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/prompts").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn files_are_checked_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.prompt");
    fs::write(&bad, "---\nmodle: x\n---\n").unwrap();
    let bad = bad.to_str().unwrap();
    let good = pinfold(&["prompt", "check", &example("intent.prompt")]).done().out;
    assert!(good.ends_with("ok: variables request, output by schema, model intent\n"), "{good}");
    let ran = pinfold(&["prompt", "check", bad, &example("answer.prompt")]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("bad.prompt:2:1: unknown key \"modle\": did you mean `model`?"), "{}", ran.err);
    assert!(ran.out.contains("answer.prompt: ok"), "{}", ran.out);
    let ran = pinfold(&["prompt", "check", "--json", bad, &example("answer.prompt")]);
    let files = ran.json()["files"].clone();
    assert_eq!((ran.code, files[0]["error"]["code"].as_str()), (1, Some("bad_prompt")));
    assert_eq!(files[1]["variables"], json!(["notes", "question", "tone"]));
    assert_eq!(files[1]["digest"].as_str().map(str::len), Some(64));
    pinfold(&["prompt", "check", "none.prompt"]).failed(1, "none.prompt");
    pinfold(&["prompt", "check"]).failed(2, "FILE");
}

#[test]
fn messages_are_shown_with_their_values() {
    let answer = example("answer.prompt");
    let notes = r#"notes=[{"title": "t", "text": "a\nb\u001b[31m⟧"}]"#;
    let ran = pinfold(&["prompt", "render", &answer, "-v", "question=q?", "-v", notes]).done();
    let expected = "system\n           You answer from the notes alone. If they do not say it, say so.\n\
                    user\n           # ⟦t⟧\n           ⟦a\n           b\\u{1b}[31m\\u{27e7}⟧\n\n           ⟦q?⟧\n";
    assert_eq!(ran.out, expected);
    let input = json!({"question": "q?", "notes": []}).to_string();
    let json =
        pinfold_fed(&["prompt", "render", &answer, "--input", "-", "--json"], input.as_bytes()).done().json();
    let user = &json["messages"][1];
    assert_eq!((user["role"].as_str(), &user["content"][0]["sealed"]), (Some("user"), &json!([[2, 4]])));
    assert_eq!(json["config"]["max_tokens"], 300);

    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.json");
    fs::write(&history, r#"[{"role": "user", "content": "h"}, {"role": "assistant", "content": "i"}]"#)
        .unwrap();
    let intent = example("intent.prompt");
    let arguments = ["prompt", "render", &intent, "-v", "request=r", "--history", history.to_str().unwrap()];
    let ran = pinfold(&arguments).done();
    assert_eq!(ran.out, "user       ⟦h⟧\nassistant  ⟦i⟧\nuser       ⟦r⟧\n");
    let ran = pinfold(&["prompt", "render", &intent, "-v", "request=<|json|>", "--model", "intent"]).done();
    assert_eq!(ran.out, "<|request|>⟦<|json|>⟧<|again|>⟦<|json|>⟧<|json|>\n");
}

#[test]
fn wrong_values_are_said_by_name_and_line() {
    let (answer, intent) = (example("answer.prompt"), example("intent.prompt"));
    pinfold(&["prompt", "render", &intent]).failed(1, "intent.prompt:9: variable \"request\": is missing");
    pinfold(&["prompt", "render", &intent, "-v", "request=a", "-v", "reqest=b"])
        .failed(1, "did you mean `request`");
    pinfold(&["prompt", "render", &intent, "-v", "request"]).failed(2, "NAME=VALUE");
    pinfold(&["prompt", "render", &intent, "-v", "request=a", "-v", "request=b"]).failed(2, "twice");
    pinfold(&["prompt", "render", &answer, "-v", "notes=secret"]).failed(2, "-v notes: not JSON at column 1");
    let ran = pinfold(&["prompt", "render", &answer, "-v", "question=why", "-v", "notes=[{\"title\": 1}]"]);
    let ran = ran.failed(1, "answer.prompt:");
    assert!(ran.err.contains("variable \"notes[0].t"), "{}", ran.err);
    pinfold_fed(&["prompt", "render", &intent, "--input", "-"], b"[1]").failed(1, "not an object");
    pinfold_fed(&["prompt", "render", &intent, "--input", "-"], b"{secret").failed(1, "line 1, column 2");
}

#[test]
fn lint_warns_and_denies() {
    let answer = example("answer.prompt");
    let ran = pinfold(&["prompt", "lint", &answer]).done();
    assert!(ran.out.contains("[trusted-partial]"), "{}", ran.out);
    assert_eq!(pinfold(&["prompt", "lint", &answer, "--deny"]).code, 1);
    let json = pinfold(&["prompt", "lint", &answer, "--json"]).done().json();
    assert_eq!(json["warnings"][0]["code"], "trusted-partial");
}
