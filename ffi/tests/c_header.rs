//! The committed header is what cbindgen makes of `ffi/src/c`, compiles everywhere, and its program runs.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod c_support;

use std::fs;
use std::process::Command;

use c_support::{STRICT, compilers, ffi, present, run};

/// In the order in which a reader wants them.
const FILES: &[&str] = &[
    "status",
    "error",
    "machine",
    "log",
    "text",
    "tokens",
    "cancel",
    "options",
    "checkpoint",
    "model",
    "session",
    "stream",
    "chunk",
    "store",
    "entries",
    "lock_file",
    "pins",
    "pull",
    "verify",
];

fn generate() -> String {
    let config = cbindgen::Config::from_file(ffi("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(ffi(&format!("src/c/{file}.rs")));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    let header = String::from_utf8(header).unwrap();
    header.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_header_is_what_the_sources_say() {
    let path = ffi("include/pinfold.h");
    let header = generate();
    if std::env::var_os("PINFOLD_UPDATE").is_some() {
        fs::write(&path, &header).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(header == committed, "ffi/include/pinfold.h is stale: PINFOLD_UPDATE=1 make test-c writes it");
}

#[test]
fn every_file_of_an_object_is_in_the_header() {
    let helpers = ["mod", "boundary", "sized", "tests"];
    for entry in fs::read_dir(ffi("src/c")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap().replace(".rs", "");
        assert!(helpers.contains(&name.as_str()) || FILES.contains(&name.as_str()), "{name} is in no header");
    }
}

#[test]
fn the_header_compiles_in_every_language() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("all.c");
    fs::write(&source, "#include <pinfold.h>\n#include <pinfold.h>\nint main(void) { return PINFOLD_OK; }\n")
        .unwrap();
    let mut count = 0;
    for (c, cpp) in compilers() {
        let c23 = if accepts(c, "c23") { "c23" } else { "c2x" };
        for (compiler, language, standard) in [(c, "c", "c11"), (c, "c", c23), (cpp, "c++", "c++17")] {
            if !present(compiler, &format!("the header as {standard}")) {
                continue;
            }
            let mut command = Command::new(compiler);
            command.args(["-x", language, &format!("-std={standard}"), "-fsyntax-only"]).args(STRICT);
            run(command.arg("-I").arg(ffi("include")).arg(&source));
            count += 1;
        }
    }
    println!("the header compiled {count} times");
}

fn accepts(compiler: &str, standard: &str) -> bool {
    let mut command = Command::new(compiler);
    command.args(["-x", "c", &format!("-std={standard}"), "-fsyntax-only", "/dev/null"]);
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
#[cfg(feature = "llama")]
fn the_program_of_the_first_page_runs() {
    let header = fs::read_to_string(ffi("include/pinfold.h")).unwrap();
    let lines = header.lines().skip_while(|line| !line.contains("#include <pinfold.h>"));
    let program: Vec<&str> = lines
        .take_while(|line| !line.contains("pkg-config"))
        .map(|line| line.trim_start_matches(" *"))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("first_page.c");
    fs::write(&source, program.join("\n")).unwrap();
    let binary = folder.path().join("first_page");
    run(&mut c_support::build(&[source.to_str().unwrap()], &binary));
    let answer = run(&mut Command::new(&binary));
    assert_eq!(answer.trim(), r#"{"intent":"PlayMusic","genre":"jazz","artist":"miles davis"}"#);
}
