//! Small checkpoints of random weights that real ones stand behind: every kind of quantization, a sliding window,
//! a recurrent memory.

use super::gguf::{Gguf, Tensor, Value};

/// Kinds of weights: the name, GGUF's number, weights in a block, bytes of a block, and where in it a scale in
/// half precision is.
pub const KINDS: [(&str, u32, usize, usize, &[usize]); 12] = [
    ("F16", 1, 1, 2, &[0]),
    ("Q4_0", 2, 32, 18, &[0]),
    ("Q4_1", 3, 32, 20, &[0, 2]),
    ("Q5_0", 6, 32, 22, &[0]),
    ("Q8_0", 8, 32, 34, &[0]),
    ("Q2_K", 10, 256, 84, &[80, 82]),
    ("Q3_K", 11, 256, 110, &[108]),
    ("Q4_K", 12, 256, 144, &[0, 2]),
    ("Q5_K", 13, 256, 176, &[0, 2]),
    ("Q6_K", 14, 256, 210, &[208]),
    ("IQ4_NL", 20, 32, 18, &[0]),
    ("IQ4_XS", 23, 256, 136, &[0]),
];

/// A Llama of one block whose matrices are of the kind at `index`.
pub fn quantized(index: usize) -> Gguf {
    let mut gguf = Gguf::llama(256, 512);
    gguf.set("llama.context_length", 1024);
    let mut numbers = Numbers(7 + index as u64);
    for tensor in &mut gguf.tensors {
        if tensor.shape.len() == 2 && tensor.name != b"token_embd.weight" {
            quantize(tensor, index, &mut numbers);
        } else {
            float(tensor, &mut numbers);
        }
    }
    gguf
}

/// A Gemma 2 of two blocks, the first of which attends to a window of 48 tokens.
pub fn sliding_window() -> Gguf {
    let mut gguf = Gguf::llama(64, 128);
    for (key, _) in &mut gguf.metadata {
        if let Some(rest) = key.strip_prefix(b"llama.") {
            *key = [b"gemma2.", rest].concat();
        }
    }
    for (key, value) in [
        ("general.architecture", Value::from("gemma2")),
        ("gemma2.context_length", 1024.into()),
        ("gemma2.block_count", 2.into()),
        ("gemma2.attention.sliding_window", 48.into()),
        ("gemma2.attention.key_length", 32.into()),
        ("gemma2.attention.value_length", 32.into()),
        ("gemma2.attn_logit_softcapping", 50.0.into()),
        ("gemma2.final_logit_softcapping", 30.0.into()),
    ] {
        gguf.set(key, value);
    }
    gguf.tensor("blk.0.post_attention_norm.weight", &[64], 0);
    gguf.tensor("blk.0.post_ffw_norm.weight", &[64], 0);
    let first: Vec<Tensor> =
        gguf.tensors.iter().filter(|tensor| tensor.name.starts_with(b"blk.0.")).cloned().collect();
    gguf.tensors.extend(first.into_iter().map(|tensor| {
        let name = [b"blk.1.", &tensor.name[6..]].concat();
        Tensor { name, ..tensor }
    }));
    floats(gguf, 1)
}

/// A Mamba of one block: no attention, and a memory that cannot drop a part.
pub fn recurrent() -> Gguf {
    let mut gguf = Gguf::llama(32, 64);
    gguf.metadata.retain(|(key, _)| !key.starts_with(b"llama."));
    for (key, value) in [
        ("general.architecture", Value::from("mamba")),
        ("mamba.context_length", 1024.into()),
        ("mamba.embedding_length", 32.into()),
        ("mamba.feed_forward_length", 0.into()),
        ("mamba.attention.head_count", 0.into()),
        ("mamba.block_count", 1.into()),
        ("mamba.ssm.conv_kernel", 4.into()),
        ("mamba.ssm.inner_size", 64.into()),
        ("mamba.ssm.state_size", 16.into()),
        ("mamba.ssm.time_step_rank", 2.into()),
        ("mamba.attention.layer_norm_rms_epsilon", 1e-5.into()),
    ] {
        gguf.set(key, value);
    }
    gguf.tensors.retain(|tensor| !tensor.name.starts_with(b"blk."));
    for (name, shape) in [
        ("attn_norm.weight", &[32][..]),
        ("ssm_in.weight", &[32, 128]),
        ("ssm_conv1d.weight", &[4, 64]),
        ("ssm_conv1d.bias", &[64]),
        ("ssm_x.weight", &[64, 34]),
        ("ssm_dt.weight", &[2, 64]),
        ("ssm_dt.bias", &[64]),
        ("ssm_a", &[16, 64]),
        ("ssm_d", &[64]),
        ("ssm_out.weight", &[64, 32]),
    ] {
        gguf.tensor(&format!("blk.0.{name}"), shape, 0);
    }
    let mut gguf = floats(gguf, 2);
    // A state decays.
    let decay = (0..16 * 64).flat_map(|index| (-0.1 - (index % 16) as f32).to_le_bytes()).collect();
    gguf.find("blk.0.ssm_a").data = decay;
    gguf
}

fn floats(mut gguf: Gguf, seed: u64) -> Gguf {
    let mut numbers = Numbers(seed);
    gguf.tensors.iter_mut().for_each(|tensor| float(tensor, &mut numbers));
    gguf
}

/// SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From -0.5 to 0.5.
    fn weight(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    }
}

/// Random values: of a norm (a vector) around 1, of a matrix around 0.
fn float(tensor: &mut Tensor, numbers: &mut Numbers) {
    let middle = if tensor.shape.len() == 1 { 1.0 } else { 0.0 };
    let count = tensor.shape.iter().product::<u64>();
    // Small enough that attention looks at many tokens.
    let values = (0..count).map(|_| middle + 0.3 * numbers.weight());
    tensor.data = match tensor.kind {
        0 => values.flat_map(f32::to_le_bytes).collect(),
        _ => values.flat_map(|value| half::f16::from_f32(value).to_le_bytes()).collect(),
    };
}

fn quantize(tensor: &mut Tensor, index: usize, numbers: &mut Numbers) {
    let (_, kind, weights, bytes, scales) = KINDS[index];
    let blocks = tensor.shape.iter().product::<u64>() as usize / weights;
    let mut data: Vec<u8> = (0..blocks * bytes).map(|_| numbers.next() as u8).collect();
    for block in data.chunks_mut(bytes) {
        for &at in scales {
            let most = match weights {
                1 => 0.3,
                32 => 0.005,
                _ => 0.0003,
            };
            let scale = most * numbers.weight();
            block[at..at + 2].copy_from_slice(&half::f16::from_f32(scale).to_le_bytes());
        }
    }
    (tensor.kind, tensor.data) = (kind, data);
}
