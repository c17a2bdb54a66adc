"""`llmops certify`, labels files, and what a certificate lets a rule rest on."""

import json
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.certificates import certificate_file, load_certificate
from llmops.cli import main
from llmops.draws import Draw, draws_file
from llmops.errors import UserError
from llmops.labelling import labels_file, read_labels
from llmops.places import Places
from llmops.records import Estimate, Example, Judgement, Label, Response, Score, Verdict
from llmops.stages import gate

PARAMS = """\
suites:
  s: {dataset: d, task: text, prompts: [p], models: [m], metrics: [exact_match], slices: [kind], rules: [
    {metric: fits, at_least: 0.3}]}
models:
  m: {kind: recorded, file: answers.jsonl, answer: answer}
  j: {kind: recorded, file: answers.jsonl, answer: answer}
judges:
  fits: {kind: rubric, model: j, prompt: judges/fits}
certify: {kappa: 0.6, n: 50}
"""
N = 120


def verdict(number: int) -> str:
    return "yes" if number % 2 else "no"


def said(number: int, every: int) -> str:
    """What a person says who differs from the judge once in ``every`` answers."""
    return verdict(number + 1) if number % every == 0 else verdict(number)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "prompts" / "judges").mkdir(parents=True)
    (tmp_path / "prompts" / "judges" / "fits.yaml").write_text("Does it fit?")
    (tmp_path / "params.yaml").write_text(PARAMS)
    places = Places(tmp_path)
    kinds = ["easy", "hard"]
    jsonl.write(places.suite("s", "examples.jsonl"), (
        Example(str(i), {"question": f"q{i}"}, slices={"kind": kinds[i % 4 // 2]}) for i in range(N)
    ))  # fmt: skip
    jsonl.write(places.suite("s", "responses.jsonl"), (
        Response("s", str(i), "m", "p", answer=f"a, {i}") for i in range(N)
    ))  # fmt: skip
    jsonl.write(places.suite("s", "judged.jsonl"), (
        Score("s", str(i), "m", "p", "fits", value=float(i % 2), read=verdict(i)) for i in range(N)
    ))  # fmt: skip
    jsonl.write(places.suite("s", "estimates.jsonl"), [
        Estimate("s", "m", "p", "fits", value=0.5, low=0.4, high=0.6, n=N)
    ])  # fmt: skip
    write(tmp_path, [("ann", 12), ("bob", 20)])
    return tmp_path


def write(root: Path, people: list[tuple[str, int]], **more: object) -> None:
    jsonl.write(labels_file(root, "s"), (
        Label("s", str(i), who, said(i, every), model="m", prompt="p", **more)  # type: ignore[arg-type]
        for who, every in people for i in range(N)
    ))  # fmt: skip


def run(root: Path, *words: str) -> int:
    try:
        main(["--root", str(root), *words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def gated(root: Path) -> Verdict:
    gate.main(Places(root), "s")
    [found] = jsonl.read(Places(root).suite("s", "verdicts.jsonl"), Verdict)
    return found


def test_a_judge_like_people_is_certified_with_every_figure_and_its_rule_gates(project, capsys):
    assert gated(project).outcome == "inconclusive"
    assert gated(project).reason.startswith("judge not certified: no certificate; run `llmops certify fits`")
    assert run(project, "certify", "fits", "--suite", "s") == 0
    shown = capsys.readouterr().out
    certificate = load_certificate(certificate_file(project, "fits"))
    figures = {(f.name, f.between, f.slice): f for f in certificate.criteria[""]}
    assert figures["kappa", "judge and ann", "all"].value == pytest.approx(1 - 2 / 12)
    assert figures["kappa", "judge and bob", "all"].value == pytest.approx(1 - 2 / 20)
    assert figures["accuracy", "judge and people", "all"].n == N - certificate.split
    assert {"kind=easy", "kind=hard"} < {slice_ for _, _, slice_ in figures}
    assert figures["alpha", "people", "all"].low is not None
    assert ("kappa", "ann and bob", "all") in figures
    assert "certificates/fits.json: certified" in shown
    assert gated(project) == Verdict(
        "s", "m", "p", "fits", "fits at least 0.3", "pass", "value 0.5 [0.4, 0.6] meets 0.3"
    )


def test_the_same_verdicts_and_labels_give_the_same_bytes_and_a_run_in_mlflow(project):
    run(project, "certify", "fits", "--suite", "s")
    first = certificate_file(project, "fits").read_bytes()
    run(project, "certify", "fits", "--labels", str(labels_file(project, "s")))
    assert certificate_file(project, "fits").read_bytes() == first
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project / 'state' / 'mlflow.db'}")
    [experiment] = [each for each in client.search_experiments() if each.name == "llmops"]
    found = client.search_runs([experiment.experiment_id])
    kappa = next(f for f in json.loads(first)["criteria"][""] if f["name"] == "kappa")
    assert [each.data.metrics["kappa"] for each in found] == [kappa["value"]] * 2
    assert found[0].data.params["certified"] == "true"


@pytest.mark.parametrize("edited", ["prompts/judges/fits.yaml", "params.yaml"])
def test_a_certificate_is_void_when_prompt_or_model_change(project, edited):
    run(project, "certify", "fits", "--suite", "s")
    path = project / edited
    path.write_text(
        path.read_text()
        .replace("Does it fit?", "Fits?")
        .replace("j: {kind: recorded, file: answers", "j: {kind: recorded, file: other")
    )
    assert gated(project).outcome == "inconclusive"
    assert "its judge, model or prompt changed since" in gated(project).reason


def test_a_price_voids_no_certificate(project):
    run(project, "certify", "fits", "--suite", "s")
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("j: {kind", "j: {price: {per_hour_usd: 1}, kind"))
    assert gated(project).outcome == "pass"


def test_a_judge_below_the_bar_exits_1_and_decides_nothing(project, capsys):
    write(project, [("ann", 3)])
    assert run(project, "certify", "fits", "--suite", "s") == 1
    assert "below the bar: fits: kappa 0.33 [" in capsys.readouterr().out
    assert gated(project).outcome == "inconclusive"
    assert "does not surely reach 0.6; value 0.5" in gated(project).reason


def test_without_a_bar_every_judge_gates(project):
    path = project / "params.yaml"
    path.write_text(path.read_text().partition("certify:")[0])
    assert gated(project).outcome == "pass"


def test_one_annotator_and_one_class_are_told_on_the_card(project, capsys):
    jsonl.write(labels_file(project, "s"), (Label("s", str(i), "ann", "yes") for i in range(1, N, 2)))
    run(project, "certify", "fits", "--suite", "s")
    shown = capsys.readouterr().out
    assert "one annotator, 'ann': nobody to agree with" in shown
    assert "undefined: both gave 'yes' to every example" in shown
    assert "undefined: the truth has only one class" in shown
    assert "nan" not in certificate_file(project, "fits").read_text().lower()


def test_grades_have_correlations_and_weighted_kappas(project):
    jsonl.write(Places(project).suite("s", "judged.jsonl"), (
        Score("s", str(i), "m", "p", "fits", value=float(i % 5)) for i in range(N)
    ))  # fmt: skip
    jsonl.write(labels_file(project, "s"), (
        Label("s", str(i), "ann", float(min(4, i % 5 + (i % 7 == 0)))) for i in range(N)
    ))  # fmt: skip
    run(project, "certify", "fits", "--suite", "s")
    names = {f.name: f for f in load_certificate(certificate_file(project, "fits")).criteria[""]}
    assert {"spearman", "kendall", "pearson", "kappa", "quadratic_kappa"} <= set(names)
    assert names["quadratic_kappa"].value > names["kappa"].value


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([Label("s", "0", "ann", "yes"), Label("s", "9999", "ann", "yes")], "has no example '9999'"),
        ([Label("s", "0", "ann", "yes"), Label("t", "1", "ann", "yes")], "a label is of suite 't'"),
        ([Label("s", "0", "ann", "yes", rubric="v1"), Label("s", "1", "ann", "no", rubric="v2")], "more than one version of the rubric: ['v1', 'v2']"),
        ([Label("s", "0", "ann", "yes"), Label("s", "1", "ann", 1.0)], "more than one kind of label"),
        ([Label("s", "0", "ann", "yes"), Label("s", "0", "ann", "no")], "'ann' says both 'yes' and 'no' of example '0'"),
        ([], "holds no labels"),
    ],
)  # fmt: skip
def test_labels_that_contradict_are_refused_in_a_line(project, labels, message):
    jsonl.write(labels_file(project, "s"), labels)
    with pytest.raises(UserError) as refused:
        read_labels(labels_file(project, "s"), "s", {"0", "1"})
    assert message in str(refused.value)
    assert run(project, "certify", "fits", "--suite", "s") == 2


def test_one_labelled_answer_and_an_unknown_judge_are_refused(project, capsys):
    jsonl.write(labels_file(project, "s"), [Label("s", "0", "ann", "yes")])
    assert run(project, "certify", "fits", "--suite", "s") == 2
    assert "fewer than two answers that 'fits' judged are labelled" in capsys.readouterr().err
    assert run(project, "certify", "nobody", "--suite", "s") == 2


def test_the_only_suite_that_names_a_judge_is_the_one_it_is_certified_by(project, capsys):
    assert run(project, "certify", "fits") == 2
    said = capsys.readouterr().err
    assert said == "certify: 'fits' is named by the suites []; give --suite or --labels\n"
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("slices: [kind]", "judges: [fits], slices: [kind]"))
    assert run(project, "certify", "fits") == 0
    assert load_certificate(certificate_file(project, "fits")).suite == "s"


