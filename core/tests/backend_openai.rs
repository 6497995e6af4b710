//! The backend of servers, against one that does as it is told, faults included.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod pull_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pinfold::backend::{Backend, Dialect, OpenAi, OpenAiOptions, Reply as Answer, Request, tool};
use pinfold::prompt::{Conversation, Data, Role, Text, Turn};
use pinfold::{Constraint, Error, FinishReason};
use pull_support::server::Manner;
use pull_support::{Reply, Server, tls};
use serde_json::{Value, json};

const KEY: &str = "sk-very-secret";

fn options() -> OpenAiOptions {
    OpenAiOptions { api_key: Some(KEY.into()), attempts: 3, backoff_ms: 1, ..OpenAiOptions::default() }
}

fn backend(server: &Server) -> OpenAi {
    OpenAi::new(&server.url("v1"), "m", options()).unwrap()
}

fn question() -> Request {
    Conversation::new([Turn::new(Role::User, Text::sealed("What is a sheepfold?"))]).into()
}

fn ask(server: &Server, request: &Request) -> (Result<Answer, Error>, String) {
    let mut shown = String::new();
    let reply = backend(server).reply(request, &mut |text| shown += text);
    if let Err(error) = &reply {
        assert!(!error.to_string().contains(KEY) && !error.to_string().contains("sheepfold"), "{error}");
    }
    (reply, shown)
}

/// The error of a server that answers so, its status, and what was shown before.
fn failure(reply: Reply) -> (String, Option<u16>, String) {
    let server = Server::start(move |_| reply.clone());
    match ask(&server, &question()) {
        (Err(Error::BackendFailed { reason, status, backend }), shown) => {
            assert_eq!(backend, format!("127.0.0.1:{}", server.port()));
            (reason, status, shown)
        }
        other => panic!("{other:?}"),
    }
}

fn events(text: &str) -> Reply {
    Reply::text(text).with("content-type", "text/event-stream")
}

fn delta(delta: Value) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] }))
}

const END: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn story() -> String {
    delta(json!({ "role": "assistant", "content": "" }))
        + ": a comment\n\n"
        + &delta(json!({ "content": "Ein Pfe" }))
        + &delta(json!({ "content": "rch für Schafe 🐑" }))
        + END
}

#[test]
fn an_answer_is_streamed() {
    let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":3}}}"#;
    let text = story().replace("data: [DONE]", &format!("{usage}\n\ndata: [DONE]"));
    let server = Server::start(move |_| events(&text));
    let backend = backend(&server);
    let mut pieces = Vec::new();
    let reply = backend.reply(&question(), &mut |text| pieces.push(text.to_owned())).unwrap();
    assert_eq!(pieces, ["Ein Pfe", "rch für Schafe 🐑"]);
    assert_eq!(
        (reply.text.as_str(), reply.finish),
        ("Ein Pferch für Schafe 🐑", FinishReason::EndOfGeneration)
    );
    let tokens = (reply.prompt_tokens, reply.cached_tokens, reply.generated_tokens);
    assert_eq!(tokens, (Some(9), Some(3), Some(4)));
    assert_eq!(backend.name(), format!("http://127.0.0.1:{}/v1#m", server.port()));
    let [sent] = server.requests().try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(sent.header("authorization"), Some("Bearer sk-very-secret"));
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body["messages"], json!([{ "role": "user", "content": "What is a sheepfold?" }]));
    assert_eq!((&body["model"], &body["stream"]), (&json!("m"), &json!(true)));
    assert!(!format!("{backend:?}").contains(KEY));
}

#[test]
fn how_the_bytes_are_cut_does_not_matter() {
    let manner = Manner { drip: Some((1, Duration::ZERO)), chunked: true, ..Manner::default() };
    for ending in ["\n", "\r\n", "\r"] {
        let text = story().replace('\n', ending);
        let server = Server::start(move |_| events(&text).in_manner(manner));
        let (reply, shown) = ask(&server, &question());
        assert_eq!((reply.unwrap().text, shown.as_str()), (shown.clone(), "Ein Pferch für Schafe 🐑"));
    }
    // Without the mark of the end, with a reason: that is an end as well.
    let text = story().replace("data: [DONE]\n\n", "");
    let server = Server::start(move |_| events(&text));
    assert!(ask(&server, &question()).0.is_ok());
    // A server that does not stream.
    let whole = json!({ "choices": [{ "message": { "content": "Whole" }, "finish_reason": "length" }] });
    let server =
        Server::start(move |_| Reply::text(whole.to_string()).with("content-type", "application/json"));
    let (reply, shown) = ask(&server, &question());
    assert_eq!((reply.unwrap().finish, shown.as_str()), (FinishReason::Length, "Whole"));
}

