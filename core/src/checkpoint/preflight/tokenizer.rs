//! The tokenizer: all that llama.cpp looks up without asking whether it is there.

mod charsmap;
mod spelling;

use std::collections::HashMap;

use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::super::gguf::{Array, Header, Strings, Value};
use super::keys::Keys;

const MODEL: &str = "tokenizer.ggml.model";
const PRE: &str = "tokenizer.ggml.pre";
const TOKENS: &str = "tokenizer.ggml.tokens";
const SCORES: &str = "tokenizer.ggml.scores";
const TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";
const TEMPLATE: &str = "tokenizer.chat_template";

/// The most tokens of a vocabulary; public ones stay below 300,000.
const MOST_TOKENS: usize = 1 << 21;
/// The longest token in bytes; those of public vocabularies stay below 300.
const LONGEST_TOKEN: usize = 4096;
/// The sum over all tokens of their squared lengths: llama.cpp's tables can grow with it.
const MOST_SQUARED_BYTES: u64 = 1 << 28;
/// The longest chat template in bytes; public ones stay below 64 KiB.
const LONGEST_TEMPLATE: usize = 1 << 20;

/// GGUF's numbers for the classes of tokens: `enum llama_token_type`.
const BYTE: i32 = 6;

/// How a tokenizer cuts text, by its `tokenizer.ggml.model`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// SentencePiece, byte-pair: falls back to bytes.
    Spm,
    /// Byte-pair over bytes spelled as characters.
    Bpe,
    /// WordPiece.
    Wpm,
    /// SentencePiece, unigram.
    Ugm,
    /// The longest token that matches.
    Rwkv,
    /// PLaMo's, with byte fallback.
    Plamo2,
}

/// Checks the tokenizer, and gives the number of its tokens.
///
/// # Errors
/// The first [`Defect`] that was found.
pub fn check(header: &Header) -> Result<u32, Defect> {
    let keys = Keys::new(&header.metadata, "");
    let class = class(&keys)?;
    let tokens = tokens(&keys)?;
    let types = types(&keys, tokens.len())?;
    check_scores(&keys, tokens.len())?;
    let ids = index(tokens)?;
    check_types(class, tokens, types)?;
    match class {
        Class::Spm => check_bytes(&ids, "SentencePiece spells with it what has no token of its own", true)?,
        Class::Plamo2 => {
            check_bytes(&ids, "the tokenizer spells with it what has no token of its own", false)?
        }
        Class::Rwkv => spelling::check_rwkv(tokens)?,
        Class::Bpe => check_merges(&keys)?,
        Class::Ugm => charsmap::check(&keys)?,
        Class::Wpm => {}
    }
    check_special(&keys, class, tokens.len())?;
    check_template(&keys)?;
    // At most MOST_TOKENS.
    Ok(tokens.len() as u32)
}

fn class(keys: &Keys<'_>) -> Result<Class, Defect> {
    let Some(model) = keys.str(MODEL)? else {
        return Err(Defect::NoTokenizer { reason: "tokenizer.ggml.model is missing" });
    };
    let class = match model {
        "llama" => Class::Spm,
        "gpt2" | "gemma4" | "hybriddna" | "whitespace" => Class::Bpe,
        "bert" => Class::Wpm,
        "t5" => Class::Ugm,
        "rwkv" => Class::Rwkv,
        "plamo2" => Class::Plamo2,
        "none" | "no_vocab" => return Err(Defect::NoTokenizer { reason: "tokenizer.ggml.model says none" }),
        _ => return Err(Defect::UnknownTokenizer { key: MODEL, found: Excerpt::quote(model) }),
    };
    let pre = keys.str(PRE)?;
    if class == Class::Bpe
        && let Some(pre) = pre
        && !pre.is_empty()
        && !spelling::PRE_TOKENIZERS.contains(&pre)
    {
        return Err(Defect::UnknownTokenizer { key: PRE, found: Excerpt::quote(pre) });
    }
    Ok(class)
}

fn tokens<'a>(keys: &Keys<'a>) -> Result<&'a Strings, Defect> {
    let Some(value) = keys.get(TOKENS) else {
        return Err(Defect::NoTokenizer { reason: "tokenizer.ggml.tokens is missing" });
    };
    let tokens = value.as_strings().ok_or_else(|| keys.wrong_type(TOKENS, "an array of strings", value))?;
    if tokens.is_empty() {
        return Err(Defect::NoTokenizer { reason: "tokenizer.ggml.tokens is empty" });
    }
    if tokens.len() > MOST_TOKENS {
        return Err(keys.out_of_range(TOKENS, tokens.len(), format!("at most {MOST_TOKENS} tokens")));
    }
    Ok(tokens)
}

fn same_length(key: &str, found: usize, tokens: usize) -> Result<(), Defect> {
    if found == tokens {
        return Ok(());
    }
    Err(Defect::WrongLength {
        key: Excerpt::name(key),
        found: found as u64,
        expected: tokens as u64,
        reason: "one for each token",
    })
}

