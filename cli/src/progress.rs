//! Progress on stderr: for work that takes a while, and only where a person looks.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less is not worth a bar.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar that appears when the work has taken a while. Gone when it is dropped.
pub struct Bar {
    bar: ProgressBar,
    started: Instant,
    shown: bool,
}

impl Bar {
    /// A bar of `length` steps; without a length it only moves.
    pub fn new(length: Option<u64>, message: String) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let template = match length {
            Some(_) => "{msg} {bar:40} {percent:>3}% {eta}",
            None => "{spinner} {msg} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message);
        Self { bar, started: Instant::now(), shown: false }
    }

    pub fn set(&mut self, position: u64) {
        if !self.shown && self.started.elapsed() > PATIENCE {
            self.shown = true;
            // Hidden by itself where stderr is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(position);
    }

    /// Does something that writes to the terminal beside the bar.
    pub fn aside<T>(&self, action: impl FnOnce() -> T) -> T {
        self.bar.suspend(action)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Moves by itself while one call takes its time. Gone when it is dropped.
pub struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    pub fn start(message: &'static str) -> Self {
        if !stderr().is_terminal() {
            return Self(None);
        }
        let (done, wait) = channel();
        let body = move || {
            let waits = |time| wait.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            if waits(PATIENCE) {
                let bar = ProgressBar::new_spinner().with_message(message);
                while waits(Duration::from_millis(100)) {
                    bar.tick();
                }
                bar.finish_and_clear();
            }
        };
        Self(Some((done, std::thread::spawn(body))))
    }

    /// Ends it, and waits until the terminal is clear again.
    pub fn stop(&mut self) {
        if let Some((done, thread)) = self.0.take() {
            drop(done);
            let _ = thread.join();
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.stop();
    }
}
