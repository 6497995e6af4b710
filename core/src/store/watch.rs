//! Progress that is told at most ten times a second.

use std::time::{Duration, Instant};

use super::StoreWatch;
use crate::error::Result;

const EVERY: Duration = Duration::from_millis(100);

/// Work on a known number of bytes that is watched.
pub(super) struct Watched<'a> {
    watch: StoreWatch<'a>,
    total: u64,
    told: Instant,
}

impl<'a> Watched<'a> {
    pub(super) fn new(mut watch: StoreWatch<'a>, total: u64) -> Self {
        if let Some(progress) = &mut watch.progress {
            progress(0, total);
        }
        Self { watch, total, told: Instant::now() }
    }

    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub(super) fn step(&mut self, done: u64) -> Result<()> {
        self.watch.cancel.check()?;
        if self.told.elapsed() >= EVERY
            && let Some(progress) = &mut self.watch.progress
        {
            progress(done.min(self.total), self.total);
            self.told = Instant::now();
        }
        Ok(())
    }

    pub(super) fn finish(mut self) {
        if let Some(progress) = &mut self.watch.progress {
            progress(self.total, self.total);
        }
    }
}
