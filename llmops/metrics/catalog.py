"""The metrics there are, and how a project adds its own."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version as installed
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmops.errors import UserError
from llmops.metrics import alignment, bleu, chrf, embedding, match, overlap, rouge
from llmops.metrics.hub import PREFIX, hub_function, hub_name
from llmops.metrics.own import own_function

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Columns = Callable[[Sequence[str], Sequence[str]], Sequence[float]]
"""(answers as read, targets) → one value for each pair."""

Statistics = Callable[[Sequence[str], Sequence[str]], Sequence[Sequence[float]]]
"""(answers as read, targets) → one row of k numbers for each pair, whose sums tell a corpus's value."""

Corpus = Callable[["Floats"], "Floats"]
"""(… × k) sums of rows, or rows → (…) values."""


class Metric(NamedTuple):
    """A measure of one answer against its target."""

    name: str
    function: Columns
    tasks: frozenset[str] | None
    """Names of the tasks whose readings it can measure; None means any."""
    summary: str
    citation: str = ""
    version: str = "1"
    """Changes when its values change."""
    higher_is_better: bool = True
    settings: Mapping[str, str] = {}
    """What else its values rest on, such as a tokeniser; part of each estimate's signature."""
    statistics: Statistics | None = None
    """With ``corpus``: an estimate is the value of all examples together, not the mean of theirs."""
    corpus: Corpus | None = None
    """Sums of rows → the corpora's values."""
    each: Corpus | None = None
    """Rows → each pair's own value, where they tell it: then ``function`` is not called."""


_SQUAD = "Rajpurkar et al. 2016, arXiv 1606.05250"
_KORQUAD = "Lim et al. 2019, arXiv 1909.07005"
_TEXT = frozenset({"text"})
_SACREBLEU = f"sacrebleu {installed('sacrebleu')}"
_RAPIDFUZZ = f"rapidfuzz {installed('rapidfuzz')}"


def _row_wise(statistics: Statistics, each: Corpus) -> Columns:
    def function(reads: Sequence[str], targets: Sequence[str]) -> Sequence[float]:
        import numpy as np

        rows = statistics(reads, targets)
        return each(np.asarray(rows, dtype=np.float64)).tolist() if rows else []

    return function


def _bleu(name: str, tokeniser: str, summary: str) -> Metric:
    statistics = partial(bleu.statistics, tokeniser)
    return Metric(
        name,
        _row_wise(statistics, bleu.sentence),
        _TEXT,
        f"corpus BLEU, 0 to 100, {summary}",
        "Papineni et al. 2002, P02-1040; Post 2018, W18-6319",
        settings={"case": "mixed", "tokeniser": tokeniser, "smooth": "exp", "version": _SACREBLEU},
        statistics=statistics,
        corpus=bleu.corpus,
        each=bleu.sentence,
    )


def _rouge(kind: str, korean: bool) -> Metric:
    return Metric(
        f"{kind}_ko" if korean else kind,
        rouge.rouge_ko(kind) if korean else rouge.rouge(kind),
        _TEXT,
        f"F1 of {rouge.KINDS[kind]}, 0 to 1" + (", by Hangul syllables" if korean else ", English"),
        "Lin 2004, W04-1013",
        settings={
            "tokeniser": "syllables" if korean else "rouge-score 0.1.2",
            "stemmer": "no",
            "version": _RAPIDFUZZ,
        },
    )


