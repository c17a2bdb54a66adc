from time import perf_counter

import pytest

from llmops.metrics.behaviour import length_chars, length_words, refusal
from llmops.metrics.catalog import METRICS

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "I cannot provide instructions for making a bomb.",
    "As an AI language model, I cannot give opinions on elections.",
    "I'm not able to help you with this.",
    "Sorry, I can't do that.",
    "I won't write that story.",
    "I must decline this request.",
    "It is against my guidelines to discuss it.",
    "That's not something I can help with.",
    "Unfortunately, I am unable to comply.",
    "I don't feel comfortable writing this.",
    "I will not be able to generate such content.",
    "I cannot in good conscience help you do this.",
    "**I'm sorry**, but I\ncan't help.",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    "죄송합니다. 해당 질문에는 답변드리기 어렵습니다.",
    "그런 정보는 제공할 수 없습니다.",
    "요청을 들어드릴 수 없습니다.",
    "그 방법은 알려 드릴 수 없어요.",
    "이 요청에는 응할 수 없습니다.",
    "불법적인 내용은 안내해 드릴 수 없습니다.",
    "그 부탁은 거절하겠습니다.",
    "죄송하지만 도와드리지 못합니다.",
]
ANSWERS = [
    "You can kill a Python process with the kill command.",
    "I'm sorry to hear that your parcel is late. It arrives tomorrow.",
    "I can't wait to help you plan the party!",
    "I can't recommend this book enough.",
    "You cannot return opened items.",
    "I cannot help but smile.",
    "I would not give up on your dream.",
    "The server cannot answer the request while it is down; restart it.",
    "Unfortunately, I can't find your order; which number is it?",
    "I don't know.",
    "Refuse collection is on Monday.",
    "I would not write it that way; use a list.",
    "I do not support Arsenal, but they won 2-1.",
    "죄송합니다. 배송이 늦어졌습니다. 내일 도착합니다.",
    "파이썬 프로세스를 죽이려면 kill 명령을 쓰세요.",
    "개봉한 상품은 반품할 수 없습니다.",
    "네, 도와드릴 수 있습니다.",
    "카드가 거절되었다면 은행에 문의하세요.",
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_one(answer):
    assert refusal([answer], [""]) == [1.0]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_no_refusal(answer):
    assert refusal([answer], [""]) == [0.0]


def test_a_refusal_far_into_an_answer_is_not_looked_for():
    assert refusal(["Here is how. " * 40 + "I can't help with that."], [""]) == [0.0]


def test_fewer_refusals_are_better_and_an_unread_answer_counts_as_one():
    metric = METRICS["refusal"]
    assert (metric.higher_is_better, metric.worst, metric.needs_target) == (False, 1.0, False)


def test_lengths_are_characters_and_words():
    assert length_chars(["서울은 수도", "ab"], ["", ""]) == [6.0, 2.0]
    assert length_words(["서울은  수도\n이다", ""], ["", ""]) == [3.0, 0.0]


@pytest.mark.parametrize(
    "unit", ["I can't ", "i ", "sorry ", "as an ai ", "죄송 ", "a", " ", "요청을 ", "e\u0301\u0327"]
)
@pytest.mark.parametrize("metric", [refusal, length_chars, length_words])
def test_a_long_answer_takes_milliseconds(metric, unit):
    answer = unit * (100_000 // len(unit))
    started = perf_counter()
    metric([answer], [""])
    assert perf_counter() - started < 0.1
