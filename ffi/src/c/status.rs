//! The status that calls return.

use std::ffi::c_char;

/// How a call ended: `PINFOLD_OK`, or a `PINFOLD_ERROR_`. Numbers never change; new versions may add some, so treat
/// one that you do not know as a failure.
pub type pinfold_status = i32;

/// The call did what it says.
pub const PINFOLD_OK: pinfold_status = 0;
/// A file could not be read or written.
pub const PINFOLD_ERROR_IO: pinfold_status = 1;
/// The checkpoint's bytes would not run safely: the preflight refused them.
pub const PINFOLD_ERROR_BAD_CHECKPOINT: pinfold_status = 2;
/// No embedded checkpoint has this name.
pub const PINFOLD_ERROR_UNKNOWN_CHECKPOINT: pinfold_status = 3;
/// The checkpoint passed the preflight, but the engine could not load it.
pub const PINFOLD_ERROR_LOAD_FAILED: pinfold_status = 4;
/// The checkpoint does not fit into the memory that is free.
pub const PINFOLD_ERROR_OUT_OF_MEMORY: pinfold_status = 5;
/// The context has no room for the tokens. Nothing was added.
pub const PINFOLD_ERROR_CONTEXT_FULL: pinfold_status = 6;
/// All sessions of the model are in use.
pub const PINFOLD_ERROR_TOO_MANY_SESSIONS: pinfold_status = 7;
/// The session is generating; its stream must end or be freed first.
pub const PINFOLD_ERROR_SESSION_BUSY: pinfold_status = 8;
/// There is nothing to continue: the session holds no token.
pub const PINFOLD_ERROR_SESSION_EMPTY: pinfold_status = 9;
/// The work was cancelled.
pub const PINFOLD_ERROR_CANCELLED: pinfold_status = 10;
/// An option or an argument is out of its range.
pub const PINFOLD_ERROR_INVALID_OPTION: pinfold_status = 11;
/// A token id is not in the vocabulary.
pub const PINFOLD_ERROR_UNKNOWN_TOKEN: pinfold_status = 12;
/// The sampler cannot choose: no candidate is left, or the logits are not numbers.
pub const PINFOLD_ERROR_NO_CANDIDATE: pinfold_status = 13;
/// A saved session cannot be restored here.
pub const PINFOLD_ERROR_BAD_SESSION: pinfold_status = 14;
/// The checkpoint has no chat template, or it failed.
pub const PINFOLD_ERROR_CHAT_TEMPLATE: pinfold_status = 15;
/// This build, machine or checkpoint cannot do it.
pub const PINFOLD_ERROR_UNSUPPORTED: pinfold_status = 16;
/// The engine failed in a way that should not happen after the checks.
pub const PINFOLD_ERROR_ENGINE: pinfold_status = 17;
/// A text is not UTF-8.
pub const PINFOLD_ERROR_INVALID_TEXT: pinfold_status = 18;
/// A function that you gave failed.
pub const PINFOLD_ERROR_CALLBACK: pinfold_status = 19;
/// A lock file cannot be read as one; the message begins with its path, the line and the column.
pub const PINFOLD_ERROR_BAD_LOCK: pinfold_status = 20;
/// The lock file pins nothing of this name.
pub const PINFOLD_ERROR_NOT_PINNED: pinfold_status = 21;
/// The bytes of a pin are not on this machine.
pub const PINFOLD_ERROR_NOT_PULLED: pinfold_status = 22;
/// The bytes are not those that were pinned. They are not used.
pub const PINFOLD_ERROR_WRONG_DIGEST: pinfold_status = 23;
/// The store is not one that this version can use.
pub const PINFOLD_ERROR_BAD_STORE: pinfold_status = 24;
/// There is no room for a download: on the disk, or below the quota of the store.
pub const PINFOLD_ERROR_NO_SPACE: pinfold_status = 25;
/// A text does not name a source of bytes.
pub const PINFOLD_ERROR_BAD_SOURCE: pinfold_status = 26;
/// No source gave the bytes. What arrived is kept for the next attempt.
pub const PINFOLD_ERROR_PULL_FAILED: pinfold_status = 27;
/// A signature is missing, damaged, or not of this key and these bytes.
pub const PINFOLD_ERROR_BAD_SIGNATURE: pinfold_status = 28;
/// A pointer is NULL that must not be.
pub const PINFOLD_ERROR_NULL_ARGUMENT: pinfold_status = 100;
/// The `struct_size` of a struct was not set, or the struct uses fields that this version does not know.
pub const PINFOLD_ERROR_STRUCT_SIZE: pinfold_status = 101;
/// A bug in Pinfold, which was stopped at its boundary. Free the handles that were part of the call.
pub const PINFOLD_ERROR_PANIC: pinfold_status = 102;

/// The word for a status, e.g. `context_full`; `ok` for `PINFOLD_OK`, `unknown` for a number that is none. The same
/// words name the errors in all languages. A static string, never NULL, never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_status_code(status: pinfold_status) -> *const c_char {
    let code = match status {
        PINFOLD_OK => c"ok",
        PINFOLD_ERROR_IO => c"io",
        PINFOLD_ERROR_BAD_CHECKPOINT => c"bad_checkpoint",
        PINFOLD_ERROR_UNKNOWN_CHECKPOINT => c"unknown_checkpoint",
        PINFOLD_ERROR_LOAD_FAILED => c"load_failed",
        PINFOLD_ERROR_OUT_OF_MEMORY => c"out_of_memory",
        PINFOLD_ERROR_CONTEXT_FULL => c"context_full",
        PINFOLD_ERROR_TOO_MANY_SESSIONS => c"too_many_sessions",
        PINFOLD_ERROR_SESSION_BUSY => c"session_busy",
        PINFOLD_ERROR_SESSION_EMPTY => c"session_empty",
        PINFOLD_ERROR_CANCELLED => c"cancelled",
        PINFOLD_ERROR_INVALID_OPTION => c"invalid_option",
        PINFOLD_ERROR_UNKNOWN_TOKEN => c"unknown_token",
        PINFOLD_ERROR_NO_CANDIDATE => c"no_candidate",
        PINFOLD_ERROR_BAD_SESSION => c"bad_session",
        PINFOLD_ERROR_CHAT_TEMPLATE => c"chat_template",
        PINFOLD_ERROR_UNSUPPORTED => c"unsupported",
        PINFOLD_ERROR_ENGINE => c"engine",
        PINFOLD_ERROR_INVALID_TEXT => c"invalid_text",
        PINFOLD_ERROR_CALLBACK => c"callback",
        PINFOLD_ERROR_BAD_LOCK => c"bad_lock",
        PINFOLD_ERROR_NOT_PINNED => c"not_pinned",
        PINFOLD_ERROR_NOT_PULLED => c"not_pulled",
        PINFOLD_ERROR_WRONG_DIGEST => c"wrong_digest",
        PINFOLD_ERROR_BAD_STORE => c"bad_store",
        PINFOLD_ERROR_NO_SPACE => c"no_space",
        PINFOLD_ERROR_BAD_SOURCE => c"bad_source",
        PINFOLD_ERROR_PULL_FAILED => c"pull_failed",
        PINFOLD_ERROR_BAD_SIGNATURE => c"bad_signature",
        PINFOLD_ERROR_NULL_ARGUMENT => c"null_argument",
        PINFOLD_ERROR_STRUCT_SIZE => c"struct_size",
        PINFOLD_ERROR_PANIC => c"panic",
        _ => c"unknown",
    };
    code.as_ptr()
}
