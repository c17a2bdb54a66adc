"""How long a paired bootstrap of many metrics takes, beside scipy's.

`OPENBLAS_NUM_THREADS=1 python -m benchmarks.resampling [examples] [resamples]` prints a table. scipy
draws fewer resamples, said in its line, and its time is scaled to as many as ours.
"""

import resource
import sys
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from llmops.stats.bootstrap import bootstrap

EXAMPLES = 100_000
RESAMPLES = 10_000
METRICS = 20
SCIPYS = 20
"""Resamples that scipy is asked for: its time grows with their number."""


class Line(NamedTuple):
    """One library's time and the peak of the process's memory so far."""

    name: str
    resamples: int
    wall_s: float
    cpu_s: float
    peak_mb: float


def scores(examples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two systems' values, (examples × metrics) each, seeded and alike in part."""
    generator = np.random.default_rng(0)
    theirs = generator.random((examples, METRICS))
    return 0.9 * theirs + 0.1 * generator.random((examples, METRICS)), theirs


def ours(a: NDArray[np.float64], b: NDArray[np.float64], resamples: int) -> Line:
    """Draw examples once for all metrics and both systems."""
    columns = np.hstack([a, b])

    def differences(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        means = drawn @ columns / len(columns)
        found: NDArray[np.float64] = means[:, :METRICS] - means[:, METRICS:]
        return found

    wall, cpu = time.perf_counter(), time.process_time()
    bootstrap(differences, np.ones(len(a), dtype=np.int64), seed=0, resamples=resamples)
    return _line("llmops", resamples, wall, cpu)


def scipys(a: NDArray[np.float64], b: NDArray[np.float64]) -> Line:
    """Draw indices, and copy the drawn values, a metric at a time (`paired`, so both systems alike)."""
    wall, cpu = time.perf_counter(), time.process_time()
    for column in range(METRICS):
        stats.bootstrap(
            (a[:, column], b[:, column]),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            paired=True,
            n_resamples=SCIPYS,
            method="percentile",
            rng=np.random.default_rng(0),
        )
    return _line("scipy", SCIPYS, wall, cpu)


def _line(name: str, resamples: int, wall: float, cpu: float) -> Line:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Line(name, resamples, time.perf_counter() - wall, time.process_time() - cpu, peak)


if __name__ == "__main__":
    examples, resamples = (
        int(given) for given in (sys.argv[1:] + [str(EXAMPLES), str(RESAMPLES)][len(sys.argv) - 1 :])
    )
    a, b = scores(examples)
    print(f"{examples:,} paired examples, {METRICS} metrics\n")
    print("| library | resamples | seconds | CPU seconds | CPU seconds for all | peak MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for line in (ours(a, b, resamples), scipys(a, b)):
        scaled = line.cpu_s * resamples / line.resamples
        print(f"| {line.name} | {line.resamples:,} | {line.wall_s:.1f} | {line.cpu_s:.1f} "
              f"| {scaled:,.1f} | {line.peak_mb:,.0f} |")  # fmt: skip
