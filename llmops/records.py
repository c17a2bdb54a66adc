"""The records that flow from stage to stage, each the row of one kind of file.

Order: Example → (Request →) Response → Score → Estimate → Verdict. What is unknown is
``None`` beside a reason, never 0.
"""

from typing import Any, Literal

from llmops.record import Record
from llmops.replies import Fault, Turn

Outcome = Literal["pass", "fail", "inconclusive"]
MissingKind = Literal["error", "unread", "no_target", "unasked", "unjudged"]

CHOICE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The letters that choices are named by, in their order."""

BUDGET = "budget"
"""Kind of the fault of an example that was not asked because the run's budget was spent."""

DECIDED = "decided"
"""Kind of the fault of an example that was not asked because its run's rules were decided without it."""

UNASKED = (BUDGET, DECIDED)

OVERALL = "all"
"""Name of the slice that holds every example."""


class Example(Record):
    """One question to an application, with what is known of its right answer."""

    id: str
    inputs: dict[str, Any]
    """What a prompt may name, e.g. ``{"message": "where is my parcel"}``."""
    target: str | None = None
    choices: list[str] = []
    """What there is to choose from, in the order of the letters; the target is a letter."""
    slices: dict[str, str] = {}
    cluster: str | None = None
    """The source that examples share (a conversation, a document); None when they share none."""
    contexts: list[str] = []
    tools: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    """File name → sha256."""


class Response(Record):
    """An application's answer to one Example, with the turns that led to it."""

    suite: str
    example_id: str
    model: str
    prompt: str
    repeat: int = 0
    answer: str | None = None
    finish_reason: str | None = None
    served_model: str | None = None
    fingerprint: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usage_source: Literal["server", "estimated"] | None = None
    """``estimated`` when any turn's is."""
    latency_s: float | None = None
    first_token_s: float | None = None
    """That of the last turn's reply."""
    cost_usd: float | None = None
    turns: list[Turn] = []
    error: Fault | None = None
    confidence: float | None = None
    """That of the last turn's reply."""
    unheeded: list[str] = []
    """What any turn's server was asked and did not do."""
    drawn: int | None = None
    """The example's place in the random order of a sequential run, from 0; None where it was no such run."""


class Judgement(Record, omit_defaults=True):
    """What a judge said of one Response by one criterion, with the turns that led to it."""

    suite: str
    example_id: str
    model: str
    prompt: str
    judge: str
    repeat: int = 0
    criterion: str = ""
    """"" for the judge's only one."""
    value: float | None = None
    """The verdict as a number; by pairwise 1 where the response is the better, 0.5 for a tie, 0."""
    label: str | None = None
    """The verdict as it was given: a class, a grade, or ``win``, ``loss``, ``tie``."""
    explanation: str | None = None
    reason: str | None = None
    """Why there is no value, or a jury's member gave none; ``order`` where both orders of a pair disagree."""
    missing: MissingKind | None = None
    weighted: bool = False
    """The value is the mean of the grades by their probabilities, not the grade that was written."""
    raw: str | None = None
    """The judge's last text."""
    other_model: str | None = None
    """Whose answer to the same example a pairwise judge held this one against."""
    other_prompt: str | None = None
    orders: list[str | None] = []
    """What a pairwise judge said with this response first, then with it second, each as of this one."""
    votes: dict[str, float | None] = {}
    """A jury's members → their values."""
    disagreement: float | None = None
    """Among a jury's members: the share outvoted, or the standard deviation of their values."""
    identity: str = ""
    """sha256 of all that can change the judge's verdicts."""
    cost_usd: float | None = None
    turns: list[Turn] = []

    @property
    def metric(self) -> str:
        """The metric that it is a value of: ``<judge>`` or ``<judge>.<criterion>``."""
        return f"{self.judge}.{self.criterion}" if self.criterion else self.judge


class Score(Record):
    """One metric's value for one Response."""

    suite: str
    example_id: str
    model: str
    prompt: str
    metric: str
    repeat: int = 0
    value: float | None = None
    read: str | None = None
    """The answer as the task read it, e.g. ``"refund_status"`` or ``"1200"``."""
    target: str | None = None
    missing: MissingKind | None = None
    """Why there is no value: the call failed, the answer could not be read, nothing to compare, the
    budget was spent before it was asked, or a judge gave no verdict that could be read."""
    reason: str | None = None
    statistics: list[float] = []
    """What the example adds to the value of a corpus, such as n-gram counts; [] for a mean."""


class Limits(Record):
    """An estimate's intervals where it is one of several comparisons."""

    comparisons: int
    """How many share the error between them: k; 0 where a rule has a confidence of its own."""
    confidence: float
    """1 − (1 − the estimate's)/k, or the rule's."""
    low: float | None = None
    high: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


