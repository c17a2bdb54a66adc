"""The response store on a real disk, with real processes."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from random import Random

import msgspec
import pytest

from llmops.errors import UserError
from llmops.models.model import key_of
from llmops.models.store.checkpoints import EVERY_S
from llmops.models.store.rows import Unkeepable, pack, unpack
from llmops.models.store.store import open_store
from llmops.replies import Fault, Reply, TokenLogprob

REPLY = Reply(
    text="환불 상태 \U0001f4e6",
    usage={"prompt_tokens": 3, "details": {"cached": 0}},
    latency_s=0.123456789,
    cost_usd=1e-7,
    asked_at="2026-11-01T00:00:00.000+00:00",
)

WRITER = """
import asyncio, sys
from llmops.models.store.store import open_store
from llmops.replies import Reply

async def main(url, start, count, at_once=8):
    store = open_store(url)
    async def one(n):
        await store.put(f"key-{n}", "bot", Reply(text=f"answer {n}"))
        sys.stdout.write(str(n) + chr(10))
        sys.stdout.flush()
    for base in range(start, start + count, at_once):
        await asyncio.gather(*(one(n) for n in range(base, base + at_once)))
    store.close()

asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
"""


def writer(url, *numbers):
    words = [sys.executable, "-c", WRITER, url, *map(str, numbers)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'state' / 'store.db'}"


@pytest.fixture
def store(url):
    opened = open_store(url)
    yield opened
    opened.close()


def test_a_put_is_got_back_equal_and_byte_identical(store, url, run):
    kept = run(store.put("k", "bot", REPLY))
    again = open_store(url)
    assert store.get("k") == again.get("k") == kept == REPLY
    assert msgspec.json.encode(again.get("k")) == msgspec.json.encode(REPLY)
    again.close()


def test_an_unknown_key_is_none(store):
    assert store.get("nothing") is None


def test_the_first_put_stays_and_is_what_a_second_one_returns(store, run):
    run(store.put("k", "bot", REPLY))
    assert run(store.put("k", "bot", Reply(text="other"))) == REPLY


def test_a_refusal_is_kept_with_its_error(store, run):
    refusal = Reply(error=Fault(kind="context_overflow", message="too long"))
    run(store.put("k", "bot", refusal))
    assert store.get("k") == refusal


def test_two_processes_write_at_once_and_lose_nothing(url):
    writers = [writer(url, start, 160) for start in (0, 160, 80)]
    for process in writers:
        process.communicate(timeout=60)
    assert [process.returncode for process in writers] == [0, 0, 0]
    store = open_store(url)
    assert all(store.get(f"key-{n}") == Reply(text=f"answer {n}") for n in range(320))
    store.close()


def test_two_processes_write_ten_thousand_answers_each_and_lose_none(url):
    writers = [writer(url, start, 10_000, 500) for start in (0, 10_000)]
    for process in writers:
        process.communicate(timeout=120)
    assert [process.returncode for process in writers] == [0, 0]
    keys = [f"key-{n}" for n in range(20_000)]
    store = open_store(url)
    found = {}
    for start in range(0, 20_000, 500):
        found.update(store.get_many(keys[start : start + 500]))
    store.close()
    assert found == {f"key-{n}": Reply(text=f"answer {n}") for n in range(20_000)}


def test_what_was_given_on_survives_a_kill(url):
    for attempt in range(4):
        process = writer(url, attempt * 10_000, 9_000)
        lines = [process.stdout.readline() for _ in range(20 + 30 * attempt)]
        time.sleep(0.003 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        whole_lines = "".join([*lines, process.communicate(timeout=30)[0]]).split("\n")[:-1]
        told = [int(line) for line in whole_lines if line]
        store = open_store(url)
        assert len(told) >= 20
        assert [n for n in told if store.get(f"key-{n}") is None] == []
        store.close()
    whole = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert whole.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    whole.close()


def test_puts_of_the_same_moment_share_commits(store, run):
    commits = []
    store._connection.set_trace_callback(lambda statement: commits.append(statement == "COMMIT"))

    async def work():
        await asyncio.gather(*(store.put(f"k-{n}", "bot", REPLY) for n in range(200)))

    run(work())
    assert 1 <= sum(commits) <= 5
    assert all(store.get(f"k-{n}") == REPLY for n in range(200))


@pytest.mark.parametrize("size", [0, 300, 3_000, 30_000])
@pytest.mark.parametrize("own", ["", "own words", "x\ud83d" * 50_000])
def test_a_request_is_unpacked_as_it_was_and_takes_no_room_for_what_it_shares(size, own):
    shared = Random(size).randbytes(size // 2).hex()  # so that only the sharing can squeeze it
    packed = pack(shared + own, shared.encode())
    assert unpack(key_of(shared + own), packed, shared.encode()) == shared + own
    assert len(packed) < 40 + size / 100 + len(own) / 100 + len(own[:9])


@pytest.mark.parametrize("size", [400, 800, 1_800, 3_900, 8_000])
def test_a_request_that_is_shorter_than_what_it_shares_takes_no_room_either(size):
    shared = Random(size).randbytes(size // 2).hex()
    for length in range(100, size, 100):
        assert len(pack(shared[:length], shared.encode())) < 40 + size / 100


def test_a_full_disk_says_so_and_loses_nothing(store, url, run):
    run(store.put("early", "bot", REPLY))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UserError, match=r"store\.db: the disk is full; make room and run again"):
        run(store.put("late", "bot", Reply(text="x" * 100_000)))
    assert (store.get("early"), store.get("late")) == (REPLY, None)
    store._connection.execute("PRAGMA max_page_count = 100000")
    run(store.put("late", "bot", REPLY))
    assert store.get("late") == REPLY


def test_a_put_that_was_cancelled_is_kept_by_close(url):
    async def work():
        store = open_store(url)
        putting = asyncio.create_task(store.put("k", "bot", REPLY))
        await asyncio.sleep(0)
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)
        return store

    asyncio.run(work()).close()
    again = open_store(url)
    assert again.get("k") == REPLY
    again.close()


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "store.db"
    path.write_bytes(b"this is a text file, not a database. " * 40)
    with pytest.raises(UserError, match="is no response store; move it away"):
        open_store(f"sqlite:///{path}")


def test_a_store_of_a_later_version_is_refused(url):
    open_store(url).close()
    later = sqlite3.connect(url.removeprefix("sqlite:///"))
    later.execute("PRAGMA user_version = 7")
    later.close()
    with pytest.raises(UserError, match="is a store of version 7; this llmops reads version 2"):
        open_store(url)


def test_another_scheme_is_refused():
    with pytest.raises(UserError, match="must start with 'sqlite:///'"):
        open_store("redis://host")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be read or written"):
        open_store(f"sqlite:///{tmp_path / 'inner' / 'store.db'}")


def test_a_store_closed_in_the_middle_of_a_write_keeps_all_that_was_put(tmp_path):
    """As when a run is interrupted: the tasks are cancelled, their threads are not."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    for start in range(20):

        async def interrupted(start=start):
            store = open_store(url)
            puts = [
                asyncio.create_task(store.put(f"{start}-{n}", "m", Reply(text="x" * 2000))) for n in range(50)
            ]
            await asyncio.sleep(0)
            for put in puts[1:]:
                put.cancel()
            store.close()

        asyncio.run(interrupted())
    store = open_store(url)
    assert all(store.get(f"{start}-{n}") for start in range(20) for n in range(50))
    store.close()


