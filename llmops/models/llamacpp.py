"""The door to ``xllamacpp``: a GGUF file, served in this process."""

import asyncio
import json
import os
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Semaphore
from typing import Any

import msgspec

from llmops.errors import UserError
from llmops.models.files import project_file, sha256_of
from llmops.models.forced import weighed
from llmops.models.likelihood import choices_body
from llmops.models.model import Model, not_open
from llmops.models.protocol.body import chat_body
from llmops.models.protocol.completions import read_answer
from llmops.models.specs import LlamaCppSpec, sampling_identity
from llmops.models.timed import clocked
from llmops.replies import Reply, Request, Sampling

MAGIC = b"GGUF"
QUIET = -1
MOST_SLOTS = 8
PURE_SAMPLING = {"top_k": 0, "min_p": 0.0, "cache_prompt": False}
"""llama.cpp's own defaults cut the distribution further than temperature and top_p say."""


def open_llamacpp(name: str, spec: LlamaCppSpec, root: Path) -> Model:
    """Return the model in ``spec.file``; it loads when it is asked first.

    Each of its slots is an engine of one slot and one thread, not one engine of many slots:
    requests that are decoded in one batch flip bits in each other's answers.

    Raises:
        UserError: the file is missing or no GGUF; when asked, it is cut short or not supported.
    """
    path = _checked(name, spec.file, project_file(name, root, spec.file))
    closed = closed_llamacpp(name, spec, root)
    slots = spec.slots or min(MOST_SLOTS, os.cpu_count() or 1)
    engines = _Engines(slots, lambda: _started(name, spec, path), f"llamacpp {name}")

    async def ask(request: Request) -> Reply:
        body = closed.wire(request)
        if request.choices:
            reply = await engines.run(lambda engine: weighed(engine, body))
        else:
            reply = await engines.run(partial(_answer, request, spec.sampling, body))
        return msgspec.structs.replace(reply, served_model=spec.file, fingerprint=closed.identity["engine"])

    return replace(closed, ask=ask, ready=engines.ready, close=engines.close, concurrency=slots)


def _answer(request: Request, sampling: Sampling, body: dict[str, Any], engine: Any) -> Reply:
    return read_answer(engine.handle_chat_completions(body), request, sampling, body)


def closed_llamacpp(name: str, spec: LlamaCppSpec, root: Path) -> Model:
    """Return the model known by its settings and its file: it is not loaded, and cannot be asked."""

    def wire(request: Request) -> dict[str, Any]:
        if request.choices:
            return choices_body(request)
        return {**chat_body(request, spec.sampling, "max_tokens"), **PURE_SAMPLING}

    identity = {
        "kind": "llamacpp",
        "model": spec.file.rpartition("/")[2],
        "weights": sha256_of(project_file(name, root, spec.file)),
        "context": spec.context,
        "engine": f"xllamacpp {version('xllamacpp')}",
        "sampling": sampling_identity(spec.sampling),
    }
    return Model(name, identity, wire, not_open, price=spec.price)


def counting(name: str, spec: LlamaCppSpec, root: Path) -> Callable[[Request], int]:
    """Return the function that counts a request's tokens as the engine does; it answers nothing.

    Raises:
        UserError: as ``open_llamacpp``; when it counts first, the file is cut short or not supported.
    """
    path = _checked(name, spec.file, project_file(name, root, spec.file))

    @cache
    def address() -> tuple[Any, str]:
        engine = _started(name, spec, path)  # it serves as long as it is held
        return engine, engine.listening_address

    def count(request: Request) -> int:
        _, at = address()
        body = chat_body(request, spec.sampling, "max_tokens")
        prompt = _posted(f"{at}/apply-template", body)["prompt"]
        asked = {"content": prompt, "add_special": True, "parse_special": True}
        return len(_posted(f"{at}/tokenize", asked)["tokens"])

    return count


def _posted(address: str, body: dict[str, Any]) -> Any:
    """Return what the engine answers on loopback, for what it tells over HTTP only."""
    content = json.dumps(body).encode()
    request = urllib.request.Request(address, content, {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request) as reply:  # noqa: S310 - the engine's own address
        return json.load(reply)


class _Engines:
    """As many engines as slots, each started when it is wanted first.

    The start of one holds Python's lock, so that no other's answer comes back meanwhile. So requests
    that wait together (``ready``) have theirs started before the first is asked.
    """

    def __init__(self, slots: int, start: Callable[[], Any], name: str) -> None:
        self._start = start
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix=name)
        self._idle: LifoQueue[Any] = LifoQueue()  # the last one used is taken first: few requests start few
        self._most, self._slots = slots, Semaphore(slots)
        self._started = self._waiting = 0
        self._one_starts = asyncio.Lock()

    async def ready(self) -> None:
        """Start an engine for each request that waits here, as far as there are slots."""
        self._waiting += 1
        try:
            async with self._one_starts:
                while self._started < min(self._waiting, self._most):
                    await asyncio.get_running_loop().run_in_executor(self._threads, self._begin)
        finally:
            self._waiting -= 1

    async def run(self, work: Callable[[Any], Reply]) -> Reply:
        """Return the reply, whose seconds are those of the work: no engine's start, no wait for the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    def _run(self, work: Callable[[Any], Reply]) -> Reply:
        engine = self._free()
        try:
            return clocked(work, engine)
        finally:
            self._idle.put(engine)

    def _free(self) -> Any:
        """Return an engine that is idle, else a new one; there are no more threads than slots."""
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._new() if self._slots.acquire(blocking=False) else self._idle.get()

    def _begin(self) -> None:
        if self._slots.acquire(blocking=False):  # else another thread starts the last one
            self._idle.put(self._new())

    def _new(self) -> Any:
        try:
            engine = self._start()
        except BaseException:
            self._slots.release()
            raise
        self._started += 1
        return engine

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        while not self._idle.empty():
            self._idle.get()


def _checked(name: str, file: str, path: Path) -> Path:
    with path.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise UserError(f"models.{name}: file: {file!r} is no GGUF file; give one that ends in .gguf")
    return path


def _started(name: str, spec: LlamaCppSpec, path: Path) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.verbosity = QUIET
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = spec.context, 1
    params.n_batch = params.n_ubatch = min(spec.context, 512)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_threads_http = 1
    params.cache_prompt, params.cache_ram_mib, params.n_ctx_checkpoints = False, 0, 0
    params.warmup = params.ui = params.endpoint_slots = params.fit_params = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        raise UserError(
            f"models.{name}: file: {spec.file!r} cannot be loaded; it is cut short, damaged, or of a kind"
            " that llama.cpp does not know: fetch it again"
        ) from None
