"""A project whose answers are there and whose judge is a server on loopback."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.records import Example, Judgement, Response, Score
from llmops.replies import Fault
from tests.paid_api import VARIABLE
from tests.servers.behaviour import Behaviour
from tests.servers.started import Server, started

PROMPT = """
messages:
  - {role: system, content: 'Verdicts: {{ verdicts | join(", ") }}. Marks end in -{{ fence }}.'}
  - {role: user, content: "{{ question }}\\n{{ answer }}"}
repair: "No verdict: {{ problem }}"
"""
PARAMS = """
suites:
  s:
    {{dataset: d, task: text, prompts: [p], models: [a, b], metrics: [exact_match], judges: [{judges}],
      baseline: {{model: a, prompt: p}}}}
models:
  bot: {{kind: openai, model: m, base_url: '{url}', sampling: {{max_tokens: 64}}}}
judges:
{judge}
judge: {{attempts: 1, concurrency: 4}}
"""


class Court:
    """One project, with what its judges said."""

    def __init__(self, root: Path, server: Server) -> None:
        self.root, self.server = root, server

    def judgements(self) -> list[Judgement]:
        return list(jsonl.read(self.root / "results/s/judgements.jsonl", Judgement))

    def scores(self) -> list[Score]:
        return list(jsonl.read(self.root / "results/s/judged.jsonl", Score))


@pytest.fixture
def court(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Court]]:
    """Return what makes a project: (judges by name, what the server says, model → its answers)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    with ExitStack() as open_servers:

        def make(
            judges: dict[str, str], told: Behaviour, answers: dict[str, Sequence[str | None]], sits: str = ""
        ) -> Court:
            server = open_servers.enter_context(started(told))
            lines = "\n".join(f"  {name}: {text}" for name, text in judges.items())
            _write(tmp_path, "prompts/judge.yaml", PROMPT)
            pair = PROMPT.replace("{{ answer }}", "{{ first }}\\n{{ second }}")
            _write(tmp_path, "prompts/pair.yaml", pair)
            params = PARAMS.format(judges=sits or ", ".join(judges), url=server.url, judge=lines)
            _write(tmp_path, "params.yaml", params)
            _rows(tmp_path, answers)
            return Court(tmp_path, server)

        yield make


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with the key of a paid API."""
    monkeypatch.setenv(VARIABLE, "sk-test-1")
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def _rows(root: Path, answers: dict[str, Sequence[str | None]]) -> None:
    count = max(map(len, answers.values()))
    examples = [Example(f"e-{n}", {"message": f"질문 {n}"}, target=f"t{n}") for n in range(count)]
    responses = [
        Response("s", f"e-{n}", model, "p", answer=said, error=None if said else Fault("timeout", "late"))
        for model, group in answers.items()
        for n, said in enumerate(group)
    ]
    jsonl.write(root / "results/s/examples.jsonl", examples)
    jsonl.write(root / "results/s/responses.jsonl", responses)
