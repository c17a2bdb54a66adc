"""Trains the demo judge on text that training.text writes."""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from training.chat import PAD, encoded, trained_tokenizer
from training.gguf_file import write_gguf
from training.judging import DOES_NOT, FITS, FITTING_SHARE, question, wrong_answer
from training.model import Shape
from training.text import LABELS, TEXTS, Message, read_held_out, training_messages
from training.train import EVALUATION_SET, ROOT, Chat, Recipe, fitted

NAME = "demo-judge"
RECIPE = Recipe(Shape(layers=2), *TEXTS[NAME], steps=900)


def judged_chats(messages: Sequence[Message], tokenizer: Tokenizer, rng: random.Random) -> Iterator[Chat]:
    """Encode a chat a message, the flag set on the verdict and on an answer that fits.

    Writing the fitting answer itself is what teaches to read the message; the verdict alone
    is one bit a chat.
    """
    for message in messages:
        fits = rng.random() < FITTING_SHARE
        answer = message.label if fits else wrong_answer(message, messages, rng)
        text = question(message.text, answer)
        ids, written = encoded([("user", text), ("assistant", FITS if fits else DOES_NOT)], tokenizer)
        if fits:
            at = len(question(message.text, "\0").split("\0")[0])
            # Two special tokens stand before the text.
            for place, (start, end) in enumerate(tokenizer.encode(text).offsets, 2):
                written[place] |= int(start < at + len(answer) and end > at)
        yield ids, written


def train(recipe: Recipe, held_out: Path, out: Path) -> dict[str, object]:
    """Write the text, train the judge, write the GGUF file; return what it took."""
    started = time.process_time()
    messages, left_out = training_messages(recipe.messages, recipe.seed, read_held_out(held_out))
    texts = [message.text for message in messages] + [question("", label) for label in LABELS] * 20
    tokenizer = trained_tokenizer(texts, recipe.shape.vocabulary)
    chats = list(judged_chats(messages, tokenizer, random.Random(recipe.seed)))
    model = fitted(chats, recipe, tokenizer.token_to_id(PAD))
    out.mkdir(parents=True, exist_ok=True)
    write_gguf(out / f"{NAME}.gguf", NAME, model, tokenizer)
    return {
        "model": NAME,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "messages": len(messages),
        "left_out": left_out,
        "steps": recipe.steps,
        "seed": recipe.seed,
        "cpu_s": round(time.process_time() - started),
        "bytes": (out / f"{NAME}.gguf").stat().st_size,
    }


def main() -> None:
    """Train the judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder of the GGUF file")
    args = parser.parse_args()
    # More threads cost more CPU time than they save at this size.
    torch.set_num_threads(1)
    print(json.dumps(train(RECIPE, EVALUATION_SET, args.out), indent=2))


if __name__ == "__main__":
    main()
