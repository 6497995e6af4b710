//! `tojson`: JSON as Python's `json.dumps` writes it.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::evaluator::{Evaluator, Outcome, fail};
use super::expressions::Arguments;
use super::print;
use super::value::{Kind, Value};
use crate::prompt::text::Text;

/// How JSON is written.
struct Style {
    /// Only ASCII, with escapes for the rest.
    ascii: bool,
    /// What a level is indented by, if items have lines of their own.
    indent: Option<Text>,
    between_items: Text,
    behind_key: Text,
    sort_keys: bool,
}

/// The filter. Its arguments are those that transformers gives it.
pub(super) fn tojson(evaluator: &mut Evaluator<'_>, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let [ascii, indent, separators, sort_keys] =
        arguments.bind(["ensure_ascii", "indent", "separators", "sort_keys"])?;
    let is_set = |flag: Option<Value>| flag.is_some_and(|flag| flag.is_true());
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Text(indent)) => Some(Text::clone(&indent)),
        Some(indent) => {
            let width = usize::try_from(indent.need_int("indent")?.max(0)).ok();
            evaluator.charge_text(width)?;
            Some(Text::author(" ".repeat(width.unwrap_or(0))))
        }
    };
    let (between_items, behind_key) = match separators {
        None | Some(Value::None) => {
            (Text::author(if indent.is_some() { "," } else { ", " }), Text::author(": "))
        }
        Some(pair) => match evaluator.iterate(&pair)?.items.as_slice() {
            [Value::Text(item), Value::Text(key)] => (Text::clone(item), Text::clone(key)),
            _ => return fail("separators must be two texts"),
        },
    };
    let style =
        Style { ascii: is_set(ascii), indent, between_items, behind_key, sort_keys: is_set(sort_keys) };
    let mut out = Text::new();
    evaluator.json(value, &style, 0, &mut out)?;
    Ok(Value::text(out))
}

impl Evaluator<'_> {
    fn json(&mut self, value: &Value, style: &Style, level: usize, out: &mut Text) -> Outcome<()> {
        self.charge_growth(out, 0)?;
        match value {
            Value::Text(text) => {
                self.charge_growth(out, text.len())?;
                quote(text, style.ascii, out);
            }
            Value::List(list) if matches!(list.kind, Kind::List | Kind::Tuple | Kind::Group) => {
                out.push_author("[");
                for (index, item) in list.items.iter().enumerate() {
                    self.json_break(style, level + 1, index > 0, out)?;
                    self.json(item, style, level + 1, out)?;
                }
                self.json_end(style, level, list.items.is_empty(), out)?;
                out.push_author("]");
            }
            Value::Dict(dict) => {
                out.push_author("{");
                let mut entries: Vec<&(Value, Value)> = dict.entries.iter().collect();
                if style.sort_keys {
                    entries = self.sorted(entries, |this, one, other| {
                        Ok(this.order(&one.0, &other.0)?.unwrap_or(Ordering::Equal))
                    })?;
                }
                for (index, (key, value)) in entries.into_iter().enumerate() {
                    self.json_break(style, level + 1, index > 0, out)?;
                    match key {
                        Value::Text(key) => {
                            self.charge_growth(out, key.len())?;
                            quote(key, style.ascii, out);
                        }
                        other => {
                            let Some(key) = scalar(other) else {
                                return fail(format!("{} cannot be a key of JSON", other.type_name()));
                            };
                            out.push_author(&format!("\"{key}\""));
                        }
                    }
                    out.push_text(&style.behind_key);
                    self.json(value, style, level + 1, out)?;
                }
                self.json_end(style, level, dict.entries.is_empty(), out)?;
                out.push_author("}");
            }
            other => match scalar(other) {
                Some(scalar) => out.push_author(&scalar),
                None => return fail(format!("{} cannot be JSON", other.type_name())),
            },
        }
        Ok(())
    }

    /// What stands before an item.
    fn json_break(&mut self, style: &Style, level: usize, follows: bool, out: &mut Text) -> Outcome<()> {
        if follows {
            self.charge_growth(out, style.between_items.len())?;
            out.push_text(&style.between_items);
        }
        self.json_line(style, level, out)
    }

    /// What stands behind the last item.
    fn json_end(&mut self, style: &Style, level: usize, empty: bool, out: &mut Text) -> Outcome<()> {
        if empty { Ok(()) } else { self.json_line(style, level, out) }
    }

    fn json_line(&mut self, style: &Style, level: usize, out: &mut Text) -> Outcome<()> {
        let Some(indent) = &style.indent else { return Ok(()) };
        self.charge_growth(out, indent.len().saturating_mul(level))?;
        out.push_author("\n");
        (0..level).for_each(|_| out.push_text(indent));
        Ok(())
    }
}

fn scalar(value: &Value) -> Option<String> {
    Some(match value {
        Value::None => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) if value.is_nan() => "NaN".into(),
        Value::Float(value) if value.is_infinite() => {
            if *value > 0.0 { "Infinity" } else { "-Infinity" }.into()
        }
        Value::Float(value) => print::float(*value),
        _ => return None,
    })
}

/// Appends a string. An escape has the origin of the character that it stands for; the quotes are the
/// template's.
fn quote(text: &Text, ascii: bool, out: &mut Text) {
    out.push_author("\"");
    let mut escape = String::new();
    for (piece, sealed) in text.pieces() {
        let mut plain = 0;
        for (index, character) in piece.char_indices() {
            escape.clear();
            let _ = match character {
                '"' | '\\' => write!(escape, "\\{character}"),
                '\n' => escape.write_str("\\n"),
                '\r' => escape.write_str("\\r"),
                '\t' => escape.write_str("\\t"),
                '\u{8}' => escape.write_str("\\b"),
                '\u{c}' => escape.write_str("\\f"),
                '\0'..' ' => write!(escape, "\\u{:04x}", u32::from(character)),
                _ if ascii && !character.is_ascii() => (character.encode_utf16(&mut [0; 2]).iter())
                    .try_for_each(|unit| write!(escape, "\\u{unit:04x}")),
                _ => continue,
            };
            out.push(&piece[plain..index], sealed);
            out.push(&escape, sealed);
            plain = index + character.len_utf8();
        }
        out.push(&piece[plain..], sealed);
    }
    out.push_author("\"");
}
