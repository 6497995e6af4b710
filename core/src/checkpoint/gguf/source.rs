//! The bytes of a file, read from the front, with a check before every step.

use std::io::{BufRead, BufReader, Read};

use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::MAX_HEADER_BYTES;
use super::value::{Array, Strings, Value};

/// Why reading stopped.
pub(super) enum Stop {
    /// The bytes are wrong.
    Defect(Defect),
    /// They could not be read.
    Io(std::io::Error),
}

impl From<Defect> for Stop {
    fn from(defect: Defect) -> Self {
        Self::Defect(defect)
    }
}

pub(super) struct Source<R> {
    input: BufReader<R>,
    offset: u64,
    file_size: u64,
}

/// GGUF's number for strings, and for arrays, among the types of values.
const STRING: u32 = 8;
const ARRAY: u32 = 9;

impl<R: Read> Source<R> {
    pub fn new(input: R, file_size: u64) -> Self {
        Self { input: BufReader::with_capacity(1 << 16, input), offset: 0, file_size }
    }

    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn file_size(&self) -> u64 {
        self.file_size
    }

    /// Fails unless the file still has `needed` bytes, within the limit of a header.
    pub fn require(&self, what: &str, needed: u64) -> Result<(), Defect> {
        let remaining = self.file_size - self.offset;
        if needed > remaining {
            let what = Excerpt::words(what);
            return Err(Defect::Truncated { what, offset: self.offset, needed, remaining });
        }
        if needed > MAX_HEADER_BYTES - self.offset {
            return Err(Defect::HeaderTooLarge { limit: MAX_HEADER_BYTES });
        }
        Ok(())
    }

