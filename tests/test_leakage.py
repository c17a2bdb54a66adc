"""Leaks: what stands in a training text exactly, nearly, inside, or not at all."""

import random
import time
from pathlib import Path

import pytest

from llmops.cli import main
from llmops.leakage import Text, leaks

QUESTION = "A train leaves Seoul at 9 and drives 120 km an hour; when does it reach Busan?"


def found(text: str, other: str, threshold: float = 0.9) -> list[float]:
    return [leak.similarity for leak in leaks([Text("e", text)], [Text("f:1", other)], threshold)]


@pytest.mark.parametrize(
    "other",
    [
        QUESTION,
        f"  {QUESTION.upper()}\n",
        f"Question: {QUESTION} Think step by step. Answer: never",
        "서울에서 출발합니다. " + QUESTION.replace("?", ""),
    ],
)
def test_an_example_that_stands_there_but_for_case_and_marks_is_exact(other):
    assert found(QUESTION, other) == [1.0]


def test_an_edited_example_is_near_and_less_alike_the_more_is_edited():
    one = found(QUESTION, QUESTION.replace("leaves", "departs"))
    two = found(QUESTION, QUESTION.replace("leaves", "departs").replace("reach", "arrive in"))
    assert one[0] > two[0] >= 0.85 if two else one[0] > 0.9
    assert found(QUESTION, QUESTION.replace("leaves", "departs"), threshold=0.99) == []


@pytest.mark.parametrize(
    "other",
    ["", "When does the shop open on Sundays?", QUESTION.replace("120", "130"), QUESTION[:30]],
)
def test_another_question_is_no_leak(other):
    assert found(QUESTION, other) == []


def test_a_short_text_leaks_only_as_a_whole():
    assert found("환불해 주세요", "환불해 주세요!") == [1.0]
    assert found("환불해 주세요", "빨리 환불해 주세요 제발 부탁드립니다 정말로요") == []


def test_brackets_are_what_is_asked():
    assert found("Close the brackets of this: ( [ < {", "Close the brackets of this: ] ) } >", 0.95) == []


def test_planted_copies_are_found_among_many_texts_in_seconds():
    dice = random.Random(0)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(3, 9))) for _ in range(5000)]

    def sentence() -> str:
        return " ".join(dice.choices(words, k=dice.randint(6, 16)))

    ours = [sentence() for _ in range(1000)]
    others = [sentence() for _ in range(10_000)]
    for number in range(100):
        copy = list(ours[number])
        copy[dice.randrange(len(copy))] = "z"
        others[number * 100] = "".join(copy)
    began = time.monotonic()
    told = list(
        leaks(
            [Text(str(n), t) for n, t in enumerate(ours)],
            [Text(str(n), t) for n, t in enumerate(others)],
            0.9,
        )
    )
    assert {leak.example for leak in told} == {str(n) for n in range(100)}
    assert time.monotonic() - began < 20


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "params.yaml": "suites: {s: {dataset: d, task: text, prompts: [p], models: [m], metrics: [exact_match]}}\n",
        "data/sets/d/card.yaml": "name: d\nlicence: MIT\nfiles: [{path: d.csv}]\nfields: {inputs: [q], target: a}\n",
        "data/sets/d/d.csv": f'q,a\n"{QUESTION}",x\n"Is the shop open on Christmas day this year?",y\n',
        "prompts/p.yaml": "few_shot:\n- user: Is the shop open on Christmas day, this year?\n  assistant: 'yes'\n"
        "messages:\n- {role: user, content: '{{ q }}'}\n",
        "train.jsonl": '{"x": 1}\n{"talk": [{"text": "' + QUESTION.replace("leaves", "departs") + '"}]}\n',
        "train.txt": f"One line.\n\nBefore it.\n{QUESTION}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_leaks_are_named_with_id_place_and_similarity(project, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["leaks", "s", "--against", "train.jsonl"])
    assert stop.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("d-0002 q: stands exactly in prompts/p.yaml:2: 'Is the shop open")
    assert lines[1].startswith("d-0001 q: stands nearly (0.9")
    assert "in train.jsonl:2: 'A train leaves" in lines[1]
    assert lines[2].startswith("s: 2 leaks of 2 examples")


def test_a_plain_text_is_compared_by_its_blocks(project, capsys):
    with pytest.raises(SystemExit):
        main(["leaks", "s", "--against", "train.txt", "--threshold", "1"])
    assert "d-0001 q: stands exactly in train.txt:3" in capsys.readouterr().out


def test_no_leak_is_exit_code_0(project, capsys):
    (project / "prompts" / "p.yaml").write_text(
        "messages:\n- {role: user, content: '{{ q }}'}\n", encoding="utf-8"
    )
    main(["leaks", "s"])
    assert capsys.readouterr().out.startswith("s: 0 leaks of 2 examples")
