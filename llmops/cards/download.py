"""One public file from its url, resumed where an earlier download was cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmops.errors import UserError

ADVICE = "LLMOPS_DATA_MIRROR can name a folder that mirrors it"
TIMEOUT_S = 30.0


def download(url: str, part: Path, say: Callable[[str], None]) -> None:
    """Bring the file at ``url`` to ``part``; bytes that ``part`` already holds are not asked again.

    Two downloads into one ``part`` at a time are not kept apart: the checksum tells, not this.

    Raises:
        UserError: no network, an HTTP error, or cut short (``part`` keeps what came).
    """
    import httpx2  # 0.2 s that a fetch from disk does not need

    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with httpx2.Client(follow_redirects=True, timeout=TIMEOUT_S) as client:
            if not _transfer(client, url, part, say):
                part.unlink()
                _transfer(client, url, part, say)
    except httpx2.HTTPStatusError as problem:
        status = problem.response.status_code
        raise UserError(f"{url}: the server answered {status}; mend the url, or {ADVICE}") from None
    except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.ReadTimeout):
        size = part.stat().st_size if part.exists() else 0
        raise UserError(
            f"{url}: cut after {size:,} bytes; fetch again to go on from there, or {ADVICE}"
        ) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        raise UserError(
            f"{url}: cannot be reached ({problem}); connect to the network, or {ADVICE}"
        ) from None


def _transfer(client: Any, url: str, part: Path, say: Callable[[str], None]) -> bool:
    """Append what is missing; False when the server has nothing behind what ``part`` holds."""
    have = part.stat().st_size if part.exists() else 0
    # identity: the checksum and the range are those of the file, not of a compressed transfer
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as answer:
        if have and answer.status_code == 416:
            return False
        answer.raise_for_status()
        resumed = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        start = have if answer.status_code == 206 and resumed else 0
        say(f"downloading {url}" + (f" from byte {start:,}" if start else ""))
        with part.open("ab" if start else "wb") as file:
            for chunk in _announced(answer.iter_raw(), start, _total(answer, start), say):
                file.write(chunk)
    return True


def _total(answer: Any, start: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _announced(chunks: Any, done: int, total: int | None, say: Callable[[str], None]) -> Any:
    """Yield the chunks, saying at each tenth of the whole how far it is."""
    tenth = None if total is None else 10 * done // max(total, 1)
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if total is not None and 10 * done // total != tenth:
            tenth = 10 * done // total
            say(f"{done:,} of {total:,} bytes")
