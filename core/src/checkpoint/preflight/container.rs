//! The file as a container: alignment, and where the tensors' data lie.

use std::collections::HashSet;

use super::super::defect::Defect;
use super::super::excerpt::Excerpt;
use super::super::gguf::Header;

/// llama.cpp maps the tensors in place and asserts this (`TENSOR_ALIGNMENT` of ggml).
const LEAST_ALIGNMENT: u64 = 32;
const MOST_ALIGNMENT: u64 = 1 << 16;

/// Checks that the tensors' data lie in the file, one after another, aligned, each once.
///
/// # Errors
/// [`Defect::BadAlignment`], or what is wrong with the first tensor at fault.
pub fn check(header: &Header) -> Result<(), Defect> {
    let alignment = header.alignment;
    if !alignment.is_power_of_two() || !(LEAST_ALIGNMENT..=MOST_ALIGNMENT).contains(&alignment) {
        return Err(Defect::BadAlignment { found: alignment, least: LEAST_ALIGNMENT, most: MOST_ALIGNMENT });
    }
    let mut names = HashSet::with_capacity(header.tensors.len());
    // Where the next tensor must begin: llama.cpp allows no gaps but those of the alignment.
    let mut expected = 0u64;
    let mut last = None;
    for tensor in &header.tensors {
        let name = || Excerpt::name(&tensor.name);
        if !names.insert(tensor.name.as_str()) {
            return Err(Defect::DuplicateTensor { tensor: name() });
        }
        let bad_shape = || Defect::BadShape { tensor: name(), shape: tensor.shape().to_vec() };
        if tensor.elements().is_none_or(|elements| elements == 0) {
            return Err(bad_shape());
        }
        let (row, block) = (tensor.extent(0), tensor.kind.block_elements());
        if !row.is_multiple_of(block) {
            return Err(Defect::PartialBlock { tensor: name(), row, block, kind: tensor.kind.name() });
        }
        let bytes = tensor.bytes().ok_or_else(bad_shape)?;
        if !tensor.offset.is_multiple_of(alignment) {
            return Err(Defect::Misaligned { tensor: name(), offset: tensor.offset, alignment });
        }
        if tensor.offset != expected {
            let offset = tensor.offset;
            return Err(match last {
                Some(first) if offset < expected => {
                    Defect::Overlap { first: Excerpt::name(first), second: name(), offset }
                }
                _ => Defect::Gap { tensor: name(), offset, expected },
            });
        }
        let end = header.data_offset.checked_add(tensor.offset).and_then(|start| start.checked_add(bytes));
        let end = end.ok_or_else(bad_shape)?;
        if end > header.file_size {
            return Err(Defect::BeyondEnd { tensor: name(), end, file_size: header.file_size });
        }
        // Neither overflows: `end` is within the file.
        expected = (tensor.offset + bytes).next_multiple_of(alignment);
        last = Some(tensor.name.as_str());
    }
    Ok(())
}
