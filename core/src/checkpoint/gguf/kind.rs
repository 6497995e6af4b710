//! The element types of tensors.

/// The element type of a tensor: single numbers, or blocks of quantized ones.
///
/// The numbers in the file and the sizes are those of `enum ggml_type` in ggml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TensorKind(&'static Kind);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    id: u32,
    name: &'static str,
    block: u64,
    bytes: u64,
}

const fn kind(id: u32, name: &'static str, block: u64, bytes: u64) -> Kind {
    Kind { id, name, block, bytes }
}

/// In the order of the ids. The ids 4, 5, 31 to 33 and 36 to 38 were removed from ggml.
static KINDS: [Kind; 35] = [
    kind(0, "F32", 1, 4),
    kind(1, "F16", 1, 2),
    kind(2, "Q4_0", 32, 18),
    kind(3, "Q4_1", 32, 20),
    kind(6, "Q5_0", 32, 22),
    kind(7, "Q5_1", 32, 24),
    kind(8, "Q8_0", 32, 34),
    kind(9, "Q8_1", 32, 36),
    kind(10, "Q2_K", 256, 84),
    kind(11, "Q3_K", 256, 110),
    kind(12, "Q4_K", 256, 144),
    kind(13, "Q5_K", 256, 176),
    kind(14, "Q6_K", 256, 210),
    kind(15, "Q8_K", 256, 292),
    kind(16, "IQ2_XXS", 256, 66),
    kind(17, "IQ2_XS", 256, 74),
    kind(18, "IQ3_XXS", 256, 98),
    kind(19, "IQ1_S", 256, 50),
    kind(20, "IQ4_NL", 32, 18),
    kind(21, "IQ3_S", 256, 110),
    kind(22, "IQ2_S", 256, 82),
    kind(23, "IQ4_XS", 256, 136),
    kind(24, "I8", 1, 1),
    kind(25, "I16", 1, 2),
    kind(26, "I32", 1, 4),
    kind(27, "I64", 1, 8),
    kind(28, "F64", 1, 8),
    kind(29, "IQ1_M", 256, 56),
    kind(30, "BF16", 1, 2),
    kind(34, "TQ1_0", 256, 54),
    kind(35, "TQ2_0", 256, 66),
    kind(39, "MXFP4", 32, 17),
    kind(40, "NVFP4", 64, 36),
    kind(41, "Q1_0", 128, 18),
    kind(42, "Q2_0", 64, 18),
];

impl TensorKind {
    /// The type with this id in a file; `None` if it is unknown or was removed.
    pub fn from_id(id: u32) -> Option<Self> {
        let place = KINDS.binary_search_by_key(&id, |kind| kind.id).ok()?;
        Some(Self(&KINDS[place]))
    }

    /// Its id in a file.
    pub fn id(self) -> u32 {
        self.0.id
    }

    /// Its name, as it is customary for GGUF files: `F32`, `Q4_K`...
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Elements of one block; 1 if it is not quantized.
    pub fn block_elements(self) -> u64 {
        self.0.block
    }

    /// Bytes of one block.
    pub fn block_bytes(self) -> u64 {
        self.0.bytes
    }

    /// Whether it is `F32`.
    pub fn is_f32(self) -> bool {
        self.0.id == 0
    }

    /// Whether the engine multiplies matrices of this type: the integers, `F64` and the two types of
    /// activations (`Q8_1`, `Q8_K`) are none.
    pub fn is_weight(self) -> bool {
        !matches!(self.0.id, 9 | 15 | 24..=28)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_are_found() {
        assert!(KINDS.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(TensorKind::from_id(12).map(TensorKind::name), Some("Q4_K"));
        assert_eq!(TensorKind::from_id(42).map(TensorKind::block_bytes), Some(18));
        for removed in [4, 5, 31, 32, 33, 36, 37, 38, 43, u32::MAX] {
            assert_eq!(TensorKind::from_id(removed), None);
        }
    }

    #[test]
    fn activations_and_integers_are_no_weights() {
        let names: Vec<_> =
            KINDS.iter().map(TensorKind).filter(|k| !k.is_weight()).map(TensorKind::name).collect();
        assert_eq!(names, ["Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"]);
    }
}
