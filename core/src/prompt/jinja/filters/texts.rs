//! Filters of text.

use std::sync::Arc;

use super::super::evaluator::{Evaluator, Outcome, fail};
use super::super::expressions::Arguments;
use super::super::strings::Ends;
use super::super::value::{Kind, Value};
use super::super::{cases, collections, lines};
use crate::prompt::text::Text;

pub(super) fn string(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    Ok(Value::Text(evaluator.display(value)?))
}

pub(super) fn upper(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    method(evaluator, value, "upper", arguments)
}

pub(super) fn lower(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    method(evaluator, value, "lower", arguments)
}

pub(super) fn capitalize(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    method(evaluator, value, "capitalize", arguments)
}

fn method(evaluator: &mut Evaluator<'_>, value: &Value, name: &str, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    let text = evaluator.display(value)?;
    evaluator.string_method(&text, name, Arguments::default())
}

pub(super) fn title(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    let text = evaluator.display(value)?;
    evaluator.charge_text(text.len().checked_mul(3))?;
    evaluator.charge(text.len())?;
    Ok(Value::text(cases::title(&text)))
}

pub(super) fn trim(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [characters] = arguments.bind(["chars"])?;
    let text = evaluator.display(value)?;
    evaluator.charge_bytes(text.len())?;
    evaluator.strip(&text, Ends::Both, characters.as_ref())
}

pub(super) fn center(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [width] = arguments.bind(["width"])?;
    let text = evaluator.display(value)?;
    evaluator.pad(&text, "center", &width.unwrap_or(Value::Int(80)), None)
}

pub(super) fn replace(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let ([old, new], [limit]) = arguments.need(["old", "new"], ["count"])?;
    let limit = match limit {
        None | Some(Value::None) => -1,
        Some(limit) => limit.need_int("count")?,
    };
    let text = evaluator.display(value)?;
    let (old, new) = (evaluator.display(&old)?, evaluator.display(&new)?);
    evaluator.charge_bytes(text.len())?;
    evaluator.replace(&text, &old, &new, usize::try_from(limit).unwrap_or(usize::MAX))
}

pub(super) fn format(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let format = evaluator.display(value)?;
    let Arguments { positional, named } = arguments;
    let values = match (positional.is_empty(), named.is_empty()) {
        (false, false) => return fail("format takes values by position or by name, not both"),
        (true, false) => {
            Value::dict(named.into_iter().map(|(name, value)| (Value::Text(name), value)).collect())?
        }
        _ => Value::tuple(positional)?,
    };
    evaluator.percent_format(&format, &values)
}

pub(super) fn indent(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [width, first, blank] = arguments.bind(["width", "first", "blank"])?;
    let is_set = |flag: Option<Value>| flag.is_some_and(|flag| flag.is_true());
    let (first, blank) = (is_set(first), is_set(blank));
    let indent = match width {
        Some(Value::Text(indent)) => indent,
        width => {
            let width = width.unwrap_or(Value::Int(4)).need_int("a width")?;
            let width = usize::try_from(width.max(0)).ok();
            evaluator.charge_text(width)?;
            Arc::new(Text::author(" ".repeat(width.unwrap_or(0))))
        }
    };
    let text = value.need_text("what is indented")?;
    let mut pieces = lines::lines(text.as_str(), false);
    // Python looks at the lines with one more end behind them.
    if text.is_empty() || lines::ends_line(text.as_str()) {
        pieces.push(&text.as_str()[text.len()..]);
    }
    evaluator.charge_text(
        indent.len().checked_mul(pieces.len()).and_then(|added| added.checked_add(text.len())),
    )?;
    let mut indented = Text::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let start = piece.as_ptr() as usize - text.as_str().as_ptr() as usize;
        if index > 0 {
            indented.push_author("\n");
        }
        if (index == 0 && first) || (index > 0 && (blank || !piece.is_empty())) {
            indented.push_text(&indent);
        }
        indented.push_slice(text, start..start + piece.len());
    }
    Ok(Value::text(indented))
}

