//! What the program says: text, tables, JSON, errors with hints, and exit codes.

use std::io::{self, ErrorKind, IsTerminal, Write};

use pinfold::{Digest, Error};
use serde::Serialize;

/// What a script sees of the outcome. The numbers are part of the interface; `main.rs` documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Checkpoint = 3,
    DoesNotFit = 4,
    Verification = 5,
    Waiting = 6,
    Cancelled = 130,
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    #[serde(skip)]
    pub exit: Exit,
    /// A stable name of the class, for scripts.
    pub code: &'static str,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), hint: None }
    }

    /// Options that do not go together or are out of their range.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Stdout cannot be written. A reader that has seen enough (`| head`) is no failure.
    fn stdout(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::new(Exit::Done, "broken_pipe", "stdout was closed"),
            _ => Self::new(Exit::Failed, "io", format!("stdout: {error}")),
        }
    }

    /// Says it on stderr.
    pub fn report(&self, json: bool) {
        if self.exit == Exit::Done || (self.exit == Exit::Cancelled && !json) {
            return;
        }
        if json {
            note(&serde_json::json!({ "error": self }).to_string());
            return;
        }
        note(&format!("error: {}", self.message));
        if let Some(hint) = &self.hint {
            note(&format!("hint: {hint}"));
        }
    }
}

const IN_ENVIRONMENT: &str = "it is taken from the environment";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let failure = |exit, code| Self::new(exit, code, message.clone());
        match &error {
            Error::Io { .. } => failure(Exit::Failed, "io"),
            Error::BadCheckpoint { name, .. } => failure(Exit::Checkpoint, "bad_checkpoint")
                .hint(format!("`pinfold inspect {name:?}` shows what can be read of it")),
            Error::UnknownCheckpoint { .. } => failure(Exit::Checkpoint, "unknown_checkpoint")
                .hint("`pinfold models` lists the names that there are"),
            Error::LoadFailed { .. } => {
                failure(Exit::Checkpoint, "load_failed").hint("--verbose shows what the engine says")
            }
            // Core's message of these two speaks to programmers.
            Error::OutOfMemory { weights, kv_cache, compute, available } => {
                let needs = weights.saturating_add(*kv_cache).saturating_add(*compute);
                let parts = [*weights, *kv_cache, *compute, *available].map(size);
                let [weights, cache, compute, free] = parts;
                let message = format!(
                    "it needs {} (weights {weights}, cache {cache}, compute {compute}), but {free} are free",
                    size(needs)
                );
                Self::new(Exit::DoesNotFit, "out_of_memory", message)
                    .hint("a smaller --ctx takes less; `pinfold inspect MODEL --ctx N` estimates")
            }
            Error::ContextFull { used: 0, requested, capacity } => {
                let message = format!("the prompt has {requested} tokens, but the context holds {capacity}");
                Self::new(Exit::DoesNotFit, "context_full", message)
                    .hint("shorten it, or enlarge the context by --ctx N")
            }
            Error::ContextFull { used, requested, capacity } => {
                let message =
                    format!("the context holds {used} of {capacity} tokens; {requested} more do not fit");
                Self::new(Exit::DoesNotFit, "context_full", message)
                    .hint("--ctx N enlarges the context, --slide KEEP lets the oldest tokens go")
            }
            Error::TooManySessions { .. } => failure(Exit::Failed, "too_many_sessions"),
            Error::SessionBusy => failure(Exit::Failed, "session_busy"),
            Error::SessionEmpty => Self::new(Exit::Failed, "empty_prompt", "the prompt is empty")
                .hint("this checkpoint has no token to begin with, so give it some text"),
            Error::Cancelled => failure(Exit::Cancelled, "cancelled"),
            Error::InvalidOption { option, reason } => {
                let (name, hint) = match *option {
                    "context_tokens" => {
                        ("--ctx".to_owned(), "`pinfold inspect MODEL` shows what it was made for")
                    }
                    "devices" => ("--device".to_owned(), "`pinfold devices` lists them"),
                    "hub_endpoint" => ("HF_ENDPOINT".to_owned(), IN_ENVIRONMENT),
                    "hub_token" => ("HF_TOKEN".to_owned(), IN_ENVIRONMENT),
                    "certificates" => ("SSL_CERT_FILE".to_owned(), IN_ENVIRONMENT),
                    "PINFOLD_STORE_QUOTA" => ((*option).to_owned(), IN_ENVIRONMENT),
                    _ => (format!("--{}", option.replace('_', "-")), "--help says what it is for"),
                };
                Self::new(Exit::Usage, "invalid_option", format!("{name}: {reason}")).hint(hint)
            }
            Error::NoCandidate { .. } => failure(Exit::Failed, "no_candidate"),
            Error::BadSession { .. } => failure(Exit::Failed, "bad_session"),
            Error::BadLock { .. } => failure(Exit::Failed, "bad_lock")
                .hint("nothing of it is used until that is mended; `pinfold lock check` reads it again"),
            Error::NotPinned { .. } => {
                failure(Exit::Checkpoint, "not_pinned").hint("`pinfold pin NAME SOURCE` pins one")
            }
            // Core's message speaks to programmers.
            Error::NotPulled { name, digest } => {
                let message = format!("{name:?} ({}) is not on this machine", short(digest));
                Self::new(Exit::Checkpoint, "not_pulled", message)
                    .hint(format!("`pinfold pull {name}` brings it"))
            }
            Error::WrongDigest { .. } => failure(Exit::Verification, "wrong_digest")
                .hint("`pinfold pull NAME` brings the pinned bytes, `pinfold pin NAME SOURCE` pins others"),
            Error::BadStore { .. } => {
                failure(Exit::Failed, "bad_store").hint("--store DIR or PINFOLD_STORE names another one")
            }
            Error::NoSpace { path, needed, available, quota } => {
                let (needed, available) = (size(*needed), size(*available));
                let limit = if *quota { "below the quota" } else { "on the disk" };
                let message =
                    format!("{}: {needed} are needed, but {available} are left {limit}", path.display());
                Self::new(Exit::DoesNotFit, "no_space", message).hint(
                    "`pinfold store gc` removes what no lock file pins, `pinfold store list` shows the rest",
                )
            }
            Error::BadSource { .. } => {
                failure(Exit::Usage, "bad_source").hint("`pinfold pin --help` shows the forms")
            }
            Error::PullFailed { .. } => failure(Exit::Failed, "pull_failed")
                .hint("what arrived is kept, so that the same command goes on from there"),
            Error::BadSignature { .. } => failure(Exit::Verification, "bad_signature"),
            Error::ChatTemplate { .. } => failure(Exit::Checkpoint, "chat_template")
                .hint("`pinfold inspect MODEL` shows the template; `pinfold run --raw` does without"),
            Error::BadPrompt { .. } => {
                failure(Exit::Failed, "bad_prompt").hint("`pinfold prompt check FILE` reads it again")
            }
            Error::BadVariable { .. } => failure(Exit::Failed, "bad_variable")
                .hint("-v NAME=VALUE gives a variable, --input FILE.json all of them"),
            Error::ForgedMarker { .. } => failure(Exit::Failed, "forged_marker")
                .hint("--markers neutralize puts a space into such markers instead"),
            Error::BadConstraint { .. } => failure(Exit::Failed, "bad_constraint"),
            Error::BadOutput { .. } => failure(Exit::Failed, "bad_output"),
            Error::BackendFailed { .. } => failure(Exit::Failed, "backend_failed"),
            Error::Unsupported { .. } => failure(Exit::Failed, "unsupported"),
            Error::Engine { .. } => {
                failure(Exit::Failed, "engine").hint("--verbose shows what the engine says")
            }
            other => failure(Exit::Failed, other.code()),
        }
    }
}

