//! The bytes of pins on this machine.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::boundary::{self, Out, Outcome, borrow, call, optional_text, put, quiet, text, texts};
use super::sized::{self, Versioned};
use super::text::Text;
use super::{
    PINFOLD_NONE, cancel, pinfold_cancel, pinfold_error, pinfold_status, pinfold_store_entries,
    pinfold_string, pinfold_text,
};
use crate::api::{CallbackError, PinfoldError, Store, StoreOptions, StoreProgress};

/// Where a store is, and how large it may grow. Fill it with `pinfold_store_options_init`, then change what you want.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_store_options {
    /// `sizeof(pinfold_store_options)`.
    pub struct_size: usize,
    /// Its folder; NULL (at first) for `PINFOLD_STORE` of the environment, or else `pinfold` in the user's data folder.
    pub root: pinfold_string,
    /// Bytes that its files may take together; `PINFOLD_NONE` (at first) for `PINFOLD_STORE_QUOTA` of the environment,
    /// or else no limit.
    pub quota: i64,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_store_options {
    const NAME: &'static str = "pinfold_store_options";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self { struct_size: size_of::<Self>(), root: pinfold_string::NONE, quota: PINFOLD_NONE }
    }
}

impl pinfold_store_options {
    /// # Safety
    /// Its text is as the header says.
    pub(super) unsafe fn to_api(self) -> Outcome<StoreOptions> {
        // SAFETY: by the contract of this function.
        let root = unsafe { optional_text(self.root.data, self.root.length, "root") }?;
        let what = || format!("quota: {}, but it must be a number of bytes, or PINFOLD_NONE", self.quota);
        let quota = match self.quota {
            PINFOLD_NONE => None,
            quota => Some(u64::try_from(quota).map_err(|_| PinfoldError::InvalidOption(what()))?),
        };
        Ok(StoreOptions { root, quota })
    }
}

/// Sets the defaults; `struct_size` is `sizeof(pinfold_store_options)`. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_options_init(
    options_out: *mut pinfold_store_options,
    struct_size: usize,
) {
    unsafe { sized::init(options_out, struct_size) }
}

/// Hears of work on the files of a store: `done` of `total` bytes. Called on the thread that works, before the call
/// returns. Return 0 to go on; anything else ends the work with `PINFOLD_ERROR_CALLBACK`. It must not throw or
/// `longjmp` out.
pub type pinfold_store_progress =
    Option<unsafe extern "C" fn(user: *mut c_void, done: u64, total: u64) -> i32>;

struct Progress {
    hear: unsafe extern "C" fn(*mut c_void, u64, u64) -> i32,
    user: *mut c_void,
}

// SAFETY: the work calls it on the thread of C's call, while that lasts, and nowhere else.
unsafe impl Send for Progress {}
// SAFETY: as above.
unsafe impl Sync for Progress {}

impl StoreProgress for Progress {
    fn processed(&self, done: u64, total: u64) -> Result<(), CallbackError> {
        // SAFETY: C gave both together.
        if unsafe { (self.hear)(self.user, done, total) } == 0 { Ok(()) } else { Err(CallbackError::Failed) }
    }
}

fn progress(hear: pinfold_store_progress, user: *mut c_void) -> Option<Arc<dyn StoreProgress>> {
    hear.map(|hear| Arc::new(Progress { hear, user }) as Arc<dyn StoreProgress>)
}

/// The bytes of pins on this machine, each file under its digest: a folder that all processes of a user share.
///
/// Freed by: you, with `pinfold_store_free`. Threads: any, several at once, beside other processes. May outlive:
/// everything.
pub struct pinfold_store {
    pub(super) store: Store,
    root: Text,
}

/// Opens the store, and makes its folders if they are missing. `options` may be NULL for the defaults.
///
/// Fails with `PINFOLD_ERROR_IO`, `BAD_STORE`, or `INVALID_TEXT` if the path of its folder is not Unicode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_open(
    options: *const pinfold_store_options,
    store_out: *mut *mut pinfold_store,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(store_out, "store_out")?;
            let store = Store::open(sized::read(options)?.to_api()?)?;
            let root = Text::new(store.root());
            out.give(pinfold_store { store, root })
        })
    }
}

