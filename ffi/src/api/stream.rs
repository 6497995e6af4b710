//! A generation, pulled piece by piece.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pinfold::{Chunk, Finish};

use super::Result;

/// A generation under way.
///
/// The worker runs ahead by at most 64 pieces. Once the stream was cancelled or dropped, its session holds the
/// tokens that the stream gave out and no more, and can be used again at once. May be used from any thread; one
/// reads at a time.
#[derive(uniffi::Object)]
pub struct Stream {
    stream: Mutex<pinfold::Stream>,
    /// Outside of the lock: a cancel must not wait for the reader.
    cancel: pinfold::Cancel,
}

impl Stream {
    pub(super) fn new(stream: pinfold::Stream) -> Self {
        let cancel = stream.cancel();
        Self { stream: Mutex::new(stream), cancel }
    }

    fn lock(&self) -> MutexGuard<'_, pinfold::Stream> {
        // A stream is whole between its calls, whatever a thread did that held the lock.
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl Stream {
    /// Waits for the next piece; nothing at the end. Pieces that are ready come joined, at most 64, so that a
    /// reader that is slower than the engine makes fewer calls.
    ///
    /// # Errors
    /// What ended the generation, e.g. `ContextFull`, once the text before it was given out.
    pub fn next(&self) -> Result<Option<Chunk>> {
        Ok(self.lock().next_ready().transpose()?)
    }

    /// Ends the generation, from any thread: `next` gives nothing more, and `finish` says `Cancelled`. After the
    /// end it does nothing.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// How it ended; nothing while it goes on and after an error. Never waits.
    pub fn finish(&self) -> Option<Finish> {
        match self.stream.try_lock() {
            Ok(stream) => stream.finish().copied(),
            Err(TryLockError::Poisoned(stream)) => stream.into_inner().finish().copied(),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
