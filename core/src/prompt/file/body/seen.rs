//! What a template sees: data with its origin, and its name for messages.

use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Number, Value};

use crate::prompt::data::Data;
use crate::prompt::text::Text;

/// A value of a template.
#[derive(Debug, Clone)]
pub(super) struct Seen<'a> {
    pub data: Held<'a>,
    /// Where numbers and the like come from; texts know it for themselves.
    pub sealed: bool,
    /// Its name as a variable, with the path into it; empty for all variables together.
    pub name: Option<String>,
}

/// Data that is somewhere else, or was made by a helper. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Held<'a> {
    Borrowed(&'a Data),
    Made(Rc<Data>),
}

impl Deref for Held<'_> {
    type Target = Data;

    fn deref(&self) -> &Data {
        match self {
            Self::Borrowed(data) => data,
            Self::Made(data) => data,
        }
    }
}

impl<'a> Seen<'a> {
    pub fn borrowed(data: &'a Data, sealed: bool) -> Self {
        Self { data: Held::Borrowed(data), sealed, name: None }
    }

    pub fn owned(data: Data, sealed: bool) -> Self {
        Self { data: Held::Made(Rc::new(data)), sealed, name: None }
    }

    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The value of a key, or at an index of a list.
    pub fn get(&self, key: &str) -> Option<Self> {
        let name = self.name.as_ref().map(|name| match &*self.data {
            Data::List(_) => format!("{name}[{key}]"),
            _ if name.is_empty() => key.to_owned(),
            _ => format!("{name}.{key}"),
        });
        let child = match &*self.data {
            Data::Map(entries) => entries.iter().position(|(known, _)| known.as_str() == key),
            Data::List(items) => key.parse().ok().filter(|index| *index < items.len()),
            _ => None,
        };
        self.child(child?, name)
    }

    /// The value at a position of a list or a map.
    pub fn child(&self, index: usize, name: Option<String>) -> Option<Self> {
        fn at(data: &Data, index: usize) -> Option<&Data> {
            match data {
                Data::Map(entries) => entries.get(index).map(|(_, value)| value),
                Data::List(items) => items.get(index),
                _ => None,
            }
        }
        let data = match &self.data {
            Held::Borrowed(data) => Held::Borrowed(at(data, index)?),
            Held::Made(data) => Held::Made(Rc::new(at(data, index)?.clone())),
        };
        Some(Self { data, sealed: self.sealed, name })
    }

    /// What `if` goes by, as Handlebars does.
    pub fn is_true(&self, zero: bool) -> bool {
        match &*self.data {
            Data::Null => false,
            Data::Bool(value) => *value,
            Data::Int(number) => zero || *number != 0,
            Data::Float(number) => zero || *number != 0.0,
            Data::Text(text) => !text.is_empty(),
            Data::List(items) => !items.is_empty(),
            Data::Map(_) => true,
        }
    }

    /// As it is written into a text: a list with commas, as JavaScript does. Nothing if there is a map in it.
    pub fn text(&self) -> Option<Text> {
        let mut text = Text::new();
        print(&self.data, self.sealed, &mut text).then_some(text)
    }

    /// As JSON: with an indent in lines, else without spaces.
    pub fn json(&self, indent: usize) -> Text {
        let value = to_json(&self.data);
        let json = match indent {
            0 => value.to_string(),
            _ => pretty(&value, indent),
        };
        let mut text = Text::new();
        text.push(&json, self.sealed || self.data.has_sealed());
        text
    }

    /// How much there is to look at in it.
    pub fn weight(&self) -> usize {
        weight(&self.data)
    }
}

fn print(data: &Data, sealed: bool, text: &mut Text) -> bool {
    match data {
        Data::Null => {}
        Data::Bool(value) => text.push(if *value { "true" } else { "false" }, sealed),
        Data::Int(number) => text.push(&number.to_string(), sealed),
        Data::Float(number) => text.push(&number.to_string(), sealed),
        Data::Text(value) => text.push_text(value),
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(",", sealed);
                }
                if !print(item, sealed, text) {
                    return false;
                }
            }
        }
        Data::Map(_) => return false,
    }
    true
}

fn weight(data: &Data) -> usize {
    match data {
        Data::List(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Data::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + weight(value)).sum::<usize>(),
        Data::Text(text) => 1 + text.len() / 64,
        _ => 1,
    }
}

/// Whole numbers are written without a fraction, as JavaScript does.
fn to_json(data: &Data) -> Value {
    match data {
        Data::Null => Value::Null,
        Data::Bool(value) => Value::Bool(*value),
        Data::Int(number) => Number::from_i128(*number).map_or(Value::Null, Value::Number),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(*number as i64),
        Data::Float(number) => Value::from(*number),
        Data::Text(text) => Value::String(text.as_str().to_owned()),
        Data::List(items) => Value::Array(items.iter().map(to_json).collect()),
        Data::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.entry(key.as_str()).or_insert_with(|| to_json(value));
            }
            Value::Object(map)
        }
    }
}

fn pretty(value: &Value, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    match serde::Serialize::serialize(value, &mut serializer) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}