pub(super) fn truncate(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [length, kill_words, end, leeway] = arguments.bind(["length", "killwords", "end", "leeway"])?;
    let end = end.map_or_else(|| Ok(Arc::new(Text::author("..."))), |end| end.need_text("end").cloned())?;
    let length = length.map_or(Ok(255), |length| length.need_int("length"))?;
    let leeway = match leeway {
        None | Some(Value::None) => 5,
        Some(leeway) => leeway.need_int("leeway")?,
    };
    let kept = length - end.as_str().chars().count() as i128;
    if kept < 0 || leeway < 0 {
        return fail("length must not be less than that of the end, nor leeway less than 0");
    }
    if evaluator.length(value)? as i128 <= length.saturating_add(leeway) {
        return Ok(value.clone());
    }
    let characters = evaluator.characters(value.need_text("what is truncated")?)?;
    let mut truncated = characters.slice(0, (kept as usize).min(characters.len()));
    if !kill_words.is_some_and(|kill| kill.is_true())
        && let Some(space) = truncated.as_str().rfind(' ')
    {
        truncated = truncated.slice(0..space);
    }
    evaluator.charge_text(truncated.len().checked_add(end.len()))?;
    truncated.push_text(&end);
    Ok(Value::text(truncated))
}

pub(super) fn word_wrap(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    let [width, break_long, wrap, break_hyphens] =
        arguments.bind(["width", "break_long_words", "wrapstring", "break_on_hyphens"])?;
    let width = super::need_count(&width.unwrap_or(Value::Int(79)), "a width")?;
    let is_set = |flag: Option<Value>| flag.is_none_or(|flag| flag.is_true());
    let (break_long, break_hyphens) = (is_set(break_long), is_set(break_hyphens));
    let wrap = match wrap {
        None | Some(Value::None) => Arc::new(Text::author("\n")),
        Some(wrap) => wrap.need_text("wrapstring")?.clone(),
    };
    let text = value.need_text("what is wrapped")?;
    // Each character is looked at several times.
    evaluator.charge(text.len().saturating_mul(3))?;
    let mut wrapped = Vec::new();
    for line in lines::lines(text.as_str(), false) {
        let pieces = lines::wrap(line, width, break_long, break_hyphens);
        if pieces.is_empty() {
            wrapped.push(&line[..0]);
        }
        wrapped.extend(pieces);
    }
    let pieces = evaluator.slices(text, wrapped)?;
    let pieces = evaluator.iterate(&pieces)?;
    let pieces: Vec<Arc<Text>> = pieces.items.iter().filter_map(|piece| piece.as_text().cloned()).collect();
    evaluator.join(&wrap, &pieces)
}

pub(super) fn word_count(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    arguments.none()?;
    let text = evaluator.display(value)?;
    evaluator.charge(text.len())?;
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let words = text.as_str().split(|character| !is_word(character)).filter(|word| !word.is_empty());
    Ok(Value::Int(words.count() as i128))
}

/// With HTML's special characters as entities, which have the origin of what they stand for.
pub(super) fn escape(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    arguments.none()?;
    let text = evaluator.display(value)?;
    evaluator.charge_text(text.len().checked_mul(5))?;
    evaluator.charge_each(text.len())?;
    Ok(Value::text(escaped(&text)))
}

fn escaped(text: &Text) -> Text {
    let mut escaped = Text::with_capacity(text.len());
    for (character, sealed) in text.chars() {
        match character {
            '&' => escaped.push("&amp;", sealed),
            '<' => escaped.push("&lt;", sealed),
            '>' => escaped.push("&gt;", sealed),
            '\'' => escaped.push("&#39;", sealed),
            '"' => escaped.push("&#34;", sealed),
            _ => escaped.push_char(character, sealed),
        }
    }
    escaped
}

