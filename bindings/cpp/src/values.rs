//! Values on their way between C++ and core.

use pinfold::{
    Chunk, Device, DeviceKind, Finish, FinishReason, GeneratedToken, MemoryEstimate, Message, ModelOptions,
    Offload, Role, Sampling, Token, TokenLogprob,
};
use pinfold_ffi::api::{CheckpointInfo, EmbeddedInfo, Facts, GenerateOptions, PinfoldError};

use crate::bridge::ffi;

pub(crate) fn tokens(ids: &[u32]) -> Vec<Token> {
    ids.iter().copied().map(Token).collect()
}

pub(crate) fn ids(tokens: Vec<Token>) -> Vec<u32> {
    tokens.into_iter().map(|token| token.0).collect()
}

impl From<ffi::MaybeNumber> for Option<u32> {
    fn from(number: ffi::MaybeNumber) -> Self {
        number.present.then_some(number.value)
    }
}

impl From<&ffi::MaybeText> for Option<String> {
    fn from(text: &ffi::MaybeText) -> Self {
        text.present.then(|| text.value.clone())
    }
}

impl From<Option<u32>> for ffi::MaybeNumber {
    fn from(number: Option<u32>) -> Self {
        Self { present: number.is_some(), value: number.unwrap_or_default() }
    }
}

impl From<Option<String>> for ffi::MaybeText {
    fn from(text: Option<String>) -> Self {
        Self { present: text.is_some(), value: text.unwrap_or_default() }
    }
}

impl From<&ffi::ModelOptions> for ModelOptions {
    fn from(options: &ffi::ModelOptions) -> Self {
        Self {
            context_tokens: options.context_tokens,
            sessions: options.sessions,
            threads: options.threads,
            slice_tokens: options.slice_tokens,
            offload: Offload {
                layers: options.offload_layers.into(),
                devices: options.offload_devices.clone(),
            },
            mmap: options.mmap,
            check_memory: options.check_memory,
            reproducible: options.reproducible,
        }
    }
}

impl From<&ffi::GenerateOptions> for GenerateOptions {
    fn from(options: &ffi::GenerateOptions) -> Self {
        let sampling = Sampling {
            temperature: options.temperature,
            seed: options.seed,
            logit_bias: options.logit_bias.iter().map(|bias| (Token(bias.token), bias.bias)).collect(),
            penalty_window: options.penalty_window,
            repetition_penalty: options.repetition_penalty,
            frequency_penalty: options.frequency_penalty,
            presence_penalty: options.presence_penalty,
            top_k: options.top_k,
            typical_p: options.typical_p,
            top_p: options.top_p,
            min_p: options.min_p,
        };
        Self {
            sampling,
            max_tokens: options.max_tokens.into(),
            stop: options.stop.clone(),
            logprobs: options.logprobs.into(),
        }
    }
}

impl From<Sampling> for ffi::GenerateOptions {
    fn from(sampling: Sampling) -> Self {
        let bias = sampling.logit_bias.into_iter();
        Self {
            temperature: sampling.temperature,
            seed: sampling.seed,
            logit_bias: bias.map(|(token, bias)| ffi::TokenBias { token: token.0, bias }).collect(),
            penalty_window: sampling.penalty_window,
            repetition_penalty: sampling.repetition_penalty,
            frequency_penalty: sampling.frequency_penalty,
            presence_penalty: sampling.presence_penalty,
            top_k: sampling.top_k,
            typical_p: sampling.typical_p,
            top_p: sampling.top_p,
            min_p: sampling.min_p,
            max_tokens: None.into(),
            stop: Vec::new(),
            logprobs: None.into(),
        }
    }
}

impl TryFrom<&ffi::Message> for Message {
    type Error = PinfoldError;

    fn try_from(message: &ffi::Message) -> Result<Self, PinfoldError> {
        let role = match message.role {
            ffi::Role::System => Role::System,
            ffi::Role::User => Role::User,
            ffi::Role::Assistant => Role::Assistant,
            ffi::Role::Tool => Role::Tool,
            // C++ may cast any number to an enum.
            other => {
                return Err(PinfoldError::InvalidOption(format!("role: there is no role {}", other.repr)));
            }
        };
        Ok(Self { role, content: message.content.clone() })
    }
}

