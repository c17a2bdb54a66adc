"""Generate against a server of many faults: every example is accounted for, and every call."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places
from llmops.records import Example, Response, Spend
from llmops.stages import generate
from tests.servers.behaviour import Behaviour, Counts
from tests.servers.started import Server, started

FAULTS = {"500": 0.05, "429": 0.05, "reset": 0.02, "cut": 0.02, "garbage": 0.02, "hang": 0.01}
UNKNOWN = ("500", "reset", "cut", "garbage", "hang")
"""Outcomes of which a client cannot tell whether they are billed."""
PARAMS = """
run: [faulty]
suites:
  faulty: {{dataset: faulty, task: text, prompts: [ask], models: [bot], metrics: [exact_match]}}
models:
  bot: {{kind: openai, model: m, base_url: '{url}', timeout_s: {timeout_s}, sampling: {{max_tokens: 8}}}}
generate: {{{generate}}}
"""


class Project:
    """A project of one suite that asks one server."""

    def __init__(self, root: Path, server: Server, settings: str, timeout_s: float) -> None:
        self.root, self.server = root, server
        prompt = "messages: [{role: user, content: '{{ question }}'}]\n"
        (root / "prompts").mkdir()
        (root / "prompts" / "ask.yaml").write_text(prompt, encoding="utf-8")
        params = PARAMS.format(url=server.url, generate=settings, timeout_s=timeout_s)
        (root / "params.yaml").write_text(params, encoding="utf-8")

    def asked(self, questions: list[str]) -> list[Response]:
        """Generate, and return the responses."""
        rows = [Example(f"e-{n}", {"question": text}) for n, text in enumerate(questions)]
        jsonl.write(self.root / "results/faulty/examples.jsonl", rows)
        generate.main(Places(self.root), "faulty")
        return list(jsonl.read(self.root / "results/faulty/responses.jsonl", Response))

    def spent(self) -> Spend:
        """Return what the last run booked."""
        *_, last = jsonl.read(self.root / "state/spend.jsonl", Spend)
        return last


Make = Callable[..., Project]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    running = []

    def make(behaviour: Behaviour, settings: str = "", timeout_s: float = 5.0) -> Project:
        context = started(behaviour)
        running.append(context)
        return Project(tmp_path, context.__enter__(), settings, timeout_s)

    yield make
    for context in running:
        context.__exit__(None, None, None)


def errors(responses: list[Response]) -> Counter[str]:
    return Counter(response.error.kind for response in responses if response.error)


def accounted(responses: list[Response], examples: int) -> None:
    """Check that every example has one response, with its own answer or a reason."""
    assert [response.example_id for response in responses] == [f"e-{n}" for n in range(examples)]
    for n, response in enumerate(responses):
        if response.error is None:
            assert response.answer == f"question {n}"
        else:
            assert response.answer is None
            assert response.error.message


def booked(spent: Spend, counts: Counts, responses: list[Response]) -> None:
    """Check the ledger against what the server counted."""
    told = [r for response in responses for r in (turn.reply for turn in response.turns) if r.error is None]
    assert spent.calls == counts.requests
    assert spent.errors == counts.requests - counts.delivered.calls
    assert len(told) == counts.delivered.calls
    assert sum(reply.input_tokens for reply in told) == counts.delivered.input_tokens
    assert sum(reply.output_tokens for reply in told) == counts.delivered.output_tokens
    assert spent.unknown_calls == sum(counts.outcomes.get(outcome, 0) for outcome in UNKNOWN)
    assert counts.billed.calls - counts.delivered.calls <= spent.unknown_calls
    assert (spent.input_tokens is None) == (spent.unknown_calls > 0)


@pytest.mark.parametrize(
    ("examples", "hang_timeout_s"),
    [(200, 0.5), pytest.param(5000, 2.0, marks=pytest.mark.slow)],
)
def test_all_faults_together_lose_no_example_and_no_call(
    examples: int, hang_timeout_s: float, project: Make
) -> None:
    behaviour = Behaviour(latency_s=0.01, faults=FAULTS, retry_after="none")
    faulty = project(behaviour, "concurrency: 64", hang_timeout_s)
    responses = faulty.asked([f"question {n}" for n in range(examples)])
    counts = faulty.server.counts()
    accounted(responses, examples)
    booked(faulty.spent(), counts, responses)
    assert set(counts.delivered_by_text.values()) == {1}
    assert all(counts.outcomes[fault] > 0 for fault in FAULTS)
    assert sum(errors(responses).values()) <= examples / 200

    again = faulty.asked([f"question {n}" for n in range(examples)])
    assert [r for r in again if r.error is None][:9] == [r for r in responses if r.error is None][:9]
    assert faulty.spent().hits == counts.delivered.calls


def test_a_fault_that_stays_is_an_error_and_the_rest_goes_on(project: Make) -> None:
    always = {
        "#500": "500",
        "#garbage": "garbage",
        "#cut": "cut",
        "#400": "400",
        "#403": "403",
        "#404": "404",
    }
    faulty = project(Behaviour(latency_s=0.02, always=always), "attempts: 2, concurrency: 4")
    questions = [*always, *(f"question {n}" for n in range(20))]
    found = {r.turns[0].messages[0].content: r for r in faulty.asked(questions)}
    assert {word: found[word].error.kind for word in always} == {
        "#500": "server_error", "#garbage": "bad_reply", "#cut": "connection",
        "#400": "refused", "#403": "forbidden", "#404": "unknown",
    }  # fmt: skip
    assert sum(response.error is None for response in found.values()) == 20
    assert faulty.spent().calls == faulty.server.counts().requests == 20 + 3 * 2 + 3


def test_one_forbidden_request_is_an_error_when_all_others_come_from_the_store(project: Make) -> None:
    faulty = project(Behaviour(latency_s=0.02, always={"#403": "403"}))
    questions = ["#403", *(f"question {n}" for n in range(10))]
    assert errors(faulty.asked(questions)) == {"forbidden": 1}
    assert errors(faulty.asked(questions)) == {"forbidden": 1}
    assert faulty.spent().calls == 1


@pytest.mark.parametrize(
    ("outcome", "said"), [("404", "knows no model 'm'"), ("403", "refuses what is asked")]
)
def test_what_every_request_meets_ends_the_run_with_one_line(outcome: str, said: str, project: Make) -> None:
    faulty = project(Behaviour(always={"question": outcome}))
    with pytest.raises(UserError, match=said):
        faulty.asked([f"question {n}" for n in range(300)])
    assert faulty.server.counts().requests <= 64


def test_a_refused_key_ends_the_run_at_once_and_what_was_answered_is_kept(project: Make) -> None:
    faulty = project(Behaviour(latency_s=0.05, always={"#401": "401"}), "concurrency: 8")
    questions = [f"question {n}" for n in range(200)]
    with pytest.raises(UserError, match="wants a key"):
        faulty.asked([*questions, "#401"])
    before = faulty.server.counts()
    assert before.requests < 201
    kept = faulty.spent().calls - faulty.spent().errors
    faulty.asked(questions)
    assert faulty.spent().hits == kept
    assert before.delivered.calls - kept <= 8, "no more than was in flight"


@pytest.mark.parametrize("tells", ["asked", None])
def test_a_pause_beyond_the_patience_ends_the_asking_and_loses_nothing(tells: str, project: Make) -> None:
    behaviour = Behaviour(latency_s=0.02, requests_per_min=1, burst=30, rate_headers=tells)
    faulty = project(behaviour, "concurrency: 8, patience_s: 5")
    responses = faulty.asked([f"question {n}" for n in range(200)])
    assert errors(responses) == {"rate_limited": 170}
    counts, spent = faulty.server.counts(), faulty.spent()
    assert spent.calls == counts.requests < 60
    assert (spent.unknown_calls, spent.input_tokens) == (0, counts.delivered.input_tokens)


@pytest.mark.slow
@pytest.mark.parametrize("tells", ["asked", None])
def test_a_limit_of_600_a_minute_refuses_few_and_everything_is_answered(tells: str, project: Make) -> None:
    behaviour = Behaviour(latency_s=0.2, requests_per_min=600, burst=900, rate_headers=tells)
    faulty = project(behaviour)
    responses = faulty.asked([f"question {n}" for n in range(1319)])
    counts = faulty.server.counts()
    accounted(responses, 1319)
    assert not errors(responses)
    assert counts.outcomes.get("429", 0) <= 0.02 * counts.requests
