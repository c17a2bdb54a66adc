"""Reports of a suite that was run, from the command line and from Python."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import fromstring

import msgspec
import pytest
from msgspec.structs import replace

from llmops import jsonl
from llmops.api import load
from llmops.places import Places
from llmops.records import Verdict
from llmops.reporting import tell
from llmops.reports.markdown import ROOM, escaped, markdown
from llmops.reports.told import Told

Verb = Callable[..., tuple[int, str]]
SAID = Verdict("tiny", "app", "short", "label_accuracy", "label_accuracy at least 0.9", "fail", "<b>low</b>")


@pytest.fixture
def judged(project: Path) -> Path:
    verdicts = [SAID, Verdict("tiny", "other", "short", "label_accuracy", "r", "inconclusive", "few")]
    jsonl.write(project / "runs" / "tiny" / "verdicts.jsonl", verdicts)
    return project


@pytest.mark.parametrize("form", ["md", "junit", "json", "html"])
def test_a_report_is_the_same_twice_and_names_no_folder_of_the_machine(
    judged: Path, llmops: Verb, form: str
) -> None:
    first, second = (llmops("report", "tiny", "--format", form) for _ in range(2))
    assert first == second
    assert first[0] == 0
    assert "accuracy" in first[1]
    assert str(judged) not in first[1]


def test_a_report_tells_which_examples_broke(judged: Path, llmops: Verb) -> None:
    told = json.loads(llmops("report", "tiny", "--format", "json")[1])
    flips = [flip["outcome"] for change in told["changes"] for flip in change["flips"]]
    assert "broke" in flips
    assert "- broke" in llmops("report", "tiny")[1]


def test_in_junit_a_failed_rule_fails_and_an_inconclusive_one_is_skipped(judged: Path, llmops: Verb) -> None:
    suite = fromstring(llmops("report", "tiny", "--format", "junit")[1]).find("testsuite")  # noqa: S314
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")
    assert [each.tag for case in suite for each in case] == ["failure", "skipped"]


def test_a_suite_runs_beside_an_event_loop_as_a_notebook_has_one(project: Path) -> None:
    async def cell() -> int:
        return len(load("tiny").run(limit=2, models=["app"]).estimates())

    assert asyncio.run(cell()) > 0


ALLOWED = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors", "skipped", "time"}, set()),
    "testsuite": (
        {"testcase"},
        {"name", "tests", "failures", "errors", "skipped", "time"},
        {"name", "tests"},
    ),
    "testcase": ({"failure", "skipped", "error"}, {"name", "classname", "time"}, {"name", "classname"}),
    "failure": (set(), {"message", "type"}, {"message", "type"}),
    "skipped": (set(), {"message"}, set()),
}
"""Element → its children, its attributes, and those that it must have, as Jenkins and GitLab read JUnit."""


def test_junit_holds_to_what_continuous_integration_reads(judged: Path, llmops: Verb) -> None:
    top = fromstring(llmops("report", "tiny", "--format", "junit")[1])  # noqa: S314
    assert top.tag == "testsuites"
    for element in top.iter():
        children, attributes, required = ALLOWED[element.tag]
        assert {child.tag for child in element} <= children
        assert required <= element.attrib.keys() <= attributes
    for each in (top, *top):
        cases = list(each.iter("testcase"))
        assert int(each.attrib["tests"]) == len(cases)
        assert int(each.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
    assert len({(case.get("classname"), case.get("name")) for case in top.iter("testcase")}) == 2


def test_json_reads_back_to_what_was_told(judged: Path, llmops: Verb) -> None:
    written = llmops("report", "tiny", "--format", "json")[1]
    assert msgspec.json.decode(written, type=Told) == tell(Places(judged), "tiny")
    assert "NaN" not in written


def test_a_report_says_where_its_runs_and_rows_are(judged: Path, llmops: Verb) -> None:
    published = json.loads((judged / "runs" / "tiny" / "published.json").read_text(encoding="utf-8"))
    told = llmops("report", "tiny")[1]
    assert all(f"MLflow run `{each['run_id'][:12]}`" in told for each in published)
    assert "`runs/tiny/responses.jsonl`" in told


@pytest.mark.parametrize(
    ("url", "linked"), [("https://m.example.org/#/runs/1", 4), ("javascript:alert(1)", 0)]
)
def test_only_addresses_of_the_web_become_links(judged: Path, llmops: Verb, url: str, linked: int) -> None:
    file = judged / "runs" / "tiny" / "published.json"
    published = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps([{**each, "url": url} for each in published]), encoding="utf-8")
    assert llmops("report", "tiny")[1].count(f"]({url})") == linked
    page = llmops("report", "tiny", "--format", "html")[1]
    assert page.count(f'<a href="{url}">') == linked
    assert "javascript" not in page


def test_what_needs_a_person_stands_first_and_what_passes_is_folded(judged: Path, llmops: Verb) -> None:
    path = judged / "runs" / "tiny" / "verdicts.jsonl"
    passed = replace(SAID, outcome="pass", rule="passing rule")
    jsonl.write(path, [passed, *jsonl.read(path, Verdict)])
    told = llmops("report", "tiny")[1]
    assert told.startswith("# tiny: 1 fail, 1 inconclusive, 1 pass\n")
    assert told.index("**fail**") < told.index("**inconclusive**") < told.index("<summary>1 pass")
    assert told.index("<summary>1 pass") < told.index("passing rule")


def test_a_report_fits_into_a_comment(judged: Path) -> None:
    told = tell(Places(judged), "tiny")
    [change] = [each for each in told.changes if each.flips][:1]
    many = replace(told, changes=[change] * 500)
    text = markdown(many)
    assert len(text) <= ROOM + 100
    assert "more runs; `--format html` shows them" in text
    assert text.rstrip().endswith("verdicts.jsonl`")


def test_html_runs_nothing_and_escapes_what_it_quotes(judged: Path, llmops: Verb) -> None:
    page = llmops("report", "tiny", "--format", "html")[1]
    assert "<script" not in page
    assert "&lt;b&gt;low" in page
    assert "\x1b" not in page
    assert "<svg" in page


def test_markdown_escapes_the_reasons_of_verdicts_too(judged: Path, llmops: Verb) -> None:
    assert "<b>" not in llmops("report", "tiny")[1]


def test_markdown_of_outside_text_neither_links_nor_mentions() -> None:
    assert escaped("[a](http://x) @ada") == r"\[a\]\(http:&#47;&#47;x\) &#64;ada"


def test_python_reads_estimates_and_fails_a_check_with_the_report(judged: Path) -> None:
    suite = load("tiny", judged)
    assert {"metric", "value", "low", "high"} <= set(suite.estimates().columns)
    with pytest.raises(AssertionError, match=r"label.*at least 0.9"):
        suite.check()


def test_a_report_tells_flips_to_an_accepted_file(judged: Path, llmops: Verb) -> None:
    words = ("baseline", "accept", "tiny", "--model", "app", "--prompt", "short")
    code, said = llmops(*words, "--why", "shipped", "--from", "runs")
    assert code == 0, said
    [file] = (judged / "baselines").rglob("*.jsonl")
    name = str(file.relative_to(judged))
    given = llmops("report", "tiny", "--against", name)[1]
    assert "**0 fixed, 0 broke**" in given, "the run that was accepted"
    assert "- broke" in given
    params = judged / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("{model: app, prompt: short}", f"{{file: {name}}}"), encoding="utf-8")
    assert llmops("report", "tiny")[1] == given


def test_html_has_a_column_of_differences(judged: Path, llmops: Verb) -> None:
    assert '<th scope="col">difference</th>' in llmops("report", "tiny", "--format", "html")[1]
