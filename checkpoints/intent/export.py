"""Export: from a training checkpoint to one GGUF file that any llama.cpp program runs.

In:  `--run`, the folder that train.py wrote.
Out: `--out`, the GGUF file: matrices in Q8_0, norms in F32, the tokenizer and the chat template.

    python export.py --run run --out pinfold-intent-q8_0.gguf
"""

import argparse
from pathlib import Path

import gguf
import torch

import tokenizer as tokens
from tokenizer import Tokenizer

VERSION = "1.0"
DESCRIPTION = (
    "Turns an English request to a device into compact JSON: the intent (one of seven) and the slots (39 types), with "
    "values copied from the request. Trained from scratch on the SNIPS requests."
)
# Only user and assistant turns count. The request stands twice, see tokenizer.encode_prompt. The template writes no
# BOS, and add_bos_token is false: a prompt starts with <|request|>.
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|request|>{{ message['content'] }}<|again|>{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}<|json|>{{ message['content'] }}</s>"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|json|>{% endif %}"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", choices=("Q8_0", "F32"), default="Q8_0")
    args = parser.parse_args()

    tokenizer = Tokenizer.load(args.run / "tokenizer.json")
    checkpoint = torch.load(args.run / "model.pt", map_location="cpu")
    writer = gguf.GGUFWriter(args.out, "llama")
    write_metadata(writer, checkpoint["shape"], args.type)
    write_tokenizer(writer, tokenizer)
    write_tensors(writer, checkpoint["tensors"], gguf.GGMLQuantizationType[args.type])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB")


def write_metadata(writer: gguf.GGUFWriter, shape: dict, kind: str) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("Pinfold Intent")
    writer.add_basename("pinfold-intent")
    writer.add_version(VERSION)
    writer.add_description(DESCRIPTION)
    writer.add_license("MIT OR Apache-2.0")
    writer.add_languages(["en"])
    writer.add_tags(["text-generation", "intent", "slots", "json"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if kind == "Q8_0" else gguf.LlamaFileType.ALL_F32)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["feed_forward"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["heads"])
    writer.add_layer_norm_rms_eps(shape["epsilon"])
    writer.add_rope_dimension_count(shape["width"] // shape["heads"])
    writer.add_rope_freq_base(shape["rope_base"])


def write_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    writer.add_vocab_size(len(tokenizer.pieces))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokenizer.pieces)
    writer.add_token_scores(tokenizer.scores)
    writer.add_token_types(tokenizer.types)
    writer.add_unk_token_id(tokens.UNKNOWN)
    writer.add_bos_token_id(tokens.BEGIN)
    writer.add_eos_token_id(tokens.END)
    writer.add_pad_token_id(tokens.END)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_remove_extra_whitespaces(False)
    writer.add_chat_template(TEMPLATE)


def write_tensors(writer: gguf.GGUFWriter, tensors: dict[str, torch.Tensor], kind: gguf.GGMLQuantizationType) -> None:
    for name, tensor in tensors.items():
        values = tensor.numpy()
        if values.ndim == 1 or kind == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)


if __name__ == "__main__":
    main()
