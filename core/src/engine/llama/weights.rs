//! A loaded GGUF checkpoint.

use std::ffi::{CString, c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use llama_cpp_sys_2 as sys;

use super::context::LlamaEngine;
use super::{adapter, backend, log, text, vocabulary};
use crate::cancel::Cancel;
use crate::checkpoint::Checkpoint;
use crate::checkpoint::gguf::TensorInfo;
use crate::engine::devices::Offload;
use crate::engine::{Adapter, Engine, EngineOptions, Facts, Special, Weights};
use crate::error::{Error, Result};
use crate::vocabulary::{Token, Vocabulary};

/// Where the bytes of a checkpoint are.
#[derive(Debug, Clone)]
pub enum Source<'a> {
    /// In a file.
    Path(PathBuf),
    /// In memory; they are copied, never kept.
    Bytes(&'a [u8]),
}

/// How a checkpoint is loaded.
pub struct LoadOptions<'a> {
    /// What a GPU computes.
    pub offload: Offload,
    /// Whether a file is mapped instead of read; pages that several processes share count once.
    pub mmap: bool,
    /// Called with the share that is loaded, 0 to 1.
    pub progress: Option<&'a mut dyn FnMut(f32)>,
    /// Stops the load from another thread.
    pub cancel: Cancel,
}

/// The model pointer; freed when the last context, adapter and handle are gone.
pub(super) struct ModelHandle(pub NonNull<sys::llama_model>);

// SAFETY: llama.cpp does not change a model after it is loaded; tokenizing and opening contexts from
// several threads is allowed.
unsafe impl Send for ModelHandle {}
// SAFETY: as above.
unsafe impl Sync for ModelHandle {}

impl Drop for ModelHandle {
    fn drop(&mut self) {
        // SAFETY: the last owner; contexts and adapters hold an `Arc` of the handle.
        unsafe { sys::llama_model_free(self.0.as_ptr()) }
    }
}

/// A checkpoint that llama.cpp loaded.
pub struct LlamaWeights {
    model: Arc<ModelHandle>,
    vocabulary: Arc<Vocabulary>,
    facts: Facts,
    backend: String,
    /// What an adapter must fit.
    tensors: Vec<TensorInfo>,
    /// The most tokens of a context, where positions are learned: beyond it llama.cpp aborts.
    position_limit: Option<u32>,
    /// Whether there is nothing but the vocabulary: llama.cpp would compute with what is not there.
    vocabulary_only: bool,
}

impl LlamaWeights {
    /// Loads the weights at `source`, whose header passed the preflight as `checkpoint`; `name` stands in
    /// errors.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::LoadFailed`] with what llama.cpp said, or [`Error::Io`].
    pub fn load(
        name: &str,
        checkpoint: &Checkpoint,
        source: &Source<'_>,
        options: LoadOptions<'_>,
    ) -> Result<Self> {
        let backend = backend::name(&options.offload)?;
        let mut devices = offload_devices(&options.offload)?;
        // SAFETY: plain values.
        let mut params = unsafe { sys::llama_model_default_params() };
        if let Some(layers) = options.offload.layers {
            params.n_gpu_layers = i32::try_from(layers).unwrap_or(i32::MAX);
        }
        if !devices.is_empty() {
            devices.push(std::ptr::null_mut());
            params.devices = devices.as_mut_ptr();
        }
        let mapped = options.mmap && matches!(source, Source::Path(_));
        params.load_mode = if mapped { sys::LLAMA_LOAD_MODE_MMAP } else { sys::LLAMA_LOAD_MODE_NONE };
        let cancel = options.cancel.clone();
        let mut watch = Watch { progress: options.progress, cancel: options.cancel };
        params.progress_callback = Some(report);
        params.progress_callback_user_data = (&raw mut watch).cast();

        let mut weights = Self::finish(name, source, params, backend, &cancel)?;
        weights.tensors = checkpoint.header().tensors.clone();
        weights.position_limit = checkpoint.hyperparameters().position_limit;
        Ok(weights)
    }

