//! An embedder from a GGUF file.

use std::path::Path;
use std::sync::Arc;

use super::{Embedder, EmbedderOptions};
use crate::checkpoint::Checkpoint;
use crate::engine::llama::{LlamaWeights, LoadOptions, Source};
use crate::error::Result;
use crate::model::{LoadWatch, check_memory};

impl Embedder {
    /// Loads the GGUF checkpoint at `path`, after the [preflight](crate::checkpoint).
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::BadCheckpoint`](crate::Error::BadCheckpoint),
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::LoadFailed`](crate::Error::LoadFailed),
    /// [`Error::Cancelled`](crate::Error::Cancelled), and those of [`from_weights`](Self::from_weights).
    pub fn load(path: impl AsRef<Path>, options: &EmbedderOptions, watch: LoadWatch<'_>) -> Result<Self> {
        let path = path.as_ref();
        let checkpoint = crate::checkpoint::open(path)?;
        let source = Source::Path(path.to_owned());
        Self::load_checked(&path.display().to_string(), &checkpoint, &source, options, watch)
    }

    /// Loads a checkpoint that is in memory; `name` stands in errors. The bytes are copied.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn load_bytes(
        name: &str,
        bytes: &[u8],
        options: &EmbedderOptions,
        watch: LoadWatch<'_>,
    ) -> Result<Self> {
        let checkpoint = crate::checkpoint::open_bytes(name, bytes)?;
        Self::load_checked(name, &checkpoint, &Source::Bytes(bytes), options, watch)
    }

    fn load_checked(
        name: &str,
        checkpoint: &Checkpoint,
        source: &Source<'_>,
        options: &EmbedderOptions,
        watch: LoadWatch<'_>,
    ) -> Result<Self> {
        watch.cancel.check()?;
        if options.check_memory {
            let tokens = options.tokens_of(checkpoint.hyperparameters().context_length);
            check_memory(&options.offload, &checkpoint.memory(tokens, tokens, 1))?;
        }
        let load = LoadOptions {
            offload: options.offload.clone(),
            mmap: options.mmap,
            progress: watch.progress,
            cancel: watch.cancel,
        };
        let weights = LlamaWeights::load(name, checkpoint, source, load)?;
        Self::from_weights(Arc::new(weights), options)
    }
}
