//! Calls that put a tag around each argument: `<parameter=city>Paris</parameter>`.

use serde_json::{Map, Value};

use super::literal::Reader;
use super::strip;

/// What stands around names and arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tags {
    /// After the name of the tool, up to the first tag.
    after_name: String,
    /// Before the name of an argument: `<parameter=`.
    key: String,
    /// Between its name and a string.
    string: String,
    /// Between its name and any other value.
    other: String,
    /// After the value.
    end: String,
}

/// What a template wrote between the parts of a call with two arguments: a string, then a number.
pub(super) struct Pieces<'a> {
    pub(super) name_to_key: &'a str,
    pub(super) key_to_string: &'a str,
    pub(super) string_to_key: &'a str,
    pub(super) key_to_number: &'a str,
    pub(super) number_to_end: &'a str,
}

impl Tags {
    /// The tags, and how many bytes at the end of the call are the last one.
    pub(super) fn learn(pieces: &Pieces<'_>) -> Option<(Self, usize)> {
        let Pieces { name_to_key, key_to_string, string_to_key, key_to_number, number_to_end } = *pieces;
        // The end of a value is what stands after both, up to the end of a tag.
        let common = common(string_to_key, number_to_end);
        let end = &string_to_key[..string_to_key[..common].rfind('>')? + 1];
        let key = string_to_key[end.len()..].trim_start();
        let after_name = name_to_key.strip_suffix(key)?;
        let tag = |text: &str| !text.trim().is_empty();
        if !tag(end) || !tag(key) || !tag(key_to_string) {
            return None;
        }
        let tags = Self {
            after_name: after_name.to_owned(),
            key: key.to_owned(),
            string: key_to_string.to_owned(),
            other: key_to_number.to_owned(),
            end: end.to_owned(),
        };
        Some((tags, end.len()))
    }

    /// Reads arguments from what follows a name; gives what follows them. `None` where they are cut off.
    pub(super) fn read<'a>(
        &self,
        text: &'a str,
        schema: impl Fn(&str) -> Option<Value>,
    ) -> Option<(Value, &'a str)> {
        let mut rest = strip(text, &self.after_name).unwrap_or(text);
        let mut arguments = Map::new();
        while let Some(after) = strip(rest, &self.key) {
            // The first character of what follows the name of an argument cannot be within it.
            let first = self.string.trim_start().chars().next()?;
            let (key, after) = after.split_at(after.find(first)?);
            let key = key.trim();
            let (text, after) = match (after_tag(after, &self.string), after_tag(after, &self.other)) {
                (Some(after), None) => (true, after),
                (None, Some(after)) => (false, after),
                // The tag is the same for all, so that the schema has to tell.
                (Some(after), Some(_)) => (is_text(schema(key).as_ref()), after),
                (None, None) => return None,
            };
            let tag = self.end.trim();
            let (value, after) = after.split_once(tag)?;
            let blank = &self.end[..self.end.len() - self.end.trim_start().len()];
            let value = value.strip_suffix(blank).unwrap_or(value);
            let value = if text { Value::from(value) } else { typed(value, schema(key).as_ref()) };
            arguments.insert(key.to_owned(), value);
            rest = after;
        }
        Some((Value::Object(arguments), rest))
    }
}

/// What follows a tag; of white space at its end as much as the template writes, since the rest is the value's.
fn after_tag<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let rest = strip(text, tag)?;
    let blank = &tag[tag.trim_end().len()..];
    Some(rest.strip_prefix(blank).unwrap_or(rest))
}

/// Whether a schema wants a string and nothing else.
fn is_text(schema: Option<&Value>) -> bool {
    schema.and_then(|schema| schema.get("type")).and_then(Value::as_str) == Some("string")
}

/// A value by its schema: what reads as JSON is that, unless only a string is wanted then.
fn typed(text: &str, schema: Option<&Value>) -> Value {
    let read = serde_json::from_str(text.trim()).ok().or_else(|| {
        let mut reader = Reader::new(text, None);
        reader.value().filter(|_| reader.rest().trim().is_empty())
    });
    match read {
        Some(value) if fits(&value, schema) => value,
        _ => Value::from(text),
    }
}

/// Whether a value is of the type that a schema names, if it allows strings too.
fn fits(value: &Value, schema: Option<&Value>) -> bool {
    let types = schema.and_then(|schema| schema.get("type")).and_then(Value::as_array);
    let Some(types) = types.filter(|types| types.iter().any(|name| name == "string")) else { return true };
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => return false,
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    types.iter().any(|other| other == name || (name == "integer" && other == "number"))
}

/// How many bytes two texts have in common at their start.
pub(super) fn common(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other);
    same.map(|(character, _)| character.len_utf8()).sum()
}
