import errno
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from llmops.cards.card import load_card
from llmops.cards.source import fetch
from llmops.errors import UserError

CONTENT = bytes(range(256)) * 1200
SUM = hashlib.sha256(CONTENT).hexdigest()
INTO, DOWNLOADS = Path("data/raw/shop"), Path("state/downloads")


class Site(NamedTuple):
    """A server of one file below several paths, each with its way to fail."""

    url: str
    asked: list[tuple[str, str | None]]
    """(path, Range) of each request."""


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))  # type: ignore[attr-defined]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if self.path == "/gone":
            self.send_error(404)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
        elif start >= len(CONTENT):
            self.send_error(416)
        else:
            self.answer(0 if self.path == "/no_ranges" else start)

    def answer(self, start: int) -> None:
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100_000] if self.path == "/cut" and not start else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", server.asked)  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def get(write, shop):
    """Return a function that fetches one public file and returns (its path, what was said)."""

    def go(url: str, sha256: str = SUM, mirror: Path | None = None) -> tuple[Path, list[str]]:
        listed = f"{{name: rows.bin, url: '{url}', sha256: '{sha256}'}}"
        write("data/sets/shop/card.yaml", shop.replace("{path: shop.csv}", listed))
        said: list[str] = []
        (path,) = fetch(load_card(Path(), "shop"), Path(), INTO, DOWNLOADS, mirror, said.append)
        return path, said

    return go


def refusal(get, *given) -> str:
    with pytest.raises(UserError) as refused:
        get(*given)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_local_files_are_copied_as_they_lie_beside_the_card(write, shop):
    write("data/sets/shop/card.yaml", shop.replace("{path: shop.csv}", "{path: b/shop.csv}, {path: a.txt}"))
    write("data/sets/shop/b/shop.csv", "q\n")
    write("data/sets/shop/a.txt", b"\xff")
    found = fetch(load_card(Path(), "shop"), Path(), INTO, DOWNLOADS, None, print)
    assert found == [INTO / "b/shop.csv", INTO / "a.txt"]
    assert [path.read_bytes() for path in found] == [b"q\n", b"\xff"]
    assert sorted(path.name for path in INTO.rglob("*")) == ["a.txt", "b", "shop.csv"]


def test_a_copy_does_not_write_through_a_link_into_the_cache(write, shop):
    write("data/sets/shop/card.yaml", shop)
    write("data/sets/shop/shop.csv", "new\n")
    cached = write("cache/aa", "old\n")
    INTO.mkdir(parents=True)
    (INTO / "shop.csv").hardlink_to(cached)
    fetch(load_card(Path(), "shop"), Path(), INTO, DOWNLOADS, None, print)
    assert (cached.read_text(), (INTO / "shop.csv").read_text()) == ("old\n", "new\n")


def test_a_local_file_that_is_not_there_is_named(write, shop):
    write("data/sets/shop/card.yaml", shop)
    with pytest.raises(UserError) as refused:
        fetch(load_card(Path(), "shop"), Path(), INTO, DOWNLOADS, None, print)
    assert str(refused.value) == (
        "data/sets/shop/card.yaml: files: no file 'shop.csv' beside the card; add it, or mend its path"
    )


def test_a_public_file_is_asked_for_once(site, get):
    path, said = get(f"{site.url}/whole")
    assert path.read_bytes() == CONTENT
    assert said[0] == f"shop/rows.bin: downloading {site.url}/whole"
    assert said[-1] == "shop/rows.bin: 307,200 of 307,200 bytes"
    assert [file.name for file in DOWNLOADS.iterdir()] == [SUM]
    assert get(f"{site.url}/whole") == (path, [])
    assert site.asked == [("/whole", None)]


def test_a_redirect_is_followed(site, get):
    assert get(f"{site.url}/moved")[0].read_bytes() == CONTENT


def test_a_download_that_was_spoilt_on_disk_is_asked_for_again(site, get, write):
    write(str(DOWNLOADS / SUM), CONTENT[:-1])
    assert get(f"{site.url}/whole")[0].read_bytes() == CONTENT
    assert len(site.asked) == 1


