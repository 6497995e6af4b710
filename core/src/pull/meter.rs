//! What a caller is told of a download, and whether it still wants it.

use std::time::{Duration, Instant};

use super::{PullProgress, PullWatch};
use crate::cancel::Cancel;
use crate::error::Result;

/// Between two reports.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a wait may last until the cancel is looked at.
pub(super) const BLINK: Duration = Duration::from_millis(40);

/// Reports progress: never back, about ten times a second.
pub(super) struct Meter<'a> {
    watch: PullWatch<'a>,
    shown: PullProgress,
    next: Instant,
}

impl<'a> Meter<'a> {
    pub(super) fn new(watch: PullWatch<'a>) -> Self {
        let shown = PullProgress { source: String::new(), done: 0, total: 0 };
        Self { watch, shown, next: Instant::now() }
    }

    pub(super) fn cancel(&self) -> &Cancel {
        &self.watch.cancel
    }

    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub(super) fn check(&self) -> Result<()> {
        self.watch.cancel.check()
    }

    /// Notes how far it is. What was shown once is not taken back when a download begins anew.
    pub(super) fn show(&mut self, source: &str, done: u64, total: Option<u64>) {
        let done = done.max(self.shown.done);
        let total = total.unwrap_or(0).max(self.shown.total);
        let is_last = done == total && self.shown.done != done;
        let is_other = self.shown.source != source;
        if !is_last
            && !is_other
            && (Instant::now() < self.next || (self.shown.done, self.shown.total) == (done, total))
        {
            return;
        }
        if is_other {
            source.clone_into(&mut self.shown.source);
        }
        (self.shown.done, self.shown.total) = (done, total);
        self.next = Instant::now() + PAUSE;
        if let Some(progress) = &mut self.watch.progress {
            progress(&self.shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back_and_tells_the_end() {
        let mut seen = Vec::new();
        let mut progress = |now: &PullProgress| seen.push((now.source.clone(), now.done, now.total));
        let mut meter = Meter::new(PullWatch { progress: Some(&mut progress), cancel: Cancel::new() });
        meter.show("a", 0, None);
        meter.show("a", 5, Some(9));
        meter.next = Instant::now();
        meter.show("a", 6, Some(9));
        meter.show("b", 2, Some(9));
        for done in 3..=9 {
            meter.show("b", done, Some(9));
        }
        meter.show("b", 9, Some(9));
        drop(meter);
        let seen: Vec<_> =
            seen.iter().map(|(source, done, total)| (source.as_str(), *done, *total)).collect();
        assert_eq!(seen, [("a", 0, 0), ("a", 6, 9), ("b", 6, 9), ("b", 9, 9)]);
    }
}
