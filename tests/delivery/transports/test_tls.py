"""Certificates: the receiver's, an authority of its own, and the client's."""

from __future__ import annotations

from delivery.transports import ErrorClass, Tls
from delivery.transports.webhook import WebhookTransport
from tests.delivery.transports.receivers import answering, certificate, not_http, receiver
from tests.delivery.transports.talking import answers, failure, outgoing, talk


def tls_failure(server_tls: object, host: str = "localhost", **changes: object) -> ErrorClass:
    classes: list[ErrorClass] = []

    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(), tls=server_tls) as server:  # type: ignore[arg-type]
            error = await failure(transport, outgoing(server.url(host=host), **changes))
        classes.append(error.error_class)
        assert server.requests == []

    talk(body, resolve=answers("127.0.0.1"))
    return classes[0]


def test_certificates_that_do_not_hold_are_told_apart() -> None:
    good, old = certificate(), certificate(days_left=-1)
    assert tls_failure(good.server_context()) is ErrorClass.TLS_UNTRUSTED
    trusting_old = Tls(ca_pem=old.certificate)
    assert tls_failure(old.server_context(), tls=trusting_old) is ErrorClass.TLS_EXPIRED
    trusting = Tls(ca_pem=good.certificate)
    assert tls_failure(good.server_context(), "a.example", tls=trusting) is ErrorClass.TLS_NAME


def test_a_server_without_tls_is_no_secure_connection() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(not_http) as server:
            url = server.url().replace("http:", "https:")
            error = await failure(transport, outgoing(url, timeout_seconds=1))
        assert error.error_class is ErrorClass.CONNECT_TIMEOUT

    talk(body)


def test_an_endpoints_own_authority_and_client_certificate_are_used() -> None:
    server_side, client_side = certificate(), certificate(names=("client",))
    wants_client = server_side.server_context(client_ca=client_side.certificate)
    both = Tls(ca_pem=server_side.certificate, client_pem=client_side.pem)

    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(), tls=wants_client) as server:
            url = server.url(host="localhost")
            assert (await transport.send(outgoing(url, tls=both))).status == 200
            # Another endpoint at the same host must not ride on that connection.
            without = Tls(ca_pem=server_side.certificate)
            error = await failure(transport, outgoing(url, tls=without))
        # Python's TLS server may drop the connection before its alert is out.
        assert error.error_class in (ErrorClass.TLS_OTHER, ErrorClass.RESET)
        assert len(server.requests) == 1

    talk(body, resolve=answers("127.0.0.1", "127.0.0.1"))
