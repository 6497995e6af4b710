//! Structs that begin with their size, so that they can grow: an older program passes a shorter one.

use std::ptr;

use super::boundary::{Failure, Outcome};

/// No struct will ever be longer; a greater `struct_size` is one that was never set.
const LONGEST: usize = 4096;

/// A struct of the header that begins with `struct_size`.
///
/// # Safety
/// `repr(C)`, its first field is `struct_size: usize`, and every byte of it may hold any value that C can put there.
pub(super) unsafe trait Versioned: Sized {
    /// The header's name.
    const NAME: &'static str;
    /// The sizes that it had in former versions; fields are added at its end alone, where no padding was.
    const FORMER: &'static [usize];

    /// What it holds if nothing is said.
    fn defaults() -> Self;
}

/// What C gives; the defaults for NULL and for what a shorter struct lacks.
///
/// # Safety
/// `given` is NULL, or points to as many bytes as its `struct_size` says.
pub(super) unsafe fn read<T: Versioned>(given: *const T) -> Outcome<T> {
    let mut value = T::defaults();
    if !given.is_null() {
        // SAFETY: the struct begins with its size.
        let size = unsafe { given.cast::<usize>().read_unaligned() };
        check::<T>(size)?;
        let known = size_of::<T>();
        // SAFETY: `size` bytes may be read.
        let beyond = unsafe { bytes(given.cast(), size) }.skip(known);
        if let Some(index) = beyond.enumerate().find(|&(_, byte)| byte != 0).map(|(index, _)| known + index) {
            let reason = format!("byte {index} is set, but this version knows {known} bytes");
            return Err(Failure::StructSize(T::NAME, reason));
        }
        let both = size.min(known);
        // SAFETY: any bytes are a value of `T`; copying bytes keeps what pointers point to.
        unsafe { ptr::copy_nonoverlapping(given.cast::<u8>(), (&raw mut value).cast::<u8>(), both) };
    }
    Ok(value)
}

/// Writes to C's struct as much as it holds; what this version does not know becomes zero.
///
/// # Safety
/// `place` is NULL, or as many bytes as its `struct_size` says may be written.
pub(super) unsafe fn write<T: Versioned>(place: *mut T, value: &T) -> Outcome {
    if place.is_null() {
        return Err(Failure::Null(T::NAME));
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { place.cast::<usize>().read_unaligned() };
    check::<T>(size)?;
    // SAFETY: `size` bytes may be written.
    unsafe { fill(place, size, value) };
    Ok(())
}

/// Fills `size` bytes at `place` with the defaults; does nothing for NULL or a size that no version had.
///
/// # Safety
/// `place` is NULL, or `size` bytes may be written there.
pub(super) unsafe fn init<T: Versioned>(place: *mut T, size: usize) {
    if !place.is_null() && check::<T>(size).is_ok() {
        // SAFETY: by the contract of this function.
        unsafe { fill(place, size, &T::defaults()) };
    }
}

/// # Safety
/// `size` bytes may be written at `place`.
unsafe fn fill<T: Versioned>(place: *mut T, size: usize, value: &T) {
    let both = size.min(size_of::<T>());
    // SAFETY: by the contract of this function; `value` is as long as `T`.
    unsafe {
        ptr::copy_nonoverlapping(ptr::from_ref(value).cast::<u8>(), place.cast::<u8>(), both);
        ptr::write_bytes(place.cast::<u8>().add(both), 0, size - both);
        place.cast::<usize>().write_unaligned(size);
    }
}

fn check<T: Versioned>(size: usize) -> Outcome {
    if (size_of::<T>()..=LONGEST).contains(&size) || T::FORMER.contains(&size) {
        return Ok(());
    }
    let reason = format!("{size}, but no version of the struct was that long; it must be its sizeof");
    Err(Failure::StructSize(T::NAME, reason))
}

/// # Safety
/// `size` bytes may be read at `start` while the iterator lives.
unsafe fn bytes(start: *const u8, size: usize) -> impl Iterator<Item = u8> {
    // SAFETY: by the contract of this function.
    (0..size).map(move |index| unsafe { start.add(index).read() })
}
