//! Small files whose parts are well-formed and whose sense is not.

use super::gguf::{Gguf, Value};
use super::mutate::Seeded;

/// Keys that the engine reads for this architecture, or for any.
pub const KEYS: &[&str] = &[
    "general.alignment",
    "general.architecture",
    "general.file_type",
    "general.name",
    "general.type",
    "llama.attention.causal",
    "llama.attention.clamp_kqv",
    "llama.attention.head_count",
    "llama.attention.head_count_kv",
    "llama.attention.key_length",
    "llama.attention.key_length_swa",
    "llama.attention.layer_norm_epsilon",
    "llama.attention.layer_norm_rms_epsilon",
    "llama.attention.max_alibi_bias",
    "llama.attention.scale",
    "llama.attention.sliding_window",
    "llama.attention.sliding_window_pattern",
    "llama.attention.value_length",
    "llama.attn_logit_softcapping",
    "llama.block_count",
    "llama.classifier.output_labels",
    "llama.classifier.pooling_type",
    "llama.context_length",
    "llama.embedding_length",
    "llama.embedding_length_out",
    "llama.embedding_scale",
    "llama.expert_count",
    "llama.expert_group_count",
    "llama.expert_group_used_count",
    "llama.expert_used_count",
    "llama.feed_forward_length",
    "llama.final_logit_softcapping",
    "llama.logit_scale",
    "llama.nextn_predict_layers",
    "llama.pooling_type",
    "llama.residual_scale",
    "llama.rope.dimension_count",
    "llama.rope.dimension_count_swa",
    "llama.rope.dimension_sections",
    "llama.rope.freq_base",
    "llama.rope.freq_base_swa",
    "llama.rope.scale_linear",
    "llama.rope.scaling.alpha",
    "llama.rope.scaling.attn_factor",
    "llama.rope.scaling.factor",
    "llama.rope.scaling.finetuned",
    "llama.rope.scaling.original_context_length",
    "llama.rope.scaling.type",
    "llama.rope.scaling.yarn_attn_factor",
    "llama.rope.scaling.yarn_beta_fast",
    "llama.rope.scaling.yarn_beta_slow",
    "llama.rope.scaling.yarn_ext_factor",
    "llama.rope.scaling.yarn_log_multiplier",
    "llama.vocab_size",
    "split.count",
    "split.no",
    "split.tensors.count",
    "tokenizer.chat_template",
    "tokenizer.ggml.add_bos_token",
    "tokenizer.ggml.add_eos_token",
    "tokenizer.ggml.add_sep_token",
    "tokenizer.ggml.add_space_prefix",
    "tokenizer.ggml.bos_token_id",
    "tokenizer.ggml.cls_token_id",
    "tokenizer.ggml.eom_token_id",
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.fim_pre_token_id",
    "tokenizer.ggml.mask_token_id",
    "tokenizer.ggml.merges",
    "tokenizer.ggml.model",
    "tokenizer.ggml.normalizer.lowercase",
    "tokenizer.ggml.padding_token_id",
    "tokenizer.ggml.pre",
    "tokenizer.ggml.precompiled_charsmap",
    "tokenizer.ggml.remove_extra_whitespaces",
    "tokenizer.ggml.scores",
    "tokenizer.ggml.seperator_token_id",
    "tokenizer.ggml.suppress_tokens",
    "tokenizer.ggml.token_type",
    "tokenizer.ggml.token_type_count",
    "tokenizer.ggml.tokens",
    "tokenizer.ggml.unknown_token_id",
];

pub fn values() -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for number in
        [0, 1, 2, 3, 4, 5, 7, 8, 16, 64, 255, 258, 259, 512, 513, 1024, 65_535, 1 << 20, 1 << 31, u32::MAX]
    {
        values.push(Value::U32(number));
    }
    for number in [0.0, -0.0, 1.0, -1.0, 1e-45, 1e38, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        values.push(Value::F32(number));
    }
    let texts =
        ["", "llama", "none", "linear", "yarn", "longrope", "gpt2", "bert", "t5", "rwkv", "plamo2", "model"];
    values.extend(texts.map(Value::from));
    values.extend([Value::Bool(false), Value::Bool(true), Value::U8(1), Value::U16(0), Value::U16(2)]);
    values.extend([Value::I32(-1), Value::I32(2), Value::U64(1 << 40), Value::Text(vec![b'x'; 100_000])]);
    values.extend([
        Value::Texts(vec![]),
        Value::Texts(vec![b"a b".to_vec()]),
        Value::Texts(vec![vec![]; 259]),
    ]);
    values.extend([
        Value::F32s(vec![]),
        Value::F32s(vec![f32::INFINITY; 259]),
        Value::I32s(vec![i32::MIN; 4]),
    ]);
    values.extend([
        Value::I32s(vec![0; 259]),
        Value::U32s(vec![u32::MAX; 1]),
        Value::U32s(vec![2]),
        Value::U8s(vec![0; 9]),
    ]);
    values
}

