"""What is in the store's key, and what is not."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.models.catalog import closed_model, open_model, parse_spec
from llmops.models.model import Model, request_key
from llmops.places import Places
from llmops.replies import Message, Reply, Request, ResponseFormat

BASE = {
    "kind": "openai",
    "model": "m-1",
    "base_url": "http://127.0.0.1:9/v1",
    "sampling": {"temperature": 0.5, "top_p": 0.9, "max_tokens": 8, "seed": 1, "stop": ["a"]},
    "extra": {"top_k": 1},
}
REQUEST = Request(example_id="e-1", inputs={"a": "1"}, messages=[Message(role="user", content="hi")])


def key(run, tmp_path, raw=None, request=REQUEST, name="bot"):
    async def work():
        model = open_model(name, parse_spec(name, raw or BASE), Places(tmp_path))
        await model.close()
        return request_key(model, request)

    return run(work())


@pytest.mark.parametrize(
    "change",
    [
        {"model": "m-2"},
        {"base_url": "http://127.0.0.1:10/v1"},
        {"sampling": {**BASE["sampling"], "temperature": 0.6}},
        {"sampling": {**BASE["sampling"], "top_p": 0.8}},
        {"sampling": {**BASE["sampling"], "max_tokens": 9}},
        {"sampling": {**BASE["sampling"], "seed": 2}},
        {"sampling": {**BASE["sampling"], "stop": ["b"]}},
        {"extra": {"top_k": 2}},
        {"max_tokens_field": "max_completion_tokens"},
    ],
    ids=str,
)
def test_each_setting_that_can_change_an_answer_changes_the_key(change, run, tmp_path):
    assert key(run, tmp_path, {**BASE, **change}) != key(run, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [Message(role="user", content="hi!")]},
        {"messages": [Message(role="system", content="hi")]},
        {"tools": [{"type": "function"}]},
        {"repeat": 1},
    ],
    ids=str,
)
def test_each_part_of_the_request_changes_the_key(change, run, tmp_path):
    assert key(run, tmp_path, request=msgspec.structs.replace(REQUEST, **change)) != key(run, tmp_path)


def test_names_order_key_price_and_patience_are_not_in_the_key(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-1")
    known = key(run, tmp_path)
    assert key(run, tmp_path, dict(reversed(BASE.items()))) == known
    assert key(run, tmp_path, name="other") == known
    more = {"price": {"input_per_mtok_usd": 1.0}, "timeout_s": 9.0, "concurrency": 3, "key": "MY_KEY"}
    assert key(run, tmp_path, {**BASE, **more}) == known
    assert key(run, tmp_path, {**BASE, "base_url": BASE["base_url"] + "/"}) == known
    assert key(run, tmp_path, request=msgspec.structs.replace(REQUEST, example_id="e-2")) == known


def test_a_repeat_without_a_seed_has_a_key_of_its_own(run, tmp_path):
    raw = {**BASE, "sampling": {"temperature": 1.0}}
    again = msgspec.structs.replace(REQUEST, repeat=1)
    assert key(run, tmp_path, raw) != key(run, tmp_path, raw, again)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_the_key_does_not_depend_on_the_order_of_a_mapping(body):
    async def ask(request: Request) -> Reply:
        raise AssertionError

    def named(wire):
        return request_key(Model("m", {"kind": "x"}, lambda request: wire, ask), REQUEST)

    assert named(body) == named(dict(reversed(body.items())))
    assert len(named(body)) == 64


SAMPLINGS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0.1, 0.7]),
        "top_p": st.sampled_from([0.3, 0.9]),
        "max_tokens": st.integers(1, 3),
        "seed": st.integers(0, 2),
        "stop": st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
        "logprobs": st.just(True),
    },
)
SPECS = st.fixed_dictionaries(
    {
        "kind": st.just("openai"),
        "model": st.sampled_from(["m-1", "m-2"]),
        "base_url": st.sampled_from(["http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1"]),
        "sampling": SAMPLINGS,
    },
    optional={"extra": st.dictionaries(st.sampled_from(["top_k", "user"]), st.integers(1, 2), min_size=1)},
)
FORMATS = [None, *(ResponseFormat(name="f", json_schema={"type": kind}) for kind in ("object", "array"))]
REQUESTS = st.builds(
    Request,
    example_id=st.just("e-1"),
    inputs=st.just({}),
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(["system", "user"]), content=st.sampled_from(["a", "b"])),
        min_size=1,
        max_size=2,
    ),
    tools=st.lists(st.sampled_from([{"type": "function"}, {"type": "other"}]), max_size=1),
    response_format=st.sampled_from(FORMATS),
    repeat=st.integers(0, 1),
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_two_requests_have_one_key_exactly_when_nothing_that_counts_differs(data, tmp_path_factory):
    (one, other), (asked, too) = (
        data.draw(st.tuples(SPECS, SPECS) | SPECS.map(lambda spec: (spec, dict(reversed(spec.items()))))),
        data.draw(st.tuples(REQUESTS, REQUESTS) | REQUESTS.map(lambda request: (request, request))),
    )
    places = Places(tmp_path_factory.getbasetemp())
    models = [closed_model("bot", parse_spec("bot", raw), places) for raw in (one, other)]
    keys = {request_key(model, request) for model, request in zip(models, (asked, too), strict=True)}
    assert (len(keys) == 1) == (one == other and asked == too)


def test_other_weights_have_another_key(tmp_path):
    keys = set()
    for weights in (b"GGUF one", b"GGUF two"):
        (tmp_path / "m.gguf").write_bytes(weights)
        spec = parse_spec("bot", {"kind": "llamacpp", "file": "m.gguf"})
        keys.add(request_key(closed_model("bot", spec, Places(tmp_path)), REQUEST))
    assert len(keys) == 2


def test_a_closed_model_has_the_keys_of_the_open_one_and_needs_no_key_of_an_api(run, tmp_path, monkeypatch):
    raw = {**BASE, "key": "MY_KEY"}
    monkeypatch.delenv("MY_KEY", raising=False)
    closed = closed_model("bot", parse_spec("bot", raw), Places(tmp_path))
    monkeypatch.setenv("MY_KEY", "sk-1")
    assert request_key(closed, REQUEST) == key(run, tmp_path, raw)
    with pytest.raises(RuntimeError, match="e-1 was asked of a model that is not open"):
        run(closed.ask(REQUEST))


KNOWN = [
    (
        {"kind": "openai", "model": "m-1", "base_url": "http://127.0.0.1:9/v1"},
        "abbab955cd82fecb36b26a6cf835620c6a5aeda70b1ed7a35b70fdf07793d11e",
    ),
    (
        {key: value for key, value in BASE.items() if key != "extra"},
        "882fbd5e400193cd963ec00846aecbb6c2e967de1dcdddadfa16c5d0ee176948",
    ),
]


@pytest.mark.parametrize(("raw", "known"), KNOWN)
def test_a_key_stays_what_it_was_so_that_stored_answers_are_found(raw, known, run, tmp_path):
    assert key(run, tmp_path, raw) == known


def test_asking_for_logprobs_changes_the_key(run, tmp_path):
    asked = {**BASE, "sampling": {**BASE["sampling"], "logprobs": True}}
    assert key(run, tmp_path, asked) != key(run, tmp_path)


@pytest.mark.parametrize("more", [{"logprobs": True, "top_logprobs": 5}, {"stream": True}], ids=str)
def test_what_sampling_asks_for_besides_changes_the_key(more, run, tmp_path):
    assert key(run, tmp_path, {**BASE, "sampling": {**BASE["sampling"], **more}}) != key(run, tmp_path)


def test_a_conversation_without_tool_calls_is_keyed_as_role_and_content(tmp_path):
    (tmp_path / "app.py").write_text("def answer(inputs, messages):\n    return 'x'\n", encoding="utf-8")
    model = open_model(
        "app", parse_spec("app", {"kind": "python", "file": "app.py", "function": "answer"}), Places(tmp_path)
    )
    assert model.wire(REQUEST) == {"inputs": {"a": "1"}, "messages": [{"role": "user", "content": "hi"}]}


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4), st.dictionaries(st.text(), JSON, max_size=4))
def test_a_key_is_the_hash_of_the_canonical_json_of_its_parts(identity, body):
    async def ask(request: Request) -> Reply:
        raise AssertionError

    request = msgspec.structs.replace(REQUEST, repeat=3)
    whole = {"identity": identity, "wire": body, "repeat": 3}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    known = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    assert request_key(Model("m", identity, lambda request: body, ask), request) == known
