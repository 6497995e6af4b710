//! The error object: a status and a message.

use std::ffi::c_char;
use std::ptr;

use super::boundary::{self, Failure, quiet};
use super::text::Text;
use super::{PINFOLD_OK, pinfold_status};

/// Why a call failed: its status and a message that says what is wrong and what to do. The message never holds text
/// of the user. Made by a failed call that was given an `error_out`.
///
/// Freed by: you, with `pinfold_error_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_error {
    status: pinfold_status,
    message: Text,
}

impl From<Failure> for pinfold_error {
    fn from(failure: Failure) -> Self {
        Self { status: failure.status(), message: Text::new(failure.message()) }
    }
}

/// The status that the call returned; `PINFOLD_OK` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_status(error: *const pinfold_error) -> pinfold_status {
    quiet(PINFOLD_OK, || unsafe { error.as_ref() }.map_or(PINFOLD_OK, |error| error.status))
}

/// The message, in English, ending with a zero byte; valid until the error is freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_message(error: *const pinfold_error) -> *const c_char {
    quiet(ptr::null(), || unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.message.data()))
}

/// Frees the error; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_free(error: *mut pinfold_error) {
    unsafe { boundary::free(error) }
}
