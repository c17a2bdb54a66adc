"""Answers joined with their scores: one row each, what changed, and what was taken for what."""

import json
from collections.abc import Iterable

import pandas as pd
from reading import Evaluation
from shown import candidate

from llmops.records import UNASKED, Example, Response, Score

LABEL_METRIC = "label_accuracy"
NOT_READ = {"error": "(error)", "unread": "(unread)"}
"""Stands for the label where an answer has none; in brackets, so that it is no label's name."""
OUTCOMES = ("right", "wrong", "partly", "unread", "error", "unasked", "no_target", "not_scored")


def answer_rows(evaluation: Evaluation, metric: str) -> pd.DataFrame:
    """Return a row for each response with its example and its score of one metric (None: not scored)."""
    examples = {example.id: example for example in evaluation.examples()}
    scores = {_key(score): score for score in evaluation.scores() if score.metric == metric}
    rows = [
        _answer_row(response, examples.get(response.example_id), scores.get(_key(response)))
        for response in evaluation.responses()
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    text = frame["example_id"] + "\n" + frame["input"] + "\n" + frame["target"] + "\n" + frame["answer"]
    return frame.assign(search=text.str.casefold())


_COLUMNS = (
    "example_id",
    "candidate",
    "repeat",
    "outcome",
    "value",
    "input",
    "answer",
    "read",
    "target",
    "reason",
)


def _key(row: Response | Score) -> tuple[str, str, str, int]:
    return row.example_id, row.model, row.prompt, row.repeat


def _answer_row(response: Response, example: Example | None, score: Score | None) -> tuple[object, ...]:
    target = example.target if example else None
    return (
        response.example_id,
        candidate(response.model, response.prompt),
        response.repeat,
        outcome(response, score),
        score.value if score else None,
        inputs_line(example),
        response.answer or "",
        (score.read if score else None) or "",
        target or "",
        _reason(response, score),
    )


def outcome(response: Response, score: Score | None) -> str:
    """Return one of ``OUTCOMES``."""
    if response.error:
        return "unasked" if response.error.kind in UNASKED else "error"
    if score is None:
        return "not_scored"
    if score.value is None:
        return score.missing or "not_scored"
    return {1.0: "right", 0.0: "wrong"}.get(score.value, "partly")


def _reason(response: Response, score: Score | None) -> str:
    if response.error:
        return f"{response.error.kind}: {response.error.message}"
    return (score.reason if score else None) or ""


def inputs_line(example: Example | None) -> str:
    """Return an example's inputs as one text, names left out."""
    return " ⏎ ".join(as_text(value) for value in example.inputs.values()) if example else ""


def as_text(value: object) -> str:
    """Return a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def in_slice(evaluation: Evaluation, slice_name: str) -> set[str]:
    """Return the ids of the examples in a slice such as ``language=ko``."""
    name, _, value = slice_name.partition("=")
    return {example.id for example in evaluation.examples() if example.slices.get(name) == value}


def slice_names(evaluation: Evaluation) -> list[str]:
    """Return every slice that the examples name, as ``name=value``."""
    return sorted(
        {f"{name}={value}" for each in evaluation.examples() for name, value in each.slices.items()}
    )


def confusions(evaluation: Evaluation, name: str) -> pd.DataFrame:
    """Return target, read and count for one model and prompt; ``share`` is of the target's answers."""
    pairs = [
        (
            score.target,
            score.read if score.read is not None else NOT_READ.get(score.missing or "", "(unread)"),
        )
        for score in evaluation.scores()
        if score.metric == LABEL_METRIC
        and score.target is not None
        and candidate(score.model, score.prompt) == name
    ]
    frame = pd.DataFrame(pairs, columns=["target", "read"])
    counted = frame.value_counts().reset_index(name="count")
    return counted.assign(share=counted["count"] / counted.groupby("target")["count"].transform("sum"))


def most_confused(pairs: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the rows between the ``limit`` labels with the most mistakes on either side."""
    mistakes = pairs[pairs["target"] != pairs["read"]]
    labels = sorted({*pairs["target"], *pairs["read"]} - set(NOT_READ.values()))
    weight = (
        mistakes.groupby("target")["count"].sum().add(mistakes.groupby("read")["count"].sum(), fill_value=0)
    )
    kept = sorted(labels, key=lambda label: -weight.get(label, 0))[:limit]
    return pairs[pairs["target"].isin(kept) & pairs["read"].isin([*kept, *NOT_READ.values()])]


def changes(evaluation: Evaluation, metric: str, name: str, baseline: str, unread: str) -> pd.DataFrame:
    """Return the examples scored differently from the baseline: what broke first.

    Repeats are averaged. An unread answer counts as 0 under the policy ``wrong``; an example without
    a value on either side is no pair.
    """
    rows = evaluation.derived(answer_rows, metric)
    after, before = _by_example(rows, name, unread), _by_example(rows, baseline, unread)
    both = after.merge(before, left_index=True, right_index=True, suffixes=("_after", "_before"))
    moved = both["value_after"] - both["value_before"]
    changed = both[moved != 0].assign(change=["broke" if step < 0 else "fixed" for step in moved[moved != 0]])
    named = changed.reset_index().rename(columns={"input_after": "input", "target_after": "target"})
    return named.sort_values(["change", "example_id"], ignore_index=True)[list(_CHANGE_COLUMNS)]


_CHANGE_COLUMNS = ("change", "example_id", "input", "target", "answer_before", "answer_after")


def _by_example(rows: pd.DataFrame, name: str, unread: str) -> pd.DataFrame:
    own = rows[rows["candidate"] == name]
    if unread == "wrong":
        own = own.assign(value=own["value"].mask(own["outcome"] == "unread", 0.0))
    first = own.groupby("example_id")[["input", "target", "answer"]].first()
    return first.join(own.groupby("example_id")["value"].mean()).dropna(subset="value")


def candidates(rows: Iterable[Response | Score]) -> list[str]:
    """Return every model · prompt, in the order of the file."""
    return list(dict.fromkeys(candidate(row.model, row.prompt) for row in rows))
