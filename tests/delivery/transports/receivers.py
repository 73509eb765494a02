"""Small raw servers on 127.0.0.1 that behave as badly as a test asks."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import re
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Behaviour = Callable[["Conversation"], Awaitable[None]]


@dataclass(kw_only=True)
class Conversation:
    """One request, and the way to answer it."""

    head: str
    body: bytes
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass
class Receiver:
    """A running server: where it listens, and what it was asked."""

    port: int
    is_tls: bool = False
    requests: list[Conversation] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.is_tls else 'http'}://{host}:{self.port}{path}"


def answering(status: int = 200, body: bytes = b"", headers: tuple[str, ...] = ()) -> Behaviour:
    async def answer(conversation: Conversation) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
        await conversation.say("\r\n".join(lines).encode() + body)

    return answer


@contextlib.asynccontextmanager
async def receiver(
    behaviour: Behaviour, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    running = Receiver(port=0, is_tls=tls is not None)

    talks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                conversation = await _asked(reader, writer)
                running.requests.append(conversation)
                await behaviour(conversation)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        talks.add(asyncio.ensure_future(converse(reader, writer)))

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def hang(conversation: Conversation) -> None:
    """Answer nothing, for longer than any test waits."""
    del conversation
    await asyncio.sleep(30)


async def reset(conversation: Conversation) -> None:
    """Break the connection off."""
    conversation.writer.transport.abort()


async def not_http(conversation: Conversation) -> None:
    """Answer as another kind of server does."""
    await conversation.say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Conversation:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lengths = re.findall(r"(?im)^content-length: *(\d+)", head)
    body = await reader.readexactly(int(lengths[0]) if lengths else 0)
    return Conversation(head=head, body=body, writer=writer)


@dataclass(kw_only=True, frozen=True)
class Certificate:
    """A certificate with its key, as PEM."""

    certificate: str
    key: str

    @property
    def pem(self) -> str:
        return self.certificate + self.key

    def server_context(self, *, client_ca: str = "") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "server.pem"
            file.write_text(self.pem)
            context.load_cert_chain(file)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=client_ca)
        return context


def certificate(*, names: tuple[str, ...] = ("localhost",), days_left: int = 30) -> Certificate:
    """Make a self-signed certificate that may also serve as an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days_left))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate=built.public_bytes(serialization.Encoding.PEM).decode(),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )
