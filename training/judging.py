"""Writes the questions that the demo judge is asked: does this answer fit this message?"""

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from training.text import LABELS, Message

PROMPT = Path(__file__).parent.parent / "prompts" / "judges" / "fits.yaml"
FITS, DOES_NOT = "yes", "no"
FITTING_SHARE = 0.55
# What a wrong answer is: a neighbour of the right label, any other label, or no label at all.
WRONG = {"neighbour": 0.65, "any": 0.3, "no label": 0.05}
# Labels that a hurried reader takes for each other.
NEIGHBOURS = (
    ("track_order", "not_delivered", "change_address", "shipping_cost"),
    ("not_delivered", "missing_item", "damaged_item", "refund_status"),
    ("cancel_order", "change_order", "change_address", "delete_account"),
    ("cancel_order", "return_item", "refund_status"),
    ("change_order", "exchange_item", "size_advice"),
    ("return_item", "exchange_item", "refund_status", "warranty_repair"),
    ("damaged_item", "wrong_item", "missing_item", "warranty_repair"),
    ("payment_failed", "double_charge", "coupon_problem", "gift_card"),
    ("coupon_problem", "loyalty_points", "gift_card", "shipping_cost"),
    ("double_charge", "refund_status", "invoice_request", "shipping_cost"),
    ("login_problem", "delete_account", "loyalty_points", "payment_failed"),
    ("restock_date", "size_advice", "track_order", "exchange_item"),
    ("talk_to_human", "out_of_scope", "restock_date", "warranty_repair", "size_advice"),
)


@cache
def template() -> list[str]:
    """Return the prompt's text before the message, between message and answer, and after."""
    content: str = YAML(typ="safe").load(PROMPT)["messages"][0]["content"]
    before, rest = content.split("{{ bare.message }}")
    return [before, *rest.split("{{ bare.answer }}")]


def question(message: str, answer: str) -> str:
    """Ask about one answer in the words of the prompt file."""
    before, between, end = template()
    return f"{before}{message}{between}{answer}{end}"


def neighbours(label: str) -> list[str]:
    """List the labels that share a group with a label, once for each group."""
    return [other for group in NEIGHBOURS if label in group for other in group if other != label]


def wrong_answer(message: Message, messages: Sequence[Message], rng: random.Random) -> str:
    """Draw an answer that does not fit a message."""
    kind = rng.choices(list(WRONG), list(WRONG.values()))[0]
    if kind == "no label":
        return rng.choice(("", "I don't know", "yes", "no", rng.choice(messages).text))
    among = neighbours(message.label) if kind == "neighbour" else LABELS
    return rng.choice([label for label in among if label != message.label])
