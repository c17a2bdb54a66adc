"""What params.yaml may say of a judge, one record a kind."""

from typing import Literal

from llmops.record import Record


class Asked(Record, frozen=True, kw_only=True):
    """What every judge that is a model says of itself."""

    model: str
    """A name below `models:`."""
    prompt: str
    """A file below ``prompts/``, e.g. ``judges/correctness.en``."""
    output: Literal["json", "word"] = "json"
    """``word`` for a model that says the bare verdict."""
    explain: bool = True
    """Have the reason written before the verdict; JSON only."""
    structured: bool = True
    """Ask the server to hold the answer to the verdict's schema; it is validated either way."""
    weighted: bool = False
    """Take the mean of the verdicts by their probabilities where the server tells ``top_logprobs``."""


class Graded(Asked, frozen=True, kw_only=True):
    """What a judge of single answers says of its verdicts; of scale and classes, one."""

    scale: tuple[int, int] | None = None
    """Lowest and highest grade, whole numbers."""
    classes: dict[str, float] = {}
    """Verdict → its value, e.g. ``{yes: 1, no: 0}``."""
    criteria: list[str] = []
    """What is judged apart in one call; the prompt says what each means."""


class RubricSpec(Graded, frozen=True, kw_only=True, tag_field="kind", tag="rubric"):
    """A model that grades an answer by what its prompt says."""


class ReferenceSpec(Graded, frozen=True, kw_only=True, tag_field="kind", tag="reference"):
    """A model that holds an answer against the example's target."""


class PairwiseSpec(Asked, frozen=True, kw_only=True, tag_field="kind", tag="pairwise"):
    """A model that says which of two answers is the better, asked in both orders."""

    against: Literal["baseline", "all"] = "baseline"
    """The suite's baseline run, or every other run."""


class JurySpec(Record, frozen=True, kw_only=True, tag_field="kind", tag="jury"):
    """Several judges of the same answers, taken together."""

    judges: list[str]
    vote: Literal["majority", "mean"] = "majority"


class PythonJudgeSpec(Record, frozen=True, kw_only=True, tag_field="kind", tag="python"):
    """A function of the project's own: (example, response) → number, verdict, or criterion → number."""

    file: str
    """Below ``apps/``."""
    function: str


JudgeSpec = RubricSpec | ReferenceSpec | PairwiseSpec | JurySpec | PythonJudgeSpec
