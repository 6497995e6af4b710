//! [`Data`]: what a chat template sees besides messages, e.g. the schemas of tools.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use serde_json::{Map, Value};

use super::text::Text;

/// Data as JSON has it, with the origin of every string.
///
/// Deserialized data is sealed: all strings and keys are values. The order of keys is kept, since templates
/// write it.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Text),
    /// Values in order.
    List(Vec<Data>),
    /// Keys with values, in order. Of equal keys the first one is seen.
    Map(Vec<(Text, Data)>),
}

impl Data {
    /// A string that an author wrote.
    pub fn author(text: impl Into<String>) -> Self {
        Self::Text(Text::author(text))
    }

    /// A string that is a value.
    pub fn sealed(text: impl Into<String>) -> Self {
        Self::Text(Text::sealed(text))
    }

    /// A map whose keys an author wrote.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (Text::author(key), value)).collect())
    }

    /// Reads JSON. All of it is sealed.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// JSON that was read, all of it of one origin.
    pub(crate) fn of_json(json: &Value, sealed: bool) -> Self {
        let text = |text: &str| if sealed { Text::sealed(text) } else { Text::author(text) };
        match json {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match number.as_i128() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(value) => Self::Text(text(value)),
            Value::Array(items) => Self::List(items.iter().map(|item| Self::of_json(item, sealed)).collect()),
            Value::Object(entries) => Self::Map(
                entries.iter().map(|(key, value)| (text(key), Self::of_json(value, sealed))).collect(),
            ),
        }
    }

    /// Whether any byte of a string or a key in it is sealed.
    pub(crate) fn has_sealed(&self) -> bool {
        match self {
            Self::Text(text) => text.has_sealed(),
            Self::List(items) => items.iter().any(Self::has_sealed),
            Self::Map(entries) => entries.iter().any(|(key, value)| key.has_sealed() || value.has_sealed()),
            _ => false,
        }
    }

    /// The data as JSON, without the origins. A whole number beyond 64 bits loses its last digits.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => Value::from(value),
                (_, Ok(value)) => Value::from(value),
                _ => Value::from(*value as f64),
            },
            Self::Float(value) => Value::from(*value),
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    map.entry(key.as_str()).or_insert_with(|| value.to_json());
                }
                Value::Object(map)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        Data::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Data, E> {
        Ok(Data::Int(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Data, E> {
        Ok(Data::Int(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Data, E> {
        Ok(Data::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Data, E> {
        Ok(Data::sealed(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Data, E> {
        Ok(Data::sealed(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Data::List(list))
    }

    /// As Python does: of equal keys the last value counts, where the first one stood.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Data, A::Error> {
        let mut map: Vec<(Text, Data)> = Vec::new();
        let mut indices = HashMap::new();
        while let Some((key, value)) = entries.next_entry::<String, Data>()? {
            let index = *indices.entry(key.clone()).or_insert(map.len());
            match map.get_mut(index) {
                Some(entry) => entry.1 = value,
                None => map.push((Text::sealed(key), value)),
            }
        }
        Ok(Data::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_sealed_and_keeps_its_order() {
        let data = Data::from_json(r#"{"b": [1, -2.5, null], "a": "x", "b": 18446744073709551615}"#).unwrap();
        let expected =
            vec![(Text::sealed("b"), Data::Int(u64::MAX.into())), (Text::sealed("a"), Data::sealed("x"))];
        assert_eq!(data, Data::Map(expected));
    }
}
