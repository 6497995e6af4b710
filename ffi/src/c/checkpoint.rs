//! What is in a checkpoint file, and the checkpoints that ship with Pinfold.

use std::ffi::c_char;

use super::boundary::{self, Out, borrow, call, quiet, text};
use super::machine::item;
use super::sized::{self, Versioned};
use super::text::Text;
use super::{pinfold_error, pinfold_model_options, pinfold_status, pinfold_string};
use crate::api::{self, CheckpointInfo, EmbeddedInfo};

/// What is in a checkpoint. Set `struct_size` before `pinfold_checkpoint_info_get` fills it. Its texts belong to the
/// object that was asked.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_checkpoint {
    /// `sizeof(pinfold_checkpoint)`.
    pub struct_size: usize,
    /// The name that its author gave it; may be NULL.
    pub name: pinfold_string,
    /// The architecture: `llama`, `bert`...
    pub architecture: pinfold_string,
    /// How the weights are quantized: `Q4_K_M`, `F16`...
    pub quantization: pinfold_string,
    /// The licence, as an SPDX expression or in words; may be NULL.
    pub licence: pinfold_string,
    /// The class of its tokenizer: `llama` (SentencePiece), `gpt2` (BPE), `bert` (WordPiece)...
    pub tokenizer: pinfold_string,
    /// The chat template (Jinja); may be NULL.
    pub chat_template: pinfold_string,
    /// The number of parameters.
    pub parameters: u64,
    /// The bytes of all tensors.
    pub weight_bytes: u64,
    /// The bytes that the weights take in memory, with the options that were given.
    pub memory_weights: u64,
    /// The bytes of the keys and values of all tokens.
    pub memory_kv_cache: u64,
    /// The bytes of scratch space of one decode, and of the logits.
    pub memory_compute: u64,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// The number of layers.
    pub layers: u32,
    /// The width of an embedding.
    pub width: u32,
    /// The number of tokens of the vocabulary.
    pub vocabulary: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_checkpoint {
    const NAME: &'static str = "pinfold_checkpoint";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            architecture: pinfold_string::NONE,
            quantization: pinfold_string::NONE,
            licence: pinfold_string::NONE,
            tokenizer: pinfold_string::NONE,
            chat_template: pinfold_string::NONE,
            parameters: 0,
            weight_bytes: 0,
            memory_weights: 0,
            memory_kv_cache: 0,
            memory_compute: 0,
            context_length: 0,
            layers: 0,
            width: 0,
            vocabulary: 0,
        }
    }
}

/// What was found in a checkpoint file.
///
/// Freed by: you, with `pinfold_checkpoint_info_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_checkpoint_info {
    info: CheckpointInfo,
    name: Option<Text>,
    architecture: Text,
    quantization: Text,
    licence: Option<Text>,
    tokenizer: Text,
    chat_template: Option<Text>,
}

impl From<CheckpointInfo> for pinfold_checkpoint_info {
    fn from(info: CheckpointInfo) -> Self {
        Self {
            name: info.name.as_deref().map(Text::new),
            architecture: Text::new(info.architecture.as_str()),
            quantization: Text::new(info.quantization.as_str()),
            licence: info.licence.as_deref().map(Text::new),
            tokenizer: Text::new(info.tokenizer.as_str()),
            chat_template: info.chat_template.as_deref().map(Text::new),
            info,
        }
    }
}

/// Reads the header of the checkpoint at `path` and runs the preflight, without loading the weights. `options`, NULL
/// for the defaults, serve the estimate of memory.
///
/// Fails with `PINFOLD_ERROR_IO` if it cannot be read, `PINFOLD_ERROR_BAD_CHECKPOINT` if it would not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_checkpoint_inspect(
    path: *const c_char,
    path_length: usize,
    options: *const pinfold_model_options,
    info_out: *mut *mut pinfold_checkpoint_info,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(info_out, "info_out")?;
            let path = text(path, path_length, "path")?.to_owned();
            out.give(api::inspect_checkpoint(path, sized::read(options)?.to_api()?)?.into())
        })
    }
}

