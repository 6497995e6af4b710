//! How often and when a source is tried again.

use std::time::{Duration, Instant};

use super::fault::Fault;

/// The longest wait that is ours to choose.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts the failures in a row, and says when the next attempt may be.
#[derive(Debug)]
pub(crate) struct Retry {
    attempts: u32,
    first: Duration,
    failures: u32,
    not_before: Instant,
}

impl Retry {
    /// At most so many attempts, with a first pause of so many milliseconds.
    pub(crate) fn new(attempts: u32, backoff_ms: u32) -> Self {
        Self {
            attempts,
            first: Duration::from_millis(backoff_ms.into()),
            failures: 0,
            not_before: Instant::now(),
        }
    }

    /// When the next attempt may be.
    pub(crate) fn not_before(&self) -> Instant {
        self.not_before
    }

    /// An attempt failed, but brought bytes: it does not count, and the failures before are forgotten.
    pub(super) fn gained(&mut self, wait: Option<Duration>) {
        self.failures = 0;
        self.wait(wait);
    }

    /// Counts a failure.
    ///
    /// # Errors
    /// The fault, if it lasts or was one too many.
    pub(crate) fn failed(&mut self, fault: Fault) -> Result<(), Fault> {
        let Fault::Passing { reason, wait, .. } = fault else { return Err(fault) };
        self.failures += 1;
        if self.failures >= self.attempts {
            let times = match self.failures {
                1 => String::new(),
                failures => format!(" (after {failures} attempts)"),
            };
            return Err(Fault::Lasting(reason + &times));
        }
        self.wait(wait);
        Ok(())
    }

    fn wait(&mut self, asked: Option<Duration>) {
        self.not_before = Instant::now() + self.pause().max(asked.unwrap_or_default());
    }

    /// Doubled with each failure, and random, so that many clients do not come back together.
    fn pause(&self) -> Duration {
        let longest = self.first.saturating_mul(1 << self.failures.saturating_sub(1).min(16)).min(LONGEST);
        longest.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(attempts: u32, backoff_ms: u32) -> Retry {
        Retry::new(attempts, backoff_ms)
    }

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let mut retry = retry(100, 1000);
        for longest in [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            retry.failed(Fault::passing("x")).unwrap();
            let pause = retry.pause().as_millis();
            assert!((longest / 2..=longest).contains(&pause), "{pause} of {longest}");
        }
        for _ in 0..80 {
            retry.failed(Fault::passing("x")).unwrap();
        }
        assert!(retry.pause() <= LONGEST);
    }

    #[test]
    fn failures_in_a_row_count() {
        let mut retry = retry(3, 0);
        for _ in 0..5 {
            retry.failed(Fault::passing("x")).unwrap();
            retry.failed(Fault::passing("x")).unwrap();
            retry.gained(None);
        }
        retry.failed(Fault::passing("x")).unwrap();
        retry.failed(Fault::passing("x")).unwrap();
        let last = retry.failed(Fault::passing("x"));
        assert!(matches!(last, Err(Fault::Lasting(reason)) if reason == "x (after 3 attempts)"));
    }

    #[test]
    fn what_lasts_is_not_tried_again() {
        let mut retry = retry(3, 0);
        assert!(matches!(retry.failed(Fault::lasting("x")), Err(Fault::Lasting(_))));
        assert!(matches!(retry.failed(Fault::Changed("x".into())), Err(Fault::Changed(_))));
        let wait = Fault::Passing { reason: "x".into(), wait: Some(Duration::from_secs(9)), crowded: true };
        retry.failed(wait).unwrap();
        assert!(retry.not_before() > Instant::now() + Duration::from_secs(8));
    }
}
