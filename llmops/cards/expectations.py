"""The door to Great Expectations: rows held to an expectation file."""

import difflib
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from llmops.cards.expected import Expected, Values, columns_of, is_name, read_expected
from llmops.cards.frame import Frame
from llmops.cards.report import Failure, Report
from llmops.errors import UserError

KEPT = 20
"""Failures of one expectation that a report keeps; all of them are counted."""

Outcome = dict[str, Any]
"""Great Expectations' own result for one expectation."""


def check(frame: Frame, files: Path | Sequence[Path], values: Values) -> Report:
    """Return how ``frame`` stands to the expectations of one file or several.

    What a later file expects again, with the same settings, has that file's severity and note.

    The same rows and expectations give the same report, byte for byte. Nothing is written, and
    nothing is sent. An expectation that names a value that is not known (``$labels`` of a data
    set without labels) is skipped and says so in the results.

    Args:
        frame: the rows; a regular expression sees its values with Python's ``re``.
        values: what ``$name`` stands for in the file.

    Raises:
        UserError: an expectation that does not exist, or that cannot be held of these rows.
    """
    paths = [files] if isinstance(files, Path) else files
    expected = _expected([read_expected(path, frame.columns, values) for path in paths])
    outcomes = _outcomes(frame, expected)
    entries = [_entry(each, outcome) for each, outcome in zip(expected, outcomes, strict=True)]
    failures = [
        failure
        for each, outcome in zip(expected, outcomes, strict=True)
        for failure in _failures(frame, each, outcome)
    ]
    critical = sum(entry["failed"] for entry in entries if entry["severity"] == "critical")
    return Report(
        success=critical == 0,
        checked=len(frame.rows),
        failed=critical,
        warned=sum(entry["failed"] for entry in entries) - critical,
        failures=failures,
        results=entries,
    )


def _expected(files: Sequence[list[Expected]]) -> list[Expected]:
    """Return the expectations of all files, those left out that a later file words anew."""
    kept: list[Expected] = []
    for entries in files:
        anew = [(entry.expect, entry.written) for entry in entries]
        kept = [entry for entry in kept if (entry.expect, entry.written) not in anew] + entries
    return kept


def _outcomes(frame: Frame, expected: list[Expected]) -> list[Outcome | None]:
    """Return Great Expectations' result for each expectation; None for one that is skipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations are not the user's to mend
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        import great_expectations as gx  # 6 s

        built = [_built(each, number) for number, each in enumerate(expected) if each.settings is not None]
        found = _run(gx, built, frame) if built else []
    by_number: dict[int, Outcome] = {
        result["expectation_config"]["meta"]["number"]: result for result in found
    }
    for number, result in by_number.items():
        _refuse_exception(expected[number], result)
    return [by_number.get(number) for number in range(len(expected))]


def _built(expected: Expected, number: int) -> Any:
    from great_expectations.compatibility.pydantic import ValidationError
    from great_expectations.expectations import registry

    known = registry.list_registered_expectation_implementations()
    if expected.expect not in known:
        close = difflib.get_close_matches(expected.expect, known, n=3, cutoff=0.5)
        where = expected.where.removesuffix(f" ({expected.expect})")
        raise UserError(f"{where}: unknown expectation {expected.expect!r}; close ones are {close}")
    kind = registry.get_expectation_impl(expected.expect)
    settings: dict[str, Any] = {**(expected.settings or {}), "severity": expected.severity}
    try:
        return kind(**settings, meta={"number": number})
    except ValidationError as problem:
        first = problem.errors()[0]
        raise UserError(
            f"{expected.where}: {first['loc'][0]}: {first['msg']}; see Great Expectations"
        ) from None


def _run(gx: Any, built: list[Any], frame: Frame) -> list[Outcome]:
    import pandas
    from great_expectations.data_context.types import base

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=base.ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("rows")
    suite = context.suites.add(gx.ExpectationSuite(name="rows", expectations=built))
    validation = gx.ValidationDefinition(name="rows", data=batch, suite=suite)
    # Arrow's strings would hand a regular expression to RE2, which is not Python's `re`.
    with pandas.option_context("mode.string_storage", "python"):
        result = context.validation_definitions.add(validation).run(
            batch_parameters={"dataframe": _dataframe(frame)}, result_format=_FORMAT
        )
    return [msgspec.to_builtins(each.to_json_dict(), enc_hook=_bare) for each in result.results]


_FORMAT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


def _bare(value: Any) -> Any:
    """Return a NumPy scalar as Python's, anything else that JSON lacks as text."""
    return value.item() if hasattr(value, "item") else str(value)


def _dataframe(frame: Frame) -> Any:
    import pandas

    columns = {name: _series([row.get(name) for row in frame.rows]) for name in frame.columns}
    return pandas.DataFrame(columns, columns=frame.columns)


def _series(values: list[Any]) -> Any:
    import pandas

    numbers = all(value is None or type(value) in (int, float) for value in values)
    known = any(value is not None for value in values)
    return pandas.Series(values, dtype=None if numbers and known else object)


def _refuse_exception(expected: Expected, result: Outcome) -> None:
    about = result["exception_info"]
    for each in [about] if "raised_exception" in about else about.values():
        if each["raised_exception"]:
            said = " ".join(str(each["exception_message"]).split())
            raise UserError(f"{expected.where}: cannot be held of these rows: {said}; mend its settings")


def _entry(expected: Expected, outcome: Outcome | None) -> dict[str, Any]:
    entry = {
        "expect": expected.expect,
        "severity": expected.severity,
        "settings": expected.written,
        "success": None if outcome is None else outcome["success"],
        "failed": 0,
    }
    if outcome is None:
        return entry | {"reason": f"not known: {[v for v in expected.written.values() if is_name(v)]}"}
    result = outcome["result"]
    if not outcome["success"]:
        entry["failed"] = max(1, result.get("unexpected_count") or 0)
    observed = ("observed_value", "element_count", "unexpected_count", "missing_count")
    return entry | {key: result[key] for key in observed if key in result}


def _failures(frame: Frame, expected: Expected, outcome: Outcome | None) -> Iterator[Failure]:
    if outcome is None or outcome["success"]:
        return
    about: dict[str, Any] = {
        "column": expected.written.get("column"),
        "expectation": expected.expect,
        "severity": expected.severity,
        "note": expected.note,
        "settings": {key: value for key, value in expected.written.items() if key != "column"},
    }
    # Great Expectations keeps 200 values but every index, so the values are the frame's own.
    indices = outcome["result"].get("unexpected_index_list") or []
    if not indices:
        whole = frame.places[0].file if frame.places else expected.where
        yield Failure(file=whole, value=outcome["result"].get("observed_value"), **about)
    for index in indices[:KEPT]:
        place, value = frame.places[index], _value(frame.rows[index], expected)
        yield Failure(file=place.file, line=place.line, value=value, **about)


def _value(row: dict[str, Any], expected: Expected) -> Any:
    """Return what the row has in the expectation's column; of several columns, each by its name."""
    if "column" in expected.written:
        return row.get(expected.written["column"])
    return {column: row.get(column) for column in columns_of(expected.written)}
