from datetime import UTC, datetime, timedelta

from tests.tracking.conftest import Store
from tests.tracking.samples import SUITE

ASKED = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)


def ns(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def test_every_sampled_answer_is_a_trace_of_its_run(store: Store) -> None:
    assert set(store.traces(0)) == {"plain", "two-turns", "failed", "no-price", "no-turns"}
    assert store.runs[0].traces == 5
    assert store.traces(1) == {}


def test_a_trace_has_a_root_and_a_span_for_each_turn(store: Store) -> None:
    root, *turns = store.traces(0)["two-turns"].data.spans
    assert (root.name, root.span_type, root.parent_id) == (SUITE, "CHAIN", None)
    assert root.inputs == {"message": "환불은 언제 되나요? two-turns"}
    assert root.outputs == "refund_status"
    assert [(turn.span_type, turn.parent_id) for turn in turns] == [("LLM", root.span_id)] * 2
    assert turns[0].inputs["messages"][0] == {"role": "system", "content": "분류"}
    assert [turn.outputs["choices"][0]["message"]["content"] for turn in turns] == [
        "어디 보자",
        "refund_status",
    ]


def test_a_span_speaks_the_language_of_opentelemetry(store: Store) -> None:
    _, turn = store.traces(0)["plain"].data.spans
    found = {name: value for name, value in turn.attributes.items() if name.startswith("gen_ai.")}
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "demo-large",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
    }
    assert store.traces(0)["two-turns"].info.token_usage["total_tokens"] == 30


def test_a_span_lasted_as_long_as_the_call(store: Store) -> None:
    trace = store.traces(0)["plain"]
    for span in trace.data.spans:
        assert (span.start_time_ns, span.end_time_ns) == (ns(ASKED), ns(ASKED) + 250_000_000)
    assert (trace.info.request_time, trace.info.execution_duration) == (ns(ASKED) // 1_000_000, 250)


def test_a_time_that_is_not_known_is_tagged_so(store: Store) -> None:
    traces = store.traces(0)
    assert "asked_at" not in traces["plain"].info.tags
    assert traces["two-turns"].info.tags["asked_at"] == "not known"
    _, first, second = traces["two-turns"].data.spans
    assert second.start_time_ns == first.end_time_ns
    assert traces["no-turns"].info.tags["asked_at"] == "not known"
    assert traces["no-turns"].info.execution_duration == 1500


def test_a_failed_call_is_an_error_with_its_reason(store: Store) -> None:
    trace = store.traces(0)["failed"]
    assert trace.info.state == "ERROR"
    for span in trace.data.spans:
        assert (span.status.status_code.value, span.status.description) == (
            "ERROR",
            "timeout: no answer in 30 s",
        )
    assert {t.info.state for name, t in store.traces(0).items() if name != "failed"} == {"OK"}


def test_scores_and_targets_are_assessments(store: Store) -> None:
    found = {a.name: a for a in store.traces(0)["plain"].info.assessments}
    assert found["label_accuracy"].value == 1.0
    assert found["label_accuracy"].rationale == "read 'refund_status', target 'refund_status'"
    assert found["label_accuracy"].run_id == store.runs[0].run_id
    assert found["target"].value == "refund_status"


def test_a_score_without_a_value_is_an_error_and_not_a_zero(store: Store) -> None:
    [score] = [a for a in store.traces(0)["failed"].info.assessments if a.name == "label_accuracy"]
    assert score.value is None
    assert (score.error.error_code, score.error.error_message) == ("error", "no answer in 30 s")


def test_traces_are_found_by_score_slice_and_state(store: Store) -> None:
    place = [store.runs[0].experiment_id]
    for asked, number in (
        ("feedback.label_accuracy = '1.0'", 4),
        ("tags.language = 'ko'", 5),
        ("tags.example = 'plain'", 1),
        ("status = 'ERROR'", 1),
    ):
        assert len(store.client.search_traces(locations=place, filter_string=asked)) == number, asked


def test_a_known_cost_is_the_traces_cost(store: Store) -> None:
    assert store.traces(0)["plain"].info.cost == {"total_cost": 0.0001}


def test_an_unknown_cost_is_neither_zero_nor_mlflows_guess(store: Store) -> None:
    trace = store.traces(0)["no-price"]
    assert trace.info.cost is None
    assert [span.llm_cost for span in trace.data.spans] == [None] * 3
