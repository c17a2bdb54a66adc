"""The door to ``transformers``: a Hugging Face model, run in this process."""

import asyncio
import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmops.errors import UserError, WorldError
from llmops.models.files import model_folder, sha256_of_all
from llmops.models.likelihood import Tokens, choices_body, choices_reply, continuation
from llmops.models.model import Model
from llmops.models.protocol.body import request_seed, spoken
from llmops.models.protocol.reasoning import parted
from llmops.models.specs import TransformersSpec, sampling_identity
from llmops.models.timed import clocked
from llmops.models.unheeded import unheeded
from llmops.replies import Reply, Request, Sampling

PARTS = ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model", "*.txt")
"""The files of a model's folder that can change its answers."""


class _Loaded(NamedTuple):
    torch: Any
    transformers: Any
    model: Any
    tokenizer: Any


def open_transformers(name: str, spec: TransformersSpec, root: Path) -> Model:
    """Return the model in a folder or on the hub, one request at a time.

    Raises:
        UserError: the packages are not installed, or there is no such model.
    """
    folder = model_folder(name, root, spec.model)
    loaded = _loaded(name, spec, folder)
    thread = ThreadPoolExecutor(1, thread_name_prefix=f"transformers {name}")

    async def ask(request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        if request.choices:
            reply = await loop.run_in_executor(thread, clocked, _weighed, loaded, request)
        else:
            reply = await loop.run_in_executor(thread, clocked, _generate, loaded, request, spec.sampling)
            ignored = unheeded(reply, request, spec.sampling)
            reply = msgspec.structs.replace(reply, unheeded=ignored)
        return msgspec.structs.replace(reply, served_model=spec.model)

    async def close() -> None:
        await asyncio.to_thread(thread.shutdown)

    identity = {
        "kind": "transformers",
        "model": spec.model.rpartition("/")[2] if folder.is_dir() else spec.model,
        "weights": _weights(folder, loaded.model.config),
        "engine": f"transformers {loaded.transformers.__version__}, torch {loaded.torch.__version__}",
        "device": spec.device,
        "sampling": sampling_identity(spec.sampling),
    }
    return Model(name, identity, wire, ask, close, price=spec.price, concurrency=1)


def wire(request: Request) -> dict[str, Any]:
    """Return all of the request that the reply hangs on."""
    if request.choices:
        return choices_body(request)
    body = {"messages": [spoken(message) for message in request.messages], "tools": request.tools}
    if request.response_format is not None:  # the model is not told of it, but the answer is marked by it
        body["response_format"] = msgspec.to_builtins(request.response_format)
    return body


def counting(name: str, spec: TransformersSpec, root: Path) -> Callable[[Request], int]:
    """Return the function that counts a request's tokens by the model's tokenizer; no weights are loaded."""
    import transformers

    folder = model_folder(name, root, spec.model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder) if folder.is_dir() else spec.model)

    def count(request: Request) -> int:
        tokens = tokenizer.apply_chat_template(
            msgspec.to_builtins(request.messages),
            tools=request.tools or None,
            add_generation_prompt=True,
            return_dict=True,
        )
        return len(tokens["input_ids"])

    return count


def _loaded(name: str, spec: TransformersSpec, folder: Path) -> _Loaded:
    try:
        import torch
        import transformers
    except ImportError:
        raise UserError(
            f"models.{name}: kind 'transformers' is not installed; `pip install llmops[hf]`"
        ) from None
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    source = str(folder) if folder.is_dir() else spec.model
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        model = transformers.AutoModelForCausalLM.from_pretrained(source).to(spec.device).eval()
    except (OSError, ValueError) as problem:
        first = str(problem).partition("\n")[0]
        raise UserError(
            f"models.{name}: model: {spec.model!r} cannot be loaded ({first});"
            " give a folder below the project's, or a name on the hub"
        ) from None
    if not tokenizer.chat_template:
        raise UserError(f"models.{name}: model: {spec.model!r} has no chat template; take an instruct model")
    return _Loaded(torch, transformers, model, tokenizer)


def _weights(folder: Path, config: Any) -> str:
    if folder.is_dir():
        return sha256_of_all({path for part in PARTS for path in folder.glob(part)}, folder)
    return f"revision {getattr(config, '_commit_hash', None)}"


