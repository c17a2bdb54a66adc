"""How each task reads an answer."""

from llmops.tasks import choices, finals, labels, numerals, ranking, reading, tool_calling
from llmops.tasks.catalog import load_task
from llmops.tasks.reading import Reader

READERS: dict[str, Reader] = {
    "label": labels.label,
    "choice": choices.choice,
    "announced_choice": choices.announced_choice,
    "likelihood_choice": choices.choice,
    "likelihood_letter": choices.choice,
    "likelihood_label": labels.label,
    "final": finals.final,
    "number": numerals.number,
    "ranking": ranking.ranking,
    "text": reading.text,
    "tool_call": tool_calling.tool_call,
}


def load_reader(task: str, where: str) -> Reader:
    """Return how that task reads an answer.

    Raises:
        UserError: as ``load_task``.
    """
    load_task(task, where)
    return READERS[task]
