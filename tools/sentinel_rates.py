"""How often the sentinel fires on LLMDrift's answers: prints the table of docs/sentinel.md."""

import random
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from llmops import jsonl
from llmops.movement import Answers, Chances, movements, verdicts
from llmops.places import Places
from llmops.records import Response, Score
from llmops.sentinel import exit_code
from llmops.stages import fetch, generate, score, validate
from llmops.stats.proportion import proportion

SUITE = "llmdrift"
PAIRS = {
    "gpt-4": ("gpt-4-0314", "gpt-4-0613"),
    "gpt-3.5-turbo": ("gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"),
}
SIZES = (10, 15, 20, 30, 50)
NIGHTS = 200
Rows = dict[str, tuple[Response, list[Score]]]
"""Example id → its answer with its scores."""


def recorded(root: Path) -> dict[str, Rows]:
    """Return each model's recorded answers by example, from the project at ``root``."""
    places = Places(root, "runs/rates")
    fetch.main(places, [SUITE])
    validate.main(places, SUITE)
    generate.main(places, SUITE)
    score.main(places, SUITE)
    found: dict[str, Rows] = {}
    for response in jsonl.read(places.suite(SUITE, "responses.jsonl"), Response):
        found.setdefault(response.model, {})[response.example_id] = (response, [])
    for row in jsonl.read(places.suite(SUITE, "scores.jsonl"), Score):
        found[row.model][row.example_id][1].append(row)
    return found


def fires(then: Rows, now: Rows, night: int, canaries: int, *, swapped: bool) -> bool:
    """Tell whether random canaries raise an alarm; none moved where months are ``swapped`` at random."""
    draw = random.Random(night)
    names = draw.sample(sorted(then), canaries)
    turned = {name for name in names if swapped and draw.random() < 0.5}
    before = _answers((now if name in turned else then)[name] for name in names)
    after = _answers((then if name in turned else now)[name] for name in names)
    chances = Chances(resamples=2_000, seed=night)
    return exit_code(verdicts(SUITE, movements(before, before, after, chances), chances.alpha)) == 1


def _answers(rows: Iterable[tuple[Response, Sequence[Score]]]) -> Answers:
    known = list(rows)
    return Answers(
        [replace(response, model="gpt") for response, _ in known],
        [replace(row, model="gpt") for _, scores in known for row in scores],
    )


def rate(then: Rows, now: Rows, canaries: int, *, swapped: bool, nights: int = NIGHTS) -> tuple[int, str]:
    """Return on how many of ``nights`` it fires, and that as a share with its 95 % interval."""
    count = sum(fires(then, now, night, canaries, swapped=swapped) for night in range(nights))
    found = proportion(count, nights)
    return (
        count,
        f"{100 * count / nights:.1f} % [{100 * (found.low or 0):.1f}, {100 * (found.high or 0):.1f}]",
    )


def main() -> None:
    """Print the table, a row for each pair of models and number of canaries."""
    with TemporaryDirectory() as folder:
        for name in ("data/sets", "prompts", "data/expectations", "params.yaml"):
            copy = shutil.copytree if Path(name).is_dir() else shutil.copy
            copy(name, Path(folder, name))
        rows = recorded(Path(folder))
    lines = [
        "| model | canaries | fires: March to June | fires: months swapped | nights |",
        "|---|---|---|---|---|",
    ]
    for name, (old, new) in PAIRS.items():
        for canaries in SIZES:
            rates = [rate(rows[old], rows[new], canaries, swapped=swapped)[1] for swapped in (False, True)]
            lines.append(f"| {name} | {canaries} | {' | '.join(rates)} | {NIGHTS} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
