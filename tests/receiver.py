"""A partner's program that gets webhooks: HTTPS on loopback with a certificate of its own, as well or badly behaved as asked."""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Got:
    """One request that came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass
class Reply:
    """How to answer."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0
    cut: bool = False
    trickle: bool = False
    reset: bool = False


Behave = Callable[[Got], Reply]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make an authority that nobody knows and a certificate of localhost, and give the files of both."""
    now = datetime.now(UTC)
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented authority of tests")])
    ca = _certificate(issuer, issuer, authority.public_key(), now).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    ca_made = ca.add_extension(
        x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        ),
        critical=True,
    ).sign(authority, hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = _certificate(subject, issuer, own.public_key(), now).add_extension(names, critical=False)
    made = made.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False
    )
    folder.mkdir(parents=True, exist_ok=True)
    ca_file, pair = folder / "authority.pem", folder / "localhost.pem"
    ca_file.write_bytes(ca_made.public_bytes(serialization.Encoding.PEM))
    pair.write_bytes(
        own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return ca_file, pair


def _certificate(subject: x509.Name, issuer: x509.Name, key: Any, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, behave: Behave, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.behave = behave
        self.context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake in the request's own thread: a client that hangs must not stop the others.
        request.settimeout(30)
        with suppress(OSError, ssl.SSLError):
            wrapped = self.context.wrap_socket(request, server_side=True)
            try:
                super().finish_request(wrapped, client_address)
            finally:
                wrapped.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    # The answer in one piece: with two, the client's delayed acknowledgement costs 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.behave(Got(path=self.path, headers=headers, body=body, at=time.time()))
        if reply.wait:
            time.sleep(reply.wait)
        if reply.cut:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if not reply.trickle:
            self.wfile.write(reply.body)
            if reply.reset:
                self._reset()
            return
        for byte in reply.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)

    def _reset(self) -> None:
        """Answer as if the connection stayed open, and then break it off without a goodbye."""
        self.wfile.flush()
        time.sleep(0.1)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        return


class Receiver:
    """A receiver in a thread of this process; it remembers what it got."""

    def __init__(self, folder: Path, *, port: int = 0, behave: Behave | None = None) -> None:
        self.ca_file, self._pair = folder / "authority.pem", folder / "localhost.pem"
        if not self._pair.exists():
            make_certificate(folder)
        self.got: list[Got] = []
        self.behave: Behave = behave or (lambda got: Reply())
        self._server = _Server(port, self._note, _server_context(self._pair))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hooks"

    def _note(self, got: Got) -> Reply:
        self.got.append(got)
        return self.behave(got)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def receiving(folder: Path, **how: Any) -> Iterator[Receiver]:
    """Have a receiver for the length of a block."""
    receiver = Receiver(folder, **how)
    try:
        yield receiver
    finally:
        receiver.close()


def _server_context(pair: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context


def main(arguments: list[str]) -> None:
    """Be a receiver in a process of its own: each id that came is in the log before it is answered."""
    parser = argparse.ArgumentParser(prog="python -m tests.receiver")
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--faults", action="store_true", help="answer badly now and then")
    given = parser.parse_args(arguments)
    log = os.open(given.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if given.log else None
    kinds = (
        Reply(status=500),
        Reply(cut=True),
        Reply(status=302, headers={"Location": "/"}),
        Reply(status=503, wait=0.2),
    )
    count = 0

    def behave(got: Got) -> Reply:
        nonlocal count
        count += 1
        if given.faults and count % 17 == 0:
            return kinds[count // 17 % len(kinds)]
        if log is not None:
            os.write(log, f"{got.headers['webhook-id']}\n".encode())
        return Reply()

    server = _Server(given.port, behave, _server_context(given.folder / "localhost.pem"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever(0.05)


if __name__ == "__main__":
    main(sys.argv[1:])
