//! What an app hears of long work, and how its functions stop it.

use std::sync::Arc;

use super::{CallbackError, Cancel, PinfoldError, Result, cancel::or_never};

/// What an app hears of a load.
#[uniffi::export(with_foreign)]
pub trait LoadProgress: Send + Sync {
    /// Called with the share that is loaded, 0 to 1, on the thread that loads. If it fails, the load ends with
    /// the error `Callback`.
    fn loaded(&self, share: f32) -> Result<(), CallbackError>;
}

/// What an app hears of a download.
#[uniffi::export(with_foreign)]
pub trait PullProgress: Send + Sync {
    /// Called about ten times a second on the thread that pulls, with the source that is read, the bytes that are
    /// on this machine, those of earlier attempts included, and the bytes in all, 0 as long as that is not known. If
    /// it fails, the pull ends with the error `Callback`; what arrived is kept for the next attempt.
    fn pulled(&self, source: String, done: u64, total: u64) -> Result<(), CallbackError>;
}

/// What an app hears of a verification.
#[uniffi::export(with_foreign)]
pub trait VerifyProgress: Send + Sync {
    /// Called on the thread that verifies, with what is looked at, empty once all is done, the number of things that
    /// are done and of those there are. If it fails, the verification ends with the error `Callback`.
    fn verified(&self, subject: String, done: u32, total: u32) -> Result<(), CallbackError>;
}

/// What an app hears of work on the files of a store.
#[uniffi::export(with_foreign)]
pub trait StoreProgress: Send + Sync {
    /// Called on the thread that works, with the bytes that are done and those there are in all. If it fails, the
    /// work ends with the error `Callback`.
    fn processed(&self, done: u64, total: u64) -> Result<(), CallbackError>;
}

/// Runs `work` with an app's cancel and progress: it tells what the app's function said, and one that failed stops
/// the work and is its error. The app's own flag is not set by that.
pub(super) fn watched<T>(
    work_name: &str,
    cancel: Option<Arc<Cancel>>,
    work: impl FnOnce(pinfold::Cancel, &mut dyn FnMut(Result<(), CallbackError>)) -> pinfold::Result<T>,
) -> Result<T> {
    let stop = or_never(cancel).child();
    let mut failure = None;
    let mut hear = |said: Result<(), CallbackError>| {
        if let Err(error) = said {
            failure = Some(error);
            stop.cancel();
        }
    };
    let done = work(stop.clone(), &mut hear);
    match failure {
        Some(error) => Err(PinfoldError::Callback(format!("progress of the {work_name}: {error}"))),
        None => Ok(done?),
    }
}
