"""``python -m llmops``: the commands, with the code of the folder one stands in."""

from llmops.cli import main

main()
