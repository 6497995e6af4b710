//! The app's functions. Their C++ side (`include/pinfold/callbacks.hpp`) catches what they throw and says `false`.

use std::sync::Arc;

use cxx::UniquePtr;
use pinfold_ffi::api::{
    CallbackError, LoadProgress, LogLevel, LogSink, PullProgress, StoreProgress, VerifyProgress,
};

use crate::bridge::ffi::{self, LogCallback, ProgressCallback, PullCallback, StoreCallback, VerifyCallback};

/// The function that hears of a load, or nothing where the app gave none.
pub(crate) fn progress(callback: UniquePtr<ProgressCallback>) -> Option<Arc<dyn LoadProgress>> {
    (!callback.is_null()).then(|| Arc::new(Progress(callback)) as _)
}

/// The function that hears of a download, or nothing where the app gave none.
pub(crate) fn pull(callback: UniquePtr<PullCallback>) -> Option<Arc<dyn PullProgress>> {
    (!callback.is_null()).then(|| Arc::new(Pull(callback)) as _)
}

/// The function that hears of a verification, or nothing where the app gave none.
pub(crate) fn verify(callback: UniquePtr<VerifyCallback>) -> Option<Arc<dyn VerifyProgress>> {
    (!callback.is_null()).then(|| Arc::new(Verify(callback)) as _)
}

/// The function that hears of work on a store, or nothing where the app gave none.
pub(crate) fn store(callback: UniquePtr<StoreCallback>) -> Option<Arc<dyn StoreProgress>> {
    (!callback.is_null()).then(|| Arc::new(Store(callback)) as _)
}

/// The function that receives the log, or nothing where the app gave none.
pub(crate) fn sink(callback: UniquePtr<LogCallback>) -> Option<Arc<dyn LogSink>> {
    (!callback.is_null()).then(|| Arc::new(Sink(callback)) as _)
}

struct Progress(UniquePtr<ProgressCallback>);

impl LoadProgress for Progress {
    fn loaded(&self, share: f32) -> Result<(), CallbackError> {
        outcome(self.0.loaded(share))
    }
}

struct Pull(UniquePtr<PullCallback>);

impl PullProgress for Pull {
    fn pulled(&self, source: String, done: u64, total: u64) -> Result<(), CallbackError> {
        outcome(self.0.pulled(&source, done, total))
    }
}

struct Verify(UniquePtr<VerifyCallback>);

impl VerifyProgress for Verify {
    fn verified(&self, subject: String, done: u32, total: u32) -> Result<(), CallbackError> {
        outcome(self.0.verified(&subject, done, total))
    }
}

struct Store(UniquePtr<StoreCallback>);

impl StoreProgress for Store {
    fn processed(&self, done: u64, total: u64) -> Result<(), CallbackError> {
        outcome(self.0.processed(done, total))
    }
}

struct Sink(UniquePtr<LogCallback>);

impl LogSink for Sink {
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), CallbackError> {
        let level = match level {
            LogLevel::Error => ffi::LogLevel::Error,
            LogLevel::Warn => ffi::LogLevel::Warn,
            LogLevel::Info => ffi::LogLevel::Info,
            LogLevel::Debug => ffi::LogLevel::Debug,
            LogLevel::Trace => ffi::LogLevel::Trace,
        };
        outcome(self.0.log(level, &target, &message))
    }
}

fn outcome(done: bool) -> Result<(), CallbackError> {
    if done { Ok(()) } else { Err(CallbackError::Failed) }
}
