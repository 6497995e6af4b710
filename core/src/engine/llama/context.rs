//! A llama.cpp context: sequences, their key-value cache, and the computing.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

use llama_cpp_sys_2 as sys;

use super::adapter::LlamaAdapter;
use super::weights::ModelHandle;
use super::{backend, embed, log};
use crate::cancel::Cancel;
use crate::engine::{
    Adapter, Batch, Embedding, Engine, EngineOptions, Facts, Limits, Pooling, Position, SequenceId,
};
use crate::error::{Error, Result};
use crate::vocabulary::{Token, Vocabulary};

/// Threads that wait for work between decodes; freed after the context that uses them.
struct ThreadPool {
    pointer: sys::ggml_threadpool_t,
    free: unsafe extern "C" fn(sys::ggml_threadpool_t),
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // SAFETY: the context that used the pool is gone, see the field order of `LlamaEngine`.
        unsafe { (self.free)(self.pointer) }
    }
}

struct ContextHandle(NonNull<sys::llama_context>);

impl Drop for ContextHandle {
    fn drop(&mut self) {
        // SAFETY: the only owner.
        unsafe { sys::llama_free(self.0.as_ptr()) }
    }
}

/// A context. Fields are dropped in order: the context first, then what it uses.
pub(super) struct LlamaEngine {
    context: ContextHandle,
    _threads: Option<ThreadPool>,
    adapters: Vec<Arc<dyn Adapter>>,
    model: Arc<ModelHandle>,
    vocabulary: Arc<Vocabulary>,
    limits: Limits,
    outputs: usize,
    max_outputs: usize,
    /// Whether the cells of a sequence stay in the order of its tokens when they are saved and loaded.
    can_copy_exactly: bool,
    pub(super) embeddings: bool,
    pub(super) width: usize,
    has_encoder: bool,
    /// Whether what a decode left behind half-way can be taken back: not from a recurrent memory.
    can_be_stopped: bool,
    /// What the abort callback reads; boxed so that it does not move.
    stop: Box<Option<Cancel>>,
    arrays: Arrays,
}

/// The arrays of a `llama_batch`, kept so that a decode allocates nothing.
#[derive(Default)]
struct Arrays {
    tokens: Vec<sys::llama_token>,
    positions: Vec<sys::llama_pos>,
    counts: Vec<i32>,
    sequences: Vec<sys::llama_seq_id>,
    sequence_lists: Vec<*mut sys::llama_seq_id>,
    outputs: Vec<i8>,
}

impl LlamaEngine {
    pub fn open(
        model: Arc<ModelHandle>,
        vocabulary: Arc<Vocabulary>,
        facts: &Facts,
        options: &EngineOptions,
    ) -> Result<Self> {
        options.validate()?;
        let batch = options.decode_tokens().min(options.context_tokens);
        // Logits of 16 tokens: more than a step of generation needs, and far less memory than a row of
        // the vocabulary for every token of a batch.
        let max_outputs = if options.embeddings { batch } else { batch.min(options.sequences.max(16)) };
        let mut stop = Box::new(None);
        // SAFETY: plain values; the callback's data is boxed and dropped after the context.
        let mut params = unsafe { sys::llama_context_default_params() };
        params.n_ctx = options.context_tokens * if options.reproducible { options.sequences } else { 1 };
        params.n_batch = batch.max(options.sequences);
        params.n_ubatch = params.n_batch;
        params.n_seq_max = options.sequences;
        params.n_outputs_max = max_outputs.max(options.sequences);
        params.n_threads = options.threads as i32;
        params.n_threads_batch = options.threads as i32;
        // Attention adds up the cells in their order, so each sequence needs its own.
        params.kv_unified = !options.reproducible;
        params.no_perf = true;
        // Its CPU kernel sums in half precision: logits would differ in the third digit. Whether it is used must
        // not depend on a GPU that is there and computes nothing.
        if options.reproducible || !backend::has_gpu() {
            params.flash_attn_type = sys::LLAMA_FLASH_ATTN_TYPE_DISABLED;
        }
        params.embeddings = options.embeddings;
        if options.embeddings {
            params.pooling_type = sys::LLAMA_POOLING_TYPE_NONE;
        }
        params.abort_callback = Some(stopped);
        params.abort_callback_data = (&raw mut *stop).cast::<c_void>();

        log::take_error("");
        // SAFETY: the model is live and the parameters are within bounds.
        let context = unsafe { sys::llama_init_from_model(model.0.as_ptr(), params) };
        let context = NonNull::new(context)
            .map(ContextHandle)
            .ok_or_else(|| Error::engine(log::take_error("no memory for a context")))?;
        let threads = thread_pool(options.threads);
        // SAFETY: the context is live, and the pool outlives it (field order).
        let can_shift = unsafe {
            if let Some(pool) = &threads {
                sys::llama_attach_threadpool(context.0.as_ptr(), pool.pointer, pool.pointer);
            }
            let memory = sys::llama_get_memory(context.0.as_ptr());
            !memory.is_null() && sys::llama_memory_can_shift(memory)
        };
        let limits = Limits {
            context_tokens: options.context_tokens as usize,
            sequences: options.sequences as usize,
            batch_tokens: batch as usize,
            can_shift,
            reproducible: options.reproducible,
        };
        // A sliding window's cells outside of the window are not saved, and the others move up.
        // SAFETY: the model is live.
        let (can_copy_exactly, can_be_stopped) = unsafe {
            let model = model.0.as_ptr();
            let recurrent = sys::llama_model_is_recurrent(model) || sys::llama_model_is_hybrid(model);
            (sys::llama_model_n_swa(model) == 0, !recurrent)
        };
        Ok(Self {
            context,
            _threads: threads,
            adapters: Vec::new(),
            model,
            vocabulary,
            limits,
            outputs: 0,
            max_outputs: max_outputs as usize,
            can_copy_exactly,
            embeddings: options.embeddings,
            width: facts.embedding_width as usize,
            has_encoder: facts.has_encoder,
            can_be_stopped,
            stop,
            arrays: Arrays::default(),
        })
    }

