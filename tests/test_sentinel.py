"""Canaries on LLMDrift's answers of March and June 2023, and a night on which nothing moved."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scipy.stats import binomtest

from llmops import jsonl
from llmops.cli import main
from llmops.movement import Answers, Chances, form, movements, verdicts
from llmops.places import Places
from llmops.records import Response, Score, Verdict
from llmops.sentinel import exit_code, freeze, watch
from tools.sentinel_rates import PAIRS, rate, recorded

ROOT = Path(__file__).resolve().parent.parent
MARCH = datetime(2023, 3, 14, tzinfo=UTC)
JUNE = datetime(2023, 6, 13, tzinfo=UTC)

PARAMS = """\
run: []
suites:
  drift:
    dataset: llmdrift
    task: label
    prompts: [llmdrift/question]
    models: [gpt-4]
    metrics: [label_accuracy]
models:
  gpt-4:
    kind: recorded
    dataset: llmdrift
    file: PRIME_FULL_EVAL.csv
    match: {query: question}
    where: {model: openaichat/gpt-4-0314}
    answer: answer
    model: model
sentinel: {canaries: 20}
"""


@pytest.fixture
def march(tmp_path: Path, mirror: Path) -> Path:
    """A project that froze what gpt-4 answered in March."""
    for name in ("data/sets/llmdrift", "prompts/llmdrift", "data/expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    freeze(Places(tmp_path), "drift", MARCH)
    return tmp_path


def edit(root: Path, old: str, new: str, file: str = "params.yaml") -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def said(root: Path) -> str:
    return (root / "runs/sentinel/tonight/drift/sentinel.md").read_text(encoding="utf-8")


@pytest.mark.real_data
def test_the_same_model_the_next_night_has_not_moved(march: Path) -> None:
    assert watch(Places(march), "drift", JUNE) == 0
    assert "nothing moved" in said(march)
    found = list(jsonl.read(march / "runs/sentinel/tonight/drift/verdicts.jsonl", Verdict))
    assert {verdict.outcome for verdict in found} == {"pass"}


@pytest.mark.real_data
def test_the_june_model_behind_the_same_name_is_told_from_twenty_canaries(march: Path) -> None:
    edit(march, "gpt-4-0314", "gpt-4-0613")
    assert watch(Places(march), "drift", JUNE) == 1
    assert "the model moved. length: " in said(march)
    assert "served model openaichat/gpt-4-0314 (20) then, openaichat/gpt-4-0613 (20) now" in said(march)
    assert "scoring moved" not in said(march)


@pytest.mark.real_data
def test_a_metric_that_reads_the_frozen_answers_otherwise_is_not_taken_for_the_model(march: Path) -> None:
    path = march / "data/canaries/drift.jsonl"
    text = path.read_text(encoding="utf-8")
    assert '"value":1.0' in text
    path.write_text(text.replace('"value":1.0', '"value":0.0'), encoding="utf-8")
    assert watch(Places(march), "drift", JUNE) == 1
    assert "the scoring moved" in said(march)
    assert "the model moved" not in said(march)


@pytest.fixture
def judged(tmp_path: Path, mirror: Path) -> Path:
    """A project that froze what gpt-4 answered in March with what a judge of its own gave it."""
    for name in ("data/sets/llmdrift", "prompts/llmdrift", "data/expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/brief.py").write_text(BRIEF, encoding="utf-8")
    own = "    judges: [brief]\njudges:\n  brief: {kind: python, file: apps/brief.py, function: brief}\n"
    (tmp_path / "params.yaml").write_text(PARAMS.replace("models:\n", own + "models:\n"), encoding="utf-8")
    freeze(Places(tmp_path), "drift", MARCH)
    return tmp_path


BRIEF = "def brief(example, response):\n    return len(response.answer) < 10_000\n"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("model", "judge", "code", "moved"),
    [(False, False, 0, set()), (True, False, 1, {"model"}), (False, True, 1, {"judge"}),
     (True, True, 1, {"model", "judge"})],
)  # fmt: skip
def test_a_moved_judge_and_a_moved_model_are_told_apart(
    judged: Path, model: bool, judge: bool, code: int, moved: set[str]
) -> None:
    if model:
        edit(judged, "gpt-4-0314", "gpt-4-0613")
    if judge:
        edit(judged, "10_000", "0", "apps/brief.py")
    assert watch(Places(judged), "drift", JUNE) == code
    assert {what for what in ("model", "judge") if f"the {what} moved" in said(judged)} == moved
    assert ("brief, judged anew: " in said(judged)) == (judge or not model)


@pytest.mark.real_data
def test_too_few_canaries_say_so(march: Path) -> None:
    path = march / "data/canaries/drift.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:5]), encoding="utf-8")
    edit(march, "gpt-4-0314", "gpt-4-0613")
    assert watch(Places(march), "drift", JUNE) == 3
    assert "not enough data to tell" in said(march)


@pytest.mark.real_data
def test_an_edited_prompt_is_refused_and_not_taken_for_a_move(
    march: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [prompt] = (march / "prompts/llmdrift").glob("question.yaml")
    edit(march, "content: ", "content: Please. ", prompt.relative_to(march).as_posix())
    with pytest.raises(SystemExit) as stopped:
        main(["--root", str(march), "sentinel", "drift"])
    assert stopped.value.code == 2
    assert "asked with other messages than when it was frozen" in capsys.readouterr().err


def test_no_canaries_name_the_command_that_makes_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["--root", str(tmp_path), "sentinel", "drift"])
    assert stopped.value.code == 2
    assert "`llmops sentinel drift --freeze`" in capsys.readouterr().err


def answers(judge: float) -> Answers:
    """Thirty answers that a judge gives ``judge`` each."""
    names = [str(number) for number in range(30)]
    told = [Response(suite="s", example_id=name, model="m", prompt="p", answer=name) for name in names]
    plain, judged = (
        [Score("s", name, "m", "p", metric, value=value) for name in names]
        for metric, value in (("label_accuracy", 1.0), ("fits", judge))
    )
    return Answers(told, plain, judged)


def test_a_judge_that_became_stricter_is_not_taken_for_the_model() -> None:
    strict, mild = answers(judge=0.0), answers(judge=1.0)
    found = verdicts("s", movements(then=mild, again=strict, now=strict, chances=Chances()), 0.01)
    assert [verdict.rule for verdict in found if verdict.outcome == "fail"] == ["judge: fits as when frozen"]
    assert exit_code(found) == 1


def test_answers_that_a_judge_finds_worse_are_not_taken_for_the_judge() -> None:
    good, bad = answers(judge=1.0), answers(judge=0.0)
    found = verdicts("s", movements(then=good, again=good, now=bad, chances=Chances()), 0.01)
    assert [verdict.rule for verdict in found if verdict.outcome == "fail"] == ["model: fits as when frozen"]


@pytest.mark.slow
@pytest.mark.real_data
def test_it_fires_on_june_and_keeps_its_rate_where_months_are_swapped_at_random(
    tmp_path: Path, mirror: Path
) -> None:
    for name in ("data/sets/llmdrift", "prompts/llmdrift", "data/expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    rows = recorded(tmp_path)
    old, new = (rows[name] for name in PAIRS["gpt-4"])
    assert rate(old, new, 20, swapped=False, nights=50)[0] == 50
    alarms, _ = rate(old, new, 20, swapped=True, nights=300)
    assert binomtest(alarms, 300, 0.01, alternative="greater").pvalue > 0.001


@pytest.mark.parametrize(
    ("answer", "begins"),
    [
        ("[No]. It is", "begins with “[no].”"),
        ("\x1b[31mred", "begins with “·[31mred”"),
        ("<img/src=x> y", "begins with “·img·src·x·”"),
        ("https://www.example.com z", "begins with “https···www·example·com”"),
        ("", "begins with “”"),
    ],
)
def test_a_form_is_told_without_what_a_terminal_or_a_page_would_obey(answer: str, begins: str) -> None:
    assert begins in form(answer)
