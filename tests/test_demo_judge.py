"""The demo's judge says yes or no, and errs; its labels are what the targets say."""

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("rapidfuzz")

from llmops import jsonl
from llmops.prompts import load_prompt
from llmops.records import Example, Label, Score
from tools.gold_labels import ANNOTATOR, EXAMPLES, FILE, drawn, labels
from training.judging import NEIGHBOURS, question, wrong_answer
from training.text import LABELS, Message, training_messages

ROOT = Path(__file__).parent.parent
Ask = Callable[[str, str], str]
RUNS = [(model, prompt) for model in ("demo-large", "demo-small") for prompt in ("support/v1", "support/v2")]


@pytest.fixture(scope="module")
def ask() -> Ask:
    """A function that shows the committed judge a message with an answer."""
    pytest.importorskip("xllamacpp")
    from training.check import answer, served

    server = served(ROOT / "models" / "demo-judge.gguf")
    return lambda message, text: answer(server, "", question(message, text))


@pytest.fixture(scope="module")
def targets() -> dict[str, str]:
    rows = (ROOT / "data" / "sets" / "support" / "eval.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["intent"] for row in map(json.loads, rows)}


@pytest.mark.parametrize(
    ("message", "right", "wrong"),
    [
        ("Please cancel the order that I placed this morning", "cancel_order", "change_order"),
        ("환불은 언제쯤 입금되나요?", "refund_status", "double_charge"),
        ("i need the receipt for my company", "invoice_request", "payment_failed"),
        ("비밀번호를 잊어버려서 로그인을 못 해요", "login_problem", "delete_account"),
    ],
)
def test_the_judge_tells_a_fitting_answer_from_a_neighbouring_one(ask, message, right, wrong):
    assert (ask(message, right), ask(message, wrong)) == ("yes", "no")


def test_the_judge_says_yes_or_no_to_any_answer(ask):
    for text in (
        "",
        "I am sorry, I can't help.",
        "모르겠어요",
        '{"label": "refund_status"}',
        "track_order\nyes",
    ):
        assert ask("where is my parcel", text) in ("yes", "no")


def test_the_judge_is_trained_in_the_words_of_its_prompt_file():
    prompt = load_prompt(ROOT, "judges/fits")
    asked = prompt.render(Example("1", {"bare": {"message": "어디 있나요?", "answer": "track_order"}}))
    assert [message.content for message in asked] == [question("어디 있나요?", "track_order")]


def test_no_wrong_answer_of_the_training_is_the_right_one():
    messages, _ = training_messages(300, 7)
    rng = random.Random(0)
    for message in messages:
        for _ in range(20):
            assert wrong_answer(message, messages, rng) != message.label


def test_each_label_has_neighbours_to_be_taken_for():
    assert {label for group in NEIGHBOURS for label in group} == set(LABELS)
    message = Message("where is it", "track_order", "en")
    answers = Counter(wrong_answer(message, [message], random.Random(seed)) for seed in range(400))
    assert answers["not_delivered"] > 3 * answers["loyalty_points"]


def test_each_of_the_drawn_messages_is_labelled_in_each_run():
    rows = list(jsonl.read(FILE, Label))
    runs = {(row.example_id, row.model, row.prompt) for row in rows}
    assert runs == {(example, *run) for example in {row.example_id for row in rows} for run in RUNS}
    assert len(rows) == len(runs) == EXAMPLES * len(RUNS)


def test_a_label_says_what_the_target_says(targets):
    for row in jsonl.read(FILE, Label):
        answered = row.comment.removeprefix("answered ")
        assert row.annotator == ANNOTATOR
        assert row.label == ("yes" if answered == targets[row.example_id] else "no")


def test_an_example_is_drawn_whatever_was_answered(targets):
    def scores(value: float | None) -> list[Score]:
        return [Score("support", example, "m", "p", "label_accuracy", value=value) for example in targets]

    right, unread = scores(1.0), scores(None)
    examples = drawn(right, EXAMPLES, 2026)
    assert examples == drawn(reversed(unread), EXAMPLES, 2026)
    assert examples == {row.example_id for row in jsonl.read(FILE, Label)}
    assert {label.label for label in labels(right, examples)} == {"yes"}
    assert {label.label for label in labels(unread, examples)} == {"no"}


@pytest.mark.slow
def test_the_judge_is_usable_and_imperfect_on_both_models_answers():
    pytest.importorskip("xllamacpp")
    from training.check import EVALUATION_SET, served
    from training.check_judge import JUDGED, answers, cases

    rows = [json.loads(line) for line in EVALUATION_SET.read_text(encoding="utf-8").splitlines()]
    judge = served(ROOT / "models" / "demo-judge.gguf")
    for model in JUDGED:
        server = served(ROOT / "models" / f"{model}.gguf")
        found = cases(judge, rows, answers(server, [row["message"] for row in rows]))
        agreed = sum(case.fits == case.verdict for case in found) / len(found)
        assert 0.85 <= agreed <= 0.97
