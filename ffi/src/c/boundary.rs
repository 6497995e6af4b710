//! The boundary that every body runs in, and the checks of what C gives.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::{
    PINFOLD_ERROR_NULL_ARGUMENT, PINFOLD_ERROR_PANIC, PINFOLD_ERROR_STRUCT_SIZE, PINFOLD_OK, pinfold_error,
    pinfold_status, pinfold_string,
};
use crate::api::PinfoldError;

/// Why a call failed: an error of the API, or one that only C knows.
#[derive(Debug)]
pub(super) enum Failure {
    Api(PinfoldError),
    /// The argument of this name is NULL.
    Null(&'static str),
    /// The struct of this name has a `struct_size` that no version had, or asks for what this one lacks.
    StructSize(&'static str, String),
    /// A bug of ours.
    Panic,
}

impl From<PinfoldError> for Failure {
    fn from(error: PinfoldError) -> Self {
        Self::Api(error)
    }
}

impl Failure {
    pub(super) fn status(&self) -> pinfold_status {
        match self {
            Self::Api(error) => error.status(),
            Self::Null(_) => PINFOLD_ERROR_NULL_ARGUMENT,
            Self::StructSize(..) => PINFOLD_ERROR_STRUCT_SIZE,
            Self::Panic => PINFOLD_ERROR_PANIC,
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::Api(error) => error.to_string(),
            Self::Null(name) => format!("{name} is NULL"),
            Self::StructSize(name, reason) => format!("struct_size of {name}: {reason}"),
            Self::Panic => "a bug in Pinfold: it panicked; free the handles of this call".to_owned(),
        }
    }
}

pub(super) type Outcome<T = ()> = Result<T, Failure>;

/// Runs the body of a call that can fail, and gives its failure as a status and, if wanted, an error.
///
/// # Safety
/// `error_out` is NULL or may be written.
pub(super) unsafe fn call(
    error_out: *mut *mut pinfold_error,
    body: impl FnOnce() -> Outcome,
) -> pinfold_status {
    // What a panic may have left half done is behind locks that say so; nothing else is shared.
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or(Err(Failure::Panic));
    let (status, error) = match outcome {
        Ok(()) => (PINFOLD_OK, ptr::null_mut()),
        Err(failure) if error_out.is_null() => (failure.status(), ptr::null_mut()),
        Err(failure) => (failure.status(), pinfold_error::from(failure).into_handle()),
    };
    if !error_out.is_null() {
        // SAFETY: by the contract of this function.
        unsafe { *error_out = error };
    }
    status
}

/// Runs the body of a call that cannot fail; `otherwise` is its value should it panic all the same.
pub(super) fn quiet<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// What is given to C as a pointer that it frees with the function of its type.
pub(super) trait Handle: Sized {
    fn into_handle(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }
}

impl<T> Handle for T {}

/// Frees a handle; NULL does nothing.
///
/// # Safety
/// `handle` is NULL or came from [`Handle::into_handle`] and is used no more.
pub(super) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: by the contract of this function.
        quiet((), || drop(unsafe { Box::from_raw(handle) }));
    }
}

/// The content of a handle.
///
/// # Safety
/// `handle` is NULL or a live handle.
pub(super) unsafe fn borrow<'a, T>(handle: *const T, name: &'static str) -> Outcome<&'a T> {
    // SAFETY: by the contract of this function.
    unsafe { handle.as_ref() }.ok_or(Failure::Null(name))
}

/// Where a handle goes. Made first in a body: from then on the caller's pointer is NULL until the call succeeds.
pub(super) struct Out<T>(*mut *mut T);

impl<T> Out<T> {
    /// # Safety
    /// `pointer` is NULL or may be written until the call ends.
    pub(super) unsafe fn new(pointer: *mut *mut T, name: &'static str) -> Outcome<Self> {
        if pointer.is_null() {
            return Err(Failure::Null(name));
        }
        // SAFETY: by the contract of this function.
        unsafe { *pointer = ptr::null_mut() };
        Ok(Self(pointer))
    }

    pub(super) fn give(self, value: T) -> Outcome {
        // SAFETY: by the contract of `new`.
        unsafe { *self.0 = value.into_handle() };
        Ok(())
    }
}

/// Writes a value to where the caller wants it; NULL for nowhere.
///
/// # Safety
/// `pointer` is NULL or may be written.
pub(super) unsafe fn put<T>(pointer: *mut T, value: T) {
    if !pointer.is_null() {
        // SAFETY: by the contract of this function.
        unsafe { pointer.write(value) };
    }
}

/// The array of `length` items at `data`, which may be NULL if it is empty.
///
/// # Safety
/// `data` is NULL, or points to `length` items that live and do not change for `'a`.
pub(super) unsafe fn slice<'a, T>(data: *const T, length: usize, name: &'static str) -> Outcome<&'a [T]> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::Null(name));
    }
    if length > isize::MAX as usize / size_of::<T>().max(1) {
        let what = format!("{name}: a length of {length}, but no array is that long");
        return Err(PinfoldError::InvalidOption(what).into());
    }
    // SAFETY: by the contract of this function; the length was checked.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// The text of `length` bytes at `data`.
///
/// # Safety
/// As for [`slice`].
pub(super) unsafe fn text<'a>(data: *const c_char, length: usize, name: &'static str) -> Outcome<&'a str> {
    // SAFETY: by the contract of this function.
    let bytes = unsafe { slice(data.cast::<u8>(), length, name) }?;
    std::str::from_utf8(bytes).map_err(|error| {
        let what = format!("{name} is not UTF-8: byte {} of {length}", error.valid_up_to());
        PinfoldError::InvalidText(what).into()
    })
}

/// The text of `length` bytes at `data`; none if `data` is NULL.
///
/// # Safety
/// As for [`slice`].
pub(super) unsafe fn optional_text(
    data: *const c_char,
    length: usize,
    name: &'static str,
) -> Outcome<Option<String>> {
    if data.is_null() && length == 0 {
        return Ok(None);
    }
    // SAFETY: by the contract of this function.
    unsafe { text(data, length, name) }.map(|text| Some(text.to_owned()))
}

/// The texts at `data`.
///
/// # Safety
/// `data` points to `length` texts.
pub(super) unsafe fn texts(
    data: *const pinfold_string,
    length: usize,
    name: &'static str,
) -> Outcome<Vec<String>> {
    // SAFETY: by the contract of this function.
    let entries = unsafe { slice(data, length, name) }?;
    // SAFETY: as above.
    entries.iter().map(|entry| unsafe { text(entry.data, entry.length, name) }.map(str::to_owned)).collect()
}

/// An optional number: -1 for none.
pub(super) fn optional(number: i64, name: &'static str) -> Outcome<Option<u32>> {
    if number == super::PINFOLD_NONE {
        return Ok(None);
    }
    let what = || format!("{name}: {number}, but it must be a number of 32 bits, or PINFOLD_NONE");
    u32::try_from(number).map(Some).map_err(|_| PinfoldError::InvalidOption(what()).into())
}

/// A field that has no meaning yet: 0.
pub(super) fn reserved(number: u32, offset: usize, name: &'static str) -> Outcome {
    if number == 0 {
        return Ok(());
    }
    let reason = format!("byte {offset} is set, but this version knows no meaning of it");
    Err(Failure::StructSize(name, reason))
}

/// A flag: 0 or 1.
pub(super) fn flag(number: u32, name: &'static str) -> Outcome<bool> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(PinfoldError::InvalidOption(format!("{name}: {number}, but it must be 0 or 1")).into()),
    }
}
