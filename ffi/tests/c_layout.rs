//! bindgen reads the committed header; rustc compares what it read with `pinfold_ffi::c`: every size, alignment,
//! offset, constant and signature.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod c_support;

use std::fmt::Write;
use std::process::Command;

use c_support::{ffi, libraries, run};

fn read(header: &str, builder: impl FnOnce(bindgen::Builder) -> bindgen::Builder) -> String {
    let plain = bindgen::Builder::default().header(ffi(header).to_str().unwrap());
    let plain = plain.allowlist_item("(pinfold|PINFOLD)_.*").formatter(bindgen::Formatter::None);
    let text = builder(plain).generate().unwrap().to_string();
    // One item a line, whatever spaces the generator leaves.
    text.replace(" ;", ";").replace("} ", "}\n").replace("; ", ";\n")
}

/// What rustc has to agree to, and how many things that are.
struct Comparison {
    source: String,
    layouts: usize,
    constants: usize,
    signatures: usize,
}

fn comparison(header: &str) -> Comparison {
    let mut source = String::from("#![allow(warnings)]\nuse pinfold_ffi::c::*;\n");
    let (mut layouts, mut constants, mut signatures) = (0, 0, 0);

    // The sizes and offsets that bindgen computed for C are asserted of our types.
    for line in read(header, |builder| builder.layout_tests(true)).lines() {
        let line = line.trim();
        if line.starts_with("[\"") && line.contains("pinfold_") {
            writeln!(source, "const _: () = {{ {line} }};").unwrap();
            layouts += 1;
        }
        if let Some(constant) = line.strip_prefix("pub const PINFOLD_") {
            let (name, rest) = constant.split_once(':').unwrap();
            let value = rest.split_once('=').unwrap().1.trim().trim_end_matches(';');
            let name = format!("PINFOLD_{}", name.trim());
            writeln!(source, "const _: () = assert!({name} as i128 == {value});").unwrap();
            constants += 1;
        }
    }

    // The signatures name our types, and our functions must have just those.
    let ours = read(header, |builder| builder.blocklist_type("pinfold_.*").layout_tests(false));
    for line in ours.lines().map(str::trim).filter(|line| line.contains("pub fn pinfold_")) {
        let (_, function) = line.split_once("pub fn ").unwrap();
        let (name, signature) = function.trim_end_matches(';').split_once('(').unwrap();
        let name = name.trim();
        // A safe function coerces to an unsafe one, so those without pointers fit as well.
        let kind = "unsafe";
        writeln!(source, "const _: {kind} extern \"C\" fn({signature} = {name};").unwrap();
        signatures += 1;
    }
    Comparison { source, layouts, constants, signatures }
}

fn check(header: &str) -> Comparison {
    let found = comparison(header);
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("agree.rs");
    std::fs::write(&source, &found.source).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let mut command = Command::new(rustc);
    command
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata"])
        .arg("--out-dir")
        .arg(folder.path());
    command.arg("--extern").arg(format!("pinfold_ffi={}", libraries().join("libpinfold_ffi.rlib").display()));
    run(command.arg("-L").arg(format!("dependency={}", libraries().display())).arg(&source));
    found
}

#[test]
fn the_header_and_the_library_agree() {
    let found = check("include/pinfold.h");
    let Comparison { layouts, constants, signatures, .. } = &found;
    println!("{layouts} sizes, alignments and offsets, {constants} constants, {signatures} signatures agree");
    let header = std::fs::read_to_string(ffi("include/pinfold.h")).unwrap();
    let functions = header
        .lines()
        .filter(|line| !line.starts_with(' ') && line.contains(" pinfold_") || line.contains("*pinfold_"));
    let functions =
        functions.filter(|line| line.contains('(') && !line.starts_with("typedef") && !line.starts_with(' '));
    assert_eq!(*signatures, functions.count(), "every function was compared");
    assert_eq!(*constants, header.matches("\n#define PINFOLD_").count() - 1, "every constant was compared");
    // A struct has a size, an alignment, and an offset for each field.
    let structs = header.matches("\ntypedef struct pinfold_").count() - handles(&header);
    assert!(*layouts >= 4 * structs, "{layouts} checks for {structs} structs");
}

/// The number of types whose content the header does not tell.
fn handles(header: &str) -> usize {
    header.lines().filter(|line| line.starts_with("typedef struct pinfold_") && line.ends_with(';')).count()
}

/// Fields are added at the end, where no padding was: else an older program's padding would be read as a field.
#[test]
fn no_struct_that_may_grow_ends_in_padding() {
    use pinfold_ffi::c;
    macro_rules! check {
        ($($name:ident: $last:ident as $kind:ty),+ $(,)?) => {$(
            let end = std::mem::offset_of!(c::$name, $last) + size_of::<$kind>();
            assert_eq!(end, size_of::<c::$name>(), stringify!($name));
        )+};
    }
    check! {
        pinfold_model_options: reserved as u32,
        pinfold_session_options: slide_keep as i64,
        pinfold_generate_options: reserved as u32,
        pinfold_device: reserved as u32,
        pinfold_checkpoint: vocabulary as u32,
        pinfold_embedded_checkpoint: bytes as u64,
        pinfold_model_facts: vocabulary_size as u32,
        pinfold_finish: generation_seconds as f64,
        pinfold_store_options: quota as i64,
        pinfold_store_entry: used as i64,
        pinfold_pinned_checkpoint: is_signed as u32,
        pinfold_pinned_adapter: reserved as u32,
        pinfold_pinned_golden: llama_cpp as c::pinfold_string,
        pinfold_pull_options: reserved as u32,
        pinfold_verify_options: reserved as u32,
        pinfold_file_report: reserved as u32,
        pinfold_golden_report: reserved as u32,
    }
}

/// A client that was built with the first header has these layouts in its bytes, for ever: a struct may grow, but what
/// it had stays where it was.
#[test]
fn the_frozen_header_still_agrees() {
    let found = comparison("include/frozen/pinfold-0.1.h");
    let now = comparison("include/pinfold.h");
    let lost: Vec<&str> = found
        .source
        .lines()
        .filter(|line| !line.contains("\"Size of") && !now.source.lines().any(|other| other == *line))
        .collect();
    assert!(lost.is_empty(), "changed since 0.1:\n{}", lost.join("\n"));
}