class Estimate(Record):
    """A metric over the examples of one slice, with its interval and its baseline difference."""

    suite: str
    model: str
    prompt: str
    metric: str
    slice: str = OVERALL
    value: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    method: str | None = None
    """How the interval was made: ``wilson``, ``t``, ``clustered t``, ``order statistics``,
    ``bootstrap``, ``basic bootstrap``, ``clustered bootstrap``, ``confidence sequence`` of a sequential
    run, or ``complete`` for a count that needs none."""
    n: int = 0
    """Examples that enter the value."""
    missing: int = 0
    """Examples without a score of their own: failed calls and unread answers."""
    examples: int = 0
    """Examples of the slice."""
    unasked: int = 0
    """How many of them, drawn at random, were not asked because the budget was spent or the rules were
    decided; none of the missing."""
    decided: int = 0
    """How many of the unasked a sequential test had decided without."""
    counted_wrong: int = 0
    """How many of the missing enter the value: as 0 by the suite's ``unread: wrong``, as the chance of
    a guess by ``unread: chance``."""
    policy: str | None = None
    """What an unread answer counts as: ``wrong``, ``excluded`` or ``chance``."""
    higher_is_better: bool = True
    reason: str | None = None
    """Why value or interval is None."""
    baseline: str | None = None
    """``model · prompt`` or the accepted file that the differences are taken to."""
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    q: float | None = None
    """p-value of no difference, adjusted by Benjamini and Hochberg among all differences of the suite."""
    fixed: int | None = None
    """Paired examples scored higher than in the baseline."""
    broke: int | None = None
    """Paired examples scored lower than in the baseline."""
    pairs: int | None = None
    """Examples that the difference is taken over, where the baseline lacks some of the ``n``."""
    cost_usd: float | None = None
    """What the slice's answers cost; None when any of them has no known price."""
    labels: int | None = None
    """Examples that people labelled, where the value rests on labels."""
    more_labels: int | None = None
    """How many more labels would halve the interval; None where even all would not."""
    signature: str | None = None
    """Metric, version, policy, settings, n and interval in one line; None in files from before it was."""
    limits: list[Limits] = []
    """For 1, 2, … comparisons, where a rule speaks of it and rules are corrected for how many they are;
    then at the confidence of each rule that has its own."""


class Verdict(Record):
    """One rule's outcome on one Estimate, in words a person reads."""

    suite: str
    model: str
    prompt: str
    metric: str
    rule: str
    """The rule as a sentence, e.g. ``label_accuracy at least 0.8``."""
    outcome: Outcome
    reason: str
    slice: str = OVERALL


class Label(Record, omit_defaults=True):
    """What one person said of one Response, or of an Example as a whole."""

    suite: str
    example_id: str
    annotator: str
    label: str | float
    """A class, or a place on the judge's scale."""
    criterion: str = ""
    """What was looked at; empty for a judge's only criterion."""
    model: str | None = None
    """Whose answer it is of; None where the label is of the example, as is ``prompt``."""
    prompt: str | None = None
    repeat: int | None = None
    comment: str = ""
    at: str | None = None
    """ISO 8601; None where it was not written down."""
    rubric: str = ""
    """A word for the version of the instructions that the person followed."""
    chance: float | None = None
    """How likely its example was to be labelled; None where all were alike."""


class Ranked(Record):
    """Where a pairwise judge's outcomes put one run among all that it held against each other."""

    suite: str
    judge: str
    model: str
    prompt: str
    n: int
    """Outcomes that it is in."""
    win_rate: float | None
    """Wins and half of the ties."""
    win_low: float | None
    win_high: float | None
    strength: float | None
    """Log-strength by Bradley and Terry; those of all runs sum to 0."""
    strength_low: float | None
    strength_high: float | None
    controlled: float | None
    """The win rate at answers of one length."""
    controlled_low: float | None
    controlled_high: float | None
    reasons: list[str] = []
    """Why any of them is None."""


class Spend(Record):
    """What one generate run asked and spent for one model and prompt: a side file, never an out."""

    at: str
    suite: str
    model: str
    prompt: str
    calls: int
    """Requests that reached the model, retries included."""
    hits: int
    """Requests that the store answered."""
    errors: int
    input_tokens: int | None
    output_tokens: int | None
    spent_usd: float | None
    saved_usd: float | None
    """What the hits cost when they were first asked."""
    seconds: float
    price_source: str | None = None
    """Where the price stood: params.yaml, or the price table with its version; None for nowhere."""
    judge: str | None = None
    """The judge that asked; None where the application's answers were asked for."""
    unknown_calls: int = 0
    """Calls without a reply that may have been billed: timeouts, broken connections, 500s. Beyond 0 the
    tokens are not known; those of the replies are in the responses."""
