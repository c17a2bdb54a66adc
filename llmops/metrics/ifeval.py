"""IFEval's metrics: the share of instructions, or of whole prompts, that answers follow."""

import inspect
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from llmops.errors import UserError
from llmops.metrics.instructions import KINDS
from llmops.metrics.unscored import Unscored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NO_INSTRUCTIONS = Unscored("the example has no instructions")


class Instruction(NamedTuple):
    """One instruction of a prompt."""

    kind: str
    """A key of ``instructions.KINDS``."""
    arguments: dict[str, Any]


class _Target(msgspec.Struct):
    instruction_id_list: list[str]
    kwargs: list[dict[str, Any]]


def strict(reads: Sequence[str], targets: Sequence[str]) -> list[float | Unscored]:
    """Return 1 where the answer follows all of its prompt's instructions.

    A target is the JSON text of ``{"instruction_id_list": […], "kwargs": [{…}, …]}``, as the
    published data set has them (Zhou et al. 2023, arXiv 2311.07911, table 1 and section 2). The rules
    are the paper's; without its tokenisers and its language model they may differ from the
    published evaluation's where a sentence, a word in capitals or a language is doubtful: see
    ``counting`` and ``language``.

    Raises:
        UserError: a target is not that, names an unknown instruction, or its arguments do not fit.
    """
    return [_all(counts) for counts in strict_counts(reads, targets)]


def loose(reads: Sequence[str], targets: Sequence[str]) -> list[float | Unscored]:
    """Return 1 where for each instruction some form of the answer follows it.

    The forms (section 2.2 of the paper): as it is, and without its first line, its last line, or
    both; each also without asterisks.
    """
    return [_all(counts) for counts in loose_counts(reads, targets)]


def instruction_strict(reads: Sequence[str], targets: Sequence[str]) -> list[float | Unscored]:
    """Return the share of its prompt's instructions that each answer follows.

    Their mean weighs prompts alike; the published figure weighs instructions alike (``share`` of their sums).
    """
    return [_share(counts) for counts in strict_counts(reads, targets)]


def instruction_loose(reads: Sequence[str], targets: Sequence[str]) -> list[float | Unscored]:
    """Return the share of its prompt's instructions that some form of each answer follows."""
    return [_share(counts) for counts in loose_counts(reads, targets)]


def strict_counts(reads: Sequence[str], targets: Sequence[str]) -> list[list[float]]:
    """Return [instructions followed, instructions] of each answer as it is."""
    return [_counts([read], target) for read, target in zip(reads, targets, strict=True)]


def loose_counts(reads: Sequence[str], targets: Sequence[str]) -> list[list[float]]:
    """Return [instructions that some form of the answer follows, instructions] of each answer."""
    return [
        _counts(list(dict.fromkeys(forms(read))), target) for read, target in zip(reads, targets, strict=True)
    ]


def share(counts: "Floats") -> "Floats":
    """(rows × 2) counts, or sums of them → the share of instructions followed; NaN where there are none."""
    import numpy as np

    shares: Floats = np.full(len(counts), np.nan)
    np.divide(counts[:, 0], counts[:, 1], out=shares, where=counts[:, 1] > 0)
    return shares


def forms(answer: str) -> list[str]:
    """Return the eight forms of an answer that the loose metrics try.

    >>> forms("Sure:\\n*one*\\nBye")[:4]
    ['Sure:\\n*one*\\nBye', '*one*\\nBye', 'Sure:\\n*one*', '*one*']
    """
    lines = answer.split("\n")
    cut = (lines, lines[1:], lines[:-1], lines[1:-1])
    texts = [answer, *("\n".join(kept).strip() for kept in cut[1:])]
    return [*texts, *(text.replace("*", "") for text in texts)]


def _counts(texts: Sequence[str], target: str) -> list[float]:
    asked = instructions(target)
    followed = sum(any(_follows(text, instruction) for text in texts) for instruction in asked)
    return [float(followed), float(len(asked))]


def _follows(answer: str, instruction: Instruction) -> bool:
    return bool(answer.strip()) and KINDS[instruction.kind](answer, **instruction.arguments)


def _all(counts: Sequence[float]) -> float | Unscored:
    followed, total = counts
    return float(followed == total) if total else NO_INSTRUCTIONS


def _share(counts: Sequence[float]) -> float | Unscored:
    followed, total = counts
    return followed / total if total else NO_INSTRUCTIONS


@lru_cache(maxsize=4096)
def instructions(target: str) -> tuple[Instruction, ...]:
    """Return the instructions that a target holds, their arguments checked.

    An argument that is null is left out: one form of the data set has every argument in every row.

    Raises:
        UserError: see ``strict``.
    """
    try:
        known = msgspec.json.decode(target, type=_Target)
    except msgspec.DecodeError as problem:
        raise UserError(
            f"ifeval: a target is no JSON of instruction_id_list and kwargs ({problem}); give the card"
            " `target: [instruction_id_list, kwargs]`"
        ) from None
    if len(known.instruction_id_list) != len(known.kwargs):
        raise UserError(
            f"ifeval: {len(known.instruction_id_list)} instructions with {len(known.kwargs)} kwargs;"
            " give one each"
        )
    return tuple(_checked(known))


def _checked(known: _Target) -> Iterator[Instruction]:
    for kind, given in zip(known.instruction_id_list, known.kwargs, strict=True):
        if kind not in KINDS:
            raise UserError(f"ifeval: unknown instruction {kind!r}; instructions are {sorted(KINDS)}")
        arguments = {name: value for name, value in given.items() if value is not None}
        try:
            msgspec.convert(arguments, _arguments(kind))
        except msgspec.ValidationError as problem:
            raise UserError(f"ifeval: {kind}: kwargs {arguments!r}: {problem}; mend the row") from None
        yield Instruction(kind, arguments)


@cache
def _arguments(kind: str) -> Any:
    """The record of an instruction's arguments, from its function's parameters."""
    parameters = list(inspect.signature(KINDS[kind]).parameters.values())[1:]
    fields = [(parameter.name, parameter.annotation) for parameter in parameters]
    return msgspec.defstruct("Arguments", fields, forbid_unknown_fields=True)
