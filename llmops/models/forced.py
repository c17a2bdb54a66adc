"""Log-probabilities of given choices from llama.cpp's server, made to write each of them.

The server tells the log-probabilities of written tokens only, none of a prompt's. So a grammar of
token ids leaves it one token at each place; what it tells of that token is the softmax of all
logits, untouched by the grammar and by sampling.
"""

import json
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from llmops.errors import WorldError
from llmops.models.likelihood import Tokens, choices_reply, continuation
from llmops.models.protocol.faults import read_error
from llmops.replies import Reply

BETWEEN = -1
"""No token's id, so it stands between the texts that one call has tokenised."""

FLOOR = -104.0
"""About the logarithm of the least float32: a token that is less likely has probability 0 in
llama.cpp, and counts as this."""


def weighed(engine: Any, body: dict[str, Any]) -> Reply:
    """Return the reply that weighs ``body["choices"]`` as answers to ``body["messages"]``.

    The prompt is read once, without anything cached, and every choice then starts from it: so what
    comes out does not depend on what the engine did before.

    Args:
        engine: a server of xllamacpp with one slot, which no one else asks meanwhile.

    Raises:
        WorldError: a prompt with its choice is longer than the context.
    """
    server = _Loopback(engine.listening_address)
    try:
        asked: dict[str, Any] = {key: body[key] for key in ("messages", "tools") if key in body}
        given, choices = _tokenised(server, server.post("/apply-template", asked)["prompt"], body["choices"])
    finally:
        server.close()
    _told(engine.handle_completions({"prompt": given, "n_predict": 0, "cache_prompt": False}))
    return choices_reply(body["choices"], [_forced(engine, given, each) for each in choices], len(given))


def _forced(engine: Any, prompt: Tokens, tokens: Tokens) -> list[float]:
    told = _told(
        engine.handle_completions({
            "prompt": prompt,
            "grammar": "root ::= " + " ".join(f"<[{token}]>" for token in tokens),
            "n_predict": len(tokens),
            "n_probs": 1,
            "temperature": 0.0,
            "cache_prompt": True,
        })
    )  # fmt: skip
    written = told["choices"][0]["logprobs"]["content"]
    if [token["id"] for token in written] != tokens:  # cut off: nothing else can end it
        message = f"{len(prompt)} tokens and a choice of {len(tokens)} do not fit the context"
        raise WorldError("context_overflow", message, transient=False)
    return [max(FLOOR, token["logprob"]) for token in written]


def _tokenised(server: "_Loopback", prompt: str, choices: Sequence[str]) -> tuple[Tokens, list[Tokens]]:
    """Return the prompt's tokens, with the one that begins every text, and each choice's."""
    wholes = [prompt + choice for choice in choices]
    given, bare, *found = server.tokens([prompt, prompt, *wholes, *choices])
    pairs = zip(found[: len(choices)], found[len(choices) :], strict=True)
    return given, [continuation(bare, whole, alone) for whole, alone in pairs]


def _told(body: Any) -> Any:
    if body.get("error"):
        raise read_error(int(body["error"].get("code", 200)), body)
    return body


class _Loopback:
    """The server's own address, for what it answers over HTTP only."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self._connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        return _told(json.loads(self._connection.getresponse().read()))

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text; what begins a prompt is put before the first alone."""
        content = [part for text in texts for part in (BETWEEN, text)][1:]
        asked: dict[str, Any] = {"content": content, "add_special": True, "parse_special": True}
        found: list[Tokens] = [[]]
        for token in self.post("/tokenize", asked)["tokens"]:
            if token == BETWEEN:
                found.append([])
            else:
                found[-1].append(token)
        return found

    def close(self) -> None:
        self._connection.close()
