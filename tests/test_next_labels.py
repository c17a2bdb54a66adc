"""`llmops label next`: what is drawn, how it is kept, and what it does to corrected scores."""

import csv
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.corrected import corrected_estimates
from llmops.draws import Draw, chances, draws_file, read_draws, with_chances
from llmops.errors import UserError
from llmops.labelling import labels_file
from llmops.places import Places
from llmops.records import Example, Label, Response, Score
from llmops.suites import Baseline, Suite
from llmops.summary import setting

PARAMS = """\
suites:
  s: {dataset: d, task: text, prompts: [p], models: [m, k], metrics: [exact_match], judges: [fits]}
"""
N = 200
MODELS = ("m", "k")


def rejects(number: int) -> bool:
    return number % 10 == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    places = Places(tmp_path)
    rows = range(N)
    jsonl.write(places.suite("s", "examples.jsonl"), [Example(f"e{i}", {"question": f"q{i}"}) for i in rows])
    jsonl.write(places.suite("s", "scores.jsonl"), [])
    jsonl.write(places.suite("s", "responses.jsonl"), [
        Response("s", f"e{i}", m, "p", answer=f"a{i}") for i in rows for m in MODELS
    ])  # fmt: skip
    jsonl.write(places.suite("s", "judged.jsonl"), scores())
    jsonl.write(places.suite("s", "estimates.jsonl"), [])
    return tmp_path


def scores() -> list[Score]:
    return [
        Score("s", f"e{i}", m, "p", "fits", value=float(not rejects(i)), read="no" if rejects(i) else "yes")
        for i in range(N)
        for m in MODELS
    ]


def labelled(root: Path, ids: list[str]) -> None:
    """Label them: of what the judge rejects people reject half, of the rest nothing."""
    path = labels_file(root, "s")
    known = list(jsonl.read(path, Label)) if path.is_file() else []
    said = [
        Label("s", i, "ann", "no" if int(i[1:]) % 20 == 0 else "yes", model=m, prompt="p", repeat=0)
        for i in ids
        for m in MODELS
    ]
    jsonl.write(path, [*known, *said])


def asked(root: Path, *words: str) -> list[str]:
    """Run the verb, and return the examples of the file it wrote."""
    sheet = root / "sheet.csv"
    main(["--root", str(root), "label", "next", "s", "-o", str(sheet), *words])
    with sheet.open(encoding="utf-8", newline="") as file:
        return list(dict.fromkeys(row["example_id"] for row in csv.DictReader(file)))


