"""The house's own rules: doors, directions, sizes of start-up, and what dvc.yaml depends on."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from llmops.config import SECTIONS
from tools.deps import FILE, expected, imported, stages, stated

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = sorted((ROOT / "llmops").rglob("*.py"))
DOORS = {
    "pycurl": {"llmops/models/protocol/curl.py", "llmops/models/protocol/exchange.py"},
    "openai": {"llmops/models/protocol/client.py", "llmops/models/protocol/batches.py"},
    "xllamacpp": {"llmops/models/llamacpp.py"},
    "transformers": {"llmops/models/hugging_face.py"},
    "torch": {"llmops/models/hugging_face.py"},
    "great_expectations": {"llmops/cards/expectations.py"},
    "evaluate": {"llmops/metrics/door.py"},
    "datasets": {"llmops/metrics/door.py"},
    "dvc": {"llmops/revisions.py"},
    "rapidfuzz": {"llmops/leakage.py", "llmops/metrics/alignment.py"},
    "sacrebleu": {"llmops/metrics/bleu.py"},
    "jsonschema": {"llmops/schemas.py"},
    "regex": {"llmops/patterns.py", "llmops/tasks/numerals.py"},
    "genai_prices": {"llmops/prices.py"},
    "jinja2": {"llmops/prompts.py"},
    "ruamel": {"llmops/config.py"},
}
"""Library → the files that may name it. mlflow's door is the folder llmops/tracking/."""

DOCUMENT = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("stage", [name for name, _ in stages(DOCUMENT)])
def test_a_stage_depends_on_the_code_it_imports_and_on_no_other(stage: str) -> None:
    stages_by_name = dict(stages(DOCUMENT))
    assert stated(stages_by_name[stage]) == expected(stage), "run `make deps`"


def test_every_section_that_a_stage_reads_is_among_its_params() -> None:
    for name, stage in stages(DOCUMENT):
        source = (ROOT / "llmops" / "stages" / f"{name}.py").read_text(encoding="utf-8")
        if f'section(places.root, "{name}"' in source:
            assert name in stage["params"], f"{name} reads its section, dvc.yaml does not say so"
            assert name in SECTIONS


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_has_one_door(library: str) -> None:
    naming = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert naming == DOORS[library]


def test_mlflow_is_named_in_its_package_only() -> None:
    naming = [p for p in PACKAGE if any(name.split(".")[0] == "mlflow" for name in imported(p))]
    assert naming
    assert {path.parent.name for path in naming} == {"tracking"}


def test_a_package_face_holds_a_docstring_only() -> None:
    for path in PACKAGE:
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert len(body) == 1, path
            assert isinstance(body[0], ast.Expr), path


def test_help_is_shown_before_anything_heavy_is_loaded() -> None:
    code = "import sys; from llmops import cli; print([m for m in ('mlflow', 'pandas', 'numpy', 'openai', 'evaluate') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_nothing_of_this_machine_is_in_a_file() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    home = str(ROOT) + "/"
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".txt", ".json"} and path.is_file():
            assert home not in path.read_text(encoding="utf-8"), name


def test_no_lock_carries_an_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text(encoding="utf-8"), path.name
