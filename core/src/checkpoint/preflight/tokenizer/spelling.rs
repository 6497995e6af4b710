//! How tokens are spelled, and by which rules text is split.

use std::collections::HashSet;

use super::super::super::defect::Defect;
use super::super::super::excerpt::Excerpt;
use super::super::super::gguf::Strings;

/// The rules of splitting that llama.cpp knows, by their `tokenizer.ggml.pre`.
#[rustfmt::skip]
pub(super) const PRE_TOKENIZERS: &[&str] = &[
    "default", "minicpm5", "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0",
    "lfm2", "jina-v5-nano", "deepseek-llm", "deepseek-coder", "deepseek-v3", "spark2_5", "youtu", "falcon",
    "mpt", "starcoder", "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de",
    "a.x-4.0", "mellum", "modern-bert", "jais-2", "gemma4", "granite-embed-multi-311m", "mmbert",
    "sarvam-moe", "jina-v1-en", "jina-v2-code", "roberta-bpe", "whitespace", "refact", "command-r", "qwen2",
    "deepseek-r1-qwen", "kormo", "f2llmv2", "qwen35", "stablelm2", "olmo", "dbrx", "smaug-bpe", "poro-chat",
    "chatglm-bpe", "glm4", "glm5", "viking", "jais", "tekken", "smollm", "codeshell", "bloom",
    "gpt3-finnish", "exaone", "exaone4", "exaone-moe", "chameleon", "minerva-7b", "megrez", "gpt-4o",
    "llama4", "kanana2", "talkie", "granite-embed-multi-97m", "tiny_aya", "cohere2moe", "superbpe",
    "trillion", "granite-docling", "bailingmoe", "bailingmoe2", "llada-moe", "seed-coder", "hunyuan",
    "hunyuan-dense", "hy_v4", "joyai-llm", "kimi-k2", "ufakzeka", "grok-2", "afmoe", "laguna", "minimax-m2",
    "solar-open", "mellum2",
];

/// Of these, the rules that put a begin-of-sequence token in front unless the file says otherwise.
#[rustfmt::skip]
pub(super) const BEGINNING: &[&str] = &[
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
    "tekken", "chameleon",
];

/// And those that do so whatever the file says.
pub(super) const GEMMA: &[&str] = &["gemma4", "granite-embed-multi-311m"];

/// And those that have none unless the file names it.
pub(super) const WITHOUT_BOS: &[&str] = &["chatglm-bpe", "glm4", "glm5"];

/// The byte of a token that is spelled `<0x00>` to `<0xFF>`.
pub(super) fn byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() != 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

/// The bytes of an RWKV token, which escapes what is not printable as in C: `\n`, `\x00`...
fn unescape_rwkv(token: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b't' => b'\t',
                b'n' => b'\n',
                b'r' => b'\r',
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                other => other,
            },
            other => other,
        });
    }
    Some(bytes)
}

/// llama.cpp looks for the longest token that matches, and never ends where not even one byte does.
pub(super) fn check_rwkv(tokens: &Strings) -> Result<(), Defect> {
    let mut single = HashSet::new();
    for (id, token) in tokens.iter().enumerate() {
        match unescape_rwkv(token).as_deref() {
            Some(&[byte]) => {
                single.insert(byte);
            }
            Some(_) => {}
            None => {
                let (text, reason) = (Excerpt::quote(token), "its escapes are not complete");
                return Err(Defect::BadToken { token: id as u64, text, reason });
            }
        }
    }
    match (0..=u8::MAX).find(|byte| !single.contains(byte)) {
        None => Ok(()),
        Some(byte) => Err(Defect::MissingToken {
            text: Excerpt::quote(&format!("\\x{byte:02x}")),
            reason: "the tokenizer needs a token for every single byte",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_spelling() {
        assert_eq!(byte("<0x0A>"), Some(10));
        assert_eq!(byte("<0xff>"), Some(255));
        for other in ["", "<0x", "<0x>", "<0x0A", "<0x00A>", "<0x+1>", "<0xé>", "a"] {
            assert_eq!(byte(other), None, "{other}");
        }
    }

    #[test]
    fn rwkv_escapes() {
        assert_eq!(unescape_rwkv(r"a\n\x00\\\'").as_deref(), Some(&b"a\n\0\\'"[..]));
        for bad in [r"\", r"\x", r"\x0", r"\xzz"] {
            assert_eq!(unescape_rwkv(bad), None, "{bad}");
        }
    }
}
