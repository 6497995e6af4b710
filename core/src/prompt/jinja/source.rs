//! From the source of a template to one that minijinja's parser reads as Jinja2 reads the original.

use minijinja::machinery::{Token, Tokenizer};
use minijinja::syntax::SyntaxConfig;

/// What may stand between `{{` and `}}`, or `{%` and `%}`, in tokens. The parser's tree gets as deep.
const TAG_TOKENS: usize = 600;

/// How long a line may be, in characters. The parser counts columns in 16 bits.
const LINE: usize = 60_000;

/// How deep brackets may be nested.
const BRACKETS: usize = 32;

/// How deep blocks may be nested.
const BLOCKS: usize = 60;

/// How many `elif` a template may have; each is a level of the parser's tree.
const ELIFS: usize = 300;

/// The source with `\n` for every end of a line, `{% generation %}` as a scope that does nothing, raw blocks
/// with the end of their first line, and escapes in strings that minijinja knows.
pub(super) fn prepare(source: &str) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut prepared = String::with_capacity(source.len());
    let mut rest = source.as_str();
    while let Some(start) = rest.find('{') {
        let (before, tag) = rest.split_at(start);
        prepared.push_str(before);
        rest = match tag.as_bytes().get(1) {
            Some(b'{') => copy_tag(tag, "}}", &mut prepared),
            Some(b'%') => {
                let alone = |name| named(&tag[2..], name).map(|length| tag.split_at(length + 2));
                if let Some((open, block)) = alone("raw") {
                    copy_raw(open, block, &mut prepared)
                } else if let Some((open, after)) = alone("generation") {
                    prepared.push_str(&open.replacen("generation", "with", 1));
                    after
                } else if let Some((end, after)) = alone("endgeneration") {
                    prepared.push_str(&end.replacen("endgeneration", "endwith", 1));
                    after
                } else {
                    copy_tag(tag, "%}", &mut prepared)
                }
            }
            other => {
                let comment = other.filter(|other| **other == b'#').map(|_| tag.find("#}"));
                let length = comment.map_or(1, |end| end.map_or(tag.len(), |end| end + 2));
                prepared.push_str(&tag[..length]);
                &tag[length..]
            }
        };
    }
    prepared.push_str(rest);
    prepared
}

/// Where a tag ends that has nothing but `name`; counted from behind `{%`.
fn named(tag: &str, name: &str) -> Option<usize> {
    let rest = tag.strip_prefix(['-', '+']).unwrap_or(tag).trim_start().strip_prefix(name)?.trim_start();
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).strip_prefix("%}")?;
    Some(tag.len() - rest.len())
}

/// Copies a raw block to its end, and gives what comes after it.
fn copy_raw<'a>(open: &str, block: &'a str, prepared: &mut String) -> &'a str {
    let open = open.trim_end_matches("%}");
    prepared.push_str(open);
    prepared.push_str(if open.ends_with(['-', '+']) { "%}" } else { "+%}" });
    let mut at = 0;
    while let Some(start) = block[at..].find("{%") {
        at += start + 2;
        if let Some(length) = named(&block[at..], "endraw") {
            at += length;
            prepared.push_str(&block[..at]);
            return &block[at..];
        }
    }
    prepared.push_str(block);
    ""
}

/// Copies a tag to its end, and gives what comes after it.
fn copy_tag<'a>(tag: &'a str, end: &str, prepared: &mut String) -> &'a str {
    let (mut copied, mut at, mut brackets) = (0, 2, 0_usize);
    while let Some(&byte) = tag.as_bytes().get(at) {
        if brackets == 0 && tag.as_bytes()[at..].starts_with(end.as_bytes()) {
            at += end.len();
            break;
        }
        match byte {
            b'\'' | b'"' => {
                let literal = string_literal(&tag[at..]);
                if let Some(rewritten) = literal.contains('\\').then(|| rewritten(literal)).flatten() {
                    prepared.push_str(&tag[copied..at]);
                    prepared.push_str(&rewritten);
                    copied = at + literal.len();
                }
                at += literal.len();
                continue;
            }
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    prepared.push_str(&tag[copied..at]);
    &tag[at..]
}

/// The string with its quotes that `text` begins with, or all of it if it has no end.
fn string_literal(text: &str) -> &str {
    let quote = text.as_bytes()[0];
    let mut escaped = false;
    for (index, &byte) in text.as_bytes().iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return &text[..=index],
            _ => {}
        }
    }
    text
}

