//! What `inspect` finds, as it is printed as JSON.

use pinfold::checkpoint::gguf::{Metadata, TensorInfo, Value};
use pinfold::checkpoint::{Header, Hyperparameters};
use pinfold::{Checkpoint, ModelOptions};
use serde::{Serialize, Serializer};

use super::Verdict;
use super::value::Json;

#[derive(Serialize)]
pub struct Report<'a> {
    pub file: String,
    pub file_size: u64,
    pub runs: bool,
    pub defect: Option<Refusal>,
    /// Absent where not even the header can be read.
    #[serde(flatten)]
    pub content: Option<Content<'a>>,
}

#[derive(Serialize)]
pub struct Refusal {
    pub code: &'static str,
    pub message: String,
}

#[derive(Serialize)]
pub struct Content<'a> {
    pub version: u32,
    pub alignment: u64,
    pub data_offset: u64,
    pub architecture: Option<&'a str>,
    pub name: Option<&'a str>,
    pub license: Option<&'a str>,
    pub parameters: u64,
    pub weight_bytes: u64,
    pub quantization: Option<&'static str>,
    pub hyperparameters: Option<Shape>,
    pub memory: Option<Memory>,
    pub tokenizer: Tokenizer<'a>,
    pub chat_template: Option<&'a str>,
    #[serde(serialize_with = "serialize_metadata")]
    pub metadata: &'a Metadata,
    pub tensors: Vec<Tensor<'a>>,
}

#[derive(Serialize)]
pub struct Shape {
    pub layers: u32,
    pub width: u32,
    pub heads: u32,
    pub kv_heads: u32,
    pub feed_forward: u32,
    pub experts: u32,
    pub context_length: u32,
    pub vocabulary: u32,
}

#[derive(Serialize)]
pub struct Memory {
    pub context_tokens: u32,
    pub weights: u64,
    pub kv_cache: u64,
    pub compute: u64,
    pub total: u64,
    pub available: Option<u64>,
}

#[derive(Serialize)]
pub struct Tokenizer<'a> {
    pub model: Option<&'a str>,
    pub pre: Option<&'a str>,
    pub vocabulary: Option<usize>,
    pub add_bos: Option<bool>,
    pub special: Vec<SpecialToken<'a>>,
}

#[derive(Serialize)]
pub struct SpecialToken<'a> {
    /// `bos`, `eos`, `unknown`...
    pub name: &'a str,
    pub id: u64,
    pub text: Option<&'a str>,
}

#[derive(Serialize)]
pub struct Tensor<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub shape: &'a [u64],
    pub offset: u64,
    pub bytes: Option<u64>,
}

impl<'a> Report<'a> {
    pub fn new(file: String, file_size: u64, verdict: &'a Verdict, options: &ModelOptions) -> Self {
        let (content, defect) = match verdict {
            Verdict::Runs(checkpoint) => {
                let mut content = Content::new(checkpoint.header());
                content.quantization = Some(checkpoint.quantization());
                content.hyperparameters = Some(Shape::new(checkpoint.hyperparameters()));
                content.memory = Some(Memory::new(checkpoint, options));
                (Some(content), None)
            }
            Verdict::Refused(header, defect) => (Some(Content::new(header)), Some(defect)),
            Verdict::Unreadable(defect) => (None, Some(defect)),
        };
        let runs = defect.is_none();
        let defect = defect.map(|defect| Refusal { code: defect.code(), message: defect.to_string() });
        Self { file, file_size, runs, defect, content }
    }
}

impl<'a> Content<'a> {
    fn new(header: &'a Header) -> Self {
        let sum = |part: fn(&TensorInfo) -> Option<u64>| {
            header.tensors.iter().filter_map(part).fold(0, u64::saturating_add)
        };
        let metadata = &header.metadata;
        Self {
            version: header.version,
            alignment: header.alignment,
            data_offset: header.data_offset,
            architecture: metadata.str("general.architecture"),
            name: metadata.str("general.name"),
            license: metadata.str("general.license"),
            parameters: sum(TensorInfo::elements),
            weight_bytes: sum(TensorInfo::bytes),
            quantization: None,
            hyperparameters: None,
            memory: None,
            tokenizer: Tokenizer::new(metadata),
            chat_template: metadata.str("tokenizer.chat_template"),
            metadata,
            tensors: header.tensors.iter().map(Tensor::new).collect(),
        }
    }
}

impl Shape {
    fn new(found: &Hyperparameters) -> Self {
        Self {
            layers: found.layers,
            width: found.width,
            heads: found.heads,
            kv_heads: found.kv_heads,
            feed_forward: found.ffn,
            experts: found.experts,
            context_length: found.context_length,
            vocabulary: found.vocabulary,
        }
    }
}

impl Memory {
    fn new(checkpoint: &Checkpoint, options: &ModelOptions) -> Self {
        let estimate = options.estimate(checkpoint);
        Self {
            context_tokens: options.context_of(checkpoint.hyperparameters().context_length),
            weights: estimate.weights,
            kv_cache: estimate.kv_cache,
            compute: estimate.compute,
            total: estimate.total(),
            available: pinfold::engine::devices::available_memory(),
        }
    }
}

impl<'a> Tokenizer<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let tokens = metadata.get("tokenizer.ggml.tokens").and_then(Value::as_strings);
        let special = metadata.iter().filter_map(|(key, value)| {
            let name = key.strip_prefix("tokenizer.ggml.")?.strip_suffix("_token_id")?;
            let id = value.as_u64()?;
            let text = tokens.and_then(|tokens| tokens.get(usize::try_from(id).ok()?));
            Some(SpecialToken { name, id, text })
        });
        Self {
            model: metadata.str("tokenizer.ggml.model"),
            pre: metadata.str("tokenizer.ggml.pre"),
            vocabulary: tokens.map(|tokens| tokens.len()),
            add_bos: metadata.get("tokenizer.ggml.add_bos_token").and_then(Value::as_bool),
            special: special.collect(),
        }
    }
}

impl<'a> Tensor<'a> {
    fn new(tensor: &'a TensorInfo) -> Self {
        Self {
            name: &tensor.name,
            kind: tensor.kind.name(),
            shape: tensor.shape(),
            offset: tensor.offset,
            bytes: tensor.bytes(),
        }
    }
}

/// As an object whose keys are in the order of the file.
fn serialize_metadata<S: Serializer>(metadata: &Metadata, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(metadata.iter().map(|(key, value)| (key, Json(value))))
}