    pub(super) fn raw(&self) -> *mut sys::llama_context {
        self.context.0.as_ptr()
    }

    /// The cache, or null for a checkpoint without one (an encoder).
    pub(super) fn memory(&self) -> sys::llama_memory_t {
        // SAFETY: the context is live.
        unsafe { sys::llama_get_memory(self.raw()) }
    }

    fn check_sequence(&self, sequence: SequenceId) -> Result<sys::llama_seq_id> {
        if self.memory().is_null() {
            return Err(Error::Unsupported { what: "sequences: this checkpoint has no cache".into() });
        }
        if (sequence as usize) < self.limits.sequences {
            return Ok(sequence as sys::llama_seq_id);
        }
        Err(Error::engine(format!("there is no sequence {sequence} of {}", self.limits.sequences)))
    }

    /// Refuses what llama.cpp would abort on.
    fn check_batch(&self, batch: &Batch) -> Result<usize> {
        if batch.is_empty() || batch.len() > self.limits.batch_tokens {
            let most = self.limits.batch_tokens;
            return Err(Error::engine(format!("a batch of {} tokens, of 1 to {most}", batch.len())));
        }
        let mut outputs = 0;
        for entry in &batch.tokens {
            self.check_sequence(entry.sequence)?;
            self.vocabulary.check(&[entry.token])?;
            if entry.position as usize >= self.limits.context_tokens {
                return Err(self.full(batch.len()));
            }
            outputs += usize::from(entry.output);
        }
        if outputs > self.max_outputs {
            return Err(Error::engine(format!("{outputs} outputs in a batch, of {}", self.max_outputs)));
        }
        Ok(outputs)
    }

    pub(super) fn full(&self, requested: usize) -> Error {
        let capacity = self.limits.context_tokens;
        Error::ContextFull { used: capacity.saturating_sub(requested), requested, capacity }
    }

    /// Fills the arrays and lends them as a `llama_batch`.
    pub(super) fn llama_batch(&mut self, batch: &Batch) -> sys::llama_batch {
        let arrays = &mut self.arrays;
        arrays.tokens.clear();
        arrays.positions.clear();
        arrays.sequences.clear();
        arrays.outputs.clear();
        for entry in &batch.tokens {
            arrays.tokens.push(entry.token.0 as sys::llama_token);
            arrays.positions.push(entry.position as sys::llama_pos);
            arrays.sequences.push(entry.sequence as sys::llama_seq_id);
            arrays.outputs.push(i8::from(entry.output));
        }
        arrays.counts.resize(batch.len().max(arrays.counts.len()), 1);
        arrays.sequence_lists.clear();
        let lists = arrays.sequences.iter_mut().map(|sequence| &raw mut *sequence);
        arrays.sequence_lists.extend(lists);
        sys::llama_batch {
            n_tokens: batch.len() as i32,
            token: arrays.tokens.as_mut_ptr(),
            embd: null_mut(),
            pos: arrays.positions.as_mut_ptr(),
            n_seq_id: arrays.counts.as_mut_ptr(),
            seq_id: arrays.sequence_lists.as_mut_ptr(),
            logits: arrays.outputs.as_mut_ptr(),
        }
    }

