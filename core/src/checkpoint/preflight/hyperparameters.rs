//! The hyperparameters: present, of the right type, and within what the engine computes with.

use super::super::architecture::{Architecture, Body, Positions};
use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::super::gguf::{Header, Value};
use super::keys::Keys;

/// The checked hyperparameters of a checkpoint. All counts are at least 1 unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyperparameters {
    /// The number of blocks.
    pub layers: u32,
    /// The width of the residual stream, and of a token's embedding.
    pub width: u32,
    /// Query heads of the block that has most; 0 without attention.
    pub heads: u32,
    /// Key-value heads of the block that has most; 0 without attention.
    pub kv_heads: u32,
    /// The width of a head's key; 0 without attention.
    pub key_width: u32,
    /// The width of a head's value; 0 without attention.
    pub value_width: u32,
    /// The inner width of the feed-forward part of the block that has the widest; 0 if the file says none.
    pub ffn: u32,
    /// The number of experts of a feed-forward part; 0 if there is only one.
    pub experts: u32,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// The number of tokens of the vocabulary.
    pub vocabulary: u32,
    /// The most tokens of a sequence, where positions are learned; `None` if there is no such limit.
    pub position_limit: Option<u32>,
    /// Whether a token sees only those in front of it: false for encoders.
    pub causal: bool,
    /// Values that one token adds to the KV cache, over all blocks.
    pub kv_width: u64,
    /// Values of the recurrent state of one sequence, over all blocks; 0 without one.
    pub state_width: u64,
}

/// Of llama.cpp: `LLAMA_MAX_LAYERS` and `LLAMA_MAX_EXPERTS`.
const MOST_LAYERS: u32 = 512;
const MOST_EXPERTS: u32 = 1024;
/// Far above all that exist, and small enough that no product of them overflows.
const MOST_WIDTH: u32 = 1 << 20;
const MOST_HEADS: u32 = 1 << 14;
const MOST_HEAD_WIDTH: u32 = 1 << 14;
const MOST_FFN: u32 = 1 << 24;

pub(super) fn check(
    header: &Header,
    architecture: &Architecture,
    vocabulary: u32,
) -> Result<Hyperparameters, Defect> {
    let keys = Keys::new(&header.metadata, architecture.name);
    let layers = keys.require_u32_within(".block_count", 1, MOST_LAYERS)?;
    let width = keys.require_u32_within(".embedding_length", 1, MOST_WIDTH)?;
    let context_length = keys.require_u32_within(".context_length", 1, i32::MAX as u32)?;
    let drafting = keys.u32_within(".nextn_predict_layers", 0, layers - 1)?.unwrap_or(0);
    let ffn = feed_forward(&keys, layers)?;
    let experts = check_experts(&keys, architecture, layers)?;
    let heads = attention(&keys, architecture, layers, width)?;
    check_numbers(&keys)?;
    check_rotation(&keys, architecture, &heads)?;
    check_switches(&keys, architecture, width)?;
    if let Some(said) = keys.u32(".vocab_size")?
        && said != vocabulary
        && architecture.plain
    {
        return Err(Defect::Contradiction {
            what: Excerpt::name(&keys.name(".vocab_size")),
            found: said.into(),
            against: Excerpt::words("the number of tokens"),
            expected: vocabulary.into(),
        });
    }
    let causal = keys.bool(".attention.causal")?.unwrap_or(true);
    let cached = &heads.kv[..(layers - drafting) as usize];
    let row = u64::from(heads.key_width) + u64::from(heads.value_width);
    Ok(Hyperparameters {
        layers,
        width,
        heads: heads.query.iter().copied().max().unwrap_or(0),
        kv_heads: heads.kv.iter().copied().max().unwrap_or(0),
        key_width: heads.key_width,
        value_width: heads.value_width,
        ffn,
        experts,
        context_length,
        vocabulary,
        position_limit: (architecture.positions == Positions::Learned).then_some(context_length),
        causal,
        kv_width: if causal { cached.iter().map(|&kv| u64::from(kv) * row).sum() } else { 0 },
        state_width: state_width(&keys, architecture, layers, width)?,
    })
}

