//! A LoRA adapter.

use std::any::Any;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

use llama_cpp_sys_2 as sys;

use super::log;
use super::weights::{ModelHandle, c_path};
use crate::checkpoint::{self, gguf::TensorInfo};
use crate::engine::Adapter;
use crate::error::{Error, Result};

/// An adapter and the model that it belongs to: llama.cpp frees adapters with their model, so the
/// model must stay as long as the adapter may be used.
pub(super) struct LlamaAdapter {
    pub pointer: NonNull<sys::llama_adapter_lora>,
    pub model: Arc<ModelHandle>,
}

// SAFETY: llama.cpp only reads an adapter after it is loaded.
unsafe impl Send for LlamaAdapter {}
// SAFETY: as above.
unsafe impl Sync for LlamaAdapter {}

impl LlamaAdapter {
    pub fn load(model: Arc<ModelHandle>, base: &[TensorInfo], path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let fit = checkpoint::open_adapter(path)?.check_fit(base);
        fit.map_err(|defect| Error::BadCheckpoint { name: name.clone(), defect: Box::new(defect) })?;
        let c_path = c_path(path)?;
        log::take_error("");
        // SAFETY: the model is live and the path ends with NUL.
        let pointer = unsafe { sys::llama_adapter_lora_init(model.0.as_ptr(), c_path.as_ptr()) };
        let pointer = NonNull::new(pointer).ok_or_else(|| Error::LoadFailed {
            name,
            reason: log::take_error("it is not an adapter for this checkpoint"),
        })?;
        Ok(Self { pointer, model })
    }
}

impl Adapter for LlamaAdapter {
    fn as_any(&self) -> &dyn Any {
        self
    }
}
