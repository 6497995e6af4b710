//! What a lock file pins.

use std::ptr;

use super::boundary::{borrow, call, quiet};
use super::lock_file::pinfold_lock_file;
use super::machine::item;
use super::sized::{self, Versioned};
use super::text::{Text, Texts};
use super::{pinfold_error, pinfold_status, pinfold_string};
use crate::api::{PinnedAdapter, PinnedCheckpoint, PinnedGolden};

/// A pinned checkpoint. Set `struct_size` before `pinfold_lock_file_checkpoint` fills it. Its texts belong to the lock
/// file.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_pinned_checkpoint {
    /// `sizeof(pinfold_pinned_checkpoint)`.
    pub struct_size: usize,
    /// Its name in the lock file.
    pub name: pinfold_string,
    /// Where the bytes can be had, as the lock file says it; tried in this order.
    pub sources: *const pinfold_string,
    /// The number of sources.
    pub sources_length: usize,
    /// The SHA-256 of the bytes, in hexadecimal.
    pub digest: pinfold_string,
    /// The licence of the weights, as an SPDX expression or in words.
    pub licence: pinfold_string,
    /// The architecture: `llama`, `bert`...
    pub architecture: pinfold_string,
    /// How the weights are quantized: `Q4_K_M`, `F16`...
    pub quantization: pinfold_string,
    /// The SHA-256 of all tokenizer metadata but the chat template, in hexadecimal.
    pub tokenizer_digest: pinfold_string,
    /// The SHA-256 of the chat template, in hexadecimal; may be NULL.
    pub chat_template_digest: pinfold_string,
    /// The number of bytes.
    pub size: u64,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// 1 if the lock file carries a signature of the bytes, else 0.
    pub is_signed: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_pinned_checkpoint {
    const NAME: &'static str = "pinfold_pinned_checkpoint";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            sources: ptr::null(),
            sources_length: 0,
            digest: pinfold_string::NONE,
            licence: pinfold_string::NONE,
            architecture: pinfold_string::NONE,
            quantization: pinfold_string::NONE,
            tokenizer_digest: pinfold_string::NONE,
            chat_template_digest: pinfold_string::NONE,
            size: 0,
            context_length: 0,
            is_signed: 0,
        }
    }
}

/// A pinned adapter (LoRA), bound to its base. Set `struct_size` before `pinfold_lock_file_adapter` fills it. Its texts
/// belong to the lock file.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_pinned_adapter {
    /// `sizeof(pinfold_pinned_adapter)`.
    pub struct_size: usize,
    /// Its name in the lock file.
    pub name: pinfold_string,
    /// Where the bytes can be had, as the lock file says it; tried in this order.
    pub sources: *const pinfold_string,
    /// The number of sources.
    pub sources_length: usize,
    /// The SHA-256 of the bytes, in hexadecimal.
    pub digest: pinfold_string,
    /// The licence of the weights, as an SPDX expression or in words.
    pub licence: pinfold_string,
    /// The architecture of the base.
    pub architecture: pinfold_string,
    /// The name of the base among the checkpoints of the same lock file.
    pub base: pinfold_string,
    /// The SHA-256 of the base, in hexadecimal.
    pub base_digest: pinfold_string,
    /// The number of bytes.
    pub size: u64,
    /// 1 if the lock file carries a signature of the bytes, else 0.
    pub is_signed: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_pinned_adapter {
    const NAME: &'static str = "pinfold_pinned_adapter";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            sources: ptr::null(),
            sources_length: 0,
            digest: pinfold_string::NONE,
            licence: pinfold_string::NONE,
            architecture: pinfold_string::NONE,
            base: pinfold_string::NONE,
            base_digest: pinfold_string::NONE,
            size: 0,
            is_signed: 0,
            reserved: 0,
        }
    }
}

/// A generation that was recorded, to be replayed by `pinfold_lock_file_verify`. Set `struct_size` before
/// `pinfold_lock_file_golden` fills it. Its texts belong to the lock file.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_pinned_golden {
    /// `sizeof(pinfold_pinned_golden)`.
    pub struct_size: usize,
    /// Its name in the lock file.
    pub name: pinfold_string,
    /// The name of its checkpoint in the same lock file.
    pub checkpoint: pinfold_string,
    /// The text that was generated.
    pub text: pinfold_string,
    /// The version of Pinfold that recorded it.
    pub runtime: pinfold_string,
    /// What computed it: `cpu x86_64-linux avx2`, `scripted`...
    pub backend: pinfold_string,
    /// The revision of llama.cpp.
    pub llama_cpp: pinfold_string,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_pinned_golden {
    const NAME: &'static str = "pinfold_pinned_golden";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            checkpoint: pinfold_string::NONE,
            text: pinfold_string::NONE,
            runtime: pinfold_string::NONE,
            backend: pinfold_string::NONE,
            llama_cpp: pinfold_string::NONE,
        }
    }
}

pub(super) struct Checkpoint {
    name: Text,
    sources: Texts,
    digest: Text,
    licence: Text,
    architecture: Text,
    quantization: Text,
    tokenizer_digest: Text,
    chat_template_digest: Option<Text>,
    size: u64,
    context_length: u32,
    signed: bool,
}

