"""An estimate's signature: in one line, everything that its number rests on but the answers.

The manner is that of sacreBLEU (Post 2018, arXiv 1804.08771): parts ``key:value`` between bars.
"""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from llmops.metrics.metric import Metric
from llmops.records import OVERALL, Estimate
from llmops.stats.bootstrap import Resampling

VERSION = "llmops"
"""The last part's key: the version of this package that made the number."""


def signature(estimate: Estimate, task: str, metric: Metric | None, resampling: Resampling) -> str:
    """Return the estimate's signature.

    ``label_accuracy|v:1|read:label|unread:wrong|n:733|ci:wilson 0.95|llmops:0.1.0``: metric, its
    version and settings, the task that read the answers (or ``judge``), what an unread one counts as, the
    slice when it is not all examples, the examples that enter, the interval.

    Args:
        metric: what measured each answer; None for what a run's calls amount to, such as cost.
    """
    parts = [estimate.metric]
    if metric is not None:
        if metric.name != estimate.metric:
            parts.append(f"of:{metric.name}")
        parts += [f"v:{metric.version}", *(f"{key}:{value}" for key, value in metric.settings.items())]
    if estimate.policy is not None:
        parts += [f"read:{task}", f"unread:{estimate.policy}"]
    if estimate.slice != OVERALL:
        parts.append(f"slice:{estimate.slice}")
    parts += [f"n:{estimate.n}", *_interval(estimate, resampling), f"{VERSION}:{_version()}"]
    return "|".join(part.replace("|", "%7C") for part in parts)


def _interval(estimate: Estimate, resampling: Resampling) -> list[str]:
    if estimate.low is None or estimate.method is None:
        return ["ci:none"]
    if estimate.method == "complete":
        return ["ci:complete"]
    drawn = [f"resamples:{resampling.resamples}", f"seed:{resampling.seed}"]
    named = f"ci:{estimate.method} {estimate.confidence:g}"
    return [named, *drawn] if "bootstrap" in estimate.method else [named]


@cache
def _version() -> str:
    try:
        return version("llmops")
    except PackageNotFoundError:
        return "unknown"


def unversioned(text: str | None) -> str | None:
    """Return a signature without the version of this package.

    >>> unversioned("cost_usd|n:733|ci:complete|llmops:0.1.0")
    'cost_usd|n:733|ci:complete'
    """
    return text and text.rpartition(f"|{VERSION}:")[0]
