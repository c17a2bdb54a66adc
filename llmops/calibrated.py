"""A run's confidences held against whether its answers are right: estimates of calibration."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from llmops.records import Estimate, Response, Score
from llmops.stats.bootstrap import Resampling
from llmops.stats.calibration import calibration
from llmops.summary import Run, Setting, interval_estimate

CALIBRATION = ("ece", "ece_equal_mass", "brier", "auroc")
HIGHER_IS_BETTER = frozenset({"auroc"})


def calibration_estimates(
    run: Run, responses: Sequence[Response], scores: Sequence[Score], about: Setting, drawn: Resampling
) -> Iterator[Estimate]:
    """Yield the run's `CALIBRATION`, none where no response has a confidence or a score is not 0 or 1.

    An unread answer is a wrong one where the suite says ``unread: wrong``, else it is left out.

    Args:
        scores: the run's scores by the suite's first metric.
    """
    right = {(score.example_id, score.repeat): _right(score, about.policy) for score in scores}
    if not any(r.confidence is not None for r in responses) or set(right.values()) - {0.0, 1.0, None}:
        return
    known = [r for r in responses if r.confidence is not None and _of(r, right) is not None]
    found = calibration(
        [response.confidence or 0.0 for response in known],
        [_of(response, right) or 0.0 for response in known],
        [_source(response, about) for response in known],
        drawn.seed,
        drawn.resamples,
        about.confidence,
    )
    for name, interval in zip(CALIBRATION, found, strict=True):
        estimate = interval_estimate(about, run, name, interval)
        yield replace(
            estimate, missing=len(responses) - len(known), higher_is_better=name in HIGHER_IS_BETTER
        )


def _right(score: Score, policy: str) -> float | None:
    return 0.0 if score.missing == "unread" and policy == "wrong" else score.value


def _of(response: Response, right: Mapping[tuple[str, int], float | None]) -> float | None:
    return right.get((response.example_id, response.repeat))


def _source(response: Response, about: Setting) -> str:
    """The repeats of an example, and examples of one source, stand or fall together."""
    return about.clusters[response.example_id] if about.clusters else response.example_id
