//! A lock file: what an app runs, pinned by digest.

use std::collections::BTreeMap;
use std::ffi::c_char;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use super::boundary::{self, Failure, Out, Outcome, borrow, call, quiet, slice, text};
use super::model::Load;
use super::pins::{Adapter, Checkpoint, Golden};
use super::sized;
use super::text::Text;
use super::{
    cancel, pinfold_cancel, pinfold_error, pinfold_generate_options, pinfold_logit_bias, pinfold_model,
    pinfold_model_options, pinfold_pull_options, pinfold_status, pinfold_store, pinfold_text,
    pinfold_verify_options, pinfold_verify_report,
};
use crate::api::LockFile;

/// A lock file that was read: what an app runs, each checkpoint pinned by its digest. It shows the file as it was when
/// it was opened.
///
/// Freed by: you, with `pinfold_lock_file_free`. Threads: any, several at once. May outlive: everything; and what came
/// of it, models too, goes on if it is freed before.
pub struct pinfold_lock_file {
    lock_file: LockFile,
    path: Text,
    pub(super) checkpoints: Vec<Checkpoint>,
    pub(super) adapters: Vec<Adapter>,
    pub(super) goldens: Vec<Golden>,
    /// What the options of named settings of the sampler point to.
    biases: Mutex<BTreeMap<String, Box<[pinfold_logit_bias]>>>,
}

impl From<LockFile> for pinfold_lock_file {
    fn from(lock_file: LockFile) -> Self {
        Self {
            path: Text::new(lock_file.path()),
            checkpoints: lock_file.checkpoints().into_iter().map(Checkpoint::from).collect(),
            adapters: lock_file.adapters().into_iter().map(Adapter::from).collect(),
            goldens: lock_file.goldens().into_iter().map(Golden::from).collect(),
            biases: Mutex::default(),
            lock_file,
        }
    }
}

/// Reads the lock file at `path`.
///
/// Fails with `PINFOLD_ERROR_IO`, or `BAD_LOCK`, whose message begins with the path, the line and the column.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_open(
    path: *const c_char,
    path_length: usize,
    lock_file_out: *mut *mut pinfold_lock_file,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(lock_file_out, "lock_file_out")?;
            out.give(LockFile::open(text(path, path_length, "path")?)?.into())
        })
    }
}

/// Reads a lock file that is signed: `PATH.minisig` beside it, as `minisign -Sm PATH` writes it. `public_key` is the key
/// that the app embeds: the 56 characters of base64, or the whole text of a `.pub` file.
///
/// Fails as `pinfold_lock_file_open`, and with `PINFOLD_ERROR_BAD_SIGNATURE`, also if there is no signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_open_signed(
    path: *const c_char,
    path_length: usize,
    public_key: *const c_char,
    public_key_length: usize,
    lock_file_out: *mut *mut pinfold_lock_file,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(lock_file_out, "lock_file_out")?;
            let path = text(path, path_length, "path")?;
            out.give(LockFile::open_signed(path, text(public_key, public_key_length, "public_key")?)?.into())
        })
    }
}

/// Reads the bytes of a lock file that the app has by other means, say embedded; `path` is for messages, and its folder
/// what `file:` sources are relative to.
///
/// Fails with `PINFOLD_ERROR_BAD_LOCK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_open_bytes(
    path: *const c_char,
    path_length: usize,
    bytes: *const u8,
    bytes_length: usize,
    lock_file_out: *mut *mut pinfold_lock_file,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(lock_file_out, "lock_file_out")?;
            let path = text(path, path_length, "path")?;
            out.give(LockFile::open_bytes(path, slice(bytes, bytes_length, "bytes")?)?.into())
        })
    }
}

/// Reads the nearest `pinfold.lock`: in `folder`, or else in the nearest folder around it that has one.
///
/// Fails with `PINFOLD_ERROR_IO` if there is none, and as `pinfold_lock_file_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_find(
    folder: *const c_char,
    folder_length: usize,
    lock_file_out: *mut *mut pinfold_lock_file,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(lock_file_out, "lock_file_out")?;
            out.give(LockFile::find(text(folder, folder_length, "folder")?)?.into())
        })
    }
}

/// The path of the file, ending with a zero byte; valid until the lock file is freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_path(lock_file: *const pinfold_lock_file) -> *const c_char {
    quiet(ptr::null(), || {
        unsafe { lock_file.as_ref() }.map_or(ptr::null(), |lock_file| lock_file.path.data())
    })
}

/// Sets the fields of `options` that say how tokens are chosen to the settings of the sampler that have this name; the
/// others stay. Fill `options` with `pinfold_generate_options_init` before. Its `logit_bias` is valid until the lock
/// file is freed.
///
/// Fails with `PINFOLD_ERROR_NOT_PINNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_sampling(
    lock_file: *const pinfold_lock_file,
    name: *const c_char,
    name_length: usize,
    options: *mut pinfold_generate_options,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let handle = borrow(lock_file, "lock_file")?;
            let name = text(name, name_length, "name")?;
            if options.is_null() {
                return Err(Failure::Null("options"));
            }
            let mut set = sized::read(options)?;
            let sampling = handle.lock_file.sampling(name)?;
            let mut biases = handle.biases.lock().unwrap_or_else(PoisonError::into_inner);
            let bias = biases.entry(name.to_owned()).or_insert_with(|| {
                let biases = sampling.logit_bias.iter();
                biases.map(|(token, &bias)| pinfold_logit_bias { token: token.0, bias }).collect()
            });
            set.set_sampling(&sampling, bias);
            sized::write(options, &set)
        })
    }
}

