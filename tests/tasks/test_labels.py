import unicodedata
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.errors import UserError
from llmops.tasks.labels import label

INTENTS = ["refund_status", "talk_to_human", "cancel order", "order", "환불", "환불거부"]

READ = {
    "refund_status": "refund_status",
    "  Refund Status.\n": "refund_status",
    '"REFUND-STATUS"': "refund_status",
    "**Refund status**": "refund_status",
    "`refund__status`": "refund_status",
    "The customer asks about refund status, I think.": "refund_status",
    "refund status를 고릅니다": "refund_status",
    "환불입니다": "환불",
    "고객은 환불을 원합니다": "환불",
    unicodedata.normalize("NFD", "환불입니다"): "환불",
    "환불거부입니다": "환불거부",
    "cancel order please": "cancel order",
    "order or refund status?\nAnswer: order": "order",
    "Not refund_status.\nLabel: talk to human": "talk_to_human",
    '{"intent": "talk_to_human", "why": "not an order"}': "talk_to_human",
    "#### order": "order",
    "주문(order)이 아니므로 정답은 환불입니다.": "환불",
    "order가 아니라\n답: 환불": "환불",
    "The answer is hard: order": "order",
}


@pytest.mark.parametrize(("answer", "read"), READ.items())
def test_the_label_is_read(answer, read):
    assert label(answer, INTENTS) == (read, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty answer"),
        ("banana", "no label in 'banana'"),
        ("x" * 100, f"no label in '{'x' * 59}…'"),
        ("reorder", "no label in 'reorder'"),
        ("orders", "no label in 'orders'"),
        ("미환불", "no label in '미환불'"),
        ("order or refund status", "several labels: order, refund_status"),
        ("refund status\nAnswer: banana", "no label in 'banana'"),
        ("Answer: order or 환불", "several labels: order, 환불"),
    ],
)
def test_none_or_several_labels_are_unread_and_say_why(answer, reason):
    assert label(answer, INTENTS) == (None, reason)


@pytest.mark.parametrize(
    ("answer", "read"),
    [("Yes.", "yes"), ("no", "no"), ("No, it has not.", "no"), ("I do not know", None), ("yes and no", None)],
)
def test_bare_yes_and_no_are_labels(answer, read):
    assert label(answer, ["yes", "no"]).text == read


def test_labels_that_only_punctuation_tells_apart_are_read_when_exact():
    assert label("C++", ["C", "C++", "+", "-"]).text == "C++"
    assert label("+", ["C", "C++", "+", "-"]).text == "+"
    assert label("It is C++", ["C", "C++", "+", "-"]).text is None


def test_a_data_set_without_labels_is_refused():
    with pytest.raises(UserError, match="has no labels"):
        label("yes", [])


@given(st.sampled_from(INTENTS), st.sampled_from(["{}", "I say {}.", "Answer: {}", "정답은 {}", "**{}**!"]))
def test_every_label_reads_back_as_itself(wanted, sentence):
    assert label(sentence.format(wanted), INTENTS).text == wanted


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_any_text_reads_as_one_of_the_labels_or_is_unread(answer, labels):
    read = label(answer, labels)
    assert read.text in labels if read.reason is None else read.text is None


@pytest.mark.parametrize("junk", ["x", "label ", "a.", "_", '"', "answer   ", "####\n", "\u0301\u0323", "환"])
def test_100_kb_of_junk_are_read_in_linear_time(junk):
    labels = [f"label_{i}_x" for i in range(150)]
    label("warm", labels)
    start = process_time()
    label("a" + junk * (100_000 // len(junk)) + "a", labels)
    assert process_time() - start < 2


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("Step 1: no divisor is found.\n\n[Yes]", "yes"),
        ("[No]\nIt is not divisible by 3. If yes, go on.", "No"),
        ("[No], I think ... it has no divisor. So [Yes], it is prime.", "yes"),
        ("I answer [Yes] or [No]. Answer: no", "No"),
        ("No", "No"),
    ],
)
def test_a_label_in_brackets_is_the_answer_unless_one_is_announced(answer, read):
    assert label(answer, ["yes", "No"]).text == read
