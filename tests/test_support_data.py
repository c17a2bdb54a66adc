"""The evaluation set `support` is well-formed, balanced and unseen in training."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rapidfuzz")

from training.text import LABELS, TEXTS, near, normalised, training_messages

SET = Path(__file__).parent.parent / "data" / "sets" / "support" / "eval.jsonl"
COLUMNS = {"id", "message", "intent", "language", "channel", "tone"}
VALUES = {
    "language": {"en", "ko", "mixed"},
    "channel": {"chat", "email", "app_review", "phone_transcript"},
    "tone": {"neutral", "polite", "angry", "worried"},
}
SMALLEST_SLICE = 50
SMALLEST_INTENT = 25
# An independent second measure: the share of five-letter runs that two messages have in common.
OVERLAP = 0.85

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """The rows of the set."""
    return [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]


def test_every_row_has_the_columns_filled_with_text(rows: Rows) -> None:
    """No column is missing, added or empty."""
    assert all(set(row) == COLUMNS for row in rows)
    assert all(isinstance(value, str) and value.strip() for row in rows for value in row.values())


def test_every_row_holds_allowed_values(rows: Rows) -> None:
    """Slices and intents are spelled as declared."""
    for column, allowed in VALUES.items():
        assert {row[column] for row in rows} == allowed
    assert {row["intent"] for row in rows} == set(LABELS)


def test_the_set_has_24_intents_beside_out_of_scope() -> None:
    """The labels are what the documents say they are."""
    assert len(set(LABELS)) == 25
    assert "out_of_scope" in LABELS


def test_the_set_is_large_enough(rows: Rows) -> None:
    """Six hundred rows give an interval of about three points."""
    assert len(rows) >= 600


def test_ids_run_in_order(rows: Rows) -> None:
    """An id names one row."""
    assert [row["id"] for row in rows] == [f"support-{n:04}" for n in range(1, len(rows) + 1)]


def test_no_message_is_there_twice(rows: Rows) -> None:
    """Two messages differ in more than capitals, spaces and punctuation."""
    assert max(Counter(normalised(row["message"]) for row in rows).values()) == 1


def test_every_slice_has_a_useful_number_of_rows(rows: Rows) -> None:
    """A slice that is too small says nothing."""
    for column in VALUES:
        assert min(Counter(row[column] for row in rows).values()) >= SMALLEST_SLICE
    assert min(Counter(row["intent"] for row in rows).values()) >= SMALLEST_INTENT


def test_korean_is_written_as_itself() -> None:
    """The file is readable in an editor and in a diff."""
    text = SET.read_text(encoding="utf-8")
    assert "\\u" not in text
    assert "배송" in text


@pytest.mark.parametrize(
    "near_copy", ["Where is my order??", "where is my ordr", "hi! WHERES MY ORDER NOW, thx"]
)
def test_a_near_copy_is_found(near_copy: str) -> None:
    """The check that guards the set is itself able to fail."""
    assert near([near_copy], ["where is my order", "wheres my order now"]) == [True]


def test_a_request_in_other_words_is_not_near() -> None:
    """Only wording is compared."""
    assert near(["any news about the parcel"], ["where is my order"]) == [False]


@pytest.mark.parametrize(
    ("model", "first"),
    [
        ("demo-small", TEXTS["demo-small"][0]),
        ("demo-large", 10_000),
        pytest.param("demo-large", TEXTS["demo-large"][0], marks=pytest.mark.slow),
        pytest.param("demo-judge", TEXTS["demo-judge"][0], marks=pytest.mark.slow),
    ],
)
def test_no_evaluation_message_is_near_the_training_text(rows: Rows, model: str, first: int) -> None:
    """No message is equal, nearly equal or contained in the text; few had to be left out."""
    held_out = [row["message"] for row in rows]
    messages, left_out = training_messages(first, TEXTS[model][1], held_out)
    texts = [message.text for message in messages]
    assert not any(near(texts, held_out))
    assert max(highest_overlaps(texts, held_out)) < OVERLAP
    # The phrases are independent of the set, so that the filter has little to do.
    assert left_out < 0.02 * len(messages)


def highest_overlaps(texts: list[str], held_out: list[str]) -> Iterator[float]:
    """For each held-out message, its highest Jaccard overlap with a text, in five-grams."""
    grams = [five_grams(text) for text in texts]
    places = defaultdict(list)
    for place, its_grams in enumerate(grams):
        for gram in its_grams:
            places[gram].append(place)
    for message in held_out:
        ours = five_grams(message)
        shared = Counter(place for gram in ours for place in places[gram])
        yield max((n / len(ours | grams[place]) for place, n in shared.items()), default=0.0)


def five_grams(text: str) -> set[str]:
    """The runs of five letters or digits in a text."""
    text = normalised(text)
    return {text[at : at + 5] for at in range(len(text) - 4)}
