"""What of a model params.yaml rests on: its own sampling, and the suites that ask it."""

from collections import defaultdict
from collections.abc import Iterator

from llmops.cards.card import load_card
from llmops.config import params
from llmops.models.specs import ModelSpec
from llmops.places import Places
from llmops.prompts import load_prompt
from llmops.suites import Suite, load_suite
from llmops.tasks.catalog import load_task
from llmops.tasks.likelihood import WEIGHING


def needs(places: Places, name: str, spec: ModelSpec) -> dict[str, list[str]]:
    """Return check → what needs it to be good.

    Raises:
        UserError: a suite of the model, its prompt or its card cannot be read.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for check in _of_sampling(spec):
        found[check].append(f"sampling of {name}")
    for suite_name, suite in suites_of(places, name):
        for check in _of_suite(places, suite):
            found[check].append(f"suite {suite_name}")
    return dict(found)


def suites_of(places: Places, name: str) -> list[tuple[str, Suite]]:
    """Return the suites that ask the model, by name."""
    every = {suite: load_suite(places.root, suite) for suite in params(places.root).get("suites") or {}}
    return [(suite_name, suite) for suite_name, suite in every.items() if name in suite.models]


def _of_sampling(spec: ModelSpec) -> Iterator[str]:
    sampling = getattr(spec, "sampling", None)
    if sampling is None:
        return
    wanted = {
        "max_tokens": sampling.max_tokens is not None,
        "seed": sampling.seed is not None,
        "stop": bool(sampling.stop),
        "logprobs": sampling.logprobs,
        "top_logprobs": sampling.top_logprobs is not None,
        "streaming": sampling.stream,
    }
    yield from (check for check, needed in wanted.items() if needed)


def _of_suite(places: Places, suite: Suite) -> Iterator[str]:
    prompts = [load_prompt(places.root, prompt) for prompt in suite.prompts]
    wanted = {
        "system message": any(m.role == "system" for prompt in prompts for m in prompt.templates),
        "tools": load_card(places.root, suite.dataset).fields.tools is not None,
        "weighing": load_task(suite.task, f"suites: {suite.dataset}").asking in WEIGHING,
        "json schema": any(prompt.response_format for prompt in prompts),
        "usage": any(rule.metric == "cost_usd" for rule in suite.rules),
    }
    yield from (check for check, needed in wanted.items() if needed)
