"""A verb as a user calls it."""

from llmops.cli import main


def exit_code(*words: str) -> int:
    """Run a verb, and return what it ends with."""
    try:
        main(list(words))
    except SystemExit as done:
        return int(done.code or 0)
    return 0
