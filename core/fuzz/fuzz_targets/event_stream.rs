//! Any bytes make events or an error, however they are cut.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/events.rs"]
mod events;

fuzz_target!(|bytes: &[u8]| events::check(bytes));
