"""What asking and scoring load, and what the benchmarks of it count: real processes, a real server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import engine
from llmops import jsonl
from llmops.places import Places
from llmops.records import Example, Score
from llmops.stages import fetch, validate

ROOT = Path(__file__).resolve().parent.parent
COUNT = 12
NEEDLESS = ("evaluate", "datasets", "great_expectations", "mlflow", "pandas", "pyarrow", "scipy", "streamlit")
"""Libraries that take seconds to load, and that neither asking nor scoring has a use for."""
LOADED = f"""
import sys
from llmops.cli import main
main(sys.argv[1:])
print([name for name in {NEEDLESS} if name in sys.modules])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The benchmark's project with a few questions, settings for its server, which runs meanwhile."""
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    engine.written(tmp_path)
    rows = [{"question": f"How much are {i} parcels and 7 more?", "answer": i + 7} for i in range(COUNT)]
    jsonl.write(tmp_path / "data" / "sets" / "parcels" / "rows.jsonl", rows)
    case = engine.CASES[1]
    engine.settle(tmp_path, case, "http://127.0.0.1:1/v1")
    fetch.main(Places(tmp_path), ["parcels"])
    validate.main(Places(tmp_path), "parcels")
    said = [{"question": row["question"], "answer": f"So the answer is {row['answer']}."} for row in rows]
    said[0]["answer"] = "I would say eight."
    jsonl.write(tmp_path / "answers.jsonl", said)
    with engine.serving(tmp_path / "answers.jsonl", 0.0) as base_url:
        engine.settle(tmp_path, case, base_url)
        yield tmp_path


def test_asking_and_scoring_load_nothing_that_they_do_not_need(project: Path) -> None:
    for verb in ("generate", "score"):
        words = [sys.executable, "-c", LOADED, "--root", str(project), verb, "parcels"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
        assert done.stdout == "[]\n", verb
    scores = list(jsonl.read(Places(project).suite("parcels", "scores.jsonl"), Score))
    assert [score.value for score in scores] == [None, *[1.0] * (COUNT - 1)]


def test_the_bare_loop_asks_what_the_suite_asks(project: Path) -> None:
    examples = list(jsonl.read(Places(project).suite("parcels", "examples.jsonl"), Example))
    jsonl.write(project / "questions.jsonl", ({"question": e.inputs["question"]} for e in examples))
    url = (project / "params.yaml").read_text(encoding="utf-8").partition("base_url: ")[2].split()[0]
    out = project / "bare.jsonl"
    took = engine.took(
        [sys.executable, "-m", "benchmarks.bare_loop", url, str(project / "questions.jsonl"), "4", str(out)]
    )
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert all(asked_s < had_s for _, asked_s, had_s in rows)
    assert [text for text, _, _ in rows] == [
        "I would say eight.",
        *(f"So the answer is {i + 7}." for i in range(1, COUNT)),
    ]
    assert took.cpu_s > 0


def test_a_line_counts_from_the_floor_that_the_latency_makes() -> None:
    line = engine.Line("ours", engine.Took(8.4, 1.319), 0.5)
    assert engine.shown(line, engine.CASES[0], 1319) == "| ours | 8.40 | 2.00 | – | 157 | 1.00 | 50.0 % |"
    alone = line._replace(asking_s=6.3)
    assert engine.shown(alone, engine.CASES[0], 1319) == "| ours | 8.40 | 2.00 | 1.50 | 157 | 1.00 | 50.0 % |"


def test_the_benchmark_of_scoring_prints_its_table() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scored", "50"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.startswith("| metrics, 50 responses | seconds |")
    assert len(done.stdout.splitlines()) == 5
