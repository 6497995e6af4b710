//! Digests of parts of a checkpoint's metadata: whether two files tokenize and prompt alike.

use super::gguf::{Array, Value};
use super::{Checkpoint, Digest};

/// The prefix of the keys that make the tokenizer, and of those among them that make prompts.
const TOKENIZER: &str = "tokenizer.";
const CHAT_TEMPLATE: &str = "tokenizer.chat_template";

impl Checkpoint {
    /// The digest of the tokenizer: SHA-256 over all metadata whose keys begin with `tokenizer.`, but not with
    /// `tokenizer.chat_template`, in the bytewise order of the keys. Each key and value stands there as in a
    /// GGUF file of version 3, little-endian: the key's length (u64) and bytes, the value's type (u32), the value.
    ///
    /// Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, `gguf_metadata_kv_t`.
    pub fn tokenizer_digest(&self) -> Digest {
        let is_part = |key: &str| key.starts_with(TOKENIZER) && !key.starts_with(CHAT_TEMPLATE);
        let mut entries: Vec<_> = self.header().metadata.iter().filter(|(key, _)| is_part(key)).collect();
        entries.sort_unstable_by_key(|&(key, _)| key);
        let mut bytes = Vec::new();
        for (key, value) in entries {
            push_text(&mut bytes, key);
            push_value(&mut bytes, value);
        }
        Digest::of_bytes(&bytes)
    }

    /// The digest of the [chat template](Self::chat_template): SHA-256 over its text.
    pub fn chat_template_digest(&self) -> Option<Digest> {
        self.chat_template().map(|template| Digest::of_bytes(template.as_bytes()))
    }
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn push_value(bytes: &mut Vec<u8>, value: &Value) {
    let mut typed = |id: u32, value: &[u8]| {
        bytes.extend(id.to_le_bytes());
        bytes.extend(value);
    };
    match value {
        Value::U8(value) => typed(0, &value.to_le_bytes()),
        Value::I8(value) => typed(1, &value.to_le_bytes()),
        Value::U16(value) => typed(2, &value.to_le_bytes()),
        Value::I16(value) => typed(3, &value.to_le_bytes()),
        Value::U32(value) => typed(4, &value.to_le_bytes()),
        Value::I32(value) => typed(5, &value.to_le_bytes()),
        Value::F32(value) => typed(6, &value.to_le_bytes()),
        Value::Bool(value) => typed(7, &[u8::from(*value)]),
        Value::U64(value) => typed(10, &value.to_le_bytes()),
        Value::I64(value) => typed(11, &value.to_le_bytes()),
        Value::F64(value) => typed(12, &value.to_le_bytes()),
        Value::String(text) => {
            typed(8, &[]);
            push_text(bytes, text);
        }
        Value::Array(array) => {
            typed(9, &[]);
            push_array(bytes, array);
        }
    }
}

fn push_array(bytes: &mut Vec<u8>, array: &Array) {
    let mut begin = |id: u32| {
        bytes.extend(id.to_le_bytes());
        bytes.extend((array.len() as u64).to_le_bytes());
    };
    match array {
        Array::U8(values) => {
            begin(0);
            bytes.extend(values);
        }
        Array::I8(values) => {
            begin(1);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::U16(values) => {
            begin(2);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::I16(values) => {
            begin(3);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::U32(values) => {
            begin(4);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::I32(values) => {
            begin(5);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::F32(values) => {
            begin(6);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::Bool(values) => {
            begin(7);
            bytes.extend(values.iter().map(|&value| u8::from(value)));
        }
        Array::String(texts) => {
            begin(8);
            texts.iter().for_each(|text| push_text(bytes, text));
        }
        Array::U64(values) => {
            begin(10);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::I64(values) => {
            begin(11);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Array::F64(values) => {
            begin(12);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
}
