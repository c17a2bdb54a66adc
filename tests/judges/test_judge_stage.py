"""The stage `judge`, end to end against a server that plays the judge."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Ranked, Spend
from llmops.report import ranks
from tests.judges.conftest import Court
from tests.servers.batches import BatchBehaviour
from tests.servers.behaviour import Behaviour
from tests.verbs import exit_code

Making = Callable[..., Court]
FITS = "{kind: rubric, model: bot, prompt: judge, classes: {yes: 1, no: 0}}"
YES, NO = '{"explanation": "so it is", "verdict": "yes"}', '{"explanation": "no", "verdict": "no"}'


def test_a_verdict_becomes_a_judgement_and_a_score(court: Making) -> None:
    made = court({"fits": FITS}, Behaviour(says={"good": YES, "bad": NO}), {"a": ["good", "bad"]})
    main(["judge", "s"])
    one, two = made.judgements()
    assert (one.value, one.label, one.explanation, one.raw) == (1.0, "yes", "so it is", YES)
    assert (two.value, two.label, two.missing, len(two.turns)) == (0.0, "no", None, 1)
    assert [(s.metric, s.value, s.read) for s in made.scores()] == [("fits", 1.0, "yes"), ("fits", 0.0, "no")]


def test_a_verdict_is_asked_for_once_and_spend_names_the_judge(court: Making) -> None:
    made = court({"fits": FITS}, Behaviour(answer=YES), {"a": ["one", "two", "one"]})
    main(["judge", "s"])
    first = (made.root / "results/s/judgements.jsonl").read_bytes()
    main(["judge", "s"])
    assert made.server.counts().requests <= 3
    assert (made.root / "results/s/judgements.jsonl").read_bytes() == first
    spent = list(jsonl.read(made.root / "state/spend.jsonl", Spend))
    assert [(row.judge, row.model, row.prompt) for row in spent] == [("fits", "bot", "judge")] * 2
    assert (spent[0].calls > 0, spent[1].calls, spent[1].hits) == (True, 0, 3)


def test_a_verdict_that_cannot_be_read_is_asked_for_once_more(court: Making) -> None:
    told = Behaviour(answer="I would say that it rather fits.", says={"No verdict": f"```json\n{YES}\n```"})
    made = court({"fits": FITS}, told, {"a": ["x"]})
    main(["judge", "s"])
    [one] = made.judgements()
    assert (one.value, len(one.turns), made.server.counts().requests) == (1.0, 2, 2)
    assert "the answer is no JSON" in one.turns[1].messages[-1].content


@pytest.mark.parametrize(
    "said",
    [
        "garbage",
        "I cannot judge that.",
        '{"verdict": "maybe"}',
        f"It fits: {YES}",
        "[1]",
        '{"verdict": true}',
    ],
)
def test_a_judge_that_gives_no_verdict_twice_leaves_the_answer_without_one(court: Making, said: str) -> None:
    made = court({"fits": FITS}, Behaviour(answer=said), {"a": ["x"]})
    main(["judge", "s"])
    [one], [score] = made.judgements(), made.scores()
    assert (one.value, one.missing, one.raw, len(one.turns)) == (None, "unjudged", said, 2)
    assert one.reason
    assert (score.value, score.missing, score.reason) == (None, "unjudged", one.reason)


def test_a_judge_whose_server_fails_leaves_the_reason(court: Making) -> None:
    made = court({"fits": FITS}, Behaviour(answer=YES, always={"bad": "400"}), {"a": ["bad", "good"]})
    main(["judge", "s"])
    one, two = made.judgements()
    assert (one.missing, one.value, two.value) == ("unjudged", None, 1.0)
    assert one.reason is not None
    assert one.reason.startswith("the judge: ")


PRICE = "price: {input_per_mtok_usd: 1, output_per_mtok_usd: 1}"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [("", r"models\.other: price: is not known"), (f"{PRICE}, key: NO_SUCH_KEY", "NO_SUCH_KEY is not set")],
)
@pytest.mark.parametrize("jury", [False, True])
def test_no_judge_is_asked_while_another_cannot_be(
    court: Making, capsys: pytest.CaptureFixture[str], settings: str, problem: str, jury: bool
) -> None:
    judges = {"fits": FITS, "strict": FITS.replace("bot", "other")}
    if jury:
        judges["both"] = "{kind: jury, judges: [fits, strict]}"
    made = court(judges, Behaviour(answer=YES), {"a": ["x"]}, sits="both" if jury else "")
    params = made.root / "params.yaml"
    text = params.read_text(encoding="utf-8").replace("attempts: 1,", "attempts: 1, budget_usd: 1,")
    [bot] = [line for line in text.splitlines() if line.startswith("  bot:")]
    other = bot.replace("bot", "other", 1).replace(
        "model: m", ", ".join(["model: m", *filter(None, [settings])])
    )
    text = text.replace(bot, f"{bot.replace('model: m', f'model: m, {PRICE}')}\n{other}")
    params.write_text(text, encoding="utf-8")
    assert exit_code("judge", "s") == 2
    assert re.search(problem, capsys.readouterr().err)
    assert made.server.counts().requests == 0


def test_an_answer_that_is_not_there_is_not_shown_to_a_judge(court: Making) -> None:
    made = court({"fits": FITS}, Behaviour(answer=YES), {"a": [None]})
    main(["judge", "s"])
    [one] = made.judgements()
    assert (one.missing, one.reason, made.server.counts().requests) == ("error", "timeout: late", 0)


def test_several_criteria_are_one_call_and_a_metric_each(court: Making) -> None:
    spec = "{kind: rubric, model: bot, prompt: judge, scale: [1, 5], criteria: [tone, clarity]}"
    made = court(
        {"style": spec}, Behaviour(answer='{"tone": 4, "clarity": "2", "explanation": ""}'), {"a": ["x"]}
    )
    main(["judge", "s"])
    assert [(s.metric, s.value) for s in made.scores()] == [("style.tone", 4.0), ("style.clarity", 2.0)]
    assert made.server.counts().requests == 1


def test_a_reference_judge_needs_no_verdicts_of_its_own(court: Making) -> None:
    spec = "{kind: reference, model: bot, prompt: judge, output: word}"
    made = court({"right": spec}, Behaviour(answer=" Correct.\n"), {"a": ["x"]})
    main(["judge", "s"])
    assert [s.value for s in made.scores()] == [1.0]


PAIR = "{kind: pairwise, model: bot, prompt: pair}"


def test_a_pair_is_asked_in_both_orders_and_a_disagreement_is_a_tie(court: Making) -> None:
    made = court({"better": PAIR}, Behaviour(answer='{"verdict": "first"}'), {"a": ["x"], "b": ["y"]})
    main(["judge", "s"])
    [one] = made.judgements()
    assert (one.model, one.other_model) == ("b", "a")
    assert (one.value, one.label, one.reason, one.orders) == (0.5, "tie", "order", ["win", "loss"])
    assert made.server.counts().requests == 2


def test_a_pair_that_both_orders_decide_alike_is_a_win(court: Making) -> None:
    told = Behaviour(says={"y\n</first": '{"verdict": "first"}'}, answer='{"verdict": "second"}')
    made = court({"better": PAIR}, told, {"a": ["x", "x"], "b": ["y", None]})
    main(["judge", "s"])
    won, silent = made.judgements()
    assert (won.value, won.label, won.reason, won.orders) == (1.0, "win", None, ["win", "win"])
    assert (silent.value, silent.missing) == (None, "error")
    values = {(s.model, s.example_id): s.value for s in made.scores()}
    assert values == {("b", "e-0"): 1.0, ("a", "e-0"): 0.0, ("b", "e-1"): None, ("a", "e-1"): None}


def test_runs_that_are_held_against_each_other_are_ranked(court: Making) -> None:
    told = Behaviour(says={"good\n</first": '{"verdict": "first"}'}, answer='{"verdict": "second"}')
    answers = {"a": ["good", "bad", "bad", "bad"], "b": ["bad", "good", "good", "good"]}
    made = court({"better": PAIR.replace("pair}", "pair, against: all}")}, told, answers)
    main(["judge", "s"])
    first, second = jsonl.read(made.root / "results/s/ranking.jsonl", Ranked)
    assert [(r.model, r.win_rate, r.n) for r in (first, second)] == [("b", 0.75, 4), ("a", 0.25, 4)]
    assert first.strength == pytest.approx(math.log(3) / 2)
    assert (first.strength_low, first.controlled, len(first.reasons)) == (None, None, 2)
    best, worst = ranks([first, second])
    assert best.startswith("s: better: 1. b · ")
    assert "win rate 0.75" in best
    assert worst.startswith("s: better: 2. a · ")


JURY = {
    "one": FITS,
    "two": FITS.replace("judge,", "judge2,"),
    "three": "{kind: python, file: apps/polite.py, function: polite}",
    "all": "{kind: jury, judges: [one, two, three]}",
}


def test_a_jury_takes_the_majority_and_keeps_the_disagreement(court: Making, tmp_path: Path) -> None:
    told = Behaviour(answer=YES)
    made = court({**JURY, "two": FITS}, told, {"a": ["x"]}, sits="all")
    (tmp_path / "apps").mkdir()
    source = "def polite(example, response):\n    return 'please' in response.answer\n"
    (tmp_path / "apps/polite.py").write_text(source, encoding="utf-8")
    main(["judge", "s"])
    [one] = made.judgements()
    assert (one.value, one.votes) == (1.0, {"one": 1.0, "two": 1.0, "three": 0.0})
    assert one.disagreement == pytest.approx(1 / 3)
    assert [s.metric for s in made.scores()] == ["all", "all.disagreement"]


def test_a_function_that_breaks_leaves_the_answer_without_a_verdict(court: Making, tmp_path: Path) -> None:
    made = court({"three": JURY["three"]}, Behaviour(), {"a": ["x", "please"]})
    (tmp_path / "apps").mkdir()
    source = "def polite(example, response):\n    return {'n': 1 / (len(response.answer) - 1)}\n"
    (tmp_path / "apps/polite.py").write_text(source, encoding="utf-8")
    main(["judge", "s"])
    one, two = made.judgements()
    assert (one.missing, one.reason) == ("unjudged", "ZeroDivisionError: division by zero")
    assert (two.criterion, two.value) == ("n", 0.2)


def test_a_suite_without_judges_gets_empty_files(court: Making) -> None:
    made = court({"fits": FITS}, Behaviour(), {"a": ["x"]}, sits=" ")
    main(["judge", "s"])
    assert (made.judgements(), made.scores()) == ([], [])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{kind: ruler}", "kind: is 'ruler'; must be one of"),
        ("{kind: rubric, model: bot, prompt: judge}", "has neither scale and classes"),
        ("{kind: rubric, model: bot, prompt: judge, scale: [5, 1]}", "the lowest grade stands first"),
        ("{kind: rubric, model: nobody, prompt: judge, scale: [1, 5]}", "no model 'nobody'"),
        ("{kind: rubric, model: bot, prompt: pair, scale: [1, 5]}", "no field 'first' for a judge"),
        ("{kind: jury, judges: [fits, fits]}", "name at least two, each once"),
        ("{kind: jury, judges: [other, fits]}", "no judge 'other'"),
        ("{kind: jury, judges: [fits, other]}", "is a member of itself"),
        ("{kind: python, file: lib/x.py, function: f}", "lies where no edit would be seen"),
    ],
)
def test_a_wrong_judge_is_one_line(
    court: Making, spec: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    court({"fits": spec}, Behaviour(), {"a": ["x"]})
    with pytest.raises(SystemExit) as stopped:
        main(["judge", "s"])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_judge_is_asked_in_batches_where_its_model_is(court: Making) -> None:
    made = court(
        {"fits": FITS.replace("judge,", "echo, output: word,")}, BatchBehaviour(), {"a": ["yes", "no"]}
    )
    prompt = "messages:\n- {role: user, content: '{{ bare.answer }}'}\n"  # the server says what it was told
    (made.root / "prompts/echo.yaml").write_text(prompt, encoding="utf-8")
    params = made.root / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(
        text.replace("model: m,", "model: m, mode: batch, batch: {poll_s: 0.05},"), encoding="utf-8"
    )
    main(["judge", "s"])
    assert [(one.value, one.label) for one in made.judgements()] == [(1.0, "yes"), (0.0, "no")]
    assert made.server.batch_counts().sizes == [2]
    main(["judge", "s"])
    assert made.server.batch_counts().sizes == [2]