/// Gives the path of a file with exactly the bytes that the checkpoint or adapter `name` is pinned to: of the store, or
/// else of a `file:` source. Nothing is downloaded. A file that was hashed is not hashed again as long as it is not
/// touched; with `full_check` it always is.
///
/// Fails with `PINFOLD_ERROR_NOT_PINNED`, `NOT_PULLED`, `WRONG_DIGEST`, `BAD_LOCK` if the pinned size is wrong, `IO`, or
/// `INVALID_TEXT` if the path is not Unicode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_resolve(
    lock_file: *const pinfold_lock_file,
    name: *const c_char,
    name_length: usize,
    store: *const pinfold_store,
    full_check: bool,
    path_out: *mut *mut pinfold_text,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(path_out, "path_out")?;
            let (lock_file, name, store) = pinned(lock_file, name, name_length, store)?;
            let file = lock_file.resolve(name, &store.store, full_check)?;
            out.give(pinfold_text(Text::new(file.path)))
        })
    }
}

/// Checks that the file of `name`, which is resolved, is signed by `public_key` with the signature that the lock file
/// carries. The key is one that the app embeds: the 56 characters of base64, or the text of a `.pub` file.
///
/// Fails with `PINFOLD_ERROR_BAD_SIGNATURE`, also if there is no signature, and as `pinfold_lock_file_resolve`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_check_signature(
    lock_file: *const pinfold_lock_file,
    name: *const c_char,
    name_length: usize,
    store: *const pinfold_store,
    public_key: *const c_char,
    public_key_length: usize,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let (lock_file, name, store) = pinned(lock_file, name, name_length, store)?;
            let key = text(public_key, public_key_length, "public_key")?;
            Ok(lock_file.check_signature(name, &store.store, key)?)
        })
    }
}

/// Brings the bytes of the checkpoint or adapter `name` into the store, unless they are there, and gives the path of
/// their file. `options` may be NULL for the defaults, `cancel` NULL if nobody stops it.
///
/// Fails with `PINFOLD_ERROR_NOT_PINNED`, `PULL_FAILED`, `NO_SPACE`, `INVALID_OPTION`, `IO`, `CANCELLED`, `CALLBACK` if
/// the progress function failed, or `INVALID_TEXT` if the path is not Unicode. What arrived is kept for the next
/// attempt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_pull(
    lock_file: *const pinfold_lock_file,
    name: *const c_char,
    name_length: usize,
    store: *const pinfold_store,
    options: *const pinfold_pull_options,
    cancel: *const pinfold_cancel,
    path_out: *mut *mut pinfold_text,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(path_out, "path_out")?;
            let (lock_file, name, store) = pinned(lock_file, name, name_length, store)?;
            let given = sized::read(options)?;
            let (options, progress, cancel) = (given.to_api()?, given.listener(), cancel::given(cancel));
            let file = lock_file.pull(name, &store.store, options, progress, cancel)?;
            out.give(pinfold_text(Text::new(file.path)))
        })
    }
}

/// Loads the checkpoint `name`: resolves it, and opens exactly those bytes. `options` may be NULL for the defaults,
/// `cancel` NULL if nobody stops it.
///
/// Fails as `pinfold_lock_file_resolve` and `pinfold_model_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_load(
    lock_file: *const pinfold_lock_file,
    name: *const c_char,
    name_length: usize,
    store: *const pinfold_store,
    options: *const pinfold_model_options,
    cancel: *const pinfold_cancel,
    model_out: *mut *mut pinfold_model,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(model_out, "model_out")?;
            let (lock_file, name, store) = pinned(lock_file, name, name_length, store)?;
            let Load { options, progress, cancel } = Load::new(options, cancel)?;
            out.give(lock_file.load(name, &store.store, options, progress, cancel)?.into())
        })
    }
}

/// Checks the files, and replays the goldens. What is wrong with a pin stands in the report. `options` may be NULL for
/// the defaults, `cancel` NULL if nobody stops it.
///
/// Fails with `PINFOLD_ERROR_NOT_PINNED` for an unknown name, `INVALID_OPTION`, `CANCELLED`, or `CALLBACK` if the
/// progress function failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_verify(
    lock_file: *const pinfold_lock_file,
    store: *const pinfold_store,
    options: *const pinfold_verify_options,
    cancel: *const pinfold_cancel,
    report_out: *mut *mut pinfold_verify_report,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(report_out, "report_out")?;
            let lock_file = &borrow(lock_file, "lock_file")?.lock_file;
            let store = &borrow(store, "store")?.store;
            let given = sized::read(options)?;
            let (options, progress, cancel) = (given.to_api()?, given.listener(), cancel::given(cancel));
            out.give(lock_file.verify(store, options, progress, cancel)?.into())
        })
    }
}

/// Frees the lock file; NULL does nothing. No other call on this handle may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_free(lock_file: *mut pinfold_lock_file) {
    unsafe { boundary::free(lock_file) }
}

/// What is asked for a name: the lock file, the name and the store.
///
/// # Safety
/// The pointers are as the header says.
unsafe fn pinned<'a>(
    lock_file: *const pinfold_lock_file,
    name: *const c_char,
    name_length: usize,
    store: *const pinfold_store,
) -> Outcome<(&'a LockFile, &'a str, &'a pinfold_store)> {
    // SAFETY: by the contract of this function.
    unsafe {
        let lock_file = &borrow(lock_file, "lock_file")?.lock_file;
        Ok((lock_file, text(name, name_length, "name")?, borrow(store, "store")?))
    }
}
