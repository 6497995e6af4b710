//! What can be wrong with a checkpoint: one [`Defect`] for each class of fault.

use super::excerpt::Excerpt;

/// Why the bytes of a checkpoint were refused: what is wrong, where, and what to do if there is something.
///
/// Text out of the file is escaped and cut in the messages, so that they are safe to print.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The first four bytes are not those of a GGUF file.
    #[error("it begins with {found}, not with \"GGUF\": give a GGUF file (convert other formats first)")]
    NotGguf {
        /// The bytes found, at most four.
        found: Excerpt,
    },

    /// The file was written for big-endian machines.
    #[error(
        "it is a big-endian GGUF file: convert it to little-endian (gguf_convert_endian.py of llama.cpp)"
    )]
    BigEndian,

    /// The version of the format is not 2 or 3.
    #[error("GGUF version {version} is not supported (2 and 3 are): convert the checkpoint again")]
    UnsupportedVersion {
        /// The version found.
        version: u32,
    },

    /// The file ends before the part that is being read.
    #[error("{what} at byte {offset} needs {needed} bytes but {remaining} remain: download the file again")]
    Truncated {
        /// The part.
        what: Excerpt,
        /// Where it begins.
        offset: u64,
        /// The bytes it needs, at least.
        needed: u64,
        /// The bytes that the file still has.
        remaining: u64,
    },

    /// A count is absurd.
    #[error("{found} {what} at byte {offset}: at most {limit} are accepted")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// Where the count stands.
        offset: u64,
        /// The count.
        found: u64,
        /// The largest that is accepted.
        limit: u64,
    },

    /// The header (metadata and tensor list) is larger than is accepted.
    #[error("the header reaches beyond byte {limit}, which is the largest that is accepted")]
    HeaderTooLarge {
        /// The limit in bytes.
        limit: u64,
    },

    /// A key, a name or a text is longer than is accepted.
    #[error("{what} at byte {offset} is {length} bytes long: at most {limit} are accepted")]
    TextTooLong {
        /// What it is.
        what: Excerpt,
        /// Where its length stands.
        offset: u64,
        /// The length.
        length: u64,
        /// The longest that is accepted.
        limit: u64,
    },

    /// A text is empty, not UTF-8, or has a NUL byte in it.
    #[error("{what} at byte {offset} {reason}")]
    BadText {
        /// What it is.
        what: Excerpt,
        /// Where it stands.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A value has a type that GGUF does not know, or an array holds arrays.
    #[error("key {key}: type {found} at byte {offset} is not a type of a GGUF value")]
    UnknownValueType {
        /// The key.
        key: Excerpt,
        /// Where the type stands.
        offset: u64,
        /// The type found.
        found: u32,
    },

    /// A boolean is neither 0 nor 1.
    #[error("key {key}: {found} at byte {offset} is not a boolean (0 or 1)")]
    BadBool {
        /// The key.
        key: Excerpt,
        /// Where the value stands.
        offset: u64,
        /// The value found.
        found: u8,
    },

    /// A key occurs twice.
    #[error("key {key} occurs twice, the second time at byte {offset}")]
    DuplicateKey {
        /// The key.
        key: Excerpt,
        /// Where it stands the second time.
        offset: u64,
    },

    /// Two tensors have one name.
    #[error("tensor {tensor} occurs twice")]
    DuplicateTensor {
        /// The name.
        tensor: Excerpt,
    },

    /// A tensor has no dimension, or more than four.
    #[error("tensor {tensor} has {found} dimensions: 1 to 4 are possible")]
    BadDimensions {
        /// The tensor.
        tensor: Excerpt,
        /// How many it has.
        found: u32,
    },

    /// A dimension of a tensor is zero, or their product is too large to be counted.
    #[error(
        "tensor {tensor} cannot have the shape {shape:?}: a dimension is zero, or it has too many elements"
    )]
    BadShape {
        /// The tensor.
        tensor: Excerpt,
        /// Its dimensions.
        shape: Vec<u64>,
    },

    /// A tensor's element type is unknown.
    #[error(
        "tensor {tensor} has type {found}, which is unknown or was removed: quantize the checkpoint again"
    )]
    UnknownTensorKind {
        /// The tensor.
        tensor: Excerpt,
        /// The type found.
        found: u32,
    },

    /// A row of a quantized tensor does not consist of whole blocks.
    #[error("tensor {tensor}: rows of {row} elements are not whole blocks of {block} ({kind})")]
    PartialBlock {
        /// The tensor.
        tensor: Excerpt,
        /// Elements of a row.
        row: u64,
        /// Elements of a block.
        block: u64,
        /// The element type.
        kind: &'static str,
    },

    /// `general.alignment` is not a power of two from 32 to 65,536.
    #[error("general.alignment is {found}: it must be a power of two from {least} to {most}")]
    BadAlignment {
        /// The alignment found.
        found: u64,
        /// The smallest that is accepted.
        least: u64,
        /// The largest that is accepted.
        most: u64,
    },

    /// A tensor does not begin at a multiple of the alignment.
    #[error("tensor {tensor} begins at {offset}, which is not a multiple of the alignment {alignment}")]
    Misaligned {
        /// The tensor.
        tensor: Excerpt,
        /// Where it begins, counted from the start of the tensor data.
        offset: u64,
        /// The alignment.
        alignment: u64,
    },

    /// Two tensors share bytes.
    #[error("tensors {first} and {second} overlap at {offset}")]
    Overlap {
        /// The one that begins first.
        first: Excerpt,
        /// The other.
        second: Excerpt,
        /// Where the other begins, counted from the start of the tensor data.
        offset: u64,
    },

    /// A tensor does not begin where the one in front of it ends.
    #[error("tensor {tensor} begins at {offset}, but the tensors in front of it end at {expected}")]
    Gap {
        /// The tensor.
        tensor: Excerpt,
        /// Where it begins, counted from the start of the tensor data.
        offset: u64,
        /// Where it must begin.
        expected: u64,
    },

    /// A tensor's data reaches beyond the end of the file.
    #[error("tensor {tensor} ends at byte {end}, but the file has {file_size}: download the file again")]
    BeyondEnd {
        /// The tensor.
        tensor: Excerpt,
        /// Where it ends, counted from the start of the file.
        end: u64,
        /// The length of the file.
        file_size: u64,
    },

    /// There is no tensor: the file holds a vocabulary only.
    #[error("it has no tensors (a vocabulary alone cannot run): give a checkpoint with weights")]
    NoTensors,

    /// The file is not a text model: an adapter, a projector, an importance matrix...
    #[error("it is {found}, not a model: {hint}")]
    NotAModel {
        /// What it is, by its own word.
        found: Excerpt,
        /// What to do.
        hint: &'static str,
    },

    /// The file is one part of several.
    #[error("it is one of {count} parts: merge them into one file first (llama-gguf-split --merge)")]
    Split {
        /// How many parts there are.
        count: u64,
    },

    /// The engine does not know the architecture.
    #[error("the architecture {found} is not supported")]
    UnknownArchitecture {
        /// What `general.architecture` says.
        found: Excerpt,
    },

    /// The engine knows the architecture, but it is not run by this crate.
    #[error("the architecture {found} cannot run here: {reason}")]
    UnsupportedArchitecture {
        /// What `general.architecture` says.
        found: Excerpt,
        /// Why.
        reason: &'static str,
    },

    /// A key is missing.
    #[error("key {key} is missing")]
    MissingKey {
        /// The key.
        key: Excerpt,
    },

    /// The value of a key has another type than it must have.
    #[error("key {key} is {found}, not {expected}")]
    WrongValueType {
        /// The key.
        key: Excerpt,
        /// The type that it must have.
        expected: &'static str,
        /// The type that it has.
        found: String,
    },

    /// The value of a key is out of its range.
    #[error("key {key} is {found}: it must be {expected}")]
    OutOfRange {
        /// The key.
        key: Excerpt,
        /// The value.
        found: String,
        /// The range.
        expected: String,
    },

    /// An array does not have as many elements as it must.
    #[error("key {key} has {found} elements: {expected} are needed ({reason})")]
    WrongLength {
        /// The key.
        key: Excerpt,
        /// The elements it has.
        found: u64,
        /// The elements it must have.
        expected: u64,
        /// What they must agree with.
        reason: &'static str,
    },

    /// A tensor that the architecture needs is missing.
    #[error("tensor {tensor} is missing")]
    MissingTensor {
        /// The tensor.
        tensor: Excerpt,
    },

    /// A tensor that the architecture does not have.
    #[error("tensor {tensor} has no place in the model: {reason}")]
    UnexpectedTensor {
        /// The tensor.
        tensor: Excerpt,
        /// Why.
        reason: String,
    },

    /// The shape of a tensor contradicts the hyperparameters.
    #[error("tensor {tensor} has shape {found:?}: the hyperparameters ask for {expected}")]
    WrongShape {
        /// The tensor.
        tensor: Excerpt,
        /// The shape it has.
        found: Vec<u64>,
        /// The shape that it must have.
        expected: String,
    },

    /// The elements of a tensor are of a type that the engine cannot compute with in its place.
    #[error("tensor {tensor} holds {found}: in its place the engine computes with {expected}")]
    WrongTensorKind {
        /// The tensor.
        tensor: Excerpt,
        /// The element type it has.
        found: &'static str,
        /// What it must have.
        expected: &'static str,
    },

    /// There is no tokenizer.
    #[error("it has no tokenizer ({reason}): convert the checkpoint again together with its tokenizer")]
    NoTokenizer {
        /// What is missing.
        reason: &'static str,
    },

    /// The tokenizer's class or its splitting rules are unknown.
    #[error("key {key}: the tokenizer {found} is not supported")]
    UnknownTokenizer {
        /// `tokenizer.ggml.model` or `tokenizer.ggml.pre`.
        key: &'static str,
        /// What it says.
        found: Excerpt,
    },

    /// Two tokens have one spelling.
    #[error("tokens {first} and {second} are both {text}")]
    DuplicateToken {
        /// The spelling.
        text: Excerpt,
        /// The first token's id.
        first: u64,
        /// The second token's id.
        second: u64,
    },

    /// A token that the tokenizer falls back to is missing from the vocabulary.
    #[error("the vocabulary has no token {text}: {reason}")]
    MissingToken {
        /// Its spelling.
        text: Excerpt,
        /// What needs it.
        reason: &'static str,
    },

    /// A token's spelling is not one that its class can have.
    #[error("token {token} cannot be {text}: {reason}")]
    BadToken {
        /// The token's id.
        token: u64,
        /// Its spelling.
        text: Excerpt,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A special token is not in the vocabulary.
    #[error("key {key}: token {token} is not in the vocabulary of {vocabulary} tokens")]
    SpecialTokenOutside {
        /// The key.
        key: Excerpt,
        /// The id.
        token: u64,
        /// The size of the vocabulary.
        vocabulary: u64,
    },

    /// Two parts of the file contradict each other.
    #[error("{what} is {found}, but {against} is {expected}")]
    Contradiction {
        /// One part.
        what: Excerpt,
        /// What it says.
        found: u64,
        /// The other part.
        against: Excerpt,
        /// What it says.
        expected: u64,
    },
}

