//! The parameter structs, and what they mean to the API.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

use super::boundary::{Outcome, flag, optional, reserved, slice, texts};
use super::pinfold_string;
use super::sized::{self, Versioned};
use crate::api::{GenerateOptions, ModelOptions, Offload, Sampling, SessionOptions, Token};

/// No number, where one can be left out.
pub const PINFOLD_NONE: i64 = -1;

/// Hears of a load: `share`, from 0 to 1, is loaded. Called on the thread that loads, before the call that loads
/// returns. Return 0 to go on; anything else ends the load with `PINFOLD_ERROR_CALLBACK`. It must not throw or
/// `longjmp` out.
pub type pinfold_progress = Option<unsafe extern "C" fn(user: *mut c_void, share: f32) -> i32>;

/// How a model is loaded. Fill it with `pinfold_model_options_init`, then change what you want. All pointers are read
/// during the call alone.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_model_options {
    /// `sizeof(pinfold_model_options)`.
    pub struct_size: usize,
    /// Tokens that all sessions hold together; 0 for what the checkpoint was trained on, at most 4096.
    pub context_tokens: u32,
    /// Sessions that can be open at once, 1 to 256; 8 at first. They share the context, so this costs little.
    pub sessions: u32,
    /// Threads that compute; 0 to choose by the machine and the checkpoint.
    pub threads: u32,
    /// Tokens of a prompt that are computed at once; 0 to choose by the size of the checkpoint.
    pub slice_tokens: u32,
    /// The last so many layers are computed by a GPU; 0 for none, `PINFOLD_NONE` (at first) for as many as fit.
    pub offload_layers: i64,
    /// On the devices of these names alone; empty for all.
    pub offload_devices: *const pinfold_string,
    /// The number of names.
    pub offload_devices_length: usize,
    /// 1 to map the file (at first), 0 to read it.
    pub mmap: u32,
    /// 1 to refuse a checkpoint that cannot fit into the free memory (at first), 0 to try.
    pub check_memory: u32,
    /// Hears how far the load is; NULL for none.
    pub progress: pinfold_progress,
    /// Given to `progress`.
    pub progress_user: *mut c_void,
    /// 1 if the logits of a session are to depend, bit for bit, on its tokens alone; 0 at first. Each session then has
    /// a cache of its own for `context_tokens`, and prompts are computed token by token, at about the speed of
    /// generation.
    pub reproducible: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: numbers, pointers and a nullable function pointer.
unsafe impl Versioned for pinfold_model_options {
    const NAME: &'static str = "pinfold_model_options";
    const FORMER: &'static [usize] = &[offset_of!(Self, reproducible)];

    fn defaults() -> Self {
        let plain = ModelOptions::default();
        Self {
            struct_size: size_of::<Self>(),
            context_tokens: plain.context_tokens,
            sessions: plain.sessions,
            threads: plain.threads,
            slice_tokens: plain.slice_tokens,
            offload_layers: plain.offload.layers.map_or(PINFOLD_NONE, i64::from),
            offload_devices: ptr::null(),
            offload_devices_length: 0,
            mmap: plain.mmap.into(),
            check_memory: plain.check_memory.into(),
            progress: None,
            progress_user: ptr::null_mut(),
            reproducible: plain.reproducible.into(),
            reserved: 0,
        }
    }
}

impl pinfold_model_options {
    /// # Safety
    /// Its pointers are as the header says.
    pub(super) unsafe fn to_api(self) -> Outcome<ModelOptions> {
        // SAFETY: by the contract of this function.
        let devices = unsafe { texts(self.offload_devices, self.offload_devices_length, "offload_devices") }?;
        reserved(self.reserved, offset_of!(Self, reserved), Self::NAME)?;
        Ok(ModelOptions {
            context_tokens: self.context_tokens,
            sessions: self.sessions,
            threads: self.threads,
            slice_tokens: self.slice_tokens,
            offload: Offload { layers: optional(self.offload_layers, "offload_layers")?, devices },
            mmap: flag(self.mmap, "mmap")?,
            check_memory: flag(self.check_memory, "check_memory")?,
            reproducible: flag(self.reproducible, "reproducible")?,
        })
    }
}

/// Sets the defaults; `struct_size` is `sizeof(pinfold_model_options)`. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_options_init(
    options_out: *mut pinfold_model_options,
    struct_size: usize,
) {
    unsafe { sized::init(options_out, struct_size) }
}

/// How a session behaves. Fill it with `pinfold_session_options_init`, then change what you want.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_session_options {
    /// `sizeof(pinfold_session_options)`.
    pub struct_size: usize,
    /// With `PINFOLD_NONE` (at first) a full context is an error and nothing is lost. A number makes the session
    /// slide: its first so many tokens stay and the oldest half of the others is dropped.
    pub slide_keep: i64,
}

// SAFETY: numbers.
unsafe impl Versioned for pinfold_session_options {
    const NAME: &'static str = "pinfold_session_options";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        let plain = SessionOptions::default();
        let slide_keep = plain.slide_keep.map_or(PINFOLD_NONE, i64::from);
        Self { struct_size: size_of::<Self>(), slide_keep }
    }
}

impl pinfold_session_options {
    pub(super) fn to_api(self) -> Outcome<SessionOptions> {
        Ok(SessionOptions { slide_keep: optional(self.slide_keep, "slide_keep")? })
    }
}

/// Sets the defaults; `struct_size` is `sizeof(pinfold_session_options)`. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_options_init(
    options_out: *mut pinfold_session_options,
    struct_size: usize,
) {
    unsafe { sized::init(options_out, struct_size) }
}

