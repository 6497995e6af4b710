//! What the tests of the C ABI share: the compilers, the library, and the running of programs.
#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A path under `ffi`.
pub fn ffi(path: &str) -> PathBuf {
    root().join("ffi").join(path)
}

/// Where cargo put the libraries of this very build: beside the test.
pub fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// The shared library of this build.
pub fn shared_library() -> PathBuf {
    let name = format!("{}pinfold_ffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = libraries().join(name);
    assert!(path.exists(), "{} is not built", path.display());
    path
}

/// Whether a program is there; says so if a test has to do without.
pub fn present(program: &str, what_is_lost: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: {what_is_lost}: no {program} here");
    }
    found
}

/// The C compilers that are there, each with the C++ compiler of its family.
pub fn compilers() -> Vec<(&'static str, &'static str)> {
    let known = [("gcc", "g++"), ("clang", "clang++")];
    let found: Vec<_> =
        known.into_iter().filter(|(c, _)| present(c, &format!("the header with {c}"))).collect();
    assert!(!found.is_empty(), "no C compiler: neither gcc nor clang");
    found
}

/// The C compiler that tests of behaviour use.
pub fn compiler() -> &'static str {
    compilers()[0].0
}

/// Runs a command, and fails with what it said if it fails.
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{stdout}\n{stderr}");
    eprint!("{stderr}");
    stdout.into_owned()
}

/// The flags that all C of ours is built with.
pub const STRICT: &[&str] = &["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// A command that builds `sources` (under `ffi/tests/c`, unless they are absolute) into `program` against this build's
/// shared library.
pub fn build(sources: &[&str], program: &Path) -> Command {
    let mut command = Command::new(compiler());
    command.args(["-std=c11", "-O1", "-g"]).args(STRICT).arg("-I").arg(ffi("include"));
    command.args(sources.iter().map(|source| ffi("tests/c").join(source)));
    command.arg("-o").arg(program).arg(shared_library()).arg("-pthread");
    command.arg(format!("-Wl,-rpath,{}", libraries().display()));
    command
}
