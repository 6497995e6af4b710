//! Writes the generated part of the bindings, one folder per language, from the metadata that UniFFI put into the
//! library. The result is committed, and `--check` fails where it is stale.
//!
//!     cargo build --release --workspace && target/release/pinfold-bindings [--check] [LIBRARY]

use std::error::Error;
use std::fs;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use uniffi_bindgen::bindings::{GenerateOptions, SwiftBindingsOptions, TargetLanguage};

/// Where the generated code of a language lives, from the root of the repository.
const PYTHON: &str = "bindings/python/src/pinfold/generated";
const KOTLIN: &str = "bindings/kotlin/generated";
const SWIFT: &str = "bindings/swift/Sources/Pinfold/generated";
const SWIFT_HEADERS: &str = "bindings/swift/Sources/PinfoldFFI/generated";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let check = arguments.iter().position(|argument| argument == "--check");
    if let Some(index) = check {
        arguments.remove(index);
    }
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize_utf8()?;
    let library = arguments.first().map_or_else(|| default_library(&root), |path| Ok(path.into()))?;
    let scratch = root.join("target/bindings");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    generate(&library, &scratch)?;
    let mut stale = Vec::new();
    for folder in [PYTHON, KOTLIN, SWIFT, SWIFT_HEADERS] {
        publish(&scratch.join(folder), &root.join(folder), check.is_some(), &mut stale)?;
    }
    if !stale.is_empty() {
        return Err(format!("stale, run `make bindings` and commit: {}", stale.join(", ")).into());
    }
    Ok(())
}

/// The library that `cargo build --release` made, beside this program.
fn default_library(root: &Utf8Path) -> Result<Utf8PathBuf, Box<dyn Error>> {
    let name = format!("{}pinfold_ffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let program =
        Utf8PathBuf::from_path_buf(std::env::current_exe()?).map_err(|_| "a path that is not UTF-8")?;
    let beside = program.parent().unwrap_or(root).join(&name);
    if beside.exists() {
        return Ok(beside);
    }
    Err(format!("no {name} beside {program}: build the workspace first, or name the library").into())
}

fn generate(library: &Utf8Path, out: &Utf8Path) -> Result<(), Box<dyn Error>> {
    for (language, folder) in [(TargetLanguage::Python, PYTHON), (TargetLanguage::Kotlin, KOTLIN)] {
        uniffi_bindgen::bindings::generate(GenerateOptions {
            languages: vec![language],
            source: library.to_owned(),
            out_dir: out.join(folder),
            ..GenerateOptions::default()
        })?;
    }
    complete_renames(&out.join(KOTLIN).join("pinfold/pinfold.kt"))?;
    let swift = |sources, folder: &str| SwiftBindingsOptions {
        generate_swift_sources: sources,
        generate_headers: !sources,
        generate_modulemap: !sources,
        source: library.to_owned(),
        out_dir: out.join(folder),
        xcframework: false,
        module_name: Some("PinfoldFFI".into()),
        modulemap_filename: Some("module.modulemap".into()),
        metadata_no_deps: false,
        link_frameworks: Vec::new(),
        config: None,
    };
    uniffi_bindgen::bindings::generate_swift_bindings(swift(true, SWIFT))?;
    uniffi_bindgen::bindings::generate_swift_bindings(swift(false, SWIFT_HEADERS))?;
    Ok(())
}

/// UniFFI 0.32.2 renames a class (ffi/uniffi.toml) everywhere but in the constructors that give it; these have such.
fn complete_renames(kotlin: &Utf8Path) -> Result<(), Box<dyn Error>> {
    let mut text = fs::read_to_string(kotlin)?;
    for class in ["LockFile", "Model", "Store"] {
        text = text.replace(&format!(": {class} {{"), &format!(": Native{class} {{"));
        text = text.replace(&format!("FfiConverterType{class}."), &format!("FfiConverterTypeNative{class}."));
    }
    fs::write(kotlin, text)?;
    Ok(())
}

/// Copies what differs to its place, or only names it. Files that are generated no more go.
fn publish(
    from: &Utf8Path,
    to: &Utf8Path,
    check: bool,
    stale: &mut Vec<String>,
) -> Result<(), Box<dyn Error>> {
    let (fresh, old) = (files(from)?, files(to)?);
    for file in &fresh {
        let bytes = tidy(&fs::read(from.join(file))?);
        if fs::read(to.join(file)).is_ok_and(|old| old == bytes) {
            continue;
        }
        if check {
            stale.push(to.join(file).to_string());
        } else {
            let path = to.join(file);
            fs::create_dir_all(path.parent().unwrap_or(to))?;
            fs::write(path, bytes)?;
        }
    }
    for file in old.iter().filter(|file| !fresh.contains(file)) {
        if check {
            stale.push(to.join(file).to_string());
        } else {
            fs::remove_file(to.join(file))?;
        }
    }
    Ok(())
}

/// Without white space at the ends of lines, which reviewers' tools complain of.
fn tidy(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>();
    (lines.join("\n").trim_end().to_owned() + "\n").into_bytes()
}

/// The files under `folder`, relative to it; none if it does not exist. Python's own cache does not count, nor
/// does what marks a folder as a package.
fn files(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Box<dyn Error>> {
    fn walk(folder: &Path, found: &mut Vec<Utf8PathBuf>) -> Result<(), Box<dyn Error>> {
        for entry in fs::read_dir(folder)? {
            let path = Utf8PathBuf::from_path_buf(entry?.path()).map_err(|_| "a path that is not UTF-8")?;
            if path.is_dir() {
                if path.file_name() != Some("__pycache__") {
                    walk(path.as_std_path(), found)?;
                }
            } else if path.file_name() != Some("__init__.py") {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    if folder.exists() {
        walk(folder.as_std_path(), &mut found)?;
    }
    let relative = found.iter().map(|path| path.strip_prefix(folder).map(Utf8Path::to_owned));
    Ok(relative.collect::<Result<_, _>>()?)
}
