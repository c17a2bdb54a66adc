"""`llmops generate` in batches, killed with a real signal at every step: nothing is paid twice or lost."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from llmops import jsonl
from llmops.records import Response, Spend
from tests.servers.batches import BatchBehaviour
from tests.servers.behaviour import Behaviour
from tests.servers.started import started

PARAMS = """
suites:
  s: {{dataset: d, task: text, prompts: [p], models: [bot], metrics: [exact_match]}}
models:
  bot:
    kind: openai
    model: m-1
    base_url: '{url}'
    mode: batch
    batch: {{poll_s: 0.05, max_requests: {max_requests}}}
    sampling: {{max_tokens: 100}}
    price: {{input_per_mtok_usd: 1.0, output_per_mtok_usd: 10.0, batch_factor: 0.5}}
"""
EXAMPLES = 6
STEPS = [
    "upload before", "upload after", "create before", "create after", "look before", "look after",
    "content before", "content amid", "content after",
]  # fmt: skip


class Project:
    """A project's folder of which `generate` is run in processes of its own; they end with its block."""

    def __init__(self, root, server, max_requests=4):
        self.root, self.server = root, server
        self.processes = []
        for folder in ("prompts", "results/s"):
            (root / folder).mkdir(parents=True)
        (root / "prompts" / "p.yaml").write_text(
            "messages: [{role: user, content: '{{ q }}'}]\n", encoding="utf-8"
        )
        rows = [{"id": f"e-{n}", "inputs": {"q": f"question {n}"}, "target": "x"} for n in range(EXAMPLES)]
        jsonl.write(root / "results" / "s" / "examples.jsonl", rows)
        text = PARAMS.format(url=server.url, max_requests=max_requests)
        (root / "params.yaml").write_text(text, encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            with process:  # which closes its pipes
                process.kill()

    def start(self):
        process = subprocess.Popen(
            [sys.executable, "-m", "llmops", "--root", str(self.root), "generate", "s"],
            env={**os.environ, "LLMOPS_STATE": str(self.root / "state")},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self):
        process = self.start()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said

    @property
    def responses(self):
        return self.root / "results" / "s" / "responses.jsonl"

    def check(self):
        """Every question has its own answer, and no answer was made twice."""
        responses = list(jsonl.read(self.responses, Response))
        assert [response.answer for response in responses] == [f"question {n}" for n in range(EXAMPLES)]
        assert set(self.server.batch_counts().processed.values()) == {1}
        assert len(self.server.batch_counts().processed) == EXAMPLES


def until(holds, process):
    gives_up_at = time.monotonic() + 30
    while not holds():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < gives_up_at
        time.sleep(0.02)


def killed_when(project, holds, number=signal.SIGKILL):
    process = project.start()
    until(holds, process)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_step_is_taken_up_by_the_next(step, tmp_path):
    with started(BatchBehaviour(hold=step)) as server, Project(tmp_path, server) as project:
        code, _ = killed_when(project, lambda: server.batch_counts().held)
        assert code == -signal.SIGKILL
        project.run()
        project.check()
        first = project.responses.read_bytes()
        said = project.run()
        assert project.responses.read_bytes() == first
        assert "6 stored" in said
        assert server.batch_counts().sizes == [4, 2]
        assert server.batch_counts().files == 2


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_every_answer_once(tmp_path):
    with started(BatchBehaviour(rows={"question 3": "500"})) as server, Project(tmp_path, server) as project:
        for n in range(8):
            process = project.start()
            time.sleep(1.2 + 0.15 * n)
            process.kill()
            process.communicate()
        project.run()
        project.check()


def test_the_next_day_collects_what_an_interrupted_run_sent(tmp_path):
    with started(BatchBehaviour(still=True)) as server, Project(tmp_path, server) as project:
        stood = lambda: server.batch_counts().calls.get("look", 0) >= 6  # noqa: E731
        before = time.monotonic()
        code, said = killed_when(project, stood, signal.SIGINT)
        assert time.monotonic() - before < 30
        assert code == 130
        assert "goes on at the provider; the same command collects it, nothing is lost" in said
        assert "batch_1" in said
        server.go_on()
        project.run()
        project.check()
        assert server.batch_counts().sizes == [4, 2]
        spent = list(jsonl.read(tmp_path / "state" / "spend.jsonl", Spend))
    assert [(row.calls, row.spent_usd) for row in spent] == [(0, 0.0), (6, pytest.approx(6 * 0.001))]


def test_what_a_finished_batch_brought_is_kept_though_nobody_asks_for_it_now(tmp_path):
    with (
        started(BatchBehaviour(still=True)) as server,
        Project(tmp_path, server, max_requests=50_000) as project,
    ):
        killed_when(project, lambda: server.batch_counts().calls.get("look", 0) >= 3)
        server.go_on()
        examples = project.root / "results" / "s" / "examples.jsonl"
        whole = examples.read_text(encoding="utf-8")
        examples.write_text("".join(whole.splitlines(keepends=True)[:2]), encoding="utf-8")
        project.run()
        examples.write_text(whole, encoding="utf-8")
        assert "6 stored" in project.run()
        project.check()
        assert server.batch_counts().calls["create"] == 1


def test_two_runs_at_the_same_time_share_one_batch(tmp_path):
    with started(BatchBehaviour()) as server, Project(tmp_path, server, max_requests=50_000) as project:
        runs = [project.start(), project.start()]
        assert [run.communicate(timeout=60)[0] or run.returncode for run in runs] == [0, 0]
        project.check()
        spent = list(jsonl.read(tmp_path / "state" / "spend.jsonl", Spend))
    assert sum(row.calls for row in spent) == EXAMPLES
    assert Counter(row.calls + row.hits for row in spent) == {EXAMPLES: 2}


def test_models_in_batches_are_asked_side_by_side_with_each_other_and_the_rest(tmp_path):
    with (
        started(BatchBehaviour(still=True)) as server,
        started(Behaviour()) as chat,
        Project(tmp_path, server, max_requests=50_000) as project,
    ):
        text = (tmp_path / "params.yaml").read_text(encoding="utf-8").replace("[bot]", "[bot, other, direct]")
        bot = text[text.index("  bot:") :]
        direct = f"  direct: {{kind: openai, model: m, base_url: '{chat.url}'}}\n"
        text += bot.replace("bot:", "other:").replace("m-1", "m-2") + direct
        (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
        process = project.start()
        until(lambda: server.batch_counts().calls.get("create") == 2, process)
        until(lambda: chat.counts().delivered.calls == EXAMPLES, process)
        server.go_on()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        responses = list(jsonl.read(project.responses, Response))
    models = [response.model for response in responses]
    assert models == ["bot"] * EXAMPLES + ["other"] * EXAMPLES + ["direct"] * EXAMPLES
    assert all(response.error is None for response in responses)
