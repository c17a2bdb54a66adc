"""A suite's verdicts as JUnit XML: each rule on each run is a test case."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from llmops.records import Verdict
from llmops.reports.told import Told
from llmops.visible import visible


def junit(told: Told) -> str:
    """Return the XML; an inconclusive verdict is skipped, since nothing was shown to have failed.

    ``llmops gate --check`` tells it apart by exit code 3.
    """
    count = {
        "tests": len(told.verdicts),
        "failures": sum(v.outcome == "fail" for v in told.verdicts),
        "errors": 0,
        "skipped": sum(v.outcome == "inconclusive" for v in told.verdicts),
    }
    numbers = {key: str(value) for key, value in count.items()}
    top = Element("testsuites", numbers)
    suite = SubElement(top, "testsuite", {"name": visible(told.suite), **numbers, "time": "0"})
    for verdict in told.verdicts:
        _case(suite, verdict)
    indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(top, encoding="unicode") + "\n"


def _case(suite: Element, verdict: Verdict) -> None:
    run = visible(f"{verdict.model} · {verdict.prompt}")
    about = {"classname": f"{visible(verdict.suite)}.{run}", "name": visible(verdict.rule), "time": "0"}
    case = SubElement(suite, "testcase", about)
    if verdict.outcome == "pass":
        return
    tag = "failure" if verdict.outcome == "fail" else "skipped"
    kind = {"type": verdict.outcome} if tag == "failure" else {}
    SubElement(case, tag, {"message": visible(verdict.reason), **kind})
