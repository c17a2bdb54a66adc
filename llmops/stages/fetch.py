"""data/sets/*/card.yaml -> data/raw/<data set>/: the files as they were published, checksum verified."""

import sys

from llmops.cards.card import load_card
from llmops.cards.source import fetch
from llmops.places import Places, mirror, state_folder
from llmops.suites import load_suite, suites_to_run


def main(places: Places, suites: list[str] | None = None) -> None:
    """Fetch the data sets of ``suites``; of those that params.yaml runs when none is named."""
    names = suites_to_run(places.root) if suites is None else suites
    fetch_sets(places, sorted({load_suite(places.root, name).dataset for name in names}))


def fetch_sets(places: Places, datasets: list[str]) -> None:
    """Fetch data sets by their own names."""
    for dataset in datasets:
        fetch(
            load_card(places.root, dataset),
            places.root,
            places.raw(dataset),
            state_folder(places.root) / "downloads",
            mirror(),
            lambda line: print(line, file=sys.stderr),
        )
    places.raw("").mkdir(parents=True, exist_ok=True)
