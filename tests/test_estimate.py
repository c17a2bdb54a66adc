"""`llmops estimate` beside what runs then take, and `llmops reprice` beside what they took."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.errors import UserError
from llmops.estimating import Missing, amounts
from llmops.models.catalog import closed_model, parse_spec
from llmops.models.earlier import Earlier
from llmops.models.model import request_key, request_text
from llmops.models.store.store import SCHEME, STORE, open_store
from llmops.places import Places
from llmops.prices import Price, pricing
from llmops.records import Judgement, Spend
from llmops.replies import Message, Reply, Request, Turn
from llmops.stages import generate, judge, validate
from tests.servers.behaviour import Behaviour
from tests.servers.started import Server, started
from tests.verbs import exit_code

ROOT = Path(__file__).resolve().parent.parent
TOKENS = "{input_per_mtok_usd: 0.15, output_per_mtok_usd: 0.6}"
PARAMS = f"""
run: [support]
suites:
  support:
    dataset: support
    task: label
    prompts: [support/v1, support/v2]
    models: [demo, bot]
    metrics: [label_accuracy]
models:
  demo: {{kind: llamacpp, file: models/demo-small.gguf, sampling: {{max_tokens: 16}}, price: {TOKENS}}}
  bot: {{kind: openai, model: m, base_url: '%s', sampling: {{max_tokens: 8}}, price: {TOKENS}}}
"""
Llmops = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with started(Behaviour()) as running:
        yield running


@pytest.fixture
def project(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("data/sets/support", "data/expectations", "prompts", "models"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "params.yaml").write_text(PARAMS % server.url, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMOPS_STATE", raising=False)
    return tmp_path


@pytest.fixture
def told(project: Path, capsys: pytest.CaptureFixture[str]) -> Llmops:
    """Run a verb that tells JSON, and return what it told."""

    def run(*words: str) -> Any:
        capsys.readouterr()
        main([*words, "--json"])
        return json.loads(capsys.readouterr().out)

    return run


def asked(project: Path, limit: int | None) -> list[Spend]:
    """Ask the suite's models, and return what that spent for each model and prompt."""
    places = Places(project, "runs")
    if not places.suite("support", "examples.jsonl").exists():
        main(["estimate", "--limit", "1"])  # it fetches what validate reads
        validate.main(places, "support")
    generate.main(places, "support", None, limit)
    return list(jsonl.read(project / ".llmops" / "spend.jsonl", Spend))[-4:]


def scored(project: Path) -> None:
    """Leave behind what a run that was scored leaves."""
    for file in ("scores", "estimates"):
        (project / "runs" / "support" / f"{file}.jsonl").touch()


def test_what_a_run_of_the_demo_suite_costs_is_foreseen_within_a_tenth(project: Path, told: Llmops) -> None:
    asked(project, 60)
    before = told("estimate")
    spent = asked(project, None)
    assert [(row["model"], row["prompt"]) for row in before] == [(each.model, each.prompt) for each in spent]
    for row, after in zip(before, spent, strict=True):
        assert (row["questions"], row["stored"], row["calls"]) == (733, 60, after.calls)
        for name, took in (
            ("cost_usd", after.spent_usd),
            ("input_tokens", after.input_tokens),
            ("output_tokens", after.output_tokens),
        ):
            assert row[name]["value"] == pytest.approx(took, rel=0.1), name
    demo = [row for row in before if row["model"] == "demo"]
    assert [row["input_tokens"]["source"] for row in demo] == ["the model's own tokenizer"] * 2
    assert [row["input_tokens"]["value"] for row in demo] == [each.input_tokens for each in spent[:2]]

    whole = told("estimate")
    assert [(row["stored"], row["calls"], row["cost_usd"]["value"]) for row in whole] == [(733, 0, 0)] * 4


