//! A loaded checkpoint.

use std::ffi::{c_char, c_void};
use std::sync::{Arc, OnceLock};

use super::boundary::{self, Out, Outcome, borrow, call, slice, text};
use super::sized::{self, Versioned};
use super::text::Text;
use super::{
    cancel, pinfold_cancel, pinfold_error, pinfold_model_options, pinfold_session, pinfold_session_options,
    pinfold_status, pinfold_string, pinfold_text, pinfold_tokens,
};
use crate::api::{
    CallbackError, Cancel, Facts, LoadProgress, Message, Model, ModelOptions, PinfoldError, Role, Token,
};

/// A loaded checkpoint, ready for sessions.
///
/// Freed by: you, with `pinfold_model_free`. Threads: any, several at once. May outlive: everything; and its sessions
/// and streams go on if it is freed before them. The memory is given back when the last of them is gone.
pub struct pinfold_model {
    model: Model,
    facts: OnceLock<FactTexts>,
}

impl From<Model> for pinfold_model {
    fn from(model: Model) -> Self {
        Self { model, facts: OnceLock::new() }
    }
}

struct FactTexts {
    facts: Facts,
    architecture: Text,
    chat_template: Option<Text>,
}

/// Who says a message: a `PINFOLD_ROLE_`.
pub type pinfold_role = i32;

/// The author of the app.
pub const PINFOLD_ROLE_SYSTEM: pinfold_role = 1;
/// The user.
pub const PINFOLD_ROLE_USER: pinfold_role = 2;
/// The model.
pub const PINFOLD_ROLE_ASSISTANT: pinfold_role = 3;
/// A tool that the model called.
pub const PINFOLD_ROLE_TOOL: pinfold_role = 4;

/// One turn of a conversation. This struct never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_message {
    /// The text.
    pub content: pinfold_string,
    /// Who says it.
    pub role: pinfold_role,
    /// Not read.
    pub reserved: u32,
}

/// Facts about a loaded checkpoint. Set `struct_size` before `pinfold_model_facts_get` fills it. Its texts belong to
/// the model.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_model_facts {
    /// `sizeof(pinfold_model_facts)`.
    pub struct_size: usize,
    /// The architecture's name, as in GGUF's `general.architecture`.
    pub architecture: pinfold_string,
    /// The chat template (Jinja); may be NULL.
    pub chat_template: pinfold_string,
    /// The number of parameters.
    pub parameters: u64,
    /// The bytes of all tensors.
    pub bytes: u64,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// The width of an embedding.
    pub embedding_width: u32,
    /// 1 if an encoder runs before the decoder, else 0.
    pub has_encoder: u32,
    /// 1 if it generates at all; 0 for a pure encoder.
    pub has_decoder: u32,
    /// Tokens that all sessions hold together.
    pub context_tokens: u32,
    /// The number of tokens of the vocabulary.
    pub vocabulary_size: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_model_facts {
    const NAME: &'static str = "pinfold_model_facts";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            architecture: pinfold_string::NONE,
            chat_template: pinfold_string::NONE,
            parameters: 0,
            bytes: 0,
            context_length: 0,
            embedding_width: 0,
            has_encoder: 0,
            has_decoder: 0,
            context_tokens: 0,
            vocabulary_size: 0,
        }
    }
}

/// The app's function that hears of a load.
struct Progress {
    hear: unsafe extern "C" fn(*mut c_void, f32) -> i32,
    user: *mut c_void,
}

// SAFETY: the load calls it on the thread that loads, while C's call lasts, and nowhere else.
unsafe impl Send for Progress {}
// SAFETY: as above.
unsafe impl Sync for Progress {}

impl LoadProgress for Progress {
    fn loaded(&self, share: f32) -> Result<(), CallbackError> {
        // SAFETY: C gave both together.
        if unsafe { (self.hear)(self.user, share) } == 0 { Ok(()) } else { Err(CallbackError::Failed) }
    }
}

/// What every load is given.
pub(super) struct Load {
    pub options: ModelOptions,
    pub progress: Option<Arc<dyn LoadProgress>>,
    pub cancel: Option<Arc<Cancel>>,
}