    /// Loads nothing but the vocabulary at `source`, whose header passed
    /// [`check_vocabulary`](crate::checkpoint::preflight::check_vocabulary). It cannot open contexts, and takes no
    /// adapters.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn load_vocabulary(name: &str, source: &Source<'_>) -> Result<Self> {
        backend::start()?;
        // SAFETY: plain values.
        let mut params = unsafe { sys::llama_model_default_params() };
        // An empty list of devices: no GPU is touched.
        let mut no_devices = [std::ptr::null_mut()];
        params.devices = no_devices.as_mut_ptr();
        params.vocab_only = true;
        params.load_mode = sys::LLAMA_LOAD_MODE_NONE;
        let mut weights = Self::finish(name, source, params, "none".to_owned(), &Cancel::default())?;
        weights.vocabulary_only = true;
        Ok(weights)
    }

    fn finish(
        name: &str,
        source: &Source<'_>,
        params: sys::llama_model_params,
        backend: String,
        cancel: &Cancel,
    ) -> Result<Self> {
        log::take_error("");
        let model = match source {
            Source::Path(path) => load_path(path, params)?,
            Source::Bytes(bytes) => load_bytes(bytes, params)?,
        };
        let Some(model) = NonNull::new(model) else {
            cancel.check()?;
            let reason = log::take_error("llama.cpp gave no reason");
            return Err(Error::LoadFailed { name: name.to_owned(), reason });
        };
        let model = Arc::new(ModelHandle(model));
        // SAFETY: the model is live.
        let (vocabulary, facts) = unsafe {
            let vocab = sys::llama_model_get_vocab(model.0.as_ptr());
            (Arc::new(vocabulary::read(vocab)), facts(model.0.as_ptr()))
        };
        let (tensors, position_limit, vocabulary_only) = (Vec::new(), None, false);
        Ok(Self { model, vocabulary, facts, backend, tensors, position_limit, vocabulary_only })
    }

    fn check_weights(&self) -> Result<()> {
        if self.vocabulary_only {
            let what = "computing with a vocabulary alone: load the checkpoint as a model";
            return Err(Error::Unsupported { what: what.into() });
        }
        Ok(())
    }

    fn vocab(&self) -> *const sys::llama_vocab {
        // SAFETY: the model is live.
        unsafe { sys::llama_model_get_vocab(self.model.0.as_ptr()) }
    }
}

impl Weights for LlamaWeights {
    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn tokenize(&self, text: &str, special: Special) -> Result<Vec<Token>> {
        // SAFETY: the vocabulary belongs to the live model.
        unsafe { vocabulary::tokenize(self.vocab(), text, special) }
    }

    fn load_adapter(&self, path: &Path) -> Result<Arc<dyn Adapter>> {
        self.check_weights()?;
        Ok(Arc::new(adapter::LlamaAdapter::load(self.model.clone(), &self.tensors, path)?))
    }

    fn backend(&self) -> String {
        self.backend.clone()
    }

    fn open(&self, options: &EngineOptions) -> Result<Box<dyn Engine>> {
        self.check_weights()?;
        if let Some(most) = self.position_limit.filter(|&most| options.context_tokens > most) {
            let reason = format!(
                "{} of {most} at most: this checkpoint has no more positions",
                options.context_tokens
            );
            return Err(Error::option("context_tokens", reason));
        }
        Ok(Box::new(LlamaEngine::open(self.model.clone(), self.vocabulary.clone(), &self.facts, options)?))
    }
}

struct Watch<'a> {
    progress: Option<&'a mut dyn FnMut(f32)>,
    cancel: Cancel,
}

