//! `pinfold try` and `pinfold run x.prompt`, on checkpoints, on a server that is told what to say, and on a real one.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::pinfold;
use serde_json::{Value, json};

/// The request as it is.
const PLAIN: &str = "---\nmodel: intent\n---\n{{request}}";

/// With its output: an intent, and slots that stand in the request.
const TYPED: &str = "\
---
model: intent
input:
  schema:
    request: string
output:
  format: json
  schema:
    type: object
    properties:
      intent: { type: string, enum: [PlayMusic, GetWeather, BookRestaurant, RateBook, AddToPlaylist, SearchCreativeWork, SearchScreeningEvent] }
    required: [intent]
---
{{request}}";

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new(prompt: &str, cases: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ask.prompt"), prompt).unwrap();
        let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
        std::fs::write(folder.path().join("cases.jsonl"), lines).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn trial(&self, more: &[&str]) -> common::Ran {
        let (prompt, cases) = (self.file("ask.prompt"), self.file("cases.jsonl"));
        pinfold(&[&["try", &prompt, "--inputs", &cases][..], more].concat())
    }
}

/// The requests of the checkpoint's examples.
fn requests(most: usize) -> Vec<String> {
    let path = root().join("checkpoints/intent/examples.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let request = |line: &str| {
        let example: Value = serde_json::from_str(line).unwrap();
        example["prompt"].as_str().unwrap().to_owned()
    };
    text.lines().take(most).map(request).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A server that answers each request with `text`.
fn server(text: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let body =
        json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] }).to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    port
}

fn read_request(stream: &mut TcpStream) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let length = text
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .and_then(|(_, rest)| rest.split_once('\r').and_then(|(length, _)| length.parse::<usize>().ok()));
        let whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length.unwrap_or(0));
        if read == 0 || whole {
            return;
        }
    }
}

#[test]
fn a_prompt_file_is_run() {
    let desk = Desk::new(TYPED, &[json!({})]);
    let prompt = desk.file("ask.prompt");
    let ran = pinfold(&["run", &prompt, "-v", "request=play some jazz"]).done();
    assert_eq!(ran.out, "{\"intent\":\"PlayMusic\",\"genre\":\"jazz\"}\n");
    let json = pinfold(&["run", &prompt, "-v", "request=play some jazz", "--json"]).done().json();
    assert_eq!(json["value"], json!({ "intent": "PlayMusic", "genre": "jazz" }));
    assert_eq!((&json["backend"], &json["tool_calls"]), (&json!("intent"), &json!([])));
    assert!(json["usage"]["prompt_tokens"].as_u64().unwrap() > 3);
    pinfold(&["run", &prompt]).failed(1, "request");
    pinfold(&["run", &prompt, "-v", "request=x", "-n", "2"]).failed(1, "length");
    pinfold(&["run", &prompt, "-v", "request=x", "--raw"]).failed(2, "--raw");
    pinfold(&["run", "intent", "-v", "request=x"]).failed(2, "prompt file");
    pinfold(&["run", &prompt, "-v", "request=x", "--backend", "openai:http://localhost/v1"]).failed(2, "#");
    let backend = format!("openai:http://127.0.0.1:{}/v1#m", server("{\"intent\":\"PlayMusic\"}"));
    let json = pinfold(&["run", &prompt, "-v", "request=x", "--backend", &backend, "--json"]).done().json();
    assert_eq!(json["value"], json!({ "intent": "PlayMusic" }));
    let backend = format!("openai:http://127.0.0.1:{}/v1#m", server("{\"intent\":\"Other\"}"));
    pinfold(&["run", &prompt, "-v", "request=x", "--backend", &backend]).failed(1, "schema");
}

