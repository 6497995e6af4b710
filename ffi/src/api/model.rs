//! A loaded checkpoint.

use std::sync::Arc;
use std::time::Duration;

use pinfold::engine::scripted::Scripted;
use pinfold::{Message, ModelOptions, SessionOptions, Special, Token};

use super::{Cancel, Facts, LoadProgress, Result, Session};

/// A loaded checkpoint, ready for sessions.
///
/// May be used from any thread. The memory is given back when the last model, session and stream is gone, in
/// whatever order.
#[derive(uniffi::Object)]
pub struct Model(pub(crate) pinfold::Model);

#[uniffi::export]
impl Model {
    /// Loads the GGUF checkpoint at `path`, after the preflight.
    ///
    /// # Errors
    /// `Io`, `BadCheckpoint`, `OutOfMemory`, `Unsupported` (a pure encoder), `LoadFailed`, `InvalidOption`,
    /// `Cancelled` or `Callback`.
    #[uniffi::constructor(default(progress = None, cancel = None, options))]
    pub fn load(
        path: String,
        options: ModelOptions,
        progress: Option<Arc<dyn LoadProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Self> {
        #[cfg(feature = "llama")]
        return watched(progress, cancel, |watch| pinfold::Model::load_watched(path, &options, watch));
        #[cfg(not(feature = "llama"))]
        no_engine((path, options, progress, cancel))
    }

    /// Loads the checkpoint of this name that is compiled into the library; `embedded_checkpoints` lists them.
    ///
    /// # Errors
    /// `UnknownCheckpoint`, and those of `load`.
    #[uniffi::constructor(default(progress = None, cancel = None, options))]
    pub fn load_embedded(
        name: String,
        options: ModelOptions,
        progress: Option<Arc<dyn LoadProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Self> {
        #[cfg(feature = "llama")]
        return watched(progress, cancel, |watch| {
            let embedded = pinfold_checkpoints::find(&name);
            let embedded = embedded.ok_or_else(|| pinfold_checkpoints::unknown(&name))?;
            embedded.load_watched(&options, watch)
        });
        #[cfg(not(feature = "llama"))]
        no_engine((name, options, progress, cancel))
    }

    /// Loads a GGUF checkpoint that is in memory; `name` stands in errors.
    ///
    /// # Errors
    /// Those of `load`.
    #[uniffi::constructor(default(progress = None, cancel = None, options))]
    pub fn load_bytes(
        name: String,
        bytes: &[u8],
        options: ModelOptions,
        progress: Option<Arc<dyn LoadProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Self> {
        #[cfg(feature = "llama")]
        return watched(progress, cancel, |watch| pinfold::Model::load_bytes(&name, bytes, &options, watch));
        #[cfg(not(feature = "llama"))]
        no_engine((name, bytes, options, progress, cancel))
    }

    /// A model without a checkpoint that gives the same answer to every prompt, byte by byte, and ends: for
    /// tests of an app. Each token takes `step_microseconds`. Its tokens are the 256 bytes, then `<bos>` and
    /// `<eos>`; its context has 1024 tokens unless the options say otherwise.
    ///
    /// # Errors
    /// `InvalidOption`.
    #[uniffi::constructor(default(step_microseconds = 0, options))]
    pub fn scripted(answer: String, step_microseconds: u32, options: ModelOptions) -> Result<Self> {
        let step = Duration::from_micros(step_microseconds.into());
        let template = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}";
        let script = Scripted::answering(&answer).with_step(step).with_chat_template(template);
        Ok(Self(pinfold::Model::from_weights(Arc::new(script), &options)?))
    }

    /// Opens a session.
    ///
    /// # Errors
    /// `TooManySessions`.
    #[uniffi::method(default(options))]
    pub fn session(&self, options: SessionOptions) -> Result<Session> {
        Ok(Session(self.0.session_with(options)?))
    }

    /// The tokens of `text`, without a begin-of-sequence token. With `parse_special`, special tokens that are
    /// spelled out are read as tokens: only for text that the author of a prompt or a chat template wrote.
    ///
    /// # Errors
    /// `Engine` for a text of more than 2 GiB.
    #[uniffi::method(default(parse_special = false))]
    pub fn tokenize(&self, text: &str, parse_special: bool) -> Result<Vec<Token>> {
        Ok(self.0.tokenize(text, special(parse_special))?)
    }

    /// The text of `tokens` as a reader sees it; what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// `UnknownToken`.
    pub fn detokenize(&self, tokens: Vec<Token>) -> Result<String> {
        self.0.vocabulary().check(&tokens)?;
        Ok(self.0.vocabulary().text(&tokens))
    }

    /// The prompt that the checkpoint's chat template makes of `messages`, ready for the answer; append it with
    /// `parse_special`.
    ///
    /// # Errors
    /// `ChatTemplate` if there is none, or if it fails.
    pub fn chat_prompt(&self, messages: Vec<Message>) -> Result<String> {
        Ok(self.0.chat_prompt(&messages)?)
    }

    /// Facts about the checkpoint.
    pub fn facts(&self) -> Facts {
        self.0.facts().into()
    }

    /// Tokens that all sessions hold together.
    pub fn context_tokens(&self) -> u32 {
        self.0.context_tokens()
    }

    /// The number of tokens of the vocabulary.
    pub fn vocabulary_size(&self) -> u32 {
        self.0.vocabulary().len() as u32
    }

    /// The SHA-256 of the checkpoint's bytes, in hexadecimal. The first call reads the file.
    ///
    /// # Errors
    /// `Io`, or `BadSession` if the file was changed after it was loaded.
    pub fn digest(&self) -> Result<String> {
        Ok(self.0.digest()?.to_string())
    }
}

impl Model {
    /// Loads the file that a name of a lock file resolved to.
    pub(super) fn load_pinned(
        pinned: &pinfold::Pinned,
        options: &ModelOptions,
        progress: Option<Arc<dyn LoadProgress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Self> {
        #[cfg(feature = "llama")]
        return watched(progress, cancel, |watch| pinfold::Model::load_pinned(pinned, options, watch));
        #[cfg(not(feature = "llama"))]
        no_engine((pinned, options, progress, cancel))
    }
}

/// How special tokens that are spelled out are read.
pub(super) fn special(parse: bool) -> Special {
    if parse { Special::Parse } else { Special::Plain }
}

/// Loads with an app's progress and cancel.
#[cfg(feature = "llama")]
fn watched(
    progress: Option<Arc<dyn LoadProgress>>,
    cancel: Option<Arc<Cancel>>,
    load: impl FnOnce(pinfold::LoadWatch<'_>) -> pinfold::Result<pinfold::Model>,
) -> Result<Model> {
    let model = super::watch::watched("load", cancel, |cancel, hear| {
        let mut report = |share| {
            if let Some(progress) = &progress {
                hear(progress.loaded(share));
            }
        };
        load(pinfold::LoadWatch { progress: Some(&mut report), cancel })
    })?;
    Ok(Model(model))
}

#[cfg(not(feature = "llama"))]
fn no_engine<T>(_: T) -> Result<Model> {
    Err(super::PinfoldError::Unsupported(
        "this build has no engine for checkpoints: scripted models only".into(),
    ))
}
