"""How often each interval holds the truth, by enumeration or by seeded simulation.

`python -m benchmarks.coverage [simulations]` prints the tables that docs/statistics.md quotes.
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from llmops.stats.bca import bca
from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval, within, z_quantile
from llmops.stats.proportion import proportion
from llmops.stats.tango import tango

SIMULATIONS = 2000
FAMILY = 12
"""Comparisons of a gate, for the intervals at its first step of Holm."""

Paired = Callable[[int, int, int, float], Interval]


class Missed(NamedTuple):
    """The shares of samples whose interval lies wholly on one side of the truth, and its mean width."""

    above: float
    below: float
    width: float

    @property
    def covered(self) -> float:
        """The share of samples whose interval holds the truth."""
        return 1 - self.above - self.below


def bonett_price(fixed: int, broke: int, n: int, confidence: float) -> Interval:
    """The adjusted Wald interval: Bonett & Price 2012, J. Educ. Behav. Stat. 37:479–488."""
    p, q = (fixed + 1) / (n + 2), (broke + 1) / (n + 2)
    se = math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    reach = z_quantile(confidence) * se
    return within(Interval((fixed - broke) / n, n, se, p - q - reach, p - q + reach), -1.0, 1.0)


def enumerated(interval: Paired, n: int, p: float, q: float, confidence: float) -> Missed:
    """Go through every outcome of n pairs, of which p are fixed and q broken on average."""
    fixed, broke = (grid.ravel() for grid in np.mgrid[: n + 1, : n + 1])
    chance = stats.multinomial.pmf(np.stack([fixed, broke, n - fixed - broke], axis=1), n, [p, q, 1 - p - q])
    likely = chance > 1e-8
    pairs = zip(fixed[likely].tolist(), broke[likely].tolist(), strict=True)
    return _missed((interval(f, b, n, confidence) for f, b in pairs), p - q, chance[likely])


def simulated(make: Callable[[int], Interval], truth: float, simulations: int) -> Missed:
    """Make as many intervals, each from a seed of its own."""
    found = (make(seed) for seed in range(simulations))
    return _missed(found, truth, np.full(simulations, 1 / simulations))


def _missed(found: Iterable[Interval], truth: float, chance: NDArray[np.float64]) -> Missed:
    ends = np.array([(i.value, i.value) if i.low is None else (i.low, i.high) for i in found], dtype=float)
    above, below = ends[:, 0] > truth + 1e-12, ends[:, 1] < truth - 1e-12
    return Missed(float(chance @ above), float(chance @ below), float(chance @ (ends[:, 1] - ends[:, 0])))


def paired() -> Iterator[Sequence[str]]:
    """Truths at a margin: what is worse by m passes `no_worse_by: m` wrongly if the interval is above it."""
    yield "interval", "confidence", "pairs", "least coverage", "most false passes", "said", "mean width"
    for confidence in (0.95, 1 - 0.05 / FAMILY):
        for n in (50, 100, 200):
            for name, interval in (("tango", tango), ("bonett-price", bonett_price)):
                rates = [(p, p + m) for m in (0.02, 0.05, 0.1) for p in (0.005, 0.02, 0.05, 0.1, 0.2)]
                all_ = [enumerated(interval, n, p, q, confidence) for p, q in rates]
                least, most = min(m.covered for m in all_), max(m.above for m in all_)
                width = sum(m.width for m in all_) / len(all_)
                yield (name, f"{confidence:.4f}", str(n), f"{least:.4f}", f"{most:.4f}",
                       f"{(1 - confidence) / 2:.4f}", f"{width:.3f}")  # fmt: skip


def shares() -> Iterator[Sequence[str]]:
    """Wilson's interval, over every number of right answers."""
    yield "examples", "true share", "coverage", f"coverage at {1 - 0.05 / FAMILY:.4f}"
    for n in (50, 200, 1000):
        for p in (0.5, 0.9, 0.98):
            right = np.arange(n + 1)
            chance = stats.binom.pmf(right, n, p)
            covered = [
                _missed((proportion(int(k), n, c) for k in right), p, chance).covered
                for c in (0.95, 1 - 0.05 / FAMILY)
            ]
            yield str(n), str(p), *(f"{share:.4f}" for share in covered)


def clustered(simulations: int) -> Iterator[Sequence[str]]:
    """Means of 0/1 answers whose clusters differ, alike in size and not."""
    yield "clusters", "sizes", "coverage", "coverage, clusters ignored"
    for groups in (5, 10, 20, 50):
        for name, least, most in (("10 each", 10, 10), ("1 to 40", 1, 40)):

            def make(seed: int, by: bool, size: tuple[int, int, int] = (groups, least, most)) -> Interval:
                generator = np.random.default_rng(seed)
                sizes = generator.integers(size[1], size[2] + 1, size[0])
                place = np.repeat(np.arange(size[0]), sizes)
                values = (generator.random(len(place)) < generator.beta(7, 3, size[0])[place]).astype(float)
                return mean(values.tolist(), [str(c) for c in place] if by else None)

            found = [
                simulated(lambda seed, by=by, make=make: make(seed, by), 0.7, simulations).covered
                for by in (True, False)
            ]
            yield str(groups), name, *(f"{share:.3f}" for share in found)


def resampled(simulations: int) -> Iterator[Sequence[str]]:
    """Percentile and BCa intervals of a ratio of sums and of a skewed mean."""
    yield "statistic", "examples", "percentile", "bca"
    how = Resampling(1000)

    def ratio(seed: int, n: int) -> NDArray[np.float64]:
        generator = np.random.default_rng(seed)
        tries = generator.integers(5, 40, n)
        return np.column_stack([generator.binomial(tries, 0.6), tries]).astype(float)

    def skewed(seed: int, n: int) -> NDArray[np.float64]:
        return np.column_stack([np.random.default_rng(seed).lognormal(0, 1, n), np.ones(n)])

    for name, rows, truth in (("ratio of sums", ratio, 0.6), ("lognormal mean", skewed, math.exp(0.5))):
        for n in (20, 50, 200):

            def make(seed: int, method: str, of: tuple[object, int] = (rows, n)) -> Interval:
                sums = of[0](seed, of[1])  # type: ignore[operator]
                counts = np.ones(of[1], dtype=np.int64)

                def statistic(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
                    total = drawn @ sums
                    value: NDArray[np.float64] = (total[:, 0] / total[:, 1])[:, None]
                    return value

                if method == "bca":
                    return bca(statistic, counts, how)[0]
                return bootstrap(statistic, counts, how.seed, how.resamples)[0]

            found = [
                simulated(lambda seed, m=m, make=make: make(seed, m), truth, simulations // 2).covered
                for m in ("percentile", "bca")
            ]
            yield name, str(n), *(f"{share:.3f}" for share in found)


def table(title: str, lines: Iterable[Sequence[str]]) -> str:
    """Return lines as a Markdown table below its title."""
    head, *rest = lines
    rows = [head, ["---"] * len(head), *rest]
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(row)} |" for row in rows), ""])


if __name__ == "__main__":
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS
    print(table("Paired shares, enumerated", paired()))
    print(table("Shares, Wilson, enumerated", shares()))
    print(table(f"Clustered shares, {simulations:,} simulations", clustered(simulations)))
    print(table(f"Bootstrap, {simulations // 2:,} simulations", resampled(simulations)))
