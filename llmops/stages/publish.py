"""results/<suite>/* -> an MLflow run for each model × prompt, report.md, manifest.json, published.json."""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from llmops import jsonl, manifest, provenance
from llmops.baseline import FILE as BASELINE
from llmops.baseline import Reference, reference
from llmops.cards.card import CARD, SETS, load_card
from llmops.config import PARAMS, params, section
from llmops.manifest import Manifest
from llmops.models.specs import OPENAI_URL
from llmops.places import Places, state_folder
from llmops.prices import OWN, source, table_version
from llmops.prompts import Prompt, load_prompt
from llmops.record import Record
from llmops.records import Estimate, Example, Judgement, Ranked, Response, Score, Verdict
from llmops.report import markdown, rows
from llmops.scores import measured
from llmops.suites import Suite, load_suite
from llmops.summary import Run
from llmops.tracking.client import tracking_uri
from llmops.tracking.inputs import DataSet, PromptText
from llmops.tracking.publish import RunRecord, publish
from llmops.tracking.traces import Traced

STAGE_FILES = ("examples.jsonl", "responses.jsonl", "scores.jsonl", "estimates.jsonl", "verdicts.jsonl")
JUDGEMENTS = "judgements.jsonl"


class Params(Record):
    """Where runs are logged, and how many examples open as traces."""

    experiment: str = "llmops"
    traces: int = 20


class Evidence(NamedTuple):
    """Everything that is known of a suite after its stages."""

    name: str
    suite: Suite
    examples: dict[str, Example]
    responses: dict[Run, list[Response]]
    scores: dict[Run, list[Score]]
    estimates: list[Estimate]
    verdicts: list[Verdict]


def main(places: Places, name: str) -> None:
    """Log every run of the suite to MLflow, passed or failed, and write the suite's report."""
    settings = section(places.root, "publish", Params)
    found = _evidence(places, name)
    report = places.suite(name, "report.md")
    jsonl.write_text(
        report, markdown(rows(found.estimates, found.verdicts), found.verdicts, name, _ranking(places, name))
    )
    with tempfile.TemporaryDirectory() as folder:
        records = list(_records(places, found, settings, Path(folder)))
        uri = tracking_uri(state_folder(places.root))
        done = publish(uri, settings.experiment, records, lambda line: print(line, file=sys.stderr))
    jsonl.write_json(places.suite(name, manifest.FILE), [_manifest(record) for record in records])
    jsonl.write_json(places.suite(name, "published.json"), done)


def _evidence(places: Places, name: str) -> Evidence:
    responses: dict[Run, list[Response]] = defaultdict(list)
    scores: dict[Run, list[Score]] = defaultdict(list)
    for response in jsonl.read(places.suite(name, "responses.jsonl"), Response):
        responses[Run(response.model, response.prompt)].append(response)
    for score in measured(places.suite(name)):
        scores[Run(score.model, score.prompt)].append(score)
    return Evidence(
        name,
        load_suite(places.root, name),
        {e.id: e for e in jsonl.read(places.suite(name, "examples.jsonl"), Example)},
        responses,
        scores,
        list(jsonl.read(places.suite(name, "estimates.jsonl"), Estimate)),
        list(jsonl.read(places.suite(name, "verdicts.jsonl"), Verdict)),
    )


def _records(places: Places, found: Evidence, settings: Params, folder: Path) -> Iterator[RunRecord]:
    """Yield what MLflow is told of each run; its files are written below ``folder``."""
    common = _common_provenance(places, found)
    dataset = _dataset(places, found)
    for number, run in enumerate(found.responses):
        prompt = load_prompt(places.root, run.prompt)
        record = RunRecord(
            suite=found.name,
            model=run.model,
            prompt=run.prompt,
            params=_parameters(places, found, run),
            estimates=[e for e in found.estimates if (e.model, e.prompt) == run],
            verdicts=[v for v in found.verdicts if (v.model, v.prompt) == run],
            ranking=[r for r in _ranking(places, found.name) if (r.model, r.prompt) == run],
            provenance={**common, **_run_provenance(places, found, run, prompt)},
            text=_prompt_text(prompt),
            dataset=dataset,
            traced=_traced(found, run, settings.traces),
        )
        yield replace(record, artifacts=_artifacts(places, found, record, folder / str(number)))


def _manifest(record: RunRecord) -> Manifest:
    return Manifest(
        suite=record.suite,
        model=record.model,
        prompt=record.prompt,
        settings=record.params,
        provenance=record.provenance,
        messages=record.text.messages if record.text else [],
    )


def _parameters(places: Places, found: Evidence, run: Run) -> dict[str, str]:
    suite = {key: getattr(found.suite, key) for key in ("dataset", "task", "unread", "repeats")}
    return {
        **_flat("suite", suite),
        **_flat("model", _spec(places, run)),
        **_flat("generate", params(places.root).get("generate")),
        **_flat("compare", params(places.root).get("compare")),
    }


def _spec(places: Places, run: Run) -> dict[str, Any]:
    found: dict[str, Any] = params(places.root)["models"][run.model]
    return found


def _flat(name: str, value: Any) -> dict[str, str]:
    """Return nested settings as dotted names, e.g. ``model.sampling.max_tokens``."""
    if isinstance(value, Mapping):
        return {k: v for key, inner in value.items() for k, v in _flat(f"{name}.{key}", inner).items()}
    return {} if value is None else {name: str(value)}


