"""results/<suite>/{examples,responses}.jsonl, prompts/, models/ -> {judgements,judged,ranking}.jsonl."""

from pathlib import Path

from llmops import jsonl
from llmops.comparing import Settings
from llmops.config import section
from llmops.judges.catalog import load_judge
from llmops.judges.judged import judged
from llmops.judges.ranking import How, ranked
from llmops.judging import Open, judgements, replaying, subjects
from llmops.places import Places
from llmops.stats.bootstrap import Resampling
from llmops.suites import Suite, load_suite


def main(places: Places, name: str, recording: Path | None = None) -> None:
    """Show every answer of the suite to each of its judges; a suite without judges gets empty files.

    Args:
        recording: take all verdicts from this file; no model is opened. The suite's own recording gives
            those that it holds.

    Raises:
        UserError: a judge that there is not, or a wrong setting.
        Stopped: the user ended the run; what was answered is stored.
    """
    suite = load_suite(places.root, name)
    for judge in suite.judges:
        load_judge(places, judge)
    answers = subjects(places, name) if suite.judges else []
    opened = _opened(places, suite, recording) if suite.judges else None
    found = judgements(places, name, suite.judges, answers, opened) if suite.judges else []
    jsonl.write(places.suite(name, "judgements.jsonl"), found)
    jsonl.write(places.suite(name, "judged.jsonl"), judged(found))
    shown = section(places.root, "compare", Settings)
    how = How(shown.confidence, Resampling(shown.resamples, shown.seed))
    jsonl.write(places.suite(name, "ranking.jsonl"), ranked(found, answers, how))


def _opened(places: Places, suite: Suite, recording: Path | None) -> Open | None:
    if recording is not None:
        return replaying(places, recording, wholly=True)
    if suite.recording is not None:
        return replaying(places, places.root / suite.recording, wholly=False)
    return None
