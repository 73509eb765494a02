"""The product's worker on a machine whose name server changes its answers.

Asked for `NAME`, the system answers with what the file in `REBINDING_FILE` says at that moment.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from config.celery import app

NAME = "rebinding.test"
__all__ = ["NAME", "app"]

_by_system = socket.getaddrinfo


def _answer(host: Any, port: Any, *more: Any, **named: Any) -> Any:
    if host == NAME:
        host = Path(os.environ["REBINDING_FILE"]).read_text()
    return _by_system(host, port, *more, **named)


if "REBINDING_FILE" in os.environ:  # in the worker's processes only
    socket.getaddrinfo = _answer
