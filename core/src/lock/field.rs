//! Values of a TOML document, read strictly: each knows where it stands and says what would be right there.

use std::ops::RangeInclusive;

use toml_edit::{ArrayOfTables, Item, Key, Table, TableLike, Value};

use super::fault::{Fault, Parsed};
use crate::checkpoint::{Digest, Excerpt};
use crate::spelling::distance;

/// A table whose keys are all known.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a str,
    table: &'a dyn TableLike,
    at: usize,
}

/// The value of a key, or an element of a list.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    text: &'a str,
    /// The key, for messages.
    key: &'a str,
    part: Part<'a>,
    pub at: usize,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Value(&'a Value),
    Table(&'a Table),
    Tables(&'a ArrayOfTables),
}

impl<'a> Fields<'a> {
    /// The whole document `text`, of which `table` was parsed.
    pub fn root(text: &'a str, table: &'a Table) -> Self {
        Self { text, table, at: 0 }
    }

    /// Refuses keys that are not among `known`.
    pub fn only(self, known: &[&str]) -> Parsed<Self> {
        let Some((key, _)) = self.table.iter().find(|(key, _)| !known.contains(key)) else { return Ok(self) };
        let hint = match nearest(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here are {}", listed(known)),
        };
        Err(Fault::new(self.key_at(key), format!("unknown key {}: {hint}", Excerpt::name(key))))
    }

    pub fn get(self, key: &str) -> Option<Field<'a>> {
        let (key, item) = self.table.get_key_value(key)?;
        let at = start(key.span());
        let part = match item {
            Item::None => return None,
            Item::Value(value) => Part::Value(value),
            Item::Table(table) => Part::Table(table),
            Item::ArrayOfTables(tables) => Part::Tables(tables),
        };
        Some(Field { text: self.text, key: key.get(), at: part.span_start().unwrap_or(at), part })
    }

    pub fn require(self, key: &str) -> Parsed<Field<'a>> {
        self.get(key).ok_or_else(|| Fault::new(self.at, format!("the key `{key}` is missing here")))
    }

    /// Its keys and values, in the order of the file; `at` is where the key stands.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, usize, Field<'a>)> {
        self.table.iter().filter_map(move |(key, _)| Some((key, self.key_at(key), self.get(key)?)))
    }

    /// Where the table begins.
    pub fn at(self) -> usize {
        self.at
    }

    pub fn key_at(self, key: &str) -> usize {
        self.table.key(key).map_or(self.at, |key: &Key| start(key.span()))
    }
}

impl<'a> Part<'a> {
    fn span_start(self) -> Option<usize> {
        match self {
            Self::Value(value) => value.span().map(|span| span.start),
            // Its header, or the key that made it.
            Self::Table(table) => table.span().map(|span| span.start),
            Self::Tables(tables) => tables.span().map(|span| span.start),
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::Value(Value::String(_)) => "a string",
            Self::Value(Value::Integer(_)) => "an integer",
            Self::Value(Value::Float(_)) => "a float",
            Self::Value(Value::Boolean(_)) => "a boolean",
            Self::Value(Value::Datetime(_)) => "a date or time",
            Self::Value(Value::Array(_)) => "an array",
            Self::Value(Value::InlineTable(_)) | Self::Table(_) => "a table",
            Self::Tables(_) => "an array of tables",
        }
    }
}

impl<'a> Field<'a> {
    pub fn fault(self, reason: impl Into<String>) -> Fault {
        Fault::new(self.at, format!("`{}` {}", self.key, reason.into()))
    }

    fn wrong_type(self, wanted: &str) -> Fault {
        self.fault(format!("is {}, but must be {wanted}", self.part.type_name()))
    }

    /// A text. Line breaks inside of a multi-line string are "\n", so that it does not depend on how a version
    /// control system writes files.
    pub fn text(self) -> Parsed<String> {
        let Part::Value(Value::String(text)) = self.part else { return Err(self.wrong_type("a string")) };
        let raw = text.span().and_then(|span| self.text.get(span)).unwrap_or_default();
        if raw.contains("\r\n")
            && let Ok(Value::String(text)) = raw.replace("\r\n", "\n").parse()
        {
            return Ok(text.into_value());
        }
        Ok(text.value().clone())
    }

    /// A text with something in it.
    pub fn some_text(self) -> Parsed<String> {
        let text = self.text()?;
        if text.trim().is_empty() { Err(self.fault("is empty")) } else { Ok(text) }
    }

    pub fn digest(self) -> Parsed<Digest> {
        self.text()?.parse().map_err(|_| self.fault("must be a SHA-256 digest, 64 hexadecimal digits"))
    }

    pub fn integer(self, range: RangeInclusive<u64>) -> Parsed<u64> {
        let Part::Value(Value::Integer(found)) = self.part else { return Err(self.wrong_type("an integer")) };
        match u64::try_from(*found.value()) {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => Err(self.fault(format!(
                "must be an integer from {} to {}, but is {}",
                range.start(),
                range.end(),
                found.value()
            ))),
        }
    }

    pub fn u32(self, least: u32) -> Parsed<u32> {
        Ok(self.integer(least.into()..=u32::MAX.into())? as u32)
    }

    /// A float, or an integer in its place. Infinite and NaN only where they were written so.
    pub fn number(self) -> Parsed<f32> {
        let wide = match self.part {
            Part::Value(Value::Float(value)) => *value.value(),
            Part::Value(Value::Integer(value)) => *value.value() as f64,
            _ => return Err(self.wrong_type("a number")),
        };
        let value = wide as f32;
        if value.is_infinite() && wide.is_finite() {
            return Err(self.fault(format!("is {wide}, which is beyond a 32-bit float")));
        }
        Ok(value)
    }

    pub fn list(self) -> Parsed<Vec<Self>> {
        let element = |part: Part<'a>, at: Option<usize>| Self { part, at: at.unwrap_or(self.at), ..self };
        match self.part {
            Part::Value(Value::Array(array)) => Ok(array
                .iter()
                .map(|value| element(Part::Value(value), value.span().map(|s| s.start)))
                .collect()),
            Part::Tables(tables) => {
                let table =
                    |table: &'a Table| element(Part::Table(table), table.span().map(|span| span.start));
                Ok(tables.iter().map(table).collect())
            }
            _ => Err(self.wrong_type("an array")),
        }
    }

    pub fn table(self) -> Parsed<Fields<'a>> {
        let table: &dyn TableLike = match self.part {
            Part::Value(Value::InlineTable(table)) => table,
            Part::Table(table) => table,
            _ => return Err(self.wrong_type("a table")),
        };
        Ok(Fields { text: self.text, table, at: self.at })
    }
}

fn start(span: Option<std::ops::Range<usize>>) -> usize {
    span.map_or(0, |span| span.start)
}

/// Keys for a message.
pub(super) fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// The one of `known` that `key` was meant to be, if one is so near.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    if key.chars().count() > 40 {
        return None;
    }
    let near = known.iter().map(|&known| (distance(key, known), known)).min()?;
    (near.0 <= near.1.len().div_ceil(3)).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_finds_its_neighbour_and_another_does_not() {
        let known = ["sha256", "size", "sources", "context_length"];
        for (key, meant) in [
            ("sha265", Some("sha256")),
            ("SHA256", Some("sha256")),
            ("source", Some("sources")),
            ("contextlength", Some("context_length")),
            ("siez", Some("size")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(key, &known), meant, "{key}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), &known), None);
    }
}
