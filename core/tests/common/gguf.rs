//! Builds small GGUF files, good ones and bad ones. It is written from the format's description and shares
//! nothing with the reader under test.

/// A value of the metadata, with GGUF's type.
#[derive(Debug, Clone)]
pub enum Value {
    U8(u8),
    U16(u16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    Text(Vec<u8>),
    U64(u64),
    Texts(Vec<Vec<u8>>),
    F32s(Vec<f32>),
    I32s(Vec<i32>),
    U32s(Vec<u32>),
    U8s(Vec<u8>),
    /// A type and its bytes, unchecked.
    Raw(u32, Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::U32(number)
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Self {
        Self::F32(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

#[derive(Debug, Clone)]
pub struct Tensor {
    pub name: Vec<u8>,
    pub shape: Vec<u64>,
    pub kind: u32,
    pub data: Vec<u8>,
    /// Instead of the next free offset.
    pub offset: Option<u64>,
}

/// A file to be.
#[derive(Debug, Clone)]
pub struct Gguf {
    pub magic: [u8; 4],
    pub version: u32,
    pub metadata: Vec<(Vec<u8>, Value)>,
    pub tensors: Vec<Tensor>,
    pub alignment: u64,
    /// Instead of the true counts.
    pub counts: Option<(u64, u64)>,
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text);
}

fn array(out: &mut Vec<u8>, kind: u32, count: usize, elements: impl Iterator<Item = Vec<u8>>) {
    out.extend(kind.to_le_bytes());
    out.extend((count as u64).to_le_bytes());
    elements.for_each(|element| out.extend(element));
}

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        let kind: u32 = match self {
            Self::U8(_) => 0,
            Self::U16(_) => 2,
            Self::U32(_) => 4,
            Self::I32(_) => 5,
            Self::F32(_) => 6,
            Self::Bool(_) => 7,
            Self::Text(_) => 8,
            Self::Texts(_) | Self::F32s(_) | Self::I32s(_) | Self::U32s(_) | Self::U8s(_) => 9,
            Self::U64(_) => 10,
            Self::Raw(kind, _) => *kind,
        };
        out.extend(kind.to_le_bytes());
        match self {
            Self::U8(value) => out.push(*value),
            Self::U16(value) => out.extend(value.to_le_bytes()),
            Self::U32(value) => out.extend(value.to_le_bytes()),
            Self::I32(value) => out.extend(value.to_le_bytes()),
            Self::F32(value) => out.extend(value.to_le_bytes()),
            Self::Bool(value) => out.push((*value).into()),
            Self::Text(value) => text(out, value),
            Self::U64(value) => out.extend(value.to_le_bytes()),
            Self::Texts(values) => {
                let spell = |value: &Vec<u8>| {
                    let mut bytes = Vec::new();
                    text(&mut bytes, value);
                    bytes
                };
                array(out, 8, values.len(), values.iter().map(spell));
            }
            Self::F32s(values) => array(out, 6, values.len(), values.iter().map(|v| v.to_le_bytes().into())),
            Self::I32s(values) => array(out, 5, values.len(), values.iter().map(|v| v.to_le_bytes().into())),
            Self::U32s(values) => array(out, 4, values.len(), values.iter().map(|v| v.to_le_bytes().into())),
            Self::U8s(values) => array(out, 0, values.len(), values.iter().map(|&v| vec![v])),
            Self::Raw(_, bytes) => out.extend(bytes),
        }
    }
}

impl Gguf {
    pub fn empty() -> Self {
        Self { magic: *b"GGUF", version: 3, metadata: vec![], tensors: vec![], alignment: 32, counts: None }
    }

    /// A Llama with one block, width 8, two heads and the 259 tokens of [`tokens`]: all that a real one has,
    /// in a few KB.
    pub fn tiny_llama() -> Self {
        Self::llama(8, 16)
    }

    /// The same of another width, which is a multiple of 4, and with another inner width.
    pub fn llama(width: u64, ffn: u64) -> Self {
        let (half, number) = (width / 2, |number: u64| Value::U32(number as u32));
        let mut gguf = Self::empty();
        for (key, value) in [
            ("general.architecture", Value::from("llama")),
            ("general.name", "tiny".into()),
            ("general.license", "MIT".into()),
            ("general.file_type", 0.into()),
            ("llama.block_count", 1.into()),
            ("llama.embedding_length", number(width)),
            ("llama.context_length", 64.into()),
            ("llama.feed_forward_length", number(ffn)),
            ("llama.attention.head_count", 2.into()),
            ("llama.attention.head_count_kv", 1.into()),
            ("llama.attention.layer_norm_rms_epsilon", 1e-5.into()),
            ("llama.rope.dimension_count", number(half)),
            ("llama.rope.freq_base", 10000.0.into()),
            ("tokenizer.ggml.model", "llama".into()),
            ("tokenizer.ggml.bos_token_id", 1.into()),
            ("tokenizer.ggml.eos_token_id", 2.into()),
            ("tokenizer.ggml.unknown_token_id", 0.into()),
            ("tokenizer.ggml.add_bos_token", true.into()),
        ] {
            gguf.set(key, value);
        }
        let (tokens, types) = tokens();
        let vocabulary = tokens.len() as u64;
        let scores = (0..tokens.len()).map(|id| -(id as f32)).collect();
        gguf.set("tokenizer.ggml.tokens", Value::Texts(tokens));
        gguf.set("tokenizer.ggml.scores", Value::F32s(scores));
        gguf.set("tokenizer.ggml.token_type", Value::I32s(types));
        // F16 for the table, so that the file stays small.
        gguf.tensor("token_embd.weight", &[width, vocabulary], 1);
        for (name, shape) in [
            ("output_norm.weight", &[width][..]),
            ("blk.0.attn_norm.weight", &[width]),
            ("blk.0.attn_q.weight", &[width, width]),
            ("blk.0.attn_k.weight", &[width, half]),
            ("blk.0.attn_v.weight", &[width, half]),
            ("blk.0.attn_output.weight", &[width, width]),
            ("blk.0.ffn_norm.weight", &[width]),
            ("blk.0.ffn_gate.weight", &[width, ffn]),
            ("blk.0.ffn_up.weight", &[width, ffn]),
            ("blk.0.ffn_down.weight", &[ffn, width]),
        ] {
            gguf.tensor(name, shape, 0);
        }
        gguf
    }

    /// Sets or replaces a key.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        match self.metadata.iter_mut().find(|(name, _)| name == key.as_bytes()) {
            Some((_, old)) => *old = value,
            None => self.metadata.push((key.into(), value)),
        }
        self
    }

