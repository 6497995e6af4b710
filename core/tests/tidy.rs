//! The rules of the house that no compiler checks: who may name whom, where `unsafe` may stand, and how
//! long a file may be. See docs/architecture.md.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file at most.
const LINES: usize = 500;

/// Folders in which `unsafe` may stand.
const UNSAFE: &[&str] =
    &["core/src/engine/llama/", "kernels/src/", "bindings/cpp/src/bridge.rs", "ffi/src/c/"];

/// Folders that may name llama.cpp's crates.
const LLAMA: &[&str] = &["core/src/engine/llama/", "kernels/"];

/// A room of core, and the rooms that it must not import.
const IMPORTS: &[(&str, &[&str])] = &[
    ("core/src/engine/", &["runtime", "prompt", "sampler", "model"]),
    ("core/src/checkpoint/", &["engine", "runtime", "prompt", "sampler", "model"]),
    ("core/src/sampler/", &["engine", "runtime", "prompt", "checkpoint", "model"]),
    ("core/src/prompt/", &["engine::llama", "runtime", "model", "checkpoint"]),
    ("core/src/runtime/", &["engine::llama::", "prompt"]),
    ("core/src/lock/", &["engine", "runtime", "model", "pull", "verify"]),
    ("core/src/store/", &["engine", "runtime", "model", "prompt", "sampler", "pull", "verify"]),
    ("core/src/pull/", &["engine", "runtime", "model", "prompt", "sampler", "verify"]),
    ("core/src/verify/", &["engine::llama::", "pull"]),
    ("core/src/vocabulary.rs", &["engine", "runtime", "prompt", "sampler", "checkpoint", "model"]),
];

struct File {
    /// From the root of the repository, with `/`.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources of ours: no build folders, nothing hidden, nothing generated.
fn sources(extensions: &[&str]) -> Vec<File> {
    fn walk(folder: &Path, root: &Path, extensions: &[&str], found: &mut Vec<File>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if name.starts_with('.') || ["target", "generated", "include", "corpus"].contains(&name.as_str())
            {
                continue;
            }
            if path.is_dir() {
                walk(&path, root, extensions, found);
            } else if path.extension().is_some_and(|e| extensions.iter().any(|&wanted| e == wanted)) {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &root(), extensions, &mut found);
    assert!(found.len() > 10, "the sources were not found");
    found
}

/// The lines of a file that are code, with their numbers.
fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_are_short() {
    let long = |file: &File| {
        let lines = file.text.lines().count();
        (lines > LINES).then(|| format!("{}: {lines} lines, of {LINES}: split the room", file.path))
    };
    report(
        &sources(&["rs", "py", "swift", "kt", "c", "h", "hpp", "cpp"])
            .iter()
            .filter_map(long)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn unsafe_stands_only_where_it_may() {
    let mut faults = Vec::new();
    for file in sources(&["rs"]) {
        if UNSAFE.iter().any(|folder| file.path.starts_with(folder)) || file.path.ends_with("tests/tidy.rs") {
            continue;
        }
        for (number, line) in code(&file) {
            let unsafe_code = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "allow(unsafe_code"];
            if unsafe_code.iter().any(|pattern| line.contains(pattern)) {
                faults.push(format!("{}:{number}: unsafe outside of {UNSAFE:?}", file.path));
            }
        }
    }
    report(&faults);
}

#[test]
fn llama_cpp_is_named_in_one_room() {
    let mut faults = Vec::new();
    for file in sources(&["rs"]) {
        if LLAMA.iter().any(|folder| file.path.starts_with(folder)) || file.path.ends_with("tests/tidy.rs") {
            continue;
        }
        let names = |line: &str| ["llama_cpp_2", "llama_cpp_sys_2"].iter().any(|name| line.contains(name));
        for (number, line) in code(&file).filter(|(_, line)| names(line)) {
            faults.push(format!("{}:{number}: names llama.cpp: {}", file.path, line.trim()));
        }
    }
    report(&faults);
}

#[test]
fn rooms_import_only_what_they_may() {
    let mut faults = Vec::new();
    for file in sources(&["rs"]) {
        for (room, forbidden) in IMPORTS.iter().filter(|(room, _)| file.path.starts_with(room)) {
            for (number, line) in code(&file) {
                let named = forbidden.iter().find(|name| imports(line, name));
                if let Some(name) = named
                    && !(*room == "core/src/runtime/" && line.contains("revision"))
                {
                    faults.push(format!("{}:{number}: {room} must not import {name}", file.path));
                }
            }
        }
    }
    report(&faults);
}

/// `ffi/src/c` stands on the foreign API, so that C has no behaviour of its own.
#[test]
fn the_c_abi_is_a_client_of_the_api() {
    let mut faults = Vec::new();
    for file in sources(&["rs"]).iter().filter(|file| file.path.starts_with("ffi/src/c/")) {
        for (number, line) in code(file) {
            let core = ["use pinfold::", " pinfold::", "(pinfold::", "<pinfold::", "pinfold_checkpoints"];
            let named = core.iter().any(|name| line.contains(name)) && !line.contains("\"");
            let other = line.contains("crate::") && !line.contains("crate::api");
            if named || other {
                faults.push(format!("{}:{number}: names more than crate::api: {}", file.path, line.trim()));
            }
        }
    }
    report(&faults);
}

/// Whether a line names the room `crate::name`, and not merely one that begins like it.
fn imports(line: &str, name: &str) -> bool {
    let path = format!("crate::{name}");
    line.match_indices(&path).any(|(start, _)| {
        let next = line[start + path.len()..].chars().next();
        path.ends_with("::") || !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn every_crate_of_the_workspace_takes_its_lints_and_versions_from_it() {
    let mut faults = Vec::new();
    for file in sources(&["toml"]).iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        if file.path.contains("fuzz/") {
            continue;
        }
        if !file.text.contains("[lints") {
            faults.push(format!("{}: no lints", file.path));
        }
        let pinned_here = file.text.lines().filter(|line| line.contains("version = \""));
        faults.extend(pinned_here.map(|line| format!("{}: a version of its own: {line}", file.path)));
    }
    report(&faults);
}

#[test]
fn the_map_names_every_room() {
    let map = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rooms = sources(&["rs"]).into_iter().filter_map(|file| {
        let room = file.path.strip_prefix("core/src/")?;
        Some(room.split('/').next()?.to_owned())
    });
    let missing: std::collections::BTreeSet<String> =
        rooms.filter(|room| !map.contains(&format!("`{room}"))).collect();
    assert!(missing.is_empty(), "docs/architecture.md does not name {missing:?}");
}
