//! The C ABI: hand-written on top of [`api`](crate::api), one file for each object of the header.
//!
//! The rules, which the first page of `include/pinfold.h` tells to its readers:
//! - Every body runs inside [`boundary::call`] or [`boundary::quiet`]: no panic leaves the library.
//! - A call that can fail returns a [`pinfold_status`] and takes `error_out` last. A handle that it gives is NULL
//!   after a failure; numbers and structs are written on success alone.
//! - A handle is a `Box` whose content holds what it needs by `Arc`, so handles may be freed in any order.
//! - What C gives is checked before use: NULL, UTF-8, lengths, `struct_size`.
//!
//! The doc comments of public items become the header, so they speak to readers of C.
#![allow(unsafe_code)]
#![allow(non_camel_case_types, reason = "C's names")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header's first page says what pointers must be, once for all"
)]

mod boundary;
mod cancel;
mod checkpoint;
mod chunk;
mod entries;
mod error;
mod lock_file;
mod log;
mod machine;
mod model;
mod options;
mod pins;
mod pull;
mod session;
mod sized;
mod status;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod verify;

pub use cancel::*;
pub use checkpoint::*;
pub use chunk::*;
pub use entries::*;
pub use error::*;
pub use lock_file::*;
pub use log::*;
pub use machine::*;
pub use model::*;
pub use options::*;
pub use pins::*;
pub use pull::*;
pub use session::*;
pub use status::*;
pub use store::*;
pub use stream::*;
pub use text::*;
pub use tokens::*;
pub use verify::*;
