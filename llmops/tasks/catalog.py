"""The tasks there are: how each asks. How it reads what comes back: ``readers``."""

from typing import NamedTuple

from llmops.errors import UserError


class Task(NamedTuple):
    """How examples are asked."""

    asking: str
    """A key of ``asking.ASKING`` or ``likelihood.WEIGHING``."""
    help: str


TASKS: dict[str, Task] = {
    "label": Task("question", "the answer names one of the data set's labels"),
    "choice": Task("question", "the answer picks one of the choices"),
    "announced_choice": Task("question", "the first letter that the answer announces"),
    "likelihood_choice": Task("weigh_texts", "the choice whose text the model holds likeliest"),
    "likelihood_letter": Task("weigh_letters", "the choice whose letter the model holds likeliest"),
    "likelihood_label": Task("weigh_texts", "the data set's label that the model holds likeliest"),
    "final": Task("question", "the answer is announced, or is the whole line"),
    "number": Task("question", "the answer is a number, marked or last"),
    "ranking": Task("question", "the answer is a ranked list of ids, best first"),
    "text": Task("question", "the answer is the whole text"),
    "tool_call": Task("question", "the answer is the tools that it calls"),
}


def load_task(name: str, where: str) -> Task:
    """Return the task of that name.

    Raises:
        UserError: there is none (the message starts with ``where`` and lists them).
    """
    if name not in TASKS:
        raise UserError(f"{where}: unknown task {name!r}; tasks are {sorted(TASKS)}")
    return TASKS[name]
