//! Pinfold for other languages.
//!
//! [`api`] says the foreign API once: objects, value types and errors, from which UniFFI generates the
//! bindings for Python, Swift and Kotlin. [`c`] is the C ABI, a client of `api`: hand-written, since the symbols
//! that UniFFI exports are no stable ABI. `docs/guide/adding-to-the-api.md` says how both grow.
#![deny(missing_docs)]

pub mod api;
pub mod c;

uniffi::setup_scaffolding!("pinfold");
