//! The checkpoints that are compiled into the program, so that it works without a download.
//!
//! Each has a folder beside `src` with its card and the recipe it was trained by.
//!
//! ```no_run
//! let intent = pinfold_checkpoints::find("intent").expect("it ships with Pinfold");
//! let model = intent.load(&pinfold::ModelOptions::default())?;
//! # Ok::<(), pinfold::Error>(())
//! ```
#![deny(missing_docs)]

use pinfold::{Digest, Error, LoadWatch, Model, ModelOptions, Result};

/// A checkpoint that is compiled in.
#[derive(Debug)]
pub struct Embedded {
    /// What it is called on the command line.
    pub name: &'static str,
    /// The name of its file in the repository.
    pub file: &'static str,
    /// The GGUF file.
    pub bytes: &'static [u8],
    /// The licence of the weights, as an SPDX expression.
    pub licence: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
}

static ALL: &[Embedded] = &[Embedded {
    name: "intent",
    file: "pinfold-intent-q8_0.gguf",
    bytes: include_bytes!("../intent/pinfold-intent-q8_0.gguf"),
    licence: "MIT OR Apache-2.0",
    summary: "an English request to a device as JSON: its intent (of 7) and slots (of 39 types)",
}];

/// All embedded checkpoints, in the order of their names.
pub fn all() -> &'static [Embedded] {
    ALL
}

/// The embedded checkpoint of this name.
pub fn find(name: &str) -> Option<&'static Embedded> {
    ALL.iter().find(|embedded| embedded.name == name)
}

/// The error for a name that is neither that of an embedded checkpoint nor of a file.
pub fn unknown(name: impl Into<String>) -> Error {
    let known: Vec<_> = ALL.iter().map(|embedded| embedded.name).collect();
    Error::UnknownCheckpoint { name: name.into(), known: known.join(", ") }
}

impl Embedded {
    /// The SHA-256 of [`bytes`](Self::bytes).
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(self.bytes)
    }

    /// Loads it.
    ///
    /// # Errors
    /// Those of [`Model::load_bytes`].
    pub fn load(&self, options: &ModelOptions) -> Result<Model> {
        self.load_watched(options, LoadWatch::default())
    }

    /// Loads it, with progress and cancel.
    ///
    /// # Errors
    /// Those of [`Model::load_bytes`].
    pub fn load_watched(&self, options: &ModelOptions, watch: LoadWatch<'_>) -> Result<Model> {
        Model::load_bytes(self.name, self.bytes, options, watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_found() {
        assert!(all().is_sorted_by(|a, b| a.name < b.name));
        for embedded in all() {
            assert_eq!(find(embedded.name).map(|found| found.file), Some(embedded.file));
        }
        assert!(find("nothing").is_none());
        assert!(unknown("nothing").to_string().contains("intent"));
    }

    #[test]
    fn each_passes_the_preflight() {
        for embedded in all() {
            pinfold::checkpoint::open_bytes(embedded.name, embedded.bytes).unwrap();
        }
    }
}
