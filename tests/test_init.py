"""A project of one's own, as a newcomer gets it: from the wheel, evaluated at once, and the walk-through followed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from llmops import jsonl
from llmops.cli import cli, main
from llmops.config import read_yaml
from llmops.records import Estimate, Verdict
from llmops.starting import OWN, STARTER, WRITTEN_ANEW
from tools.deps import stages, stated

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "first-project.md").read_text(encoding="utf-8")


class Installed:
    """The wheel, unpacked where Python finds it before the checkout, and commands run with it."""

    def __init__(self, site: Path) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LLMOPS_", "MLFLOW_", "GIT_"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.site = site
        self.environment = {**kept, "PYTHONPATH": str(site), "PATH": path, "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}  # fmt: skip

    def run(self, where: Path, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            words, cwd=where, env=self.environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == code, f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def llmops(self, where: Path, *words: str, code: int = 0) -> str:
        return self.run(where, "python", "-m", "llmops", *words, code=code)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True
    )
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return Installed(folder / "site")


@pytest.fixture(scope="module")
def project(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project after its first `dvc repro`."""
    folder = tmp_path_factory.mktemp("start") / "reviews"
    assert f"cd {folder}" in installed.llmops(folder.parent, "init", str(folder))
    installed.run(folder, "dvc", "repro")
    return folder


def test_a_new_project_evaluates_at_once(project: Path, installed: Installed) -> None:
    estimates = jsonl.read(project / "results" / "support" / "estimates.jsonl", Estimate)
    found = {e.model: e for e in estimates if e.metric == "label_accuracy" and e.slice == "all"}
    assert found["demo-large"].low > found["demo-small"].high
    assert "pass: support: demo-large" in installed.llmops(project, "gate", "--check")
    assert "up to date" in installed.run(project, "dvc", "repro")


def test_a_rule_rests_on_the_new_projects_judge_until_its_prompt_is_edited(
    project: Path, installed: Installed, tmp_path: Path
) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    assert verdict_on_the_judge(copy).outcome == "pass"
    prompt = copy / "prompts" / "judges" / "fits.yaml"
    right = prompt.read_text(encoding="utf-8")
    prompt.write_text(right.replace("yes or no?", "yes or no? Be strict."), encoding="utf-8")
    installed.llmops(copy, "gate", "support")
    assert verdict_on_the_judge(copy).reason.startswith("judge not certified: its judge, model or prompt")
    prompt.write_text(right, encoding="utf-8")
    assert "certificates/fits.json: certified" in installed.llmops(copy, "certify", "fits")
    installed.llmops(copy, "gate", "support")
    assert verdict_on_the_judge(copy).outcome == "pass"


def verdict_on_the_judge(project: Path) -> Verdict:
    found = jsonl.read(project / "results" / "support" / "verdicts.jsonl", Verdict)
    [verdict] = [each for each in found if each.metric == "fits"]
    return verdict


def test_git_is_given_what_people_edit_and_no_results(project: Path, installed: Installed) -> None:
    installed.run(project, "git", "add", "-A")
    tracked = installed.run(project, "git", "ls-files").split()
    assert {"dvc.lock", "params.yaml", ".gitignore", ".github/workflows/evaluate.yml"} <= set(tracked)
    assert {"README.md", "requirements.txt", ".dvcignore", "models/demo-small.gguf"} <= set(tracked)
    assert not [
        name for name in tracked if name.startswith(("results/", "data/raw/", ".dvc/llmops", ".dvc/cache"))
    ]
    assert ".dvc/config" in tracked


def test_results_belong_to_the_pinned_version(project: Path, installed: Installed) -> None:
    pin = project / "requirements.txt"
    right = pin.read_text(encoding="utf-8")
    assert re.fullmatch(r"llmops==\d+\.\d+\.\d+\n", right)
    pin.write_text("llmops==9.9.9\n", encoding="utf-8")
    assert "requirements.txt" in installed.run(project, "dvc", "status")
    for verb in ("score", "gate", "run"):
        line = installed.llmops(project, verb, "support", code=2)
        assert line.startswith("requirements.txt: pins llmops 9.9.9, and ")
        assert len(line.splitlines()) == 1
    pin.write_text(right, encoding="utf-8")
    assert "up to date" in installed.run(project, "dvc", "status")


