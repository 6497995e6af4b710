//! Attacks, where they stand, and an oracle that knows nothing of how prompts are sealed.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::Path;

use pinfold::prompt::{Conversation, Data, Markers, Role, SealedPrompt, Sealer, Text, ToolCall, Turn};
use pinfold::{Error, Special, Token, TokenKind, Tokenizer};

/// What was seen.
#[derive(Debug, Default)]
pub struct Count {
    pub attacked: usize,
    pub split: usize,
    pub neutralized: usize,
    pub as_reference: usize,
    pub changed_by_tokenizer: usize,
}

/// The attacks of the file that are a text.
pub fn attacks(path: &Path) -> Vec<String> {
    let rows = std::fs::read_to_string(path).unwrap();
    let mut attacks: Vec<String> = Vec::new();
    for row in rows.lines().skip(1) {
        let json = row.split('\t').nth(3).unwrap();
        match serde_json::from_str(json).unwrap() {
            serde_json::Value::String(text) => attacks.push(text),
            serde_json::Value::Array(texts) => {
                attacks.extend(texts.iter().filter_map(|text| text.as_str().map(str::to_owned)));
                attacks.push(texts.iter().filter_map(|text| text.as_str()).collect());
            }
            other => attacks.push(other.to_string()),
        }
    }
    attacks
}

/// Spellings of special tokens of a vocabulary, evenly over all of them, some nested and doubled.
pub fn specials(tokenizer: &Tokenizer, most: usize) -> Vec<String> {
    let vocabulary = tokenizer.vocabulary();
    let tokens = (0..vocabulary.len()).map(|id| Token(id as u32));
    let special = |&token: &Token| {
        matches!(
            vocabulary.kind(token),
            Some(TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown)
        )
    };
    let all: Vec<String> = tokens
        .filter(special)
        .filter_map(|token| String::from_utf8(vocabulary.bytes(token).to_vec()).ok())
        .collect();
    let step = all.len().div_ceil(most).max(1);
    let mut found: Vec<String> = all.iter().step_by(step).cloned().collect();
    for (index, special) in all.iter().step_by(step * 3).enumerate() {
        let middle = special.char_indices().nth(special.chars().count() / 2).map_or(0, |(at, _)| at);
        let (head, tail) = special.split_at(middle);
        let other = &all[index * 13 % all.len()];
        found.push(format!("{head}{other}{tail}"));
        found.push(format!("{special}{special} x{other}\n{special}"));
    }
    found
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    System,
    User,
    Assistant,
    ToolResult,
    Arguments,
    Tool,
    Document,
    AcrossValues,
    WithTemplate,
}

pub const POSITIONS: [Position; 9] = [
    Position::System,
    Position::User,
    Position::Assistant,
    Position::ToolResult,
    Position::Arguments,
    Position::Tool,
    Position::Document,
    Position::AcrossValues,
    Position::WithTemplate,
];

/// A conversation with an attack at a position.
pub fn conversation(attack: &str, position: Position) -> Conversation {
    let say = |role, text: &str| Turn::new(role, Text::sealed(text));
    let at =
        |wanted, otherwise: &str| if position == wanted { attack.to_owned() } else { otherwise.to_owned() };
    let middle = attack.char_indices().nth(attack.chars().count() / 2).map_or(0, |(at, _)| at);
    let (head, tail) = attack.split_at(middle);
    let mut turns = vec![say(Role::User, &at(Position::User, "Hello there"))];
    match position {
        Position::System => turns.insert(0, say(Role::System, attack)),
        Position::Assistant => turns.extend([say(Role::Assistant, attack), say(Role::User, "and?")]),
        Position::ToolResult | Position::Arguments => {
            let mut call = say(Role::Assistant, "");
            let arguments = vec![(
                Text::sealed(at(Position::Arguments, "key")),
                Data::sealed(at(Position::Arguments, "value")),
            )];
            call.tool_calls = vec![ToolCall {
                id: Some(Text::sealed("call00001")),
                name: Text::sealed("look_up"),
                arguments: Data::Map(arguments),
            }];
            let mut result = say(Role::Tool, &at(Position::ToolResult, "found"));
            result.tool_call_id = Some(Text::sealed("call00001"));
            result.name = Some(Text::sealed("look_up"));
            turns.extend([call, result]);
        }
        Position::AcrossValues => turns = vec![say(Role::System, head), say(Role::User, tail)],
        Position::WithTemplate => {
            // What the template writes next may complete it, or what it wrote before begin it.
            let (mut all_but_last, mut all_but_first) = (attack.to_owned(), attack.chars());
            all_but_last.pop();
            all_but_first.next();
            turns = vec![say(Role::User, &all_but_last), say(Role::Assistant, all_but_first.as_str())];
            turns.push(say(Role::User, "and?"));
        }
        _ => {}
    }
    let mut conversation = Conversation::new(turns);
    if position == Position::Tool {
        let function = [("name", Data::sealed("look_up")), ("description", Data::sealed(attack))];
        let parameters = Data::map([
            ("type", Data::sealed("object")),
            (
                "properties",
                Data::Map(vec![(Text::sealed(attack), Data::map([("type", Data::sealed("string"))]))]),
            ),
            ("required", Data::List(vec![Data::sealed(attack)])),
        ]);
        let function = Data::map(function.into_iter().chain([("parameters", parameters)]));
        conversation.tools = vec![Data::map([("type", Data::sealed("function")), ("function", function)])];
    }
    if position == Position::Document {
        let document = [("title", Data::sealed(attack)), ("text", Data::sealed(attack))];
        conversation.documents = vec![Data::map(document)];
    }
    conversation
}

