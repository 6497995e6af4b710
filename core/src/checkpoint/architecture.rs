//! The architectures that llama.cpp knows, and what the preflight must know about each.

use Body::{Attention, Hybrid, Recurrent};
use Positions::{Learned, None as NoPositions, Rotary};

/// An architecture of llama.cpp, by its `general.architecture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Architecture {
    /// Its name.
    pub name: &'static str,
    /// How tokens are mixed.
    pub body: Body,
    /// How positions enter.
    pub positions: Positions,
    /// Whether all blocks have the plain attention whose shapes follow from heads, width and head size alone.
    pub plain: bool,
    /// Why it cannot run here, if it cannot.
    pub unsupported: Option<&'static str>,
}

/// How an architecture mixes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// By attention in every block.
    Attention,
    /// By a recurrent state in every block: there are no heads.
    Recurrent,
    /// By attention in some blocks and otherwise in others.
    Hybrid,
}

/// How positions enter an architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// By rotating queries and keys.
    Rotary,
    /// By a table with one row for each position: there can be no more tokens than `context_length`.
    Learned,
    /// By a bias of the attention, or not at all.
    None,
}

const fn entry(name: &'static str, body: Body, positions: Positions, plain: bool) -> Architecture {
    Architecture { name, body, positions, plain, unsupported: None }
}

/// Attention with rotary positions, the shapes not plain: latent attention, gates, shapes by block...
const fn rotary(name: &'static str) -> Architecture {
    entry(name, Attention, Rotary, false)
}

/// As the Llama family: plain attention with rotary positions.
const fn plain(name: &'static str) -> Architecture {
    entry(name, Attention, Rotary, true)
}

const fn hybrid(name: &'static str) -> Architecture {
    entry(name, Hybrid, Rotary, false)
}

const fn recurrent(name: &'static str) -> Architecture {
    entry(name, Recurrent, NoPositions, false)
}

const fn unsupported(name: &'static str, reason: &'static str) -> Architecture {
    Architecture { unsupported: Some(reason), ..rotary(name) }
}

const DRAFT: &str = "it drafts for another model and cannot run alone";
const NO_TEXT: &str = "it does not work on text alone";

/// All architectures, in the order of llama.cpp's `llama-arch.cpp`.
pub static ARCHITECTURES: &[Architecture] = &[
    unsupported("clip", NO_TEXT),
    plain("llama"),
    rotary("llama4"),
    hybrid("deci"),
    rotary("falcon"),
    rotary("grok"),
    entry("gpt2", Attention, Learned, false),
    entry("gptj", Attention, NoPositions, false),
    rotary("gptneox"),
    entry("mpt", Attention, NoPositions, false),
    rotary("baichuan"),
    entry("starcoder", Attention, Learned, false),
    entry("refact", Attention, NoPositions, false),
    entry("bert", Attention, Learned, true),
    rotary("modern-bert"),
    plain("nomic-bert"),
    plain("nomic-bert-moe"),
    rotary("neo-bert"),
    entry("jina-bert-v2", Attention, NoPositions, true),
    plain("jina-bert-v3"),
    plain("eurobert"),
    entry("bloom", Attention, NoPositions, false),
    rotary("stablelm"),
    rotary("qwen"),
    plain("qwen2"),
    plain("qwen2moe"),
    plain("qwen2vl"),
    plain("qwen3"),
    plain("qwen3moe"),
    hybrid("qwen3next"),
    plain("qwen3vl"),
    plain("qwen3vlmoe"),
    hybrid("qwen35"),
    hybrid("qwen35moe"),
    hybrid("clef"),
    hybrid("qwen4exp"),
    rotary("phi2"),
    plain("phi3"),
    plain("phimoe"),
    rotary("plamo"),
    hybrid("plamo2"),
    rotary("plamo3"),
    rotary("codeshell"),
    plain("orion"),
    plain("internlm2"),
    plain("minicpm"),
    rotary("minicpm3"),
    plain("gemma"),
    plain("gemma2"),
    plain("gemma3"),
    hybrid("gemma3n"),
    hybrid("gemma4"),
    unsupported("gemma4-assistant", DRAFT),
    plain("gemma-embedding"),
    plain("starcoder2"),
    recurrent("mamba"),
    recurrent("mamba2"),
    hybrid("maple"),
    entry("jamba", Hybrid, NoPositions, false),
    hybrid("falcon-h1"),
    plain("xverse"),
    rotary("command-r"),
    plain("cohere2"),
    rotary("cohere2moe"),
    rotary("dbrx"),
    rotary("olmo"),
    plain("olmo2"),
    plain("olmoe"),
    rotary("muse-glimmer"),
    hybrid("openelm"),
    rotary("arctic"),
    plain("deepseek"),
    rotary("deepseek2"),
    rotary("deepseek2-ocr"),
    rotary("deepseek32"),
    hybrid("deepseek4"),
    rotary("chatglm"),
    plain("glm4"),
    rotary("glm4moe"),
    rotary("glm-dsa"),
    plain("bitnet"),
    entry("t5", Attention, NoPositions, false),
    entry("t5encoder", Attention, NoPositions, false),
    entry("jais", Attention, NoPositions, false),
    rotary("jais2"),
    plain("nemotron"),
    entry("nemotron_h", Hybrid, NoPositions, false),
    entry("nemotron_h_moe", Hybrid, NoPositions, false),
    plain("exaone"),
    plain("exaone4"),
    rotary("exaone-moe"),
    recurrent("rwkv6"),
    recurrent("rwkv6qwen2"),
    recurrent("rwkv7"),
    recurrent("arwkv7"),
    plain("granite"),
    plain("granitemoe"),
    hybrid("granitehybrid"),
    rotary("graniteswitch"),
    rotary("granite_swa"),
    rotary("chameleon"),
    unsupported("wavtokenizer-dec", NO_TEXT),
    rotary("plm"),
    plain("bailingmoe"),
    rotary("bailingmoe2"),
    hybrid("bailingmoe3"),
    plain("dots1"),
    rotary("dots3note"),
    plain("arcee"),
    rotary("afmoe"),
    hybrid("laguna"),
    plain("ernie4_5"),
    rotary("ernie4_5-moe"),
    plain("hunyuan-moe"),
    plain("hunyuan-dense"),
    rotary("hunyuan_vl"),
    rotary("hy_v3"),
    rotary("hy_v4"),
    plain("smollm3"),
    plain("gpt-oss"),
    hybrid("lfm2"),
    hybrid("lfm2moe"),
    plain("dream"),
    rotary("smallthinker"),
    plain("llada"),
    rotary("llada-moe"),
    plain("seed_oss"),
    rotary("grovemoe"),
    rotary("apertus"),
    hybrid("minimax-01"),
    rotary("hrm_text"),
    rotary("minimax-m2"),
    rotary("minimax-m3"),
    rotary("cogvlm"),
    rotary("rnd1"),
    rotary("pangu-embedded"),
    plain("mistral3"),
    unsupported("eagle3", DRAFT),
    unsupported("dflash", DRAFT),
    rotary("mistral4"),
    rotary("paddleocr"),
    hybrid("mimo2"),
    hybrid("step35"),
    rotary("spark2_5"),
    plain("llama-embed"),
    rotary("maincoder"),
    entry("kimi-linear", Hybrid, NoPositions, false),
    entry("kimi-k3", Hybrid, NoPositions, false),
    entry("glm5-next", Hybrid, NoPositions, false),
    rotary("talkie"),
    rotary("mellum"),
    rotary("nanbeige"),
    unsupported("qwen3tts", NO_TEXT),
    unsupported("pockettts", NO_TEXT),
];