impl Load {
    /// # Safety
    /// The pointers are as the header says.
    pub unsafe fn new(options: *const pinfold_model_options, cancel: *const pinfold_cancel) -> Outcome<Self> {
        // SAFETY: by the contract of this function.
        let (given, cancel) = unsafe { (sized::read(options)?, cancel::given(cancel)) };
        let user = given.progress_user;
        let progress = given.progress.map(|hear| Arc::new(Progress { hear, user }) as Arc<dyn LoadProgress>);
        // SAFETY: as above.
        Ok(Self { options: unsafe { given.to_api() }?, progress, cancel })
    }
}

/// Loads the GGUF checkpoint at `path`, after the preflight. `options` may be NULL for the defaults, `cancel` NULL if
/// nobody stops it.
///
/// Fails with `PINFOLD_ERROR_IO`, `BAD_CHECKPOINT`, `OUT_OF_MEMORY`, `UNSUPPORTED` (a pure encoder), `LOAD_FAILED`,
/// `INVALID_OPTION`, `CANCELLED`, or `CALLBACK` if the progress function failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_load(
    path: *const c_char,
    path_length: usize,
    options: *const pinfold_model_options,
    cancel: *const pinfold_cancel,
    model_out: *mut *mut pinfold_model,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(model_out, "model_out")?;
            let path = text(path, path_length, "path")?.to_owned();
            let Load { options, progress, cancel } = Load::new(options, cancel)?;
            out.give(Model::load(path, options, progress, cancel)?.into())
        })
    }
}

/// Loads the checkpoint of this name that is compiled into the library; `pinfold_embedded_list` lists them.
///
/// Fails with `PINFOLD_ERROR_UNKNOWN_CHECKPOINT`, or as `pinfold_model_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_load_embedded(
    name: *const c_char,
    name_length: usize,
    options: *const pinfold_model_options,
    cancel: *const pinfold_cancel,
    model_out: *mut *mut pinfold_model,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(model_out, "model_out")?;
            let name = text(name, name_length, "name")?.to_owned();
            let Load { options, progress, cancel } = Load::new(options, cancel)?;
            out.give(Model::load_embedded(name, options, progress, cancel)?.into())
        })
    }
}

/// Loads a GGUF checkpoint that is in memory; `name` stands in errors. The bytes are read during the call alone.
///
/// Fails as `pinfold_model_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_load_bytes(
    name: *const c_char,
    name_length: usize,
    bytes: *const u8,
    bytes_length: usize,
    options: *const pinfold_model_options,
    cancel: *const pinfold_cancel,
    model_out: *mut *mut pinfold_model,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(model_out, "model_out")?;
            let name = text(name, name_length, "name")?.to_owned();
            let bytes = slice(bytes, bytes_length, "bytes")?;
            let Load { options, progress, cancel } = Load::new(options, cancel)?;
            out.give(Model::load_bytes(name, bytes, options, progress, cancel)?.into())
        })
    }
}

/// Makes a model without a checkpoint that gives the same answer to every prompt, byte by byte, and ends: for tests of
/// an app. Each token takes `step_microseconds`. Its tokens are the 256 bytes, then `<bos>` and `<eos>`; its context
/// has 1024 tokens unless the options say otherwise.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_scripted(
    answer: *const c_char,
    answer_length: usize,
    step_microseconds: u32,
    options: *const pinfold_model_options,
    model_out: *mut *mut pinfold_model,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(model_out, "model_out")?;
            let answer = text(answer, answer_length, "answer")?.to_owned();
            out.give(Model::scripted(answer, step_microseconds, sized::read(options)?.to_api()?)?.into())
        })
    }
}

/// Opens a session. `options` may be NULL for the defaults.
///
/// Fails with `PINFOLD_ERROR_TOO_MANY_SESSIONS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_session(
    model: *const pinfold_model,
    options: *const pinfold_session_options,
    session_out: *mut *mut pinfold_session,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(session_out, "session_out")?;
            let options = sized::read(options)?.to_api()?;
            out.give(borrow(model, "model")?.model.session(options)?.into())
        })
    }
}

