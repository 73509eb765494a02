"""TLS contexts: the usual authorities for all, and one context for each endpoint's own settings."""

from __future__ import annotations

import ssl
import tempfile
from functools import lru_cache

from delivery.transports import Tls


@lru_cache(maxsize=1)
def usual() -> ssl.SSLContext:
    """Return the context of endpoints without settings: system authorities, names verified."""
    return ssl.create_default_context()


# A context costs some milliseconds and its identity is part of a kept-alive connection's key.
@lru_cache(maxsize=512)
def context(tls: Tls) -> ssl.SSLContext:
    """Return the context for an endpoint's settings; raises `ValueError` if they cannot be read."""
    made = ssl.create_default_context()
    try:
        if tls.ca_pem:
            made.load_verify_locations(cadata=tls.ca_pem)
        if tls.client_pem:
            # OpenSSL reads a certificate chain from a file only; this one is for our user alone.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(tls.client_pem)
                file.flush()
                # A key with a passphrase would otherwise ask for it on the terminal.
                made.load_cert_chain(file.name, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        raise ValueError("The endpoint's certificates cannot be read.") from error
    return made
