"""A small project as the stages leave it: two models, two prompts, two languages, and hostile answers."""

import csv
import math
import random
from pathlib import Path

from msgspec.structs import replace

from llmops import jsonl
from llmops.records import Estimate, Example, Response, Score, Spend, Verdict
from llmops.replies import Fault, Message, Reply, Turn

MODELS = ["tiny-llama-q8", "a-served-model-with-a-long-name-2026-10"]
PROMPTS = ["support/v1", "support/v2"]
LABELS = ["cancel_order", "change_address", "other", "refund_status", "track_parcel"]
BASELINE = "tiny-llama-q8 · support/v1"
ASKED = {
    "cancel_order": ("please cancel my order", "주문을 취소해 주세요"),
    "change_address": ("I moved, send it to my new flat", "이사했어요, 새 주소로 보내 주세요"),
    "other": ("do you sell gift cards", "상품권도 파나요"),
    "refund_status": ("where is my refund", "환불은 언제 되나요"),
    "track_parcel": ("where is my parcel", "택배가 어디쯤 왔나요"),
}
HOSTILE = [
    "<script>window.hacked = 1; alert(1)</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "[x](javascript:alert(1)) **bold** :red[red]",
    "$\\frac{1}{2}$ and $x$",
]
CLASS_NUMBERS = ["precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high"]


def build(root: Path, size: int = 40, suite: str = "support", out: str = "results") -> None:
    """Write one suite's files of ``size`` examples below ``root``."""
    folder = root / out / suite
    examples = [_example(number) for number in range(size)]
    responses = [
        _response(suite, example, model, prompt)
        for model in MODELS
        for prompt in PROMPTS
        for example in examples
    ]
    targets = {example.id: example.target for example in examples}
    scores = [_score(response, targets[response.example_id]) for response in responses]
    jsonl.write(folder / "examples.jsonl", examples)
    jsonl.write(folder / "responses.jsonl", responses)
    jsonl.write(folder / "scores.jsonl", scores)
    jsonl.write(folder / "estimates.jsonl", _estimates(examples, responses, scores))
    jsonl.write(folder / "verdicts.jsonl", _verdicts(suite))
    _write_classes(folder / "classes.csv", scores)


def build_spend(state: Path) -> None:
    """Write what six runs asked and paid; the first model has no price."""
    days = ["2026-11-17", "2026-11-18", "2026-11-20"]
    rows = [_spend(day, index, model) for index, day in enumerate(days) for model in MODELS]
    jsonl.write(state / "spend.jsonl", rows)


def _spend(day: str, index: int, model: str) -> Spend:
    priced = model == MODELS[1]
    return Spend(
        at=f"{day}T09:00:00+00:00",
        suite="support",
        model=model,
        prompt=PROMPTS[0],
        calls=40 if index == 0 else 4,
        hits=0 if index == 0 else 36,
        errors=1,
        input_tokens=1800,
        output_tokens=200,
        spent_usd=(0.02 if index == 0 else 0.002) if priced else None,
        saved_usd=(0.0 if index == 0 else 0.018) if priced else None,
        seconds=3.5,
    )


def _example(number: int) -> Example:
    label = LABELS[number % len(LABELS)]
    language = "ko" if number % 2 else "en"
    text = f"{ASKED[label][number % 2]} #{number}"
    return Example(
        id=f"support-{number:04d}",
        inputs={"message": text},
        target=label,
        slices={"language": language, "length": "long" if number % 3 == 0 else "short"},
    )


def _response(suite: str, example: Example, model: str, prompt: str) -> Response:
    chance = random.Random(f"{example.id}{model}{prompt}")
    skill = 0.6 + 0.2 * MODELS.index(model) + 0.1 * PROMPTS.index(prompt)
    number = int(example.id[-4:])
    messages = [
        Message(role="system", content="Answer with one label."),
        Message(role="user", content=example.inputs["message"]),
    ]
    if number == 17:
        fault = Fault(kind="timeout", message="no answer within 30 s")
        return Response(
            suite=suite,
            example_id=example.id,
            model=model,
            prompt=prompt,
            error=fault,
            turns=[Turn(messages=messages, reply=Reply(error=fault))],
        )
    if number < len(HOSTILE):
        answer = HOSTILE[number]
    else:
        answer = example.target if chance.random() < skill else chance.choice(LABELS)
    cost = None if model == MODELS[0] else 0.0005 + 0.0001 * PROMPTS.index(prompt)
    seconds = round(chance.lognormvariate(-2.0 + MODELS.index(model), 0.5), 4)
    reply = Reply(text=answer, input_tokens=45, output_tokens=5, latency_s=seconds, cost_usd=cost)
    return Response(
        suite=suite,
        example_id=example.id,
        model=model,
        prompt=prompt,
        answer=answer,
        finish_reason="stop",
        served_model=model,
        input_tokens=45,
        output_tokens=5,
        latency_s=seconds,
        cost_usd=cost,
        turns=[Turn(messages=messages, reply=reply)],
    )


