"""The answers to one example, side by side, with all that is known of each."""

import streamlit as st
from reading import Evaluation
from shown import candidate, count, number, unknown, usd
from words import say

from llmops.records import Judgement, Response, Score
from llmops.replies import Turn


def show_answers(evaluation: Evaluation, example_id: str) -> None:
    """Show every response to the example."""
    responses = evaluation.derived(responses_by_example).get(example_id, [])
    scores = evaluation.derived(scores_by_example).get(example_id, [])
    said = evaluation.derived(judgements_by_example).get(example_id, [])
    abreast = {0: 1, 1: 1, 2: 2, 4: 2}.get(len(responses), 3)
    for start in range(0, len(responses), abreast):
        for column, response in zip(st.columns(abreast), responses[start : start + abreast], strict=False):
            with column.container(border=True):
                _answer(response, [score for score in scores if _same(score, response)])
                _judged([each for each in said if _same(each, response)])


def responses_by_example(evaluation: Evaluation) -> dict[str, list[Response]]:
    """Return each example's responses."""
    found: dict[str, list[Response]] = {}
    for response in evaluation.responses():
        found.setdefault(response.example_id, []).append(response)
    return found


def scores_by_example(evaluation: Evaluation) -> dict[str, list[Score]]:
    """Return each example's scores."""
    found: dict[str, list[Score]] = {}
    for score in evaluation.scores():
        found.setdefault(score.example_id, []).append(score)
    return found


def judgements_by_example(evaluation: Evaluation) -> dict[str, list[Judgement]]:
    """Return what judges said of each example's answers."""
    found: dict[str, list[Judgement]] = {}
    for each in evaluation.judgements():
        found.setdefault(each.example_id, []).append(each)
    return found


def _same(row: Score | Judgement, response: Response) -> bool:
    ours = (response.model, response.prompt, response.repeat)
    return (row.model, row.prompt, row.repeat) == ours


def _judged(said: list[Judgement]) -> None:
    """Show what each judge wrote beside its verdict; a bare verdict stands among the scores."""
    for each in said:
        written = each.explanation or each.raw
        if written and written != each.label:
            st.text(f"{say('judge')} {_named(each)}: {each.label or each.reason or ''}")
            st.code(written, language=None, wrap_lines=True)


def _named(each: Judgement) -> str:
    other = each.other_model and candidate(each.other_model, each.other_prompt or "")
    return f"{each.metric} ({say('against')}: {other})" if other else each.metric


def _answer(response: Response, scores: list[Score]) -> None:
    repeat = f" · {say('repeat')} {response.repeat + 1}" if response.repeat else ""
    st.text(candidate(response.model, response.prompt) + repeat)
    if response.error:
        st.badge(say("error"), icon=":material/error:", color="orange")
        st.code(f"{response.error.kind}: {response.error.message}", language=None, wrap_lines=True)
    if response.answer is not None:
        st.code(response.answer, language=None, wrap_lines=True)
    st.text("\n".join([*(_score_line(score) for score in scores), *_took(response)]))
    if response.turns:
        with st.expander(say("turns", n=len(response.turns))):
            for turn in response.turns:
                _turn(turn)


def _score_line(score: Score) -> str:
    missing = say(score.missing) if score.missing else None
    read = "" if score.read is None else f" ({say('read')}: {score.read})"
    reason = f" ({score.reason})" if score.reason else ""
    return f"{score.metric}: {number(score.value, missing)}{read}{reason}"


def _took(response: Response) -> list[str]:
    seconds = unknown() if response.latency_s is None else f"{response.latency_s:.2f} s"
    facts = {
        "tokens_in_out": f"{count(response.input_tokens)} / {count(response.output_tokens)}",
        "latency": seconds,
        "cost": usd(response.cost_usd, say("no_price")),
        "served_model": response.served_model,
        "finish_reason": response.finish_reason,
    }
    return [f"{say(name)}: {fact}" for name, fact in facts.items() if fact is not None]


def _turn(turn: Turn) -> None:
    for message in turn.messages:
        st.text(message.role)
        st.code(message.content, language=None, wrap_lines=True)
    st.text(say("reply"))
    reply = turn.reply
    fault = f"{reply.error.kind}: {reply.error.message}" if reply.error else ""
    st.code(reply.text if reply.text is not None else fault, language=None, wrap_lines=True)
