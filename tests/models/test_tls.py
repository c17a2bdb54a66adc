"""Servers behind TLS: what is trusted, and what an untrusted one is told as."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import sys
from llmops import event_loop
from llmops.models.catalog import open_model, parse_spec
from llmops.places import Places
from llmops.replies import Message, Request
from pathlib import Path

async def main():
    model = open_model("bot", parse_spec("bot", {"kind": "openai", "model": "m", "base_url": sys.argv[1]}), Places(Path()))
    try:
        reply = await model.ask(Request(example_id="e", inputs={}, messages=[Message(role="user", content="hi")]))
        print(reply.text)
    except Exception as problem:
        print(f"{type(problem).__name__}: {problem}")
    finally:
        await model.close()

event_loop.run(main())
"""
BATCH = """
import asyncio, sys
from llmops.models.protocol.address import Address
from llmops.models.protocol.client import fault_of, open_client

async def main():
    async with open_client(Address("bot", "m", sys.argv[1], None, "none"), 5.0) as client:
        try:
            await client.batches.retrieve("b-1")
        except Exception as problem:
            fault = fault_of(problem)
            print(f"{fault.kind}: {fault}")

asyncio.run(main())
"""


class _Chat(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b'{"model": "m", "choices": [{"message": {"role": "assistant", "content": "over TLS"}}]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def self_signed(folder: Path, name: str, host: str = "127.0.0.1", ended_days: int = -1) -> Path:
    """Write a certificate for an address, its key before it, and return where."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=ended_days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The server's certificate, which signs itself."""
    return self_signed(tmp_path, "own")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A certificate that says nothing of the server's."""
    return self_signed(tmp_path, "other")


@contextmanager
def serving(certificate: Path) -> Iterator[str]:
    """Give the address of a server with this certificate, without ``https://``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Chat)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def address(own: Path) -> Iterator[str]:
    """Where a server with its own certificate listens."""
    with serving(own) as address:
        yield address


def said(script: str, url: str, trusted: Path, **more: str) -> list[str]:
    """Return what a process of its own prints, which trusts the certificates of one file."""
    environment = {
        **os.environ,
        **more,
        "SSL_CERT_FILE": str(trusted),
        "SSL_CERT_DIR": str(trusted.parent / "none"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script, url],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_server_whose_certificate_is_trusted_answers(address: str, own: Path) -> None:
    assert said(ASK, f"https://{address}", own) == ["over TLS"]
    (line,) = said(BATCH, f"https://{address}", own)
    assert line.startswith("server_error: HTTP 501"), "which is this server's answer"


def test_a_certificate_that_is_not_trusted_is_the_users_to_mend(address: str, other: Path) -> None:
    assert said(ASK, f"https://{address}", other) == [
        f"UserError: models.bot: https://{address}: its TLS certificate is not trusted (self-signed certificate);"
        " name its authority's file in SSL_CERT_FILE"
    ]
    assert said(BATCH, f"https://{address}", other) == [
        "certificate: its TLS certificate is not trusted (self-signed certificate);"
        " name its authority's file in SSL_CERT_FILE"
    ]


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"host": "127.0.0.9"}, "write the name that the certificate is for in base_url"),
        ({"ended_days": 1}, "the server's has to be renewed, or this machine's clock set"),
    ],
)
def test_what_is_wrong_with_a_certificate_says_what_mends_it(
    wrong: dict[str, Any], mend: str, tmp_path: Path
) -> None:
    own = self_signed(tmp_path, "wrong", **wrong)
    with serving(own) as address:
        (line,) = said(ASK, f"https://{address}", own)
    assert line.startswith(f"UserError: models.bot: https://{address}: its TLS certificate is not trusted (")
    assert line.endswith(f"); {mend}")


def test_a_file_of_certificates_that_holds_none_is_the_users_to_mend(address: str, tmp_path: Path) -> None:
    garbled = tmp_path / "garbled.pem"
    garbled.write_text("no certificate", encoding="utf-8")
    (line,) = said(ASK, f"https://{address}", garbled)
    assert line.startswith(f"UserError: models.bot: https://{address}: no certificates can be read: ")
    assert line.endswith("; mend SSL_CERT_FILE")


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({}, "name its authority's file in SSL_CERT_FILE"),
        ({"host": "127.0.0.9"}, "write the name that the certificate is for in the proxy's variable"),
    ],
)
def test_the_certificate_of_a_proxy_is_told_as_the_proxys(
    wrong: dict[str, Any], mend: str, other: Path, tmp_path: Path
) -> None:
    own = self_signed(tmp_path, "wrong", **wrong)
    with serving(own) as address:
        proxy = f"https://{address.removesuffix('/v1')}"
        (line,) = said(ASK, "https://server.invalid/v1", own if wrong else other, https_proxy=proxy)
    assert "the proxy's TLS certificate is not trusted (" in line
    assert line.endswith(f"); {mend}")


def test_https_to_a_server_that_speaks_http_is_told_so(other: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for script in (ASK, BATCH):
            (line,) = said(script, f"https://127.0.0.1:{server.server_port}/v1", other)
            assert "no TLS connection to the server" in line
            assert line.endswith("it may speak http")
        server.shutdown()