    pub fn remove(&mut self, key: &str) -> &mut Self {
        self.metadata.retain(|(name, _)| name != key.as_bytes());
        self
    }

    /// Adds a tensor of F32 (`kind` 0) or F16 (1), with small values.
    pub fn tensor(&mut self, name: &str, shape: &[u64], kind: u32) -> &mut Self {
        let count = shape.iter().product::<u64>() as usize;
        let data = match kind {
            0 => (0..count).flat_map(|i| ((i % 7) as f32 * 0.1 - 0.3).to_le_bytes()).collect(),
            _ => (0..count).flat_map(|i| [i as u8, 0x2c + (i % 5) as u8]).collect(),
        };
        let (name, shape) = (name.into(), shape.into());
        self.tensors.push(Tensor { name, shape, kind, data, offset: None });
        self
    }

    pub fn find(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name.as_bytes()).expect("a tensor of the file")
    }

    pub fn without_tensors(mut self) -> Self {
        self.tensors.clear();
        self
    }

    pub fn without(&mut self, name: &str) -> &mut Self {
        self.tensors.retain(|tensor| tensor.name != name.as_bytes());
        self
    }

    /// The bytes of the header alone.
    pub fn header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.magic);
        out.extend(self.version.to_le_bytes());
        let (tensors, keys) = self.counts.unwrap_or((self.tensors.len() as u64, self.metadata.len() as u64));
        out.extend(tensors.to_le_bytes());
        out.extend(keys.to_le_bytes());
        for (key, value) in &self.metadata {
            text(&mut out, key);
            value.write(&mut out);
        }
        let mut next = 0;
        for tensor in &self.tensors {
            text(&mut out, &tensor.name);
            out.extend((tensor.shape.len() as u32).to_le_bytes());
            tensor.shape.iter().for_each(|extent| out.extend(extent.to_le_bytes()));
            out.extend(tensor.kind.to_le_bytes());
            out.extend(tensor.offset.unwrap_or(next).to_le_bytes());
            next = (next + tensor.data.len() as u64).next_multiple_of(self.alignment);
        }
        out
    }

    /// The bytes of the file. The last tensor's padding is left out.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.header();
        for tensor in &self.tensors {
            out.resize((out.len() as u64).next_multiple_of(self.alignment) as usize, 0);
            out.extend(&tensor.data);
        }
        out
    }
}

/// A SentencePiece vocabulary: the three special tokens and all bytes, with their classes.
pub fn tokens() -> (Vec<Vec<u8>>, Vec<i32>) {
    let mut tokens: Vec<Vec<u8>> = ["<unk>", "<s>", "</s>"].map(|token| token.into()).into();
    let mut types = vec![2, 3, 3];
    for byte in 0..=255 {
        tokens.push(format!("<0x{byte:02X}>").into());
        types.push(6);
    }
    (tokens, types)
}
