"""What a judge is: the sha256 of all that can change its verdicts."""

import json
from hashlib import sha256
from typing import Any

import msgspec

from llmops.judges.specs import Asked
from llmops.models.model import Model
from llmops.prompts import Prompt


def asked_identity(spec: Asked, model: Model, prompt: Prompt) -> str:
    """Return the identity of a judge that is a model: the model's own, the prompt's words, the settings."""
    settings = msgspec.to_builtins(spec)
    for named in ("model", "prompt"):  # what they are counts, not what they are called
        del settings[named]
    return digest({"model": model.identity, "prompt": prompt.sha256, "settings": settings})


def digest(value: Any) -> str:
    """Return the sha256 of a JSON value in its canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
