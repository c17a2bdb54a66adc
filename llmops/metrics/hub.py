"""Metrics of the Hugging Face hub, by name."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

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


def hub_function(named: HubName) -> Callable[[Sequence[str], Sequence[str]], list[float]]:
    """Return the metric's function, which fetches and runs the hub's code when it is called first.

    Needs a network the first time. The code is a stranger's: name a revision that was read.
    """

    @cache
    def module() -> Any:
        from llmops.metrics.door import hub_module  # the door knows the catalogue, which knows this module

        return hub_module(named)

    def function(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
        loaded = module()
        try:
            return _values(named, loaded, reads, targets)
        except (ValueError, TypeError, ImportError) as problem:
            reason = str(problem).partition("\n")[0]
            raise UserError(
                f"metrics: {named.shown!r} cannot measure this: {reason}; it must take two columns of texts"
            ) from problem

    return function


def _values(named: HubName, module: Any, reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return the values of all pairs where it gives them; else ask for each pair by itself."""
    together = _at(named, module.compute(predictions=list(reads), references=list(targets)))
    if isinstance(together, Sequence) and len(together) == len(reads):
        return [float(value) for value in together]
    pairs = zip(reads, targets, strict=True)
    return [float(_at(named, module.compute(predictions=[read], references=[t]))) for read, t in pairs]


def _at(named: HubName, found: dict[str, Any]) -> Any:
    if named.key in found:
        return found[named.key]
    if len(found) == 1:
        return next(iter(found.values()))
    raise UserError(
        f"metrics: {named.shown!r} returns no {named.key!r}; it returns {sorted(found)}: "
        f"name one, like 'hub:{named.path}:{sorted(found)[0]}'"
    )