def test_answers_go_out_to_be_labelled_and_come_back(project, capsys):
    labels_file(project, "s").unlink()
    sheet = project / "sheet.csv"
    assert run(project, "label", "export", "s", "-o", str(sheet)) == 0
    lines = sheet.read_text().splitlines()
    assert lines[1].endswith('"{""question"":""q0""}","a, 0"')
    filled = [
        lines[0],
        *(line.replace("s,0,,", "s,0,ann,yes", 1).replace("s,1,,", "s,1,ann,no", 1) for line in lines[1:]),
    ]
    sheet.write_text("\n".join(filled) + "\n")
    assert run(project, "label", "import", str(sheet)) == 0
    found = read_labels(labels_file(project, "s"), "s", {"0", "1"})
    assert [(each.example_id, each.label, each.model, each.repeat) for each in found] == [
        ("0", "yes", "m", 0),
        ("1", "no", "m", 0),
    ]
    assert run(project, "label", "import", str(sheet)) == 0
    assert "2 labels, 0 of them new" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("filled", "message"),
    [
        ("s,0,ann,4\ns,999,ann,5\n", "suite 's' has no example '999'"),
        ("s,0,ann,4\ns,1,ann,nan\n", "sheet.csv:3: label: is nan; a number must be finite"),
        ("s,0,ann,inf\ns,1,ann,2\n", "sheet.csv:2: label: is inf; a number must be finite"),
        ("s,0,ann,yes\ns,1,ann,nan\n", "a label is 'nan'; write a class or a finite number, or nothing"),
    ],
)
def test_a_sheet_with_an_unknown_example_or_no_number_changes_nothing(project, capsys, filled, message):
    before = labels_file(project, "s").read_bytes()
    sheet = project / "sheet.csv"
    sheet.write_text(f"suite,example_id,annotator,label\n{filled}")
    assert run(project, "label", "import", str(sheet)) == 2
    assert message in capsys.readouterr().err
    assert labels_file(project, "s").read_bytes() == before