pub(super) fn xml_attributes(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    let [space] = arguments.bind(["autospace"])?;
    let Value::Dict(dict) = value else { return fail("xmlattr takes a dictionary") };
    let mut attributes = Text::new();
    for (key, value) in &dict.entries {
        if matches!(value, Value::None | Value::Undefined) {
            continue;
        }
        let key = key.need_text("the name of an attribute")?;
        let forbidden = |character: char| character.is_ascii_whitespace() || "/>=\x0b".contains(character);
        if key.as_str().contains(forbidden) {
            return fail("the name of an attribute has a character that it may not have");
        }
        let value = evaluator.display(value)?;
        evaluator.charge_growth(&attributes, (key.len() + value.len()).saturating_mul(5))?;
        if !attributes.is_empty() || space.as_ref().is_none_or(Value::is_true) {
            attributes.push_author(" ");
        }
        attributes.push_text(&escaped(key));
        attributes.push_author("=\"");
        attributes.push_text(&escaped(&value));
        attributes.push_author("\"");
    }
    Ok(Value::text(attributes))
}

/// Without what looks like tags and comments of HTML, and with single spaces.
pub(super) fn strip_tags(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    arguments.none()?;
    let text = evaluator.display(value)?;
    evaluator.charge(text.len())?;
    let mut plain = text;
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        let mut kept = Text::with_capacity(plain.len());
        let mut end = 0;
        while let Some(start) = plain.as_str()[end..].find(open).map(|start| end + start) {
            let Some(length) = plain.as_str()[start..].find(close) else { break };
            kept.push_slice(&plain, end..start);
            end = start + length + close.len();
        }
        kept.push_slice(&plain, end..plain.len());
        plain = Arc::new(kept);
    }
    let words = lines::words(plain.as_str(), usize::MAX, false);
    let words = evaluator.slices(&plain, words)?;
    let words = evaluator.iterate(&words)?;
    let words: Vec<Arc<Text>> = words.items.iter().filter_map(|word| word.as_text().cloned()).collect();
    evaluator.join(&Text::author(" "), &words)
}

/// Percent-encodes a text, or the pairs of a query. An escape has the origin of what it stands for.
pub(super) fn urlencode(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: Arguments,
) -> Outcome<Value> {
    arguments.none()?;
    let pairs = match value {
        Value::Dict(dict) => collections::pairs(dict)?,
        Value::List(list) if list.kind != Kind::Keys => list.items.clone(),
        other => {
            let text = evaluator.display(other)?;
            evaluator.charge_text(text.len().checked_mul(3))?;
            evaluator.charge_each(text.len())?;
            return Ok(Value::text(percent_encoded(&text, false)));
        }
    };
    let mut query = Text::new();
    for (index, pair) in pairs.iter().enumerate() {
        let pair = evaluator.iterate(pair)?;
        let [key, value] = pair.items.as_slice() else { return fail("urlencode takes pairs") };
        let (key, value) = (evaluator.display(key)?, evaluator.display(value)?);
        evaluator.charge_growth(&query, (key.len() + value.len()).saturating_mul(3))?;
        query.push_author(if index > 0 { "&" } else { "" });
        query.push_text(&percent_encoded(&key, true));
        query.push_author("=");
        query.push_text(&percent_encoded(&value, true));
    }
    Ok(Value::text(query))
}

fn percent_encoded(text: &Text, query: bool) -> Text {
    let mut encoded = Text::with_capacity(text.len());
    for (character, sealed) in text.chars() {
        match character {
            ' ' if query => encoded.push("+", sealed),
            '/' if !query => encoded.push("/", sealed),
            '_' | '.' | '-' | '~' | '0'..='9' | 'a'..='z' | 'A'..='Z' => encoded.push_char(character, sealed),
            _ => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    encoded.push(&format!("%{byte:02X}"), sealed);
                }
            }
        }
    }
    encoded
}
