"""Two other evaluation programs, each in a virtual environment of its own, on the same questions."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Load(NamedTuple):
    """What is asked, and how."""

    folder: Path
    """Of files that the run may write."""
    questions: Path
    """A JSON object a line: ``question``, and ``target``, a number."""
    base_url: str
    in_flight: int


class Command(NamedTuple):
    """A program's words, said in the load's folder, and what its environment has besides."""

    words: list[str]
    environment: dict[str, str]
    right: Callable[[], float]
    """Reads the share of right answers from what the program wrote."""


class Peer(NamedTuple):
    """One program."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[Path, Load, int | None], Command]
    """(folder of its environment's programs, load, most questions) → its command."""


def programs(peer: Peer) -> Path:
    """Return the folder of the peer's programs, installed when it is not there.

    Raises:
        OSError: an installer cannot be started.
        subprocess.CalledProcessError: it cannot be installed; ``stderr`` says why.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmops-benchmarks"
    folder = cache / "-".join((peer.name, *(part.partition("==")[2] for part in peer.packages)))
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        python = str(folder / "bin" / "python")
        if uv := shutil.which("uv"):
            _run(uv, "venv", "-q", "--clear", "-p", sys.executable, str(folder))
            _run(uv, "pip", "install", "-q", "--python", python, *peer.packages)
        else:
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            _run(python, "-m", "pip", "install", "-q", *peer.packages)
        done.touch()
    return folder / "bin"


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


TASK = """task: words
dataset_path: json
dataset_kwargs: {data_files: {test: QUESTIONS}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{target}}"
generation_kwargs: {until: [], do_sample: false, temperature: 0, max_gen_toks: 256}
filter_list:
  - name: last
    filter:
      - {function: regex, regex_pattern: 'answer is (-?[0-9.,]*[0-9])'}
      - {function: take_first}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, regexes_to_ignore: [","]}
"""


def _lm_eval(bin_folder: Path, load: Load, most: int | None) -> Command:
    out = load.folder / "lm_eval"
    out.mkdir(parents=True, exist_ok=True)
    (out / "words.yaml").write_text(TASK.replace("QUESTIONS", str(load.questions)), encoding="utf-8")
    arguments = f"model=bench,base_url={load.base_url}/chat/completions,num_concurrent={load.in_flight}"
    words = [
        str(bin_folder / "lm_eval"), "run", "--model", "local-chat-completions", "--model_args", arguments,
        "--tasks", "words", "--include_path", str(out), "--apply_chat_template",
        "--output_path", str(out / "results"), "--log_samples",
        *(["--limit", str(most)] if most else []),
    ]  # fmt: skip

    def right() -> float:
        newest = max((out / "results").rglob("results_*.json"), key=lambda path: path.stat().st_mtime)
        found: float = json.loads(newest.read_bytes())["results"]["words"]["exact_match,last"]
        return found

    return Command(
        words, {"HF_HOME": str(out / "hf"), "HF_HUB_OFFLINE": "1", "OPENAI_API_KEY": "none"}, right
    )


EVALUATION = """
from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import match
from inspect_ai.solver import generate


@task
def words():
    dataset = json_dataset(QUESTIONS, FieldSpec(input="question", target="target"))
    return Task(dataset=dataset, solver=generate(), scorer=match(numeric=True))
"""


def _inspect(bin_folder: Path, load: Load, most: int | None) -> Command:
    out = load.folder / "inspect"
    out.mkdir(parents=True, exist_ok=True)
    file = out / "words.py"
    file.write_text(EVALUATION.replace("QUESTIONS", repr(str(load.questions))), encoding="utf-8")
    words = [
        str(bin_folder / "inspect"), "eval", str(file.relative_to(load.folder)),
        "--model", "openai-api/bench/bench",
        "--max-connections", str(load.in_flight), "--log-dir", str(out / "logs"), "--display", "none",
        "--temperature", "0", *(["--limit", str(most)] if most else []),
    ]  # fmt: skip

    def right() -> float:
        newest = max((out / "logs").glob("*.eval"), key=lambda path: path.stat().st_mtime)
        told = _run(str(bin_folder / "inspect"), "log", "dump", "--header-only", str(newest))
        scores = json.loads(told)["results"]["scores"]
        found: float = scores[0]["metrics"]["accuracy"]["value"]
        return found

    return Command(words, {"BENCH_BASE_URL": load.base_url, "BENCH_API_KEY": "none"}, right)


PEERS = (
    Peer("lm-eval", ("lm-eval[api]==0.4.13",), _lm_eval),
    Peer("inspect-ai", ("inspect-ai==0.3.285", "openai==3.54.0"), _inspect),
)
