//! The queue between the worker and the reader of a stream: bounded, and sparing with wake-ups.
//!
//! Waking a thread costs the worker as much as a small checkpoint needs for a tenth of a token. So a reader
//! that sleeps is woken at most once a millisecond while tokens come faster than that, and at once when they
//! are slower, when the worker turns to something longer, and at the end.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Chunk;
use super::job::Event;

/// How long an event may wait for those after it.
const GATHER: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    readable: Condvar,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    writer_gone: bool,
    reader_gone: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it held the lock left a queue that is still a queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pipe for `capacity` events.
pub(super) fn pipe(capacity: usize) -> (Writer, Reader) {
    let shared = Arc::new(Shared::default());
    let writer = Writer { shared: shared.clone(), capacity, announced: Instant::now(), silent: false };
    (writer, Reader { shared })
}

/// The worker's end.
pub(super) struct Writer {
    shared: Arc<Shared>,
    capacity: usize,
    announced: Instant,
    /// There are events that the reader was not woken for.
    silent: bool,
}

impl Writer {
    /// Puts an event into the queue, or gives it back if there is no room. Events for a reader that is gone
    /// vanish.
    pub fn push(&mut self, event: Event) -> Result<(), Event> {
        let end = matches!(event, Event::End(_));
        {
            let mut state = self.shared.lock();
            if state.reader_gone {
                return Ok(());
            }
            if state.events.len() >= self.capacity {
                return Err(event);
            }
            state.events.push_back(event);
        }
        self.silent = true;
        if end || self.announced.elapsed() >= GATHER {
            self.announce();
        }
        Ok(())
    }

    /// Wakes the reader if there is something that it was not woken for.
    pub fn announce(&mut self) {
        if std::mem::take(&mut self.silent) {
            self.announced = Instant::now();
            self.shared.readable.notify_one();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().writer_gone = true;
        self.shared.readable.notify_one();
    }
}

/// The stream's end.
pub(super) struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    /// Waits for the next event; `None` if there will be none, since the writer is gone.
    pub fn next(&self) -> Option<Event> {
        let mut state = self.shared.lock();
        loop {
            if let Some(event) = state.events.pop_front() {
                return Some(event);
            }
            if state.writer_gone {
                return None;
            }
            state = self.shared.readable.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Reader {
    /// Takes the pieces that stand in the queue, without waiting and without the end.
    pub fn ready(&self) -> Vec<Chunk> {
        let mut state = self.shared.lock();
        let mut ready = Vec::new();
        while matches!(state.events.front(), Some(Event::Chunk(_))) {
            if let Some(Event::Chunk(chunk)) = state.events.pop_front() {
                ready.push(chunk);
            }
        }
        ready
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.reader_gone = true;
        state.events.clear();
    }
}
