"""Turn what an HTTP client can raise into one `TransportError` with a sentence for people."""

from __future__ import annotations

import errno
import ssl

import aiohttp

from delivery.transports import ErrorClass, TransportError

# OpenSSL's X509_V_ERR_ codes, as `SSLCertVerificationError.verify_code` has them.
_EXPIRED = {9, 10}
_WRONG_NAME = {62, 64}
_UNTRUSTED = {18, 19, 20, 21}

_BLOCKED = "may not be sent to"


class BlockedAddress(OSError):
    """The name leads to an address that must not be connected: give the endpoint a public one."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; it {_BLOCKED}.")


# What `translate` knows; anything else is a fault of ours and is let through.
EXPECTED = (aiohttp.ClientError, OSError, ValueError, TypeError, RuntimeError)


def translate(error: Exception, *, duration_ms: int) -> TransportError:
    """Return the transport error for an exception out of `EXPECTED`."""
    error_class, message = _read(error)
    return TransportError(
        message,
        error_class=error_class,
        permanent=error_class
        in (ErrorClass.BLOCKED_ADDRESS, ErrorClass.BAD_URL, ErrorClass.BAD_SETTINGS),
        duration_ms=duration_ms,
    )


# Before the rows below it comes what is more special: a timeout is an OSError, too.
_PLAIN: tuple[tuple[type[Exception], ErrorClass, str], ...] = (
    (
        aiohttp.ConnectionTimeoutError,
        ErrorClass.CONNECT_TIMEOUT,
        "No connection to the receiver came about in time.",
    ),
    (TimeoutError, ErrorClass.READ_TIMEOUT, "The receiver did not answer in time."),
    (aiohttp.InvalidURL, ErrorClass.BAD_URL, "The endpoint's URL cannot be used."),
    (aiohttp.NonHttpUrlClientError, ErrorClass.BAD_URL, "The endpoint's URL cannot be used."),
    (
        aiohttp.ClientConnectorDNSError,
        ErrorClass.DNS,
        "The name of the receiver could not be looked up.",
    ),
)


def _read(error: Exception) -> tuple[ErrorClass, str]:
    for kind, error_class, message in _PLAIN:
        if isinstance(error, kind):
            return error_class, message
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return _read_certificate(error.certificate_error)
        case aiohttp.ClientConnectorError():
            return _read_connect(error)
        case OSError() | aiohttp.ServerDisconnectedError():
            return _read_broken(error)
        case aiohttp.ClientError():
            return ErrorClass.PROTOCOL, "The receiver's answer is not proper HTTP."
    return ErrorClass.BAD_SETTINGS, "The endpoint's headers or credentials cannot be sent."


def _read_certificate(error: Exception) -> tuple[ErrorClass, str]:
    code = getattr(error, "verify_code", 0)
    if code in _EXPIRED:
        return ErrorClass.TLS_EXPIRED, "The receiver's certificate has expired or is not yet valid."
    if code in _WRONG_NAME:
        return ErrorClass.TLS_NAME, "The receiver's certificate is for another name."
    if code in _UNTRUSTED:
        return ErrorClass.TLS_UNTRUSTED, "The receiver's certificate is by nobody that we trust."
    return ErrorClass.TLS_OTHER, "The receiver's certificate cannot be verified."


def _read_connect(error: aiohttp.ClientConnectorError) -> tuple[ErrorClass, str]:
    cause = error.os_error
    # With several addresses the library joins their messages into one OSError of no certain type.
    if _BLOCKED in str(cause):
        return ErrorClass.BLOCKED_ADDRESS, "The endpoint leads to an address that is not public."
    if isinstance(cause, ssl.SSLError):
        return ErrorClass.TLS_OTHER, "No secure connection to the receiver came about."
    if cause.errno == errno.ECONNREFUSED:
        return ErrorClass.REFUSED, "The receiver refuses connections."
    if cause.errno == errno.ETIMEDOUT:
        return ErrorClass.CONNECT_TIMEOUT, "No connection to the receiver came about in time."
    if cause.errno == errno.ECONNRESET:
        return ErrorClass.RESET, "The receiver broke the connection off."
    return ErrorClass.UNREACHABLE, "The receiver cannot be reached."


def _read_broken(error: Exception) -> tuple[ErrorClass, str]:
    # In TLS 1.3 a server refuses a client's certificate only after the handshake.
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return ErrorClass.TLS_OTHER, "The receiver ended the secure connection."
    return ErrorClass.RESET, "The receiver broke the connection off."
