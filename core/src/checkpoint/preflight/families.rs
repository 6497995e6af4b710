//! The tensors of the common families, one by one: what each has, may have, and of which shape.
//!
//! llama.cpp refuses a missing or unknown tensor too, after it has begun to load; but for a few it only
//! notices when it computes. Architectures that are not listed here are left to it.

use std::collections::HashSet;

use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::super::gguf::Header;
use super::hyperparameters::Hyperparameters;

/// What the tensors of an architecture are called, as in llama.cpp's `src/models`. Names of a block stand
/// without `blk.N.`; queries, keys and values are treated apart, since they may come fused.
struct Family {
    architectures: &'static [&'static str],
    required: &'static [&'static str],
    optional: &'static [&'static str],
    block: &'static [&'static str],
    block_optional: &'static [&'static str],
}

const OUTPUT: &str = "output.weight";
const ATTENTION: [&str; 3] = ["attn_q.weight", "attn_k.weight", "attn_v.weight"];
const FUSED: &str = "attn_qkv.weight";
const BIASES: [&str; 4] = ["attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_qkv.bias"];

#[rustfmt::skip]
static FAMILIES: &[Family] = &[
    Family {
        architectures: &["llama", "mistral3", "granite", "llama-embed"],
        required: &["token_embd.weight", "output_norm.weight"],
        optional: &[OUTPUT, "rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"],
        block: &[
            "attn_norm.weight", "attn_output.weight",
            "ffn_norm.weight", "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight",
        ],
        block_optional: &["attn_output.bias", "ffn_gate.bias", "ffn_up.bias", "ffn_down.bias"],
    },
    Family {
        architectures: &["qwen2", "smollm3", "gemma"],
        required: &["token_embd.weight", "output_norm.weight"],
        optional: &[OUTPUT, "output.bias"],
        block: &[
            "attn_norm.weight", "attn_output.weight",
            "ffn_norm.weight", "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight",
        ],
        block_optional: &[],
    },
    Family {
        architectures: &["qwen3"],
        required: &["token_embd.weight", "output_norm.weight"],
        optional: &[OUTPUT, "cls.output.weight"],
        block: &[
            "attn_norm.weight", "attn_output.weight", "attn_q_norm.weight", "attn_k_norm.weight",
            "ffn_norm.weight", "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight",
        ],
        block_optional: &[],
    },
    Family {
        architectures: &["gemma2"],
        required: &["token_embd.weight", "output_norm.weight"],
        optional: &[],
        block: &[
            "attn_norm.weight", "attn_output.weight", "post_attention_norm.weight",
            "ffn_norm.weight", "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight", "post_ffw_norm.weight",
        ],
        block_optional: &[],
    },
    Family {
        architectures: &["gemma3", "gemma-embedding"],
        required: &["token_embd.weight", "output_norm.weight"],
        optional: &[OUTPUT, "dense_2.weight", "dense_3.weight"],
        block: &[
            "attn_norm.weight", "attn_output.weight", "attn_q_norm.weight", "attn_k_norm.weight",
            "post_attention_norm.weight",
            "ffn_norm.weight", "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight", "post_ffw_norm.weight",
        ],
        block_optional: &[],
    },
    Family {
        architectures: &["phi3"],
        required: &["token_embd.weight", "output_norm.weight"],
        optional: &[OUTPUT, "rope_factors_long.weight", "rope_factors_short.weight"],
        block: &["attn_norm.weight", "attn_output.weight", "ffn_norm.weight", "ffn_up.weight", "ffn_down.weight"],
        block_optional: &[],
    },
    Family {
        architectures: &["bert"],
        required: &[
            "token_embd.weight", "position_embd.weight", "token_embd_norm.weight", "token_embd_norm.bias",
        ],
        optional: &["token_types.weight", "cls.weight", "cls.bias", "cls.output.weight", "cls.output.bias"],
        block: &[
            "attn_output.weight", "attn_output_norm.weight", "attn_output_norm.bias",
            "ffn_up.weight", "ffn_down.weight", "layer_output_norm.weight", "layer_output_norm.bias",
        ],
        block_optional: &["attn_output.bias", "ffn_up.bias", "ffn_down.bias"],
    },
    Family {
        architectures: &["nomic-bert"],
        required: &["token_embd.weight", "token_embd_norm.weight", "token_embd_norm.bias"],
        optional: &["token_types.weight"],
        block: &[
            "attn_output.weight", "attn_output_norm.weight", "attn_output_norm.bias", "ffn_gate.weight",
            "ffn_up.weight", "ffn_down.weight", "layer_output_norm.weight", "layer_output_norm.bias",
        ],
        block_optional: &["attn_output.bias", "ffn_up.bias", "ffn_down.bias"],
    },
];

/// Checks that all tensors of the family are there, and no others. Shapes are checked elsewhere.
pub(super) fn check(header: &Header, architecture: &str, h: &Hyperparameters) -> Result<(), Defect> {
    let family = FAMILIES.iter().find(|family| family.architectures.contains(&architecture));
    // Mixtures of experts have other tensors, and some of them by choice.
    let Some(family) = family.filter(|_| h.experts == 0) else { return Ok(()) };
    let names: HashSet<&str> = header.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let require = |name: String| {
        if names.contains(name.as_str()) {
            Ok(())
        } else {
            Err(Defect::MissingTensor { tensor: Excerpt::name(&name) })
        }
    };
    for &name in family.required {
        require(name.to_owned())?;
    }
    for block in 0..h.layers {
        for part in family.block {
            require(format!("blk.{block}.{part}"))?;
        }
        if !names.contains(format!("blk.{block}.{FUSED}").as_str()) {
            for part in ATTENTION {
                require(format!("blk.{block}.{part}"))?;
            }
        }
    }
    for &name in &names {
        if !family.has(name) {
            let reason = format!("models of the architecture {architecture} have none of this name");
            return Err(Defect::UnexpectedTensor { tensor: Excerpt::name(name), reason });
        }
    }
    Ok(())
}

impl Family {
    /// Whether a tensor may have this name.
    fn has(&self, name: &str) -> bool {
        let Some((number, part)) = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) else {
            return self.required.contains(&name)
                || self.optional.contains(&name)
                || name.starts_with("output.");
        };
        // llama.cpp writes the number without leading zeros.
        let plain = number.parse::<u32>().is_ok_and(|block| block.to_string() == number);
        let known = |part: &str| {
            self.block.contains(&part)
                || self.block_optional.contains(&part)
                || ATTENTION.contains(&part)
                || part == FUSED
        };
        // Factors of quantized matrices, for every architecture.
        let scale = part.strip_suffix(".scale").or_else(|| part.strip_suffix(".input_scale"));
        plain
            && (known(part) || BIASES.contains(&part) || scale.is_some_and(|s| known(&format!("{s}.weight"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::architecture;

    #[test]
    fn families_are_plain_architectures() {
        for name in FAMILIES.iter().flat_map(|family| family.architectures) {
            assert!(architecture::find(name).is_some_and(|found| found.plain), "{name}");
        }
    }
}
