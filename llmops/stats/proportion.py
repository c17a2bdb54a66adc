"""The closed-form interval of a proportion."""

import math

from llmops.stats.interval import Interval, z_quantile


def proportion(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Estimate a proportion by Wilson's score interval.

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n): Wilson 1927, J. Am. Stat. Assoc. 22:209–212.
    ``se`` is √(p(1−p)/n), None at p = 0 and p = 1, where it would claim certainty.
    """
    if n == 0:
        return Interval(None, 0, reason="no values")
    p = successes / n
    if n == 1:
        return Interval(p, 1, reason="one value tells nothing of the spread")
    z2 = z_quantile(confidence) ** 2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the limit is p itself; rounding must not leave it a hair away.
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    high = 1.0 if successes == n else min(1.0, middle + reach)
    return Interval(p, n, math.sqrt(p * (1 - p) / n) or None, low, high, "wilson")