/// Prints to stdout at once.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::stdout)
}

/// Prints `value` as one JSON object: in one line, or indented for a person who looks.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        return print_json_line(value);
    }
    let text = serde_json::to_string_pretty(value).map_err(not_json)?;
    print(&format!("{text}\n"))
}

/// Prints `value` as one line of JSON.
pub fn print_json_line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(not_json)?;
    print(&format!("{text}\n"))
}

fn not_json(error: serde_json::Error) -> Failure {
    Failure::new(Exit::Failed, "json", error.to_string())
}

/// A line on stderr. If nobody reads it, nobody misses it.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A table whose columns align.
pub struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let header = columns.iter().map(|(name, _)| name.to_uppercase()).collect();
        Self { columns: columns.iter().map(|(_, align)| *align).collect(), rows: vec![header] }
    }

    /// Without a line of column names: for names and their values.
    pub fn facts() -> Self {
        Self { columns: vec![Align::Left; 2], rows: Vec::new() }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    pub fn fact(&mut self, name: &str, value: impl ToString) {
        self.row([name.to_owned(), value.to_string()]);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<_> = (0..self.columns.len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, &width), align) in row.iter().zip(&widths).zip(&self.columns) {
                match align {
                    Align::Left => line += &format!("{cell:<width$}  "),
                    Align::Right => line += &format!("{cell:>width$}  "),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A number of bytes for people.
pub fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.iter().find(|(_, shift)| bytes >> shift > 0) {
        Some((unit, shift)) => format!("{:.1} {unit}", bytes as f64 / (1u64 << shift) as f64),
        None => format!("{bytes} B"),
    }
}

/// Enough of a digest to tell two apart.
pub fn short(digest: &Digest) -> String {
    let mut text = digest.to_string();
    text.truncate(12);
    text
}

/// A count for people: `7.2 B`, `260.0 K`.
pub fn count(number: u64) -> String {
    let units = [("B", 1e9), ("M", 1e6), ("K", 1e3)];
    match units.iter().find(|(_, unit)| number as f64 >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", number as f64 / unit),
        None => number.to_string(),
    }
}

/// Text of a file, fit for a terminal: control characters are escaped, and what is longer than `most`
/// characters is cut.
pub fn excerpt(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == most {
            shown.push('…');
            break;
        }
        match character {
            '"' | '\'' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// A name that somebody gave, for a message.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", excerpt(name, 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align() {
        let mut table = Table::new(&[("name", Align::Left), ("bytes", Align::Right)]);
        table.row(["ä".into(), "1".into()]);
        table.row(["longer".into(), "1000000".into()]);
        assert_eq!(table.to_string(), "NAME      BYTES\nä             1\nlonger  1000000\n");
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!([size(0), size(1023), size(1024), size(3 << 29)], ["0 B", "1023 B", "1.0 KiB", "1.5 GiB"]);
        assert_eq!([count(999), count(260_032), count(7_240_000_000)], ["999", "260.0 K", "7.2 B"]);
    }

    #[test]
    fn excerpts_are_short_and_cannot_steer_a_terminal() {
        assert_eq!(excerpt("a\x1b[31m\n\"b\"", 80), "a\\u{1b}[31m\\n\"b\"");
        assert_eq!(excerpt("äöü", 2), "äö…");
    }
}