def _generate(loaded: _Loaded, request: Request, sampling: Sampling) -> Reply:
    tokens = loaded.tokenizer.apply_chat_template(
        [spoken(message) for message in request.messages],
        tools=request.tools or None,
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    ).to(loaded.model.device)
    given = int(tokens["input_ids"].shape[1])
    room = _room(loaded.model.config, given)
    if sampling.seed is not None:
        loaded.torch.manual_seed(request_seed(sampling.seed, request))
    with loaded.torch.inference_mode():
        whole = loaded.model.generate(
            **tokens,
            generation_config=_drawing(loaded, sampling, min(sampling.max_tokens or room, room)),
            tokenizer=loaded.tokenizer,
        )
    return _read(loaded, whole[0, given:].tolist(), given, sampling)


def _room(config: Any, given: int) -> int:
    context: int = getattr(config, "max_position_embeddings", None) or 1 << 20
    if given >= context:
        raise WorldError(
            "context_overflow", f"{given} tokens do not fit a context of {context}", transient=False
        )
    return context - given


def _drawing(loaded: _Loaded, sampling: Sampling, max_new_tokens: int) -> Any:
    """Return settings that draw as ``sampling`` says, without the model's own penalties and cuts."""
    own = loaded.model.generation_config
    settings: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        settings = {
            "do_sample": True,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": 0,
        }
    ends = own.eos_token_id if own.eos_token_id is not None else loaded.tokenizer.eos_token_id
    pad = own.pad_token_id if own.pad_token_id is not None else loaded.tokenizer.pad_token_id
    return loaded.transformers.GenerationConfig(
        max_new_tokens=max_new_tokens,
        eos_token_id=ends,
        pad_token_id=pad if pad is not None else (ends[0] if isinstance(ends, list) else ends),
        stop_strings=sampling.stop or None,
        **settings,
    )


def _read(loaded: _Loaded, made: list[int], given: int, sampling: Sampling) -> Reply:
    own = loaded.model.generation_config.eos_token_id
    ends = own if isinstance(own, list) else [own, loaded.tokenizer.eos_token_id]
    text = loaded.tokenizer.decode(made, skip_special_tokens=True)
    cuts = [text.index(stop) for stop in sampling.stop if stop in text]
    ended = bool(cuts) or bool(made and made[-1] in ends)
    reasoning, answer = parted(text[: min(cuts)] if cuts else text)
    return Reply(
        text=answer,
        reasoning=reasoning,
        finish_reason="stop" if ended else "length",
        usage={"prompt_tokens": given, "completion_tokens": len(made), "total_tokens": given + len(made)},
        usage_source="server",
        input_tokens=given,
        output_tokens=len(made),
    )


def _weighed(loaded: _Loaded, request: Request) -> Reply:
    """Return the reply that weighs the request's choices; the prompt is read once for all of them."""
    prompt: str = loaded.tokenizer.apply_chat_template(
        [spoken(message) for message in request.messages],
        tools=request.tools or None,
        add_generation_prompt=True,
        tokenize=False,
    )
    given = _tokens(loaded, prompt)
    choices = [
        continuation(given, _tokens(loaded, prompt + choice), _tokens(loaded, choice))
        for choice in request.choices
    ]
    _room(loaded.model.config, len(given) + max(map(len, choices)) - 1)
    with loaded.torch.inference_mode():
        read = loaded.model(_row(loaded, given), use_cache=True, logits_to_keep=1)
        logprobs = [_logprobs(loaded, read, each) for each in choices]
    return choices_reply(request.choices, logprobs, len(given))


def _tokens(loaded: _Loaded, text: str) -> Tokens:
    found: Tokens = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def _row(loaded: _Loaded, tokens: Tokens) -> Any:
    return loaded.torch.tensor([tokens], device=loaded.model.device)


def _logprobs(loaded: _Loaded, read: Any, tokens: Tokens) -> list[float]:
    """Return the log-probability of each token after what was read, which is left as it is."""
    logits = read.logits[0, -1:]
    if len(tokens) > 1:
        cache = copy.deepcopy(read.past_key_values)  # a forward pass writes into the one it is given
        rest = loaded.model(_row(loaded, tokens[:-1]), past_key_values=cache).logits[0]
        logits = loaded.torch.cat([logits, rest])
    logprobs = loaded.torch.log_softmax(logits.float(), dim=-1)
    chosen = logprobs.gather(1, _row(loaded, tokens).T)
    found: list[float] = chosen[:, 0].tolist()
    return found
