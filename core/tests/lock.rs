//! Lock files: what is one, by `core/vectors/lock.toml`; that the JSON Schema says the same; hostile bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/lock.rs"]
mod invariants;

use std::path::Path;
use std::sync::LazyLock;

use pinfold::lock::MAX_BYTES;
use pinfold::{Error, LockFile};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    base: String,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    text: Option<String>,
    find: Option<String>,
    put: Option<String>,
    same_as: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    reason: Option<String>,
    schema: Option<bool>,
}

static VECTORS: LazyLock<Vectors> =
    LazyLock::new(|| toml::from_str(include_str!("../vectors/lock.toml")).unwrap());

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = include_str!("../../docs/guide/pinfold.lock.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
});

impl Case {
    fn text(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let (find, put) = (self.find.as_ref().unwrap(), self.put.as_ref().unwrap());
        assert_eq!(
            VECTORS.base.matches(find.as_str()).count(),
            1,
            "{}: {find:?} is not there once",
            self.name
        );
        VECTORS.base.replace(find.as_str(), put)
    }
}

fn read(text: impl Into<Vec<u8>>) -> Result<LockFile, Error> {
    LockFile::from_bytes("app/pinfold.lock", text)
}

#[test]
fn every_case_is_read_as_it_says() {
    let mut faults = Vec::new();
    for case in &VECTORS.case {
        let (name, text) = (&case.name, case.text());
        match (&case.reason, read(text)) {
            (None, Ok(file)) => {
                let same = read(case.same_as.as_ref().unwrap_or(&VECTORS.base).as_str()).unwrap();
                if file.lock() != same.lock() {
                    faults.push(format!("{name}: {:#?}\nis not {:#?}", file.lock(), same.lock()));
                }
            }
            (Some(wanted), Err(Error::BadLock { path, line, column, reason })) => {
                let place = (case.line.unwrap(), case.column.unwrap());
                if (line, column) != place || !reason.contains(wanted.as_str()) {
                    faults.push(format!("{name}: {line}:{column}: {reason:?}, not {place:?}: {wanted:?}"));
                }
                assert!(reason.len() < 500, "{name}: {reason}");
                assert_eq!(path, Path::new("app/pinfold.lock"));
            }
            (_, other) => faults.push(format!("{name}: {:?}", other.map(|file| file.lock().clone()))),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(VECTORS.case.len() > 80, "cases are missing");
}

/// The schema refuses what a schema can, and accepts all that is valid.
#[test]
fn the_schema_says_the_same() {
    let mut faults = Vec::new();
    let (mut valid, mut invalid) = (0, 0);
    for case in &VECTORS.case {
        let text = case.text();
        let Ok(table) = toml::from_str::<toml::Table>(text.trim_start_matches('\u{feff}')) else { continue };
        let says = SCHEMA.is_valid(&serde_json::to_value(table).unwrap());
        let wanted = case.schema.unwrap_or(case.reason.is_none());
        if says != wanted {
            faults.push(format!("{}: the schema says {says}", case.name));
        }
        *(if wanted { &mut valid } else { &mut invalid }) += 1;
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(valid > 20 && invalid > 40, "{valid} valid, {invalid} not");
}

#[test]
fn the_guide_shows_what_is_read() {
    let guide = include_str!("../../docs/guide/lock-file.md");
    let blocks: Vec<&str> =
        guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [whole, minisig] = blocks[..] else { panic!("{} examples", blocks.len()) };
    let lock = read(whole).unwrap();
    assert_eq!(lock.lock().checkpoints.len() + lock.lock().adapters.len() + lock.lock().goldens.len(), 3);
    let table: toml::Table = toml::from_str(whole).unwrap();
    assert!(SCHEMA.is_valid(&serde_json::to_value(table).unwrap()));
    let signed = whole.replacen("licence = \"MIT\"\n", &format!("licence = \"MIT\"\n{minisig}"), 1);
    let lock = read(signed).unwrap();
    assert!(lock.lock().adapters["style"].file.minisig.as_ref().unwrap().lines().count() == 4);
}

/// What is read can be edited, and comes back.
#[test]
fn every_case_survives_edits() {
    for case in &VECTORS.case {
        invariants::check(case.text().as_bytes());
    }
}

fn refusal(bytes: impl Into<Vec<u8>>) -> (usize, usize, String) {
    match read(bytes) {
        Err(Error::BadLock { line, column, reason, .. }) => (line, column, reason),
        other => panic!("{:?}", other.map(|file| file.lock().clone())),
    }
}

#[test]
fn bytes_that_are_no_text_have_a_place_too() {
    let (line, column, reason) = refusal(b"version = 1\n# \xc3\xb6\xff\n".to_vec());
    assert_eq!((line, column), (2, 4), "{reason}");
    assert!(reason.contains("UTF-8"), "{reason}");
    // UTF-16, as some editors save.
    let wide: Vec<u8> = "\u{feff}version = 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(refusal(wide).0, 1);
    assert_eq!(refusal(vec![0; 100]).0, 1);
}

#[test]
fn nothing_takes_memory_or_time_out_of_proportion() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pinfold.lock");
    std::fs::File::create(&path).unwrap().set_len(10 << 30).unwrap();
    let Err(Error::BadLock { reason, .. }) = LockFile::open(&path) else { panic!("was read") };
    assert!(reason.contains(&format!("more than {MAX_BYTES} bytes")), "{reason}");

    for pattern in ["[", "a=", "[a]\n", "\"", "\r", "[[a]]\n", "{", "a.", "'''", "a=[1,", "\u{feff}"] {
        let (_, _, reason) = refusal(format!("version = 1\n{}", pattern.repeat((1 << 18) / pattern.len())));
        assert!(reason.len() < 500, "{pattern:?}: {reason}");
    }
}

#[test]
fn what_is_no_file_is_an_error_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("none")] {
        assert!(matches!(LockFile::open(&path), Err(Error::Io { .. })), "{path:?}");
    }
    assert!(
        matches!(LockFile::open_or_new(folder.path()), Err(Error::Io { .. })),
        "a folder is not a new file"
    );
}

#[test]
fn the_nearest_lock_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("app/src/deep");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::create_dir(folder.path().join("app/src/pinfold.lock")).unwrap();
    let outer = folder.path().join("pinfold.lock");
    std::fs::write(&outer, "version = 1\n").unwrap();
    assert_eq!(LockFile::find(&inner), Some(outer), "a folder of that name is none");
    let nearer = folder.path().join("app/pinfold.lock");
    std::fs::write(&nearer, "version = 1\n").unwrap();
    assert_eq!(LockFile::find(&inner), Some(nearer));
}
