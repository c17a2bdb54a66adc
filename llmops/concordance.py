"""Published figures of judges, told anew from their recorded verdicts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from llmops.cards.card import load_card
from llmops.cards.frame import plain
from llmops.cards.gathered import gathered
from llmops.errors import UserError
from llmops.places import Places
from llmops.published import PUBLISHED, Agreement
from llmops.stats.correlation import correlation
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval
from llmops.stats.kappa import kappa
from llmops.table import rows, value_at


class Told(NamedTuple):
    """A figure, ours."""

    interval: Interval
    """In the unit that the source prints."""
    digits: int
    """Behind the point, as printed."""
    unscored: int
    """Rows without a verdict or a label; those that an accuracy counts as wrong among them."""

    def shown(self, value: float | None) -> str:
        """Return a value with as many digits as the source prints."""
        return "–" if value is None else f"{value:.{self.digits}f}"


class Columns(NamedTuple):
    """Verdicts and what they are held against, row by row."""

    ours: list[Any]
    theirs: list[Any]
    sources: list[str]
    """Which row each stands in: verdicts in both orders share one."""


def _accuracy(columns: Columns) -> Interval:
    same = [plain(a) == plain(b) for a, b in zip(columns.ours, columns.theirs, strict=True)]
    return _percent(mean(same, columns.sources))


def _kappa(columns: Columns) -> Interval:
    pairs = [(plain(a), plain(b)) for a, b in zip(columns.ours, columns.theirs, strict=True)]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    return kappa([a for a, _ in both], [b for _, b in both])


def _win_rate(columns: Columns) -> Interval:
    """Preferences from 1, the baseline's answer, to 2, the model's."""
    return _percent(mean([float(value) - 1 for value in columns.ours if value is not None]))


def _percent(found: Interval) -> Interval:
    value, se, low, high = (
        None if each is None else 100 * each for each in (found.value, found.se, found.low, found.high)
    )
    return found._replace(value=value, se=se, low=low, high=high)


STATISTICS: Mapping[str, Callable[[Columns], Interval]] = {
    "accuracy": _accuracy,
    "agreement": _accuracy,
    "kappa": _kappa,
    "pearson": lambda columns: correlation(columns.ours, columns.theirs, "pearson"),
    "spearman": lambda columns: correlation(columns.ours, columns.theirs, "spearman"),
    "kendall": lambda columns: correlation(columns.ours, columns.theirs, "kendall"),
    "win_rate": _win_rate,
}
"""What ``statistic`` may name; accuracy, agreement and win rate are in percent."""


def told(places: Places, figure: Agreement) -> Told:
    """Return a published figure of a judge as its recorded verdicts give it.

    Raises:
        UserError: no such statistic or data set, or no row has the field.
    """
    if figure.statistic not in STATISTICS:
        raise UserError(
            f"{PUBLISHED}: agreements: no statistic {figure.statistic!r}; statistics are {sorted(STATISTICS)}"
        )
    columns = _columns(_rows(places, figure), figure)
    if all(value is None for value in columns.ours):
        raise UserError(f"{PUBLISHED}: agreements: {figure.judge!r}: no row has {figure.ours}; mend it")
    theirs = columns.theirs or columns.ours
    unscored = sum(a is None or b is None for a, b in zip(columns.ours, theirs, strict=True))
    return Told(STATISTICS[figure.statistic](columns), len(figure.published.partition(".")[2]), unscored)


def _rows(places: Places, figure: Agreement) -> Sequence[Mapping[str, Any]]:
    raw = places.raw(figure.dataset)
    if figure.file is not None:
        return [row for _, row in rows(raw / figure.file)]
    return [each.row for each in gathered(load_card(places.root, figure.dataset), raw)]


def _columns(found: Sequence[Mapping[str, Any]], figure: Agreement) -> Columns:
    ours = [_verdict(value_at(row, field)) for field in figure.ours for row in found]
    theirs = (
        [_verdict(value_at(row, figure.theirs)) for row in found] * len(figure.ours) if figure.theirs else []
    )
    return Columns(ours, theirs, [str(row) for row in range(len(found))] * len(figure.ours))


def _verdict(value: Any) -> Any:
    """Return a verdict; None where the source wrote that there is none."""
    return None if value in ("None", "garbage") else value
