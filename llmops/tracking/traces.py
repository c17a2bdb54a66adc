"""Answered examples as MLflow traces: what was asked, what came back, when, and how it was scored."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from llmops.models.protocol.body import spoken
from llmops.record import Record
from llmops.records import Example, Response, Score
from llmops.replies import Fault, Message, Reply, Turn
from llmops.tracking.inputs import links

if TYPE_CHECKING:
    from mlflow.entities import Assessment, Span, TraceInfo
    from mlflow.entities.model_registry import PromptVersion

PREVIEW = 1000
"""Characters of a question or an answer that MLflow shows in its list."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Period = tuple[int, int]
"""Start and end, in nanoseconds since 1970."""


class Traced(Record, frozen=True, kw_only=True):
    """An example with its response and the response's scores."""

    example: Example
    response: Response
    scores: list[Score] = msgspec.field(default_factory=list)


class Home(NamedTuple):
    """Where traces belong: the store, its experiment, the run, and the prompt they were asked with."""

    uri: str
    experiment_id: str
    run_id: str
    prompt: "PromptVersion | None" = None


def log_traces(home: Home, sample: Sequence[Traced]) -> list[str]:
    """Write a trace for each answered example and return their ids.

    They are written at once and not through MLflow's exporter, which drops what it fails to send.
    """
    from mlflow.tracing.client import TracingClient

    client = TracingClient(home.uri)
    ids = [f"tr-{uuid.uuid4().hex}" for _ in sample]
    spans: list[Span] = []
    for trace_id, traced in zip(ids, sample, strict=True):
        periods = _periods(traced.response)
        client.start_trace(_info(trace_id, home, traced, _whole(periods)))
        if home.prompt:
            client.store.link_prompts_to_trace(trace_id, [home.prompt])
        spans += _spans(trace_id, traced, periods)
    client.log_spans(home.experiment_id, spans)
    return ids


def _periods(response: Response) -> list[Period]:
    """Return when each turn was asked and answered.

    A turn whose time is not known begins where the one before it ended, the first of them now;
    the trace is tagged so.
    """
    periods: list[Period] = []
    for turn in response.turns:
        start = _ns(turn.reply.asked_at)
        if start is None:
            start = periods[-1][1] if periods else _now()
        periods.append((start, start + int((turn.reply.latency_s or 0.0) * 1e9)))
    return periods or [(now := _now(), now + int((response.latency_s or 0.0) * 1e9))]


def _whole(periods: Sequence[Period]) -> Period:
    return min(start for start, _ in periods), max(end for _, end in periods)


def _ns(moment: str | None) -> int | None:
    """Return an ISO 8601 moment in nanoseconds, to the microsecond; one without a zone is UTC."""
    if moment is None:
        return None
    parsed = datetime.fromisoformat(moment)
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1) * 1000


def _now() -> int:
    return (datetime.now(UTC) - EPOCH) // timedelta(microseconds=1) * 1000


def _info(trace_id: str, home: Home, traced: Traced, period: Period) -> "TraceInfo":
    from mlflow.entities import TraceInfo, TraceLocation, TraceState

    response = traced.response
    start, end = period
    return TraceInfo(
        trace_id=trace_id,
        trace_location=TraceLocation.from_experiment_id(home.experiment_id),
        request_time=start // 1_000_000,
        execution_duration=(end - start) // 1_000_000,
        state=TraceState.ERROR if response.error else TraceState.OK,
        request_preview=_json(traced.example.inputs)[:PREVIEW],
        response_preview=(response.answer or "")[:PREVIEW],
        trace_metadata=_metadata(response, home),
        tags={**traced.example.slices, **_tags(response), **links(home.prompt)},
        assessments=_assessments(traced, home.run_id),
    )


def _metadata(response: Response, home: Home) -> dict[str, str]:
    from mlflow.tracing.constant import TRACE_SCHEMA_VERSION, TRACE_SCHEMA_VERSION_KEY, TraceMetadataKey

    # Without a cost here MLflow would add up the spans and call the unknown shares of it $0.
    usd = response.cost_usd
    return {
        TraceMetadataKey.SOURCE_RUN: home.run_id,
        TRACE_SCHEMA_VERSION_KEY: str(TRACE_SCHEMA_VERSION),
        **({} if usd is None else {TraceMetadataKey.COST: _json({"total_cost": usd})}),
    }


