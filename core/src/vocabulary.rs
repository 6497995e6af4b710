//! Tokens: their ids, their bytes and their attributes.

use crate::error::{Error, Result};

/// The id of a token: an index into the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Token(pub u32);

impl Token {
    /// The id as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a token is, beside its bytes. The classes are those of GGUF's `tokenizer.ggml.token_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Ordinary text.
    Normal,
    /// Stands for text that the vocabulary cannot spell.
    Unknown,
    /// Steers the model (turn borders, end of text); has no text of its own.
    Control,
    /// Text that the tokenizer matches whole, before anything else.
    UserDefined,
    /// A place that the vocabulary leaves empty.
    Unused,
    /// One raw byte.
    Byte,
}

/// A token's bytes and class, as a [`Vocabulary`] is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// What the token adds to a text; for a control token its spelling, which is never shown.
    pub bytes: Vec<u8>,
    /// The token's class.
    pub kind: TokenKind,
    /// Whether a generation ends with it.
    pub ends_generation: bool,
}

/// The vocabulary of a checkpoint: immutable, and shared by all its sessions.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    offsets: Vec<u32>,
    kinds: Vec<TokenKind>,
    ends: Vec<bool>,
    bos: Option<Token>,
    eos: Option<Token>,
    adds_bos: bool,
    /// Sorted.
    strips_left: Vec<Token>,
    strips_right: Vec<Token>,
}

impl Vocabulary {
    /// A vocabulary of these tokens, in the order of their ids. `adds_bos` says whether a text that
    /// begins a sequence gets `bos` in front.
    pub fn new(entries: Vec<TokenEntry>, bos: Option<Token>, eos: Option<Token>, adds_bos: bool) -> Self {
        let mut bytes = Vec::new();
        let mut offsets = Vec::with_capacity(entries.len() + 1);
        offsets.push(0);
        for entry in &entries {
            bytes.extend_from_slice(&entry.bytes);
            offsets.push(bytes.len() as u32);
        }
        Self {
            bytes,
            offsets,
            kinds: entries.iter().map(|entry| entry.kind).collect(),
            ends: entries.iter().map(|entry| entry.ends_generation).collect(),
            bos,
            eos,
            adds_bos,
            strips_left: Vec::new(),
            strips_right: Vec::new(),
        }
    }

    /// Says which tokens take the white space to the left or right of them away from the text, where they are
    /// matched whole.
    pub fn with_strips(mut self, mut left: Vec<Token>, mut right: Vec<Token>) -> Self {
        left.sort_unstable();
        right.sort_unstable();
        (self.strips_left, self.strips_right) = (left, right);
        self
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The bytes that `token` adds to a text. A character may be spread over several tokens, so they
    /// need not be whole UTF-8. Empty for an id outside of the vocabulary.
    pub fn bytes(&self, token: Token) -> &[u8] {
        match (self.offsets.get(token.index()), self.offsets.get(token.index() + 1)) {
            (Some(&start), Some(&end)) => &self.bytes[start as usize..end as usize],
            _ => &[],
        }
    }

    /// The class of `token`, or `None` for an id outside of the vocabulary.
    pub fn kind(&self, token: Token) -> Option<TokenKind> {
        self.kinds.get(token.index()).copied()
    }

    /// Whether a generation ends with `token`.
    pub fn ends_generation(&self, token: Token) -> bool {
        self.ends.get(token.index()).copied().unwrap_or(false)
    }

    /// The token that begins a sequence, if there is one.
    pub fn bos(&self) -> Option<Token> {
        self.bos
    }

    /// The token that ends a sequence, if there is one.
    pub fn eos(&self) -> Option<Token> {
        self.eos
    }

    /// Whether a text that begins a sequence gets [`bos`](Self::bos) in front.
    pub fn adds_bos(&self) -> bool {
        self.adds_bos
    }

    /// Whether `token`, matched whole in a text, takes away the white space in front of it.
    pub fn strips_left(&self, token: Token) -> bool {
        self.strips_left.binary_search(&token).is_ok()
    }

    /// Whether `token`, matched whole in a text, takes away the white space behind it.
    pub fn strips_right(&self, token: Token) -> bool {
        self.strips_right.binary_search(&token).is_ok()
    }

    /// The bytes that a reader sees of `token`: none for control and unused tokens.
    pub fn visible_bytes(&self, token: Token) -> &[u8] {
        match self.kind(token) {
            Some(TokenKind::Control | TokenKind::Unused) | None => &[],
            Some(_) => self.bytes(token),
        }
    }

    /// The text of `tokens` as a reader sees it; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self, tokens: &[Token]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|&token| self.visible_bytes(token)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Refuses ids outside of the vocabulary.
    ///
    /// # Errors
    /// [`Error::UnknownToken`] with the first such id.
    pub fn check(&self, tokens: &[Token]) -> Result<()> {
        match tokens.iter().find(|token| token.index() >= self.len()) {
            None => Ok(()),
            Some(token) => Err(Error::UnknownToken { token: i64::from(token.0), vocabulary: self.len() }),
        }
    }
}
