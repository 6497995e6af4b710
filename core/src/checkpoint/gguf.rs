//! Reads the header of a GGUF file: the metadata and the list of tensors, never the weights.
//!
//! The format is that of ggml's `docs/gguf.md`, versions 2 and 3, little-endian. Every count, length and
//! offset is compared with what remains of the file before anything is allocated for it, so that the memory
//! stays proportional to the header that is really there.
//!
//! A header that was read is well-formed as such; whether it makes a model that can run is for
//! [`preflight`](super::preflight) to say.

mod kind;
mod source;
mod value;

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

pub use kind::TensorKind;
pub use value::{Array, Strings, Value};

use super::defect::Defect;
use super::excerpt::Excerpt;
use source::{Source, Stop};

/// The first bytes of every GGUF file.
pub const MAGIC: [u8; 4] = *b"GGUF";
/// The alignment of tensor data where `general.alignment` is absent.
pub const DEFAULT_ALIGNMENT: u64 = 32;
/// The largest header that is read, in bytes. Those of the largest public vocabularies stay below 20 MiB.
pub const MAX_HEADER_BYTES: u64 = 256 << 20;
/// The most metadata keys that are read.
pub const MAX_KEYS: u64 = 1 << 16;
/// The most tensors that are read.
pub const MAX_TENSORS: u64 = 1 << 17;
/// The longest key, in bytes; the format's own limit.
pub const MAX_KEY_BYTES: u64 = (1 << 16) - 1;
/// The longest tensor name, in bytes: ggml keeps 64 with the closing NUL.
pub const MAX_NAME_BYTES: u64 = 63;

/// The header of a GGUF file.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The version of the format: 2 or 3.
    pub version: u32,
    /// The metadata.
    pub metadata: Metadata,
    /// The tensors, in the order of the file.
    pub tensors: Vec<TensorInfo>,
    /// What the places of the tensors' data are multiples of, in bytes; not checked to be a power of two.
    pub alignment: u64,
    /// Where the tensors' data begin, in bytes from the start of the file.
    pub data_offset: u64,
    /// The length of the file in bytes.
    pub file_size: u64,
}

/// What the list of tensors says about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name: `blk.0.attn_q.weight`...
    pub name: String,
    /// The element type.
    pub kind: TensorKind,
    /// Where its data begin, in bytes from [`Header::data_offset`].
    pub offset: u64,
    dimensions: u32,
    extents: [u64; 4],
}

/// The metadata: keys in the order of the file, each with its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    entries: Vec<(String, Value)>,
    index: HashMap<String, usize>,
}

impl TensorInfo {
    /// Its dimensions, the fastest-moving first; 1 to 4 in a file that can run.
    pub fn shape(&self) -> &[u64] {
        &self.extents[..self.dimensions as usize]
    }

    /// Its extent in `dimension` (0 to 3); 1 where it has no such dimension.
    pub fn extent(&self, dimension: usize) -> u64 {
        self.extents[dimension]
    }

    /// The number of elements; `None` if it cannot be counted in 63 bits.
    pub fn elements(&self) -> Option<u64> {
        let product = self.extents.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent))?;
        (product <= i64::MAX as u64).then_some(product)
    }

    /// The number of bytes; `None` if it cannot be counted in 63 bits, or a row has no whole number of blocks.
    pub fn bytes(&self) -> Option<u64> {
        if !self.extents[0].is_multiple_of(self.kind.block_elements()) {
            return None;
        }
        let blocks = self.elements()? / self.kind.block_elements();
        blocks.checked_mul(self.kind.block_bytes()).filter(|&bytes| bytes <= i64::MAX as u64)
    }
}

impl Metadata {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.index.get(key).map(|&place| &self.entries[place].1)
    }

    /// The keys and values, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + '_ {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text of `key`, if it has one.
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The integer of `key`, if it has one and it is not negative.
    pub fn u64(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }
}

impl Header {
    /// Reads the header at the start of `input`, whose whole length is `file_size` bytes.
    ///
    /// # Errors
    /// The [`Defect`] that makes it no header; an error of `input` itself is the outer one.
    pub fn read(input: impl Read, file_size: u64) -> std::io::Result<Result<Self, Defect>> {
        match Self::read_from(&mut Source::new(input, file_size)) {
            Ok(header) => Ok(Ok(header)),
            Err(Stop::Defect(defect)) => Ok(Err(defect)),
            Err(Stop::Io(error)) => Err(error),
        }
    }

