"""Numbers as people read them; what is not known is a dash."""

UNKNOWN = "–"


def number(value: float | None) -> str:
    """Return a value to four significant digits, a dash when it is not known."""
    return UNKNOWN if value is None else f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def interval(low: float | None, high: float | None) -> str:
    """Return the ends of an interval; nothing for a complete count, a dash when it is not known."""
    if low is None and high is None:
        return UNKNOWN
    return "" if low == high else f"[{number(low)}, {number(high)}]"


def dollars(value: float | None) -> str:
    """Return an amount in US dollars with the digits it needs, a dash when no price is known."""
    return UNKNOWN if value is None else f"${value:.2f}" if value >= 1 or value == 0 else f"${value:.2g}"
