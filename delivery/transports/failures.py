"""Turn what sending can raise into one `TransportError` with a sentence for people."""

from __future__ import annotations

import errno
import socket
import ssl

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


class BadUrl(ValueError):
    """The URL cannot be requested: give the endpoint one that `addresses.check_url` accepts."""


class ConnectTimeout(TimeoutError):
    """No connection came about in time: look-up, TCP and TLS together."""


class NotHttp(Exception):
    """What came is no HTTP answer, or one without end."""


# What `translate` knows; anything else is a fault of ours and is let through.
EXPECTED = (OSError, ValueError, RuntimeError, NotHttp)

# The first row that fits: what is more special stands before what it is a kind of.
_SENTENCES: tuple[tuple[type[Exception], ErrorClass, str], ...] = (
    (
        ConnectTimeout,
        ErrorClass.CONNECT_TIMEOUT,
        "No connection to the receiver came about in time.",
    ),
    (TimeoutError, ErrorClass.READ_TIMEOUT, "The receiver did not answer in time."),
    (BadUrl, ErrorClass.BAD_URL, "The endpoint's URL cannot be used."),
    (socket.gaierror, ErrorClass.DNS, "The name of the receiver could not be looked up."),
    (ssl.SSLError, ErrorClass.TLS_OTHER, "No secure connection to the receiver came about."),
    (ConnectionRefusedError, ErrorClass.REFUSED, "The receiver refuses connections."),
    (ConnectionError, ErrorClass.RESET, "The receiver broke the connection off."),
    (NotHttp, ErrorClass.PROTOCOL, "The receiver's answer is not proper HTTP."),
    (OSError, ErrorClass.UNREACHABLE, "The receiver cannot be reached."),
    (RuntimeError, ErrorClass.UNREACHABLE, "The receiver cannot be reached."),
    (
        ValueError,
        ErrorClass.BAD_SETTINGS,
        "The endpoint's headers, certificates or credentials cannot be used.",
    ),
)
_PERMANENT = {ErrorClass.BLOCKED_ADDRESS, ErrorClass.BAD_URL, ErrorClass.BAD_SETTINGS}


def translate(error: Exception, *, duration_ms: int) -> TransportError:
    """Return the transport error for an exception out of `EXPECTED`."""
    error_class, message = _read(error)
    return TransportError(
        message,
        error_class=error_class,
        permanent=error_class in _PERMANENT,
        duration_ms=duration_ms,
    )


def _read(error: Exception) -> tuple[ErrorClass, str]:
    # Of several addresses the errors come joined into one OSError of no certain type.
    if isinstance(error, OSError) and _BLOCKED in str(error):
        return ErrorClass.BLOCKED_ADDRESS, "The endpoint leads to an address that is not public."
    if isinstance(error, ssl.SSLCertVerificationError):
        return _read_certificate(error)
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        error = ConnectionRefusedError()
    if isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
        error = ConnectTimeout()
    return next((what, text) for kind, what, text in _SENTENCES if isinstance(error, kind))


def _read_certificate(error: ssl.SSLCertVerificationError) -> tuple[ErrorClass, str]:
    if error.verify_code in _EXPIRED:
        return ErrorClass.TLS_EXPIRED, "The receiver's certificate has expired or is not yet valid."
    if error.verify_code in _WRONG_NAME:
        return ErrorClass.TLS_NAME, "The receiver's certificate is for another name."
    if error.verify_code in _UNTRUSTED:
        return ErrorClass.TLS_UNTRUSTED, "The receiver's certificate is by nobody that we trust."
    return ErrorClass.TLS_OTHER, "The receiver's certificate cannot be verified."