#[test]
fn what_passes_is_tried_again() {
    for (status, header) in [(429, Some(("retry-after", "0"))), (500, None), (503, None)] {
        let asked = AtomicUsize::new(0);
        let server = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => match header {
                Some((name, value)) => Reply::status(status).with(name, value),
                None => Reply::status(status),
            },
            _ => events(&story()),
        });
        assert!(ask(&server, &question()).0.is_ok(), "{status}");
        assert_eq!(server.requests().len(), 3);
    }
    // A stream that breaks off before any text was shown.
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => events(&story()).in_manner(Manner { cut: Some(30), ..Manner::default() }),
        _ => events(&story()),
    });
    assert_eq!(ask(&server, &question()).1, "Ein Pferch für Schafe 🐑");
    let (reason, status, _) = failure(Reply::status(500));
    assert_eq!(status, Some(500));
    assert!(reason.contains("500") && reason.contains("3 attempts"), "{reason}");
    let (reason, ..) = failure(Reply::status(429).with("retry-after", "3600"));
    assert!(reason.contains("3600 s"), "{reason}");
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    let backend = OpenAi::new("http://127.0.0.1:9/v1", "m", options()).unwrap();
    let error = backend.reply(&question(), &mut |_| {}).unwrap_err();
    assert!(matches!(&error, Error::BackendFailed { status: None, .. }), "{error}");
    assert!(error.to_string().contains("3 attempts"), "{error}");
}

#[test]
fn refusals_say_what_to_do_and_are_not_tried_again() {
    let server = Server::start(|_| Reply::status(401));
    let nobody = OpenAiOptions { api_key: None, api_key_env: "PINFOLD_TEST_NO_SUCH_KEY".into(), ..options() };
    let backend = OpenAi::new(&server.url("v1"), "m", nobody).unwrap();
    let error = backend.reply(&question(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("set the environment variable PINFOLD_TEST_NO_SUCH_KEY"), "{error}");
    assert_eq!(server.requests().len(), 1);

    let said = |status, body: Value| failure(Reply { status, ..Reply::text(body.to_string()) }).0;
    let reason = said(401, json!({ "error": { "message": format!("Incorrect API key: {KEY}") } }));
    assert!(reason.contains("does not take the key"), "{reason}");
    let reason = said(400, json!({ "error": { "message": "context of 512 is full\u{1b}[31m" } }));
    assert!(reason.contains("400") && reason.contains("context of 512 is full\\u{1b}[31m"), "{reason}");
    let reason = said(400, json!({ "error": { "message": "cannot answer \"What is a sheepfold?\"" } }));
    assert!(reason.contains("quote the request"), "{reason}");
    let detail = json!([{ "loc": ["body", "seed"], "msg": "too large", "input": "What is a sheepfold?" }]);
    let reason = said(422, json!({ "detail": detail }));
    assert!(reason.contains("body.seed: too large"), "{reason}");
    assert!(said(404, json!({})).contains("/v1"));
}

#[test]
fn redirects_are_not_followed() {
    let other = Server::start(|_| events(&story()));
    let target = other.url("v1/chat/completions");
    let (reason, ..) = failure(Reply::redirect(307, target));
    assert!(reason.contains("redirects are not followed"), "{reason}");
    assert!(other.requests().is_empty());
}

#[test]
fn streams_that_are_wrong_are_errors() {
    let start = delta(json!({ "content": "Ein" }));
    let after = |more: &str| failure(events(&(start.clone() + more)));
    let (reason, _, shown) = after("data: nonsense\n\n");
    assert_eq!(shown, "Ein");
    assert!(reason.contains("no answer of chat completions"), "{reason}");
    let (reason, ..) = after("data: {\"error\": {\"message\": \"out of memory\"}}\n\n");
    assert!(reason.contains("out of memory"), "{reason}");
    let (reason, ..) = after("");
    assert!(reason.contains("broke off"), "{reason}");
    let (reason, ..) = after(&format!("data: {}\n\n", "x".repeat(9 << 20)));
    assert!(reason.contains("8 MiB"), "{reason}");
    let bytes = [start.as_bytes(), b"data: \xff\n\n"].concat();
    let body = Reply { part: 0..bytes.len(), body: bytes.into(), ..events("") };
    assert!(failure(body).0.contains("UTF-8"));
    let filtered = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n";
    assert!(after(filtered).0.contains("filter"));
    assert!(failure(Reply::text("<html>")).0.contains("no answer"));
    assert!(failure(Reply::raw("nonsense\r\n\r\n")).0.contains("HTTP"));
    assert!(failure(events("data: [DONE]\n\n")).0.contains("answers nothing"));
}

#[test]
fn one_who_waits_can_leave() {
    // Neither server ever ends: that the requests do is what is tested.
    let stall = |bytes| Manner { stall: Some(bytes), ..Manner::default() };
    let length = delta(json!({ "content": "Ein" })).len();
    for (name, server) in [
        ("no byte", Server::start(move |_| events("x").in_manner(stall(0)).with("content-length", "99"))),
        (
            "some text",
            Server::start(move |_| {
                events(&(delta(json!({ "content": "Ein" })) + "more")).in_manner(stall(length))
            }),
        ),
    ] {
        let request = question();
        let cancel = request.cancel.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            cancel.cancel();
        });
        let reply = backend(&server).reply(&request, &mut |_| {});
        assert!(matches!(reply, Err(Error::Cancelled)), "{name}: {reply:?}");
        thread.join().unwrap();
    }
    let silent = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(2));
        Reply::status(200)
    });
    let timed = |options: OpenAiOptions, server: &Server| {
        let backend = OpenAi::new(&server.url("v1"), "m", options).unwrap();
        backend.reply(&question(), &mut |_| {}).unwrap_err().to_string()
    };
    let error = timed(OpenAiOptions { first_byte_timeout_ms: 50, ..options() }, &silent);
    assert!(error.contains("first_byte_timeout_ms"), "{error}");
    let error = timed(OpenAiOptions { total_timeout_ms: 50, ..options() }, &silent);
    assert!(error.contains("total_timeout_ms"), "{error}");
    let stalls =
        Server::start(move |_| events(&(delta(json!({ "content": "Ein" })) + "m")).in_manner(stall(length)));
    let error = timed(OpenAiOptions { idle_timeout_ms: 50, ..options() }, &stalls);
    assert!(error.contains("idle_timeout_ms"), "{error}");
}