impl From<PinnedCheckpoint> for Checkpoint {
    fn from(pin: PinnedCheckpoint) -> Self {
        Self {
            name: Text::new(pin.name),
            sources: Texts::new(pin.sources),
            digest: Text::new(pin.digest),
            licence: Text::new(pin.licence),
            architecture: Text::new(pin.architecture),
            quantization: Text::new(pin.quantization),
            tokenizer_digest: Text::new(pin.tokenizer_digest),
            chat_template_digest: pin.chat_template_digest.map(Text::new),
            size: pin.size,
            context_length: pin.context_length,
            signed: pin.signed,
        }
    }
}

pub(super) struct Adapter {
    name: Text,
    sources: Texts,
    digest: Text,
    licence: Text,
    architecture: Text,
    base: Text,
    base_digest: Text,
    size: u64,
    signed: bool,
}

impl From<PinnedAdapter> for Adapter {
    fn from(pin: PinnedAdapter) -> Self {
        Self {
            name: Text::new(pin.name),
            sources: Texts::new(pin.sources),
            digest: Text::new(pin.digest),
            licence: Text::new(pin.licence),
            architecture: Text::new(pin.architecture),
            base: Text::new(pin.base),
            base_digest: Text::new(pin.base_digest),
            size: pin.size,
            signed: pin.signed,
        }
    }
}

pub(super) struct Golden {
    name: Text,
    checkpoint: Text,
    text: Text,
    runtime: Text,
    backend: Text,
    llama_cpp: Text,
}

impl From<PinnedGolden> for Golden {
    fn from(golden: PinnedGolden) -> Self {
        Self {
            name: Text::new(golden.name),
            checkpoint: Text::new(golden.checkpoint),
            text: Text::new(golden.text),
            runtime: Text::new(golden.runtime),
            backend: Text::new(golden.backend),
            llama_cpp: Text::new(golden.llama_cpp),
        }
    }
}

/// The number of pinned checkpoints; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_checkpoints_length(lock_file: *const pinfold_lock_file) -> usize {
    quiet(0, || unsafe { lock_file.as_ref() }.map_or(0, |lock_file| lock_file.checkpoints.len()))
}

/// The pinned checkpoint at `index`, counted from 0, in the order of their names. Its texts are valid until the lock
/// file is freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_checkpoint(
    lock_file: *const pinfold_lock_file,
    index: usize,
    checkpoint_out: *mut pinfold_pinned_checkpoint,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let found = item(&borrow(lock_file, "lock_file")?.checkpoints, index)?;
            let checkpoint = pinfold_pinned_checkpoint {
                name: found.name.borrowed(),
                sources: found.sources.data(),
                sources_length: found.sources.length(),
                digest: found.digest.borrowed(),
                licence: found.licence.borrowed(),
                architecture: found.architecture.borrowed(),
                quantization: found.quantization.borrowed(),
                tokenizer_digest: found.tokenizer_digest.borrowed(),
                chat_template_digest: pinfold_string::optional(found.chat_template_digest.as_ref()),
                size: found.size,
                context_length: found.context_length,
                is_signed: found.signed.into(),
                ..pinfold_pinned_checkpoint::defaults()
            };
            sized::write(checkpoint_out, &checkpoint)
        })
    }
}

/// The number of pinned adapters; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_adapters_length(lock_file: *const pinfold_lock_file) -> usize {
    quiet(0, || unsafe { lock_file.as_ref() }.map_or(0, |lock_file| lock_file.adapters.len()))
}

/// The pinned adapter at `index`, counted from 0, in the order of their names. Its texts are valid until the lock file
/// is freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_adapter(
    lock_file: *const pinfold_lock_file,
    index: usize,
    adapter_out: *mut pinfold_pinned_adapter,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let found = item(&borrow(lock_file, "lock_file")?.adapters, index)?;
            let adapter = pinfold_pinned_adapter {
                name: found.name.borrowed(),
                sources: found.sources.data(),
                sources_length: found.sources.length(),
                digest: found.digest.borrowed(),
                licence: found.licence.borrowed(),
                architecture: found.architecture.borrowed(),
                base: found.base.borrowed(),
                base_digest: found.base_digest.borrowed(),
                size: found.size,
                is_signed: found.signed.into(),
                ..pinfold_pinned_adapter::defaults()
            };
            sized::write(adapter_out, &adapter)
        })
    }
}

/// The number of goldens; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_goldens_length(lock_file: *const pinfold_lock_file) -> usize {
    quiet(0, || unsafe { lock_file.as_ref() }.map_or(0, |lock_file| lock_file.goldens.len()))
}

/// The golden at `index`, counted from 0, in the order of their names. Its texts are valid until the lock file is
/// freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_lock_file_golden(
    lock_file: *const pinfold_lock_file,
    index: usize,
    golden_out: *mut pinfold_pinned_golden,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let found = item(&borrow(lock_file, "lock_file")?.goldens, index)?;
            let golden = pinfold_pinned_golden {
                name: found.name.borrowed(),
                checkpoint: found.checkpoint.borrowed(),
                text: found.text.borrowed(),
                runtime: found.runtime.borrowed(),
                backend: found.backend.borrowed(),
                llama_cpp: found.llama_cpp.borrowed(),
                ..pinfold_pinned_golden::defaults()
            };
            sized::write(golden_out, &golden)
        })
    }
}
