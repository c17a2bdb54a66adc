"""Estimates and verdicts as the tables that people read."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from llmops.corrected import CORRECTED
from llmops.numbers import UNKNOWN, dollars, interval, number
from llmops.records import OVERALL, Estimate, Outcome, Ranked, Verdict
from llmops.rules import stopped, worst

HEAD = ("suite", "model", "prompt", "metric", "value", "interval", "n", "missing", "cost", "verdict")


def rows(estimates: Iterable[Estimate], verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return one object for each estimate: its place, its numbers, and the worst verdict on it."""
    judged: dict[tuple[str, ...], list[Outcome]] = {}
    for verdict in verdicts:
        judged.setdefault(_place(verdict), []).append(verdict.outcome)
    return [
        {
            "suite": e.suite,
            "model": e.model,
            "prompt": e.prompt,
            "metric": e.metric,
            "slice": e.slice,
            "value": e.value,
            "low": e.low,
            "high": e.high,
            "confidence": e.confidence,
            "n": e.n,
            "missing": e.missing,
            "examples": e.examples,
            "unasked": e.unasked,
            "labels": e.labels,
            "more_labels": e.more_labels,
            "stopped": stopped(e),
            "policy": e.policy,
            "cost_usd": e.cost_usd,
            "difference": e.difference,
            "difference_low": e.difference_low,
            "difference_high": e.difference_high,
            "verdict": worst(judged.get(_place(e), [])),
            "signature": e.signature,
        }
        for e in estimates
    ]


def _place(record: Estimate | Verdict) -> tuple[str, ...]:
    return record.suite, record.model, record.prompt, record.metric, record.slice


def table(found: Sequence[dict[str, Any]], *, signatures: bool = False) -> str:
    """Return rows as a table of fixed-width text, Korean names aligned; a slice stands behind its metric."""
    lines = [_head(found), *(_cells(row) for row in found)]
    if signatures:
        names = ["signature", *(row["signature"] or UNKNOWN for row in found)]
        lines = [(*line, name) for line, name in zip(lines, names, strict=True)]
    return aligned(lines)


def _head(found: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return the heads of the columns, with the intervals' confidence where all have the same."""
    sure = {row["confidence"] for row in found}
    named = f"{100 * sure.pop():g} % interval" if len(sure) == 1 else "interval"
    return tuple(named if cell == "interval" else cell for cell in HEAD)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    cut = "" if row["slice"] == OVERALL else f" @ {row['slice']}"
    policy = f" (unread: {row['policy']})" if row["policy"] else ""
    return (
        row["suite"],
        row["model"],
        row["prompt"],
        f"{row['metric']}{cut}{policy}",
        number(row["value"]),
        interval(row["low"], row["high"]),
        f"{row['n']:,}",
        f"{row['missing']:,}",
        dollars(row["cost_usd"]),
        row["verdict"] or "",
    )


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return rows of cells in columns as wide as their widest cell, wide characters counted as two."""
    widths = [max(width(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell + " " * (wanted - width(cell)) for cell, wanted in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def width(text: str) -> int:
    """Return how many terminal columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def markdown(
    found: Sequence[dict[str, Any]], verdicts: Sequence[Verdict], title: str, ranking: Sequence[Ranked] = ()
) -> str:
    """Return a suite's report: verdicts, the overall table, the slices, what the numbers rest on."""
    parts = [f"# {title}", "", "## Gate", ""]
    parts += _bullets(verdicts)
    for heading, wanted in (("Overall", True), ("By slice", False)):
        chosen = [row for row in found if (row["slice"] == OVERALL) is wanted]
        if chosen:
            parts += ["", f"## {heading}", "", *_markdown_table(chosen)]
    if ended := [*stops(found), *wanted_labels(found), *ranks(ranking)]:
        parts += ["", *(f"- {line}" for line in ended)]
    if signed := [row for row in found if row["slice"] == OVERALL and row["signature"]]:
        parts += ["", "## Signatures", "", *(_signed(row) for row in signed)]
    return "\n".join(parts) + "\n"


def stops(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return a line for each run that ended early."""
    ended = [row for row in found if row["slice"] == OVERALL and row["stopped"]]
    return list(dict.fromkeys(f"{r['suite']}: {r['model']} · {r['prompt']}: {r['stopped']}" for r in ended))


def wanted_labels(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return a line for each corrected mean: how many more labels would halve its interval."""
    return [
        f"{row['suite']}: {row['model']} · {row['prompt']}: {row['metric']}: from {row['labels']:,} labels; "
        f"{_more(row['more_labels'])} halve the interval"
        for row in found
        if row["slice"] == OVERALL and row["metric"].endswith(CORRECTED) and row["low"] is not None
    ]


def _more(labels: int | None) -> str:
    return "labels of all answers would not" if labels is None else f"{labels:,} more would"


def ranks(ranking: Iterable[Ranked]) -> list[str]:
    """Return a line for each run of each pairwise judge, the best first."""
    lines: list[str] = []
    for judge, found in groupby(ranking, key=lambda row: (row.suite, row.judge)):
        lines += [f"{': '.join(judge)}: {place}. {_ranked(row)}" for place, row in enumerate(found, 1)]
    return lines


def _ranked(row: Ranked) -> str:
    figures = (
        ("win rate", row.win_rate, row.win_low, row.win_high),
        ("at one length", row.controlled, row.controlled_low, row.controlled_high),
        ("strength", row.strength, row.strength_low, row.strength_high),
    )
    told = [f"{what} {number(value)} {interval(low, high)}".rstrip() for what, value, low, high in figures]
    reasons = f" ({'; '.join(row.reasons)})" if row.reasons else ""
    return f"{row.model} · {row.prompt}: {', '.join(told)}, n {row.n:,}{reasons}"


def _signed(row: dict[str, Any]) -> str:
    return f"- {row['model']} · {row['prompt']}: `{row['signature']}`"


def _bullets(verdicts: Sequence[Verdict]) -> list[str]:
    if not verdicts:
        return ["No rules."]
    return [f"- **{v.outcome}** {v.model} · {v.prompt}: {v.rule}: {v.reason}" for v in verdicts]


def _markdown_table(found: Sequence[dict[str, Any]]) -> list[str]:
    head = [*_head(found)[1:], "difference to baseline"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in found:
        cells = [*_cells(row)[1:], _difference(row)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _difference(row: dict[str, Any]) -> str:
    if row["difference"] is None:
        return ""
    return f"{row['difference']:+.4g} {interval(row['difference_low'], row['difference_high'])}"
