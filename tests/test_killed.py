"""`llmops generate` killed at any moment: what came is kept, and only what was in flight is asked again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Response
from tests.paid_api import VARIABLE, PaidApi, serving, write_project

CONCURRENCY = 8
EXAMPLES = 6000
KILLS = 50


@pytest.mark.slow
def test_fifty_kills_lose_no_answer_and_ask_again_only_what_was_in_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "sk-test-3")
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    with serving(PaidApi(delay_s=0.01)) as api:
        write_project(tmp_path, api.url, EXAMPLES)
        main(["fetch"])
        main(["validate", "tiny"])
        for _ in range(KILLS):
            before = Counter(asked.text for asked in api.asked)
            _run_and_kill(api, draw)
            again = sum(asked.text in before for asked in api.asked[before.total() :])
            assert again <= CONCURRENCY
        killed_at = len(api.asked)
        assert len({asked.text for asked in api.asked}) < 2 * EXAMPLES, "all was asked before the last kill"
        main(["generate", "tiny"])
        times = Counter(asked.text for asked in api.asked)
    assert len(times) == 2 * EXAMPLES
    assert times.total() - len(times) <= KILLS * CONCURRENCY
    assert killed_at > KILLS * 5, "too little was asked before the kills to tell anything"
    responses = list(jsonl.read(tmp_path / "results/tiny/responses.jsonl", Response))
    assert len(responses) == 2 * EXAMPLES
    assert all(response.answer for response in responses)
    main(["store", "verify"])


def _run_and_kill(api: PaidApi, draw: random.Random) -> None:
    """Start the stage, and kill it some moments after its first request."""
    already, seconds = len(api.asked), draw.uniform(0.0, 0.4)
    process = subprocess.Popen(
        [sys.executable, "-m", "llmops", "generate", "tiny"], stderr=subprocess.DEVNULL
    )
    while len(api.asked) == already and process.poll() is None:
        time.sleep(0.002)
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