def test_the_walk_through_gives_what_it_says(project: Path, installed: Installed) -> None:
    for name, text in re.findall(r"^`([\w./-]+)`[^\n]*:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE):
        jsonl.write_text(project / name, text)
    for place, key in (("Below `suites:` in `params.yaml`", "suites"), ("and below `models:`", "models")):
        [lines] = re.findall(rf"^{re.escape(place)}:\n\n```yaml\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
        text = (project / "params.yaml").read_text(encoding="utf-8")
        jsonl.write_text(project / "params.yaml", text.replace(f"{key}:\n", f"{key}:\n{lines}", 1))
    [table] = re.findall(r"^suite .*?(?=```)", PAGE, re.DOTALL | re.MULTILINE)
    assert table in installed.llmops(project, "run", "reviews")
    [shown] = [e for e in json.loads(installed.llmops(project, "show", "reviews", "--json")) if e["metric"] == "label_accuracy" and e["slice"] == "all"]  # fmt: skip
    assert (shown["n"], shown["verdict"]) == (24, "inconclusive")
    assert shown["low"] < shown["value"] < shown["high"]


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)  # fmt: skip


def test_the_page_for_python_runs_as_it_is_written(
    project: Path, installed: Installed, tmp_path: Path
) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    installed.run(copy, "git", "add", "-A")
    installed.run(copy, "git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "1")  # fmt: skip
    installed.run(copy, "git", "tag", "v1.2")
    script, test = blocks("python.md")
    jsonl.write_text(copy / "script.py", script)
    printed = installed.run(copy, "python", "script.py")
    assert re.search(r"\d +demo-large +label_accuracy +0\.\d+ +-?0\.\d+ +0\.\d+\n", printed)
    assert re.search(r"label_accuracy at least 0.85 value 0\.\d+", printed)
    assert "v1.2: results/support: demo-large" in printed
    jsonl.write_text(copy / "tests" / "test_support.py", test)
    assert "1 passed" in installed.run(copy, "python", "-m", "pytest", "-p", "no:cacheprovider")


def test_the_packaged_dashboard_shows_the_project_on_loopback(project: Path, installed: Installed) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "llmops", "dashboard", "--port", str(port)]
    with (project.parent / "dashboard.log").open("wb") as log:
        server = subprocess.Popen(words, cwd=project, env=installed.environment, stdout=log, stderr=log)
        try:
            assert answers(f"http://127.0.0.1:{port}/_stcore/health") == b"ok"
        finally:
            server.terminate()
            server.wait(20)
    assert f"on 127.0.0.1:{port}" in (project.parent / "dashboard.log").read_text(encoding="utf-8")
    app = installed.site / "llmops" / "dashboards" / "app.py"
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        "page = AppTest.from_file(sys.argv[1], default_timeout=60).run();"
        "assert not page.exception, page.exception; print(*[each.value for each in page.title])"
    )
    assert installed.run(project, "python", "-c", code, str(app)).strip()


def answers(url: str) -> bytes:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url) as answer:  # noqa: S310
                return bytes(answer.read())
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


def files(folder: Path) -> dict[str, bytes]:
    """Return what `init` wrote, without what git and DVC keep for themselves."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", ".dvc"} & set(path.relative_to(folder).parts)
    }


def test_the_wheel_and_a_checkout_start_the_same_project(installed: Installed, tmp_path: Path) -> None:
    installed.llmops(tmp_path, "init", "from-wheel")
    main(["init", str(tmp_path / "from-checkout")])
    assert files(tmp_path / "from-wheel") == files(tmp_path / "from-checkout")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, started from the checkout."""
    folder = tmp_path_factory.mktemp("fresh") / "project"
    main(["init", str(folder)])
    return folder