def test_the_file_has_all_answers_of_each_drawn_example_and_the_seed_decides(project: Path) -> None:
    first = asked(project, "-n", "30", "--seed", "1")
    assert len(first) == 30
    with (project / "sheet.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 60
    draws_file(project, "s").unlink()
    assert asked(project, "-n", "30", "--seed", "1") == first
    draws_file(project, "s").unlink()
    assert asked(project, "-n", "30", "--seed", "2") != first


def test_a_verdict_whose_labels_differ_is_drawn_likelier_and_nothing_labelled_is_drawn_again(
    project: Path,
) -> None:
    before = [f"e{i}" for i in range(60)]
    labelled(project, before)
    found = asked(project, "-n", "20")
    assert len(found) == 20
    assert not set(found) & set(before)
    [rejected, accepted] = [
        next(d.chance for d in read_draws(project, "s") if d.round == 1 and d.example_id == i)
        for i in ("e100", "e101")
    ]
    assert rejected > 2 * accepted
    assert accepted > 0.2 * 20 / 140 * 0.9, "a fifth of each chance is the same for all"


def test_labels_of_examples_that_the_newest_run_did_not_ask_stay_good(project: Path) -> None:
    labelled(project, [f"e{i}" for i in range(60)])
    kept = [score for score in scores() if int(score.example_id[1:]) >= 30]
    jsonl.write(Places(project).suite("s", "judged.jsonl"), kept)
    labelled(project, asked(project, "-n", "20"))
    known = with_chances(project, "s", list(jsonl.read(labels_file(project, "s"), Label)))
    assert len(known) == 160
    assert all(0 < (label.chance or 0) <= 1 for label in known)


def test_random_draws_have_all_the_same_chance(project: Path) -> None:
    asked(project, "-n", "20", "--random")
    assert {draw.chance for draw in read_draws(project, "s")} == {20 / N}


def test_chances_of_rounds_add_up_and_a_round_half_done_counts_half() -> None:
    draws = [Draw(1, "a", 0.5, True, "", 0), Draw(1, "b", 0.5, True, "", 0), Draw(2, "a", 0.2, False, "", 0),
             Draw(2, "b", 0.4, False, "", 0), Draw(2, "c", 0.4, True, "", 0)]  # fmt: skip
    assert chances(draws, {"a", "b", "c"})["a"] == pytest.approx(1 - 0.5 * 0.8)
    assert chances(draws, {"a", "c"})["a"] == pytest.approx(1 - 0.75 * 0.8)


def test_a_label_that_no_round_drew_is_refused(project: Path) -> None:
    drawn = asked(project, "-n", "30")
    labelled(project, drawn)
    other = next(f"e{i}" for i in range(N) if f"e{i}" not in drawn)
    labelled(project, [other])
    with pytest.raises(UserError, match=f"example '{other}' is labelled, but no round drew it"):
        with_chances(project, "s", list(jsonl.read(labels_file(project, "s"), Label)))


def test_labels_drawn_where_the_judge_errs_give_the_share_of_all_once_they_are_weighted(
    project: Path,
) -> None:
    labelled(project, [f"e{i}" for i in range(60)])
    labelled(project, asked(project, "-n", "40"))
    known = with_chances(project, "s", list(jsonl.read(labels_file(project, "s"), Label)))
    suite = Suite("d", "text", ["p"], ["m"], ["x"], judges=["fits"])
    about = setting("s", suite, 0.95, [Example(f"e{i}", {}) for i in range(N)])
    mine = [score for score in scores() if score.model == "m"]
    found = next(corrected_estimates(suite, mine, known, about))
    truth = 1 - 0.05
    assert found.labels == 100
    assert abs((found.value or 0) - truth) < 0.015
    assert (found.low or 0) < truth < (found.high or 0)


def test_the_corrected_difference_to_the_baseline_is_that_of_peoples_labels() -> None:
    suite = Suite("d", "text", ["p"], ["m", "k"], ["x"], judges=["fits"], baseline=Baseline("k", "p"))
    about = setting("s", suite, 0.95, [Example(f"e{i}", {}) for i in range(N)])
    labels = [
        Label("s", f"e{i}", "ann", "no" if m == "k" and i % 5 == 0 else "yes", model=m, prompt="p", repeat=0)
        for i in range(100)
        for m in MODELS
    ]
    theirs = [score for score in scores() if score.model == "k"]
    found = {(e.model, e.metric): e for e in corrected_estimates(suite, scores(), labels, about, theirs)}
    ours = found["m", "fits (corrected)"]
    assert ours.baseline == "k · p"
    assert ours.difference == pytest.approx(0.2)
    assert 0.1 < (ours.difference_low or 0) < 0.2 < (ours.difference_high or 0) < 0.3
    assert found["m", "fits (labels only)"].difference == pytest.approx(0.2)
    assert found["k", "fits (corrected)"].difference is None


@pytest.mark.parametrize(
    ("words", "line"),
    [(("-n", "0"), "draw at least 1"), (("-n", "5"), "all 200 judged examples are labelled")],
)
def test_a_wish_that_cannot_be_met_is_told_in_a_line(
    project: Path, words: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(project, [f"e{i}" for i in range(N)])
    with pytest.raises(SystemExit) as stopped:
        asked(project, *words)
    assert stopped.value.code == 2
    assert line in capsys.readouterr().err
