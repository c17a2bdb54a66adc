"""What earlier answers of a model in the store took, beside how long their requests were."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from llmops.models.model import Model
from llmops.models.store.file import connect, explained
from llmops.models.store.rows import AnswerRow, reply_of, unpack
from llmops.replies import Reply

_ASKED = """SELECT answers.key, asked_at, answers.model, reply, checksum, packed, text
    FROM answers JOIN requests ON requests.key = answers.key JOIN shared ON shared.id = requests.shared
    WHERE answers.model = ? ORDER BY answers.key LIMIT ?"""
"""Keys are hashes, so the first of them are a random sample."""
SAME = ("kind", "base_url", "model", "weights")
"""What makes a model of the same name the same; how answers are drawn may differ."""


class Earlier(NamedTuple):
    """One answer, and how many bytes asked for it."""

    asked_bytes: int
    reply: Reply


def wire_bytes(wire: dict[str, Any]) -> int:
    """Return how long a request is as its kind sends it, in bytes of JSON."""
    return len(json.dumps(wire, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def earlier(path: Path, model: Model, most: int = 1000) -> list[Earlier]:
    """Return a random sample of the model's answers in a store; none when there is no store.

    Raises:
        UserError: the store cannot be read.
    """
    if not path.exists():
        return []
    with explained(path), closing(connect(path)) as store:
        return list(_known(store.execute(_ASKED, (model.name, most)), model))


def _known(rows: Iterator[Any], model: Model) -> Iterator[Earlier]:
    for key, *answer, packed, shared in rows:
        try:
            asked = json.loads(unpack(key, packed, shared))
            reply = reply_of(AnswerRow(key, *answer))
        except ValueError:  # damage is `llmops store verify`'s to tell
            continue
        if all(asked["identity"].get(field) == model.identity.get(field) for field in SAME):
            yield Earlier(wire_bytes(asked["wire"]), reply)
