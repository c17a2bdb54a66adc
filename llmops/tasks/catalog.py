"""The tasks there are."""

from typing import NamedTuple

from llmops.errors import UserError
from llmops.tasks import choices, finals, labels, numerals, ranking, reading, tool_calling
from llmops.tasks.reading import Reader


class Task(NamedTuple):
    """How examples are asked and how their answers are read."""

    asking: str
    """A key of ``asking.ASKING`` or ``likelihood.WEIGHING``."""
    reader: Reader
    help: str


READERS: dict[str, Reader] = {
    "label": labels.label,
    "choice": choices.choice,
    "announced_choice": choices.announced_choice,
    "final": finals.final,
    "number": numerals.number,
    "ranking": ranking.ranking,
    "text": reading.text,
    "tool_call": tool_calling.tool_call,
}

TASKS: dict[str, Task] = {
    "label": Task("question", READERS["label"], "the answer names one of the data set's labels"),
    "choice": Task("question", READERS["choice"], "the answer picks one of the choices"),
    "announced_choice": Task(
        "question",
        READERS["announced_choice"],
        "the first letter that the answer announces",
    ),
    "likelihood_choice": Task(
        "weigh_texts", READERS["choice"], "the choice whose text the model holds likeliest"
    ),
    "likelihood_letter": Task(
        "weigh_letters", READERS["choice"], "the choice whose letter the model holds likeliest"
    ),
    "likelihood_label": Task(
        "weigh_texts", READERS["label"], "the data set's label that the model holds likeliest"
    ),
    "final": Task("question", READERS["final"], "the answer is announced, or is the whole line"),
    "number": Task("question", READERS["number"], "the answer is a number, marked or last"),
    "ranking": Task("question", READERS["ranking"], "the answer is a ranked list of ids, best first"),
    "text": Task("question", READERS["text"], "the answer is the whole text"),
    "tool_call": Task("question", READERS["tool_call"], "the answer is the tools that it calls"),
}


def load_task(name: str, where: str) -> Task:
    """Return the task of that name.

    Raises:
        UserError: there is none (the message starts with ``where`` and lists them).
    """
    if name not in TASKS:
        raise UserError(f"{where}: unknown task {name!r}; tasks are {sorted(TASKS)}")
    return TASKS[name]
