"""A small project that was run once and published, and copies of it that tests may change."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {
    "params.yaml": """
run: [tiny]
suites:
  tiny:
    dataset: tiny
    task: label
    prompts: [short, long]
    models: [app, other]
    metrics: [label_accuracy]
    slices: [language]
    baseline: {model: app, prompt: short}
models:
  app: {kind: python, file: apps/app.py, function: answer}
  other: {kind: python, file: apps/app.py, function: other}
publish: {traces: 1}
compare: {resamples: 50}
""",
    "prompts/short.yaml": "messages:\n- {role: user, content: '{{ question }}'}\n",
    "prompts/long.yaml": "messages:\n- {role: system, content: Be brief.}\n- {role: user, content: '{{ question }}'}\n",
    "apps/app.py": (
        "def answer(inputs, messages):\n"
        "    return 'I would say: delivery.' if 'parcel' in inputs['question'] else 'a refund, surely'\n"
        "def other(inputs, messages):\n"
        "    return 'refund\\x1b[2J' if len(messages) == 2 else answer(inputs, messages)\n"
    ),
    "data/sets/tiny/card.yaml": "name: tiny\nlicence: internal\nfiles: [{path: rows.csv}]\nfields: {inputs: {question: q}, target: a}\nslices: [language]\nlabels: from_targets\n",
    "data/sets/tiny/rows.csv": "q,a,language\nwhere is my parcel,delivery,en\nmoney back,refund,en\n환불해 주세요,refund,ko\nhow are you,delivery,en\n",
}


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after `llmops run`, which also published it."""
    root = tmp_path_factory.mktemp("small project")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "data" / "expectations", root / "data" / "expectations")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("LLMOPS_STATE", raising=False)
        main(["--root", str(root), "run", "tiny"])
    return root


@pytest.fixture
def project(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project; its store's runs still keep their files in the project that was published."""
    root = tmp_path / "copy"
    shutil.copytree(published, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LLMOPS_STATE", raising=False)
    return root


@pytest.fixture
def llmops(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a verb; its exit code and what it printed."""

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        try:
            main(list(words))
        except SystemExit as stop:
            said = capsys.readouterr()
            return int(stop.code or 0), said.out + said.err
        return 0, capsys.readouterr().out

    return run
