"""Writes the labelled customer messages that the demo models are trained on."""

import argparse
import json
import random
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from rapidfuzz import fuzz, process

PHRASES = Path(__file__).parent / "phrases"
LABELS = (
    "track_order",
    "not_delivered",
    "cancel_order",
    "change_order",
    "change_address",
    "return_item",
    "exchange_item",
    "refund_status",
    "damaged_item",
    "wrong_item",
    "missing_item",
    "payment_failed",
    "double_charge",
    "invoice_request",
    "coupon_problem",
    "loyalty_points",
    "gift_card",
    "shipping_cost",
    "restock_date",
    "size_advice",
    "warranty_repair",
    "login_problem",
    "delete_account",
    "talk_to_human",
    "out_of_scope",
)
# How many messages each model reads, and the seed that writes them.
TEXTS = {"demo-small": (8_000, 11), "demo-large": (60_000, 12), "demo-judge": (40_000, 13)}
NEAR_RATIO = 90
# A shorter evaluation message ("refund?") may stand inside any honest sentence.
CONTAINED_BYTES = 16
LANGUAGES = {"en": 0.46, "ko": 0.42, "mixed": 0.12}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Message:
    """One training message with its label and the language it was written in."""

    text: str
    label: str
    language: str


@dataclass(frozen=True)
class Grammar:
    """Patterns by heading and the named slots that they use."""

    patterns: dict[str, list[str]]
    slots: dict[str, str]

    def write(self, heading: str, rng: random.Random) -> str:
        """Write one sentence of a heading."""
        return self.expand(rng.choice(self.patterns[heading]), rng)

    def expand(self, pattern: str, rng: random.Random) -> str:
        """Replace each [a|b] by one alternative and each {slot} by one of its fillers."""
        while match := re.search(r"\[([^\[\]]*)\]|\{(\w+)(?::(\w+))?\}", pattern):
            alternatives, slot, particle = match.groups()
            filler = rng.choice(split(self.slots[slot] if slot else alternatives))
            if particle:
                filler = self.expand(filler, rng)
                filler += fitting_particle(filler, particle)
            pattern = pattern[: match.start()] + filler + pattern[match.end() :]
        return re.sub(r"\s+", " ", pattern).strip()


def split(alternatives: str) -> list[str]:
    """Split at each bar that stands outside brackets."""
    return re.split(r"\|(?![^\[]*\])", alternatives)


def read_grammar(path: Path) -> Grammar:
    """Read a phrase file: `# heading` then patterns, `@slot` then one line of fillers."""
    patterns: dict[str, list[str]] = {}
    slots: dict[str, str] = {}
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    heading = ""
    for line in lines:
        if line.startswith("# "):
            heading = line[2:]
        elif line.startswith("@"):
            slots[line[1:]] = next(lines)
        elif line:
            patterns.setdefault(heading, []).append(line)
    return Grammar(patterns, slots)


def read_swaps(path: Path) -> dict[str, dict[str, list[str]]]:
    """Read the words that mixed messages swap: Korean to English, then English to Korean."""
    swaps: dict[str, dict[str, list[str]]] = {"ko": {}, "en": {}}
    language = "ko"
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            language = line[2:]
        else:
            word, replacements = line.split(" = ")
            swaps[language][word] = replacements.split("|")
    return swaps


PARTICLES = {
    "이": ("이", "가"),
    "가": ("이", "가"),
    "을": ("을", "를"),
    "를": ("을", "를"),
    "은": ("은", "는"),
    "는": ("은", "는"),
    "으로": ("으로", "로"),
    "로": ("으로", "로"),
    "이랑": ("이랑", "랑"),
}


def fitting_particle(word: str, particle: str) -> str:
    """Choose the form of a Korean particle that follows the word's last sound.

    >>> fitting_particle("신발", "를"), fitting_particle("바지", "을")
    ('을', '를')
    """
    after_consonant, after_vowel = PARTICLES[particle]
    last = word[-1:]
    if not "가" <= last <= "힣":
        return after_vowel
    final = (ord(last) - ord("가")) % 28
    # The final consonant ㄹ (8) takes 로, as a vowel does.
    closed = final not in (0, 8) if after_vowel == "로" else final != 0
    return after_consonant if closed else after_vowel