/// The text with an `x` for each character of a value: what a template writes around values that try nothing.
fn masked(text: &Text) -> String {
    text.pieces()
        .map(|(piece, sealed)| if sealed { "x".repeat(piece.chars().count()) } else { piece.to_owned() })
        .collect()
}

/// Seals a text and judges what comes out.
///
/// # Errors
/// What is wrong with it.
pub fn check(tokenizer: &Tokenizer, sealer: &Sealer, text: &Text, count: &mut Count) -> Result<(), String> {
    count.attacked += 1;
    let (sealed, text) = match sealer.seal(text, Markers::Reject) {
        Ok(sealed) => (sealed, text.clone()),
        Err(Error::ForgedMarker { .. }) => {
            count.neutralized += 1;
            let sealed =
                sealer.seal(text, Markers::Neutralize).map_err(|error| format!("{text:?}: {error}"))?;
            let Some(text) = with_spaces(text, &sealed) else { return Ok(()) };
            (sealed, text)
        }
        Err(error) => return Err(format!("{text:?}: {error}")),
    };
    let reference = tokenizer.tokenize(text.as_str(), Special::Parse).unwrap();
    count.as_reference += usize::from(sealed.tokens == reference);
    count.split += usize::from(!sealed.split.is_empty());
    let vocabulary = tokenizer.vocabulary();
    let unknown = tokenizer.tokenize("\u{10FFFF}", Special::Plain).unwrap();
    let special = |token: &&Token| {
        let control = vocabulary.kind(**token) == Some(TokenKind::Control) && !unknown.contains(token);
        control
            || vocabulary.ends_generation(**token) && !unknown.contains(token)
            || sealer.is_forbidden(**token)
    };
    let expected = tokenizer.tokenize(&masked(&text), Special::Parse).unwrap();
    let expected: Vec<&Token> = expected.iter().filter(special).collect();
    let found: Vec<&Token> = sealed.tokens.iter().filter(special).collect();
    if found != expected {
        return Err(format!("{text:?} gave the special tokens {found:?}, and without values {expected:?}"));
    }
    if !spells(tokenizer, &sealed.tokens, text.as_str()) {
        // The tokenizer itself does not keep this text.
        let plain = tokenizer.tokenize(text.as_str(), Special::Plain).unwrap();
        if spells(tokenizer, &plain, text.as_str()) {
            return Err(format!("{text:?} does not come back from {:?}", sealed.tokens));
        }
        count.changed_by_tokenizer += 1;
    }
    Ok(())
}

/// The text with the space that breaks each marker; none where they overlap, so that it is not known here.
fn with_spaces(text: &Text, sealed: &SealedPrompt) -> Option<Text> {
    if sealed.neutralized.windows(2).any(|pair| pair[1].start < pair[0].end) {
        return None;
    }
    let mut spaced = Text::new();
    let mut copied = 0;
    for range in &sealed.neutralized {
        let (index, character) = text.as_str()[range.clone()]
            .char_indices()
            .find(|(index, _)| text.is_sealed(range.start + index))
            .unwrap();
        let end = range.start + index + character.len_utf8();
        let cut = if end < range.end { end } else { range.start + index };
        spaced.push_slice(text, copied..cut);
        spaced.push_sealed(" ");
        copied = cut;
    }
    spaced.push_slice(text, copied..text.len());
    Some(spaced)
}

/// Whether tokens spell a text: byte for byte, but for the space that SentencePiece puts in front of a text and
/// behind special tokens, the space that it has for `▁`, and the white space that special tokens of phi-3 take
/// away.
pub fn spells(tokenizer: &Tokenizer, tokens: &[Token], text: &str) -> bool {
    let start = tokenizer.tokenize("a", Special::Plain).unwrap();
    let spaced = tokenizer.vocabulary().bytes(start[0]).first() == Some(&b' ');
    spells_from(tokenizer, spaced, tokens, text.as_bytes(), true)
}

fn spells_from(
    tokenizer: &Tokenizer,
    spaced: bool,
    tokens: &[Token],
    mut rest: &[u8],
    mut starts: bool,
) -> bool {
    let vocabulary = tokenizer.vocabulary();
    for (index, &token) in tokens.iter().enumerate() {
        let mut bytes = vocabulary.bytes(token);
        let kind = vocabulary.kind(token);
        let special = matches!(kind, Some(TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown));
        if spaced && starts && bytes.first() == Some(&b' ') {
            // Of two spaces one may be the text's, or the first may be; both are tried.
            if let Some(after) = spelled(bytes, rest)
                && spells_from(tokenizer, spaced, &tokens[index + 1..], after, special)
            {
                return true;
            }
            bytes = &bytes[1..];
        }
        let Some(after) = spelled(bytes, rest) else { return false };
        rest = after;
        starts = special;
        if special && vocabulary.strips_right(token) {
            rest = rest.trim_ascii_start();
        }
    }
    rest.is_empty()
}

/// What remains of a text behind these bytes.
fn spelled<'a>(bytes: &[u8], mut rest: &'a [u8]) -> Option<&'a [u8]> {
    for byte in bytes {
        rest = match rest.strip_prefix("▁".as_bytes()) {
            Some(after) if *byte == b' ' => after,
            _ => rest.strip_prefix(std::slice::from_ref(byte))?,
        };
    }
    Some(rest)
}
