"""The metrics there are, and how a project adds its own."""

import re
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version as installed
from inspect import getdoc
from pathlib import Path

from llmops.errors import UserError
from llmops.metrics import (
    alignment,
    behaviour,
    bleu,
    chrf,
    embedding,
    ifeval,
    match,
    overlap,
    ranking,
    rouge,
    structure,
    tool_use,
)
from llmops.metrics.hub import hub_function
from llmops.metrics.hub_name import PREFIX, hub_name
from llmops.metrics.metric import Columns, Corpus, Metric, Statistics
from llmops.metrics.own import own_function

_IFEVAL = "Zhou et al. 2023, arXiv 2311.07911"
_SQUAD = "Rajpurkar et al. 2016, arXiv 1606.05250"
_KORQUAD = "Lim et al. 2019, arXiv 1909.07005"
_LM_EVAL = "after acc_bytes of lm-evaluation-harness 0.4.13, Gao et al. 2024, 10.5281/zenodo.12608602"
_TEXT = frozenset({"text"})
_LIKELIHOOD = frozenset({"likelihood_label", "likelihood_choice", "likelihood_letter"})
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
    "tool_call_match": Metric(
        "tool_call_match",
        tool_use.tool_call_match,
        frozenset({"tool_call"}),
        "share of answers that call the target's tools with equal arguments",
    ),
    "label_accuracy": Metric(
        "label_accuracy",
        match.label_accuracy,
        frozenset({"label", "likelihood_label"}),
        "share of answers that name the target label",
    ),
    "exact_match": Metric(
        "exact_match",
        match.exact_match,
        frozenset({"label", "text", "final"}),
        "share of answers equal to the target",
    ),
    "normalised_match": Metric(
        "normalised_match",
        match.normalised_match,
        frozenset({"text", "final"}),
        "share of answers equal to the target but for case, punctuation and articles",
        _SQUAD,
    ),
    "choice_accuracy": Metric(
        "choice_accuracy",
        match.exact_match,
        frozenset({"choice", "announced_choice"}) | _LIKELIHOOD,
        "share of answers that pick the right choice",
    ),
    "choice_accuracy_per_token": Metric(
        "choice_accuracy_per_token",
        match.exact_match,
        _LIKELIHOOD,
        "share of examples whose right choice has the greatest log-probability a token",
        _LM_EVAL,
        rule="token",
    ),
    "choice_accuracy_per_byte": Metric(
        "choice_accuracy_per_byte",
        match.exact_match,
        _LIKELIHOOD,
        "share of examples whose right choice has the greatest log-probability a byte",
        _LM_EVAL,
        rule="byte",
    ),
    "numeric_match": Metric(
        "numeric_match",
        match.numeric_match,
        frozenset({"number"}),
        "share of answers that are the target number",
    ),
    "regex_match": Metric(
        "regex_match",
        structure.regex_match,
        frozenset({"text", "label"}),
        "share of answers that the target, a regular expression, matches",
    ),
    "json_valid": Metric(
        "json_valid",
        structure.json_valid,
        frozenset({"text"}),
        "share of answers that are one JSON value",
        "RFC 8259",
        needs_target=False,
    ),
    "json_schema": Metric(
        "json_schema",
        structure.json_schema,
        frozenset({"text"}),
        "share of answers that hold to the target, a JSON Schema",
        "JSON Schema, draft 2020-12",
    ),
    "refusal": Metric(
        "refusal",
        behaviour.refusal,
        frozenset({"text"}),
        "share of answers that refuse, by phrases in English and Korean",
        "after Röttger et al. 2024, arXiv 2308.01263",
        higher_is_better=False,
        needs_target=False,
        worst=1.0,
    ),
    "length_chars": Metric(
        "length_chars",
        behaviour.length_chars,
        frozenset({"text"}),
        "characters of the answer",
        higher_is_better=False,
        needs_target=False,
        bounded=False,
    ),
    "length_words": Metric(
        "length_words",
        behaviour.length_words,
        frozenset({"text"}),
        "words of the answer, as white space parts them",
        higher_is_better=False,
        needs_target=False,
        bounded=False,
    ),
    "ifeval_strict": Metric(
        "ifeval_strict",
        ifeval.strict,
        frozenset({"text"}),
        "share of prompts of which all instructions are followed",
        _IFEVAL,
    ),
    "ifeval_loose": Metric(
        "ifeval_loose",
        ifeval.loose,
        frozenset({"text"}),
        "as ifeval_strict, by the answer with or without its first and last line and asterisks",
        _IFEVAL,
    ),
    "ifeval_instruction_strict": Metric(
        "ifeval_instruction_strict",
        ifeval.instruction_strict,
        frozenset({"text"}),
        "share of instructions that are followed",
        _IFEVAL,
        statistics=ifeval.strict_counts,
        corpus=ifeval.share,
    ),
    "ifeval_instruction_loose": Metric(
        "ifeval_instruction_loose",
        ifeval.instruction_loose,
        frozenset({"text"}),
        "as ifeval_instruction_strict, by the forms of ifeval_loose",
        _IFEVAL,
        statistics=ifeval.loose_counts,
        corpus=ifeval.share,
    ),
    "mrr": Metric(
        "mrr",
        ranking.reciprocal_rank,
        frozenset({"ranking"}),
        "1 / place of the first relevant id",
        "Voorhees 1999, TREC-8",
    ),
    "map": Metric(
        "map",
        ranking.average_precision,
        frozenset({"ranking"}),
        "mean precision at the places of the relevant ids",
        "Manning, Raghavan & Schütze 2008, section 8.4",
    ),
    "ndcg": Metric(
        "ndcg",
        ranking.ndcg,
        frozenset({"ranking"}),
        "discounted cumulative gain over the best possible",
        "Järvelin & Kekäläinen 2002, ACM TOIS 20:422–446",
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
    """Return the metric of that name.

    One of the catalogue; a ranking to a depth, as ``ndcg_at_10``; JSON held to one schema for all
    answers, as ``json_schema:path/to/schema.json``; a project's own; or one of the Hugging Face hub.

    A project's own is ``path/to/file.py:function``. It takes (reads, targets) and returns one
    number for each pair. Its docstring's first line is the summary; ``tasks`` (names),
    ``higher_is_better``, ``needs_target``, ``whole``, ``bounded``, ``statistics`` and ``corpus`` may
    be set on it as attributes; its version is its file's sha256, so that an edit shows. The hub's
    is ``hub:name``: see ``hub_name``.

    Args:
        root: the project's folder, which a project's own metrics and schemas lie below.

    Raises:
        UserError: there is no such metric (lists those there are), or its file cannot be used.
    """
    if name in METRICS:
        return METRICS[name]
    if depth := _AT_K.fullmatch(name):
        return _ranked_to(name, depth[1], int(depth[2]))
    if name.startswith("json_schema:"):
        function, version = structure.schema_of_file(name.partition(":")[2], root)
        known = METRICS["json_schema"]
        return known._replace(name=name, function=function, version=version, needs_target=False)
    if ".py:" in name:
        return _own(name, root)
    if name.startswith(PREFIX):
        return _of_hub(name)
    known_names = sorted([*METRICS, *(f"{each}_at_<k>" for each in ranking.AT_K)])
    raise UserError(
        f"metrics: unknown metric {name!r}; metrics are {known_names}, 'path/to/file.py:function'"
        " or 'hub:name'"
    )


_AT_K = re.compile(rf"({'|'.join(ranking.AT_K)})_at_([1-9]\d{{0,5}})")


def _ranked_to(name: str, measure: str, k: int) -> Metric:
    function, summary, citation = ranking.AT_K[measure]
    summary = f"{summary}, k = {k}"
    return Metric(name, partial(function, k=k), frozenset({"ranking"}), summary, citation)


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
        needs_target=bool(getattr(function, "needs_target", True)),
        whole=bool(getattr(function, "whole", False)),
        bounded=bool(getattr(function, "bounded", False)),
    )


def _of_hub(name: str) -> Metric:
    named = hub_name(name)
    settings = {"from": f"evaluate {installed('evaluate')}"}
    version = named.revision or "newest"
    summary = f"{named.path} of the hub"
    made = Metric(name, hub_function(named), None, summary, "", version, True, settings)
    return made._replace(bounded=False)


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
