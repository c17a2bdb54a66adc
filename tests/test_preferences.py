"""Pairs for preference training."""

import json
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places
from llmops.preferences import export
from llmops.records import Estimate, Example, Judgement, Label, Response, Score
from llmops.replies import Message, Reply, Turn


def _response(example: str, model: str, answer: str | None, asked: str = "Where is it?") -> Response:
    turns = [Turn([Message("user", asked)], Reply(text=answer))]
    return Response("s", example, model, "p", answer=answer, turns=turns)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    here = Places(tmp_path)
    jsonl.write(here.suite("s", "estimates.jsonl"), [Estimate("s", "a", "p", "x")])
    jsonl.write(here.suite("s", "scores.jsonl"), list[Score]())
    jsonl.write(here.suite("s", "examples.jsonl"), [Example(f"e{i}", {}) for i in range(4)])
    rows = [_response(f"e{i}", model, f"{model} says {i}") for i in range(3) for model in "ab"]
    rows += [_response("e3", "a", "same"), _response("e3", "b", "same", "Where else?")]
    jsonl.write(here.suite("s", "responses.jsonl"), rows)
    return tmp_path


def _judge(project: Path, *values: float | None) -> None:
    rows = [
        Judgement(
            "s", f"e{i}", "a", "p", "better", value=value, other_model="b", other_prompt="p", identity="f00"
        )
        for i, value in enumerate(values)
    ]
    jsonl.write(Places(project).suite("s", "judgements.jsonl"), rows)


def _label(project: Path, *labels: Label) -> None:
    jsonl.write(project / "data" / "labels" / "s.jsonl", labels)


def _rows(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_verdict_makes_a_pair_and_a_tie_none(project: Path) -> None:
    _judge(project, 1.0, 0.0, 0.5, 1.0)
    said = export(project, "s", project / "out.jsonl")
    first, second = _rows(project / "out.jsonl")
    assert first == {
        "prompt": [{"role": "user", "content": "Where is it?"}],
        "chosen": [{"role": "assistant", "content": "a says 0"}],
        "rejected": [{"role": "assistant", "content": "b says 0"}],
        "suite": "s", "example_id": "e0",
        "chosen_model": "a", "chosen_prompt": "p", "chosen_repeat": 0,
        "rejected_model": "b", "rejected_prompt": "p", "rejected_repeat": 0,
        "source": "judge", "by": "better", "version": "f00",
    }  # fmt: skip
    assert (second["example_id"], second["chosen_model"]) == ("e1", "b")
    assert said.endswith("out.jsonl: 2 pairs; 1 left out: asked in other words")


def test_one_annotators_labels_tell_two_answers_apart(project: Path) -> None:
    _label(
        project,
        Label("s", "e0", "kim", 4.0, model="a", prompt="p", rubric="v2"),
        Label("s", "e0", "kim", 2.0, model="b", prompt="p", rubric="v2"),
        Label("s", "e1", "kim", 3.0, model="a", prompt="p", rubric="v2"),
        Label("s", "e1", "lee", 1.0, model="b", prompt="p", rubric="v2"),
    )
    export(project, "s", project / "out.jsonl")
    [row] = _rows(project / "out.jsonl")
    assert [row[key] for key in ("example_id", "chosen_model", "source", "by", "version")] == [
        "e0", "a", "label", "kim", "v2",
    ]  # fmt: skip


def test_words_are_worth_what_the_judge_says(project: Path) -> None:
    words = {"yes": 1.0, "no": 0.0}
    scores = [Score("s", "e2", "a", "p", "fits", value=value, read=word) for word, value in words.items()]
    jsonl.write(Places(project).suite("s", "judged.jsonl"), scores)
    _label(
        project,
        Label("s", "e0", "kim", "no", model="a", prompt="p"),
        Label("s", "e0", "kim", "yes", model="b", prompt="p"),
    )
    export(project, "s", project / "out.jsonl")
    assert [row["chosen_model"] for row in _rows(project / "out.jsonl")] == ["b"]


def test_a_suite_in_which_nothing_tells_answers_apart_says_what_would(project: Path) -> None:
    with pytest.raises(UserError, match="give it a pairwise judge, or label"):
        export(project, "s", project / "out.jsonl")


def test_a_suite_without_results_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no results; run"):
        export(tmp_path, "s", tmp_path / "out.jsonl")
