//! Any schema, regular expression or grammar is refused, or gives masks; whatever text they let through, the check
//! of texts accepts. Nothing panics or overflows the stack.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pinfold::Constraint;
use pinfold::constraint::Grammars;
use pinfold::vocabulary::{Token, TokenEntry, TokenKind, Vocabulary};

static GRAMMARS: LazyLock<Grammars> = LazyLock::new(|| {
    let entry = |bytes, ends_generation| TokenEntry { bytes, kind: TokenKind::Byte, ends_generation };
    let mut entries: Vec<TokenEntry> = (0..=255u8).map(|byte| entry(vec![byte], false)).collect();
    entries.push(entry(b"<eos>".to_vec(), true));
    Grammars::new(&Vocabulary::new(entries, None, Some(Token(256)), false)).expect("a vocabulary of bytes")
});

fuzz_target!(|input: (u8, &str)| {
    let (kind, text) = input;
    let constraint = match kind % 5 {
        0 => text.parse().map_or(Constraint::Quote(text.into()), Constraint::JsonSchema),
        1 => Constraint::Regex(text.into()),
        2 => Constraint::Lark(text.into()),
        3 => Constraint::Gbnf(text.into()),
        _ => Constraint::Choice(text.lines().map(str::to_owned).collect()),
    };
    let Ok(mut masks) = GRAMMARS.compile(&constraint) else { return };
    let mut written = Vec::new();
    for step in 0..64 {
        if masks.is_complete() {
            break;
        }
        let Ok(mask) = masks.mask() else { return };
        let allowed: Vec<Token> = mask.iter().filter(|token| token.0 < 256).collect();
        let Some(&token) = allowed.get(usize::from(kind).wrapping_mul(31 + step) % allowed.len().max(1)) else { break };
        if masks.accept(token).is_err() {
            return;
        }
        written.push(token.0 as u8);
    }
    if !matches!(constraint, Constraint::JsonSchema(_)) && masks.may_end().is_ok_and(|end| end) {
        let written = String::from_utf8(written).expect("masks let only text through");
        constraint.parse(&written).expect("what masks let through is what was declared");
    }
});
