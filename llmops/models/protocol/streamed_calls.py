"""Tool calls of a stream, put together from their pieces."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


class Calls:
    """The calls so far.

    Servers number the pieces of a call, or send it whole with a null or without a number, or give every
    call the same number: so one that comes with a name and another id is another call.
    """

    def __init__(self) -> None:
        self._begun: list[tuple[int, dict[str, Any]]] = []
        """Each call behind its number, or the place where it came."""

    def take(self, pieces: Sequence[Mapping[str, Any]]) -> None:
        """Take the pieces of one chunk.

        Raises:
            TypeError, AttributeError: one is no piece of a call.
        """
        for place, piece in enumerate(pieces):
            function = piece.get("function") or {}
            index = piece.get("index")
            number = index if isinstance(index, int) else None
            whole = self._continued(
                number, piece.get("id"), function.get("name"), place if pieces[1:] else -1
            )
            _add(whole or self._begin(number), piece.get("id"), function)

    def whole(self) -> list[dict[str, Any]]:
        """Return the calls in the order of their numbers, or as they came."""
        return [call for _, call in sorted(self._begun, key=lambda begun: begun[0])]

    def _begin(self, number: int | None) -> dict[str, Any]:
        call: dict[str, Any] = {"id": None, "function": {"name": "", "arguments": ""}}
        self._begun.append((len(self._begun) if number is None else number, call))
        return call

    def _continued(self, number: int | None, its_id: Any, name: Any, place: int) -> dict[str, Any] | None:
        """Return the call that a piece belongs to, None where it begins one."""
        calls = [call for at, call in self._begun if number in (None, at)]
        if not calls:
            return None
        if number is not None:
            known = calls[-1]["id"]
            return None if name and its_id and known and its_id != known else calls[-1]
        if its_id:
            return next((call for call in calls if call["id"] == its_id), None)
        return None if name else calls[min(place, len(calls) - 1)]


def _add(whole: dict[str, Any], its_id: Any, function: Mapping[str, Any]) -> None:
    whole["id"] = whole["id"] or its_id
    so_far, name, given = whole["function"], function.get("name") or "", function.get("arguments")
    if name != so_far["name"]:  # some servers repeat it with each piece
        so_far["name"] += name
    if given is not None:
        so_far["arguments"] += given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
