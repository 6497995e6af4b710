//! A generation, pulled piece by piece.

use super::boundary::{self, Out, borrow, call, quiet};
use super::sized::{self, Versioned};
use super::{pinfold_chunk, pinfold_error, pinfold_status};
use crate::api::{FinishReason, Stream};

/// A generation under way. The worker runs ahead by at most 64 pieces. Once it was cancelled or freed, its session
/// holds the tokens that it gave out and no more, and can be used again at once.
///
/// Freed by: you, with `pinfold_stream_free`. Threads: any; one reads at a time, and `pinfold_stream_cancel` does not
/// wait for it. May outlive: its session, whose end is its end, and its model.
pub struct pinfold_stream(Stream);

impl From<Stream> for pinfold_stream {
    fn from(stream: Stream) -> Self {
        Self(stream)
    }
}

/// Why a generation ended: a `PINFOLD_FINISH_`.
pub type pinfold_finish_reason = i32;

/// It goes on, or it ended with an error.
pub const PINFOLD_FINISH_NONE: pinfold_finish_reason = 0;
/// The model ended its text.
pub const PINFOLD_FINISH_END_OF_GENERATION: pinfold_finish_reason = 1;
/// A stop text appeared.
pub const PINFOLD_FINISH_STOP: pinfold_finish_reason = 2;
/// `max_tokens` were generated.
pub const PINFOLD_FINISH_LENGTH: pinfold_finish_reason = 3;
/// It was cancelled, or its session was freed.
pub const PINFOLD_FINISH_CANCELLED: pinfold_finish_reason = 4;

/// How a generation ended, and what it cost. Set `struct_size` before `pinfold_stream_finish` fills it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_finish {
    /// `sizeof(pinfold_finish)`.
    pub struct_size: usize,
    /// Why it ended; `PINFOLD_FINISH_NONE` while it goes on and after an error. Then all the rest is 0.
    pub reason: pinfold_finish_reason,
    /// Tokens that were computed before the first new one.
    pub prompt_tokens: u32,
    /// Tokens that were generated; the one that ended the generation is not counted.
    pub generated_tokens: u32,
    /// 0.
    pub reserved: u32,
    /// Seconds until the first token was sampled.
    pub prompt_seconds: f64,
    /// Seconds from then to the end.
    pub generation_seconds: f64,
}

// SAFETY: numbers.
unsafe impl Versioned for pinfold_finish {
    const NAME: &'static str = "pinfold_finish";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            reason: PINFOLD_FINISH_NONE,
            prompt_tokens: 0,
            generated_tokens: 0,
            reserved: 0,
            prompt_seconds: 0.0,
            generation_seconds: 0.0,
        }
    }
}

/// Waits for the next piece and gives it; at the end the status is `PINFOLD_OK` and the chunk is NULL. Pieces that are
/// ready come joined, at most 64, so that a reader that is slower than the engine makes fewer calls.
///
/// Fails with what ended the generation, e.g. `PINFOLD_ERROR_CONTEXT_FULL`, once the text before it was given out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_stream_next(
    stream: *const pinfold_stream,
    chunk_out: *mut *mut pinfold_chunk,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(chunk_out, "chunk_out")?;
            match borrow(stream, "stream")?.0.next()? {
                Some(chunk) => out.give(chunk.into()),
                None => Ok(()),
            }
        })
    }
}

/// Ends the generation, from any thread: `pinfold_stream_next` gives nothing more, and `pinfold_stream_finish` says
/// `PINFOLD_FINISH_CANCELLED`. After the end it does nothing, nor for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_stream_cancel(stream: *const pinfold_stream) {
    quiet((), || {
        if let Some(stream) = unsafe { stream.as_ref() } {
            stream.0.cancel();
        }
    });
}

/// Gives how it ended. Never waits: while another thread is in `pinfold_stream_next`, it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_stream_finish(
    stream: *const pinfold_stream,
    finish_out: *mut pinfold_finish,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let mut finish = pinfold_finish::defaults();
            if let Some(found) = borrow(stream, "stream")?.0.finish() {
                finish.reason = match found.reason {
                    FinishReason::EndOfGeneration => PINFOLD_FINISH_END_OF_GENERATION,
                    FinishReason::Stop => PINFOLD_FINISH_STOP,
                    FinishReason::Length => PINFOLD_FINISH_LENGTH,
                    FinishReason::Cancelled => PINFOLD_FINISH_CANCELLED,
                };
                finish.prompt_tokens = found.prompt_tokens;
                finish.generated_tokens = found.generated_tokens;
                finish.prompt_seconds = found.prompt_seconds;
                finish.generation_seconds = found.generation_seconds;
            }
            sized::write(finish_out, &finish)
        })
    }
}

/// Frees the stream and ends its generation; NULL does nothing. No other call on this handle may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_stream_free(stream: *mut pinfold_stream) {
    unsafe { boundary::free(stream) }
}