    /// Reads the header of a whole file in memory.
    ///
    /// # Errors
    /// The [`Defect`] that makes it no header.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Defect> {
        Self::read(bytes, bytes.len() as u64).unwrap_or_else(|error| {
            // Memory does not fail to be read; said without a panic all the same.
            Err(Defect::BadText {
                what: Excerpt::words(error.to_string()),
                offset: 0,
                reason: "cannot be read",
            })
        })
    }

    /// Reads the header of the file at `path`.
    ///
    /// # Errors
    /// The [`Defect`] that makes it no header; the outer error if the file cannot be read (a folder, say).
    pub fn from_path(path: &Path) -> std::io::Result<Result<Self, Defect>> {
        let file = std::fs::File::open(path)?;
        let facts = file.metadata()?;
        if facts.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        if !facts.is_file() {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Self::read(file, facts.len())
    }

    fn read_from<R: Read>(source: &mut Source<R>) -> Result<Self, Stop> {
        source.require("the magic number", 4)?;
        let magic: [u8; 4] = source.array("the magic number")?;
        if magic != MAGIC {
            return Err(Defect::NotGguf { found: Excerpt::bytes(&magic) }.into());
        }
        let version = source.u32("the version")?;
        match version {
            2 | 3 => {}
            _ if matches!(version.swap_bytes(), 1..=3) => return Err(Defect::BigEndian.into()),
            _ => return Err(Defect::UnsupportedVersion { version }.into()),
        }
        // A tensor takes at least 32 bytes of the file, a key with its value at least 14.
        let tensors = source.count("tensors", 32, MAX_TENSORS)?;
        let keys = source.count("metadata keys", 14, MAX_KEYS)?;
        let metadata = read_metadata(source, keys)?;
        let tensors = (0..tensors).map(|_| read_tensor(source)).collect::<Result<Vec<_>, Stop>>()?;

        let alignment = match metadata.get("general.alignment") {
            None => DEFAULT_ALIGNMENT,
            Some(&Value::U32(alignment)) => alignment.into(),
            Some(other) => {
                return Err(Defect::WrongValueType {
                    key: Excerpt::name("general.alignment"),
                    expected: "a u32",
                    found: other.type_name(),
                }
                .into());
            }
        };
        // Zero is refused by the preflight; here it must only not divide.
        let data_offset = source.offset().next_multiple_of(alignment.max(1));
        Ok(Self { version, metadata, tensors, alignment, data_offset, file_size: source.file_size() })
    }
}

fn read_metadata<R: Read>(source: &mut Source<R>, count: u64) -> Result<Metadata, Stop> {
    let mut metadata = Metadata::default();
    for _ in 0..count {
        let offset = source.offset();
        let key = source.text(&Excerpt::words("a key"), MAX_KEY_BYTES)?;
        if key.is_empty() {
            let what = Excerpt::words("a key");
            return Err(Defect::BadText { what, offset, reason: "is empty" }.into());
        }
        if metadata.index.insert(key.clone(), metadata.entries.len()).is_some() {
            return Err(Defect::DuplicateKey { key: Excerpt::name(&key), offset }.into());
        }
        let value = source.value(&key)?;
        metadata.entries.push((key, value));
    }
    Ok(metadata)
}

fn read_tensor<R: Read>(source: &mut Source<R>) -> Result<TensorInfo, Stop> {
    let offset = source.offset();
    let name = source.text(&Excerpt::words("a tensor's name"), MAX_NAME_BYTES)?;
    if name.is_empty() {
        let what = Excerpt::words("a tensor's name");
        return Err(Defect::BadText { what, offset, reason: "is empty" }.into());
    }
    let dimensions = source.u32("the dimensions of a tensor")?;
    if !(1..=4).contains(&dimensions) {
        return Err(Defect::BadDimensions { tensor: Excerpt::name(&name), found: dimensions }.into());
    }
    let mut extents = [1; 4];
    for extent in &mut extents[..dimensions as usize] {
        *extent = source.u64("the shape of a tensor")?;
    }
    let id = source.u32("the type of a tensor")?;
    let Some(kind) = TensorKind::from_id(id) else {
        return Err(Defect::UnknownTensorKind { tensor: Excerpt::name(&name), found: id }.into());
    };
    let offset = source.u64("the offset of a tensor")?;
    Ok(TensorInfo { name, kind, offset, dimensions, extents })
}
