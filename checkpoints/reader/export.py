"""Export: from trained weights to one GGUF file that plain llama.cpp loads.

In:  `--run`, the folder that train.py wrote, with the calibration.json that evaluate.py wrote.
Out: `--out`, the GGUF file: matrices in Q8_0, the vectors of words in Q4_0 or Q8_0, all else in F32, with tokenizer,
     span head and calibration.

    python export.py --run run --out pinfold-reader-q8_0.gguf
"""

import argparse
import json
from pathlib import Path

import gguf
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter

import encode
from evaluate import STRIDE, WINDOW
from model import MAX_ANSWER, Shape

VERSION = "1.0"
DESCRIPTION = (
    "Finds the answer to a question in a passage, as a span of the passage, or says that there is none. "
    "all-MiniLM-L6-v2 fine-tuned for span extraction."
)
PLAIN = ("token_types.weight", "cls.output.weight")  # matrices of two rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", choices=("Q8_0", "F32"), default="Q8_0")
    parser.add_argument("--words", choices=("Q4_0", "Q5_0", "Q8_0", "F32"), default="Q4_0", help="the vectors of words")
    args = parser.parse_args()

    writer = GGUFWriter(args.out, "bert")
    write_metadata(writer, Shape(), args.type)
    write_tokenizer(writer)
    for key, value in json.loads((args.run / "calibration.json").read_text(encoding="utf-8")).items():
        writer.add_float32(f"pinfold.reader.{key}", value)
    writer.add_uint32("pinfold.reader.window", WINDOW)
    writer.add_uint32("pinfold.reader.stride", STRIDE)
    writer.add_uint32("pinfold.reader.max_answer", MAX_ANSWER)
    for name, tensor in torch.load(args.run / "model.pt", map_location="cpu").items():
        kind = Type[args.words if name == "token_embd.weight" else args.type]
        if tensor.ndim == 1 or name in PLAIN:
            kind = Type.F32
        values = tensor.float().numpy()
        if kind == Type.F32:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB")


def write_metadata(writer: GGUFWriter, shape: Shape, kind: str) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("Pinfold Reader")
    writer.add_basename("pinfold-reader")
    writer.add_version(VERSION)
    writer.add_description(DESCRIPTION)
    writer.add_license("Apache-2.0")
    writer.add_languages(["en"])
    writer.add_tags(["question-answering", "span-extraction"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if kind == "Q8_0" else gguf.LlamaFileType.ALL_F32)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_layer_norm_eps(shape.epsilon)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.NONE)
    writer.add_classifier_output_labels(["start", "end"])


def write_tokenizer(writer: GGUFWriter) -> None:
    """llama.cpp's WordPiece marks the pieces that begin a word, where the vocabulary marks those that go on."""
    pieces = (encode.base() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    names = {piece: id for id, piece in enumerate(pieces)}
    special = {names[f"[{name}]"] for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}

    def marked(piece: str) -> str:
        if piece.startswith("[") and piece.endswith("]"):
            return piece
        return piece[2:] if piece.startswith("##") else "\u2581" + piece

    types = [gguf.TokenType.CONTROL if id in special else gguf.TokenType.NORMAL for id in range(len(pieces))]
    writer.add_vocab_size(len(pieces))
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([marked(piece) for piece in pieces])
    writer.add_token_types(types)
    writer.add_token_type_count(2)
    writer.add_bos_token_id(names["[CLS]"])
    writer.add_sep_token_id(names["[SEP]"])
    writer.add_eos_token_id(names["[SEP]"])
    writer.add_unk_token_id(names["[UNK]"])
    writer.add_pad_token_id(names["[PAD]"])
    writer.add_mask_token_id(names["[MASK]"])


if __name__ == "__main__":
    main()