impl From<TokenLogprob> for ffi::TokenLogprob {
    fn from(entry: TokenLogprob) -> Self {
        Self { token: entry.token.0, logprob: entry.logprob }
    }
}

impl From<GeneratedToken> for ffi::GeneratedToken {
    fn from(token: GeneratedToken) -> Self {
        Self {
            token: token.token.0,
            has_logprob: token.logprob.is_some(),
            logprob: token.logprob.unwrap_or_default(),
            top: token.top.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Option<Chunk>> for ffi::MaybeChunk {
    fn from(chunk: Option<Chunk>) -> Self {
        match chunk {
            Some(Chunk { text, tokens }) => {
                Self { present: true, text, tokens: tokens.into_iter().map(Into::into).collect() }
            }
            None => Self { present: false, text: String::new(), tokens: Vec::new() },
        }
    }
}

impl From<Option<Finish>> for ffi::MaybeFinish {
    fn from(finish: Option<Finish>) -> Self {
        let present = finish.is_some();
        let finish = finish.unwrap_or(Finish {
            reason: FinishReason::EndOfGeneration,
            prompt_tokens: 0,
            generated_tokens: 0,
            prompt_seconds: 0.0,
            generation_seconds: 0.0,
        });
        Self {
            present,
            reason: match finish.reason {
                FinishReason::EndOfGeneration => ffi::FinishReason::EndOfGeneration,
                FinishReason::Stop => ffi::FinishReason::Stop,
                FinishReason::Length => ffi::FinishReason::Length,
                FinishReason::Cancelled => ffi::FinishReason::Cancelled,
            },
            prompt_tokens: finish.prompt_tokens,
            generated_tokens: finish.generated_tokens,
            prompt_seconds: finish.prompt_seconds,
            generation_seconds: finish.generation_seconds,
        }
    }
}

impl From<Facts> for ffi::Facts {
    fn from(facts: Facts) -> Self {
        Self {
            architecture: facts.architecture,
            parameters: facts.parameters,
            bytes: facts.bytes,
            context_length: facts.context_length,
            embedding_width: facts.embedding_width,
            has_encoder: facts.has_encoder,
            has_decoder: facts.has_decoder,
            chat_template: facts.chat_template.into(),
        }
    }
}

impl From<MemoryEstimate> for ffi::MemoryEstimate {
    fn from(memory: MemoryEstimate) -> Self {
        Self { weights: memory.weights, kv_cache: memory.kv_cache, compute: memory.compute }
    }
}

impl From<CheckpointInfo> for ffi::CheckpointInfo {
    fn from(info: CheckpointInfo) -> Self {
        Self {
            name: info.name.into(),
            architecture: info.architecture,
            quantization: info.quantization,
            licence: info.licence.into(),
            parameters: info.parameters,
            weight_bytes: info.weight_bytes,
            context_length: info.context_length,
            layers: info.layers,
            width: info.width,
            vocabulary: info.vocabulary,
            tokenizer: info.tokenizer,
            chat_template: info.chat_template.into(),
            memory: info.memory.into(),
        }
    }
}

impl From<EmbeddedInfo> for ffi::EmbeddedInfo {
    fn from(info: EmbeddedInfo) -> Self {
        let EmbeddedInfo { name, summary, licence, bytes, digest } = info;
        Self { name, summary, licence, bytes, digest }
    }
}

impl From<Device> for ffi::Device {
    fn from(device: Device) -> Self {
        Self {
            name: device.name,
            description: device.description,
            kind: match device.kind {
                DeviceKind::Cpu => ffi::DeviceKind::Cpu,
                DeviceKind::Gpu => ffi::DeviceKind::Gpu,
                DeviceKind::IntegratedGpu => ffi::DeviceKind::IntegratedGpu,
                DeviceKind::Accelerator => ffi::DeviceKind::Accelerator,
            },
            memory_free: device.memory_free,
            memory_total: device.memory_total,
            kernels: device.kernels.into(),
        }
    }
}
