//! Builds ggml's CPU backend once more for each instruction set of `VARIANTS`, from the sources that
//! llama-cpp-sys-2 was built from, and renames all its symbols (`ggml_x` becomes `pinfold_NAME_ggml_x`)
//! so that the copies live side by side in one static library. See docs/adr/0002-cpu-kernels.md.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A build of the CPU backend: its name, its compiler flags and ggml's defines for them.
struct Variant {
    name: &'static str,
    flags: &'static [&'static str],
    defines: &'static [&'static str],
}

const AVX2: &[&str] = &["-msse4.2", "-mf16c", "-mfma", "-mbmi2", "-mavx", "-mavx2"];
const AVX512: &[&str] = &[
    "-msse4.2",
    "-mf16c",
    "-mfma",
    "-mbmi2",
    "-mavx",
    "-mavx2",
    "-mavx512f",
    "-mavx512cd",
    "-mavx512vl",
    "-mavx512dq",
    "-mavx512bw",
];

const X86_64: &[Variant] = &[
    Variant { name: "avxvnni", flags: &["-mavxvnni"], defines: &["GGML_AVX_VNNI"] },
    Variant { name: "avx512", flags: &[], defines: &["GGML_AVX512"] },
    Variant {
        name: "avx512vnni",
        flags: &["-mavx512vbmi", "-mavx512vnni"],
        defines: &["GGML_AVX512", "GGML_AVX512_VBMI", "GGML_AVX512_VNNI"],
    },
    Variant {
        name: "avx512bf16",
        flags: &["-mavx512vbmi", "-mavx512vnni", "-mavx512bf16"],
        defines: &["GGML_AVX512", "GGML_AVX512_VBMI", "GGML_AVX512_VNNI", "GGML_AVX512_BF16"],
    },
];

const AARCH64: &[Variant] = &[
    Variant {
        name: "dotprod",
        flags: &["-march=armv8.2-a+dotprod+fp16"],
        defines: &["GGML_USE_DOTPROD", "GGML_USE_FP16_VECTOR_ARITHMETIC"],
    },
    Variant {
        name: "i8mm",
        flags: &["-march=armv8.2-a+dotprod+fp16+i8mm"],
        defines: &["GGML_USE_DOTPROD", "GGML_USE_FP16_VECTOR_ARITHMETIC", "GGML_USE_MATMUL_INT8"],
    },
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=OBJCOPY");
    println!("cargo:rerun-if-env-changed=NM");
    println!("cargo:rustc-check-cfg=cfg(variants)");
    // A linter links nothing, so it need not wait minutes for the kernels.
    println!("cargo:rerun-if-env-changed=RUSTC_WORKSPACE_WRAPPER");
    let lint_only = env::var("RUSTC_WORKSPACE_WRAPPER").is_ok_and(|wrapper| wrapper.contains("clippy"));
    let architecture = var("CARGO_CFG_TARGET_ARCH");
    // Renaming needs objcopy on ELF. Apple's linkers have no such tool, and Apple's compilers already
    // target the oldest chip that the system runs on; see the ADR.
    let elf = matches!(var("CARGO_CFG_TARGET_OS").as_str(), "linux" | "android");
    let (variants, folder) = match architecture.as_str() {
        "x86_64" if elf => (X86_64, "x86"),
        "aarch64" if elf => (AARCH64, "arm"),
        _ => return,
    };
    println!("cargo:rustc-cfg=variants");
    if lint_only {
        return;
    }
    let ggml = ggml_folder();
    let sources = sources(&ggml, folder);
    for variant in variants {
        build(variant, &architecture, &ggml, &sources);
    }
}

/// ggml's folder, read off the CMake cache of llama-cpp-sys-2's build.
fn ggml_folder() -> PathBuf {
    let cmake = PathBuf::from(var("DEP_LLAMA_GGML_CMAKE_DIR"));
    let cache = cmake.join("../../build/CMakeCache.txt");
    let text = fs::read_to_string(&cache).unwrap_or_else(|error| panic!("{}: {error}", cache.display()));
    let home = text
        .lines()
        .find_map(|line| line.strip_prefix("CMAKE_HOME_DIRECTORY:INTERNAL="))
        .unwrap_or_else(|| panic!("{} names no home directory", cache.display()));
    Path::new(home).join("ggml")
}

/// The sources of the CPU backend for one architecture, as ggml's CMake lists them.
fn sources(ggml: &Path, folder: &str) -> Vec<PathBuf> {
    let cpu = ggml.join("src/ggml-cpu");
    let mut sources = Vec::new();
    for folder in [
        cpu.clone(),
        cpu.join("amx"),
        cpu.join("tiled"),
        cpu.join("llamafile"),
        cpu.join("arch").join(folder),
    ] {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let source = path.extension().is_some_and(|extension| extension == "c" || extension == "cpp");
            if source && !path.ends_with("cpu-feats.cpp") {
                sources.push(path);
            }
        }
    }
    assert!(sources.len() > 10, "no CPU backend in {}", cpu.display());
    sources.sort();
    sources
}

