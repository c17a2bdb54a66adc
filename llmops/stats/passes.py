"""How often some, or all, of k answers to an example pass."""

from math import comb


def pass_at(k: int, answers: int, passed: int) -> float | None:
    """Return the chance that at least one of k answers passes; None with fewer than k answers.

    1 − C(n−c, k)/C(n, k), unbiased: Chen et al. 2021, arXiv 2107.03374, equation 1.

    Raises:
        ValueError: k is below 1, or more passed than there are.
    """
    _check(k, answers, passed)
    return None if answers < k else 1 - comb(answers - passed, k) / comb(answers, k)


def pass_hat(k: int, answers: int, passed: int) -> float | None:
    """Return the chance that all of k answers pass (pass^k); None with fewer than k answers.

    C(c, k)/C(n, k), unbiased: Yao et al. 2024, arXiv 2406.12045, section 3.

    Raises:
        ValueError: as ``pass_at``.
    """
    _check(k, answers, passed)
    return None if answers < k else comb(passed, k) / comb(answers, k)


def _check(k: int, answers: int, passed: int) -> None:
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    if not 0 <= passed <= answers:
        raise ValueError(f"{passed} of {answers} passed; it must lie between 0 and all")
