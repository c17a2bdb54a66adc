"""The tools whose files can be imported."""

from collections.abc import Callable, Sequence
from pathlib import Path

from llmops.config import PARAMS, params
from llmops.errors import UserError
from llmops.importers import inspect_log, lm_eval_samples, promptfoo
from llmops.importers.merged import merged
from llmops.importers.recording import Recording
from llmops.importers.settings import settings
from llmops.importers.written import write

IMPORTERS: dict[str, Callable[[Path], Recording]] = {
    "promptfoo": promptfoo.read,
    "inspect": inspect_log.read,
    "lm-eval": lm_eval_samples.read,
}


def bring(root: Path, tool: str, files: Sequence[Path], name: str | None = None) -> str:
    """Write the files' answers as a data set with a prompt, and return the lines for params.yaml.

    Args:
        root: the project's folder.
        files: several files ask the same questions, e.g. one of each model.
        name: what the data set is called; the task's name in the first file when None.

    Raises:
        UserError: an unknown tool, a file that is not what that tool writes, files that ask
            different questions, or a data set of that name.
    """
    if tool not in IMPORTERS:
        raise UserError(f"import: unknown tool {tool!r}; tools are {sorted(IMPORTERS)}")
    taken = params(root).get("models") or {} if (root / PARAMS).is_file() else {}
    recording = merged([IMPORTERS[tool](path) for path in files], files, name, taken)
    write(root, recording)
    return settings(recording)
