//! Text on its way to C.

use std::ffi::c_char;
use std::ptr;

use super::boundary::{self, quiet};

/// Bytes of UTF-8 that end with a zero byte, which the length does not count.
pub(super) struct Text(Box<[u8]>);

impl Text {
    pub(super) fn new(text: impl Into<String>) -> Self {
        let mut bytes = text.into().into_bytes();
        bytes.reserve_exact(1);
        bytes.push(0);
        Self(bytes.into_boxed_slice())
    }

    pub(super) fn data(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }

    pub(super) fn length(&self) -> usize {
        self.0.len() - 1
    }

    pub(super) fn borrowed(&self) -> pinfold_string {
        pinfold_string { data: self.data(), length: self.length() }
    }
}

/// A text that lies somewhere else: UTF-8, `length` bytes at `data`. What you pass needs no zero byte at its end; what
/// Pinfold gives has one, which the length does not count, and `data` is NULL where there is no text. This struct
/// never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_string {
    /// The bytes.
    pub data: *const c_char,
    /// Their number.
    pub length: usize,
}

impl pinfold_string {
    pub(super) const NONE: Self = Self { data: ptr::null(), length: 0 };

    pub(super) fn optional(text: Option<&Text>) -> Self {
        text.map_or(Self::NONE, Text::borrowed)
    }
}

/// Several texts, as an array of C's.
pub(super) struct Texts {
    /// What the strings point to.
    _texts: Vec<Text>,
    strings: Vec<pinfold_string>,
}

impl Texts {
    pub(super) fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let texts: Vec<Text> = texts.into_iter().map(Text::new).collect();
        Self { strings: texts.iter().map(Text::borrowed).collect(), _texts: texts }
    }

    pub(super) fn data(&self) -> *const pinfold_string {
        self.strings.as_ptr()
    }

    pub(super) fn length(&self) -> usize {
        self.strings.len()
    }
}

/// A text that Pinfold made.
///
/// Freed by: you, with `pinfold_text_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_text(pub(super) Text);

/// The text: UTF-8 that ends with a zero byte, which the length does not count; zero characters may stand inside as
/// well. Valid until the text is freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_text_data(text: *const pinfold_text) -> *const c_char {
    quiet(ptr::null(), || unsafe { text.as_ref() }.map_or(ptr::null(), |text| text.0.data()))
}

/// The number of bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_text_length(text: *const pinfold_text) -> usize {
    quiet(0, || unsafe { text.as_ref() }.map_or(0, |text| text.0.length()))
}

/// Frees the text; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_text_free(text: *mut pinfold_text) {
    unsafe { boundary::free(text) }
}
