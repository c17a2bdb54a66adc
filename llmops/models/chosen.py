"""The models of a suite that are asked, as params.yaml describes them."""

from collections.abc import Sequence

from llmops.config import PARAMS, params
from llmops.errors import UserError
from llmops.models.catalog import parse_spec
from llmops.models.specs import ModelSpec, RecordedSpec
from llmops.places import Places, watched
from llmops.suites import Suite

WATCHED = ("apps", "data", "models")
"""The folders that dvc.yaml has the stage `generate` depend on."""


def chosen_models(places: Places, suite: Suite, only: Sequence[str] | None = None) -> dict[str, ModelSpec]:
    """Return the name and the settings of each model to ask, in the suite's order; none is opened.

    Args:
        only: the models to ask; all of the suite's when None.

    Raises:
        UserError: a model that the suite or params.yaml does not name, a wrong setting, or a file that
            lies where DVC would not see an edit of it.
    """
    known = params(places.root).get("models") or {}
    for name in only or []:
        if name not in suite.models:
            raise UserError(f"--model: {name!r} is not of this suite; models are {suite.models}")
    chosen = [name for name in suite.models if only is None or name in only]
    for name in chosen:
        if name not in known:
            raise UserError(f"{PARAMS}: suites: no model {name!r}; models are {sorted(known)}")
    specs = {name: parse_spec(name, known[name]) for name in chosen}
    for name, spec in specs.items():
        watch_files(name, spec)
    return specs


def watch_files(name: str, spec: ModelSpec) -> None:
    """Refuse a model of which a file lies where DVC would not see an edit of it.

    Raises:
        UserError: names the file and the folders where it may lie.
    """
    for file in _files(spec):
        watched(file, WATCHED, f"{PARAMS}: models: {name}: file")


def _files(spec: ModelSpec) -> list[str]:
    """Return the files of the project that a model is made of."""
    if isinstance(spec, RecordedSpec) and spec.dataset:
        return []
    file = getattr(spec, "file", None)
    return [*([file] if file else []), *getattr(spec, "files", [])]
