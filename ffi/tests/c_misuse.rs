//! Misuse from C has defined results, and a client of the first header works for ever.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod c_support;

use std::fs;
use std::process::Command;

use c_support::{build, ffi, run};

#[test]
fn misuse_has_defined_results() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("misuse");
    run(&mut build(&["misuse.c", "null.c", "values.c", "order.c", "threads.c", "pin_misuse.c"], &program));
    print!("{}", run(Command::new(&program).arg(folder.path())));
}

/// NULL is given to every function that takes a pointer: a new function is found missing here.
#[test]
fn every_function_is_misused() {
    let sources: String = ["misuse.c", "null.c", "pin_misuse.c"]
        .iter()
        .map(|file| fs::read_to_string(ffi("tests/c").join(file)).unwrap())
        .collect();
    let symbols = fs::read_to_string(ffi("symbols.txt")).unwrap();
    let missing: Vec<_> = symbols.lines().filter(|name| !sources.contains(&format!("{name}("))).collect();
    assert!(missing.is_empty(), "never misused: {missing:?}");
}

#[test]
fn a_client_of_the_first_header_works() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("frozen");
    run(build(&["frozen.c"], &program).arg("-I").arg(ffi("include/frozen")));
    print!("{}", run(&mut Command::new(&program)));
}
