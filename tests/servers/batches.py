"""A batch server on loopback in a process of its own, which counts what it was made to process.

`python -m tests.servers.batches '{}'` prints its address and serves until its input ends. A batch moves on
by one state each time that it is looked at.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

import msgspec
from aiohttp import web

from llmops.record import Record

STATES = ("validating", "in_progress", "finalizing")


class BatchBehaviour(Record):
    """How the server takes and answers batches; as it stands, all of them at once and without fault."""

    ends: list[str] = []
    """The state in which the first batches end; ``completed`` for those after them."""
    rows: dict[str, str] = {}
    """Word → what becomes of requests whose last message holds it: an HTTP status (a row of the error file),
    ``expired``, ``missing`` (no row), ``garbage`` (a line that is no JSON), ``html`` (200 without a completion)."""
    faulty_batches: int = 1
    """In how many batches, the first ones, that happens."""
    strangers: int = 0
    """Rows in each output file of requests that were never sent."""
    hold: str | None = None
    """Where the server goes silent, once, as ``<call> <before|after|amid>``: ``create after`` is a batch that
    was made and never told of. Calls: ``upload``, ``create``, ``look``, ``content``."""
    held_s: float = 3600.0
    """After which the call goes on, though nobody may listen any more."""
    statuses: dict[str, list[int]] = {}
    """Call → the status of its first attempts instead of an answer, 0 for none."""
    problem: str | None = None
    """Code with which the batches that end ``failed`` are refused."""
    counts_tokens: bool = True
    """Send usage with each answer."""
    still: bool = False
    """Batches stay in progress."""


class BatchCounts(Record):
    """What the server did since it started."""

    processed: dict[str, int]
    """custom_id → times that an answer was made for it, which is what is paid for."""
    calls: dict[str, int]
    sizes: list[int]
    """Requests in each batch that was created."""
    files: int
    """Uploads that were not deleted."""
    held: bool
    """Whether a call waits where the server was told to go silent."""


class BatchServer:
    """One server's state."""

    def __init__(self, told: BatchBehaviour) -> None:
        self.told, self.still = told, told.still
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.processed, self.calls = Counter[str](), Counter[str]()
        self.held = self.holding = False

    async def upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        content = file.file.read()
        return await self._called("upload", request, lambda: self._file(self._keep(file.filename, content)))

    async def files_list(self, request: web.Request) -> web.Response:
        rows = [
            self._file(id_) for id_, (name, _) in reversed(self.files.items()) if name.startswith("llmops")
        ]
        return web.json_response({"object": "list", "data": rows, "has_more": False})

    async def delete(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        if self.files.pop(id_, None) is None:
            return _refusal(404)
        return web.json_response({"id": id_, "object": "file", "deleted": True})

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        return await self._called("create", request, lambda: self._created(body))

    async def look(self, request: web.Request) -> web.StreamResponse:
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return _refusal(404)
        return await self._called("look", request, lambda: self._moved_on(batch))

    async def batches_list(self, request: web.Request) -> web.Response:
        limit, after = int(request.query.get("limit", 20)), request.query.get("after")
        rows = list(reversed(self.batches.values()))
        start = next((n + 1 for n, row in enumerate(rows) if row["id"] == after), 0)
        page = rows[start : start + min(limit, 2)]  # small pages, so that clients must turn them
        more = start + len(page) < len(rows)
        return web.json_response({"object": "list", "data": page, "has_more": more})

    async def content(self, request: web.Request) -> web.StreamResponse:
        found = self.files.get(request.match_info["id"])
        if found is None:
            return _refusal(404)
        return await self._called("content", request, lambda: found[1])

    async def counts(self, request: web.Request) -> web.Response:
        told = BatchCounts(
            processed=dict(self.processed),
            calls=dict(self.calls),
            sizes=[batch["request_counts"]["total"] for batch in self.batches.values()],
            files=sum(name.startswith("llmops") for name, _ in self.files.values()),
            held=self.holding,
        )
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")

    async def go_on(self, request: web.Request) -> web.Response:
        """Let batches that stood still move on."""
        self.still = False
        return web.Response()

    async def _called(self, call: str, request: web.Request, act: Any) -> web.StreamResponse:
        number = self.calls[call]
        self.calls[call] += 1
        statuses = self.told.statuses.get(call, [])
        if number < len(statuses) and statuses[number]:
            return _refusal(statuses[number])
        await self._silent(f"{call} before")
        try:
            done = act()
        except KeyError:
            return _refusal(400)
        await self._silent(f"{call} after")
        if isinstance(done, bytes):
            return await self._sent(request, done)
        return web.json_response(done)

    async def _sent(self, request: web.Request, content: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": str(len(content))})
        await response.prepare(request)
        half = len(content) // 2
        await response.write(content[:half])
        await self._silent("content amid")
        await response.write(content[half:])
        return response

    async def _silent(self, where: str) -> None:
        if self.told.hold == where and not self.held:
            self.held = self.holding = True
            await asyncio.sleep(self.told.held_s)
            self.holding = False

    def _keep(self, name: str, content: bytes) -> str:
        id_ = f"file-{len(self.files) + self.calls['upload']}-{name[:20]}"
        self.files[id_] = (name, content)
        return id_

    def _file(self, id_: str) -> dict[str, Any]:
        name, content = self.files[id_]
        return {
            "id": id_, "object": "file", "bytes": len(content), "created_at": int(time.time()),
            "filename": name, "purpose": "batch", "status": "processed",
        }  # fmt: skip

    def _created(self, body: dict[str, Any]) -> dict[str, Any]:
        lines = self.files[body["input_file_id"]][1].splitlines()
        batch = {
            "id": f"batch_{len(self.batches) + 1}",
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "status": STATES[0],
            "created_at": int(time.time()),
            "metadata": body.get("metadata"),
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        self.batches[batch["id"]] = batch
        return batch

    def _moved_on(self, batch: dict[str, Any]) -> dict[str, Any]:
        if batch["status"] in STATES and not (self.still and batch["status"] == "in_progress"):
            at = STATES.index(batch["status"])
            if at + 1 < len(STATES):
                batch["status"] = STATES[at + 1]
            else:
                self._end(batch)
        return batch

    def _end(self, batch: dict[str, Any]) -> None:
        number = int(batch["id"].partition("_")[2]) - 1
        batch["status"] = self.told.ends[number] if number < len(self.told.ends) else "completed"
        if batch["status"] == "failed":
            error = {"code": self.told.problem, "message": "told to refuse it", "line": 1, "param": None}
            batch["errors"] = {"object": "list", "data": [error]}
            return
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]][1].splitlines()]
        output, errors = self._results(lines, number < self.told.faulty_batches)
        batch["request_counts"] |= {"completed": len(output), "failed": len(errors)}
        output += [_row(f"stranger-{n}", 200, _completion("?", "m-1")) for n in range(self.told.strangers)]
        for field, rows in (("output_file_id", output), ("error_file_id", errors)):
            if rows:
                batch[field] = self._keep(field, b"".join(row + b"\n" for row in rows))

    def _results(self, lines: list[dict[str, Any]], faulty: bool) -> tuple[list[bytes], list[bytes]]:
        output, errors = list[bytes](), list[bytes]()
        for line in lines:
            key, text = line["custom_id"], str(line["body"]["messages"][-1]["content"])
            outcome = next((what for word, what in self.told.rows.items() if faulty and word in text), "ok")
            match outcome:
                case "missing":
                    continue
                case "expired":
                    error = {"code": "batch_expired", "message": "not finished within the window"}
                    errors.append(_dumped({"id": "r", "custom_id": key, "response": None, "error": error}))
                case "garbage":
                    output.append(b'{"custom_id": "' + key.encode())
                case "html":
                    output.append(_row(key, 200, "<html>"))
                case "ok":
                    self.processed[key] += 1
                    output.append(_row(key, 200, self._answer(text, line["body"]["model"])))
                case status:
                    errors.append(_row(key, int(status), {"error": {"message": f"told {status}"}}))
        return output[::-1], errors  # in no order that could be relied on

    def _answer(self, text: str, model: str) -> dict[str, Any]:
        answer = _completion(text, model)
        return answer if self.told.counts_tokens else answer | {"usage": None}


def _completion(text: str, model: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    return {"id": "c", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}


def _row(key: str, status: int, body: Any) -> bytes:
    response = {"status_code": status, "request_id": "q", "body": body}
    return _dumped({"id": "r", "custom_id": key, "response": response, "error": None})


def _dumped(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()  # U+2028 stays as it is


def _refusal(status: int) -> web.Response:
    return web.json_response({"error": {"message": f"told to answer {status}", "code": "x"}}, status=status)


async def _serve(told: BatchBehaviour) -> None:
    server = BatchServer(told)
    app = web.Application(client_max_size=2**28)
    app.router.add_post("/v1/files", server.upload)
    app.router.add_get("/v1/files", server.files_list)
    app.router.add_delete("/v1/files/{id}", server.delete)
    app.router.add_get("/v1/files/{id}/content", server.content)
    app.router.add_post("/v1/batches", server.create)
    app.router.add_get("/v1/batches", server.batches_list)
    app.router.add_get("/v1/batches/{id}", server.look)
    app.router.add_get("/counts", server.counts)
    app.router.add_post("/go_on", server.go_on)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # ends with the process that started it
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(msgspec.convert(json.loads(sys.argv[1]), BatchBehaviour)))
