import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.metrics.catalog import load_metric
from llmops.metrics.hub_name import hub_name

MODULE = """
import datasets
import evaluate


class Shouting(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        features = datasets.Features({"predictions": text, "references": text})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        capitals = [sum(map(str.isupper, text)) for text in predictions]
        return {"shouting": sum(capitals), "each": capitals, "answers": len(predictions)}
"""


def run(folder, code):
    env = {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HF_EVALUATE_OFFLINE": "1",
    }
    head = "from pathlib import Path\nfrom llmops.metrics.catalog import load_metric\nfrom llmops.metrics.measuring import compute\n"
    return subprocess.run(
        [sys.executable, "-c", head + code], env=env, cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_hubs_metric_gives_its_values_whether_together_or_one_by_one(tmp_path):
    (tmp_path / "shouting").mkdir()
    (tmp_path / "shouting" / "shouting.py").write_text(MODULE, encoding="utf-8")
    done = run(
        tmp_path,
        "for name in ('hub:shouting', 'hub:shouting:each'):\n"
        "    print(compute(load_metric(name, Path()), ['AB', 'a', 'C'], ['', '', '']))\n"
        "compute(load_metric('hub:shouting:f1', Path()), ['A'], [''])\n",
    )
    assert done.stdout.splitlines() == ["[2.0, 0.0, 1.0]"] * 2, done.stderr
    assert done.stderr.splitlines()[-1].endswith(
        "metrics: 'hub:shouting:f1' returns no 'f1'; it returns ['answers', 'each', 'shouting']: "
        "name one, like 'hub:shouting:answers'"
    )


def test_without_a_network_a_hubs_metric_is_refused_in_one_line(tmp_path):
    done = run(tmp_path, "compute(load_metric('hub:bertscore:f1', Path()), ['a'], ['b'])")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == (
        "llmops.errors.UserError: metrics: 'hub:bertscore:f1' cannot be fetched; "
        "it needs a network, and a name that the hub has"
    )


def test_a_hubs_name_has_its_parts():
    assert hub_name("hub:owner/space@a1b2:f1")[1:] == ("owner/space", "a1b2", "f1")
    assert hub_name("hub:owner/space")[1:] == ("owner/space", None, "space")
    metric = load_metric("hub:bertscore@v0.4.6:f1", Path())
    assert (metric.name, metric.version, metric.tasks) == ("hub:bertscore@v0.4.6:f1", "v0.4.6", None)
    assert metric.settings["from"].startswith("evaluate 0.4")


@pytest.mark.parametrize("name", ["hub:", "hub:a/b/c", "hub:../x", "hub:x:", "hub:x y"])
def test_what_names_no_metric_is_refused(name):
    with pytest.raises(UserError, match="names no metric; write it like"):
        load_metric(name, Path())


@pytest.mark.network
def test_a_metric_of_the_hub_measures():
    from llmops.metrics.measuring import compute

    assert compute(load_metric("hub:exact_match", Path()), ["a", "b"], ["a", "c"]) == [1.0, 0.0]
