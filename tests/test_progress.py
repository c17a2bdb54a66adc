"""Progress: a line every few seconds where there is no terminal, one that moves where there is."""

import io
from collections.abc import Iterator

from llmops.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ticking(*seconds: float) -> Iterator[float]:
    return iter(seconds)


def test_without_a_terminal_a_line_is_told_every_few_seconds() -> None:
    now, stream = ticking(0.0, 1.0, 6.0, 7.0, 8.0), io.StringIO()
    progress = Progress("generate support", 40, lambda: "2 stored", stream, lambda: next(now))
    for _ in range(3):
        for _ in range(6):
            progress.step()
        progress.look()
    progress.end()
    assert stream.getvalue().splitlines() == [
        "generate support: 12/40, 2/s, 14 s left, 2 stored",
        "generate support: 18/40, 2/s, 10 s left, 2 stored",
    ]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    now, stream = ticking(0.0, 100.0, 105.0, 110.0), io.StringIO()
    progress = Progress("x", 1000, stream=stream, clock=lambda: next(now))
    progress.look()
    for _ in range(50):
        progress.step()
    progress.look()
    progress.look()
    assert [line.split(", ")[1] for line in stream.getvalue().splitlines()] == ["0/s", "10/s", "5/s"]


def test_without_a_step_the_time_left_is_not_told_and_the_line_still_comes() -> None:
    now, stream = ticking(0.0, 5.0), io.StringIO()
    progress = Progress("x", 10, lambda: "64 waiting", stream, lambda: next(now))
    progress.look()
    assert stream.getvalue() == "x: 0/10, 0/s, 64 waiting\n"


def test_on_a_terminal_one_line_moves() -> None:
    now, stream = ticking(0.0, 1.0, 2.0), Terminal()
    progress = Progress("x", 2, stream=stream, clock=lambda: next(now))
    progress.step()
    progress.look()
    progress.step()
    progress.end()
    assert stream.getvalue() == "\r\x1b[Kx: 1/2, 1/s, 1 s left\r\x1b[Kx: 2/2, 1/s\n"
