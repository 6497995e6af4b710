//! [`Tokenizer`]: the vocabulary of a checkpoint without its weights.

#[cfg(feature = "llama")]
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "llama")]
use crate::checkpoint::{self, Header, preflight};
#[cfg(feature = "llama")]
use crate::engine::llama::{LlamaWeights, Source};
use crate::engine::{Special, Weights};
use crate::error::Result;
use crate::prompt::ChatTemplate;
use crate::vocabulary::{Token, Vocabulary};

/// The tokenizer of a checkpoint, with its vocabulary and its chat template: for what needs no weights, e.g. to
/// count tokens, to check prompts and constraints.
///
/// `Send + Sync`, and cheap to clone. It is made from a GGUF file, of which only the header is read, or is that
/// of a loaded [`Model`](crate::Model).
#[derive(Clone)]
pub struct Tokenizer(Arc<dyn Weights>);

#[cfg(feature = "llama")]
impl Tokenizer {
    /// Loads the vocabulary of the GGUF file at `path`. The file may be one without tensors.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::BadCheckpoint`](crate::Error::BadCheckpoint) if the
    /// [preflight](crate::checkpoint::preflight) refuses the header or the tokenizer,
    /// [`Error::LoadFailed`](crate::Error::LoadFailed).
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        Self::load_checked(&name, &checkpoint::inspect(path)?, &Source::Path(path.to_owned()))
    }

    /// Loads the vocabulary of a GGUF file in memory, e.g. of an embedded checkpoint; `name` stands in errors.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn load_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let header = Header::from_bytes(bytes).map_err(|defect| checkpoint::bad_checkpoint(name, defect))?;
        Self::load_checked(name, &header, &Source::Bytes(bytes))
    }

    fn load_checked(name: &str, header: &Header, source: &Source<'_>) -> Result<Self> {
        preflight::check_vocabulary(header).map_err(|defect| checkpoint::bad_checkpoint(name, defect))?;
        Ok(Self(Arc::new(LlamaWeights::load_vocabulary(name, source)?)))
    }
}

impl Tokenizer {
    /// That of weights of any engine, e.g. a [script](crate::engine::scripted).
    pub fn from_weights(weights: Arc<dyn Weights>) -> Self {
        Self(weights)
    }

    /// What it tokenizes by. Where only the vocabulary was loaded, [`Weights::open`] and
    /// [`Weights::load_adapter`] fail with [`Error::Unsupported`](crate::Error::Unsupported).
    pub fn weights(&self) -> &Arc<dyn Weights> {
        &self.0
    }

    /// The tokens.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.0.vocabulary()
    }

    /// The tokens of `text`, without a begin-of-sequence token.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) for a text of more than 2 GiB.
    pub fn tokenize(&self, text: &str, special: Special) -> Result<Vec<Token>> {
        self.0.tokenize(text, special)
    }

    /// The tokens of `text` at the start of a sequence: with the begin-of-sequence token in front, where the
    /// checkpoint wants one and the text does not begin with it.
    ///
    /// # Errors
    /// Those of [`tokenize`](Self::tokenize).
    pub fn prompt_tokens(&self, text: &str, special: Special) -> Result<Vec<Token>> {
        let mut tokens = self.tokenize(text, special)?;
        self.begin(&mut tokens);
        Ok(tokens)
    }

    /// Puts the begin-of-sequence token in front of what begins a sequence, where the checkpoint wants one and it
    /// is not there.
    pub(crate) fn begin(&self, tokens: &mut Vec<Token>) {
        let vocabulary = self.vocabulary();
        if let Some(bos) = vocabulary.bos()
            && vocabulary.adds_bos()
            && tokens.first() != Some(&bos)
        {
            tokens.insert(0, bos);
        }
    }

    /// The source (Jinja) of the checkpoint's chat template, if it has one.
    pub fn chat_template_source(&self) -> Option<&str> {
        self.0.facts().chat_template.as_deref()
    }

    /// The chat template of `source`, with the spellings of the tokens that begin and end a sequence.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::new`].
    pub fn chat_template(&self, source: &str) -> Result<ChatTemplate> {
        let vocabulary = self.vocabulary();
        let spelling = |token: Option<Token>| {
            let bytes = token.map_or(&[][..], |token| vocabulary.bytes(token));
            String::from_utf8_lossy(bytes).into_owned()
        };
        let (bos, eos) = (spelling(vocabulary.bos()), spelling(vocabulary.eos()));
        Ok(ChatTemplate::new(source)?.with_tokens(bos, eos))
    }
}
