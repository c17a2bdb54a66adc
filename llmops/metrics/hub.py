"""Metrics of the Hugging Face hub, by name."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from llmops.errors import UserError
from llmops.metrics.door import hub_module
from llmops.metrics.hub_name import HubName


def hub_function(named: HubName) -> Callable[[Sequence[str], Sequence[str]], list[float]]:
    """Return the metric's function, which fetches and runs the hub's code when it is called first.

    Needs a network the first time. The code is a stranger's: name a revision that was read.
    """

    @cache
    def module() -> Any:
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
