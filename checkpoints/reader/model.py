"""The model: BERT with a span head, exactly as llama.cpp computes it.

In:  rows of ids.
Out: for every token two scores, one for being the first token of the answer and one for being the last; the tensors by
     their GGUF names.

All tokens have type 0 and GELU is the tanh approximation, since llama.cpp's graph knows nothing else.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

MAX_ANSWER = 48  # tokens of an answer, at most
NOTHING = -1e4  # the score of what cannot be


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 30522
    width: int = 384
    layers: int = 6
    heads: int = 12
    feed_forward: int = 1536
    context: int = 512
    epsilon: float = 1e-12


class Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = shape.heads
        self.q = nn.Linear(shape.width, shape.width)
        self.k = nn.Linear(shape.width, shape.width)
        self.v = nn.Linear(shape.width, shape.width)
        self.output = nn.Linear(shape.width, shape.width)
        self.attn_norm = nn.LayerNorm(shape.width, shape.epsilon)
        self.up = nn.Linear(shape.width, shape.feed_forward)
        self.down = nn.Linear(shape.feed_forward, shape.width)
        self.ffn_norm = nn.LayerNorm(shape.width, shape.epsilon)

    def forward(self, x: Tensor, mask: Tensor, keep: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (part(x).view(batch, length, self.heads, -1).transpose(1, 2) for part in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(batch, length, width)
        x = self.attn_norm(x + keep[0] * self.output(y))
        return self.ffn_norm(x + keep[1] * self.down(F.gelu(self.up(x), approximate="tanh")))


class Reader(nn.Module):
    def __init__(self, shape: Shape = Shape(), dropout: float = 0.0):
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.context, shape.width)
        self.types = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, shape.epsilon)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.head = nn.Linear(shape.width, 2)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(rows, tokens, 2) scores of (rows, tokens) ids, of which the first `lengths` count."""
        length = ids.shape[1]
        x = self.norm(self.words(ids) + self.positions.weight[:length] + self.types.weight[0])
        padding = torch.arange(length, device=ids.device) >= lengths[:, None]
        mask = torch.zeros_like(padding, dtype=x.dtype).masked_fill(padding, float("-inf"))
        mask = mask[:, None, None].expand(-1, -1, length, -1)
        # What is dropped is dropped along the whole row: the masks cost next to nothing.
        keep = torch.ones(self.shape.layers, 2, len(ids), 1, self.shape.width, device=ids.device)
        keep = F.dropout(keep, self.dropout, self.training)
        for index, block in enumerate(self.blocks):
            x = block(x, mask, keep[index])
        return self.head(x).float()

    def tensors(self) -> dict[str, nn.Parameter]:
        """All parameters by their names in a GGUF file."""
        parts = {
            "token_embd": self.words, "position_embd": self.positions, "token_types": self.types,
            "token_embd_norm": self.norm, "cls.output": self.head,
        }  # fmt: skip
        for index, block in enumerate(self.blocks):
            names = {
                "attn_q": block.q, "attn_k": block.k, "attn_v": block.v, "attn_output": block.output,
                "attn_output_norm": block.attn_norm, "ffn_up": block.up, "ffn_down": block.down,
                "layer_output_norm": block.ffn_norm,
            }  # fmt: skip
            parts |= {f"blk.{index}.{name}": part for name, part in names.items()}
        return {f"{name}.{kind}": value for name, part in parts.items() for kind, value in part.named_parameters()}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        """Takes the weights of a GGUF file's names; those of the head may be missing."""
        for name, parameter in self.tensors().items():
            if name in tensors:
                parameter.copy_(tensors[name])
            elif not name.startswith("cls."):
                raise KeyError(name)


def pretrained(folder: Path) -> dict[str, Tensor]:
    """The weights of all-MiniLM-L6-v2, by GGUF names."""
    blocks = {
        "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
        "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
    }  # fmt: skip
    embeddings = {
        "word_embeddings": "token_embd", "position_embeddings": "position_embd",
        "token_type_embeddings": "token_types", "LayerNorm": "token_embd_norm",
    }  # fmt: skip
    tensors = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        place, _, kind = name.rpartition(".")
        room, _, rest = place.partition(".")
        if room == "embeddings" and rest in embeddings:
            tensors[f"{embeddings[rest]}.{kind}"] = tensor.float()
        elif room == "encoder":
            _, index, part = rest.split(".", 2)
            tensors[f"blk.{index}.{blocks[part]}.{kind}"] = tensor.float()
    return tensors


def possible(length: int, first: Tensor, lengths: Tensor) -> Tensor:
    """(rows, tokens): which tokens belong to the passage. It starts at `first` and ends before the last `[SEP]`."""
    places = torch.arange(length, device=first.device)
    return (places >= first[:, None]) & (places < lengths[:, None] - 1)


def span_scores(scores: Tensor, inside: Tensor) -> Tensor:
    """(rows, tokens, MAX_ANSWER): the score of the span that starts at a token and has 1, 2, ... tokens."""
    starts = scores[..., 0].masked_fill(~inside, NOTHING)
    ends = F.pad(scores[..., 1].masked_fill(~inside, NOTHING), (0, MAX_ANSWER - 1), value=NOTHING)
    return starts[..., None] + ends.unfold(1, MAX_ANSWER, 1)


def null_scores(scores: Tensor) -> Tensor:
    """(rows,): the score of there being no answer, that of the span (0, 0)."""
    return scores[:, 0].sum(-1)
