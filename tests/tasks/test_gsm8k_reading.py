import json

import pytest

from llmops.metrics.match import numeric_match
from llmops.tasks.numerals import number

pytestmark = pytest.mark.real_data

PUBLISHED = {
    "6b_finetuning": 0.217,
    "6b_verification": 0.390,
    "175b_finetuning": 0.347,
    "175b_verification": 0.563,
}
"""Share of right answers by the data set's own labels (Cobbe et al. 2021, arXiv 2110.14168)."""


@pytest.fixture
def solutions(mirror):
    path = mirror / "gsm8k" / "example_model_solutions.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("system", PUBLISHED)
def test_every_recorded_answer_is_graded_as_the_data_set_grades_it(solutions, system):
    reads = [number(row[system]["solution"], []).text for row in solutions]
    targets = [number(row["ground_truth"], []).text for row in solutions]
    graded = [
        read is not None and numeric_match([read], [t]) == [1.0]
        for read, t in zip(reads, targets, strict=True)
    ]
    assert graded == [row[system]["is_correct"] for row in solutions]
    assert sum(graded) / len(graded) == pytest.approx(PUBLISHED[system], abs=0.0005)
