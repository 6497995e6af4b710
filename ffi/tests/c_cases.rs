//! The shared cases (core/vectors/api.toml) through the C ABI, by a program in C: this test turns them into lines that
//! C reads with ease, and runs it.
#![cfg(feature = "llama")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod c_support;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use c_support::{build, root, run};
use toml::{Table, Value};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("x"), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn list(numbers: &[Value]) -> String {
    let words: Vec<String> = numbers.iter().map(Value::to_string).collect();
    format!("{} {}", words.len(), words.join(" "))
}

/// A field of a step, as lines.
fn field(key: &str, value: &Value, script: &mut String) {
    match (key, value) {
        // Codes of errors and finishes are words, all other strings are texts.
        ("error" | "finish" | "cancel", Value::String(word)) => writeln!(script, "{key} {word}").unwrap(),
        // Files stand beside the lock file.
        ("path", Value::String(file)) => writeln!(script, "path {}", hex(&path(&pins().join(file)))).unwrap(),
        (_, Value::String(text)) => writeln!(script, "{key} {}", hex(text.as_bytes())).unwrap(),
        (_, Value::Boolean(flag)) => writeln!(script, "{key} {}", u8::from(*flag)).unwrap(),
        ("stop" | "names", Value::Array(texts)) => {
            for text in texts {
                writeln!(script, "{key} {}", hex(text.as_str().unwrap().as_bytes())).unwrap();
            }
        }
        ("causes", Value::Array(words)) => {
            let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
            writeln!(script, "causes {}", words.join(",")).unwrap();
        }
        ("messages", Value::Array(messages)) => {
            for message in messages {
                let (role, text) = (message[0].as_str().unwrap(), message[1].as_str().unwrap());
                writeln!(script, "chat {role} {}", hex(text.as_bytes())).unwrap();
            }
        }
        (_, Value::Array(numbers)) => writeln!(script, "{key} {}", list(numbers)).unwrap(),
        _ => writeln!(script, "{key} {value}").unwrap(),
    }
}

fn model(model: &Table, shared: &Path, script: &mut String) {
    for (key, value) in model {
        match (key.as_str(), value) {
            ("shared", Value::String(file)) => {
                let path = shared.join(file);
                let line = if path.exists() {
                    format!("file {}", hex(path.to_str().unwrap().as_bytes()))
                } else {
                    "absent 1".into()
                };
                writeln!(script, "{line}").unwrap();
            }
            ("bytes", Value::Array(bytes)) => {
                let bytes: Vec<u8> = bytes.iter().map(|byte| byte.as_integer().unwrap() as u8).collect();
                writeln!(script, "bytes {}", hex(&bytes)).unwrap();
            }
            _ => field(key, value, script),
        }
    }
}

/// The folder of the lock files.
fn pins() -> PathBuf {
    root().join("core/vectors/pins")
}

fn path(path: &Path) -> Vec<u8> {
    path.to_str().unwrap().as_bytes().to_owned()
}

fn lock(lock: &Table, script: &mut String) {
    writeln!(script, "lock 1").unwrap();
    for (key, value) in lock {
        match (key.as_str(), value) {
            ("file" | "find", Value::String(file)) => {
                writeln!(script, "lock_{key} {}", hex(&path(&pins().join(file)))).unwrap();
            }
            ("bytes_of", Value::String(file)) => {
                let bytes = fs::read(pins().join(file)).unwrap();
                writeln!(script, "lock_bytes {}", hex(&path(&pins().join("embedded.lock")))).unwrap();
                writeln!(script, "bytes {}", hex(&bytes)).unwrap();
            }
            _ => field(key, value, script),
        }
    }
}

fn script(cases: &Table, shared: &Path) -> String {
    let mut script = String::new();
    for case in cases["case"].as_array().unwrap() {
        writeln!(script, "case {}", hex(case["name"].as_str().unwrap().as_bytes())).unwrap();
        match case.get("lock") {
            Some(file) => lock(file.as_table().unwrap(), &mut script),
            None => model(case["model"].as_table().unwrap(), shared, &mut script),
        }
        for step in case.get("steps").and_then(Value::as_array).into_iter().flatten() {
            writeln!(script, "step {}", step["do"].as_str().unwrap()).unwrap();
            for (key, value) in step.as_table().unwrap().iter().filter(|(key, _)| *key != "do") {
                field(key, value, &mut script);
            }
        }
    }
    script
}

#[test]
fn the_shared_cases_pass_in_c() {
    let root = root();
    let shared =
        std::env::var_os("PINFOLD_SHARED_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let cases: Table = fs::read_to_string(root.join("core/vectors/api.toml")).unwrap().parse().unwrap();
    let results = root.join("target/cases");
    fs::create_dir_all(&results).unwrap();
    // It stays there: ffi/tests/sanitize runs it again.
    let lines = results.join("c.script");
    fs::write(&lines, script(&cases, &shared)).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("cases");
    run(&mut build(&["cases.c", "script.c", "steps.c", "generate.c", "pins.c"], &program));
    let result = results.join("c.tsv");
    let mut command = Command::new(&program);
    print!("{}", run(command.arg(&lines).arg(&result).arg(folder.path().join("session"))));
    let written = fs::read_to_string(result).unwrap();
    assert_eq!(written.lines().count(), cases["case"].as_array().unwrap().len(), "a line for each case");
}
