//! The tensors against the hyperparameters: there, of the right shape, and of types that compute.

use std::collections::HashSet;

use super::super::architecture::{Architecture, Body};
use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::super::gguf::{Header, TensorInfo};
use super::hyperparameters::Hyperparameters;

/// Checks all tensors.
pub(super) fn check(header: &Header, architecture: &Architecture, h: &Hyperparameters) -> Result<(), Defect> {
    for tensor in &header.tensors {
        check_kind(tensor)?;
        check_block(tensor, h)?;
        if architecture.plain && architecture.body == Body::Attention {
            check_plain(tensor, architecture.name, h)?;
        }
    }
    check_companions(header, architecture)?;
    check_embedding(header, h)
}

/// Where a block's relative positions come from: T5 keeps them in the first.
const RELATIVE: &[(&str, &str)] = &[
    ("t5", "enc.blk.0.attn_rel_b.weight"),
    ("t5", "dec.blk.0.attn_rel_b.weight"),
    ("t5encoder", "enc.blk.0.attn_rel_b.weight"),
];

/// Where a block has the one tensor, llama.cpp takes one of the others for granted: the architecture (any if
/// empty), that tensor, and the others.
#[rustfmt::skip]
const COMPANIONS: &[(&str, &str, &[&str])] = &[
    ("", "ffn_down_exps.weight", &["ffn_up_exps.weight", "ffn_gate_up_exps.weight"]),
    ("falcon-h1", "ssm_conv1d.weight", &["ssm_conv1d.bias"]),
    ("glm-dsa", "indexer.k_norm.weight", &["indexer.attn_k.weight"]),
    ("glm-dsa", "indexer.k_norm.weight", &["indexer.attn_q_b.weight"]),
    ("glm-dsa", "indexer.k_norm.weight", &["indexer.k_norm.bias"]),
    ("glm-dsa", "indexer.k_norm.weight", &["indexer.proj.weight"]),
    ("granitehybrid", "ssm_conv1d.weight", &["ssm_conv1d.bias"]),
    ("nemotron_h", "ssm_conv1d.weight", &["ssm_conv1d.bias"]),
    ("nemotron_h_moe", "ssm_conv1d.weight", &["ssm_conv1d.bias"]),
];

/// Tensors that llama.cpp does not ask for when it loads, and uses all the same.
fn check_companions(header: &Header, architecture: &Architecture) -> Result<(), Defect> {
    let names: HashSet<&str> = header.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let missing = |name: &str| Err(Defect::MissingTensor { tensor: Excerpt::name(name) });
    for (_, name) in RELATIVE.iter().filter(|rule| rule.0 == architecture.name) {
        if !names.contains(name) {
            return missing(name);
        }
    }
    for (_, one, others) in COMPANIONS.iter().filter(|rule| rule.0.is_empty() || rule.0 == architecture.name)
    {
        for block in names.iter().filter_map(|name| name.strip_suffix(one)) {
            let exists = |other: &&str| names.contains(format!("{block}{other}").as_str());
            if !others.iter().any(exists) {
                return missing(&format!("{block}{}", others[0]));
            }
        }
    }
    Ok(())
}

/// Norms, biases and factors are added and multiplied, for which llama.cpp has no other type than F32;
/// everything else is multiplied as a matrix or looked up.
fn check_kind(tensor: &TensorInfo) -> Result<(), Defect> {
    let wrong = |expected| {
        Err(Defect::WrongTensorKind {
            tensor: Excerpt::name(&tensor.name),
            found: tensor.kind.name(),
            expected,
        })
    };
    let name = tensor.name.as_str();
    // Tables of token ids, not weights: of drafting heads and of routing by token.
    if name == "d2t" || name.contains("tid2eid") {
        return Ok(());
    }
    if !tensor.kind.is_weight() {
        return wrong("weights (floating point or quantized)");
    }
    let row = tensor.shape()[1..].iter().all(|&extent| extent == 1);
    let added = row || name.contains("norm") || name.ends_with(".bias") || name.starts_with("rope_");
    if added && !tensor.kind.is_f32() { wrong("F32") } else { Ok(()) }
}

