"""A run that its budget ends: what is there stays a fair estimate, and everything that shows it says so."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Estimate, Response, Score, Spend, Verdict
from tests.servers.behaviour import Behaviour
from tests.servers.started import Server, started

ROOT = Path(__file__).resolve().parent.parent
PARAMS = """
run: [tiny]
suites:
  tiny:
    dataset: tiny
    task: label
    prompts: [short]
    models: [bot]
    metrics: [label_accuracy]
    rules:
      - {{metric: missing_share, at_most: 0.02}}
      - {{metric: label_accuracy, at_least: 0.1}}
models:
  bot:
    kind: openai
    model: m
    base_url: '{url}'
    sampling: {{max_tokens: 3}}
    price: {{input_per_mtok_usd: 10, output_per_mtok_usd: 30}}
generate: {{budget_calls: 60, concurrency: 16}}
"""
STOPPED = "stopped by budget after 60 of 100 examples, drawn at random"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with started(Behaviour(latency_s=0.002)) as running:
        yield running


@pytest.fixture
def project(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [f"question {n} about a {'parcel' if n % 3 else 'refund'}" for n in range(100)]
    files = {
        "params.yaml": PARAMS.format(url=server.url),
        "prompts/short.yaml": "messages:\n- {role: user, content: '{{ question }}'}\n",
        "data/sets/tiny/card.yaml": "name: tiny\nlicence: internal\nfiles: [{path: rows.csv}]\n"
        "fields: {inputs: {question: q}, target: a}\nlabels: [parcel, refund]\n",
        "data/sets/tiny/rows.csv": "q,a\n" + "".join(f"{row},parcel\n" for row in rows),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "data" / "expectations", tmp_path / "data" / "expectations")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMOPS_STATE", raising=False)
    return tmp_path


def evaluated(project: Path) -> tuple[list[Response], dict[str, Estimate], list[Verdict]]:
    main(["fetch"])
    for verb in ("validate", "generate", "score", "compare", "gate"):
        main([verb, "tiny"])
    here = project / "results" / "tiny"
    estimates = jsonl.read(here / "estimates.jsonl", Estimate)
    return (
        list(jsonl.read(here / "responses.jsonl", Response)),
        {each.metric: each for each in estimates if each.slice == "all"},
        list(jsonl.read(here / "verdicts.jsonl", Verdict)),
    )


def test_a_run_that_its_budget_ends_is_a_fair_part_of_the_whole(
    project: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    asked_before = server.counts().requests
    responses, found, verdicts = evaluated(project)
    assert server.counts().requests - asked_before == 60
    assert " spent, 0 calls left, 0 stored" in capsys.readouterr().err

    accuracy = found["label_accuracy"]
    assert (accuracy.n, accuracy.missing, accuracy.unasked, accuracy.examples) == (60, 0, 40, 100)
    assert accuracy.low < 2 / 3 < accuracy.high  # two in three are right in the whole
    assert (found["missing_share"].value, found["error_share"].value) == (0.4, 0.0)
    asked = [response for response in responses if response.error is None]
    assert found["cost_usd"].value == pytest.approx(sum(r.cost_usd or 0 for r in asked))
    assert found["cost_usd"].reason is None

    places = [number for number, response in enumerate(responses) if response.error is None]
    assert places != list(range(60))
    assert min(places) < 10
    assert max(places) > 90
    scores = jsonl.read(project / "results" / "tiny" / "scores.jsonl", Score)
    assert sum(score.missing == "unasked" for score in scores) == 40

    by_metric = {verdict.metric: verdict for verdict in verdicts}
    assert by_metric["missing_share"].outcome == "fail"
    assert by_metric["label_accuracy"].outcome == "pass"
    assert all(verdict.reason.endswith(STOPPED) for verdict in verdicts)

    main(["show", "tiny"])
    assert f"tiny: bot · short: {STOPPED}" in capsys.readouterr().out
    main(["show", "tiny", "--json"])
    assert {row["stopped"] for row in json.loads(capsys.readouterr().out)} == {STOPPED}


def test_a_run_goes_on_where_its_budget_ended_it(project: Path) -> None:
    evaluated(project)
    _, found, verdicts = evaluated(project)
    assert (found["label_accuracy"].n, found["label_accuracy"].unasked) == (100, 0)
    assert not any("stopped" in verdict.reason for verdict in verdicts)
    spends = list(jsonl.read(project / ".llmops" / "spend.jsonl", Spend))
    assert [(spend.calls, spend.hits) for spend in spends] == [(60, 0), (40, 60)]
    assert spends[0].price_source == "params.yaml"


def test_a_run_of_which_nothing_was_asked_passes_no_rule(project: Path) -> None:
    text = (project / "params.yaml").read_text(encoding="utf-8")
    (project / "params.yaml").write_text(text.replace("budget_calls: 60", "budget_usd: 0.0001"), "utf-8")
    _, found, verdicts = evaluated(project)
    assert (found["label_accuracy"].value, found["label_accuracy"].unasked) == (None, 100)
    assert (found["cost_usd"].value, found["missing_share"].value) == (0.0, 1.0)
    assert {verdict.outcome for verdict in verdicts} == {"fail", "inconclusive"}


def test_a_run_that_could_ask_nothing_does_not_begin(
    project: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    path, asked_before = project / "params.yaml", server.counts().requests
    path.write_text(path.read_text(encoding="utf-8").replace("concurrency: 16", "concurrency: 0"), "utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["generate", "tiny"])
    assert stopped.value.code == 2
    assert "params.yaml: generate: concurrency: is 0; must be 1 or more" in capsys.readouterr().err
    assert server.counts().requests == asked_before
