//! The flag that stops work from another thread.

use std::sync::Arc;

use super::boundary::{self, Out, call, quiet};
use super::{pinfold_error, pinfold_status};
use crate::api::Cancel;

/// A flag that stops a load, a prefill or a generation from another thread. Setting it takes no lock and never blocks.
/// A flag that was set stays set: make a new one for new work.
///
/// Freed by: you, with `pinfold_cancel_free`. Threads: any, at any time. May outlive: everything; and the work it was
/// given to goes on if it is freed before.
pub struct pinfold_cancel(Arc<Cancel>);

/// Makes a flag that is not set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_cancel_new(
    cancel_out: *mut *mut pinfold_cancel,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(cancel_out, "cancel_out")?;
            out.give(pinfold_cancel(Arc::new(Cancel::new())))
        })
    }
}

/// Asks the work to stop; it does so within one decode step or one slice of a prefill. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_cancel_set(cancel: *const pinfold_cancel) {
    quiet((), || {
        if let Some(cancel) = unsafe { cancel.as_ref() } {
            cancel.0.cancel();
        }
    });
}

/// Whether the flag is set; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_cancel_is_set(cancel: *const pinfold_cancel) -> bool {
    quiet(false, || unsafe { cancel.as_ref() }.is_some_and(|cancel| cancel.0.is_cancelled()))
}

/// Frees the flag; NULL does nothing. Set it before, if the work is to stop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_cancel_free(cancel: *mut pinfold_cancel) {
    unsafe { boundary::free(cancel) }
}

/// The flag that was given, if any.
///
/// # Safety
/// `cancel` is NULL or a live handle.
pub(super) unsafe fn given(cancel: *const pinfold_cancel) -> Option<Arc<Cancel>> {
    // SAFETY: by the contract of this function.
    unsafe { cancel.as_ref() }.map(|cancel| cancel.0.clone())
}