/// What was found. Its texts are valid until `info` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_checkpoint_info_get(
    info: *const pinfold_checkpoint_info,
    checkpoint_out: *mut pinfold_checkpoint,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let found = borrow(info, "info")?;
            let info = &found.info;
            let checkpoint = pinfold_checkpoint {
                name: pinfold_string::optional(found.name.as_ref()),
                architecture: found.architecture.borrowed(),
                quantization: found.quantization.borrowed(),
                licence: pinfold_string::optional(found.licence.as_ref()),
                tokenizer: found.tokenizer.borrowed(),
                chat_template: pinfold_string::optional(found.chat_template.as_ref()),
                parameters: info.parameters,
                weight_bytes: info.weight_bytes,
                memory_weights: info.memory.weights,
                memory_kv_cache: info.memory.kv_cache,
                memory_compute: info.memory.compute,
                context_length: info.context_length,
                layers: info.layers,
                width: info.width,
                vocabulary: info.vocabulary,
                ..pinfold_checkpoint::defaults()
            };
            sized::write(checkpoint_out, &checkpoint)
        })
    }
}

/// Frees what was found; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_checkpoint_info_free(info: *mut pinfold_checkpoint_info) {
    unsafe { boundary::free(info) }
}

/// A checkpoint that is compiled into the library. Set `struct_size` before `pinfold_embedded_get` fills it. Its texts
/// belong to the list.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_embedded_checkpoint {
    /// `sizeof(pinfold_embedded_checkpoint)`.
    pub struct_size: usize,
    /// What `pinfold_model_load_embedded` takes.
    pub name: pinfold_string,
    /// What it does, in a line.
    pub summary: pinfold_string,
    /// The licence of the weights, as an SPDX expression.
    pub licence: pinfold_string,
    /// The SHA-256 of the file, in hexadecimal.
    pub digest: pinfold_string,
    /// The bytes of the file.
    pub bytes: u64,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_embedded_checkpoint {
    const NAME: &'static str = "pinfold_embedded_checkpoint";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            summary: pinfold_string::NONE,
            licence: pinfold_string::NONE,
            digest: pinfold_string::NONE,
            bytes: 0,
        }
    }
}

/// The checkpoints that are compiled into the library.
///
/// Freed by: you, with `pinfold_embedded_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_embedded(Vec<Embedded>);

struct Embedded {
    name: Text,
    summary: Text,
    licence: Text,
    digest: Text,
    bytes: u64,
}

impl From<EmbeddedInfo> for Embedded {
    fn from(info: EmbeddedInfo) -> Self {
        Self {
            name: Text::new(info.name),
            summary: Text::new(info.summary),
            licence: Text::new(info.licence),
            digest: Text::new(info.digest),
            bytes: info.bytes,
        }
    }
}

/// Lists the checkpoints that are compiled into the library, in the order of their names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_embedded_list(
    embedded_out: *mut *mut pinfold_embedded,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(embedded_out, "embedded_out")?;
            out.give(pinfold_embedded(api::embedded_checkpoints().into_iter().map(Embedded::from).collect()))
        })
    }
}

/// The number of checkpoints; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_embedded_length(embedded: *const pinfold_embedded) -> usize {
    quiet(0, || unsafe { embedded.as_ref() }.map_or(0, |embedded| embedded.0.len()))
}

/// The checkpoint at `index`, counted from 0. Its texts are valid until the list is freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_embedded_get(
    embedded: *const pinfold_embedded,
    index: usize,
    checkpoint_out: *mut pinfold_embedded_checkpoint,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let found = item(&borrow(embedded, "embedded")?.0, index)?;
            let checkpoint = pinfold_embedded_checkpoint {
                name: found.name.borrowed(),
                summary: found.summary.borrowed(),
                licence: found.licence.borrowed(),
                digest: found.digest.borrowed(),
                bytes: found.bytes,
                ..pinfold_embedded_checkpoint::defaults()
            };
            sized::write(checkpoint_out, &checkpoint)
        })
    }
}

/// Frees the list; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_embedded_free(embedded: *mut pinfold_embedded) {
    unsafe { boundary::free(embedded) }
}
