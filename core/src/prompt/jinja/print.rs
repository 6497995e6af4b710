//! How values are printed: as Python's `str` and `repr` write them.

use std::fmt::Write as _;
use std::sync::Arc;

use super::evaluator::{Evaluator, Outcome};
use super::value::{Callable, Kind, Value};
use crate::prompt::text::Text;

impl Evaluator<'_> {
    /// `str(value)`
    pub fn display(&mut self, value: &Value) -> Outcome<Arc<Text>> {
        if let Value::Text(text) = value {
            return Ok(text.clone());
        }
        let mut text = Text::new();
        match value {
            Value::Undefined => {}
            _ => self.repr(value, &mut text)?,
        }
        Ok(Arc::new(text))
    }

    /// Appends `repr(value)`. What is sealed in it stays so.
    pub fn repr(&mut self, value: &Value, out: &mut Text) -> Outcome<()> {
        self.charge_growth(out, 0)?;
        match value {
            Value::Undefined => out.push_author("Undefined"),
            Value::None => out.push_author("None"),
            Value::Bool(value) => out.push_author(if *value { "True" } else { "False" }),
            Value::Int(value) => out.push_author(&value.to_string()),
            Value::Float(value) => out.push_author(&float(*value)),
            Value::Text(text) => {
                self.charge_growth(out, text.len())?;
                self.charge_each(text.len())?;
                quote(text, out);
            }
            Value::List(list) => {
                let (open, close) = match list.kind {
                    Kind::List => ("[", "]"),
                    Kind::Tuple | Kind::Group if list.items.len() == 1 => ("(", ",)"),
                    Kind::Tuple | Kind::Group => ("(", ")"),
                    Kind::Keys => ("dict_keys([", "])"),
                    Kind::Values => ("dict_values([", "])"),
                    Kind::Items => ("dict_items([", "])"),
                    Kind::Range(start, stop, step) => {
                        let range = match step {
                            1 => format!("range({start}, {stop})"),
                            _ => format!("range({start}, {stop}, {step})"),
                        };
                        out.push_author(&range);
                        return Ok(());
                    }
                };
                out.push_author(open);
                for (index, item) in list.items.iter().enumerate() {
                    out.push_author(if index > 0 { ", " } else { "" });
                    self.repr(item, out)?;
                }
                out.push_author(close);
            }
            Value::Dict(dict) => self.repr_entries(&dict.entries, out)?,
            Value::Namespace(namespace) => {
                // It may hold itself.
                let attributes = namespace.attributes.borrow().clone();
                let entries = attributes.into_iter().map(|(name, value)| (Value::Text(name), value));
                let entries: Vec<_> = entries.collect();
                out.push_author("<Namespace ");
                self.deeper(|this| this.repr_entries(&entries, out))?;
                out.push_author(">");
            }
            Value::Iterator(_) => out.push_author("<generator object>"),
            Value::Loop(repeat) => {
                let (index, length) = (repeat.index.get() + 1, repeat.items.items.len());
                out.push_author(&format!("<LoopContext {index}/{length}>"));
            }
            Value::Callable(callable) => match &**callable {
                Callable::Macro(declaration, _) => {
                    out.push_author("<Macro ");
                    quote(&Text::author(&*declaration.name), out);
                    out.push_author(">");
                }
                // Python writes addresses here.
                _ => out.push_author(&format!("<{}>", value.type_name())),
            },
        }
        Ok(())
    }

    fn repr_entries(&mut self, entries: &[(Value, Value)], out: &mut Text) -> Outcome<()> {
        out.push_author("{");
        for (index, (key, value)) in entries.iter().enumerate() {
            out.push_author(if index > 0 { ", " } else { "" });
            self.repr(key, out)?;
            out.push_author(": ");
            self.repr(value, out)?;
        }
        out.push_author("}");
        Ok(())
    }
}

/// A number as Python writes it: the shortest digits that are read back as the same.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        -4..16 => {
            let plain = value.to_string();
            if plain.contains('.') { plain } else { plain + ".0" }
        }
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

/// Appends `repr` of a text. An escape has the origin of the character that it stands for; the quotes are
/// the template's.
pub(super) fn quote(text: &Text, out: &mut Text) {
    let has = |character| text.as_str().contains(character);
    let quote = if has('\'') && !has('"') { '"' } else { '\'' };
    out.push_char(quote, false);
    let mut escape = String::new();
    for (character, sealed) in text.chars() {
        escape.clear();
        let _ = match character {
            '\\' => escape.write_str("\\\\"),
            '\n' => escape.write_str("\\n"),
            '\r' => escape.write_str("\\r"),
            '\t' => escape.write_str("\\t"),
            _ if character == quote => write!(escape, "\\{character}"),
            _ if is_printable(character) => escape.write_char(character),
            _ => match u32::from(character) {
                code @ 0..0x100 => write!(escape, "\\x{code:02x}"),
                code @ 0x100..0x10000 => write!(escape, "\\u{code:04x}"),
                code => write!(escape, "\\U{code:08x}"),
            },
        };
        out.push(&escape, sealed);
    }
    out.push_char(quote, false);
}

/// Whether Python prints a character as it is.
pub(super) fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    // Rust escapes the same, and marks that combine with the character before: not so behind one.
    character.escape_debug().len() == 1
        || !format!("{:?}", String::from_iter(['a', character])).contains('\\')
}
