"""`llmops leaks`: which of a suite's examples stand in its few-shot text, or in a training text."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from llmops import jsonl
from llmops.cards.card import load_card
from llmops.cards.examples import read_examples
from llmops.errors import UserError
from llmops.leakage import Leak, Text, leaks
from llmops.places import Places
from llmops.prompts import load_prompt
from llmops.records import Example
from llmops.stages import fetch
from llmops.suites import load_suite
from llmops.table import READERS, rows

SHOWN = 80
"""Characters of a text that a line shows."""


def main(places: Places, name: str, against: list[Path], threshold: float) -> int:
    """Print each example that leaks, with where it stands most alike; return the exit code: 1 if any does.

    Args:
        against: further texts, e.g. what a model was trained on.
        threshold: the least similarity that is told, 0 to 1.
    """
    suite = load_suite(places.root, name)
    fetch.main(places, [name])
    card = load_card(places.root, suite.dataset)
    examples = [example for _, example in read_examples(card, places.raw(card.name))]
    others = [text for prompt in suite.prompts for text in prompt_texts(places.root, prompt)]
    others += [text for path in against for text in file_texts(path)]
    texts = [text for example in examples for text in example_texts(example)]
    found = _most_alike(leaks(texts, others, threshold))
    jsonl.write(places.suite(name, "leaks.jsonl"), found)
    for leak in found:
        how = "exactly" if leak.similarity == 1 else f"nearly ({leak.similarity})"
        click.echo(f"{leak.example}: stands {how} in {leak.found}: {_shown(leak.text)}")
    click.echo(
        f"{name}: {len(found):,} leaks of {len(examples):,} examples into {len(others):,} texts, "
        f"similarity {threshold} or more"
    )
    return 1 if found else 0


def example_texts(example: Example) -> Iterator[Text]:
    """Yield the example's inputs that are text, each as ``id field``."""
    for field, value in example.inputs.items():
        if isinstance(value, str):
            yield Text(f"{example.id} {field}", value)


def prompt_texts(root: Path, name: str) -> Iterator[Text]:
    """Yield a prompt's messages and few-shot turns, each at the line that it begins on."""
    prompt = load_prompt(root, name)
    lines = (root / prompt.path).read_text(encoding="utf-8").split("\n")
    for message in prompt.templates:
        first = message.content.strip().partition("\n")[0]
        line = next((number for number, text in enumerate(lines, 1) if first and first in text), 1)
        yield Text(f"{prompt.path}:{line}", message.content)


def file_texts(path: Path) -> Iterator[Text]:
    """Yield a file's texts: of rows, every text in them; of any other file, its blocks between blank lines.

    Raises:
        UserError: no such file, or it cannot be read.
    """
    endings = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if endings and endings[-1] in READERS:
        yield from (Text(f"{path}:{line}", text) for line, row in rows(path) for text in _inside(row))
        return
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; name one that exists") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8; save the file as UTF-8") from None
    yield from _blocks(path, lines)


def _blocks(path: Path, lines: Iterable[str]) -> Iterator[Text]:
    block: list[str] = []
    start = 1
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            start = start if block else number
            block.append(line)
        elif block:
            yield Text(f"{path}:{start}", "\n".join(block))
            block = []


def _inside(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _inside(inner)


def _most_alike(found: Iterable[Leak]) -> list[Leak]:
    best: dict[str, Leak] = {}
    for leak in found:
        if leak.example not in best or leak.similarity > best[leak.example].similarity:
            best[leak.example] = leak
    return sorted(best.values(), key=lambda leak: -leak.similarity)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= SHOWN else line[: SHOWN - 1] + "…")
