//! Reads keys as llama.cpp does: of exactly one type, or absent.

use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::super::gguf::{Array, Metadata, Value};

/// The keys of the metadata, seen by an architecture.
pub(in crate::checkpoint) struct Keys<'a> {
    metadata: &'a Metadata,
    architecture: &'a str,
}

impl<'a> Keys<'a> {
    pub fn new(metadata: &'a Metadata, architecture: &'a str) -> Self {
        Self { metadata, architecture }
    }

    /// The full name of a key; those of the architecture begin with a dot here.
    pub fn name(&self, key: &str) -> String {
        if key.starts_with('.') { format!("{}{key}", self.architecture) } else { key.to_owned() }
    }

    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.metadata.get(&self.name(key))
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Defect> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| self.wrong_type(key, expected, value)),
        }
    }

    pub fn wrong_type(&self, key: &str, expected: &'static str, value: &Value) -> Defect {
        Defect::WrongValueType { key: Excerpt::name(&self.name(key)), expected, found: value.type_name() }
    }

    pub fn missing(&self, key: &str) -> Defect {
        Defect::MissingKey { key: Excerpt::name(&self.name(key)) }
    }

    pub fn out_of_range(&self, key: &str, found: impl ToString, expected: impl Into<String>) -> Defect {
        let key = Excerpt::name(&self.name(key));
        Defect::OutOfRange { key, found: found.to_string(), expected: expected.into() }
    }

    pub fn u16(&self, key: &str) -> Result<Option<u16>, Defect> {
        self.typed(key, "a u16", |value| if let Value::U16(value) = *value { Some(value) } else { None })
    }

    pub fn u32(&self, key: &str) -> Result<Option<u32>, Defect> {
        self.typed(key, "a u32", |value| if let Value::U32(value) = *value { Some(value) } else { None })
    }

    pub fn f32(&self, key: &str) -> Result<Option<f32>, Defect> {
        self.typed(key, "an f32", |value| if let Value::F32(value) = *value { Some(value) } else { None })
    }

    pub fn bool(&self, key: &str) -> Result<Option<bool>, Defect> {
        self.typed(key, "a bool", Value::as_bool)
    }

    pub fn str(&self, key: &str) -> Result<Option<&'a str>, Defect> {
        self.typed(key, "a string", Value::as_str)
    }

    pub fn require_str(&self, key: &str) -> Result<&'a str, Defect> {
        self.str(key)?.ok_or_else(|| self.missing(key))
    }

    /// A u32 within `least..=most`.
    pub fn u32_within(&self, key: &str, least: u32, most: u32) -> Result<Option<u32>, Defect> {
        match self.u32(key)? {
            Some(value) if !(least..=most).contains(&value) => {
                Err(self.out_of_range(key, value, format!("from {least} to {most}")))
            }
            value => Ok(value),
        }
    }

    pub fn require_u32_within(&self, key: &str, least: u32, most: u32) -> Result<u32, Defect> {
        self.u32_within(key, least, most)?.ok_or_else(|| self.missing(key))
    }

    /// A number for each of `layers` blocks: one for all, or an array.
    pub fn per_layer(&self, key: &str, layers: u32) -> Result<Option<Vec<u32>>, Defect> {
        const EXPECTED: &str = "a u32 or an array of u32s";
        let values = match self.get(key) {
            None => return Ok(None),
            Some(&Value::U32(value)) => return Ok(Some(vec![value; layers as usize])),
            Some(Value::Array(Array::U32(values))) => values.clone(),
            Some(Value::Array(Array::Bool(values))) => values.iter().map(|&value| value.into()).collect(),
            Some(Value::Array(Array::I32(values))) => {
                let unsigned = |&value: &i32| {
                    u32::try_from(value).map_err(|_| self.out_of_range(key, value, "zero or positive"))
                };
                values.iter().map(unsigned).collect::<Result<_, _>>()?
            }
            Some(other) => return Err(self.wrong_type(key, EXPECTED, other)),
        };
        if values.len() as u64 != u64::from(layers) {
            return Err(Defect::WrongLength {
                key: Excerpt::name(&self.name(key)),
                found: values.len() as u64,
                expected: layers.into(),
                reason: "one for each block",
            });
        }
        Ok(Some(values))
    }

    /// Small counts, as an array of integers.
    pub fn sections(&self, key: &str, value: &'a Value) -> Result<Vec<u32>, Defect> {
        const EXPECTED: &str = "an array of at most 4 integers";
        let sections: Vec<i64> = match value {
            Value::Array(Array::I32(values)) => values.iter().map(|&value| value.into()).collect(),
            Value::Array(Array::U32(values)) => values.iter().map(|&value| value.into()).collect(),
            other => return Err(self.wrong_type(key, EXPECTED, other)),
        };
        if sections.len() > 4 {
            return Err(self.wrong_type(key, EXPECTED, value));
        }
        let small = |section: i64| match u32::try_from(section) {
            Ok(section) if section <= 1 << 16 => Ok(section),
            _ => Err(self.out_of_range(key, section, "from 0 to 65536")),
        };
        sections.into_iter().map(small).collect()
    }
}
