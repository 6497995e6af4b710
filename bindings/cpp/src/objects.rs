//! A model and what works on it: each holds the one of `api` and hands calls on.

use std::sync::Arc;

use cxx::UniquePtr;
use pinfold::SessionOptions;
use pinfold_ffi::api;

use crate::bridge::ffi;
use crate::callbacks;
use crate::failure::{Result, guard};
use crate::values;

pub(crate) struct Cancel(Arc<api::Cancel>);

pub(crate) fn new_cancel() -> Box<Cancel> {
    Box::new(Cancel(Arc::default()))
}

impl Cancel {
    pub(crate) fn cancel(&self) {
        self.0.cancel();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    pub(crate) fn flag(&self) -> Option<Arc<api::Cancel>> {
        Some(self.0.clone())
    }
}

pub(crate) struct Model(api::Model);

pub(crate) fn load(
    path: &str,
    options: &ffi::ModelOptions,
    progress: UniquePtr<ffi::ProgressCallback>,
    cancel: &Cancel,
) -> Result<Box<Model>> {
    model(|| api::Model::load(path.to_owned(), options.into(), callbacks::progress(progress), cancel.flag()))
}

pub(crate) fn load_embedded(
    name: &str,
    options: &ffi::ModelOptions,
    progress: UniquePtr<ffi::ProgressCallback>,
    cancel: &Cancel,
) -> Result<Box<Model>> {
    model(|| {
        api::Model::load_embedded(
            name.to_owned(),
            options.into(),
            callbacks::progress(progress),
            cancel.flag(),
        )
    })
}

pub(crate) fn load_bytes(
    name: &str,
    bytes: &[u8],
    options: &ffi::ModelOptions,
    progress: UniquePtr<ffi::ProgressCallback>,
    cancel: &Cancel,
) -> Result<Box<Model>> {
    model(|| {
        let progress = callbacks::progress(progress);
        api::Model::load_bytes(name.to_owned(), bytes, options.into(), progress, cancel.flag())
    })
}

pub(crate) fn scripted(
    answer: &str,
    step_microseconds: u32,
    options: &ffi::ModelOptions,
) -> Result<Box<Model>> {
    model(|| api::Model::scripted(answer.to_owned(), step_microseconds, options.into()))
}

pub(crate) fn model(load: impl FnOnce() -> api::Result<api::Model>) -> Result<Box<Model>> {
    guard(|| Ok(Box::new(Model(load()?))))
}

impl Model {
    pub(crate) fn session(&self, slide_keep: ffi::MaybeNumber) -> Result<Box<Session>> {
        guard(|| {
            let options = SessionOptions { slide_keep: slide_keep.into() };
            Ok(Box::new(Session(self.0.session(options)?)))
        })
    }

    pub(crate) fn tokenize(&self, text: &str, parse_special: bool) -> Result<Vec<u32>> {
        guard(|| Ok(values::ids(self.0.tokenize(text, parse_special)?)))
    }

    pub(crate) fn detokenize(&self, tokens: &[u32]) -> Result<String> {
        guard(|| Ok(self.0.detokenize(values::tokens(tokens))?))
    }

    pub(crate) fn chat_prompt(&self, messages: &[ffi::Message]) -> Result<String> {
        guard(|| {
            let messages = messages.iter().map(TryInto::try_into).collect::<api::Result<_>>()?;
            Ok(self.0.chat_prompt(messages)?)
        })
    }

    pub(crate) fn facts(&self) -> ffi::Facts {
        self.0.facts().into()
    }

    pub(crate) fn context_tokens(&self) -> u32 {
        self.0.context_tokens()
    }

    pub(crate) fn vocabulary_size(&self) -> u32 {
        self.0.vocabulary_size()
    }

    pub(crate) fn digest(&self) -> Result<String> {
        guard(|| Ok(self.0.digest()?))
    }
}

pub(crate) struct Session(api::Session);

impl Session {
    pub(crate) fn append(&self, text: &str, parse_special: bool) -> Result<u32> {
        guard(|| Ok(self.0.append(text, parse_special)?))
    }

    pub(crate) fn append_tokens(&self, tokens: &[u32]) -> Result<u32> {
        guard(|| Ok(self.0.append_tokens(values::tokens(tokens))?))
    }

    pub(crate) fn prefill(&self, cancel: &Cancel) -> Result<()> {
        guard(|| Ok(self.0.prefill(cancel.flag())?))
    }

    pub(crate) fn generate(&self, options: &ffi::GenerateOptions, cancel: &Cancel) -> Result<Box<Stream>> {
        guard(|| Ok(Box::new(Stream(self.0.generate(options.into(), cancel.flag())?))))
    }

    pub(crate) fn next_tokens(&self, count: u32, cancel: &Cancel) -> Result<Vec<ffi::TokenLogprob>> {
        guard(|| Ok(self.0.next_tokens(count, cancel.flag())?.into_iter().map(Into::into).collect()))
    }

    pub(crate) fn tokens(&self) -> Result<Vec<u32>> {
        guard(|| Ok(values::ids(self.0.tokens()?)))
    }

    pub(crate) fn rewind(&self, length: u32) -> Result<()> {
        guard(|| Ok(self.0.rewind(length)?))
    }

    pub(crate) fn fork(&self) -> Result<Box<Self>> {
        guard(|| Ok(Box::new(Self(self.0.fork()?))))
    }

    pub(crate) fn save(&self, path: &str) -> Result<()> {
        guard(|| Ok(self.0.save(path)?))
    }

    pub(crate) fn restore(&self, path: &str) -> Result<()> {
        guard(|| Ok(self.0.restore(path)?))
    }
}

pub(crate) struct Stream(api::Stream);

impl Stream {
    pub(crate) fn next(&self) -> Result<ffi::MaybeChunk> {
        guard(|| Ok(self.0.next()?.into()))
    }

    pub(crate) fn cancel(&self) {
        self.0.cancel();
    }

    pub(crate) fn finish(&self) -> ffi::MaybeFinish {
        self.0.finish().into()
    }
}
