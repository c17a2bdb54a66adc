"""Measures a GGUF model on the evaluation set through llama.cpp."""

import argparse
import json
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import xllamacpp

from training.text import LABELS

ROOT = Path(__file__).parent.parent
EVALUATION_SET = ROOT / "data" / "sets" / "support" / "eval.jsonl"
SLOTS = 4
MAX_TOKENS = 16


def served(model: Path) -> xllamacpp.Server:
    """Start llama.cpp in this process with a model."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.verbosity = 0
    parameters.n_ctx = 512 * SLOTS
    parameters.n_parallel = SLOTS
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    return xllamacpp.Server(parameters)


def answer(server: xllamacpp.Server, system: str, message: str) -> str:
    """Ask for the label of one message, greedily."""
    turns = [{"role": "system", "content": system}] if system else []
    turns.append({"role": "user", "content": message})
    body = {"messages": turns, "temperature": 0, "max_tokens": MAX_TOKENS}
    request = urllib.request.Request(  # noqa: S310
        f"{server.listening_address}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        content: str = json.load(reply)["choices"][0]["message"]["content"]
    return content


def report(rows: list[dict[str, str]], answers: list[str]) -> dict[str, object]:
    """Accuracy overall and by slice, the share of invalid labels, recall of out_of_scope."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for row, label in zip(rows, answers, strict=True):
        for slice_name in ("language", "channel", "tone", "intent"):
            hits[f"{slice_name}={row[slice_name]}"].append(label == row["intent"])
    right = sum(row["intent"] == label for row, label in zip(rows, answers, strict=True))
    return {
        "rows": len(rows),
        "accuracy": round(right / len(rows), 4),
        "invalid": round(sum(label not in LABELS for label in answers) / len(rows), 4),
        **{name: round(sum(h) / len(h), 3) for name, h in sorted(hits.items())},
    }


def main() -> None:
    """Print the report of one model as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a GGUF file")
    parser.add_argument("--system", default="", help="system message before each question")
    parser.add_argument("--set", type=Path, default=EVALUATION_SET, help="evaluation set")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.set.read_text(encoding="utf-8").splitlines()]
    server = served(args.model)
    with ThreadPoolExecutor(SLOTS) as pool:
        answers = list(pool.map(lambda row: answer(server, args.system, row["message"]), rows))
    print(json.dumps(report(rows, answers), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
