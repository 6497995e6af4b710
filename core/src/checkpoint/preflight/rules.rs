//! What single architectures demand of their hyperparameters, and llama.cpp asserts instead of checking.
//!
//! Each rule was found by corrupting a small model of the architecture until the process died.

use super::super::architecture::Architecture;
use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::super::gguf::{Array, Value};
use super::hyperparameters::Hyperparameters;
use super::keys::Keys;

/// Turn the positions of several axes, so that a head has sections.
const SECTIONED: &[&str] =
    &["qwen2vl", "paddleocr", "qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "clef", "qwen4exp"];

/// Are mixtures of experts, always.
const MIXTURES: &[&str] = &["smallthinker", "llada-moe", "bailingmoe2", "grovemoe", "glm4moe"];

/// Numbers that the engine divides by, or whose absence it does not see: the architecture, the key, the range,
/// and whether the key must be there.
#[rustfmt::skip]
const RANGES: &[(&str, &str, u32, u32, bool)] = &[
    ("afmoe", ".attention.sliding_window", 1, 1 << 24, true),
    ("arwkv7", ".token_shift_count", 1, 1, true),
    ("dots1", ".expert_gating_func", 1, 4, true),
    ("ernie4_5-moe", ".interleave_moe_layer_step", 1, 512, true),
    ("grovemoe", ".experts_per_group", 1, 1024, true),
    ("hrm_text", ".hrm.layers_per_stack", 1, 512, true),
    ("hrm_text", ".hrm.h_cycles", 1, 512, true),
    ("hrm_text", ".hrm.l_cycles", 1, 512, true),
    ("llama4", ".attention.sliding_window", 1, 1 << 24, false),
    ("minimax-m2", ".expert_gating_func", 1, 4, true),
    ("nanbeige", ".num_loops", 1, 512, false),
    ("plamo2", ".ssm.group_count", 0, 0, false),
    ("qwen35", ".full_attention_interval", 1, 512, false),
    ("qwen35moe", ".full_attention_interval", 1, 512, false),
    ("qwen3next", ".full_attention_interval", 1, 512, false),
    ("rwkv6", ".token_shift_count", 2, 2, false),
    ("rwkv6qwen2", ".token_shift_count", 1, 1, true),
    ("rwkv7", ".token_shift_count", 2, 2, false),
    ("smallthinker", ".expert_gating_func", 1, 4, true),
];

/// After how many blocks the window pauses for one, where the file does not say, and whether that is the
/// first of them rather than the last.
#[rustfmt::skip]
const PERIODS: &[(&str, u32, bool)] = &[
    ("afmoe", 4, false), ("cohere2", 4, false), ("cohere2moe", 4, true), ("exaone-moe", 4, false),
    ("exaone4", 4, false), ("gemma-embedding", 6, false), ("gemma2", 2, false), ("gemma3", 6, false),
    ("gemma3n", 5, false), ("laguna", 4, true), ("llama4", 4, false), ("mellum", 4, false),
    ("modern-bert", 3, true), ("muse-glimmer", 4, false), ("olmo2", 4, false), ("gpt-oss", 2, false),
    ("plamo3", 8, false), ("smallthinker", 4, true),
];

pub(super) fn check(keys: &Keys<'_>, architecture: &Architecture, h: &Hyperparameters) -> Result<(), Defect> {
    let is_one_of = |names: &[&str]| names.contains(&architecture.name);
    keys.u32_within(".expert_gating_func", 1, 4)?;
    if is_one_of(MIXTURES) && h.experts == 0 {
        return Err(keys.out_of_range(".expert_count", 0, "at least 1 for this architecture"));
    }
    if is_one_of(SECTIONED) {
        const SECTIONS: &str = ".rope.dimension_sections";
        let value = keys.get(SECTIONS).ok_or_else(|| keys.missing(SECTIONS))?;
        if keys.sections(SECTIONS, value)?.iter().take(3).sum::<u32>() == 0 {
            return Err(keys.out_of_range(SECTIONS, "0", "at least 1 in sum of the first three"));
        }
    }
    for &(_, key, least, most, required) in RANGES.iter().filter(|rule| rule.0 == architecture.name) {
        if keys.u32_within(key, least, most)?.is_none() && required {
            return Err(keys.missing(key));
        }
    }
    check_windows(keys, architecture, h.layers)?;
    check_latent(keys)?;
    check_relations(keys, architecture, h)
}

/// Numbers of single architectures that must agree.
fn check_relations(keys: &Keys<'_>, architecture: &Architecture, h: &Hyperparameters) -> Result<(), Defect> {
    let number = |key: &str| Ok::<u64, Defect>(keys.u32(key)?.unwrap_or(0).into());
    let equal = |key: &str, found: u64, against: &str, expected: u64| {
        let (what, against) = (Excerpt::name(&keys.name(key)), Excerpt::words(against));
        if found == expected { Ok(()) } else { Err(Defect::Contradiction { what, found, against, expected }) }
    };
    let rotated: u64 = keys.u32(".rope.dimension_count")?.unwrap_or(h.key_width).into();
    match architecture.name {
        "granitehybrid" | "jamba" => {
            const INNER: &str = ".ssm.inner_size";
            equal(INNER, number(INNER)?, "twice the width", 2 * u64::from(h.width))
        }
        "hrm_text" => {
            let stack = number(".hrm.layers_per_stack")? * number(".hrm.h_cycles")?;
            equal(
                ".block_count",
                h.layers.into(),
                "the stacks of all cycles",
                stack * (number(".hrm.l_cycles")? + 1),
            )
        }
        "nanbeige" if u64::from(h.layers) * number(".num_loops")? > 512 => {
            Err(keys.out_of_range(".num_loops", number(".num_loops")?, "at most 512 blocks in all loops"))
        }
        // The linear attention's states are square.
        "qwen3next" | "qwen35" | "qwen35moe" | "clef" | "qwen4exp" => {
            let (heads, groups) = (number(".ssm.time_step_rank")?, number(".ssm.group_count")?);
            if groups == 0 || !heads.is_multiple_of(groups) {
                return Err(keys.out_of_range(
                    ".ssm.group_count",
                    groups,
                    format!("a divisor of {heads} heads"),
                ));
            }
            let expected = heads * number(".ssm.state_size")?;
            equal(".ssm.inner_size", number(".ssm.inner_size")?, "the state size of all heads", expected)
        }
        "rwkv6" | "rwkv6qwen2" | "rwkv7" | "arwkv7" => {
            const HEAD: &str = ".wkv.head_size";
            let head = keys.require_u32_within(HEAD, 1, h.width)?;
            if !h.width.is_multiple_of(head) {
                return Err(keys.out_of_range(HEAD, head, format!("a divisor of the width {}", h.width)));
            }
            if architecture.name == "rwkv6" && h.heads != h.kv_heads {
                let expected = format!("{}, as many as heads", h.heads);
                return Err(keys.out_of_range(".attention.head_count_kv", h.kv_heads, expected));
            }
            Ok(())
        }
        "minicpm3" if h.heads != h.kv_heads => {
            let expected = format!("{}, as many as heads", h.heads);
            Err(keys.out_of_range(".attention.head_count_kv", h.kv_heads, expected))
        }
        // A part of each key is not rotated.
        "plm" if rotated >= u64::from(h.key_width) => {
            Err(keys.out_of_range(".rope.dimension_count", rotated, format!("less than {}", h.key_width)))
        }
        "deepseek2-ocr" => equal(
            ".attention.key_length",
            h.key_width.into(),
            "the width by heads",
            (h.width / h.heads).into(),
        ),
        // Its images' tokens are masked by their ids.
        "chameleon" if h.vocabulary < 8196 => {
            Err(keys.out_of_range(".vocab_size", h.vocabulary, "at least 8196 for this architecture"))
        }
        _ => Ok(()),
    }
}

/// Which blocks see only a window: of every so many all but the last, or all but the first.
fn windows(keys: &Keys<'_>, architecture: &Architecture, layers: u32) -> Result<Option<Vec<bool>>, Defect> {
    const PATTERN: &str = ".attention.sliding_window_pattern";
    let default = PERIODS.iter().find(|rule| rule.0 == architecture.name);
    let array: Vec<bool> = match keys.get(PATTERN) {
        None | Some(Value::U32(_)) => {
            let Some(&(_, period, first_is_full)) = default else { return Ok(None) };
            let period = keys.u32(PATTERN)?.unwrap_or(period);
            let full = if first_is_full { 0 } else { period.wrapping_sub(1) };
            return Ok(Some((0..layers).map(|block| period == 0 || block % period != full).collect()));
        }
        Some(Value::Array(Array::Bool(blocks))) => blocks.clone(),
        Some(Value::Array(Array::U32(blocks))) => blocks.iter().map(|&block| block != 0).collect(),
        Some(Value::Array(Array::I32(blocks))) => blocks.iter().map(|&block| block != 0).collect(),
        Some(other) => return Err(keys.wrong_type(PATTERN, "a u32 or an array of them", other)),
    };
    Ok(Some((0..layers as usize).map(|block| array.get(block).copied().unwrap_or(false)).collect()))
}

fn check_windows(keys: &Keys<'_>, architecture: &Architecture, layers: u32) -> Result<(), Defect> {
    const PATTERN: &str = ".attention.sliding_window_pattern";
    let Some(windows) = windows(keys, architecture, layers)? else {
        // It has no period of its own to fall back to.
        return if architecture.name == "gemma4" { Err(keys.missing(PATTERN)) } else { Ok(()) };
    };
    if !windows.contains(&true) {
        return Err(keys.out_of_range(PATTERN, "no block with a window", "at least one"));
    }
    // Encoders have two masks and need both.
    if ["gemma-embedding", "modern-bert"].contains(&architecture.name) && !windows.contains(&false) {
        return Err(keys.out_of_range(PATTERN, "no block without a window", "at least one"));
    }
    // The last blocks of these use the caches of the last two that have their own: one with a window, one without.
    let own = match architecture.name {
        "gemma3n" => layers.min(20),
        "gemma4" => {
            const SHARED: &str = ".attention.shared_kv_layers";
            layers - keys.u32_within(SHARED, 0, layers.saturating_sub(2))?.unwrap_or(0)
        }
        _ => layers,
    } as usize;
    if own < windows.len() && (!windows[own - 2] || windows[own - 1]) {
        let expected = format!("block {} with a window, and block {} without", own - 2, own - 1);
        return Err(keys.out_of_range(PATTERN, "another order", expected));
    }
    Ok(())
}

/// Latent attention caches one row for all heads: the compressed keys and values, and the rotated part.
fn check_latent(keys: &Keys<'_>) -> Result<(), Defect> {
    const KEY: &str = ".attention.key_length_mla";
    let Some(key) = keys.u32(KEY)? else { return Ok(()) };
    let rotated = keys.u32(".rope.dimension_count")?.unwrap_or(0);
    if key <= rotated {
        return Err(keys.out_of_range(KEY, key, format!("more than the {rotated} that are rotated")));
    }
    let Some(rank) = keys.u32(".attention.kv_lora_rank")? else { return Ok(()) };
    let wanted = [
        (".attention.key_length", u64::from(rank) + u64::from(rotated)),
        (".attention.value_length", rank.into()),
    ];
    for (name, expected) in wanted {
        let found = keys.u32(name)?.unwrap_or(0).into();
        if found != expected {
            return Err(Defect::Contradiction {
                what: Excerpt::name(&keys.name(name)),
                found,
                against: Excerpt::words("what the latent rank and the rotation ask for"),
                expected,
            });
        }
    }
    Ok(())
}
