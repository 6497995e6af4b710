//! The values of the metadata, for people and as JSON.

use pinfold::checkpoint::gguf::{Array, Value};
use serde::{Serialize, Serializer};

use crate::output::excerpt;

/// Characters of a value that are shown.
const MOST: usize = 60;
/// Elements of an array that are shown.
const FIRST: usize = 6;

/// The type: `u32`, `512 strings`...
pub fn kind(value: &Value) -> String {
    match value {
        Value::Array(array) => format!("{} {}", array.len(), array.element_name()),
        _ => value.type_name().split(' ').next_back().unwrap_or_default().to_owned(),
    }
}

/// The value in a line.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => excerpt(text, MOST),
        Value::Array(array) => {
            let more = if array.len() > FIRST { ", …" } else { "" };
            excerpt(&(first(array).join(", ") + more), MOST)
        }
        _ => serde_json::to_string(&Json(value)).unwrap_or_default(),
    }
}

fn first(array: &Array) -> Vec<String> {
    fn some<T: ToString>(values: &[T]) -> Vec<String> {
        values.iter().take(FIRST).map(T::to_string).collect()
    }
    match array {
        Array::U8(values) => some(values),
        Array::I8(values) => some(values),
        Array::U16(values) => some(values),
        Array::I16(values) => some(values),
        Array::U32(values) => some(values),
        Array::I32(values) => some(values),
        Array::F32(values) => some(values),
        Array::Bool(values) => some(values),
        Array::U64(values) => some(values),
        Array::I64(values) => some(values),
        Array::F64(values) => some(values),
        Array::String(values) => values.iter().take(FIRST).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A value as JSON, whole.
pub struct Json<'a>(pub &'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::U8(value) => value.serialize(serializer),
            Value::I8(value) => value.serialize(serializer),
            Value::U16(value) => value.serialize(serializer),
            Value::I16(value) => value.serialize(serializer),
            Value::U32(value) => value.serialize(serializer),
            Value::I32(value) => value.serialize(serializer),
            Value::F32(value) => value.serialize(serializer),
            Value::Bool(value) => value.serialize(serializer),
            Value::String(value) => value.serialize(serializer),
            Value::U64(value) => value.serialize(serializer),
            Value::I64(value) => value.serialize(serializer),
            Value::F64(value) => value.serialize(serializer),
            Value::Array(array) => match array {
                Array::U8(values) => values.serialize(serializer),
                Array::I8(values) => values.serialize(serializer),
                Array::U16(values) => values.serialize(serializer),
                Array::I16(values) => values.serialize(serializer),
                Array::U32(values) => values.serialize(serializer),
                Array::I32(values) => values.serialize(serializer),
                Array::F32(values) => values.serialize(serializer),
                Array::Bool(values) => values.serialize(serializer),
                Array::U64(values) => values.serialize(serializer),
                Array::I64(values) => values.serialize(serializer),
                Array::F64(values) => values.serialize(serializer),
                Array::String(values) => serializer.collect_seq(values.iter()),
                _ => serializer.serialize_unit(),
            },
            _ => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short() {
        let numbers = Value::Array(Array::U32((0..100).collect()));
        assert_eq!((kind(&numbers), shown(&numbers)), ("100 u32s".into(), "0, 1, 2, 3, 4, 5, …".into()));
        let text = Value::String("a\n".repeat(100));
        assert_eq!((kind(&text), shown(&text).ends_with('…')), ("string".into(), true));
        assert_eq!(shown(&Value::Bool(true)), "true");
        assert_eq!(serde_json::to_value(Json(&numbers)).unwrap()[99], 99);
    }
}