/// A string literal whose escapes mean to minijinja what those of `literal` mean to Python; `None` if it has
/// one that means nothing. A backslash before any other character is itself.
fn rewritten(literal: &str) -> Option<String> {
    let mut text = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(start) = rest.find('\\') {
        text.push_str(&rest[..start]);
        let escape = rest[start + 1..].chars().next()?;
        rest = &rest[start + 1 + escape.len_utf8()..];
        let code = match escape {
            '\\' | '\'' | '"' | 'n' | 'r' | 't' | 'b' | 'f' => {
                text.extend(['\\', escape]);
                continue;
            }
            '\n' => continue,
            'a' => 0x07,
            'v' => 0x0b,
            '0'..='7' => {
                let digits = 1 + rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let octal = format!("{escape}{}", &rest[..digits - 1]);
                rest = &rest[digits - 1..];
                u32::from_str_radix(&octal, 8).ok()?
            }
            'x' => hexadecimal(&mut rest, 2)?,
            'u' => match hexadecimal(&mut rest, 4)? {
                high @ 0xd800..0xdc00 => {
                    rest = rest.strip_prefix("\\u")?;
                    let low = hexadecimal(&mut rest, 4)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    0x10000 + ((high - 0xd800) << 10) + low
                }
                code => code,
            },
            'U' => hexadecimal(&mut rest, 8)?,
            'N' => return None,
            other => {
                text.push_str("\\\\");
                text.push(other);
                continue;
            }
        };
        match char::from_u32(code)? {
            special @ ('\\' | '\'' | '"') => text.extend(['\\', special]),
            '\n' => text.push_str("\\n"),
            character => text.push(character),
        }
    }
    text.push_str(rest);
    Some(text)
}

fn hexadecimal(rest: &mut &str, digits: usize) -> Option<u32> {
    let number = rest.get(..digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    *rest = &rest[digits..];
    u32::from_str_radix(number, 16).ok()
}

/// Checks what the parser does not, or too late: it and its tree recurse, and must not get deeper than a small
/// stack.
pub(super) fn check(source: &str, syntax: &SyntaxConfig) -> Result<(), String> {
    if let Some(index) = source.lines().position(|line| line.len() > LINE && line.chars().count() > LINE) {
        return Err(format!("line {}: it has more than {LINE} characters", index + 1));
    }
    let mut tokenizer = Tokenizer::new(source, "", false, syntax.clone());
    let (mut tokens, mut brackets, mut elifs, mut blocks) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut sets_a_block = false;
    // What is no token is for the parser to say.
    while let Ok(Some((token, span))) = tokenizer.next_token() {
        tokens += 1;
        match token {
            Token::BlockStart | Token::VariableStart | Token::TemplateData(_) => (tokens, brackets) = (0, 0),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => brackets += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                brackets = brackets.saturating_sub(1);
            }
            Token::Ident(keyword) if tokens == 1 => match keyword {
                "elif" => elifs += 1,
                "set" => sets_a_block = true,
                "for" | "if" | "with" | "filter" | "macro" | "call" | "block" | "autoescape" => blocks += 1,
                _ if keyword.starts_with("end") => blocks = blocks.saturating_sub(1),
                _ => {}
            },
            Token::Assign if brackets == 0 => sets_a_block = false,
            Token::BlockEnd => blocks += usize::from(std::mem::take(&mut sets_a_block)),
            _ => {}
        }
        if tokens > TAG_TOKENS || brackets > BRACKETS || elifs > ELIFS || blocks > BLOCKS {
            return Err(format!("line {}: it is nested too deeply, or a tag is too long", span.start_line));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_means_what_jinja2_reads() {
        let same = [
            "a {{ b }} {% if c %}{# {{ '\\q' #}{% endif %} { {",
            "{% raw -%}{{ '\\q' }}{% generation %}{%- endraw %}",
            "{{ '{% generation %}' }}{{ {'a': {'b': 1}} }}",
            "{{ 'open",
            "{% generations %}{{ 'é\\n' }}",
        ];
        for source in same {
            assert_eq!(prepare(source), source);
        }
        let cases = [
            ("a\r\nb\rc\n", "a\nb\nc\n"),
            ("{%raw%}\n{% endraw %}", "{%raw+%}\n{% endraw %}"),
            ("{%- generation -%}x{%endgeneration%}", "{%- with -%}x{%endwith%}"),
            (r"{{ '\d\/\a\x41\u00e9\U0001f980\ud83e\udd80\101\0' }}", "{{ '\\\\d\\\\/\x07Aé🦀🦀A\0' }}"),
            (
                r#"{{ "\x22\x5c\x0a\
" ~ '\v' }}"#,
                "{{ \"\\\"\\\\\\n\" ~ '\x0b' }}",
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(prepare(source), expected);
        }
    }

    #[test]
    fn what_is_too_deep_is_not_parsed() {
        let syntax = SyntaxConfig::default();
        assert!(
            check(&"{{ [[[1]]] }}{% if x %}{% elif y %}{% set x = 1 %}{% endif %}\n".repeat(200), &syntax)
                .is_ok()
        );
        for deep in [
            format!("{{{{ {}1 }}}}", "(".repeat(100)),
            format!("{{{{ {}1 }}}}", "not ".repeat(5000)),
            format!("{{{{ 1{} }}}}", "+1".repeat(5000)),
            format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(1000)),
            "{% if 1 %}".repeat(100),
            "{% set x %}".repeat(100),
            "x".repeat(100_000),
        ] {
            assert!(check(&deep, &syntax).is_err());
        }
    }
}
