//! Ctrl-C.

use std::sync::{Arc, Mutex, PoisonError};

use pinfold::Cancel;

use crate::output::{Exit, Failure};

/// What Ctrl-C does: it cancels the work under way.
pub struct Interrupt(Arc<Mutex<Option<Cancel>>>);

impl Interrupt {
    /// Takes over Ctrl-C, once in a program. With `ends` it ends the program where nothing is left to
    /// cancel: a second time, or between two pieces of work.
    pub fn install(ends: bool) -> Result<Self, Failure> {
        let current = Arc::new(Mutex::new(None::<Cancel>));
        let shared = current.clone();
        let installed =
            ctrlc::set_handler(move || match &*shared.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(cancel) if !cancel.is_cancelled() => cancel.cancel(),
                _ if ends => std::process::exit(Exit::Cancelled as i32),
                _ => {}
            });
        installed.map_err(|error| Failure::new(Exit::Failed, "io", format!("Ctrl-C: {error}")))?;
        Ok(Self(current))
    }

    /// Begins work: the flag that Ctrl-C sets until [`rest`](Self::rest).
    pub fn work(&self) -> Cancel {
        let cancel = Cancel::new();
        self.set(Some(cancel.clone()));
        cancel
    }

    /// The work is done.
    pub fn rest(&self) {
        self.set(None);
    }

    fn set(&self, cancel: Option<Cancel>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cancel;
    }
}