def _tags(response: Response) -> dict[str, str]:
    from mlflow.tracing.constant import TraceTagKey

    known = bool(response.turns) and all(turn.reply.asked_at for turn in response.turns)
    return {
        TraceTagKey.TRACE_NAME: response.suite,
        "example": response.example_id,
        "model": response.model,
        "prompt": response.prompt,
        "repeat": str(response.repeat),
        **({} if known else {"asked_at": "not known"}),
    }


def _assessments(traced: Traced, run_id: str) -> "list[Assessment]":
    from mlflow.entities import AssessmentSource, Expectation

    found: list[Assessment] = [_feedback(score, run_id) for score in traced.scores]
    if traced.example.target is not None:
        source = AssessmentSource("CODE", "data set")
        found.append(Expectation(name="target", value=traced.example.target, source=source))
    return found


def _feedback(score: Score, run_id: str) -> "Assessment":
    """Return a score as feedback; one without a value is an error with its reason, never a 0."""
    from mlflow.entities import AssessmentError, AssessmentSource, Feedback
    from mlflow.tracing.constant import AssessmentMetadataKey

    missing = score.missing or "unread"
    lack = AssessmentError(error_code=missing, error_message=score.reason) if score.value is None else None
    return Feedback(
        name=score.metric,
        value=score.value,
        error=lack,
        source=AssessmentSource("CODE", score.metric),
        rationale=score.reason or f"read {score.read!r}, target {score.target!r}",
        metadata={AssessmentMetadataKey.SOURCE_RUN_ID: run_id},
    )


class _Part(NamedTuple):
    """What one span shows."""

    name: str
    period: Period
    error: Fault | None
    attributes: dict[str, Any]


def _spans(trace_id: str, traced: Traced, periods: Sequence[Period]) -> "list[Span]":
    """Return the root span and one below it for each turn."""
    response = traced.response
    whole = {
        "mlflow.spanType": "CHAIN",
        "mlflow.spanInputs": traced.example.inputs,
        "mlflow.spanOutputs": response.answer,
    }
    root = _span(trace_id, None, _Part(response.suite, _whole(periods), response.error, whole))
    turns = (
        _Part(response.model, period, turn.reply.error, _asked(turn, response))
        for turn, period in zip(response.turns, periods, strict=False)
    )
    return [root, *(_span(trace_id, root.span_id, part) for part in turns)]


def _asked(turn: Turn, response: Response) -> dict[str, Any]:
    """Return a turn in OpenTelemetry's words for generative AI, its messages as a chat that MLflow draws."""
    reply = turn.reply
    known = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": response.model,
        "gen_ai.response.model": reply.served_model,
        "gen_ai.response.finish_reasons": [reply.finish_reason] if reply.finish_reason else None,
        "gen_ai.usage.input_tokens": reply.input_tokens,
        "gen_ai.usage.output_tokens": reply.output_tokens,
        "gen_ai.response.time_to_first_chunk": reply.first_token_s,
        "mlflow.spanType": "LLM",
        "mlflow.spanInputs": {"messages": [spoken(message) for message in turn.messages]},
        "mlflow.spanOutputs": _choices(reply),
    }
    return {**{name: value for name, value in known.items() if value is not None}, **_price(reply, response)}


def _price(reply: Reply, response: Response) -> dict[str, Any]:
    """Return what the turn cost; where the whole is not known, what keeps MLflow from a price of its own.

    MLflow looks up the price of any model whose name it knows, whoever serves it, and adds up
    the turns that have one.
    """
    if reply.cost_usd is None or response.cost_usd is None:
        return {"mlflow.llm.model": ""}
    return {"mlflow.llm.cost": {"total_cost": reply.cost_usd}}


def _choices(reply: Reply) -> dict[str, Any] | None:
    if reply.text is None and not reply.tool_calls:
        return None
    message = spoken(Message("assistant", reply.text or "", reply.tool_calls))
    return {"choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}]}


def _span(trace_id: str, parent: str | None, part: _Part) -> "Span":
    from mlflow.entities import Span

    attributes = {"mlflow.traceRequestId": trace_id, **part.attributes}
    return Span.from_dict(
        {
            "trace_id": trace_id,
            "span_id": uuid.uuid4().hex[:16],
            "parent_span_id": parent,
            "name": part.name,
            "start_time_unix_nano": part.period[0],
            "end_time_unix_nano": part.period[1],
            "status": {
                "code": "STATUS_CODE_ERROR" if part.error else "STATUS_CODE_OK",
                "message": f"{part.error.kind}: {part.error.message}" if part.error else "",
            },
            "attributes": {name: _json(value) for name, value in attributes.items()},
        }
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