fn types<'a>(keys: &Keys<'a>, tokens: usize) -> Result<Option<&'a [i32]>, Defect> {
    match keys.get(TYPES) {
        None => Ok(None),
        Some(Value::Array(Array::I32(types))) => {
            same_length(TYPES, types.len(), tokens)?;
            Ok(Some(types))
        }
        Some(other) => Err(keys.wrong_type(TYPES, "an array of i32s", other)),
    }
}

fn check_scores(keys: &Keys<'_>, tokens: usize) -> Result<(), Defect> {
    match keys.get(SCORES) {
        None => Ok(()),
        Some(Value::Array(Array::I32(scores))) => same_length(SCORES, scores.len(), tokens),
        Some(Value::Array(Array::F32(scores))) => {
            same_length(SCORES, scores.len(), tokens)?;
            match scores.iter().position(|score| score.is_nan()) {
                Some(token) => Err(keys.out_of_range(SCORES, format!("NaN for token {token}"), "numbers")),
                None => Ok(()),
            }
        }
        Some(other) => Err(keys.wrong_type(SCORES, "an array of f32s", other)),
    }
}

/// The tokens by their spelling, as llama.cpp reads it: up to a NUL, and with a name for empty ones.
/// It asserts that no two are the same.
fn index(tokens: &Strings) -> Result<HashMap<&str, u32>, Defect> {
    let mut ids = HashMap::with_capacity(tokens.len());
    let mut empty = Vec::new();
    let mut squares = 0u64;
    for (id, token) in tokens.iter().enumerate() {
        let token = token.split_once('\0').map_or(token, |(front, _)| front);
        let bad = |reason| Defect::BadToken { token: id as u64, text: Excerpt::quote(token), reason };
        if token.len() > LONGEST_TOKEN {
            return Err(bad("it is longer than 4096 bytes"));
        }
        squares += (token.len() * token.len()) as u64;
        if squares > MOST_SQUARED_BYTES {
            return Err(bad("the tokens are too long in sum"));
        }
        if token.is_empty() {
            empty.push(id);
        } else if let Some(first) = ids.insert(token, id as u32) {
            let (first, second) = (first.into(), id as u64);
            return Err(Defect::DuplicateToken { text: Excerpt::quote(token), first, second });
        }
    }
    for id in empty {
        let name = format!("[EMPTY_{id}]");
        if let Some(&first) = ids.get(name.as_str()) {
            let (first, second) = (first.into(), id as u64);
            return Err(Defect::DuplicateToken { text: Excerpt::quote(&name), first, second });
        }
    }
    Ok(ids)
}

