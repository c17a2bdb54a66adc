from fractions import Fraction
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.tasks.numerals import canonical, number

READ = {
    # marked
    "She earns 5 + 13.\nA: 18": "18",
    "3 hens lay 6 eggs.\n#### 18": "18",
    "#### Step 1: add\n5 + 2 = 7\n#### Step 2: stop\nso it is 9": "9",
    "Answer: 18 of 20": "18",
    "**Answer:** 18 (of 20)": "18",
    "**Answer**: $1,200.00": "1200",
    "Answer:\n18\nI am sure of 100 %.": "18",
    "The answer is 5 + 3 = 8.": "8",
    "The answer is 5. No, the answer is 7, I think, or 9.": "7",
    "Answer: 5\nThe answer is 7.": "5",
    r"So $\boxed{\frac{3}{4}}$ of 12": "0.75",
    r"\boxed{1\frac{1}{2}}": "1.5",
    r"\boxed{1{,}234} as 2 + 2": "1234",
    '{"answer": 18, "confidence": 0.9}': "18",
    "사과는 3개가 남으니 정답은 18개입니다. 2번 세었어요.": "18",
    "정답: 18 (1번)": "18",
    "답은 18입니다": "18",
    "답: -3.50": "-3.5",
    # last
    "First 3, then 4": "4",
    "It costs $5.": "5",
    "-$5": "-5",
    "$-129,025": "-129025",
    "10-5": "5",
    "between 5 -3": "-3",
    "−7 °C": "-7",
    ".5": "0.5",
    "50%": "50",
    "3/4 of it": "0.75",
    "1 3/4 cups": "1.75",
    "1½ cups": "1.5",
    "1 / 3": "1/3",
    "on 3/4/2020": "2020",
    "1,2,3": "3",
    "12345,678": "678",
    "-0.0": "0",
    "１２개": "12",
    "5 m²": "5",
    "USD18": "18",
    "1e5": "100000",
    r"2.5 \times 10^{-3}": "0.0025",
    "2.5 million dollars": "2500000",
    "3만 5천 원": "35000",
    "1만2345원": "12345",
    "1억 2,500만원": "125000000",
    "3.5천만": "35000000",
    "2조 원": "2000000000000",
    "피자 8조각": "8",
    "10만큼": "10",
    "100점 만점에 85점": "85",
}


@pytest.mark.parametrize(("answer", "read"), READ.items())
def test_the_number_is_read(answer, read):
    assert number(answer, []) == (read, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty answer"),
        ("eighteen", "no number in 'eighteen'"),
        ("There were 5.\nAnswer: none", "no number in the marked answer 'none'"),
        ("#### unknown", "no number in the marked answer 'unknown'"),
        ("5/0", "'5/0' divides by zero"),
        ("2^10", "no number in '2^10'"),
        ("model a1", "no number in 'model a1'"),
        ("1e9999999999", "'1e9999999999' is too long for a number"),
        ("9" * 500, f"'{'9' * 59}…' is too long for a number"),
    ],
)
def test_an_answer_without_one_is_unread_and_says_why(answer, reason):
    assert number(answer, []) == (None, reason)


@given(st.fractions(max_denominator=10**6), st.booleans())
def test_any_number_reads_back_as_itself(value, marked):
    read = number(f"Answer: {canonical(value)}." if marked else f"so {canonical(value)} apples", [])
    assert Fraction(read.text) == value
    assert canonical(Fraction(read.text)) == read.text


@given(st.integers(-(10**12), 10**12))
def test_thousands_separators_change_nothing(value):
    assert number(f"about ${value:,}.00!", []).text == str(value)


@given(st.text(alphabet="0123456789,./-+ $%^{}\\fracboxedAnswer:#=만억½\n", max_size=60))
def test_any_text_is_either_read_or_unread(answer):
    read = number(answer, [])
    assert (read.text is None) != (read.reason is None)
    assert read.text is None or canonical(Fraction(read.text)) == read.text


JUNK = [
    "1", "1,", ",111", " ", "1 ", "1/", "1 1/", "1.", "1e", "1만 ", "만", "-", "$", "answer is ",
    "answer   ", "####\n", "#### a\n", "\\boxed{", "{", "\\frac{1", "1 \\frac{", "=1", "\n", '"',
    "a\u0301\u0323\u0301\u0323", "\u0301\u0323", "정답", "1 m", "USD", "½", "\ufdfa",
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
def test_100_kb_of_junk_are_read_in_linear_time(junk):
    for head, tail in (("", ""), ("111", "1^"), ("Answer: ", ""), ("\\boxed{", "")):
        text = head + junk * (100_000 // len(junk.encode())) + tail
        start = process_time()
        number(text, [])
        assert process_time() - start < 2