    fn fill(&mut self, what: &str, buffer: &mut [u8]) -> Result<(), Stop> {
        self.require(what, buffer.len() as u64)?;
        match self.input.read_exact(buffer) {
            Ok(()) => {
                self.offset += buffer.len() as u64;
                Ok(())
            }
            // The file became shorter while it was read.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(Stop::Defect(Defect::Truncated {
                    what: Excerpt::words(what),
                    offset: self.offset,
                    needed: buffer.len() as u64,
                    remaining: 0,
                }))
            }
            Err(error) => Err(Stop::Io(error)),
        }
    }

    pub fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        self.fill(what, &mut bytes)?;
        Ok(bytes)
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, Stop> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub fn u64(&mut self, what: &str) -> Result<u64, Stop> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A count of things that take at least `least` bytes each.
    pub fn count(&mut self, what: &'static str, least: u64, limit: u64) -> Result<u64, Stop> {
        let offset = self.offset;
        let found = self.u64(what)?;
        if found > limit {
            return Err(Defect::TooMany { what, offset, found, limit }.into());
        }
        self.require(what, found * least)?;
        Ok(found)
    }

    /// A length in front of bytes, compared with what remains and with `limit`.
    fn length(&mut self, what: &Excerpt, limit: u64) -> Result<usize, Stop> {
        let offset = self.offset;
        let length = self.u64(what.as_str())?;
        let remaining = self.file_size - self.offset;
        if length > remaining {
            return Err(Defect::Truncated { what: what.clone(), offset, needed: length, remaining }.into());
        }
        if length > limit {
            return Err(Defect::TextTooLong { what: what.clone(), offset, length, limit }.into());
        }
        self.require(what.as_str(), length)?;
        Ok(length as usize)
    }

    /// A text of at most `limit` bytes: UTF-8 without NUL.
    pub fn text(&mut self, what: &Excerpt, limit: u64) -> Result<String, Stop> {
        let offset = self.offset;
        let mut bytes = vec![0; self.length(what, limit)?];
        self.fill(what.as_str(), &mut bytes)?;
        let bad = |reason| Stop::Defect(Defect::BadText { what: what.clone(), offset, reason });
        let text = String::from_utf8(bytes).map_err(|_| bad("is not UTF-8"))?;
        // llama.cpp would read only what stands in front of it.
        if text.contains('\0') { Err(bad("has a NUL byte in it")) } else { Ok(text) }
    }

    pub fn value(&mut self, key: &str) -> Result<Value, Stop> {
        let offset = self.offset;
        let what = format!("the value of key {}", Excerpt::name(key));
        let found = self.u32(&what)?;
        Ok(match found {
            0 => Value::U8(u8::from_le_bytes(self.array(&what)?)),
            1 => Value::I8(i8::from_le_bytes(self.array(&what)?)),
            2 => Value::U16(u16::from_le_bytes(self.array(&what)?)),
            3 => Value::I16(i16::from_le_bytes(self.array(&what)?)),
            4 => Value::U32(self.u32(&what)?),
            5 => Value::I32(i32::from_le_bytes(self.array(&what)?)),
            6 => Value::F32(f32::from_le_bytes(self.array(&what)?)),
            7 => {
                let [byte] = self.array(&what)?;
                Value::Bool(boolean(key, self.offset - 1, byte)?)
            }
            STRING => Value::String(self.text(&Excerpt::words(what), MAX_HEADER_BYTES)?),
            ARRAY => Value::Array(self.value_array(key, &what)?),
            10 => Value::U64(self.u64(&what)?),
            11 => Value::I64(i64::from_le_bytes(self.array(&what)?)),
            12 => Value::F64(f64::from_le_bytes(self.array(&what)?)),
            _ => return Err(Defect::UnknownValueType { key: Excerpt::name(key), offset, found }.into()),
        })
    }

    fn value_array(&mut self, key: &str, what: &str) -> Result<Array, Stop> {
        let offset = self.offset;
        let found = self.u32(what)?;
        // Elements of strings take their length at least.
        let width = match found {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 | STRING => 8,
            _ => return Err(Defect::UnknownValueType { key: Excerpt::name(key), offset, found }.into()),
        };
        let offset = self.offset;
        let count = self.u64(what)?;
        let limit = MAX_HEADER_BYTES / width;
        if count > limit {
            return Err(Defect::TooMany { what: "elements of an array", offset, found: count, limit }.into());
        }
        self.require(what, count * width)?;
        let count = count as usize;
        if found == STRING {
            return Ok(Array::String(self.strings(what, count)?));
        }
        let offset = self.offset;
        let mut bytes = vec![0; count * width as usize];
        self.fill(what, &mut bytes)?;
        Ok(match found {
            0 => Array::U8(bytes),
            1 => Array::I8(numbers(&bytes, i8::from_le_bytes)),
            2 => Array::U16(numbers(&bytes, u16::from_le_bytes)),
            3 => Array::I16(numbers(&bytes, i16::from_le_bytes)),
            4 => Array::U32(numbers(&bytes, u32::from_le_bytes)),
            5 => Array::I32(numbers(&bytes, i32::from_le_bytes)),
            6 => Array::F32(numbers(&bytes, f32::from_le_bytes)),
            7 => {
                let each = |(place, &byte): (usize, &u8)| boolean(key, offset + place as u64, byte);
                Array::Bool(bytes.iter().enumerate().map(each).collect::<Result<_, _>>()?)
            }
            10 => Array::U64(numbers(&bytes, u64::from_le_bytes)),
            11 => Array::I64(numbers(&bytes, i64::from_le_bytes)),
            _ => Array::F64(numbers(&bytes, f64::from_le_bytes)),
        })
    }

    fn strings(&mut self, what: &str, count: usize) -> Result<Strings, Stop> {
        let offset = self.offset;
        let element = Excerpt::words(what);
        // `count` is bounded by the bytes that remain: eight of them for each.
        let mut ends = Vec::with_capacity(count);
        let mut bytes = Vec::new();
        for _ in 0..count {
            if !self.buffered_string(&mut bytes) {
                let length = self.length(&element, MAX_HEADER_BYTES)?;
                let start = bytes.len();
                bytes.resize(start + length, 0);
                self.fill(what, &mut bytes[start..])?;
            }
            // Below MAX_HEADER_BYTES, which fits.
            ends.push(bytes.len() as u32);
        }
        Strings::new(bytes, ends).map_err(|index| {
            let what = Excerpt::words(format!("element {index} of {what}"));
            Stop::Defect(Defect::BadText { what, offset, reason: "is not UTF-8" })
        })
    }

    /// Appends the next string if it lies in the buffer as a whole, which nearly all of a vocabulary do; false
    /// if it does not, or anything is wrong with it.
    fn buffered_string(&mut self, bytes: &mut Vec<u8>) -> bool {
        let Some((length, rest)) = self.input.buffer().split_first_chunk::<8>() else { return false };
        let length = u64::from_le_bytes(*length);
        if length > rest.len() as u64 || self.require("", 8 + length).is_err() {
            return false;
        }
        bytes.extend_from_slice(&rest[..length as usize]);
        self.input.consume(8 + length as usize);
        self.offset += 8 + length;
        true
    }
}

fn boolean(key: &str, offset: u64, found: u8) -> Result<bool, Defect> {
    match found {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Defect::BadBool { key: Excerpt::name(key), offset, found }),
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| number(chunk)).collect()
}
