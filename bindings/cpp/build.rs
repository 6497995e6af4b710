//! Generates and compiles the C++ side of the bridge.

fn main() {
    // The generated header carries the comments, and is included as `pinfold/src/bridge.rs.h`.
    cxx_build::CFG.include_prefix = "pinfold";
    cxx_build::CFG.doxygen = true;
    cxx_build::bridge("src/bridge.rs").include("include").std("c++17").compile("pinfold-cpp-bridge");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include");
}
