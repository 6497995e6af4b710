//! Text out of a file, made fit for a message.

use std::fmt;

/// A piece of text out of a file, or about it, fit for a message: escaped, and at most 80 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

const EXCERPT_CHARS: usize = 80;

impl Excerpt {
    /// Our own words, which need no quotes.
    pub(crate) fn words(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// Bytes of the file, between quotes.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Self::quote(&String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT_CHARS)]))
    }

    /// Text of the file, between quotes.
    pub(crate) fn quote(text: &str) -> Self {
        let mut quoted = String::from("\"");
        for (count, escaped) in text.chars().map(char::escape_debug).enumerate() {
            if count == EXCERPT_CHARS {
                quoted.push('…');
                break;
            }
            quoted.extend(escaped);
        }
        quoted.push('"');
        Self(quoted)
    }

    /// A name of the file, without quotes if it is a plain one.
    pub(crate) fn name(name: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !name.is_empty() && name.len() <= EXCERPT_CHARS && name.bytes().all(plain) {
            Self(name.to_owned())
        } else {
            Self::quote(name)
        }
    }

    /// The excerpt, as in a message.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
