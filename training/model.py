"""A small Llama in the layout that llama.cpp reads."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

ROPE_BASE = 10_000.0
NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class Shape:
    """The dimensions of a model: widths must be multiples of 32 to be stored as Q8_0."""

    vocabulary: int = 4096
    width: int = 160
    heads: int = 5
    inner: int = 448
    layers: int = 3
    context: int = 512
    dropout: float = 0.1

    @property
    def head_width(self) -> int:
        """The width of one attention head."""
        return self.width // self.heads


def rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn neighbouring pairs of channels by their position (llama.cpp's order for Llama)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    pair = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return pair.flatten(-2)


class Block(nn.Module):
    """One layer: attention and a gated feed-forward part, each after a norm."""

    def __init__(self, shape: Shape) -> None:
        """Create the weights."""
        super().__init__()
        self.shape = shape
        self.attn_norm = nn.RMSNorm(shape.width, eps=NORM_EPSILON)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_v = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, eps=NORM_EPSILON)
        self.ffn_gate = nn.Linear(shape.width, shape.inner, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.inner, bias=False)
        self.ffn_down = nn.Linear(shape.inner, shape.width, bias=False)
        self.dropout = nn.Dropout(shape.dropout)

    def heads(self, x: Tensor) -> Tensor:
        """Split the channels into heads: (batch, head, position, channel)."""
        batch, length, _ = x.shape
        return x.view(batch, length, self.shape.heads, self.shape.head_width).transpose(1, 2)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Map (batch, position, width) to the same shape."""
        h = self.attn_norm(x)
        q = rotated(self.heads(self.attn_q(h)), cosine, sine)
        k = rotated(self.heads(self.attn_k(h)), cosine, sine)
        mixed = functional.scaled_dot_product_attention(q, k, self.heads(self.attn_v(h)), is_causal=True)
        x = x + self.dropout(self.attn_output(mixed.transpose(1, 2).flatten(-2)))
        h = self.ffn_norm(x)
        gated = functional.silu(self.ffn_gate(h)) * self.ffn_up(h)
        return x + self.dropout(self.ffn_down(gated))


class TinyLlama(nn.Module):
    """A Llama whose output weights are its token embeddings."""

    def __init__(self, shape: Shape) -> None:
        """Create the weights, small normal numbers throughout."""
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(shape.dropout)
        for weight in self.parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=0.03)

    def turns(self, length: int) -> tuple[Tensor, Tensor]:
        """Cosine and sine of each position's angles: (position, head width / 2)."""
        channels = torch.arange(0, self.shape.head_width, 2) / self.shape.head_width
        angles = torch.outer(torch.arange(length), ROPE_BASE**-channels)
        return angles.cos(), angles.sin()

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (batch, position) token ids to hidden states before the output weights."""
        cosine, sine = self.turns(tokens.shape[1])
        x = self.dropout(self.token_embd(tokens))
        for block in self.blk:
            x = block(x, cosine, sine)
        return self.output_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Score every token as the one that follows a hidden state."""
        return functional.linear(hidden, self.token_embd.weight)