fn build(variant: &Variant, architecture: &str, ggml: &Path, sources: &[PathBuf]) {
    let out = PathBuf::from(var("OUT_DIR")).join(variant.name);
    fs::create_dir_all(&out).expect("OUT_DIR can be written");
    let (cpp, c): (Vec<_>, Vec<_>) =
        sources.iter().partition(|path| path.extension().is_some_and(|extension| extension == "cpp"));
    let mut objects = compile(variant, architecture, ggml, &c, false, &out);
    objects.extend(compile(variant, architecture, ggml, &cpp, true, &out));
    rename_symbols(variant.name, &objects, &out);
    let archive = out.join(format!("libpinfold_{}.a", variant.name));
    let _ = fs::remove_file(&archive);
    let mut archiver = cc::Build::new().get_archiver();
    run(archiver.arg("crs").arg(&archive).args(&objects));
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=pinfold_{}", variant.name);
}

fn compile(
    variant: &Variant,
    architecture: &str,
    ggml: &Path,
    sources: &[&PathBuf],
    cpp: bool,
    out: &Path,
) -> Vec<PathBuf> {
    let mut build = cc::Build::new();
    build
        .cpp(cpp)
        .std(if cpp { "c++17" } else { "c11" })
        .files(sources)
        .out_dir(out)
        .include(ggml.join("include"))
        .include(ggml.join("src"))
        .include(ggml.join("src/ggml-cpu"))
        .define("NDEBUG", None)
        .define("_XOPEN_SOURCE", "600")
        .define("_GNU_SOURCE", None)
        .define("GGML_USE_CPU_REPACK", None)
        .define("GGML_USE_LLAMAFILE", None)
        .flag("-fvisibility=hidden")
        // Unique symbols would be shared by all copies in a process, whatever their names.
        .flag_if_supported("-fno-gnu-unique")
        .pic(true)
        .opt_level(3)
        .debug(false)
        .warnings(false);
    if architecture == "x86_64" {
        let base = if variant.name.starts_with("avx512") { AVX512 } else { AVX2 };
        base.iter().for_each(|flag| {
            build.flag(flag);
        });
        for define in ["GGML_SSE42", "GGML_F16C", "GGML_FMA", "GGML_BMI2", "GGML_AVX", "GGML_AVX2"] {
            build.define(define, None);
        }
    }
    variant.flags.iter().for_each(|flag| {
        build.flag(flag);
    });
    variant.defines.iter().for_each(|define| {
        build.define(define, None);
    });
    build.compile_intermediates()
}

/// Puts `pinfold_NAME_` before every symbol that the objects define, templates and inline functions
/// of the C++ library included: the linker may otherwise take one that was compiled for AVX-512 for
/// all callers.
fn rename_symbols(name: &str, objects: &[PathBuf], out: &Path) {
    let mut defined = BTreeSet::new();
    for object in objects {
        let listing = run(tool("NM", "nm").arg("-a").arg("-P").arg(object));
        defined.extend(listing.lines().filter_map(symbol_to_rename).map(str::to_owned));
    }
    let map: String = defined.iter().map(|symbol| format!("{symbol} pinfold_{name}_{symbol}\n")).collect();
    let path = out.join("symbols.txt");
    fs::write(&path, map).expect("OUT_DIR can be written");
    for object in objects {
        let mut argument = std::ffi::OsString::from("--redefine-syms=");
        argument.push(&path);
        run(tool("OBJCOPY", "objcopy").arg(argument).arg(object));
    }
}

/// The symbol of a line of `nm -a -P` (name, class, ...) if the object defines it for others: its global
/// and weak symbols, and the names of its groups of constructors and destructors (`C5`, `D5`), which the
/// linker merges by name as well.
fn symbol_to_rename(line: &str) -> Option<&str> {
    let mut fields = line.split_whitespace();
    let (name, class) = (fields.next()?, fields.next()?);
    let global = class.chars().all(|c| c.is_ascii_uppercase()) && class != "U";
    let weak = matches!(class, "V" | "W" | "u");
    let group = name.contains("C5E") || name.contains("D5E");
    (global || weak || group).then_some(name)
}

/// A tool of the binutils: by environment variable, beside the compiler (NDK), or by its usual names.
fn tool(variable: &str, name: &str) -> Command {
    if let Ok(path) = env::var(variable) {
        return Command::new(path);
    }
    let compiler = cc::Build::new().get_compiler();
    let beside = compiler.path().with_file_name(format!("llvm-{name}"));
    if beside.is_file() {
        return Command::new(beside);
    }
    let cross = compiler.path().to_string_lossy().into_owned();
    if let Some(prefix) = cross.strip_suffix("gcc").filter(|prefix| prefix.ends_with('-')) {
        return Command::new(format!("{prefix}{name}"));
    }
    Command::new(name)
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}
