"""Accepted baselines: who, why and over which examples; and baselines of another revision."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from llmops import jsonl
from llmops.acceptance import accept, acceptance
from llmops.baseline import Reference, reference
from llmops.errors import UserError
from llmops.places import Places
from llmops.records import Example, Score
from llmops.suites import Baseline, Suite

EXAMPLES = [Example(str(i), {"q": str(i)}, target="a") for i in range(4)]


def done(root: Path, *words: str) -> None:
    subprocess.run(words, cwd=root, check=True, capture_output=True)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    done(tmp_path, "git", "init", "--quiet")
    done(tmp_path, "git", "config", "user.name", "Ada")
    done(tmp_path, "git", "config", "user.email", "ada@example.org")
    write(Places(tmp_path), [1, 1, 0, 0])
    return Places(tmp_path)


def write(places: Places, values: list[int], examples: list[Example] = EXAMPLES) -> None:
    jsonl.write(places.suite("s", "examples.jsonl"), examples)
    jsonl.write(places.suite("s", "scores.jsonl"), scores(values))


def scores(values: list[int]) -> list[Score]:
    return [Score("s", str(i), "m", "p", "accuracy", value=float(v)) for i, v in enumerate(values)]


def held_to(places: Places, baseline: Baseline, examples: list[Example]) -> Reference:
    suite = Suite(
        dataset="d", task="label", prompts=["p"], models=["m"], metrics=["accuracy"], baseline=baseline
    )
    found = reference(places.root, suite, scores([1, 1, 1, 1]), examples)
    assert found
    return found


def test_an_accepted_baseline_says_who_why_and_over_which_examples(places: Places) -> None:
    path = accept(places, "s", "m", "p", "first release")
    told = acceptance(path)
    assert told
    assert (told.by, told.why, told.examples_sha256) == ("Ada", "first release", jsonl.sha256(EXAMPLES))
    found = held_to(places, Baseline(file="baselines/s.jsonl"), EXAMPLES)
    assert found == Reference("baselines/s.jsonl", scores([1, 1, 0, 0]))


def test_an_accepted_baseline_of_another_data_set_version_is_held_to_what_did_not_change(
    places: Places,
) -> None:
    accept(places, "s", "m", "p", "first release")
    today = [replace(EXAMPLES[0], inputs={"q": "new"}), *EXAMPLES[1:]]
    found = held_to(places, Baseline(file="baselines/s.jsonl"), today)
    assert [score.example_id for score in found.scores] == ["1", "2", "3"]
    assert "over the 3 of 4 examples that did not change" in found.note
    with pytest.raises(UserError, match="shares no unchanged example"):
        held_to(places, Baseline(file="baselines/s.jsonl"), [Example("9", {})])


def test_a_file_that_was_copied_by_hand_is_told_to_be_of_an_unknown_version(places: Places) -> None:
    jsonl.write(places.root / "baselines" / "s.jsonl", scores([1, 1, 0, 0]))
    found = held_to(places, Baseline(file="baselines/s.jsonl"), EXAMPLES)
    assert found.note == "nothing beside baselines/s.jsonl tells the data set's version; taken for this one"


def test_accepted_scores_that_were_edited_are_refused(places: Places) -> None:
    jsonl.write(accept(places, "s", "m", "p", "first release"), scores([0, 0, 0, 0]))
    with pytest.raises(UserError, match="is not what was accepted"):
        held_to(places, Baseline(file="baselines/s.jsonl"), EXAMPLES)


def test_a_run_that_was_not_scored_or_has_no_reason_is_not_accepted(places: Places) -> None:
    with pytest.raises(UserError, match=r"has no scores of x · p; runs are \['--model m --prompt p'\]"):
        accept(places, "s", "x", "p", "why not")
    with pytest.raises(UserError, match="--why: is empty"):
        accept(places, "s", "m", "p", " ")
    assert not (places.root / "baselines").exists()


def test_a_revision_is_a_baseline_from_the_cache_of_dvc(places: Places) -> None:
    dvc = [sys.executable, "-m", "dvc"]
    done(places.root, *dvc, "init", "--quiet")
    done(places.root, *dvc, "add", "results/s/scores.jsonl", "results/s/examples.jsonl")
    done(places.root, "git", "add", ".")
    done(places.root, "git", "commit", "--quiet", "-m", "first")
    done(places.root, "git", "tag", "v1")
    write(places, [0, 0, 0, 0])
    found = held_to(places, Baseline(revision="v1", model="m", prompt="p"), EXAMPLES)
    assert found == Reference("v1: m · p", scores([1, 1, 0, 0]))
    with pytest.raises(UserError, match=r"v9:results/s/scores.jsonl"):
        held_to(places, Baseline(revision="v9"), EXAMPLES)


def test_the_verb_says_what_to_write_into_the_settings(places: Places) -> None:
    words = [
        "--root",
        str(places.root),
        "baseline",
        "accept",
        "s",
        "--model",
        "m",
        "--prompt",
        "p",
        "--why",
        "ok",
    ]
    told = subprocess.run(
        [sys.executable, "-m", "llmops", *words], capture_output=True, text=True, check=True
    ).stdout
    assert "`baseline: {file: baselines/s.jsonl}`" in told
    assert json.loads((places.root / "baselines" / "s.accepted.json").read_bytes())["why"] == "ok"