fn short(value: &Value) -> String {
    format!("{value:?}").chars().take(40).collect()
}

/// Every known key with every hostile value, and without it.
pub fn single_keys() -> impl Iterator<Item = (String, Gguf)> {
    let each = |key: &'static str| {
        let with = move |value: Value| {
            let mut gguf = Gguf::tiny_llama();
            gguf.set(key, value.clone());
            (format!("{key} = {}", short(&value)), gguf)
        };
        let mut without = Gguf::tiny_llama();
        without.remove(key);
        values().into_iter().map(with).chain([(format!("no {key}"), without)])
    };
    KEYS.iter().copied().flat_map(each)
}

/// Two keys with hostile values.
pub fn pair_of_keys(seed: u64) -> (String, Gguf) {
    let mut random = Seeded::new(seed);
    let mut gguf = Gguf::tiny_llama();
    let mut what = format!("seed {seed}");
    let values = values();
    for _ in 0..2 {
        let (key, value) = (KEYS[random.below(KEYS.len())], &values[random.below(values.len())]);
        gguf.set(key, value.clone());
        what += &format!(", {key} = {}", short(value));
    }
    (what, gguf)
}

/// Every tensor, left out, of every element type, and of other shapes.
pub fn tensors() -> impl Iterator<Item = (String, Gguf)> {
    const SHAPES: [&[u64]; 9] =
        [&[1], &[8], &[8, 1], &[1, 8], &[8, 8, 1, 1], &[8, 8, 2], &[4, 4, 4], &[8, 259, 1, 2], &[0]];
    let count = Gguf::tiny_llama().tensors.len();
    (0..count).flat_map(move |place| {
        let of_kind = move |kind: u32| {
            // Wide enough for a block of every type; and the data, for the largest.
            let mut gguf = Gguf::llama(256, 256);
            let mut tensor = gguf.tensors.remove(place);
            let (kind_was, length) = (tensor.kind, tensor.data.len());
            tensor.kind = kind;
            let elements = length / if kind_was == 0 { 4 } else { 2 };
            tensor.data =
                (0..elements * SIZES[kind as usize].1 / SIZES[kind as usize].0).map(|i| i as u8).collect();
            let what = format!("{} of type {kind}", String::from_utf8_lossy(&tensor.name));
            gguf.tensors.push(tensor);
            (what, gguf)
        };
        let of_shape = move |shape: &[u64]| {
            let mut gguf = Gguf::tiny_llama();
            let name = String::from_utf8(gguf.tensors.remove(place).name).expect("a name of ours");
            gguf.tensor(&name, shape, 0);
            (format!("{name} of shape {shape:?}"), gguf)
        };
        let mut without = Gguf::tiny_llama();
        let name = without.tensors.remove(place).name;
        let without = (format!("no {}", String::from_utf8_lossy(&name)), without);
        (0..44).map(of_kind).chain(SHAPES.into_iter().map(of_shape)).chain([without])
    })
}

/// Elements and bytes of a block, by the number of the type in ggml; any for those that do not exist.
#[rustfmt::skip]
const SIZES: [(usize, usize); 44] = [
    (1, 4), (1, 2), (32, 18), (32, 20), (1, 1), (1, 1), (32, 22), (32, 24), (32, 34), (32, 36),
    (256, 84), (256, 110), (256, 144), (256, 176), (256, 210), (256, 292), (256, 66), (256, 74), (256, 98), (256, 50),
    (32, 18), (256, 110), (256, 82), (256, 136), (1, 1), (1, 2), (1, 4), (1, 8), (1, 8), (256, 56),
    (1, 2), (1, 1), (1, 1), (1, 1), (256, 54), (256, 66), (1, 1), (1, 1), (1, 1), (32, 17),
    (64, 36), (128, 18), (64, 18), (1, 1),
];
