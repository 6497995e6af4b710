//! How downloads are done, and what an app hears of them.

use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;

use super::boundary::{Outcome, optional_text, reserved};
use super::pinfold_string;
use super::sized::{self, Versioned};
use super::text::Text;
use crate::api::{CallbackError, PullOptions, PullProgress};

/// Hears of a download, about ten times a second: of `total` bytes, 0 as long as that is not known, `done` are on this
/// machine, those of earlier attempts included. `source`, which is read, is valid during the call alone. Called on the
/// thread that pulls, before the call returns. Return 0 to go on; anything else ends the pull with
/// `PINFOLD_ERROR_CALLBACK`, and what arrived is kept for the next attempt. It must not throw or `longjmp` out.
pub type pinfold_pull_progress =
    Option<unsafe extern "C" fn(user: *mut c_void, source: *const c_char, done: u64, total: u64) -> i32>;

/// How downloads are done. Fill it with `pinfold_pull_options_init`, then change what you want. All pointers are read
/// during the call alone.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_pull_options {
    /// `sizeof(pinfold_pull_options)`.
    pub struct_size: usize,
    /// The address of the Hugging Face Hub; NULL (at first) for `HF_ENDPOINT` of the environment, or else
    /// `https://huggingface.co`.
    pub hub_endpoint: pinfold_string,
    /// The Hub's access token; NULL (at first) for `HF_TOKEN` of the environment. It is sent to the endpoint only.
    pub hub_token: pinfold_string,
    /// A PEM file of certificates that are trusted beside Mozilla's; NULL (at first) for `SSL_CERT_FILE` of the
    /// environment.
    pub certificates: pinfold_string,
    /// Hears how far the download is; NULL for none.
    pub progress: pinfold_pull_progress,
    /// Given to `progress`.
    pub progress_user: *mut c_void,
    /// Connections for one file, 1 to 16; 4 at first.
    pub connections: u32,
    /// Attempts at one source before the next is tried, 1 to 100; 5 at first. Those that brought bytes do not count.
    pub attempts: u32,
    /// Milliseconds without a byte after which a connection is given up; 30000 at first.
    pub stall_timeout_ms: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: numbers, pointers and a nullable function pointer.
unsafe impl Versioned for pinfold_pull_options {
    const NAME: &'static str = "pinfold_pull_options";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        let plain = PullOptions::default();
        Self {
            struct_size: size_of::<Self>(),
            hub_endpoint: pinfold_string::NONE,
            hub_token: pinfold_string::NONE,
            certificates: pinfold_string::NONE,
            progress: None,
            progress_user: ptr::null_mut(),
            connections: plain.connections,
            attempts: plain.attempts,
            stall_timeout_ms: plain.stall_timeout_ms,
            reserved: 0,
        }
    }
}

impl pinfold_pull_options {
    /// # Safety
    /// Its pointers are as the header says.
    pub(super) unsafe fn to_api(self) -> Outcome<PullOptions> {
        reserved(self.reserved, offset_of!(Self, reserved), Self::NAME)?;
        // SAFETY: by the contract of this function.
        let given = |text: pinfold_string, name| unsafe { optional_text(text.data, text.length, name) };
        Ok(PullOptions {
            connections: self.connections,
            attempts: self.attempts,
            hub_endpoint: given(self.hub_endpoint, "hub_endpoint")?,
            hub_token: given(self.hub_token, "hub_token")?,
            certificates: given(self.certificates, "certificates")?,
            stall_timeout_ms: self.stall_timeout_ms,
        })
    }

    pub(super) fn listener(self) -> Option<Arc<dyn PullProgress>> {
        self.progress.map(|hear| Arc::new(Progress { hear, user: self.progress_user }) as _)
    }
}

/// Sets the defaults; `struct_size` is `sizeof(pinfold_pull_options)`. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_pull_options_init(
    options_out: *mut pinfold_pull_options,
    struct_size: usize,
) {
    unsafe { sized::init(options_out, struct_size) }
}

struct Progress {
    hear: unsafe extern "C" fn(*mut c_void, *const c_char, u64, u64) -> i32,
    user: *mut c_void,
}

// SAFETY: the pull calls it on the thread of C's call, while that lasts, and nowhere else.
unsafe impl Send for Progress {}
// SAFETY: as above.
unsafe impl Sync for Progress {}

impl PullProgress for Progress {
    fn pulled(&self, source: String, done: u64, total: u64) -> Result<(), CallbackError> {
        let source = Text::new(source);
        // SAFETY: C gave both together.
        match unsafe { (self.hear)(self.user, source.data(), done, total) } {
            0 => Ok(()),
            _ => Err(CallbackError::Failed),
        }
    }
}
