//! llama.cpp's log: to `tracing` under the target `pinfold::llama`, and the last error to the caller.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};

use llama_cpp_sys_2 as sys;

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Takes over the log of llama.cpp and ggml. Without a `tracing` subscriber nothing is printed.
pub(super) fn install() {
    // SAFETY: the callback is a static function that needs no data.
    unsafe {
        sys::llama_log_set(Some(receive), std::ptr::null_mut());
        sys::ggml_log_set(Some(receive), std::ptr::null_mut());
    }
}

/// What llama.cpp said last of an error on this thread, and forgets it; `otherwise` if it was silent.
pub(super) fn take_error(otherwise: &str) -> String {
    let said = LAST_ERROR.with_borrow_mut(std::mem::take);
    if said.is_empty() { otherwise.to_owned() } else { said }
}

unsafe extern "C" fn receive(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    if text.is_null() {
        return;
    }
    // SAFETY: llama.cpp passes a string that ends with NUL.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim();
    if text.is_empty() || text == "." {
        return;
    }
    match level {
        sys::GGML_LOG_LEVEL_ERROR => {
            LAST_ERROR.with_borrow_mut(|last| text.clone_into(last));
            tracing::error!(target: "pinfold::llama", "{text}");
        }
        sys::GGML_LOG_LEVEL_WARN => tracing::warn!(target: "pinfold::llama", "{text}"),
        sys::GGML_LOG_LEVEL_INFO => tracing::debug!(target: "pinfold::llama", "{text}"),
        _ => tracing::trace!(target: "pinfold::llama", "{text}"),
    }
}
