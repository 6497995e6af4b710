//! Refuses what would make llama.cpp abort or read outside the file.
//!
//! llama.cpp answers some faults of a file with an error, some with an assertion that ends the process, and
//! some not at all. This room finds them first, from the header alone, and says which and where. What it lets
//! pass can still fail to load with an error; it must not end the process.
//!
//! An architecture that llama.cpp knows is not refused without need: what holds for all of them is checked
//! for all, the shapes of attention and feed-forward blocks only where they follow from the hyperparameters
//! in the plain way ([`Architecture::plain`]).

mod container;
mod families;
mod hyperparameters;
mod keys;
mod rules;
mod tensors;
mod tokenizer;

pub use container::check as check_container;
pub use hyperparameters::Hyperparameters;
pub use tokenizer::check as check_tokenizer;

use super::architecture::{self, Architecture};
use super::defect::Defect;
use super::excerpt::Excerpt;
use super::gguf::Header;
pub(super) use keys::Keys;

/// Runs all checks on a header.
///
/// # Errors
/// The first [`Defect`] that was found.
pub fn check(header: &Header) -> Result<(&'static Architecture, Hyperparameters), Defect> {
    check_container(header)?;
    let architecture = check_architecture(header)?;
    if header.tensors.is_empty() {
        return Err(Defect::NoTensors);
    }
    let vocabulary = check_tokenizer(header)?;
    let hyperparameters = hyperparameters::check(header, architecture, vocabulary)?;
    rules::check(&Keys::new(&header.metadata, architecture.name), architecture, &hyperparameters)?;
    tensors::check(header, architecture, &hyperparameters)?;
    families::check(header, architecture.name, &hyperparameters)?;
    Ok((architecture, hyperparameters))
}

/// Runs the checks that loading nothing but the vocabulary needs. There may be no tensors.
///
/// # Errors
/// The first [`Defect`] that was found.
pub fn check_vocabulary(header: &Header) -> Result<(), Defect> {
    check_container(header)?;
    check_architecture(header)?;
    check_tokenizer(header).map(|_| ())
}

/// The architecture, if it is one that can run; refuses adapters, projectors and parts of split files.
///
/// # Errors
/// [`Defect::NotAModel`], [`Defect::Split`], [`Defect::UnknownArchitecture`],
/// [`Defect::UnsupportedArchitecture`], or what is wrong with the keys that say it.
pub fn check_architecture(header: &Header) -> Result<&'static Architecture, Defect> {
    let keys = Keys::new(&header.metadata, "");
    if let Some(kind) = keys.str("general.type")?
        && kind != "model"
    {
        let hint = match kind {
            "adapter" => "load it as an adapter, on top of the model that it was trained for",
            "mmproj" => "it belongs to a model for images; give the model itself",
            _ => "give a GGUF file of the type \"model\"",
        };
        return Err(Defect::NotAModel { found: Excerpt::quote(kind), hint });
    }
    // Written by the tools that split a file; a u16, but any integer says the same.
    let parts = header.metadata.u64("split.count").unwrap_or(0);
    if parts > 1 {
        return Err(Defect::Split { count: parts });
    }
    keys.u16("split.count")?;
    keys.str("general.name")?;
    keys.u32("general.file_type")?;
    let name = keys.require_str("general.architecture")?;
    let Some(architecture) = architecture::find(name) else {
        return Err(Defect::UnknownArchitecture { found: Excerpt::quote(name) });
    };
    match architecture.unsupported {
        Some(reason) => Err(Defect::UnsupportedArchitecture { found: Excerpt::quote(name), reason }),
        None => Ok(architecture),
    }
}
