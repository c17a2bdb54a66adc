"""Models of params.yaml examined: what each can do, what it cannot, and settings that would suit it."""

from collections.abc import Callable
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from llmops import event_loop
from llmops.config import PARAMS, params
from llmops.errors import UserError
from llmops.models.catalog import parse_spec
from llmops.models.specs import (
    ModelSpec,
)
from llmops.numbers import dollars
from llmops.places import Places
from llmops.probes.examining import PROBES, at_most, findings_of
from llmops.probes.finding import Finding
from llmops.probes.given import places_of
from llmops.probes.needs import needs
from llmops.probes.subject import Subject
from llmops.record import Record

MARKS = {True: "✓", False: "✗", None: "?"}
MISSING, UNASKED = 1, 2
"""Exit codes: something that params.yaml rests on is not there; a model cannot be asked."""


class Examined(Record):
    """What came of one model."""

    model: str
    kind: str
    exit_code: int
    findings: list[Finding]
    suggests: dict[str, Any]
    """Settings for its entry in params.yaml."""
    calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


def main(places: Places, names: list[str], as_json: bool = False) -> int:
    """Examine models, all when none is named, and print what was found; return the exit code.

    Raises:
        UserError: params.yaml names no such model, or a wrong setting of one.
    """
    known = params(places.root).get("models") or {}
    if strange := [name for name in names if name not in known]:
        raise UserError(f"{PARAMS}: models: no model {strange[0]!r}; models are {sorted(known)}")
    specs = {name: parse_spec(name, known[name]) for name in names or known}
    found = [event_loop.run(_examined(places, name, spec, as_json)) for name, spec in specs.items()]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    return max((each.exit_code for each in found), default=0)


async def _examined(places: Places, name: str, spec: ModelSpec, as_json: bool) -> Examined:
    kind = str(type(spec).__struct_config__.tag)
    show: Callable[[str], None] = (lambda line: click.echo(line, err=True)) if as_json else click.echo
    try:
        needed = needs(places, name, spec)
        subject = Subject(name, spec, places_of(places, spec))
    except UserError as problem:
        closed = Finding("opens", False, " ".join(str(problem).split()))
        show(f"{name} ({kind})\n{_line(closed)}")
        return Examined(name, kind, UNASKED, [closed], {})
    show(f"{name} ({kind}): {at_most(subject)}")
    findings = []
    try:
        async for finding in findings_of(subject):
            finding = replace(finding, needed_by=needed.get(finding.check, finding.needed_by))
            findings.append(finding)
            show(_line(finding))
        findings += _never_there(subject, needed, findings, show)
    finally:
        await subject.close()
    report = _report(subject, kind, findings)
    show(_foot(report))
    return report


def _never_there(
    subject: Subject, needed: dict[str, list[str]], findings: list[Finding], show: Callable[[str], None]
) -> list[Finding]:
    """Return the weighing of choices as missing where a suite wants it of a kind that never can."""
    if "weighing" not in needed or "weighing" in PROBES[type(subject.spec)]:
        return []
    says = "this kind tells no log-probability of a given text"
    finding = Finding("weighing", False, says, needed_by=needed["weighing"])
    show(_line(finding))
    return [finding]


def _report(subject: Subject, kind: str, findings: list[Finding]) -> Examined:
    unasked = any(finding.check == "answers" and finding.good is not True for finding in findings)
    missing = any(finding.good is False and finding.needed_by for finding in findings)
    suggests = {key: value for finding in findings for key, value in finding.suggests.items()}
    meter = subject.meter
    return Examined(
        model=subject.name,
        kind=kind,
        exit_code=UNASKED if unasked else MISSING if missing else 0,
        findings=findings,
        suggests=suggests,
        calls=meter.calls,
        input_tokens=meter.input_tokens,
        output_tokens=meter.output_tokens,
        cost_usd=meter.spent_usd if meter.calls else 0.0,
    )


def _line(finding: Finding) -> str:
    needed = f" — needed by {', '.join(finding.needed_by)}" if finding.needed_by and not finding.good else ""
    return f"  {MARKS[finding.good]} {finding.check:<15} {finding.says}{needed}"


def _foot(report: Examined) -> str:
    tokens = ["–" if count is None else f"{count:,}" for count in (report.input_tokens, report.output_tokens)]
    spent = f"  took {report.calls} calls, {tokens[0]} tokens in, {tokens[1]} out, {dollars(report.cost_usd)}"
    if not report.suggests:
        return spent
    flow = msgspec.json.encode(report.suggests).decode()
    return f"{spent}\n  params.yaml: models: {report.model}: may take {flow}"