fn feed_forward(keys: &Keys<'_>, layers: u32) -> Result<u32, Defect> {
    let widths = keys.per_layer(".feed_forward_length", layers)?.unwrap_or_default();
    match widths.iter().copied().max() {
        Some(widest) if widest > MOST_FFN => {
            Err(keys.out_of_range(".feed_forward_length", widest, format!("at most {MOST_FFN}")))
        }
        widest => Ok(widest.unwrap_or(0)),
    }
}

/// llama.cpp asserts each of these.
fn check_experts(keys: &Keys<'_>, architecture: &Architecture, layers: u32) -> Result<u32, Defect> {
    let count = keys.u32_within(".expert_count", 0, MOST_EXPERTS)?.unwrap_or(0);
    let used = keys.per_layer(".expert_used_count", layers)?.unwrap_or_default();
    let used = used.iter().copied().max().unwrap_or(0);
    let groups = keys.u32(".expert_group_count")?.unwrap_or(0);
    let groups_used = keys.u32(".expert_group_used_count")?.unwrap_or(0);
    // Hunyuan's dense models say that they have one expert, and llama.cpp reads it as none.
    if count <= 1 && groups == 0 && ["hunyuan-dense", "hunyuan_vl"].contains(&architecture.name) {
        return Ok(0);
    }
    if count == 0 {
        if used > 0 {
            return Err(keys.out_of_range(".expert_used_count", used, "0 where there are no experts"));
        }
        if groups > 0 {
            return Err(keys.out_of_range(".expert_group_count", groups, "0 where there are no experts"));
        }
        return Ok(0);
    }
    if used == 0 || used > count {
        return Err(keys.out_of_range(".expert_used_count", used, format!("from 1 to the {count} experts")));
    }
    if groups >= count {
        return Err(keys.out_of_range(
            ".expert_group_count",
            groups,
            format!("less than the {count} experts"),
        ));
    }
    if groups > 1 {
        if !count.is_multiple_of(groups) {
            return Err(keys.out_of_range(
                ".expert_group_count",
                groups,
                format!("a divisor of {count} experts"),
            ));
        }
        if groups_used == 0 || groups_used >= groups {
            let expected = format!("at least 1 and less than the {groups} groups");
            return Err(keys.out_of_range(".expert_group_used_count", groups_used, expected));
        }
    }
    Ok(count)
}

/// The heads of each block, and their widths.
struct Heads {
    query: Vec<u32>,
    kv: Vec<u32>,
    key_width: u32,
    value_width: u32,
}