/// llama.cpp asserts for these that the rotation takes the whole of a head.
#[rustfmt::skip]
const WHOLE_ROTATION: &[&str] = &[
    "apertus", "arcee", "arctic", "baichuan", "chameleon", "codeshell", "cogvlm", "cohere2moe", "dbrx",
    "deci", "deepseek", "dots1", "dream", "ernie4_5", "ernie4_5-moe", "exaone", "exaone-moe", "exaone4",
    "falcon", "granite", "granite_swa", "granitemoe", "graniteswitch", "grok", "grovemoe",
    "hunyuan-dense", "hunyuan-moe", "hunyuan_vl", "hy_v3", "internlm2", "jais2", "llada", "llada-moe",
    "llama", "llama-embed", "llama4", "maincoder", "mellum", "minicpm", "mistral3", "olmo", "olmo2",
    "olmoe", "orion", "paddleocr", "pangu-embedded", "plamo", "qwen2", "qwen2moe", "qwen2vl", "qwen3",
    "qwen3moe", "qwen3vl", "qwen3vlmoe", "rnd1", "seed_oss", "smallthinker", "smollm3", "starcoder2",
    "talkie", "xverse",
];

/// llama.cpp asserts for all but these that a head's key and value are equally wide.
#[rustfmt::skip]
const FREE_WIDTHS: &[&str] = &[
    "arwkv7", "bailingmoe", "bailingmoe3", "deepseek2", "deepseek2-ocr", "deepseek32", "deepseek4",
    "dots3note", "falcon-h1", "gemma", "gemma-embedding", "gemma2", "gemma3", "gemma3n", "glm-dsa",
    "glm5-next", "gpt-oss", "hrm_text", "hy_v4", "jamba", "kimi-k3", "kimi-linear", "lfm2", "lfm2moe",
    "mamba", "mamba2", "mimo2", "minicpm3", "mistral4", "plamo2", "plamo3", "plm", "qwen4exp", "rwkv6",
    "rwkv6qwen2", "rwkv7", "step35",
];

impl Architecture {
    /// Whether the rotation must take the whole of a head.
    pub fn rotates_whole_heads(&self) -> bool {
        WHOLE_ROTATION.contains(&self.name)
    }

    /// Whether a head's key and value must be equally wide.
    pub fn has_equal_widths(&self) -> bool {
        self.plain || !FREE_WIDTHS.contains(&self.name)
    }
}

/// The architecture of this name.
pub fn find(name: &str) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|architecture| architecture.name == name)
}

/// The name of a `general.file_type`, as it is customary for quantized files; `None` for an unknown one.
///
/// The numbers are those of `enum llama_ftype`.
pub fn file_type_name(file_type: u64) -> Option<&'static str> {
    Some(match file_type {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        19 => "IQ2_XXS",
        20 => "IQ2_XS",
        21 => "Q2_K_S",
        22 => "IQ3_XS",
        23 => "IQ3_XXS",
        24 => "IQ1_S",
        25 => "IQ4_NL",
        26 => "IQ3_S",
        27 => "IQ3_M",
        28 => "IQ2_S",
        29 => "IQ2_M",
        30 => "IQ4_XS",
        31 => "IQ1_M",
        32 => "BF16",
        36 => "TQ1_0",
        37 => "TQ2_0",
        38 => "MXFP4",
        39 => "NVFP4",
        40 => "Q1_0",
        41 => "Q2_0",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for architecture in ARCHITECTURES {
            assert!(std::ptr::eq(find(architecture.name).unwrap(), architecture), "{}", architecture.name);
        }
        assert_eq!(find("(unknown)"), None);
    }
}
