"""Records to publish: Korean, unknown numbers, a failed call, an unknown price."""

from pathlib import Path

from llmops.records import Estimate, Example, Outcome, Response, Score, Verdict
from llmops.replies import Fault, Message, Reply, Turn
from llmops.tracking.inputs import DataSet, PromptText
from llmops.tracking.publish import RunRecord
from llmops.tracking.traces import Traced

SUITE = "support"
SOURCE = "https://example.org/support.jsonl"


def estimate(metric: str = "label_accuracy", cut: str = "all", **fields) -> Estimate:
    given = {"value": 1 / 3, "low": 0.1 + 0.2, "high": 0.7, "n": 1319, "missing": 2, **fields}
    return Estimate(suite=SUITE, model="demo-large", prompt="support/v1", metric=metric, slice=cut, **given)


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(
        suite=SUITE,
        model="demo-large",
        prompt="support/v1",
        metric="label_accuracy",
        rule="label_accuracy at least 0.8",
        outcome=outcome,
        reason="0.333 [0.3, 0.7]; 기준 미달",
    )


def reply(text: str | None, second: int, **fields) -> Reply:
    given = {
        "input_tokens": 12,
        "output_tokens": 3,
        "served_model": "gpt-4o-mini",
        "finish_reason": "stop",
        "latency_s": 0.25,
        "cost_usd": 0.0001,
        "asked_at": f"2026-11-20T10:00:{second:02d}.123456Z",
        **fields,
    }
    return Reply(text=text, **given)


def traced(name: str, replies: list[Reply], **fields) -> Traced:
    """Return an example whose answer is the last reply's, scored 1, or missing when that one failed."""
    last = replies[-1]
    example = Example(
        id=name,
        inputs={"message": f"환불은 언제 되나요? {name}"},
        target="refund_status",
        slices={"language": "ko"},
    )
    where = {"suite": SUITE, "model": "demo-large", "prompt": "support/v1", "example_id": name}
    asked = [Message(role="system", content="분류"), Message(role="user", content=example.inputs["message"])]
    response = Response(
        **{
            **where,
            "answer": last.text,
            "cost_usd": 0.0001 * len(replies),
            "turns": [Turn(messages=asked, reply=r) for r in replies],
            "error": last.error,
            **fields,
        }
    )
    score = Score(**where, metric="label_accuracy", value=1.0, read="refund_status", target="refund_status")
    if last.error:
        score = Score(**where, metric="label_accuracy", missing="error", reason=last.error.message)
    return Traced(example=example, response=response, scores=[score])


def sample() -> list[Traced]:
    late = Fault(kind="timeout", message="no answer in 30 s")
    return [
        traced("plain", [reply("Refund_Status.", 0)]),
        traced("two-turns", [reply("어디 보자", 1), reply("refund_status", 2, asked_at=None)]),
        traced("failed", [reply(None, 3, error=late, cost_usd=0.0001)]),
        traced("no-price", [reply("x", 4), reply("refund_status", 5, cost_usd=None)], cost_usd=None),
        traced("no-turns", [reply("refund_status", 6)], turns=[], latency_s=1.5),
    ]


def prompt_text(content: str = "Label {{ message }} 한국어") -> PromptText:
    messages = [
        Message(role="system", content="{% if x %}y{% endif %}"),
        Message(role="user", content=content),
    ]
    return PromptText(name="support/v1", messages=messages, sha256="f" * 64)


def record(folder: Path, outcome: Outcome = "fail", **fields) -> RunRecord:
    """Return a record with something of everything."""
    (folder / "plots").mkdir(exist_ok=True)
    (folder / "responses.jsonl").write_text('{"answer": "한국어"}\n', encoding="utf-8")
    (folder / "plots" / "classes.csv").write_text("label,n\n", encoding="utf-8")
    examples = [t.example for t in sample()]
    given = {
        "suite": SUITE,
        "model": "demo-large",
        "prompt": "support/v1",
        "params": {f"generate.setting_{i}": str(i) for i in range(130)} | {"이름": "값"},
        "estimates": [
            estimate(
                difference=-0.01,
                difference_low=-0.02,
                difference_high=0.1 - 0.3,
                fixed=1,
                broke=2,
                baseline="b",
            ),
            estimate(
                cut="language=ko", value=0.1, low=None, high=None, n=1, reason="1 example, 2 are needed"
            ),
            estimate(cut="주제=환불/교환", value=5e-324, high=1.7976931348623157e308),
            estimate("cost_usd", value=None, low=None, high=None, n=3, reason="unknown for 1 of 3 responses"),
        ],
        "verdicts": [verdict("pass"), verdict(outcome)],
        "provenance": {"git_commit": "0123abc", "data_sha256": "d" * 64},
        "text": prompt_text(),
        "dataset": DataSet(name="support", source=SOURCE, sha256="a" * 64, examples=examples),
        "artifacts": {"": [folder / "responses.jsonl"], "plots": [folder / "plots" / "classes.csv"]},
        "traced": sample(),
        **fields,
    }
    return RunRecord(**given)