fn attention(keys: &Keys<'_>, architecture: &Architecture, layers: u32, width: u32) -> Result<Heads, Defect> {
    const QUERY: &str = ".attention.head_count";
    const KV: &str = ".attention.head_count_kv";
    let none = vec![0; layers as usize];
    let query = keys.per_layer(QUERY, layers)?;
    let kv = keys.per_layer(KV, layers)?;
    if query.is_none() && architecture.body == Body::Attention {
        return Err(keys.missing(QUERY));
    }
    let query = query.unwrap_or(none);
    let kv = kv.unwrap_or_else(|| query.clone());
    let of_all_blocks = architecture.body == Body::Attention;
    for (block, (&query, &kv)) in query.iter().zip(&kv).enumerate() {
        if query > MOST_HEADS || (of_all_blocks && query == 0) {
            return Err(keys.out_of_range(QUERY, query, format!("from 1 to {MOST_HEADS} (block {block})")));
        }
        // Grouped queries: each key-value head serves the same number of query heads.
        let shared = kv != 0 && query.is_multiple_of(kv);
        if !(shared || kv == 0 && !of_all_blocks || query == 0 && kv <= MOST_HEADS) {
            return Err(keys.out_of_range(KV, kv, format!("a divisor of the {query} heads (block {block})")));
        }
    }
    if architecture.plain
        && let Some(&other) = query.iter().find(|&&heads| heads != query[0])
    {
        return Err(keys.out_of_range(QUERY, other, format!("{} as in the first block", query[0])));
    }
    if architecture.plain
        && let Some(&other) = kv.iter().find(|&&heads| heads != kv[0])
    {
        return Err(keys.out_of_range(KV, other, format!("{} as in the first block", kv[0])));
    }

    // llama.cpp takes the first block's heads for the widths.
    let key_width = keys.u32_within(".attention.key_length", 1, MOST_HEAD_WIDTH)?;
    let value_width = keys.u32_within(".attention.value_length", 1, MOST_HEAD_WIDTH)?;
    keys.u32_within(".attention.key_length_swa", 1, MOST_HEAD_WIDTH)?;
    keys.u32_within(".attention.value_length_swa", 1, MOST_HEAD_WIDTH)?;
    let first = query[0];
    if first == 0 {
        return Ok(Heads { query, kv, key_width: 0, value_width: 0 });
    }
    let implied = width / first;
    if (key_width.is_none() || value_width.is_none()) && (implied == 0 || !width.is_multiple_of(first)) {
        return Err(keys.out_of_range(QUERY, first, format!("a divisor of the width {width}")));
    }
    let (key_width, value_width) = (key_width.unwrap_or(implied), value_width.unwrap_or(implied));
    if architecture.has_equal_widths() && key_width != value_width {
        return Err(Defect::Contradiction {
            what: Excerpt::name(&keys.name(".attention.value_length")),
            found: value_width.into(),
            against: Excerpt::name(&keys.name(".attention.key_length")),
            expected: key_width.into(),
        });
    }
    Ok(Heads { query, kv, key_width, value_width })
}

/// Numbers with a fraction: finite, and where the engine asserts it, not negative.
fn check_numbers(keys: &Keys<'_>) -> Result<(), Defect> {
    let finite = [
        ".rope.scaling.attn_factor",
        ".rope.scaling.alpha",
        ".rope.scaling.yarn_log_multiplier",
        ".rope.scaling.yarn_ext_factor",
        ".rope.scaling.yarn_attn_factor",
        ".rope.scaling.yarn_beta_fast",
        ".rope.scaling.yarn_beta_slow",
        ".logit_scale",
        ".residual_scale",
        ".embedding_scale",
        ".attention.scale",
        ".attention.max_alibi_bias",
        ".attention.clamp_kqv",
        ".attn_logit_softcapping",
        ".final_logit_softcapping",
        ".router_logit_softcapping",
        ".expert_weights_scale",
    ];
    let within = |key: &str, good: &dyn Fn(f32) -> bool, expected: &str| match keys.get(key) {
        // Of another type, it is one that the architecture does not read, or that fails to load.
        Some(&Value::F32(value)) if !good(value) => Err(keys.out_of_range(key, value, expected)),
        _ => Ok(()),
    };
    for key in finite {
        within(key, &f32::is_finite, "a finite number")?;
    }
    for key in [
        ".attention.layer_norm_rms_epsilon",
        ".attention.layer_norm_epsilon",
        ".attention.group_norm_epsilon",
    ] {
        keys.f32(key)?;
        within(key, &|value| (0.0..1.0).contains(&value), "at least 0 and less than 1")?;
    }
    keys.f32(".rope.freq_base")?;
    for key in [".rope.freq_base", ".rope.freq_base_swa", ".attention.compress_rope_freq_base"] {
        within(key, &|value| value.is_finite() && value > 0.0, "a positive finite number")?;
    }
    for key in [".rope.scaling.attn_factor", ".rope.scaling.alpha"] {
        keys.f32(key)?;
    }
    for key in [".rope.scaling.factor", ".rope.scale_linear"] {
        keys.f32(key)?;
        within(key, &|value| value.is_finite() && value >= 0.0, "a finite number that is not negative")?;
    }
    Ok(())
}

