//! A sequence of tokens over a model.

use std::ffi::c_char;

use super::boundary::{self, Out, borrow, call, put, slice};
use super::{
    cancel, pinfold_cancel, pinfold_error, pinfold_generate_options, pinfold_logprobs, pinfold_status,
    pinfold_stream, pinfold_tokens, sized,
};
use crate::api::{Session, Token};

/// A sequence of tokens: what was read and what was generated. While a stream of the session is open, every call but
/// freeing is `PINFOLD_ERROR_SESSION_BUSY`.
///
/// Freed by: you, with `pinfold_session_free`. Threads: any; calls are done one after another. May outlive: its model.
/// A stream that is open when it is freed ends.
pub struct pinfold_session(Session);

impl From<Session> for pinfold_session {
    fn from(session: Session) -> Self {
        Self(session)
    }
}

/// Adds text. Nothing is computed yet. At the start of a session the checkpoint's begin-of-sequence token is put in
/// front, where it wants one. With `parse_special`, special tokens that are spelled out are read as tokens: only for
/// text that the author of a prompt or a chat template wrote, never for a user's. `length_out`, which may be NULL,
/// gets the number of tokens held.
///
/// Fails with `PINFOLD_ERROR_CONTEXT_FULL` if it does not fit; nothing is added then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_append(
    session: *const pinfold_session,
    text: *const c_char,
    text_length: usize,
    parse_special: bool,
    length_out: *mut u32,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let text = boundary::text(text, text_length, "text")?;
            put(length_out, borrow(session, "session")?.0.append(text, parse_special)?);
            Ok(())
        })
    }
}

/// Adds tokens as they are. `length_out`, which may be NULL, gets the number of tokens held.
///
/// Fails with `PINFOLD_ERROR_UNKNOWN_TOKEN` or `PINFOLD_ERROR_CONTEXT_FULL`; nothing is added then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_append_tokens(
    session: *const pinfold_session,
    tokens: *const u32,
    tokens_length: usize,
    length_out: *mut u32,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let tokens = slice(tokens, tokens_length, "tokens")?.iter().copied().map(Token).collect();
            put(length_out, borrow(session, "session")?.0.append_tokens(tokens)?);
            Ok(())
        })
    }
}

/// Computes what was added, so that the first token of the next generation comes at once. `cancel` may be NULL.
///
/// Fails with `PINFOLD_ERROR_CANCELLED`; what was computed by then stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_prefill(
    session: *const pinfold_session,
    cancel: *const pinfold_cancel,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe { call(error_out, || Ok(borrow(session, "session")?.0.prefill(cancel::given(cancel))?)) }
}

/// Starts a generation after the tokens held. The stream computes what was added first. `options` may be NULL for the
/// defaults, `cancel` NULL if only `pinfold_stream_cancel` stops it.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` or `PINFOLD_ERROR_SESSION_EMPTY`; later errors come from the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_generate(
    session: *const pinfold_session,
    options: *const pinfold_generate_options,
    cancel: *const pinfold_cancel,
    stream_out: *mut *mut pinfold_stream,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(stream_out, "stream_out")?;
            let options = sized::read(options)?.to_api()?;
            out.give(borrow(session, "session")?.0.generate(options, cancel::given(cancel))?.into())
        })
    }
}

/// Gives the `count` likeliest next tokens, the likeliest first. `cancel` may be NULL.
///
/// Fails with `PINFOLD_ERROR_SESSION_EMPTY` or `PINFOLD_ERROR_CANCELLED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_next_tokens(
    session: *const pinfold_session,
    count: u32,
    cancel: *const pinfold_cancel,
    logprobs_out: *mut *mut pinfold_logprobs,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(logprobs_out, "logprobs_out")?;
            let next = borrow(session, "session")?.0.next_tokens(count, cancel::given(cancel))?;
            out.give(next.as_slice().into())
        })
    }
}

/// Gives the tokens held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_tokens(
    session: *const pinfold_session,
    tokens_out: *mut *mut pinfold_tokens,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(tokens_out, "tokens_out")?;
            out.give(borrow(session, "session")?.0.tokens()?.into())
        })
    }
}

/// Forgets all tokens after the first `length`.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if fewer are held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_rewind(
    session: *const pinfold_session,
    length: u32,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe { call(error_out, || Ok(borrow(session, "session")?.0.rewind(length)?)) }
}

/// Opens another session that holds the same tokens; what is computed is not computed again.
///
/// Fails with `PINFOLD_ERROR_TOO_MANY_SESSIONS`, or `PINFOLD_ERROR_CONTEXT_FULL`, since a fork counts in full.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_fork(
    session: *const pinfold_session,
    session_out: *mut *mut pinfold_session,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(session_out, "session_out")?;
            out.give(borrow(session, "session")?.0.fork()?.into())
        })
    }
}

/// Writes the session to a file: beside it first, then renamed. The file is bound to the bytes of the checkpoint. It
/// holds the tokens, so treat it as the text that it stands for.
///
/// Fails with `PINFOLD_ERROR_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_save(
    session: *const pinfold_session,
    path: *const c_char,
    path_length: usize,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let path = boundary::text(path, path_length, "path")?;
            Ok(borrow(session, "session")?.0.save(path)?)
        })
    }
}

/// Puts a saved session in the place of what is held.
///
/// Fails with `PINFOLD_ERROR_BAD_SESSION` for a damaged file, another format or another checkpoint; the session keeps
/// what it held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_restore(
    session: *const pinfold_session,
    path: *const c_char,
    path_length: usize,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let path = boundary::text(path, path_length, "path")?;
            Ok(borrow(session, "session")?.0.restore(path)?)
        })
    }
}

/// Frees the session; NULL does nothing. No other call on this handle may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_free(session: *mut pinfold_session) {
    unsafe { boundary::free(session) }
}