def attach_particles(text: str) -> str:
    """Join particles that stand alone to the word before them, in the form that fits it."""

    def join(match: re.Match[str]) -> str:
        word, particle = match.groups()
        return word + (fitting_particle(word, particle) if particle in PARTICLES else particle)

    return re.sub(r"([가-힣]) (이|가|을|를|은|는|로|으로|에|에서|의|도)(?= )", join, text)


def with_surroundings(grammar: Grammar, label: str, rng: random.Random) -> str:
    """Write a request with the greeting, background and closing that people add."""
    out_of_scope = label == "out_of_scope"
    parts = [grammar.write(label, rng)]
    if rng.random() < 0.12:
        parts.append(grammar.write(label, rng))
    if not out_of_scope and rng.random() < 0.15:
        parts.insert(rng.randrange(len(parts) + 1), grammar.expand("{context}", rng))
    if rng.random() < (0.15 if out_of_scope else 0.3):
        parts.insert(0, grammar.expand("{opener}", rng))
    if rng.random() < (0.1 if out_of_scope else 0.25):
        parts.append(grammar.expand("{closer}", rng))
    return rng.choice((", ", ". ", " ", " ", "! ", ".. ")).join(parts)


def mistyped(word: str, rng: random.Random) -> str:
    """Drop, double, swap or replace one letter of a word."""
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + rng.choice(LETTERS) + word[at + 1 :]


def with_typos(text: str, rng: random.Random) -> str:
    """Mistype one or two words in a quarter of the messages."""
    if rng.random() > 0.25:
        return text
    words = text.split(" ")
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(words))
        if words[at].isascii():
            words[at] = mistyped(words[at], rng)
    return " ".join(words)


def in_some_case(text: str, rng: random.Random) -> str:
    """Write a text in small letters, as sentences, in capitals, or with one shouted word."""
    case = rng.random()
    if case < 0.35:
        text = text.lower()
    elif case < 0.8:
        text = re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text)
        text = re.sub(r"\bi\b", "I", text)
    elif case < 0.85:
        text = text.upper()
    elif case < 0.9:
        words = text.split(" ")
        at = rng.randrange(len(words))
        words[at] = words[at].upper()
        text = " ".join(words)
    return text


def as_typed_in_english(text: str, rng: random.Random) -> str:
    """Vary capitals, apostrophes, short forms and the end mark of an English message."""
    text = with_typos(text, rng)
    if rng.random() < 0.2:
        for long, short in (("you", "u"), ("please", "pls"), ("are", "r"), ("because", "bc")):
            text = re.sub(rf"\b{long}\b", short, text)
    if rng.random() < 0.3:
        text = text.replace("'", "")
    elif rng.random() < 0.2:
        text = text.replace("n't", " not").replace("'s ", " is ")
    text = in_some_case(text, rng)
    return text + rng.choice(("", "", "", ".", ".", "?", "?", "!", "!!", "??", "...", " :("))


def as_typed_in_korean(text: str, rng: random.Random) -> str:
    """Vary spaces, endings and the end mark of a Korean message."""
    text = attach_particles(text)
    if rng.random() < 0.6:
        text = re.sub(r"(?<=[가-힣]) (?=[해하되돼드됐했])", "", text)
    if rng.random() < 0.3:
        text = re.sub(r"(?<=[가-힣]) (?=[가-힣])", lambda _: rng.choice(("", " ", " ")), text)
    if rng.random() < 0.2:
        text = text.replace("돼요", "되요").replace("안 ", "안")
    if rng.random() < 0.12:
        text = re.sub(r"요$", rng.choice(("여", "용", "욤", "요ㅠㅠ", "")), text)
    if rng.random() < 0.1:
        text = text.replace("어요", rng.choice(("음", "습니다", "어여", "네요")))
        text = text.replace("해요", "함")
    return text + rng.choice(("", "", "", "", ".", ".", "?", "?", "!", "~", "ㅠㅠ", "..", "??"))


def mixed(text: str, swaps: dict[str, list[str]], rng: random.Random) -> str:
    """Swap up to three words of a message for words of the other language."""
    present = [word for word in swaps if re.search(word_pattern(word), text)]
    rng.shuffle(present)
    for word in present[: rng.choice((1, 1, 2, 3))]:
        text = re.sub(word_pattern(word), rng.choice(swaps[word]), text)
    return text