def test_what_the_demo_costs_is_foreseen_within_a_tenth_as_it_is_shipped_verdicts_included(
    project: Path, told: Llmops
) -> None:
    shutil.copy(ROOT / "params.yaml", project)
    cold = told("estimate")
    asked(project, 60)
    judge.main(Places(project, "runs"), "support")
    before = told("estimate")
    asked(project, None)
    judge.main(Places(project, "runs"), "support")
    spent = list(jsonl.read(project / ".llmops" / "spend.jsonl", Spend))
    first, then = spent[:5], spent[5:]
    assert [(row["model"], row["judge"]) for row in before] == [(each.model, each.judge) for each in then]
    for row, after in zip(before, then, strict=True):
        assert row["cost_usd"]["value"] == pytest.approx(after.spent_usd, rel=0.1), row["model"]
        for name, took in (("cost_usd", after.spent_usd), ("output_tokens", after.output_tokens)):
            assert row[name]["low"] < took < row[name]["high"], row["model"]
    scored(project)
    booked = told("reprice", "support")
    assert [row["judge"] for row in booked] == [None] * 4 + ["fits"]
    assert booked[-1]["answers"] == first[-1].calls + then[-1].calls
    for row, some, rest in zip(booked, first, then, strict=True):
        took = (some.spent_usd or 0) + (rest.spent_usd or 0)
        assert (row["booked_usd"], row["repriced_usd"]) == (pytest.approx(took), pytest.approx(took)), row[
            "model"
        ]
    for row, some, rest in zip(cold, first, then, strict=True):
        took = (some.spent_usd or 0) + (rest.spent_usd or 0)
        assert row["cost_usd"]["low"] < took < row["cost_usd"]["high"], row["model"]


def test_the_verdicts_that_a_further_model_takes_lie_within_their_limits(project: Path, told: Llmops) -> None:
    shipped = (ROOT / "params.yaml").read_text(encoding="utf-8")
    one = shipped.replace("[demo-small, demo-large]", "[demo-small]").replace("[demo-large]", "[demo-small]")
    for params, limits in ((one, [None]), (shipped, [60, None])):
        (project / "params.yaml").write_text(params, encoding="utf-8")
        for limit in limits:
            before = told("estimate")[-1]
            asked(project, limit)
            judge.main(Places(project, "runs"), "support")
    *_, after = jsonl.read(project / ".llmops" / "spend.jsonl", Spend)
    assert (before["judge"], after.judge) == ("fits", "fits")
    for name, took in (("cost_usd", after.spent_usd), ("output_tokens", after.output_tokens)):
        limits = before[name]
        assert limits["low"] <= min(took, limits["value"]), name
        assert max(took, limits["value"]) <= limits["high"], name


TALK = """
run: [talk]
suites:
  talk: {dataset: talk, task: text, prompts: [talk], models: [demo, bot], metrics: [exact_match]}
"""
CARD = """
name: talk
licence: internal
files: [{path: rows.jsonl}]
fields: {id: id, inputs: [turns], target: target}
"""


@pytest.fixture
def talk(project: Path) -> Path:
    """A project of 90 conversations of one to three turns."""
    said = ["Hello, order {n} here.", "Where is it, please?", "It was to come on day {n} of the month."]
    rows = [
        {"id": f"e-{n}", "turns": [text.format(n=n) for text in said[: 1 + n % 3]], "target": "x"}
        for n in range(90)
    ]
    folder = project / "data/sets/talk"
    folder.mkdir()
    (folder / "card.yaml").write_text(CARD, encoding="utf-8")
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    (project / "prompts/talk.yaml").write_text("messages: []\nconversation: turns\n", encoding="utf-8")
    models = (project / "params.yaml").read_text(encoding="utf-8").partition("models:\n")[2]
    (project / "params.yaml").write_text(f"{TALK}models:\n{models}", encoding="utf-8")
    return project


def talked(project: Path, limit: int | None) -> list[Spend]:
    places = Places(project, "runs")
    validate.main(places, "talk")
    generate.main(places, "talk", None, limit)
    return list(jsonl.read(project / ".llmops" / "spend.jsonl", Spend))[-2:]


