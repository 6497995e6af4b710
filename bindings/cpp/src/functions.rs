//! What needs no object: the machine, checkpoint files, the log.

use cxx::UniquePtr;
use pinfold_ffi::api::{self, PinfoldError};

use crate::bridge::ffi;
use crate::callbacks;
use crate::failure::{Result, guard};

pub(crate) fn version() -> String {
    api::version()
}

pub(crate) fn devices() -> Result<Vec<ffi::Device>> {
    guard(|| Ok(api::devices()?.into_iter().map(Into::into).collect()))
}

pub(crate) fn embedded_checkpoints() -> Result<Vec<ffi::EmbeddedInfo>> {
    guard(|| Ok(api::embedded_checkpoints().into_iter().map(Into::into).collect()))
}

pub(crate) fn inspect_checkpoint(path: &str, options: &ffi::ModelOptions) -> Result<ffi::CheckpointInfo> {
    guard(|| Ok(api::inspect_checkpoint(path.to_owned(), options.into())?.into()))
}

pub(crate) fn set_log_sink(sink: UniquePtr<ffi::LogCallback>, level: ffi::LogLevel) -> Result<()> {
    guard(|| {
        let level = match level {
            ffi::LogLevel::Error => api::LogLevel::Error,
            ffi::LogLevel::Warn => api::LogLevel::Warn,
            ffi::LogLevel::Info => api::LogLevel::Info,
            ffi::LogLevel::Debug => api::LogLevel::Debug,
            ffi::LogLevel::Trace => api::LogLevel::Trace,
            // C++ may cast any number to an enum.
            other => {
                let what = format!("level: there is no level {}", other.repr);
                return Err(PinfoldError::InvalidOption(what).into());
            }
        };
        Ok(api::set_log_sink(callbacks::sink(sink), level)?)
    })
}
