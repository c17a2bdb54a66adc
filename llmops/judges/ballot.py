"""What verdicts there are to choose from: their values, their schema."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from llmops.errors import UserError
from llmops.judges.specs import Asked, Graded, ReferenceSpec
from llmops.replies import ResponseFormat

EXPLANATION = "explanation"
VERDICT = "verdict"
"""The key of the verdict where there are no criteria."""
PAIRWISE = {"first": 1.0, "tie": 0.5, "second": 0.0}
REFERENCE = {"correct": 1.0, "incorrect": 0.0}


class Ballot(NamedTuple):
    """A judge's verdicts."""

    values: Mapping[str, float]
    """Verdict → value."""
    criteria: tuple[str, ...] = ()
    word: bool = False
    """The answer is the bare verdict."""
    explain: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that hold verdicts."""
        return self.criteria or (VERDICT,)

    def criterion(self, key: str) -> str:
        """Return what a record calls the criterion of a key."""
        return key if self.criteria else ""

    def response_format(self) -> ResponseFormat | None:
        """Return the closed schema of a verdict; None for a bare word."""
        if self.word:
            return None
        explained: dict[str, Any] = {EXPLANATION: {"type": "string"}} if self.explain else {}
        verdict: dict[str, Any] = {"type": "string", "enum": list(self.values)}
        properties = explained | {key: verdict for key in self.keys}
        schema = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        return ResponseFormat("verdict", schema, strict=True)


def ballot(spec: Asked, where: str) -> Ballot:
    """Return the verdicts that a judge's settings tell of.

    Raises:
        UserError: not exactly one of scale and classes, or settings that contradict each other.
    """
    if not isinstance(spec, Graded):
        return Ballot(PAIRWISE, word=spec.output == "word", explain=spec.explain)
    _check(spec, where)
    return Ballot(_values(spec, where), tuple(spec.criteria), spec.output == "word", spec.explain)


def _values(spec: Graded, where: str) -> Mapping[str, float]:
    if spec.scale is None:
        return spec.classes or REFERENCE
    low, high = spec.scale
    if low >= high:
        raise UserError(f"{where}: scale: is [{low}, {high}]; the lowest grade stands first, e.g. [1, 5]")
    return {str(grade): float(grade) for grade in range(low, high + 1)}


def _check(spec: Graded, where: str) -> None:
    given = (spec.scale is not None) + bool(spec.classes)
    if given > 1 or (not given and not isinstance(spec, ReferenceSpec)):
        raise UserError(
            f"{where}: has {'both' if given else 'neither'} scale and classes; give one of them, "
            "e.g. `scale: [1, 5]` or `classes: {yes: 1, no: 0}`"
        )
    if spec.output == "word" and spec.criteria:
        raise UserError(f"{where}: criteria: one word holds one verdict; take `output: json`")
    if EXPLANATION in spec.criteria or len(set(spec.criteria)) < len(spec.criteria):
        raise UserError(f"{where}: criteria: are {spec.criteria}; name each once, and none 'explanation'")