def test_a_certificate_that_is_none_is_refused_by_the_gate(project):
    certificate_file(project, "fits").parent.mkdir()
    certificate_file(project, "fits").write_text("{}")
    with pytest.raises(UserError, match="write it with `llmops certify`"):
        gate.main(Places(project), "s")


def test_without_a_labels_file_a_model_asked_for_verdicts_is_held_to_the_targets(project, capsys):
    labels_file(project, "s").unlink()
    places = Places(project)
    jsonl.write(
        places.suite("s", "examples.jsonl"), (Example(str(i), {}, target=said(i, 10)) for i in range(N))
    )
    jsonl.write(places.suite("s", "scores.jsonl"), (
        Score("s", str(i), "m", "p", "label_accuracy", value=1.0, read=verdict(i)) for i in range(N)
    ))  # fmt: skip
    assert run(project, "certify", "m", "--suite", "s") == 0
    assert "kappa                0.8 [" in capsys.readouterr().out


def figures_of(root: Path) -> dict[tuple[str, str], object]:
    found = load_certificate(certificate_file(root, "fits")).criteria[""]
    return {(each.name, each.slice): each for each in found}


def test_answers_to_one_example_widen_the_interval_of_its_judges_kappa(project):
    run(project, "certify", "fits", "--suite", "s")
    alone = figures_of(project)["kappa", "all"]
    places = Places(project)
    for repeat in (1, 2, 3):
        jsonl.append(places.suite("s", "judged.jsonl"), (
            Score("s", str(i), "m", "p", "fits", repeat=repeat, value=float(i % 2), read=verdict(i))
            for i in range(N)
        ))  # fmt: skip
    run(project, "certify", "fits", "--suite", "s")
    copied = figures_of(project)["kappa", "all"]
    assert copied.n == 4 * alone.n
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_the_card_tells_how_verdicts_go_with_length_and_repeat_themselves(project, capsys):
    places = Places(project)
    rows = [(i, repeat) for i in range(N) for repeat in (0, 1)]
    jsonl.write(places.suite("s", "responses.jsonl"), (
        Response("s", str(i), "m", "p", repeat=repeat, answer="a" * (40 if i % 5 else 10)) for i, repeat in rows
    ))  # fmt: skip
    jsonl.write(places.suite("s", "judged.jsonl"), (
        # Long answers mostly pass, whatever people say of them; one in ten is judged otherwise the second time.
        Score("s", str(i), "m", "p", "fits", repeat=repeat, value=float(good), read="yes" if good else "no")
        for i, repeat in rows for good in [((i % 5 > 0) != (i % 7 == 0)) != (repeat == 1 and i % 10 == 0)]
    ))  # fmt: skip
    run(project, "certify", "fits", "--suite", "s")
    found = figures_of(project)
    assert found["length_slope", "all"].low > 0.5
    assert found["self_consistency", "all"].value == pytest.approx(0.9)
    assert "judge alone" in capsys.readouterr().out


