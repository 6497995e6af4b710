//! Each class of defect, produced by hand: a small good file, one fault, and the code of the refusal.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::gguf::{Gguf, Value};
use pinfold::Error;
use pinfold::checkpoint::{self, Defect, Header};

fn refusal(bytes: &[u8]) -> Defect {
    match checkpoint::open_bytes("test", bytes) {
        Err(Error::BadCheckpoint { defect, .. }) => *defect,
        Err(other) => panic!("not a defect: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// One fault: its name, how it is made, and what is found.
type Case = (&'static str, fn(&mut Gguf), &'static str);

fn check(cases: &[Case]) {
    for (name, change, code) in cases {
        let mut gguf = Gguf::tiny_llama();
        change(&mut gguf);
        let bytes = gguf.bytes();
        match checkpoint::open_bytes("test", &bytes) {
            Err(Error::BadCheckpoint { defect, .. }) => {
                assert_eq!(defect.code(), *code, "{name}: {defect}");
                assert!(defect.to_string().len() < 600, "{name}: {defect}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn the_file_without_a_fault_passes() {
    let checkpoint = checkpoint::open_bytes("test", &Gguf::tiny_llama().bytes()).unwrap();
    assert_eq!(checkpoint.name(), Some("tiny"));
    assert_eq!(checkpoint.license(), Some("MIT"));
    assert_eq!(checkpoint.hyperparameters().vocabulary, 259);
    assert_eq!(checkpoint.chat_template(), None);
    let mut old = Gguf::tiny_llama();
    old.version = 2;
    checkpoint::open_bytes("version 2", &old.bytes()).unwrap();
}

#[test]
fn faults_of_the_container() {
    check(&[
        ("other magic", |g| g.magic = *b"GGML", "not-gguf"),
        ("version 0", |g| g.version = 0, "unsupported-version"),
        ("version 1", |g| g.version = 1, "unsupported-version"),
        ("version 4", |g| g.version = 4, "unsupported-version"),
        ("big-endian", |g| g.version = 3u32.swap_bytes(), "big-endian"),
        ("2^63 tensors", |g| g.counts = Some((1 << 63, 1)), "too-many"),
        ("2^64 - 1 keys", |g| g.counts = Some((1, u64::MAX)), "too-many"),
        ("more keys than bytes", |g| g.counts = Some((1, 60_000)), "truncated"),
        ("a key twice", |g| g.metadata.push((b"general.name".to_vec(), "x".into())), "duplicate-key"),
        ("an empty key", |g| g.metadata.push((vec![], "x".into())), "bad-text"),
        ("a NUL in a key", |g| g.metadata.push((b"a\0b".to_vec(), "x".into())), "bad-text"),
        ("a NUL in a text", |g| _ = g.set("general.name", "a\0b"), "bad-text"),
        ("a key that is not UTF-8", |g| g.metadata.push((vec![0xff], "x".into())), "bad-text"),
        ("a text that is not UTF-8", |g| _ = g.set("general.name", Value::Text(vec![0xc3])), "bad-text"),
        ("a key of 64 KiB", |g| g.metadata.push((vec![b'k'; 1 << 16], "x".into())), "text-too-long"),
        (
            "a type of value that does not exist",
            |g| _ = g.set("x", Value::Raw(13, vec![0; 8])),
            "unknown-value-type",
        ),
        ("a boolean of 2", |g| _ = g.set("x", Value::Raw(7, vec![2])), "bad-bool"),
        (
            "an array of arrays",
            |g| _ = g.set("x", Value::Raw(9, [9u32.to_le_bytes(); 3].concat())),
            "unknown-value-type",
        ),
        ("an array of 2^63", |g| _ = g.set("x", Value::Raw(9, array(4, 1 << 63))), "too-many"),
        ("an array beyond the end", |g| _ = g.set("x", Value::Raw(9, array(4, 1 << 20))), "truncated"),
        ("strings beyond the end", |g| _ = g.set("x", Value::Raw(9, array(8, 1 << 20))), "truncated"),
        ("a text beyond the end", |g| _ = g.set("x", Value::Raw(8, vec![0xff; 8])), "truncated"),
    ]);
}

fn array(kind: u32, count: u64) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &count.to_le_bytes()].concat()
}

#[test]
fn faults_of_the_tensor_list() {
    const Q: &str = "blk.0.attn_q.weight";
    check(&[
        ("a name of 64 bytes", |g| g.find(Q).name = vec![b'n'; 64], "text-too-long"),
        ("an empty name", |g| g.find(Q).name = vec![], "bad-text"),
        ("no dimension", |g| g.find(Q).shape = vec![], "bad-dimensions"),
        ("five dimensions", |g| g.find(Q).shape = vec![1; 5], "bad-dimensions"),
        ("a dimension of 0", |g| g.find(Q).shape = vec![8, 0], "bad-shape"),
        ("a dimension of 2^63", |g| g.find(Q).shape = vec![1 << 63], "bad-shape"),
        ("a product of 2^64", |g| g.find(Q).shape = vec![1 << 32, 1 << 32], "bad-shape"),
        ("bytes beyond 2^63", |g| g.find(Q).shape = vec![1 << 31, 1 << 31], "bad-shape"),
        ("type 4, removed", |g| g.find(Q).kind = 4, "unknown-tensor-kind"),
        ("type 43", |g| g.find(Q).kind = 43, "unknown-tensor-kind"),
        ("type -1", |g| g.find(Q).kind = u32::MAX, "unknown-tensor-kind"),
        ("8 elements of Q8_0", |g| g.find(Q).kind = 8, "partial-block"),
        ("alignment 0", |g| _ = g.set("general.alignment", 0), "bad-alignment"),
        ("alignment 8", |g| _ = g.set("general.alignment", 8), "bad-alignment"),
        ("alignment 48", |g| _ = g.set("general.alignment", 48), "bad-alignment"),
        ("alignment 2^31", |g| _ = g.set("general.alignment", 1 << 31), "bad-alignment"),
        ("alignment as a u64", |g| _ = g.set("general.alignment", Value::U64(32)), "wrong-value-type"),
        ("an offset of 1", |g| g.find(Q).offset = Some(1), "misaligned"),
        ("an offset of 0", |g| g.find(Q).offset = Some(0), "overlap"),
        ("an offset far away", |g| g.find(Q).offset = Some(1 << 40), "gap"),
        ("an offset of 2^64 - 32", |g| g.find(Q).offset = Some(u64::MAX - 31), "gap"),
        ("the last tensor cut", |g| _ = g.tensors.last_mut().unwrap().data.pop(), "beyond-end"),
        ("a tensor twice", |g| g.find(Q).name = b"blk.0.attn_norm.weight".to_vec(), "duplicate-tensor"),
        ("no tensor", |g| g.tensors.clear(), "no-tensors"),
    ]);
}

#[test]
fn files_that_are_something_else() {
    check(&[
        ("an adapter", |g| _ = g.set("general.type", "adapter"), "not-a-model"),
        ("a projector", |g| _ = g.set("general.type", "mmproj"), "not-a-model"),
        ("a type that is a number", |g| _ = g.set("general.type", 1), "wrong-value-type"),
        ("a part", |g| _ = g.set("split.count", Value::U16(3)), "split"),
        ("a count of parts as a text", |g| _ = g.set("split.count", "3"), "wrong-value-type"),
        ("an unknown architecture", |g| _ = g.set("general.architecture", "llamb"), "unknown-architecture"),
        (
            "a projector's architecture",
            |g| _ = g.set("general.architecture", "clip"),
            "unsupported-architecture",
        ),
        ("a drafting model", |g| _ = g.set("general.architecture", "eagle3"), "unsupported-architecture"),
        ("no architecture", |g| _ = g.remove("general.architecture"), "missing-key"),
        ("an architecture that is a number", |g| _ = g.set("general.architecture", 7), "wrong-value-type"),
    ]);
}

#[test]
fn faults_of_the_hyperparameters() {
    const HEADS: &str = "llama.attention.head_count";
    const KV: &str = "llama.attention.head_count_kv";
    const EPS: &str = "llama.attention.layer_norm_rms_epsilon";
    const ROPE: &str = "llama.rope.dimension_count";
    const BASE: &str = "llama.rope.freq_base";
    check(&[
        ("no block count", |g| _ = g.remove("llama.block_count"), "missing-key"),
        ("no blocks", |g| _ = g.set("llama.block_count", 0), "out-of-range"),
        ("513 blocks", |g| _ = g.set("llama.block_count", 513), "out-of-range"),
        ("2^32 - 1 blocks", |g| _ = g.set("llama.block_count", u32::MAX), "out-of-range"),
        ("a block count as a text", |g| _ = g.set("llama.block_count", "1"), "wrong-value-type"),
        (
            "a block count as an array",
            |g| _ = g.set("llama.block_count", Value::U32s(vec![1])),
            "wrong-value-type",
        ),
        ("a block count as an i32", |g| _ = g.set("llama.block_count", Value::I32(1)), "wrong-value-type"),
        ("a block without tensors", |g| _ = g.set("llama.block_count", 2), "missing-tensor"),
        (
            "a block too many",
            |g| g.find("blk.0.attn_q.weight").name = b"blk.1.attn_q.weight".to_vec(),
            "unexpected-tensor",
        ),
        ("width 0", |g| _ = g.set("llama.embedding_length", 0), "out-of-range"),
        ("width 16", |g| _ = g.set("llama.embedding_length", 16), "out-of-range"),
        ("context 0", |g| _ = g.set("llama.context_length", 0), "out-of-range"),
        ("context 2^32 - 1", |g| _ = g.set("llama.context_length", u32::MAX), "out-of-range"),
        ("no heads", |g| _ = g.set(HEADS, 0), "out-of-range"),
        ("3 heads of width 8", |g| _ = g.set(HEADS, 3), "out-of-range"),
        ("2^32 - 1 heads", |g| _ = g.set(HEADS, u32::MAX), "out-of-range"),
        ("heads for two blocks", |g| _ = g.set(HEADS, Value::U32s(vec![2, 2])), "wrong-length"),
        ("negative heads", |g| _ = g.set(HEADS, Value::I32s(vec![-2])), "out-of-range"),
        ("heads as a float", |g| _ = g.set(HEADS, 2.0), "wrong-value-type"),
        ("no KV heads", |g| _ = g.set(KV, 0), "out-of-range"),
        ("more KV heads than heads", |g| _ = g.set(KV, 4), "out-of-range"),
        ("KV heads that are no divisor", |g| _ = g.set(HEADS, 4).set(KV, 3), "out-of-range"),
        ("keys wider than values", |g| _ = g.set("llama.attention.key_length", 8), "contradiction"),
        ("key width 0", |g| _ = g.set("llama.attention.key_length", 0), "out-of-range"),
        ("epsilon NaN", |g| _ = g.set(EPS, f32::NAN), "out-of-range"),
        ("epsilon infinite", |g| _ = g.set(EPS, f32::INFINITY), "out-of-range"),
        ("epsilon negative", |g| _ = g.set(EPS, -1e-5), "out-of-range"),
        ("epsilon as a text", |g| _ = g.set(EPS, "1e-5"), "wrong-value-type"),
        ("rope dimensions odd", |g| _ = g.set(ROPE, 3), "out-of-range"),
        ("rope dimensions beyond a head", |g| _ = g.set(ROPE, 8), "out-of-range"),
        ("rope dimensions of half a head", |g| _ = g.set(ROPE, 2), "out-of-range"),
        ("no rope dimensions", |g| _ = g.set(ROPE, 0), "out-of-range"),
        ("rope base NaN", |g| _ = g.set(BASE, f32::NAN), "out-of-range"),
        ("rope base infinite", |g| _ = g.set(BASE, f32::INFINITY), "out-of-range"),
        ("rope base 0", |g| _ = g.set(BASE, 0.0), "out-of-range"),
        ("rope base negative", |g| _ = g.set(BASE, -1.0), "out-of-range"),
        ("an unknown rope scaling", |g| _ = g.set("llama.rope.scaling.type", "none "), "out-of-range"),
        ("rope factor NaN", |g| _ = g.set("llama.rope.scaling.factor", f32::NAN), "out-of-range"),
        ("1025 experts", |g| _ = g.set("llama.expert_count", 1025), "out-of-range"),
        ("experts, none used", |g| _ = g.set("llama.expert_count", 4), "out-of-range"),
        ("used experts, none there", |g| _ = g.set("llama.expert_used_count", 2), "out-of-range"),
        (
            "more used than there are",
            |g| _ = g.set("llama.expert_count", 2).set("llama.expert_used_count", 3),
            "out-of-range",
        ),
        ("groups without experts", |g| _ = g.set("llama.expert_group_count", 2), "out-of-range"),
        ("feed-forward width 2^32 - 1", |g| _ = g.set("llama.feed_forward_length", u32::MAX), "out-of-range"),
        ("feed-forward width wrong", |g| _ = g.set("llama.feed_forward_length", 32), "wrong-shape"),
        ("a pooling of 5", |g| _ = g.set("llama.pooling_type", 5), "out-of-range"),
        ("all blocks for drafting", |g| _ = g.set("llama.nextn_predict_layers", 1), "out-of-range"),
        ("another vocabulary size", |g| _ = g.set("llama.vocab_size", 9), "contradiction"),
    ]);
}

#[test]
fn faults_of_the_tensors() {
    const EMBEDDING: &str = "token_embd.weight";
    check(&[
        ("no embedding", |g| _ = g.without(EMBEDDING), "missing-tensor"),
        ("no norm", |g| _ = g.without("output_norm.weight"), "missing-tensor"),
        ("no keys", |g| _ = g.without("blk.0.attn_k.weight"), "missing-tensor"),
        ("an unknown tensor", |g| _ = g.tensor("blk.0.attn_x.weight", &[8, 8], 0), "unexpected-tensor"),
        (
            "a block that is no number",
            |g| _ = g.tensor("blk.x.attn_q.weight", &[8, 8], 0),
            "unexpected-tensor",
        ),
        (
            "a block with a zero in front",
            |g| _ = g.tensor("blk.00.attn_q.weight", &[8, 8], 0),
            "unexpected-tensor",
        ),
        ("one row more than tokens", |g| reshape(g, EMBEDDING, &[8, 260], 1), "wrong-shape"),
        ("the embedding turned", |g| reshape(g, EMBEDDING, &[259, 8], 1), "wrong-shape"),
        ("queries of another width", |g| reshape(g, "blk.0.attn_q.weight", &[8, 12], 0), "wrong-shape"),
        ("a third dimension", |g| reshape(g, "blk.0.attn_q.weight", &[8, 8, 2], 0), "wrong-shape"),
        ("a norm in half precision", |g| reshape(g, "blk.0.attn_norm.weight", &[8], 1), "wrong-tensor-kind"),
        ("an embedding of i32", |g| g.find("blk.0.attn_q.weight").kind = 26, "wrong-tensor-kind"),
    ]);
}

fn reshape(gguf: &mut Gguf, name: &str, shape: &[u64], kind: u32) {
    let place = gguf.tensors.iter().position(|tensor| tensor.name == name.as_bytes()).unwrap();
    gguf.tensor(name, shape, kind);
    gguf.tensors.swap_remove(place);
}

#[test]
fn faults_of_the_tokenizer() {
    const TOKENS: &str = "tokenizer.ggml.tokens";
    const SCORES: &str = "tokenizer.ggml.scores";
    const TYPES: &str = "tokenizer.ggml.token_type";
    fn tokens(gguf: &mut Gguf, change: fn(&mut Vec<Vec<u8>>)) {
        let mut tokens = common::gguf::tokens().0;
        change(&mut tokens);
        gguf.set(TOKENS, Value::Texts(tokens));
    }
    fn types(gguf: &mut Gguf, change: fn(&mut Vec<i32>)) {
        let mut types = common::gguf::tokens().1;
        change(&mut types);
        gguf.set(TYPES, Value::I32s(types));
    }
    check(&[
        ("no tokenizer", |g| _ = g.remove("tokenizer.ggml.model"), "no-tokenizer"),
        ("the tokenizer \"none\"", |g| _ = g.set("tokenizer.ggml.model", "none"), "no-tokenizer"),
        ("no tokens", |g| _ = g.remove(TOKENS), "no-tokenizer"),
        ("an empty vocabulary", |g| tokens(g, Vec::clear), "no-tokenizer"),
        ("a tokenizer that is a number", |g| _ = g.set("tokenizer.ggml.model", 1), "wrong-value-type"),
        ("an unknown tokenizer", |g| _ = g.set("tokenizer.ggml.model", "llama2"), "unknown-tokenizer"),
        ("BPE without merges", |g| _ = g.set("tokenizer.ggml.model", "gpt2"), "no-tokenizer"),
        (
            "BPE with unknown rules",
            |g| _ = g.set("tokenizer.ggml.model", "gpt2").set("tokenizer.ggml.pre", "x"),
            "unknown-tokenizer",
        ),
        (
            "BPE with a number as merges",
            |g| _ = g.set("tokenizer.ggml.model", "gpt2").set("tokenizer.ggml.merges", 1),
            "wrong-value-type",
        ),
        ("tokens that are numbers", |g| _ = g.set(TOKENS, Value::U32s(vec![1; 259])), "wrong-value-type"),
        ("one text as tokens", |g| _ = g.set(TOKENS, "tokens"), "wrong-value-type"),
        ("a token not UTF-8", |g| tokens(g, |t| t[5] = vec![0xff]), "bad-text"),
        ("a token twice", |g| tokens(g, |t| t[5] = t[6].clone()), "duplicate-token"),
        ("a token twice up to a NUL", |g| tokens(g, |t| t[0] = b"<s>\0x".to_vec()), "duplicate-token"),
        (
            "an empty token's other name",
            |g| tokens(g, |t| (t[0], t[1]) = (vec![], b"[EMPTY_0]".to_vec())),
            "duplicate-token",
        ),
        ("a token of 5,000 bytes", |g| tokens(g, |t| t[0] = vec![b'x'; 5000]), "bad-token"),
        ("byte 0x80 missing", |g| tokens(g, |t| t[3 + 0x80] = b"x".to_vec()), "bad-token"),
        (
            "byte 0x80 missing, by class too",
            |g| {
                tokens(g, |t| t[3 + 0x80] = b"x".to_vec());
                types(g, |t| t[3 + 0x80] = 1);
            },
            "missing-token",
        ),
        ("WordPiece with bytes", |g| _ = g.set("tokenizer.ggml.model", "bert"), "bad-token"),
        (
            "WordPiece without its tokens",
            |g| {
                g.set("tokenizer.ggml.model", "bert");
                types(g, |t| t.fill(1));
                tokens(g, |t| t.truncate(100));
                types(g, |t| *t = vec![1; 100]);
                g.set(SCORES, Value::F32s(vec![0.0; 100]));
                g.remove("tokenizer.ggml.bos_token_id");
            },
            "missing-token",
        ),
        ("RWKV without all bytes", |g| _ = g.set("tokenizer.ggml.model", "rwkv"), "missing-token"),
        (
            "RWKV with a broken escape",
            |g| {
                g.set("tokenizer.ggml.model", "rwkv");
                tokens(g, |t| t[0] = br"\x".to_vec());
            },
            "bad-token",
        ),
        (
            "unigram with a short table",
            |g| {
                g.set("tokenizer.ggml.model", "t5")
                    .set("tokenizer.ggml.precompiled_charsmap", Value::U8s(vec![1]));
            },
            "out-of-range",
        ),
        ("a class of 7", |g| types(g, |t| t[9] = 7), "bad-token"),
        ("a class of -1", |g| types(g, |t| t[9] = -1), "bad-token"),
        ("one class less", |g| types(g, |t| _ = t.pop()), "wrong-length"),
        ("classes as u32s", |g| _ = g.set(TYPES, Value::U32s(vec![1; 259])), "wrong-value-type"),
        ("one score more", |g| _ = g.set(SCORES, Value::F32s(vec![0.0; 260])), "wrong-length"),
        ("a score of NaN", |g| _ = g.set(SCORES, Value::F32s(vec![f32::NAN; 259])), "out-of-range"),
        ("bos outside", |g| _ = g.set("tokenizer.ggml.bos_token_id", 259), "special-token-outside"),
        ("eos outside", |g| _ = g.set("tokenizer.ggml.eos_token_id", 1 << 31), "special-token-outside"),
        ("eot outside", |g| _ = g.set("tokenizer.ggml.eot_token_id", 259), "special-token-outside"),
        ("unk outside", |g| _ = g.set("tokenizer.ggml.unknown_token_id", 259), "special-token-outside"),
        (
            "pad far outside",
            |g| _ = g.set("tokenizer.ggml.padding_token_id", 1 << 20),
            "special-token-outside",
        ),
        ("bos as a text", |g| _ = g.set("tokenizer.ggml.bos_token_id", "1"), "wrong-value-type"),
        ("add_bos as a number", |g| _ = g.set("tokenizer.ggml.add_bos_token", 1), "wrong-value-type"),
        (
            "a template of 2 MiB",
            |g| _ = g.set("tokenizer.chat_template", Value::Text(vec![b'x'; 2 << 20])),
            "out-of-range",
        ),
        (
            "a template as an array",
            |g| _ = g.set("tokenizer.chat_template", Value::Texts(vec![])),
            "wrong-value-type",
        ),
    ]);
}

/// What a rule of one architecture refuses, before the tensors are looked at.
#[test]
fn faults_of_single_architectures() {
    fn of(architecture: &str, change: impl Fn(&mut Gguf)) -> (String, Gguf) {
        let mut gguf = Gguf::tiny_llama();
        for (key, _) in &mut gguf.metadata {
            let name = String::from_utf8(key.clone()).unwrap();
            if let Some(rest) = name.strip_prefix("llama.") {
                *key = format!("{architecture}.{rest}").into();
            }
        }
        gguf.set("general.architecture", architecture);
        change(&mut gguf);
        (architecture.to_owned(), gguf)
    }
    let u32s = |numbers: &[u32]| Value::U32s(numbers.to_vec());
    let cases = [
        (of("smallthinker", |_| {}), "out-of-range"),
        (of("llada-moe", |_| {}), "out-of-range"),
        (of("paddleocr", |_| {}), "missing-key"),
        (of("qwen2vl", |g| _ = g.set("qwen2vl.rope.dimension_sections", u32s(&[0; 4]))), "out-of-range"),
        (of("afmoe", |_| {}), "missing-key"),
        (of("cohere2", |g| _ = g.set("cohere2.attention.sliding_window_pattern", 1)), "out-of-range"),
        (of("gemma-embedding", |_| {}), "out-of-range"),
        (of("gemma4", |_| {}), "missing-key"),
        (of("gemma4", |g| _ = g.set("gemma4.attention.sliding_window_pattern", u32s(&[0]))), "out-of-range"),
        (of("deepseek2", |g| _ = g.set("deepseek2.attention.key_length_mla", 4)), "out-of-range"),
        (of("minimax-m2", |_| {}), "missing-key"),
        (of("nanbeige", |g| _ = g.set("nanbeige.num_loops", 0)), "out-of-range"),
        (of("granitehybrid", |_| {}), "contradiction"),
        (of("plm", |_| {}), "out-of-range"),
        (of("chameleon", |_| {}), "out-of-range"),
        (of("rwkv6", |_| {}), "missing-key"),
        (of("qwen3next", |_| {}), "out-of-range"),
        (of("plamo2", |g| _ = g.set("plamo2.ssm.group_count", 1)), "out-of-range"),
        (of("t5", |_| {}), "missing-tensor"),
        (of("starcoder2", |g| _ = g.set("starcoder2.rope.dimension_count", 2)), "out-of-range"),
    ];
    for ((architecture, gguf), code) in cases {
        match checkpoint::open_bytes("test", &gguf.bytes()) {
            Err(Error::BadCheckpoint { defect, .. }) => {
                assert_eq!(defect.code(), code, "{architecture}: {defect}")
            }
            other => panic!("{architecture}: {other:?}"),
        }
    }
}

#[test]
fn what_converters_write_is_tolerated() {
    let pass: [fn(&mut Gguf); 6] = [
        |g| _ = g.set("tokenizer.ggml.padding_token_id", u32::MAX),
        |g| _ = g.set("tokenizer.ggml.padding_token_id", 259),
        |g| _ = g.set("llama.attention.head_count", Value::I32s(vec![2])),
        |g| _ = g.set("tokenizer.chat_template", "{{ messages }}"),
        |g| _ = g.set("general.tags", Value::Texts(vec![b"a".to_vec()])),
        |g| _ = g.remove("tokenizer.ggml.token_type").remove("tokenizer.ggml.scores"),
    ];
    for (index, change) in pass.into_iter().enumerate() {
        let mut gguf = Gguf::tiny_llama();
        change(&mut gguf);
        checkpoint::open_bytes("test", &gguf.bytes()).unwrap_or_else(|error| panic!("{index}: {error}"));
    }
}

#[test]
fn every_prefix_is_refused() {
    let bytes = Gguf::tiny_llama().bytes();
    for end in 0..bytes.len() {
        let code = refusal(&bytes[..end]).code();
        assert!(["truncated", "beyond-end"].contains(&code), "{end} bytes: {code}");
    }
}

#[test]
fn an_absurdly_large_header_is_refused_before_it_is_read() {
    let mut gguf = Gguf::tiny_llama();
    gguf.set("x", Value::Raw(8, (300u64 << 20).to_le_bytes().to_vec()));
    let header = gguf.header();
    // A file that claims to be long enough; it is never read so far.
    let defect = Header::read(&header[..], 1 << 40).unwrap().unwrap_err();
    assert_eq!(defect.code(), "text-too-long", "{defect}");
    gguf.set("x", Value::Raw(9, array(0, 1 << 20)));
    let defect = Header::read(&gguf.header()[..], 1 << 40).unwrap().unwrap_err();
    assert_eq!(defect.code(), "truncated", "the reader ends before its size: {defect}");
    gguf.set("x", Value::Raw(9, array(0, 256 << 20)));
    let defect = Header::read(&gguf.header()[..], 1 << 40).unwrap().unwrap_err();
    assert_eq!(defect.code(), "header-too-large", "{defect}");
}

#[test]
fn paths_that_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(checkpoint::open(folder.path()), Err(Error::Io { .. })), "a folder");
    assert!(matches!(checkpoint::open(folder.path().join("none")), Err(Error::Io { .. })), "no file");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, b"").unwrap();
    let Err(Error::BadCheckpoint { name, defect }) = checkpoint::open(&empty) else {
        panic!("an empty file")
    };
    assert_eq!((defect.code(), name), ("truncated", empty.display().to_string()));
}

#[test]
fn messages_say_what_and_where_and_print_safely() {
    let mut gguf = Gguf::tiny_llama();
    gguf.set("general.architecture", format!("\u{1b}[31m{}", "x".repeat(10_000)).as_str());
    let message = refusal(&gguf.bytes()).to_string();
    assert!(message.contains(r"\u{1b}[31m") && message.len() < 200, "{message}");
    let mut gguf = Gguf::tiny_llama();
    gguf.set("llama.attention.head_count_kv", 4);
    let message = refusal(&gguf.bytes()).to_string();
    assert_eq!(
        message,
        "key llama.attention.head_count_kv is 4: it must be a divisor of the 2 heads (block 0)"
    );
}