def _score(response: Response, target: str | None) -> Score:
    read = response.answer if response.answer in LABELS else None
    missing = "error" if response.error else None if read else "unread"
    return Score(
        suite=response.suite,
        example_id=response.example_id,
        model=response.model,
        prompt=response.prompt,
        metric="label_accuracy",
        value=None if missing else float(read == target),
        read=read,
        target=target,
        missing=missing,
        reason="no label in the answer" if missing == "unread" else None,
    )


def _estimates(examples: list[Example], responses: list[Response], scores: list[Score]) -> list[Estimate]:
    slices = ["all", "language=en", "language=ko", "length=long", "length=short"]
    found = []
    for model in MODELS:
        for prompt in PROMPTS:
            for name in slices:
                ids = {each.id for each in examples if name == "all" or _within(each, name)}
                own = [s for s in scores if (s.model, s.prompt) == (model, prompt) and s.example_id in ids]
                base = [
                    s
                    for s in scores
                    if (s.model, s.prompt) == (MODELS[0], PROMPTS[0]) and s.example_id in ids
                ]
                found.append(_accuracy(own, base, name))
            found += _latencies([r for r in responses if (r.model, r.prompt) == (model, prompt)])
    return found


def _within(example: Example, name: str) -> bool:
    key, _, value = name.partition("=")
    return example.slices[key] == value


def _accuracy(own: list[Score], base: list[Score], name: str) -> Estimate:
    values = [score.value or 0.0 for score in own if score.missing != "error"]
    value, n = sum(values) / len(values), len(values)
    low, high = _wilson(value, n)
    estimate = Estimate(
        suite=own[0].suite, model=own[0].model, prompt=own[0].prompt, metric="label_accuracy", slice=name,
        value=value, low=low, high=high, method="wilson", n=n, missing=sum(s.value is None for s in own),
        counted_wrong=sum(s.missing == "unread" for s in own), policy="wrong",
    )  # fmt: skip
    return estimate if own == base else _compared(estimate, own, base)


def _compared(estimate: Estimate, own: list[Score], base: list[Score]) -> Estimate:
    pairs = [(a.value or 0.0, b.value or 0.0) for a, b in zip(own, base, strict=True) if a.missing != "error"]
    difference = sum(a - b for a, b in pairs) / len(pairs)
    return replace(
        estimate, baseline=BASELINE,
        difference=difference, difference_low=difference - 0.18, difference_high=difference + 0.12,
        fixed=sum(a > b for a, b in pairs), broke=sum(a < b for a, b in pairs),
    )  # fmt: skip


def _wilson(value: float, n: int) -> tuple[float, float]:
    z = 1.959964
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def _latencies(rows: list[Response]) -> list[Estimate]:
    seconds = sorted(row.latency_s for row in rows if row.latency_s is not None)
    return [
        Estimate(
            suite=rows[0].suite,
            model=rows[0].model,
            prompt=rows[0].prompt,
            metric=metric,
            higher_is_better=False,
            value=(at := seconds[int(share * len(seconds))]),
            low=at * 0.8,
            high=at * 1.3,
            method="order statistics",
            n=len(seconds),
            missing=len(rows) - len(seconds),
        )
        for metric, share in (("latency_p50_s", 0.5), ("latency_p95_s", 0.95))
    ]


def _verdicts(suite: str) -> list[Verdict]:
    outcomes = ["fail", "inconclusive", "inconclusive", "pass"]
    reasons = {
        "fail": "the whole interval is below 0.8",
        "inconclusive": "the interval reaches from below 0.8 to above it; about 60 more examples would decide",
        "pass": "the whole interval is at or above 0.8",
    }
    pairs = [(model, prompt) for model in MODELS for prompt in PROMPTS]
    return [
        Verdict(
            suite=suite,
            model=model,
            prompt=prompt,
            metric="label_accuracy",
            rule="label_accuracy at least 0.8",
            outcome=outcome,
            reason=reasons[outcome],
        )
        for (model, prompt), outcome in zip(pairs, outcomes, strict=True)
    ]


def _write_classes(path: Path, scores: list[Score]) -> None:
    columns = [
        "suite",
        "model",
        "prompt",
        "label",
        "support",
        "predicted",
        *CLASS_NUMBERS,
        "f1",
        "f1_low",
        "f1_high",
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        for model in MODELS:
            for prompt in PROMPTS:
                own = [s for s in scores if (s.model, s.prompt) == (model, prompt)]
                writer.writerows(_class_row(own, label) for label in LABELS)


def _class_row(own: list[Score], label: str) -> dict[str, object]:
    support = sum(s.target == label for s in own)
    predicted = sum(s.read == label for s in own)
    right = sum(s.read == s.target == label for s in own)
    recall = dict(zip(CLASS_NUMBERS[3:], (right / support, *_wilson(right / support, support)), strict=True))
    precise = right / predicted if predicted else None
    precision = (
        dict(zip(CLASS_NUMBERS[:3], (precise, *_wilson(precise, predicted)), strict=True))
        if predicted
        else {}
    )
    first = own[0]
    who = {"suite": first.suite, "model": first.model, "prompt": first.prompt, "label": label}
    f1 = {"f1": 2 * right / (support + predicted)}
    return {**who, "support": support, "predicted": predicted, **precision, **recall, **f1}
