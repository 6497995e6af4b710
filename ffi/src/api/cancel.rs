//! The flag that stops work from another thread.

/// A flag that stops a load, a prefill or a generation from another thread.
///
/// Setting it takes no lock and never blocks. A flag that was set stays set: make a new one for new work.
#[derive(Debug, Default, uniffi::Object)]
pub struct Cancel(pub(crate) pinfold::Cancel);

#[uniffi::export]
impl Cancel {
    /// A flag that is not set.
    #[uniffi::constructor]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop; it does so within one decode step or one slice of a prefill.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether `cancel` was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// The flag that was given, or one that nobody sets.
pub(super) fn or_never(cancel: Option<std::sync::Arc<Cancel>>) -> pinfold::Cancel {
    cancel.map(|cancel| cancel.0.clone()).unwrap_or_default()
}