def test_a_cut_download_goes_on_from_where_it_was_cut(site, get):
    assert refusal(get, f"{site.url}/cut") == (
        f"{site.url}/cut: cut after 100,000 bytes; fetch again to go on from there, "
        "or LLMOPS_DATA_MIRROR can name a folder that mirrors it"
    )
    assert not INTO.exists()
    path, said = get(f"{site.url}/cut")
    assert path.read_bytes() == CONTENT
    assert said[0].endswith("from byte 100,000")
    assert site.asked == [("/cut", None), ("/cut", "bytes=100000-")]
    assert [file.name for file in DOWNLOADS.iterdir()] == [SUM]


def test_a_server_without_ranges_sends_the_file_from_its_start(site, get, write):
    write(str(DOWNLOADS / f"{SUM}.part"), CONTENT[:5000])
    assert get(f"{site.url}/no_ranges")[0].read_bytes() == CONTENT
    assert site.asked == [("/no_ranges", "bytes=5000-")]


def test_a_part_longer_than_the_file_is_thrown_away(site, get, write):
    write(str(DOWNLOADS / f"{SUM}.part"), CONTENT + b"more")
    assert get(f"{site.url}/whole")[0].read_bytes() == CONTENT
    assert site.asked == [("/whole", f"bytes={len(CONTENT) + 4}-"), ("/whole", None)]


def test_a_wrong_checksum_names_both_and_leaves_nothing(site, get):
    wrong = "a" * 64
    assert refusal(get, f"{site.url}/whole", wrong) == (
        f"{site.url}/whole: sha256 is {SUM}, the card says {wrong}; fetch again, or mend the card"
    )
    assert list(DOWNLOADS.iterdir()) == []
    assert not INTO.exists()


def test_an_http_error_names_the_url_and_the_way_round(site, get):
    assert refusal(get, f"{site.url}/gone") == (
        f"{site.url}/gone: the server answered 404; mend the url, "
        "or LLMOPS_DATA_MIRROR can name a folder that mirrors it"
    )


def test_no_network_names_the_url_and_the_way_round(site, get):
    nowhere = "http://127.0.0.1:1/rows.bin"
    assert refusal(get, nowhere) == (
        f"{nowhere}: cannot be reached ([Errno {errno.ECONNREFUSED}] Connection refused); "
        "connect to the network, or LLMOPS_DATA_MIRROR can name a folder that mirrors it"
    )


def test_a_mirror_is_searched_by_checksum_before_the_network(site, get, write):
    rows = [{"sha256": "b" * 64, "file": "x", "rows": 3}, {"sha256": SUM, "file": "some/rows"}]
    write("mirror/SOURCES.jsonl", "\n".join(map(json.dumps, rows)))
    write("mirror/some/rows", CONTENT)
    assert get(f"{site.url}/whole", SUM, Path("mirror"))[0].read_bytes() == CONTENT
    assert site.asked == []


def test_what_a_mirror_lacks_is_asked_of_its_url(site, get, write):
    write("mirror/SOURCES.jsonl", "")
    assert get(f"{site.url}/whole", SUM, Path("mirror"))[0].read_bytes() == CONTENT
    assert len(site.asked) == 1


def test_a_spoilt_mirror_is_named(site, get, write):
    write("mirror/SOURCES.jsonl", json.dumps({"sha256": SUM, "file": "rows"}))
    write("mirror/rows", "other")
    other = hashlib.sha256(b"other").hexdigest()
    assert refusal(get, f"{site.url}/whole", SUM, Path("mirror")) == (
        f"mirror/rows: sha256 is {other}, the card says {SUM}; fetch again, or mend the card"
    )


def test_a_mirror_without_its_index_is_refused(site, get, write):
    write("mirror/rows", CONTENT)
    assert refusal(get, f"{site.url}/whole", SUM, Path("mirror")) == (
        "LLMOPS_DATA_MIRROR: no SOURCES.jsonl in 'mirror'; name a folder that has one"
    )
