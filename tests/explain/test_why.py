"""`llmops why`: which inputs changed, how the metrics moved, which examples flipped."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from llmops.cli import main

Llmops = Callable[..., tuple[int, str]]


def explained(llmops: Llmops, *words: str) -> dict:  # type: ignore[type-arg]
    code, said = llmops("why", *words, "--json")
    assert code == 0, said
    [found] = json.loads(said)
    return found


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def changed(found: dict) -> dict[str, tuple[str | None, str | None]]:  # type: ignore[type-arg]
    return {each["name"]: (each["before"], each["after"]) for each in found["changes"]}


def test_two_prompts_of_a_suite_are_told_apart_line_by_line(project: Path, llmops: Llmops) -> None:
    code, said = llmops("why", "tiny:other:short", "tiny:other:long")
    assert code == 0
    assert said.splitlines()[:8] == [
        "before  runs/tiny: other · short",
        "after   runs/tiny: other · long",
        "prompt changed: short → long (1 line differs)",
        "  --- short",
        "  +++ long",
        "  @@ -1 +1,2 @@",
        "  +system: Be brief.",
        "   user: {{ question }}",
    ]
    assert "unchanged: data, model, prices, code, settings" in said
    assert "label_accuracy: 0.75 → 0.5, -0.25 [" in said
    assert (
        "over 4 pairs\n0 fixed, 1 broke\n  broke tiny-0001: “where is my parcel”, target “delivery”" in said
    )


def test_what_a_terminal_would_obey_is_made_visible(project: Path, llmops: Llmops) -> None:
    said = llmops("why", "tiny:other:short", "tiny:other:long")[1]
    assert "“I would say: delivery.” → “refund\\x1b[2J”" in said
    assert "\x1b" not in said


def test_models_pair_by_their_prompts_and_prompts_by_their_models(project: Path, llmops: Llmops) -> None:
    said = llmops("why", "tiny:app", "tiny:other")[1]
    assert said.count("model changed: app → other") == 2
    assert "model.function: answer → other" in said
    assert llmops("why", "tiny::short", "tiny::long")[1].count("prompt changed") == 2


def test_two_runs_that_share_nothing_are_still_two_runs(project: Path, llmops: Llmops) -> None:
    said = llmops("why", "tiny:app:short", "tiny:other:long")[1]
    assert "model changed: app → other" in said
    assert "prompt changed: short → long" in said


def test_runs_that_do_not_pair_are_refused(project: Path, llmops: Llmops) -> None:
    shutil.copytree(project / "runs" / "tiny", project / "renamed")
    path = project / "renamed" / "responses.jsonl"
    text = path.read_text(encoding="utf-8").replace('"model":"', '"model":"new-')
    path.write_text(text.replace('"prompt":"', '"prompt":"new-'), encoding="utf-8")
    code, said = llmops("why", "tiny", "renamed")
    assert code == 2
    assert said.endswith("do not pair; take some of them, e.g. `tiny:app:short`\n")


def test_every_kind_of_input_is_told_by_its_name(project: Path, llmops: Llmops) -> None:
    shutil.copytree(project / "runs" / "tiny", project / "before")
    change(project / "prompts" / "short.yaml", "{{ question }}", "Please: {{ question }}")
    change(project / "params.yaml", "    task: label\n", "    task: label\n    unread: excluded\n")
    change(project / "params.yaml", "function: answer}", "function: answer, price: {per_hour_usd: 1}}")
    change(project / "data" / "sets" / "tiny" / "rows.csv", "how are you,delivery,en", "how is it,refund,en\nnew,refund,en")  # fmt: skip
    change(project / "apps" / "app.py", "a refund, surely", "delivery")
    main(["run", "tiny", "--model", "app"])
    found = explained(llmops, "before:app:short", "runs/tiny:app:short")
    told = changed(found)
    assert told["suite.unread"] == ("wrong", "excluded")
    assert told["model.price.per_hour_usd"] == (None, "1")
    assert {"sha256.examples", "sha256.prompt", "sha256.model"} <= told.keys()
    assert {each["input"] for each in found["changes"]} == {"data", "prompt", "model", "prices", "settings"}
    assert found["examples"] == {"added": 1, "removed": 0, "changed": 1, "asked_before": 4, "asked_after": 5}
    assert found["prompt_diff"][-2:] == ["-user: {{ question }}", "+user: Please: {{ question }}"]
    assert [(each["example_id"], each["outcome"]) for each in found["flips"]] == [
        ("tiny-0002", "broke"),
        ("tiny-0003", "broke"),
    ]
    said = llmops("why", "before:app:short", "runs/tiny:app:short")[1]
    assert "  suite.unread: wrong → excluded" in said
    assert "data changed (1 examples added, 0 removed, 1 changed)" in said
    assert "asked: 4 → 5 examples" in said


def test_runs_in_mlflow_are_told_apart_by_id(project: Path, llmops: Llmops) -> None:
    published = json.loads((project / "runs" / "tiny" / "published.json").read_bytes())
    ids = {each["name"]: each["run_id"] for each in published}
    found = explained(llmops, ids["tiny · other · short"], ids["tiny · other · long"][:12])
    assert changed(found)["prompt"] == ("short", "long")
    assert found["prompt_diff"][-2:] == ["+system: Be brief.", " user: {{ question }}"]
    [shift] = found["shifts"]
    assert (shift["difference"], shift["fixed"], shift["broke"], shift["pairs"]) == (-0.25, 0, 1, 4)
    assert found["before"].startswith("MLflow run ")


def test_a_limit_says_how_many_it_left_out(project: Path, llmops: Llmops) -> None:
    said = llmops("why", "tiny:other:short", "tiny:other:long", "--limit", "0")[1]
    assert said.endswith("0 fixed, 1 broke\n  … and 1 more; --limit 1 shows them\n")


def test_inputs_that_were_not_published_are_not_said_to_be_the_same(project: Path, llmops: Llmops) -> None:
    (project / "runs" / "tiny" / "manifest.json").unlink()
    said = llmops("why", "tiny:other:short", "tiny:other:long")[1]
    assert "inputs not known: runs/tiny: other · short: was not published; run `llmops publish tiny`" in said
    assert "unchanged" not in said
    assert "0 fixed, 1 broke" in said
