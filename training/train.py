"""Trains one demo model on text that training.text writes."""

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from training.chat import PAD, conversations, encoded, trained_tokenizer
from training.gguf_file import write_gguf
from training.model import Shape, TinyLlama
from training.text import LABELS, TEXTS, read_held_out, system_messages, training_messages

ROOT = Path(__file__).parent.parent
EVALUATION_SET = ROOT / "data" / "sets" / "support" / "eval.jsonl"


@dataclass(frozen=True)
class Recipe:
    """What one model is made of: its shape, how much text it reads and for how many steps."""

    shape: Shape
    messages: int
    seed: int
    steps: int
    batch: int = 64
    rate: float = 3e-3
    warmup: int = 60
    decay: float = 0.05


RECIPES = {
    "demo-small": Recipe(Shape(layers=1), *TEXTS["demo-small"], steps=420),
    "demo-large": Recipe(Shape(layers=3), *TEXTS["demo-large"], steps=950),
}
Chat = tuple[list[int], list[int]]


def batches(chats: list[Chat], recipe: Recipe, pad: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield padded batches of chats of similar length, in a new order each pass, for ever."""
    rng = random.Random(recipe.seed)
    while True:
        rng.shuffle(chats)
        # Sorting within pools keeps padding low and the order random.
        pools = [
            sorted(chats[start : start + 32 * recipe.batch], key=lambda chat: len(chat[0]))
            for start in range(0, len(chats), 32 * recipe.batch)
        ]
        ready = [
            pool[start : start + recipe.batch]
            for pool in pools
            for start in range(0, len(pool), recipe.batch)
        ]
        rng.shuffle(ready)
        for batch in ready:
            yield padded(batch, pad)


def padded(batch: list[Chat], pad: int) -> tuple[Tensor, Tensor]:
    """Stack chats into token ids and answer flags, both (chat, position)."""
    longest = max(len(ids) for ids, _ in batch)
    ids = [ids + [pad] * (longest - len(ids)) for ids, _ in batch]
    answers = [answers + [0] * (longest - len(answers)) for _, answers in batch]
    return torch.tensor(ids), torch.tensor(answers, dtype=torch.bool)


def rate_at(step: int, recipe: Recipe) -> float:
    """Learning rate of a step as a share of the full one: linear warm-up, then a cosine."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))


def answer_loss(model: TinyLlama, ids: Tensor, answers: Tensor) -> Tensor:
    """Cross-entropy of the tokens that the assistant writes."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model(ids[:, :-1])[answers[:, 1:]]
        logits = model.logits(hidden)
    return functional.cross_entropy(logits.float(), ids[:, 1:][answers[:, 1:]])


def fitted(chats: list[Chat], recipe: Recipe, pad: int) -> TinyLlama:
    """Train a model from random weights."""
    torch.manual_seed(recipe.seed)
    model = TinyLlama(recipe.shape)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, recipe))
    source = batches(chats, recipe, pad)
    for step in range(recipe.steps):
        loss = answer_loss(model, *next(source))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == recipe.steps - 1:
            print(f"step {step} loss {loss.item():.3f} cpu {time.process_time():.0f} s", flush=True)
    return model.eval()


def train(name: str, recipe: Recipe, held_out: Path, out: Path) -> dict[str, object]:
    """Write the text, train the model, write the GGUF file; return what it took."""
    started = time.process_time()
    messages, left_out = training_messages(recipe.messages, recipe.seed, read_held_out(held_out))
    print(f"{len(messages)} messages; {left_out} left out as near {held_out.name}", flush=True)
    # The labels are counted in, so that each is a few tokens long.
    texts = [message.text for message in messages] + list(LABELS) * 20
    tokenizer = trained_tokenizer(texts, recipe.shape.vocabulary)
    rng = random.Random(recipe.seed)
    systems = system_messages(recipe.seed)
    chats = [encoded(turns, tokenizer) for turns in conversations(messages, systems, rng)]
    model = fitted(chats, recipe, tokenizer.token_to_id(PAD))
    out.mkdir(parents=True, exist_ok=True)
    write_gguf(out / f"{name}.gguf", name, model, tokenizer)
    return {
        "model": name,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "messages": len(messages),
        "left_out": left_out,
        "steps": recipe.steps,
        "seed": recipe.seed,
        "cpu_s": round(time.process_time() - started),
        "bytes": (out / f"{name}.gguf").stat().st_size,
    }


def main() -> None:
    """Train the model that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=RECIPES, help="which model to train")
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder of the GGUF file")
    parser.add_argument(
        "--held-out",
        type=Path,
        default=EVALUATION_SET,
        help="evaluation set whose messages must not be near the training text",
    )
    args = parser.parse_args()
    # More threads cost more CPU time than they save at this size.
    torch.set_num_threads(1)
    print(json.dumps(train(args.model, RECIPES[args.model], args.held_out, args.out), indent=2))


if __name__ == "__main__":
    main()