/// Gives the tokens of `text`, without a begin-of-sequence token. With `parse_special`, special tokens that are spelled
/// out are read as tokens: only for text that the author of a prompt or a chat template wrote, never for a user's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_tokenize(
    model: *const pinfold_model,
    text: *const c_char,
    text_length: usize,
    parse_special: bool,
    tokens_out: *mut *mut pinfold_tokens,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(tokens_out, "tokens_out")?;
            let text = boundary::text(text, text_length, "text")?;
            out.give(borrow(model, "model")?.model.tokenize(text, parse_special)?.into())
        })
    }
}

/// Gives the text of `tokens` as a reader sees it; what is not UTF-8 becomes U+FFFD.
///
/// Fails with `PINFOLD_ERROR_UNKNOWN_TOKEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_detokenize(
    model: *const pinfold_model,
    tokens: *const u32,
    tokens_length: usize,
    text_out: *mut *mut pinfold_text,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(text_out, "text_out")?;
            let tokens = slice(tokens, tokens_length, "tokens")?.iter().copied().map(Token).collect();
            out.give(pinfold_text(Text::new(borrow(model, "model")?.model.detokenize(tokens)?)))
        })
    }
}

/// Gives the prompt that the checkpoint's chat template makes of the messages, ready for the answer; append it with
/// `parse_special`.
///
/// Fails with `PINFOLD_ERROR_CHAT_TEMPLATE` if there is none, or if it fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_chat_prompt(
    model: *const pinfold_model,
    messages: *const pinfold_message,
    messages_length: usize,
    text_out: *mut *mut pinfold_text,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(text_out, "text_out")?;
            let messages = slice(messages, messages_length, "messages")?;
            let messages = messages.iter().map(|entry| message(entry)).collect::<Outcome<_>>()?;
            out.give(pinfold_text(Text::new(borrow(model, "model")?.model.chat_prompt(messages)?)))
        })
    }
}

/// # Safety
/// Its text is as the header says.
unsafe fn message(entry: &pinfold_message) -> Outcome<Message> {
    let role = match entry.role {
        PINFOLD_ROLE_SYSTEM => Role::System,
        PINFOLD_ROLE_USER => Role::User,
        PINFOLD_ROLE_ASSISTANT => Role::Assistant,
        PINFOLD_ROLE_TOOL => Role::Tool,
        other => return Err(PinfoldError::InvalidOption(format!("role: {other} is none")).into()),
    };
    // SAFETY: by the contract of this function.
    let content = unsafe { text(entry.content.data, entry.content.length, "content of a message") }?;
    Ok(Message::new(role, content))
}

/// Gives facts about the checkpoint. Their texts are valid until the model is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_facts_get(
    model: *const pinfold_model,
    facts_out: *mut pinfold_model_facts,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let handle = borrow(model, "model")?;
            let texts = handle.facts.get_or_init(|| {
                let facts = handle.model.facts();
                let architecture = Text::new(facts.architecture.as_str());
                FactTexts {
                    architecture,
                    chat_template: facts.chat_template.as_deref().map(Text::new),
                    facts,
                }
            });
            let facts = pinfold_model_facts {
                architecture: texts.architecture.borrowed(),
                chat_template: pinfold_string::optional(texts.chat_template.as_ref()),
                parameters: texts.facts.parameters,
                bytes: texts.facts.bytes,
                context_length: texts.facts.context_length,
                embedding_width: texts.facts.embedding_width,
                has_encoder: texts.facts.has_encoder.into(),
                has_decoder: texts.facts.has_decoder.into(),
                context_tokens: handle.model.context_tokens(),
                vocabulary_size: handle.model.vocabulary_size(),
                ..pinfold_model_facts::defaults()
            };
            sized::write(facts_out, &facts)
        })
    }
}

/// Gives the SHA-256 of the checkpoint's bytes, in hexadecimal. The first call reads the file.
///
/// Fails with `PINFOLD_ERROR_IO`, or `PINFOLD_ERROR_BAD_SESSION` if the file was changed after it was loaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_digest(
    model: *const pinfold_model,
    text_out: *mut *mut pinfold_text,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let out = Out::new(text_out, "text_out")?;
            out.give(pinfold_text(Text::new(borrow(model, "model")?.model.digest()?)))
        })
    }
}

/// Frees the model; NULL does nothing. No other call on this handle may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_model_free(model: *mut pinfold_model) {
    unsafe { boundary::free(model) }
}
