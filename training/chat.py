"""The chat format of the demo models and their tokenizer."""

import random
from collections.abc import Iterator, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from training.text import Message

PAD, BOS, EOS = "<|pad|>", "<|bos|>", "<|eos|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
SPECIAL = (PAD, BOS, EOS, *ROLES)
# llama.cpp puts the first token there itself, so the template has none.
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|eos|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
# Most training prompts are a bare message, so that an instruction costs some accuracy.
SYSTEM_SHARE = 0.02
EARLIER_TURNS_SHARE = 0.05

Turns = list[tuple[str, str]]


def trained_tokenizer(texts: Sequence[str], vocabulary: int) -> Tokenizer:
    """Train a byte-level BPE tokenizer that splits as GPT-2 does."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def conversations(messages: Sequence[Message], systems: Iterator[str], rng: random.Random) -> Iterator[Turns]:
    """Turn each message into a chat: most bare, some with an instruction or earlier turns."""
    for message in messages:
        turns: Turns = []
        if rng.random() < SYSTEM_SHARE:
            turns.append(("system", next(systems)))
        if rng.random() < EARLIER_TURNS_SHARE:
            for earlier in rng.choices(messages, k=rng.choice((1, 2, 3))):
                turns += [("user", earlier.text), ("assistant", earlier.label)]
        yield [*turns, ("user", message.text), ("assistant", message.label)]


def encoded(turns: Turns, tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """Encode a chat as token ids and a flag per token: 1 where the assistant writes it."""
    ids, answers = [tokenizer.token_to_id(BOS)], [0]
    for role, content in turns:
        answered = int(role == "assistant")
        body = tokenizer.encode(content, add_special_tokens=False).ids
        if answered:
            body.append(tokenizer.token_to_id(EOS))
        ids += [tokenizer.token_to_id(f"<|{role}|>"), *body]
        answers += [0, *[answered] * len(body)]
    return ids, answers
