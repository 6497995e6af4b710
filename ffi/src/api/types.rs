//! Core's value types, described for UniFFI; their documentation is core's.

use std::collections::{BTreeMap, HashMap};

use pinfold::engine;
use pinfold::{
    Chunk, Device, DeviceKind, Finish, FinishReason, GeneratedToken, MemoryEstimate, Message, ModelOptions,
    Offload, Role, Sampling, SessionOptions, Token, TokenLogprob,
};

uniffi::custom_type!(Token, u32, { remote, lower: |token| token.0, try_lift: |id| Ok(Token(id)) });

/// Token to what is added to its logit.
type LogitBias = BTreeMap<Token, f32>;

uniffi::custom_type!(LogitBias, HashMap<u32, f32>, {
    remote,
    lower: |bias| bias.into_iter().map(|(token, bias)| (token.0, bias)).collect(),
    try_lift: |bias| Ok(bias.into_iter().map(|(token, bias)| (Token(token), bias)).collect()),
});

/// How tokens are chosen. The default is greedy: always the most likely token.
#[uniffi::remote(Record)]
pub struct Sampling {
    /// Flattens (above 1) or sharpens (below 1) the distribution; at 0 the highest logit is chosen.
    #[uniffi(default = 0.0)]
    pub temperature: f32,
    /// The seed of the generator: the same seed gives the same tokens on every platform.
    #[uniffi(default = 0)]
    pub seed: u64,
    /// Added to the logits of single tokens; minus infinity forbids a token.
    #[uniffi(default)]
    pub logit_bias: LogitBias,
    /// How many of the last tokens the three penalties look at; 0 switches them off.
    #[uniffi(default = 64)]
    pub penalty_window: u32,
    /// Makes tokens in the window less likely, by a factor; 1 is off.
    #[uniffi(default = 1.0)]
    pub repetition_penalty: f32,
    /// Subtracted from a token's logit once for each time that it stands in the window; 0 is off.
    #[uniffi(default = 0.0)]
    pub frequency_penalty: f32,
    /// Subtracted once from the logit of each token in the window; 0 is off.
    #[uniffi(default = 0.0)]
    pub presence_penalty: f32,
    /// Keeps so many of the highest logits; 0 is off.
    #[uniffi(default = 0)]
    pub top_k: u32,
    /// Keeps the tokens of typical surprise until their probability is above this; 1 is off.
    #[uniffi(default = 1.0)]
    pub typical_p: f32,
    /// Keeps the most likely tokens until their probability reaches this; 1 is off.
    #[uniffi(default = 1.0)]
    pub top_p: f32,
    /// Keeps the tokens that are at least this times as likely as the most likely one; 0 is off.
    #[uniffi(default = 0.0)]
    pub min_p: f32,
}

/// What to generate, and when to stop.
#[derive(Debug, Clone, Default, PartialEq, uniffi::Record)]
pub struct GenerateOptions {
    /// How tokens are chosen.
    #[uniffi(default)]
    pub sampling: Sampling,
    /// Tokens at most; without it the model ends its text, or a full context is an error.
    #[uniffi(default = None)]
    pub max_tokens: Option<u32>,
    /// Texts that end the generation; they are not part of its text.
    #[uniffi(default)]
    pub stop: Vec<String>,
    /// For each token its log-probability and those of so many others, the likeliest first.
    #[uniffi(default = None)]
    pub logprobs: Option<u32>,
}

/// Which part of a checkpoint a GPU holds and computes.
#[uniffi::remote(Record)]
pub struct Offload {
    /// The last so many layers; 0 for none; without it as many as fit.
    #[uniffi(default = None)]
    pub layers: Option<u32>,
    /// On the devices of these names alone; empty for all.
    #[uniffi(default)]
    pub devices: Vec<String>,
}

/// How a model is loaded. The defaults suit an app that chats.
#[uniffi::remote(Record)]
pub struct ModelOptions {
    /// Tokens that all sessions hold together; 0 for what the checkpoint was trained on, at most 4096.
    #[uniffi(default = 0)]
    pub context_tokens: u32,
    /// Sessions that can be open at once, 1 to 256. They share the context, so this costs little.
    #[uniffi(default = 8)]
    pub sessions: u32,
    /// Threads that compute; 0 to choose by the machine and the checkpoint.
    #[uniffi(default = 0)]
    pub threads: u32,
    /// Tokens of a prompt that are computed at once; 0 to choose by the size of the checkpoint.
    #[uniffi(default = 0)]
    pub slice_tokens: u32,
    /// What a GPU computes.
    #[uniffi(default)]
    pub offload: Offload,
    /// Whether the file is mapped instead of read.
    #[uniffi(default = true)]
    pub mmap: bool,
    /// Whether a checkpoint that cannot fit into the free memory is refused.
    #[uniffi(default = true)]
    pub check_memory: bool,
    /// Whether the logits of a session depend, bit for bit, on its tokens alone. Each session then has a cache of
    /// its own for `context_tokens`, and prompts are computed token by token, at about the speed of generation.
    #[uniffi(default = false)]
    pub reproducible: bool,
}

