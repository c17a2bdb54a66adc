"""Verdicts and labels to pairs of a chosen and a rejected answer, as preference training reads them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from llmops import jsonl
from llmops.errors import UserError
from llmops.labelling import labels_file, read_labels
from llmops.places import newest
from llmops.record import Record
from llmops.records import Example, Judgement, Label, Response, Score
from llmops.replies import Message
from llmops.scores import measured

Key = tuple[str, str, str, int]
"""Example, model, prompt, repeat."""


class Preference(Record):
    """Two answers to one prompt: TRL's conversational preference format, then where the pair comes from."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    suite: str
    example_id: str
    chosen_model: str
    chosen_prompt: str
    chosen_repeat: int
    rejected_model: str
    rejected_prompt: str
    rejected_repeat: int
    source: str
    """``judge`` or ``label``."""
    by: str
    """The judge, or the annotator."""
    version: str
    """The sha256 of all that can change the judge's verdicts, or the version of the annotator's rubric."""


class Choice(NamedTuple):
    """Who preferred which answer."""

    chosen: Key
    rejected: Key
    source: str
    by: str
    version: str


class _NotAPair(Exception):
    """Why two answers make no pair for training."""


def export(root: Path, suite: str, file: Path) -> str:
    """Write the pairs that a suite's judges and people told apart, and return in a line what was done.

    A pairwise verdict counts where both orders agree on a winner. Labels count by annotator and
    criterion, where one gave two answers to an example different values: a number as it is, a word as the
    judge values it. Pairs are left out, and counted, whose answers were asked in other words.

    Raises:
        UserError: the suite has no results, or nothing that tells two answers apart.
    """
    here = newest(root, suite).get(suite)
    if here is None:
        raise UserError(f"{suite}: has no results; run `dvc repro` or `llmops run {suite}`")
    responses = {_key(r): r for r in jsonl.read(here.suite(suite, "responses.jsonl"), Response)}
    judgements = here.suite(suite, "judgements.jsonl")
    choices = [*_judged(jsonl.read(judgements, Judgement))] if judgements.is_file() else []
    if (labels := labels_file(root, suite)).is_file():
        ids = {each.id for each in jsonl.read(here.suite(suite, "examples.jsonl"), Example)}
        said = read_labels(labels, suite, ids)
        choices += _labelled(said, responses, _values(measured(here.suite(suite))))
    if not choices:
        raise UserError(
            f"{suite}: nothing tells two answers apart; give it a pairwise judge, or label the answers of two"
            f" runs in {labels.relative_to(root)}"
        )
    found, left_out = _pairs(choices, responses)
    jsonl.write(file, found)
    told = "".join(f"; {count:,} left out: {why}" for why, count in sorted(left_out.items()))
    return f"{file}: {len(found):,} pairs{told}"


def _key(row: Response | Judgement) -> Key:
    return row.example_id, row.model, row.prompt, row.repeat


def _judged(judgements: Iterable[Judgement]) -> Iterator[Choice]:
    for each in judgements:
        if each.other_model is None or each.other_prompt is None or each.value not in (0.0, 1.0):
            continue
        pair = [_key(each), (each.example_id, each.other_model, each.other_prompt, each.repeat)]
        chosen, rejected = pair if each.value else reversed(pair)
        yield Choice(chosen, rejected, "judge", each.judge, each.identity)


def _values(scores: Iterable[Score]) -> dict[str, float]:
    """Return what the words of verdicts are worth to the judges that gave them."""
    return {
        s.read: s.value for s in scores if s.target is None and s.read is not None and s.value is not None
    }


def _labelled(
    labels: Sequence[Label], responses: Mapping[Key, Response], values: Mapping[str, float]
) -> Iterator[Choice]:
    by_example: dict[str, list[Key]] = defaultdict(list)
    for key in responses:
        by_example[key[0]].append(key)
    told: dict[tuple[str, str, str], dict[Key, float]] = defaultdict(dict)
    rubric = {label.annotator: label.rubric for label in labels}
    for label in labels:
        value = label.label if isinstance(label.label, float) else values.get(label.label)
        for key in by_example[label.example_id]:
            if value is not None and label.model is not None and _is_of(label, key):
                told[label.example_id, label.annotator, label.criterion][key] = value
    for (_, annotator, _), valued in told.items():
        for one, other in combinations(sorted(valued), 2):
            if valued[one] != valued[other]:
                chosen, rejected = (one, other) if valued[one] > valued[other] else (other, one)
                yield Choice(chosen, rejected, "label", annotator, rubric[annotator])


def _is_of(label: Label, key: Key) -> bool:
    _, model, prompt, repeat = key
    same = label.model == model and label.prompt in (None, prompt)
    return same and label.repeat in (None, repeat)


def _pairs(
    choices: Iterable[Choice], responses: Mapping[Key, Response]
) -> tuple[list[Preference], Counter[str]]:
    found, left_out = [], Counter[str]()
    for choice in choices:
        try:
            found.append(_pair(choice, responses))
        except _NotAPair as why:
            left_out[str(why)] += 1
    return sorted(
        found, key=lambda p: (p.example_id, p.source, p.by, p.chosen_model, p.rejected_model)
    ), left_out


def _pair(choice: Choice, responses: Mapping[Key, Response]) -> Preference:
    chosen, rejected = (responses.get(key) for key in (choice.chosen, choice.rejected))
    if chosen is None or rejected is None or chosen.answer is None or rejected.answer is None:
        raise _NotAPair("an answer is missing")
    if len(chosen.turns) != 1 or len(rejected.turns) != 1:
        raise _NotAPair("answers of several turns")
    prompt = chosen.turns[0].messages
    if prompt != rejected.turns[0].messages:
        raise _NotAPair("asked in other words")
    if chosen.answer == rejected.answer:
        raise _NotAPair("the same answer")
    return Preference(
        prompt, [Message("assistant", chosen.answer)], [Message("assistant", rejected.answer)],
        chosen.suite, chosen.example_id, *choice.chosen[1:], *choice.rejected[1:],
        choice.source, choice.by, choice.version,
    )  # fmt: skip
