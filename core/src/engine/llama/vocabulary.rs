//! Tokens of a llama.cpp model, copied once into a [`Vocabulary`]; and its tokenizer.

use std::ffi::c_char;

use llama_cpp_sys_2 as sys;

use crate::engine::{Frame, Special};
use crate::error::{Error, Result};
use crate::vocabulary::{Token, TokenEntry, TokenKind, Vocabulary};

/// Copies the vocabulary.
///
/// # Safety
/// `vocab` belongs to a live model.
pub(super) unsafe fn read(vocab: *const sys::llama_vocab) -> Vocabulary {
    // SAFETY: `vocab` is live; the ids are below the count that it gives.
    unsafe {
        let count = sys::llama_vocab_n_tokens(vocab).max(0);
        let entries = (0..count)
            .map(|id| {
                let kind = kind(sys::llama_vocab_get_attr(vocab, id));
                TokenEntry {
                    bytes: piece(vocab, id),
                    kind,
                    ends_generation: sys::llama_vocab_is_eog(vocab, id),
                }
            })
            .collect();
        let known = |id: i32| (0..count).contains(&id).then_some(Token(id as u32));
        let having = |flag| {
            let ids = (0..count).filter(|&id| sys::llama_vocab_get_attr(vocab, id) & flag != 0);
            ids.map(|id| Token(id as u32)).collect()
        };
        let vocabulary = Vocabulary::new(
            entries,
            known(sys::llama_vocab_bos(vocab)),
            known(sys::llama_vocab_eos(vocab)),
            sys::llama_vocab_get_add_bos(vocab),
        );
        vocabulary.with_strips(having(sys::LLAMA_TOKEN_ATTR_LSTRIP), having(sys::LLAMA_TOKEN_ATTR_RSTRIP))
    }
}

fn kind(attributes: sys::llama_token_attr) -> TokenKind {
    let has = |flag| attributes & flag != 0;
    if has(sys::LLAMA_TOKEN_ATTR_CONTROL) {
        TokenKind::Control
    } else if has(sys::LLAMA_TOKEN_ATTR_USER_DEFINED) {
        TokenKind::UserDefined
    } else if has(sys::LLAMA_TOKEN_ATTR_UNKNOWN) {
        TokenKind::Unknown
    } else if has(sys::LLAMA_TOKEN_ATTR_BYTE) {
        TokenKind::Byte
    } else if has(sys::LLAMA_TOKEN_ATTR_UNUSED) {
        TokenKind::Unused
    } else {
        TokenKind::Normal
    }
}

/// The bytes of a token; for a control token its spelling.
unsafe fn piece(vocab: *const sys::llama_vocab, id: i32) -> Vec<u8> {
    let mut buffer = vec![0u8; 64];
    loop {
        // SAFETY: the buffer has the length that is passed.
        let length = unsafe {
            let start = buffer.as_mut_ptr().cast::<c_char>();
            sys::llama_token_to_piece(vocab, id, start, buffer.len() as i32, 0, true)
        };
        match usize::try_from(length) {
            Ok(length) => {
                buffer.truncate(length);
                return buffer;
            }
            // A negative length is the length that it needs.
            Err(_) => buffer.resize(length.unsigned_abs() as usize, 0),
        }
    }
}

/// The tokens of `text`, without a begin-of-sequence token.
///
/// # Safety
/// `vocab` belongs to a live model.
pub(super) unsafe fn tokenize(
    vocab: *const sys::llama_vocab,
    text: &str,
    special: Special,
) -> Result<Vec<Token>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // SAFETY: passed on.
    unsafe { tokenize_framed(vocab, text, special, false) }
}

/// The tokens around a text that stands alone: found by looking at what is put around one.
///
/// # Safety
/// `vocab` belongs to a live model.
pub(super) unsafe fn frame(vocab: *const sys::llama_vocab) -> Frame {
    // SAFETY: `vocab` is live.
    let complete = unsafe {
        let needs = [
            (sys::llama_vocab_get_add_bos(vocab), sys::llama_vocab_bos(vocab)),
            (sys::llama_vocab_get_add_eos(vocab), sys::llama_vocab_eos(vocab)),
            (sys::llama_vocab_get_add_sep(vocab), sys::llama_vocab_sep(vocab)),
        ];
        needs.iter().all(|&(added, token)| !added || token >= 0)
    };
    // llama.cpp aborts on a token that it should add and that is not there.
    if !complete {
        return Frame::default();
    }
    let tokens = |framed| {
        // SAFETY: `vocab` is live.
        unsafe { tokenize_framed(vocab, "a", Special::Plain, framed) }.unwrap_or_default()
    };
    let (alone, framed) = (tokens(false), tokens(true));
    let place = framed.windows(alone.len().max(1)).position(|window| window == alone);
    place.map_or_else(Frame::default, |start| Frame {
        start: framed[..start].to_vec(),
        end: framed[start + alone.len()..].to_vec(),
    })
}

unsafe fn tokenize_framed(
    vocab: *const sys::llama_vocab,
    text: &str,
    special: Special,
    framed: bool,
) -> Result<Vec<Token>> {
    let length = i32::try_from(text.len())
        .map_err(|_| Error::engine(format!("a text of {} bytes is too long to tokenize", text.len())))?;
    let mut ids: Vec<sys::llama_token> = vec![0; text.len() / 3 + 16];
    loop {
        // SAFETY: text and buffer have the lengths that are passed.
        let count = unsafe {
            sys::llama_tokenize(
                vocab,
                text.as_ptr().cast::<c_char>(),
                length,
                ids.as_mut_ptr(),
                ids.len() as i32,
                framed,
                special == Special::Parse,
            )
        };
        match usize::try_from(count) {
            Ok(count) => return Ok(ids[..count].iter().map(|&id| Token(id as u32)).collect()),
            Err(_) if count == i32::MIN => return Err(Error::engine("the text is too long to tokenize")),
            // A negative count is the count that it needs.
            Err(_) => ids.resize(count.unsigned_abs() as usize, 0),
        }
    }
}
