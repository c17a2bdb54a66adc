"""Progress: a line every few seconds where there is no terminal."""

import io

from llmops.progress import Progress


def test_without_a_terminal_a_line_is_told_every_few_seconds() -> None:
    now = iter([0.0, 1.0, 6.0, 7.0, 8.0])
    stream = io.StringIO()
    progress = Progress("generate support", 4, stream, lambda: next(now))
    for _ in range(3):
        progress.step()
    progress.end("2 stored")
    assert stream.getvalue().splitlines() == [
        "generate support: 2/4, 0/s, 6 s left",
        "generate support: 3/4, 0/s, 3 s left, 2 stored",
    ]
