"""Certificates: what was measured of a judge, whether it stands, whether it is enough to gate by."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from llmops import jsonl
from llmops.agreement import Figure
from llmops.config import params, section
from llmops.errors import UserError
from llmops.record import Record
from llmops.records import OVERALL

CERTIFICATES = "certificates"
WITHOUT_EFFECT = ("price", "concurrency", "timeout_s")
"""Settings of a model that change no answer."""


class Bar(Record):
    """What a judge must reach, each by its interval's lower limit, before a rule may rest on it."""

    n: int = 0
    """Labelled answers."""
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    kappa: float | None = None
    linear_kappa: float | None = None
    quadratic_kappa: float | None = None
    pearson: float | None = None
    spearman: float | None = None
    kendall: float | None = None


class Certificate(Record):
    """A judge's card as it is kept in git."""

    judge: str
    suite: str
    identity: str
    """sha256 of what can change its verdicts: its settings, its model's, its prompt's text."""
    labels_sha256: str
    """Of the labels as JSON lines, each once."""
    labelled: int
    """Judged answers that someone labelled."""
    unscored: int
    """Those of them without a verdict; no figure counts them."""
    split: int
    """Those on which as many people say one thing as another; no figure but people's counts them."""
    annotators: int
    rubric: str
    criteria: dict[str, list[Figure]]
    """Criterion, empty for the judge's only one → its figures."""
    unequal: bool = False
    """Labels were drawn likelier where they teach most: figures are of the labelled answers, not of all."""


def certificate_file(root: Path, judge: str) -> Path:
    """Return where a judge's certificate lies."""
    return root / CERTIFICATES / f"{judge}.json"


def identity_of(root: Path, judge: str) -> str:
    """Return the sha256 of all that params.yaml and the prompts say of a judge.

    A file that its model names, such as weights or code, counts by its content.
    """
    text = json.dumps(_told(root, judge), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _told(root: Path, judge: str) -> dict[str, Any]:
    """Return a judge's settings with what they name in place of its name; a jury's members within."""
    settings = params(root)
    models = settings.get("models") or {}
    told: dict[str, Any] = dict((settings.get("judges") or {}).get(judge) or {"model": judge})
    return {
        "settings": _with_contents(root, told),
        "model": _with_contents(root, models.get(told.get("model")) or {}),
        "prompt": _content(root / "prompts" / f"{told.get('prompt')}.yaml"),
        "members": [_told(root, member) for member in told.get("judges") or [] if member != judge],
    }


def _with_contents(root: Path, settings: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in settings.items() if key not in WITHOUT_EFFECT}
    files = [settings.get("file"), *(settings.get("files") or [])]
    return kept | {"contents": [_content(root / str(file)) for file in files if file]}


def _content(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def below_bar(figures: Sequence[Figure], bar: Bar) -> str | None:
    """Return the first figure that does not surely reach the bar, in words; None when all do."""
    overall = {f.name: f for f in figures if f.slice == OVERALL and f.between == "judge and people"}
    n = max((f.n for f in overall.values()), default=0)
    if n < bar.n:
        return f"{n:,} labelled answers, {bar.n:,} are asked"
    for name in Bar.__struct_fields__[1:]:
        least, found = getattr(bar, name), overall.get(name)
        if least is None:
            continue
        if found is None or found.value is None:
            return f"{name} is not known: {found.reason if found else 'not measured of such labels'}"
        if found.low is None or found.low < least:
            shown = f"[{found.low:.2f}, {found.high:.2f}]" if found.low is not None else "without an interval"
            return f"{name} {found.value:.2f} {shown} does not surely reach {least:g}"
    return None


def uncertified(root: Path, judge: str, criterion: str = "") -> str | None:
    """Return why no rule may rest on the judge; None when one may, as always where no bar is set.

    Raises:
        UserError: the certificate is none, or params.yaml's `certify` has an unknown key.
    """
    bar: Bar = section(root, "certify", Bar)
    if bar == Bar():
        return None
    path = certificate_file(root, judge)
    if not path.is_file():
        return f"no certificate; run `llmops certify {judge}`"
    certificate = load_certificate(path)
    if certificate.identity != identity_of(root, judge):
        return f"its judge, model or prompt changed since; run `llmops certify {judge}`"
    return below_bar(certificate.criteria.get(criterion, []), bar)


def load_certificate(path: Path) -> Certificate:
    """Return the certificate in a file.

    Raises:
        UserError: it is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Certificate)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise UserError(f"{path}: {problem}; write it with `llmops certify`") from None


def write_certificate(root: Path, certificate: Certificate) -> Path:
    """Write a judge's certificate and return where."""
    path = certificate_file(root, certificate.judge)
    jsonl.write_json(path, certificate)
    return path


def gate_reasons(root: Path, metrics: Sequence[str]) -> dict[str, str]:
    """Return metric → why it cannot gate, of those that are a judge's (``judge`` or ``judge.criterion``)."""
    judges = params(root).get("judges") or {}
    found: dict[str, str] = {}
    for metric in metrics:
        judge, _, criterion = metric.partition(".")
        if judge in judges and (reason := uncertified(root, judge, criterion)):
            found[metric] = reason
    return found
