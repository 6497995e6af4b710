"""The model: a small decoder in the Llama architecture, exactly as llama.cpp computes it.

In:  token ids.
Out: logits for chosen positions; the tensors by their GGUF names.

RMSNorm, rotary positions on interleaved pairs (llama.cpp's `llama` order, so no permutation at export), SwiGLU and an
output matrix tied to the embedding.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    width: int = 256
    layers: int = 5
    heads: int = 8
    feed_forward: int = 640
    context: int = 512
    rope_base: float = 10000.0
    epsilon: float = 1e-5


class Attention(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = shape.heads
        self.q = nn.Linear(shape.width, shape.width, bias=False)
        self.k = nn.Linear(shape.width, shape.width, bias=False)
        self.v = nn.Linear(shape.width, shape.width, bias=False)
        self.output = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, rotation: Tensor, mask: Tensor) -> Tensor:
        # Written out: for rows this short, compiled plain attention is faster on a CPU than the fused operator.
        batch, length, width = x.shape
        q, k, v = (part(x).view(batch, length, self.heads, -1) for part in (self.q, self.k, self.v))
        q, k = rotate(q, rotation).transpose(1, 2), rotate(k, rotation).transpose(1, 2)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + mask
        y = scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v.transpose(1, 2)
        return self.output(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.attn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.attn = Attention(shape)
        self.ffn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor, rotation: Tensor, mask: Tensor, keep: Tensor) -> Tensor:
        x = x + keep[0] * self.attn(self.attn_norm(x), rotation, mask)
        y = self.ffn_norm(x)
        return x + keep[1] * self.down(F.silu(self.gate(y)) * self.up(y))


class Model(nn.Module):
    """`base` and `case` come from the tokenizer: a piece's embedding is that of its lower-case form plus that of its
    case, so that a word means the same however it is written. The sum is what the GGUF file stores."""

    def __init__(self, shape: Shape, base: list[int], case: list[int], dropout: float = 0.0):
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.register_buffer("base", torch.tensor(base), persistent=False)
        self.register_buffer("case", torch.tensor(case), persistent=False)
        self.piece_embedding = nn.Embedding(len(base), shape.width)
        self.case_embedding = nn.Embedding(3, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.register_buffer("rotation", rotations(shape), persistent=False)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
        for block in self.blocks:
            for last in (block.attn.output, block.down):
                nn.init.normal_(last.weight, std=0.02 / (2 * shape.layers) ** 0.5)

    def embedding(self) -> Tensor:
        return self.piece_embedding.weight[self.base] + self.case_embedding.weight[self.case]

    def body(self, x: Tensor, rotation: Tensor, mask: Tensor, keep: Tensor) -> Tensor:
        for index, block in enumerate(self.blocks):
            x = block(x, rotation, mask, keep[index])
        return self.norm(x)

    def forward(self, ids: Tensor, chosen: Tensor | None = None) -> Tensor:
        """The logits at the positions where `chosen` is true, one row each, or at all."""
        batch, length = ids.shape
        x = self.piece_embedding(self.base[ids]) + self.case_embedding(self.case[ids])
        # What is dropped is dropped along the whole row: as good for short rows, and the masks cost next to nothing.
        keep = torch.ones(self.shape.layers, 2, batch, 1, self.shape.width)
        keep = F.dropout(keep, self.dropout, self.training)
        mask = torch.full((length, length), float("-inf")).triu(1)
        x = self.body(x, self.rotation[:length], mask, keep)
        return F.linear(x if chosen is None else x[chosen], self.embedding())

    def tensors(self) -> dict[str, Tensor]:
        """All weights by their names in a GGUF file."""
        tensors = {"token_embd.weight": self.embedding(), "output_norm.weight": self.norm.weight}
        for index, block in enumerate(self.blocks):
            parts = {
                "attn_norm": block.attn_norm, "attn_q": block.attn.q, "attn_k": block.attn.k, "attn_v": block.attn.v,
                "attn_output": block.attn.output, "ffn_norm": block.ffn_norm, "ffn_gate": block.gate,
                "ffn_up": block.up, "ffn_down": block.down,
            }  # fmt: skip
            tensors |= {f"blk.{index}.{name}.weight": part.weight for name, part in parts.items()}
        return {name: tensor.detach().float() for name, tensor in tensors.items()}


def rotations(shape: Shape) -> Tensor:
    """cos and sin for each position and pair: (context, 2, head width / 2)."""
    head = shape.width // shape.heads
    frequencies = shape.rope_base ** (-torch.arange(0, head, 2) / head)
    angles = torch.outer(torch.arange(shape.context), frequencies)
    return torch.stack((angles.cos(), angles.sin()), dim=1)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotary positions on neighbouring pairs of a (batch, length, heads, head width) tensor."""
    cos, sin = rotation[:, 0, None], rotation[:, 1, None]
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2).to(x.dtype)