/// Rotary positions turn pairs of a head's values: an even number of them, at most all.
fn check_rotation(keys: &Keys<'_>, architecture: &Architecture, heads: &Heads) -> Result<(), Defect> {
    const DIMENSIONS: &str = ".rope.dimension_count";
    if let Some(kind) = keys.str(".rope.scaling.type")?
        && !["none", "linear", "yarn", "longrope"].contains(&kind)
    {
        let key = Excerpt::name(&keys.name(".rope.scaling.type"));
        let found = Excerpt::quote(kind).to_string();
        return Err(Defect::OutOfRange { key, found, expected: "none, linear, yarn or longrope".into() });
    }
    keys.bool(".rope.scaling.finetuned")?;
    keys.u32_within(".rope.scaling.original_context_length", 1, i32::MAX as u32)?;
    if heads.key_width == 0 {
        return Ok(());
    }
    let said = keys.u32(DIMENSIONS)?;
    let turned = said.unwrap_or(heads.key_width);
    let limit = heads.key_width;
    if turned > limit || (architecture.positions == Positions::Rotary && !turned.is_multiple_of(2)) {
        return Err(keys.out_of_range(
            DIMENSIONS,
            turned,
            format!("an even number, at most {limit} of a head"),
        ));
    }
    if turned != limit && architecture.rotates_whole_heads() {
        return Err(keys.out_of_range(DIMENSIONS, turned, format!("{limit}, the width of a head")));
    }
    if let Some(turned) = keys.u32(".rope.dimension_count_swa")? {
        let limit = keys.u32(".attention.key_length_swa")?.unwrap_or(limit);
        if turned > limit || !turned.is_multiple_of(2) {
            let expected = format!("an even number, at most {limit} of a head");
            return Err(keys.out_of_range(".rope.dimension_count_swa", turned, expected));
        }
    }
    // The four sections of multi-axis positions count pairs.
    if let Some(value) = keys.get(".rope.dimension_sections") {
        let sections = keys.sections(".rope.dimension_sections", value)?;
        let sum: u64 = sections.iter().map(|&section| u64::from(section)).sum();
        if sum > u64::from(limit) {
            return Err(keys.out_of_range(
                ".rope.dimension_sections",
                sum,
                format!("at most {limit} in sum"),
            ));
        }
    }
    Ok(())
}

/// Choices and the few counts that the engine takes as they are.
fn check_switches(keys: &Keys<'_>, architecture: &Architecture, width: u32) -> Result<(), Defect> {
    // None, mean, first, last, rank.
    keys.u32_within(".pooling_type", 0, 4)?;
    keys.u32_within(".classifier.pooling_type", 0, 4)?;
    const LABELS: &str = ".classifier.output_labels";
    if let Some(labels) = keys.get(LABELS)
        && labels.as_array().is_some()
        && labels.as_strings().is_none()
    {
        return Err(keys.wrong_type(LABELS, "an array of strings", labels));
    }
    if let Some(value) = keys.get(".attention.sliding_window")
        && let Some(window) = value.as_u64()
        && window > 1 << 24
    {
        return Err(keys.out_of_range(".attention.sliding_window", window, "at most 16777216"));
    }
    if let Some(out) = keys.u32(".embedding_length_out")? {
        let limit = if architecture.plain { width } else { MOST_WIDTH };
        if out > limit || (architecture.plain && out != 0 && out != width) {
            return Err(keys.out_of_range(".embedding_length_out", out, format!("the width {width}, or 0")));
        }
    }
    Ok(())
}

/// The recurrent state, by the same formula as `llama_hparams::n_embd_r` and `n_embd_s`.
fn state_width(keys: &Keys<'_>, architecture: &Architecture, layers: u32, width: u32) -> Result<u64, Defect> {
    if architecture.body == Body::Attention {
        return Ok(0);
    }
    let of = |key: &str| Ok(keys.u32_within(key, 0, MOST_FFN)?.map_or(0, u64::from));
    let (inner, state) = (of(".ssm.inner_size")?, of(".ssm.state_size")?);
    let (kernel, groups) = (of(".ssm.conv_kernel")?, of(".ssm.group_count")?);
    let head = of(".wkv.head_size")?;
    let convolution = kernel.saturating_sub(1).saturating_mul(inner + 2 * groups * state);
    let block = convolution.saturating_add(inner * state).saturating_add((2 + head) * u64::from(width));
    Ok(block.saturating_mul(layers.into()))
}
