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
    moved: bool,
}

const BYTES: &str =
    "{msg} {wide_bar} {percent:>3}% {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
const BYTES_OF_UNKNOWN: &str = "{spinner} {msg} {binary_bytes} {binary_bytes_per_sec} {elapsed}";

impl Bar {
    /// A bar of `length` steps; without a length it only moves.
    pub fn new(length: Option<u64>, message: String) -> Self {
        let template = match length {
            Some(_) => "{msg} {bar:40} {percent:>3}% {eta}",
            None => "{spinner} {msg} {elapsed}",
        };
        Self::with_template(length, message, template)
    }

    /// A bar of bytes, which shows their speed as well. How many there are is said by
    /// [`set_bytes`](Self::set_bytes).
    pub fn bytes(message: String) -> Self {
        Self::with_template(None, message, BYTES_OF_UNKNOWN)
    }

    fn with_template(length: Option<u64>, message: String, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let this = Self { bar, started: Instant::now(), shown: false, moved: false };
        this.style(template);
        this.bar.set_message(message);
        this
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// `done` bytes of `total`, which is 0 as long as it is not known.
    pub fn set_bytes(&mut self, done: u64, total: u64) {
        if total > 0 && self.bar.length() != Some(total) {
            self.bar.set_length(total);
            self.style(BYTES);
        }
        self.set(done);
        // What was there at the start says nothing about the speed.
        if !self.moved {
            self.moved = true;
            self.bar.reset_eta();
        }
    }

    pub fn set(&mut self, position: u64) {
        if !self.shown && self.started.elapsed() > PATIENCE {
            self.shown = true;
            // Hidden by itself where stderr is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(position);
    }

    /// Says what is done now.
    pub fn say(&self, message: String) {
        self.bar.set_message(message);
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