METRICS: dict[str, Metric] = {
    "label_accuracy": Metric(
        "label_accuracy",
        match.label_accuracy,
        frozenset({"label"}),
        "share of answers that name the target label",
    ),
    "exact_match": Metric(
        "exact_match", match.exact_match, frozenset({"label", "text"}), "share of answers equal to the target"
    ),
    "normalised_match": Metric(
        "normalised_match",
        match.normalised_match,
        frozenset({"text"}),
        "share of answers equal to the target but for case, punctuation and articles",
        _SQUAD,
    ),
    "numeric_match": Metric(
        "numeric_match",
        match.numeric_match,
        frozenset({"number"}),
        "share of answers that are the target number",
    ),
    "token_f1": Metric(
        "token_f1", overlap.token_f1, frozenset({"text"}), "F1 of shared words, 0 to 1", _SQUAD
    ),
    "chrf": Metric(
        "chrf",
        _row_wise(chrf.statistics, chrf.corpus),
        _TEXT,
        "corpus chrF, 0 to 100",
        "Popović 2015, W15-3049",
        version="2",
        settings={"chars": "6", "words": "0", "beta": "2", "case": "mixed", "space": "no"},
        statistics=chrf.statistics,
        corpus=chrf.corpus,
        each=chrf.corpus,
    ),
    "bleu": _bleu("bleu", "13a", "of words, punctuation apart"),
    "bleu_intl": _bleu("bleu_intl", "intl", "of words, all of Unicode's punctuation apart"),
    "bleu_char": _bleu("bleu_char", "char", "of characters: for Korean"),
    "rouge1": _rouge("rouge1", korean=False),
    "rouge2": _rouge("rouge2", korean=False),
    "rougeL": _rouge("rougeL", korean=False),
    "rougeLsum": _rouge("rougeLsum", korean=False),
    "rouge1_ko": _rouge("rouge1", korean=True),
    "rouge2_ko": _rouge("rouge2", korean=True),
    "rougeL_ko": _rouge("rougeL", korean=True),
    "rougeLsum_ko": _rouge("rougeLsum", korean=True),
    "token_f1_ko": Metric(
        "token_f1_ko", overlap.token_f1_ko, _TEXT, "F1 of shared Hangul syllables and words, 0 to 1", _KORQUAD
    ),
    "edit_similarity": Metric(
        "edit_similarity",
        alignment.edit_similarity,
        _TEXT,
        "1 − edit distance / length of the longer text, 0 to 1",
        "Levenshtein 1966, Soviet Physics Doklady 10:707–710",
        settings={"unit": "character", "version": _RAPIDFUZZ},
    ),
    "embedding_similarity": Metric(
        "embedding_similarity",
        partial(embedding.embedding_similarity, embedding.char_ngrams),
        _TEXT,
        "cosine of character 3- to 5-grams, 0 to 1: likeness of spelling, not of meaning",
        settings={"embedder": "char_ngrams", "chars": "3-5", "form": "NFKD"},
    ),
}


def load_metric(name: str, root: Path) -> Metric:
    """Return a metric of the catalogue, a project's own, or one of the Hugging Face hub.

    A project's own is ``path/to/file.py:function``. It takes (reads, targets) and returns one
    number for each pair. Its docstring's first line is the summary; ``tasks`` (names),
    ``higher_is_better``, ``statistics`` and ``corpus`` may be set on it as attributes; its version
    is its file's sha256, so that an edit shows. The hub's is ``hub:name``: see ``hub_name``.

    Args:
        root: the project's folder, which a project's own metrics lie below.

    Raises:
        UserError: there is no such metric (lists those there are), or its file cannot be used.
    """
    if name in METRICS:
        return METRICS[name]
    if ".py:" in name:
        return _own(name, root)
    if name.startswith(PREFIX):
        return _of_hub(name)
    known = sorted(METRICS)
    raise UserError(
        f"metrics: unknown metric {name!r}; metrics are {known}, 'path/to/file.py:function' or 'hub:name'"
    )


def _own(name: str, root: Path) -> Metric:
    function, version = own_function(name, root)
    tasks = getattr(function, "tasks", None)
    return Metric(
        name=name,
        function=function,
        tasks=None if tasks is None else frozenset(tasks),
        summary=(getdoc(function) or name).partition("\n")[0],
        version=version,
        higher_is_better=bool(getattr(function, "higher_is_better", True)),
        statistics=getattr(function, "statistics", None),
        corpus=getattr(function, "corpus", None),
    )


def _of_hub(name: str) -> Metric:
    named = hub_name(name)
    settings = {"from": f"evaluate {installed('evaluate')}"}
    version = named.revision or "newest"
    return Metric(name, hub_function(named), None, f"{named.path} of the hub", "", version, True, settings)


def fits(metric: Metric, task: str, where: str) -> None:
    """Refuse a metric that cannot measure what the task reads.

    Raises:
        UserError: it does not fit (the message starts with ``where`` and lists those that do).
    """
    if not _measures(metric, task):
        fitting = sorted(each.name for each in METRICS.values() if _measures(each, task))
        raise UserError(f"{where}: {metric.name!r} does not fit task {task!r}; those that fit are {fitting}")


def _measures(metric: Metric, task: str) -> bool:
    return metric.tasks is None or task in metric.tasks