def test_its_stages_are_ours_with_a_version_for_our_source(fresh: Path) -> None:
    ours, theirs = (dict(stages(read_yaml(root / "dvc.yaml"))) for root in (ROOT, fresh))
    assert ours.keys() == theirs.keys()
    for name, stage in ours.items():
        left = [dep for dep in stage["deps"] if dep not in stated(stage)]
        assert sorted(theirs[name]["deps"]) == sorted([*left, "requirements.txt"])
        assert {**stage, "deps": []} == {**theirs[name], "deps": []}


def test_it_has_what_its_stages_depend_on(fresh: Path) -> None:
    made = ("results/", "data/raw")
    deps = {dep for _, stage in stages(read_yaml(fresh / "dvc.yaml")) for dep in stage["deps"]}
    lacking = [dep for dep in sorted(deps) if not dep.startswith(made) and not (fresh / dep).exists()]
    assert lacking == [], "carry it: pyproject.toml, force-include"


def test_its_settings_are_ours_but_for_what_it_evaluates(fresh: Path) -> None:
    ours, theirs = read_yaml(ROOT / "params.yaml"), read_yaml(fresh / "params.yaml")
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if ours[key] != theirs[key]] == ["suites", "models"]
    assert all(name in ours["models"] for name in theirs["models"])
    assert (fresh / "params.yaml").read_text(encoding="utf-8").count("\n\n\n") == 0


def test_every_prompt_that_its_settings_speak_of_is_there(fresh: Path) -> None:
    text = (fresh / "params.yaml").read_text(encoding="utf-8")
    spoken_of = {*re.findall(r"prompt: ([\w./-]+)", text), *re.findall(r"prompts: \[([\w./-]+)\]", text)}
    assert {"judges/correctness.en", "judges/fits", "support/v1"} <= spoken_of
    assert all((fresh / "prompts" / f"{name}.yaml").is_file() for name in spoken_of)


def test_its_workflow_runs_commands_that_there_are(fresh: Path) -> None:
    text = (fresh / ".github" / "workflows" / "evaluate.yml").read_text(encoding="utf-8")
    flow: dict[Any, Any] = YAML(typ="safe").load(text)
    steps = flow["jobs"]["evaluate"]["steps"]
    assert all(re.fullmatch(r"[\w-]+(/[\w-]+)+@v\d+", step["uses"]) for step in steps if "uses" in step)
    ran = "\n".join(step["run"] for step in steps if "run" in step)
    assert set(re.findall(r"^llmops (\w+)", ran, re.MULTILINE)) <= set(cli.commands)
    assert ran.index("dvc repro") < ran.index("llmops gate --check")
    assert {"pull_request", "schedule"} <= flow["on"].keys()


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(SystemExit) as stop:
            main(["init", str(folder)])
        assert stop.value.code == 2
        assert capsys.readouterr().err == f"{folder}: is not empty; name a new folder\n"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_inside_a_repository_it_makes_none_of_its_own(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    main(["init", str(tmp_path / "evaluation")])
    assert not (tmp_path / "evaluation" / ".git").exists()
    assert (tmp_path / "evaluation" / ".dvc" / "config").is_file()


def test_it_starts_without_git_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    main(["init", str(tmp_path / "evaluation")])
    assert "no_scm = True" in (tmp_path / "evaluation" / ".dvc" / "config").read_text(encoding="utf-8")
    assert not (tmp_path / "evaluation" / ".git").exists()


def test_the_starter_holds_nothing_that_is_not_written() -> None:
    assert {path.name for path in STARTER.iterdir()} == {*OWN, "params.yaml"}
    assert set(WRITTEN_ANEW) == set(read_yaml(STARTER / "params.yaml"))
    assert shutil.which("git"), "the tests above need git"