    /// Forgets what a decode that failed may have left behind.
    fn roll_back(&mut self, batch: &Batch) {
        let memory = self.memory();
        for entry in &batch.tokens {
            // SAFETY: the memory belongs to the live context and the sequence is below the limit. A
            // part that cannot be removed was not added either.
            unsafe {
                let sequence = entry.sequence as sys::llama_seq_id;
                sys::llama_memory_seq_rm(memory, sequence, entry.position as sys::llama_pos, -1);
            }
        }
    }
}

impl Engine for LlamaEngine {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn decode(&mut self, batch: &Batch, cancel: Option<&Cancel>) -> Result<()> {
        self.outputs = 0;
        let outputs = self.check_batch(batch)?;
        *self.stop = cancel.filter(|_| self.can_be_stopped).cloned();
        let raw = self.llama_batch(batch);
        log::take_error("");
        // SAFETY: the batch was checked, and its arrays live in `self` until the next call.
        let status = unsafe { sys::llama_decode(self.raw(), raw) };
        *self.stop = None;
        if status == 0 {
            self.outputs = outputs;
            return Ok(());
        }
        self.roll_back(batch);
        Err(match status {
            1 => self.full(batch.len()),
            2 => Error::Cancelled,
            code => Error::engine(log::take_error(&format!("llama_decode returned {code}"))),
        })
    }

    fn logits(&self, output: usize) -> Result<&[f32]> {
        if output >= self.outputs {
            return Err(Error::engine(format!("there is no output {output} of {}", self.outputs)));
        }
        // SAFETY: the last decode wrote `outputs` rows of the vocabulary's length, in the order of the
        // batch, and they stay until the next decode, which needs `&mut self`.
        unsafe {
            let rows = sys::llama_get_logits(self.raw());
            if rows.is_null() {
                return Err(Error::engine("llama.cpp kept no logits"));
            }
            let width = self.vocabulary.len();
            Ok(std::slice::from_raw_parts(rows.add(output * width), width))
        }
    }

    fn encode(&mut self, tokens: &[Token]) -> Result<()> {
        if !self.has_encoder {
            return Err(Error::Unsupported { what: "encode: this checkpoint has no encoder".into() });
        }
        embed::encode(self, tokens)
    }

    fn embed(&mut self, texts: &[&[Token]], pooling: Pooling) -> Result<Vec<Embedding>> {
        embed::embed(self, texts, pooling)
    }

    fn sequence_remove(&mut self, sequence: SequenceId, range: Range<Position>) -> Result<()> {
        let id = self.check_sequence(sequence)?;
        if range.is_empty() {
            return Ok(());
        }
        let end = if range.end == Position::MAX { -1 } else { range.end as sys::llama_pos };
        // SAFETY: the sequence is below the limit.
        let done = unsafe { sys::llama_memory_seq_rm(self.memory(), id, range.start as i32, end) };
        if done {
            return Ok(());
        }
        Err(Error::Unsupported { what: "this checkpoint's memory cannot forget a part of a sequence".into() })
    }

    fn sequence_copy(&mut self, from: SequenceId, to: SequenceId, range: Range<Position>) -> Result<()> {
        let (from, to) = (self.check_sequence(from)?, self.check_sequence(to)?);
        if from == to || range.is_empty() {
            return Ok(());
        }
        if self.limits.reproducible {
            // llama.cpp would copy between cells of their own at the next decode: too late if something is
            // loaded into either before.
            let state = self.save_state(from as SequenceId)?;
            self.load_state(to as SequenceId, &state)?;
            self.sequence_remove(to as SequenceId, range.end..Position::MAX)?;
        } else {
            let (start, end) = (range.start as i32, i32::try_from(range.end).unwrap_or(-1));
            // SAFETY: both sequences are below the limit.
            unsafe { sys::llama_memory_seq_cp(self.memory(), from, to, start, end) }
        }
        Ok(())
    }

