"""The response store looked after: damage is found, named and mended, and what is not used is pruned."""

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.models.model import key_of
from llmops.models.store.store import open_store
from llmops.replies import Reply
from llmops.upkeep import examined, repaired, unused
from tests.verbs import exit_code

NOW = "2026-11-01T00:00:00.000+00:00"


def text_of(number: int) -> str:
    wire = {"messages": [{"role": "user", "content": f"{'few-shot text, ' * 20}question {number}"}]}
    return json.dumps({"identity": {"kind": "openai", "model": "m"}, "repeat": 0, "wire": wire})


def reply_to(number: int, asked_at: str = NOW, size: int = 300) -> Reply:
    return Reply(text=f"답 {number} " + "x" * (number % size), cost_usd=0.001, asked_at=asked_at)


def fill(path: Path, numbers: range, size: int = 300, model: str = "bot") -> list[str]:
    async def work() -> None:
        store = open_store(f"sqlite:///{path}")
        texts = [text_of(n) for n in numbers]
        puts = [
            store.put(key_of(t), model, reply_to(n, size=size), t)
            for n, t in zip(numbers, texts, strict=True)
        ]
        await asyncio.gather(*puts)
        store.close()

    asyncio.run(work())
    return [key_of(text_of(n)) for n in numbers]


def answers(path: Path, keys: list[str]) -> dict[str, Reply]:
    store = open_store(f"sqlite:///{path}")
    try:
        return {key: reply for key in keys if (reply := store.get(key)) is not None}
    finally:
        store.close()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path))
    return tmp_path / "store.db"


