//! What leaves the shared library: `pinfold_*`, what UniFFI needs, and nothing of llama.cpp's.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod c_support;

use std::fs;
use std::process::Command;

use c_support::{ffi, present, run, shared_library};

/// The functions and objects that a library exports.
fn exported() -> Vec<String> {
    let symbols = run(Command::new("nm").args(["-D", "--defined-only"]).arg(shared_library()));
    let mut names: Vec<String> =
        symbols.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_exported_symbols_are_the_ones_of_the_list() {
    if !present("nm", "the exported symbols") {
        return;
    }
    let uniffi = ["uniffi_", "ffi_pinfold_", "UNIFFI_META_"];
    let (of_uniffi, ours): (Vec<_>, Vec<_>) =
        exported().into_iter().partition(|name| uniffi.iter().any(|prefix| name.starts_with(prefix)));
    let foreign: Vec<_> = ours.iter().filter(|name| !name.starts_with("pinfold_")).collect();
    assert!(foreign.is_empty(), "leave the library: {foreign:?}");
    let list = ours.join("\n") + "\n";
    let path = ffi("symbols.txt");
    if std::env::var_os("PINFOLD_UPDATE").is_some() {
        fs::write(&path, &list).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(list == committed, "ffi/symbols.txt is stale: PINFOLD_UPDATE=1 make test-c writes it");
    let header = fs::read_to_string(ffi("include/pinfold.h")).unwrap();
    let unknown: Vec<_> = ours.iter().filter(|name| !header.contains(&format!("{name}("))).collect();
    assert!(unknown.is_empty(), "not in the header: {unknown:?}");
    println!("{} symbols of C, {} of UniFFI, no other", ours.len(), of_uniffi.len());
}

/// A host app with llama.cpp's symbols of its own: neither calls the other's. The host's abort, and are exported, so
/// that the dynamic linker would prefer them if it had the choice.
#[test]
#[cfg(feature = "llama")]
fn a_host_with_its_own_llama_cpp_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("host");
    run(c_support::build(&["host.c"], &program).args(["-rdynamic", "-Wl,--export-dynamic"]));
    let exports = run(Command::new("nm").args(["-D", "--defined-only"]).arg(&program));
    assert!(exports.contains(" llama_backend_init") && exports.contains(" ggml_init"), "{exports}");
    print!("{}", run(&mut Command::new(&program)));
}