#[test]
fn calls_of_tools_are_joined_and_checked() {
    let call = |call: Value| delta(json!({ "tool_calls": [call] }));
    let stream = |name: &str| {
        delta(json!({ "content": null }))
            + &call(json!({ "index": 0, "id": "c1", "function": { "name": name, "arguments": "" } }))
            + &call(json!({ "index": 0, "function": { "arguments": "{\"city\": \"Łó" } }))
            + &call(json!({ "index": 0, "function": { "arguments": "dź\"}" } }))
            + &END.replace("stop", "tool_calls")
    };
    let mut request = question();
    let schema =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    request.conversation.tools = vec![tool("weather", "Of a city", &schema).unwrap()];
    let text = stream("weather");
    let server = Server::start(move |_| events(&text));
    let (reply, shown) = ask(&server, &request);
    let reply = reply.unwrap();
    assert_eq!((shown.as_str(), reply.tool_calls.len()), ("", 1));
    let arguments = Data::Map(vec![(Text::sealed("city"), Data::sealed("Łódź"))]);
    assert_eq!(reply.tool_calls[0].arguments, arguments);
    assert_eq!(reply.tool_calls[0].id, Some(Text::sealed("c1")));
    let sent: Value = serde_json::from_slice(&server.requests()[0].body).unwrap();
    assert_eq!(sent["tools"][0]["function"]["parameters"], schema);
    for wrong in [stream("other"), stream("weather").replace("city", "town")] {
        let server = Server::start(move |_| events(&wrong));
        assert!(matches!(ask(&server, &request).0, Err(Error::BadOutput { .. })));
    }
}

#[test]
fn outputs_are_checked_whoever_wrote_them() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string", "x-quote": "sheepfold" } },
        "required": ["a"], "additionalProperties": false });
    let answer = |text: &str, end: &str| delta(json!({ "content": text })) + &END.replace("stop", end);
    let ask = |stream: String| {
        let server = Server::start(move |_| events(&stream));
        let options = OpenAiOptions { dialect: Dialect::LlamaCppPython, ..options() };
        let backend = OpenAi::new(&server.url("v1"), "m", options).unwrap();
        let request = Request { output: Some(Constraint::JsonSchema(schema.clone())), ..question() };
        let reply = backend.reply(&request, &mut |_| {});
        let sent = String::from_utf8(server.requests()[0].body.clone()).unwrap();
        assert!(!sent.contains("x-quote"), "{sent}");
        reply
    };
    assert_eq!(ask(answer("{\"a\": \"fold\"}", "stop")).unwrap().value, Some(json!({ "a": "fold" })));
    let wrong = |stream: String| match ask(stream) {
        Err(Error::BadOutput { reason, text }) => (reason, text),
        other => panic!("{other:?}"),
    };
    wrong(answer("{\"a\": \"invented\"}", "stop"));
    let (reason, text) = wrong(answer("{\"a\": \"fo", "length"));
    assert!(reason.contains("length"), "{reason}");
    assert_eq!(text, "{\"a\": \"fo");
}

#[test]
fn certificates_of_the_user_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (root, config) = tls::authority(folder.path());
    let server = Server::start_with(Some(config), |_| events(&story()));
    let with = OpenAiOptions { certificates: Some(root), ..options() };
    let backend = OpenAi::new(&server.url("v1"), "m", with).unwrap();
    // Twice: the connection may serve again.
    for _ in 0..2 {
        assert!(backend.reply(&question(), &mut |_| {}).is_ok());
    }
    let error = ask(&server, &question()).0.unwrap_err().to_string();
    assert!(error.contains("certificates"), "{error}");
}
