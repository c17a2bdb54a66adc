"""A claim is waited for while a process that lives holds it, and no longer than the run goes on."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest

from llmops.models.meter import Meter
from llmops.models.model import Model, request_key
from llmops.models.stack import Limits, stacks
from llmops.models.stoppable import Stop, Stopping
from llmops.models.store.claims import TOLD_AFTER_S, Claims
from llmops.models.store.store import open_store
from llmops.replies import Reply

pytestmark = pytest.mark.skipif(os.name == "nt", reason="only there do processes not see each other's claims")

HOLDER = """
import asyncio, sys
from pathlib import Path
from llmops.models.store.claims import Claims

async def hold():
    async with Claims(Path(sys.argv[1])).claim(sys.argv[2]):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(hold())
"""
KEY = "ab" * 32


@contextmanager
def held_elsewhere(path, key):
    """Have another process hold the key until the block ends."""
    command = [sys.executable, "-c", HOLDER, str(path), key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().strip() == "held"
            yield process
        finally:
            process.kill()


class Waiting:
    """Time that passes only by sleeping, and what happens at some moments of it."""

    def __init__(self, **at_s):
        self.now, self.at_s = 0.0, {float(name.strip("s")): act for name, act in at_s.items()}

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds
        for moment in [moment for moment in self.at_s if moment <= self.now]:
            self.at_s.pop(moment)()
        await asyncio.sleep(0)


def test_a_process_that_stands_still_is_waited_for_until_its_end_which_is_told_once(run, tmp_path, capsys):
    path = tmp_path / "store.db.claims"
    with held_elsewhere(path, KEY) as other:
        os.kill(other.pid, signal.SIGSTOP)

        def end():
            other.kill()
            other.wait()

        waiting = Waiting(s3000=end)

        async def work():
            with closing(Claims(path, waiting)) as claims:
                async with claims.claim(KEY, sleep=waiting.sleep):
                    pass

        run(work())
    assert 3000 <= waiting.now < 3001
    told = "waits for answers that another process asks for just now, or for its end"
    assert capsys.readouterr().err == f"{tmp_path / 'store.db'}: {told}\n"


def test_a_short_wait_is_not_told(run, tmp_path, capsys):
    path = tmp_path / "store.db.claims"
    with held_elsewhere(path, KEY) as other:

        def end():
            other.kill()
            other.wait()

        waiting = Waiting(s5=end)

        async def work():
            with closing(Claims(path, waiting)) as claims:
                async with claims.claim(KEY, sleep=waiting.sleep):
                    pass

        run(work())
    assert waiting.now < TOLD_AFTER_S
    assert capsys.readouterr().err == ""


def test_a_run_that_is_to_stop_waits_for_no_other_process(run, tmp_path, request_of):
    asked = []

    async def ask(request):
        asked.append(request)
        return Reply(text="x")

    model = Model("bot", {"kind": "openai"}, lambda r: {"messages": [m.content for m in r.messages]}, ask)
    key = request_key(model, request_of())

    async def work():
        stop = Stop()
        with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
            [stack] = stacks(model, store, [Meter()], Limits(), stop)
            waiting = [asyncio.create_task(stack.ask(request_of())) for _ in range(2)]
            await asyncio.sleep(0.3)
            assert not any(task.done() for task in waiting)
            stop.ask()
            return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5.0)

    with held_elsewhere(tmp_path / "store.db.claims", key):
        found = run(work())
    assert [type(each) for each in found] == [Stopping] * 2
    assert asked == []
