"""dvc.yaml's code dependencies: each stage's are the modules it imports; `--write` mends them."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "llmops"
FILE = ROOT / "dvc.yaml"


def module_path(name: str) -> Path | None:
    """Return the file of one of our modules, None for a package or another's module."""
    path = ROOT / (name.replace(".", "/") + ".py")
    return path if name.startswith(PACKAGE) and path.is_file() else None


def imported(path: Path) -> Iterator[str]:
    """Yield the names of modules that a file imports anywhere in it, those for type checkers left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(inner) for node in ast.walk(tree) if _for_types(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def closure(path: Path) -> set[Path]:
    """Return the file and all of our modules that it imports, directly or not."""
    found, waiting = set(), [path]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += [known for name in imported(here) if (known := module_path(name))]
    return found


def expected(stage: str) -> list[str]:
    """Return the code dependencies of a stage: its files, or a whole family where it imports all of it."""
    files = closure(ROOT / PACKAGE / "stages" / f"{stage}.py")
    names = set()
    for file in files:
        family = {p for p in file.parent.glob("*.py") if p.name != "__init__.py"}
        whole = file.parent != ROOT / PACKAGE and family <= files
        names.add((file.parent if whole else file).relative_to(ROOT).as_posix())
    return sorted(names)


def stages(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield each stage's name and its definition, that of its `do` where it is made for each suite."""
    for name, stage in document["stages"].items():
        yield name, stage.get("do", stage)


def stated(stage: Any) -> list[str]:
    """Return the code dependencies that dvc.yaml states."""
    return sorted(dep for dep in stage["deps"] if dep.startswith(f"{PACKAGE}/"))


def main(arguments: list[str]) -> int:
    """Say where dvc.yaml and the imports differ; with `--write`, mend it."""
    yaml = YAML()
    yaml.width = 1000
    document = yaml.load(FILE.read_text(encoding="utf-8"))
    wrong = [name for name, stage in stages(document) if stated(stage) != expected(name)]
    for name, stage in stages(document):
        stage["deps"] = sorted({d for d in stage["deps"] if d not in stated(stage)} | set(expected(name)))
    if "--write" in arguments:
        yaml.indent(mapping=2, sequence=4, offset=2)
        with FILE.open("w", encoding="utf-8") as file:
            yaml.dump(document, file)
        wrong = []
    for name in wrong:
        print(f"dvc.yaml: {name}: deps are not what it imports; run `make deps`")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
