//! The values of the metadata.

/// One value of the metadata.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variants are named as GGUF's types")]
pub enum Value {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(String),
    Array(Array),
    U64(u64),
    I64(i64),
    F64(f64),
}

/// An array of the metadata, kept compactly.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variants are named as GGUF's types")]
pub enum Array {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    Bool(Vec<bool>),
    String(Strings),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F64(Vec<f64>),
}

impl Value {
    /// A text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// An integer of any width that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U8(value) => Some(value.into()),
            Self::U16(value) => Some(value.into()),
            Self::U32(value) => Some(value.into()),
            Self::U64(value) => Some(value),
            Self::I8(value) => value.try_into().ok(),
            Self::I16(value) => value.try_into().ok(),
            Self::I32(value) => value.try_into().ok(),
            Self::I64(value) => value.try_into().ok(),
            _ => None,
        }
    }

    /// A number with a fraction.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(value) => Some(value.into()),
            Self::F64(value) => Some(value),
            _ => None,
        }
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// An array.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// An array of texts.
    pub fn as_strings(&self) -> Option<&Strings> {
        match self {
            Self::Array(Array::String(strings)) => Some(strings),
            _ => None,
        }
    }

    /// What type it has, in words: `a u32`, `an array of 3 strings`...
    pub fn type_name(&self) -> String {
        match self {
            Self::U8(_) => "a u8".into(),
            Self::I8(_) => "an i8".into(),
            Self::U16(_) => "a u16".into(),
            Self::I16(_) => "an i16".into(),
            Self::U32(_) => "a u32".into(),
            Self::I32(_) => "an i32".into(),
            Self::F32(_) => "an f32".into(),
            Self::Bool(_) => "a bool".into(),
            Self::String(_) => "a string".into(),
            Self::Array(array) => format!("an array of {} {}", array.len(), array.element_name()),
            Self::U64(_) => "a u64".into(),
            Self::I64(_) => "an i64".into(),
            Self::F64(_) => "an f64".into(),
        }
    }
}

impl Array {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::String(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type of the elements, in the plural: `u32s`, `strings`...
    pub fn element_name(&self) -> &'static str {
        match self {
            Self::U8(_) => "u8s",
            Self::I8(_) => "i8s",
            Self::U16(_) => "u16s",
            Self::I16(_) => "i16s",
            Self::U32(_) => "u32s",
            Self::I32(_) => "i32s",
            Self::F32(_) => "f32s",
            Self::Bool(_) => "bools",
            Self::String(_) => "strings",
            Self::U64(_) => "u64s",
            Self::I64(_) => "i64s",
            Self::F64(_) => "f64s",
        }
    }
}

/// Many texts in one allocation: their bytes one after another, and where each ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// The texts whose bytes stand in `bytes` and end at `ends`, which ascend; the index of the first that
    /// is not UTF-8 if there is one.
    pub(super) fn new(bytes: Vec<u8>, ends: Vec<u32>) -> Result<Self, usize> {
        // All at once is much faster than one by one: the whole is UTF-8, and no end cuts a character.
        match String::from_utf8(bytes) {
            Ok(text) => match ends.iter().position(|&end| !text.is_char_boundary(end as usize)) {
                None => Ok(Self { text, ends }),
                Some(index) => Err(index),
            },
            Err(error) => Err(ends.partition_point(|&end| end as usize <= error.utf8_error().valid_up_to())),
        }
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        self.text.get(start..end)
    }

    /// The texts in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let text = &self.text[start..end as usize];
            start = end as usize;
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_keep_their_borders() {
        let strings = Strings::new("aßb".into(), vec![1, 1, 3, 4]).unwrap();
        assert_eq!(strings.iter().collect::<Vec<_>>(), ["a", "", "ß", "b"]);
        assert_eq!((strings.get(2), strings.get(4)), (Some("ß"), None));
        assert_eq!(Strings::new("aßb".into(), vec![1, 2, 4]), Err(1), "a border inside of a character");
        assert_eq!(Strings::new(b"a\xff".to_vec(), vec![1, 2]), Err(1));
        assert_eq!(Strings::new(b"\xff".to_vec(), vec![0, 1]), Err(1));
    }

    #[test]
    fn integers_of_any_width_and_no_negative_ones() {
        assert_eq!(Value::U8(7).as_u64(), Some(7));
        assert_eq!(Value::I32(7).as_u64(), Some(7));
        assert_eq!(Value::I64(-1).as_u64(), None);
        assert_eq!(Value::F32(1.0).as_u64(), None);
    }
}