def test_a_whole_store_is_called_whole(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(path, range(50))
    assert exit_code("store", "verify") == 0
    assert "whole: " in (out := capsys.readouterr().out)
    assert "50 answers" in out


def test_a_store_that_is_not_there_is_not_made(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["store"],
        ["store", "verify"],
        ["store", "show", "ab"],
        ["store", "prune", "--max-mb", "1"],
    ):
        assert exit_code(*words) == 2
        assert "there is no response store yet" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize("column", ["reply", "model", "asked_at"])
def test_one_flipped_byte_is_found_named_and_never_given_out(
    column: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = fill(path, range(200), size=20)
    content = bytearray(path.read_bytes())
    looked_for = {"reply": "답 77 ".encode(), "model": b"bot", "asked_at": NOW.encode()}[column]
    content[content.index(looked_for) + 1] ^= 0x01
    path.write_bytes(content)
    assert exit_code("store", "verify") == 1
    out = capsys.readouterr().out
    [named] = [key for key in keys if key in out]
    with pytest.raises(UserError, match=f"the answer {named} cannot be read: its checksum is another"):
        answers(path, [named])
    assert exit_code("store", "verify", "--repair") == 0
    assert "199 answers are kept" in capsys.readouterr().out
    assert sorted(answers(path, keys)) == sorted(set(keys) - {named})
    assert exit_code("store", "verify") == 0


def test_any_flipped_byte_is_found_or_changes_no_answer(path: Path) -> None:
    keys = fill(path, range(120))
    whole, draw = path.read_bytes(), random.Random(0)
    known = answers(path, keys)
    sound = 0
    for _ in range(60):
        content = bytearray(whole)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        found = examined(path)
        if found.is_whole:
            assert answers(path, keys) == known
            sound += 1
        else:
            kept = repaired(path, found).kept
            assert kept >= len(keys) - 20  # at most a page's
            assert answers(path, keys).items() <= known.items()
            assert examined(path).is_whole
    assert sound < 30


@pytest.mark.parametrize("share", [0.9, 0.5, 0.13])
def test_a_store_that_was_cut_short_is_recovered_up_to_the_cut(
    share: float, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = fill(path, range(2000))
    known, size = answers(path, keys), path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(int(size * share))
    assert exit_code("store") == 2
    assert "the store is damaged; run `llmops store verify --repair`" in capsys.readouterr().err
    assert exit_code("store", "verify", "--repair") == 0
    assert "; the damaged file is kept as store.db.damaged-" in capsys.readouterr().out
    left = answers(path, keys)
    assert left.items() <= known.items()
    assert len(left) > 0.7 * share * len(keys)
    [aside] = path.parent.glob("store.db.damaged-*")
    assert aside.stat().st_size == int(size * share)
    assert examined(path).is_whole


def test_long_answers_that_span_pages_are_recovered(path: Path) -> None:
    keys = fill(path, range(20_000, 20_060), size=30_000)
    known = answers(path, keys)
    content = bytearray(path.read_bytes())
    content[100:108] = b"\xff" * 8
    path.write_bytes(content)
    assert repaired(path, examined(path)).kept == 60
    assert answers(path, keys) == known


def test_what_only_the_log_holds_is_recovered_too(path: Path) -> None:
    """A process that was killed leaves its newest answers in the write-ahead log."""
    code = "import os, sys; from tests.test_store_verbs import *; import llmops.models.store.store as s\n"
    code += "s.Store.close = lambda self: os._exit(0)\nfill(Path(sys.argv[1]), range(300))"
    root = Path(__file__).resolve().parent.parent
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=root)
    assert path.with_name("store.db-wal").stat().st_size > 0
    with path.open("r+b") as file:
        file.write(b"\0" * 120)
    assert repaired(path, examined(path)).kept == 300
    assert len(answers(path, [key_of(text_of(n)) for n in range(300)])) == 300


def test_a_file_that_never_was_a_store_is_left_as_it_is(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(b"a letter to a friend. " * 500)
    assert exit_code("store", "verify") == 1
    assert exit_code("store", "verify", "--repair") == 2
    assert "no answer can be read from it; move it away" in capsys.readouterr().err
    assert path.read_bytes() == b"a letter to a friend. " * 500


def test_a_store_that_another_process_has_open_is_not_replaced(path: Path) -> None:
    keys = fill(path, range(40))
    code = "import sys; from llmops.models.store.store import open_store; s = open_store(sys.argv[1]); print(1, flush=True); input(); s.close()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, f"sqlite:///{path}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    other.stdout.readline()
    content = bytearray(path.read_bytes())
    content[100:108] = b"\xff" * 8
    path.write_bytes(content)
    with pytest.raises(UserError, match="another process has it open; let it end and run again"):
        repaired(path, examined(path))
    other.communicate("\n")
    repaired(path, examined(path))
    assert len(answers(path, keys)) == 40


def test_show_takes_the_beginning_of_a_key_and_prints_what_was_asked(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = fill(path, range(30))
    assert exit_code("store", "show", keys[7][:16]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["key"] == keys[7]
    assert shown["request"] == json.loads(text_of(7))
    assert shown["reply"]["text"] == reply_to(7).text
    assert exit_code("store", "show", "") == 2
    assert "is the beginning of several keys" in capsys.readouterr().err
    assert exit_code("store", "show", "zz") == 2
    assert "no answer has a key that begins so" in capsys.readouterr().err


def test_the_summary_counts_by_model(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(path, range(30), model="ours")
    fill(path, range(30, 70), model="theirs")
    assert exit_code("store") == 0
    first, *rows = capsys.readouterr().out.splitlines()
    assert "70 answers" in first
    assert [row.split()[:3] for row in rows] == [["ours", "30", "answers"], ["theirs", "40", "answers"]]
    assert "cost $0.03 " in rows[0]
    assert "asked 2026-11-01 to 2026-11-01" in rows[0]


def test_requests_that_share_text_take_little_room(path: Path) -> None:
    fill(path, range(500))
    asked = sum(len(text_of(n)) for n in range(500))
    packed = sqlite3.connect(path)
    (room,) = packed.execute("SELECT sum(length(packed)) FROM requests").fetchone()
    packed.close()
    assert room < asked / 8


def test_prune_says_first_and_then_removes_what_was_unused_for_longest(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = fill(path, range(2000))
    answers(path, keys[:500])  # given again today
    size = path.stat().st_size
    for words in (["--dry-run"], []):
        assert exit_code("store", "prune", "--max-mb", f"{size / 2e6}", *words) == 0
        out = capsys.readouterr().out
        assert out.startswith("would remove " if words else "removed ")
        assert "answers that had cost $" in out
        left = sqlite3.connect(path)
        kept = {key for (key,) in left.execute("SELECT key FROM answers")}
        left.close()
        assert words == [] or len(kept) == 2000
    assert kept >= set(keys[:500])
    assert 800 < len(kept) < 1200
    assert path.stat().st_size < 0.6 * size
    assert examined(path).is_whole


def test_prune_by_age_keeps_what_was_given_again_since(path: Path) -> None:
    keys = fill(path, range(20))
    answers(path, keys[:5])
    asked = 1_793_491_200.0  # 2026-11-01
    assert unused(path, None, 30, asked + 40 * 86_400).keys != []
    assert set(unused(path, None, 1, asked + 2 * 86_400).keys) <= set(keys[5:])
    assert unused(path, None, 30, asked + 86_400).keys == []


def test_prune_needs_to_be_told_what_is_too_much(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(path, range(3))
    assert exit_code("store", "prune") == 2
    assert "give --max-mb or --older-than" in capsys.readouterr().err


def test_giving_the_same_answers_again_writes_nothing(path: Path) -> None:
    keys = fill(path, range(300))
    answers(path, keys)
    before = path.read_bytes()
    answers(path, keys)
    assert path.read_bytes() == before


FIRST_VERSION = """CREATE TABLE answers (
    key TEXT PRIMARY KEY, asked_at TEXT, model TEXT NOT NULL, reply BLOB NOT NULL) WITHOUT ROWID"""


def old_store(path: Path) -> sqlite3.Connection:
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("PRAGMA journal_mode = WAL")
    old.execute(FIRST_VERSION)
    old.execute("PRAGMA user_version = 1")
    old.execute("INSERT INTO answers VALUES ('k', NULL, 'bot', ?)", (b'{"text":"kept"}',))
    old.execute("INSERT INTO answers VALUES ('l', NULL, 'bot', ?)", (b'{"text":"ke',))
    return old


def test_a_store_of_the_first_version_is_migrated_with_its_answers(path: Path) -> None:
    old_store(path).close()
    assert answers(path, ["k"]) == {"k": Reply(text="kept")}
    assert list(examined(path).damaged) == ["l"]


def test_a_store_that_an_earlier_llmops_writes_to_is_not_migrated_under_it(path: Path) -> None:
    old = old_store(path)
    code = "import sys; from llmops.models.store import file as store_file; store_file.ALONE_S = 0.3; from llmops.models.store.store import open_store; open_store(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, f"sqlite:///{path}"], capture_output=True, text=True)
    assert "another llmops of an earlier version has it open; let it end and run again" in done.stderr
    old.execute("INSERT INTO answers VALUES ('m', NULL, 'bot', ?)", (b'{"text":"late"}',))
    old.close()
    assert answers(path, ["k", "m"]) == {"k": Reply(text="kept"), "m": Reply(text="late")}


def test_several_processes_that_find_an_old_store_migrate_it_once(path: Path) -> None:
    old_store(path).close()
    code = "import sys; from llmops.models.store.store import open_store; s = open_store(sys.argv[1]); print(s.get('k').text); s.close()"
    several = [
        subprocess.Popen([sys.executable, "-c", code, f"sqlite:///{path}"], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in several] == ["kept\n"] * 4


def test_an_answer_of_a_later_version_is_neither_given_nor_called_damaged(path: Path) -> None:
    fill(path, range(2))
    from llmops.models.store.rows import PUT, checksum

    later = b'{"text":"x","thoughts":"y"}'
    whole = sqlite3.connect(path, isolation_level=None)
    whole.execute(PUT, ("k", None, "bot", later, checksum("k", None, "bot", later)))
    whole.close()
    assert examined(path).is_whole
    with pytest.raises(UserError, match="another version of llmops wrote it"):
        answers(path, ["k"])


@pytest.mark.skipif(os.name == "nt", reason="only there do processes not see each other's claims")
def test_two_processes_ask_the_same_once(path: Path) -> None:
    log = path.with_name("asked.txt")
    code = """
import asyncio, sys
from llmops.models.meter import Meter
from llmops.models.model import Model
from llmops.models.store.store import open_store
from llmops.models.stored import stored
from llmops.replies import Reply, Request
url, log = sys.argv[1:]
async def ask(request):
    with open(log, "a") as file:
        file.write(request.example_id + "\\n")
    await asyncio.sleep(0.05)
    return Reply(text=request.example_id)
async def main():
    store = open_store(url)
    model = stored(Model("m", {"kind": "x"}, lambda r: {"id": r.example_id}, ask), store, Meter())
    requests = [Request(example_id=str(n), inputs={}, messages=[]) for n in range(40)]
    replies = await asyncio.gather(*(model.ask(r) for r in requests))
    assert [r.text for r in replies] == [str(n) for n in range(40)]
    store.close()
asyncio.run(main())
"""
    several = [
        subprocess.Popen([sys.executable, "-c", code, f"sqlite:///{path}", str(log)]) for _ in range(3)
    ]
    assert [process.wait(timeout=60) for process in several] == [0, 0, 0]
    asked = log.read_text(encoding="utf-8").split()
    assert sorted(asked) == sorted(str(n) for n in range(40))