/// llama.cpp's progress callback: returns whether to go on.
unsafe extern "C" fn report(share: f32, data: *mut c_void) -> bool {
    // SAFETY: `load` passes its `Watch`, which outlives the call, and llama.cpp calls on one thread.
    let watch = unsafe { &mut *data.cast::<Watch<'_>>() };
    if let Some(progress) = &mut watch.progress {
        // A panic must not cross C++: it stops the load instead.
        let call = std::panic::AssertUnwindSafe(|| progress(share));
        if std::panic::catch_unwind(call).is_err() {
            return false;
        }
    }
    !watch.cancel.is_cancelled()
}

pub(super) fn c_path(path: &Path) -> Result<CString> {
    let bytes = path.as_os_str().as_encoded_bytes();
    CString::new(bytes).map_err(|_| Error::option("path", "a path cannot contain a NUL byte"))
}

fn load_path(path: &Path, params: sys::llama_model_params) -> Result<*mut sys::llama_model> {
    let path = c_path(path)?;
    // SAFETY: the path ends with NUL; what the parameters point to outlives the call.
    Ok(unsafe { sys::llama_model_load_from_file(path.as_ptr(), params) })
}

/// Loads through a stream over the bytes, so that an embedded checkpoint needs no file.
fn load_bytes(bytes: &[u8], params: sys::llama_model_params) -> Result<*mut sys::llama_model> {
    let io = |_| Error::Io { path: "<memory>".into(), source: std::io::Error::last_os_error() };
    // SAFETY: opened for reading only, the stream reads within the length and is closed before the
    // bytes go; what the parameters point to outlives the call.
    unsafe {
        let start = bytes.as_ptr().cast_mut().cast::<c_void>();
        let stream = libc::fmemopen(start, bytes.len(), c"rb".as_ptr().cast::<c_char>());
        let stream = NonNull::new(stream).ok_or(()).map_err(io)?;
        let model = sys::llama_model_load_from_file_ptr(stream.as_ptr().cast(), params);
        libc::fclose(stream.as_ptr());
        Ok(model)
    }
}

/// The devices that the caller named, or none for llama.cpp's own choice.
fn offload_devices(offload: &Offload) -> Result<Vec<sys::ggml_backend_dev_t>> {
    offload
        .devices
        .iter()
        .map(|name| {
            let unknown =
                || Error::option("devices", format!("there is no device {name:?}; list them first"));
            let c_name = CString::new(name.as_str()).map_err(|_| unknown())?;
            // SAFETY: the name ends with NUL.
            let device = unsafe { sys::ggml_backend_dev_by_name(c_name.as_ptr()) };
            if device.is_null() { Err(unknown()) } else { Ok(device) }
        })
        .collect()
}

/// # Safety
/// `model` is live.
unsafe fn facts(model: *const sys::llama_model) -> Facts {
    // SAFETY: the model is live; llama.cpp returns null or strings that it owns.
    unsafe {
        let template = sys::llama_model_chat_template(model, std::ptr::null());
        let architecture = metadata(model, c"general.architecture");
        let pooling = CString::new(format!("{architecture}.pooling_type")).ok();
        let pooling = pooling.and_then(|key| metadata(model, &key).parse().ok());
        Facts {
            architecture,
            parameters: sys::llama_model_n_params(model),
            bytes: sys::llama_model_size(model),
            context_length: sys::llama_model_n_ctx_train(model).max(0) as u32,
            embedding_width: sys::llama_model_n_embd_out(model).max(0) as u32,
            has_encoder: sys::llama_model_has_encoder(model),
            has_decoder: sys::llama_model_has_decoder(model),
            chat_template: (!template.is_null()).then(|| text(template)),
            pooling,
            frame: vocabulary::frame(sys::llama_model_get_vocab(model)),
        }
    }
}

unsafe fn metadata(model: *const sys::llama_model, key: &std::ffi::CStr) -> String {
    let mut buffer = [0u8; 128];
    // SAFETY: the buffer has the length that is passed, and the answer ends with NUL.
    unsafe {
        let start = buffer.as_mut_ptr().cast::<c_char>();
        if sys::llama_model_meta_val_str(model, key.as_ptr(), start, buffer.len()) < 0 {
            return String::new();
        }
        text(start)
    }
}
