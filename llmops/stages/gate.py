"""results/<suite>/estimates.jsonl -> verdicts.jsonl: each rule's outcome on each run."""

from collections.abc import Iterable

from llmops import jsonl
from llmops.certificates import gate_reasons
from llmops.places import Places
from llmops.records import Estimate, Outcome, Verdict
from llmops.rules import verdicts, worst
from llmops.suites import load_suite

EXIT_CODES: dict[Outcome, int] = {"pass": 0, "fail": 1, "inconclusive": 3}


def main(places: Places, name: str) -> None:
    """Judge the suite's estimates by its rules. A failed gate exits 0 too, so that it is published."""
    suite = load_suite(places.root, name)
    estimates = list(jsonl.read(places.suite(name, "estimates.jsonl"), Estimate))
    uncertified = gate_reasons(places.root, [rule.metric for rule in suite.rules])
    jsonl.write(places.suite(name, "verdicts.jsonl"), verdicts(name, suite, estimates, uncertified))


def check(places: Places, names: Iterable[str]) -> tuple[list[Verdict], int]:
    """Return the suites' verdicts and the exit code they ask for: 0 passed, 1 failed, 3 inconclusive."""
    found = [v for name in names for v in jsonl.read(places.suite(name, "verdicts.jsonl"), Verdict)]
    return found, EXIT_CODES[worst(verdict.outcome for verdict in found) or "pass"]