def test_every_turn_of_a_conversation_is_foreseen_with_the_answers_before_it(
    talk: Path, told: Llmops
) -> None:
    cold = told("estimate")
    assert [(row["questions"], row["stored"], row["calls"]) for row in cold] == [(90, 0, 180)] * 2
    part = talked(talk, 30)
    before = told("estimate")
    spent = talked(talk, None)
    for first, some, row, after in zip(cold, part, before, spent, strict=True):
        assert (row["questions"], row["stored"], row["calls"]) == (90, 30, after.calls)
        took = some.input_tokens + after.input_tokens
        assert first["input_tokens"]["low"] < took < first["input_tokens"]["high"]
        for name, took in (("input_tokens", after.input_tokens), ("cost_usd", after.spent_usd)):
            assert row[name]["value"] == pytest.approx(took, rel=0.1), name
    whole = told("estimate")
    assert [(row["stored"], row["calls"], row["cost_usd"]["value"]) for row in whole] == [(90, 0, 0)] * 2


def test_a_conversation_with_tools_says_what_its_calls_rest_on(
    talk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card, rows = talk / "data/sets/talk/card.yaml", talk / "data/sets/talk/rows.jsonl"
    card.write_text(CARD.replace("target: target", "target: target, tools: tools"), encoding="utf-8")
    tool = {"name": "order", "description": "Look up an order.", "parameters": {"type": "object"}}
    lines = [{**json.loads(line), "tools": [tool]} for line in rows.read_text(encoding="utf-8").splitlines()]
    rows.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    main(["estimate", "talk", "--model", "bot"])
    assert "assumes that no answer calls a tool, which would end its conversation" in capsys.readouterr().out


def test_nothing_is_asked_and_nothing_is_opened_that_needs_a_key(
    server: Server, project: Path, told: Llmops
) -> None:
    text = (project / "params.yaml").read_text(encoding="utf-8")
    (project / "params.yaml").write_text(text.replace("model: m,", "model: m, key: NO_SUCH_KEY,"), "utf-8")
    requests = server.counts().requests
    [row] = [
        row for row in told("estimate", "--limit", "50", "--model", "bot") if row["prompt"] == "support/v1"
    ]
    assert server.counts().requests == requests
    assert (row["questions"], row["calls"], row["price_source"]) == (50, 50, "params.yaml")
    assert row["input_tokens"]["source"] == "assumed 4 bytes a token"
    assert row["output_tokens"] == {
        "value": 200, "low": 50, "high": 400, "source": "assumed half of at most 8 an answer",
    }  # fmt: skip
    assert row["seconds"]["value"] is None


LISTED = "{{kind: openai, model: gpt-5, sampling: {{max_tokens: 8}}{extra}}}"


def keep_answers(project: Path, tier: str) -> None:
    """Have the store hold a dozen answers to other questions that OpenAI gave at this tier."""
    spec = parse_spec("bot", {"kind": "openai", "model": "gpt-5"})
    model = closed_model("bot", spec, Places(project))

    async def keep() -> None:
        with closing(open_store(f"{SCHEME}{project / '.llmops' / STORE}")) as store:
            for n in range(12):
                request = Request(f"x-{n}", {}, [Message("user", f"question {n:02}")])
                reply = Reply(text="x", input_tokens=40, output_tokens=4, service_tier=tier)
                await store.put(request_key(model, request), "bot", reply, request_text(model, request))

    asyncio.run(keep())


@pytest.mark.parametrize("earlier", [None, "default", "flex"])
def test_dollars_are_told_by_the_service_tier_that_is_asked_for(
    project: Path, told: Llmops, earlier: str | None
) -> None:
    text = (project / "params.yaml").read_text(encoding="utf-8")
    [bot] = [line for line in text.splitlines() if line.startswith("  bot:")]
    if earlier:
        keep_answers(project, earlier)

    def dollars(extra: str) -> float:
        params = text.replace(bot, f"  bot: {LISTED.format(extra=extra)}")
        (project / "params.yaml").write_text(params, encoding="utf-8")
        rows = told("estimate", "--limit", "50", "--model", "bot")
        told_from = {row["cost_usd"]["source"] for row in rows}
        assert told_from == {"12 earlier answers of this model" if earlier else "the tokens"}
        return sum(float(row["cost_usd"]["value"]) for row in rows)

    plain = dollars("")
    about = pytest.approx(1.0, rel=0.1)  # the name of the tier is among the bytes that tell the tokens
    assert dollars(", extra: {service_tier: priority}") / plain / 2 == about
    assert dollars(", extra: {service_tier: flex}") / plain * 2 == about
    assert dollars(", mode: batch") / plain * 2 == about


def test_a_table_says_what_each_of_its_rows_is_told_from(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["estimate", "support", "--limit", "20", "--model", "demo"])
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == [
        "suite", "model", "prompt", "questions", "stored", "calls", "tokens", "in", "tokens", "out", "seconds",
        "cost",
    ]  # fmt: skip
    assert said[3].startswith("all")
    assert (
        "input tokens: the model's own tokenizer; output tokens: assumed half of at most 16 an answer"
        in said[4]
    )


def test_answers_are_priced_anew_from_their_raw_usage(
    project: Path, told: Llmops, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(project, 30)
    scored(project)
    booked = told("reprice", "support")
    assert [row["repriced_usd"] for row in booked] == pytest.approx([row["booked_usd"] for row in booked])
    (project / "dearer.yaml").write_text(
        "demo: {input_per_mtok_usd: 0.3, output_per_mtok_usd: 1.2}\n", "utf-8"
    )
    dearer = told("reprice", "support", "--prices", "dearer.yaml")
    for row in dearer:
        times = 2 if row["model"] == "demo" else 1
        assert row["repriced_usd"] == pytest.approx(times * row["booked_usd"])
    assert {row["price_source"] for row in dearer} == {"the file", "params.yaml"}
    (project / "misspelt.yaml").write_text("bot: {per_hour_usd: 1}\ndmeo: {per_hour_usd: 1}\n", "utf-8")
    assert exit_code("reprice", "support", "--prices", "misspelt.yaml") == 2
    assert "misspelt.yaml: no model 'dmeo'; models are ['bot', 'demo']" in capsys.readouterr().err

    text = (project / "params.yaml").read_text(encoding="utf-8")
    (project / "params.yaml").write_text(text.replace(f", price: {TOKENS}}}", "}"), "utf-8")
    unknown = told("reprice", "support")
    assert [(row["repriced_usd"], row["unknown"], row["price_source"]) for row in unknown] == [
        (None, 30, None)
    ] * 4
    assert [row["booked_usd"] for row in unknown] == [row["booked_usd"] for row in booked]


def test_verdicts_are_priced_by_the_model_that_was_asked_and_a_mixed_jurys_by_none(
    project: Path, told: Llmops
) -> None:
    with (project / "params.yaml").open("a", encoding="utf-8") as params:
        params.write(
            "judges:\n  one: {kind: rubric, model: bot, prompt: judges/fits}\n"
            "  two: {kind: rubric, model: demo, prompt: judges/fits}\n"
            "  like: {kind: jury, judges: [one, one], vote: mean}\n"
            "  mixed: {kind: jury, judges: [one, two], vote: mean}\n"
            "  own: {kind: python, file: apps/own.py, function: f}\n"
            "  aided: {kind: jury, judges: [one, own, round], vote: mean}\n"
            "  round: {kind: jury, judges: [aided], vote: mean}\n"
        )
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
    reply = Reply(text="yes", usage=usage, usage_source="server", cost_usd=1.0)
    folder = project / "runs" / "support"
    rows = [
        Judgement("support", f"e-{n}", "demo", "support/v1", judge, turns=[Turn(messages=[], reply=reply)])
        for judge in ("one", "like", "aided", "mixed", "gone")
        for n in range(3)
    ]
    jsonl.write(folder / "judgements.jsonl", rows)
    (folder / "responses.jsonl").touch()
    scored(project)
    told_rows = [
        (row["judge"], row["model"], row["answers"], row["booked_usd"], row["repriced_usd"], row["unknown"])
        for row in told("reprice", "support")
    ]
    assert told_rows == [
        ("one", "bot", 1, 1.0, pytest.approx(0.15), 0),
        ("like", "bot", 1, 1.0, pytest.approx(0.15), 0),
        ("aided", "bot", 1, 1.0, pytest.approx(0.15), 0),
        ("mixed", "bot, demo", 1, 1.0, None, 1),
        ("gone", "–", 1, 1.0, None, 1),
    ]
    (project / "other.yaml").write_text("'bot, demo': {per_hour_usd: 1}\n", "utf-8")
    assert exit_code("reprice", "support", "--prices", "other.yaml") == 2
    text = (project / "params.yaml").read_text(encoding="utf-8")
    (project / "params.yaml").write_text(text.replace("[one, one]", "5"), "utf-8")
    assert exit_code("reprice", "support") == 2


def test_a_price_below_zero_is_refused(project: Path) -> None:
    (project / "wrong.yaml").write_text("demo: {per_hour_usd: -1}\n", encoding="utf-8")
    from llmops.stages.reprice import own_prices

    with pytest.raises(UserError, match=r"wrong.yaml: demo: per_hour_usd: is -1.0; must be 0 or more"):
        own_prices(project / "wrong.yaml")


# the sums


def missing(**more: Any) -> Missing:
    fields: dict[str, Any] = {
        "asked_bytes": [400] * 10,
        "tokens": None,
        "prompt": [],
        "model": [],
        "max_tokens": 20,
        "cost": pricing(Price(input_per_mtok_usd=1, output_per_mtok_usd=10), "m", None),
        "by_time": False,
    }
    return Missing(**{**fields, **more})


def took(count: int, **reply: Any) -> list[Earlier]:
    return [Earlier(400, Reply(text="x", **reply)) for _ in range(count)]


def test_answers_of_the_same_prompt_go_before_all_of_the_models() -> None:
    own = took(10, input_tokens=110, output_tokens=5, usage_source="server")
    others = took(50, input_tokens=90, output_tokens=9, usage_source="server")
    found = amounts(missing(prompt=own, model=others))
    assert (found.input_tokens.value, found.output_tokens.value) == (1100, 50)
    assert found.cost_usd.value == pytest.approx((1100 + 500) / 1e6)
    assert found.input_tokens.source == "10 earlier answers of this prompt"
    few = amounts(missing(prompt=own[:9], model=others))
    assert (few.output_tokens.value, few.output_tokens.source) == (90, "50 earlier answers of this model")


def test_counts_that_no_server_made_tell_nothing() -> None:
    guessed = took(50, input_tokens=110, output_tokens=5, usage_source="estimated")
    assert amounts(missing(model=guessed)).input_tokens.source == "assumed 4 bytes a token"


def test_an_assumption_holds_what_can_be_at_all() -> None:
    found = amounts(missing())
    assert (found.input_tokens.low, found.input_tokens.value, found.input_tokens.high) == (500, 1000, 4000)
    assert (found.output_tokens.low, found.output_tokens.value, found.output_tokens.high) == (10, 100, 200)
    ends = (found.cost_usd.low, found.cost_usd.value, found.cost_usd.high)
    assert ends == pytest.approx((600e-6, 2000e-6, 6000e-6))


def test_what_cannot_be_known_is_none_with_its_reason() -> None:
    endless = amounts(missing(max_tokens=None))
    assert endless.output_tokens.value is endless.cost_usd.value is None
    assert endless.output_tokens.source == "max_tokens is not set, and no earlier answer tells"
    assert amounts(missing(cost=lambda reply: None)).cost_usd.source == "no known price"
    hourly = pricing(Price(per_hour_usd=3.6), "m", None)
    assert amounts(missing(cost=hourly, by_time=True)).cost_usd.value is None


def test_an_hourly_price_is_told_from_earlier_latencies() -> None:
    hourly = pricing(Price(per_hour_usd=3.6), "m", None)
    found = amounts(missing(prompt=took(20, latency_s=0.5), cost=hourly, by_time=True))
    assert found.seconds.value == pytest.approx(5.0)
    assert found.cost_usd.value == pytest.approx(5.0 * 3.6 / 3600)
