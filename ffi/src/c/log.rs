//! Where the log goes: nowhere, until an app asks for it.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::boundary::call;
use super::text::Text;
use super::{pinfold_error, pinfold_status};
use crate::api::{self, CallbackError, LogLevel, LogSink, PinfoldError};

/// How much a log line matters: a `PINFOLD_LOG_`.
pub type pinfold_log_level = i32;

/// Something failed.
pub const PINFOLD_LOG_ERROR: pinfold_log_level = 1;
/// Something is not as it should be.
pub const PINFOLD_LOG_WARN: pinfold_log_level = 2;
/// What happens, in brief.
pub const PINFOLD_LOG_INFO: pinfold_log_level = 3;
/// What happens, with details.
pub const PINFOLD_LOG_DEBUG: pinfold_log_level = 4;
/// Everything.
pub const PINFOLD_LOG_TRACE: pinfold_log_level = 5;

/// Receives a log line. `target` is the part that speaks, e.g. `pinfold::llama`. Both texts are UTF-8, end with a zero
/// byte, and are valid during the call alone. Called on whatever thread logs, on several at once, so it must be quick
/// and safe for threads; it must not call Pinfold, throw or `longjmp` out.
pub type pinfold_log = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        level: pinfold_log_level,
        target: *const c_char,
        message: *const c_char,
    ),
>;

/// Is told that `user` is needed no more. Called once, on any thread. It must not call Pinfold, throw or `longjmp` out.
pub type pinfold_release = Option<unsafe extern "C" fn(user: *mut c_void)>;

struct Sink {
    log: unsafe extern "C" fn(*mut c_void, pinfold_log_level, *const c_char, *const c_char),
    user: User,
}

/// What is given back to C's functions, and released when it is dropped.
struct User {
    user: *mut c_void,
    release: pinfold_release,
}

// SAFETY: the header says that C's functions are called on any thread.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

impl Drop for User {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: C gave both together, and this happens once.
            unsafe { release(self.user) }
        }
    }
}

impl LogSink for Sink {
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), CallbackError> {
        let (target, message) = (Text::new(target), Text::new(message));
        // SAFETY: C gave both together, and `release` was not called yet.
        unsafe { (self.log)(self.user.user, number(level), target.data(), message.data()) };
        Ok(())
    }
}

/// Sends log lines of `level` and those that matter more to `log`, in the place of the function before; NULL makes the
/// log silent, as it is at the start. Lines never hold text of the user. `release`, which may be NULL, is called with
/// `user` when `log` will not be called any more: at once if this call fails, or once another thread that still logs
/// is done.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` for a level that is none, and with `PINFOLD_ERROR_UNSUPPORTED` in a Rust
/// program that collects the log itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_log_set(
    log: pinfold_log,
    level: pinfold_log_level,
    user: *mut c_void,
    release: pinfold_release,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    let user = User { user, release };
    unsafe {
        call(error_out, move || {
            let level = match level {
                PINFOLD_LOG_ERROR => LogLevel::Error,
                PINFOLD_LOG_WARN => LogLevel::Warn,
                PINFOLD_LOG_INFO => LogLevel::Info,
                PINFOLD_LOG_DEBUG => LogLevel::Debug,
                PINFOLD_LOG_TRACE => LogLevel::Trace,
                _ => return Err(PinfoldError::InvalidOption(format!("level: {level} is none")).into()),
            };
            let sink = log.map(|log| Arc::new(Sink { log, user }) as Arc<dyn LogSink>);
            Ok(api::set_log_sink(sink, level)?)
        })
    }
}

fn number(level: LogLevel) -> pinfold_log_level {
    match level {
        LogLevel::Error => PINFOLD_LOG_ERROR,
        LogLevel::Warn => PINFOLD_LOG_WARN,
        LogLevel::Info => PINFOLD_LOG_INFO,
        LogLevel::Debug => PINFOLD_LOG_DEBUG,
        LogLevel::Trace => PINFOLD_LOG_TRACE,
    }
}
