"""Writes a checkpoint with the shape of a real one and random weights, for measuring speed and memory.

In: the path to write. Out: a GGUF file of the Llama architecture: 24 layers, width 896, 14 heads, 2 KV
heads, FFN 4864, 32,000 tokens, all matrices Q4_0, 234 MB. Seeded: the same bytes on every run.

    python benches/make_checkpoint.py target/bench/shape-234mb.gguf
"""

import os
import sys

import gguf
import numpy

LAYERS, WIDTH, HEADS, KV_HEADS, FFN, VOCABULARY, CONTEXT = 24, 896, 14, 2, 4864, 32_000, 2048
KV_WIDTH = WIDTH // HEADS * KV_HEADS
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def tokenizer(writer):
    """A vocabulary of the right size: three special tokens, all bytes, and made-up pieces."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    pieces = [chr(ord("a") + n) for n in range(26)] + [f"▁t{n}" for n in range(VOCABULARY)]
    pieces = pieces[: VOCABULARY - len(tokens)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens + pieces)
    writer.add_token_scores([0.0] * len(tokens) + [-float(n) for n in range(len(pieces))])
    writer.add_token_types(types + [NORMAL] * len(pieces))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)


def main():
    path = sys.argv[1]
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    random = numpy.random.default_rng(7)
    writer = gguf.GGUFWriter(path + ".part", "llama")
    writer.add_name("shape of 234 MB, random weights")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    tokenizer(writer)

    def matrix(name, rows, columns):
        weights = random.standard_normal((rows, columns), dtype=numpy.float32) * 0.02
        kind = gguf.GGMLQuantizationType.Q4_0
        writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)

    def norm(name):
        writer.add_tensor(name, numpy.ones(WIDTH, dtype=numpy.float32))

    matrix("token_embd.weight", VOCABULARY, WIDTH)
    matrix("output.weight", VOCABULARY, WIDTH)
    norm("output_norm.weight")
    for layer in range(LAYERS):
        norm(f"blk.{layer}.attn_norm.weight")
        norm(f"blk.{layer}.ffn_norm.weight")
        matrix(f"blk.{layer}.attn_q.weight", WIDTH, WIDTH)
        matrix(f"blk.{layer}.attn_k.weight", KV_WIDTH, WIDTH)
        matrix(f"blk.{layer}.attn_v.weight", KV_WIDTH, WIDTH)
        matrix(f"blk.{layer}.attn_output.weight", WIDTH, WIDTH)
        matrix(f"blk.{layer}.ffn_gate.weight", FFN, WIDTH)
        matrix(f"blk.{layer}.ffn_up.weight", FFN, WIDTH)
        matrix(f"blk.{layer}.ffn_down.weight", WIDTH, FFN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.rename(path + ".part", path)


main()
