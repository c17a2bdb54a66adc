"""A function of the user's own application, asked as if it were a model."""

import asyncio
import importlib.util
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from llmops.errors import UserError, WorldError
from llmops.models.files import project_file, sha256_of, sha256_of_all
from llmops.models.model import Model, not_open
from llmops.models.protocol.server_json import writable
from llmops.models.specs import PythonSpec
from llmops.record import Record
from llmops.replies import Reply, Request

Application = Callable[[dict[str, Any], list[dict[str, Any]]], Any]


class Answer(Record, frozen=True):
    """What a function may return besides plain text."""

    text: str
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str | None = None


def open_python(name: str, spec: PythonSpec, root: Path) -> Model:
    """Return the model that ``spec.function`` is: ``f(inputs, messages) -> str | dict``, sync or async.

    Its exceptions become the Reply's error, of the kind ``application``; they are not tried again.
    What it imports is not in its identity unless ``spec.files`` names it.

    Raises:
        UserError: a missing file or function, or a file that fails when it is imported.
    """
    path = project_file(name, root, spec.file)
    function = _function(name, spec, path, root)
    threads = ThreadPoolExecutor(spec.concurrency, thread_name_prefix=f"application {name}")

    async def ask(request: Request) -> Reply:
        messages = [msgspec.to_builtins(message) for message in request.messages]
        try:
            return _reply(await _called(function, threads, dict(request.inputs), messages))
        except Exception as problem:
            what = writable(f"{type(problem).__name__}: {problem}")
            raise WorldError("application", what, transient=False) from problem

    async def close() -> None:
        await asyncio.to_thread(threads.shutdown)

    return replace(closed_python(name, spec, root), ask=ask, close=close)


def closed_python(name: str, spec: PythonSpec, root: Path) -> Model:
    """Return the model known by its files: none of their code runs, and it cannot be asked."""
    identity = {
        "kind": "python",
        "model": f"{spec.file}:{spec.function}",
        "file": sha256_of(project_file(name, root, spec.file)),
        "files": sha256_of_all([project_file(name, root, file) for file in spec.files], root),
    }
    return Model(name, identity, _wire, not_open, price=spec.price, concurrency=spec.concurrency)


def _wire(request: Request) -> dict[str, Any]:
    return {
        "inputs": request.inputs,
        "messages": [msgspec.to_builtins(message) for message in request.messages],
    }


async def _called(
    function: Application, threads: ThreadPoolExecutor, inputs: dict[str, Any], messages: list[dict[str, Any]]
) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(inputs, messages)
    result = await asyncio.get_running_loop().run_in_executor(threads, function, inputs, messages)
    return await result if isinstance(result, Awaitable) else result


def _reply(result: Any) -> Reply:
    if isinstance(result, str):
        return _kept(Reply(text=result))
    if not isinstance(result, Mapping):
        raise TypeError(f"returned {result!r}; must return text or a mapping with 'text'")
    answer = msgspec.convert(dict(result), Answer)
    reply = Reply(
        text=answer.text,
        finish_reason=answer.finish_reason,
        usage=answer.usage,
        input_tokens=_tokens(answer.input_tokens, answer.usage, "prompt_tokens"),
        output_tokens=_tokens(answer.output_tokens, answer.usage, "completion_tokens"),
        served_model=answer.model,
    )
    return _kept(reply)


def _kept(reply: Reply) -> Reply:
    """Return the reply as it is read again from a file."""
    try:
        return msgspec.json.decode(msgspec.json.encode(reply), type=Reply)
    except (TypeError, ValueError) as problem:
        raise TypeError(
            f"returned what no JSON can hold ({problem}); must return texts and numbers"
        ) from None


def _tokens(count: int | None, usage: dict[str, Any] | None, field: str) -> int | None:
    told = (usage or {}).get(field)
    return count if count is not None else told if isinstance(told, int) else None


def _function(name: str, spec: PythonSpec, path: Path, root: Path) -> Application:
    where = f"models.{name}: {spec.file}"
    module = _imported(where, path, root)
    function = getattr(module, spec.function, None)
    if not callable(function):
        known = sorted(key for key, value in vars(module).items() if inspect.isfunction(value))
        raise UserError(f"{where}: function: no {spec.function!r}; functions are {known}")
    return function  # type: ignore[no-any-return]  # any callable is asked, and its faults are the Reply's


def _imported(where: str, path: Path, root: Path) -> ModuleType:
    if str(root) not in sys.path:
        sys.path.append(str(root))  # so that an application imports its neighbours
    found = importlib.util.spec_from_file_location(f"llmops_application_{sha256_of(path)[:12]}", path)
    if found is None or found.loader is None:
        raise UserError(f"{where}: is no Python file; give one that ends in .py")
    module = importlib.util.module_from_spec(found)
    try:
        sys.modules[found.name] = module  # dataclasses look their module up there
        found.loader.exec_module(module)
    except Exception as problem:
        del sys.modules[found.name]
        raise UserError(
            f"{where}: fails when imported ({type(problem).__name__}: {problem}); mend it"
        ) from problem
    return module
