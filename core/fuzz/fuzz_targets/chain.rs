//! Any bytes make a chain, or an error; a run that began, or was restored, comes back from its state.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/chain.rs"]
mod chain;

fuzz_target!(|bytes: &[u8]| chain::check(bytes));
