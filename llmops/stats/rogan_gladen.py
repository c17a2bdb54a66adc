"""A proportion corrected by the known errors of the test that counted it."""

import math
from typing import NamedTuple

from llmops.stats.interval import Interval, z_quantile


class Errors(NamedTuple):
    """How a test did on examples whose truth is known."""

    found: int
    """True ones that it called true, of ``true``."""
    true: int
    rejected: int
    """False ones that it called false, of ``false``."""
    false: int


def rogan_gladen(positive: int, n: int, errors: Errors, confidence: float = 0.95) -> Interval:
    """Estimate the share of true examples from the share that an imperfect test calls true.

    (p + specificity − 1)/(sensitivity + specificity − 1), cut at 0 and 1: Rogan & Gladen 1978, Am. J.
    Epidemiol. 107:71–76. The interval is Lang & Reiczigel's (2014, Prev. Vet. Med. 113:13–22), which adds
    z² trials to the share and one right and one wrong answer to each error's.

    Does not cover: errors that were measured on examples of another kind than those counted.
    """
    if min(n, errors.true, errors.false) == 0:
        return Interval(None, n, reason="no examples, or none whose truth is known to be true, or false")
    sensitivity, specificity = errors.found / errors.true, errors.rejected / errors.false
    if sensitivity + specificity <= 1:
        reason = f"sensitivity {sensitivity:.3g} and specificity {specificity:.3g}: no better than chance"
        return Interval(None, n, reason=reason)
    value = (positive / n + specificity - 1) / (sensitivity + specificity - 1)
    middle, se = _adjusted(positive, n, errors, z_quantile(confidence))
    reach = z_quantile(confidence) * se
    value, low, high = (min(1.0, max(0.0, end)) for end in (value, middle - reach, middle + reach))
    return Interval(value, n, se, low, high, "lang-reiczigel")


def _adjusted(positive: int, n: int, errors: Errors, z: float) -> tuple[float, float]:
    """Return the middle of Lang & Reiczigel's interval and its standard error."""
    trials, true, false = n + z * z, errors.true + 2, errors.false + 2
    share = (positive + z * z / 2) / trials
    sensitivity, specificity = (errors.found + 1) / true, (errors.rejected + 1) / false
    youden = sensitivity + specificity - 1
    p = (share + specificity - 1) / youden
    of_true = p * sensitivity * (1 - sensitivity) / true
    of_false = (1 - p) * specificity * (1 - specificity) / false
    variance = share * (1 - share) / trials + p * of_true + (1 - p) * of_false
    return p + 2 * z * z * (of_true - of_false), math.sqrt(variance) / abs(youden)
