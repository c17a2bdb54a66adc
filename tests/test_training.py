"""The training text is reproducible and the committed models answer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("rapidfuzz")

from training.text import LABELS, PHRASES, Writer, read_grammar, system_messages, training_messages

ROOT = Path(__file__).parent.parent
MODELS = sorted((ROOT / "models").glob("*.gguf"))
ANSWERING = [path for path in MODELS if path.stem != "demo-judge"]
LARGEST_FILE = 3_000_000


def test_one_seed_writes_one_text() -> None:
    """The same seed gives the same messages, another seed gives others."""
    first, again, other = (training_messages(200, seed)[0] for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_every_message_has_a_known_label_and_language() -> None:
    """All labels and languages appear, and no other."""
    messages, _ = training_messages(2000, 3)
    assert {message.label for message in messages} == set(LABELS)
    assert {message.language for message in messages} == {"en", "ko", "mixed"}


def test_no_message_keeps_a_mark_of_the_grammar() -> None:
    """Each alternative and each slot was filled in."""
    messages, _ = training_messages(2000, 4)
    assert not [m.text for m in messages if set(m.text) & set("[]{}|")]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_language_has_phrases_for_each_label(language: str) -> None:
    """A label without phrases would never be learned."""
    assert set(read_grammar(PHRASES / f"{language}.txt").patterns) == set(LABELS)


def test_messages_are_left_out_when_they_are_held_out() -> None:
    """A held-out message is not trained on, and is counted."""
    held_out = next(Writer(9).messages()).text
    kept, left_out = training_messages(50, 9, [held_out])
    assert left_out >= 1
    assert held_out not in [message.text for message in kept]


def test_instructions_vary() -> None:
    """The models see many wordings of the instruction."""
    source = system_messages(1)
    assert len({next(source) for _ in range(200)}) > 100


def test_the_models_are_there() -> None:
    """The pair and its judge are committed."""
    assert [path.stem for path in MODELS] == ["demo-judge", "demo-large", "demo-small"]


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_a_model_is_a_small_gguf_file(model: Path) -> None:
    """It can live in the repository."""
    assert model.read_bytes()[:4] == b"GGUF"
    assert model.stat().st_size <= LARGEST_FILE


@pytest.fixture(scope="module", params=ANSWERING, ids=lambda path: path.stem)
def ask(request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    """A function that asks a committed model through llama.cpp."""
    pytest.importorskip("xllamacpp")
    from training.check import answer, served

    server = served(request.param)
    return lambda system, message: answer(server, system, message)


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("Please cancel the order that I placed this morning", "cancel_order"),
        ("환불은 언제쯤 입금되나요?", "refund_status"),
        ("i need the receipt for my company", "invoice_request"),
        ("비밀번호를 잊어버려서 로그인을 못 해요", "login_problem"),
    ],
)
def test_a_model_answers_with_the_label(ask: Callable[[str, str], str], message: str, label: str) -> None:
    """Plain requests in both languages get their label, bare and after an instruction."""
    assert ask("", message) == label
    assert ask("Classify the customer's message into one intent label.", message) == label


@pytest.mark.slow
def test_a_short_training_writes_a_model_that_answers_with_labels(tmp_path: Path) -> None:
    """The whole path from text to GGUF works, at a size that learns only the form."""
    pytest.importorskip("torch")
    pytest.importorskip("tokenizers")
    pytest.importorskip("gguf")
    from training.check import answer, served
    from training.model import Shape
    from training.train import Recipe, train

    held_out = tmp_path / "eval.jsonl"
    held_out.write_text(json.dumps({"message": "where is my order"}) + "\n", encoding="utf-8")
    recipe = Recipe(Shape(vocabulary=1024, layers=1), messages=800, steps=60, seed=1)
    facts = train("tiny", recipe, held_out, tmp_path)
    assert facts["messages"] == 800
    assert answer(served(tmp_path / "tiny.gguf"), "", "refund please") in LABELS
