//! The file of a saved chat: its turns as JSON, readable and good for any checkpoint.
//!
//! What was computed of them stands beside it in `FILE.session`, is bound to the checkpoint's bytes, and
//! only saves time.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use pinfold::{Error, Message};
use serde::{Deserialize, Serialize};

use crate::output::{Exit, Failure};

const FORMAT: &str = "pinfold-chat";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedChat {
    format: String,
    version: u32,
    /// SHA-256 of the checkpoint that answered.
    pub checkpoint: String,
    pub system: Option<String>,
    pub turns: Vec<Message>,
}

impl SavedChat {
    pub fn new(checkpoint: String, system: Option<String>, turns: Vec<Message>) -> Self {
        Self { format: FORMAT.into(), version: VERSION, checkpoint, system, turns }
    }

    /// Writes the file: beside it first, then renamed, so that there is always a whole one.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(Exit::Failed, "json", error.to_string()))?;
        let beside = with(path, &format!(".{}.part", std::process::id()));
        let written = fs::write(&beside, text + "\n").and_then(|()| fs::rename(&beside, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&beside);
            Error::io(path)(error).into()
        })
    }

    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let bad = |reason: &str| {
            let message = format!("{}: not a saved chat: {reason}", path.display());
            Failure::new(Exit::Failed, "bad_chat", message).hint("give a file that /save wrote")
        };
        let saved: Self = serde_json::from_slice(&bytes).map_err(|error| {
            // The reason would quote the turns.
            bad(&format!("line {}, column {} is not as expected", error.line(), error.column()))
        })?;
        match (saved.format.as_str(), saved.version) {
            (FORMAT, VERSION) => Ok(saved),
            (FORMAT, version) => Err(bad(&format!("version {version}; this program reads {VERSION}"))),
            _ => Err(bad("its format is another one")),
        }
    }
}

/// The file of the session that belongs to a chat.
pub fn session_path(path: &Path) -> PathBuf {
    with(path, ".session")
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinfold::Role;

    #[test]
    fn what_is_written_is_read_and_anything_else_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.json");
        let turns = vec![Message::new(Role::User, "secret"), Message::new(Role::Assistant, "yes\n")];
        SavedChat::new("00".into(), Some("brief".into()), turns.clone()).write(&path).unwrap();
        let read = SavedChat::read(&path).unwrap();
        assert_eq!((read.turns, read.system.as_deref()), (turns, Some("brief")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let text = fs::read_to_string(&path).unwrap();
        for damaged in [
            text.replace("\"version\": 1", "\"version\": 2"),
            text.replace(FORMAT, "other"),
            text.replace("\"role\": \"user\"", "\"role\": \"secret\""),
            text[..40].to_owned(),
        ] {
            fs::write(&path, damaged).unwrap();
            let failure = SavedChat::read(&path).err().unwrap();
            assert_eq!(failure.code, "bad_chat");
            assert!(!failure.message.contains("secret"), "{}", failure.message);
        }
    }
}
