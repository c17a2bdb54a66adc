"""Text from outside as a terminal may show it: what it could obey is made visible."""


def visible(text: str, longest: int | None = None) -> str:
    r"""Return the text with each character that is not printable escaped, cut to ``longest``.

    Control characters, terminal escapes and marks that turn the reading direction are not
    printable; Korean is.

    >>> visible("환불\x1b[31m!\n")
    '환불\\x1b[31m!\\n'
    """
    kept = text if longest is None or len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in kept)
