"""Settings of models, as params.yaml gives them."""

import subprocess
import sys

import pytest

from llmops.errors import UserError
from llmops.models.catalog import KINDS, parse_spec
from llmops.models.specs import OpenAISpec

BATCH = {"kind": "openai", "model": "m", "mode": "batch"}


def test_every_kind_has_a_record_with_its_name_as_tag():
    for kind, (spec, _) in KINDS.items():
        assert spec.__struct_config__.tag == kind


def test_a_spec_is_read_with_its_defaults():
    spec = parse_spec("bot", {"kind": "openai", "model": "m", "sampling": {"temperature": 1}})
    assert isinstance(spec, OpenAISpec)
    assert (spec.base_url, spec.sampling.temperature, spec.timeout_s) == (
        "https://api.openai.com/v1",
        1.0,
        300.0,
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("gpt", r"models: bot: is 'gpt'; must be a mapping"),
        ({"model": "m"}, r"kind: is None; must be one of \['llamacpp', 'openai'"),
        ({"kind": "gpt4all"}, r"kind: is 'gpt4all'; must be one of"),
        ({"kind": "openai", "model": "m", "modle": 1}, r"unknown key 'modle'; keys are \["),
        ({"kind": "openai", "model": "m", "sampling": {"temp": 1}}, r"sampling: unknown key 'temp'"),
        ({"kind": "openai"}, "missing key `model`"),
        ({"kind": "openai", "model": "m", "sampling": {"temperature": -1}}, "temperature: is -1.0; must"),
        ({"kind": "openai", "model": "m", "sampling": {"top_p": 0}}, "top_p: is 0.0; must be above 0"),
        ({"kind": "openai", "model": "m", "sampling": {"max_tokens": 0}}, "max_tokens: is 0; must be at"),
        ({"kind": "llamacpp", "file": "x.gguf", "slots": 0}, "slots: is 0; must be above 0"),
        ({"kind": "openai", "model": "m", "timeout_s": 0}, "timeout_s: is 0.0; must be above 0"),
        ({**BATCH, "sampling": {"stream": True}}, "sampling: stream: a batch answers as a whole; take it out"),
        ({**BATCH, "price": {"per_hour_usd": 1}}, "price: per_hour_usd: a batch tells no time; give"),
        ({**BATCH, "batch": {"max_requests": 0}}, "batch: max_requests: is 0; must be above 0"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_with_what_would_be_right(raw, message):
    with pytest.raises(UserError, match=message):
        parse_spec("bot", raw)


def test_the_catalog_loads_no_kinds_library():
    script = (
        "import sys; import llmops.models.catalog, llmops.models.stack, llmops.models.store.store; "
        "print({'openai', 'xllamacpp', 'torch', 'transformers', 'genai_prices'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_kind_that_reports_no_logprobs_refuses_to_be_asked_for_them():
    raw = {"kind": "transformers", "model": "m", "sampling": {"logprobs": True}}
    with pytest.raises(UserError, match=r"models: m: sampling: logprobs: kind 'transformers' reports none"):
        parse_spec("m", raw)