def test_a_reply_that_json_cannot_hold_is_refused_and_takes_no_other_with_it(store, run):
    half = Reply(text="half a pair: \ud83d")
    infinite = msgspec.structs.replace(REPLY, logprobs=[TokenLogprob("yes", float("-inf"))])

    async def work():
        puts = [
            store.put("half", "bot", half),
            store.put("inf", "bot", infinite),
            store.put("k", "bot", REPLY),
        ]
        return await asyncio.gather(*puts, return_exceptions=True)

    first, second, third = run(work())
    assert (type(first), type(second), third) == (Unkeepable, Unkeepable, REPLY)
    assert store.get("k") == REPLY
    assert store.get("half") is None


def test_a_put_waits_for_another_process_and_the_loop_goes_on(store, url, run):
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    gaps = []

    async def tick():
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()

    async def work():
        ticking = asyncio.create_task(tick())
        putting = asyncio.create_task(store.put("k", "bot", REPLY))
        await asyncio.sleep(0.5)
        assert not putting.done()
        assert store.get("k") is None  # who reads does not wait
        other.execute("COMMIT")
        kept = await putting
        ticking.cancel()
        return kept

    assert run(work()) == REPLY
    assert max(gaps) < 0.4
    other.close()


def test_what_was_put_is_soon_in_the_file_itself(store, url, run, tmp_path):
    """The log may be lost with the power; the file is synced behind it."""

    async def work():
        await store.put("k", "bot", REPLY)
        await asyncio.sleep(4 * EVERY_S)

    run(work())
    alone = tmp_path / "alone.db"
    shutil.copy(url.removeprefix("sqlite:///"), alone)
    copied = open_store(f"sqlite:///{alone}")
    assert copied.get("k") == REPLY
    copied.close()


def test_closing_has_all_in_the_file_while_others_have_it_open(store, url, run, tmp_path):
    other = open_store(url)
    for n in range(30):
        again = open_store(url)
        run(again.put(f"k-{n}", "bot", REPLY))
        again.close()
    alone = tmp_path / "alone.db"
    shutil.copy(url.removeprefix("sqlite:///"), alone)
    copied = open_store(f"sqlite:///{alone}")
    assert all(copied.get(f"k-{n}") == REPLY for n in range(30))
    copied.close()
    other.close()
