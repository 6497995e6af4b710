//! `ffi/install` gives a folder from which the example builds by pkg-config and by CMake, shared and static, beside a
//! llama.cpp of the host's own.
#![cfg(all(target_os = "linux", feature = "llama"))]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod c_support;

use std::path::Path;
use std::process::Command;

use c_support::{STRICT, compiler, ffi, libraries, present, root, run};

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Runs the example and looks at what it says.
fn check_example(program: &Path, library: &Path) {
    let mut command = Command::new(program);
    let said = run(command.arg("play some jazz by miles davis").env("LD_LIBRARY_PATH", library));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with(r#"{"intent":"PlayMusic""#), "{said}");
    assert!(lines[1].starts_with("end of generation after "), "{said}");
    assert_eq!(lines[2], "cancelled");
    assert!(lines[3].starts_with("error io: no-such-checkpoint.gguf: "), "{said}");
}

#[test]
fn the_example_builds_from_what_was_installed() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("a prefix");
    print!("{}", run(Command::new("sh").arg(ffi("install")).arg(&prefix).arg(libraries())));
    let library = prefix.join("lib");
    let example = root().join("examples/c");

    let exported = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library.join("libpinfold.so")));
    let hidden = run(Command::new("nm").args(["-g", "--defined-only"]).arg(library.join("libpinfold.a")));
    for line in exported.lines().chain(hidden.lines()).filter(|line| line.len() > 20) {
        assert!(line.rsplit(' ').next().unwrap().starts_with("pinfold_"), "leaves the library: {line}");
    }
    let dynamic = run(Command::new("objdump").arg("-p").arg(library.join("libpinfold.so")));
    assert!(dynamic.contains("libpinfold.so.1"), "{dynamic}");
    let size = std::fs::metadata(library.join("libpinfold.so")).unwrap().len();
    println!("the stripped shared library has {:.1} MB", size as f64 / 1e6);

    if present("pkg-config", "the example by pkg-config") {
        // A prefix without a space: pkg-config escapes it, and only a shell would read that.
        let plain = folder.path().join("plain");
        std::os::unix::fs::symlink(&prefix, &plain).unwrap();
        let mut command = Command::new("pkg-config");
        let flags = run(command
            .args(["--cflags", "--libs", "pinfold"])
            .env("PKG_CONFIG_PATH", plain.join("lib/pkgconfig")));
        let program = folder.path().join("answer");
        let mut command = Command::new(compiler());
        command.arg("-std=c11").args(STRICT).arg(example.join("answer.c")).args(words(&flags));
        run(command.arg("-o").arg(&program));
        check_example(&program, &library);
    }
    if present("cmake", "the example by CMake") {
        let build = folder.path().join("build");
        let mut command = Command::new("cmake");
        command.arg("-S").arg(&example).arg("-B").arg(&build);
        run(command
            .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
            .arg(format!("-DCMAKE_C_COMPILER={}", compiler())));
        run(Command::new("cmake").arg("--build").arg(&build));
        check_example(&build.join("answer"), &library);
        check_example(&build.join("answer-static"), Path::new(""));
    }

    // The host's functions have the names of llama.cpp's: a static library that shows its own would not link.
    let host = folder.path().join("host");
    let mut command = Command::new(compiler());
    command.arg("-std=c11").args(STRICT).arg("-I").arg(prefix.join("include")).arg(ffi("tests/c/host.c"));
    command.arg(library.join("libpinfold.a")).args(["-lstdc++", "-lm", "-lpthread", "-ldl"]);
    run(command.arg("-o").arg(&host));
    print!("{}", run(&mut Command::new(&host)));
}

#[test]
fn an_install_without_a_build_or_a_place_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Command::new("sh").arg(ffi("install")).output().unwrap();
    assert!(
        !nothing.status.success() && String::from_utf8_lossy(&nothing.stderr).contains("ffi/install PREFIX")
    );
    let mut command = Command::new("sh");
    let unbuilt = command.arg(ffi("install")).arg(folder.path()).arg(folder.path()).output().unwrap();
    assert!(!unbuilt.status.success() && String::from_utf8_lossy(&unbuilt.stderr).contains("make build"));
}
