//! llama.cpp behind the engine traits: the only room that names `llama_cpp_2` and `llama_cpp_sys_2`,
//! and the only `unsafe` of the crate.
//!
//! Neither a C++ exception nor `ggml_abort` can be caught from Rust. So nothing is handed to llama.cpp
//! that was not checked before: files by [`checkpoint`](crate::checkpoint), token ids, sequences,
//! positions and batch sizes here. Objects are freed in the order context, adapters, model, whatever
//! the order in which the caller drops them, since each holds an `Arc` of what it needs.
#![allow(unsafe_code)]

mod adapter;
mod backend;
mod context;
mod embed;
mod log;
mod vocabulary;
mod weights;

pub use backend::{devices, kernels};
pub use weights::{LlamaWeights, LoadOptions, Source};

/// The version of the crate that brings llama.cpp: a version of llama.cpp lasts for many of its commits.
const SYS_CRATE: &str = "0.1.161";

/// The llama.cpp that this build holds.
pub fn revision() -> String {
    // SAFETY: returns a static string.
    let version = unsafe { text(llama_cpp_sys_2::llama_version()) };
    format!("{version} of llama-cpp-sys-2 {SYS_CRATE}")
}

/// Copies a C string.
///
/// # Safety
/// `pointer` is null or a string that ends with NUL.
unsafe fn text(pointer: *const std::ffi::c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller promises the rest.
    unsafe { std::ffi::CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_revision_is_that_which_is_built() {
        let lock = include_str!("../../../../Cargo.lock");
        let entry = format!("name = \"llama-cpp-sys-2\"\nversion = \"{}\"", super::SYS_CRATE);
        assert!(lock.replace('\r', "").contains(&entry), "SYS_CRATE is not the version in Cargo.lock");
    }
}
