"""How many tokens a request is likely to take, before it is asked."""

from llmops.models.model import Model
from llmops.replies import Reply, Request

BYTES_PER_TOKEN = 4
UNKNOWN_OUTPUT = 256
"""Tokens of an answer before any is known and where none caps it."""


class Expected:
    """The bytes of the messages at four a token, and the mean of the answers so far."""

    def __init__(self, model: Model) -> None:
        cap = (model.identity.get("sampling") or {}).get("max_tokens")
        self._first = float(cap or UNKNOWN_OUTPUT)
        self._answers = self._tokens = 0

    def tokens(self, request: Request) -> float:
        """Return what a request and its answer may come to."""
        size = sum(len(str(message.content).encode("utf-8", "surrogatepass")) for message in request.messages)
        return size / BYTES_PER_TOKEN + (self._tokens / self._answers if self._answers else self._first)

    def learn(self, reply: Reply) -> None:
        """Note how long an answer was, where the server said so."""
        if reply.output_tokens is not None:
            self._answers, self._tokens = self._answers + 1, self._tokens + reply.output_tokens