/// How a session behaves.
#[uniffi::remote(Record)]
pub struct SessionOptions {
    /// Without it a full context is an error and nothing is lost. A number makes the session slide: its first so
    /// many tokens stay and the oldest half of the others is dropped.
    #[uniffi(default = None)]
    pub slide_keep: Option<u32>,
}

/// A token and the natural logarithm of its probability.
#[uniffi::remote(Record)]
pub struct TokenLogprob {
    /// The token.
    pub token: Token,
    /// At most 0.
    pub logprob: f32,
}

/// A token that was sampled.
#[uniffi::remote(Record)]
pub struct GeneratedToken {
    /// The token.
    pub token: Token,
    /// The natural logarithm of its probability, before any filter, if it was asked for.
    pub logprob: Option<f32>,
    /// The likeliest tokens, if they were asked for.
    pub top: Vec<TokenLogprob>,
}

/// A piece of a generation: whole characters, or the tokens at the end that added no text.
#[uniffi::remote(Record)]
pub struct Chunk {
    /// The text; empty only at the end of a generation.
    pub text: String,
    /// The tokens that were sampled since the piece before.
    pub tokens: Vec<GeneratedToken>,
}

/// Why a generation ended.
#[uniffi::remote(Enum)]
pub enum FinishReason {
    /// The model ended its text.
    EndOfGeneration,
    /// A stop text appeared.
    Stop,
    /// `max_tokens` were generated.
    Length,
    /// It was cancelled, or its session was dropped.
    Cancelled,
}

/// How a generation ended, and what it cost.
#[uniffi::remote(Record)]
pub struct Finish {
    /// Why it ended.
    pub reason: FinishReason,
    /// Tokens that were computed before the first new one.
    pub prompt_tokens: u32,
    /// Tokens that were generated; the one that ended the generation is not counted.
    pub generated_tokens: u32,
    /// Seconds until the first token was sampled.
    pub prompt_seconds: f64,
    /// Seconds from then to the end.
    pub generation_seconds: f64,
}

/// Who says a message.
#[uniffi::remote(Enum)]
pub enum Role {
    /// The author of the app.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called.
    Tool,
}

/// One turn of a conversation.
#[uniffi::remote(Record)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// The text.
    pub content: String,
}

/// What kind of device it is.
#[uniffi::remote(Enum)]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// A graphics processor with memory of its own.
    Gpu,
    /// A graphics processor that shares the processor's memory.
    IntegratedGpu,
    /// Another accelerator.
    Accelerator,
}

/// Something that can compute.
#[uniffi::remote(Record)]
pub struct Device {
    /// Its name, unique on this machine.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// Bytes of memory that are free, as far as the device tells.
    pub memory_free: u64,
    /// Bytes of memory in all.
    pub memory_total: u64,
    /// For a processor, the instruction set of the kernels that run on it.
    pub kernels: Option<String>,
}

/// Bytes that running a checkpoint takes.
#[uniffi::remote(Record)]
pub struct MemoryEstimate {
    /// The weights.
    pub weights: u64,
    /// Keys and values of all tokens.
    pub kv_cache: u64,
    /// Scratch space of one decode, and the logits.
    pub compute: u64,
}

/// Facts about a loaded checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Facts {
    /// The architecture's name, as in GGUF's `general.architecture`.
    pub architecture: String,
    /// The number of parameters.
    pub parameters: u64,
    /// The bytes of all tensors.
    pub bytes: u64,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// The width of an embedding.
    pub embedding_width: u32,
    /// Whether an encoder runs before the decoder.
    pub has_encoder: bool,
    /// Whether it generates at all; a pure encoder does not.
    pub has_decoder: bool,
    /// The chat template (Jinja), if the file has one.
    pub chat_template: Option<String>,
}

impl From<&engine::Facts> for Facts {
    fn from(facts: &engine::Facts) -> Self {
        Self {
            architecture: facts.architecture.clone(),
            parameters: facts.parameters,
            bytes: facts.bytes,
            context_length: facts.context_length,
            embedding_width: facts.embedding_width,
            has_encoder: facts.has_encoder,
            has_decoder: facts.has_decoder,
            chat_template: facts.chat_template.clone(),
        }
    }
}