#[test]
fn a_backend_is_compared_with_another() {
    let jazz = json!({ "intent": "PlayMusic", "genre": "jazz" });
    let cases = [
        json!({ "request": "play some jazz", "expect": jazz }),
        json!({ "request": "play some jazz", "expect": { "intent": "GetWeather" } }),
        json!({ "wrong": "no such variable" }),
    ];
    let desk = Desk::new(TYPED, &cases);
    let backend =
        format!("openai:http://127.0.0.1:{}/v1#m", server("{\"intent\":\"PlayMusic\",\"genre\":\"pop\"}"));
    let backends = ["--backend", "intent", "--backend", &backend];
    let json = desk.trial(&[&backends[..], &["--json"]].concat()).done().json();
    assert_eq!(json["cases"][0]["differences"], json!([["/genre"]]));
    assert_eq!(json["cases"][0]["outcomes"][1]["value"]["genre"], "pop");
    assert_eq!(json["cases"][2]["outcomes"][0]["error"]["code"], "bad_variable");
    let summary = &json["summary"];
    assert_eq!((&summary["same"]["count"], &summary["same"]["of"]), (&json!(0), &json!(3)));
    assert_eq!(summary["backends"][0]["expected"], json!({ "count": 1, "of": 2, "share": 0.5 }));
    assert_eq!(summary["backends"][1]["valid"], json!({ "count": 2, "of": 2, "share": 1.0 }));
    let table = desk.trial(&backends).done().out;
    assert!(
        table.contains("A = intent") && table.contains("/genre") && table.contains("same: 0 of 3"),
        "{table}"
    );
    let twice = ["--backend", "intent", "--backend", "intent", "--min-same", "0.6"];
    desk.trial(&twice).done();
    desk.trial(&[&backends[..], &["--min-same", "0.5"]].concat()).failed(1, "");
    // The model of the front matter, if no backend is named.
    desk.trial(&["--min-expected", "0.5"]).done();
    desk.trial(&["--min-expected", "0.6"]).failed(1, "");
    desk.trial(&["--min-same", "0.5"]).failed(2, "--min-same");
    desk.trial(&["--min-same", "1.5"]).failed(2, "0 to 1");
    let bad = Desk::new(PLAIN, &[json!(["secret"])]);
    assert!(!bad.trial(&[]).failed(1, "cases.jsonl:1").err.contains("secret"));
}

/// A server of llama-cpp-python; it ends with this.
struct Peer {
    child: Child,
    port: u16,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it on the checkpoint `intent`, or says that it is not installed.
fn peer(test: &str) -> Option<Peer> {
    let found = Command::new(root().join("tools/peer-server")).arg("path").output().ok()?;
    if !found.status.success() {
        eprintln!("SKIPPED {test}: no llama-cpp-python[server] (tools/peer-server install provides it)");
        return None;
    }
    let python = String::from_utf8(found.stdout).unwrap();
    let model = root().join("checkpoints/intent/pinfold-intent-q8_0.gguf");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(root().join(python.trim()));
    command.args([
        "-m",
        "llama_cpp.server",
        "--host",
        "127.0.0.1",
        "--n_ctx",
        "512",
        "--port",
        &port.to_string(),
    ]);
    command.arg("--model").arg(model).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let peer = Peer { child: command.spawn().unwrap(), port };
    let give_up = Instant::now() + Duration::from_secs(120);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < give_up, "the server does not come up");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(peer)
}

#[test]
fn a_real_server_with_the_same_checkpoint_answers_alike() {
    let Some(peer) = peer("a_real_server_with_the_same_checkpoint_answers_alike") else { return };
    let backend = format!("llama-cpp-python:http://127.0.0.1:{}/v1#intent", peer.port);
    let cases: Vec<_> = requests(24).into_iter().map(|request| json!({ "request": request })).collect();
    let backends = ["--backend", "intent", "--backend", &backend, "--json"];
    // Its kernels are others than ours, so that a close choice may fall otherwise.
    for (prompt, typed) in [(PLAIN, false), (TYPED, true)] {
        let json =
            Desk::new(prompt, &cases).trial(&[&backends[..], &["--min-same", "0.9"]].concat()).done().json();
        let summary = &json["summary"];
        println!("{summary}");
        assert!(summary["backends"].as_array().unwrap().iter().all(|backend| backend["errors"] == 0));
        if typed {
            assert_eq!(summary["backends"][0]["valid"]["share"], 1.0);
        }
    }
}