fn check_types(class: Class, tokens: &Strings, types: Option<&[i32]>) -> Result<(), Defect> {
    for (id, (token, &kind)) in tokens.iter().zip(types.unwrap_or_default()).enumerate() {
        let bad = |reason| Err(Defect::BadToken { token: id as u64, text: Excerpt::quote(token), reason });
        if !(0..=BYTE).contains(&kind) {
            return bad("its class (tokenizer.ggml.token_type) is not from 0 to 6");
        }
        if kind == BYTE {
            match class {
                // llama.cpp aborts on it.
                Class::Wpm => return bad("WordPiece has no byte tokens"),
                Class::Rwkv => {}
                _ if spelling::byte(token).is_none() => {
                    return bad("a byte token is spelled <0x00> to <0xFF>");
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Every byte that occurs in UTF-8 must have a token: llama.cpp throws where it has none. An ASCII character
/// may stand for itself if `plain`.
fn check_bytes(ids: &HashMap<&str, u32>, reason: &'static str, plain: bool) -> Result<(), Defect> {
    for byte in (0x00..=0xBF).chain(0xC2..=0xF4u8) {
        let spelled = format!("<0x{byte:02X}>");
        let itself = [byte];
        let itself = std::str::from_utf8(&itself).ok().filter(|_| plain && byte != 0);
        if !ids.contains_key(spelled.as_str()) && itself.is_none_or(|itself| !ids.contains_key(itself)) {
            return Err(Defect::MissingToken { text: Excerpt::quote(&spelled), reason });
        }
    }
    Ok(())
}

fn check_merges(keys: &Keys<'_>) -> Result<(), Defect> {
    match keys.get(MERGES) {
        // Kimi's tokens are found whole.
        None if keys.str(PRE)? == Some("kimi-k2") => Ok(()),
        None => Err(Defect::NoTokenizer { reason: "tokenizer.ggml.merges is missing" }),
        Some(value) => match value.as_strings() {
            None => Err(keys.wrong_type(MERGES, "an array of strings", value)),
            Some(merges) if merges.len() > 4 * MOST_TOKENS => {
                Err(keys.out_of_range(MERGES, merges.len(), format!("at most {} merges", 4 * MOST_TOKENS)))
            }
            Some(_) => Ok(()),
        },
    }
}

/// What a special token of a class is, where the file does not say.
fn default_special(class: Class, rules: &str, key: &str) -> Option<u32> {
    match (class, key) {
        (Class::Bpe, "bos" | "eos") if rules == "gemma4" => None,
        (Class::Bpe, "bos") if spelling::WITHOUT_BOS.contains(&rules) => None,
        (Class::Spm | Class::Plamo2, "bos") => Some(1),
        (Class::Spm | Class::Plamo2, "eos") => Some(2),
        (Class::Spm | Class::Plamo2, "unknown") => Some(0),
        (Class::Bpe, "bos" | "eos") => Some(11),
        (Class::Wpm, "bos") => Some(101),
        (Class::Wpm, "unknown") => Some(100),
        (Class::Wpm, "seperator") => Some(102),
        (Class::Ugm, "eos") => Some(1),
        (Class::Ugm, "unknown") => Some(2),
        _ => None,
    }
}

fn check_special(keys: &Keys<'_>, class: Class, tokens: usize) -> Result<(), Defect> {
    // GGUF's own spelling of "separator".
    const NAMES: [&str; 8] = ["bos", "eos", "eot", "eom", "unknown", "seperator", "padding", "mask"];
    const OTHERS: [&str; 10] = [
        "cls", "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep", "fim_sep", "prefix", "suffix", "middle",
    ];
    // Converters write -1 for "none"; and a padding token that was never added to the vocabulary is common
    // and does no harm, since llama.cpp ignores what is outside.
    const NONE: u32 = u32::MAX;
    const ADDED: usize = 1024;
    let key = |name: &str| format!("tokenizer.ggml.{name}_token_id");
    let mut said = HashMap::new();
    for name in NAMES.into_iter().chain(OTHERS) {
        let key = key(name);
        let Some(id) = keys.u32(&key)? else { continue };
        let inside = (id as usize) < tokens;
        let harmless = NAMES[6..].contains(&name) || OTHERS.contains(&name);
        if !inside && id != NONE && !(harmless && (id as usize) < tokens + ADDED) {
            let key = Excerpt::name(&key);
            return Err(Defect::SpecialTokenOutside { key, token: id.into(), vocabulary: tokens as u64 });
        }
        if inside {
            said.insert(name, id);
        }
    }
    let rules =
        if keys.str(MODEL)? == Some("gemma4") { "gemma4" } else { keys.str(PRE)?.unwrap_or_default() };
    let exists = |name: &str| {
        let default = || default_special(class, rules, name);
        said.contains_key(name) || default().is_some_and(|id| (id as usize) < tokens)
    };
    let require = |name: &str, reason: &'static str| {
        if exists(name) {
            Ok(())
        } else {
            Err(Defect::MissingToken { text: Excerpt::name(&key(name)), reason })
        }
    };
    let flag = |name: &str| keys.bool(&format!("tokenizer.ggml.{name}"));
    let (adds_bos, adds_eos) = (flag("add_bos_token")?, flag("add_eos_token")?);
    let adds_sep = flag("add_sep_token")?;
    for name in
        ["add_space_prefix", "remove_extra_whitespaces", "normalizer.lowercase", "normalizer.strip_accents"]
    {
        flag(name)?;
    }
    keys.u32("tokenizer.ggml.token_type_count")?;
    if let Some(value) = keys.get("tokenizer.ggml.suppress_tokens")
        && !matches!(value, Value::Array(Array::I32(_)))
    {
        return Err(keys.wrong_type("tokenizer.ggml.suppress_tokens", "an array of i32s", value));
    }
    match class {
        Class::Wpm => {
            require("bos", "WordPiece puts it in front of every text")?;
            require("seperator", "WordPiece puts it behind every text")?;
            require("unknown", "it stands for words that have no tokens")?;
        }
        Class::Ugm => require("unknown", "it stands for characters that have no token")?,
        _ => {}
    }
    // RWKV adds none; Gemma's rules add it whatever the file says.
    let adds_bos = match class {
        Class::Rwkv | Class::Wpm => false,
        Class::Bpe if spelling::GEMMA.contains(&rules) => true,
        Class::Bpe => adds_bos.unwrap_or(spelling::BEGINNING.contains(&rules)),
        _ => adds_bos.unwrap_or(class == Class::Spm),
    };
    if adds_bos {
        require("bos", "the tokenizer puts it in front of every text")?;
    }
    if adds_eos.unwrap_or(class == Class::Ugm) && !matches!(class, Class::Rwkv | Class::Wpm) {
        require("eos", "the tokenizer puts it behind every text")?;
    }
    if adds_sep == Some(true) && class == Class::Wpm {
        require("seperator", "the tokenizer puts it behind every text")?;
    }
    Ok(())
}

fn check_template(keys: &Keys<'_>) -> Result<(), Defect> {
    match keys.str(TEMPLATE)? {
        Some(template) if template.len() > LONGEST_TEMPLATE => {
            Err(keys.out_of_range(TEMPLATE, format!("{} bytes long", template.len()), "at most 1 MiB"))
        }
        _ => Ok(()),
    }
}