def _common_provenance(places: Places, found: Evidence) -> dict[str, str]:
    upstream = [places.suite(found.name, file) for file in STAGE_FILES]
    return {
        **provenance.git(places.root),
        **provenance.versions(),
        **{f"sha256.{path.stem}": provenance.sha256([path]) for path in upstream},
        "sha256.code": provenance.code_sha256(),
        "sha256.params": provenance.sha256([places.root / PARAMS]),
        "price_table": table_version(),
    }


def _run_provenance(places: Places, found: Evidence, run: Run, prompt: Prompt) -> dict[str, str]:
    file = places.root / str(_spec(places, run).get("file", ""))
    served = {response.served_model for response in found.responses[run]} - {None}
    prints = {response.fingerprint for response in found.responses[run]} - {None}
    return {
        f"{manifest.OWN}examples": jsonl.sha256(found.examples.values()),
        f"{manifest.OWN}responses": jsonl.sha256(found.responses[run]),
        "sha256.prompt": prompt.sha256,
        **({"sha256.model": provenance.sha256([file])} if file.is_file() else {}),
        "price_source": _price_source(_spec(places, run)) or "unknown",
        "model.served": ", ".join(sorted(map(str, served))) or "unknown",
        "model.fingerprint": ", ".join(sorted(map(str, prints))) or "unknown",
    }


def _price_source(spec: Mapping[str, Any]) -> str | None:
    """Return where a model's price stands; what recorded answers cost stands in their file."""
    if spec.get("price"):
        return OWN
    if spec["kind"] == "recorded":
        return str(spec["file"]) if spec.get("cost_usd") else None
    address = spec.get("base_url", OPENAI_URL) if spec["kind"] == "openai" else None
    return source(None, spec.get("model", ""), address)


def _dataset(places: Places, found: Evidence) -> DataSet:
    card = load_card(places.root, found.suite.dataset)
    files = [file for file in card.files if file.kept_as in card.examples_files]
    own = f"data/sets/{card.name}/{files[0].kept_as}"
    return DataSet(
        name=card.name,
        source=card.address(files[0]) or files[0].source or own,
        sha256=provenance.sha256([places.raw(card.name) / file.kept_as for file in files]),
        examples=list(found.examples.values()),
    )


def _prompt_text(prompt: Prompt) -> PromptText:
    return PromptText(name=prompt.name, messages=prompt.templates, sha256=prompt.sha256)


def _artifacts(places: Places, found: Evidence, record: RunRecord, folder: Path) -> dict[str, list[Path]]:
    """Return the run's own files and those its suite's runs share: all that makes its numbers anew."""
    shared = (
        "examples.jsonl",
        "labels.jsonl",
        "estimates.jsonl",
        "verdicts.jsonl",
        "report.md",
        "classes.csv",
    )
    card = f"{SETS}/{found.suite.dataset}"
    return {
        "": [
            *_own_files(places, found, record, folder),
            *(places.suite(found.name, file) for file in shared),
            places.root / PARAMS,
        ],
        card: [places.root / card / CARD],
        "validation": sorted(places.suite(found.name, "validation").glob("*.json")),
        "plots": sorted(places.suite(found.name, "plots").glob("*.csv")),
    }


def _own_files(places: Places, found: Evidence, record: RunRecord, folder: Path) -> list[Path]:
    run = Run(record.model, record.prompt)
    jsonl.write(folder / "responses.jsonl", found.responses[run])
    jsonl.write(folder / "scores.jsonl", found.scores[run])
    _write_judgements(places.suite(found.name, JUDGEMENTS), folder / JUDGEMENTS, run)
    jsonl.write_json(folder / manifest.FILE, [_manifest(record)])
    if baseline := _baseline(places, found):
        jsonl.write(folder / BASELINE, baseline.scores)
    return sorted(folder.iterdir())


def _write_judgements(source: Path, goal: Path, run: Run) -> None:
    """Keep what judges said of the run's answers, and of pairs that it is in."""
    if not source.is_file():
        return
    jsonl.write(goal, (
        each
        for each in jsonl.read(source, Judgement)
        if run in (Run(each.model, each.prompt), Run(each.other_model or "", each.other_prompt or ""))
    ))  # fmt: skip


def _ranking(places: Places, name: str) -> list[Ranked]:
    return jsonl.read_any(places.suite(name, "ranking.jsonl"), Ranked)


def _baseline(places: Places, found: Evidence) -> Reference | None:
    scores = chain.from_iterable(found.scores.values())
    return reference(places.root, found.suite, scores, found.examples.values())


def _traced(found: Evidence, run: Run, wanted: int) -> list[Traced]:
    """Return an even sample of the run's responses, the same examples in every run."""
    responses = found.responses[run]
    step = max(1, len(responses) // max(1, wanted))
    scores: dict[tuple[str, int], list[Score]] = defaultdict(list)
    for score in found.scores[run]:
        scores[score.example_id, score.repeat].append(score)
    return [
        Traced(example=found.examples[r.example_id], response=r, scores=scores[r.example_id, r.repeat])
        for r in responses[::step][:wanted]
    ]
