//! Adapters (LoRA): GGUF files that hold pairs of small matrices for the weights of a checkpoint.

use std::collections::BTreeMap;
use std::path::Path;

use super::defect::Defect;
use super::excerpt::Excerpt;
use super::gguf::{Header, TensorInfo};
use super::preflight::{self, Keys};
use super::{bad_checkpoint, inspect};
use crate::error::Result;

/// An adapter whose header passed its preflight.
#[derive(Debug, Clone)]
pub struct AdapterFile {
    header: Header,
}

/// Opens the adapter at `path`: reads its header and checks that it is well-formed. The matrices are not read.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if it cannot be read,
/// [`Error::BadCheckpoint`](crate::Error::BadCheckpoint) if it is not an adapter that the engine takes.
pub fn open_adapter(path: impl AsRef<Path>) -> Result<AdapterFile> {
    let path = path.as_ref();
    let header = inspect(path)?;
    AdapterFile::from_header(header).map_err(|defect| bad_checkpoint(path.display().to_string(), defect))
}

impl AdapterFile {
    /// Checks a header.
    ///
    /// # Errors
    /// The first [`Defect`] that was found.
    pub fn from_header(header: Header) -> Result<Self, Defect> {
        preflight::check_container(&header)?;
        let keys = Keys::new(&header.metadata, "");
        // llama.cpp asserts the types of these four.
        let kind = keys.require_str("general.type")?;
        if kind != "adapter" {
            let hint = "give an adapter (general.type \"adapter\"), as convert_lora_to_gguf.py writes it";
            return Err(Defect::NotAModel { found: Excerpt::quote(kind), hint });
        }
        keys.require_str("general.architecture")?;
        let kind = keys.require_str("adapter.type")?;
        if kind != "lora" {
            let hint = "only adapters of the type \"lora\" are supported";
            return Err(Defect::NotAModel { found: Excerpt::quote(kind), hint });
        }
        if let Some(alpha) = keys.f32("adapter.lora.alpha")?
            && !alpha.is_finite()
        {
            return Err(keys.out_of_range("adapter.lora.alpha", alpha, "a finite number"));
        }
        for (name, pair) in pairs(&header)? {
            check_pair(&name, &pair)?;
        }
        Ok(Self { header })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The architecture of the checkpoints that it is for.
    pub fn architecture(&self) -> &str {
        self.header.metadata.str("general.architecture").unwrap_or_default()
    }

    /// Checks that every pair has a weight among `base`, the checkpoint's tensors, with fitting extents.
    ///
    /// # Errors
    /// [`Defect::UnexpectedTensor`] or [`Defect::WrongShape`].
    pub fn check_fit(&self, base: &[TensorInfo]) -> Result<(), Defect> {
        let weights: BTreeMap<&str, &TensorInfo> =
            base.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        for (name, pair) in pairs(&self.header)? {
            let (a, b) = pair.both(&name)?;
            let Some(weight) = weights.get(name.as_str()) else {
                let reason = "the checkpoint has no such weight: is it the right base?".to_owned();
                return Err(Defect::UnexpectedTensor { tensor: Excerpt::name(&a.name), reason });
            };
            let fits = if is_embedding(&name) {
                a.extent(1) == weight.extent(1) && b.extent(1) == weight.extent(0)
            } else {
                a.extent(0) == weight.extent(0) && b.extent(1) == weight.extent(1)
            };
            if !fits || a.extent(2) != weight.extent(2) {
                return Err(Defect::WrongShape {
                    tensor: Excerpt::name(&a.name),
                    found: a.shape().to_vec(),
                    expected: format!("a factor of {:?}, the weight's shape", weight.shape()),
                });
            }
        }
        Ok(())
    }
}

/// The two factors of one weight's change.
#[derive(Default)]
struct Pair<'a> {
    a: Option<&'a TensorInfo>,
    b: Option<&'a TensorInfo>,
}

impl<'a> Pair<'a> {
    fn both(&self, name: &str) -> Result<(&'a TensorInfo, &'a TensorInfo), Defect> {
        match (self.a, self.b) {
            (Some(a), Some(b)) => Ok((a, b)),
            (None, _) => Err(Defect::MissingTensor { tensor: Excerpt::name(&format!("{name}.lora_a")) }),
            (_, None) => Err(Defect::MissingTensor { tensor: Excerpt::name(&format!("{name}.lora_b")) }),
        }
    }
}

/// The pairs by the names of their weights.
fn pairs(header: &Header) -> Result<BTreeMap<String, Pair<'_>>, Defect> {
    let mut pairs: BTreeMap<String, Pair<'_>> = BTreeMap::new();
    for tensor in &header.tensors {
        if let Some(name) = tensor.name.strip_suffix(".lora_a") {
            pairs.entry(name.to_owned()).or_default().a = Some(tensor);
        } else if let Some(name) = tensor.name.strip_suffix(".lora_b") {
            pairs.entry(name.to_owned()).or_default().b = Some(tensor);
        } else if !tensor.name.ends_with("_norm.weight") {
            let reason = "the tensors of an adapter end with .lora_a or .lora_b".to_owned();
            return Err(Defect::UnexpectedTensor { tensor: Excerpt::name(&tensor.name), reason });
        }
    }
    if pairs.is_empty() { Err(Defect::NoTensors) } else { Ok(pairs) }
}

fn is_embedding(name: &str) -> bool {
    name.ends_with("token_embd.weight")
}

/// The factors multiply: their inner extents, the rank, are equal. llama.cpp does not look at those of the
/// embedding, nor beyond the second extent.
fn check_pair(name: &str, pair: &Pair<'_>) -> Result<(), Defect> {
    let (a, b) = pair.both(name)?;
    for tensor in [a, b] {
        if !tensor.kind.is_weight() {
            return Err(Defect::WrongTensorKind {
                tensor: Excerpt::name(&tensor.name),
                found: tensor.kind.name(),
                expected: "weights (floating point or quantized)",
            });
        }
    }
    let rank = if is_embedding(name) { a.extent(0) } else { a.extent(1) };
    let experts = if name.contains("_exps") { a.extent(2) } else { 1 };
    let stacked = [a, b].iter().all(|tensor| tensor.extent(2) == experts && tensor.extent(3) == 1);
    if rank == b.extent(0) && stacked {
        return Ok(());
    }
    Err(Defect::WrongShape {
        tensor: Excerpt::name(&b.name),
        found: b.shape().to_vec(),
        expected: format!("the rank of {:?}, the other factor", a.shape()),
    })
}
