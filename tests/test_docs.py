"""What the documentation says: everything there is has a place in it, and everything in it is there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from llmops import comparing, sentinel
from llmops.cards.schema import Card, CardFile, Fields, Join
from llmops.cli import cli
from llmops.config import SECTIONS
from llmops.judges.catalog import KINDS as JUDGES
from llmops.judging import Params as Judging
from llmops.metrics.catalog import METRICS
from llmops.models.catalog import KINDS, TAKEN
from llmops.models.metered import UNBILLED
from llmops.models.specs import BatchSpec
from llmops.models.stored import KEPT_FAULTS
from llmops.prices import Price
from llmops.probes.examining import PROBES
from llmops.prompts import PromptFile, PromptMessage, Shot
from llmops.records import MissingKind, Response
from llmops.replies import Sampling
from llmops.stages import compare, gate, generate, publish
from llmops.suites import Baseline, Rule, Suite
from llmops.summary import Run, run_estimates, setting
from llmops.tasks.catalog import TASKS
from llmops.tasks.readers import READERS
from llmops.tracking.figures import SUFFIXES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "README.ko.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "models/README.md",
]
MADE = {"dvc.lock", "results", "runs"}
"""What the commands make in the project's folder; no part of the tree."""

SETTINGS: dict[str, dict[str, Any]] = {
    "settings.md": {
        "suites.*": Suite, "suites.*.baseline": Baseline, "suites.*.rules": Rule,
        **{f"kind {kind}": record for kind, (record, _) in KINDS.items()},
        **{f"kind {kind}": each.spec for kind, each in JUDGES.items() if kind != "python"},
        "kind python (judge)": JUDGES["python"].spec,
        "judge": Judging,
        "batch": BatchSpec, "sampling": Sampling, "price": Price,
        "generate": generate.Params, "compare": comparing.Settings, "publish": publish.Params, "sentinel": sentinel.Settings,
        "Prompt files": PromptFile, "messages": PromptMessage, "few_shot": Shot,
    },
    "data.md": {"The card": Card, "files": CardFile, "joins": Join, "fields": Fields},
}  # fmt: skip
"""Page → heading → the record whose keys the table below it lists."""


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def without_code(page: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", page, flags=re.DOTALL | re.MULTILINE)


def headings(page: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", without_code(page), flags=re.MULTILINE)


def below(page: str, heading: str) -> str:
    """Return what stands between a heading and the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", page, flags=re.DOTALL | re.MULTILINE)
    assert found, f"no heading {heading!r}"
    return found[1]


def rows(part: str) -> Iterator[list[str]]:
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and set(cells[0]) - set("-"):
            yield cells


def named(part: str) -> set[str]:
    """Return what the first cells of tables name in code."""
    return {name for cells in rows(part) for name in re.findall(r"`([^`]+)`", cells[0])}


def shown(field: Any) -> str:
    """Return a field's default as the tables write it."""
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value == Sampling():
        return "`{}`"
    written = msgspec.json.encode(value).decode()
    return f"`{written.strip(chr(34)) if value == 'wrong' else written}`"


@pytest.mark.parametrize(
    ("page", "heading"), [(page, heading) for page, those in SETTINGS.items() for heading in those]
)
def test_every_setting_has_a_row_with_its_default(page: str, heading: str) -> None:
    fields = {f.encode_name: shown(f) for f in msgspec.structs.fields(SETTINGS[page][heading])}
    written = {
        cells[0].strip("`"): cells[2] for cells in rows(below(text(page), heading)) if cells[0] != "key"
    }
    assert written == fields


def test_every_section_of_the_settings_has_a_row() -> None:
    start = text("settings.md").partition("## suites")[0]
    assert named(start) == set(SECTIONS)


def test_every_verb_has_a_heading() -> None:
    assert set(cli.commands) == set(headings(text("stages.md"))) - {"Verbs"}


def test_every_check_of_the_doctor_has_a_row() -> None:
    checks = {check for probes in PROBES.values() for check in probes}
    assert checks <= named(below(text("stages.md"), "doctor"))


def test_every_exit_code_of_the_gate_has_a_row() -> None:
    codes = {cells[0] for cells in rows(below(text("stages.md"), "gate"))}
    assert {str(code) for code in gate.EXIT_CODES.values()} <= codes


def test_every_metric_has_a_row_with_its_tasks() -> None:
    written = {
        cells[0].strip("`"): set(re.findall(r"`(\w+)`", cells[3]))
        for cells in rows(below(text("metrics.md"), "The catalogue"))
        if cells[0] != "metric"
    }
    assert written == {name: set(metric.tasks or TASKS) for name, metric in METRICS.items()}


def test_every_run_metric_has_a_row() -> None:
    suite = Suite(dataset="d", task="label", prompts=["p"], models=["m"], metrics=["label_accuracy"])
    response = Response(suite="s", example_id="1", model="m", prompt="p")
    found = run_estimates(Run("m", "p"), [response], 0, setting("s", suite, 0.95, []))
    assert named(below(text("metrics.md"), "Run metrics")) == {estimate.metric for estimate in found}


def test_every_number_of_a_class_has_a_row() -> None:
    numbers = {name for name in compare.CLASS_COLUMNS if not name.endswith(("_low", "_high"))} - {"label"}
    assert named(below(text("metrics.md"), "Classes")) == {"macro_f1", *numbers}


def test_every_task_and_reason_for_no_value_has_a_row() -> None:
    assert named(below(text("metrics.md"), "How an answer is read")) == set(TASKS)
    assert named(below(text("metrics.md"), "What an unread answer counts as")) >= set(get_args(MissingKind))


def test_the_setting_of_a_task_names_every_task() -> None:
    [row] = [cells for cells in rows(below(text("settings.md"), "suites.*")) if cells[0] == "`task`"]
    assert set(re.findall(r"`(\w+)`", row[3])) == set(TASKS)


def test_the_setting_of_extra_names_what_is_refused_in_it() -> None:
    [row] = [cells for cells in rows(below(text("settings.md"), "kind openai")) if cells[0] == "`extra`"]
    assert set(re.findall(r"`(\w+)`", row[3].partition("Refused in it")[2])) >= set(TAKEN)


def test_answers_are_read_as_the_examples_say() -> None:
    labels = ["refund_status", "invoice_request", "환불", "교환"]
    examples = [
        cells
        for cells in rows(below(text("metrics.md"), "How an answer is read"))
        if cells[1].startswith("`")
    ]
    assert len(examples) >= 8
    for task, answer, read in examples:
        given = re.match(r"`(.*?)`", answer)
        assert given, answer
        found = READERS[task.strip("`")](given[1], labels)
        if read.startswith("unread"):
            assert found.text is None, answer
            assert found.reason, answer
            assert found.reason.startswith(read.removeprefix("unread: ")), answer
        else:
            assert found.text == read.strip("`"), answer


def test_every_kind_of_model_has_a_heading() -> None:
    assert set(KINDS) <= set(headings(text("models.md")))


def test_every_kind_of_fault_that_the_stack_knows_has_a_row() -> None:
    assert named(below(text("models.md"), "Retries")) >= UNBILLED | KEPT_FAULTS


def test_every_ending_of_a_metric_in_mlflow_has_a_row() -> None:
    assert named(below(text("mlflow.md"), "Metrics")) == {ending for ending in SUFFIXES.values() if ending}


def test_every_variable_that_the_code_reads_has_a_row() -> None:
    sources = [*(ROOT / "llmops").rglob("*.py"), *(ROOT / "dashboards").rglob("*.py")]
    pattern = re.compile(r'"(LLMOPS_[A-Z_]+|OPENAI_API_KEY|MLFLOW_TRACKING_URI)"')
    read = {name for path in sources for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert named(below(text("settings.md"), "Environment variables")) == read


def tree(page: str) -> tuple[set[str], set[str]]:
    """Return the names of the README's tree: those at the top, and the families of the package."""
    [block] = re.findall(r"^```\n(params\.yaml .*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    lines = [re.match(r"( *)(\S+) {2,}\S", line) for line in block.splitlines()]
    entries = [(len(line[1]), line[2].rstrip("/")) for line in lines if line]
    return {name for depth, name in entries if not depth}, {name for depth, name in entries if depth}


def test_the_readmes_tree_is_the_tree() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {name.partition("/")[0] for name in listed if (ROOT / name).exists()}
    families = {path.parent.name for path in (ROOT / "llmops").glob("*/__init__.py")}
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tree(page) == ({name for name in top - MADE if not name.startswith(".")}, families)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_inside_the_project_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        goal = (path.parent / file) if file else path
        assert goal.is_file(), link
        if anchor:
            known = {slug(heading) for heading in headings(goal.read_text(encoding="utf-8"))}
            assert anchor in known, link


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_korean_readme_has_the_same_parts_and_the_same_code() -> None:
    english, korean = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))
    blocks = re.compile(r"^```.*?^```", flags=re.DOTALL | re.MULTILINE)
    assert blocks.findall(korean) == blocks.findall(english)
    levels = [re.findall(r"^(#+) ", without_code(page), flags=re.MULTILINE) for page in (english, korean)]
    assert levels[0] == levels[1]
    numbers = [sorted(re.findall(r"\d+\.\d %[^|\n]*\]", page)) for page in (english, korean)]
    assert numbers[0] == numbers[1] != []


def commands(page: str, word: str) -> set[str]:
    """Return the words that follow ``word`` where a page writes commands: in code and in indented lines."""
    code = re.findall(r"`([^`\n]+)`", page)
    code += [line for line in page.splitlines() if line.startswith("    ")]
    code += [
        line
        for block in re.findall(r"```\w*\n(.*?)```", page, flags=re.DOTALL)
        for line in block.splitlines()
    ]
    return {found[1] for line in code if (found := re.match(rf"\W*{word} ([a-z]\w*)", line))}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_that_is_named_exists(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert commands(page, "make") <= targets
    assert commands(page, "llmops") <= set(cli.commands)


def test_the_readme_names_commands_at_all() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"repro", "test", "dashboard", "ui"} <= commands(page, "make")
    assert {"run", "show", "gate"} <= commands(page, "llmops")


def test_every_page_is_reached_from_the_readme() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= set(
        re.findall(r"\]\(([^)#\s]+)", page)
    )
