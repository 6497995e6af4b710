//! Any bytes make a lock file, or an error with its place; edits of one that was read give back what was read.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/lock.rs"]
mod lock;

fuzz_target!(|bytes: &[u8]| lock::check(bytes));