/// What is added to the logit of a token; minus infinity forbids it. This struct never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_logit_bias {
    /// The token's id.
    pub token: u32,
    /// Added to its logit.
    pub bias: f32,
}

/// What to generate, how tokens are chosen, and when to stop. Fill it with `pinfold_generate_options_init`, which
/// gives greedy choice without a limit, then change what you want. All pointers are read during the call alone.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_generate_options {
    /// `sizeof(pinfold_generate_options)`.
    pub struct_size: usize,
    /// Texts that end the generation; they are not part of its text.
    pub stop: *const pinfold_string,
    /// The number of texts.
    pub stop_length: usize,
    /// Added to the logits of single tokens; of two entries for one token the later counts.
    pub logit_bias: *const pinfold_logit_bias,
    /// The number of entries.
    pub logit_bias_length: usize,
    /// Tokens at most; with `PINFOLD_NONE` (at first) the model ends its text, or a full context is an error.
    pub max_tokens: i64,
    /// For each token its log-probability and those of so many others, the likeliest first; `PINFOLD_NONE` (at first)
    /// for neither.
    pub logprobs: i64,
    /// The seed of the generator: the same seed gives the same tokens on every platform.
    pub seed: u64,
    /// Flattens (above 1) or sharpens (below 1) the distribution; at 0 (at first) the highest logit is chosen.
    pub temperature: f32,
    /// How many of the last tokens the three penalties look at; 64 at first, 0 switches them off.
    pub penalty_window: u32,
    /// Makes tokens in the window less likely, by a factor; 1 (at first) is off.
    pub repetition_penalty: f32,
    /// Subtracted from a token's logit once for each time that it stands in the window; 0 (at first) is off.
    pub frequency_penalty: f32,
    /// Subtracted once from the logit of each token in the window; 0 (at first) is off.
    pub presence_penalty: f32,
    /// Keeps so many of the highest logits; 0 (at first) is off.
    pub top_k: u32,
    /// Keeps the tokens of typical surprise until their probability is above this; 1 (at first) is off.
    pub typical_p: f32,
    /// Keeps the most likely tokens until their probability reaches this; 1 (at first) is off.
    pub top_p: f32,
    /// Keeps the tokens that are at least this times as likely as the most likely one; 0 (at first) is off.
    pub min_p: f32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_generate_options {
    const NAME: &'static str = "pinfold_generate_options";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        let GenerateOptions { sampling, max_tokens, stop: _, logprobs } = GenerateOptions::default();
        Self {
            struct_size: size_of::<Self>(),
            stop: ptr::null(),
            stop_length: 0,
            logit_bias: ptr::null(),
            logit_bias_length: 0,
            max_tokens: max_tokens.map_or(PINFOLD_NONE, i64::from),
            logprobs: logprobs.map_or(PINFOLD_NONE, i64::from),
            seed: sampling.seed,
            temperature: sampling.temperature,
            penalty_window: sampling.penalty_window,
            repetition_penalty: sampling.repetition_penalty,
            frequency_penalty: sampling.frequency_penalty,
            presence_penalty: sampling.presence_penalty,
            top_k: sampling.top_k,
            typical_p: sampling.typical_p,
            top_p: sampling.top_p,
            min_p: sampling.min_p,
            reserved: 0,
        }
    }
}

impl pinfold_generate_options {
    /// # Safety
    /// Its pointers are as the header says.
    pub(super) unsafe fn to_api(self) -> Outcome<GenerateOptions> {
        // SAFETY: by the contract of this function.
        let stop = unsafe { texts(self.stop, self.stop_length, "stop") }?;
        // SAFETY: as above.
        let bias = unsafe { slice(self.logit_bias, self.logit_bias_length, "logit_bias") }?;
        reserved(self.reserved, offset_of!(Self, reserved), Self::NAME)?;
        Ok(GenerateOptions {
            sampling: Sampling {
                temperature: self.temperature,
                seed: self.seed,
                logit_bias: bias.iter().map(|entry| (Token(entry.token), entry.bias)).collect(),
                penalty_window: self.penalty_window,
                repetition_penalty: self.repetition_penalty,
                frequency_penalty: self.frequency_penalty,
                presence_penalty: self.presence_penalty,
                top_k: self.top_k,
                typical_p: self.typical_p,
                top_p: self.top_p,
                min_p: self.min_p,
            },
            max_tokens: optional(self.max_tokens, "max_tokens")?,
            stop,
            logprobs: optional(self.logprobs, "logprobs")?,
        })
    }
}

impl pinfold_generate_options {
    /// Sets what says how tokens are chosen; `bias` must live as long as this is used.
    pub(super) fn set_sampling(&mut self, sampling: &Sampling, bias: &[pinfold_logit_bias]) {
        (self.logit_bias, self.logit_bias_length) = (bias.as_ptr(), bias.len());
        self.seed = sampling.seed;
        self.temperature = sampling.temperature;
        self.penalty_window = sampling.penalty_window;
        self.repetition_penalty = sampling.repetition_penalty;
        self.frequency_penalty = sampling.frequency_penalty;
        self.presence_penalty = sampling.presence_penalty;
        self.top_k = sampling.top_k;
        self.typical_p = sampling.typical_p;
        self.top_p = sampling.top_p;
        self.min_p = sampling.min_p;
    }
}

/// Sets the defaults; `struct_size` is `sizeof(pinfold_generate_options)`. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_generate_options_init(
    options_out: *mut pinfold_generate_options,
    struct_size: usize,
) {
    unsafe { sized::init(options_out, struct_size) }
}