/// The number of a block's tensor: `blk.7.attn_q.weight` gives 7.
fn block(name: &str) -> Option<Result<u32, ()>> {
    let (number, _) = name.strip_prefix("blk.")?.split_once('.')?;
    Some(number.parse().map_err(|_| ()))
}

fn check_block(tensor: &TensorInfo, h: &Hyperparameters) -> Result<(), Defect> {
    match block(&tensor.name) {
        None => Ok(()),
        Some(Ok(block)) if block < h.layers => Ok(()),
        Some(_) => Err(Defect::UnexpectedTensor {
            tensor: Excerpt::name(&tensor.name),
            reason: format!("there are {} blocks", h.layers),
        }),
    }
}

fn wrong_shape(tensor: &TensorInfo, expected: impl Into<String>) -> Defect {
    let (found, expected) = (tensor.shape().to_vec(), expected.into());
    Defect::WrongShape { tensor: Excerpt::name(&tensor.name), found, expected }
}

fn check_embedding(header: &Header, h: &Hyperparameters) -> Result<(), Defect> {
    const NAME: &str = "token_embd.weight";
    let Some(embedding) = header.tensors.iter().find(|tensor| tensor.name == NAME) else {
        return Err(Defect::MissingTensor { tensor: Excerpt::name(NAME) });
    };
    let expected = [u64::from(h.width), u64::from(h.vocabulary)];
    if embedding.shape() != expected {
        return Err(wrong_shape(embedding, format!("{expected:?}: the width and the vocabulary")));
    }
    Ok(())
}

/// Normalize queries and keys by head.
const HEAD_NORMS: [&str; 4] = ["qwen3", "gemma3", "gemma-embedding", "qwen3vl"];
/// May have the gate inside of `ffn_up`.
const GATED: [&str; 3] = ["jina-bert-v2", "glm4", "eurobert"];

/// The shapes that follow from the hyperparameters in the plain way.
fn check_plain(tensor: &TensorInfo, architecture: &str, h: &Hyperparameters) -> Result<(), Defect> {
    let name = tensor.name.as_str();
    let part = match block(name) {
        Some(_) => name.splitn(3, '.').nth(2).unwrap_or_default(),
        None => name,
    };
    let wide = |heads: u32, width: u32| u64::from(heads) * u64::from(width);
    let (width, ffn) = (u64::from(h.width), u64::from(h.ffn));
    let query = wide(h.heads, h.key_width);
    let (key, value) = (wide(h.kv_heads, h.key_width), wide(h.kv_heads, h.value_width));
    let output = wide(h.heads, h.value_width);
    let expected: &[u64] = match part {
        "attn_norm.weight" | "ffn_norm.weight" | "output_norm.weight" => &[width],
        "attn_q_norm.weight" | "attn_k_norm.weight" if HEAD_NORMS.contains(&architecture) => {
            &[h.key_width.into()]
        }
        "ffn_up.weight" if architecture == "phi3" => &[width, 2 * ffn],
        "ffn_gate.weight" | "ffn_up.weight"
            if h.experts == 0 && ffn > 0 && !GATED.contains(&architecture) =>
        {
            &[width, ffn]
        }
        "ffn_down.weight" if h.experts == 0 && ffn > 0 => &[ffn, width],
        "attn_q.weight" => &[width, query],
        "attn_k.weight" => &[width, key],
        "attn_v.weight" => &[width, value],
        "attn_qkv.weight" => &[width, query + key + value],
        "attn_output.weight" => &[output, width],
        "attn_q.bias" => &[query],
        "attn_k.bias" => &[key],
        "attn_v.bias" => &[value],
        "attn_qkv.bias" => &[query + key + value],
        "position_embd.weight" => &[width, h.context_length.into()],
        "output.weight" => &[width, h.vocabulary.into()],
        _ => return Ok(()),
    };
    if tensor.shape() == expected { Ok(()) } else { Err(wrong_shape(tensor, format!("{expected:?}"))) }
}