def word_pattern(word: str) -> str:
    """The pattern that finds a word: whole in English, before any particle in Korean."""
    return rf"\b{word}\b" if word.isascii() else re.escape(word)


class Writer:
    """Writes messages from the phrase files with one source of randomness."""

    def __init__(self, seed: int) -> None:
        """Read the phrase files and start the source of randomness from the seed."""
        self.rng = random.Random(seed)
        self.grammars = {name: read_grammar(PHRASES / f"{name}.txt") for name in ("en", "ko")}
        self.swaps = read_swaps(PHRASES / "mixed.txt")

    def message(self) -> Message:
        """Write one message of a random label and language."""
        rng = self.rng
        label = "out_of_scope" if rng.random() < 0.09 else rng.choice(LABELS[:-1])
        language = rng.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
        ground = language if language != "mixed" else rng.choice(("ko", "ko", "ko", "en"))
        text = with_surroundings(self.grammars[ground], label, rng)
        if language == "mixed":
            text = mixed(text, self.swaps[ground], rng)
            text += rng.choice(("", "", "", " please", " help", " how?", " ㅠㅠ", " 부탁해요"))
        typed = as_typed_in_english if ground == "en" else as_typed_in_korean
        return Message(typed(text, rng), label, language)

    def messages(self) -> Iterator[Message]:
        """Write messages for ever, none twice."""
        seen = set()
        while True:
            message = self.message()
            key = normalised(message.text)
            if key and key not in seen:
                seen.add(key)
                yield message


def system_messages(seed: int) -> Iterator[str]:
    """Write instructions in varied wording for ever."""
    rng = random.Random(seed)
    grammar = read_grammar(PHRASES / "system.txt")
    while True:
        text = grammar.write("system", rng)
        yield text if rng.random() < 0.3 else text[:1].upper() + text[1:]


def normalised(text: str) -> str:
    """Reduce a text to its lower-case letters and digits.

    >>> normalised("Where's my  order?!")
    'wheresmyorder'
    """
    text = unicodedata.normalize("NFKC", text).lower()
    return "".join(character for character in text if character.isalnum())


def near(texts: Sequence[str], held_out: Sequence[str]) -> list[bool]:
    """Tell for each text whether it repeats, nearly repeats or contains a held-out message.

    Near is a normalised edit similarity (rapidfuzz ratio) of NEAR_RATIO or more. Not covered:
    the same request in other words, which is what the model has to learn.
    """
    if not held_out:
        return [False] * len(texts)
    ours = [normalised(text) for text in texts]
    theirs = [normalised(text) for text in held_out]
    long = [text for text in theirs if len(text.encode()) >= CONTAINED_BYTES]
    answers = []
    for start in range(0, len(ours), 1000):
        part = ours[start : start + 1000]
        ratios = process.cdist(part, theirs, scorer=fuzz.ratio, score_cutoff=NEAR_RATIO)
        similar = (ratios >= NEAR_RATIO).any(axis=1)
        pairs = zip(part, similar, strict=True)
        answers += [bool(is_near) or any(it in text for it in long) for text, is_near in pairs]
    return answers


def training_messages(count: int, seed: int, held_out: Sequence[str] = ()) -> tuple[list[Message], int]:
    """Write `count` different messages, leaving out those near a held-out message.

    Returns the messages and how many were left out.
    """
    kept: list[Message] = []
    written = 0
    source = Writer(seed).messages()
    while len(kept) < count:
        batch = list(islice(source, min(2000, count - len(kept))))
        written += len(batch)
        close = near([message.text for message in batch], held_out)
        kept += [message for message, is_close in zip(batch, close, strict=True) if not is_close]
    return kept, written - len(kept)


def read_held_out(path: Path) -> list[str]:
    """Read the messages of an evaluation set."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["message"] for line in lines]


def main() -> None:
    """Print training messages as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="messages to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", type=Path, help="leave out messages near those of this evaluation set")
    args = parser.parse_args()
    held_out = read_held_out(args.held_out) if args.held_out else []
    messages, left_out = training_messages(args.count, args.seed, held_out)
    for message in messages:
        print(json.dumps(asdict(message), ensure_ascii=False))
    print(f"{len(messages)} messages, {left_out} left out as near held-out ones", file=sys.stderr)


if __name__ == "__main__":
    main()