def test_a_pairwise_judge_that_favours_the_first_place_is_told_of(project):
    places = Places(project)
    jsonl.write(places.suite("s", "judgements.jsonl"), (
        Judgement("s", str(i), "m", "p", "fits", value=0.5, other_model="k", other_prompt="p",
                  orders=["win", "loss"] if i % 4 == 0 else ["win", "win"])
        for i in range(N)
    ))  # fmt: skip
    run(project, "certify", "fits", "--suite", "s")
    found = figures_of(project)
    assert found["position_consistency", "all"].value == 0.75
    assert found["toward_first", "all"].value == 0.25
    assert found["toward_first", "all"].low > 0.15


@pytest.mark.parametrize("chances", [(0.5, 0.5), (0.5, 0.2)])
def test_a_card_over_labels_that_were_drawn_unequally_says_so(project, capsys, chances):
    jsonl.write(draws_file(project, "s"), (
        Draw(1, str(i), chances[i % 2], True, "2026-11-24T00:00:00+00:00", 0) for i in range(N)
    ))  # fmt: skip
    run(project, "certify", "fits", "--suite", "s")
    said = "the figures are of the labelled answers, not of all" in capsys.readouterr().out
    assert said == (chances[0] != chances[1])
    assert load_certificate(certificate_file(project, "fits")).unequal == said