impl Defect {
    /// A stable name of the class, in kebab case: `truncated`, `wrong-shape`...
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotGguf { .. } => "not-gguf",
            Self::BigEndian => "big-endian",
            Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::Truncated { .. } => "truncated",
            Self::TooMany { .. } => "too-many",
            Self::HeaderTooLarge { .. } => "header-too-large",
            Self::TextTooLong { .. } => "text-too-long",
            Self::BadText { .. } => "bad-text",
            Self::UnknownValueType { .. } => "unknown-value-type",
            Self::BadBool { .. } => "bad-bool",
            Self::DuplicateKey { .. } => "duplicate-key",
            Self::DuplicateTensor { .. } => "duplicate-tensor",
            Self::BadDimensions { .. } => "bad-dimensions",
            Self::BadShape { .. } => "bad-shape",
            Self::UnknownTensorKind { .. } => "unknown-tensor-kind",
            Self::PartialBlock { .. } => "partial-block",
            Self::BadAlignment { .. } => "bad-alignment",
            Self::Misaligned { .. } => "misaligned",
            Self::Overlap { .. } => "overlap",
            Self::Gap { .. } => "gap",
            Self::BeyondEnd { .. } => "beyond-end",
            Self::NoTensors => "no-tensors",
            Self::NotAModel { .. } => "not-a-model",
            Self::Split { .. } => "split",
            Self::UnknownArchitecture { .. } => "unknown-architecture",
            Self::UnsupportedArchitecture { .. } => "unsupported-architecture",
            Self::MissingKey { .. } => "missing-key",
            Self::WrongValueType { .. } => "wrong-value-type",
            Self::OutOfRange { .. } => "out-of-range",
            Self::WrongLength { .. } => "wrong-length",
            Self::MissingTensor { .. } => "missing-tensor",
            Self::UnexpectedTensor { .. } => "unexpected-tensor",
            Self::WrongShape { .. } => "wrong-shape",
            Self::WrongTensorKind { .. } => "wrong-tensor-kind",
            Self::NoTokenizer { .. } => "no-tokenizer",
            Self::UnknownTokenizer { .. } => "unknown-tokenizer",
            Self::DuplicateToken { .. } => "duplicate-token",
            Self::MissingToken { .. } => "missing-token",
            Self::BadToken { .. } => "bad-token",
            Self::SpecialTokenOutside { .. } => "special-token-outside",
            Self::Contradiction { .. } => "contradiction",
        }
    }
}
