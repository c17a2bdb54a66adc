"""A run whose judges are paid models is recorded, and judged again without key, server or network."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.heard import heard_again
from llmops.models.store.store import SCHEME, STORE, open_store
from llmops.places import TRYOUTS, Places
from llmops.records import Judgement, Spend
from tests.paid_api import VARIABLE, Asked, PaidApi, Sent, completion, serving, write_project
from tests.verbs import exit_code

PROMPT = """
messages:
  - {role: system, content: '%s One of: {{ verdicts | join(", ") }}.'}
  - {role: user, content: "{{ question }}\\n%s"}
repair: "No verdict: {{ problem }}"
"""
JUDGES = """
  bot: {kind: openai, model: judge-1, base_url: '%s', key: PAID_API_KEY, sampling: {max_tokens: 64},
    price: {input_per_mtok_usd: 3.0, output_per_mtok_usd: 4.0}}
judges:
  fits: {kind: rubric, model: bot, prompt: judges/fits, classes: {yes: 1, no: 0}}
  strict: {kind: rubric, model: bot, prompt: judges/strict, classes: {yes: 1, no: 0}}
  better: {kind: pairwise, model: bot, prompt: judges/better}
  both: {kind: jury, judges: [fits, strict], vote: mean}
judge: {concurrency: 8, attempts: 1}
"""
JUDGED = "runs/tiny/judgements.jsonl"


def said(text: str, tokens: int = 5) -> Sent:
    usage = {"prompt_tokens": 40, "completion_tokens": tokens, "total_tokens": 40 + tokens}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return Sent(200, {"id": "c", "object": "chat.completion", "model": "judge-1-2026", "choices": [choice], "usage": usage})  # fmt: skip


def answer(asked: Asked) -> Sent:
    """Answer as the model, or as judges one of which breaks and rambles at times."""
    if asked.body["model"] != "judge-1":
        return completion(asked)
    text = " ".join(message["content"] for message in asked.body["messages"])
    if "Which" in text.split(".")[0]:
        return said('{"verdict": "first"}')
    if "질문 3:" in text:
        return Sent(500, {"error": {"message": "out of order"}})
    if "질문 5:" in text and "No verdict" not in text:
        return said("Well, that depends.")
    return said(
        '{"explanation": "so it is", "verdict": "yes"}' if "delivery" in text else '{"verdict": "no"}'
    )


def write_judged(folder: Path, url: str, examples: int, judges: str = "fits, better, both") -> None:
    """Write a project whose suite has these judges."""
    write_project(folder, url, examples)
    (folder / "prompts/judges").mkdir()
    for name, words in (("fits", "Fits?"), ("strict", "Really?"), ("better", "Which is better?")):
        shown = "{{ first }} {{ second }}" if name == "better" else "{{ answer }}"
        (folder / f"prompts/judges/{name}.yaml").write_text(PROMPT % (words, shown), encoding="utf-8")
    params = folder / "params.yaml"
    text = params.read_text(encoding="utf-8").replace("    metrics:", f"    judges: [{judges}]\n    metrics:")
    params.write_text(text.replace("generate:", (JUDGES % url).lstrip("\n") + "generate:"), encoding="utf-8")


@pytest.mark.parametrize("budget", ["", ", budget_calls: 40"])
def test_a_judged_run_comes_out_again_byte_for_byte_with_the_judges_faults(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], budget: str
) -> None:
    with serving(PaidApi(answer)) as api:
        write_judged(project, api.url, 12)
        params = project / "params.yaml"
        text = params.read_text(encoding="utf-8").replace("attempts: 1}", f"attempts: 1{budget}}}")
        params.write_text(text, encoding="utf-8")
        main(["run", "tiny"])
    before = (project / JUDGED).read_bytes()
    found = list(jsonl.read(project / JUDGED, Judgement))
    assert any(each.missing == "unjudged" for each in found)
    assert any("judge: budget: " in (each.reason or "") for each in found) == bool(budget)
    main(["record", "tiny", "-o", "models/tiny.jsonl"])
    assert "and what the judges fits, better, strict said" in capsys.readouterr().out
    header = json.loads((project / "models/tiny.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (header["asked"], sorted(header["models"])) == (["paid"], ["bot", "paid"])
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("LLMOPS_STATE", str(project / "colleague"))
    spent = len(list(jsonl.read(project / "state/spend.jsonl", Spend)))
    assert exit_code("replay", "models/tiny.jsonl") == 0
    assert capsys.readouterr().out.count("equal: ") == 2
    assert (project / JUDGED).read_bytes() == before
    assert len(list(jsonl.read(project / "state/spend.jsonl", Spend))) == spent


ALONE = """
import sys
from pathlib import Path
from llmops.models.store.claims import Claims
print(Claims(Path(f"{sys.argv[1]}.claims")).is_alone())
"""


def test_the_store_stays_held_while_the_judges_are_heard_again(project: Path) -> None:
    with serving(PaidApi(answer)) as api:
        write_judged(project, api.url, 4)
        main(["run", "tiny"])
    path = project / "state" / STORE

    def nobody_holds_it() -> str:
        done = subprocess.run([sys.executable, "-c", ALONE, path], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    with closing(open_store(f"{SCHEME}{path}")) as store:
        assert nobody_holds_it() == "False"
        assert heard_again(Places(project, TRYOUTS), "tiny", store).entries
        assert nobody_holds_it() == "False"
    assert nobody_holds_it() == "True"


def test_a_verdict_that_is_not_recorded_is_named_and_not_asked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(PaidApi(answer)) as api:
        write_judged(project, api.url, 4)
        main(["run", "tiny"])
        main(["record", "tiny", "-o", "models/tiny.jsonl"])
        asked = len(api.asked)
        prompt = project / "prompts/judges/strict.yaml"
        prompt.write_text(prompt.read_text(encoding="utf-8").replace("Really?", "Is it?"), encoding="utf-8")
        assert exit_code("replay", "models/tiny.jsonl") == 2
        assert "holds no reply of model 'bot'" in capsys.readouterr().err
        assert exit_code("record", "tiny", "-o", "models/new.jsonl") == 2
        assert "judge strict: t-" in capsys.readouterr().err
        assert len(api.asked) == asked


def test_a_suite_with_a_recording_asks_only_the_judge_that_is_new(project: Path) -> None:
    with serving(PaidApi(answer)) as api:
        write_judged(project, api.url, 4, judges="fits")
        main(["run", "tiny"])
        main(["record", "tiny", "-o", "models/tiny.jsonl"])
        params = project / "params.yaml"
        text = params.read_text(encoding="utf-8")
        text = text.replace("judges: [fits]", "judges: [fits, strict]\n    recording: models/tiny.jsonl")
        params.write_text(text, encoding="utf-8")
        (project / "state/llmops.db").unlink(missing_ok=True)
        before = len(api.asked)
        main(["run", "tiny"])
    new = [asked.body["messages"][0]["content"] for asked in api.asked[before:]]
    assert new
    assert all(words.startswith("Really?") for words in new)


def test_a_judge_that_is_killed_goes_on_with_what_is_missing(project: Path) -> None:
    with serving(PaidApi(answer, delay_s=0.02)) as api:
        write_judged(project, api.url, 150, judges="fits")
        for verb in (["fetch"], ["validate", "tiny"], ["generate", "tiny"]):
            main(verb)
        generated = len(api.asked)
        process = subprocess.Popen(
            [sys.executable, "-m", "llmops", "judge", "tiny"], stderr=subprocess.DEVNULL
        )
        while len(api.asked) < generated + 100 and process.poll() is None:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed_at = len(api.asked)
        main(["judge", "tiny"])
        asked = [json.dumps(each.body["messages"]) for each in api.asked[generated:]]
    assert killed_at < generated + 250, "all was judged before the kill"
    again = [
        each
        for each, count in Counter(asked).items()
        if count > 1 and "질문 3:" not in json.loads(each)[1]["content"]
    ]
    assert len(again) <= 8
    found = list(jsonl.read(project / "results/tiny/judgements.jsonl", Judgement))
    assert (len(found), sum(each.value is None for each in found)) == (300, 2)
