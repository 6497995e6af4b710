//! Lists of files of a store.

use std::ptr;
use std::time::UNIX_EPOCH;

use super::boundary::{self, borrow, call, quiet};
use super::machine::item;
use super::sized::{self, Versioned};
use super::text::{Text, Texts};
use super::{PINFOLD_NONE, pinfold_error, pinfold_status, pinfold_string};
use crate::api::{DamagedEntry, StoreEntry};

/// A file of a store. Set `struct_size` before `pinfold_store_entries_get` fills it. Its texts belong to the list.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_store_entry {
    /// `sizeof(pinfold_store_entry)`.
    pub struct_size: usize,
    /// Its SHA-256, in hexadecimal.
    pub digest: pinfold_string,
    /// Where it is.
    pub path: pinfold_string,
    /// In the list of `pinfold_store_verify`, the SHA-256 that its bytes have now, in hexadecimal; else NULL.
    pub actual_digest: pinfold_string,
    /// The lock files, among those that were pulled here and still exist, that pin it.
    pub pinned_by: *const pinfold_string,
    /// Their number.
    pub pinned_by_length: usize,
    /// Its bytes.
    pub size: u64,
    /// When it was last resolved, in seconds since 1970; `PINFOLD_NONE` for never.
    pub used: i64,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_store_entry {
    const NAME: &'static str = "pinfold_store_entry";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            digest: pinfold_string::NONE,
            path: pinfold_string::NONE,
            actual_digest: pinfold_string::NONE,
            pinned_by: ptr::null(),
            pinned_by_length: 0,
            size: 0,
            used: PINFOLD_NONE,
        }
    }
}

/// A list of files of a store.
///
/// Freed by: you, with `pinfold_store_entries_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_store_entries(Vec<Entry>);

struct Entry {
    digest: Text,
    path: Text,
    actual_digest: Option<Text>,
    pinned_by: Texts,
    size: u64,
    used: i64,
}

impl Entry {
    fn new(entry: StoreEntry, actual_digest: Option<String>) -> Self {
        let used = entry.used.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            digest: Text::new(entry.digest),
            path: Text::new(entry.path),
            actual_digest: actual_digest.map(Text::new),
            pinned_by: Texts::new(entry.pinned_by),
            size: entry.size,
            used: used.map_or(PINFOLD_NONE, |time| time.as_secs() as i64),
        }
    }
}

impl From<Vec<StoreEntry>> for pinfold_store_entries {
    fn from(entries: Vec<StoreEntry>) -> Self {
        Self(entries.into_iter().map(|entry| Entry::new(entry, None)).collect())
    }
}

impl From<Vec<DamagedEntry>> for pinfold_store_entries {
    fn from(entries: Vec<DamagedEntry>) -> Self {
        let entries = entries.into_iter();
        Self(entries.map(|damaged| Entry::new(damaged.entry, Some(damaged.actual_digest))).collect())
    }
}

/// The number of files; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_entries_length(entries: *const pinfold_store_entries) -> usize {
    quiet(0, || unsafe { entries.as_ref() }.map_or(0, |entries| entries.0.len()))
}

/// The file at `index`, counted from 0. Its texts are valid until the list is freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_entries_get(
    entries: *const pinfold_store_entries,
    index: usize,
    entry_out: *mut pinfold_store_entry,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let found = item(&borrow(entries, "entries")?.0, index)?;
            let entry = pinfold_store_entry {
                digest: found.digest.borrowed(),
                path: found.path.borrowed(),
                actual_digest: pinfold_string::optional(found.actual_digest.as_ref()),
                pinned_by: found.pinned_by.data(),
                pinned_by_length: found.pinned_by.length(),
                size: found.size,
                used: found.used,
                ..pinfold_store_entry::defaults()
            };
            sized::write(entry_out, &entry)
        })
    }
}

/// Frees the list; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_entries_free(entries: *mut pinfold_store_entries) {
    unsafe { boundary::free(entries) }
}