/// Its folder, ending with a zero byte; valid until the store is freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_root(store: *const pinfold_store) -> *const c_char {
    quiet(std::ptr::null(), || unsafe { store.as_ref() }.map_or(std::ptr::null(), |store| store.root.data()))
}

/// Lists its files, in the order of their digests.
///
/// Fails with `PINFOLD_ERROR_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_list(
    store: *const pinfold_store,
    entries_out: *mut *mut pinfold_store_entries,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(entries_out, "entries_out")?;
            out.give(borrow(store, "store")?.store.entries()?.into())
        })
    }
}

/// Hashes the files of these digests, each in hexadecimal, or all if there are none, and lists those whose bytes were
/// changed. `progress` may be NULL; `progress_user` is given to it. `cancel` may be NULL.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` for a text that is no digest, `NOT_PULLED` for one that the store does not
/// have, `IO`, `CANCELLED` or `CALLBACK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_verify(
    store: *const pinfold_store,
    digests: *const pinfold_string,
    digests_length: usize,
    progress: pinfold_store_progress,
    progress_user: *mut c_void,
    cancel: *const pinfold_cancel,
    entries_out: *mut *mut pinfold_store_entries,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(entries_out, "entries_out")?;
            let digests = texts(digests, digests_length, "digests")?;
            let progress = self::progress(progress, progress_user);
            let store = &borrow(store, "store")?.store;
            out.give(store.verify(digests, progress, cancel::given(cancel))?.into())
        })
    }
}

/// Removes the file of this digest, which is in hexadecimal. `removed_out`, which may be NULL, gets false if the store
/// does not have it.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` for a text that is no digest, or `IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_remove(
    store: *const pinfold_store,
    digest: *const c_char,
    digest_length: usize,
    removed_out: *mut bool,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let digest = text(digest, digest_length, "digest")?;
            put(removed_out, borrow(store, "store")?.store.remove(digest)?);
            Ok(())
        })
    }
}

/// Removes what no known lock file pins, and what is left of downloads that nobody continues. With `dry_run` it only
/// lists what it would remove. Known are the lock files that were pulled here. `freed_out`, which may be NULL, gets the
/// bytes that were freed, those of unfinished downloads included.
///
/// Fails with `PINFOLD_ERROR_IO`, or `BAD_LOCK` of a known lock file: what it pins is not known then, and nothing is
/// removed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_collect(
    store: *const pinfold_store,
    dry_run: bool,
    entries_out: *mut *mut pinfold_store_entries,
    freed_out: *mut u64,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(entries_out, "entries_out")?;
            let collected = borrow(store, "store")?.store.collect(dry_run)?;
            put(freed_out, collected.freed);
            out.give(collected.removed.into())
        })
    }
}

/// Copies a file into the store and gives its digest, in hexadecimal. With `expected_digest`, which may be NULL, other
/// bytes are refused. `progress` may be NULL; `progress_user` is given to it. `cancel` may be NULL.
///
/// Fails with `PINFOLD_ERROR_IO`, `WRONG_DIGEST`, `NO_SPACE`, `INVALID_OPTION` for a text that is no digest, `CANCELLED`
/// or `CALLBACK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_import_file(
    store: *const pinfold_store,
    path: *const c_char,
    path_length: usize,
    expected_digest: *const c_char,
    expected_digest_length: usize,
    progress: pinfold_store_progress,
    progress_user: *mut c_void,
    cancel: *const pinfold_cancel,
    text_out: *mut *mut pinfold_text,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(text_out, "text_out")?;
            let path = text(path, path_length, "path")?;
            let expected = optional_text(expected_digest, expected_digest_length, "expected_digest")?;
            let progress = self::progress(progress, progress_user);
            let store = &borrow(store, "store")?.store;
            let digest = store.import_file(path, expected, progress, cancel::given(cancel))?;
            out.give(pinfold_text(Text::new(digest)))
        })
    }
}

/// Frees the store; NULL does nothing. Its files stay. No other call on this handle may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_free(store: *mut pinfold_store) {
    unsafe { boundary::free(store) }
}
