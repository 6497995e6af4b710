//! Any bytes make a header or a defect, and a header passes the preflight or does not; nothing panics, reads
//! outside, or takes memory out of proportion.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pinfold::checkpoint::{AdapterFile, Checkpoint, Header, preflight};

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = Header::from_bytes(bytes) else { return };
    let _ = preflight::check_container(&header).map_err(|defect| defect.to_string());
    let _ = preflight::check_tokenizer(&header).map_err(|defect| defect.to_string());
    let _ = AdapterFile::from_header(header.clone()).map_err(|defect| defect.to_string());
    match Checkpoint::from_header(header) {
        Ok(checkpoint) => {
            let _ = checkpoint.memory(u32::MAX, u32::MAX, u32::MAX).total();
            let _ = (checkpoint.quantization(), checkpoint.parameters(), checkpoint.weight_bytes());
        }
        Err(defect) => assert!(defect.to_string().len() < 4096),
    }
});