    fn sequence_shift(&mut self, sequence: SequenceId, range: Range<Position>, by: i32) -> Result<()> {
        let id = self.check_sequence(sequence)?;
        if !self.limits.can_shift {
            return Err(Error::Unsupported { what: "this checkpoint's memory cannot be shifted".into() });
        }
        if i64::from(range.start) + i64::from(by) < 0 {
            return Err(Error::engine("a shift to before the start of the sequence"));
        }
        let (start, end) = (range.start as i32, i32::try_from(range.end).unwrap_or(-1));
        // SAFETY: the sequence is below the limit and no position becomes negative.
        unsafe { sys::llama_memory_seq_add(self.memory(), id, start, end, by) }
        Ok(())
    }

    fn save_state(&mut self, sequence: SequenceId) -> Result<Vec<u8>> {
        let id = self.check_sequence(sequence)?;
        if self.limits.reproducible && !self.can_copy_exactly {
            return Err(Error::Unsupported { what: "exact states of a sliding window".into() });
        }
        // SAFETY: the buffer has the size that llama.cpp asks for.
        unsafe {
            let mut state = vec![0u8; sys::llama_state_seq_get_size(self.raw(), id)];
            let written = sys::llama_state_seq_get_data(self.raw(), state.as_mut_ptr(), state.len(), id);
            if written == 0 {
                return Err(Error::engine(log::take_error("the state could not be saved")));
            }
            state.truncate(written);
            Ok(state)
        }
    }

    fn load_state(&mut self, sequence: SequenceId, state: &[u8]) -> Result<()> {
        let id = self.check_sequence(sequence)?;
        log::take_error("");
        // SAFETY: llama.cpp reads within the length; the caller vouches for the content.
        let read = unsafe { sys::llama_state_seq_set_data(self.raw(), state.as_ptr(), state.len(), id) };
        if read == 0 {
            return Err(Error::engine(log::take_error("the state could not be loaded")));
        }
        Ok(())
    }

    fn set_adapters(&mut self, adapters: &[(Arc<dyn Adapter>, f32)]) -> Result<()> {
        let foreign = || Error::Unsupported { what: "an adapter of another checkpoint or engine".into() };
        let mut pointers = Vec::with_capacity(adapters.len());
        let mut scales = Vec::with_capacity(adapters.len());
        for (adapter, scale) in adapters {
            let ours = adapter.as_any().downcast_ref::<LlamaAdapter>().ok_or_else(foreign)?;
            if !Arc::ptr_eq(&ours.model, &self.model) {
                return Err(foreign());
            }
            pointers.push(ours.pointer.as_ptr());
            scales.push(*scale);
        }
        let (list, count) = (pointers.as_mut_ptr(), pointers.len());
        // SAFETY: the adapters belong to the context's model and are kept below.
        let status = unsafe { sys::llama_set_adapters_lora(self.raw(), list, count, scales.as_mut_ptr()) };
        if status != 0 {
            return Err(Error::engine(log::take_error("the adapters could not be set")));
        }
        self.adapters = adapters.iter().map(|(adapter, _)| adapter.clone()).collect();
        Ok(())
    }
}

/// A pool of `threads`, or none where one thread computes or the backend has none.
fn thread_pool(threads: u32) -> Option<ThreadPool> {
    if threads < 2 {
        return None;
    }
    type New = unsafe extern "C" fn(*mut sys::ggml_threadpool_params) -> sys::ggml_threadpool_t;
    type Free = unsafe extern "C" fn(sys::ggml_threadpool_t);
    // SAFETY: the types are those of ggml-cpu.h; the parameters are ggml's defaults.
    unsafe {
        let new = backend::cpu_function::<New>(c"ggml_threadpool_new")?;
        let free = backend::cpu_function::<Free>(c"ggml_threadpool_free")?;
        let mut params = sys::ggml_threadpool_params_default(threads as i32);
        let pointer = new(&raw mut params);
        (!pointer.is_null()).then_some(ThreadPool { pointer, free })
    }
}

/// llama.cpp's abort callback: asked between the operations of a graph.
unsafe extern "C" fn stopped(data: *mut c_void) -> bool {
    // SAFETY: `open` passes the boxed flag of the engine; it changes only between decodes.
    let stop = unsafe { &*data.cast::<Option<Cancel>>() };
    stop.as_ref().is_some_and(Cancel::is_cancelled)
}
