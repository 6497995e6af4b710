//! A sequence of tokens over a model.

use std::sync::Arc;

use pinfold::{Token, TokenLogprob};

use super::model::special;
use super::{Cancel, GenerateOptions, Result, Stream, cancel::or_never};

/// A sequence of tokens: what was read and what was generated.
///
/// May be used from any thread; calls are done one after another. While a stream of the session is open, every
/// call but `tokens` is `SessionBusy`. It keeps its model alive.
#[derive(uniffi::Object)]
pub struct Session(pub(crate) pinfold::Session);

#[uniffi::export]
impl Session {
    /// Adds text and returns the number of tokens held. Nothing is computed yet. At the start of a session the
    /// checkpoint's begin-of-sequence token is put in front, where it wants one. With `parse_special`, special
    /// tokens that are spelled out are read as tokens: only for text that the author of a prompt or a chat
    /// template wrote, never for a user's.
    ///
    /// # Errors
    /// `ContextFull` if it does not fit; nothing is added then.
    #[uniffi::method(default(parse_special = false))]
    pub fn append(&self, text: &str, parse_special: bool) -> Result<u32> {
        Ok(self.0.append(text, special(parse_special))? as u32)
    }

    /// Adds tokens as they are and returns the number of tokens held.
    ///
    /// # Errors
    /// `UnknownToken` or `ContextFull`; nothing is added then.
    pub fn append_tokens(&self, tokens: Vec<Token>) -> Result<u32> {
        Ok(self.0.append_tokens(&tokens)? as u32)
    }

    /// Computes what was added, so that the first token of the next generation comes at once.
    ///
    /// # Errors
    /// `Cancelled`; what was computed by then stays.
    #[uniffi::method(default(cancel = None))]
    pub fn prefill(&self, cancel: Option<Arc<Cancel>>) -> Result<()> {
        Ok(self.0.prefill(&or_never(cancel))?)
    }

    /// Starts a generation after the tokens held. The stream computes what was added first.
    ///
    /// # Errors
    /// `InvalidOption` or `SessionEmpty`; later errors come from the stream.
    #[uniffi::method(default(cancel = None, options))]
    pub fn generate(&self, options: GenerateOptions, cancel: Option<Arc<Cancel>>) -> Result<Stream> {
        let GenerateOptions { sampling, max_tokens, stop, logprobs } = options;
        let cancel = or_never(cancel);
        let constraint = None;
        let options = pinfold::GenerateOptions { sampling, max_tokens, constraint, stop, logprobs, cancel };
        Ok(Stream::new(self.0.generate(&options)?))
    }

    /// The `count` likeliest next tokens, the likeliest first.
    ///
    /// # Errors
    /// `SessionEmpty` or `Cancelled`.
    #[uniffi::method(default(cancel = None))]
    pub fn next_tokens(&self, count: u32, cancel: Option<Arc<Cancel>>) -> Result<Vec<TokenLogprob>> {
        Ok(self.0.next_tokens(count as usize, &or_never(cancel))?)
    }

    /// The tokens held.
    ///
    /// # Errors
    /// `Engine` if the model's worker is gone.
    pub fn tokens(&self) -> Result<Vec<Token>> {
        Ok(self.0.tokens()?)
    }

    /// Forgets all tokens after the first `length`.
    ///
    /// # Errors
    /// `InvalidOption` if fewer are held.
    pub fn rewind(&self, length: u32) -> Result<()> {
        Ok(self.0.rewind(length as usize)?)
    }

    /// Another session that holds the same tokens; what is computed is not computed again.
    ///
    /// # Errors
    /// `TooManySessions`, or `ContextFull`, since a fork counts in full.
    pub fn fork(&self) -> Result<Self> {
        Ok(Self(self.0.fork()?))
    }

    /// Writes the session to a file: beside it first, then renamed. The file is bound to the bytes of the
    /// checkpoint. It holds the tokens, so treat it as the text that it stands for.
    ///
    /// # Errors
    /// `Io`.
    pub fn save(&self, path: &str) -> Result<()> {
        Ok(self.0.save(path)?)
    }

    /// Puts a saved session in the place of what is held.
    ///
    /// # Errors
    /// `BadSession` for a damaged file, another format or another checkpoint; the session keeps what it held.
    pub fn restore(&self, path: &str) -> Result<()> {
        Ok(self.0.restore(path)?)
    }
}
