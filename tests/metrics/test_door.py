import math
import os
import subprocess
import sys
from pathlib import Path

import evaluate
import pytest

from llmops.errors import UserError
from llmops.metrics.catalog import METRICS
from llmops.metrics.door import as_evaluate
from llmops.metrics.measuring import compute
from llmops.metrics.metric import Metric
from llmops.metrics.unscored import Unscored

PAIRS = {"reads": ["1", "the 2", ""], "targets": ["1", "2", "3"]}
IFEVAL = ['{"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}']
CALLS = '[{"name": "look_up", "arguments": {"id": 1}}]'
OTHER_PAIRS = {
    "tool_call_match": ([CALLS, "look_up"], [CALLS, CALLS]),
    "numeric_match": (["1"], ["1.0"]),
    "json_schema": (["1", "x"], ['{"type": "string"}', "true"]),
    **{
        f"ifeval_{way}": (["a, b"], IFEVAL)
        for way in ("strict", "loose", "instruction_strict", "instruction_loose")
    },
    **{name: (['["a", "b"]', '["a"]'], ['["b"]', "[]"]) for name in ("mrr", "map", "ndcg")},
}
"""Of the metrics whose targets have a form of their own."""


def returning(value):
    return Metric("mine", lambda reads, targets: value, None, "what it is told")


@pytest.mark.parametrize("name", METRICS)
def test_values_that_went_through_evaluate_are_those_that_did_not(name):
    metric = METRICS[name]
    reads, targets = OTHER_PAIRS.get(name, tuple(PAIRS.values()))
    direct = compute(metric, reads, targets)
    assert direct == metric.function(reads, targets)
    through = as_evaluate(metric).compute(predictions=reads, references=targets)
    assert through["values"] == direct
    values = [value for value in direct if not isinstance(value, Unscored)]
    if not metric.corpus:
        assert through[name] == math.fsum(values) / len(values)


def test_an_unscored_pair_stays_out_of_the_mean_and_keeps_its_reason():
    found = as_evaluate(returning([1.0, Unscored("nothing there"), 0.0])).compute(
        predictions=PAIRS["reads"], references=PAIRS["targets"]
    )
    assert found == {"mine": 0.5, "values": [1.0, Unscored("nothing there"), 0.0]}


def test_evaluate_gives_the_mean_under_the_metrics_name():
    module = as_evaluate(METRICS["exact_match"])
    assert isinstance(module, evaluate.Metric)
    assert module.name == "exact_match"
    found = module.compute(predictions=["a", "b"], references=["a", "c"])
    assert found == {"exact_match": 0.5, "values": [1.0, 0.0]}


def test_batches_add_up():
    module = as_evaluate(METRICS["exact_match"])
    module.add_batch(predictions=["a"], references=["a"])
    module.add(prediction="b", reference="c")
    assert module.compute()["values"] == [1.0, 0.0]


def test_metrics_go_into_a_combination():
    both = evaluate.combine([as_evaluate(METRICS["exact_match"]), as_evaluate(METRICS["token_f1"])])
    assert both.compute(predictions=["a cat"], references=["the cat"]) == {
        "exact_match": 0.0,
        "exact_match_values": [0.0],
        "token_f1": 1.0,
        "token_f1_values": [1.0],
    }


def test_nothing_to_measure_asks_nobody():
    assert compute(returning([1, 2, 3]), [], []) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0], "metrics: 'mine' returned 1 values for 3 pairs; return one each"),
        ([1, 2, float("nan")], "metrics: 'mine' returned nan for pair 2; return finite numbers"),
        ([1, float("inf"), 2], "metrics: 'mine' returned inf for pair 1; return finite numbers"),
        ([1, None, 2], "metrics: 'mine' returned [1, None, 2]; return a list of numbers"),
        (0.5, "metrics: 'mine' returned 0.5; return a list of numbers"),
    ],
)
def test_a_metric_that_returns_something_else_is_refused(value, message):
    with pytest.raises(UserError) as refused:
        compute(returning(value), **PAIRS)
    assert str(refused.value) == message


def test_truth_values_count_as_1_and_0():
    assert compute(returning([True, False, True]), **PAIRS) == [1.0, 0.0, 1.0]


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="1 reads for 0 targets"):
        compute(METRICS["exact_match"], ["a"], [])


def test_measuring_prints_nothing_and_leaves_no_file(tmp_path):
    code = (
        "import sys\n"
        "from llmops.metrics.catalog import METRICS\n"
        "assert not {'evaluate', 'sacrebleu', 'numpy'} & set(sys.modules)\n"
        "from llmops.metrics.measuring import compute\n"
        "assert compute(METRICS['exact_match'], ['a'], ['b']) == [0.0]\n"
        "assert 'evaluate' not in sys.modules\n"
        "from llmops.metrics.door import as_evaluate\n"
        "as_evaluate(METRICS['exact_match']).compute(predictions=['a'], references=['b'])\n"
    )
    env = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
