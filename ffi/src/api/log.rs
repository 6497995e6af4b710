//! Where the log goes: nowhere, until an app asks for it.

use std::fmt::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use super::{CallbackError, PinfoldError, Result};

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What happens, in brief.
    Info,
    /// What happens, with details.
    Debug,
    /// Everything.
    Trace,
}

impl From<&Level> for LogLevel {
    fn from(level: &Level) -> Self {
        match *level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            Level::TRACE => Self::Trace,
        }
    }
}

/// What receives the log. Lines never hold text of the user.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// Called on the thread that logs, so it must be quick and must not call Pinfold. `target` is the part that
    /// speaks, e.g. `pinfold::llama`. If it fails, the line is lost and nothing else happens.
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), CallbackError>;
}

struct Wanted {
    sink: Arc<dyn LogSink>,
    level: LogLevel,
}

static WANTED: RwLock<Option<Wanted>> = RwLock::new(None);

/// Sends log lines of `level` and above to `sink`, in the place of the sink before; without a sink the log is
/// silent, as it is at the start.
///
/// # Errors
/// `Unsupported` in a Rust program that collects the log itself.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Result<()> {
    static STARTED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    let wanted = sink.map(|sink| Wanted { sink, level });
    if wanted.is_some() && !*STARTED.get_or_init(|| tracing::subscriber::set_global_default(Forward).is_ok())
    {
        let what = "a log sink: this program has a `tracing` subscriber already, which gets the log";
        return Err(PinfoldError::Unsupported(what.into()));
    }
    *WANTED.write().unwrap_or_else(PoisonError::into_inner) = wanted;
    Ok(())
}

/// The sink, if it wants lines of this level.
fn sink(level: LogLevel) -> Option<Arc<dyn LogSink>> {
    let wanted = WANTED.read().unwrap_or_else(PoisonError::into_inner);
    wanted.as_ref().filter(|wanted| level <= wanted.level).map(|wanted| wanted.sink.clone())
}

/// Forwards events; spans are not followed.
struct Forward;

impl Subscriber for Forward {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The sink may change at any time.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && sink(metadata.level().into()).is_some()
    }

    fn event(&self, event: &Event<'_>) {
        let level = event.metadata().level().into();
        if let Some(sink) = sink(level) {
            let mut line = Line::default();
            event.record(&mut line);
            // A sink that fails loses the line; there is nowhere else to say so.
            let _ = sink.log(level, event.metadata().target().to_owned(), line.0);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The message of an event, then its fields.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = if field.name() == "message" {
            write!(self.0, "{value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
    }
}
