"""How a suite names a metric of the Hugging Face hub."""

import re
from typing import NamedTuple

from llmops.errors import UserError

PREFIX = "hub:"

_NAME = re.compile(r"hub:(?P<path>(?:[\w-]+/)?(?P<name>[\w-]+))(?:@(?P<revision>[\w.-]+))?(?::(?P<key>\w+))?")


class HubName(NamedTuple):
    """A hub's metric as a suite names it: ``hub:path@revision:key``."""

    shown: str
    path: str
    """``name`` or ``owner/name``."""
    revision: str | None
    """A tag, branch or commit; None for the newest."""
    key: str
    """Which of the numbers that it returns; the metric's own name unless it is given."""


def hub_name(name: str) -> HubName:
    """Return the parts of ``hub:path@revision:key``, of which revision and key may be left out.

    >>> hub_name("hub:bertscore@v0.4.6:f1")
    HubName(shown='hub:bertscore@v0.4.6:f1', path='bertscore', revision='v0.4.6', key='f1')
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise UserError(f"metrics: {name!r} names no metric; write it like 'hub:bertscore@v0.4.6:f1'")
    return HubName(name, found["path"], found["revision"], found["key"] or found["name"])
